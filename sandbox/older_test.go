package sandbox_test

import (
	"net/http"
	"testing"
)

// TestOlderVersions: what later versions show on demand only, or elsewhere, older ones have unasked.
func TestOlderVersions(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const confirm = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true"
	paid := a.do(http.MethodPost, "/v1/payment_intents", confirm+"&expand[]=charges.data.balance_transaction", "Stripe-Version", "2020-08-27")
	paid.wants(t, http.StatusOK, map[string]any{"charges.data.0.balance_transaction.amount": "1000", "charges.data.0.refunds.object": "list", "charges.has_more": false})
	a.do(http.MethodPost, "/v1/refunds", "charge="+paid.text("charges.data.0.id"), "Stripe-Version", "2020-08-27").wants(t, http.StatusOK, map[string]any{"amount": "1000"})
	a.do(http.MethodGet, "/v1/payment_intents", "expand[]=data.charges", "Stripe-Version", "2020-08-27").wants(t, http.StatusOK, map[string]any{"data.0.charges.data.0.refunds.data.0.amount": "1000"})
	a.do(http.MethodPost, "/v1/customers", "source=tok_visa", "Stripe-Version", "2019-05-16").wants(t, http.StatusOK, map[string]any{"sources.data.0.brand": "Visa", "tax_ids.object": "list"})

	now := a.must("/v1/payment_intents", confirm+"&payment_method_types[]=card")
	if now.at("charges") != nil || a.must("/v1/customers", "source=tok_visa").at("sources") != nil {
		t.Error("the newest version has the lists of older ones")
	}
	a.get("/v1/payment_intents/"+now.text("id"), "expand[]=charges").wants(t, http.StatusBadRequest, nil)
}

// TestHeldChargeExpires: what nobody captures within seven days is released, and cannot be captured any more.
func TestHeldChargeExpires(t *testing.T) {
	t.Parallel()
	a := bare(t)
	held := a.must("/v1/charges", "amount=1000&currency=usd&source=tok_visa&capture=false").text("id")
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":604801}`).wants(t, http.StatusOK, nil)
	a.post("/v1/charges/"+held+"/capture", "").wants(t, http.StatusBadRequest, map[string]any{"error.code": "charge_expired_for_capture"})
	a.get("/v1/events", "type=charge.expired").wants(t, http.StatusOK, map[string]any{"data.0.data.object.id": held})
	if moved := a.get("/v1/balance_transactions", "").list("data"); len(moved) != 0 {
		t.Errorf("a charge that was never captured moved money: %v", moved)
	}
}
