package point

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ProviderPreference is the body's "provider": a name or id, or OpenRouter's object.
type ProviderPreference struct {
	Name           string // when it was a string
	Order          []string
	Only           []string
	Ignore         []string
	AllowFallbacks *bool
	Sort           string // one of sorts, empty: not said
	MaxPrice       *MaxPrice
}

// MaxPrice bounds a target's price, in USD per million tokens.
type MaxPrice struct {
	Prompt     *float64
	Completion *float64
}

// sorts are the values of sort.
var sorts = []string{"price", "throughput", "latency"}

// maxChosen is how many names a list of a request's choices may have: of providers, or models.
const maxChosen = 100

// read takes over the object's members. Those that Point does not know, as OpenRouter has many, are
// noted to be named.
func (p *ProviderPreference) read(raw []byte, unknown *[]string) error {
	known := []string{"order", "only", "ignore", "allow_fallbacks", "sort", "max_price"}
	return eachMember("provider", "a provider's name or an object", raw, known, func(key, field string, value []byte) error {
		switch key {
		case "order":
			return decodeList(field, value, &p.Order)
		case "only":
			return decodeList(field, value, &p.Only)
		case "ignore":
			return decodeList(field, value, &p.Ignore)
		case "allow_fallbacks":
			return decode(field, "true or false", value, &p.AllowFallbacks)
		case "sort":
			return p.readSort(field, value, unknown)
		case "max_price":
			return p.readMaxPrice(field, value, unknown)
		}
		*unknown = append(*unknown, field)
		return nil
	})
}

// readSort takes a word, or the object that has it as by.
func (p *ProviderPreference) readSort(field string, raw []byte, unknown *[]string) error {
	want := `"` + strings.Join(sorts, `", "`) + `"`
	if raw[0] == '{' {
		return eachMember(field, want, raw, []string{"by"}, func(key, field string, value []byte) error {
			if key == "by" && value[0] != '{' {
				return p.readSort(field, value, unknown)
			}
			*unknown = append(*unknown, field)
			return nil
		})
	}
	if err := decode(field, want, raw, &p.Sort); err != nil {
		return err
	}
	if p.Sort != "" && !slices.Contains(sorts, p.Sort) {
		return &Error{Code: InvalidRequest, Param: field, Message: fmt.Sprintf("The field %q must be one of %s.", field, want)}
	}
	return nil
}

func (p *ProviderPreference) readMaxPrice(field string, raw []byte, unknown *[]string) error {
	if string(raw) == "null" {
		return nil
	}
	p.MaxPrice = &MaxPrice{}
	return eachMember(field, "an object of prices", raw, []string{"prompt", "completion"}, func(key, field string, value []byte) error {
		switch key {
		case "prompt":
			return decodePrice(field, value, &p.MaxPrice.Prompt)
		case "completion":
			return decodePrice(field, value, &p.MaxPrice.Completion)
		}
		*unknown = append(*unknown, field)
		return nil
	})
}

// eachMember gives the members of the object at field to read, in the order of their names. One of
// those that are known in another case is refused: services differ in whether that is the same.
func eachMember(field, want string, raw []byte, known []string, read func(key, field string, value []byte) error) error {
	s := scanner{body: raw}
	n, err := s.value()
	if err != nil {
		return err
	}
	if n > maxNames {
		return tooMany(field, maxNames)
	}
	var members map[string]json.RawMessage
	if err := decode(field, want, raw, &members); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		same := func(name string) bool { return strings.EqualFold(key, name) }
		if i := slices.IndexFunc(known, same); i >= 0 && key != known[i] {
			return &Error{Code: InvalidRequest, Param: field + "." + known[i], Message: fmt.Sprintf("Write the key %q exactly so, in lower case.", field+"."+known[i])}
		}
		if err := read(key, field+"."+key, members[key]); err != nil {
			return err
		}
	}
	return nil
}

// decodePrice reads a number, which OpenRouter takes in a string too.
func decodePrice(field string, raw []byte, to **float64) error {
	var number json.Number
	if err := decode(field, "a price in USD per million tokens", raw, &number); err != nil || number == "" {
		return err
	}
	price, err := strconv.ParseFloat(string(number), 64)
	if err != nil || price < 0 {
		return &Error{Code: InvalidRequest, Param: field, Message: fmt.Sprintf("The field %q must be a price in USD per million tokens, from 0 on.", field), Cause: err}
	}
	*to = &price
	return nil
}

// decodeList reads a list of at most maxChosen strings, and names the member that is none.
func decodeList(field string, raw []byte, to *[]string) error {
	s := scanner{body: raw}
	n, err := s.value()
	if err != nil {
		return err
	}
	if n > maxChosen && raw[0] == '[' {
		return tooMany(field, maxChosen)
	}
	var list []json.RawMessage
	if err := decode(field, "a list of strings", raw, &list); err != nil || list == nil {
		return err
	}
	names := make([]string, len(list))
	for i, one := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		if one[0] != '"' {
			return &Error{Code: InvalidRequest, Param: at, Message: fmt.Sprintf("The field %q must be a string.", at)}
		}
		if err := decode(at, "a string", one, &names[i]); err != nil {
			return err
		}
	}
	*to = names
	return nil
}

func tooMany(field string, most int) error {
	return &Error{Code: InvalidRequest, Param: field, Message: fmt.Sprintf("The field %q has more than %d members.", field, most)}
}
