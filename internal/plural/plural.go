// Package plural counts in words.
package plural

import "fmt"

// Of is n with what is counted, as "1 alias" or "2 aliases". The words may go on with a verb:
// Of(n, "value is", "values are").
func Of[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
