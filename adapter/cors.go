package adapter

import (
	"net/http"
	"slices"
	"strings"
)

// corsMethods are those that a page may use: what any path of the data plane takes.
const corsMethods = "GET, HEAD, POST, DELETE, OPTIONS"

// exposed are the answer headers that a page may read.
var exposed = strings.Join([]string{
	"x-request-id", "request-id", "x-point-provider", "x-point-model", "x-point-attempts", "x-point-cache", "x-point-cost",
	"x-point-overhead-ms", "x-point-dropped", "x-point-estimated", "x-point-upstream-request-id", "openai-processing-ms",
	"retry-after", "x-should-retry", "allow", "www-authenticate",
	"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests",
	"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens",
}, ", ")

// cors answers preflights of allowed origins, and marks other answers as readable to them.
// It reports whether the request is done.
func (h *Handler) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(h.CORSOrigins, origin) {
		return false
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", origin)
	header.Add("Vary", "Origin")
	header.Set("Access-Control-Expose-Headers", exposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", corsMethods)
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		header.Set("Access-Control-Allow-Headers", asked)
	}
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
