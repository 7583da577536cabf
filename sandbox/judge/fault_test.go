//go:build !race

package judge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// stubborn is the world's client as programs use it: it tries again, twice at most. Its requests go through client.
func (w *world) stubborn(client *http.Client) *stripe.Client {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(w.base), MaxNetworkRetries: stripe.Int64(2), LeveledLogger: &stripe.LeveledLogger{}, HTTPClient: client,
	})
	return stripe.NewClient(w.key, stripe.WithBackends(&stripe.Backends{API: backend}))
}

// steer calls the control API.
func (w *world) steer(t *testing.T, path, body string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+"/_sandbox/"+path, strings.NewReader(body)))
	request.Header.Set("Authorization", "Bearer "+w.key)
	reply := must[*http.Response](t)(w.plain.Do(request))
	if reply.Body.Close(); reply.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", path, body, reply.Status)
	}
}

// TestClientsMeetFaults: Stripe's client rides out what it can, and reports what it cannot, in Stripe's own terms.
func TestClientsMeetFaults(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct {
		tries  int              // that reach the sandbox
		code   stripe.ErrorCode // of what the program is told; empty where the capture goes well
		status int
	}{
		`{"kind":"lock_timeout","times":2}`:        {tries: 3},
		`{"kind":"cut"}`:                           {tries: 2},
		`{"kind":"refuse"}`:                        {tries: 2},
		`{"kind":"error_502","times":2}`:           {tries: 3},
		`{"kind":"error_502","after_effect":true}`: {tries: 2},
		`{"kind":"lock_timeout","every":1}`:        {3, stripe.ErrorCodeLockTimeout, http.StatusTooManyRequests},
		`{"kind":"error_429"}`:                     {1, stripe.ErrorCodeRateLimit, http.StatusTooManyRequests},
		`{"kind":"error_409"}`:                     {1, stripe.ErrorCodeIdempotencyKeyInUse, http.StatusConflict},
		`{"kind":"error_500"}`:                     {1, "", http.StatusInternalServerError},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			ctx := t.Context()
			held := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
				Amount: stripe.Int64(10_00), Currency: str("usd"), PaymentMethod: str("pm_card_visa"), PaymentMethodTypes: strs("card"), CaptureMethod: str("manual"), Confirm: stripe.Bool(true),
			}))
			w.steer(t, "faults", strings.Replace(fault, "{", `{"path":"/v1/payment_intents/{id}/capture",`, 1))
			through := w.plain
			if strings.Contains(fault, "error_502") {
				through = &http.Client{} // past the judge: what a gateway says is no reply of Stripe's
			}
			captured, err := w.stubborn(through).V1PaymentIntents.Capture(ctx, held.ID, nil)
			switch {
			case want.status == 0 && (err != nil || captured.Status != stripe.PaymentIntentStatusSucceeded):
				t.Errorf("the capture ended with %v %v", captured, err)
			case want.status != 0:
				if why := refused(t, err); why.Code != want.code || why.HTTPStatusCode != want.status {
					t.Errorf("the program is told %d %s", why.HTTPStatusCode, why.Code)
				}
			}
			var log struct{ Requests []struct{ Path string } }
			w.read(t, "/_sandbox/requests?path=/v1/payment_intents/{id}/capture", &log)
			if len(log.Requests) != want.tries {
				t.Errorf("%d tries came, want %d", len(log.Requests), want.tries)
			}
		})
	}
}

// TestClientsMeetRateLimits: what comes too soon is refused in Stripe's form, and goes through once time has passed.
func TestClientsMeetRateLimits(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	w.steer(t, "clock", `{"mode":"frozen"}`)
	w.steer(t, "rate_limits", `{"on":true,"endpoint":3}`)
	for range 3 {
		must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{}))
	}
	_, err := w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{})
	if why := refused(t, err); why.Code != stripe.ErrorCodeRateLimit || why.LastResponse.Header.Get("Stripe-Rate-Limited-Reason") != "endpoint-rate" {
		t.Errorf("%+v", why)
	}
	w.steer(t, "clock/advance", `{"seconds":1}`)
	must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{}))
}
