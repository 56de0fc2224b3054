package provider

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"point"
)

// FuzzLift: a request whose long strings stood aside is decoded as without that.
func FuzzLift(f *testing.F) {
	long := strings.Repeat("long ", 200)
	f.Add(`[{"role":"user","content":"` + long + `"}]`)
	f.Add(`[{"role":"user","content":[{"type":"text","text":"` + long + `\n\"é\ud83d\ude00","cache_control":{"data":"` + long + `"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + long + `"}}]}]`)
	f.Add(`[{"role":"assistant","tool_calls":[{"id":"` + long + `","function":{"name":"f","arguments":"` + long + `"}}],"reasoning_details":[{"text":"` + long + `","data":"` + long + `"}]}]`)
	f.Add(`[{"role":"tool","content":"` + long + `","text" : "` + long + `"},"` + long + `",["content","` + long + `"]]`)
	f.Add(`[{"role":"user","content":"\u00000` + long + `"}]`)
	f.Add(`[{"role":"user","content":"` + long + `\q"}]`)
	f.Fuzz(func(t *testing.T, messages string) {
		body := []byte(`{"model":"m","messages":` + messages + `}`)
		env, err := point.ScanEnvelope(body)
		if err != nil {
			return
		}
		var want, got chatRequest
		wantErr := json.Unmarshal(body, &want)
		thin, aside := lift(body, env.MessagesAt)
		gotErr := json.Unmarshal(thin, &got)
		if gotErr == nil {
			gotErr = aside.messages(got.Messages)
		}
		if wantErr != nil { // control characters in long strings are taken as they are
			return
		}
		if gotErr != nil {
			t.Fatalf("%v: %s", gotErr, body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n(-want +got) %s", body, diff)
		}
	})
}
