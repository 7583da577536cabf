package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// The types of Stripe's errors.
const (
	apiFailure     = "api_error"
	cardError      = "card_error"
	idempotencyErr = "idempotency_error"
	invalidRequest = "invalid_request_error"
)

// apiError is an answer that is no success, in Stripe's words.
type apiError struct {
	status  int
	kind    string // its type
	code    string
	param   string
	noParam bool // write "param" although it is empty, as attaching a declining card does
	message string
	decline *decline
	charge  string

	paymentIntent, paymentMethod, setupIntent *record // the objects as they stand after the failure

	// executed says that the endpoint had begun when this came out, so that the answer is kept under the idempotency key.
	// Refusals of the parameters themselves are not kept (docs.stripe.com/api/idempotent_requests).
	executed bool
	header   [][2]string
}

// Error implements error.
func (e *apiError) Error() string { return e.message }

// invalid refuses a parameter.
func invalid(code, param, format string, values ...any) error {
	return &apiError{status: http.StatusBadRequest, kind: invalidRequest, code: code, param: param, message: fmt.Sprintf(format, values...)}
}

// exclusive refuses parameters that contradict each other.
func exclusive(param, one, other string) error {
	return invalid("parameters_exclusive", param, "You may only specify one of these parameters: %s, %s.", one, other)
}

// refused refuses what the state of an object does not allow.
func refused(code, param, format string, values ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: invalidRequest, code: code, param: param, message: fmt.Sprintf(format, values...), executed: true}
}

// missingIn says that a parameter names an object that is not there.
func missingIn(param, noun, id string) error {
	return invalid("resource_missing", param, "No such %s: '%s'", noun, id)
}

// declined is a card error.
func declined(d *decline) *apiError {
	return &apiError{status: http.StatusPaymentRequired, kind: cardError, code: d.code, param: d.param, message: d.message, decline: d, executed: true}
}

// asAPIError turns any error into an answer; one that is not Stripe's is a failure of ours, whose text stays inside.
func asAPIError(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return &apiError{status: http.StatusInternalServerError, kind: apiFailure, executed: true,
		message: "An unknown error occurred in the sandbox. Please report it with the request that caused it."}
}

// fromSpec is the answer to parameters that the operation does not take.
func fromSpec(e *spec.Error) error {
	return &apiError{status: http.StatusBadRequest, kind: invalidRequest, code: e.Code, param: e.Param, message: e.Message}
}

// object is the error as the API shows it, without the link to the request's log, which last_payment_error lacks.
func (e *apiError) object() *spec.Object {
	o := spec.New("api_errors").Set("type", e.kind).Set("message", e.message)
	set := func(field, value string) {
		if value != "" {
			o.Set(field, value)
		}
	}
	set("code", e.code)
	switch e.code {
	case "":
	case notImplemented:
		o.Set("doc_url", aboutCoverage)
	default:
		o.Set("doc_url", "https://stripe.com/docs/error-codes/"+strings.ReplaceAll(e.code, "_", "-"))
	}
	set("param", e.param)
	if e.noParam {
		o.Set("param", "")
	}
	set("charge", e.charge)
	if d := e.decline; d != nil {
		set("decline_code", d.declineCode)
		set("advice_code", d.advice)
		set("network_advice_code", d.networkAdvice)
		set("network_decline_code", d.networkDecline)
	}
	if e.paymentMethod != nil {
		o.Set("payment_method", e.paymentMethod.object())
	}
	if e.setupIntent != nil {
		o.Set("setup_intent", e.setupIntent.object())
	}
	if e.paymentIntent != nil {
		o.Set("payment_intent", e.paymentIntent.object())
	}
	return o
}

// body is the whole answer. The link names the request's log, as Stripe's does. A browser sees no more of an intent here than elsewhere.
func (e *apiError) body(account, requestID string, browser bool) []byte {
	o := e.object()
	if browser && e.paymentIntent != nil {
		o.Set("payment_intent", browserView(e.paymentIntent))
	}
	if browser && e.setupIntent != nil {
		o.Set("setup_intent", browserView(e.setupIntent))
	}
	if account != "" {
		o.Set("request_log_url", "https://dashboard.stripe.com/"+account+"/test/workbench/logs?object="+requestID)
	}
	return append(o.AppendJSON([]byte(`{"error":`)), '}')
}
