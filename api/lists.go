package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point/store"
)

// List is one page of a list.
type List[T any] struct {
	Data   []T    `json:"data"`
	Page   int    `json:"page" doc:"Number of this page, from 1." example:"1"`
	Limit  int    `json:"limit" doc:"Items a page." example:"50"`
	Total  *int64 `json:"total" doc:"How many there are; null beyond 10,000." example:"123"`
	More   bool   `json:"more" doc:"There are items behind these."`
	Cursor string `json:"cursor" doc:"Give it as cursor to continue behind the last item; empty: the end." example:""`
}

// listOutput answers a list.
type listOutput[T any] struct{ Body List[T] }

// Paging is embedded into the input of a list.
type Paging struct {
	Page  int `query:"page" default:"1" minimum:"1" maximum:"1000000" doc:"Number of the page, from 1."`
	Limit int `query:"limit" default:"50" minimum:"1" maximum:"500" doc:"Items a page."`
}

func (p Paging) page() store.Page { return store.Page{Number: p.Page, Limit: p.Limit} }

// pageOf answers a part of a list, each item in its shape on the wire.
func pageOf[S, T any](p Paging, list store.List[S], shape func(*S) T) *listOutput[T] {
	out := &listOutput[T]{Body: List[T]{
		Data: make([]T, len(list.Items)), Page: p.Page, Limit: p.Limit, More: list.More, Cursor: list.Cursor,
	}}
	for i := range list.Items {
		out.Body.Data[i] = shape(&list.Items[i])
	}
	if list.Total >= 0 {
		out.Body.Total = &list.Total
	}
	return out
}

// whole answers a list that has only one page.
func whole[S, T any](items []S, shape func(*S) T) *listOutput[T] {
	n := int64(len(items))
	return pageOf(Paging{Page: 1, Limit: len(items)}, store.List[S]{Items: items, Total: n}, shape)
}

// cut answers a page of a list that is there as a whole.
func cut[T any](p Paging, all []T) *listOutput[T] {
	start := min((p.Page-1)*p.Limit, len(all))
	end := min(start+p.Limit, len(all))
	list := store.List[T]{Items: all[start:end], Total: int64(len(all)), More: end < len(all)}
	return pageOf(p, list, func(x *T) T { return *x })
}

// ByID is the input of a route about one thing.
type ByID struct {
	ID string `path:"id" minLength:"1" maxLength:"255" doc:"Id."`
}

func (in ByID) asked() string { return in.ID }

// describeIDs says in the document where {id} may be a name.
func describeIDs(spec *huma.OpenAPI) {
	for op := range operationsOf(spec) {
		if named, _ := op.Metadata[metaNamed].(bool); !named {
			continue
		}
		for _, p := range op.Parameters {
			if p.In == "path" {
				p.Description = "Id or name."
			}
		}
	}
}

// wantsID lets the answer that a thing is not there say that its id is wanted, if another text was
// given, and which route lists ids.
func wantsID(err error, op *huma.Operation, in any) error {
	var p *Problem
	byID, ok := in.(interface{ asked() string })
	named, _ := op.Metadata[metaNamed].(bool)
	if !ok || named || !errors.As(err, &p) || p.Code != codeNotFound || isID.MatchString(byID.asked()) {
		return err
	}
	list, _, _ := strings.Cut(op.Path, "/{id}")
	told := *p
	told.Detail += fmt.Sprintf(" It is asked for by its id, and this is none: ids look like %s, and GET %s lists them.", exampleID, list)
	return &told
}

const exampleID = "0190a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b"

// isID is the form of ids, as they are read.
var isID = regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Reasoned is embedded into the input of what becomes a revision. authorize reads it.
type Reasoned struct {
	Reason string `header:"X-Point-Reason" maxLength:"500" doc:"Why, for the revision that the change becomes."`
}

// Precondition is embedded into the input of a change.
type Precondition struct {
	Reasoned
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag that was read. If the thing was changed since, the answer is 412."`
}

// Tagged is embedded into the output of one thing.
type Tagged struct {
	ETag string `header:"ETag" doc:"Version of the thing, for If-Match."`
}

// none is the input of a route that takes nothing.
type none struct{}

// empty is an answer without a body: 204.
type empty struct{}

// Repeatable is embedded into the input of a route that creates.
type Repeatable struct {
	Reasoned
	IdempotencyKey string `header:"Idempotency-Key" pattern:"^[!-~]{1,255}$" patternDescription:"1 to 255 visible ASCII characters" doc:"Any text that is new for each thing to create. Repeated within 24 hours with the same body, the first answer is given again; with another body, 422."`
}

// idempotencyKey is the form of Repeatable's header.
var idempotencyKey = regexp.MustCompile(`^[!-~]{1,255}$`)

// Names are texts such as names, tags and patterns.
type Names []string

// TransformSchema bounds each of them.
func (Names) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Items = &huma.Schema{Type: huma.TypeString, MaxLength: new(255)}
	return s
}

// NullableTime is a time of which null and absence mean different things.
type NullableTime struct {
	Set  bool
	Time *time.Time
}

// UnmarshalJSON is called for null too, but not for an absent member.
func (t *NullableTime) UnmarshalJSON(raw []byte) error {
	t.Set = true
	return json.Unmarshal(raw, &t.Time)
}

// Schema is that of a time or null.
func (NullableTime) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}
