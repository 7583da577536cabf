package sandbox

import (
	"cmp"
	"fmt"
)

// Between accounts, too, nothing is lost: at the end of every step a platform keeps in reserve what the accounts lack for whose losses it
// is liable, and no more; and Audit holds both sides of every transfer, reversal, fee and refund of a fee against each other.

// auditReserve holds the reserve against the accounts.
func (w *world) auditReserve() string {
	kept := map[string]int64{}
	for _, one := range w.connected {
		for currency, f := range known[ledger](one.byID[balanceID]).Funds {
			lacks := int64(0)
			if f.Available < 0 && one.backed() {
				lacks = -f.Available
			}
			b := f.Backed
			if b == nil {
				b = &backing{}
			}
			reserved, _ := exchanged(b.Amount, currency, cmp.Or(b.Currency, currency), middle)
			if b.Amount != lacks || b.Reserved != reserved {
				return fmt.Sprintf("%s lacks %d %s, and %+v is kept for it", one.account, lacks, currency, *b)
			}
			kept[b.Currency] += b.Reserved
		}
	}
	for currency, f := range known[ledger](w.home.byID[balanceID]).Funds {
		if f.Reserved != kept[currency] {
			return fmt.Sprintf("%d %s are in reserve, %d are kept for accounts", f.Reserved, currency, kept[currency])
		}
	}
	return ""
}

// auditTransfers holds the transfers out of this account against what has arrived, and come back.
func (w *realm) auditTransfers() (wrong []string) {
	back := map[string]int64{}
	for r := range w.each("transfer_reversal") {
		back[r.text("transfer")] += r.number("amount")
		tr := w.byID[r.text("transfer")]
		to := w.realmOf(tr.text("destination"))
		if to == nil {
			continue
		}
		refund := to.byID[r.text("destination_payment_refund")]
		if w.byID[r.text("balance_transaction")].number("amount") != r.number("amount") || refund.number("amount") != r.number("amount") ||
			refund.text("source_transfer_reversal") != r.id || refund.text("charge") != tr.text("destination_payment") || !to.booked(refund, -1, false) {
			wrong = append(wrong, r.id+" is not what has come back")
		}
	}
	for tr := range w.each("transfer") {
		to := w.realmOf(tr.text("destination"))
		if to == nil {
			continue
		}
		payment := to.byID[tr.text("destination_payment")]
		if w.byID[tr.text("balance_transaction")].number("net") != -tr.number("amount") || payment.number("amount") != tr.number("amount") ||
			payment.text("currency") != tr.text("currency") || payment.text("source_transfer") != tr.id || !to.booked(payment, 1, true) {
			wrong = append(wrong, tr.id+" is not what has arrived")
		}
		if tr.number("amount_reversed") != back[tr.id] || back[tr.id] > tr.number("amount") || tr.flag("reversed") != (back[tr.id] == tr.number("amount")) {
			wrong = append(wrong, fmt.Sprintf("%s says that %d have come back, its reversals %d", tr.id, tr.number("amount_reversed"), back[tr.id]))
		}
		if waits := to.waiting(payment); payment.number("amount_refunded") != back[tr.id]+waits || payment.number("amount_refunded") > payment.number("amount") {
			wrong = append(wrong, fmt.Sprintf("%s has refunded %d, of which %d have come back and %d wait for their money", payment.id, payment.number("amount_refunded"), back[tr.id], waits))
		}
	}
	return wrong
}

// waiting is what the refunds of a payment come to that wait for their money.
func (w *realm) waiting(payment *record) (sum int64) {
	for r := range w.each("refund") {
		if r.text("charge") == payment.id && r.text("pending_reason") == "insufficient_funds" {
			sum += r.number("amount")
		}
	}
	return sum
}

// booked says whether something has moved its amount, in its direction, at Stripe's rate for payments or at the middle rate.
func (w *realm) booked(of *record, direction int64, paid bool) bool {
	txn, rate := w.byID[of.text("balance_transaction")], middle
	if paid {
		rate = chargeRate
	}
	want, _ := exchanged(of.number("amount"), of.text("currency"), txn.text("currency"), rate)
	return txn.number("amount") == direction*want
}

// auditFees holds the platform's fees against what its accounts have paid, and got back.
func (w *realm) auditFees() (wrong []string) {
	back, sources := map[string]int64{}, map[string]int64{}
	for r := range w.each("fee_refund") {
		fee := w.byID[r.text("fee")]
		back[fee.id] += r.number("amount")
		to := w.realmOf(fee.text("account"))
		got := to.byID[known[feeReturn](r).Txn]
		want, _ := exchanged(r.number("amount"), r.text("currency"), got.text("currency"), middle)
		if got.number("net") != want || got.text("source") != fee.text("charge") || !w.booked(r, -1, false) {
			wrong = append(wrong, r.id+" is not what the account got")
		}
	}
	for fee := range w.each("application_fee") {
		from := w.realmOf(fee.text("account"))
		ch := from.byID[fee.text("charge")]
		txn := from.byID[ch.text("balance_transaction")]
		want, _ := exchanged(fee.number("amount"), fee.text("currency"), txn.text("currency"), chargeRate)
		paid := int64(0)
		for _, one := range listed(txn, "fee_details") {
			if one.String("type") == "application_fee" {
				paid += one.Int("amount")
			}
		}
		sources[fee.text("account")+ch.id]++
		if paid != want || ch.text("application_fee") != fee.id || !w.booked(fee, 1, false) || sources[fee.text("account")+ch.id] > 1 {
			wrong = append(wrong, fmt.Sprintf("%s is of %d, of which the account has paid %d", fee.id, want, paid))
		}
		if fee.number("amount_refunded") != back[fee.id] || back[fee.id] > fee.number("amount") {
			wrong = append(wrong, fee.id+" says that another amount was given back than its refunds")
		}
	}
	return wrong
}
