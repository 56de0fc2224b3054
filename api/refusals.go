package api

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// refusals are the codes with which each operation may refuse besides those that follow from its
// line in the route table, by its id.
var refusals = map[string][]Code{
	"setUp":          {codeUnauthenticated, codeSetupLink, codeSetUpAlready, codeTries, codeBusy},
	"login":          {codeUnauthenticated, codeWrongPassword, codeTries, codeBusy},
	"refresh":        {codeUnauthenticated, codeUnavailable},
	"accept":         {codeUnauthenticated, codeInvitation, codeTries, codeBusy},
	"startOIDC":      {codeNoOpenID},
	"finishOIDC":     {codeNoOpenID},
	"changePassword": {codeNotFound, codeStale, codeTries, codeBusy},

	"createProvider": {codeTaken},
	"updateProvider": {codeTaken, codeLocked, codeUnknownKind},
	"deleteProvider": {codeInUse, codeLocked},
	"updateEndpoint": {codeLocked},
	"createAlias":    {codeTaken},
	"putAlias":       {codeLocked},
	"deleteAlias":    {codeInUse, codeLocked},

	"createKey": {codeFull},
	"updateKey": {codeLocked},
	"rotateKey": {codeLocked, codeConflict},
	"deleteKey": {codeInUse, codeLocked},

	"createUser":         {codeTaken, codeBusy},
	"updateUser":         {codeOwnAccount, codeAbove, codeSession, codeTaken, codeLastOwner, codeBusy},
	"deleteUser":         {codeAbove, codeLastOwner},
	"inviteUser":         {codeOwnAccount, codeAbove, codeDisabled, codeStale},
	"deleteUserSessions": {codeAbove},
	"createRole":         {codeTaken, codeInUse},
	"updateRole":         {codeBuiltIn, codeOwnAccount, codeAbove},
	"deleteRole":         {codeBuiltIn, codeOwnAccount, codeAbove, codeInUse},
	"createUserToken":    {codeFull},
	"deleteUserToken":    {codeAbove},

	"getBodies":     {codeNotKept},
	"replayRequest": {codeNotKept, codeConflict},

	"getBackup":      {codeConflict},
	"saveConfig":     {codeTaken},
	"importConfig":   {codeTaken, codeUnavailable, codeBusy},
	"importPrices":   {codeUnavailable},
	"exportSecrets":  {codeBusy},
	"updateConfig":   {codeTaken, codeUnavailable},
	"activateConfig": {codeUnavailable},
	"rollBack":       {codeUnavailable},
	"rotateSecrets":  {codeRotating},

	"createAlertRule": {codeTaken},
	"updateAlertRule": {codeTaken, codeLocked},
	"deleteAlertRule": {codeLocked},
	"createNotifier":  {codeTaken},
	"updateNotifier":  {codeTaken},
	"testNotifier":    {codeNotConnected},
	"streamEvents":    {codeNotConnected, codeOrigin},
}

// asking are the operations that ask the gateway, and the codes of /v1 with which it refuses; how a
// test went stands in its result.
var asking = map[string][]point.Code{
	"testProvider":  {point.MissingField},
	"testEndpoint":  {},
	"explainRoute":  {point.InvalidRequest, point.MissingField, point.ProviderNotFound},
	"listModels":    {},
	"replayRequest": {},
}

// still are the operations that need no database to answer.
var still = []string{
	"getOpenAPI", "getDocs", "getDocsScript", "getDocsStyle", "getMethods", "startOIDC", "finishOIDC", "me", "listPermissions", "getSettings",
	"listProviderKinds", "listModels", "listPrices", "explainRoute", "streamEvents", "getStatus", "getHealth",
}

// makesAtName are the operations that make what is not there yet.
var makesAtName = []string{"putAlias", "putPrice", "putModel"}

// refusalsOf are all codes with which an operation may refuse.
func refusalsOf(op *huma.Operation) []Code {
	has := func(in, name string) bool {
		return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == in && (name == "" || p.Name == name) })
	}
	is := func(key string) bool { yes, _ := op.Metadata[key].(bool); return yes }
	permission, _ := op.Metadata[metaPermission].(Permission)
	codes := append([]Code{codeMalformed, codeHost, codeRate, codeInternal, codeTooLarge, codeMediaType}, refusals[op.OperationID]...)
	add := func(when bool, more ...Code) {
		if when {
			codes = append(codes, more...)
		}
	}
	add(permission != Public, codeUnauthenticated, codeTwoCredentials)
	add(permission != Public && permission != SignedIn, codePermission)
	add(is(metaSession), codeSession)
	add(op.Method != http.MethodGet, codeOrigin)
	add(has("path", "") && !slices.Contains(makesAtName, op.OperationID), codeNotFound)
	add(has("header", "If-Match"), codeStale)
	add(op.RequestBody != nil, codeTooSlow)
	add(op.RejectUnknownQueryParameters || op.RequestBody != nil, codeInvalid)
	add(is(metaCreates), codeInProgress, codeKeyReused, codeUnavailable)
	add(!slices.Contains(still, op.OperationID), codeDatabase)
	said, asks := asking[op.OperationID]
	add(asks, codeNotConnected)
	for _, code := range said {
		codes = append(codes, Code(code))
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// describeRefusals puts the refusals of every operation into the document, by status.
func describeRefusals(spec *huma.OpenAPI) {
	spec.Components.Examples = map[string]*huma.Example{}
	spec.Components.Responses = map[string]*huma.Response{}
	for op := range operationsOf(spec) {
		refuses(spec, op)
	}
}

// operationsOf are the operations of a document, in no order.
func operationsOf(spec *huma.OpenAPI) iter.Seq[*huma.Operation] {
	return func(yield func(*huma.Operation) bool) {
		for _, item := range spec.Paths {
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
				if op != nil && !yield(op) {
					return
				}
			}
		}
	}
}

func refuses(spec *huma.OpenAPI, op *huma.Operation) {
	byStatus := map[int][]Code{}
	for _, code := range refusalsOf(op) {
		status, _ := code.describe()
		byStatus[status] = append(byStatus[status], code)
	}
	delete(op.Responses, "default")
	for status, codes := range byStatus {
		op.Responses[strconv.Itoa(status)] = refusalResponse(spec, status, codes)
	}
}

// mostNamed is of how many codes an answer may be that has a name in the document.
const mostNamed = 3

// refusalResponse is the answer of a status with one of some codes.
func refusalResponse(spec *huma.OpenAPI, status int, codes []Code) *huma.Response {
	name := strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))
	if len(codes) > 1 || codes[0] != codeOfStatus(status) {
		for _, code := range codes {
			name += "." + string(code)
		}
	}
	if len(codes) > mostNamed {
		return newRefusal(spec, status, codes)
	}
	if spec.Components.Responses[name] == nil {
		spec.Components.Responses[name] = newRefusal(spec, status, codes)
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

func newRefusal(spec *huma.OpenAPI, status int, codes []Code) *huma.Response {
	var lines []string
	examples := map[string]*huma.Example{}
	for _, code := range codes {
		_, meaning := code.describe()
		lines = append(lines, fmt.Sprintf("`%s`: %s", code, meaning))
		spec.Components.Examples[string(code)] = &huma.Example{Summary: meaning, Value: exampleOf(code)}
		examples[string(code)] = &huma.Example{Ref: "#/components/examples/" + string(code)}
	}
	return &huma.Response{
		Description: strings.Join(lines, "\n\n"),
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}, Examples: examples}},
		Extensions:  map[string]any{"x-codes": codes},
		Headers:     waits(status),
	}
}

// waits is the header that says how long to wait, on the answers that have it.
func waits(status int) map[string]*huma.Param {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return nil
	}
	return map[string]*huma.Param{"Retry-After": {Description: "Seconds to wait before another try.", Schema: &huma.Schema{Type: huma.TypeInteger}}}
}

// exampleOf is an answer with a code.
func exampleOf(code Code) *Problem {
	status, meaning := code.describe()
	p := problem(status, meaning).as(code)
	switch code {
	case codeInvalid:
		p.Detail = invalidFields
		p.Errors = []ProblemField{{Location: "body.name", Message: "This is required."}}
	case codeTaken:
		p.Errors = []ProblemField{{Location: "body.name", Message: "This is taken."}}
	case codeInUse:
		p.UsedBy = []Use{{Entity: "alias", Name: "fast"}}
	}
	return p
}
