package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
)

// maxBody is how large a body of /api may be, but for a whole configuration or catalogue.
const maxBody = 1 << 20

// route is one line of the route table.
type route struct {
	method, path string
	permission   Permission
	handler      handler
	summary      string
}

// handler is a method of API that serves a route. Its name is the operation's id.
type handler struct {
	name     string
	creates  bool // answers 201, takes an Idempotency-Key
	moves    bool // answers 303 with a Location
	anyQuery bool // takes parameters that it does not know
	session  bool // personal access tokens may not
	large    bool // takes a body of up to Deps.MaxBody
	named    bool // finds what it is about by its name too
	own      Permission
	register func(*API, huma.API, huma.Operation)
}

// on makes a handler of a method.
func on[I, O any](f func(context.Context, *I) (*O, error)) handler {
	return handler{name: methodName(f), register: func(a *API, h huma.API, op huma.Operation) {
		huma.Register(h, op, answering(a, op, f))
	}}
}

// creates is on for a POST that makes something: 201, and repeatable by Idempotency-Key.
func creates[I, O any](f func(context.Context, *I) (*O, error)) handler {
	h := on(f)
	h.creates = true
	return h
}

// redirects is on for a page that sends the browser on: 303.
func redirects[I, O any](f func(context.Context, *I) (*O, error)) handler {
	h := on(f)
	h.moves = true
	return h
}

// returns is redirects for a page that another site sends the browser to, with these parameters
// and others.
func returns[I, O any](f func(context.Context, *I) (*O, error), params []*huma.Param) handler {
	return handler{name: methodName(f), moves: true, anyQuery: true, register: func(a *API, h huma.API, op huma.Operation) {
		op.Parameters = params
		huma.Register(h, op, answering(a, op, f))
	}}
}

// orOwn is h for those, too, who have the permission own: they reach what is theirs alone. What
// h asks of the store it asks with scopeOf.
func orOwn(own Permission, h handler) handler {
	h.own = own
	return h
}

// orNamed is h for an {id} that may be a name.
func orNamed(h handler) handler {
	h.named = true
	return h
}

// bySession is h for people alone: personal access tokens are refused.
func bySession(h handler) handler {
	h.session = true
	return h
}

// takesLarge is h for a body that holds a whole configuration or catalogue.
func takesLarge(h handler) handler {
	h.large = true
	return h
}

// orDryRun is h, which creates, answering 200 where it was asked to make nothing.
func orDryRun(h handler) handler {
	register := h.register
	h.register = func(a *API, h huma.API, op huma.Operation) {
		register(a, h, op)
		answers := h.OpenAPI().Paths[op.Path].Post.Responses
		checked := *answers["201"]
		checked.Description = "A dry run: nothing was made."
		answers["200"] = &checked
	}
	return h
}

// raw is on for an answer that the method writes itself: its type, and what is in it.
func raw[T, I any](contentType, description string, f func(context.Context, *I) (*huma.StreamResponse, error), others ...string) handler {
	return handler{name: methodName(f), register: func(a *API, h huma.API, op huma.Operation) {
		content := map[string]*huma.MediaType{}
		for _, kind := range append(others, contentType) {
			content[kind] = &huma.MediaType{Schema: h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")}
		}
		op.Responses = map[string]*huma.Response{"200": {Description: description, Content: content}}
		huma.Register(h, op, answering(a, op, f))
	}}
}

// streams is raw for an endless answer of server-sent events, each of which holds a T.
func streams[T, I any](f func(context.Context, *I) (*huma.StreamResponse, error)) handler {
	return raw[T]("text/event-stream", "One event for each; its data is the JSON described here.", f)
}

// answering is f with errors that are no Problem made one; what they say is for the log.
func answering[I, O any](a *API, op huma.Operation, f func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, wantsID(a.failed(ctx, methodName(f), err), &op, in)
		}
		return out, nil
	}
}

// methodName is "listProviders" for a.listProviders.
func methodName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '.')+1:], "-fm")
}

// check refuses a route without a policy.
func (r route) check() error {
	if r.permission == "" {
		return fmt.Errorf("%s %s names no permission", r.method, r.path)
	}
	if r.permission == Public || r.permission == SignedIn || slices.Contains(owner, r.permission) {
		return nil
	}
	return fmt.Errorf("%s %s: no role has the permission %q", r.method, r.path, r.permission)
}

// Keys of an operation's Metadata.
const (
	metaPermission = "permission"
	metaCreates    = "creates"
	metaOwn        = "own"
	metaSession    = "session"
	metaNamed      = "named"
)

// operation is the line's entry in OpenAPI.
func (r route) operation(id string) huma.Operation {
	op := huma.Operation{
		Method: r.method, Path: r.path, OperationID: id, Summary: r.summary, Tags: []string{r.tag()},
		Metadata:                     map[string]any{metaPermission: r.permission, metaCreates: r.handler.creates, metaOwn: r.handler.own, metaSession: r.handler.session, metaNamed: r.handler.named},
		RejectUnknownQueryParameters: !r.handler.anyQuery,
		MaxBodyBytes:                 maxBody + 1, // huma counts a body of just the limit as too large
		BodyReadTimeout:              -1,          // arrival has one
		Extensions:                   map[string]any{"x-permission": string(r.permission)},
	}
	if r.handler.creates {
		op.DefaultStatus = http.StatusCreated
	}
	if r.handler.moves {
		op.DefaultStatus = http.StatusSeeOther
	}
	op.Security = []map[string][]string{} // says that none is needed
	if r.permission != Public {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Description = fmt.Sprintf("Needs the permission `%s`.", r.permission)
		if r.permission == SignedIn {
			op.Description = "Needs a sign-in, and no permission."
		}
		if r.handler.own != "" {
			op.Description = fmt.Sprintf("Needs the permission `%s`, or `%s` for what is one's own; the rest is not there then.", r.permission, r.handler.own)
			op.Extensions["x-permission-own"] = string(r.handler.own)
		}
		if r.handler.session {
			op.Description += " Personal access tokens may not."
			op.Extensions["x-session"] = true
		}
	}
	return op
}

// tag is the entity, the first part of the path below /api.
func (r route) tag() string {
	if strings.HasPrefix(r.path, "/.well-known/") {
		return "auth"
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.path, "/api/"), "/")
	return strings.TrimSuffix(first, ".json")
}

// apiVersion is raised by a change that breaks clients.
const apiVersion = "1"

// newConfig sets huma up: JSON alone, no pages of its own, no links to schemas.
func newConfig() huma.Config {
	config := huma.DefaultConfig("Point", apiVersion)
	config.Info.Description = "The control plane of Point: providers, endpoints, keys, requests, status. The data plane, /v1, is OpenAI's API and is not described here."
	config.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	config.Tags = tags
	config.Servers = []*huma.Server{{URL: "/", Description: "The Point that serves this document."}}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Formats = map[string]huma.Format{
		"application/json":         {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal},
		"application/problem+json": huma.DefaultJSONFormat,
	}
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access_token of login or refresh, or a personal access token."},
	}
	return config
}

var listType = regexp.MustCompile(`^List\[.*?([A-Za-z]+)\]$`)

// schemaName names List[Provider] ProviderList, and all else as huma does.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if m := listType.FindStringSubmatch(t.Name()); m != nil {
		return m[1] + "List"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// adapter registers huma's operations on mux.
func adapter(mux *http.ServeMux) huma.Adapter { return humago.NewAdapter(mux, "") }

// render writes the OpenAPI document.
func render(doc *huma.OpenAPI) ([]byte, error) {
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("api: render openapi.json: %w", err)
	}
	// What huma says of a pattern has no place in JSON Schema, unless as an extension.
	raw = bytes.ReplaceAll(raw, []byte(`"patternDescription": `), []byte(`"x-pattern-description": `))
	return append(raw, '\n'), nil
}
