package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

const offline = "&mandate_data[customer_acceptance][type]=offline"

// debit is the form of a payment by a test payment method of a bank.
func debit(kind, currency, method string) string {
	return "amount=2000&currency=" + currency + "&confirm=true&payment_method_types[]=" + kind + "&payment_method=" + method + offline
}

// values are a form's.
func values(form string) url.Values {
	v, _ := url.ParseQuery(form)
	return v
}

// TestEveryDebitAccount: each row of the tables does what it says, to the last state of its payment.
func TestEveryDebitAccount(t *testing.T) {
	t.Parallel()
	named := 0
	for _, row := range sandbox.AllDebitAccounts() {
		for _, name := range row.Names {
			named++
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := bare(t)
				a.control("POST", "/_sandbox/clock", `{"mode":"frozen"}`)
				debitEnds(t, a, row, a.post("/v1/payment_intents", debit(row.Kind, row.Currency, name)))
			})
		}
	}
	if named < 150 {
		t.Errorf("there are %d names", named)
	}
}

// debitEnds follows a payment from its confirmation to its end.
func debitEnds(t *testing.T, a *api, row sandbox.DebitAccount, made answer) {
	t.Helper()
	if row.Refused != "" || row.Blocked {
		code := row.Refused
		if row.Blocked {
			code = "payment_method_customer_decline"
		}
		made.wants(t, http.StatusPaymentRequired, map[string]any{"error.code": code, "error.type": "invalid_request_error", "error.payment_intent.status": "requires_payment_method"})
		if n := len(ids(a.get("/v1/balance_transactions", ""))); n != 0 {
			t.Errorf("a payment that was refused has moved money %d times", n)
		}
		return
	}
	if row.Deaf {
		made.wants(t, http.StatusOK, map[string]any{"status": "requires_action", "next_action.type": "verify_with_microdeposits"})
		a.pass(2)
		a.get("/v1/payment_intents/"+made.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "last_payment_error.code": "payment_method_microdeposit_failed"})
		return
	}
	made.wants(t, http.StatusOK, map[string]any{"status": "processing"})
	a.pass(2)
	intent := "/v1/payment_intents/" + made.text("id")
	if row.Slow {
		a.get(intent, "").wants(t, http.StatusOK, map[string]any{"status": "processing"})
		a.pass(177)
		a.get(intent, "").wants(t, http.StatusOK, map[string]any{"status": "processing"})
		a.pass(1)
	}
	got := a.get(intent, "expand[]=latest_charge.failure_balance_transaction")
	failure := row.Fails
	if row.Mandate != "" {
		failure = "debit_not_authorized"
	}
	switch {
	case row.Stuck:
		got.wants(t, http.StatusOK, map[string]any{"status": "processing", "latest_charge.status": "pending"})
	case failure != "":
		got.wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "payment_method": nil, "last_payment_error.code": "payment_intent_payment_attempt_failed",
			"latest_charge.status": "failed", "latest_charge.failure_code": failure, "latest_charge.failure_balance_transaction.type": "payment_failure_refund",
			"latest_charge.failure_balance_transaction.reporting_category": "charge_failure"})
	default:
		got.wants(t, http.StatusOK, map[string]any{"status": "succeeded", "amount_received": "2000", "latest_charge.paid": true})
	}
	a.pass(2)
	disputes := a.get("/v1/disputes", "payment_intent="+made.text("id")).list("data")
	if (len(disputes) == 1) != (row.Disputed != "") {
		t.Fatalf("there are %d disputes", len(disputes))
	}
	if row.Disputed != "" {
		a.get("/v1/disputes/"+disputes[0].(map[string]any)["id"].(string), "").wants(t, http.StatusOK, map[string]any{"status": "lost", "reason": row.Disputed, "payment_method_details": nil})
	}
}

// TestUnusableAccounts: no payment method is made of an account that cannot be debited, nor of one that may be a real one, and nothing is left behind.
func TestUnusableAccounts(t *testing.T) {
	t.Parallel()
	a := bare(t)
	holder := "&type=sepa_debit&billing_details[name]=Ada&billing_details[email]=ada@example.com"
	unusable := 0
	for _, row := range sandbox.AllDebitAccounts() {
		if row.Unusable != "" {
			unusable++
			a.post("/v1/payment_methods", "sepa_debit[iban]="+row.Number+holder).wants(t, http.StatusBadRequest, map[string]any{"error.code": row.Unusable})
		}
	}
	if unusable != 32 {
		t.Errorf("there are %d unusable accounts", unusable)
	}
	for _, form := range []string{"sepa_debit[iban]=DE75512108001245126199" + holder, "sepa_debit[iban]=" + holder, "sepa_debit[iban]=US00" + holder, "sepa_debit[iban]=D" + holder,
		"type=us_bank_account&us_bank_account[account_holder_type]=company&us_bank_account[routing_number]=110000000&us_bank_account[account_number]=1&billing_details[name]=Ada",
		"type=bacs_debit&bacs_debit[sort_code]=1&bacs_debit[account_number]=00012345" + holder[len("&type=sepa_debit"):],
		"type=au_becs_debit&au_becs_debit[bsb_number]=000000&au_becs_debit[account_number]=12" + holder[len("&type=sepa_debit"):]} {
		a.post("/v1/payment_methods", form).wants(t, http.StatusBadRequest, map[string]any{"error.type": "invalid_request_error"})
	}
	refusedPayment := "amount=100&currency=eur&confirm=true&payment_method_types[]=sepa_debit&payment_method_data[type]=sepa_debit&payment_method_data[sepa_debit][iban]=DE89370400440532013000&payment_method_data[billing_details][name]=Ada&payment_method_data[billing_details][email]=ada@example.com"
	a.post("/v1/payment_intents", refusedPayment).wants(t, http.StatusBadRequest, nil) // without a mandate
	state := a.control("GET", "/_sandbox/state", "")
	for _, kind := range []string{"payment_method", "payment_intent", "mandate", "charge"} {
		if n := state.at("objects." + kind); n != nil && n != "0" {
			t.Errorf("%v objects of kind %s are left behind", n, kind)
		}
	}
}

// TestKnownIBANs holds what is made of a country's first account against what Stripe's documentation shows.
func TestKnownIBANs(t *testing.T) {
	t.Parallel()
	known := map[string]string{}
	for _, row := range sandbox.AllDebitAccounts() {
		if row.Kind == "sepa_debit" && !sandbox.ValidIBAN(row.Number) {
			t.Errorf("%s is no IBAN", row.Number)
		}
		for _, name := range row.Names {
			known[name] = row.Number
		}
	}
	for name, want := range map[string]string{
		"exceedsWeeklyVolumeLimit_at": "AT981904300000343434", "exceedsWeeklyTransactionLimit_at": "AT601904300000121212", "insufficientFunds_at": "AT981904300002222227",
		"exceedsWeeklyVolumeLimit_be": "BE90510000343434", "exceedsWeeklyTransactionLimit_be": "BE52510000121212", "insufficientFunds_be": "BE90510002222227",
		"exceedsWeeklyVolumeLimit_de": "DE65370400440000343434", "exceedsWeeklyTransactionLimit_de": "DE27370400440000121212", "insufficientFunds_de": "DE65370400440002222227",
		"exceedsWeeklyVolumeLimit_fr": "FR9720041010050000000343434", "exceedsWeeklyTransactionLimit_fr": "FR5920041010050000000121212", "insufficientFunds_fr": "FR9720041010050000002222227",
		"exceedsWeeklyVolumeLimit_ie": "IE10AIBK93115200343434", "exceedsWeeklyTransactionLimit_ie": "IE69AIBK93115200121212", "insufficientFunds_ie": "IE10AIBK93115202222227",
	} {
		if got := known["pm_sepaDebit_"+name]; got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
}

// FuzzIBAN: check digits fit, and only they.
func FuzzIBAN(f *testing.F) {
	f.Add("DE89370400440532013000")
	f.Add("GB82WEST12345698765432")
	f.Add("é")
	f.Fuzz(func(t *testing.T, text string) {
		if !sandbox.ValidIBAN(text) {
			return
		}
		if again := sandbox.WithCheckDigits(text[:2], text[4:]); again != text && text[2:4] != "00" && text[2:4] != "01" && text[2:4] != "99" && text[2:4] != "98" {
			t.Errorf("%s has other check digits than %s", text, again)
		}
		for digit := byte('0'); digit <= '9'; digit++ {
			if last := text[len(text)-1]; last >= '0' && last <= '9' && digit != last && sandbox.ValidIBAN(text[:len(text)-1]+string(digit)) {
				t.Errorf("%s is an IBAN with the last digit %c too", text, digit)
			}
		}
	})
}

// TestBanksThatTakeTime: an ACH debit fails after four business days, before its money is there to be paid out; one that pays is disputed later.
func TestBanksThatTakeTime(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithStart(time.Date(2026, time.January, 15, 9, 0, 0, 0, time.UTC)), sandbox.WithRate(0)) // Martin Luther King's day is on the 19th
	w.Control(http.MethodPost, "/_sandbox/account", map[string]string{"bank_debits": "real"}, nil)
	var payment struct{ ID, Status string }
	w.Call("POST", "/v1/payment_intents", values(debit("us_bank_account", "usd", "pm_usBankAccount_insufficientFunds")), &payment)
	w.AdvanceTo(time.Date(2026, time.January, 22, 8, 59, 59, 0, time.UTC))
	if n := len(w.Events("payment_intent.payment_failed")); n != 0 {
		t.Fatalf("the debit has failed before four business days are over")
	}
	w.Advance(time.Second)
	w.Event("charge.failed", 1, 0)
	w.Event("payment_intent.payment_failed", 1, 0)
	w.Advance(7 * 24 * time.Hour)
	for _, e := range w.Events("payout.created") {
		var payout struct{ Amount int64 }
		if err := json.Unmarshal(e.Object, &payout); err != nil || payout.Amount > 0 { // the price of the failure is debited
			t.Errorf("money was paid out that never came: %s", e.JSON)
		}
	}
	w.Call("POST", "/v1/payment_intents", values(debit("us_bank_account", "usd", "pm_usBankAccount_dispute")), &payment)
	w.Advance(6 * 24 * time.Hour)
	w.Event("payment_intent.succeeded", 1, 0)
	if n := len(w.Events("charge.dispute.created")); n != 0 {
		t.Error("the dispute is there before its time")
	}
	w.Advance(11 * 24 * time.Hour)
	var order []string
	for _, e := range w.Events("") {
		if strings.HasPrefix(e.Type, "charge.dispute.") {
			order = append(order, e.Type)
		}
	}
	if !slices.Equal(order, []string{"charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"}) {
		t.Errorf("the dispute is announced as %v", order)
	}
}

// TestReturnedDebits: a bank returns a debit before its success and after it; the second dispute blocks the account.
func TestReturnedDebits(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithRate(0))
	type intent struct {
		ID, Status string
		Charge     string `json:"latest_charge"`
		Method     string `json:"payment_method"`
	}
	pay := func(form string) (made intent) {
		t.Helper()
		if status := w.Call("POST", "/v1/payment_intents", values(form), &made); status != http.StatusOK {
			t.Fatalf("a payment answers %d", status)
		}
		return made
	}
	first := pay(debit("sepa_debit", "eur", "pm_sepaDebit_successDelayed_de"))
	w.ReturnDebit(first.Charge, "account_closed")
	w.Call("GET", "/v1/payment_intents/"+first.ID, nil, &first)
	if first.Status != "requires_payment_method" {
		t.Errorf("what its bank has returned is %s", first.Status)
	}
	var customer struct{ ID string }
	w.Call("POST", "/v1/customers", nil, &customer)
	saved := debit("us_bank_account", "usd", "pm_usBankAccount_success") + "&setup_future_usage=off_session&customer=" + customer.ID
	made := pay(saved)
	w.Advance(5 * time.Second)
	w.ReturnDebit(made.Charge, "debit_not_authorized")
	again := "amount=500&currency=usd&confirm=true&off_session=true&payment_method_types[]=us_bank_account&customer=" + customer.ID + "&payment_method=" + made.Method
	var refusal struct {
		Error struct{ Message, Code string }
	}
	if status := w.Call("POST", "/v1/payment_intents", values(again), &refusal); status != http.StatusBadRequest || !strings.HasPrefix(refusal.Error.Message, "This PaymentIntent requires a mandate") {
		t.Fatalf("a debit without a mandate answers %d %+v", status, refusal)
	}
	made = pay(again + offline)
	w.Advance(5 * time.Second)
	w.ReturnDebit(made.Charge, "debit_not_authorized")
	if status := w.Call("POST", "/v1/payment_intents", values(again+offline), &refusal); status != http.StatusBadRequest || refusal.Error.Code != "payment_method_bank_account_blocked" {
		t.Errorf("an account that was disputed twice answers %d %+v", status, refusal)
	}
}
