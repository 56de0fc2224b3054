package dialect

import (
	"os"
	"strings"
	"testing"
)

// The table for users is that of the code.
func TestMessagesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/translation.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, fate := range messagesFields {
		as := fate.as
		switch {
		case fate.weighty:
			as = "refused"
		case as == "":
			as = "dropped"
		}
		if row := "| `" + name + "` | " + as + " |\n"; !strings.Contains(string(doc), row) {
			t.Errorf("docs/translation.md lacks the row %q", row)
		}
	}
}
