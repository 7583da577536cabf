package payment

import (
	"context"
	"errors"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// Register tells once how this room's calls are made. It is done once, before anything runs.
func (s *Payments) Register() {
	s.registerCreate()
	s.registerCapture()
	s.registerCancel()
}

// GetInput names a payment.
type GetInput struct {
	ID      string `path:"id" maxLength:"36"`
	Refresh bool   `query:"refresh" doc:"true asks Stripe now."`
}

// Get is one payment of the merchant, with its status as shown.
func (s *Payments) Get(ctx context.Context, scope db.Scope, payment string) (Payment, error) {
	missing := fault.New(fault.ResourceMissing, "id", "There is no payment %q.", clip(payment))
	if !id.Valid(payment) {
		return Payment{}, missing
	}
	p, err := s.find(ctx, scope, payment)
	if errors.Is(err, db.ErrNone) {
		return Payment{}, missing
	}
	return p.Shown(), err
}

// Refresh asks Stripe for a payment now, and returns it as it then stands.
func (s *Payments) Refresh(ctx context.Context, scope db.Scope, payment string) (Payment, error) {
	p, err := s.Get(ctx, scope, payment)
	if err != nil || p.ProviderRef == "" {
		return p, err
	}
	if err := s.Refetch(ctx, scope, p.generation, p.ProviderRef); err != nil {
		return Payment{}, stripe.Told(err, fault.New(fault.ProviderRefused, "", "Stripe refuses to show the payment: "),
			fault.New(fault.ProviderUnavailable, "", "Stripe did not answer; the payment stands as it was known."))
	}
	return s.Get(ctx, scope, payment)
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60]
	}
	return s
}

func (s *Payments) now() int64 { return s.Clock.Now().UnixMicro() }

// Routes registers the room's endpoints.
func (s *Payments) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payments", Summary: "Create a payment", Tag: "Payments", Scope: api.PaymentsWrite, Status: 201, Keyed: true,
		Text: "Charges a card once, however often the call is repeated under its key. A decline is an answer: 201, with status failed and the reason in failure. " +
			"Where Stripe does not answer within 10 seconds the status is pending, and a webhook tells the end. " +
			"With the duplicate guard on (PUT /v1/merchant/settings) the status is held where the payment looks like an earlier one: nothing was sent, and you release it or cancel it."},
		func(ctx context.Context, c api.Caller, in *CreateInput) (api.Reply[Payment], error) {
			p, replayed, err := s.Create(ctx, c.Scope, *in)
			return api.Reply[Payment]{Data: p, Replayed: replayed}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/payments", Summary: "List payments", Tag: "Payments", Scope: api.PaymentsRead, Text: "Newest first. Filters narrow."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Payment], error) {
			return s.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/payments/{id}", Summary: "Get a payment", Tag: "Payments", Scope: api.PaymentsRead},
		func(ctx context.Context, c api.Caller, in *GetInput) (api.Reply[Payment], error) {
			get := s.Get
			if in.Refresh {
				get = s.Refresh
			}
			p, err := get(ctx, c.Scope, in.ID)
			return api.Reply[Payment]{Data: p}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/payments/{id}/attempts", Summary: "List the attempts of a payment", Tag: "Payments", Scope: api.PaymentsRead,
		Text: "The audit trail, oldest first: each request under the payment's key, each send to Stripe and each look-up there with what came of it, captures and cancellations too. It is one page of a thousand lines at most; of repeats and look-ups each call keeps the first hundred."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Page[once.Attempt], error) {
			if _, err := s.Get(ctx, c.Scope, in.ID); err != nil {
				return api.Page[once.Attempt]{}, err
			}
			all, err := s.Once.Attempts(ctx, c.Scope, in.ID)
			return api.Page[once.Attempt]{Data: all}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payments/{id}/capture", Summary: "Capture a payment", Tag: "Payments", Scope: api.PaymentsWrite,
		Text: "Takes an authorized amount, or less; the rest is released. The payment and the amount are the key: the same capture again changes nothing."},
		func(ctx context.Context, c api.Caller, in *CaptureInput) (api.Reply[Payment], error) {
			p, replayed, err := s.Capture(ctx, c.Scope, *in)
			return api.Reply[Payment]{Data: p, Replayed: replayed}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payments/{id}/release", Summary: "Release a held payment", Tag: "Payments", Scope: api.PaymentsWrite,
		Text: "Sends a payment that the duplicate guard held, once: you say that it is meant. The answer is that of the payment, as when it is created; the same release again changes nothing."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Reply[Payment], error) {
			p, replayed, err := s.Release(ctx, c.Scope, in.ID)
			return api.Reply[Payment]{Data: p, Replayed: replayed}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/payments/{id}/cancel", Summary: "Cancel a payment", Tag: "Payments", Scope: api.PaymentsWrite,
		Text: "Ends a payment that is not completed and releases what it held on the card. One that the duplicate guard holds ends without a word to Stripe."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Reply[Payment], error) {
			p, replayed, err := s.Cancel(ctx, c.Scope, in.ID)
			return api.Reply[Payment]{Data: p, Replayed: replayed}, err
		})
}
