package point

import "context"

// Sender sends a call to one target. The gateway is one for API providers, the web agent one
// for web pages. It makes one attempt; moving on is its caller's work. A failure is an *Error.
type Sender interface {
	Send(ctx context.Context, target Target, call *Call) (*Reply, error)
}

// Snapshots gives the live configuration.
type Snapshots interface {
	Snapshot() *Snapshot
}

// Alerter takes events that somebody should see. Raise does not block and may be called on
// the hot path; kind is from a closed list, subject says what it is about.
type Alerter interface {
	Raise(kind, subject, detail string)
}
