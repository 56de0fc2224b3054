package provider

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tidwall/gjson"
)

// marshal is json.Marshal without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// compact is an object's JSON without white space; what is no object is "{}".
func compact(v gjson.Result) string {
	var b bytes.Buffer
	if !v.IsObject() || json.Compact(&b, []byte(v.Raw)) != nil {
		return "{}"
	}
	return b.String()
}
