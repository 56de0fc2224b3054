package provider

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// ModelLists are those of Bedrock's control plane, which is at a host of its own: models that are
// called by their id, and inference profiles, by which the others are.
//
//	https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
//	https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html
func (s bedrock) ModelLists(c *point.ProviderConfig) []ModelList {
	base := strings.Replace(s.Place(c), "://bedrock-runtime.", "://bedrock.", 1)
	get := func(path string) *point.Outbound {
		return &point.Outbound{Method: http.MethodGet, Path: path, Header: http.Header{}}
	}
	return []ModelList{
		{base, get("/foundation-models?byOutputModality=TEXT"), bedrockModels},
		{base, get("/inference-profiles?maxResults=1000"), bedrockProfiles},
	}
}

// bedrockModels are the models that are called by their own id.
func bedrockModels(body []byte) ([]string, error) {
	return idsOf(body, "modelSummaries", func(m gjson.Result) string {
		onDemand := slices.ContainsFunc(m.Get("inferenceTypesSupported").Array(), func(t gjson.Result) bool { return t.Str == "ON_DEMAND" })
		if !onDemand {
			return ""
		}
		return text(m.Get("modelId"))
	})
}

func bedrockProfiles(body []byte) ([]string, error) {
	return idsOf(body, "inferenceProfileSummaries", func(m gjson.Result) string {
		if status := m.Get("status").Str; status != "" && status != "ACTIVE" {
			return ""
		}
		return text(m.Get("inferenceProfileId"))
	})
}

// idsOf reads the ids of a list of objects under member, in the list's order; an empty id leaves
// its object out.
func idsOf(body []byte, member string, id func(gjson.Result) string) ([]string, error) {
	list := gjson.GetBytes(body, member)
	if !validJSON(body) || !list.IsArray() {
		return nil, badDocument(body)
	}
	return distinct(list, id), nil
}
