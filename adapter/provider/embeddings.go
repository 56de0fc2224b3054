package provider

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// wantsBase64 reports whether an embeddings request asks for base64, as OpenAI's SDKs do by
// default; they decode strings only.
func wantsBase64(body []byte) bool {
	return gjson.GetBytes(body, "encoding_format").Str == "base64"
}

// encoded relays embeddings and turns vectors that came as lists of numbers into base64.
type encoded struct{ *forwarded }

func (d encoded) Document(body []byte) (point.Block, error) {
	block, err := d.forwarded.Document(body)
	if err != nil {
		return block, err
	}
	var edits []edit
	gjson.GetBytes(body, "data").ForEach(func(_, item gjson.Result) bool {
		vector := item.Get("embedding")
		if vector.IsArray() && vector.Index > 0 {
			edits = append(edits, edit{point.Span{Start: vector.Index, End: vector.Index + len(vector.Raw)}, appendVector(nil, vector, true)})
		}
		return true
	})
	block.Data = splice(body, edits)
	block.Usage, block.CostAt = usageIn(block.Data, 0)
	return block, nil
}

// appendVector appends a list of numbers as JSON: a list, or a string of base64 over
// little-endian 32-bit floats.
func appendVector(b []byte, vector gjson.Result, asBase64 bool) []byte {
	if !asBase64 {
		return append(b, vector.Raw...)
	}
	raw := make([]byte, 0, 4096)
	vector.ForEach(func(_, n gjson.Result) bool {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(n.Num)))
		return true
	})
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, '"')
}

// decodeBase64 takes the standard and the URL alphabet, with and without padding.
func decodeBase64(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	return base64.RawStdEncoding.DecodeString(s)
}
