package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/sandbox"
)

// t stands for the test that an example would be.
var t = &exampleTest{}

// A test of a program that pays through Stripe gives it a sandbox's address in place of Stripe's; here the program is Stripe's client.
func ExampleNew() {
	box := sandbox.New(t)
	client := clientFor(box)
	payment, err := client.V1PaymentIntents.Create(context.Background(), &stripe.PaymentIntentCreateParams{
		Amount:             stripe.Int64(1000),
		Currency:           stripe.String("usd"),
		PaymentMethod:      stripe.String("pm_card_visa"),
		PaymentMethodTypes: []*string{stripe.String("card")},
		Confirm:            stripe.Bool(true),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, payment.AmountReceived)
	fmt.Println(box.Event("charge.succeeded", 1, time.Second).Type)
	// Output:
	// succeeded 1000
	// charge.succeeded
}

// clientFor is Stripe's client for a world.
func clientFor(box *sandbox.World) *stripe.Client {
	config := &stripe.BackendConfig{URL: stripe.String(box.URL), LeveledLogger: &stripe.LeveledLogger{}}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, config)
	return stripe.NewClient(box.Key, stripe.WithBackends(&stripe.Backends{API: backend}))
}

// An authorization lapses after seven days.
func ExampleWorld_Advance() {
	box := sandbox.New(t)
	var payment struct{ ID, Status string }
	box.Call("POST", "/v1/payment_intents", url.Values{
		"amount": {"1000"}, "currency": {"usd"}, "payment_method": {"pm_card_visa"}, "payment_method_types[]": {"card"},
		"capture_method": {"manual"}, "confirm": {"true"},
	}, &payment)
	fmt.Println(payment.Status)
	box.Advance(7 * 24 * time.Hour)
	box.Call("GET", "/v1/payment_intents/"+payment.ID, nil, &payment)
	fmt.Println(payment.Status)
	// Output:
	// requires_capture
	// canceled
}

// Stripe fails after it did what was asked.
func ExampleWorld_Fault() {
	box := sandbox.New(t)
	box.Fault(sandbox.Fault{Kind: sandbox.Error500, AfterEffect: true, Method: "POST", Path: "/v1/customers"})
	var answer struct {
		ID    string
		Error struct{ Type string }
	}
	fmt.Println(box.Call("POST", "/v1/customers", url.Values{"email": {"ada@example.com"}}, &answer), answer.Error.Type)
	var list struct{ Data []struct{ Email string } }
	box.Call("GET", "/v1/customers", nil, &list)
	fmt.Println("and yet:", list.Data[0].Email)
	// Output:
	// 500 api_error
	// and yet: ada@example.com
}

// A program receives webhooks and checks their signatures as in production.
func ExampleWorld_Deliver() {
	box := sandbox.New(t)
	received := make(chan stripe.EventType, 10)
	box.Deliver(func(secret string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), secret)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			received <- event.Type
		})
	}, "customer.created")
	box.Call("POST", "/v1/customers", nil, nil)
	fmt.Println(<-received)
	// Output: customer.created
}

// A fork is the same world twice, to try two ways from one point.
func ExampleWorld_Fork() {
	box := sandbox.New(t)
	var customer struct{ ID, Email string }
	box.Call("POST", "/v1/customers", url.Values{"email": {"ada@example.com"}}, &customer)
	fork := box.Fork()
	fork.Call("POST", "/v1/customers/"+customer.ID, url.Values{"email": {"ada@example.org"}}, nil)
	for _, change := range box.Diff(fork).Changed {
		fmt.Println(change.Object, string(change.Here), string(change.There))
	}
	// Output: customer {"email":"ada@example.com"} {"email":"ada@example.org"}
}

// A frozen clock and a seed make two runs alike to the byte.
func ExampleWithSeed() {
	run := func() json.RawMessage {
		box := sandbox.New(t, sandbox.WithSeed(7), sandbox.WithRate(0), sandbox.WithStart(time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)))
		var customer json.RawMessage
		box.Call("POST", "/v1/customers", url.Values{"name": {"Ada"}}, &customer)
		return customer
	}
	once, again := run(), run()
	fmt.Println(string(once) == string(again))
	// Output: true
}

// A server for any number of worlds is an http.Handler.
func ExampleNewServer() {
	box := sandbox.NewServer()
	defer box.Close()
	server := httptest.NewServer(box)
	defer server.Close()
	shop, till := sandbox.Open(t, server.URL, "sk_test_"+"shop"), sandbox.Open(t, server.URL, "sk_test_"+"till")
	shop.Call("POST", "/v1/customers", nil, nil)
	fmt.Println(len(shop.Events("customer.created")), len(till.Events("")))
	// Output: 1 0
}

// exampleTest is a test for examples, which have none of their own: it ends with the process, and fails loudly.
type exampleTest struct{}

func (*exampleTest) Helper()                           {}
func (*exampleTest) Cleanup(func())                    {}
func (*exampleTest) Logf(string, ...any)               {}
func (*exampleTest) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

var _ sandbox.TB = testing.TB(nil)
