package dialect

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The table for users has the lines of the table that the code goes by.
func TestResponsesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/translation.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range responsesFields {
		how := f.how
		switch f.fate {
		case fateDropped:
			how = "dropped"
		case fateRefused:
			how = "refused"
		case fateSaid:
		}
		if line := fmt.Sprintf("| `%s` | %s |\n", f.name, how); !strings.Contains(string(doc), line) {
			t.Errorf("docs/translation.md lacks\n%s", line)
		}
	}
}
