package mock

import (
	"encoding/json"
	"slices"
	"strings"
)

// chatDocument is a whole answer; chatChunk below is one event of a streamed one.
type chatDocument struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int64        `json:"created"`
	Model             string       `json:"model"`
	Choices           []chatChoice `json:"choices"`
	Usage             *chatUsage   `json:"usage,omitempty"`
	ServiceTier       string       `json:"service_tier"`
	SystemFingerprint string       `json:"system_fingerprint"`
}

type chatChoice struct {
	Index        int           `json:"index"`
	Message      chatAnswer    `json:"message"`
	Logprobs     *chatLogprobs `json:"logprobs"`
	FinishReason string        `json:"finish_reason"`
}

type chatAnswer struct {
	Role             string      `json:"role"`
	Content          *string     `json:"content"`
	ReasoningContent string      `json:"reasoning_content,omitempty"`
	Refusal          *string     `json:"refusal"`
	Annotations      []struct{}  `json:"annotations"`
	ToolCalls        []callDelta `json:"tool_calls,omitempty"`
}

type chatChunk struct {
	ID                string          `json:"id"`
	Object            string          `json:"object"`
	Created           int64           `json:"created"`
	Model             string          `json:"model"`
	ServiceTier       string          `json:"service_tier"`
	SystemFingerprint string          `json:"system_fingerprint"`
	Choices           []chunkChoice   `json:"choices"`
	Usage             json.RawMessage `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int           `json:"index"`
	Delta        object        `json:"delta"`
	Logprobs     *chatLogprobs `json:"logprobs"`
	FinishReason *string       `json:"finish_reason"`
}

type callDelta struct {
	Index    *int         `json:"index,omitempty"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function callFunction `json:"function"`
}

type callFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type chatLogprobs struct {
	Content []tokenLogprob `json:"content"`
	Refusal *string        `json:"refusal"`
}

type tokenLogprob struct {
	Token       string     `json:"token"`
	Logprob     float64    `json:"logprob"`
	Bytes       []int      `json:"bytes"`
	TopLogprobs []struct{} `json:"top_logprobs"`
}

type chatUsage struct {
	PromptTokens     int    `json:"prompt_tokens"`
	CompletionTokens int    `json:"completion_tokens"`
	TotalTokens      int    `json:"total_tokens"`
	PromptDetails    object `json:"prompt_tokens_details"`
	OutputDetails    object `json:"completion_tokens_details"`
}

func newChatUsage(u usage) *chatUsage {
	return &chatUsage{
		PromptTokens:     u.Input,
		CompletionTokens: u.Output,
		TotalTokens:      u.Input + u.Output,
		PromptDetails:    object{"cached_tokens": u.CacheRead, "audio_tokens": 0},
		OutputDetails:    object{"reasoning_tokens": u.Reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
	}
}

const fingerprint = "fp_simulated"

// chat serves /chat/completions.
func (openAI) chat(req *request) (*reply, *failure) {
	var c chatRequest
	if f := req.decode(&c); f != nil {
		return nil, f
	}
	p, f := c.prompt()
	if f != nil {
		return nil, f
	}
	p.Think = c.ReasoningEffort != "" && c.ReasoningEffort != "none" || reasons(c.Model)
	a := think(p)
	req.cacheByLength(p, &a)
	n := 1
	if c.N != nil {
		n = *c.N
		a.Text = cutTokens(a.Text, maxWords/n)
	}
	a.Usage.Output *= n
	e := chatEncoder{req: req, request: &c, answer: a, n: n, visible: showsReasoning(c.Model)}
	if c.Stream {
		return &reply{status: 200, frames: e.frames(), stream: true}, nil
	}
	return e.document(), nil
}

// reasons tells the models that always reason, showsReasoning those of which services show
// it, as reasoning_content.
func reasons(model string) bool {
	return strings.HasPrefix(model, "o4") || strings.HasPrefix(model, "o3") || showsReasoning(model)
}

func showsReasoning(model string) bool { return strings.Contains(model, "reasoner") }

// cacheByLength counts cached tokens as OpenAI does: of prompts that start alike, in steps of
// 128 from 1,024 on.
func (r *request) cacheByLength(p *prompt, a *answer) {
	if p.Tokens < 1024 {
		return
	}
	if r.server.prefix.add(p.Model + "\n" + p.System + p.User) {
		a.Usage.CacheRead = p.Tokens / 128 * 128
	}
}

// chatEncoder writes one answer n times over, as the choices.
type chatEncoder struct {
	req     *request
	request *chatRequest
	answer  answer
	n       int
	visible bool // the reasoning
}

func (e *chatEncoder) created() int64 { return e.req.server.opts.Now().Unix() }

func (e *chatEncoder) document() *reply {
	d := chatDocument{
		ID: e.req.id("chatcmpl-", 0), Object: "chat.completion", Created: e.created(), Model: e.request.Model,
		Usage: newChatUsage(e.answer.Usage), ServiceTier: "default", SystemFingerprint: fingerprint,
	}
	for i := range e.n {
		m := chatAnswer{Role: "assistant", Annotations: []struct{}{}, ToolCalls: e.calls(i)}
		if len(m.ToolCalls) == 0 {
			m.Content = &e.answer.Text
		}
		if e.visible {
			m.ReasoningContent = e.answer.Reasoning
		}
		choice := chatChoice{Index: i, Message: m, FinishReason: e.answer.Finish}
		if e.request.Logprobs {
			choice.Logprobs = logprobs(pieces(e.answer.Text))
		}
		d.Choices = append(d.Choices, choice)
	}
	return document(d)
}

func (e *chatEncoder) calls(choice int) []callDelta {
	var list []callDelta
	for i, c := range e.answer.Calls {
		list = append(list, callDelta{ID: e.callID(choice, i), Type: "function", Function: callFunction{c.Name, c.Args}})
	}
	return list
}

func (e *chatEncoder) callID(choice, i int) string {
	return e.req.id("call_", 1+choice*len(e.answer.Calls)+i)
}

func logprobs(tokens []string) *chatLogprobs {
	lp := &chatLogprobs{Content: []tokenLogprob{}}
	for _, t := range tokens {
		bytes := make([]int, len(t))
		for i := range bytes {
			bytes[i] = int(t[i])
		}
		lp.Content = append(lp.Content, tokenLogprob{Token: t, Logprob: -0.01, Bytes: bytes, TopLogprobs: []struct{}{}})
	}
	return lp
}

// frames streams the answer: role, deltas, finish, usage if asked for, [DONE].
func (e *chatEncoder) frames() []frame {
	var list []frame
	for i := range e.n {
		list = append(list, e.choiceFrames(i)...)
	}
	if e.request.StreamOptions.IncludeUsage {
		usage := e.chunk([]chunkChoice{})
		usage.Usage = encode(newChatUsage(e.answer.Usage))
		list = append(list, frame{data: encode(usage)})
	}
	return append(list, frame{data: []byte("[DONE]"), last: true})
}

func (e *chatEncoder) choiceFrames(i int) []frame {
	var list []frame
	add := func(delta object, lp *chatLogprobs) {
		list = append(list, e.frame(chunkChoice{Index: i, Delta: delta, Logprobs: lp}))
	}
	lead := object{"role": "assistant", "content": "", "refusal": nil}
	if len(e.answer.Calls) > 0 {
		lead["content"] = nil
	}
	add(lead, nil)
	if e.visible {
		for _, t := range pieces(e.answer.Reasoning) {
			add(object{"reasoning_content": t}, nil)
		}
	}
	for _, t := range pieces(e.answer.Text) {
		var lp *chatLogprobs
		if e.request.Logprobs {
			lp = logprobs([]string{t})
		}
		add(object{"content": t}, lp)
	}
	for k, c := range e.answer.Calls {
		add(object{"tool_calls": []callDelta{{Index: &k, ID: e.callID(i, k), Type: "function", Function: callFunction{c.Name, ""}}}}, nil)
		for _, t := range pieces(c.Args) {
			add(object{"tool_calls": []callDelta{{Index: &k, Function: callFunction{Arguments: t}}}}, nil)
		}
	}
	return append(list, e.frame(chunkChoice{Index: i, Delta: object{}, FinishReason: &e.answer.Finish}))
}

func (e *chatEncoder) frame(choice chunkChoice) frame {
	return frame{data: encode(e.chunk([]chunkChoice{choice}))}
}

func (e *chatEncoder) chunk(choices []chunkChoice) chatChunk {
	c := chatChunk{
		ID: e.req.id("chatcmpl-", 0), Object: "chat.completion.chunk", Created: e.created(), Model: e.request.Model,
		ServiceTier: "default", SystemFingerprint: fingerprint, Choices: choices,
	}
	if e.request.StreamOptions.IncludeUsage {
		c.Usage = json.RawMessage("null")
	}
	return c
}

// delta is an endless or huge stream's content event; text is a JSON string.
func (openAI) delta(req *request, text []byte) frame {
	head := `{"id":"` + req.id("chatcmpl-", 0) + `","object":"chat.completion.chunk","created":0,"model":"` + fingerprint +
		`","choices":[{"index":0,"delta":{"content":`
	return frame{data: slices.Concat([]byte(head), text, []byte(`},"finish_reason":null}]}`))}
}
