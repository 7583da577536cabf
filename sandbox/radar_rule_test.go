package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// rule adds a rule and gives its id.
func (a *api) rule(text string) string {
	a.t.Helper()
	body, _ := json.Marshal(map[string]string{"rule": text}) // text
	return a.steer(http.MethodPost, "/_sandbox/radar", string(body)).text("id")
}

// acted is how many payments a rule has acted on.
func (a *api) acted(id string) string {
	a.t.Helper()
	for _, r := range a.steer(http.MethodGet, "/_sandbox/radar", "").list("rules") {
		if one := r.(map[string]any); one["id"] == id {
			return one["matches"].(json.Number).String()
		}
	}
	a.t.Errorf("there is no rule %s", id)
	return ""
}

// pays tries to pay with a test card, and gives the answer and the charge.
func (a *api) pays(card, more string) (paid, charge answer) {
	a.t.Helper()
	paid = a.post("/v1/payment_intents", pay+"&payment_method=pm_card_"+card+more)
	id := paid.text("latest_charge")
	if paid.status != http.StatusOK {
		id = paid.text("error.charge")
	}
	return paid, a.get("/v1/charges/"+id, "expand[]=outcome.rule")
}

// TestOrderOfRules: rules that allow come before those that block, and those before reviews; the first that matches is the last.
func TestOrderOfRules(t *testing.T) {
	t.Parallel()
	a := bare(t)
	review := a.rule("Review if :amount_in_usd: > 5")
	block := a.rule("Block if ::tier:: = 'bronze'")
	second := a.rule("Block if ::tier:: INCLUDES 'bron'")
	allow := a.rule("Allow if :email: LIKE '%@friend.example'")

	paid, charge := a.pays("visa", "&metadata[tier]=Bronze&receipt_email=ada@friend.example")
	paid.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "review": nil})
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "authorized", "outcome.reason": "rule", "outcome.rule.id": allow, "outcome.rule.action": "allow",
		"outcome.rule.predicate": ":email: LIKE '%@friend.example'", "outcome.network_status": "approved_by_network", "outcome.seller_message": "Payment complete."})

	paid, charge = a.pays("visa", "&metadata[tier]=Bronze")
	paid.wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "card_declined", "error.decline_code": "fraudulent", "error.payment_intent.status": "requires_payment_method"})
	charge.wants(t, http.StatusOK, map[string]any{"status": "failed", "paid": false, "outcome.type": "blocked", "outcome.reason": "rule", "outcome.rule.id": block,
		"outcome.network_status": "not_sent_to_network", "outcome.risk_level": "normal", "fraud_details.stripe_report": nil,
		"payment_method_details.card.authorization_code": nil, "payment_method_details.card.checks.cvc_check": nil})
	if types := strings.Join(a.types(), " "); !strings.HasSuffix(types, "payment_intent.created charge.failed payment_intent.payment_failed") {
		t.Errorf("the events are %s", types)
	}

	paid, charge = a.pays("visa", "")
	paid.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "manual_review", "outcome.reason": "rule", "outcome.rule.id": review, "review": paid.text("review")})
	a.get("/v1/reviews/"+paid.text("review"), "").wants(t, http.StatusOK, map[string]any{"open": true, "opened_reason": "rule"})

	for id, want := range map[string]string{allow: "1", block: "1", second: "0", review: "1"} {
		if got := a.acted(id); got != want {
			t.Errorf("the rule %s has acted on %s payments, not %s", id, got, want)
		}
	}
	a.steer(http.MethodDelete, "/_sandbox/radar/"+block, "")
	a.steer(http.MethodPost, "/_sandbox/radar", `{"id":"`+second+`","enabled":false}`)
	if paid, _ = a.pays("visa", "&metadata[tier]=Bronze"); paid.status != http.StatusOK {
		t.Errorf("a rule that is gone, or off, blocks: %s", paid.raw)
	}
	_, charge = a.pays("chargeDeclinedInsufficientFunds", "&receipt_email=ada@friend.example")
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "issuer_declined", "outcome.reason": "insufficient_funds", "outcome.rule": nil})
}

// TestRulesAfterTheBank: what only the bank knows is asked of it first. A payment that is blocked then moves no money, and a bank that
// declines is the end before.
func TestRulesAfterTheBank(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.steer(http.MethodPost, "/_sandbox/radar", `{"id":"block_if_postal_code_check_fails","enabled":true}`)
	block := a.rule("Block if :cvc_check: = 'fail' AND :amount_in_usd: >= 10")
	for card, want := range map[string][3]string{
		"cvcCheckFail": {"fraudulent", "reversed_after_approval", block},
		"avsZipFail":   {"incorrect_zip", "reversed_after_approval", "block_if_postal_code_check_fails"},
	} {
		method := a.must("/v1/payment_methods", "type=card&card[token]=tok_"+card+"&billing_details[address][postal_code]=10115").text("id")
		paid := a.post("/v1/payment_intents", pay+"&payment_method="+method)
		charge := a.get("/v1/charges/"+paid.text("error.charge"), "")
		paid.wants(t, http.StatusPaymentRequired, map[string]any{"error.decline_code": want[0]})
		charge.wants(t, http.StatusOK, map[string]any{"outcome.network_status": want[1], "outcome.rule": want[2], "outcome.type": "blocked", "balance_transaction": nil, "amount_captured": "0"})
	}
	allow := a.rule("Allow if :cvc_check: = 'fail' AND ::vip:: = 'yes'")
	_, charge := a.pays("cvcCheckFail", "&metadata[vip]=yes")
	charge.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "outcome.rule.id": allow})
	_, charge = a.pays("cvcCheckFailElevatedRisk", "&metadata[vip]=yes")
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "authorized", "review": nil})
	if got := len(a.get("/v1/balance_transactions", "").list("data")); got != 2 {
		t.Errorf("there are %d balance transactions, not those of the two payments", got)
	}
}

// TestRisk: the card that is always blocked is; the other of the highest risk is as long as the rule is on; thresholds move the levels.
func TestRisk(t *testing.T) {
	t.Parallel()
	a := bare(t)
	paid, charge := a.pays("riskLevelHighest", "")
	paid.wants(t, http.StatusPaymentRequired, map[string]any{"error.decline_code": "fraudulent"})
	charge.wants(t, http.StatusOK, map[string]any{"outcome.rule.id": "block_if_high_risk", "outcome.rule.action": "block", "outcome.rule.predicate": ":risk_level: = 'highest'",
		"outcome.reason": "highest_risk_level", "fraud_details.stripe_report": "fraudulent"})
	a.steer(http.MethodPost, "/_sandbox/radar", `{"id":"block_if_high_risk","enabled":false}`)
	paid, charge = a.pays("riskLevelHighest", "")
	paid.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	charge.wants(t, http.StatusOK, map[string]any{"outcome.risk_level": "highest", "outcome.type": "authorized", "outcome.rule": nil})
	_, charge = a.pays("radarBlock", "")
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "blocked", "outcome.rule.id": "block_if_high_risk"})

	a.steer(http.MethodDelete, "/_sandbox/radar", "")
	a.steer(http.MethodPost, "/_sandbox/radar", `{"settings":{"elevated_from":1,"highest_from":2}}`)
	blocked := 0
	for range 20 { // of 65 scores, 63 are now of the highest risk
		if paid, charge = a.pays("visa", ""); paid.status != http.StatusOK {
			blocked++
			charge.wants(t, http.StatusOK, map[string]any{"outcome.risk_level": "highest", "outcome.rule.id": "block_if_high_risk"})
		}
	}
	if blocked < 10 {
		t.Errorf("%d of 20 payments are blocked", blocked)
	}
	for _, wrong := range []string{`{"settings":{"elevated_from":0}}`, `{"settings":{"elevated_from":75}}`, `{"settings":{"highest_from":101}}`, `{"settings":{},"rule":"Block if :is_recurring:"}`, `{}`, `{"id":"ssr_none","enabled":true}`,
		`{"id":"block_if_high_risk","rule":"Block if :is_recurring:"}`, `{"rule":"Block if :amount_in_zzz: > 1"}`} {
		if got := a.control(http.MethodPost, "/_sandbox/radar", wrong); got.status != http.StatusBadRequest && got.status != http.StatusNotFound {
			t.Errorf("%s is taken", wrong)
		}
	}
}

// TestWithoutFraudTeams: no rules of one's own, no reviews, and outcomes tell neither score nor rule.
func TestWithoutFraudTeams(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.rule("Block if :amount_in_usd: > 1")
	a.steer(http.MethodPost, "/_sandbox/radar", `{"settings":{"fraud_teams":false}}`)
	_, charge := a.pays("riskLevelElevated", "")
	charge.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "outcome.type": "authorized", "outcome.risk_level": "elevated", "outcome.risk_score": nil, "review": nil})
	_, charge = a.pays("radarBlock", "")
	charge.wants(t, http.StatusOK, map[string]any{"outcome.type": "blocked", "outcome.rule": nil})
	if got := a.control(http.MethodPost, "/_sandbox/radar", `{"rule":"Block if :is_recurring:"}`); got.status != http.StatusBadRequest {
		t.Errorf("a rule is taken: %v", got.body)
	}
}

// TestRequestedSecure: a rule asks for 3D Secure as the parameter does, of the cards that have it, and does not end the evaluation.
func TestRequestedSecure(t *testing.T) {
	t.Parallel()
	a := bare(t)
	secure := a.rule("Request 3D Secure if :amount_in_usd: > 5 AND :risk_score: < 65")
	block := a.rule("Block if :is_3d_secure_authenticated: AND ::tier:: = 'bronze'")
	paid, _ := a.pays("threeDSecureOptional", "&return_url=https://example.com/back")
	paid.wants(t, http.StatusOK, map[string]any{"status": "requires_action", "next_action.type": "redirect_to_url"})
	a.authenticate(paid, "complete")
	paid = a.get("/v1/payment_intents/"+paid.text("id"), "expand[]=latest_charge")
	paid.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "latest_charge.payment_method_details.card.three_d_secure.result": "authenticated"})

	paid, _ = a.pays("threeDSecureOptional", "&metadata[tier]=bronze&return_url=https://example.com/back")
	a.authenticate(paid, "complete")
	paid = a.get("/v1/payment_intents/"+paid.text("id"), "expand[]=latest_charge")
	paid.wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "latest_charge.outcome.rule": block, "last_payment_error.decline_code": "fraudulent"})

	_, charge := a.pays("visa", "")
	charge.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "payment_method_details.card.three_d_secure.result": "attempt_acknowledged"})
	_, charge = a.pays("amex_threeDSecureNotSupported", "")
	charge.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "payment_method_details.card.three_d_secure.result": "not_supported"})
	if got := a.acted(secure); got != "4" {
		t.Errorf("3D Secure was requested of %s payments, not 4", got)
	}

	a.steer(http.MethodDelete, "/_sandbox/radar", "")
	if _, charge = a.pays("visa", ""); charge.at("payment_method_details.card.three_d_secure") != nil {
		t.Errorf("3D Secure is requested by no rule: %s", charge.raw)
	}
	a.steer(http.MethodPost, "/_sandbox/radar", `{"id":"request_3d_secure_if_optional","enabled":true}`)
	setUp := a.must("/v1/setup_intents", "confirm=true&payment_method_types[]=card&payment_method=pm_card_threeDSecureOptional")
	setUp.wants(t, http.StatusOK, map[string]any{"status": "requires_action"})
}

// TestSetupsScreened: rules look at SetupIntents where the settings say so.
func TestSetupsScreened(t *testing.T) {
	t.Parallel()
	a := bare(t)
	form := "confirm=true&payment_method_types[]=card&payment_method=pm_card_de"
	a.rule("Block if :card_country: = 'DE'")
	a.must("/v1/setup_intents", form).wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.steer(http.MethodPost, "/_sandbox/radar", `{"settings":{"setup_intents":true}}`)
	a.post("/v1/setup_intents", form).wants(t, http.StatusPaymentRequired, map[string]any{"error.decline_code": "fraudulent", "error.setup_intent.status": "requires_payment_method"})
	a.rule("Allow if :card_bin: = '400000'")
	a.must("/v1/setup_intents", form).wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
}

// TestRulesBeyondCards: rules block bank debits too; the review of one that fails ends with it.
func TestRulesBeyondCards(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.rule("Block if ::tier:: = 'bronze'")
	a.rule("Review if :amount_in_eur: > 5")
	form := "amount=1000&currency=eur&payment_method_types[]=sepa_debit&confirm=true&return_url=https://example.com/back&mandate_data[customer_acceptance][type]=offline&payment_method=pm_sepaDebit_"
	blocked := a.post("/v1/payment_intents", form+"success_de&metadata[tier]=bronze")
	blocked.wants(t, http.StatusPaymentRequired, map[string]any{"error.payment_intent.status": "requires_payment_method"})
	a.get("/v1/charges/"+blocked.text("error.charge"), "").wants(t, http.StatusOK, map[string]any{"status": "failed", "outcome.type": "blocked", "outcome.risk_level": "not_assessed"})
	paid := a.must("/v1/payment_intents", form+"failed_de")
	paid.wants(t, http.StatusOK, map[string]any{"status": "processing"})
	a.get("/v1/reviews/"+paid.text("review"), "").wants(t, http.StatusOK, map[string]any{"open": true})
	a.clock.Advance(time.Minute)
	a.get("/v1/reviews/"+paid.text("review"), "").wants(t, http.StatusOK, map[string]any{"open": false, "closed_reason": "payment_never_settled"})
}

// TestDirectChargesScreened: charges without an intent meet the rules too.
func TestDirectChargesScreened(t *testing.T) {
	t.Parallel()
	a := bare(t)
	block := a.rule("Block if :card_funding: = 'prepaid' OR :charge_description: INCLUDES 'gift'")
	got := a.post("/v1/charges", "amount=1000&currency=usd&source=tok_visa&description=A+Gift+card")
	got.wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "card_declined"})
	a.get("/v1/charges/"+got.text("error.charge"), "").wants(t, http.StatusOK, map[string]any{"outcome.rule": block})
	a.must("/v1/charges", "amount=1000&currency=usd&source=tok_visa&description=A+card")
}

// TestRulesAreKept: a restart, a fork, a snapshot and another account have the rules that are theirs.
func TestRulesAreKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	block := a.rule("Block if :amount_in_usd: > 5")
	a.steer(http.MethodPost, "/_sandbox/radar", `{"settings":{"highest_from":90}}`)
	a.pays("visa", "")
	before := a.steer(http.MethodGet, "/_sandbox/radar", "").raw
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"one"}`)
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	if after := again.steer(http.MethodGet, "/_sandbox/radar", "").raw; after != before || !strings.Contains(after, `"matches":1`) || !strings.Contains(after, `"highest_from":90`) {
		t.Errorf("after a restart:\n%s\nbefore:\n%s", after, before)
	}
	if paid, charge := again.pays("visa", ""); paid.status != http.StatusPaymentRequired || charge.text("outcome.rule.id") != block {
		t.Errorf("after a restart the rule does not block: %s", paid.raw)
	}
	fork := again.beside("fork")
	again.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+fork.key+`"}`)
	again.steer(http.MethodDelete, "/_sandbox/radar/"+block, "")
	if paid, _ := fork.pays("visa", ""); paid.status != http.StatusPaymentRequired {
		t.Errorf("the rule is gone from the fork: %s", paid.raw)
	}
	seller := again.connect("US", "usd")
	own := seller.rule("Block if ::tier:: = 'bronze'")
	if paid := seller.post("/v1/payment_intents", paidByCard+"&metadata[tier]=bronze"); paid.status != http.StatusPaymentRequired || seller.acted(own) != "1" {
		t.Errorf("the rule of a connected account does not block: %s", paid.raw)
	}
	if paid := seller.post("/v1/payment_intents", paidByCard); paid.status != http.StatusOK {
		t.Errorf("the platform's settings are those of a connected account: %s", paid.raw)
	}
}

// TestRulesAreBounded: an account has 200 rules of its own.
func TestRulesAreBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for range 200 {
		a.rule("Allow if :is_recurring:")
	}
	if got := a.control(http.MethodPost, "/_sandbox/radar", `{"rule":"Allow if :is_recurring:"}`); got.status != http.StatusBadRequest {
		t.Errorf("the 201st rule is answered %d", got.status)
	}
	if paid, _ := a.pays("visa", ""); paid.status != http.StatusOK {
		t.Errorf("a payment is answered %s", paid.raw)
	}
}

// TestWorldRadar: rules in Go are those of the control API.
func TestWorldRadar(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithRate(0), sandbox.WithStart(start))
	matches := func(rule string) int { n, _ := w.TestRule(rule); return n }
	block := w.AddRule("Block if :card_country: = 'US' AND :browser: != 'Lynx' OR ::tier:: = 'bronze'")
	w.SwitchRule(block, false)
	w.SetRisk(sandbox.RiskSettings{Elevated: 66, Highest: 80, FraudTeams: true})
	if got := w.Call(http.MethodPost, "/v1/payment_intents", map[string][]string{"amount": {"1000"}, "currency": {"usd"}, "confirm": {"true"},
		"payment_method": {"pm_card_us"}, "payment_method_types[]": {"card"}, "metadata[tier]": {"Bronze"}}, nil); got != http.StatusOK {
		t.Fatalf("a payment is answered %d", got)
	}
	if n, sample := w.TestRule("Review if :card_country: = 'US'"); n != 1 || len(sample) != 1 || matches("Allow if :is_off_session:") != 0 {
		t.Errorf("%d charges match: %v", n, sample)
	}
	rules := w.Rules()
	for i, r := range rules {
		if r.ID == block && (r.Enabled || r.BuiltIn || r.Action != "block" || len(r.Unknown) != 1 || i == 0 || i == len(rules)-1) {
			t.Errorf("the rule is %+v, number %d of %d", r, i, len(rules))
		}
	}
	w.RemoveRule(block)
	if len(w.Rules()) != len(rules)-1 {
		t.Error("the rule is still there")
	}
}

// FuzzRule: whatever the control API is told of Radar is refused in a sentence or taken, and payments are answered all the same.
func FuzzRule(f *testing.F) {
	for _, body := range []string{
		`{"rule":"Block if :risk_score: > 5"}`, `{"rule":"Request 3D Secure if :total_charges_per_email_hourly: > 0"}`, `{"settings":{"highest_from":66,"fraud_teams":false}}`,
		`{"id":"block_if_cvc_check_fails","enabled":true}`, `{"rule":"Review if is_missing(:average_usd_amount_successful_on_card_all_time:)","enabled":false}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := sandbox.NewServer()
		defer s.Close()
		for _, path := range []string{"/_sandbox/radar", "/_sandbox/radar/test"} {
			if got := ask(t, s, http.MethodPost, path, body); got != nil && got.Code != http.StatusOK && !strings.Contains(got.Body.String(), `"message"`) {
				t.Errorf("%s: %d %s", body, got.Code, got.Body)
			}
		}
		for range 2 {
			got := ask(t, s, http.MethodPost, "/v1/payment_intents", pay+"&payment_method=pm_card_visa&receipt_email=a@b.example")
			if got != nil && got.Code != http.StatusOK && got.Code != http.StatusPaymentRequired {
				t.Errorf("%s: %d %s", body, got.Code, got.Body)
			}
		}
	})
}
