package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// responsesRequest is the body of /responses as far as it changes the answer.
type responsesRequest struct {
	Model             string          `json:"model"`
	Input             json.RawMessage `json:"input"`
	Instructions      string          `json:"instructions"`
	Stream            bool            `json:"stream"`
	Tools             []responsesTool `json:"tools"`
	ToolChoice        json.RawMessage `json:"tool_choice"`
	ParallelToolCalls *bool           `json:"parallel_tool_calls"`
	MaxOutputTokens   int             `json:"max_output_tokens"`
	Previous          string          `json:"previous_response_id"`
	Store             *bool           `json:"store"`
	Reasoning         struct {
		Effort string `json:"effort"`
	} `json:"reasoning"`
	Text struct {
		Format struct {
			Type   string          `json:"type"`
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"text"`
}

type responsesTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

type responsesItem struct {
	Type             string          `json:"type"`
	Role             string          `json:"role"`
	Content          json.RawMessage `json:"content"`
	CallID           string          `json:"call_id"`
	Name             string          `json:"name"`
	Arguments        string          `json:"arguments"`
	Output           json.RawMessage `json:"output"`
	EncryptedContent string          `json:"encrypted_content"`
}

// chat is the request as one for /chat/completions, which asks the same of a model.
func (r *responsesRequest) chat(s *Server) (*chatRequest, *failure) {
	c := &chatRequest{
		Model: r.Model, ToolChoice: r.ToolChoice, ParallelToolCalls: r.ParallelToolCalls, MaxTokens: r.MaxOutputTokens, ReasoningEffort: r.Reasoning.Effort,
		ResponseFormat: responseFormat{Type: r.Text.Format.Type},
	}
	c.ResponseFormat.JSONSchema.Name, c.ResponseFormat.JSONSchema.Schema = r.Text.Format.Name, r.Text.Format.Schema
	if r.Previous != "" {
		before, ok := s.talks.find(r.Previous)
		if !ok {
			return nil, &failure{status: http.StatusBadRequest, param: "previous_response_id", message: fmt.Sprintf("Previous response with id '%s' not found.", r.Previous)}
		}
		c.Messages = append(c.Messages, before...)
	}
	for _, t := range r.Tools {
		if t.Type != "function" {
			continue
		}
		var tool chatTool
		tool.Type, tool.Function.Name, tool.Function.Description, tool.Function.Parameters = t.Type, t.Name, t.Description, t.Parameters
		c.Tools = append(c.Tools, tool)
	}
	var named responsesTool
	if json.Unmarshal(r.ToolChoice, &named) == nil && named.Name != "" {
		c.ToolChoice = encode(object{"type": "function", "function": object{"name": named.Name}})
	}
	if r.Instructions != "" {
		c.Messages = append(c.Messages, chatMessage{Role: "system", Content: encode(r.Instructions)})
	}
	return c, r.items(s, c)
}

// items reads the input into messages: what the assistant says in a row is one.
func (r *responsesRequest) items(s *Server, c *chatRequest) *failure {
	var text string
	if json.Unmarshal(r.Input, &text) == nil {
		c.Messages = append(c.Messages, chatMessage{Role: "user", Content: encode(text)})
		return nil
	}
	var items []responsesItem
	if json.Unmarshal(r.Input, &items) != nil {
		return bad("input", "Invalid type for 'input': expected a string or an array of items.")
	}
	for i, item := range items {
		switch item.Type {
		case "", "message":
			c.Messages = append(c.Messages, chatMessage{Role: item.Role, Content: chatContent(item.Content)})
		case "function_call":
			if n := len(c.Messages); n == 0 || c.Messages[n-1].Role != "assistant" {
				c.Messages = append(c.Messages, chatMessage{Role: "assistant"})
			}
			var call chatToolCall
			call.ID, call.Function.Name, call.Function.Arguments = item.CallID, item.Name, item.Arguments
			last := &c.Messages[len(c.Messages)-1]
			last.ToolCalls = append(last.ToolCalls, call)
		case "function_call_output":
			c.Messages = append(c.Messages, chatMessage{Role: "tool", ToolCallID: item.CallID, Content: chatContent(item.Output)})
		case "reasoning":
			if thought, signature, _ := strings.Cut(item.EncryptedContent, "."); item.EncryptedContent != "" && !s.signed(thought, signature) {
				return bad(fmt.Sprintf("input[%d].encrypted_content", i), "The encrypted content could not be verified.")
			}
		default:
			return bad(fmt.Sprintf("input[%d].type", i), fmt.Sprintf("Invalid value: '%s'.", item.Type))
		}
	}
	return nil
}

// chatContent is an item's content as a message has it.
func chatContent(raw json.RawMessage) json.RawMessage {
	var parts []part
	if json.Unmarshal(raw, &parts) != nil {
		return raw
	}
	for i := range parts {
		if parts[i].Type = "text"; parts[i].Text == "" {
			parts[i].Type = "image_url"
		}
	}
	return encode(parts)
}

// respond serves /responses.
func (openAI) respond(req *request) (*reply, *failure) {
	var r responsesRequest
	if f := req.decode(&r); f != nil {
		return nil, f
	}
	c, f := r.chat(req.server)
	if f != nil {
		return nil, f
	}
	p, f := c.prompt()
	if f != nil {
		return nil, f
	}
	p.Think = r.Reasoning.Effort != "" && r.Reasoning.Effort != "none" || reasons(r.Model)
	a := think(p)
	req.cacheByLength(p, &a)
	e := responsesEncoder{req: req, answer: a}
	_ = json.Unmarshal(req.body, &e.asked) // it was read before
	if r.Store == nil || *r.Store {
		said := c.Messages
		if r.Instructions != "" { // they are for this answer alone
			said = slices.DeleteFunc(slices.Clone(said), func(m chatMessage) bool { return m.Role == "system" })
		}
		req.remember(req.id("resp_", 0), said, a)
	}
	if r.Stream {
		return &reply{status: http.StatusOK, frames: e.stream(), stream: true}, nil
	}
	items, _ := e.items()
	return document(e.object(e.status(), items)), nil
}
