package document

import (
	"errors"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What is looked up: reading a text once more takes a while, and nobody reads so many mistakes.
const (
	maxLined = 1 << 20 // bytes of a text
	maxLines = 1000    // mistakes
)

// ReadText is Read for a text that a person wrote: each mistake has its line.
func ReadText(text []byte) (*Imported, error) {
	in, err := Read(text)
	var mistakes Mistakes
	var root yaml.Node
	if !errors.As(err, &mistakes) || len(text) > maxLined || yaml.Unmarshal(text, &root) != nil || len(root.Content) == 0 {
		return in, err
	}
	for i := range min(len(mistakes), maxLines) {
		if mistakes[i].Path != "" {
			mistakes[i].Line = lineOf(root.Content[0], mistakes[i].Path, 0)
		}
	}
	return nil, mistakes
}

// lineOf is the line of what stands at a path below n, or of the last part of the path that
// stands there: what is missing has no line of its own.
func lineOf(n *yaml.Node, path string, line int) int {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	path = strings.TrimPrefix(path, ".")
	switch n.Kind {
	case yaml.MappingNode:
		return lineInObject(n, path, line)
	case yaml.SequenceNode:
		number, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
		if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(n.Content) {
			return lineOf(n.Content[i], rest, n.Content[i].Line)
		}
	}
	return line
}

// lineInObject follows the longest member that the path begins with: names may hold dots.
func lineInObject(n *yaml.Node, path string, line int) int {
	best := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		rest, ok := strings.CutPrefix(path, n.Content[i].Value)
		whole := ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
		if whole && (best < 0 || len(n.Content[i].Value) > len(n.Content[best].Value)) {
			best = i
		}
	}
	if best < 0 {
		return line
	}
	member := n.Content[best]
	return lineOf(n.Content[best+1], strings.TrimPrefix(path, member.Value), member.Line)
}
