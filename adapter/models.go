package adapter

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"point"
	"point/routing"
)

// model is one entry of the list, in OpenAI's shape.
type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"` // the provider's name
}

// serveModels answers GET /v1/models and GET /v1/models/{id}, and the same in Google's shape.
func (h *Handler) serveModels(w http.ResponseWriter, r *http.Request) {
	path := modelsPath(r.URL.Path)
	snapshot := h.Config.Snapshot()
	key, err := admit(snapshot, r.Header, time.Now())
	if err == nil {
		err = enabled(&point.Call{Path: path, Key: key, Snapshot: snapshot})
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	provider := r.URL.Query().Get("provider")
	if _, ok := snapshot.Provider(provider); provider != "" && !ok {
		h.refuse(w, r, &point.Error{Code: point.ProviderNotFound, Param: "provider", Message: fmt.Sprintf("There is no provider %q.", clip(provider, 100))})
		return
	}
	list := h.modelsFor(snapshot, key, provider)
	show, showAll := asOpenAIs, openAIsList
	if path == point.PathGemini {
		show, showAll = asGoogles(snapshot), googlesList(snapshot, r.URL.Query())
	}
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, path), "/")
	if path == point.PathGemini {
		id = strings.TrimPrefix(id, "models/")
	}
	if id == "" {
		writeJSON(w, r, showAll(list))
		return
	}
	i := slices.IndexFunc(list, func(m model) bool { return m.ID == id })
	if i < 0 {
		h.refuse(w, r, &point.Error{Code: point.ModelNotFound, Param: "model", Message: fmt.Sprintf("There is no model %q here.", clip(id, 100))})
		return
	}
	writeJSON(w, r, show(list[i]))
}

// modelsPath is the endpoint whose list of models stands at a URL's path.
func modelsPath(path string) string {
	if isGoogles(path) {
		return point.PathGemini
	}
	return point.PathModels
}

func asOpenAIs(m model) any { return m }

func openAIsList(list []model) any { return map[string]any{"object": "list", "data": list} }

func writeJSON(w http.ResponseWriter, r *http.Request, v any) {
	begin(w, r)
	_ = json.NewEncoder(w).Encode(v) // a client that left is nobody to tell
}

// modelsFor lists each alias and bare name once, then every provider/model; chat models first.
func (h *Handler) modelsFor(s *point.Snapshot, key *point.Key, only string) []model {
	bare, full := map[string]model{}, []model{}
	for alias := range s.Aliases {
		if only == "" {
			bare[alias] = model{ID: alias, Object: "model", Created: 0, OwnedBy: "point"}
		}
	}
	for _, p := range sortedProviders(s) {
		if !p.Active() || only != "" && p.Name != only && p.ID != only {
			continue
		}
		for _, id := range h.Lists.List(p) {
			m := model{ID: id, Object: "model", Created: max(p.CreatedAt.Unix(), 0), OwnedBy: p.Name}
			if _, known := bare[id]; !known && (only != "" || s.ServesBare(p)) {
				bare[id] = m
			}
			m.ID = p.Name + "/" + id
			full = append(full, m)
		}
	}
	list := make([]model, 0, len(bare)+len(full))
	for _, m := range bare {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b model) int { return cmp.Compare(a.ID, b.ID) })
	list = append(list, full...)
	list = slices.DeleteFunc(list, func(m model) bool { return !mayUse(s, key, m.ID) })
	slices.SortStableFunc(list, func(a, b model) int { return cmp.Compare(otherThanChat(a.ID), otherThanChat(b.ID)) })
	return list
}

func sortedProviders(s *point.Snapshot) []*point.Provider {
	list := make([]*point.Provider, 0, len(s.Providers))
	for _, p := range s.Providers {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *point.Provider) int {
		return cmp.Or(cmp.Compare(a.Config.Priority, b.Config.Priority), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// mayUse reports whether a key's list has a model, with its provider before the slash or
// without. What is left without it and still begins with a provider's name (a model of one
// service that another resells) counts with it alone: else it would pass for the other's.
func mayUse(s *point.Snapshot, key *point.Key, name string) bool {
	if len(key.Models) == 0 {
		return true
	}
	_, id := s.SplitModel(name)
	if other, _ := s.SplitModel(id); other != nil {
		id = name
	}
	return slices.ContainsFunc(key.Models, func(glob string) bool {
		return routing.MatchGlob(glob, name) || routing.MatchGlob(glob, id)
	})
}

// Models lists the names that calls may use, as GET /v1/models does, with what is known.
func (h *Handler) Models(context.Context) ([]point.ModelInfo, error) {
	s := h.Config.Snapshot()
	var list []point.ModelInfo
	for _, m := range h.modelsFor(s, &point.Key{}, "") {
		info := point.ModelInfo{ID: m.ID, Kind: ModelKind(m.ID)}
		p, id := s.SplitModel(m.ID)
		if p != nil {
			info.Provider = p.Name
		} else {
			p, _ = s.Provider(m.OwnedBy)
		}
		if p != nil {
			facts := s.Facts(p.Kind, id)
			info.ContextWindow, info.MaxOutput, info.Abilities = facts.ContextWindow, facts.MaxOutput, facts.Abilities
		}
		list = append(list, info)
	}
	return list, nil
}

// otherThanChat is 1 for a model whose name says that it does not chat.
func otherThanChat(name string) int {
	if ModelKind(name) == "chat" {
		return 0
	}
	return 1
}

// kindWords tell a model's kind by words in its name, the first that fits.
var kindWords = []struct {
	kind  string
	words []string
}{
	{"embedding", []string{"embed"}},
	{"other", []string{"tts", "whisper", "transcribe", "moderation", "rerank", "realtime", "native-audio", "veo", "sora", "aqa"}},
	{"chat", []string{"gemini"}},
	{"image", []string{"image", "dall-e", "flux", "diffusion"}},
}

// ModelKind is what a model is for, as its name says: chat, embedding, image or other. Chat
// models may hear and paint too, such as gpt-4o-audio-preview and gemini-2.5-flash-image.
func ModelKind(name string) string {
	for _, k := range kindWords {
		if slices.ContainsFunc(k.words, func(word string) bool { return strings.Contains(name, word) }) {
			return k.kind
		}
	}
	return "chat"
}
