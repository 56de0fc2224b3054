package point

import "context"

// Kinds of Actor.
const (
	ActorUser   = "user"      // a person, signed in or with a personal access token
	ActorNobody = "anonymous" // somebody who is not signed in
	ActorSystem = "system"    // the configuration file, the environment, the command line, Point itself
)

// Actor is who makes a change: what revisions and the audit trail say of it.
type Actor struct {
	Kind    string // an Actor constant; empty: ActorSystem
	ID      string // of the user, empty for the system
	Name    string // the user's email address, or such as "configuration file"
	TokenID string // of the personal access token that was used, empty for none
	Address string // network address of the request, empty for none
	Reason  string // why, in the actor's words, of at most MaxReason bytes; may be empty
}

// MaxReason is the most bytes of a reason.
const MaxReason = 500

// actorContext is the context key of Actor.
type actorContext struct{}

// WithActor returns a context in which a makes all changes.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorContext{}, a)
}

// ActorOf is who makes the changes in ctx: the system, if nobody is named.
func ActorOf(ctx context.Context) Actor {
	a, ok := ctx.Value(actorContext{}).(Actor)
	if !ok || a.Kind == "" {
		a.Kind = ActorSystem
	}
	return a
}
