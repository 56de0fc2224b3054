package wiretest

// Responses is what OpenAI documents at https://platform.openai.com/docs/api-reference/responses.
var Responses = API{name: "response", answer: response, event: responseEvent, failure: failure, events: true}

var response = object{
	"id": text, "object": is("response"), "created_at": number, "model": text, "output": list{item},
	"status":              is("completed", "failed", "in_progress", "cancelled", "queued", "incomplete"),
	"error":               maybe{object{"code": text, "message": text}},
	"incomplete_details":  maybe{object{"reason": is("max_output_tokens", "content_filter")}},
	"instructions":        maybe{either{text, list{struct_}}},
	"metadata":            maybe{struct_},
	"parallel_tool_calls": boolean, "temperature": maybe{number}, "top_p": maybe{number},
	"tool_choice": either{is("none", "auto", "required"), struct_}, "tools": list{struct_},
	"usage?": maybe{responseUsage},

	"background?": maybe{boolean}, "completed_at?": maybe{number}, "conversation?": maybe{object{"id": text}}, "max_output_tokens?": maybe{integer},
	"max_tool_calls?": maybe{integer}, "moderation?": any_, "previous_response_id?": maybe{text}, "prompt?": maybe{struct_},
	"prompt_cache_key?": maybe{text}, "prompt_cache_retention?": maybe{is("in_memory", "in-memory", "24h")},
	"reasoning?":         maybe{object{"effort?": maybe{text}, "summary?": maybe{text}, "generate_summary?": maybe{text}}},
	"safety_identifier?": maybe{text}, "service_tier?": tier, "store?": boolean, "frequency_penalty?": number, "presence_penalty?": number,
	"text?":         object{"format?": struct_, "verbosity?": maybe{is("low", "medium", "high")}},
	"top_logprobs?": maybe{integer}, "truncation?": maybe{is("auto", "disabled")}, "user?": maybe{text}, "billing?": struct_,
}

var responseUsage = object{
	"input_tokens": integer, "output_tokens": integer, "total_tokens": integer,
	"input_tokens_details":  object{"cached_tokens": integer, "cache_write_tokens?": integer},
	"output_tokens_details": object{"reasoning_tokens": integer},
	"cost?":                 number, // Point's
}

var (
	state = is("in_progress", "completed", "incomplete")

	outputText  = object{"text": text, "annotations": list{responseAnnotation}, "logprobs?": list{struct_}}
	refusalPart = object{"refusal": text}
	thoughtText = object{"text": text}

	item = tagged{
		"message": {
			"id": text, "role": is("assistant"), "status": state, "content": list{tagged{"output_text": outputText, "refusal": refusalPart}},
			"phase?": maybe{is("commentary", "final_answer")},
		},
		"function_call":    {"id?": text, "call_id": text, "name": text, "arguments": text, "status?": state, "namespace?": text},
		"custom_tool_call": {"id?": text, "call_id": text, "name": text, "input": text, "status?": state},
		"reasoning": {
			"id": text, "summary": list{tagged{"summary_text": thoughtText}}, "content?": list{tagged{"reasoning_text": thoughtText}},
			"encrypted_content?": maybe{text}, "status?": state,
		},
		"image_generation_call": {
			"id": text, "status": is("in_progress", "completed", "generating", "failed"), "result": maybe{text},
			"background?": text, "output_format?": text, "quality?": text, "size?": text, "revised_prompt?": text, "action?": text,
		},
	}
	responseAnnotation = tagged{
		"url_citation":            {"start_index": integer, "end_index": integer, "title": text, "url": text},
		"file_citation":           {"file_id": text, "filename": text, "index": integer},
		"container_file_citation": {"container_id": text, "file_id": text, "filename": text, "start_index": integer, "end_index": integer},
		"file_path":               {"file_id": text, "index": integer},
	}
)

// responseEvent is each event of a stream.
var responseEvent = func() tagged {
	numbered := object{"sequence_number": integer}
	ofItem := numbered.and(object{"item_id": text, "output_index": integer})
	content := ofItem.and(object{"content_index": integer})
	summary := ofItem.and(object{"summary_index": integer})
	obscured := object{"obfuscation?": text}
	// OpenAI's own clients raise what has an "error", so its service and Point tell it once more.
	ended := object{"error?": failure["error"]}
	told := tagged{
		"error":                                        numbered.and(object{"code": maybe{text}, "message": text, "param": maybe{text}}).and(ended),
		"response.output_item.added":                   numbered.and(object{"output_index": integer, "item": item}),
		"response.output_item.done":                    numbered.and(object{"output_index": integer, "item": item}),
		"response.output_text.delta":                   content.and(obscured).and(object{"delta": text, "logprobs": list{struct_}}),
		"response.output_text.done":                    content.and(object{"text": text, "logprobs": list{struct_}}),
		"response.output_text.annotation.added":        content.and(object{"annotation": responseAnnotation, "annotation_index": integer}),
		"response.refusal.delta":                       content.and(obscured).and(object{"delta": text}),
		"response.refusal.done":                        content.and(object{"refusal": text}),
		"response.reasoning_text.delta":                content.and(obscured).and(object{"delta": text}),
		"response.reasoning_text.done":                 content.and(object{"text": text}),
		"response.reasoning_summary_text.delta":        summary.and(obscured).and(object{"delta": text}),
		"response.reasoning_summary_text.done":         summary.and(object{"text": text}),
		"response.function_call_arguments.delta":       ofItem.and(obscured).and(object{"delta": text}),
		"response.function_call_arguments.done":        ofItem.and(object{"name": text, "arguments": text}),
		"response.custom_tool_call_input.delta":        ofItem.and(obscured).and(object{"delta": text}),
		"response.custom_tool_call_input.done":         ofItem.and(object{"input": text}),
		"response.image_generation_call.completed":     ofItem,
		"response.image_generation_call.generating":    ofItem,
		"response.image_generation_call.in_progress":   ofItem,
		"response.image_generation_call.partial_image": ofItem.and(object{"partial_image_b64": text, "partial_image_index": integer}),
	}
	part := tagged{"output_text": outputText, "refusal": refusalPart, "reasoning_text": thoughtText}
	for _, step := range []string{"added", "done"} {
		told["response.content_part."+step] = content.and(object{"part": part})
		told["response.reasoning_summary_part."+step] = summary.and(object{"part": tagged{"summary_text": thoughtText}})
	}
	for _, status := range []string{"created", "queued", "in_progress", "completed", "failed", "incomplete"} {
		told["response."+status] = numbered.and(object{"response": response})
	}
	return told
}()
