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
	f.Add(`[{"role":"user","content":"a","cache_control":[{"text":"` + long + `"},{"data":"` + long + `"},"b"]}]`)
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

// TestLiftIsLinear: strings are put back in one pass, however many lie in one value.
func TestLiftIsLinear(t *testing.T) {
	const n = 2000
	marks := strings.Repeat(`{"text":"`+strings.Repeat("x", longText)+`"},`, n)
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"hi","cache_control":[` + marks[:len(marks)-1] + `]}]}`)
	env, err := point.ScanEnvelope(body)
	if err != nil {
		t.Fatal(err)
	}
	thin, aside := lift(body, env.MessagesAt)
	var chat chatRequest
	if err := json.Unmarshal(thin, &chat); err != nil || len(aside.texts) != n {
		t.Fatalf("%d texts, %v", len(aside.texts), err)
	}
	mark := chat.Messages[0].CacheControl
	allocations := testing.AllocsPerRun(1, func() {
		chat.Messages[0].CacheControl = mark
		if err := aside.messages(chat.Messages); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 100 {
		t.Errorf("%.0f allocations for %d texts", allocations, n)
	}
}

func TestDocumentNamesAreLinear(t *testing.T) {
	const n = 2000
	allocations := testing.AllocsPerRun(1, func() {
		tr := &bedrockTranslation{}
		for range n {
			tr.documentName("")
		}
	})
	if allocations > 20*n {
		t.Errorf("%.0f allocations for %d names", allocations, n)
	}
}
