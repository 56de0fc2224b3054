// Package panics keeps a panic in one goroutine from ending the process without a word: it
// becomes an error of the part that runs there, and its stack goes to the log.
package panics

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"point/internal/redact"
)

// maxStack is how much of a stack is logged.
const maxStack = 16 << 10

// Error is a panic. Its text hides what looks like a credential.
type Error struct {
	Part  string // what panicked
	Value any
}

func (e *Error) Error() string {
	return e.Part + " failed: panic: " + redact.String(fmt.Sprint(e.Value))
}

// Unwrap is the value of the panic if it is an error, such as a runtime.Error.
func (e *Error) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Catch is deferred by every goroutine that the program starts. It logs a panic with its
// stack, to slog.Default if log is nil, and makes err an *Error if err is not nil. Without a
// panic it does nothing.
func Catch(log *slog.Logger, part string, err *error) {
	value := recover()
	if value == nil {
		return
	}
	if log == nil {
		log = slog.Default()
	}
	caught := &Error{part, value}
	stack := debug.Stack()
	log.Error(caught.Error(), "stack", string(stack[:min(len(stack), maxStack)]))
	if err != nil {
		*err = caught
	}
}
