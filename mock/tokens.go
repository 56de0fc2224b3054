package mock

import (
	"unicode"
	"unicode/utf8"
)

// maxPiece is how many runes the longest token has.
const maxPiece = 6

// pieces cuts text into what stands for tokens here: a word of up to six runes with the
// space before it, or a single other rune. Joined they are the text again.
func pieces(text string) []string {
	var list []string
	for text != "" {
		n := piece(text)
		list = append(list, text[:n])
		text = text[n:]
	}
	return list
}

// countTokens is len(pieces(text)).
func countTokens(text string) int {
	count := 0
	for text != "" {
		text = text[piece(text):]
		count++
	}
	return count
}

// piece is the length in bytes of text's first token.
func piece(text string) int {
	first, n := utf8.DecodeRuneInString(text)
	if first != ' ' && !wordRune(first) {
		return n
	}
	runes := 0
	for n < len(text) && runes < maxPiece {
		r, size := utf8.DecodeRuneInString(text[n:])
		if !wordRune(r) {
			break
		}
		n += size
		runes++
	}
	return n
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// cutTokens keeps the first limit tokens of text.
func cutTokens(text string, limit int) string {
	n := 0
	for range limit {
		if n == len(text) {
			break
		}
		n += piece(text[n:])
	}
	return text[:n]
}
