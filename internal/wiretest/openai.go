package wiretest

// What OpenAI documents at https://platform.openai.com/docs/api-reference, and the members that
// Point adds (docs/translation.md), which are marked so.
var (
	Chat        = openAI("chat", chat, chunk)
	Completions = openAI("completion", completion(is("stop", "length", "content_filter")), completion(maybe{is("stop", "length", "content_filter")}))
	Embeddings  = openAI("embeddings", embeddings, nil)
	Models      = openAI("models", object{"object": is("list"), "data": list{model}}, nil)
	Model       = openAI("model", model, nil)
	Images      = openAI("images", images, imageEvent)
	Moderations = openAI("moderations", moderations, nil)
	Rerank      = openAI("rerank", ranked, nil) // Cohere's: https://docs.cohere.com/reference/rerank
)

func openAI(name string, answer, event shape) API {
	return API{name: name, answer: answer, event: event, failure: failure, done: true}
}

var failure = object{"error": object{"message": text, "type": text, "param": maybe{text}, "code": maybe{text}}}

var (
	finish = is("stop", "length", "tool_calls", "content_filter", "function_call")
	tier   = maybe{either{open{text}, is("auto", "default", "flex", "scale", "priority")}}

	common = object{
		"id": text, "created": integer, "model": text,
		"service_tier?": tier, "system_fingerprint?": maybe{text}, "moderation?": any_,
	}
	chat  = common.and(object{"object": is("chat.completion"), "choices": list{choice}, "usage?": usage})
	chunk = common.and(object{
		"object": is("chat.completion.chunk"), "choices": list{chunkChoice}, "usage?": maybe{usage}, "obfuscation?": text,
	})
	choice      = object{"index": integer, "finish_reason": finish, "logprobs": maybe{logprobs}, "message": message}
	chunkChoice = object{"index": integer, "finish_reason": maybe{finish}, "logprobs?": maybe{logprobs}, "delta": delta}
)

var (
	logprob      = object{"token": text, "logprob": number, "bytes": maybe{list{integer}}}
	logprobs     = object{"content": maybe{list{tokenLogprob}}, "refusal": maybe{list{tokenLogprob}}}
	tokenLogprob = logprob.and(object{"top_logprobs": list{logprob}})
)

var usage = object{
	"prompt_tokens": integer, "completion_tokens": integer, "total_tokens": integer,
	"prompt_tokens_details?": object{
		"audio_tokens?": integer, "cached_tokens?": integer, "cache_write_tokens?": integer, "text_tokens?": integer, "image_tokens?": integer,
	},
	"completion_tokens_details?": object{
		"accepted_prediction_tokens?": integer, "audio_tokens?": integer, "reasoning_tokens?": integer, "rejected_prediction_tokens?": integer,
		"text_tokens?": integer,
	},
	"cost?": number, // Point's
}

// said is what a message and a delta may have.
var said = object{
	"annotations?": list{annotation}, "audio?": maybe{any_}, "function_call?": any_,
	// Point's:
	"reasoning_content?": maybe{text}, "reasoning_details?": list{struct_}, "images?": list{struct_}, "citations?": list{struct_},
}

var (
	message = said.and(object{
		"role": is("assistant"), "content": maybe{text}, "refusal": maybe{text}, "tool_calls?": list{toolCall},
	})
	delta = said.and(object{
		"role?": is("assistant"), "content?": maybe{text}, "refusal?": maybe{text}, "tool_calls?": list{toolDelta},
	})
	annotation = object{
		"type": is("url_citation"), "index?": integer, // Point's: the index in a stream
		"url_citation": object{"start_index": integer, "end_index": integer, "title": text, "url": text, "content?": text}, // content is Point's
	}
	toolCall = object{
		"id": text, "type": is("function"), "function": object{"name": text, "arguments": text},
		"extra_content?": struct_, // Point's
	}
	toolDelta = object{
		"index": integer, "id?": text, "type?": is("function"), "function?": object{"name?": text, "arguments?": text},
		"extra_content?": struct_, // Point's
	}
)

func completion(finish shape) shape {
	return object{
		"id": text, "object": is("text_completion"), "created": integer, "model": text, "system_fingerprint?": maybe{text},
		"usage?":  maybe{usage},
		"choices": list{object{"index": integer, "text": text, "finish_reason": finish, "logprobs": maybe{struct_}}},
	}
}

var embeddings = object{
	"object": is("list"), "model": text,
	"data":  list{object{"object": is("embedding"), "index": integer, "embedding": either{list{number}, text}}},
	"usage": object{"prompt_tokens": integer, "total_tokens": integer, "cost?": number}, // cost is Point's
}

var model = object{"id": text, "object": is("model"), "created": integer, "owned_by": text}

var (
	imageUsage = object{
		"input_tokens": integer, "output_tokens": integer, "total_tokens": integer,
		"input_tokens_details":   object{"text_tokens": integer, "image_tokens": integer, "cached_tokens?": integer},
		"output_tokens_details?": object{"text_tokens": integer, "image_tokens": integer},
		"cost?":                  number, // Point's
	}
	imageForm = object{
		"background?": text, "output_format?": is("png", "webp", "jpeg"), "quality?": text, "size?": text, "usage?": imageUsage,
	}
	images = imageForm.and(object{
		"created": integer, "data?": list{object{"b64_json?": text, "url?": text, "revised_prompt?": text}},
	})
	imagePart = object{
		"b64_json": text, "created_at": integer, "background": is("transparent", "opaque", "auto"), "output_format": is("png", "webp", "jpeg"),
		"quality": text, "size": text,
	}
	imageStep  = imagePart.and(object{"partial_image_index": integer})
	imageEnd   = imagePart.and(object{"usage": imageUsage})
	imageEvent = tagged{
		"image_generation.partial_image": imageStep, "image_generation.completed": imageEnd, "image_edit.partial_image": imageStep, "image_edit.completed": imageEnd,
	}
)

var ranked = object{
	"id?": text, "model?": text, "meta?": struct_, "usage?": struct_,
	"results": list{object{"index": integer, "relevance_score": number, "document?": any_}},
}

var moderations = object{
	"id": text, "model": text,
	"results": list{object{
		"flagged": boolean, "categories": struct_, "category_scores": struct_, "category_applied_input_types?": struct_,
	}},
}
