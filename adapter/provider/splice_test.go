package provider

import (
	"testing"

	"point"
)

func TestSplice(t *testing.T) {
	body := []byte(`{"a":1,"b":2}`)
	if got := splice(body, nil); &got[0] != &body[0] {
		t.Error("nothing to edit, and yet a copy")
	}
	got := splice(body, []edit{{point.Span{Start: 11, End: 12}, []byte("three")}, {point.Span{Start: 1, End: 7}, nil}, {point.Span{Start: 1, End: 1}, []byte(`"x":0,`)}})
	if want := `{"x":0,"b":three}`; string(got) != want || cap(got) != len(got) {
		t.Errorf("%s (cap %d), want %s", got, cap(got), want)
	}
}

// Whatever is edited, the rest of a forwarded body keeps its bytes.
func TestForwardBody(t *testing.T) {
	k, _ := Lookup("openai")
	for _, tt := range []struct{ model, body, want string }{
		{"", `{"model":"m"}`, `{"model":"m"}`},
		{"", `{ "provider": "a", "model": "m" , "stream":true}`, `{"stream_options":{"include_usage":true}, "model": "m" , "stream":true}`},
		{"", `{"provider":"a","stream":true,"model":"m"}`, `{"stream_options":{"include_usage":true},"stream":true,"model":"m"}`},
		{"", `{"stream":true,"model":"m","stream_options":null,"models":["x"]}`, `{"stream":true,"model":"m","stream_options":{"include_usage":true}}`},
		{"", `{"stream":true,"model":"m","stream_options":{"include_usage":false}}`, `{"stream":true,"model":"m","stream_options":{"include_usage":true}}`},
		{"", `{"stream":true,"model":"m","stream_options":{"include_usage":true}}`, `{"stream":true,"model":"m","stream_options":{"include_usage":true}}`},
		{"b\"\\\n", `{"models":["x"],"model":"a/b","fallback_providers":["c"],"provider":{"order":["x"]},"x":"y"}`, `{"model":"b\"\\\n","x":"y"}`},
	} {
		x, err := k.Exchange(newRequest(t, k, point.PathChat, tt.body, tt.model))
		if err != nil || string(x.Outbound.Body) != tt.want {
			t.Errorf("%s\n got %s\nwant %s (%v)", tt.body, x.Outbound.Body, tt.want, err)
		}
	}
}
