// Package api is the front door: routes, decoding, authentication, the envelope, and the only place where errors become HTTP.
//
// A room registers its endpoints with Add. What it gets for free: a strict JSON body, checked parameters, the caller and
// its scopes, the envelope {"success":true,"data":…}, errors in one form, and its page in the OpenAPI document.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
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
	MerchantRead  = "merchant:read"
	MerchantWrite = "merchant:write"
	WebhooksRead  = "webhooks:read"
)

// Scopes are all of them, in the order of the reference.
var Scopes = []string{PaymentsRead, PaymentsWrite, MerchantRead, MerchantWrite, WebhooksRead}

// API is the front door.
type API struct {
	huma         huma.API
	mux          *http.ServeMux
	authenticate Authenticate
	log          *slog.Logger
}

// New is an empty front door. version is the build's, for the OpenAPI document.
func New(version string, authenticate Authenticate, log *slog.Logger) *API {
	config := huma.DefaultConfig("till", version)
	config.Info.Description = "Payments on Stripe, exactly once: charge, capture, refund, save cards, and hear about all of it by signed webhooks."
	config.DocsPath = "" // huma's own page loads its script from elsewhere; docs.go writes ours
	config.OpenAPIPath = "/openapi"
	config.SchemasPath = ""
	config.CreateHooks = nil // no "$schema" in our bodies
	config.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON}
	config.DefaultFormat = "application/json"
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"apiKey": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "A key made by `till key create`: till_test_… or till_live_…"},
	}
	mux := http.NewServeMux()
	return &API{huma: humago.New(mux, config), mux: mux, authenticate: authenticate, log: log}
}

// Handle adds a route outside the OpenAPI document, such as /healthz.
func (a *API) Handle(pattern string, h http.Handler) { a.mux.Handle(pattern, h) }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r)
}

// Operation describes one endpoint.
type Operation struct {
	Method  string
	Path    string
	Summary string // a few words, the endpoint's title
	Text    string // what holds, for the reference
	Tag     string
	Scope   string // what the key must carry; "" where any key will do
	Open    bool   // no key at all: Stripe's webhooks prove themselves by their signature
	Status  int    // of a success; 200 where it is 0
	MaxBody int64  // bytes; 64 KiB where it is 0
	List    bool   // the answer is a page
}

// Reply is what a handler answers.
type Reply[T any] struct {
	Data     T
	Status   int  // where it differs from the operation's
	Replayed bool // the Idempotency-Key had been used: the data is the object as it stands now
}

type output[T any] struct {
	Status   int
	Replayed string `header:"Idempotent-Replayed" doc:"true where the key had been used before"`
	Body     envelope[T]
}

type envelope[T any] struct {
	Success bool `json:"success" doc:"true"`
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
}

type listOutput[T any] struct {
	Body listEnvelope[T]
}

type listEnvelope[T any] struct {
	Success bool     `json:"success" doc:"true"`
	Data    []T      `json:"data" nullable:"false"`
	Page    pageInfo `json:"page"`
}

type pageInfo struct {
	Next    string `json:"next" doc:"The cursor of the next page; empty on the last one."`
	HasMore bool   `json:"has_more"`
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
}

func (a *API) operation(o Operation) huma.Operation {
	op := huma.Operation{
		OperationID: operationID(o.Method, o.Path), Method: o.Method, Path: o.Path, Summary: o.Summary, Description: o.Text,
		DefaultStatus: o.Status, MaxBodyBytes: o.MaxBody, Tags: []string{o.Tag},
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = 64 << 10
	}
	if !o.Open {
		op.Middlewares = append(op.Middlewares, a.authorize(o.Scope))
		op.Security = []map[string][]string{{"apiKey": {}}}
		if o.Scope != "" {
			op.Description += "\n\nNeeds the scope `" + o.Scope + "`."
		}
	}
	op.Middlewares = append(op.Middlewares, a.knownQuery(&op))
	return op
}

type callerKey struct{}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// authorize lets a request in whose key is valid and carries the scope, before anything of it is read.
func (a *API) authorize(scope string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		header := http.Header{}
		ctx.EachHeader(func(name, value string) { header.Add(name, value) })
		caller, err := a.authenticate(ctx.Context(), header)
		if err == nil && scope != "" && !slices.Contains(caller.Scopes, scope) {
			err = fault.New(fault.ScopeMissing, "", "This API key lacks the scope %s.", scope)
		}
		if err != nil {
			a.write(ctx, err)
			return
		}
		next(huma.WithValue(ctx, callerKey{}, caller))
	}
}
