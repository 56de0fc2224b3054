package mock

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The models that the lists tell. Those with profile can be called by an inference profile alone.
var bedrockList = []model{
	{id: "amazon.nova-micro-v1:0", title: "Nova Micro"},
	{id: "amazon.nova-lite-v1:0", title: "Nova Lite"},
	{id: "anthropic.claude-sonnet-4-5-20250929-v1:0", title: "Claude Sonnet 4.5"},
	{id: "anthropic.claude-haiku-4-5-20251001-v1:0", title: "Claude Haiku 4.5"},
	{id: "openai.gpt-oss-120b-1:0", title: "gpt-oss-120b"},
	{id: "amazon.titan-embed-text-v2:0", title: "Titan Text Embeddings V2"},
}

// areas begin the ids of inference profiles.
var areas = []string{"us", "eu", "apac", "global"}

// profileOnly tells models that are called by an inference profile alone.
func profileOnly(id string) bool { return strings.HasPrefix(id, "anthropic.claude-") }

// bedrockModel is the model behind an id, a profile's id or the ARN of either.
func bedrockModel(id string) string {
	if strings.HasPrefix(id, "arn:") {
		id = id[strings.LastIndexByte(id, '/')+1:]
	}
	if area, rest, ok := strings.Cut(id, "."); ok && slices.Contains(areas, area) {
		return rest
	}
	return id
}

// callable refuses ids by which a model cannot be called.
func callable(id string) *failure {
	if profileOnly(id) && hasModel(bedrockList, id) {
		return bad("", "Invocation of model ID "+id+" with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.")
	}
	return nil
}

func bedrockEntry(m model) object {
	output, kinds := "TEXT", []string{"ON_DEMAND"}
	if strings.Contains(m.id, "embed") {
		output = "EMBEDDING"
	}
	if profileOnly(m.id) {
		kinds = []string{"INFERENCE_PROFILE"}
	}
	maker, _, _ := strings.Cut(m.id, ".")
	return object{
		"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/" + m.id, "modelId": m.id, "modelName": m.title, "providerName": maker,
		"inputModalities": []string{"TEXT"}, "outputModalities": []string{output}, "responseStreamingSupported": output == "TEXT",
		"customizationsSupported": []string{}, "inferenceTypesSupported": kinds, "modelLifecycle": object{"status": "ACTIVE"},
	}
}

// bedrockModels lists models: byProvider, byOutputModality, byInferenceType.
func bedrockModels(req *request) *reply {
	query := req.URL.Query()
	list := []object{}
	for _, m := range bedrockList {
		entry := bedrockEntry(m)
		fits := func(name string, have ...string) bool {
			want := query.Get(name)
			return want == "" || slices.ContainsFunc(have, func(v string) bool { return strings.EqualFold(v, want) })
		}
		if fits("byProvider", entry["providerName"].(string)) && fits("byOutputModality", entry["outputModalities"].([]string)...) &&
			fits("byInferenceType", entry["inferenceTypesSupported"].([]string)...) {
			list = append(list, entry)
		}
	}
	return document(object{"modelSummaries": list})
}

func bedrockOne(req *request) (*reply, *failure) {
	for _, m := range bedrockList {
		if m.id == req.model {
			return document(object{"modelDetails": bedrockEntry(m)}), nil
		}
	}
	return nil, &failure{status: http.StatusNotFound, kind: kindModel}
}

// bedrockProfiles lists inference profiles a page at a time: maxResults (100), nextToken.
func bedrockProfiles(req *request) *reply {
	list := []object{}
	for _, m := range bedrockList {
		if strings.Contains(m.id, "embed") {
			continue
		}
		id := "us." + m.id
		arn := "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + id
		list = append(list, object{
			"inferenceProfileId": id, "inferenceProfileArn": arn, "inferenceProfileName": "US " + m.title, "description": "Simulated.",
			"type": "SYSTEM_DEFINED", "status": "ACTIVE", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
			"models": []object{{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/" + m.id}},
		})
	}
	query := req.URL.Query()
	size, err := strconv.Atoi(query.Get("maxResults"))
	if err != nil || size < 1 {
		size = 100
	}
	from, err := strconv.Atoi(query.Get("nextToken"))
	if err != nil || from < 0 || from > len(list) {
		from = 0
	}
	to := min(from+size, len(list))
	page := object{"inferenceProfileSummaries": list[from:to]}
	if to < len(list) {
		page["nextToken"] = strconv.Itoa(to)
	}
	return document(page)
}
