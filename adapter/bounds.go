package adapter

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"point"
)

// bound is what a field may be that Point reads for limits and prices: a whole number in a range, as
// the documentation of the field's API has it.
type bound struct {
	field       string
	least, most int64
}

// answersAtOnce is how many answers to one prompt OpenAI's documentation allows.
const answersAtOnce = 128

// bounds are held at every provider. The longest answer of a chat has none: servers of one's own
// take -1 for no limit.
var bounds = map[string][]bound{
	point.PathChat:        {{"n", 1, answersAtOnce}},
	point.PathCompletions: {{"n", 1, answersAtOnce}, {"best_of", 1, answersAtOnce}},
	point.PathImages:      {{"n", 1, 10}},
	point.PathImageEdits:  {{"n", 1, 10}},
	point.PathResponses:   {{"max_output_tokens", 1, point.MaxCount}},
	point.PathMessages:    {{"max_tokens", 0, point.MaxCount}}, // 0: the prompt is only to be cached
}

// Of Google's configuration.
var (
	googlesTokens  = bound{"generationConfig.maxOutputTokens", 1, point.MaxCount}
	googlesAnswers = bound{"generationConfig.candidateCount", 1, 8}
)

// formFields are the fields of forms that are no texts: what they must be, and whether one is.
var formFields = map[string]struct {
	want string
	is   func(string) bool
}{
	"n": {"a whole number", isWhole}, "partial_images": {"a whole number", isWhole}, "output_compression": {"a whole number", isWhole},
	"stream":      {"true or false", isBoolean},
	"temperature": {"a number", isNumber},
}

func isWhole(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// isBoolean takes what Python's clients write too.
func isBoolean(text string) bool {
	return slices.Contains([]string{"true", "false", "True", "False"}, text)
}

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// isNumber takes plain decimals: what else is a number differs from service to service.
func isNumber(text string) bool { return len(text) <= maxDecimal && decimal.MatchString(text) }

// maxDecimal is more digits than any number of a request has.
const maxDecimal = 64

// typed refuses fields of a form that cannot be what their name says: services take texts of forms
// for what they can, and may pass over the rest.
func typed(f *point.Form) error {
	for i := range f.Parts {
		p := &f.Parts[i]
		field, known := formFields[p.Name]
		if known && (p.Filename != "" || !field.is(string(p.Value))) {
			return &point.Error{Code: point.InvalidRequest, Param: p.Name, Message: fmt.Sprintf("The field %q must be %s.", p.Name, field.want)}
		}
	}
	return nil
}

// bounded refuses numbers that are out of their bounds.
func bounded(call *point.Call) error {
	if call.Form != nil {
		if err := typed(call.Form); err != nil {
			return err
		}
	}
	for _, b := range bounds[call.Path] {
		if !slices.Contains(call.Envelope.Params, b.field) {
			continue
		}
		text := call.Form.Value(b.field)
		if call.Form == nil {
			text = gjson.GetBytes(call.Body, b.field).Raw
		}
		if err := b.check(text); err != nil {
			return err
		}
	}
	return nil
}

// check refuses a number out of b. What is no number is for others to refuse.
func (b bound) check(text string) error {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) || n == math.Trunc(n) && n >= float64(b.least) && n <= float64(b.most) {
		return nil
	}
	return &point.Error{Code: point.InvalidRequest, Param: b.field, Message: fmt.Sprintf("The field %q must be a whole number from %d to %d.", b.field, b.least, b.most)}
}
