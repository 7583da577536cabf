package sandbox_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/sandbox"
)

// TestOrderIsPaid is the snippet in Go of docs/sandbox.md.
func TestOrderIsPaid(t *testing.T) {
	box := sandbox.New(t) // gone when the test ends
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{URL: stripe.String(box.URL)})
	client := stripe.NewClient(box.Key, stripe.WithBackends(backends))

	events := make(chan stripe.Event, 10)
	box.Deliver(func(secret string) http.Handler { // a webhook endpoint
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), secret)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			events <- event
		})
	}, "payment_intent.canceled")

	payment, err := client.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
		Amount:             stripe.Int64(1000),
		Currency:           stripe.String("usd"),
		PaymentMethod:      stripe.String("pm_card_visa"),
		PaymentMethodTypes: []*string{stripe.String("card")},
		CaptureMethod:      stripe.String("manual"),
		Confirm:            stripe.Bool(true),
	})
	if err != nil || payment.Status != stripe.PaymentIntentStatusRequiresCapture {
		t.Fatalf("%v %v", payment, err)
	}

	box.Advance(7 * 24 * time.Hour) // nobody captured it: the authorization lapses
	if event := <-events; event.GetObjectValue("id") != payment.ID {
		t.Errorf("cancelled is %s", event.GetObjectValue("id"))
	}
}

// TestSnippetIsTheTest: the snippet that a reader sees is the test above.
func TestSnippetIsTheTest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```go\n")
	snippet, _, found := strings.Cut(rest, "```")
	if !found || !strings.HasPrefix(snippet, "func Test") || !strings.Contains(string(own), snippet) {
		t.Errorf("docs/sandbox.md shows another test than docs_test.go has:\n%s", snippet)
	}
}
