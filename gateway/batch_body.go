package gateway

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
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

// nameOf is the name of the batch that a call at a target belongs to.
func nameOf(target point.Target, call *point.Call, rest *asked) (name batchName) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d %q %t ", call.Key.ID, target.Provider.ID, target.Provider.Version, target.Model, rest.tokens)
	h.Write(rest.members)
	h.Sum(name[:0])
	return name
}

func sizeOf(inputs []string) (size int) {
	for _, input := range inputs {
		size += len(input)
	}
	return size
}

// joinedCall asks for the rows of all calls. It has the time of the most patient one.
func joinedCall(rest *asked, calls []*batched) (*point.Call, error) {
	call := *calls[0].call
	var body bytes.Buffer
	body.WriteByte('{')
	body.Write(rest.members)
	body.WriteString(`"input":[`)
	for i, c := range calls {
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

// row is an embedding of an answer, and the number that it has there.
type row struct {
	index int64
	value gjson.Result
}

// split gives each call its rows, numbered from 0, and its share of the usage: the shares add up to
// the whole.
func split(calls []*batched, document []byte, usage *point.Usage) ([]part, error) {
	rows, outer := readAnswer(document)
	inputs, whole := 0, int64(0)
	for _, c := range calls {
		inputs += len(c.inputs)
		whole += weight(c.inputs)
	}
	if len(rows) != inputs {
		return nil, &point.Error{Code: point.ProviderBadResponse, Message: fmt.Sprintf("The provider answered %d inputs with %d embeddings.", inputs, len(rows))}
	}
	parts := make([]part, len(calls))
	at, weighed := 0, int64(0)
	for i, c := range calls {
		before := weighed
		weighed += weight(c.inputs)
		var mine *point.Usage
		if usage != nil {
			mine = &point.Usage{Input: share(usage.Input, weighed, whole) - share(usage.Input, before, whole), Estimated: usage.Estimated}
		}
		parts[i].block = write(outer, rows[at:at+len(c.inputs)], mine)
		at += len(c.inputs)
	}
	return parts, nil
}

// readAnswer takes an answer apart: its embeddings in order, and its other members but for the usage,
// each with a comma behind it.
func readAnswer(document []byte) (rows []row, outer []byte) {
	gjson.ParseBytes(document).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "usage":
		case "data":
			value.ForEach(func(_, one gjson.Result) bool {
				rows = append(rows, row{one.Get("index").Int(), one})
				return true
			})
		default:
			outer = append(append(append(append(outer, key.Raw...), ':'), value.Raw...), ',')
		}
		return true
	})
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.index, b.index) })
	return rows, outer
}

// weight is what inputs count for in a share: tokens where they are told, bytes of text else.
func weight(inputs []string) (n int64) {
	for _, input := range inputs {
		if input[0] == '[' {
			n += int64(strings.Count(input, ",") + 1)
		} else {
			n += int64(len(input))
		}
	}
	return n
}

// share is the part of n that the first of whole have.
func share(n, first, whole int64) int64 {
	return int64(float64(n) * float64(first) / float64(max(whole, 1)))
}

// write makes an answer of some rows.
func write(outer []byte, rows []row, usage *point.Usage) point.Block {
	size := len(outer) + 100
	for i := range rows {
		size += len(rows[i].value.Raw) + 10
	}
	out := append(append(append(make([]byte, 0, size), '{'), outer...), `"data":[`...)
	for i := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"index":`...)
		out = strconv.AppendInt(out, int64(i), 10)
		rows[i].value.ForEach(func(key, value gjson.Result) bool {
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
