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
	// Replayed says that this is what Stripe had stored under our key: the execution that gave it is over.
	Replayed bool
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
	case e.Type == idempotencyError: // the key was used with other parameters: an earlier send of ours may have worked
		return Unknown
	case e.Type == "" && e.Status != 0: // every error of Stripe's API has a type: this is the word of something on the way
		return Unknown
	}
	switch e.Status {
	case http.StatusPaymentRequired:
		return Answered
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound: // a refusal, unless Stripe asks to come back
		if e.ShouldRetry != nil && *e.ShouldRetry {
			return NotExecuted
		}
		return Refused
	case http.StatusUnauthorized:
		return BadCredentials
	case http.StatusTooManyRequests: // nothing happened yet, unless Stripe forbids to come back
		if !MayRepeat(err) {
			return Refused
		}
		return NotExecuted
	case 0:
		if notSent(e.Cause) {
			return NotExecuted
		}
	}
	return Unknown // 409: this request did nothing, an earlier one may have; 5xx, 424, time-out, cut or truncated: anything may be
}

// Absent says that Stripe has no such object for this key: there is no news of it. A key that may not look (403) says nothing of what is there.
func Absent(err error) bool {
	e, ok := As(err)
	return ok && Meaning(err) == Refused && e.Status != http.StatusForbidden
}

const idempotencyError = "idempotency_error"

// notSent says that no byte of the request left. A failed dial alone does not: Go's transport sends a request anew by itself where the
// connection that it reused was cut, and that dial may be its second try.
func notSent(err error) bool {
	var never *neverConnected
	var op *net.OpError
	return errors.As(err, &never) && (errors.Is(err, errTooLate) || errors.As(err, &op) && op.Op == "dial")
}

// neverConnected is an error of a request that no connection was ever made for.
type neverConnected struct{ error }

func (e *neverConnected) Unwrap() error { return e.error }

// Final says that sending again under the same key would bring nothing else: Stripe forbids it, repeats what it has stored, or refuses
// the key for these parameters. Only a look-up can tell what an unknown answer means then.
func Final(err error) bool {
	e, ok := As(err)
	if !ok || e.Status == 0 {
		return false
	}
	reused := e.Status == http.StatusBadRequest && e.Type == idempotencyError // a 409 of this type is a key in use, which passes
	return e.Replayed || reused || !MayRepeat(err)
}

// Over says that the execution behind an answer has ended, so that nothing of it is still on its way.
func Over(err error) bool {
	e, ok := As(err)
	return ok && e.Status != 0 && (e.Replayed || e.Status >= 500 && !MayRepeat(err))
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
	switch h := said.LastResponse.Header; h.Get("Stripe-Should-Retry") { // any other word says nothing
	case "true", "false":
		yes := h.Get("Stripe-Should-Retry") == "true"
		e.ShouldRetry = &yes
	}
	e.Replayed = said.LastResponse.Header.Get("Idempotent-Replayed") == "true"
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
