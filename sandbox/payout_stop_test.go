package sandbox_test

import (
	"net/http"
	"slices"
	"testing"
)

// TestPayoutsStopped: an account that Stripe does not pay out takes payments, says what it lacks, and is paid out as soon as it may be.
func TestPayoutsStopped(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.steer(http.MethodPost, "/_sandbox/account", `{"payouts":"requirements.past_due"}`)
	a.must("/v1/payment_intents", atOnce)
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"charges_enabled": true, "payouts_enabled": false, "requirements.disabled_reason": "requirements.past_due",
		"requirements.past_due.0": "company.verification.document", "requirements.currently_due.0": "company.verification.document"})
	a.get("/v1/balance_settings", "").wants(t, http.StatusOK, map[string]any{"payments.payouts.status": "disabled"})
	a.post("/v1/payouts", "currency=usd&amount=100").wants(t, http.StatusBadRequest, map[string]any{"error.code": "payouts_not_allowed"})
	a.advance("2026-01-08T12:00:00Z")
	if all := a.get("/v1/payouts", "").list("data"); len(all) != 0 {
		t.Fatalf("paid out although it is stopped: %v", all)
	}
	a.steer(http.MethodPost, "/_sandbox/account", `{"payouts":"requirements.pending_verification","requirements":["company.tax_id"]}`)
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"payouts_enabled": false, "requirements.pending_verification.0": "company.tax_id"})
	if due := a.get("/v1/account", "").list("requirements.currently_due"); len(due) != 0 {
		t.Errorf("what is looked into is still due: %v", due)
	}
	a.steer(http.MethodPost, "/_sandbox/account", `{"debit_negative_balances":true}`) // something else: it is stopped as before
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"payouts_enabled": false})
	a.steer(http.MethodPost, "/_sandbox/account", `{"payouts":"enabled"}`)
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"payouts_enabled": true, "requirements.disabled_reason": nil, "requirements.pending_verification.0": nil})
	a.advance("2026-01-09T06:00:00Z")
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.amount": "9680", "data.0.automatic": true})
	told := 0
	for _, kind := range a.types() {
		if kind == "account.updated" {
			told++
		}
	}
	if told != 3 {
		t.Errorf("account.updated was told %d times, of three changes", told)
	}
	for _, wrong := range []string{`{"payouts":"off"}`, `{"payouts":"enabled","requirements":["company.tax_id"]}`, `{"requirements":["company.tax_id"]}`,
		`{"payouts":"under_review","requirements":["company[tax_id]"]}`, `{"payout_hour":24}`, `{"payout_hour":0}`} {
		if got := a.control(http.MethodPost, "/_sandbox/account", wrong); got.status != http.StatusBadRequest || got.text("error.message") == "" {
			t.Errorf("%s: %d %v", wrong, got.status, got.body)
		}
	}
}

// TestPayoutHour: automatic payouts are made at the hour that is chosen, whatever else of the schedule changes.
func TestPayoutHour(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.steer(http.MethodPost, "/_sandbox/account", `{"payout_hour":15}`)
	a.must("/v1/balance_settings", "payments[payouts][schedule][interval]=daily")
	a.must("/v1/payment_intents", atOnce)
	a.advance("2026-01-05T14:59:59Z")
	if all := a.get("/v1/payouts", "").list("data"); len(all) != 0 {
		t.Fatalf("paid out before the hour: %v", all)
	}
	a.advance("2026-01-05T15:02:00Z")
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.status": "paid", "data.0.created": "1767625200"})
	if got := a.control(http.MethodGet, "/_sandbox/account", ""); got.text("payout_hour") != "15" || got.text("payouts") != "enabled" || !slices.Contains(a.types(), "payout.paid") {
		t.Error(got.body)
	}
}
