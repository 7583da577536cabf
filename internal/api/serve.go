package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

type requestIDKey struct{}

// RequestID is the id of the request that a context belongs to, or "".
func RequestID(ctx context.Context) string {
	if ctx == nil {
		return ""
	}
	s, _ := ctx.Value(requestIDKey{}).(string)
	return s
}

// serve gives the request its id, refuses what no room should see, and logs one line when it is answered.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	requestID := "req_" + id.Hex(12)
	ctx := context.WithValue(r.Context(), requestIDKey{}, requestID)
	r = r.WithContext(ctx)
	rec := &recorder{ResponseWriter: w}
	rec.Header().Set("X-Request-Id", requestID)
	defer func() {
		if p := recover(); p != nil {
			a.log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("request_id", requestID), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			if rec.status == 0 {
				a.answer(rec, r, fault.New(fault.InternalError, "", "panic"))
			}
		}
		a.log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("request_id", requestID), slog.String("method", r.Method),
			slog.String("route", route(a.mux, r)), slog.Int("status", rec.status), slog.Duration("took", time.Since(started)))
	}()
	if err := readable(r); err != nil {
		a.answer(rec, r, err)
		return
	}
	if err := a.routed(r); err != nil {
		a.answer(rec, r, err)
		return
	}
	a.mux.ServeHTTP(rec, r)
}

// readable refuses bytes that are no text: no database column of ours can hold them.
func readable(r *http.Request) error {
	text := func(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
	if !text(r.URL.Path) {
		return fault.New(fault.RouteUnknown, "", "There is no such URL.")
	}
	query, err := parseQuery(r)
	if err != nil {
		return fault.New(fault.ParameterInvalid, "", "The query string cannot be read.")
	}
	for name, values := range query {
		if !text(name) {
			return fault.New(fault.ParameterUnknown, "", "A query parameter's name is not text.")
		}
		for _, v := range values {
			if !text(v) {
				return fault.New(fault.ParameterInvalid, name, "The parameter %s is not text.", name)
			}
		}
	}
	if key := r.Header.Get("Idempotency-Key"); !text(key) {
		return fault.New(fault.ParameterInvalid, "Idempotency-Key", "The Idempotency-Key is not text.")
	}
	return nil
}

// routed says in our own form that a URL or a method is unknown.
func (a *API) routed(r *http.Request) error {
	if _, pattern := a.mux.Handler(r); pattern != "" {
		return nil
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := a.mux.Handler(probe); pattern != "" {
			return fault.New(fault.MethodNotAllowed, "", "This URL does not take %s.", r.Method)
		}
	}
	return fault.New(fault.RouteUnknown, "", "There is no such URL: %s %s. See /docs.", r.Method, clip(r.URL.Path))
}

// answer writes an error outside huma.
func (a *API) answer(w http.ResponseWriter, r *http.Request, err error) {
	f := asFault(err)
	body := failed(r.Context(), f)
	if f.Code == fault.MethodNotAllowed {
		body.status = http.StatusMethodNotAllowed
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(body.status)
	_ = strictJSON.Marshal(w, body)
}

// knownQuery refuses query parameters that an operation does not take: a mistyped filter must not widen a list.
func (a *API) knownQuery(op *huma.Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		u := ctx.URL()
		for name := range u.Query() {
			plain, _, bracketed := strings.Cut(name, "[")
			declared := slices.ContainsFunc(ctx.Operation().Parameters, func(p *huma.Param) bool {
				return p.In == "query" && p.Name == plain && (p.Style == "deepObject") == bracketed
			})
			if !declared {
				a.write(ctx, fault.New(fault.ParameterUnknown, name, "The parameter %s is not one that this call takes.", clip(name)))
				return
			}
		}
		next(ctx)
	}
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the connection underneath.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// route is the pattern of a request, for the log: the path itself may hold a secret token.
func route(mux *http.ServeMux, r *http.Request) string {
	_, pattern := mux.Handler(r)
	if pattern == "" {
		return "unknown"
	}
	return fmt.Sprint(pattern)
}
