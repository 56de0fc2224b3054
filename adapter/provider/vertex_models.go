package provider

import (
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// ModelLists are those of the publishers whose models Point speaks to. They tell what Vertex AI has
// in a location, whether the project has switched it on or not:
// https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list
func (vertex) ModelLists(*point.ProviderConfig) []ModelList {
	var lists []ModelList
	for _, of := range []struct{ publisher, family string }{{"google", "gemini"}, {"anthropic", "claude"}} {
		out := &point.Outbound{Method: http.MethodGet, Path: "/v1beta1/publishers/" + of.publisher + "/models?pageSize=1000", Header: http.Header{}}
		lists = append(lists, ModelList{Outbound: out, Read: func(body []byte) ([]string, error) {
			return idsOf(body, "publisherModels", func(m gjson.Result) string {
				name := vertexModel(text(m.Get("name")))
				if !strings.HasPrefix(name, of.family) || strings.Contains(name, "embedding") {
					return "" // nothing that is chatted with
				}
				return name
			})
		}})
	}
	return lists
}
