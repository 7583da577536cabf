package api

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

const (
	answerWithin = 25 * time.Second // the deadline of a request's context: a payment waits 10 s for Stripe, and the rest is short
	writeWithin  = 30 * time.Second // then the connection is cut
)

// Server is an HTTP server with every bound set. It has no ReadTimeout, because a read deadline that passes while a handler is
// at work ends the handler's context (net/http); the front door bounds the reading of bodies itself.
func Server(addr string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr: addr, Handler: handler,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      writeWithin,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
}

// trace is what the log tells of a request besides its answer. It belongs to the request's context, and is filled as it becomes known.
type trace struct {
	id       string
	merchant string // "" where nothing has shown it
	code     fault.Code
}

type traceKey struct{}

// traceOf is the trace of the request that a context belongs to, or one that nobody reads.
func traceOf(ctx context.Context) *trace {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		return t
	}
	return &trace{}
}

// RequestID is the id of the request that a context belongs to, or "".
func RequestID(ctx context.Context) string { return traceOf(ctx).id }

// Concerns tells the log whose request it is, where no API key does.
func Concerns(ctx context.Context, merchant string) { traceOf(ctx).merchant = merchant }

// ServeHTTP gives a request its id and its deadline, refuses what no room should see, and logs one line when it is answered.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	t := &trace{id: "req_" + id.Hex(12)}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), traceKey{}, t), answerWithin)
	defer cancel()
	r = r.WithContext(ctx)
	rec := &recorder{ResponseWriter: w}
	rec.Header().Set("X-Request-Id", t.id)
	rec.Header().Set("X-Content-Type-Options", "nosniff")
	rec.Header().Set("Cache-Control", "no-store")
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(started.Add(a.bodyWithin))
	}
	defer func() {
		defer func() { a.answered(r, t, rec.status, time.Since(started)) }() // even where the connection is cut
		a.recovered(rec, r, recover())
	}()
	err := readable(r)
	if err == nil {
		err = a.routed(rec, r)
	}
	if err != nil {
		a.answer(rec, r, err)
		return
	}
	a.mux.ServeHTTP(rec, r)
}

// answered writes a request's line in the log, and counts it. The line has no path and no query: they may hold what is nobody else's.
func (a *API) answered(r *http.Request, t *trace, status int, took time.Duration) {
	if status == 0 {
		status = http.StatusOK // net/http's own answer for a handler that writes none
	}
	line := []slog.Attr{slog.String("request_id", t.id), slog.String("method", clip(r.Method)), slog.String("route", r.Pattern), slog.Int("status", status)}
	if t.merchant != "" {
		line = append(line, slog.String("merchant", t.merchant))
	}
	if t.code != "" {
		line = append(line, slog.String("code", string(t.code)))
	}
	a.log.LogAttrs(r.Context(), slog.LevelInfo, "request", append(line, slog.Duration("took", took))...)
	if a.Answered != nil {
		a.Answered(r.Pattern, status, took)
	}
}

// recovered answers a panic. Where part of an answer is out already, only cutting the connection tells the client so.
func (a *API) recovered(rec *recorder, r *http.Request, p any) {
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { // said already
		panic(p)
	}
	a.log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", RequestID(r.Context())), slog.Any("panic", p),
		slog.String("stack", string(debug.Stack())))
	if rec.status != 0 {
		panic(http.ErrAbortHandler)
	}
	a.answer(rec, r, fault.New(fault.InternalError, "", "panic"))
}

// readable refuses bytes that are no text, which no database column of ours can hold, and an Idempotency-Key that is two.
func readable(r *http.Request) error {
	text := func(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
	if !text(r.URL.Path) {
		return fault.New(fault.RouteUnknown, "", "There is no such URL: its path is not text.")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.ParameterInvalid, "", "The query string cannot be read.")
	}
	for _, name := range sorted(query) {
		if !text(name) {
			return fault.New(fault.ParameterUnknown, "", "A query parameter's name is not text.")
		}
		for _, v := range query[name] {
			if !text(v) {
				return fault.New(fault.ParameterInvalid, clip(name), "The parameter %s is not text.", clip(name))
			}
		}
	}
	keys := r.Header.Values("Idempotency-Key")
	switch {
	case len(keys) > 1:
		return fault.New(fault.ParameterInvalid, "Idempotency-Key", "The Idempotency-Key header is there twice.")
	case len(keys) == 1 && !text(keys[0]):
		return fault.New(fault.ParameterInvalid, "Idempotency-Key", "The Idempotency-Key is not UTF-8 text.")
	}
	return nil
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// routed says in our own form that a URL or a method is unknown. A path that is not clean ("//", "..") is unknown too: net/http
// would redirect it.
func (a *API) routed(w http.ResponseWriter, r *http.Request) error {
	clean := path.Clean(r.URL.Path)
	if clean == r.URL.Path {
		if _, pattern := a.mux.Handler(r); pattern != "" {
			return nil
		}
		if allowed := a.allowed(r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return fault.New(fault.MethodNotAllowed, "", "This URL takes %s.", strings.Join(allowed, " or "))
		}
	}
	return fault.New(fault.RouteUnknown, "", "There is no such URL; /docs lists them all.")
}

func (a *API) allowed(r *http.Request) []string {
	return slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
		probe := r.Clone(r.Context())
		probe.Method = method
		_, pattern := a.mux.Handler(probe)
		return pattern == ""
	})
}

// answer writes an error outside huma.
func (a *API) answer(w http.ResponseWriter, r *http.Request, err error) {
	f := failed(r.Context(), asFault(err))
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(f.status)
	_ = format.Marshal(w, f)
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter. The first status stands.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		r.ResponseWriter.WriteHeader(status)
	}
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

func sorted(values url.Values) []string {
	return slices.Sorted(maps.Keys(values))
}
