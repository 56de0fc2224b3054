package mock

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxWords bounds the answers that a prompt can ask for.
const maxWords = 20_000

// think answers a prompt. The same prompt gets the same answer.
func think(p *prompt) answer {
	a := answer{Finish: "stop"}
	if p.Think {
		a.Reasoning = "The user wants an answer to: " + excerpt(p.User, 80) + ". A short one will do."
	}
	if calls := chooseTools(p); len(calls) > 0 {
		a.Calls, a.Finish = calls, "tool_calls"
	} else {
		a.Text = say(p)
		limit(&a, p)
	}
	count(&a, p)
	return a
}

// limit applies stop sequences and the token limit.
func limit(a *answer, p *prompt) {
	for _, stop := range p.Stop {
		if i := strings.Index(a.Text, stop); stop != "" && i >= 0 {
			a.Text, a.StopAt = a.Text[:i], stop
		}
	}
	room := p.MaxTokens - countTokens(a.Reasoning)
	if p.MaxTokens > 0 && countTokens(a.Text) > room {
		a.Text, a.Finish, a.StopAt = cutTokens(a.Text, max(room, 1)), "length", ""
	}
}

func count(a *answer, p *prompt) {
	a.Usage.Input = p.Tokens
	a.Usage.Reasoning = countTokens(a.Reasoning)
	a.Usage.Output = a.Usage.Reasoning + countTokens(a.Text)
	for _, c := range a.Calls {
		a.Usage.Output += countTokens(c.Name) + countTokens(c.Args) + 4
	}
}

// say is the text of an answer.
func say(p *prompt) string {
	switch {
	case p.Format == "schema":
		return string(sampleJSON(p.Schema, p.User))
	case len(p.Results) > 0:
		return report(p.Results)
	case p.Format == "json":
		b, _ := json.Marshal(map[string]string{"answer": plain(p)}) // strings always marshal
		return string(b)
	}
	return plain(p)
}

// report retells what the tools said.
func report(results []toolResult) string {
	var b strings.Builder
	for i, r := range results {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "The tool %s answered: %s.", r.Name, excerpt(r.Text, 400))
	}
	return b.String()
}

var (
	sayPattern   = regexp.MustCompile(`(?is)(?:^|[.!?\n]\s*)(?:(?:please|now|just|then|can you|could you)\s+)*(?:say|repeat|echo|(?:reply|answer|respond) with)\b(?:\s+(?:exactly|only|just|after me|the (?:words?|phrase|following|text)))*\s*:?\s+["'“‘«]?(.+?)["'”’»]?[.!]?\s*$`)
	sumPattern   = regexp.MustCompile(`(-?\d{1,15}(?:\.\d{1,6})?)\s*([-+*/x×])\s*(-?\d{1,15}(?:\.\d{1,6})?)`)
	toPattern    = regexp.MustCompile(`(?i)\bcount (?:from 1 )?to (\d{1,5})\b`)
	wordsPattern = regexp.MustCompile(`(?i)\b(\d{1,5}) words\b`)
	helloPattern = regexp.MustCompile(`(?i)^\s*(?:hi|hello|hey|good (?:morning|evening|day))\b`)
)

// mostRead is how much of a turn is looked through for what it asks: patterns are slow.
const mostRead = 1 << 20

// plain is a text answer to the last user turn.
func plain(p *prompt) string {
	user := strings.TrimSpace(p.User)
	if len(user) > mostRead {
		user = strings.ToValidUTF8(user[:mostRead], "")
	}
	if m := toPattern.FindStringSubmatch(user); m != nil {
		return countTo(number(m[1]))
	}
	if m := wordsPattern.FindStringSubmatch(user); m != nil {
		return filler(number(m[1]))
	}
	if m := sayPattern.FindStringSubmatch(user); m != nil {
		return m[1]
	}
	if m := sumPattern.FindStringSubmatch(user); m != nil {
		if text, ok := calculate(m[1], m[2], m[3]); ok {
			return text
		}
	}
	return demo(p, user)
}

func demo(p *prompt, user string) string {
	about := "It is made up by Point's built-in simulation: nothing is paid, and the cost that is shown is what the real model would cost. With a real provider key the same request goes to the real service."
	switch {
	case p.Images > 0:
		return fmt.Sprintf("I can tell that %d image(s) came with your message, but a simulated %s cannot look at them. %s", p.Images, p.Model, about)
	case user == "":
		return fmt.Sprintf("This is a demo answer of a simulated %s. %s", p.Model, about)
	case helloPattern.MatchString(user):
		return fmt.Sprintf("Hello! You are talking to a simulated %s. This is a demo answer. %s", p.Model, about)
	}
	return fmt.Sprintf("You asked: “%s” This is a demo answer of a simulated %s. %s", excerpt(user, 120), p.Model, about)
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // the patterns allow only short digit strings
	return min(n, maxWords)
}

func countTo(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		if i > 1 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(i))
	}
	return b.String()
}

var fillerWords = strings.Fields("a river finds its way to the sea by small turns and every stone in it has been moved by water that was once snow on a hill far from here")

func filler(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fillerWords[i%len(fillerWords)]
	}
	return strings.Join(words, " ")
}

func calculate(left, op, right string) (string, bool) {
	x, errX := strconv.ParseFloat(left, 64)
	y, errY := strconv.ParseFloat(right, 64)
	var z float64
	switch op {
	case "+":
		z = x + y
	case "-":
		z = x - y
	case "/":
		z = x / y
	default:
		z = x * y
	}
	if errX != nil || errY != nil || math.IsInf(z, 0) || math.IsNaN(z) {
		return "", false
	}
	return fmt.Sprintf("%s %s %s = %s", left, op, right, strconv.FormatFloat(z, 'f', -1, 64)), true
}

// excerpt is text on one line, cut to at most n runes.
func excerpt(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n]) + "…"
}

// chooseTools decides which tools to call: the one that must be, or those that the user's
// words ask for. After tool results no tool is called again unless one must be. Ids are left
// to the encoder.
func chooseTools(p *prompt) []toolCall {
	if len(p.Tools) == 0 || p.Choice == "none" {
		return nil
	}
	var calls []toolCall
	for _, t := range p.Tools {
		if p.Choice == t.Name {
			return []toolCall{callOf(t, p)}
		}
		if len(p.Results) == 0 && asksFor(p.User, t) {
			calls = append(calls, callOf(t, p))
		}
	}
	if len(calls) == 0 && p.Choice == "required" {
		calls = []toolCall{callOf(p.Tools[0], p)}
	}
	if len(calls) > 1 && !p.Parallel {
		calls = calls[:1]
	}
	return calls
}

func callOf(t tool, p *prompt) toolCall {
	return toolCall{Name: t.Name, Args: string(sampleArgs(t.Schema, p.User))}
}

// asksFor tells whether the text has a word of the tool's name, or asks for any tool.
func asksFor(text string, t tool) bool {
	text = strings.ToLower(text)
	if strings.Contains(text, "use the tool") || strings.Contains(text, "use a tool") || strings.Contains(text, strings.ToLower(t.Name)) {
		return true
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return !wordRune(r) })
	for _, part := range nameWords(t.Name) {
		for _, w := range words {
			if len(part) > 3 && (w == part || len(w) > 4 && (strings.HasPrefix(w, part) || strings.HasPrefix(part, w))) {
				return true
			}
		}
	}
	return false
}

// plainVerbs are parts of tool names that say nothing about what a tool is for.
var plainVerbs = map[string]bool{"find": true, "list": true, "make": true, "call": true, "tool": true, "data": true, "current": true, "function": true, "with": true}

// nameWords splits get_currentWeather into its telling words in lower case.
func nameWords(name string) []string {
	var spaced strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) || !wordRune(r) {
			spaced.WriteByte(' ')
		}
		if wordRune(r) {
			spaced.WriteRune(unicode.ToLower(r))
		}
	}
	var words []string
	for w := range strings.FieldsSeq(spaced.String()) {
		if !plainVerbs[w] {
			words = append(words, w)
		}
	}
	return words
}
