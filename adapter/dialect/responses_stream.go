package dialect

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
)

// responsesEncoder tells a chat as a response. What it has told is also what it tells at the end,
// so it holds the answer.
type responsesEncoder struct {
	request *responsesRequest
	call    string // its id
	created int64
	kept    bool // the client may go on from it
	sealed  bool // thought goes to the client, who brings it back
	echo    []byte

	model  string
	number int64             // of the next event
	items  []json.RawMessage // by output index; nil: not whole yet
	inside []json.RawMessage // the same, with thought that the client does not get
	open   *openItem         // the message or the thought that is being told
	calls  []*openItem       // by the chat's index
	finish string
	runes  int // of text that was told
	whole  json.RawMessage
	cost   int
}

// openItem is an item that is being told.
type openItem struct {
	kind  string // message, reasoning or function_call
	id    string
	index int // of the output

	text        strings.Builder // or arguments
	begun       bool            // its part was opened
	start       int             // runes before the part
	refusal     bool            // the part is one
	parts       []string        // those that are whole, of a message
	details     details
	annotations []string
	callID      string
	name        string
}

func newResponsesEncoder(call *point.Call) *responsesEncoder {
	r, err := readResponses(call.Body)
	if err != nil { // it was read before
		r = &responsesRequest{}
	}
	kept := call.Keeps && (r.Store == nil || *r.Store)
	return &responsesEncoder{
		request: r, call: call.ID, created: call.Start.Unix(), model: call.Envelope.Model, kept: kept,
		sealed: !kept || r.includes(thoughtWanted), echo: newEcho(r, call.Previous, kept),
	}
}

func (e *responsesEncoder) costAt() int { return e.cost }

// document tells a whole answer: what its stream would have come to.
func (e *responsesEncoder) document(b, chat []byte, usage *point.Usage) ([]byte, error) {
	if !json.Valid(chat) {
		return nil, badChat()
	}
	doc := gjson.ParseBytes(chat)
	e.known(doc)
	choice := doc.Get("choices.0")
	e.delta(nil, choice.Get("message"))
	e.close(nil, choice.Get("finish_reason").Str)
	b = e.object(b, e.status(), usage, nil)
	e.keep(b)
	return b, nil
}

// chunk tells one chunk of a stream.
func (e *responsesEncoder) chunk(b, chunk []byte) ([]byte, error) {
	if !json.Valid(chunk) {
		return nil, badChat()
	}
	doc := gjson.ParseBytes(chunk)
	e.known(doc)
	choice := doc.Get("choices.0")
	if !choice.Exists() || choice.Get("index").Int() != 0 {
		return b, nil
	}
	if b = e.begin(b); e.finish == "" {
		b = e.delta(b, choice.Get("delta"))
	}
	if reason := choice.Get("finish_reason").Str; reason != "" && e.finish == "" {
		b = e.close(b, reason)
	}
	return b, nil
}

func badChat() error {
	return &point.Error{Code: point.ProviderBadResponse, Message: "The provider's answer is not JSON."}
}

// known takes over what the chat says of itself.
func (e *responsesEncoder) known(doc gjson.Result) {
	if model := doc.Get("model").Str; model != "" && e.number == 0 {
		e.model = model
	}
}

// begin tells that there is a response, once.
func (e *responsesEncoder) begin(b []byte) []byte {
	if e.number > 0 {
		return b
	}
	for _, kind := range []string{"response.created", "response.in_progress"} {
		b = append(e.event(b, kind), `,"response":`...)
		b = e.object(b, "in_progress", nil, nil)
		b = endEvent(b)
	}
	return b
}

// end tells that the response is whole.
func (e *responsesEncoder) end(b []byte, usage *point.Usage) []byte {
	b = e.begin(b)
	if e.finish == "" {
		b = e.close(b, "stop")
	}
	b = append(e.event(b, "response."+e.status()), `,"response":`...)
	at := len(b)
	b = e.object(b, e.status(), usage, nil)
	e.keep(b[at:])
	return endEvent(b)
}

// keep notes the whole response.
func (e *responsesEncoder) keep(whole []byte) {
	if e.kept {
		e.whole = append(json.RawMessage(nil), whole...)
	}
}

// fail tells that the response broke off, if it had begun.
func (e *responsesEncoder) fail(b []byte, failed *point.Error) []byte {
	if e.number == 0 {
		return nil
	}
	b = appendResponsesError(b, e.number, failed)
	e.number++
	b = append(e.event(b, "response.failed"), `,"response":`...)
	b = e.object(b, "failed", nil, failed)
	return endEvent(b)
}

// event begins an event.
func (e *responsesEncoder) event(b []byte, kind string) []byte {
	b = append(append(b, "event: "...), kind...)
	b = append(append(append(b, "\ndata: {\"type\":\""...), kind...), `","sequence_number":`...)
	b = strconv.AppendInt(b, e.number, 10)
	e.number++
	return b
}

// endEvent ends an event.
func endEvent(b []byte) []byte { return append(b, "}\n\n"...) }

// of begins an event of an item's.
func (e *responsesEncoder) of(b []byte, kind string, item *openItem) []byte {
	b = append(e.event(b, kind), `,"item_id":"`...)
	b = append(append(b, item.id...), `","output_index":`...)
	return strconv.AppendInt(b, int64(item.index), 10)
}

// member appends a string member.
func member(b []byte, name, value string) []byte {
	b = append(append(append(b, `,"`...), name...), `":`...)
	return jsontext.AppendString(b, value)
}
