package e2e

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

func says(text string) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}
}

func cityTool(name string) responses.ToolUnionParam {
	return responses.ToolParamOfFunction(name, map[string]any{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}, "additionalProperties": false,
	}, true)
}

func TestSDKResponse(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		reply, err := client.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: model, Instructions: openai.String("Be brief."), Input: says("say seven swans"), Metadata: openai.Metadata{"run": "7"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if reply.OutputText() != "seven swans" || reply.Status != "completed" || reply.Metadata["run"] != "7" {
			t.Error(reply.RawJSON())
		}
		if u := reply.Usage; u.InputTokens == 0 || u.TotalTokens != u.InputTokens+u.OutputTokens {
			t.Error(u.RawJSON())
		}
	})
}

func TestSDKResponseStream(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: model, Input: says("count to 20")})
		var text, whole string
		for n := int64(0); stream.Next(); n++ {
			e := stream.Current()
			if e.SequenceNumber != n {
				t.Errorf("event %d has the number %d", n, e.SequenceNumber)
			}
			switch e := e.AsAny().(type) {
			case responses.ResponseTextDeltaEvent:
				text += e.Delta
			case responses.ResponseCompletedEvent:
				whole = e.Response.OutputText()
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, "1, 2, 3,") || !strings.HasSuffix(text, "19, 20") || whole != text {
			t.Errorf("%q, whole %q", text, whole)
		}
	})
}

// TestSDKResponseTools has two tools called at once, and goes on from the response by its id.
func TestSDKResponseTools(t *testing.T) {
	eachModel(t, func(t *testing.T, client *openai.Client, model string) {
		params := responses.ResponseNewParams{
			Model: model, Tools: []responses.ToolUnionParam{cityTool("get_weather"), cityTool("get_time")}, ParallelToolCalls: openai.Bool(true),
			Input: says("Use get_weather and get_time for Paris."),
		}
		first, err := client.Responses.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		calls, results := 0, responses.ResponseInputParam{}
		for _, item := range first.Output {
			call, ok := item.AsAny().(responses.ResponseFunctionToolCall)
			if !ok {
				continue
			}
			calls++
			if !json.Valid([]byte(call.Arguments)) || call.CallID == "" {
				t.Error(call.RawJSON())
			}
			result := responses.ResponseInputItemParamOfFunctionCallOutput(call.Name + " says 18")
			result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
			results = append(results, result)
		}
		params.PreviousResponseID, params.Input = openai.String(first.ID), responses.ResponseNewParamsInputUnion{OfInputItemList: results}
		last, err := client.Responses.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		if text := last.OutputText(); calls != 2 || !strings.Contains(text, "get_weather says 18") || !strings.Contains(text, "get_time says 18") {
			t.Errorf("%d calls, then %q", calls, text)
		}
	})
}

func TestSDKResponseErrors(t *testing.T) {
	client := sdk(point(t))
	for model, status := range map[string]int{
		"no-such-model": 404, "demo-openai/fault-400": 400, "demo-anthropic/fault-429=none": 429, "demo-gemini/fault-500": 500, "demo-anthropic/fault-401": 502,
	} {
		_, err := client.Responses.New(t.Context(), responses.ResponseNewParams{Model: model, Input: says("Hello")}, option.WithMaxRetries(0))
		var e *openai.Error
		if !errors.As(err, &e) || e.StatusCode != status || e.Message == "" {
			t.Errorf("%s: %v", model, err)
		}
	}
	stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: "demo-gemini/fault-error-midstream", Input: says("count to 30")})
	n := 0
	for stream.Next() {
		n++
	}
	if stream.Err() == nil || n == 0 {
		t.Errorf("%d events, then %v", n, stream.Err())
	}
}
