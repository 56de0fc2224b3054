package prices

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"point"
)

//go:embed prices.jsonl
var priceLines []byte

// rememberedModels bounds how many model names a provider keeps the answer for: clients
// choose the names.
const rememberedModels = 4096

// Table is the catalogue. It implements point.Prices and point.Models and is safe for concurrent use.
type Table struct {
	providers map[string]*provider // by the catalogue's name
	infos     func() map[string]map[string]Info
}

// provider is one provider's models, decoded at the first question.
type provider struct {
	id       string
	fallback []string // providers whose models it also sells
	lines    []byte   // one JSON model per line

	decode     func() []model
	remembered sync.Map // model name -> *model, nil if there is none
	count      atomic.Int32
}

// model is one line of prices.jsonl.
type model struct {
	ID         string `json:"id"`
	Match      rule   `json:"match"`
	Context    int64  `json:"context"`
	Deprecated bool   `json:"deprecated"`

	prices []dated // at least one
}

// decodeModel reads a line.
func decodeModel(line []byte) (model, error) {
	var l struct {
		model
		Prices []priceLine `json:"prices"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return model{}, err
	}
	if len(l.Prices) == 0 {
		return model{}, errors.New("no price")
	}
	l.prices = make([]dated, len(l.Prices))
	for i := range l.Prices {
		var err error
		if l.prices[i], err = l.Prices[i].dated(); err != nil {
			return model{}, err
		}
	}
	if err := l.Match.compile(); err != nil {
		return model{}, err
	}
	return l.model, nil
}

// New indexes the catalogue; it fails only if the embedded file is broken.
func New() (*Table, error) {
	t := &Table{providers: map[string]*provider{}, infos: sync.OnceValue(decodeInfos)}
	_, rest, _ := bytes.Cut(priceLines, []byte("\n")) // the first line tells where they are from
	start := []byte(`{"provider":`)
	for len(rest) > 0 {
		line, models, _ := bytes.Cut(rest, []byte("\n"))
		end := len(models)
		if i := bytes.Index(models, append([]byte("\n"), start...)); i >= 0 {
			end = i + 1
		}
		p, err := newProvider(line, models[:end])
		if err != nil {
			return nil, err
		}
		t.providers[p.id] = p
		rest = models[end:]
	}
	return t, nil
}

func newProvider(line, models []byte) (*provider, error) {
	var head struct {
		Provider string   `json:"provider"`
		Fallback []string `json:"fallback"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("embedded prices: %w", err)
	}
	if head.Provider == "" {
		return nil, errors.New("embedded prices: a provider has no name")
	}
	p := &provider{id: head.Provider, fallback: head.Fallback, lines: models}
	p.decode = sync.OnceValue(p.decodeModels)
	return p, nil
}

// decodeModels reads the lines. They are embedded and tested: a line that cannot be read is
// left out, its models are unpriced.
func (p *provider) decodeModels() []model {
	list := make([]model, 0, bytes.Count(p.lines, []byte("\n")))
	for line := range bytes.Lines(p.lines) {
		if m, err := decodeModel(line); err == nil {
			list = append(list, m)
		}
	}
	return list
}

// Price is the price of kind's model at a time, nil if unknown. The answer is shared: it must
// not be changed.
func (t *Table) Price(kind, modelName string, at time.Time) *point.Price {
	p, name := t.seller(kind, modelName)
	if p == nil {
		return nil
	}
	m := t.find(p, kind, name)
	if m == nil {
		return nil
	}
	return m.price(at)
}

func (t *Table) provider(kind string) *provider {
	if name, ok := catalogueNames[kind]; ok {
		kind = name.prices
	}
	return t.providers[kind]
}

// seller is who sells kind's model, and the name it has there. Hugging Face's router sells what
// others serve: a model's name may end in a colon and the server's.
func (t *Table) seller(kind, modelName string) (*provider, string) {
	if at := strings.LastIndexByte(modelName, ':'); kind == "huggingface" && at > 0 {
		return t.providers["huggingface_"+modelName[at+1:]], modelName[:at]
	}
	return t.provider(kind), modelName
}

// find is p's model of that name, nil if there is none.
func (t *Table) find(p *provider, kind, name string) *model {
	if m, ok := p.remembered.Load(name); ok {
		return m.(*model)
	}
	var found *model
	for _, spelling := range spellings(kind, p.id, name) {
		if found = t.match(p, spelling, 0); found != nil {
			break
		}
	}
	if p.count.Load() < rememberedModels {
		p.count.Add(1)
		p.remembered.Store(strings.Clone(name), found)
	}
	return found
}

// match is the first model of p that takes name, or of the providers that p resells.
func (t *Table) match(p *provider, name string, depth int) *model {
	models := p.decode()
	for i := range models {
		if models[i].Match.takes(name) {
			return &models[i]
		}
	}
	if depth > 2 {
		return nil
	}
	for _, id := range p.fallback {
		if other, ok := t.providers[id]; ok {
			if m := t.match(other, name, depth+1); m != nil {
				return m
			}
		}
	}
	return nil
}

var compactDate = regexp.MustCompile(`-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(-|:|$)`)

// undated is name without a date at its end: -2024-08-06, -20240806 or @20240806.
func undated(name string) string {
	for _, form := range []string{"-20dd-dd-dd", "-20dddddd", "@20dddddd"} {
		if n := len(name) - len(form); n > 0 && hasForm(name[n:], form) {
			return name[:n]
		}
	}
	return name
}

// hasForm compares s with a form of the same length, in which d is any digit.
func hasForm(s, form string) bool {
	for i := range len(form) {
		if form[i] == 'd' && (s[i] < '0' || s[i] > '9') || form[i] != 'd' && s[i] != form[i] {
			return false
		}
	}
	return true
}

// spellings are the forms under which the catalogue may know a model, best first: as given,
// with its date written with dashes, without a path or the provider's own name before it, and
// last without its date, since a snapshot costs what its model costs unless the catalogue
// says otherwise.
func spellings(kind, id, name string) []string {
	name = strings.ToLower(strings.TrimSpace(name))
	bases := []string{name}
	if i := strings.LastIndex(name, "models/"); i >= 0 { // Google: models/x, publishers/google/models/x
		bases = append(bases, name[i+len("models/"):])
	}
	if before, after, ok := strings.Cut(name, "/"); ok && (before == kind || before == id) {
		bases = append(bases, after)
	}
	list := append([]string(nil), bases...)
	for _, base := range bases {
		list = append(list, compactDate.ReplaceAllString(base, "-$1-$2-$3$4"))
	}
	for _, base := range bases {
		list = append(list, undated(base))
	}
	return list
}

// catalogueNames are the kinds whose name is not the one in the catalogues.
var catalogueNames = map[string]struct{ prices, models string }{
	"gemini":            {"google", "gemini"},
	"google":            {"google", "gemini"},
	"vertex":            {"google", "vertexai"},
	"vertexai":          {"google", "vertexai"},
	"bedrock":           {"aws", "bedrock"},
	"azure-openai":      {"azure", "azure"},
	"xai":               {"x-ai", "xai"},
	"x-ai":              {"x-ai", "xai"},
	"moonshot":          {"moonshotai", "moonshot"},
	"moonshotai":        {"moonshotai", "moonshot"},
	"zhipu":             {"zhipuai", "zhipu"},
	"zhipuai":           {"zhipuai", "zhipu"},
	"voyage":            {"voyageai", "voyageai"},
	"together-ai":       {"together", "together"},
	"fireworks-ai":      {"fireworks", "fireworks"},
	"alibaba":           {"", "alibaba-singapore"},
	"copilot":           {"github-copilot", "copilot"},
	"github-copilot":    {"github-copilot", "copilot"},
	"openai-compatible": {"", ""}, // may be anything: unknown
}
