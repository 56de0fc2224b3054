package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// agentModels are one of each way that a coding agent's requests go.
var agentModels = []string{
	"demo-anthropic/claude-sonnet-4-5", "demo-openai/gpt-4o-mini", "demo-openai/o4-mini", "demo-gemini/gemini-2.5-flash", "demo-gemini/gemini-3-pro-preview",
}

// j is a JSON object.
type j = map[string]any

// streamed sends a body and returns the data of the answer's events.
func (p *process) streamed(t *testing.T, path string, body j, header map[string]string) (events []gjson.Result) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	reply := p.send(t, "POST", path, string(raw), header)
	if reply.StatusCode != 200 || !strings.HasPrefix(reply.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%s: %s", reply.Status, reply.Text)
	}
	for line := range strings.Lines(reply.Text) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			events = append(events, gjson.Parse(data))
		}
	}
	return events
}

// claudeCode is what a client of this kind sends with each request.
var claudeCode = map[string]string{
	"Authorization": "", "X-Api-Key": bootstrapKey, "Anthropic-Version": "2023-06-01", "X-App": "cli", "User-Agent": "claude-cli/2.1.263 (external, cli)",
	"Anthropic-Beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05",
	"Anthropic-Dangerous-Direct-Browser-Access": "true", "X-Stainless-Lang": "js", "X-Stainless-Retry-Count": "0", "X-Stainless-Timeout": "600",
}

// claudeTurn is a main request: blocks that are marked for the cache, many tools, thinking.
func claudeTurn(model string, thinking j, messages []any) j {
	ephemeral := j{"type": "ephemeral"}
	tool := func(name, argument string) j {
		return j{"name": name, "description": "Does " + name + ".", "input_schema": j{
			"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false, "required": []string{argument},
			"properties": j{argument: j{"type": "string", "description": "What for"}, "limit": j{"type": "number", "exclusiveMinimum": 0}, "mode": j{"type": "string", "enum": []string{"a", "b"}, "default": "a"}},
		}}
	}
	tools := []j{tool("Read", "file_path"), tool("Bash", "command"), tool("mcp__tracker__list", "query")}
	for i := range 20 {
		tools = append(tools, tool(fmt.Sprintf("Other%d", i), "prompt"))
	}
	return j{
		"model": model, "max_tokens": 32000, "stream": true, "thinking": thinking, "tools": tools, "messages": messages,
		"metadata": j{"user_id": "user_" + strings.Repeat("0f", 32) + "_account__session_00000000-0000-4000-8000-000000000000"},
		"system": []j{
			{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.263; cc_entrypoint=cli;"},
			{"type": "text", "text": "You write code.", "cache_control": ephemeral}, {"type": "text", "text": "Be brief.", "cache_control": j{"type": "ephemeral", "ttl": "1h"}},
		},
		"context_management": j{"edits": []j{{"type": "clear_thinking_20251015", "keep": "all"}}},
	}
}

// claudeMessage puts a streamed message together, as it is sent back.
func claudeMessage(events []gjson.Result) (content []any, stop string) {
	var blocks []j
	var arguments []string
	for _, e := range events {
		switch e.Get("type").Str {
		case "content_block_start":
			blocks, arguments = append(blocks, e.Get("content_block").Value().(j)), append(arguments, "")
		case "content_block_delta":
			at := len(blocks) - 1
			for member, piece := range e.Get("delta").Map() {
				switch {
				case member == "partial_json":
					arguments[at] += piece.Str
				case member != "type":
					said, _ := blocks[at][member].(string)
					blocks[at][member] = said + piece.Str
				}
			}
		case "message_delta":
			stop = e.Get("delta.stop_reason").Str
		}
	}
	for i, block := range blocks {
		if block["type"] == "tool_use" {
			block["input"] = json.RawMessage(arguments[i])
		}
		content = append(content, block)
	}
	return content, stop
}

// TestClaudeCode goes through a session as Claude Code has it: probes, a count, and a loop in which
// thinking and two calls go back, the results in one user's turn with marks and reminders.
func TestClaudeCode(t *testing.T) {
	p := point(t)
	if got := p.send(t, "HEAD", "/", "", claudeCode); got.StatusCode != 200 {
		t.Error(got.Status)
	}
	for _, model := range agentModels {
		for name, thinking := range map[string]j{"budget": {"type": "enabled", "budget_tokens": 31999}, "adaptive": {"type": "adaptive"}, "none": {"type": "disabled"}} {
			t.Run(model+" "+name, func(t *testing.T) { p.claudeCode(t, model, thinking) })
		}
	}
}

func (p *process) claudeCode(t *testing.T, model string, thinking j) {
	t.Parallel() // most of the time is the simulated services' pace
	probe := fmt.Sprintf(`{"model":%q,"max_tokens":1,"messages":[{"role":"user","content":"quota"}],"metadata":{"user_id":"user_0"}}`, model)
	if got := p.send(t, "POST", "/v1/messages?beta=true", probe, claudeCode); got.StatusCode != 200 {
		t.Error(got.Status, got.Text)
	}
	messages := []any{
		j{"role": "user", "content": []j{
			{"type": "text", "text": "<system-reminder>\nToday is Friday.\n</system-reminder>"},
			{"type": "text", "text": "Use Read and Bash for main.go.", "cache_control": j{"type": "ephemeral"}},
		}},
		j{"role": "system", "content": "Only Read and Bash are there."},
	}
	if strings.HasPrefix(model, "demo-anthropic") { // whose simulated service is of an older version
		messages = messages[:1]
	}
	count, err := json.Marshal(j{"model": model, "messages": messages[:1], "tools": claudeTurn(model, thinking, nil)["tools"]})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.send(t, "POST", "/v1/messages/count_tokens?beta=true", string(count), claudeCode); gjson.Get(got.Text, "input_tokens").Int() < 100 {
		t.Error(got.Status, got.Text)
	}
	first, stop := claudeMessage(p.streamed(t, "/v1/messages?beta=true", claudeTurn(model, thinking, messages), claudeCode))
	if thought, _ := first[0].(j); thinking["type"] == "enabled" && !strings.Contains(model, "openai") && (thought["type"] != "thinking" || thought["signature"] == "") {
		t.Errorf("no signed thought: %v", first)
	}
	var results []any
	for _, block := range first {
		if call := block.(j); call["type"] == "tool_use" {
			results = append(results, j{
				"type": "tool_result", "tool_use_id": call["id"], "is_error": call["name"] == "Bash",
				"content": []j{{"type": "text", "text": fmt.Sprint(call["name"], " says 18")}}, "cache_control": j{"type": "ephemeral"},
			})
		}
	}
	if len(results) != 2 || stop != "tool_use" {
		t.Fatalf("%v, %q", first, stop)
	}
	results = append(results, j{"type": "text", "text": "<system-reminder>\nGo on.\n</system-reminder>"})
	messages = append(messages, j{"role": "assistant", "content": first}, j{"role": "user", "content": results})
	last, stop := claudeMessage(p.streamed(t, "/v1/messages?beta=true", claudeTurn(model, thinking, messages), claudeCode))
	if len(last) == 0 || stop != "end_turn" {
		t.Errorf("%v, %q", last, stop)
	}
}

// codex is what a client of this kind sends with each request.
var codex = map[string]string{
	"Accept": "text/event-stream", "Originator": "codex_cli_rs", "User-Agent": "codex_cli_rs/0.154.0", "Session_id": "00000000-0000-4000-8000-000000000000",
	"Conversation_id": "00000000-0000-4000-8000-000000000000", "Version": "0.154.0", "OpenAI-Beta": "responses=experimental",
}

func codexTurn(model string, input []any) j {
	return j{
		"model": model, "instructions": "You write code.", "input": input, "stream": true, "store": false, "parallel_tool_calls": true, "tool_choice": "auto",
		"include": []string{"reasoning.encrypted_content"}, "prompt_cache_key": "00000000-0000-4000-8000-000000000000",
		"reasoning": j{"effort": "medium", "summary": "auto"}, "text": j{"verbosity": "low"},
		"tools": []j{
			{"type": "function", "name": "shell", "description": "Runs a command.", "strict": false, "parameters": j{
				"type": "object", "properties": j{"command": j{"type": "array", "items": j{"type": "string"}}, "workdir": j{"type": "string"}, "timeout_ms": j{"type": "number"}},
				"required": []string{"command"}, "additionalProperties": false,
			}},
			{"type": "function", "name": "update_plan", "description": "Plans.", "strict": false, "parameters": j{
				"type": "object", "required": []string{"plan"}, "additionalProperties": false, "properties": j{"plan": j{"type": "array", "items": j{
					"type": "object", "required": []string{"step", "status"}, "additionalProperties": false, "properties": j{"step": j{"type": "string"}, "status": j{"type": "string"}},
				}}},
			}},
			{"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": j{"type": "grammar", "syntax": "lark", "definition": "start: /.+/s"}},
		},
	}
}

// TestCodex goes through a session as Codex has it: nothing is stored, all items go back.
func TestCodex(t *testing.T) {
	for _, model := range agentModels {
		t.Run(model, func(t *testing.T) { point(t).codex(t, model) })
	}
}

func (p *process) codex(t *testing.T, model string) {
	t.Parallel()
	said := func(role, text string) j {
		return j{"type": "message", "role": role, "content": []j{{"type": "input_text", "text": text}}}
	}
	input := []any{
		said("developer", "<permissions instructions>Ask first.</permissions instructions>"), said("user", "<environment_context>\n  <cwd>/work</cwd>\n</environment_context>"),
		said("user", "Use shell and apply_patch for main.go."),
	}
	wanted := []string{"custom_tool_call apply_patch", "function_call shell"}
	if strings.HasPrefix(model, "demo-openai") { // whose simulated service calls functions alone
		wanted = wanted[1:]
	}
	var called, results = []string{}, []any{}
	for _, item := range outputOf(t, p.streamed(t, "/v1/responses", codexTurn(model, input), codex)) {
		input = append(input, item.Value())
		if id := item.Get("call_id").Str; id != "" {
			called = append(called, item.Get("type").Str+" "+item.Get("name").Str)
			results = append(results, j{"type": item.Get("type").Str + "_output", "call_id": id, "output": item.Get("name").Str + " says 18"})
		}
	}
	slices.Sort(called)
	if !slices.Equal(called, wanted) {
		t.Fatalf("called %q", called)
	}
	last := outputOf(t, p.streamed(t, "/v1/responses", codexTurn(model, append(input, results...)), codex))
	if text := last[len(last)-1].Get("content.0.text").Str; !strings.Contains(text, "says 18") {
		t.Errorf("%v", last)
	}
}

// outputOf are the items that a stream told, which its end repeats.
func outputOf(t *testing.T, events []gjson.Result) (items []gjson.Result) {
	t.Helper()
	for _, e := range events {
		if e.Get("type").Str == "response.output_item.done" {
			items = append(items, e.Get("item"))
		}
	}
	if end := events[len(events)-1]; end.Get("type").Str != "response.completed" || len(end.Get("response.output").Array()) != len(items) || len(items) == 0 {
		t.Fatalf("%d items, then %s", len(items), end.Raw)
	}
	return items
}
