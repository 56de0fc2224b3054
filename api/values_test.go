package api

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// mirror is in every value that is sent to be refused; no answer may hold it.
const mirror = "zq-mirror"

// plain is the simplest value that s takes: an example, the default, or the least.
func (d *apiDocument) plain(s *schema) any {
	s = d.resolve(s)
	switch {
	case len(s.Examples) > 0 && !s.is("array"):
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.is("object"):
		object := map[string]any{}
		for _, name := range s.Required {
			object[name] = d.plain(s.Properties[name])
		}
		return object
	case s.is("array"):
		list := []any{}
		for range orZero(s.MinItems) {
			list = append(list, d.plain(s.Items))
		}
		return list
	case s.is("integer"), s.is("number"):
		return math.Max(1, orZero(s.Minimum))
	case s.is("boolean"):
		return true
	case s.is("string"):
		return plainText(s)
	}
	return nil
}

func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

// formatted are texts in the formats that the document uses.
var formatted = map[string]string{
	"date-time": "2026-03-04T12:00:00Z", "uuid": "01890000-0000-7000-8000-000000000000", "email": "somebody@example.com", "uri": "https://service.example",
}

func plainText(s *schema) string {
	if text := formatted[s.Format]; text != "" {
		return text
	}
	if s.Pattern != "" {
		return matching(s.Pattern, 1)
	}
	return strings.Repeat("t", max(1, orZero(s.MinLength)))
}

var patterns = map[string]*rapid.Generator[string]{}

// matching is a text that matches a pattern.
func matching(pattern string, seed int) string {
	g, ok := patterns[pattern]
	if !ok {
		g = rapid.StringMatching(pattern)
		patterns[pattern] = g
	}
	return g.Example(seed)
}

// with is a body of o in which value stands at n, and all that is needed around it.
func (d *apiDocument) with(o *operation, body any, n *node, value any) any {
	s := d.resolve(o.body())
	for i := range n.way {
		if missing := valueAt(body, n.way[:i]); missing == nil {
			body = setAt(body, n.way[:i], d.plain(s))
		}
		s = d.resolve(s.below(n.way[i]))
	}
	return setAt(body, n.way, value)
}

// below is the schema of a member or an item.
func (s *schema) below(step any) *schema {
	if _, index := step.(int); index {
		return s.Items
	}
	if p := s.Properties[fmt.Sprint(step)]; p != nil {
		return p
	}
	if s.Additional.schema != nil {
		return s.Additional.schema
	}
	return &schema{}
}

// breach is a value that breaks one constraint of a schema.
type breach struct {
	what  string
	value any
}

// absent, as a breach's value, stands for no value.
type absent struct{}

// breaches are one value for each constraint of n that breaks it and, as far as can be, no
// other.
func (d *apiDocument) breaches(n *node) (all []breach) {
	s := n.schema
	add := func(what string, value any) { all = append(all, breach{what, value}) }
	text := n.in != "body" // all that a URL or a header holds is text
	if n.required && !n.open && len(n.way) > 0 && (n.in == "body" || n.in == "query" || n.in == "header") {
		if _, item := n.last().(int); !item {
			add("required", absent{})
		}
	}
	switch {
	case s.is("string"):
		d.breakText(n, add)
	case s.is("integer"), s.is("number"):
		add("type", mirror)
		if s.is("integer") {
			add("type", 1.5)
		}
		if s.Minimum != nil {
			add("minimum", *s.Minimum-1)
		}
		if s.Maximum != nil && *s.Maximum < 1<<52 {
			add("maximum", *s.Maximum+1)
		}
	case s.is("boolean"):
		add("type", mirror)
	case s.is("array"):
		if !text {
			add("type", mirror)
		}
		d.breakList(n, add)
	case s.is("object"):
		add("type", mirror)
		add("type", []any{mirror})
		if s.Additional.closed || n.location() == "body.config" {
			add("unknown", map[string]any{"zq_unknown": mirror})
		}
		if s.MaxProperties != nil {
			many := map[string]any{}
			for i := range *s.MaxProperties + 1 {
				many[fmt.Sprint("zq-", i)] = "text"
			}
			add("maxProperties", many)
		}
	}
	if len(s.Enum) > 0 {
		add("enum", mirror)
	}
	if !text && n.required && !s.is("null") && len(s.Type) > 0 {
		add("null", nil)
	}
	return all
}

func (d *apiDocument) breakText(n *node, add func(string, any)) {
	s := n.schema
	if n.in == "body" {
		add("type", 17.25)
		add("type", []any{mirror})
	}
	if short := orZero(s.MinLength) - 1; short > 0 || short == 0 && n.in == "body" {
		add("minLength", strings.Repeat("q", short))
	}
	if s.MaxLength != nil {
		add("maxLength", tooLong(s))
	}
	if s.Pattern != "" {
		if text, ok := mismatch(s); ok {
			add("pattern", text)
		}
	}
	switch s.Format {
	case "date-time", "uuid", "email":
		add("format", mirror)
	case "uri":
		add("format", "%zz"+mirror)
	}
}

func tooLong(s *schema) string {
	text := mirror + strings.Repeat("q", *s.MaxLength+1-len(mirror)%(*s.MaxLength+1))
	if s.Format == "email" {
		text += "@example.com"
	}
	return text
}

// mismatch is a text of a fitting length that does not match the pattern.
func mismatch(s *schema) (string, bool) {
	re := regexp.MustCompile(s.Pattern)
	for _, text := range []string{mirror + " \u00e9", mirror, "-" + mirror, "9xx", "q q", mirror + "\x7f"} {
		fits := len(text) >= orZero(s.MinLength) && (s.MaxLength == nil || len(text) <= *s.MaxLength)
		if fits && !re.MatchString(text) {
			return text, true
		}
	}
	return "", false
}

func (d *apiDocument) breakList(n *node, add func(string, any)) {
	s := n.schema
	if orZero(s.MinItems) > 0 {
		add("minItems", []any{})
	}
	if s.MaxItems == nil {
		return
	}
	list := make([]any, *s.MaxItems+1)
	for i := range list {
		list[i] = d.plain(s.Items)
	}
	add("maxItems", list)
}

// unbounded says what a value lacks to have a bound, or nothing.
func (s *schema) unbounded() string {
	switch {
	case len(s.Enum) > 0, s.is("boolean"):
		return ""
	case s.is("string"):
		ends := slices.Contains([]string{"date-time", "date", "uuid"}, s.Format) || s.Pattern != "" && endless(s.Pattern) == nil
		if s.MaxLength == nil && !ends {
			return "a maxLength"
		}
	case s.is("integer"), s.is("number"):
		if s.Minimum == nil || s.Maximum == nil {
			return "a minimum and a maximum"
		}
	case s.is("array"):
		if s.MaxItems == nil {
			return "a maxItems"
		}
	case s.is("object"):
		if !s.Additional.closed && s.MaxProperties == nil {
			return "a maxProperties"
		}
	default:
		return "a type"
	}
	return ""
}

// endless is why a pattern matches texts of any length, or nil.
func endless(pattern string) error {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return err
	}
	if re = re.Simplify(); re.Op != syntax.OpConcat || re.Sub[0].Op != syntax.OpBeginText || re.Sub[len(re.Sub)-1].Op != syntax.OpEndText {
		return fmt.Errorf("%s is not held at both ends", pattern)
	}
	var repeats func(*syntax.Regexp) bool
	repeats = func(re *syntax.Regexp) bool {
		return re.Op == syntax.OpStar || re.Op == syntax.OpPlus || slices.ContainsFunc(re.Sub, repeats)
	}
	if repeats(re) {
		return fmt.Errorf("%s repeats without an end", pattern)
	}
	return nil
}

// any is a random value that s takes, often at one of its bounds.
func (d *apiDocument) any(s *schema, r *rand.Rand) any {
	s = d.resolve(s)
	switch {
	case s.is("null") && r.IntN(8) == 0:
		return nil
	case len(s.Enum) > 0:
		return s.Enum[r.IntN(len(s.Enum))]
	case len(s.Examples) > 0 && r.IntN(2) == 0:
		return s.Examples[0]
	case s.is("object"):
		return d.anyObject(s, r)
	case s.is("array"):
		list := []any{}
		for range max(orZero(s.MinItems), r.IntN(3)) {
			list = append(list, d.any(s.Items, r))
		}
		return list
	case s.is("integer"), s.is("number"):
		least, most := orZero(s.Minimum), math.Min(orZero(s.Minimum)+1000, orOr(s.Maximum, 1e6))
		return []float64{least, most, math.Floor(least + r.Float64()*(most-least)), orOr(s.Maximum, 1e6)}[r.IntN(4)]
	case s.is("boolean"):
		return r.IntN(2) == 0
	}
	return d.anyText(s, r)
}

func orOr[T any](p *T, other T) T {
	if p == nil {
		return other
	}
	return *p
}

func (d *apiDocument) anyObject(s *schema, r *rand.Rand) any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, name) || r.IntN(3) == 0 {
			object[name] = d.any(s.Properties[name], r)
		}
	}
	if !s.Additional.closed && r.IntN(3) == 0 {
		object["k"+fmt.Sprint(r.IntN(5))] = oddTexts[r.IntN(len(oddTexts))]
	}
	return object
}

// oddTexts are texts that programs stumble over.
var oddTexts = []string{
	"", " ", "a", "null", "true", "0", "-1", "1e999", "NaN", "[]", "{}", "\u0000", "a\u0000b", "\u202etxt", "\U0001F600", "e\u0301", "\ufeffx", "\ufffd", "\u2028",
	"' OR '1'='1", `"; DROP TABLE users; --`, "%", "_", `\`, "../../etc/passwd", "${7*7}", "{{7*7}}", "<script>", "\r\nX-Evil: 1", "\x1b[31m", "::1", "0x7f000001",
	"9223372036854775808", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00Z", "https://[::1", "a/b", ".", "..", "constructor", "__proto__",
}

func (d *apiDocument) anyText(s *schema, r *rand.Rand) any {
	if text := formatted[s.Format]; text != "" {
		return text
	}
	if s.Pattern != "" {
		return matching(s.Pattern, r.IntN(64))
	}
	most := min(orOr(s.MaxLength, 50), 3000)
	switch r.IntN(4) {
	case 0:
		return strings.Repeat("m", most)
	case 1:
		return strings.Repeat("\u00e9", max(1, orZero(s.MinLength)))
	case 2:
		if text := oddTexts[r.IntN(len(oddTexts))]; len(text) <= most && len(text) >= orZero(s.MinLength) {
			return text
		}
	}
	return plainText(s)
}
