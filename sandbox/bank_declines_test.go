package sandbox_test

import (
	"net/http"
	"testing"
)

// A rule has the bank of any card decline one charge, and the next try of the same card is the card's own again. What Radar blocks, no bank is
// asked about.
func TestBankDeclines(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"kind":"bank_declines","method":"POST","path":"/v1/payment_intents","form":{"metadata[order]":"1"},"reason":"insufficient_funds"}`)
	pay := func(order, card string) answer {
		return a.post("/v1/payment_intents", "amount=5000&currency=eur&confirm=true&payment_method_types[]=card&payment_method="+card+"&metadata[order]="+order)
	}
	pay("2", "pm_card_de").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	declined := pay("1", "pm_card_de")
	declined.wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "card_declined", "error.decline_code": "insufficient_funds",
		"error.advice_code": "try_again_later", "error.payment_intent.status": "requires_payment_method"})
	a.get("/v1/charges/"+declined.text("error.charge"), "").wants(t, http.StatusOK, map[string]any{"status": "failed", "outcome.type": "issuer_declined",
		"outcome.network_status": "declined_by_network", "outcome.reason": "insufficient_funds", "payment_method_details.card.country": "DE"})
	pay("1", "pm_card_de").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.script(`{"kind":"bank_declines","method":"POST","path":"/v1/payment_intents","reason":"do_not_honor"}`)
	pay("3", "pm_card_radarBlock").wants(t, http.StatusPaymentRequired, map[string]any{"error.decline_code": "fraudulent"})
	for _, wrong := range []string{`{"kind":"bank_declines"}`, `{"kind":"bank_declines","reason":"no_such_code"}`} {
		if got := a.control(http.MethodPost, "/_sandbox/faults", wrong); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
}
