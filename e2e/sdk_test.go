package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"

	"point/internal/wiretest"
)

// models are one of each dialect of demo mode: OpenAI's is forwarded, the others are translated.
var models = []string{"gpt-4o-mini", "demo-openai/gpt-4o-mini", "demo-anthropic/claude-sonnet-4-5", "demo-gemini/gemini-2.5-flash"}

// sdk is OpenAI's Go client as a user sets it up: base URL and key, nothing else.
func sdk(p *process) *openai.Client {
	client := openai.NewClient(option.WithBaseURL(p.URL+"/v1"), option.WithAPIKey(bootstrapKey), option.WithMiddleware(checked))
	return &client
}

// checked has an answer end in an error if it is not as documented.
func checked(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	reply, err := next(r)
	if err == nil {
		reply.Body = &watched{ReadCloser: reply.Body, of: reply, to: r}
	}
	return reply, err
}

type watched struct {
	io.ReadCloser
	of   *http.Response
	to   *http.Request
	seen bytes.Buffer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.seen.Write(p[:n])
	if err == io.EOF {
		if wrong := wiretest.Answer(w.to, w.of, w.seen.Bytes()); wrong != nil {
			return n, wrong
		}
	}
	return n, err
}

// eachModel runs a story with every model.
func eachModel(t *testing.T, story func(t *testing.T, client *openai.Client, model string)) {
	for _, model := range slices.Concat(models, hosted) {
		t.Run(model, func(t *testing.T) { story(t, sdk(servedBy(t, model)), model) })
	}
}

func TestSDKChat(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		reply, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{
			Model:    model,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage("say seven swans")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := reply.Choices[0].Message.Content; got != "seven swans" {
			t.Errorf("content %q", got)
		}
		if reply.Choices[0].FinishReason != "stop" || reply.Object != "chat.completion" || reply.ID == "" || reply.Created == 0 {
			t.Error(reply.RawJSON())
		}
		u := reply.Usage
		if u.PromptTokens == 0 || u.CompletionTokens == 0 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
			t.Error(u.RawJSON())
		}
	})
}

func TestSDKStream(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
			Model:         model,
			Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage("count to 30")},
			StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)},
		})
		var whole openai.ChatCompletionAccumulator
		var text strings.Builder
		chunks := 0
		for stream.Next() {
			chunk := stream.Current()
			if !whole.AddChunk(chunk) {
				t.Fatal("a chunk does not fit:", chunk.RawJSON())
			}
			if len(chunk.Choices) > 0 {
				text.WriteString(chunk.Choices[0].Delta.Content)
			}
			chunks++
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text.String(), "1, 2, 3,") || !strings.HasSuffix(text.String(), "29, 30") || chunks < 5 {
			t.Errorf("%d chunks: %q", chunks, text.String())
		}
		if whole.Choices[0].FinishReason != "stop" || whole.Usage.CompletionTokens == 0 {
			t.Error(whole.Choices[0].FinishReason, whole.Usage.RawJSON())
		}
	})
}

// TestSDKStreamWithoutUsage: who did not ask for usage gets no usage chunk, though Point does.
func TestSDKStreamWithoutUsage(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
			Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("count to 5")},
		})
		for stream.Next() {
			if chunk := stream.Current(); len(chunk.Choices) == 0 {
				t.Error("a chunk without choices:", chunk.RawJSON())
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSDKTools goes round the loop: the model calls a tool, hears the result, and answers.
func TestSDKTools(t *testing.T) {
	weather := openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name:        "get_weather",
		Description: openai.String("The weather in a city"),
		Parameters: openai.FunctionParameters{
			"type":       "object",
			"properties": map[string]any{"city": map[string]any{"type": "string"}},
			"required":   []string{"city"},
		},
	})
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		params := openai.ChatCompletionNewParams{
			Model:    model,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("What is the weather in Paris?")},
			Tools:    []openai.ChatCompletionToolUnionParam{weather},
		}
		for range 3 {
			reply, err := client.Chat.Completions.New(t.Context(), params)
			if err != nil {
				t.Fatal(err)
			}
			message := reply.Choices[0].Message
			if len(message.ToolCalls) == 0 {
				if len(params.Messages) < 3 || !strings.Contains(message.Content, "18 degrees") {
					t.Errorf("after %d messages: %q", len(params.Messages), message.Content)
				}
				return
			}
			if reply.Choices[0].FinishReason != "tool_calls" {
				t.Error(reply.Choices[0].FinishReason)
			}
			params.Messages = append(params.Messages, message.ToParam())
			for _, call := range message.ToolCalls {
				if !json.Valid([]byte(call.Function.Arguments)) || call.Function.Name != "get_weather" || call.ID == "" {
					t.Error(call.RawJSON())
				}
				params.Messages = append(params.Messages, openai.ToolMessage("18 degrees and clear", call.ID))
			}
		}
		t.Error("the loop does not end")
	})
}

// TestSDKStreamedTools puts a streamed call together with the SDK's own accumulator.
func TestSDKStreamedTools(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
			Model:    model,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("look up the time")},
			Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
				Name:       "get_time",
				Parameters: openai.FunctionParameters{"type": "object", "properties": map[string]any{"zone": map[string]any{"type": "string"}}, "required": []string{"zone"}},
			})},
			ToolChoice: openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("required")},
		})
		var whole openai.ChatCompletionAccumulator
		for stream.Next() {
			whole.AddChunk(stream.Current())
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		choice := whole.Choices[0]
		if choice.FinishReason != "tool_calls" || len(choice.Message.ToolCalls) != 1 {
			t.Fatalf("%+v", choice)
		}
		call := choice.Message.ToolCalls[0]
		var args struct{ Zone *string }
		if err := json.Unmarshal([]byte(call.Function.Arguments), &args); err != nil || args.Zone == nil || call.Function.Name != "get_time" || call.ID == "" {
			t.Errorf("%v %+v", err, call)
		}
	})
}

func TestSDKStructuredOutput(t *testing.T) {
	schema := map[string]any{
		"type": "object",
		"properties": map[string]any{
			"city":       map[string]any{"type": "string"},
			"population": map[string]any{"type": "integer"},
		},
		"required":             []string{"city", "population"},
		"additionalProperties": false,
	}
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		reply, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{
			Model:    model,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Name a city.")},
			ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{
				OfJSONSchema: &openai.ResponseFormatJSONSchemaParam{JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{
					Name: "city", Schema: schema, Strict: openai.Bool(true),
				}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var city struct {
			City       *string
			Population *int64
		}
		if err := json.Unmarshal([]byte(reply.Choices[0].Message.Content), &city); err != nil || city.City == nil || city.Population == nil {
			t.Errorf("%v: %q", err, reply.Choices[0].Message.Content)
		}
	})
}

func TestSDKImages(t *testing.T) {
	const pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		reply, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{
			Model: model,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart("What is in this picture?"),
				openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: pixel}),
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(reply.Choices[0].Message.Content, "1 image") {
			t.Errorf("%q", reply.Choices[0].Message.Content)
		}
	})
}

// TestSDKAbort leaves in mid-stream: the SDK says so, and Point records it.
func TestSDKAbort(t *testing.T) {
	p := point(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := sdk(p).Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model: "demo-openai/gpt-4o-mini", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("count to 9999")},
	}, option.WithHeader("X-Request-Id", t.Name()))
	for range 5 {
		if !stream.Next() {
			t.Fatal(stream.Err())
		}
	}
	cancel()
	for stream.Next() { // what has arrived already
	}
	if err := stream.Err(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	api := p.signIn(t)
	eventually(t, "the record of the abort", func() bool {
		var list struct {
			Data []struct {
				ClientRequestID string `json:"client_request_id"`
				record
			}
		}
		decode(t, api.call(t, "GET", "/api/requests?outcome=client_cancelled", ""), 200, &list)
		for _, r := range list.Data {
			if r.ClientRequestID == t.Name() {
				return r.Status == 499 && r.Stream
			}
		}
		return false
	})
}

func TestSDKErrors(t *testing.T) {
	p := point(t)
	hello := []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")}
	for _, test := range []struct {
		name, model, key string
		status           int
		code, kind       string
	}{
		{"wrong key", "gpt-4o-mini", "sk-wrong", 401, "invalid_api_key", "authentication_error"},
		{"unknown model", "no-such-model", bootstrapKey, 404, "model_not_found", "invalid_request_error"},
		{"all targets fail", "demo-openai/fault-503", bootstrapKey, 503, "provider_unavailable", "provider_error"},
		{"rate limit", "demo-openai/fault-429", bootstrapKey, 429, "provider_rate_limited", "rate_limit_error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := sdk(p).Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: test.model, Messages: hello},
				option.WithAPIKey(test.key), option.WithMaxRetries(0))
			var e *openai.Error
			if !errors.As(err, &e) {
				t.Fatalf("no typed error: %v", err)
			}
			if e.StatusCode != test.status || e.Code != test.code || e.Type != test.kind || e.Message == "" {
				t.Errorf("%d %s %s %q", e.StatusCode, e.Code, e.Type, e.Message)
			}
			if e.Response.Header.Get("X-Request-Id") == "" {
				t.Error("no x-request-id")
			}
		})
	}
}

// TestSDKErrorInStream: a stream that breaks after its first content ends in an error that
// the SDK raises.
func TestSDKErrorInStream(t *testing.T) {
	stream := sdk(point(t)).Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
		Model: "demo-openai/fault-error-midstream", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("count to 30")},
	}, option.WithMaxRetries(0))
	n := 0
	for stream.Next() {
		n++
	}
	if stream.Err() == nil || n == 0 {
		t.Errorf("%d chunks, then %v", n, stream.Err())
	}
}

// TestSDKFallback: the first provider fails, the next one answers, the record tells both.
func TestSDKFallback(t *testing.T) {
	p := point(t)
	reply := p.send(t, "POST", chat, `{"model": "fault-503", "provider": "demo-openai", "fallback_providers": ["demo-anthropic/claude-sonnet-4-5"],
		"messages": [{"role": "user", "content": "say seven swans"}]}`, nil)
	if reply.StatusCode != 200 || !strings.Contains(reply.Text, "seven swans") {
		t.Fatal(reply.Status, reply.Text)
	}
	if got := reply.Header.Get("X-Point-Provider"); got != "demo-anthropic" {
		t.Error("x-point-provider", got)
	}
	r := p.signIn(t).record(t, reply.Header.Get("X-Request-Id"))
	if len(r.Attempts) < 2 || r.Attempts[0].Provider != "demo-openai" || r.Provider != "demo-anthropic" || r.Outcome != "complete" {
		t.Errorf("%+v", r)
	}
	if r.TokensInput == nil || r.TokensOutput == nil || r.Cost == nil {
		t.Errorf("tokens or cost are missing: %+v", r)
	}
}

func TestSDKEmbeddings(t *testing.T) {
	client := sdk(point(t))
	for _, model := range []string{"text-embedding-3-small", "demo-gemini/gemini-embedding-001"} {
		t.Run(model, func(t *testing.T) {
			reply, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
				Model: model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two"}},
				EncodingFormat: openai.EmbeddingNewParamsEncodingFormatFloat,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(reply.Data) != 2 || len(reply.Data[1].Embedding) < 100 || reply.Data[1].Index != 1 {
				t.Error(reply.RawJSON()[:min(400, len(reply.RawJSON()))])
			}
		})
	}
	t.Run("base64", func(t *testing.T) {
		var reply struct {
			Data []struct{ Embedding []byte } // base64 in JSON
		}
		body := `{"model": "text-embedding-3-small", "input": "one", "encoding_format": "base64"}`
		decode(t, point(t).send(t, "POST", "/v1/embeddings", body, nil), 200, &reply)
		if n := len(reply.Data[0].Embedding); n < 400 || n%4 != 0 {
			t.Errorf("%d bytes are no vector of 32-bit numbers", n)
		}
	})
}

func TestSDKModels(t *testing.T) {
	client := sdk(point(t))
	page, err := client.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, m := range page.Data {
		seen[m.ID]++
	}
	for _, want := range []string{"gpt-4o-mini", "demo-openai/gpt-4o-mini", "claude-sonnet-4-5", "demo-gemini/gemini-2.5-flash"} {
		if seen[want] != 1 {
			t.Errorf("%s is listed %d times", want, seen[want])
		}
	}
	one, err := client.Models.Get(t.Context(), "demo-openai/gpt-4o-mini")
	if err != nil || one.ID != "demo-openai/gpt-4o-mini" {
		t.Error(one, err)
	}
	var e *openai.Error
	if _, err := client.Models.Get(t.Context(), "nothing"); !errors.As(err, &e) || e.StatusCode != 404 {
		t.Error(fmt.Sprint(err))
	}
}
