// Package stripe is till's client to Stripe, or to the sandbox: only the base URL differs.
//
// Requests go through the official SDK with its typed parameters. Its retries are off (they obey neither the context nor
// Stripe-Should-Retry, and repeat neither 409 nor 500 nor 429): once repeats. Answers are decoded into the few fields that
// till lives by, the same for a reply and for a webhook's object.
package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/form"

	"github.com/till-pay/till/internal/crash"
)

// APIBase is Stripe's own address: the only one that a live key is ever sent to.
const APIBase = "https://api.stripe.com"

// APIVersion is the version of Stripe's API that the SDK speaks, and that webhook endpoints are made with.
const APIVersion = sdk.APIVersion

// LiveKey says whether s has the form of a secret or restricted key of live mode.
func LiveKey(s string) bool {
	return strings.HasPrefix(s, "sk_live_") || strings.HasPrefix(s, "rk_live_")
}

// TestKey says whether s has the form of a secret or restricted key of test mode.
func TestKey(s string) bool {
	return strings.HasPrefix(s, "sk_test_") || strings.HasPrefix(s, "rk_test_")
}

// HTTPClient is the client that reaches Stripe. Its time-outs bound a single attempt; Stripe itself answers within 80 s or not at all,
// and a payment that took longer than 30 is looked up rather than waited for.
func HTTPClient() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           crash.Dial("stripe", (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext),
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       90 * time.Second,
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Client speaks for one Stripe account. It is safe for use by many goroutines.
type Client struct {
	backend sdk.Backend
	secret  string
}

// NewClient speaks to base with a secret key.
func NewClient(base, secret string, h *http.Client) *Client {
	limited := *h
	limited.Transport = bounded{h.Transport}
	return &Client{secret: secret, backend: sdk.GetBackendWithConfig(sdk.APIBackend, &sdk.BackendConfig{
		URL: sdk.String(base), HTTPClient: &limited, MaxNetworkRetries: sdk.Int64(0), EnableTelemetry: sdk.Bool(false),
		LeveledLogger: &sdk.LeveledLogger{Level: sdk.LevelNull},
	})}
}

// LeaveBy is a context whose requests do not leave any more after a moment: such a request is not executed. The clock on the wall decides, which
// goes on while a process stands still or its machine sleeps; timers do not.
func LeaveBy(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, leaveBy{}, at.Round(0))
}

type leaveBy struct{}

var errTooLate = errors.New("the request is too late to leave")

// bounded reads at most 4 MiB of a reply: a list of a hundred expanded objects stays well below. It also tells a request that never had a
// connection from one that may have left.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if by, set := r.Context().Value(leaveBy{}).(time.Time); set && time.Now().Round(0).After(by) {
		return nil, &neverConnected{errTooLate}
	}
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	reply, err := next.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil && !connected.Load() {
		err = &neverConnected{err}
	}
	if err != nil {
		return nil, err
	}
	reply.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(crash.Body("stripe", r, reply.Body), 4<<20), reply.Body}
	return reply, nil
}

// result is an answer of Stripe's, decoded into T.
type result[T any] struct {
	sdk.APIResource
	value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *result[T]) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &r.value) }

func call[T any](ctx context.Context, c *Client, method, path string, params sdk.ParamsContainer) (T, error) {
	params.GetParams().Context = ctx
	var r result[T]
	err := c.backend.Call(method, path, c.secret, params, &r)
	return r.checked(ctx, err)
}

// checked is the answer, where it is one: a 200 of something on the way tells nothing.
func (r *result[T]) checked(ctx context.Context, err error) (T, error) {
	if o, named := any(r.value).(interface{ id() string }); err == nil && named && o.id() == "" {
		err = errors.New("the reply is not the object that was asked for")
	}
	err = wrap(err)
	note(ctx, r.LastResponse, err)
	return r.value, err
}

// page is one page of a list.
type page[T any] struct {
	Object  string `json:"object"`
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
}

// id implements what call asks of an answer: that it is the object that was asked for.
func (p page[T]) id() string {
	if p.Object != "list" {
		return ""
	}
	return p.Object
}

// list walks a list of Stripe's, newest first, and calls see for each object until it says stop. It is bounded in pages; from is the cursor to go on
// after, and the returned cursor is where it stood when it ended without having seen everything ("" where it has).
func list[T interface{ id() string }](ctx context.Context, c *Client, path string, params func(after string) any, from string, see func(T) (stop bool)) (string, error) {
	const mostPages = 20
	for range mostPages {
		next, err := turn[T](ctx, c, path, params(from))
		if err != nil {
			return from, err
		}
		for _, o := range next.Data {
			if see(o) {
				return "", nil
			}
			from = o.id()
		}
		if !next.HasMore || len(next.Data) == 0 {
			return "", nil
		}
	}
	return from, errMorePages
}

// turn asks for one page. The SDK's Call takes no parameters of lists: it panics on them (v85.0.0), and its own lists go this way.
func turn[T any](ctx context.Context, c *Client, path string, params any) (page[T], error) {
	query := &form.Values{}
	form.AppendTo(query, params)
	var r result[page[T]]
	err := c.backend.CallRaw(http.MethodGet, path, c.secret, []byte(query.Encode()), &sdk.Params{Context: ctx}, &r)
	return r.checked(ctx, err)
}

var errMorePages = errors.New("stripe: the list goes on; look again from the cursor")

// Unfinished says that a look-up ended at its bound and goes on from the cursor it returned.
func Unfinished(err error) bool { return errors.Is(err, errMorePages) }

func text(s string) *string {
	if s == "" {
		return nil
	}
	return sdk.String(s)
}
