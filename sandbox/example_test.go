package sandbox_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/stripe/stripe-go/v85"

	"github.com/till-pay/till/sandbox"
)

// A test of a program that pays through Stripe gives it a sandbox's address in place of Stripe's.
func Example() {
	box := sandbox.NewServer()
	defer box.Close()
	server := httptest.NewServer(box)
	defer server.Close()

	key := "sk_test_" + "example" // any key of this form opens a world of its own
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{URL: stripe.String(server.URL)})
	client := stripe.NewClient(key, stripe.WithBackends(&stripe.Backends{API: backend}))

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
	// Output: succeeded 1000
}
