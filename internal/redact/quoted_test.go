package redact

import (
	"strings"
	"testing"
)

func TestQuoted(t *testing.T) {
	const body = `{"max_completion_tokens":5,"model":"a-very-long-name-of-a-model-405b","messages":[{"role":"user","content":"My secret plan is to \"buy\" the moon,\nand \u00fcber\u00fclle \ud83d\ude00 it with cheese \u4f60\u597d\u4e16\u754c\u4f60\u597d\u4e16\u754c"}]}`
	for name, c := range map[string]struct{ said, want string }{
		"nothing of it":        {"The model is overloaded, try again in 20 s.", "The model is overloaded, try again in 20 s."},
		"short words of it":    {"Unknown role: user", "Unknown role: user"},
		"a sentence":           {`Bad input: My secret plan is to buy`, `Bad input: ***buy`},
		"resolved escapes":     {`Bad input: plan is to "buy" the moon, and more`, "Bad input:***more"},
		"beyond ASCII":         {`Bad: überülle 😀 it with cheese 你好世界你好世界!`, "Bad:***!"},
		"the whole body":       {"You sent: " + body, "You sent:***"},
		"the model":            {`There is no model "a-very-long-name-of-a-model-405b" here.`, `There is no model "a-very-long-name-of-a-model-405b" here.`},
		"a parameter":          {`Unsupported parameter: 'max_completion_tokens'.`, `Unsupported parameter: 'max_completion_tokens'.`},
		"the body, then words": {body + " is wrong", "*** is wrong"},
	} {
		got := Quoted(c.said, []byte(body))
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, source := range []string{"", `\`, `\u`, `\u12`, `\ud83d`, `\ud83d\u`, `\ud83dxxxxxx`, `x\"`} {
		if got := Quoted("a text of some length", []byte(source)); got != "a text of some length" {
			t.Errorf("%q: %q", source, got)
		}
	}
}

// BenchmarkQuoted: a message against a prompt of 1 MB.
func BenchmarkQuoted(b *testing.B) {
	body := []byte(`{"content":"` + strings.Repeat(`word after word\n`, 65_000) + `"}`)
	message := strings.Repeat("The provider says something else. ", 58)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Quoted(message, body)
	}
}
