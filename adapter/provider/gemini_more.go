package provider

import (
	"net/http"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
	"point/internal/sse"
	"point/internal/tokens"
)

// ContentCounter serves PathCountTokens in Gemini's own dialect, ContentEmbedder PathEmbeddings.
type (
	ContentCounter interface {
		CountContents(req *Request) (*Exchange, error)
	}
	ContentEmbedder interface {
		EmbedContents(req *Request) (*Exchange, error)
	}
)

// google is what serves a call of Gemini's dialect in it, nil if nothing does.
func (k *Kind) google(path, model string, c *point.ProviderConfig) func(*Request) (*Exchange, error) {
	if path == point.PathGemini {
		return k.own(path, model, c)
	}
	if s, ok := k.Service.(Selective); ok && path == point.PathCountTokens && !s.Speaks(point.PathGemini, model, c) {
		return nil
	}
	return googleAbility(k.Service, path)
}

// Counts reports whether k has the tokens of a dialect's prompts counted.
func (k *Kind) Counts(d point.Dialect, model string, c *point.ProviderConfig) bool {
	if d != point.DialectGemini {
		return k.Speaks(point.PathCountTokens, model, c)
	}
	return k.google(point.PathCountTokens, model, c) != nil || k.told(point.PathCountTokens) != nil
}

// googleAbility is what of a service serves a path in Gemini's dialect beside PathGemini.
func googleAbility(s Service, path string) func(*Request) (*Exchange, error) {
	switch path {
	case point.PathCountTokens:
		if s, ok := s.(ContentCounter); ok {
			return s.CountContents
		}
	case point.PathEmbeddings:
		if s, ok := s.(ContentEmbedder); ok {
			return s.EmbedContents
		}
	}
	return nil
}

// CountContents forwards a count. It costs nothing.
func (gemini) CountContents(req *Request) (*Exchange, error) {
	return forwardGoogles(req, "countTokens", googleMemberOf{"totalTokens"})
}

// EmbedContents forwards what is to be embedded.
func (gemini) EmbedContents(req *Request) (*Exchange, error) {
	member := "embedding"
	if req.Call.Method == "batchEmbedContents" {
		member = "embeddings"
	}
	return forwardGoogles(req, req.Call.Method, googleEmbedded{googleMemberOf{member}, req})
}

// forwardGoogles sends a body on as it came, but for the model's name where it stands within.
func forwardGoogles(req *Request, method string, decoder Decoder) (*Exchange, error) {
	body, err := googlesBody(req)
	if err != nil {
		return nil, err
	}
	resource := geminiResource(req.Model)
	var list edits
	name := func(of value) {
		if of.isObject() {
			list.set(of, "model", string(jsontext.AppendString(nil, resource)))
		}
	}
	doc := whole(body)
	name(doc.get("generateContentRequest"))
	for _, one := range doc.get("requests").elements() {
		name(one)
	}
	return &Exchange{
		Outbound: &point.Outbound{
			Method: http.MethodPost,
			Path:   "/v1beta/" + resource + ":" + method,
			Header: http.Header{"Content-Type": {"application/json"}},
			Body:   splice(body, list),
		},
		Decoder: decoder,
	}, nil
}

// googleMemberOf relays a document that has a member.
type googleMemberOf struct{ member string }

func (d googleMemberOf) Document(body []byte) (point.Block, error) {
	doc := whole(body)
	switch {
	case !validJSON(body) || !doc.isObject():
		return point.Block{}, badDocument(body)
	case doc.get("error").isError():
		return point.Block{}, embedded(googleComplaint(body))
	case !doc.get(d.member).exists():
		return point.Block{}, badDocument(body)
	}
	return point.Block{Data: body}, nil
}

func (googleMemberOf) Event(sse.Event, func(point.Block)) error { return badEvent() }
func (googleMemberOf) End(func(point.Block)) error              { return truncated() }

// googleEmbedded relays embeddings. Most models do not tell how many tokens they read.
type googleEmbedded struct {
	googleMemberOf
	req *Request
}

func (d googleEmbedded) Document(body []byte) (point.Block, error) {
	block, err := d.googleMemberOf.Document(body)
	if err != nil {
		return block, err
	}
	if told := gjson.GetBytes(body, "usageMetadata.promptTokenCount"); told.Exists() {
		block.Usage = &point.Usage{Input: count(told.Int())}
	} else {
		block.Usage = &point.Usage{Input: tokens.Prompt(d.req.Call, d.req.Model, point.DialectGemini), Estimated: true}
	}
	return block, nil
}
