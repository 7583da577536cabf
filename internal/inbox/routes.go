package inbox

import (
	"context"

	"github.com/till-pay/till/internal/api"
)

// MissingInput says how far back Stripe's list is looked through.
type MissingInput struct {
	Since string `query:"since" default:"72h" maxLength:"40" doc:"How long ago, such as 72h, 30m or 3d, or a time such as 2026-11-21T09:00:00Z: 30 days at most." example:"72h"`
	Until string `query:"until" maxLength:"40" doc:"Only events made until this time (RFC 3339); the present where it is not given."`
}

// RepairInput says how far back what was missed is brought in.
type RepairInput struct {
	Body struct {
		Since string `json:"since" minLength:"1" maxLength:"40" doc:"How long ago, such as 72h, 30m or 3d, or a time such as 2026-11-21T09:00:00Z: 30 days at most." example:"72h"`
		Until string `json:"until,omitempty" maxLength:"40" doc:"Only events made until this time (RFC 3339); the present where it is not given."`
	}
}

// Routes registers the room's endpoints.
func (i *Inbox) Routes(a *api.API) {
	const body = 512 << 10 // of an event; Stripe's largest are a few tens of kilobytes
	api.AddRaw(a, api.Operation{Method: "POST", Path: "/v1/webhooks/stripe", Summary: "Receive an event of Stripe", Tag: "Stripe", Open: true, MaxBody: body,
		Text: "For Stripe. The event's signature proves it and tells whose it is."}, i.Receive)
	api.AddRaw(a, api.Operation{Method: "POST", Path: "/v1/webhooks/stripe/{merchant_id}/{token}", Summary: "Receive an event of Stripe for one merchant", Tag: "Stripe", Open: true, MaxBody: body,
		Text: "For Stripe: the merchant's own URL, from GET /v1/merchant."}, i.ReceiveOwn)
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/stripe/events", Summary: "List Stripe's events", Tag: "Stripe", Scope: api.WebhooksRead,
		Text: "What Stripe has told, and what became of it, newest first."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Told], error) {
			return i.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/stripe/events/missed", Summary: "Find missed events of Stripe", Tag: "Stripe", Scope: api.WebhooksRead,
		Text: "Asks Stripe for its list of events, and says which of them were never kept here. It changes nothing. till looks by itself about once a minute, and brings in what is missing."},
		func(ctx context.Context, c api.Caller, in *MissingInput) (api.Reply[Gap], error) {
			g, err := i.Missing(ctx, c.Scope, in.Since, in.Until)
			return api.Reply[Gap]{Data: g}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/stripe/events/repair", Summary: "Bring in missed events of Stripe", Tag: "Stripe", Scope: api.PaymentsWrite,
		Text: "Brings in what Stripe has and was never kept here, tries again what could not be taken in, and waits for it, 20 seconds at most. Repeated, it brings nothing twice."},
		func(ctx context.Context, c api.Caller, in *RepairInput) (api.Reply[Repaired], error) {
			r, err := i.Repair(ctx, c.Scope, in.Body.Since, in.Body.Until)
			return api.Reply[Repaired]{Data: r}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/stripe/events/{id}/resend", Summary: "Take in an event of Stripe again", Tag: "Stripe", Scope: api.PaymentsWrite,
		Text: "Asks Stripe for the event and takes it in, whether it was here before or not. What is so already does not change by it."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"255" doc:"The event's id at Stripe: evt_…"`
		}) (api.Reply[Told], error) {
			t, err := i.Resend(ctx, c.Scope, in.ID)
			return api.Reply[Told]{Data: t}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/stripe/signature", Summary: "Check a webhook's signature", Tag: "Stripe", Scope: api.WebhooksRead, MaxBody: 3 * body, // as JSON it is longer
		Text: "Holds a webhook of Stripe's against the merchant's signing secrets, by the same checks as when it comes, and says which of them it fails and why. It writes nothing."},
		func(ctx context.Context, c api.Caller, in *SignatureInput) (api.Reply[Diagnosis], error) {
			d, err := i.Diagnose(ctx, c.Scope, in.Body.Payload, in.Body.Signature)
			return api.Reply[Diagnosis]{Data: d}, err
		})
}
