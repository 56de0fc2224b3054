package dialect

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"

	"point"
)

// Responses is the dialect of OpenAI's Responses API:
//
//	https://platform.openai.com/docs/api-reference/responses
//	https://platform.openai.com/docs/api-reference/responses-streaming
var Responses Translator = responses{}

type responses struct{}

func (responses) Name() point.Dialect { return point.DialectResponses }

// Error is OpenAI's error object.
func (responses) Error(e *point.Error) []byte { return OpenAI.Error(e) }

// Event is an error event that nothing came before.
func (responses) Event(e *point.Error) []byte { return appendResponsesError(nil, 0, e) }

func (responses) Ping() []byte { return OpenAI.Ping() }

// appendResponsesError appends an error event: the error's members stand in it as they are
// documented, and in an error object as OpenAI sends them, which its SDKs throw.
func appendResponsesError(b []byte, number int64, e *point.Error) []byte {
	object := gjson.GetBytes(OpenAI.Error(e), "error")
	b = append(b, "event: error\ndata: {\"type\":\"error\",\"sequence_number\":"...)
	b = strconv.AppendInt(b, number, 10)
	for _, name := range []string{"code", "message", "param"} {
		b = append(append(append(b, `,"`...), name...), `":`...)
		b = append(b, object.Get(name).Raw...)
	}
	b = append(append(b, `,"error":`...), object.Raw...)
	return append(b, "}\n\n"...)
}

// Answer tells a chat's answer to call as a response.
func (responses) Answer(call *point.Call, reply *point.Reply) point.Blocks {
	return &response{translated: translate(reply, newResponsesEncoder(call)).(*translated)}
}

// Watch counts the events of a relayed stream.
func (responses) Watch(reply *point.Reply) point.Blocks { return &watched{Blocks: reply.Blocks} }

// Inner is a request as a chat.
func (responses) Inner(call *point.Call) (*point.Call, error) {
	r, err := readResponses(call.Body)
	if err != nil {
		return nil, err
	}
	t := &responsesTranslation{request: r, dropping: droppingOf(call)}
	body, err := t.chat(call)
	if err != nil {
		return nil, err
	}
	inner := *call
	inner.Path, inner.Dialect, inner.Body, inner.Buffer, inner.Header, inner.Inner, inner.Dropped = point.PathChat, point.DialectOpenAI, body, nil, nil, nil, t.dropped
	inner.Field = t.names().field
	inner.Envelope, err = point.ScanEnvelope(body)
	return &inner, err
}

// watched is a relayed stream whose events are counted.
type watched struct {
	point.Blocks
	next int64
}

// Next reads the number of the last event of a block, whose data is one line.
func (w *watched) Next() (point.Block, error) {
	const mark = "data:"
	block, err := w.Blocks.Next()
	i := bytes.LastIndex(block.Data, []byte("\n"+mark)) + 1
	if data, ok := bytes.CutPrefix(block.Data[i:], []byte(mark)); ok {
		if n := gjson.GetBytes(data, "sequence_number"); n.Type == gjson.Number {
			w.next = n.Int() + 1
		}
	}
	return block, err
}

func (w *watched) Event(e *point.Error) []byte { return appendResponsesError(nil, w.next, e) }
