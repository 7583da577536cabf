package sandbox

import "fmt"

// The money that Stripe holds for customers is held against its movements at the end of every step too: each says what it left behind,
// none takes more than there was, and what is there is what the latest has left.

// cashAudit is what the movements so far have left, by customer and currency.
type cashAudit struct {
	seen int
	left map[[2]string]int64
	paid map[string]int64 // what is put towards each payment
}

func (a *cashAudit) step(w *realm) string {
	all := w.all("customer_cash_balance_transaction")
	if a.seen == len(all) {
		return ""
	}
	if a.left == nil {
		a.left, a.paid = map[[2]string]int64{}, map[string]int64{}
	}
	moved := map[[2]string]bool{}
	for _, txn := range all[min(a.seen, len(all)):] {
		of := [2]string{txn.text("customer"), txn.text("currency")}
		a.left[of] += txn.number("net_amount")
		if a.left[of] < 0 || a.left[of] != txn.number("ending_balance") {
			return fmt.Sprintf("%s leaves %d behind, and says %d", txn.id, a.left[of], txn.number("ending_balance"))
		}
		moved[of] = true
		for _, field := range []string{"applied_to_payment", "unapplied_from_payment"} {
			if id, _ := txn.made().At(field, "payment_intent").(string); id != "" {
				a.paid[id] -= txn.number("net_amount")
			}
		}
	}
	a.seen = len(all)
	for id, paid := range a.paid {
		if wrong := towards(w.byID[id], paid); wrong != "" {
			return wrong
		}
	}
	for of := range moved {
		if held := known[purse](w.byID[cashID(of[0])]).Available[of[1]]; held != a.left[of] {
			return fmt.Sprintf("%d %s are held for %s, and its movements leave %d", held, of[1], of[0], a.left[of])
		}
	}
	return ""
}

// towards says what is wrong with a payment that has so much of a customer's money: one that waits says so, one that was paid has all, and
// any other has none.
func towards(r *record, paid int64) string {
	want := int64(0)
	switch wait := known[intent](r).Cash; {
	case wait != nil:
		want = wait.Amount
	case r.text("status") == succeeded && r.realm.byID[r.text("latest_charge")].made().Sub("payment_method_details").String("type") == customerBalance.name:
		want = r.number("amount")
	}
	if paid != want {
		return fmt.Sprintf("%d are put towards %s, which has %d", paid, r.id, want)
	}
	return ""
}
