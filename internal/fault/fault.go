// Package fault is till's one error type: what went wrong, for whom, and how they are told.
//
// A room makes a fault where it knows what happened; api alone turns its kind into an HTTP status.
// Any other error that reaches the front door is Internal, and its text is logged, never shown.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what class of answer a fault is. The list is closed.
type Kind int

// The kinds and the HTTP status that api gives them.
const (
	Internal        Kind = iota // 500: our own failure; its message is never shown
	Invalid                     // 400: malformed or missing
	Refused                     // 422: understood, but refused
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404
	Conflict                    // 409
	Limited                     // 429
	Unavailable                 // 503: try again later
	TooLarge                    // 413: the body is longer than we read
)

// Error is a fault. Code is stable and listed in codes.go; Param names the field at fault, in the words of the request.
type Error struct {
	Kind    Kind
	Code    Code
	Message string
	Param   string
	Cause   error
}

// Error implements error.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Param != "" {
		s += " (" + e.Param + ")"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// New is a fault of a code, with the kind that codes.go gives it.
func New(code Code, param, format string, args ...any) *Error {
	return &Error{Kind: code.Kind(), Code: code, Param: param, Message: fmt.Sprintf(format, args...)}
}

// Because adds the error underneath, for the log.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// About is an error with the field at fault called as the caller's own request calls it; what is no fault stays as it is.
func About(err error, param string) error {
	f, ok := As(err)
	if !ok {
		return err
	}
	renamed := *f
	renamed.Param = param
	return &renamed
}

// As finds the fault in an error's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is says whether an error is a fault of this code.
func Is(err error, code Code) bool {
	e, ok := As(err)
	return ok && e.Code == code
}
