package mock_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"point/mock"
)

// sdk is OpenAI's own client, which decides whether the shapes are right.
func (w *world) sdk(key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(w.url+"/openai/v1"), option.WithAPIKey(key), option.WithMaxRetries(0), option.WithHTTPClient(w.client))
}

func question(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: "gpt-4o-mini", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

func TestSDKChat(t *testing.T) {
	w := start(t, mock.Options{})
	client := w.sdk("sk-1")
	got, err := client.Chat.Completions.New(t.Context(), question("Say hello world"))
	if err != nil {
		t.Fatal(err)
	}
	choice := got.Choices[0]
	if choice.Message.Content != "hello world" || choice.FinishReason != "stop" || got.Usage.TotalTokens != got.Usage.PromptTokens+got.Usage.CompletionTokens {
		t.Errorf("%s", got.RawJSON())
	}
	for name, valid := range map[string]bool{
		"id": got.JSON.ID.Valid(), "created": got.JSON.Created.Valid(), "model": got.JSON.Model.Valid(), "object": got.JSON.Object.Valid(),
		"usage": got.JSON.Usage.Valid(), "role": choice.Message.JSON.Role.Valid(), "cached": got.Usage.PromptTokensDetails.JSON.CachedTokens.Valid(),
		"reasoning": got.Usage.CompletionTokensDetails.JSON.ReasoningTokens.Valid(), "no extras": len(got.JSON.ExtraFields)+len(choice.Message.JSON.ExtraFields) == 0,
	} {
		if !valid {
			t.Errorf("%s: %s", name, got.RawJSON())
		}
	}
}

func TestSDKStream(t *testing.T) {
	w := start(t, mock.Options{})
	client := w.sdk("sk-1")
	params := question("What is the weather in Paris?")
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: "get_weather", Parameters: shared.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
	})}
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	defer stream.Close()
	var all openai.ChatCompletionAccumulator
	finished := 0
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			t.Fatalf("the accumulator refuses %s", stream.Current().RawJSON())
		}
		if _, ok := all.JustFinishedToolCall(); ok {
			finished++
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	calls := all.Choices[0].Message.ToolCalls
	if finished != 1 || len(calls) != 1 || calls[0].Function.Arguments != `{"city":"Paris"}` || all.Usage.TotalTokens == 0 || all.Choices[0].FinishReason != "tool_calls" {
		t.Errorf("%d finished, %+v, usage %+v", finished, calls, all.Usage)
	}
}

func TestSDKErrors(t *testing.T) {
	w := start(t, mock.Options{})
	for key, want := range map[string]struct {
		status int
		code   string
	}{
		"invalid": {http.StatusUnauthorized, "invalid_api_key"}, "fault-429": {http.StatusTooManyRequests, "rate_limit_exceeded"},
		"fault-404-model": {http.StatusNotFound, "model_not_found"}, "fault-500": {http.StatusInternalServerError, ""},
	} {
		client := w.sdk(key)
		_, err := client.Chat.Completions.New(t.Context(), question("hi"))
		var refused *openai.Error
		if !errors.As(err, &refused) || refused.StatusCode != want.status || refused.Code != want.code || refused.Message == "" {
			t.Errorf("%s: %v", key, err)
		}
	}
	client := w.sdk("fault-error-midstream")
	stream := client.Chat.Completions.NewStreaming(t.Context(), question("count to 20"))
	defer stream.Close()
	n := 0
	for stream.Next() {
		n++
	}
	if stream.Err() == nil || n == 0 {
		t.Errorf("%d chunks, then %v", n, stream.Err())
	}
}

func TestSDKOthers(t *testing.T) {
	w := start(t, mock.Options{})
	client := w.sdk("sk-1")
	models, err := client.Models.List(t.Context())
	if err != nil || len(models.Data) != 8 || models.Data[0].ID != "gpt-4o-mini" {
		t.Errorf("%v, %v", models, err)
	}
	vectors, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "text-embedding-3-small", Dimensions: openai.Int(8), Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}},
	})
	if err != nil || len(vectors.Data) != 2 || len(vectors.Data[1].Embedding) != 8 || vectors.Data[1].Index != 1 {
		t.Errorf("%v, %v", vectors, err)
	}
	pictures, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Prompt: "a river", Model: "gpt-image-1"})
	if err != nil || len(pictures.Data) != 1 || pictures.Data[0].B64JSON == "" || pictures.Usage.TotalTokens == 0 {
		t.Errorf("%v, %v", pictures, err)
	}
	text, err := client.Completions.New(t.Context(), openai.CompletionNewParams{Model: "gpt-4o-mini", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("Say hi")}})
	if err != nil || text.Choices[0].Text != "hi" {
		t.Errorf("%v, %v", text, err)
	}
}
