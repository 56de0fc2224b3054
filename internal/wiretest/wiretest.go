package wiretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"point/internal/sse"
)

// API is one endpoint's answers.
type API struct {
	name    string
	answer  shape
	event   shape // of a stream
	failure shape
	events  bool // named by their types
	done    bool // streams end in [DONE]
	open    bool
}

// Relayed lets members pass that are not documented, and nulls be absent: in answers of a service
// that Point hands on.
func (a API) Relayed() API {
	a.open = true
	return a
}

// Document tells what is wrong with a whole answer.
func (a API) Document(body []byte) error { return a.check(a.answer, body) }

// Failure tells what is wrong with an error's body.
func (a API) Failure(body []byte) error { return a.check(a.failure, body) }

// Stream tells what is wrong with the events of a stream, one by one; their order is no
// matter. An error may be among them.
func (a API) Stream(stream []byte) error {
	reader := sse.NewReader(bytes.NewReader(stream), 16<<20)
	defer reader.Release()
	for i := 0; ; i++ {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && len(e.Data) > 0 {
			err = a.one(e)
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
	}
}

func (a API) one(e sse.Event) error {
	if a.done && string(e.Data) == "[DONE]" {
		return nil
	}
	var told struct {
		Type  string
		Error json.RawMessage
	}
	if err := json.Unmarshal(e.Data, &told); err != nil {
		return fmt.Errorf("%w: %s", err, e.Data)
	}
	if a.events {
		if told.Type != string(e.Name) {
			return fmt.Errorf("it is called %q and %q", e.Name, told.Type)
		}
	} else if told.Error != nil {
		return a.Failure(e.Data)
	}
	return a.check(a.event, e.Data)
}

func (a API) check(s shape, body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("%w: %s", err, body)
	}
	return s.check(checker{open: a.open}, a.name, v)
}
