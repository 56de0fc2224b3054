// Package console is the User Interface: a single-page application, built by npm into dist
// and embedded into the binary.
//
// Handler serves it. Files under assets carry a hash of their content in their name and may be
// cached for ever; everything else is asked for anew each time, which an ETag makes cheap. A
// path that is no file is a page of the application, so it gets index.html. The build leaves
// compressed forms (.br, .gz) beside the files, which are sent as they are.
//
// The source is in src: app (frame and routes), features/<entity> (pages), ui (the kit), lib
// (client of /api, session, formats). The client is generated from api/openapi.json.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// csp lets the console load its own files and talk to its own origin, and nothing else.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// notBuilt is the page of a binary that was built without the console.
const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Point</title>
<h1>The console is not in this binary</h1>
<p>Run <code>make build</code>, which builds it with npm, and start <code>bin/point</code>. The API works without it.</p>
</html>
`

// Handler serves the embedded console.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only an invalid path can fail, and this one is constant
	}
	return handler(files)
}

// file is one servable file in all its forms.
type file struct {
	name    string
	encoded map[string]string // names of its compressed forms, by content coding
	etag    string
}

type site struct {
	fs    fs.FS
	files map[string]*file
}

func handler(files fs.FS) http.Handler {
	s := &site{files, load(files)}
	return http.HandlerFunc(s.serve)
}

// load looks at every file once. None is kept: what is embedded is read where it lies.
func load(files fs.FS) map[string]*file {
	found := map[string]*file{}
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		if tag, err := etag(files, name); err == nil {
			found[name] = &file{name: name, etag: tag, encoded: map[string]string{}}
		}
		return nil
	})
	for name, f := range found {
		for coding, suffix := range codings {
			if _, ok := found[name+suffix]; ok {
				f.encoded[coding] = name + suffix
				delete(found, name+suffix)
			}
		}
	}
	return found
}

// codings maps content codings to the endings of their files.
var codings = map[string]string{"br": ".br", "gzip": ".gz"}

func etag(files fs.FS, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12]) + `"`, nil
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The console answers GET and HEAD alone.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	f, ok := s.files[name]
	switch {
	case ok:
	case isAsset(name):
		// An old tab asks for a file of an older build; index.html would be read as a script.
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	default:
		f, ok = s.files["index.html"]
	}
	if !ok {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(notBuilt))
		return
	}
	f.serve(w, r, s.fs)
}

// serve sends f in the best form that the client takes.
func (f *file) serve(w http.ResponseWriter, r *http.Request, files fs.FS) {
	h := w.Header()
	h.Set("Content-Type", contentType(f.name))
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(f.name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	name, tag := f.name, f.etag
	if len(f.encoded) > 0 {
		h.Add("Vary", "Accept-Encoding")
	}
	for _, coding := range []string{"br", "gzip"} {
		if packed, ok := f.encoded[coding]; ok && accepts(r, coding) {
			h.Set("Content-Encoding", coding)
			name, tag = packed, strings.TrimSuffix(f.etag, `"`)+"-"+coding+`"`
			break
		}
	}
	h.Set("ETag", tag)
	content, err := files.Open(name)
	if err != nil {
		http.Error(w, "The file cannot be read.", http.StatusInternalServerError)
		return
	}
	defer content.Close()
	http.ServeContent(w, r, "", time.Time{}, content.(io.ReadSeeker)) // so are the files of embed
}

// accepts reports whether the client takes a content coding. A q of 0 refuses it.
func accepts(r *http.Request, coding string) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		return !found || strings.Trim(q, "0.") != ""
	}
	return false
}

// isAsset reports whether name must be a file: it is below assets, or has an ending.
func isAsset(name string) bool {
	return strings.HasPrefix(name, "assets/") || (path.Ext(name) != "" && !strings.Contains(name, "/"))
}

// contentTypes are fixed here, since the machine's own table may differ.
var contentTypes = map[string]string{
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

func contentType(name string) string {
	ext := path.Ext(name)
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// secure sets what every answer carries.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
