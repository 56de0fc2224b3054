package awsframes

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"point/internal/sse"
)

// Encode is the reverse of Reader: it frames server-sent events, for simulated services and tests.
func Encode(events []byte) []byte {
	var out []byte
	reader := sse.NewReader(bytes.NewReader(events), len(events)+1)
	defer reader.Release()
	for {
		event, err := reader.Next()
		if err != nil {
			return out
		}
		out = Append(out, event.Name, event.Data)
	}
}

// Append appends one frame to b. The name is an event's type, or begins with Exception or Error
// as those that Reader gives; of an error the payload is its message.
func Append(b []byte, name string, payload []byte) []byte {
	var headers []byte
	set := func(name, value string) { headers = appendHeader(headers, name, value) }
	if kind, ok := strings.CutPrefix(name, Exception); ok {
		set(":message-type", "exception")
		set(":exception-type", kind)
		set(":content-type", "application/json")
	} else if code, ok := strings.CutPrefix(name, Error); ok {
		set(":message-type", "error")
		set(":error-code", code)
		set(":error-message", string(payload))
		payload = nil
	} else {
		set(":message-type", "event")
		set(":event-type", name)
		set(":content-type", "application/json")
	}
	start := len(b)
	b = appendPrelude(b, len(headers), len(payload))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

// Endless is the beginning of a frame that says it goes on for as long as one may.
func Endless() []byte { return appendPrelude(nil, 0, longest) }

const (
	longest  = 1<<32 - 1 - overhead
	overhead = 16 // the prelude of 12 bytes, and the checksum at the end
	asString = 7  // a header's type
)

// appendPrelude appends how long the frame and its headers are, with a checksum.
func appendPrelude(b []byte, headers, payload int) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(overhead+headers+payload)) //nolint:gosec // at most longest
	b = binary.BigEndian.AppendUint32(b, uint32(headers))                  //nolint:gosec // a few short names
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

func appendHeader(b []byte, name, value string) []byte {
	b = append(b, byte(len(name)))
	b = append(append(b, name...), asString)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value))) //nolint:gosec // names and short messages
	return append(b, value...)
}
