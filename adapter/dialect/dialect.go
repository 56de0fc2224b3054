// Package dialect is the client side's languages: how a request in each of them is told as a chat,
// how a chat's answer is told in it, and how it words errors. Nothing here does I/O.
//
// A provider that speaks the client's own dialect gets the request as it came, and its answer is
// relayed; what stands here is for the others:
//
//	request  -> Inner  -> chat request -> provider
//	provider -> chat's blocks -> Answer -> blocks in the client's dialect
package dialect

import "point"

// Dialect is a language that clients speak.
type Dialect interface {
	Name() point.Dialect
	// Error is the body of an answer that tells of e.
	Error(e *point.Error) []byte
	// Event is the server-sent event that ends a stream which failed.
	Event(e *point.Error) []byte
	// Ping is what keeps a silent stream open.
	Ping() []byte
}

// Translator is a Dialect that can be told as a chat, and is not the chat's own.
type Translator interface {
	Dialect
	// Inner is call as a chat in the inner vocabulary, streamed with usage if call streams. What a
	// chat cannot say is an error that names the field, or dropped.
	Inner(call *point.Call) (*point.Call, error)
	// Answer tells reply, a chat's answer to call's Inner, in the dialect.
	Answer(call *point.Call, reply *point.Reply) point.Blocks
}

// Ender is an answer that words the end of its stream by what it has said before.
type Ender interface {
	point.Blocks
	// Event is what ends the stream that failed with e; nil: what the dialect says of itself.
	Event(e *point.Error) []byte
}

// Watcher is a Dialect whose streams end, if they fail, by what was said before even where a
// provider of the same dialect said it.
type Watcher interface {
	// Watch is the answer as it is, and an Ender.
	Watch(reply *point.Reply) point.Blocks
}

// Keyed is a Dialect whose clients send their key in a header of their own.
type Keyed interface {
	// KeyHeader is its name, as documentation writes it.
	KeyHeader() string
}

// Named is a Dialect whose clients look for a request's id in a header of their own.
type Named interface {
	// IDHeader is its canonical name.
	IDHeader() string
}
