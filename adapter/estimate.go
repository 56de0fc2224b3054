package adapter

import (
	"slices"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"point"
	"point/adapter/provider"
	"point/internal/tokens"
)

// uncounted are the endpoints whose usage cannot be told by what is said: of images and sound, and
// what is counted by other things than tokens.
var uncounted = []string{
	point.PathImages, point.PathImageEdits, point.PathSpeech, point.PathTranscribe, point.PathTranslate, point.PathModerations, point.PathCountTokens,
}

// estimate counts tokens where the provider told nothing: the prompt's, and those of what was
// relayed of the answer. Of a stream that broke off it keeps what was told by then, and takes the
// output to be at least what was relayed.
func (t *transaction) estimate() {
	switch {
	case t.record.CacheHit: // nothing was used
		return
	case t.call.Path == point.PathSpeech:
		t.countCharacters()
		return
	case slices.Contains(uncounted, t.call.Path):
		return
	case t.usage == nil:
		t.usage = &point.Usage{}
	case !t.record.Stream, t.record.Outcome == point.OutcomeComplete && t.usage.Output > 0:
		return
	}
	u := *t.usage
	u.Estimated = true
	if u.Input == 0 {
		u.Input = tokens.Prompt(t.call, t.record.UpstreamModel, t.targetDialect())
	}
	u.Output = max(u.Output, t.heard.Tokens(t.record.UpstreamModel))
	t.usage = &u
}

// countCharacters counts the text that was to be spoken: that is what is billed where tokens are
// not.
func (t *transaction) countCharacters() {
	var u point.Usage
	if t.usage != nil {
		u = *t.usage
	}
	u.Characters = int64(utf8.RuneCountInString(gjson.GetBytes(t.call.Body, "input").Str))
	t.usage = &u
}

// unpriced tells why the cost of an answer is not known; empty: it is, or there is nothing to pay for.
func (t *transaction) unpriced() string {
	r := &t.record
	switch {
	case r.Cost != nil, t.price.Free():
		return ""
	case t.price != nil && t.untold():
		return "A price is known for this model, but " + lastProvider(r) + " told no usage that it could be reckoned by."
	case r.Usage == nil:
		return ""
	}
	return "No price is known for this model at " + lastProvider(r) + "."
}

// untold reports whether an answer has a price, and lacks what it hangs on.
func (t *transaction) untold() bool {
	if u := t.record.Usage; u != nil {
		return u.Total() == 0 && (t.price.Input != nil || t.price.Output != nil || t.price.AudioOutput != nil)
	}
	heard := t.call.Path == point.PathTranscribe || t.call.Path == point.PathTranslate
	return heard && t.record.Outcome == point.OutcomeComplete
}

// listen takes notice of what is relayed, if its tokens may have to be counted.
func (t *transaction) listen(data []byte) {
	if answers(t.call.Path) && (t.record.Stream || t.usage == nil) {
		t.heard.Listen(t.call.Path, t.record.Stream, data)
	}
}

// targetDialect is what the target speaks that was tried last.
func (t *transaction) targetDialect() point.Dialect {
	if p, ok := t.call.Snapshot.Providers[t.record.ProviderID]; ok {
		if kind, ok := provider.Lookup(p.Kind); ok {
			return kind.Dialect
		}
	}
	return point.DialectOpenAI
}
