package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// ownParams are read by Point itself and go to no provider; so need no mention.
var ownParams = []string{"model", "stream", "stream_options", "provider", "fallback_providers", "models", "messages"}

// meaning are the fields that change what an answer is, and so are not left out in silence,
// with the values at which they change nothing.
var meaning = map[string]func(gjson.Result) bool{
	"n":                  func(v gjson.Result) bool { return v.Num == 1 },
	"logprobs":           func(v gjson.Result) bool { return v.Type == gjson.False },
	"top_logprobs":       func(v gjson.Result) bool { return v.Num == 0 },
	"modalities":         func(v gjson.Result) bool { return v.Raw == `["text"]` },
	"audio":              func(gjson.Result) bool { return false },
	"logit_bias":         empty,
	"web_search_options": func(gjson.Result) bool { return false },
	"functions":          empty,
	"function_call":      func(v gjson.Result) bool { return v.Str == "none" },
	"tools":              empty,
	"tool_choice":        func(v gjson.Result) bool { return v.Str == "none" || v.Str == "auto" },
	"response_format":    func(v gjson.Result) bool { return v.Get("type").Str == "text" },
	"encoding_format":    func(v gjson.Result) bool { return v.Str == "float" },
	"dimensions":         func(gjson.Result) bool { return false },
	"presence_penalty":   func(v gjson.Result) bool { return v.Num == 0 },
	"frequency_penalty":  func(v gjson.Result) bool { return v.Num == 0 },
}

// empty reports whether v holds nothing: an empty list or object, or what is neither.
func empty(v gjson.Result) bool { return !v.IsArray() && !v.IsObject() || len(v.Raw) == 2 }

// bend are fields of meaning that shape sampling alone: like bookkeeping they are left out,
// with a mention if they are set to something.
var bend = []string{"presence_penalty", "frequency_penalty"}

// maxDropped bounds how many dropped fields are named; their names are the client's.
const maxDropped = 32

// fields sorts out a translated request's fields: those in said have been translated; of the
// others, a field that changes the meaning is refused, or dropped if the request says so,
// and the rest is dropped. It returns what was dropped.
func fields(req *Request, kind string, said []string) (dropped []string, err error) {
	known := func(name string) bool { return slices.Contains(ownParams, name) || slices.Contains(said, name) }
	env := &req.Call.Envelope
	if env.Keys == len(env.Params) && !slices.ContainsFunc(env.Params, func(name string) bool { return !known(name) }) {
		return nil, nil
	}
	gjson.ParseBytes(req.Call.Body).ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		harmless, weighty := meaning[name]
		switch {
		case known(name), value.Type == gjson.Null, weighty && harmless(value):
			return true
		case weighty && !req.Drop && !slices.Contains(bend, name):
			err = unsupported(kind, name, "")
			return false
		}
		if name = printable(name); len(dropped) < maxDropped && !slices.Contains(dropped, name) {
			dropped = append(dropped, name)
		}
		return true
	})
	return dropped, err
}

// named are names of a client's as they may be told.
func named(names []string) []string {
	list := make([]string, 0, maxDropped)
	for _, name := range names[:min(len(names), maxDropped)] {
		list = append(list, printable(name))
	}
	return list
}

// printable is a client's word as it may stand in a header.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ',' {
			return '?'
		}
		return r
	}, cut(name, 64))
}

// unsupported is the refusal of a field that a kind of provider cannot honour.
func unsupported(kind, param, hint string) *point.Error {
	if hint == "" {
		hint = `leave it out, choose another provider, or set "unsupported" to "drop" in the endpoint's mapping`
	}
	return &point.Error{
		Code: point.UnsupportedField, Param: param,
		Message: fmt.Sprintf("Providers of kind %s cannot honour %q: %s.", kind, param, hint),
	}
}
