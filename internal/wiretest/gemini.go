package wiretest

// Gemini is what Google documents at https://ai.google.dev/api/generate-content.
var (
	// Gemini's answer is a list where a stream is asked for without server-sent events.
	Gemini       = API{name: "gemini", answer: either{list{either{googleFailure, generated}}, generated}, event: generated, failure: googleFailure}
	GeminiModels = API{name: "models", answer: googleModels, failure: googleFailure}
	// The one or the other, by what was asked for.
	GeminiCount   = API{name: "countTokens", answer: object{"totalTokens": integer, "cachedContentTokenCount?": integer, "promptTokensDetails?": modality, "cacheTokensDetails?": modality}, failure: googleFailure}
	GeminiVectors = API{name: "embedContent", answer: either{
		object{"embedding": vector, "usageMetadata?": googleUsage}, object{"embeddings": list{vector}, "usageMetadata?": googleUsage},
	}, failure: googleFailure}
)

var googleFailure = object{"error": object{
	"code": integer, "message": text,
	"status": is("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "ALREADY_EXISTS", "ABORTED",
		"RESOURCE_EXHAUSTED", "CANCELLED", "INTERNAL", "UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN"),
	"details?": list{struct_},
}}

var vector = object{"values": list{number}}

var (
	generated = object{
		"candidates?": list{candidate}, "usageMetadata?": googleUsage, "modelVersion?": text, "responseId?": text,
		"promptFeedback?": object{"blockReason?": text, "safetyRatings?": list{struct_}, "blockReasonMessage?": text},
	}
	candidate = object{
		"content?": object{"parts?": list{part}, "role?": is("model")}, "index?": integer, "finishMessage?": text,
		"finishReason?": is("STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
			"MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
		"safetyRatings?": list{struct_}, "citationMetadata?": struct_, "groundingMetadata?": struct_, "tokenCount?": integer, "avgLogprobs?": number,
		"logprobsResult?": struct_,
	}
	part = object{
		"text?": text, "thought?": boolean, "thoughtSignature?": text,
		"functionCall?": object{"name": text, "args?": struct_, "id?": text}, "inlineData?": object{"mimeType": text, "data": text},
	}
	modality    = list{object{"modality": text, "tokenCount?": integer}}
	googleUsage = object{
		"promptTokenCount?": integer, "cachedContentTokenCount?": integer, "candidatesTokenCount?": integer, "toolUsePromptTokenCount?": integer,
		"thoughtsTokenCount?": integer, "totalTokenCount?": integer, "promptTokensDetails?": modality, "candidatesTokensDetails?": modality,
		"cacheTokensDetails?": modality, "trafficType?": text,
		"cost?": number, // Point's
	}
)

var googleModels = object{
	"nextPageToken?": text,
	"models?": list{object{
		"name": text, "baseModelId?": text, "version?": text, "displayName?": text, "description?": text, "inputTokenLimit?": integer,
		"outputTokenLimit?": integer, "supportedGenerationMethods?": list{text}, "thinking?": boolean, "temperature?": number, "topP?": number, "topK?": integer,
	}},
}
