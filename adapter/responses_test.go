package adapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/responsestest"
)

// shelf keeps responses in memory.
type shelf struct {
	mu    sync.Mutex
	kept  map[string]*point.KeptResponse
	reads int
	err   error

	unpacked int64 // bytes of items
}

func (s *shelf) KeepResponse(_ context.Context, r *point.KeptResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[r.KeyID+r.ID] = r
	return s.err
}

func (s *shelf) Response(_ context.Context, keyID, id string, take func(int64) error) (*point.KeptResponse, error) {
	kept, err := s.find(keyID, id)
	if kept == nil || err != nil {
		return nil, err
	}
	return kept, take(int64(len(kept.Response)))
}

func (s *shelf) find(keyID, id string) (*point.KeptResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return s.kept[keyID+id], s.err
}

func (s *shelf) ResponseItems(_ context.Context, keyID, id string, take func(int64) error) ([]byte, error) {
	kept, err := s.find(keyID, id)
	if kept == nil || err != nil {
		return nil, err
	}
	if err := take(int64(len(kept.Items))); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unpacked += int64(len(kept.Items))
	return kept.Items, nil
}

func (s *shelf) DropResponse(_ context.Context, keyID, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.kept[keyID+id]
	delete(s.kept, keyID+id)
	return ok, s.err
}

// responding is a world whose provider a is no OpenAI and whose b is; got is what they got.
func responding(t *testing.T, a, b http.HandlerFunc) (w *world, s *shelf, got *[]string) {
	got = &[]string{}
	note := func(next http.HandlerFunc) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			*got = append(*got, r.URL.Path+" "+string(body))
			next(rw, r)
		}
	}
	w, s = newWorld(t, note(a), note(b)), &shelf{kept: map[string]*point.KeptResponse{}}
	w.snapshot.Providers["id-a"].Kind = "openai-compatible"
	w.snapshot.Index()
	w.handler.Responses = s
	return w, s, got
}

func (w *world) respond(method, path, body string) (int, string) {
	response, answer := w.do(method, point.PathResponses+path, body, "Authorization", "Bearer "+token)
	return response.StatusCode, answer
}

const nativeResponse = `{"id":"resp_native","object":"response","created_at":1700000000,"model":"m","incomplete_details":null,"instructions":null,"metadata":{},"parallel_tool_calls":true,"temperature":1,"top_p":1,"tool_choice":"auto","tools":[],"status":"completed","error":null,"output":[],"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":0},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":15}}`

// TestResponseGoesOn: what Point keeps is gone on from with any provider; what it does not know is
// OpenAI's, or nobody's.
func TestResponseGoesOn(t *testing.T) {
	w, s, got := responding(t, says(document), says(nativeResponse))
	_, first := w.respond("POST", "", `{"model":"a/m","input":"one"}`)
	id := gjson.Get(first, "id").Str
	if !strings.HasPrefix(id, "resp_") || gjson.Get(first, "output.0.content.0.text").Str != "hello" {
		t.Fatal(first)
	}
	w.respond("POST", "", `{"model":"a/m","input":"two","previous_response_id":"`+id+`"}`)
	if messages := gjson.Get((*got)[1][strings.Index((*got)[1], "{"):], "messages.#.content").Raw; messages != `["one","hello","two"]` {
		t.Errorf("the chat was %s", messages)
	}
	w.respond("POST", "", `{"model":"b/m","input":[{"type":"item_reference","id":"`+gjson.Get(first, "output.0.id").Str+`"}],"previous_response_id":"`+id+`"}`)
	native := (*got)[2]
	if body := native[strings.Index(native, "{"):]; !strings.HasPrefix(native, "/v1/responses ") || gjson.Get(body, "previous_response_id").Exists() || gjson.Get(body, "input.#").Int() != 3 || gjson.Get(body, "input.2.content.0.text").Str != "hello" {
		t.Errorf("OpenAI got %s", native)
	}
	plain := `{ "model":"m" , "input":"x","previous_response_id":"resp_68af"}`
	if code, answer := w.respond("POST", "", strings.Replace(plain, `"m"`, `"b/m"`, 1)); code != 200 || (*got)[3] != "/v1/responses "+plain || answer != nativeResponse {
		t.Errorf("%d %s for %s", code, answer, (*got)[3])
	}
	for what, body := range map[string]string{
		"OpenAI's id elsewhere": strings.Replace(plain, `"m"`, `"a/m"`, 1),
		"one that is not there": `{"model":"b/m","input":"x","previous_response_id":"resp_0190b3c4000070008000000000000001"}`,
	} {
		if code, answer := w.respond("POST", "", body); code != 404 || gjson.Get(answer, "error.code").Str != "response_not_found" {
			t.Errorf("%s: %d %s", what, code, answer)
		}
	}
	if code, answer := w.respond("POST", "", `{"model":"a/m","input":"x","previous_response_id":"a","previous_response_id":"b"}`); code != 400 {
		t.Errorf("twice: %d %s", code, answer)
	}
	if code, answer := w.respond("GET", "/"+id, ""); code != 200 || answer != first {
		t.Errorf("%d %s", code, answer)
	}
	for _, path := range []string{point.PathResponses + "/" + id, point.PathModels, "/v1beta/models", point.PathModels + "/m"} {
		if response, _ := w.do("GET", path, "", bearer...); response.StatusCode != 200 || response.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s has no id: %v", path, response.Header)
		}
	}
	w.key.ID = "key-2"
	for _, method := range []string{"GET", "DELETE"} {
		if code, answer := w.respond(method, "/"+id, ""); code != 404 {
			t.Errorf("another key's %s: %d %s", method, code, answer)
		}
	}
	if code, _ := w.respond("POST", "", `{"model":"a/m","input":"two","previous_response_id":"`+id+`"}`); code != 404 {
		t.Errorf("another key goes on from it: %d", code)
	}
	w.key.ID = "key-1"
	if code, answer := w.respond("DELETE", "/"+id, ""); code != 200 || !gjson.Get(answer, "deleted").Bool() {
		t.Errorf("%d %s", code, answer)
	}
	kept := len(s.kept)
	w.respond("POST", "", `{"model":"a/m","input":"one","store":false}`)
	if len(s.kept) != kept {
		t.Error("what was not to be stored is")
	}
	s.err = errors.New("the database is down")
	for _, try := range [][3]string{{"GET", "/" + id}, {"DELETE", "/" + id}, {"POST", "", `{"model":"a/m","input":"x","previous_response_id":"` + id + `"}`}} {
		if code, answer := w.respond(try[0], try[1], try[2]); code != 503 {
			t.Errorf("%s while it cannot be read: %d %s", try[0], code, answer)
		}
	}
	if code, answer := w.respond("POST", "", `{"model":"a/m","input":"one"}`); code != 200 {
		t.Errorf("what cannot be kept is answered all the same: %d %s", code, answer)
	}
}

// TestResponseStreamsCount: a streamed response asks a chat for its usage where that is asked for.
func TestResponseStreamsCount(t *testing.T) {
	w, _, got := responding(t, streams(chunk(`{"content":"a"}`), stopChunk, usageChunk, done), says(document))
	for stream, asked := range map[string]bool{"true": true, "false": false} {
		w.snapshot.Providers["id-a"].Config.Options = map[string]json.RawMessage{"stream_usage": json.RawMessage(stream)}
		_, answer := w.respond("POST", "", `{"model":"a/m","stream":true,"input":"x"}`)
		if sent := (*got)[len(*got)-1]; strings.Contains(sent, `"stream_options":{"include_usage":true}`) != asked {
			t.Errorf("stream_usage %s: the provider got %s", stream, sent)
		}
		if r := <-w.kept; r.Usage == nil || r.Usage.Estimated || r.Usage.Total() != 15 || !strings.Contains(answer, `"total_tokens":15`) {
			t.Errorf("%+v: %s", r.Usage, answer)
		}
	}
}

// TestResponseStreamsEnd: streams that break off end by the rules, whoever told them.
func TestResponseStreamsEnd(t *testing.T) {
	created := `{"id":"resp_n","object":"response","created_at":1,"status":"in_progress","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"m","output":[],"parallel_tool_calls":true,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"usage":null}`
	event := func(kind, rest string) string {
		return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"," + rest + "}\n\n"
	}
	w, _, _ := responding(t, streams(chunk(`{"role":"assistant","content":"a"}`), chunk(`{"content":"b"}`)), streams(
		event("response.created", `"sequence_number":0,"response":`+created), event("response.in_progress", `"sequence_number":1,"response":`+created),
		event("response.output_item.added", `"sequence_number":2,"output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","status":"in_progress","content":[]}`),
		event("response.content_part.added", `"sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}`),
		event("response.output_text.delta", `"sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"logprobs":[],"delta":"\"sequence_number\":99"`),
	))
	for _, model := range []string{"a/m", "b/m"} {
		_, answer := w.respond("POST", "", `{"model":"`+model+`","stream":true,"input":"x"}`)
		stream, err := responsestest.Check([]byte(answer))
		if err != nil || !stream.Failed {
			t.Errorf("%s: %v\n%s", model, err, answer)
		}
		if r := <-w.kept; r.Outcome != point.OutcomeTruncated || r.ErrorCode != point.StreamTruncated {
			t.Errorf("%s: %s, %s", model, r.Outcome, r.ErrorCode)
		}
	}
}

// TestResponseExpandsWithinBounds: however often a request names what is kept, what comes of it is
// no larger than a request may be, and each response is read once.
func TestResponseExpandsWithinBounds(t *testing.T) {
	w, s, got := responding(t, says(document), says(nativeResponse))
	const call = "0190b3c4-0000-7000-8000-000000000001"
	id := "msg_" + point.ItemSuffix(call) + "_0"
	item := `{"type":"message","role":"assistant","id":"` + id + `","content":[{"type":"output_text","text":"` + strings.Repeat("x", 100_000) + `"}]}`
	s.kept["key-1"+call] = &point.KeptResponse{ID: call, Items: []byte("[" + item + "]"), Response: []byte("{}")}
	refer := func(n int) string {
		return `{"model":"b/m","input":[` + strings.TrimSuffix(strings.Repeat(`{"type":"item_reference","id":"`+id+`"},`, n), ",") + `]}`
	}
	for what, body := range map[string]string{
		"many references": refer(10_000),
		"a conversation":  strings.Replace(refer(9), `"input"`, `"previous_response_id":"`+point.ResponseID(call)+`","instructions":"`+strings.Repeat("y", 200_000)+`","input"`, 1),
	} {
		if code, answer := w.respond("POST", "", body); code != http.StatusRequestEntityTooLarge || gjson.Get(answer, "error.code").Str != "request_too_large" {
			t.Errorf("%s: %d %.300s", what, code, answer)
		}
	}
	before := s.reads
	if code, answer := w.respond("POST", "", refer(10)); code != 200 || strings.Count((*got)[len(*got)-1], item) != 10 || s.reads != before+1 {
		t.Errorf("%d %.300s, read %d times", code, answer, s.reads-before)
	}
	var many []string
	for i := range maxRecalled + 1 {
		many = append(many, fmt.Sprintf(`{"type":"item_reference","id":"msg_%032x_0"}`, i))
	}
	if code, answer := w.respond("POST", "", `{"model":"b/m","input":[`+strings.Join(many, ",")+`]}`); code != 400 || gjson.Get(answer, "error.param").Str != "input" {
		t.Errorf("many responses: %d %.300s", code, answer)
	}
	w.handler.MaxBody, w.handler.bodies.limit = 1000, 1000
	kept := len(s.kept)
	if code, _ := w.respond("POST", "", `{"model":"a/m","input":"`+strings.Repeat("x", 950)+`"}`); code != 200 || len(s.kept) != kept {
		t.Errorf("%d, and %d are kept: nobody could go on from the last", code, len(s.kept)-kept)
	}
	w.server.Close()
	if used := w.handler.bodies.used.Load(); used != 0 {
		t.Errorf("%d bytes of the budget are not given back", used)
	}
}

// TestResponseUnpacksWithinBounds: what a request refers to is unpacked only if the budget of all
// bodies has room for it, and no more of it than a few bodies.
func TestResponseUnpacksWithinBounds(t *testing.T) {
	w, s, _ := responding(t, says(document), says(nativeResponse))
	const responses, size = 100, 10_000
	w.handler.MaxBody, w.handler.bodies.limit = 2*size, 2*size
	var refer []string
	for i := range responses {
		suffix := fmt.Sprintf("%032x", i)
		call, _ := point.ResponseCall("resp_" + suffix)
		s.kept["key-1"+call] = &point.KeptResponse{ID: call, Items: []byte(`[{"type":"message","id":"msg_` + suffix + `_0"},"` + strings.Repeat("x", size) + `"]`)}
		refer = append(refer, `{"type":"item_reference","id":"msg_`+suffix+`_0"}`)
	}
	ask := func(n int) (int, string) {
		return w.respond("POST", "", `{"model":"b/m","input":[`+strings.Join(refer[:n], ",")+`]}`)
	}
	if code, answer := ask(responses); code != http.StatusRequestEntityTooLarge || s.unpacked > maxUnpacked*w.handler.MaxBody {
		t.Errorf("%d %s, %d bytes unpacked", code, answer, s.unpacked)
	}
	w.handler.bodies.budget = 2 * size // one after the other fits
	if code, answer := ask(5); code != 200 {
		t.Errorf("what was unpacked is not given back at once: %d %s", code, answer)
	}
	w.handler.bodies.budget, s.unpacked = size, 0
	goOn := `{"model":"b/m","previous_response_id":"` + fmt.Sprintf("resp_%032x", 1) + `","input":"hi"}`
	for _, body := range []string{goOn, `{"model":"b/m","input":[` + refer[0] + `]}`} {
		if code, answer := w.respond("POST", "", body); code != http.StatusServiceUnavailable || s.unpacked != 0 {
			t.Errorf("%d %s, %d bytes unpacked without room", code, answer, s.unpacked)
		}
	}
	w.server.Close()
	if used := w.handler.bodies.used.Load(); used != 0 {
		t.Errorf("%d bytes of the budget are not given back", used)
	}
}

// TestReferencesAreReadOnce: of a conversation that grew, the last response holds all that is named.
func TestReferencesAreReadOnce(t *testing.T) {
	w, s, _ := responding(t, says(document), says(nativeResponse))
	const turns = 30
	var items, refer []string
	for i := range turns {
		suffix := fmt.Sprintf("%032x", i)
		call, _ := point.ResponseCall("resp_" + suffix)
		items = append(items, `{"type":"message","role":"user","id":"msg_`+suffix+`_0","content":"`+strings.Repeat("x", 1000)+`"}`)
		s.kept["key-1"+call] = &point.KeptResponse{ID: call, Items: []byte("[" + strings.Join(items, ",") + "]")}
		refer = append(refer, `{"type":"item_reference","id":"msg_`+suffix+`_0"}`)
	}
	w.handler.MaxBody, w.handler.bodies.limit = 64<<10, 64<<10
	code, answer := w.respond("POST", "", `{"model":"b/m","input":[`+strings.Join(refer, ",")+`]}`)
	if code != http.StatusOK || s.reads != 1 {
		t.Errorf("%d %s, %d reads", code, answer, s.reads)
	}
}

// TestNothingIsReadForAKeyWithoutRoom: a request that cannot be admitted costs no question to the database.
func TestNothingIsReadForAKeyWithoutRoom(t *testing.T) {
	w, s, _ := responding(t, says(document), says(nativeResponse))
	call, _ := point.ResponseCall(fmt.Sprintf("resp_%032x", 1))
	s.kept["key-1"+call] = &point.KeptResponse{ID: call, Items: []byte(`[{"type":"message","role":"user","content":"hi"}]`)}
	w.limit(point.KeyLimits{RPM: new(int64(1))})
	for reads, want := range []int{http.StatusOK, http.StatusTooManyRequests, http.StatusTooManyRequests} {
		code, answer := w.respond("POST", "", `{"model":"b/m","input":"on","previous_response_id":"`+fmt.Sprintf("resp_%032x", 1)+`"}`)
		if code != want || s.reads != 1 {
			t.Errorf("request %d: %d %s, %d reads", reads, code, answer, s.reads)
		}
	}
}

// TestKeptResponseTakesRoom: one that is read out is held within the budget too.
func TestKeptResponseTakesRoom(t *testing.T) {
	w, s, _ := responding(t, says(document), says(nativeResponse))
	id := fmt.Sprintf("resp_%032x", 1)
	call, _ := point.ResponseCall(id)
	s.kept["key-1"+call] = &point.KeptResponse{ID: call, Response: []byte(`{"id":"` + id + `"}`)}
	if code, answer := w.respond("GET", "/"+id, ""); code != http.StatusOK || gjson.Get(answer, "id").Str != id {
		t.Errorf("%d %s", code, answer)
	}
	w.handler.bodies.budget = 1
	if code, answer := w.respond("GET", "/"+id, ""); code != http.StatusServiceUnavailable {
		t.Errorf("without room: %d %s", code, answer)
	}
	w.server.Close()
	if used := w.handler.bodies.used.Load(); used != 0 {
		t.Errorf("%d bytes of the budget are not given back", used)
	}
}

// TestResponsesOfOthers: what a provider keeps itself is not looked for, and the answer says so.
func TestResponsesOfOthers(t *testing.T) {
	w := newWorld(t, says(document))
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		response, answer := w.do(method, point.PathResponses+"/resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b", "", bearer...)
		if response.StatusCode != 404 || gjson.Get(answer, "error.code").Str != string(point.ResponseNotFound) || !strings.Contains(answer, "Point did not make the response") {
			t.Errorf("%s: %d %s", method, response.StatusCode, answer)
		}
	}
}

// clock is a writer that notes until when it may be written to.
type clock struct {
	http.ResponseWriter
	until  time.Time
	pieces int
	gone   int // after so many pieces
}

func (c *clock) SetWriteDeadline(t time.Time) error {
	c.until = t
	return nil
}

func (c *clock) Write(p []byte) (int, error) {
	if left := time.Until(c.until); left <= 0 || left > writeLimit || len(p) > writePiece {
		return 0, fmt.Errorf("%d bytes within %v", len(p), left)
	}
	c.until = time.Time{} // the next piece needs its own
	if c.pieces++; c.pieces > c.gone {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// TestHeldAnswersArePaced: whoever takes nothing of a response that is held is given up.
func TestHeldAnswersArePaced(t *testing.T) {
	whole := &clock{gone: 100}
	if writePaced(whole, make([]byte, 10*writePiece+1)); whole.pieces != 11 {
		t.Errorf("%d pieces", whole.pieces)
	}
	left := &clock{gone: 2}
	if writePaced(left, make([]byte, 10*writePiece)); left.pieces != 3 {
		t.Errorf("%d pieces after its client left", left.pieces)
	}
}
