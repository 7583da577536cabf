package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestReviewsEnd: by what becomes of the payment, each with its reason, and once.
func TestReviewsEnd(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		card, reason string
		end          func(a *api, intent, charge string)
	}{
		"refunded":          {"riskLevelElevated", "refunded", func(a *api, _, charge string) { a.must("/v1/refunds", "charge="+charge) }},
		"refunded as fraud": {"riskLevelElevated", "refunded_as_fraud", func(a *api, _, charge string) { a.must("/v1/refunds", "reason=fraudulent&charge="+charge) }},
		"in part":           {"riskLevelElevated", "", func(a *api, _, charge string) { a.must("/v1/refunds", "amount=1&charge="+charge) }},
		"canceled":          {"cvcCheckFailElevatedRisk", "canceled", func(a *api, intent, _ string) { a.must("/v1/payment_intents/"+intent+"/cancel", "") }},
		"never captured":    {"avsZipFailElevatedRisk", "canceled", func(a *api, _, _ string) { a.clock.Advance(7 * days) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			form := pay
			if one.reason == "canceled" {
				form = strings.Replace(pay, "=automatic", "=manual", 1)
			}
			intent := a.must("/v1/payment_intents", form+"&expand[]=latest_charge&payment_method=pm_card_"+one.card)
			review := intent.text("latest_charge.review")
			intent.wants(t, http.StatusOK, map[string]any{"review": review, "latest_charge.outcome.type": "manual_review", "latest_charge.outcome.risk_level": "elevated"})
			a.get("/v1/reviews/"+review, "").wants(t, http.StatusOK, map[string]any{"open": true, "reason": "rule", "opened_reason": "rule", "closed_reason": nil})
			one.end(a, intent.text("id"), intent.text("latest_charge.id"))
			if one.reason == "" {
				a.get("/v1/reviews", "").wants(t, http.StatusOK, map[string]any{"data.0.id": review, "data.0.open": true})
				return
			}
			a.get("/v1/reviews/"+review, "").wants(t, http.StatusOK, map[string]any{"open": false, "reason": one.reason, "closed_reason": one.reason})
			a.get("/v1/reviews", "").wants(t, http.StatusOK, map[string]any{"data.0": nil})
			a.get("/v1/events", "type=review.closed").wants(t, http.StatusOK, map[string]any{"data.0.data.previous_attributes.open": true, "has_more": false})
			a.post("/v1/reviews/"+review+"/approve", "").wants(t, http.StatusBadRequest, nil)
		})
	}
}

// TestWarning: an early fraud warning can be acted on until the charge is refunded in full.
func TestWarning(t *testing.T) {
	t.Parallel()
	a := bare(t)
	charge := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_createIssuerFraudRecord").text("latest_charge")
	a.get("/v1/radar/early_fraud_warnings", "").wants(t, http.StatusOK, map[string]any{"data.0": nil})
	a.clock.Advance(time.Second)
	warning := a.get("/v1/radar/early_fraud_warnings", "charge="+charge).text("data.0.id")
	path := "/v1/radar/early_fraud_warnings/" + warning
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"actionable": true, "fraud_type": "made_with_stolen_card", "charge": charge})
	a.must("/v1/refunds", "amount=400&charge="+charge)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"actionable": true})
	a.must("/v1/refunds", "charge="+charge)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"actionable": false})
}

// TestUserReport: what the merchant says of a charge.
func TestUserReport(t *testing.T) {
	t.Parallel()
	a := bare(t)
	charge := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("latest_charge")
	for _, report := range []string{"fraudulent", "safe"} {
		a.must("/v1/charges/"+charge, "fraud_details[user_report]="+report).wants(t, http.StatusOK, map[string]any{"fraud_details.user_report": report})
	}
	a.post("/v1/charges/"+charge, "fraud_details[user_report]=maybe").wants(t, http.StatusBadRequest, nil)
}
