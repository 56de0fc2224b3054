package awsframes

import (
	"bytes"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"point/internal/sse"
)

// Encode is the reverse of Reader: it frames server-sent events, for simulated services and tests.
func Encode(events []byte) []byte {
	var out bytes.Buffer
	encoder := eventstream.NewEncoder()
	reader := sse.NewReader(bytes.NewReader(events), len(events)+1)
	defer reader.Release()
	for {
		event, err := reader.Next()
		if err != nil {
			return out.Bytes()
		}
		// A buffer takes all that is written, and the names are short enough for a header.
		_ = encoder.Encode(&out, frameOf(event))
	}
}

func frameOf(e sse.Event) eventstream.Message {
	var m eventstream.Message
	set := func(name, value string) { m.Headers.Set(name, eventstream.StringValue(value)) }
	m.Payload = bytes.Clone(e.Data)
	if name, ok := strings.CutPrefix(e.Name, Exception); ok {
		set(":message-type", "exception")
		set(":exception-type", name)
		set(":content-type", "application/json")
		return m
	}
	if name, ok := strings.CutPrefix(e.Name, Error); ok {
		set(":message-type", "error")
		set(":error-code", name)
		set(":error-message", string(m.Payload))
		m.Payload = nil
		return m
	}
	set(":message-type", "event")
	set(":event-type", e.Name)
	set(":content-type", "application/json")
	return m
}

var _ io.Reader = (*Reader)(nil)
