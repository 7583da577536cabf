package sandbox

import "fmt"

// The money that Stripe holds for customers is held against its movements at the end of every step too: each says what it left behind,
// none takes more than there was, and what is there is what the latest has left.

// cashAudit is what the movements so far have left, by customer and currency.
type cashAudit struct {
	seen int
	left map[[2]string]int64
}

func (a *cashAudit) step(w *realm) string {
	all := w.all("customer_cash_balance_transaction")
	if a.seen == len(all) {
		return ""
	}
	if a.left == nil {
		a.left = map[[2]string]int64{}
	}
	moved := map[[2]string]bool{}
	for _, txn := range all[min(a.seen, len(all)):] {
		of := [2]string{txn.text("customer"), txn.text("currency")}
		a.left[of] += txn.number("net_amount")
		if a.left[of] < 0 || a.left[of] != txn.number("ending_balance") {
			return fmt.Sprintf("%s leaves %d behind, and says %d", txn.id, a.left[of], txn.number("ending_balance"))
		}
		moved[of] = true
	}
	a.seen = len(all)
	for of := range moved {
		if held := known[purse](w.byID[cashID(of[0])]).Available[of[1]]; held != a.left[of] {
			return fmt.Sprintf("%d %s are held for %s, and its movements leave %d", held, of[1], of[0], a.left[of])
		}
	}
	return ""
}
