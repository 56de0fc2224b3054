package app

import (
	"strings"
	"testing"
)

// TestBannerTellsHowToBegin: without a client key the terminal tells the command that makes
// one, with a real model of a provider that there is.
func TestBannerTellsHowToBegin(t *testing.T) {
	for _, test := range []struct {
		name string
		env  []string
		says []string
	}{
		{"a variable", []string{"OPENAI_API_KEY=sk-x"}, []string{"providers: openai\n", "export POINT_KEY=$(", " key create NAME --data-dir=", `"Authorization: Bearer $POINT_KEY"`, `"model":"openai/gpt-4o-mini"`}},
		{"nothing", nil, []string{"providers: none yet", "client key: none yet", "/v1/models"}},
		{"the first key", []string{"POINT_BOOTSTRAP_KEY=pt-0123456789abcdef", "GEMINI_API_KEY=x"}, []string{"client key: one of those there are", `"model":"gemini/gemini-2.5-flash"`}},
		{"demo", []string{"POINT_DEMO=true"}, []string{"demo: ", "client key: pt-", `"model":"demo-openai/gpt-4o-mini"`, "Bearer pt-"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			beginOn(t, test.env...).banner.print(&out)
			for _, say := range test.says {
				if !strings.Contains(out.String(), say) {
					t.Errorf("nothing says %q:\n%s", say, out.String())
				}
			}
		})
	}
}
