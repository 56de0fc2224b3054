package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"point"
)

// parseJSON reads a text of JSON as package json does, numbers as they are written; false if it is
// none, or one that YAML must judge: with a member twice, or too deep.
func parseJSON(text []byte) (tree any, ok bool) {
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' || !utf8.Valid(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	tree, ok = jsonValue(d, 0)
	_, err := d.Token()
	return tree, ok && errors.Is(err, io.EOF)
}

func jsonValue(d *json.Decoder, depth int) (any, bool) {
	token, err := d.Token()
	if err != nil || depth > point.MaxDepth {
		return nil, false
	}
	switch token {
	case json.Delim('{'):
		return jsonObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			item, ok := jsonValue(d, depth+1)
			if !ok {
				return nil, false
			}
			list = append(list, item)
		}
		_, err := d.Token()
		return list, err == nil
	}
	return token, true
}

func jsonObject(d *json.Decoder, depth int) (any, bool) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		name, isName := token.(string)
		if _, twice := object[name]; err != nil || !isName || twice {
			return nil, false
		}
		value, ok := jsonValue(d, depth+1)
		if !ok {
			return nil, false
		}
		object[name] = value
	}
	_, err := d.Token()
	return object, err == nil
}
