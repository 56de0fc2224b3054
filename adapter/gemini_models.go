package adapter

import (
	"net/url"
	"strconv"

	"point"
)

// googlesModelEntry is one entry of the list of models, in Google's shape.
type googlesModelEntry struct {
	Name        string   `json:"name"` // models/ID
	BaseModel   string   `json:"baseModelId"`
	Version     string   `json:"version"`
	DisplayName string   `json:"displayName"`
	Description string   `json:"description"`
	InputLimit  int64    `json:"inputTokenLimit,omitempty"`
	OutputLimit int64    `json:"outputTokenLimit,omitempty"`
	Methods     []string `json:"supportedGenerationMethods"`
}

// asGoogles shows a model as GET /v1beta/models/{id} does.
func asGoogles(s *point.Snapshot) func(model) any {
	return func(m model) any {
		entry := googlesModelEntry{
			Name: "models/" + m.ID, BaseModel: m.ID, Version: "001", DisplayName: m.ID,
			Description: "Served by " + m.OwnedBy + ".", Methods: []string{},
		}
		if ModelKind(m.ID) == "chat" {
			entry.Methods = googleMethods
		}
		p, id := s.SplitModel(m.ID)
		if p == nil {
			p, _ = s.Provider(m.OwnedBy)
		}
		if p != nil {
			facts := s.Facts(p.Kind, id)
			entry.InputLimit, entry.OutputLimit = facts.ContextWindow, facts.MaxOutput
		}
		return entry
	}
}

// How many models a page of Google's list holds: if nothing is said, and at most.
const (
	googlesPage     = 50
	googlesMostPage = 1000
)

// googlesList shows models as GET /v1beta/models does, page by page. The token of a page is where
// it starts.
func googlesList(s *point.Snapshot, query url.Values) func([]model) any {
	return func(list []model) any {
		size, _ := strconv.Atoi(query.Get("pageSize"))
		if size <= 0 {
			size = googlesPage
		}
		at, _ := strconv.Atoi(query.Get("pageToken"))
		at = min(max(at, 0), len(list))
		end := min(at+min(size, googlesMostPage), len(list))
		page := make([]any, 0, end-at)
		show := asGoogles(s)
		for _, m := range list[at:end] {
			page = append(page, show(m))
		}
		answer := map[string]any{"models": page}
		if end < len(list) {
			answer["nextPageToken"] = strconv.Itoa(end)
		}
		return answer
	}
}
