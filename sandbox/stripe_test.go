package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/sandbox"
)

// newKey is a key of a world that no other test uses; keys in full do not stand in the repository.
func newKey(t *testing.T) string {
	return "sk_" + "test_" + oddCharacters.ReplaceAllString(t.Name(), "_")
}

var oddCharacters = regexp.MustCompile(`[^0-9A-Za-z]+`)

// setup starts a sandbox and gives Stripe's own client for it.
func setup(t *testing.T, options ...sandbox.Option) (*httptest.Server, *stripe.Client, string) {
	t.Helper()
	s := sandbox.NewServer(options...)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	key := newKey(t)
	return server, client(server, key), key
}

func client(server *httptest.Server, key string) *stripe.Client {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(server.URL), MaxNetworkRetries: stripe.Int64(0), LeveledLogger: &stripe.LeveledLogger{}, HTTPClient: server.Client(),
	})
	return stripe.NewClient(key, stripe.WithBackends(&stripe.Backends{API: backend}))
}

// sink receives webhooks and checks their signatures as Stripe's SDK does.
type sink struct {
	*httptest.Server
	events chan stripe.Event
	secret chan string
}

func newSink(t *testing.T) *sink {
	s := &sink{events: make(chan stripe.Event, 1000), secret: make(chan string, 1)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		secret := <-s.secret
		s.secret <- secret
		event, bad := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), secret)
		if err != nil || bad != nil {
			t.Errorf("webhook: %v %v", err, bad)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.events <- event
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) next(t *testing.T) stripe.Event {
	t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no webhook came")
		return stripe.Event{}
	}
}

func TestFirstPayment(t *testing.T) {
	t.Parallel()
	_, sc, _ := setup(t)
	hooks := newSink(t)
	endpoint, err := sc.V1WebhookEndpoints.Create(t.Context(), &stripe.WebhookEndpointCreateParams{
		URL: stripe.String(hooks.URL), EnabledEvents: []*string{stripe.String("*")},
	})
	if err != nil {
		t.Fatal(err)
	}
	hooks.secret <- endpoint.Secret
	paid, err := sc.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(1000), Currency: stripe.String("usd"), PaymentMethod: stripe.String("pm_card_visa"), Confirm: stripe.Bool(true),
		CaptureMethod: stripe.String("automatic"), PaymentMethodTypes: []*string{stripe.String("card")}, Expand: []*string{stripe.String("latest_charge.balance_transaction")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if paid.Status != stripe.PaymentIntentStatusSucceeded || paid.AmountReceived != 1000 {
		t.Errorf("status %s, received %d", paid.Status, paid.AmountReceived)
	}
	if txn := paid.LatestCharge.BalanceTransaction; txn == nil || txn.Fee != 59 || txn.Net != 941 {
		t.Errorf("balance transaction %+v", txn)
	}
	got := map[stripe.EventType]bool{}
	for range 3 {
		e := hooks.next(t)
		got[e.Type] = true
		var about struct{ ID string }
		if err := json.Unmarshal(e.Data.Raw, &about); err != nil || about.ID == "" {
			t.Errorf("%s: %v %s", e.Type, err, e.Data.Raw)
		}
	}
	for _, want := range []stripe.EventType{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"} {
		if !got[want] {
			t.Errorf("no %s among %v", want, got)
		}
	}
}
