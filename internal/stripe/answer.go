package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"

	sdk "github.com/stripe/stripe-go/v85"
)

// Outcome is what an answer means for the money: the one question that once asks.
type Outcome int

// The outcomes.
const (
	Answered       Outcome = iota // Stripe executed the call and this is what became of it: a success, or a decline
	Refused                       // Stripe understood and did nothing
	BadCredentials                // Stripe does not know the key; it did nothing
	NotExecuted                   // it never began: repeat under the same key
	Unknown                       // it may have happened: repeat under the same key, or look it up; never call it failed
)

// Error is what Stripe, or the way to it, said instead of an object.
type Error struct {
	Status      int // HTTP status; 0 where no whole reply came
	Type        string
	Code        string
	DeclineCode string
	AdviceCode  string
	Message     string
	Param       string
	RequestID   string
	// ShouldRetry is Stripe's own word on a repeat; nil where it said nothing.
	ShouldRetry *bool
	// PaymentIntent is the intent that a card error is about.
	PaymentIntent *PaymentIntent
	Cause         error
}

// Error implements error. It holds no secret: Stripe masks keys in its messages.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("stripe: no answer: %v", e.Cause)
	}
	return fmt.Sprintf("stripe: %d %s %s: %s", e.Status, e.Type, e.Code, e.Message)
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// Meaning is the table. A nil error is an answer; an error that did not come from here (a database's, a cancelled context) says nothing of Stripe: Unknown.
func Meaning(err error) Outcome {
	var e *Error
	switch {
	case err == nil:
		return Answered
	case !errors.As(err, &e):
		return Unknown
	case e.Type == "idempotency_error": // the key was used with other parameters: an earlier send of ours may have worked
		return Unknown
	}
	switch e.Status {
	case http.StatusPaymentRequired:
		return Answered
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return Refused
	case http.StatusUnauthorized:
		return BadCredentials
	case http.StatusTooManyRequests:
		return NotExecuted
	case 0:
		if notSent(e.Cause) {
			return NotExecuted
		}
	}
	return Unknown // 409: this request did nothing, an earlier one may have; 5xx, 424, time-out, cut or truncated: anything may be
}

// notSent says that the connection was never made, so that no byte of the request left.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// StoredFailure says that a second answer repeats the first one's 5xx: Stripe has stored it under our key and will say nothing else.
func StoredFailure(first, second error) bool {
	var a, b *Error
	return errors.As(first, &a) && errors.As(second, &b) && a.Status >= 500 && a.Status == b.Status && a.Code == b.Code && a.Message == b.Message
}

// MayRepeat says whether Stripe allows the same request again under the same key; it does unless it says otherwise.
func MayRepeat(err error) bool {
	var e *Error
	return !errors.As(err, &e) || e.ShouldRetry == nil || *e.ShouldRetry
}

// As finds Stripe's word in an error's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// wrap turns the SDK's error into ours. The raw body is read again: the SDK's type lacks the advice code.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var said *sdk.Error
	if !errors.As(err, &said) {
		return &Error{Cause: err}
	}
	e := &Error{
		Status: said.HTTPStatusCode, Type: string(said.Type), Code: string(said.Code), DeclineCode: string(said.DeclineCode),
		Message: said.Msg, Param: said.Param, RequestID: said.RequestID, Cause: nil,
	}
	if said.LastResponse == nil {
		return e
	}
	if h := said.LastResponse.Header.Get("Stripe-Should-Retry"); h != "" {
		yes := h == "true"
		e.ShouldRetry = &yes
	}
	var body struct {
		Error struct {
			AdviceCode    string         `json:"advice_code"`
			PaymentIntent *PaymentIntent `json:"payment_intent"`
		} `json:"error"`
	}
	if json.Unmarshal(said.LastResponse.RawJSON, &body) == nil {
		e.AdviceCode, e.PaymentIntent = body.Error.AdviceCode, body.Error.PaymentIntent
	}
	return e
}
