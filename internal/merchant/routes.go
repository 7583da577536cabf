package merchant

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

// merchantView is a merchant as the API shows it.
type merchantView struct {
	ID       string        `json:"id" format:"uuid"`
	Name     string        `json:"name"`
	Mode     string        `json:"mode" enum:"test,live" doc:"The mode of the API key."`
	Provider *providerView `json:"provider" doc:"null until PUT /v1/merchant/providers."`
	Webhook  *webhookView  `json:"webhook" doc:"null until PUT /v1/merchant/webhook."`
}

// providerView never holds a secret.
type providerView struct {
	Provider         string    `json:"provider" enum:"stripe"`
	Account          string    `json:"account" example:"acct_1032D82eZvKYlo2C" doc:"The Stripe account, as Stripe says."`
	Country          string    `json:"country" example:"DE" doc:"Where the account is; empty where its key was set before till asked."`
	DefaultCurrency  string    `json:"default_currency" example:"EUR" doc:"What the account settles in where it has no other balance; empty likewise."`
	PublishableKey   string    `json:"publishable_key" doc:"Empty where none was given."`
	Generation       int64     `json:"generation" doc:"Grows by one each time the merchant turns to another account."`
	WebhookURL       string    `json:"webhook_url" doc:"Where Stripe should send this merchant's events. Only a path where the operator has not set the public URL. Keep it to yourself."`
	WebhookSecretSet bool      `json:"webhook_secret_set" doc:"Without a webhook secret Stripe's events are hints only."`
	WebhookEndpoint  string    `json:"webhook_endpoint" doc:"The endpoint that till registered at Stripe; empty where it did not."`
	UpdatedAt        time.Time `json:"updated_at"`
	Notes            []string  `json:"notes,omitempty" doc:"What you should know or do next."`
}

type webhookView struct {
	ID            string     `json:"id" format:"uuid" doc:"The endpoint's id, as in /v1/webhooks/endpoints."`
	URL           string     `json:"url"`
	Secret        string     `json:"secret,omitempty" doc:"The signing secret, in the answer that made it and never again."`
	LastSequence  int64      `json:"last_sequence" doc:"How many deliveries have been numbered; 0 before the first."`
	PreviousUntil *time.Time `json:"previous_secret_until" doc:"Until then deliveries carry the signature of the secret before, too; null where only the present one signs."`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

func (m *Merchants) webhookView(e Endpoint, secret string) *webhookView {
	return &webhookView{e.ID, e.URL, secret, e.NextSeq - 1, e.Overlap(m.Clock.Now()), e.CreatedAt, e.UpdatedAt}
}

type configView struct {
	Provider       string `json:"provider" enum:"stripe"`
	Mode           string `json:"mode" enum:"test,live"`
	PublishableKey string `json:"publishable_key" doc:"For Stripe.js; empty where none was given."`
	Account        string `json:"account"`
}

type nothing struct{}

type configureInput struct{ Body ConfigureInput }

type listenInput struct{ Body ListenInput }

// Routes registers the room's endpoints.
func (m *Merchants) Routes(a *api.API) {
	const tag = "Merchant"
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/merchant", Summary: "Show the merchant", Tag: tag, Scope: api.MerchantRead,
		Text: "The merchant of the API key, and how it is set up in the key's mode."},
		func(ctx context.Context, c api.Caller, _ *nothing) (api.Reply[merchantView], error) {
			v, err := m.show(ctx, c.Scope)
			return api.Reply[merchantView]{Data: v}, err
		})
	api.Add(a, api.Operation{Method: "PUT", Path: "/v1/merchant/providers", Summary: "Set the Stripe credentials", Tag: tag, Scope: api.MerchantWrite,
		Text: "till asks Stripe whose key it is and keeps it encrypted. Another key of the same account takes the old one's place; another account begins a new generation, and what was paid before stays with the account that it was paid to. Nothing is kept if Stripe refuses the key or cannot be reached."},
		func(ctx context.Context, c api.Caller, in *configureInput) (api.Reply[providerView], error) {
			now, err := m.Configure(ctx, c.Scope, in.Body)
			if err != nil {
				return api.Reply[providerView]{}, err
			}
			v := m.providerView(now.Provider)
			v.Notes = now.Notes
			return api.Reply[providerView]{Data: v}, nil
		})
	api.Add(a, api.Operation{Method: "PUT", Path: "/v1/merchant/webhook", Summary: "Set the webhook URL", Tag: tag, Scope: api.MerchantWrite,
		Text: "Where till tells the merchant of events, signed as Standard Webhooks says. The first answer holds the signing secret; later ones only with rotate_secret, which leaves the old secret signing beside the new one for overlap_hours, so that no delivery is refused while yours is changed."},
		func(ctx context.Context, c api.Caller, in *listenInput) (api.Reply[webhookView], error) {
			e, secret, err := m.Listen(ctx, c.Scope, in.Body)
			if err != nil {
				return api.Reply[webhookView]{}, err
			}
			return api.Reply[webhookView]{Data: *m.webhookView(e, secret)}, nil
		})
	m.settingsRoutes(a, tag)
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/config", Summary: "Show what a front end needs", Tag: tag,
		Text: "The publishable key and the account, for Stripe.js. Any API key may ask."},
		func(ctx context.Context, c api.Caller, _ *nothing) (api.Reply[configView], error) {
			p, err := m.Provider(ctx, c.Scope)
			return api.Reply[configView]{Data: configView{Name, c.Mode, p.PublishableKey, p.Account}}, err
		})
}

func (m *Merchants) show(ctx context.Context, scope db.Scope) (merchantView, error) {
	found, err := m.Find(ctx, scope.Merchant)
	if err != nil {
		return merchantView{}, err
	}
	v := merchantView{ID: found.ID, Name: found.Name, Mode: scope.Mode}
	p, err := newestProvider(ctx, m.DB, scope)
	switch {
	case err == nil:
		shown := m.providerView(p)
		v.Provider = &shown
	case !errors.Is(err, db.ErrNone):
		return merchantView{}, err
	}
	e, err := m.Endpoint(ctx, scope)
	switch {
	case err == nil:
		v.Webhook = m.webhookView(e, "")
	case !errors.Is(err, db.ErrNone):
		return merchantView{}, err
	}
	return v, nil
}

func (m *Merchants) providerView(p Provider) providerView {
	return providerView{
		Provider: Name, Account: p.Account, Country: p.Country, DefaultCurrency: p.Currency, PublishableKey: p.PublishableKey, Generation: p.Generation, WebhookURL: m.publicURL(p.WebhookPath()),
		WebhookSecretSet: p.HasWebhookSecret(), WebhookEndpoint: p.WebhookEndpoint, UpdatedAt: p.UpdatedAt,
	}
}
