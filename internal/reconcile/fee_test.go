package reconcile_test

import (
	"fmt"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// A fee that Stripe changes is found by itself: the amount that is missing, each transaction that makes it, and nothing of what was taken before.
func TestAChangedFeeIsNamed(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		dearer, cheaper := map[string]any{"percent": "3.1", "fixed": 30}, map[string]any{"percent": "2.5", "fixed": 10}
		before := []string{pay(till, "50.00", "USD", "pm_card_visa"), pay(till, "20.00", "USD", "pm_card_gb")}
		settle(till)
		even(t, till, reconciled(t, till, false))

		costs(till, dearer)
		left := map[string]string{}
		left[pay(till, "50.00", "USD", "pm_card_visa")] = "-0.10 Stripe took a fee of 1.85 USD, and 1.75 USD was foretold."
		left[pay(till, "20.00", "USD", "pm_card_gb")] = "-0.04 Stripe took a fee of 1.22 USD, and 1.18 USD was foretold."
		settle(till)
		leftOver(t, till, "-0.14", left)

		costs(till, cheaper)
		left[pay(till, "50.00", "USD", "pm_card_visa")] = "0.40 Stripe took a fee of 1.35 USD, and 1.75 USD was foretold."
		settle(till)
		leftOver(t, till, "0.26", left)

		costs(till, map[string]any{}) // as published again
		after := pay(till, "50.00", "USD", "pm_card_visa")
		settle(till)
		leftOver(t, till, "0.26", left)
		for _, payment := range append(before, after) {
			lines := till.Get("/v1/reconciliation/lines?payment_id=" + payment).Want(200)
			if lines.Len() != 1 || lines.String("data", 0, "state") != "matched" || lines.String("data", 0, "difference") != "0.00" {
				t.Errorf("it was taken at the published price: %v", lines)
			}
		}
	})
}

// costs changes what Stripe takes for the cards of the shop's account.
func costs(till *tilltest.Till, fee map[string]any) {
	till.T.Helper()
	till.Stripe(till.Shop).Control("POST", "/_sandbox/account", map[string]any{"card_fee": fee})
}

// leftOver fails where the remainder in dollars is another, or not made up of these payments' transactions at Stripe, each with its amount and why.
func leftOver(t *testing.T, till *tilltest.Till, remainder string, want map[string]string) {
	t.Helper()
	found := reconciled(t, till, true)
	if got := found.String("data", "currencies", 0, "remainder"); got != remainder {
		t.Errorf("%s is left, and not %s", got, remainder)
	}
	items := found.At("data", "items").([]any)
	if len(items) != len(want) {
		t.Errorf("it is made of %v, and not of %v", items, want)
	}
	for _, one := range items {
		item := one.(map[string]any)
		payment, charge := item["payment_id"].(string), item["source"].(string)
		booked := till.Stripe(till.Shop).Do("GET", "/v1/charges/"+charge, "").Want(200).String("balance_transaction")
		if got := fmt.Sprint(item["amount"], " ", item["reason"]); got != want[payment] || item["line"] != booked {
			t.Errorf("%s %s: %s, and not %s", payment, item["line"], got, want[payment])
		}
	}
	for _, one := range till.Get("/v1/balance").Want(200).At("data", "funds").([]any) {
		if f := one.(map[string]any); f["drift"] != "0.00" || f["remainder"] != remainder {
			t.Errorf("the balance says %v", f)
		}
	}
}
