package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"
)

// secure is what every request passes before a route is looked up.
func (a *API) secure(mux *http.ServeMux) http.Handler {
	origin := a.ownOrigin()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.recover(w, r)
		setHeaders(w.Header())
		limit := a.bodyLimit(r, mux)
		body := a.arrive(w, r, limit > maxBody)
		defer body.leave()
		if p := a.refuse(r, origin, limit); p != nil {
			body.leave() // the server drains a body before it answers
			writeProblem(w, p)
			return
		}
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, body, limit)
		}
		a.dispatch(w, r, mux)
	})
}

// bodyLimit is how many bytes a request's body may have.
func (a *API) bodyLimit(r *http.Request, mux *http.ServeMux) int64 {
	if r.ContentLength >= 0 && r.ContentLength <= maxPublicBody {
		return maxBody
	}
	_, pattern := mux.Handler(r)
	switch {
	case a.large[pattern]:
		return a.MaxBody
	case a.public[pattern]:
		return maxPublicBody
	}
	return maxBody
}

// maxPublicBody is how large a body may be to a route that anybody may ask: reading JSON takes many
// times its memory.
const maxPublicBody = 64 << 10

// setHeaders sets what every answer has.
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// recover answers 500 for a handler that panicked. The log gets the stack.
func (a *API) recover(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		a.Log.ErrorContext(r.Context(), "api: a handler panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		writeProblem(w, problem(http.StatusInternalServerError, internal))
	}
}

// refuse finds what is wrong with a request whatever its route, or nil.
func (a *API) refuse(r *http.Request, origin *http.CrossOriginProtection, limit int64) *Problem {
	switch {
	case !a.knowsHost(r.Host):
		return problem(http.StatusMisdirectedRequest, "Point does not answer under this host name. Set POINT_PUBLIC_URL to the URL that people use.")
	case r.URL.Path != path.Clean(r.URL.Path):
		return problem(http.StatusNotFound, "There is nothing at this path.")
	case !isText(r.URL):
		return problem(http.StatusBadRequest, "The URL holds bytes that are no text.")
	case a.foreign(r, origin):
		return problem(http.StatusForbidden, "A page of another origin may not write here. If it is Point's own page, set POINT_PUBLIC_URL to the URL it is opened by.").as(codeOrigin)
	case r.ContentLength > limit:
		return tooLargeProblem(limit)
	case r.Header.Get("Content-Encoding") != "":
		return problem(http.StatusUnsupportedMediaType, "Send the body without a Content-Encoding.")
	case !isJSON(r):
		return problem(http.StatusUnsupportedMediaType, "Send the body as JSON, with Content-Type: application/json.")
	}
	return nil
}

// isText reports whether path and query are UTF-8 without NUL: databases take nothing else.
func isText(u *url.URL) bool {
	query, err := url.QueryUnescape(u.RawQuery)
	text := u.Path + query
	return err == nil && utf8.ValidString(text) && !strings.Contains(text, "\x00")
}

// isJSON reports whether a body, if there is one, says that it is JSON: a form of another
// site cannot say so.
func isJSON(r *http.Request) bool {
	kind := r.Header.Get("Content-Type")
	switch {
	case r.Method == http.MethodGet, r.Method == http.MethodHead, r.Method == http.MethodOptions:
		return true
	case kind == "":
		return r.ContentLength == 0
	}
	kind, _, _ = strings.Cut(kind, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// knowsHost reports whether Point answers under host. An IP address is always known, since
// no other site's name can be made to lead to a page of that origin.
func (a *API) knowsHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	if public, err := url.Parse(a.PublicURL); err == nil && host == strings.ToLower(public.Hostname()) && host != "" {
		return true
	}
	return slices.ContainsFunc(a.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

// ownOrigin refuses writes by pages that are not Point's own: those of another origin than the
// one that is asked, and than PublicURL, whose Host a proxy in front may not pass on. No page of
// another origin is shown an answer either: what signs people in is never shared.
func (a *API) ownOrigin() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if u, err := url.Parse(a.PublicURL); err == nil && u.Host != "" {
		_ = p.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	return p
}

// eventsPath is read as a stream, and not by pages of other origins either.
const eventsPath = "/api/events"

// foreign reports whether a page that is not Point's own writes, or follows the events.
func (a *API) foreign(r *http.Request, origin *http.CrossOriginProtection) bool {
	if r.URL.Path == eventsPath {
		write := *r
		write.Method = http.MethodPost
		r = &write
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return origin.Check(r) != nil || a.downgraded(r)
}

// downgraded reports whether a page that came without encryption asks a server that has it:
// anybody on the way may have written that page, and its host is the same.
func (a *API) downgraded(r *http.Request) bool {
	from, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || from.Scheme != "http" {
		return false
	}
	public, err := url.Parse(a.PublicURL)
	ours := err == nil && public.Scheme == "https" && strings.EqualFold(public.Host, from.Host)
	return ours || r.TLS != nil || a.trusts(hostOf(r.RemoteAddr)) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// dispatch serves the matched route; what matches none gets a problem in place of text.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	handler, pattern := mux.Handler(r)
	if pattern != "" {
		mux.ServeHTTP(w, r)
		return
	}
	miss := missed{header: http.Header{}}
	handler.ServeHTTP(&miss, r)
	if miss.status == http.StatusMethodNotAllowed {
		p := problem(miss.status, "This path does not take this method; the header Allow lists those it takes.")
		p.header = http.Header{"Allow": miss.header["Allow"]}
		writeProblem(w, p)
		return
	}
	writeProblem(w, problem(http.StatusNotFound, "There is nothing at this path. GET /api/openapi.json lists what there is."))
}

// missed takes the mux's own answer for a request without a route.
type missed struct {
	header http.Header
	status int
}

func (m *missed) Header() http.Header         { return m.header }
func (m *missed) WriteHeader(status int)      { m.status = status }
func (m *missed) Write(b []byte) (int, error) { return len(b), nil }
