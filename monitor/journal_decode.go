package monitor

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"point"
)

var errPayload = errors.New("journal payload is broken")

// field is one field read back.
type field struct {
	num   uint64
	value int64
	bytes []byte // aliases the payload
	str   string // the same, of the payload's copy
}

// eachField calls f for every field of data, in order. text is a copy of data: the texts of a
// record are parts of it and cost no allocation of their own.
func eachField(data []byte, text string, f func(field) error) error {
	for len(data) > 0 {
		text = text[len(text)-len(data):]
		tag, n := binary.Uvarint(data)
		if n <= 0 {
			return errPayload
		}
		data = data[n:]
		fd := field{num: tag >> 1}
		if tag&1 == 0 {
			if fd.value, n = binary.Varint(data); n <= 0 {
				return errPayload
			}
			data = data[n:]
		} else {
			size, n := binary.Uvarint(data)
			if n <= 0 || size > uint64(len(data)-n) {
				return errPayload
			}
			fd.bytes = data[n : n+int(size)]
			at := len(text) - len(data) + n
			fd.str = text[at : at+int(size)]
			data = data[n+int(size):]
		}
		if err := f(fd); err != nil {
			return err
		}
	}
	return nil
}

// text is the field's bytes as text that every database takes: valid UTF-8 without NUL.
func (f field) text() string {
	s := f.str
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// json is the field's bytes as a JSON document, nil if there are none. What is no JSON becomes
// a string: one broken envelope must not make a list of requests unreadable.
func (f field) json() json.RawMessage {
	text := f.text()
	switch {
	case text == "":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return quoted
}

// decodeRecord reads a payload back. The record shares no memory with data.
func decodeRecord(data []byte) (point.Record, error) {
	if len(data) == 0 {
		return point.Record{}, errPayload
	}
	if data[0] != codecVersion {
		return point.Record{}, fmt.Errorf("journal payload has version %d, this Point reads %d", data[0], codecVersion)
	}
	var r point.Record
	data = data[1:]
	err := eachField(data, string(data), func(f field) error { return decodeField(&r, f) })
	return r, err
}

func decodeField(r *point.Record, f field) error {
	switch f.num {
	case recID:
		r.ID = f.text()
	case recClientRequestID:
		r.ClientRequestID = f.text()
	case recTimestamp:
		r.Timestamp = time.Unix(0, f.value).UTC()
	case recEndpoint:
		r.Endpoint = f.text()
	case recProviderID:
		r.ProviderID = f.text()
	case recModel:
		r.Model = f.text()
	case recUpstreamModel:
		r.UpstreamModel = f.text()
	case recKeyID:
		r.KeyID = f.text()
	case recStatus:
		r.Status = int(f.value)
	case recOutcome:
		r.Outcome = point.Outcome(f.text())
	case recErrorCode:
		r.ErrorCode = point.Code(f.text())
	case recErrorMessage:
		r.ErrorMessage = f.text()
	case recResponseTime:
		r.ResponseTime = f.value
	case recTTFT:
		ttft := f.value
		r.TTFT = &ttft
	case recOverheadUS:
		r.OverheadUS = f.value
	case recStream:
		r.Stream = f.value != 0
	case recCacheHit:
		r.CacheHit = f.value != 0
	case recUsage:
		return decodeUsage(r, f)
	case recCost:
		cost := point.NanoUSD(f.value)
		r.Cost = &cost
	case recAttempt:
		return decodeAttempt(r, f)
	case recRoute:
		return decodeRoute(&r.Route, f)
	case recRequest:
		r.Request = f.json()
	case recResponse:
		r.Response = f.json()
	case recBodies:
		return decodeBodies(r, f)
	}
	return nil
}

func decodeBodies(r *point.Record, outer field) error {
	b := new(point.Bodies)
	r.Bodies = b
	return eachField(outer.bytes, outer.str, func(f field) error {
		switch f.num {
		case bodRequest:
			b.Request = bytes.Clone(f.bytes)
		case bodRequestSize:
			b.RequestSize = f.value
		case bodResponse:
			b.Response = bytes.Clone(f.bytes)
		case bodResponseSize:
			b.ResponseSize = f.value
		}
		return nil
	})
}

func decodeUsage(r *point.Record, outer field) error {
	u := new(point.Usage)
	r.Usage = u
	return eachField(outer.bytes, outer.str, func(f field) error {
		switch f.num {
		case useInput:
			u.Input = f.value
		case useOutput:
			u.Output = f.value
		case useCacheRead:
			u.CacheRead = f.value
		case useCacheWrite:
			u.CacheWrite = f.value
		case useCacheWrite1h:
			u.CacheWrite1h = f.value
		case useAudioInput:
			u.AudioInput = f.value
		case useReasoning:
			u.Reasoning = f.value
		case useAudioOutput:
			u.AudioOutput = f.value
		case useImages:
			u.Images = f.value
		case useEstimated:
			u.Estimated = f.value != 0
		case useImageInput:
			u.ImageInput = f.value
		case useImageOutput:
			u.ImageOutput = f.value
		case useImageKind:
			u.ImageKind = f.text()
		case useCharacters:
			u.Characters = f.value
		case useAudioMS:
			u.AudioMS = f.value
		case useSearches:
			u.Searches = f.value
		}
		return nil
	})
}

func decodeAttempt(r *point.Record, outer field) error {
	var a point.Attempt
	err := eachField(outer.bytes, outer.str, func(f field) error {
		switch f.num {
		case attProviderID:
			a.ProviderID = f.text()
		case attProvider:
			a.Provider = f.text()
		case attModel:
			a.Model = f.text()
		case attStartMS:
			a.StartMS = f.value
		case attDurationMS:
			a.DurationMS = f.value
		case attStatus:
			a.Status = int(f.value)
		case attError:
			a.Error = point.Code(f.text())
		case attMessage:
			a.Message = f.text()
		}
		return nil
	})
	r.Attempts = append(r.Attempts, a)
	return err
}

func decodeRoute(route *point.Route, outer field) error {
	return eachField(outer.bytes, outer.str, func(f field) error {
		switch f.num {
		case rouRule:
			route.Rule = f.text()
		case rouStrategy:
			route.Strategy = point.Strategy(f.text())
		case rouReason:
			route.Reason = f.text()
		case rouSkipped:
			route.Skipped = append(route.Skipped, point.Skipped{})
			return decodeSkipped(&route.Skipped[len(route.Skipped)-1], f)
		}
		return nil
	})
}

func decodeSkipped(s *point.Skipped, outer field) error {
	return eachField(outer.bytes, outer.str, func(f field) error {
		switch f.num {
		case skiProvider:
			s.Provider = f.text()
		case skiModel:
			s.Model = f.text()
		case skiReason:
			s.Reason = f.text()
		}
		return nil
	})
}
