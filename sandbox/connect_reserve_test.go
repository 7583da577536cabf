package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// sellerWith is an account with somebody liable for its losses and somebody who pays Stripe's fees.
func (a *api) sellerWith(losses, payer string) *api {
	return a.as(sandbox.ConnectAs(a.server.Config.Handler.(*sandbox.Server), a.key, "US", "usd", losses, payer))
}

// TestReserve: what a seller is below nothing the platform keeps, until it comes back, or is made up for after 180 days.
func TestReserve(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	a.must("/v1/payment_intents", "amount=10000"+byCard) // 9680
	seller := a.seller("US", "usd")
	paid := seller.must("/v1/payment_intents", "amount=1000"+byCard).text("id") // 941
	seller.must("/v1/refunds", "payment_intent="+paid)
	if seller.funds("usd")[0] != -59 || a.funds("usd") != ([3]int64{9680 - 59, 0, 59}) {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	kept := a.get("/v1/balance_transactions", "type=reserve_transaction").list("data")
	if len(kept) != 1 || kept[0].(map[string]any)["reporting_category"] != "connect_reserved_funds" {
		t.Errorf("the reserve is %v", kept)
	}
	a.must("/v1/transfers", "amount=20&currency=usd&destination="+seller.account)
	if seller.funds("usd")[0] != -39 || a.funds("usd") != ([3]int64{9680 - 59, 0, 39}) {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	seller.unpaid() // nor debited
	a.pass(179 * 86400)
	if seller.funds("usd")[0] != -39 {
		t.Errorf("after 179 days the seller has %v", seller.funds("usd"))
	}
	a.pass(86400)
	if seller.funds("usd")[0] != 0 || a.funds("usd") != ([3]int64{9680 - 59, 0, 0}) {
		t.Errorf("after 180 days the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	for name, one := range map[string]*api{"seller": seller, "platform": a} {
		if n := len(one.get("/v1/balance_transactions", "type=connect_collection_transfer").list("data")); n != 1 {
			t.Errorf("the %s has %d collections", name, n)
		}
	}
}

// TestReserveComesBack: a seller who was made up for is below nothing anew, and has 180 days again.
func TestReserveComesBack(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	seller := a.seller("US", "usd")
	seller.unpaid()
	sink := func() {
		paid := seller.must("/v1/payment_intents", "amount=1000"+byCard).text("id")
		seller.must("/v1/refunds", "payment_intent="+paid)
	}
	sink()
	a.pass(100 * 86400)
	seller.must("/v1/payment_intents", "amount=1000"+byCard)
	if a.funds("usd")[2] != 0 {
		t.Errorf("the platform keeps %v", a.funds("usd"))
	}
	paid := seller.get("/v1/payment_intents", "limit=1").list("data")[0].(map[string]any)["id"].(string)
	seller.must("/v1/refunds", "payment_intent="+paid)
	a.pass(81 * 86400) // 180 since it first sank
	if seller.funds("usd")[0] != -118 || a.funds("usd")[2] != 118 {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
}

// TestNoReserve: an account for which Stripe is liable is not backed, and gives nothing back that it has not.
func TestNoReserve(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	seller := a.sellerWith("stripe", "account")
	a.must("/v1/payment_intents", "amount=10000"+byCard)
	tr := a.must("/v1/transfers", "amount=500&currency=usd&destination="+seller.account).text("id")
	seller.must("/v1/payouts", "amount=400&currency=usd")
	a.post("/v1/transfers/"+tr+"/reversals", "amount=101").wants(t, http.StatusBadRequest, map[string]any{"error.code": "balance_insufficient"})
	a.must("/v1/transfers/"+tr+"/reversals", "amount=100")
	paid := seller.must("/v1/payment_intents", "amount=1000"+byCard).text("id")
	seller.must("/v1/balance_settings", "payments[debit_negative_balances]=true")
	seller.must("/v1/refunds", "payment_intent="+paid)
	if seller.funds("usd")[0] != -59 || a.funds("usd")[2] != 0 {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	a.post("/v1/charges", "source="+seller.account+"&amount=100&currency=usd").wants(t, http.StatusBadRequest, nil)
}

// TestOnTheWayBack: what a seller refunds of a transfer, and has not the money for, cannot be taken back a second time meanwhile.
func TestOnTheWayBack(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	seller := a.sellerWith("stripe", "account")
	seller.must("/v1/balance_settings", "payments[debit_negative_balances]=false&payments[payouts][schedule][interval]=manual")
	a.must("/v1/payment_intents", "amount=10000"+byCard)
	sent := a.must("/v1/transfers", "amount=500&currency=usd&destination="+seller.account)
	tr, payment := sent.text("id"), sent.text("destination_payment")
	seller.must("/v1/payouts", "amount=400&currency=usd")
	refund := seller.must("/v1/refunds", "charge="+payment+"&amount=450").text("id")
	seller.get("/v1/refunds/"+refund, "").wants(t, http.StatusOK, map[string]any{"status": "pending", "pending_reason": "insufficient_funds"})
	a.post("/v1/transfers/"+tr+"/reversals", "amount=51").wants(t, http.StatusBadRequest, map[string]any{"error.param": "amount"})
	a.must("/v1/transfers/"+tr+"/reversals", "")
	a.get("/v1/transfers/"+tr, "").wants(t, http.StatusOK, map[string]any{"amount_reversed": "50", "reversed": false})
	a.post("/v1/transfers/"+tr+"/reversals", "").wants(t, http.StatusBadRequest, nil)
	a.audits()
	a.must("/v1/transfers", "amount=500&currency=usd&destination="+seller.account)
	a.get("/v1/transfers/"+tr, "").wants(t, http.StatusOK, map[string]any{"amount_reversed": "500", "reversed": true})
	seller.get("/v1/refunds/"+refund, "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.audits()
}

// TestPlatformPays: with the payer application the platform bears Stripe's fees of a direct charge, of its dispute and of an instant payout.
func TestPlatformPays(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	seller := a.sellerWith("application", "application")
	seller.unpaid()
	seller.must("/v1/payment_intents", "amount=100000&application_fee_amount=5000"+byCard)
	if seller.funds("usd")[0] != 95000 || a.funds("usd")[0] != 5000-2930 {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	seller.must("/v1/payouts", "amount=10000&currency=usd&method=instant")
	if seller.funds("usd")[0] != 85000 || a.funds("usd")[0] != 5000-2930-150 {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	seller.must("/v1/payment_intents", "amount=2000"+strings.Replace(byCard, "bypassPending", "createDispute", 1))
	a.pass(2)
	all := seller.get("/v1/disputes", "").list("data")
	if len(all) != 1 || seller.funds("usd") != ([3]int64{85000, 0, 0}) || a.funds("usd")[0]+a.funds("usd")[1] != 5000-2930-150-88-1500 {
		t.Errorf("the seller has %v, the platform %v, the disputes are %v", seller.funds("usd"), a.funds("usd"), all)
	}
	seller.must("/v1/disputes/"+all[0].(map[string]any)["id"].(string), "evidence[uncategorized_text]=winning_evidence")
	a.pass(5)
	if seller.funds("usd") != ([3]int64{85000, 2000, 0}) {
		t.Errorf("after the dispute was won the seller has %v", seller.funds("usd"))
	}
}

// TestDebits: the platform takes money out of a seller's balance in two ways, and gives it back.
func TestDebits(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	own := a.get("/v1/account", "").text("id")
	seller := a.seller("US", "usd")
	seller.unpaid()
	seller.must("/v1/payment_intents", "amount=10000"+byCard) // 9680
	debit := a.must("/v1/charges", "source="+seller.account+"&amount=1500&currency=usd&description=Rent&metadata[a]=b")
	if !strings.HasPrefix(debit.text("id"), "py_") || debit.text("source_transfer") == "" || debit.text("metadata.a") != "b" || a.funds("usd")[0] != 1500 || seller.funds("usd")[0] != 8180 {
		t.Errorf("the debit is %s; the platform has %v, the seller %v", debit.raw, a.funds("usd"), seller.funds("usd"))
	}
	back := a.must("/v1/refunds", "amount=500&charge="+debit.text("id"))
	if !strings.HasPrefix(back.text("id"), "pyr_") || back.text("source_transfer_reversal") == "" || a.funds("usd")[0] != 1000 || seller.funds("usd")[0] != 8680 {
		t.Errorf("the refund is %s; the platform has %v, the seller %v", back.raw, a.funds("usd"), seller.funds("usd"))
	}
	tr := seller.must("/v1/transfers", "destination="+own+"&amount=680&currency=usd")
	seller.must("/v1/transfers/"+tr.text("id")+"/reversals", "amount=80")
	if a.funds("usd")[0] != 1600 || seller.funds("usd")[0] != 8080 {
		t.Errorf("the platform has %v, the seller %v", a.funds("usd"), seller.funds("usd"))
	}
	for form, want := range map[string]map[string]any{
		"amount=100&currency=eur&source=" + seller.account:                            {"error.param": "currency"},
		"amount=100&currency=usd&source=acct_none":                                    {"error.code": "resource_missing"},
		"currency=usd&source=" + seller.account:                                       {"error.code": "parameter_missing"},
		"amount=10&currency=usd&source=" + seller.account:                             {"error.param": "amount"},
		"amount=100&currency=usd&capture=false&source=" + seller.account:              {"error.param": "capture"},
		"amount=100&currency=gbp&source=" + a.seller("GB", "gbp").account:             {"error.type": "invalid_request_error"},
		"amount=100&currency=usd&source=" + a.sellerWith("stripe", "account").account: {"error.type": "invalid_request_error"},
		"amount=100&currency=usd&application_fee_amount=5&source=" + seller.account:   {"error.param": "application_fee_amount"},
	} {
		a.post("/v1/charges", form).wants(t, http.StatusBadRequest, want)
	}
	// There is a bank account to make up for it.
	a.must("/v1/charges", "source="+seller.account+"&amount=9000&currency=usd")
	if seller.funds("usd")[0] != -920 || a.funds("usd") != ([3]int64{1600 + 9000 - 920, 0, 920}) {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	seller.must("/v1/balance_settings", "payments[payouts][schedule][interval]=daily&payments[debit_negative_balances]=true")
	a.pass(86400)
	if seller.funds("usd")[0] != 0 || a.funds("usd") != ([3]int64{1600 + 9000, 0, 0}) {
		t.Errorf("after its bank account was debited the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
}

// TestSellerSendsBack: a seller refunds the payment that a transfer was: the money goes to the platform, and the fee on request.
func TestSellerSendsBack(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	seller := a.seller("US", "usd")
	paid := a.must("/v1/payment_intents", "amount=1000&application_fee_amount=100&transfer_data[destination]="+seller.account+byCard+"&expand[]=latest_charge.transfer")
	payment := paid.text("latest_charge.transfer.destination_payment")
	got := seller.must("/v1/refunds", "refund_application_fee=true&amount=500&charge="+payment)
	tr := a.get("/v1/transfers/"+paid.text("latest_charge.transfer.id"), "")
	tr.wants(t, http.StatusOK, map[string]any{"amount_reversed": "500", "reversals.data.0.source_refund": got.text("id"), "reversals.data.0.destination_payment_refund": got.text("id")})
	if seller.funds("usd")[0] != 450 || a.funds("usd")[0] != 10000/10-59-1000+100+500-50 {
		t.Errorf("the seller has %v, the platform %v", seller.funds("usd"), a.funds("usd"))
	}
	a.post("/v1/refunds", "reverse_transfer=true&charge="+paid.text("latest_charge.id")).wants(t, http.StatusOK, nil)
	if got := a.get("/v1/transfers/"+tr.text("id"), ""); got.at("reversed") != true {
		t.Errorf("the transfer is %s", got.raw)
	}
}

// TestFeesGivenBack: a platform gives its fees back without a refund, in parts, and no more than they were.
func TestFeesGivenBack(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	seller.must("/v1/payment_intents", "amount=1000&application_fee_amount=100"+byCard)
	fee := "/v1/application_fees/" + a.get("/v1/application_fees", "").list("data")[0].(map[string]any)["id"].(string)
	one := a.must(fee+"/refunds", "amount=30&metadata[a]=b")
	a.must(fee+"/refunds/"+one.text("id"), "metadata[a]=c")
	a.post(fee+"/refunds", "amount=71").wants(t, http.StatusBadRequest, map[string]any{"error.param": "amount"})
	a.post(fee+"/refunds", "amount=0").wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameter_invalid_integer"})
	a.must(fee+"/refund", "").wants(t, http.StatusOK, map[string]any{"amount_refunded": "100", "refunded": true})
	a.post(fee+"/refund", "").wants(t, http.StatusBadRequest, nil)
	a.get(fee+"/refunds/"+one.text("id"), "").wants(t, http.StatusOK, map[string]any{"metadata.a": "c", "amount": "30"})
	if n := len(a.get(fee+"/refunds", "").list("data")); n != 2 || a.funds("usd")[0] != 0 || seller.funds("usd")[0] != 941 {
		t.Errorf("there are %d refunds; the platform has %v, the seller %v", n, a.funds("usd"), seller.funds("usd"))
	}
	got := seller.get("/v1/balance_transactions", "type=adjustment").list("data")
	if len(got) != 2 || got[0].(map[string]any)["description"] != "Application fee refund" {
		t.Errorf("the seller got %v", got)
	}
}

// TestSellersPayouts: each account is paid out as it wants, and a bank that takes nothing gets no more.
func TestSellersPayouts(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	daily, failing := a.seller("US", "usd"), a.seller("US", "usd")
	bank := failing.must("/v1/accounts/"+failing.account+"/external_accounts", "external_account=btok_us_verified_noAccount&default_for_currency=true").text("id")
	for _, one := range []*api{daily, failing} {
		a.must("/v1/payment_intents", "amount=1000&transfer_data[destination]="+one.account+byCard)
	}
	a.pass(86400)
	for name, want := range map[string]struct {
		of     *api
		status string
		left   int64
	}{"daily": {daily, "paid", 0}, "failing": {failing, "failed", 1000}} {
		all := want.of.get("/v1/payouts", "").list("data")
		if len(all) != 1 || all[0].(map[string]any)["status"] != want.status || want.of.funds("usd")[0] != want.left {
			t.Errorf("%s: payouts are %v, left is %v", name, all, want.of.funds("usd"))
		}
	}
	if n := len(a.get("/v1/payouts", "").list("data")); n != 0 {
		t.Errorf("the platform has %d payouts", n)
	}
	failing.get("/v1/accounts/"+failing.account+"/external_accounts/"+bank, "").wants(t, http.StatusOK, map[string]any{"status": "errored"})
	failing.post("/v1/payouts", "amount=100&currency=usd").wants(t, http.StatusBadRequest, map[string]any{"error.code": "bank_account_unusable"})
	daily.must("/v1/balance_settings", "payments[payouts][schedule][interval]=weekly&payments[payouts][schedule][weekly_payout_days][]=friday")
	daily.get("/v1/balance_settings", "").wants(t, http.StatusOK, map[string]any{"payments.payouts.schedule.interval": "weekly"})
	failing.get("/v1/balance_settings", "").wants(t, http.StatusOK, map[string]any{"payments.payouts.schedule.interval": "daily"})
}

// TestNothingIsSharedInBrowsers: a publishable key makes no tokens and no payment methods out of what a customer has saved.
func TestNothingIsSharedInBrowsers(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	customer := a.must("/v1/customers", "source=tok_visa").text("id")
	method := a.must("/v1/payment_methods", "type=card&card[token]=tok_visa").text("id")
	for path, form := range map[string]string{"/v1/tokens": "customer=" + customer, "/v1/payment_methods": "payment_method=" + method} {
		for _, one := range []*api{a, seller} {
			browser := *one
			browser.key = "pk" + strings.TrimPrefix(a.key, "sk")
			browser.post(path, form).wants(t, http.StatusUnauthorized, map[string]any{"error.code": "secret_key_required"})
		}
		seller.must(path, form)
	}
}

// TestSharedMethods: a card of a platform's customer pays a seller directly, once it is shared.
func TestSharedMethods(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	customer := a.must("/v1/customers", "payment_method=pm_card_visa").text("id")
	method := a.get("/v1/customers/"+customer+"/payment_methods", "").list("data")[0].(map[string]any)["id"].(string)
	pay := "amount=500&currency=usd&confirm=true&payment_method_types[]=card&payment_method="
	seller.post("/v1/payment_intents", pay+method).wants(t, http.StatusBadRequest, map[string]any{"error.message": "No such PaymentMethod: '" + method + "'; OAuth key or Stripe-Account header was used but API request was provided with a platform-owned payment method ID. Please ensure that the provided payment method matches the specified account."})
	seller.post("/v1/payment_methods", "payment_method="+method).wants(t, http.StatusBadRequest, map[string]any{"error.param": "customer"})
	seller.post("/v1/payment_methods", "customer=cus_none&payment_method="+method).wants(t, http.StatusBadRequest, map[string]any{"error.code": "resource_missing"})
	seller.post("/v1/payment_methods", "customer="+customer+"&payment_method=pm_none").wants(t, http.StatusBadRequest, map[string]any{"error.code": "resource_missing"})
	a.post("/v1/payment_methods", "customer="+customer+"&payment_method="+method).wants(t, http.StatusBadRequest, nil)
	shared := seller.must("/v1/payment_methods", "customer="+customer+"&payment_method="+method)
	if shared.text("id") == method || shared.at("customer") != nil || shared.text("card.last4") != "4242" {
		t.Errorf("the shared method is %s", shared.raw)
	}
	seller.must("/v1/payment_intents", pay+shared.text("id")).wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	seller.post("/v1/payment_intents", pay+shared.text("id")).wants(t, http.StatusBadRequest, nil) // it is spent
}
