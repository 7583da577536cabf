package payment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/tilltest"
)

// trail is the audit trail of a payment, each line as "kind answer status code".
func trail(t *testing.T, till *tilltest.Till, payment string) (lines []string) {
	t.Helper()
	list := till.Get("/v1/payments/" + payment + "/attempts").Want(200)
	for i := range list.Len() {
		at := func(name string) any { return list.At("data", i, name) }
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v %v %v %v %v", strings.TrimPrefix(at("call").(string), "payment."), at("kind"), at("answer"), at("status_code"), at("code"))))
		sent := at("kind") == "send" && at("answer") != "none"
		if id := at("stripe_request_id").(string); sent && at("status_code") != 0.0 && !strings.HasPrefix(id, "req_") {
			t.Errorf("Stripe's request id is missing: %s", list.Raw)
		}
		if key := at("provider_key").(string); !strings.HasPrefix(key, "till-"+payment) {
			t.Errorf("Stripe's key is %q", key)
		}
		byMerchant := slices.Contains([]string{"request", "repeat", "release"}, at("kind").(string))
		if id := at("request_id").(string); byMerchant != strings.HasPrefix(id, "req_") {
			t.Errorf("the request id is %q: %s", id, list.Raw)
		}
	}
	return lines
}

// ended waits until the call that makes a payment is closed: a webhook may have told the end of the payment before.
func ended(t *testing.T, till *tilltest.Till, payment string) {
	t.Helper()
	becomes(t, till, payment, "completed")
	tilltest.Until(t, "the call to be closed", func() bool {
		till.Clock.Advance(step)
		n, err := db.One(t.Context(), till.DB, db.Value[int64], `select count(*) from calls where state = 'open' and row_id = $1`, payment)
		return err == nil && n == 0
	})
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the trail is\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// H3: three calls under one key are one intent, and the trail shows all three.
func TestThreeCallsOneIntent(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := till.As(till.Shop)
		in := booking("a1@example.com", "pm_card_visa").with("key_parts", body{"agency": "A1", "booking": "B77", "action": "charge"})
		var paid tilltest.Answer
		var ids []string
		for range 3 {
			paid = c.Want(201, "POST", "/v1/payments", in)
			ids = append(ids, paid.Header.Get("X-Request-Id"))
			till.Clock.Advance(time.Second)
		}
		c.Do("POST", "/v1/payments", in.with("amount", "1.00")).Refused(422, "idempotency_key_reused", "key_parts")
		if intents, n := charges(till); intents != 1 || n != 1 {
			t.Errorf("%d intents, %d paid", intents, n)
		}
		same(t, trail(t, till, paid.ID()), "create request claimed 0", "create send answered 200", "create repeat replayed 0", "create repeat replayed 0", "create repeat other_input 0")
		list := till.Get("/v1/payments/" + paid.ID() + "/attempts")
		for i, at := range []int{0, 2, 3} {
			if got := list.String("data", at, "request_id"); got != ids[i] {
				t.Errorf("request %d is %q, want %q", i, got, ids[i])
			}
		}
		if took := list.At("data", 1, "took_ms"); took == nil {
			t.Errorf("how long it took is not known: %s", list.Raw)
		}
		till.Get("/v1/payments/"+paid.ID()+"/attempts?limit=1").Refused(400, "parameter_unknown", "limit")
	})
}

// A client in a loop does not fill the database.
func TestTheTrailIsBounded(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := till.As(till.Shop).With("Idempotency-Key", "k")
		for range 130 {
			c.Want(201, "POST", "/v1/payments", order("pm_card_visa"))
		}
		if lines := trail(t, till, c.Want(201, "POST", "/v1/payments", order("pm_card_visa")).ID()); len(lines) != 102 {
			t.Errorf("%d lines", len(lines))
		}
	})
}

// What happened at Stripe: declines, refusals, silence, and the look-ups after it; captures and cancellations beside.
func TestTheTrailOfWhatHappened(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		l := till.Line(time.Second)
		declined := till.Post("/v1/payments", order("pm_card_chargeDeclined")).Want(201)
		same(t, trail(t, till, declined.ID()), "create request claimed 0", "create send answered 402 card_declined")

		refused := till.Post("/v1/payments", order("pm_none")).Want(201)
		same(t, trail(t, till, refused.ID()), "create request claimed 0", "create send refused 400 resource_missing")

		held := authorized(t, till)
		till.Clock.Advance(time.Second)
		capture(till, held.ID(), nil).Want(200)
		same(t, trail(t, till, held.ID()), "create request claimed 0", "create send answered 200", "capture request claimed 0", "capture send answered 200")

		till.Stripe(till.Shop).Break("timeout_after_effect", "POST", "/v1/payment_intents")
		unsure := meanwhile(t, till, order("pm_card_visa"), passing(till)).Want(201)
		ended(t, till, unsure.ID())
		same(t, trail(t, till, unsure.ID()), "create request claimed 0", "create send unknown 0", "create send answered 200")

		l.Down()
		down := meanwhile(t, till, order("pm_card_visa"), passing(till)).Want(201)
		l.Up()
		ended(t, till, down.ID())
		lines := trail(t, till, down.ID())
		if lines[0] != "create request claimed 0" || lines[1] != "create send not_executed 0" || lines[len(lines)-1] != "create send answered 200" {
			t.Errorf("%v", lines)
		}
		till.Get("/v1/payments/01992f6e-8d4b-7c31-9a75-2f6c1e0b4d83/attempts").Refused(404, "resource_missing", "id")
	})
}

// Of a held payment the trail tells who asked, and who released it or that it was never sent.
func TestTheTrailOfAHeldPayment(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		guarded(till, 10)
		till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		meant, not := till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201), till.Post("/v1/payments", booking("a1@example.com", "pm_card_visa")).Want(201)
		same(t, trail(t, till, meant.ID()), "create request held 0")
		till.Clock.Advance(time.Minute)
		release(till, meant.ID()).Want(200)
		cancel(till, not.ID()).Want(200)
		same(t, trail(t, till, meant.ID()), "create request held 0", "create release sent 0", "create send answered 200")
		same(t, trail(t, till, not.ID()), "create request held 0", "create drop not_sent 0")
	})
}
