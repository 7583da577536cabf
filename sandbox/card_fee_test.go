package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/till-pay/till/internal/clock"
)

// feeOf charges a card 100.00, and is the fee of that in minor units.
func feeOf(a *api, card, currency string) string {
	const at = "latest_charge.balance_transaction."
	return a.must("/v1/payment_intents", "amount=10000&confirm=true&payment_method_types[]=card&capture_method=automatic&expand[]=latest_charge.balance_transaction"+
		"&payment_method=pm_card_"+card+"&currency="+currency).text(at + "fee")
}

// TestCardFee: an account's cards may cost other than is published, from the next charge on, and again what is published.
func TestCardFee(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, one := range []struct{ fee, own, foreign string }{
		{``, "320", "470"},
		{`{"percent":"3.1","fixed":30}`, "340", "490"},
		{`{"percent":"2.25","fixed":5}`, "230", "380"},
		{`{"percent":"0","fixed":0}`, "0", "150"},
		{`{"percent":"100","fixed":30}`, "10000", "10000"},
		{`{}`, "320", "470"},
	} {
		if one.fee != "" {
			a.steer(http.MethodPost, "/_sandbox/account", `{"card_fee":`+one.fee+`}`)
		}
		if own, foreign := feeOf(a, "visa", "usd"), feeOf(a, "jp", "usd"); own != one.own || foreign != one.foreign {
			t.Errorf("%s: %s and %s", one.fee, own, foreign)
		}
	}
}

// TestCardFeeRefusals: what is not a fee is refused, with its name, and changes nothing.
func TestCardFeeRefusals(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.steer(http.MethodPost, "/_sandbox/account", `{"card_fee":{"percent":"2.50","fixed":10}}`)
	for _, wrong := range []string{`{"percent":"2.9"}`, `{"fixed":30}`, `{"percent":"2.901","fixed":30}`, `{"percent":"-1","fixed":30}`, `{"percent":"100.01","fixed":30}`, `{"percent":"1e1","fixed":30}`,
		`{"percent":"2,9","fixed":30}`, `{"percent":"2.9 ","fixed":30}`, `{"percent":"2.9","fixed":-1}`, `{"percent":"2.9","fixed":100000000}`, `{"percent":"2.9","fixed":0.3}`, `{"percent":2.9,"fixed":30}`,
		`{"percent":"2.9","fixed":30,"currency":"usd"}`, `"2.9"`} {
		got := a.control(http.MethodPost, "/_sandbox/account", `{"payout_interval":"manual","card_fee":`+wrong+`}`)
		if got.status != http.StatusBadRequest || got.text("error.message") == "" {
			t.Errorf("%s: %d %v", wrong, got.status, got.body)
		}
	}
	got := a.control(http.MethodGet, "/_sandbox/account", "")
	if got.text("card_fee.percent") != "2.5" || got.text("card_fee.fixed") != "10" || got.text("payout_interval") != "daily" {
		t.Error(got.body)
	}
	if got := a.control(http.MethodPost, "/_sandbox/account", `{"country":"DE"}`); got.status != http.StatusOK || got.body["card_fee"] != nil {
		t.Errorf("it has gone abroad: %v", got.body)
	}
	a.steer(http.MethodPost, "/_sandbox/account", `{"country":"GB","card_fee":{"percent":"1.2","fixed":15}}`)
	if fee := feeOf(a, "gb", "gbp"); fee != "135" {
		t.Errorf("given with the country: %s", fee)
	}
}

// TestCardFeeIsKept: snapshots, forks and restarts have it.
func TestCardFeeIsKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	a.steer(http.MethodPost, "/_sandbox/account", `{"card_fee":{"percent":"3.1","fixed":30}}`)
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"dear"}`)
	a.steer(http.MethodPost, "/_sandbox/account", `{"card_fee":{}}`)
	if fee := feeOf(a, "visa", "usd"); fee != "320" {
		t.Errorf("given back: %s", fee)
	}
	a.steer(http.MethodPost, "/_sandbox/restore", `{"snapshot":"dear"}`)
	other := key + "other"
	a.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+other+`"}`)
	if fee := feeOf(&api{t: t, server: a.server, key: other}, "visa", "usd"); fee != "340" {
		t.Errorf("forked: %s", fee)
	}
	a.sandbox().Close()
	if fee := feeOf(kept(t, folder, key, held), "visa", "usd"); fee != "340" {
		t.Errorf("restarted: %s", fee)
	}
}
