package sandbox_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const byTransfer = "&confirm=true&payment_method_types[]=customer_balance&payment_method_data[type]=customer_balance&payment_method_options[customer_balance][funding_type]=bank_transfer"

// owe makes a payment that a customer pays by bank transfer.
func (a *api) owe(customer, currency, amount string) answer {
	a.t.Helper()
	return a.must("/v1/payment_intents", "customer="+customer+"&currency="+currency+"&amount="+amount+transferOf(currency))
}

func transferOf(currency string) string {
	kind := map[string]string{"usd": "us", "eur": "eu", "gbp": "gb", "jpy": "jp", "mxn": "mx"}[currency] + "_bank_transfer"
	form := byTransfer + "&payment_method_options[customer_balance][bank_transfer][type]=" + kind
	if currency == "eur" {
		form += "&payment_method_options[customer_balance][bank_transfer][eu_bank_transfer][country]=DE"
	}
	return form
}

// stands holds how a payment stands: its status, and what remains of it.
func (a *api) stands(t *testing.T, intent answer, status, left string) answer {
	t.Helper()
	is := a.get("/v1/payment_intents/"+intent.text("id"), "expand[]=latest_charge.balance_transaction")
	if got := is.text("next_action.display_bank_transfer_instructions.amount_remaining"); is.text("status") != status || got != left {
		t.Errorf("the intent is %s with %s remaining, want %s with %s", is.text("status"), got, status, left)
	}
	return is
}

// TestBankTransfer: a payment waits for its transfers, takes them in part and in whole, and leaves the rest to the customer.
func TestBankTransfer(t *testing.T) {
	t.Parallel()
	for _, currency := range []string{"usd", "eur", "gbp"} {
		t.Run(currency, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			customer := a.must("/v1/customers", "email=jenny@example.com").text("id")
			intent := a.owe(customer, currency, "5000")
			a.stands(t, intent, "requires_action", "5000")
			a.transfer(customer, "amount=2000&currency="+currency)
			a.stands(t, intent, "requires_action", "3000")
			if got := a.cash(customer, currency); got != "0" {
				t.Errorf("%s are left", got)
			}
			a.transfer(customer, "amount=4000&currency="+currency)
			is := a.stands(t, intent, "succeeded", "")
			if is.text("latest_charge.payment_method_details.type") != "customer_balance" || is.text("amount_received") != "5000" || a.cash(customer, currency) != "1000" {
				t.Errorf("%s left %s", is.raw, a.cash(customer, currency))
			}
			// What is there already pays at once.
			again := a.owe(customer, currency, "1000")
			a.stands(t, again, "succeeded", "")
			types := []string{}
			for _, one := range a.get("/v1/events", "limit=100").list("data") {
				types = append(types, one.(map[string]any)["type"].(string))
			}
			for _, want := range []string{"payment_intent.requires_action", "payment_intent.partially_funded", "payment_intent.succeeded", "charge.succeeded", "cash_balance.funds_available", "customer_cash_balance_transaction.created"} {
				if !strings.Contains(strings.Join(types, " "), want) {
					t.Errorf("%s was not announced", want)
				}
			}
		})
	}
}

// TestReconciliation: which payments get what comes.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owed      string // amounts, the oldest payment first
		sent      string
		reference int // 1 is the oldest; 0 is none
		left      string
	}{
		"the oldest first":           {"1000 2000 3000", "1500", 0, "0 1500 3000"},
		"exactly one":                {"1000 2000 3000", "3000", 0, "1000 2000 0"},
		"exactly two":                {"1000 2000 4000", "5000", 0, "0 2000 0"},
		"the smaller group":          {"1000 2000 3000", "3000", 0, "1000 2000 0"},
		"the older of equals":        {"2000 2000", "2000", 0, "0 2000"},
		"by reference":               {"1000 2000 3000", "1000", 2, "1000 1000 3000"},
		"by reference, and the rest": {"1000 2000", "2500", 2, "500 0"},
		"more than all":              {"1000 2000", "9000", 0, "0 0"},
		"exactly six, the oldest":    {"100 100 100 100 100 100", "600", 0, "0 0 0 0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			customer := a.must("/v1/customers", "").text("id")
			var intents []answer
			for _, amount := range strings.Fields(c.owed) {
				intents = append(intents, a.owe(customer, "usd", amount))
			}
			form := "currency=usd&amount=" + c.sent
			if c.reference > 0 {
				form += "&reference=" + intents[c.reference-1].text("next_action.display_bank_transfer_instructions.reference")
			}
			a.transfer(customer, form)
			for i, left := range strings.Fields(c.left) {
				status := "requires_action"
				if left == "0" {
					status, left = "succeeded", ""
				}
				a.stands(t, intents[i], status, left)
			}
		})
	}
}

// TestApplyByHand: a merchant who reconciles by hand says what goes where, and is refused what does not fit.
func TestApplyByHand(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "cash_balance[settings][reconciliation_mode]=manual").text("id")
	a.transfer(customer, "amount=2000&currency=usd")
	intent := a.owe(customer, "usd", "1000")
	a.stands(t, intent, "requires_action", "1000")
	apply := "/v1/payment_intents/" + intent.text("id") + "/apply_customer_balance"
	for form, want := range map[string]string{"amount=999999": "", "amount=100&currency=eur": "", "amount=0": "parameter_invalid_integer"} {
		a.post(apply, form).wants(t, http.StatusBadRequest, map[string]any{"error.code": orNil(want)})
	}
	a.must(apply, "amount=400")
	a.stands(t, intent, "requires_action", "600")
	a.must(apply, "")
	a.stands(t, intent, "succeeded", "")
	a.post(apply, "").wants(t, http.StatusBadRequest, map[string]any{"error.code": "payment_intent_unexpected_state"})
	card := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("id")
	a.post("/v1/payment_intents/"+card+"/apply_customer_balance", "").wants(t, http.StatusBadRequest, map[string]any{"error.code": nil})
	more := a.owe(customer, "usd", "5000")
	a.post("/v1/payment_intents/"+more.text("id")+"/apply_customer_balance", "amount=1001").wants(t, http.StatusBadRequest, map[string]any{"error.code": nil})
	a.must("/v1/payment_intents/"+more.text("id")+"/apply_customer_balance", "")
	a.stands(t, more, "requires_action", "4000")
	// What waits is paid once Stripe reconciles by itself again.
	a.transfer(customer, "amount=4000&currency=usd")
	a.stands(t, more, "requires_action", "4000")
	a.must("/v1/customers/"+customer+"/cash_balance", "settings[reconciliation_mode]=automatic")
	a.stands(t, more, "succeeded", "")
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// TestMoneyComesBack: what was put towards a payment that is given up, changed or paid otherwise is the customer's again.
func TestMoneyComesBack(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	intent := a.owe(customer, "usd", "5000")
	at := "/v1/payment_intents/" + intent.text("id")
	a.transfer(customer, "amount=2000&currency=usd")
	a.must(at, "metadata[order]=7")
	a.stands(t, intent, "requires_action", "3000")
	a.must(at, "amount=4000")
	a.stands(t, intent, "requires_action", "2000")
	other := a.owe(customer, "usd", "2000")
	a.must(at+"/cancel", "")
	a.stands(t, other, "succeeded", "")
	third := a.owe(customer, "usd", "3000")
	a.transfer(customer, "amount=1000&currency=usd")
	a.stands(t, third, "requires_action", "2000")
	a.must("/v1/payment_intents/"+third.text("id"), "payment_method_types[]=card&payment_method_types[]=customer_balance")
	a.must("/v1/payment_intents/"+third.text("id")+"/confirm", "payment_method=pm_card_visa")
	if got := a.cash(customer, "usd"); got != "1000" {
		t.Errorf("%s are left", got)
	}
}

// TestTransferRefusals: a payment by bank transfer needs a customer and somewhere to send money to.
func TestTransferRefusals(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	for form, param := range map[string]string{
		"currency=usd" + transferOf("usd"):                                                            "customer",
		"currency=usd&customer=" + customer + transferOf("eur"):                                       "payment_method_options[customer_balance][bank_transfer][type]",
		"currency=usd&customer=" + customer + byTransfer:                                              "payment_method_options[customer_balance][bank_transfer][type]",
		"currency=pln&customer=" + customer + byTransfer:                                              "currency",
		"currency=usd&customer=" + customer + strings.Split(byTransfer, "&payment_method_options")[0]: "payment_method_options[customer_balance][funding_type]",
	} {
		if got := a.post("/v1/payment_intents", "amount=1000&"+form); got.status != http.StatusBadRequest || got.text("error.param") != param {
			t.Errorf("%s: %s", form, got.raw)
		}
	}
	if n := len(a.get("/v1/payment_intents", "").list("data")); n != 0 {
		t.Errorf("%d intents were left behind", n)
	}
}

// TestTransferPage: the page of a payment sends what is missing, and stays where the merchant applies it by hand.
func TestTransferPage(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	intent := a.owe(customer, "eur", "5000")
	a.transfer(customer, "amount=2000&currency=eur")
	if got := a.press(a.hostedPage(intent), "complete"); got.StatusCode != http.StatusOK {
		t.Errorf("the page answers %d", got.StatusCode)
	}
	a.stands(t, intent, "succeeded", "")
	a.must("/v1/customers/"+customer+"/cash_balance", "settings[reconciliation_mode]=manual")
	intent = a.owe(customer, "eur", "700")
	for range 2 {
		a.press(a.hostedPage(intent), "complete")
	}
	a.stands(t, intent, "requires_action", "700")
	if got := a.cash(customer, "eur"); got != "1400" {
		t.Errorf("%s are left", got)
	}
}

// TestTransferRefunds: a refund waits for its customer, who tells an account, is given up on, or gets it as cash; and cash goes back.
func TestTransferRefunds(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	a.transfer(customer, "amount=6000&currency=eur")
	intent := a.owe(customer, "eur", "5000")
	refund := "payment_intent=" + intent.text("id")
	a.post("/v1/refunds", refund).wants(t, http.StatusBadRequest, map[string]any{"error.param": "instructions_email"})
	first := a.must("/v1/refunds", refund+"&amount=1000&instructions_email=jenny@example.com")
	if first.text("status") != "requires_action" || first.text("next_action.display_details.email_sent.email_sent_to") != "jenny@example.com" {
		t.Errorf("the refund is %s", first.raw)
	}
	is := func(id, status string) {
		t.Helper()
		if got := a.get("/v1/refunds/"+id, ""); got.text("status") != status {
			t.Errorf("the refund is %s", got.raw)
		}
	}
	a.control(http.MethodPost, "/_sandbox/refunds/bank", `{"refund":"`+first.text("id")+`"}`)
	is(first.text("id"), "pending")
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":10}`)
	is(first.text("id"), "succeeded")
	a.post("/v1/refunds/"+first.text("id")+"/cancel", "").wants(t, http.StatusBadRequest, map[string]any{"error.code": nil})
	for ending, status := range map[string]string{"/v1/refunds/%/cancel": "canceled", "/v1/test_helpers/refunds/%/expire": "failed", "": "failed"} {
		second := a.must("/v1/refunds", refund+"&amount=1000&instructions_email=jenny@example.com").text("id")
		if ending == "" {
			a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3888000}`)
		} else {
			a.must(strings.Replace(ending, "%", second, 1), "")
		}
		is(second, status)
	}
	charge := a.get("/v1/payment_intents/"+intent.text("id"), "").text("latest_charge")
	a.control(http.MethodPost, "/_sandbox/refunds/cash", `{"charge":"`+charge+`","amount":1500}`)
	if got := a.cash(customer, "eur"); got != "2500" {
		t.Errorf("%s are left", got)
	}
	if got := a.get("/v1/charges/"+charge, "").text("amount_refunded"); got != "2500" {
		t.Errorf("%s are refunded", got)
	}
	back := "origin=customer_balance&customer=" + customer + "&currency=eur&instructions_email=jenny@example.com&amount="
	a.post("/v1/refunds", back+"2501").wants(t, http.StatusBadRequest, map[string]any{"error.param": "amount"})
	a.post("/v1/refunds", back+"100&charge="+charge).wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameters_exclusive"})
	kept := a.must("/v1/refunds", back+"1000").text("id")
	if got := a.cash(customer, "eur"); got != "1500" {
		t.Errorf("%s are left", got)
	}
	a.must("/v1/refunds/"+kept+"/cancel", "")
	given := a.must("/v1/refunds", back+"500").text("id")
	a.control(http.MethodPost, "/_sandbox/refunds/bank", `{"refund":"`+given+`"}`)
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":10}`)
	is(given, "succeeded")
	if got := a.cash(customer, "eur"); got != "2000" {
		t.Errorf("%s are left", got)
	}
}

// TestCashHistories: whatever customers send and merchants do, the books of every step hold (see cash_audit_test.go), and no money of a
// customer's is made or lost: what came in is held, put towards payments, or on its way back.
func TestCashHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a := bare(t)
		customer := a.must("/v1/customers", "email=jenny@example.com").text("id")
		var made []string
		sent := int64(0)
		pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, what) }
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			amount := rapid.IntRange(50, 3000).Draw(rt, "amount")
			some := strconv.Itoa(amount)
			one := "pi_none"
			if len(made) > 0 {
				one = made[rapid.IntRange(0, len(made)-1).Draw(rt, "intent")]
			}
			switch pick("step", "send", "send", "owe", "owe", "cancel", "change", "apply", "mode", "refund", "return", "cash", "card") {
			case "send":
				a.transfer(customer, "currency=usd&amount="+some)
				sent += int64(amount)
			case "owe":
				if got := a.post("/v1/payment_intents", "customer="+customer+"&currency=usd&amount="+some+transferOf("usd")); got.status == http.StatusOK {
					made = append(made, got.text("id"))
				}
			case "cancel":
				a.post("/v1/payment_intents/"+one+"/cancel", "")
			case "change":
				a.post("/v1/payment_intents/"+one, "amount="+some)
			case "apply":
				a.post("/v1/payment_intents/"+one+"/apply_customer_balance", pick("how much", "", "amount="+some))
			case "mode":
				a.must("/v1/customers/"+customer+"/cash_balance", "settings[reconciliation_mode]="+pick("mode", "manual", "automatic"))
			case "refund":
				a.post("/v1/refunds", "payment_intent="+one+"&amount="+some)
			case "return":
				a.post("/v1/refunds", "origin=customer_balance&currency=usd&customer="+customer+"&amount="+some)
			case "cash":
				a.control(http.MethodPost, "/_sandbox/refunds/cash", `{"charge":"`+a.get("/v1/payment_intents/"+one, "").text("latest_charge")+`","amount":`+some+`}`)
			case "card":
				a.post("/v1/payment_intents/"+one, "payment_method_types[]=card")
				a.post("/v1/payment_intents/"+one+"/confirm", "payment_method=pm_card_visa")
			}
		}
		sums := map[string]int64{}
		for _, txn := range a.get("/v1/customers/"+customer+"/cash_balance_transactions", "limit=100").list("data") {
			sums[txn.(map[string]any)["type"].(string)] += number(txn.(map[string]any), "net_amount")
		}
		held, _ := strconv.ParseInt("0"+a.cash(customer, "usd"), 10, 64)
		total := int64(0)
		for _, sum := range sums {
			total += sum
		}
		if sums["funded"] != sent || total != held {
			rt.Fatalf("%d were sent, %d are held: %v", sent, held, sums)
		}
		a.balances(rt)
	})
}

// TestBankTransferPageIsOver: the page of a payment whose money has come by itself says so, and is no page of 3D Secure.
func TestBankTransferPageIsOver(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "email=jenny@example.com").text("id")
	intent := a.owe(customer, "eur", "5000")
	a.transfer(customer, "amount=5000&currency=eur")
	shown := a.browse(http.MethodGet, a.hostedPage(intent), nil)
	html, err := io.ReadAll(shown.Body)
	if err != nil || shown.StatusCode != http.StatusNotFound || !strings.Contains(string(html), "<title>Payment test page</title>") || !strings.Contains(string(html), "no longer, open") {
		t.Errorf("%d %v %s", shown.StatusCode, err, html)
	}
}
