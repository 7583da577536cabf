package inbox

import (
	"context"
	"encoding/json"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

// ReceiveInput is an event on the URL that all merchants share.
type ReceiveInput struct {
	Signature string `header:"Stripe-Signature" doc:"Made by Stripe with the endpoint's secret."`
	RawBody   []byte
}

// ReceiveOwnInput is an event on a merchant's own URL.
type ReceiveOwnInput struct {
	Merchant string `path:"merchant_id" maxLength:"36"`
	Token    string `path:"token" maxLength:"64"`
	ReceiveInput
}

// Received is the answer that Stripe waits for.
type Received struct {
	Body struct {
		Received bool `json:"received"`
	}
}

// Receive takes an event on the shared URL: the secret that verifies it says whose it is.
func (i *Inbox) Receive(ctx context.Context, in *ReceiveInput) (*Received, error) {
	secrets, err := i.Merchants.InboundSecrets(ctx)
	if err != nil {
		return nil, err
	}
	const most = 32 // of the secrets tried for each request; PUT /v1/merchant/providers tells later merchants to use their own URL
	if len(secrets) > most {
		secrets = secrets[:most]
	}
	by, err := verify(in.Signature, in.RawBody, i.Clock.Now(), secrets)
	if err != nil {
		return nil, err
	}
	return i.keep(ctx, by, in.RawBody, true)
}

// ReceiveOwn takes an event on a merchant's own URL. Where that merchant has no secret, the URL's token lets a hint in: its object is fetched from Stripe.
func (i *Inbox) ReceiveOwn(ctx context.Context, in *ReceiveOwnInput) (*Received, error) {
	secrets, err := i.Merchants.InboundByToken(ctx, in.Merchant, in.Token)
	if err != nil {
		return nil, err
	}
	if len(secrets) == 0 {
		return nil, fault.New(fault.RouteUnknown, "", "There is no such URL.")
	}
	for _, s := range secrets {
		if s.Secret != "" {
			by, err := verify(in.Signature, in.RawBody, i.Clock.Now(), secrets)
			if err != nil {
				return nil, err
			}
			return i.keep(ctx, by, in.RawBody, true)
		}
	}
	return i.keep(ctx, secrets[0], in.RawBody, false)
}

// keep writes an event once, answers, and has it applied. Only Stripe's own faults are 4xx: for ours Stripe must try again.
func (i *Inbox) keep(ctx context.Context, by merchant.InboundSecret, body []byte, verified bool) (*Received, error) {
	seen, err := stripe.ParseEvent(body)
	if err != nil {
		return nil, fault.New(fault.BodyInvalid, "", "Webhook Error: the body is not one of Stripe's events.")
	}
	if seen.Livemode != (by.Mode == merchant.Live) {
		return nil, fault.New(fault.WebhookSignature, "livemode", "Webhook Error: the event is of the other mode.")
	}
	var object struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(seen.Object, &object) // an object without an id is of no kind that a room takes
	e := Event{Scope: by.Scope, ID: seen.ID, Generation: by.Generation, Type: seen.Type, Object: clip(object.ID), Payload: string(body), Verified: verified, received: i.Clock.Now()}
	fresh, err := i.insert(ctx, e)
	if err != nil {
		return nil, err
	}
	if fresh {
		i.begin(e)
	}
	out := &Received{}
	out.Body.Received = true
	return out, nil
}

func clip(s string) string {
	if len(s) > 255 {
		return ""
	}
	return s
}

// Routes registers the room's endpoints.
func (i *Inbox) Routes(a *api.API) {
	const body = 512 << 10 // of an event; Stripe's largest are a few tens of kilobytes
	api.AddRaw(a, api.Operation{Method: "POST", Path: "/v1/webhooks/stripe", Summary: "Receive an event of Stripe", Tag: "Stripe", Open: true, MaxBody: body,
		Text: "For Stripe. The event's signature proves it and tells whose it is."}, i.Receive)
	api.AddRaw(a, api.Operation{Method: "POST", Path: "/v1/webhooks/stripe/{merchant_id}/{token}", Summary: "Receive an event of Stripe for one merchant", Tag: "Stripe", Open: true, MaxBody: body,
		Text: "For Stripe: the merchant's own URL, from GET /v1/merchant."}, i.ReceiveOwn)
}
