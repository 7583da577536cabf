package outbox

import (
	"context"
	"net/http"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/event"
)

// Routes registers the room's endpoints.
func (o *Outbox) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/merchant/webhook/test", Summary: "Send a test webhook", Tag: "Webhooks", Scope: api.MerchantWrite,
		Status: http.StatusAccepted, Text: "Writes the event webhook.test, which is delivered like every other. GET /v1/webhooks/deliveries tells what came of it."},
		func(ctx context.Context, c api.Caller, _ *struct{}) (api.Reply[event.Event], error) {
			e, err := o.Test(ctx, c.Scope)
			return api.Reply[event.Event]{Data: e}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/webhooks/deliveries", Summary: "List deliveries", Tag: "Webhooks", Scope: api.WebhooksRead,
		Text: "Every webhook that was or will be sent, newest first, with the log of its attempts."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Delivery], error) {
			return o.List(ctx, c.Scope, *in)
		})
	type one struct {
		ID string `path:"id" maxLength:"60" doc:"The delivery's id."`
	}
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/webhooks/deliveries/{id}/redeliver", Summary: "Deliver again", Tag: "Webhooks", Scope: api.MerchantWrite,
		Status: http.StatusAccepted, Text: "Due now, with the same sequence and event id. A delivery that had ended gets the whole schedule of attempts anew."},
		func(ctx context.Context, c api.Caller, in *one) (api.Reply[Delivery], error) {
			d, err := o.Redeliver(ctx, c.Scope, in.ID)
			return api.Reply[Delivery]{Data: d}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/webhooks/endpoints", Summary: "List endpoints", Tag: "Webhooks", Scope: api.WebhooksRead,
		Text: "Where till delivers to, how far it has numbered, and the last checkpoint that it told. There is one endpoint in each mode at most."},
		func(ctx context.Context, c api.Caller, _ *struct{}) (api.Page[endpointView], error) {
			found, err := o.endpoints(ctx, c.Scope)
			return api.Page[endpointView]{Data: found}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/webhooks/endpoints/{id}/events", Summary: "Pull events of an endpoint", Tag: "Webhooks", Scope: api.WebhooksRead,
		Text: "The endpoint's messages exactly as they are delivered, in the order of their sequence, whether they arrived or not: for what your server missed, and to prove that it missed nothing."},
		func(ctx context.Context, c api.Caller, in *pullInput) (api.Page[message], error) {
			return o.pull(ctx, c.Scope, *in)
		})
}
