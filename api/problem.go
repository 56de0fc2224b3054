package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
	"point/store/document"
)

// Problem is an error answer, RFC 9457. It never holds a value that the caller sent: the
// caller knows it, and it may be a secret.
type Problem struct {
	Type   string         `json:"type" doc:"URI of the kind of problem; about:blank says that title is all there is." example:"about:blank"`
	Title  string         `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status int            `json:"status" doc:"HTTP status." example:"422"`
	Code   Code           `json:"code" doc:"What is wrong, for programs. A code keeps its meaning; new ones come to be." example:"invalid"`
	Detail string         `json:"detail" doc:"What is wrong, and what to do." example:"Mend the fields below and send it again."`
	Errors []ProblemField `json:"errors,omitempty" doc:"The fields that are wrong, the first 1,000 at most."`
	UsedBy []Use          `json:"used_by,omitempty" doc:"Why it is not deleted: what refers to it."`

	header http.Header
}

// ProblemField is one field that is wrong.
type ProblemField struct {
	Location string `json:"location" doc:"Where: body, query, path or header, then the way to the field." example:"body.config.base_url"`
	Message  string `json:"message" doc:"What is wrong there." example:"Give an absolute URL that begins with https://."`
	Line     int    `json:"line,omitempty" doc:"Line in a configuration that was sent as a text of YAML or JSON." example:"4"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus, GetHeaders and ContentType are what huma asks of an error.
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) GetHeaders() http.Header   { return p.header }
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem makes an error answer; detail is a sentence for the caller.
func problem(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: codeOfStatus(status), Detail: detail}
}

// as is p with a code that says more than its status.
func (p *Problem) as(code Code) *Problem {
	p.Code = code
	return p
}

// retryAfter is problem with a Retry-After header, rounded up to whole seconds.
func retryAfter(status int, wait time.Duration, detail string) *Problem {
	p := problem(status, detail)
	seconds := int64((wait + time.Second - 1) / time.Second)
	p.header = http.Header{"Retry-After": {strconv.FormatInt(max(1, seconds), 10)}}
	return p
}

// Error and ErrorDetail make a field one of the errors that huma collects.
func (f ProblemField) Error() string { return f.Message }

func (f ProblemField) ErrorDetail() *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: f.Location, Message: f.Message}
}

// faults collects everything that is wrong with a request. Its add is a point.Fault.
type faults []ProblemField

// add notes that what stands at location is wrong; format must not quote what was sent.
func (f *faults) add(location, format string, args ...any) {
	*f = append(*f, ProblemField{Location: location, Message: fmt.Sprintf(format, args...)})
}

// take notes what the store says is wrong with a field; place is where the field stands. It
// is false for any other error.
func (f *faults) take(place string, err error) bool {
	var invalid *store.Invalid
	if !errors.As(err, &invalid) {
		return false
	}
	f.add(place+"."+invalid.Field, "%s", invalid.Reason)
	return true
}

// takeMistakes notes what is wrong with a document that stands at a place.
func (f *faults) takeMistakes(place string, err error) {
	var mistakes document.Mistakes
	if !errors.As(err, &mistakes) {
		f.add(place, "This is not a configuration.")
	}
	for _, m := range mistakes {
		*f = append(*f, ProblemField{strings.TrimSuffix(place+"."+m.Path, "."), m.What, m.Line})
	}
}

// at takes mistakes in the object that stands at a place of the request.
func (f *faults) at(place string) point.Fault { return point.Fault(f.add).In(place) }

// err is nil if nothing was added.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f.problem(invalidFields)
}

// problem lists them, each place once.
func (f faults) problem(detail string) *Problem {
	p := problem(http.StatusUnprocessableEntity, detail)
	for _, field := range f {
		p.mistake(field)
	}
	return p
}

// errors are what a resolver returns.
func (f faults) errors() (list []error) {
	for _, field := range f {
		list = append(list, field)
	}
	return list
}

const invalidFields = "Some of what was sent is not valid. Mend the fields listed in errors and send it again."

// useProblems makes huma answer with Problem. huma keeps this in variables of its package,
// so it is done once for the process.
var useProblems = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.ValidateStrictCasing = true
	huma.NewError = newProblem
	huma.NewErrorWithContext = func(ctx huma.Context, status int, detail string, errs ...error) huma.StatusError {
		for _, err := range errs {
			var d *huma.ErrorDetail
			if errors.As(err, &d) && d.Message == "unknown query parameter" {
				d.Message = unknownParameter(ctx.Operation())
			}
		}
		return newProblem(status, detail, errs...)
	}
})

// newProblem takes over what huma's validation found.
func newProblem(status int, detail string, errs ...error) huma.StatusError {
	p := problem(status, detail)
	switch detail {
	case "validation failed":
		p.Detail = invalidFields
	case "request body is required":
		p.Detail = "This route needs a JSON body."
	case "request body read timeout":
		p.Detail = tooSlow
	case "cannot read request body":
		return unreadable(errors.Join(errs...))
	case "unexpected error occurred":
		p.Detail = internal
		return p
	}
	for _, err := range errs {
		var tooLarge *http.MaxBytesError
		var syntax *json.SyntaxError
		var field ProblemField
		var detailer huma.ErrorDetailer
		switch {
		case errors.As(err, &tooLarge):
			return tooLargeProblem(tooLarge.Limit)
		case errors.As(err, &field):
			p.mistake(field)
		case errors.As(err, &detailer):
			d := detailer.ErrorDetail()
			p.mistake(fieldOf(d))
		case errors.As(err, &syntax):
			p.Errors = append(p.Errors, ProblemField{Location: "body", Message: "This is not valid JSON."})
		}
	}
	if slices.ContainsFunc(p.Errors, func(f ProblemField) bool { return f.Location == "body" }) {
		// Nothing was read of such a body: what its members lack is no news.
		p.Errors = slices.DeleteFunc(p.Errors, func(f ProblemField) bool { return strings.HasPrefix(f.Location, "body.") })
	}
	return p
}

// maxMistakes are the fields that a refusal lists: a body can have more that are wrong than anybody
// reads, and each is compared with all.
const maxMistakes = 1000

// mistake lists a field that is wrong, once: the schema and the object's own check may both have
// found it.
func (p *Problem) mistake(field ProblemField) {
	known := func(f ProblemField) bool { return f.Location == field.Location }
	if len(p.Errors) < maxMistakes && !slices.ContainsFunc(p.Errors, known) {
		p.Errors = append(p.Errors, field)
	}
}

// missing is what huma says of an object that lacks a member.
var missing = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// fieldOf is a mistake that huma found, at the place of the member that is wrong or lacks.
func fieldOf(d *huma.ErrorDetail) ProblemField {
	if m := missing.FindStringSubmatch(d.Message); m != nil {
		return ProblemField{Location: d.Location + "." + m[1], Message: "This is required."}
	}
	return ProblemField{Location: d.Location, Message: withoutCause(d.Message)}
}

// withoutCause cuts what a parser said of a value from a message of huma: it quotes the value.
func withoutCause(message string) string {
	switch {
	case strings.HasPrefix(message, "invalid date/time for format"):
		return "This must be a time such as 2026-01-31T12:00:00Z."
	case strings.HasPrefix(message, "expected string to be RFC"):
		message, _, _ = strings.Cut(message, ": ")
	}
	return message
}

func tooLargeProblem(limit int64) *Problem {
	return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes.", limit))
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("Content-Length")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// fromStore turns an error of the store into an answer; what it does not know passes through
// and becomes a 500. thing says what was looked for: "provider".
func fromStore(err error, thing string) error {
	var conflict *store.Conflict
	var full *store.Full
	var f faults
	switch {
	case err == nil:
		return nil
	case errors.As(err, &full):
		return problem(http.StatusConflict, fmt.Sprintf("A user may have %d of these, and no %s more fits. Delete one that is not needed.", full.Limit, thing)).as(codeFull)
	case f.take("body", err):
		return f.err()
	case errors.Is(err, store.ErrNotFound):
		return problem(http.StatusNotFound, fmt.Sprintf("There is no such %s.", thing))
	case errors.Is(err, store.ErrStale):
		return problem(http.StatusPreconditionFailed, fmt.Sprintf("Somebody else changed this %s meanwhile. Read it again, and repeat your change on what it is now.", thing))
	case errors.As(err, &conflict):
		p := problem(http.StatusConflict, fmt.Sprintf("Another %s has this %s. Choose another one.", thing, conflict.Field)).as(codeTaken)
		p.Errors = []ProblemField{{Location: "body." + conflict.Field, Message: "This is taken."}}
		return p
	}
	return err
}

// failed is the answer to an error of a route, which is logged if the caller is not told of
// it. A database that does not answer is a 503: it may be back in a moment.
func (a *API) failed(ctx context.Context, operation string, err error) error {
	var p *Problem
	var f faults
	switch {
	case errors.As(err, &p):
		return p
	case f.take("query", err):
		return f.err()
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return problem(statusClientGone, "The request was given up.")
	}
	a.Log.ErrorContext(ctx, "api: "+operation+" failed", "error", err)
	if a.database(ctx).State != point.HealthOK {
		return retryAfter(http.StatusServiceUnavailable, 5*time.Second, "The database does not answer. Requests on /v1 are still served; try this again in a moment.").as(codeDatabase)
	}
	return problem(http.StatusInternalServerError, internal)
}

const (
	internal         = "Point failed to handle this request. Its log has the details."
	statusClientGone = 499 // nobody reads it
)
