package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox"
)

// TestSettlement: dates that were recorded at Stripe, and holidays.
func TestSettlement(t *testing.T) {
	t.Parallel()
	for charged, want := range map[string]string{
		"2023-12-29T10:00:00Z": "2024-01-03", // Friday, then New Year's Day
		"2024-06-18T23:59:59Z": "2024-06-21", // Juneteenth in between
		"2026-01-03T12:00:00Z": "2026-01-06", // Saturday
		"2026-01-04T12:00:00Z": "2026-01-06", // Sunday
		"2026-01-05T00:00:00Z": "2026-01-07", // Monday
		"2026-01-15T12:00:00Z": "2026-01-20", // Thursday before Martin Luther King Day
		"2026-02-12T12:00:00Z": "2026-02-17", // before Presidents' Day
		"2026-05-21T12:00:00Z": "2026-05-26", // before Memorial Day
		"2026-07-02T12:00:00Z": "2026-07-06", // the Fourth on a Saturday is not moved
		"2027-07-02T12:00:00Z": "2027-07-07", // the Fourth on a Sunday is kept on the Monday
		"2026-09-03T12:00:00Z": "2026-09-08", // before Labor Day
		"2026-10-08T12:00:00Z": "2026-10-13", // before Columbus Day
		"2026-11-10T12:00:00Z": "2026-11-13", // before Veterans Day
		"2026-11-24T12:00:00Z": "2026-11-27", // before Thanksgiving
		"2026-12-23T12:00:00Z": "2026-12-28", // before Christmas
	} {
		at, err := time.Parse(time.RFC3339, charged)
		if err != nil {
			t.Fatal(err)
		}
		if got := sandbox.Settlement(at).Format(time.DateOnly); got != want {
			t.Errorf("%s settles on %s, want %s", charged, got, want)
		}
	}
}

func TestFee(t *testing.T) {
	t.Parallel()
	for amount, want := range map[int64]int64{1000: 59, 10_000: 320, 1356: 69, 1342: 69, 50: 31, 20: 20, 99_999_999: 2_900_030} {
		if got := sandbox.Fee(amount); got != want {
			t.Errorf("fee of %d is %d, want %d", amount, got, want)
		}
	}
}

// TestHistories: after any history the books add up, whatever was refused on the way:
//
//   - per currency, available plus pending is the sum of the nets of the balance transactions, and each source is booked once as what it is;
//   - of a charge no more is refunded than was captured, no more captured than asked for, and its refunds are what it says;
//   - an intent has one succeeded charge at most, and its status and amounts say what has become of that.
func TestHistories(t *testing.T) {
	t.Parallel()
	a := bare(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{api: a, rt: rt}
		a.key = "sk_" + "test_money_" + strconv.FormatInt(time.Now().UnixNano(), 36)
		a.must("/v1/customers", "") // so that the world is there
		for range rapid.IntRange(10, 30).Draw(rt, "steps") {
			h.step()
			a.balances(rt)
			h.charges()
			h.intents()
		}
	})
}

// history is what has happened to a world.
type history struct {
	*api
	rt        *rapid.T
	made      []answer // as they were made
	customers []string
}

func (h *history) pick(what string, from ...string) string {
	if len(from) == 0 {
		return "none"
	}
	return rapid.SampledFrom(from).Draw(h.rt, what)
}

// intent is one of the intents so far.
func (h *history) intent() answer {
	if len(h.made) == 0 {
		return answer{body: map[string]any{"id": "pi_none"}}
	}
	return h.made[rapid.IntRange(0, len(h.made)-1).Draw(h.rt, "intent")]
}

func (h *history) step() {
	amount := h.pick("amount", strconv.Itoa(rapid.IntRange(40, 5000).Draw(h.rt, "any amount")), "1000")
	one := h.intent().text("id")
	switch h.pick("step", "pay", "pay", "prepare", "confirm", "answer", "refund", "refund", "capture", "cancel", "update", "wait", "customer", "leave", "redirect", "owe", "transfer") {
	case "pay":
		h.pay("confirm=true", amount)
	case "redirect":
		h.redirect(amount)
	case "owe", "transfer":
		h.byTransfer(amount)
	case "prepare":
		h.pay("", amount)
	case "confirm":
		h.post("/v1/payment_intents/"+one+"/confirm", h.pick("with", "", "payment_method=pm_card_visa", "payment_method=pm_card_threeDSecure2Required", "payment_method=pm_card_chargeDeclined"))
	case "answer":
		h.answer(h.pick("outcome", "complete", "fail"))
	case "refund":
		h.post("/v1/refunds", "payment_intent="+one+h.pick("part", "", "&amount="+amount, "&amount=50", "&amount=600"))
	case "capture":
		h.post("/v1/payment_intents/"+one+"/capture", h.pick("part", "", "amount_to_capture="+amount, "amount_to_capture=700"))
	case "cancel":
		h.post("/v1/payment_intents/"+one+"/cancel", "")
	case "update":
		h.post("/v1/payment_intents/"+one, h.pick("change", "amount="+amount, "metadata[a]=1", "payment_method=pm_card_amex", "capture_method=manual"))
	case "wait":
		h.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+amount+`00}`)
	case "customer":
		h.customers = append(h.customers, h.must("/v1/customers", "payment_method="+h.pick("card", "pm_card_visa", "pm_card_authenticationRequired")).text("id"))
	case "leave":
		h.do(http.MethodDelete, "/v1/customers/"+h.pick("customer", h.customers...), "")
	}
}

// redirect makes an intent whose customer is led to a bank, or to a lender.
func (h *history) redirect(amount string) {
	form := "confirm=true&return_url=https://shop.example/&currency=eur&amount=" + amount + h.pick("kind", "&payment_method_types[]=ideal&payment_method_data[type]=ideal",
		"&payment_method_types[]=klarna&payment_method_data[type]=klarna", "&payment_method_types[]=klarna&payment_method_data[type]=klarna&capture_method=manual")
	if got := h.post("/v1/payment_intents", form); got.status == http.StatusOK {
		h.made = append(h.made, got)
	}
}

// byTransfer makes an intent that a customer pays by bank transfer, or has the customer send money.
func (h *history) byTransfer(amount string) {
	customer := h.pick("customer", h.customers...)
	if h.pick("which", "owe", "send") == "send" {
		h.post("/v1/test_helpers/customers/"+customer+"/fund_cash_balance", "currency=usd&amount="+amount)
		return
	}
	if got := h.post("/v1/payment_intents", "customer="+customer+"&currency=usd&amount="+amount+transferOf("usd")); got.status == http.StatusOK {
		h.made = append(h.made, got)
	}
}

// pay makes an intent, with a fresh card or with a customer's.
func (h *history) pay(confirm, amount string) {
	form := confirm + "&amount=" + amount + "&currency=" + h.pick("currency", "usd", "eur") + "&payment_method_types[]=card&capture_method=" + h.pick("capture", "automatic", "automatic_async", "manual")
	card := h.pick("card", "pm_card_visa", "pm_card_mastercard", "pm_card_bypassPending", "pm_card_pendingRefund", "pm_card_refundFail", "pm_card_refundFail", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required", "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
	if customer := h.pick("customer", append(h.customers, "none", "none")...); customer != "none" {
		form += "&customer=" + customer + h.pick("session", "", "&off_session=true")
		if saved := ids(h.get("/v1/customers/"+customer+"/payment_methods", "")); len(saved) > 0 {
			card = saved[0]
		}
	}
	if got := h.post("/v1/payment_intents", form+"&payment_method="+card); got.status == http.StatusOK {
		h.made = append(h.made, got)
	}
}

// answer answers the hosted page of an intent, be it open or not.
func (h *history) answer(outcome string) {
	intent := h.get("/v1/payment_intents/"+h.intent().text("id"), "")
	if intent.text("status") == "requires_action" && intent.text("next_action.type") != "display_bank_transfer_instructions" {
		h.authenticate(intent, outcome)
	}
}

// number is a field that is one.
func number(of map[string]any, field string) int64 {
	n, _ := strconv.ParseInt(answer{body: of}.text(field), 10, 64)
	return n
}

// charges holds every charge against its refunds.
func (h *history) charges() {
	refunded := map[string]int64{}
	for _, one := range h.get("/v1/refunds", "limit=100").list("data") {
		if refund := one.(map[string]any); refund["status"] != "failed" {
			refunded[refund["charge"].(string)] += number(refund, "amount")
		}
	}
	for _, one := range h.get("/v1/charges", "limit=100").list("data") {
		charge := one.(map[string]any)
		asked, captured, back := number(charge, "amount"), number(charge, "amount_captured"), number(charge, "amount_refunded")
		if back > captured || captured > asked || back != refunded[charge["id"].(string)] || charge["captured"] != (captured > 0) || charge["refunded"] != (captured > 0 && back == captured) ||
			charge["status"] != "succeeded" && captured > 0 {
			h.rt.Fatalf("charge %v: asked for %d, captured %d, refunded %d in refunds of %d", charge, asked, captured, back, refunded[charge["id"].(string)])
		}
	}
}

// intents holds every intent against its charges.
func (h *history) intents() {
	succeeded := map[any]map[string]any{}
	for _, one := range h.get("/v1/charges", "limit=100").list("data") {
		charge := one.(map[string]any)
		if intent := charge["payment_intent"]; charge["status"] == "succeeded" {
			if succeeded[intent] != nil {
				h.rt.Fatalf("%v has two succeeded charges", intent)
			}
			succeeded[intent] = charge
		}
	}
	for _, one := range h.get("/v1/payment_intents", "limit=100").list("data") {
		intent := one.(map[string]any)
		charge := succeeded[intent["id"]]
		paid, held := int64(0), int64(0)
		if charge != nil {
			paid = number(charge, "amount_captured")
		}
		if intent["status"] == "requires_capture" {
			held = number(charge, "amount")
		}
		status := intent["status"]
		if number(intent, "amount_received") != paid || number(intent, "amount_capturable") != held ||
			(status == "succeeded") != (paid > 0) || (status == "requires_action") != (intent["next_action"] != nil) ||
			status == "requires_payment_method" && intent["payment_method"] != nil || charge != nil && intent["latest_charge"] != charge["id"] {
			h.rt.Fatalf("intent %v\nwith charge %v", intent, charge)
		}
	}
}

// balances holds the balance against the transactions.
func (a *api) balances(rt *rapid.T) {
	sums := map[string]map[string]int64{"available": {}, "pending": {}}
	perCharge := map[string]int{}
	for _, one := range a.get("/v1/balance_transactions", "limit=100").list("data") {
		txn := answer{body: one.(map[string]any)}
		net, _ := strconv.ParseInt(txn.text("net"), 10, 64)
		amount, _ := strconv.ParseInt(txn.text("amount"), 10, 64)
		fee, _ := strconv.ParseInt(txn.text("fee"), 10, 64)
		if net != amount-fee {
			rt.Fatalf("net %d of amount %d and fee %d", net, amount, fee)
		}
		sums[txn.text("status")][txn.text("currency")] += net
		perCharge[txn.text("source")+" as "+txn.text("type")]++
	}
	for source, n := range perCharge {
		if n != 1 && !(strings.HasSuffix(source, " as adjustment") && n <= 3) { // a dispute goes, is answered and comes back
			rt.Fatalf("%s is booked %d times", source, n)
		}
	}
	balance := a.get("/v1/balance", "")
	for kind, want := range sums {
		for _, one := range balance.list(kind) {
			part := answer{body: one.(map[string]any)}
			if got, _ := strconv.ParseInt(part.text("amount"), 10, 64); got != want[part.text("currency")] {
				rt.Fatalf("%s %s is %d, want %d", kind, part.text("currency"), got, want[part.text("currency")])
			}
		}
	}
}
