package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestClockIsBounded: it leaps ten years at most, a hundred in all, and never back.
func TestClockIsBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const decade = 10 * 366 * 24 * 3600
	advance := func(body string) answer { return a.control(http.MethodPost, "/_sandbox/clock/advance", body) }
	for _, wrong := range []string{`{"seconds":-1}`, `{"seconds":-9223372036854775808}`, `{"seconds":9223372036854775807}`, `{"seconds":` + strconv.Itoa(decade+1) + `}`, `{"to":"2026-01-05T11:59:59Z"}`, `{"to":"9999-12-31T23:59:59Z"}`} {
		if got := advance(wrong); got.status != http.StatusBadRequest || !strings.Contains(got.text("error.message"), "ten years") {
			t.Errorf("%s: %d %v", wrong, got.status, got.body)
		}
	}
	for range 10 {
		if got := advance(`{"seconds":` + strconv.Itoa(decade) + `}`); got.status != http.StatusOK {
			t.Fatalf("%v", got.body)
		}
	}
	if got := advance(`{"seconds":1}`); got.status != http.StatusBadRequest || !strings.Contains(got.text("error.message"), "hundred years") {
		t.Errorf("beyond a hundred years: %d %v", got.status, got.body)
	}
	if now := a.control(http.MethodGet, "/_sandbox/clock", "").text("now"); now != start.Add(10*decade*time.Second).Format(time.RFC3339) {
		t.Errorf("after all that it is %s", now)
	}
	a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
}

// TestYearsPass: all that falls due on a long way happens, each at its time, and the world is in order afterwards.
func TestYearsPass(t *testing.T) {
	t.Parallel()
	a := bare(t)
	hooks := newReceiver(t)
	a.subscribe(hooks, "charge.expired", "refund.updated", "charge.updated")
	const form = "amount=1000&currency=usd&confirm=true&payment_method_types[]=card&payment_method=pm_card_visa"
	held := a.must("/v1/payment_intents", form+"&capture_method=manual").text("id")
	paid := a.must("/v1/payment_intents", form).text("id")
	a.must("/v1/refunds", "amount=400&payment_intent="+paid)
	open := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required")
	first := a.post("/v1/customers", "", "Idempotency-Key", "k").text("id")
	if got := a.control(http.MethodPost, "/_sandbox/clock/advance", `{"to":"2030-01-05T12:00:00Z"}`); got.status != http.StatusOK {
		t.Fatal(got.body)
	}
	a.get("/v1/payment_intents/"+held, "").wants(t, http.StatusOK, map[string]any{"status": "canceled", "canceled_at": "1768219200"})
	a.get("/v1/charges", "payment_intent="+paid).wants(t, http.StatusOK, map[string]any{"data.0.amount_refunded": "400"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "0", "pending.0.amount": "0"})
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.amount": "541", "data.0.automatic": true, "data.0.status": "paid", "data.0.created": "1767765600"})
	if all := a.get("/v1/events", "limit=100").list("data"); len(all) != 0 {
		t.Errorf("%d events are older than thirty days", len(all))
	}
	for range 3 { // what was announced on the way was delivered all the same
		hooks.next(t)
	}
	if again := a.post("/v1/customers", "", "Idempotency-Key", "k").text("id"); again == first {
		t.Error("a key of years ago is known")
	}
	a.authenticate(open, "complete")
	a.get("/v1/payment_intents/"+open.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.must("/v1/refunds", "payment_intent="+paid).wants(t, http.StatusOK, map[string]any{"amount": "600", "created": "1893844800"})
}
