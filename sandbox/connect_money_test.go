package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// seller is an account that is connected to the world: its platform is liable for its losses.
func (a *api) seller(country, currency string) *api {
	return a.as(sandbox.ConnectAs(a.server.Config.Handler.(*sandbox.Server), a.key, country, currency, "application", "application_express"))
}

// funds is what an account has in a currency: available, pending and, of a platform, reserved.
func (a *api) funds(currency string) [3]int64 {
	a.t.Helper()
	body := a.get("/v1/balance", "").body
	var all [3]int64
	for i, part := range []string{"available", "pending", "connect_reserved"} {
		rows, _ := body[part].([]any)
		for _, row := range rows {
			if one := row.(map[string]any); one["currency"] == currency {
				all[i] = number(one, "amount")
			}
		}
	}
	return all
}

func (a *api) pass(seconds int) {
	a.t.Helper()
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+strconv.Itoa(seconds)+`}`)
}

const byCard = "&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_bypassPending&capture_method=automatic"

// unpaid leaves money where it is.
func (a *api) unpaid() {
	a.t.Helper()
	a.must("/v1/balance_settings", "payments[payouts][schedule][interval]=manual")
}

// TestDirectCharge: the account pays Stripe's fee and the platform's, which goes back in proportion.
func TestDirectCharge(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	a.unpaid()
	seller.unpaid()
	paid := seller.must("/v1/payment_intents", "amount=1000&application_fee_amount=123&expand[]=latest_charge.balance_transaction&expand[]=latest_charge.application_fee"+byCard)
	charge := paid.body["latest_charge"].(map[string]any)
	if got := (answer{body: charge}); got.text("balance_transaction.net") != "818" || got.text("balance_transaction.fee") != "182" ||
		got.text("application_fee.amount") != "123" || got.text("application") == "" || len(got.list("balance_transaction.fee_details")) != 2 {
		t.Errorf("the charge is %v", charge)
	}
	if a.funds("usd")[0] != 123 || seller.funds("usd")[0] != 818 {
		t.Errorf("the platform has %v, the seller %v", a.funds("usd"), seller.funds("usd"))
	}
	fee := a.get("/v1/application_fees", "charge="+charge["id"].(string)).list("data")[0].(map[string]any)
	if fee["account"] != seller.account || fee["originating_transaction"] != nil {
		t.Errorf("the fee is %v", fee)
	}
	for _, step := range []struct{ amount, seller, platform int64 }{{400, 818 - 400 + 49, 123 - 49}, {333, 818 - 733 + 90, 123 - 90}, {267, 818 - 1000 + 123, 0}} {
		seller.must("/v1/refunds", "refund_application_fee=true&charge="+charge["id"].(string)+"&amount="+strconv.FormatInt(step.amount, 10))
		if a.funds("usd")[0] != step.platform-max(-step.seller, 0) || seller.funds("usd")[0] != step.seller {
			t.Errorf("after %+v the platform has %v, the seller %v", step, a.funds("usd"), seller.funds("usd"))
		}
	}
	if got := a.get("/v1/application_fees/"+fee["id"].(string), ""); got.at("refunded") != true || len(got.list("refunds.data")) != 3 {
		t.Errorf("the fee is %s", got.raw)
	}
	// The account is below nothing by Stripe's fee, and the platform keeps as much.
	if a.funds("usd") != ([3]int64{-59, 0, 59}) {
		t.Errorf("the platform has %v", a.funds("usd"))
	}
}

// TestDestinationCharge: Stripe's example: of 10.00 and a fee of 1.23 the destination has 8.77 and the platform 0.64.
func TestDestinationCharge(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.seller("US", "usd")
	a.unpaid()
	seller.unpaid()
	paid := a.must("/v1/payment_intents", "amount=1000&application_fee_amount=123&transfer_data[destination]="+seller.account+byCard+"&expand[]=latest_charge.transfer.destination_payment")
	if a.funds("usd")[0] != 64 || seller.funds("usd")[0] != 877 {
		t.Errorf("the platform has %v, the seller %v", a.funds("usd"), seller.funds("usd"))
	}
	charge := paid.text("latest_charge.id")
	if group := paid.text("latest_charge.transfer.transfer_group"); group != "group_"+paid.text("id") || paid.text("transfer_group") != group || paid.text("latest_charge.transfer.destination_payment.application_fee_amount") != "123" {
		t.Errorf("the payment is %s", paid.raw)
	}
	a.post("/v1/refunds", "reverse_transfer=true&amount=1001&charge="+charge).wants(t, http.StatusBadRequest, nil)
	for _, amount := range []string{"333", "333", "334"} {
		got := a.must("/v1/refunds", "reverse_transfer=true&refund_application_fee=true&charge="+charge+"&amount="+amount+"&expand[]=transfer_reversal")
		if got.text("transfer_reversal.amount") != amount || !strings.HasPrefix(got.text("transfer_reversal.destination_payment_refund"), "pyr_") || got.text("transfer_reversal.source_refund") != got.text("id") {
			t.Errorf("the refund is %s", got.raw)
		}
	}
	if a.funds("usd")[0] != -59 || seller.funds("usd")[0] != 0 {
		t.Errorf("at the end the platform has %v, the seller %v", a.funds("usd"), seller.funds("usd"))
	}
}

// TestRecordedReversals: what refunds took back of transfers at Stripe.
func TestRecordedReversals(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		charge, transfer int
		refunds, back    []string
	}{{153, 109, []string{"50"}, []string{"36"}}, {1200, 880, []string{"500"}, []string{"367"}}, {1200, 880, []string{"1000"}, []string{"733"}}, {1342, 1342, []string{"671", "671"}, []string{"671", "671"}},
		{1200, 880, []string{"500", "500", "200"}, []string{"367", "367", "146"}}} {
		a := bare(t)
		seller := a.seller("US", "usd")
		paid := a.must("/v1/payment_intents", "amount="+strconv.Itoa(row.charge)+"&transfer_data[amount]="+strconv.Itoa(row.transfer)+"&transfer_data[destination]="+seller.account+byCard)
		for i, amount := range row.refunds {
			got := a.must("/v1/refunds", "reverse_transfer=true&expand[]=transfer_reversal&payment_intent="+paid.text("id")+"&amount="+amount)
			if got.text("transfer_reversal.amount") != row.back[i] {
				t.Errorf("%+v: %s takes back %s", row, amount, got.text("transfer_reversal.amount"))
			}
		}
	}
}

// audits draws the books of every account of the world up anew.
func (a *api) audits() {
	a.t.Helper()
	if wrong := sandbox.Audit(a.server.Config.Handler.(*sandbox.Server), strings.TrimPrefix(a.key, "sk_"+"test_")); len(wrong) > 0 {
		a.t.Error(wrong)
	}
}
