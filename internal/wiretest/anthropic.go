package wiretest

// What Anthropic documents at https://docs.anthropic.com/en/api/messages. Members that it lists as
// always there and null for most (container, stop_details, service_tier) are not asked for: its
// own service leaves them out as well, by the version that is asked for.
var (
	Messages       = API{name: "message", answer: claude, event: claudeEvent, failure: claudeFailure, events: true}
	MessagesModels = API{name: "models", answer: claudeModels, failure: claudeFailure}
	Count          = API{name: "count", answer: object{"input_tokens": integer}, failure: claudeFailure}
)

var claudeFailure = object{
	"type": is("error"), "request_id?": maybe{text},
	"error": object{
		"type": is("invalid_request_error", "authentication_error", "permission_error", "not_found_error", "request_too_large", "rate_limit_error",
			"timeout_error", "overloaded_error", "api_error", "billing_error", "conflict_error"),
		"message": text,
		"code?":   maybe{text}, "param?": maybe{text}, // Point's
	},
}

var (
	stopReason = is("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded")

	claude = object{
		"id": text, "type": is("message"), "role": is("assistant"), "model": text, "content": list{block},
		"stop_reason": maybe{stopReason}, "stop_sequence": maybe{text}, "usage": claudeUsage,
		"container?": maybe{struct_}, "stop_details?": maybe{struct_}, "diagnostics?": maybe{struct_}, "context_management?": maybe{struct_},
	}
	claudeUsage = object{
		"input_tokens": integer, "output_tokens": integer, "cache_creation_input_tokens?": maybe{integer}, "cache_read_input_tokens?": maybe{integer},
		"cache_creation?":  maybe{object{"ephemeral_5m_input_tokens": integer, "ephemeral_1h_input_tokens": integer}},
		"server_tool_use?": maybe{struct_}, "service_tier?": maybe{text}, "inference_geo?": maybe{text}, "speed?": maybe{text},
		"output_tokens_details?": maybe{struct_},
		"cost?":                  number, // Point's
	}
	block = tagged{
		"text":              {"text": text, "citations?": maybe{list{struct_}}},
		"thinking":          {"thinking": text, "signature": text},
		"redacted_thinking": {"data": text},
		"tool_use":          {"id": text, "name": text, "input": struct_, "caller?": struct_},
	}
)

var claudeEvent = tagged{
	"ping":                {},
	"error":               object{"error": claudeFailure["error"], "request_id?": maybe{text}},
	"message_start":       {"message": claude},
	"content_block_start": {"index": integer, "content_block": block},
	"content_block_delta": {"index": integer, "delta": tagged{
		"text_delta": {"text": text}, "input_json_delta": {"partial_json": text}, "thinking_delta": {"thinking": text},
		"signature_delta": {"signature": text}, "citations_delta": {"citation": struct_},
	}},
	"content_block_stop": {"index": integer},
	"message_delta": {
		"delta": object{"stop_reason": maybe{stopReason}, "stop_sequence": maybe{text}, "container?": maybe{struct_}, "stop_details?": maybe{struct_}},
		"usage": claudeUsage.and(object{"input_tokens?": maybe{integer}}).but("input_tokens"), "context_management?": maybe{struct_},
	},
	"message_stop": {},
}

var claudeModels = object{
	"data":     list{object{"type": is("model"), "id": text, "display_name": text, "created_at": text}},
	"has_more": boolean, "first_id": maybe{text}, "last_id": maybe{text},
}
