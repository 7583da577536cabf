package payment_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/id"
	calls "github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/tilltest"
)

// guarded switches the duplicate guard on.
func guarded(till *tilltest.Till, minutes int) {
	till.T.Helper()
	till.As(till.Shop).Want(200, "PUT", "/v1/merchant/settings", body{"duplicate_guard": body{"enabled": true, "minutes": minutes}})
}

// booking is a payment of 3,100 EUR, as an agency asks for it.
func booking(customer, method string) body {
	return body{"amount": "3100.00", "currency": "EUR", "provider": "stripe", "payment_method": method, "customer": body{"email": customer}}
}

func release(till *tilltest.Till, payment string) tilltest.Answer {
	till.T.Helper()
	return till.As(till.Shop).Do("POST", "/v1/payments/"+payment+"/release", nil)
}

// Off, which it is until it is chosen, the guard changes nothing: three attempts under three keys are three charges.
func TestWithoutTheGuard(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for range 3 {
			fields(t, till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201), "status", "completed", "held", "<nil>")
		}
		if intents, paid := charges(till); intents != 3 || paid != 3 {
			t.Errorf("%d intents, %d paid", intents, paid)
		}
		if n := asked(till, "GET /v1/payment_methods/pm_card_visa"); n != 0 {
			t.Errorf("Stripe was asked %d times for the card", n)
		}
	})
}

// A program that times out and makes a new key: the second attempt is held, whatever booking its metadata names, and asked about.
func TestAnotherKeyAfterATimeout(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Line(time.Second)
		guarded(till, 10)
		till.Stripe(till.Shop).Break("timeout_after_effect", "POST", "/v1/payment_intents")
		first := meanwhile(t, till, booking("a1@example.com", "pm_card_visa"), passing(till)).Want(201)
		key := id.New()
		again := till.As(till.Shop).With("Idempotency-Key", key)
		held := again.Want(201, "POST", "/v1/payments", booking("A1@example.com", "pm_card_visa").with("metadata", body{"booking": "B78"}))
		fields(t, held, "status", "held", "held.duplicate_of", first.ID(), "provider_ref", "", "captured", "0.00", "attempts", "0", "failure", "<nil>")
		if until := held.String("data", "held", "until"); until != held.String("data", "resolve_by") || held.String("data", "held", "reason") == "" {
			t.Errorf("held: %s", held.Raw)
		}
		told(t, till, "payment.held", held.ID())
		repeat := again.Want(201, "POST", "/v1/payments", booking("A1@example.com", "pm_card_visa").with("metadata", body{"booking": "B78"}))
		fields(t, repeat, "id", held.ID(), "status", "held")
		if repeat.Header.Get("Idempotent-Replayed") != "true" {
			t.Error("the same key again is a repeat")
		}
		again.Do("POST", "/v1/payments", booking("a1@example.com", "pm_card_visa").with("amount", "1.00")).Refused(422, "idempotency_key_reused", "Idempotency-Key")
		becomes(t, till, first.ID(), "completed")
		if intents, paid := charges(till); intents != 1 || paid != 1 {
			t.Errorf("%d intents, %d paid", intents, paid)
		}
		if list := till.Get("/v1/payments?status=held").Want(200); list.Len() != 1 || list.String("data", 0, "id") != held.ID() {
			t.Errorf("%s", list.Raw)
		}
	})
}

// What is held may be captured by nobody, refunded by nobody, and is released once: then it is charged, for the merchant insists.
func TestRelease(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 10)
		first := till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		release(till, first.ID()).Refused(422, "payment_status", "")
		till.Clock.Advance(time.Microsecond)
		held := till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		capture(till, held.ID(), nil).Refused(422, "payment_status", "")
		till.Post("/v1/refunds", body{"payment_id": held.ID()}).Refused(422, "payment_status", "payment_id")
		fields(t, till.Get("/v1/payments/"+held.ID()+"?refresh=true").Want(200), "status", "held")

		till.Clock.Advance(5 * time.Minute)
		var all sync.WaitGroup
		replayed := make(chan bool, 8)
		for range 8 {
			all.Go(func() {
				a, err := till.As(till.Shop).Try("POST", "/v1/payments/"+held.ID()+"/release", nil)
				if err != nil || a.Status != 200 || a.String("data", "status") != "completed" {
					t.Errorf("%v %s", err, a.Raw)
				}
				replayed <- a.Header.Get("Idempotent-Replayed") == "true"
			})
		}
		all.Wait()
		close(replayed)
		firsts := 0
		for r := range replayed {
			if !r {
				firsts++
			}
		}
		if firsts != 1 {
			t.Errorf("%d releases were the first", firsts)
		}
		fields(t, till.Get("/v1/payments/"+held.ID()).Want(200), "status", "completed", "captured", "3100.00", "held.duplicate_of", first.ID(), "attempts", "1")
		if intents, paid := charges(till); intents != 2 || paid != 2 {
			t.Errorf("%d intents, %d paid", intents, paid)
		}
		told(t, till, "payment.completed", held.ID())
		balanced(t, till, held.ID(), 310000)
		cancel(till, held.ID()).Refused(422, "payment_status", "")

		// A payment counts from when it was sent: the released one from its release, however long it was held before.
		till.Clock.Advance(10 * time.Minute)
		next := till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		fields(t, next, "status", "held", "held.duplicate_of", held.ID(), "held.reason", "3100.00 EUR from the same customer and card was released 10 minutes before, under another key.")
		till.Clock.Advance(time.Second)
		fields(t, till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201), "status", "completed")
	})
}

// A held payment that is cancelled, or that nobody answers for, was never at Stripe.
func TestHeldAndNotMeant(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 1440)
		till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		no, forgotten := till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201), till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		fields(t, cancel(till, no.ID()).Want(200), "status", "cancelled", "captured", "0.00", "failure", "<nil>")
		if again := cancel(till, no.ID()).Want(200); again.Header.Get("Idempotent-Replayed") != "true" {
			t.Error("a second cancellation is a repeat")
		}
		release(till, no.ID()).Refused(422, "payment_status", "")
		told(t, till, "payment.cancelled", no.ID())

		// Somebody copies the metadata of a payment that was never sent: that is not this payment's money.
		till.Stripe(till.Shop).Tell(tilltest.Event("payment_intent.succeeded", body{"id": "pi_copy", "object": "payment_intent", "amount": 310000, "amount_received": 310000,
			"currency": "eur", "status": "succeeded", "metadata": body{"till_id": forgotten.ID()}})).Want(200)

		till.Clock.Advance(23 * time.Hour)
		fields(t, till.Get("/v1/payments/"+forgotten.ID()).Want(200), "status", "held")
		later(t, till, "a held payment to end", func() bool {
			till.Clock.Advance(10 * time.Minute)
			return till.Get("/v1/payments/"+forgotten.ID()).Want(200).String("data", "status") == "cancelled"
		})
		ended := till.Get("/v1/payments/" + forgotten.ID())
		if !strings.HasPrefix(ended.String("data", "held", "reason"), "Nobody released it") || ended.String("data", "captured") != "0.00" {
			t.Errorf("%s", ended.Raw)
		}
		told(t, till, "payment.cancelled", forgotten.ID())
		if intents, paid := charges(till); intents != 1 || paid != 1 {
			t.Errorf("%d intents, %d paid", intents, paid)
		}
	})
}

// What does not look like a duplicate is charged as ever: the honest next try after a decline above all.
func TestNotHeld(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 10)
		pay := func(b body, want string) tilltest.Answer {
			t.Helper()
			a := till.Post("/v1/payments", b).Want(201)
			fields(t, a, "status", want)
			return a
		}
		pay(booking("a1@example.com", "pm_card_chargeDeclined"), "failed")
		pay(booking("a1@example.com", "pm_card_chargeDeclined"), "failed")
		paid := pay(booking("a1@example.com", "pm_card_visa"), "completed")
		pay(booking("a2@example.com", "pm_card_visa"), "completed")
		pay(booking("a1@example.com", "pm_card_mastercard"), "completed")
		pay(booking("a1@example.com", "pm_card_visa").with("amount", "3100.01"), "completed")
		pay(booking("a1@example.com", "pm_card_visa").with("currency", "USD"), "completed")
		pay(booking("a1@example.com", "pm_card_visa").with("customer", body{"reference": "a1"}), "completed")
		pay(booking("a1@example.com", "pm_card_visa").with("customer", nil), "completed")
		pay(booking("a1@example.com", "pm_card_visa").with("customer", nil), "held")
		pay(booking("a1@example.com", "pm_card_visa"), "held")
		till.Post("/v1/refunds", body{"payment_id": paid.ID()}).Want(201)
		pay(booking("a1@example.com", "pm_card_visa"), "completed") // the first one's money went back

		hold := pay(booking("a3@example.com", "pm_card_visa").with("capture_method", "manual"), "authorized")
		pay(booking("a3@example.com", "pm_card_visa"), "held")
		cancel(till, hold.ID()).Want(200)
		pay(booking("a3@example.com", "pm_card_visa"), "completed")
		till.Clock.Advance(10*time.Minute + time.Second)
		pay(booking("a3@example.com", "pm_card_visa"), "completed")
		// One method is asked for once; after that an earlier payment tells its card.
		if n := asked(till, "GET /v1/payment_methods/pm_card_visa"); n != 1 {
			t.Errorf("Stripe was asked %d times for the card", n)
		}
		till.As(till.Shop).Want(200, "PUT", "/v1/merchant/settings", body{"duplicate_guard": body{"enabled": false}})
		pay(booking("a3@example.com", "pm_card_visa"), "completed")
	})
}

// The card is known by its number: two payment methods of one card are one card, and so is the card when it is saved.
func TestOneCardByManyNames(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 10)
		card := till.As(till.Shop).Want(201, "POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": "a1@example.com"})
		method := func() string {
			return till.Stripe(till.Shop).Do("POST", "/v1/payment_methods", "type=card&card[token]=tok_visa").Want(200).String("id")
		}
		saved := body{"amount": "3100.00", "currency": "EUR", "provider": "stripe", "saved_card_id": card.ID()}
		customer := body{"id": card.String("data", "customer", "id")}
		fields(t, till.Post("/v1/payments", saved).Want(201), "status", "completed")
		for range 2 {
			fields(t, till.Post("/v1/payments", booking("a1@example.com", method())).Want(201), "status", "held")
		}
		fields(t, till.Post("/v1/payments", booking("a1@example.com", method()).with("customer", customer)).Want(201), "status", "held")
		held := till.Post("/v1/payments", saved).Want(201)
		fields(t, held, "status", "held")
		// Where Stripe does not say whose the card is, the method's id stands for it.
		till.Stripe(till.Shop).Break("error_500", "GET", "/v1/payment_methods/{id}")
		unknown := method()
		fields(t, till.Post("/v1/payments", booking("a1@example.com", unknown).with("customer", customer)).Want(201), "status", "completed")

		till.Delete("/v1/payments/cards/" + card.ID()).Want(200)
		release(till, held.ID()).Refused(422, "card_inactive", "")
		fields(t, till.Get("/v1/payments/"+held.ID()).Want(200), "status", "held")
		fields(t, cancel(till, held.ID()).Want(200), "status", "cancelled")
	})
}

// Two nodes are asked at the same moment, each time under another key: one payment is sent, and all others are held by it.
func TestAtOnceOnTwoNodes(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 10)
		other := *till.Payments
		other.Once = calls.New(till.DB, till.App.Clock, other.Log)
		other.Register()
		defer other.Once.Close(context.Background())
		nodes := []*payment.Payments{till.Payments, &other}
		for round := range 8 {
			const many = 12
			var all sync.WaitGroup
			made := make([]payment.Payment, many)
			for i := range many {
				all.Go(func() {
					in := payment.CreateInput{Key: id.New(), Body: payment.CreateBody{Amount: "3100.00", Currency: "EUR", Provider: "stripe", PaymentMethod: "pm_card_visa",
						Customer: &payment.CustomerInput{Email: fmt.Sprintf("a%d@example.com", round)}}}
					var err error
					if made[i], _, err = nodes[i%2].Create(t.Context(), till.Shop.Scope, in); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			sent := ""
			for _, p := range made {
				if p.Status == payment.Completed && sent == "" {
					sent = p.ID
				} else if p.Status == payment.Completed {
					t.Errorf("round %d: two were sent", round)
				}
			}
			for _, p := range made {
				if p.Status != payment.Completed && (p.Status != payment.Held || p.Held.DuplicateOf != sent) {
					t.Errorf("round %d: %s %+v, sent was %s", round, p.Status, p.Held, sent)
				}
			}
			if sent == "" {
				t.Errorf("round %d: none was sent", round)
			}
		}
		if intents, paid := charges(till); intents != 8 || paid != 8 {
			t.Errorf("%d intents, %d paid", intents, paid)
		}
	})
}

// Released and cancelled at the same moment: one of both happens, and the money agrees.
func TestReleasedAndCancelledAtOnce(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 10)
		till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		sent := 1
		for range 8 {
			held := till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
			var all sync.WaitGroup
			for _, verb := range []string{"release", "cancel"} {
				all.Go(func() {
					if a, err := till.As(till.Shop).Try("POST", "/v1/payments/"+held.ID()+"/"+verb, nil); err != nil || a.Status != 200 && a.Status != 422 && a.Status != 409 {
						t.Errorf("%s: %v %s", verb, err, a.Raw)
					}
				})
			}
			all.Wait()
			switch now := till.Get("/v1/payments/" + held.ID()).Want(200); now.String("data", "status") {
			case "completed":
				sent++
			case "cancelled":
			default:
				t.Errorf("%s", now.Raw)
			}
		}
		if intents, _ := charges(till); intents != sent {
			t.Errorf("%d intents, want %d", intents, sent)
		}
	})
}

func TestKeyParts(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := till.As(till.Shop)
		parts := body{"agency": "A1", "booking": "B 77", "action": "charge"}
		first := c.Want(201, "POST", "/v1/payments", booking("a1@example.com", "pm_card_visa").with("key_parts", parts))
		const key = "action=charge&agency=A1&booking=B%2077"
		fields(t, first, "idempotency_key", key)
		again := c.Want(201, "POST", "/v1/payments", `{"key_parts":{"booking":"B 77","action":"charge","agency":"A1"},"amount":"3100.00","currency":"EUR","provider":"stripe","payment_method":"pm_card_visa","customer":{"email":"a1@example.com"}}`)
		if again.ID() != first.ID() || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("the same parts are another payment: %s", again.Raw)
		}
		fields(t, c.With("Idempotency-Key", key).Want(201, "POST", "/v1/payments", booking("a1@example.com", "pm_card_visa")), "id", first.ID())
		no := c.Do("POST", "/v1/payments", booking("a1@example.com", "pm_card_visa").with("key_parts", parts, "amount", "1.00")).Refused(422, "idempotency_key_reused", "key_parts")
		if !strings.Contains(no.String("error", "message"), "payment "+first.ID()) {
			t.Errorf("it does not name the earlier payment: %s", no.Raw)
		}
		if list := till.Get("/v1/payments?idempotency_key=" + url.QueryEscape(key)).Want(200); list.Len() != 1 || list.String("data", 0, "id") != first.ID() {
			t.Errorf("%s", list.Raw)
		}

		back := body{"payment_id": first.ID(), "amount": "100.00", "key_parts": body{"agency": "A1", "booking": "B 77", "action": "refund"}}
		refund := c.Want(201, "POST", "/v1/refunds", back)
		fields(t, refund, "idempotency_key", "action=refund&agency=A1&booking=B%2077")
		fields(t, c.Want(201, "POST", "/v1/refunds", back), "id", refund.ID())
		if n := asked(till, "POST /v1/payment_intents") + asked(till, "POST /v1/refunds"); n != 2 {
			t.Errorf("Stripe was asked %d times", n)
		}

		for _, path := range []string{"/v1/payments", "/v1/refunds"} {
			good := map[string]body{"/v1/payments": booking("a1@example.com", "pm_card_visa"), "/v1/refunds": {"payment_id": first.ID()}}[path]
			c.Do("POST", path, good.with("key_parts", nil)).Refused(400, "idempotency_key_required", "Idempotency-Key")
			c.With("Idempotency-Key", "k").Do("POST", path, good.with("key_parts", parts)).Refused(400, "parameter_invalid", "key_parts")
			c.Do("POST", path, good.with("key_parts", body{})).Refused(400, "parameter_invalid", "key_parts")
			c.Do("POST", path, good.with("key_parts", body{"booking": "B77"})).Refused(400, "parameter_invalid", "key_parts")
			c.Do("POST", path, good.with("key_parts", body{"Booking": "B77", "a": "1"})).Refused(400, "parameter_invalid", "key_parts")
			c.Do("POST", path, good.with("key_parts", body{"booking": "", "a": "1"})).Refused(400, "parameter_invalid", "key_parts.booking")
			c.Do("POST", path, good.with("key_parts", body{"booking": 77, "a": "1"})).Refused(400, "parameter_invalid", "key_parts.booking")
			c.Do("POST", path, good.with("key_parts", "booking")).Refused(400, "parameter_invalid", "key_parts")
			c.Do("POST", path, good.with("key_parts", body{"a": strings.Repeat("ü", 60), "b": "1"})).Refused(400, "idempotency_key_too_long", "key_parts")
		}
	})
}

// The filters that support asks by: Stripe's id, the key, the shop's own name for its customer.
func TestFindByWhatSupportHas(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		one := till.As(till.Shop).With("Idempotency-Key", "order 1").Want(201, "POST", "/v1/payments", order("pm_card_visa").with("customer", body{"reference": "shop-77"}))
		till.As(till.Shop).With("Idempotency-Key", "order 2").Want(201, "POST", "/v1/payments", order("pm_card_visa").with("customer", body{"reference": "SHOP-77"}))
		for _, query := range []string{"provider_ref=" + one.String("data", "provider_ref"), "idempotency_key=order%201", "customer_reference=shop-77", "customer_reference=shop-77&idempotency_key=order%201"} {
			list := till.Get("/v1/payments?" + query).Want(200)
			if list.Len() != 1 || list.String("data", 0, "id") != one.ID() {
				t.Errorf("%s finds %s", query, list.Raw)
			}
		}
		if list := till.Get("/v1/payments?provider_ref=pi_none").Want(200); list.Len() != 0 {
			t.Errorf("%s", list.Raw)
		}
		till.Get("/v1/payments?provider_ref=").Refused(400, "parameter_invalid", "provider_ref")
	})
}
