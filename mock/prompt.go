package mock

import "encoding/json"

// prompt is what the simulated models understand of a request, whatever its dialect.
type prompt struct {
	Model       string
	System      string
	User        string // text of the last user turn
	Tokens      int    // of the whole input
	CacheMarked int    // tokens up to the last cache mark, 0: none
	CacheKey    string // what the cache remembers: the input up to there

	Tools    []tool
	Choice   string // auto, none, required, or the name of one tool
	Parallel bool   // several calls in one turn are fine
	Results  []toolResult

	Format    string          // "", json or schema
	Schema    json.RawMessage // of Format schema
	MaxTokens int             // 0: no limit
	Stop      []string
	Think     bool // show reasoning
	Images    int
}

// tool is a function that the model may call.
type tool struct {
	Name        string
	Description string
	Schema      json.RawMessage // of its arguments, nil: none
}

// toolResult is what a tool said, as the last turn tells.
type toolResult struct {
	Name string
	Text string
}

// answer is what a simulated model says to a prompt.
type answer struct {
	Reasoning string
	Text      string
	Calls     []toolCall
	Finish    string // stop, length, tool_calls or content_filter
	StopAt    string // the stop sequence that ended the text
	Usage     usage
}

// toolCall is one call that the model makes. Args is a JSON object.
type toolCall struct {
	ID   string
	Name string
	Args string
}

// usage counts tokens. Input holds the cached ones, Output those of reasoning.
type usage struct {
	Input      int
	CacheRead  int
	CacheWrite int
	Output     int
	Reasoning  int
}
