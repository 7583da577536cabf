// Package api is the front door: routes, decoding, authentication, the envelope, and the only place where errors become HTTP.
//
// A room registers its endpoints with Add. What it gets for free: a strict JSON body, checked parameters, the caller and
// its scopes, the envelope {"success":true,"data":…}, errors in one form, and its page in the reference at /docs.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/till-pay/till/internal/db"
)

// Caller is who asks: a merchant, in one mode, with the scopes of its key.
type Caller struct {
	db.Scope
	KeyID  string
	Scopes []string
}

// Authenticate finds the caller of a request by its headers, or returns a fault. The merchant room fills it.
type Authenticate func(ctx context.Context, header http.Header) (Caller, error)

// The scopes that an API key may carry.
const (
	PaymentsRead  = "payments:read"
	PaymentsWrite = "payments:write"
	PayoutsWrite  = "payouts:write" // apart from payments: whoever sells does not thereby send money to the bank
	MerchantRead  = "merchant:read"
	MerchantWrite = "merchant:write"
	WebhooksRead  = "webhooks:read"
)

// Scopes are all of them, in the order of the reference.
var Scopes = []string{PaymentsRead, PaymentsWrite, PayoutsWrite, MerchantRead, MerchantWrite, WebhooksRead}

// API is the front door. Its routes are registered before it serves.
type API struct {
	// Answered is told of each request: the pattern of its route, "" where there is none, its status and how long it took. nil where
	// nobody counts.
	Answered func(route string, status int, took time.Duration)

	huma         huma.API
	mux          *http.ServeMux
	authenticate Authenticate
	log          *slog.Logger
	names        *names
	reference    *reference

	bodyWithin time.Duration // a body must arrive in this time
	crowd      int64         // so many requests are answered at once; the next one is told to come back
	inside     atomic.Int64
}

// New is an empty front door. version is the build's, for the OpenAPI document.
func New(version string, authenticate Authenticate, log *slog.Logger) *API {
	a := &API{
		mux: http.NewServeMux(), authenticate: authenticate, log: log, names: newNames(),
		bodyWithin: 10 * time.Second, crowd: 4096,
	}
	a.huma = humago.New(a.mux, document(version, a.names))
	a.reference = newReference(a.huma.OpenAPI())
	a.Handle("GET /openapi.json", a.reference.json())
	a.Handle("GET /docs", a.reference.page())
	a.Handle("GET /{$}", signpost(version))
	return a
}

// signpost tells whoever opens the bare address what this is, and where to read on.
func signpost(version string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_ = format.Marshal(w, struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Docs    string `json:"docs"`
			OpenAPI string `json:"openapi"`
		}{"till", version, "/docs", "/openapi.json"})
	})
}

// Handle adds a route outside the OpenAPI document, such as /healthz.
func (a *API) Handle(pattern string, h http.Handler) { a.mux.Handle(pattern, h) }

// Operation describes one endpoint.
type Operation struct {
	Method  string
	Path    string
	Summary string // a few words, unique: the endpoint's title, and its name in the OpenAPI document
	Text    string // what holds, for the reference: paragraphs, with `code` in backticks
	Tag     string // the section of the reference
	Scope   string // what the key must carry; "" where any key will do
	Open    bool   // no key at all: Stripe's webhooks prove themselves by their signature
	Status  int    // of a success; 200 where it is 0
	MaxBody int64  // bytes; 64 KiB where it is 0
	Keyed   bool   // it moves money: a request without an Idempotency-Key header must have key_parts in its body
}

// Reply is what a handler answers.
type Reply[T any] struct {
	Data     T
	Status   int  // where it differs from the operation's
	Replayed bool // the Idempotency-Key had been used: the data is the object as it stands now
}

type output[T any] struct {
	Status   int
	Replayed string `header:"Idempotent-Replayed" doc:"true where the Idempotency-Key had been used before"`
	Body     envelope[T]
}

type envelope[T any] struct {
	Success bool `json:"success" enum:"true"`
	Data    T    `json:"data"`
}

// Add registers an endpoint that answers one object.
func Add[I, T any](a *API, o Operation, handle func(context.Context, Caller, *I) (Reply[T], error)) {
	op := a.operation(o)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*output[T], error) {
		reply, err := handle(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		out := &output[T]{Status: op.DefaultStatus, Body: envelope[T]{true, reply.Data}}
		if reply.Status != 0 {
			out.Status = reply.Status
		}
		if reply.Replayed {
			out.Replayed = "true"
		}
		return out, nil
	})
	a.added(o)
}

type listOutput[T any] struct {
	Body listEnvelope[T]
}

type listEnvelope[T any] struct {
	Success bool     `json:"success" enum:"true"`
	Data    []T      `json:"data" nullable:"false"`
	Page    pageInfo `json:"page"`
}

type pageInfo struct {
	Next    string `json:"next" doc:"The cursor of the next page; empty on the last one." example:"MTc2OTg1MTgwMDAwMDAwMCAwMTk5MmY2ZS04ZDRi"`
	HasMore bool   `json:"has_more" example:"true"`
}

// AddList registers an endpoint that answers a page of objects.
func AddList[I, T any](a *API, o Operation, handle func(context.Context, Caller, *I) (Page[T], error)) {
	huma.Register(a.huma, a.operation(o), func(ctx context.Context, in *I) (*listOutput[T], error) {
		page, err := handle(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		data := page.Data
		if data == nil {
			data = []T{}
		}
		return &listOutput[T]{listEnvelope[T]{true, data, pageInfo{page.Next, page.Next != ""}}}, nil
	})
	a.added(o)
}

// AddRaw registers an endpoint whose answer has a form of its own, outside the envelope. Errors keep theirs.
func AddRaw[I, O any](a *API, o Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, a.operation(o), func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		return out, nil
	})
	a.added(o)
}

// operation is an endpoint in huma's terms. What stands between a request and its handler is here, in its order: the crowd,
// the key and its scope, the query, the body.
func (a *API) operation(o Operation) huma.Operation {
	a.names.operation(o.Summary)
	op := huma.Operation{
		OperationID: a.names.id(), Method: o.Method, Path: o.Path, Summary: o.Summary, Description: o.Text,
		Tags: []string{o.Tag}, DefaultStatus: o.Status, BodyReadTimeout: -1, // ours is in body
		Responses: a.refusals(o),
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	limit := o.MaxBody
	if limit == 0 {
		limit = 64 << 10
	}
	op.MaxBodyBytes = limit + 1
	op.Middlewares = append(op.Middlewares, a.admit)
	if !o.Open {
		op.Middlewares = append(op.Middlewares, a.authorize(o.Scope))
		op.Security = []map[string][]string{{securityScheme: {}}}
	}
	op.Middlewares = append(op.Middlewares, a.query, a.body(limit, o.Keyed))
	return op
}

func (a *API) added(o Operation) {
	a.reference.add(o)
	a.names.tidy(a.reference.operation(o), a.huma.OpenAPI().Components.Schemas.Map())
}

type callerKey struct{}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
