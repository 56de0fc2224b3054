package monitor

import (
	"encoding/binary"

	"point"
)

// codecVersion is the first byte of every payload. Within a version fields are only added:
// a reader skips the numbers it does not know, so neither an update nor a step back loses
// what the journal holds.
const codecVersion = 1

// Numbers of a record's fields on disk. They never change their meaning.
const (
	recID = iota + 1
	recClientRequestID
	recTimestamp
	recEndpoint
	recProviderID
	recModel
	recUpstreamModel
	recKeyID
	recStatus
	recOutcome
	recErrorCode
	recErrorMessage
	recResponseTime
	recTTFT
	recOverheadUS
	recStream
	recCacheHit
	recUsage
	recCost
	recAttempt
	recRoute
	recRequest
	recResponse
	recBodies
)

const (
	bodRequest = iota + 1
	bodRequestSize
	bodResponse
	bodResponseSize
)

const (
	useInput = iota + 1
	useOutput
	useCacheRead
	useCacheWrite
	useCacheWrite1h
	useAudioInput
	useReasoning
	useAudioOutput
	useImages
	useEstimated
	useImageInput
	useImageOutput
	useImageKind
	useCharacters
	useAudioMS
	useSearches
)

const (
	attProviderID = iota + 1
	attProvider
	attModel
	attStartMS
	attDurationMS
	attStatus
	attError
	attMessage
)

const (
	rouRule = iota + 1
	rouStrategy
	rouReason
	rouSkipped
)

const (
	skiProvider = iota + 1
	skiModel
	skiReason
)

// A field on disk is its number<<1 as a varint, then a zigzag varint; or number<<1|1, then a
// length and that many bytes.

func putInt(b []byte, num uint64, v int64) []byte {
	b = binary.AppendUvarint(b, num<<1)
	return binary.AppendVarint(b, v)
}

func putNonZero(b []byte, num uint64, v int64) []byte {
	if v == 0 {
		return b
	}
	return putInt(b, num, v)
}

func putBool(b []byte, num uint64, v bool) []byte {
	if !v {
		return b
	}
	return putInt(b, num, 1)
}

func putString[S ~string | ~[]byte](b []byte, num uint64, s S) []byte {
	if len(s) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, num<<1|1)
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// begin opens a nested field and end closes it: one byte is kept for the length, and a
// longer one moves the content.
func begin(b []byte, num uint64) (_ []byte, start int) {
	b = append(binary.AppendUvarint(b, num<<1|1), 0)
	return b, len(b)
}

func end(b []byte, start int) []byte {
	size := len(b) - start
	if size < 0x80 {
		b[start-1] = byte(size)
		return b
	}
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(size))
	b = append(b, length[:n-1]...)
	copy(b[start-1+n:], b[start:start+size])
	copy(b[start-1:], length[:n])
	return b
}

// appendRecord appends the payload of r.
func appendRecord(b []byte, r *point.Record) []byte {
	b = append(b, codecVersion)
	b = putString(b, recID, r.ID)
	b = putString(b, recClientRequestID, r.ClientRequestID)
	if !r.Timestamp.IsZero() {
		b = putInt(b, recTimestamp, r.Timestamp.UnixNano())
	}
	b = putString(b, recEndpoint, r.Endpoint)
	b = putString(b, recProviderID, r.ProviderID)
	b = putString(b, recModel, r.Model)
	b = putString(b, recUpstreamModel, r.UpstreamModel)
	b = putString(b, recKeyID, r.KeyID)
	b = putNonZero(b, recStatus, int64(r.Status))
	b = putString(b, recOutcome, r.Outcome)
	b = putString(b, recErrorCode, r.ErrorCode)
	b = putString(b, recErrorMessage, r.ErrorMessage)
	b = putNonZero(b, recResponseTime, r.ResponseTime)
	if r.TTFT != nil {
		b = putInt(b, recTTFT, *r.TTFT)
	}
	b = putNonZero(b, recOverheadUS, r.OverheadUS)
	b = putBool(b, recStream, r.Stream)
	b = putBool(b, recCacheHit, r.CacheHit)
	if r.Usage != nil {
		b = appendUsage(b, r.Usage)
	}
	if r.Cost != nil {
		b = putInt(b, recCost, int64(*r.Cost))
	}
	for i := range r.Attempts {
		b = appendAttempt(b, &r.Attempts[i])
	}
	b = appendRoute(b, &r.Route)
	b = putString(b, recRequest, r.Request)
	b = putString(b, recResponse, r.Response)
	if r.Bodies != nil {
		b = appendBodies(b, r.Bodies)
	}
	return b
}

func appendBodies(b []byte, v *point.Bodies) []byte {
	b, start := begin(b, recBodies)
	b = putString(b, bodRequest, v.Request)
	b = putNonZero(b, bodRequestSize, v.RequestSize)
	b = putString(b, bodResponse, v.Response)
	b = putNonZero(b, bodResponseSize, v.ResponseSize)
	return end(b, start)
}

func appendUsage(b []byte, u *point.Usage) []byte {
	b, start := begin(b, recUsage)
	b = putNonZero(b, useInput, u.Input)
	b = putNonZero(b, useOutput, u.Output)
	b = putNonZero(b, useCacheRead, u.CacheRead)
	b = putNonZero(b, useCacheWrite, u.CacheWrite)
	b = putNonZero(b, useCacheWrite1h, u.CacheWrite1h)
	b = putNonZero(b, useAudioInput, u.AudioInput)
	b = putNonZero(b, useReasoning, u.Reasoning)
	b = putNonZero(b, useAudioOutput, u.AudioOutput)
	b = putNonZero(b, useImages, u.Images)
	b = putBool(b, useEstimated, u.Estimated)
	b = putNonZero(b, useImageInput, u.ImageInput)
	b = putNonZero(b, useImageOutput, u.ImageOutput)
	b = putString(b, useImageKind, u.ImageKind)
	b = putNonZero(b, useCharacters, u.Characters)
	b = putNonZero(b, useAudioMS, u.AudioMS)
	b = putNonZero(b, useSearches, u.Searches)
	return end(b, start)
}

func appendAttempt(b []byte, a *point.Attempt) []byte {
	b, start := begin(b, recAttempt)
	b = putString(b, attProviderID, a.ProviderID)
	b = putString(b, attProvider, a.Provider)
	b = putString(b, attModel, a.Model)
	b = putNonZero(b, attStartMS, a.StartMS)
	b = putNonZero(b, attDurationMS, a.DurationMS)
	b = putNonZero(b, attStatus, int64(a.Status))
	b = putString(b, attError, a.Error)
	b = putString(b, attMessage, a.Message)
	return end(b, start)
}

func appendRoute(b []byte, r *point.Route) []byte {
	b, start := begin(b, recRoute)
	b = putString(b, rouRule, r.Rule)
	b = putString(b, rouStrategy, r.Strategy)
	b = putString(b, rouReason, r.Reason)
	for i := range r.Skipped {
		s := &r.Skipped[i]
		var inner int
		b, inner = begin(b, rouSkipped)
		b = putString(b, skiProvider, s.Provider)
		b = putString(b, skiModel, s.Model)
		b = putString(b, skiReason, s.Reason)
		b = end(b, inner)
	}
	return end(b, start)
}
