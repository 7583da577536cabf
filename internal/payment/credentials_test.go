package payment_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// door is a way to Stripe on which a key that was good can become one no more: Stripe itself answers that. One that is blind may not read.
type door struct{ revoked, blind atomic.Bool }

func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.blind.Load() && r.Method == http.MethodGet {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, Body: io.NopCloser(strings.NewReader(
			`{"error":{"type":"invalid_request_error","message":"The provided key does not have the required permissions for this endpoint."}}`))}, nil
	}
	if d.revoked.Load() {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer revoked")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A key that Stripe no longer takes is no decline: every answer says what is wrong, nothing of the key, and nothing is left on its way.
func TestRevokedKey(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		d := &door{}
		till.Merchants.HTTP = &http.Client{Transport: d, Timeout: 30 * time.Second}
		paid, held := till.Post("/v1/payments", order("pm_card_visa")).Want(201), authorized(t, till)
		card := saved(till, "pm_card_visa", "jane@example.com")

		d.revoked.Store(true)
		failed := till.Post("/v1/payments", order("pm_card_visa")).Want(201)
		fields(t, failed, "status", "failed", "failure.code", "provider_credentials")
		refund := till.Post("/v1/refunds", body{"payment_id": paid.ID()}).Want(201)
		fields(t, refund, "status", "failed", "failure.code", "provider_credentials")
		capture(till, held.ID(), nil).Refused(422, "provider_credentials", "")
		cancel(till, held.ID()).Refused(422, "provider_credentials", "")
		till.Get("/v1/payments/"+paid.ID()+"?refresh=true").Refused(422, "provider_credentials", "")
		till.As(till.Shop).Do("POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": "joe@example.com"}).Refused(422, "provider_credentials", "")
		till.As(till.Shop).Do("POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_mastercard", "customer_email": "jane@example.com"}).Refused(422, "provider_credentials", "")
		till.Delete("/v1/payments/cards/"+card.ID()).Refused(422, "provider_credentials", "")
		if strings.Contains(till.Log.String(), till.Shop.StripeKey) {
			t.Error("the log holds Stripe's key")
		}

		d.revoked.Store(false)
		fields(t, till.Get("/v1/payments/"+paid.ID()), "status", "completed", "refunding", "0.00", "refunded", "0.00")
		fields(t, till.Post("/v1/payments", charge(card.ID())).Want(201), "status", "completed") // it was not let go
		fields(t, capture(till, held.ID(), nil).Want(200), "status", "completed")
		till.Delete("/v1/payments/cards/" + card.ID()).Want(200)
		if owner := till.Stripe(till.Shop).Do("GET", "/v1/payment_methods/"+card.String("data", "payment_method"), "").Want(200).At("customer"); owner != nil {
			t.Errorf("at Stripe the card still belongs to %v", owner)
		}
		fields(t, till.Post("/v1/refunds", body{"payment_id": paid.ID()}).Want(201), "status", "completed")
		fields(t, till.As(till.Shop).Want(201, "POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": "joe@example.com"}), "brand", "visa")
	})
}

// A key that may not read is told as that: it is no word of Stripe's that there is no such payment, which would end what is to be asked.
func TestKeyThatMayNotRead(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		d := &door{}
		till.Merchants.HTTP = &http.Client{Transport: d, Timeout: 30 * time.Second}
		paid := till.Post("/v1/payments", order("pm_card_visa")).Want(201)
		d.blind.Store(true)
		till.Get("/v1/payments/"+paid.ID()+"?refresh=true").Refused(422, "provider_refused", "")
		if err := till.Payments.Refetch(t.Context(), till.Shop.Scope, 1, paid.String("data", "provider_ref")); err == nil {
			t.Error("what could not be asked counts as asked")
		}
		d.blind.Store(false)
		if err := till.Payments.Refetch(t.Context(), till.Shop.Scope, 1, "pi_of_nobody"); err != nil {
			t.Errorf("an intent that Stripe has not is no trouble: %v", err)
		}
	})
}
