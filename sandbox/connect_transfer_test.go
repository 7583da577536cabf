package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// pending pays by a card whose money comes two days later.
const pending = "&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa&capture_method=automatic"

// TestSeparateTransfers: the parts of a pending charge are on their way at once, and there with the charge; together they are no more than it.
func TestSeparateTransfers(t *testing.T) {
	t.Parallel()
	a := bare(t)
	one, two := a.seller("US", "usd"), a.seller("US", "usd")
	a.unpaid()
	one.unpaid()
	two.unpaid()
	charge := a.must("/v1/payment_intents", "amount=10000"+pending).text("latest_charge")
	first := a.must("/v1/transfers", "amount=6000&currency=usd&destination="+one.account+"&source_transaction="+charge+"&description=Tea&metadata[a]=b&expand[]=destination_payment.balance_transaction")
	if first.text("transfer_group") == "" || first.text("destination_payment.source_transfer") != first.text("id") || first.text("destination_payment.balance_transaction.status") != "pending" || first.text("destination_payment.description") != "Tea" {
		t.Errorf("the transfer is %s", first.raw)
	}
	if one.funds("usd") != ([3]int64{0, 6000, 0}) || a.funds("usd") != ([3]int64{0, 10000 - 320 - 6000, 0}) {
		t.Errorf("the seller has %v, the platform %v", one.funds("usd"), a.funds("usd"))
	}
	a.post("/v1/transfers", "amount=4001&currency=usd&destination="+two.account+"&source_transaction="+charge).wants(t, http.StatusBadRequest, map[string]any{
		"error.message": "Transfers using this transaction as a source must not exceed the source amount of $100.00. (There is already a transfer using this source, amounting to $60.00.)"})
	rest := a.must("/v1/transfers", "currency=usd&destination="+two.account+"&source_transaction="+charge)
	if rest.text("amount") != "4000" || rest.text("transfer_group") != first.text("transfer_group") {
		t.Errorf("the rest is %s", rest.raw)
	}
	a.pass(3 * 86400)
	if one.funds("usd") != ([3]int64{6000, 0, 0}) || two.funds("usd") != ([3]int64{4000, 0, 0}) || a.funds("usd") != ([3]int64{-320, 0, 0}) {
		t.Errorf("the sellers have %v and %v, the platform %v", one.funds("usd"), two.funds("usd"), a.funds("usd"))
	}
	a.post("/v1/transfers", "amount=1&currency=usd&destination="+two.account).wants(t, http.StatusBadRequest, map[string]any{"error.code": "balance_insufficient"})
	if all := a.get("/v1/transfers", "transfer_group="+first.text("transfer_group")).list("data"); len(all) != 2 {
		t.Errorf("the group has %d transfers", len(all))
	}
	a.must("/v1/transfers/"+first.text("id"), "metadata[a]=c")
	back := a.must("/v1/transfers/"+first.text("id")+"/reversals", "amount=2500&metadata[why]=late")
	a.must("/v1/transfers/"+first.text("id")+"/reversals/"+back.text("id"), "metadata[why]=early")
	a.post("/v1/transfers/"+first.text("id")+"/reversals", "amount=3501").wants(t, http.StatusBadRequest, map[string]any{"error.param": "amount"})
	a.must("/v1/transfers/"+first.text("id")+"/reversals", "")
	a.post("/v1/transfers/"+first.text("id")+"/reversals", "").wants(t, http.StatusBadRequest, map[string]any{"error.message": "The transfer " + first.text("id") + " is already fully reversed."})
	got := a.get("/v1/transfers/"+first.text("id"), "")
	if got.at("reversed") != true || got.text("amount_reversed") != "6000" || len(got.list("reversals.data")) != 2 || len(a.get("/v1/transfers/"+first.text("id")+"/reversals", "").list("data")) != 2 {
		t.Errorf("the transfer is %s", got.raw)
	}
	if one.funds("usd")[0] != 0 || a.funds("usd")[0] != 5680 {
		t.Errorf("the seller has %v, the platform %v", one.funds("usd"), a.funds("usd"))
	}
	want := "transfer.created transfer.created transfer.updated transfer.reversed transfer.reversed"
	var types []string
	for _, kind := range a.types() {
		if strings.HasPrefix(kind, "transfer.") {
			types = append(types, kind)
		}
	}
	if got := strings.Join(types, " "); got != want {
		t.Errorf("the events are %s, want %s", got, want)
	}
}

// TestTransfersRefused: what Stripe transfers to nobody.
func TestTransfersRefused(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller, far := a.seller("US", "usd"), a.seller("JP", "jpy")
	own := a.get("/v1/account", "").text("id")
	charge := a.must("/v1/payment_intents", "amount=1000"+byCard).text("latest_charge")
	held := a.must("/v1/payment_intents", "amount=1000"+strings.Replace(byCard, "capture_method=automatic", "capture_method=manual", 1)).text("latest_charge")
	for form, want := range map[string]map[string]any{
		"currency=usd&amount=5&destination=acct_none":                                              {"error.code": "resource_missing", "error.message": "No such destination: 'acct_none'", "error.param": "destination"},
		"currency=usd&amount=5&destination=" + own:                                                 {"error.param": "destination"},
		"currency=usd&amount=5&destination=" + far.account:                                         {"error.message": "Funds can't be sent to accounts located in JP when the account is under the `full` service agreement. To learn more, see https://stripe.com/docs/connect/service-agreement-types."},
		"currency=usd&amount=0&destination=" + seller.account:                                      {"error.code": "parameter_invalid_integer"},
		"currency=usd&destination=" + seller.account:                                               {"error.code": "parameter_missing", "error.param": "amount"},
		"currency=usd&amount=942&destination=" + seller.account:                                    {"error.code": "balance_insufficient"},
		"currency=eur&amount=1&destination=" + seller.account:                                      {"error.code": "balance_insufficient"},
		"currency=usd&amount=1&source_type=fpx&destination=" + seller.account:                      {"error.code": "balance_insufficient"},
		"currency=eur&amount=1&destination=" + seller.account + "&source_transaction=" + charge:    {"error.message": "The currency of source_transaction's balance transaction (usd) must be the same as the transfer currency (eur)"},
		"currency=usd&amount=1001&destination=" + seller.account + "&source_transaction=" + charge: {"error.message": "Transfers using this transaction as a source must not exceed the source amount of $10.00."},
		"currency=usd&amount=0&destination=" + seller.account + "&source_transaction=" + charge:    {"error.code": "parameter_invalid_integer"},
		"currency=usd&amount=1&destination=" + seller.account + "&source_transaction=" + held:      {"error.param": "source_transaction"},
		"currency=usd&amount=1&destination=" + seller.account + "&source_transaction=ch_none":      {"error.code": "resource_missing", "error.param": "source_transaction"},
	} {
		a.post("/v1/transfers", form).wants(t, http.StatusBadRequest, want)
	}
	seller.post("/v1/transfers", "currency=usd&amount=5&destination="+far.account).wants(t, http.StatusBadRequest, map[string]any{"error.code": "resource_missing"})
	sandbox.Restrict(a.server.Config.Handler.(*sandbox.Server), a.key, seller.account)
	for path, form := range map[string]string{"/v1/transfers": "currency=usd&amount=5&destination=" + seller.account, "/v1/payment_intents": "currency=usd&amount=500&transfer_data[destination]=" + seller.account} {
		a.post(path, form).wants(t, http.StatusBadRequest, map[string]any{"error.code": "insufficient_capabilities_for_transfer",
			"error.message": "Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments"})
	}
	for name, got := range map[string]answer{"direct": seller.post("/v1/payment_intents", "amount=500"+byCard), "on behalf": a.post("/v1/payment_intents", "amount=500&on_behalf_of="+seller.account+byCard)} {
		if !strings.HasPrefix(got.text("error.message"), "Your account cannot currently make charges.") {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	seller.post("/v1/payouts", "currency=usd&amount=1").wants(t, http.StatusBadRequest, map[string]any{"error.code": "payouts_not_allowed"})
	unspent := a.must("/v1/tokens", "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123").text("id")
	a.post("/v1/charges", "amount=500&currency=usd&on_behalf_of="+seller.account+"&source="+unspent).wants(t, http.StatusBadRequest, nil)
	a.get("/v1/tokens/"+unspent, "").wants(t, http.StatusOK, map[string]any{"used": false})
	if n := len(a.get("/v1/transfers", "").list("data")); n != 0 {
		t.Errorf("there are %d transfers", n)
	}
}

// TestSharesRefused: who may have which part of a payment.
func TestSharesRefused(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	to := "&currency=usd&amount=1000&transfer_data[destination]=" + seller.account
	for form, want := range map[string]map[string]any{
		"currency=usd&amount=1000&application_fee_amount=1":             {"error.code": "parameter_missing"},
		"application_fee_amount=100&transfer_data[amount]=800" + to:     {"error.code": "parameters_exclusive"},
		"application_fee_amount=1001" + to:                              {"error.param": "application_fee_amount"},
		"application_fee_amount=0" + to:                                 {"error.code": "parameter_invalid_integer"},
		"transfer_data[amount]=1001" + to:                               {"error.param": "transfer_data[amount]"},
		"transfer_data[amount]=0" + to:                                  {"error.code": "parameter_invalid_integer"},
		"on_behalf_of=acct_none" + to:                                   {"error.code": "resource_missing", "error.param": "on_behalf_of"},
		"currency=usd&amount=1000&transfer_data[destination]=acct_none": {"error.message": "No such destination: 'acct_none'", "error.param": "transfer_data[destination]"},
	} {
		a.post("/v1/payment_intents", form).wants(t, http.StatusBadRequest, want)
	}
	a.post("/v1/charges", "source=tok_visa&currency=usd&amount=1000&application_fee=100&destination[amount]=800&destination[account]="+seller.account).wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameters_exclusive"})
	plain := a.must("/v1/payment_intents", "amount=1000"+byCard).text("latest_charge")
	a.post("/v1/refunds", "reverse_transfer=true&charge="+plain).wants(t, http.StatusBadRequest, map[string]any{"error.message": "Cannot reverse transfer on charge " + plain + " because it does not have an associated transfer."})
	a.post("/v1/refunds", "refund_application_fee=true&amount=100&charge="+plain).wants(t, http.StatusOK, map[string]any{"amount": "100"}) // there is none to give back
	made := a.must("/v1/payment_intents", "application_fee_amount=100"+to).text("id")
	a.post("/v1/payment_intents/"+made, "transfer_data[amount]=500").wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameters_exclusive"})
	a.post("/v1/payment_intents/"+made, "amount=99").wants(t, http.StatusBadRequest, map[string]any{"error.param": "application_fee_amount"})
	a.must("/v1/payment_intents/"+made, "application_fee_amount=&transfer_data[amount]=500").wants(t, http.StatusOK, map[string]any{"application_fee_amount": nil, "transfer_data.amount": "500"})
}

// TestChargesOfTheOlderKind: a charge with a destination, by its older names.
func TestChargesOfTheOlderKind(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	got := a.must("/v1/charges", "source=tok_bypassPending&currency=usd&amount=1000&application_fee=123&destination="+seller.account)
	if got.text("transfer_group") != "group_"+got.text("id") || got.text("transfer") == "" || seller.funds("usd")[0] != 877 {
		t.Errorf("the charge is %s", got.raw)
	}
	part := a.must("/v1/charges", "source=tok_bypassPending&currency=usd&amount=1000&destination[amount]=700&destination[account]="+seller.account)
	if part.text("transfer_data.amount") != "700" || seller.funds("usd")[0] != 1577 {
		t.Errorf("the charge is %s", part.raw)
	}
	held := a.must("/v1/charges", "source=tok_bypassPending&currency=usd&amount=1000&capture=false&application_fee_amount=300&transfer_data[destination]="+seller.account)
	a.post("/v1/charges/"+held.text("id")+"/capture", "amount=500&application_fee_amount=501").wants(t, http.StatusBadRequest, map[string]any{"error.param": "application_fee_amount"})
	taken := a.must("/v1/charges/"+held.text("id")+"/capture", "amount=500&application_fee=50")
	if taken.text("application_fee_amount") != "50" || seller.funds("usd")[0] != 1577+450 {
		t.Errorf("the charge is %s, the seller has %v", taken.raw, seller.funds("usd"))
	}
}

// TestSharesAtCapture: the fee may change with the capture, and is at most what is captured. Nothing moves before.
func TestSharesAtCapture(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		given, capture string
		seller         int64
	}{
		{"application_fee_amount=300", "", 700}, {"application_fee_amount=300", "amount_to_capture=500", 200}, {"application_fee_amount=300", "amount_to_capture=200", 0},
		{"application_fee_amount=300", "amount_to_capture=500&application_fee_amount=20", 480}, {"transfer_data[amount]=800", "amount_to_capture=500", 500},
		{"transfer_data[amount]=800", "transfer_data[amount]=300", 300}, {"", "amount_to_capture=600&application_fee_amount=1", 599},
	} {
		a := bare(t)
		seller := a.seller("US", "usd")
		made := a.must("/v1/payment_intents", row.given+"&amount=1000&transfer_data[destination]="+seller.account+strings.Replace(byCard, "capture_method=automatic", "capture_method=manual", 1)).text("id")
		if n := len(a.get("/v1/transfers", "").list("data")); n != 0 {
			t.Errorf("%+v: there are %d transfers before the capture", row, n)
		}
		a.must("/v1/payment_intents/"+made+"/capture", row.capture)
		if got := seller.funds("usd")[0]; got != row.seller {
			t.Errorf("%+v: the seller has %d", row, got)
		}
	}
}

// TestLateShares: an asynchronous capture is shared when it is booked, and a debit that fails takes back what it had sent.
func TestLateShares(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	paid := a.must("/v1/payment_intents", "amount=1000&application_fee_amount=100&transfer_data[destination]="+seller.account+strings.Replace(byCard, "capture_method=automatic", "capture_method=automatic_async", 1)+"&expand[]=latest_charge")
	if paid.text("latest_charge.transfer") != "" || paid.text("latest_charge.application_fee") != "" {
		t.Errorf("the payment is %s", paid.raw)
	}
	a.pass(2)
	if got := a.get("/v1/charges/"+paid.text("latest_charge.id"), ""); got.text("transfer") == "" || got.text("application_fee") == "" || seller.funds("usd")[0] != 900 {
		t.Errorf("the charge is %s", got.raw)
	}
	// A refund that comes before then books it first.
	paid = a.must("/v1/payment_intents", "amount=1000&application_fee_amount=100&transfer_data[destination]="+seller.account+strings.Replace(byCard, "capture_method=automatic", "capture_method=automatic_async", 1))
	a.must("/v1/refunds", "reverse_transfer=true&refund_application_fee=true&payment_intent="+paid.text("id"))
	if seller.funds("usd")[0] != 900 {
		t.Errorf("the seller has %v", seller.funds("usd"))
	}
}

// TestTransferOfADebit: a debit with a destination fails after days, and the transfer comes back.
func TestTransferOfADebit(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.steer(http.MethodPost, "/_sandbox/account", `{"country":"DE"}`)
	seller := a.seller("DE", "eur")
	form := "amount=1000&currency=eur&confirm=true&payment_method_types[]=sepa_debit&mandate_data[customer_acceptance][type]=offline&application_fee_amount=100" +
		"&payment_method_data[type]=sepa_debit&payment_method_data[sepa_debit][iban]=DE62370400440532013001&payment_method_data[billing_details][name]=Ada&payment_method_data[billing_details][email]=ada%40example.com"
	paid := a.must("/v1/payment_intents", form+"&transfer_data[destination]="+seller.account)
	direct := seller.must("/v1/payment_intents", form)
	if paid.text("status") != "processing" || direct.text("status") != "processing" || seller.funds("eur")[1] == 0 {
		t.Fatalf("the payment is %s", paid.raw)
	}
	a.pass(10 * 86400)
	if got := a.get("/v1/payment_intents/"+paid.text("id"), ""); got.text("status") != "requires_payment_method" {
		t.Errorf("the payment is %s", got.raw)
	}
	for _, one := range a.get("/v1/transfers", "").list("data") {
		if tr := one.(map[string]any); tr["reversed"] != true {
			t.Errorf("a transfer is %v", tr)
		}
	}
	for _, one := range a.get("/v1/application_fees", "").list("data") {
		if fee := one.(map[string]any); fee["refunded"] != true {
			t.Errorf("a fee is %v", fee)
		}
	}
}

// TestOnBehalfOf: the account is the merchant: the payment settles in its currency, at its country's price and after its delay, and the
// platform pays Stripe.
func TestOnBehalfOf(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("DE", "eur")
	paid := a.must("/v1/payment_intents", "amount=10000&application_fee_amount=1000&transfer_data[destination]="+seller.account+"&on_behalf_of="+seller.account+
		strings.Replace(pending, "currency=usd", "currency=eur", 1)+"&expand[]=latest_charge.balance_transaction&expand[]=latest_charge.transfer")
	fee := sandbox.CardFee("DE", "eur", "US", 10000)
	paid.wants(t, http.StatusOK, map[string]any{"latest_charge.balance_transaction.currency": "eur", "latest_charge.balance_transaction.exchange_rate": nil,
		"latest_charge.balance_transaction.fee": strconv.FormatInt(fee, 10), "latest_charge.transfer.currency": "eur", "latest_charge.on_behalf_of": seller.account,
		"latest_charge.balance_transaction.available_on": strconv.FormatInt(start.Truncate(24*3600e9).AddDate(0, 0, 7).Unix(), 10)})
	if seller.funds("eur")[1] != 9000 || a.funds("eur")[1] != 1000-fee {
		t.Errorf("the seller has %v, the platform %v", seller.funds("eur"), a.funds("eur"))
	}
}

// TestCurrenciesOfTransfers: what settles in the platform's currency is transferred in it, and converted where it arrives.
func TestCurrenciesOfTransfers(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("DE", "eur")
	paid := a.must("/v1/payment_intents", "amount=10000&transfer_data[destination]="+seller.account+strings.Replace(byCard, "currency=usd", "currency=eur", 1)+"&expand[]=latest_charge.transfer.destination_payment.balance_transaction&expand[]=latest_charge.balance_transaction")
	if got, sent := paid.text("latest_charge.balance_transaction.amount"), paid.text("latest_charge.transfer.amount"); got != sent || paid.text("latest_charge.transfer.currency") != "usd" ||
		paid.text("latest_charge.transfer.destination_payment.balance_transaction.currency") != "eur" {
		t.Errorf("of %s were sent %s: %s", got, sent, paid.raw)
	}
	arrived := seller.funds("eur")[0]
	a.must("/v1/refunds", "reverse_transfer=true&payment_intent="+paid.text("id"))
	if left := seller.funds("eur")[0]; left >= 0 || left < -arrived*3/100 { // the way back is at the middle rate
		t.Errorf("of %d are left %d", arrived, left)
	}
}

// TestHeldForASeller: a payment on behalf of a seller is blocked on the card when it is confirmed, and shared when it is captured.
func TestHeldForASeller(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	customer := a.must("/v1/customers", "email=ada%40example.com").text("id")
	made := a.must("/v1/payment_intents", "amount=10000&currency=usd&customer="+customer+"&capture_method=manual&setup_future_usage=off_session&payment_method_types[]=card&payment_method=pm_card_bypassPending"+
		"&on_behalf_of="+seller.account+"&transfer_data[destination]="+seller.account+"&application_fee_amount=900&expand[]=payment_method")
	if made.text("payment_method.card.last4") != "0077" || made.text("status") != "requires_confirmation" {
		t.Errorf("the payment is %s", made.raw)
	}
	a.must("/v1/payment_intents/"+made.text("id")+"/confirm", "").wants(t, http.StatusOK, map[string]any{"status": "requires_capture", "amount_capturable": "10000"})
	if seller.funds("usd") != ([3]int64{}) || a.funds("usd") != ([3]int64{}) {
		t.Errorf("before the capture the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	a.must("/v1/payment_intents/"+made.text("id")+"/capture", "").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "application_fee_amount": "900"})
	if seller.funds("usd")[0] != 9100 || a.funds("usd")[0] != 900-320 {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
}

// TestWhoseDisputes: a direct charge's dispute is the account's; those of what the platform has charged are its own, and take nothing
// back from the seller by themselves.
func TestWhoseDisputes(t *testing.T) {
	t.Parallel()
	disputed := strings.Replace(pending, "pm_card_visa", "pm_card_createDispute", 1)
	for name, row := range map[string]struct {
		pay              func(a, seller *api)
		platform, seller int64
	}{
		"direct": {func(_, seller *api) {
			seller.must("/v1/payment_intents", "amount=10000&application_fee_amount=1000"+disputed)
		}, 1000, 10000 - 320 - 1000 - 11500},
		"destination": {func(a, seller *api) {
			a.must("/v1/payment_intents", "amount=10000&application_fee_amount=1000&transfer_data[destination]="+seller.account+disputed)
		}, 1000 - 320 - 11500, 9000},
		"separate": {func(a, seller *api) {
			charge := a.must("/v1/payment_intents", "amount=10000"+disputed).text("latest_charge")
			a.must("/v1/transfers", "amount=9000&currency=usd&destination="+seller.account+"&source_transaction="+charge)
		}, 1000 - 320 - 11500, 9000},
	} {
		a := bare(t)
		seller := a.seller("US", "usd")
		a.unpaid()
		seller.unpaid()
		row.pay(a, seller)
		a.pass(5)
		if a.funds("usd")[1] != row.platform || seller.funds("usd")[1] != row.seller {
			t.Errorf("%s: the platform has %v, the seller %v", name, a.funds("usd"), seller.funds("usd"))
		}
		whose := a
		if name == "direct" {
			whose = seller
		}
		if all := whose.get("/v1/disputes", "").list("data"); len(all) != 1 {
			t.Errorf("%s: there are %d disputes", name, len(all))
		}
		for _, one := range a.get("/v1/transfers", "").list("data") { // the platform recovers it
			a.must("/v1/transfers/"+one.(map[string]any)["id"].(string)+"/reversals", "refund_application_fee=true")
		}
		a.pass(3 * 86400)
		if left := seller.funds("usd")[0]; name != "direct" && left != 0 || name == "direct" && (left != row.seller || a.funds("usd")[2] != -left) {
			t.Errorf("%s: at the end the platform has %v, the seller %v", name, a.funds("usd"), seller.funds("usd"))
		}
	}
}
