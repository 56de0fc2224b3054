package gateway

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// asked is what a request for embeddings asks but for its inputs.
type asked struct {
	name    batchName
	members []byte // JSON, each with a comma behind it
	tokens  bool   // the inputs are lists of tokens
}

// ownMembers are read by Point alone.
var ownMembers = []string{"provider", "fallback_providers", "models"}

// readInputs takes a request for embeddings apart; not ok: it is none that can be joined.
func readInputs(call *point.Call) (rest asked, inputs []string, ok bool) {
	body := gjson.ParseBytes(call.Body)
	body.ForEach(func(key, value gjson.Result) bool {
		switch {
		case key.Str == "input":
			inputs, rest.tokens = inputsOf(value)
		case !slices.Contains(ownMembers, key.Str):
			rest.members = append(append(append(append(rest.members, key.Raw...), ':'), value.Raw...), ',')
		}
		return true
	})
	return rest, inputs, len(inputs) > 0
}

// inputsOf are the inputs of one kind in a value as they are written, none if it is otherwise.
func inputsOf(value gjson.Result) (inputs []string, tokens bool) {
	if value.Type == gjson.String {
		return []string{value.Raw}, false
	}
	list := value.Array()
	if !value.IsArray() || len(list) == 0 {
		return nil, false
	}
	switch first := list[0]; {
	case first.Type == gjson.Number:
		return []string{value.Raw}, true
	case first.IsArray():
		tokens = true
	}
	for _, one := range list {
		if one.IsArray() != tokens || !tokens && one.Type != gjson.String {
			return nil, false
		}
		inputs = append(inputs, one.Raw)
	}
	return inputs, tokens
}

// nameOf is the name of the batch that a request at a target belongs to.
func nameOf(target point.Target, rest *asked) (name batchName) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d %q %t ", target.Provider.ID, target.Provider.Version, target.Model, rest.tokens)
	h.Write(rest.members)
	h.Sum(name[:0])
	return name
}

// joinedCall asks for the rows of all calls. It has the time of the most patient one.
func (b *batch) joinedCall() (*point.Call, error) {
	call := *b.calls[0].call
	var body bytes.Buffer
	body.WriteByte('{')
	body.Write(b.rest.members)
	body.WriteString(`"input":[`)
	for i, c := range b.calls {
		for j, input := range c.inputs {
			if i+j > 0 {
				body.WriteByte(',')
			}
			body.WriteString(input)
		}
		call.Deadline = later(call.Deadline, c.call.Deadline)
	}
	body.WriteString("]}")
	call.Body, call.Buffer = body.Bytes(), nil
	var err error
	call.Envelope, err = point.ScanEnvelope(call.Body)
	return &call, err
}

// later is the later deadline; zero is none.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}

// part is a call's own answer.
type part struct {
	block point.Block
	said  bool
}

func (p *part) Next() (point.Block, error) {
	if p.said {
		return point.Block{}, io.EOF
	}
	p.said = true
	return p.block, nil
}

func (p *part) Close() error { return nil }

// split gives each call its rows, numbered from 0, and its share of the usage, by the length of its
// inputs: the shares add up to the whole.
func (b *batch) split(document []byte, usage *point.Usage) ([]part, error) {
	doc := gjson.ParseBytes(document)
	rows := doc.Get("data").Array()
	if len(rows) != b.inputs {
		return nil, &point.Error{Code: point.ProviderBadResponse, Message: fmt.Sprintf("The provider answered %d inputs with %d embeddings.", b.inputs, len(rows))}
	}
	slices.SortStableFunc(rows, func(x, y gjson.Result) int { return int(x.Get("index").Int() - y.Get("index").Int()) })
	parts := make([]part, len(b.calls))
	at, sized := 0, int64(0)
	for i, c := range b.calls {
		before := sized
		for _, input := range c.inputs {
			sized += int64(len(input))
		}
		var mine *point.Usage
		if usage != nil {
			mine = &point.Usage{Input: share(usage.Input, sized, b.bytes) - share(usage.Input, before, b.bytes), Estimated: usage.Estimated}
		}
		parts[i].block = write(doc, rows[at:at+len(c.inputs)], mine)
		at += len(c.inputs)
	}
	return parts, nil
}

// share is the part of n that the first of whole bytes have.
func share(n, first int64, whole int) int64 {
	return int64(float64(n) * float64(first) / float64(max(whole, 1)))
}

// write makes an answer of some rows of doc.
func write(doc gjson.Result, rows []gjson.Result, usage *point.Usage) point.Block {
	out := []byte{'{'}
	doc.ForEach(func(key, value gjson.Result) bool {
		if key.Str != "data" && key.Str != "usage" {
			out = append(append(append(append(out, key.Raw...), ':'), value.Raw...), ',')
		}
		return true
	})
	out = append(out, `"data":[`...)
	for i, row := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"index":`...)
		out = strconv.AppendInt(out, int64(i), 10)
		row.ForEach(func(key, value gjson.Result) bool {
			if key.Str != "index" {
				out = append(append(append(append(out, ','), key.Raw...), ':'), value.Raw...)
			}
			return true
		})
		out = append(out, '}')
	}
	out = append(out, ']')
	block := point.Block{Kind: point.BlockDone, Usage: usage}
	if usage != nil {
		out = append(out, `,"usage":{`...)
		block.CostAt = len(out)
		tokens := strconv.FormatInt(usage.Input, 10)
		out = append(out, `"prompt_tokens":`+tokens+`,"total_tokens":`+tokens+`}`...)
	}
	block.Data = append(out, '}')
	return block
}
