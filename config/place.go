package config

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"point"
)

// Place is where an object stands in the file.
type Place struct {
	file string
	node *yaml.Node
}

// Of is the line of a member, such as "config.headers.X-Team" or "mapping.rules[0].targets";
// of one that is not there, the line of what it is missing in.
func (p Place) Of(way string) string { return fmt.Sprintf("%s:%d", p.file, lineOf(p.node, way)) }

// fault tells mistakes to problem, each with its line and who has it.
func (p Place) fault(problem func(where, format string, args ...any), format string, args ...any) point.Fault {
	who := fmt.Sprintf(format, args...)
	return func(at, format string, args ...any) {
		problem(p.Of(at), "%s%s: %s", who, at, fmt.Sprintf(format, args...))
	}
}

func lineOf(n *yaml.Node, way string) int {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		way = strings.TrimPrefix(way, ".")
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			switch rest, found := strings.CutPrefix(way, key.Value); {
			case found && rest == "":
				return key.Line
			case found && (rest[0] == '.' || rest[0] == '['):
				return lineOf(value, rest)
			}
		}
	case yaml.SequenceNode:
		index, rest, _ := strings.Cut(strings.TrimPrefix(way, "["), "]")
		if i, err := strconv.Atoi(index); err == nil && i < len(n.Content) {
			return lineOf(n.Content[i], rest)
		}
	}
	return n.Line
}
