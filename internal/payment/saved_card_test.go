package payment_test

import (
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// saved is a card of a customer.
func saved(till *tilltest.Till, method, email string) tilltest.Answer {
	till.T.Helper()
	return till.As(till.Shop).Want(201, "POST", "/v1/payments/cards", body{"payment_method_id": method, "customer_email": email})
}

// charge is a payment of 29.99 USD by a saved card.
func charge(card string) body {
	return body{"amount": "29.99", "currency": "USD", "provider": "stripe", "saved_card_id": card}
}

func TestSavedCard(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := saved(till, "pm_card_visa", "Jane@example.com")
		for range 2 { // a saved card pays again and again
			paid := till.Post("/v1/payments", charge(c.ID())).Want(201)
			fields(t, paid, "status", "completed", "captured", "29.99", "saved_card_id", c.ID(), "payment_method", c.String("data", "payment_method"),
				"customer.id", c.String("data", "customer", "id"), "customer.email", "jane@example.com")
			stripe := till.Stripe(till.Shop)
			intent := stripe.Do("GET", "/v1/payment_intents/"+paid.String("data", "provider_ref"), "").Want(200)
			owner := stripe.Do("GET", "/v1/payment_methods/"+c.String("data", "payment_method"), "").Want(200).String("customer")
			if intent.String("customer") != owner || owner == "" {
				t.Errorf("Stripe has the customer %q on the intent, %q on the card", intent.String("customer"), owner)
			}
			told(t, till, "payment.completed", paid.ID())
		}
		if n := till.Get("/v1/payments?card=" + c.ID()).Want(200).Len(); n != 2 {
			t.Errorf("%d payments by this card", n)
		}
	})
}

func TestSavedCardOfAnotherCustomer(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		janes, joes := saved(till, "pm_card_visa", "jane@example.com"), saved(till, "pm_card_visa", "joe@example.com")
		jane, joe := janes.String("data", "customer", "id"), joes.String("data", "customer", "id")
		for _, wrong := range []body{{"email": "joe@example.com"}, {"email": "jane@example.org"}, {"id": joe}, {"id": jane, "email": "joe@example.com"}} {
			till.Post("/v1/payments", charge(janes.ID()).with("customer", wrong)).Refused(422, "card_customer_mismatch", "customer")
		}
		for _, right := range []body{{"email": "JANE@example.com"}, {"id": jane}, {"id": jane, "email": "jane@example.com"}, {"reference": "c-7"}} {
			fields(t, till.Post("/v1/payments", charge(janes.ID()).with("customer", right)).Want(201), "status", "completed", "customer.id", jane)
		}
		if n := asked(till, "POST /v1/payment_intents"); n != 4 {
			t.Errorf("Stripe was asked %d times", n)
		}
	})
}

func TestOneWayToPay(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	c := saved(till, "pm_card_visa", "jane@example.com")
	till.Post("/v1/payments", charge(c.ID()).with("payment_method", "pm_card_visa")).Refused(400, "parameter_missing", "payment_method")
	till.Post("/v1/payments", body{"amount": "1", "currency": "USD", "provider": "stripe"}).Refused(400, "parameter_missing", "payment_method")
	for _, id := range []string{"00000000-0000-4000-8000-000000000000", "nonsense", c.String("data", "payment_method")} {
		till.Post("/v1/payments", charge(id)).Refused(404, "resource_missing", "saved_card_id")
	}
	till.Post("/v1/payments", charge("")).Refused(400, "parameter_invalid", "saved_card_id")
	if n := asked(till, "POST /v1/payment_intents"); n != 0 {
		t.Errorf("Stripe was asked %d times", n)
	}
}

// Nobody is there to authenticate: a card that asks for it declines, and says why.
func TestSavedCardThatDeclines(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for method, code := range map[string]string{"pm_card_authenticationRequired": "authentication_required", "pm_card_chargeCustomerFail": "card_declined"} {
			c := saved(till, method, "jane@example.com")
			failed := till.Post("/v1/payments", charge(c.ID())).Want(201)
			fields(t, failed, "status", "failed", "failure.code", code, "next_action", "<nil>")
			told(t, till, "payment.failed", failed.ID())
		}
	})
}

// A deleted card pays no more; the payments that it made are found again under their keys.
func TestSavedCardDeleted(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := saved(till, "pm_card_visa", "jane@example.com")
		k := till.As(till.Shop).With("Idempotency-Key", "subscription-may-2026/jane")
		paid := k.Want(201, "POST", "/v1/payments", charge(c.ID()))
		till.Delete("/v1/payments/cards/" + c.ID()).Want(200)
		again := k.Want(201, "POST", "/v1/payments", charge(c.ID()))
		if again.ID() != paid.ID() || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("a repeat is not the first payment: %s", again.Raw)
		}
		k.Do("POST", "/v1/payments", charge(c.ID()).with("amount", "30.00")).Refused(422, "idempotency_key_reused", "Idempotency-Key")
		fresh := till.As(till.Shop).With("Idempotency-Key", "subscription-june-2026/jane")
		fresh.Do("POST", "/v1/payments", charge(c.ID())).Refused(422, "card_inactive", "saved_card_id")
		anew := saved(till, "pm_card_visa", "jane@example.com")
		fields(t, fresh.Want(201, "POST", "/v1/payments", charge(anew.ID())), "status", "completed") // the refused one has not used its key
		if n := asked(till, "POST /v1/payment_intents"); n != 2 {
			t.Errorf("Stripe was asked %d times", n)
		}
	})
}

// A customer who is known from a saved card pays with another one.
func TestKnownCustomer(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		jane := saved(till, "pm_card_visa", "jane@example.com").String("data", "customer", "id")
		o := order("pm_card_mastercard")
		paid := till.Post("/v1/payments", o.with("customer", body{"id": jane})).Want(201)
		fields(t, paid, "status", "completed", "customer.id", jane, "customer.email", "jane@example.com")
		if intent := till.Stripe(till.Shop).Do("GET", "/v1/payment_intents/"+paid.String("data", "provider_ref"), "").Want(200); intent.String("customer") == "" {
			t.Errorf("Stripe does not know whose it is: %s", intent.Raw)
		}
		till.Post("/v1/payments", o.with("customer", body{"id": jane, "email": "joe@example.com"})).Refused(400, "parameter_invalid", "customer.email")
		till.Post("/v1/payments", o.with("customer", body{"id": "00000000-0000-4000-8000-000000000000"})).Refused(404, "resource_missing", "customer.id")
		till.Post("/v1/payments", o.with("customer", body{"id": "nobody"})).Refused(404, "resource_missing", "customer.id")
		till.Post("/v1/payments", o.with("customer", body{"name": "Jane"})).Refused(400, "parameter_unknown", "customer.name")
	})
}
