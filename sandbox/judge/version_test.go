//go:build !race

package judge_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
)

// delivered is a webhook as it came.
type delivered struct {
	body      []byte
	signature string
}

// TestEndpointsOfVersions: Stripe's client for Go takes the events of an endpoint of its own version, and refuses those of an older one
// unless it is told to look away; then it finds in them what that version had.
func TestEndpointsOfVersions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	came := map[string]chan delivered{}
	secrets := map[string]string{}
	for _, version := range []string{stripe.APIVersion, "2020-08-27"} {
		events := make(chan delivered, 10)
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			events <- delivered{body, r.Header.Get("Stripe-Signature")}
		}))
		t.Cleanup(hook.Close)
		endpoint := must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Create(t.Context(), &stripe.WebhookEndpointCreateParams{
			URL: stripe.String(hook.URL), EnabledEvents: []*string{stripe.String("charge.refunded")}, APIVersion: stripe.String(version),
		}))
		came[version], secrets[version] = events, endpoint.Secret
	}
	charge := must[*stripe.Charge](t)(w.V1Charges.Create(t.Context(), &stripe.ChargeCreateParams{
		Amount: stripe.Int64(1000), Currency: stripe.String("usd"), Source: &stripe.PaymentSourceSourceParams{Token: stripe.String("tok_visa")},
	}))
	refund := must[*stripe.Refund](t)(w.V1Refunds.Create(t.Context(), &stripe.RefundCreateParams{Charge: stripe.String(charge.ID), Amount: stripe.Int64(300)}))

	own := <-came[stripe.APIVersion]
	if event, err := webhook.ConstructEvent(own.body, own.signature, secrets[stripe.APIVersion]); err != nil || event.APIVersion != stripe.APIVersion {
		t.Errorf("the client's own version: %v %s", err, event.APIVersion)
	}
	old := <-came["2020-08-27"]
	if _, err := webhook.ConstructEvent(old.body, old.signature, secrets["2020-08-27"]); err == nil || !strings.Contains(err.Error(), "2020-08-27") {
		t.Errorf("an event of 2020 is taken: %v", err)
	}
	event, err := webhook.ConstructEventWithOptions(old.body, old.signature, secrets["2020-08-27"], webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := event.GetObjectValue("refunds", "data", "0", "id"); got != refund.ID {
		t.Errorf("the refund in the event is %s, not %s: %s", got, refund.ID, event.Data.Raw)
	}
	if got := event.GetPreviousValue("amount_refunded"); got != "0" {
		t.Errorf("before it was refunded %s", got)
	}
}
