package jsonfault

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
)

type body struct {
	Messages []struct {
		Role    string `json:"role"`
		Content parts  `json:"content"`
		Seen    *bool  `json:"seen"`
	} `json:"messages"`
	Stop    []string           `json:"stop"`
	Heat    *float64           `json:"heat"`
	Most    int64              `json:"most"`
	Weights map[string]float64 `json:"weights"`
}

type parts []struct {
	Text string `json:"text"`
}

func (parts) Wants() string { return "a string or a list of parts" }

func (p *parts) UnmarshalJSON(b []byte) error {
	type plain []struct {
		Text string `json:"text"`
	}
	if b[0] == '"' {
		return nil
	}
	return Union[plain, parts](json.Unmarshal(b, (*plain)(p)))
}

func TestFind(t *testing.T) {
	tests := map[string][2]string{
		`{"messages":[{"content":"x"},{"role":"user"},{"content":7}]}`:          {"messages[2].content", "a string or a list of parts"},
		`{"messages":[{"content":"x"},{"content":{}}]}`:                         {"messages[1].content", "a string or a list of parts"},
		`{"messages":[{"content":[{"text":"x"},7]}]}`:                           {"messages[0].content[1]", "an object"},
		`{"messages":[{"content":[{"text":"x"},["y"]]}]}`:                       {"messages[0].content[1]", "an object"},
		`{"messages":[{"content":[{"text":"x"}]},{"content":[{"text":true}]}]}`: {"messages[1].content[0].text", "a string"},
		`{"messages":[{"role":["user"]}]}`:                                      {"messages[0].role", "a string"},
		`{"messages":[{"seen":"no"}]}`:                                          {"messages[0].seen", "true or false"},
		`{"messages":"hi"}`:                                                     {"messages", "a list"},
		`{"messages":["hi"]}`:                                                   {"messages[0]", "an object"},
		`{"stop":["a",1]}`:                                                      {"stop[1]", "a string"},
		`{"stop":"a"}`:                                                          {"stop", "a list of strings"},
		`{"heat":"hot"}`:                                                        {"heat", "a number"},
		`{"most":1.5}`:                                                          {"most", "a whole number"},
		`{"weights":[1]}`:                                                       {"weights", "an object"},
		`{"messages":[{"content":"hi"},{"content":["hello"]}]}`:                 {"messages[1].content[0]", "an object"},
		`{"messages":[{"content":[{"text":"a"}]},{"content":{"text":"b"}}]}`:    {"messages[1].content", "a string or a list of parts"},
		`{"messages":[{"content":[{"text":"a"}]},{"content":[[1]]}]}`:           {"messages[1].content[0]", "an object"},
		`{"messages":[{"seen":true},{"role":true}]}`:                            {"messages[1].role", "a string"},
		`{"messages":[null,{"content":null,"role":7}]}`:                         {"messages[1].role", "a string"},
		`{"messages":[{"other":7,"role":"user","content":"x"},{"role":7}]}`:     {"messages[1].role", "a string"},
		`{"weights":{"a":1,"b":"x"}}`:                                           {"weights.b", "a number"},
		`{"most":1,"heat":2,"stop":["1",2]}`:                                    {"stop[1]", "a string"},
		`{"Heat":"hot"}`:                                                        {"heat", "a number"},
		`[]`:                                                                    {"", "an object"},
	}
	for text, want := range tests {
		place, wants, ok := Find("", []byte(text), &body{}, json.Unmarshal([]byte(text), &body{}))
		if !ok || place != want[0] || wants != want[1] {
			t.Errorf("%s: %q must be %q, %v", text, place, wants, ok)
		}
	}
	if place, _, _ := Find("tools[1]", []byte(`{"stop":1}`), &body{}, json.Unmarshal([]byte(`{"stop":1}`), &body{})); place != "tools[1].stop" {
		t.Errorf("within a part: %q", place)
	}
	if _, _, ok := Find("", nil, nil, errors.Join(io.EOF)); ok {
		t.Error("another error")
	}
}
