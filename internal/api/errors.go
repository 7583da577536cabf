package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/till-pay/till/internal/fault"
)

// statuses is the one table that turns a kind of fault into an HTTP status.
var statuses = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Invalid: http.StatusBadRequest, fault.Refused: http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.Conflict: http.StatusConflict, fault.Limited: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
	fault.TooLarge: http.StatusRequestEntityTooLarge,
}

// status is the HTTP status of a code and its kind; HTTP has a word of its own for a wrong method.
func status(code fault.Code, kind fault.Kind) int {
	if code == fault.MethodNotAllowed {
		return http.StatusMethodNotAllowed
	}
	return statuses[kind]
}

// failure is the body of every error.
type failure struct {
	status  int
	Success bool    `json:"success" enum:"false"`
	Err     problem `json:"error"`
}

type problem struct {
	Code      string `json:"code" doc:"Stable, for programs." example:"parameter_missing"`
	Message   string `json:"message" doc:"A sentence, for people." example:"The field amount is required."`
	Param     string `json:"param" doc:"The field at fault; empty where none is." example:"amount"`
	RequestID string `json:"request_id" doc:"Finds this request in the log." example:"req_9f2c4b7d1e06a35c8d41b2f7"`
}

// Error implements error.
func (f *failure) Error() string { return f.Err.Code + ": " + f.Err.Message }

// GetStatus implements huma.StatusError.
func (f *failure) GetStatus() int { return f.status }

// GetHeaders implements huma.HeadersError: who may come back is told when.
func (f *failure) GetHeaders() http.Header {
	h := http.Header{}
	if f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	return h
}

func init() {
	// Keys of a body are matched to the letter: {"amount":1,"Amount":2} must not be read as either.
	huma.ValidateStrictCasing = true
	// huma's own error form echoes the submitted value, secrets included: ours names the field only.
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		goctx := context.Background()
		if ctx != nil {
			goctx = ctx.Context()
		}
		return failed(goctx, translate(status, message, errs))
	}
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return failed(context.Background(), translate(status, message, errs))
	}
}

func failed(ctx context.Context, f *fault.Error) *failure {
	message := f.Message
	if f.Kind == fault.Internal {
		message = "Something failed on our side. The request id finds it in the log."
	}
	traceOf(ctx).code = f.Code
	return &failure{status: status(f.Code, f.Kind), Err: problem{string(f.Code), message, f.Param, RequestID(ctx)}}
}

// refuse turns an error into its answer, and logs what must not be shown.
func (a *API) refuse(ctx context.Context, err error) *failure {
	f := asFault(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		level := slog.LevelError
		if errors.Is(err, context.Canceled) {
			level = slog.LevelInfo // the client has left
		}
		a.log.LogAttrs(ctx, level, "request failed", slog.String("request_id", RequestID(ctx)), slog.String("code", string(f.Code)), slog.Any("error", err))
	}
	return failed(ctx, f)
}

func asFault(err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.DatabaseUnavailable, "", "The database did not answer in time; try again.").Because(err)
	}
	return fault.New(fault.InternalError, "", "%s", err.Error()).Because(err)
}

// write answers an error from a middleware.
func (a *API) write(ctx huma.Context, err error) {
	f := a.refuse(ctx.Context(), err)
	for name, values := range f.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", contentType)
	ctx.SetStatus(f.status)
	_ = format.Marshal(ctx.BodyWriter(), f)
}

// translate puts what huma found wrong with a request into our words. It names one fault, always the same one of several:
// one clear error is enough to act on.
func translate(status int, message string, errs []error) *fault.Error {
	var details []*huma.ErrorDetail
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			details = append(details, d.ErrorDetail())
		}
	}
	switch {
	case status >= http.StatusInternalServerError:
		return fault.New(fault.InternalError, "", "%s", message).Because(errors.Join(errs...))
	case len(details) == 0:
		return fault.New(fault.ParameterInvalid, "", "The request is not one that this call takes.")
	}
	return saying(slices.MinFunc(details, func(a, b *huma.ErrorDetail) int {
		return cmp.Or(cmp.Compare(weight(a), weight(b)), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Message, b.Message))
	}))
}

const unexpected = "unexpected property"

var (
	required  = regexp.MustCompile(`^expected required property (.+) to be present$|^required \w+ parameter is missing$`)
	wrongType = regexp.MustCompile(`^json: cannot unmarshal .* into Go (?:struct field [^.]+\.(\S+)|value) of type`)
)

// weight orders faults by what a caller would mend first: a header, then a name mistyped, then what is absent, then the rest.
func weight(d *huma.ErrorDetail) int {
	switch {
	case strings.HasPrefix(d.Location, "header."):
		return 0
	case d.Message == unexpected:
		return 1
	case required.MatchString(d.Message):
		return 2
	}
	return 3
}

// saying is one of huma's details as a fault. Its value is never looked at.
func saying(d *huma.ErrorDetail) *fault.Error {
	noun, param := parameter(d.Location)
	if m := required.FindStringSubmatch(d.Message); m != nil {
		param = join(param, m[1])
		if strings.EqualFold(param, "Idempotency-Key") {
			return KeyRequired()
		}
		return fault.New(fault.ParameterMissing, clip(param), "The %s %s is required.", noun, clip(param))
	}
	if m := wrongType.FindStringSubmatch(d.Message); m != nil { // the schema let it pass, and the Go type does not hold it
		param = join(param, m[1])
	}
	switch {
	case param == "":
		return fault.New(fault.BodyInvalid, "", "The body must be a JSON object.")
	case d.Message == unexpected:
		return fault.New(fault.ParameterUnknown, clip(param), "The field %s is not one that this call takes.", clip(param))
	case strings.EqualFold(param, "Idempotency-Key") && strings.HasPrefix(d.Message, "expected length <="):
		return fault.New(fault.IdempotencyKeyTooLong, param, "The Idempotency-Key is longer than 255 characters.")
	}
	return fault.New(fault.ParameterInvalid, clip(param), "The %s %s %s.", noun, clip(param), rule(d.Message))
}

// rules say what a field must be. A pattern takes huma's words, whose own end may quote the submitted value; what it says is kept
// only where it is the rule's own.
var rules = []struct {
	pattern *regexp.Regexp
	words   string
}{
	{regexp.MustCompile(`^expected boolean$|^invalid boolean$`), "must be true or false"},
	{regexp.MustCompile(`^expected number$|^invalid float`), "must be a number"},
	{regexp.MustCompile(`^expected integer$|^invalid integer$|of type u?int`), "must be a whole number"},
	{regexp.MustCompile(`^expected string$`), "must be a string"},
	{regexp.MustCompile(`^expected array$`), "must be a list"},
	{regexp.MustCompile(`^expected object$`), "must be an object"},
	{regexp.MustCompile(`^expected value to match exactly one schema`), "must be a decimal number, as a string or a number"},
	{regexp.MustCompile(`^expected string to be RFC 3339 date-time$|^invalid date/time`), "must be a time such as 2026-01-31T09:30:00Z"},
	{regexp.MustCompile(`^expected string to be RFC 5322 email`), "must be an email address"},
	{regexp.MustCompile(`^expected string to be RFC 3986 uri`), "must be a URL"},
	{regexp.MustCompile(`^expected string to be RFC 4122 uuid`), "must be a UUID"},
	{regexp.MustCompile(`^expected string to be ([^:]+)$`), "must be $1"},
	{regexp.MustCompile(`^expected value to be one of "(.*)"$`), "must be one of $1"},
	{regexp.MustCompile(`^expected length >= 1$`), "must not be empty"},
	{regexp.MustCompile(`^expected length >= (\d+)$`), "must be at least $1 characters long"},
	{regexp.MustCompile(`^expected length <= (\d+)$`), "must be at most $1 characters long"},
	{regexp.MustCompile(`^expected number >= (\S+)$`), "must be $1 or more"},
	{regexp.MustCompile(`^expected number <= (\S+)$`), "must be $1 or less"},
	{regexp.MustCompile(`^expected array length <= (\d+)$|^expected object with at most (\d+) properties$`), "must hold at most $1$2"},
	{regexp.MustCompile(`^expected array length >= (\d+)$|^expected object with at least (\d+) properties$`), "must hold at least $1$2"},
}

func rule(message string) string {
	for _, r := range rules {
		if m := r.pattern.FindStringSubmatchIndex(message); m != nil {
			return string(r.pattern.ExpandString(nil, r.words, message, m))
		}
	}
	return "does not have the right form"
}

// parameter is what a place is called, and its name as the caller wrote it: "body.customer.email" is the field customer.email.
func parameter(location string) (noun, name string) {
	in, name, _ := strings.Cut(location, ".")
	switch in {
	case "body":
		return "field", name
	case "header":
		return "header", name
	}
	return "parameter", name
}

func join(at, name string) string {
	if at == "" || name == "" {
		return at + name
	}
	return at + "." + name
}
