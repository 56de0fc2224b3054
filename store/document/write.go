package document

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Formats of Write.
const (
	JSON = "json"
	YAML = "yaml"
)

// Write is a document as a text for people.
func Write(d *Imported, format string) ([]byte, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("write a configuration: %w", err)
	}
	var out bytes.Buffer
	if format != YAML {
		if err := json.Indent(&out, raw, "", "  "); err != nil {
			return nil, fmt.Errorf("write a configuration: %w", err)
		}
		out.WriteByte('\n')
		return out.Bytes(), nil
	}
	var node yaml.Node // JSON is YAML; read as nodes, it keeps its order
	if err := yaml.Unmarshal(raw, &node); err != nil {
		return nil, fmt.Errorf("write a configuration: %w", err)
	}
	plain(&node)
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(&node); err != nil {
		return nil, fmt.Errorf("write a configuration: %w", err)
	}
	return out.Bytes(), nil
}

// plain takes JSON's brackets and quotes from a tree of YAML, where it does without.
func plain(n *yaml.Node) {
	if len(n.Content) > 0 || n.Kind == yaml.ScalarNode {
		n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	}
	for _, part := range n.Content {
		plain(part)
	}
}
