package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
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

// failure is the body of every error.
type failure struct {
	status  int
	Success bool    `json:"success" doc:"false"`
	Err     problem `json:"error"`
}

type problem struct {
	Code      string `json:"code" doc:"Stable, for programs."`
	Message   string `json:"message" doc:"A sentence, for people."`
	Param     string `json:"param" doc:"The field at fault; empty where none is."`
	RequestID string `json:"request_id" doc:"Finds this request in the log."`
}

// Error implements error.
func (f *failure) Error() string { return f.Err.Code + ": " + f.Err.Message }

// GetStatus implements huma.StatusError.
func (f *failure) GetStatus() int { return f.status }

func init() {
	// huma's own error form echoes the submitted value, secrets included: ours names the field only.
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		var goctx context.Context
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
	return &failure{status: statuses[f.Kind], Err: problem{string(f.Code), message, f.Param, RequestID(ctx)}}
}

// refuse turns a handler's error into its answer, and logs what must not be shown.
func (a *API) refuse(ctx context.Context, err error) error {
	f := asFault(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		a.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request_id", RequestID(ctx)), slog.String("code", string(f.Code)), slog.Any("error", err))
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
	var f *failure
	if !errors.As(a.refuse(ctx.Context(), err), &f) {
		return
	}
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetStatus(f.status)
	_ = strictJSON.Marshal(ctx.BodyWriter(), f)
}

var (
	requiredProperty = regexp.MustCompile(`^expected required property (\S+) to be present$`)
	inArticle        = strings.NewReplacer("expected ", "It must be ", "length >= 1", "at least one character long", "length", "of length")
)

// translate puts what huma found wrong with a request into our words. It names the first fault: one clear error is enough to act on.
func translate(status int, message string, errs []error) *fault.Error {
	var detail *huma.ErrorDetail
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail = d.ErrorDetail()
			break
		}
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return fault.New(fault.BodyTooLarge, "", "The body is longer than this call reads.")
	case status == http.StatusUnsupportedMediaType:
		return fault.New(fault.ContentTypeUnsupported, "", "The body must be JSON: Content-Type: application/json.")
	case status >= 500:
		return fault.New(fault.InternalError, "", "%s", message)
	case detail == nil && strings.Contains(message, "body is required"):
		return fault.New(fault.BodyInvalid, "", "The body is missing: this call takes a JSON object.")
	case detail == nil:
		return fault.New(fault.ParameterInvalid, "", "%s", message)
	case detail.Location == "body" && status == http.StatusBadRequest:
		return fault.New(fault.BodyInvalid, "", "The body cannot be read as JSON: %s.", strings.TrimPrefix(detail.Message, "json: "))
	}
	return translateDetail(detail)
}

func translateDetail(d *huma.ErrorDetail) *fault.Error {
	param := parameter(d.Location)
	if m := requiredProperty.FindStringSubmatch(d.Message); m != nil {
		if param != "" {
			param += "."
		}
		return fault.New(fault.ParameterMissing, param+m[1], "The field %s is required.", param+m[1])
	}
	switch {
	case strings.HasPrefix(d.Message, "required ") && strings.HasSuffix(d.Message, "parameter is missing"):
		if strings.EqualFold(param, "Idempotency-Key") {
			return fault.New(fault.IdempotencyKeyRequired, param, "This call moves money: send an Idempotency-Key header, and the same one again when you repeat the call.")
		}
		return fault.New(fault.ParameterMissing, param, "The parameter %s is required.", param)
	case d.Message == "unexpected property":
		return fault.New(fault.ParameterUnknown, param, "The field %s is not one that this call takes.", param)
	case strings.EqualFold(param, "Idempotency-Key") && strings.Contains(d.Message, "length <="):
		return fault.New(fault.IdempotencyKeyTooLong, param, "The Idempotency-Key is longer than 255 characters.")
	case d.Location == "body":
		return fault.New(fault.ParameterInvalid, "", "The body has a field of the wrong type.")
	}
	return fault.New(fault.ParameterInvalid, param, "The field %s is not valid: %s.", param, clip(inArticle.Replace(d.Message)))
}

// parameter is the name of a field as the caller wrote it: "body.customer.email" becomes "customer.email".
func parameter(location string) string {
	for _, in := range []string{"body", "query", "path", "header"} {
		if location == in {
			return ""
		}
		if rest, ok := strings.CutPrefix(location, in+"."); ok {
			return rest
		}
	}
	return location
}

func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// operationID names an operation after its method and path: post-v1-payments-id-capture.
func operationID(method, path string) string {
	return strings.ToLower(fmt.Sprintf("%s%s", method, strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)))
}
