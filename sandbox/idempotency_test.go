package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// TestIdempotency: the first result is kept and replayed as it was, successes, declines and failures alike.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for name, form := range map[string]string{
		"success": pay + "&payment_method=pm_card_visa",
		"decline": pay + "&payment_method=pm_card_chargeDeclined",
	} {
		first := a.post("/v1/payment_intents", form, "Idempotency-Key", name)
		if first.header.Get("Idempotency-Key") != name || first.header.Get("Original-Request") != first.header.Get("Request-Id") || first.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: headers of the first answer %v", name, first.header)
		}
		again := a.post("/v1/payment_intents", form, "Idempotency-Key", name)
		if again.status != first.status || again.raw != first.raw || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s: replayed %d %v %s", name, again.status, again.header, again.raw)
		}
		if again.header.Get("Original-Request") != first.header.Get("Request-Id") || again.header.Get("Request-Id") == first.header.Get("Request-Id") {
			t.Errorf("%s: request ids of the replay %v", name, again.header)
		}
	}
	if n := len(a.get("/v1/charges", "").list("data")); n != 2 {
		t.Errorf("%d charges, want 2", n)
	}
}

// TestIdempotencyForgives: what never began is not kept, so the same key can be used for the corrected request.
func TestIdempotencyForgives(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, wrong := range []string{"currency=usd", "amount=x&currency=usd", "amount=10&currency=usd", "amount=1000&currency=usd&payment_method=pm_none&confirm=true", "amount=1000&currency=usd&expand[]=colour"} {
		if got := a.post("/v1/payment_intents", wrong, "Idempotency-Key", "order"); got.status != http.StatusBadRequest {
			t.Fatalf("%s: %d", wrong, got.status)
		}
	}
	a.post("/v1/payment_intents", "amount=1000&currency=usd", "Idempotency-Key", "order").wants(t, http.StatusOK, nil)
	conflict := a.post("/v1/payment_intents", "amount=1001&currency=usd", "Idempotency-Key", "order")
	conflict.wants(t, http.StatusBadRequest, map[string]any{"error.type": "idempotency_error", "error.code": nil,
		"error.message": "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'order' if you meant to execute a different request."})
	a.post("/v1/customers", "", "Idempotency-Key", "order").wants(t, http.StatusBadRequest, map[string]any{"error.type": "idempotency_error"})
	a.post("/v1/customers", "", "Idempotency-Key", strings.Repeat("k", 256)).wants(t, http.StatusBadRequest, nil)
	a.post("/v1/customers", "", "Idempotency-Key", strings.Repeat("k", 255)).wants(t, http.StatusOK, nil)
}

// TestIdempotencyStateRefusals: a refusal by state is a result like any other.
func TestIdempotencyStateRefusals(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("id")
	a.must("/v1/refunds", "payment_intent="+intent)
	first := a.post("/v1/refunds", "payment_intent="+intent, "Idempotency-Key", "again")
	first.wants(t, http.StatusBadRequest, map[string]any{"error.code": "charge_already_refunded"})
	if again := a.post("/v1/refunds", "payment_intent="+intent, "Idempotency-Key", "again"); again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("not replayed: %v", again.header)
	}
}

// TestIdempotencyEnds: after its time a key is new.
func TestIdempotencyEnds(t *testing.T) {
	t.Parallel()
	a := bare(t)
	first := a.post("/v1/customers", "", "Idempotency-Key", "k").text("id")
	a.clock.Advance(sandbox.MaxKeyAge - time.Second)
	if again := a.post("/v1/customers", "", "Idempotency-Key", "k").text("id"); again != first {
		t.Error("the key ended early")
	}
	a.clock.Advance(time.Second)
	if again := a.post("/v1/customers", "", "Idempotency-Key", "k").text("id"); again == first {
		t.Error("the key did not end")
	}
}
