package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"weak"

	"github.com/till-pay/till/sandbox/spec"
)

// The books are held against each other at the end of every step of every world of these tests. In each currency of each account:
//
//   - the sum of the nets of the balance transactions is what is available plus what is pending, where payouts are transactions too;
//   - what is pending is so by the day for which it was booked, and its transactions say so; all others are available;
//   - each net is the amount less the fee, and the fee the sum of its details.
//
// The whole account is drawn up anew by Audit.
func init() { checked = auditStep }

// auditors are those of a world, by account.
type auditors struct {
	era uint64
	of  map[string]*auditor
}

// auditor is what the steps so far have booked in an account.
type auditor struct {
	seen    int // transactions
	total   map[string]int64
	pending map[string]map[int64]*batch
	cash    cashAudit
}

type batch struct {
	sum int64
	ids []string
}

var audited sync.Map // auditors by weak.Pointer[world]

// realms is every realm, the home first and the others in the order in which their accounts were made.
func (w *world) realms() []*realm {
	all := []*realm{w.home}
	for _, r := range w.home.all("account") {
		if one := w.connected[r.id]; one != nil {
			all = append(all, one)
		}
	}
	return all
}

func auditStep(w *world) {
	found, _ := audited.LoadOrStore(weak.Make(w), &auditors{era: ^uint64(0)})
	all := found.(*auditors)
	if all.era != w.era {
		*all = auditors{era: w.era, of: map[string]*auditor{}}
	}
	for _, one := range w.realms() {
		if all.of[one.account] == nil {
			all.of[one.account] = &auditor{total: map[string]int64{}, pending: map[string]map[int64]*batch{}}
		}
		all.of[one.account].step(one)
	}
	if wrong := w.auditReserve(); wrong != "" {
		ruin(w.home, wrong)
	}
}

func (a *auditor) step(w *realm) {
	all := w.all("balance_transaction")
	for _, txn := range all[min(a.seen, len(all)):] {
		if wrong := a.take(txn); wrong != "" {
			ruin(w, wrong)
		}
	}
	a.seen = len(all)
	if wrong := a.cash.step(w); wrong != "" {
		ruin(w, wrong)
	}
	if r := w.byID[balanceID]; r != nil {
		if wrong := a.compare(w, known[ledger](r)); wrong != "" {
			ruin(w, wrong)
		}
	}
}

// ruin ends the tests: the failure may be in a goroutine that belongs to none.
func ruin(w *realm, wrong string) {
	go panic(fmt.Sprintf("the books of %s in the world %s do not add up at %s: %s", w.account, w.suffix, w.now(), wrong))
	select {}
}

// take adds one transaction.
func (a *auditor) take(txn *record) string {
	currency, net, on := txn.text("currency"), txn.number("net"), txn.number("available_on")
	if net != txn.number("amount")-txn.number("fee") {
		return txn.id + " has a net that is not the amount less the fee"
	}
	a.total[currency] += net
	if on <= txn.created {
		if on != txn.created || txn.text("status") != "available" {
			return txn.id + " is not available at once, or was before it was made"
		}
		return ""
	}
	if a.pending[currency] == nil {
		a.pending[currency] = map[int64]*batch{}
	}
	if a.pending[currency][on] == nil {
		a.pending[currency][on] = &batch{}
	}
	b := a.pending[currency][on]
	b.sum += net
	b.ids = append(b.ids, txn.id)
	return ""
}

// compare holds what was booked against the balance.
func (a *auditor) compare(w *realm, l *ledger) string {
	for currency, batches := range a.pending {
		f := l.in(currency)
		for on, b := range batches {
			sum, still := f.Pending[on]
			switch {
			case still && sum != b.sum:
				return fmt.Sprintf("%d %s are pending until %d, %d were booked", sum, currency, on, b.sum)
			case still:
				continue
			case on > w.now().Unix():
				return fmt.Sprintf("%s of %d are available before their time", currency, on)
			}
			for _, id := range b.ids {
				if w.byID[id].text("status") != "available" {
					return id + " has not become available"
				}
			}
			delete(batches, on)
		}
		if len(f.Pending) != len(batches) {
			return fmt.Sprintf("%s is pending in %d parts, %d were booked", currency, len(f.Pending), len(batches))
		}
	}
	for currency, total := range a.total {
		if f := l.in(currency); f.Available+f.pending() != total {
			return fmt.Sprintf("%d %s are available and %d pending, which is not the %d that were booked", f.Available, currency, f.pending(), total)
		}
	}
	return ""
}

// listed is a list of objects in a record, without unpacking it for good.
func listed(r *record, field string) []*spec.Object {
	all, _ := spec.Unpack(r.packed).Get(field).([]*spec.Object)
	return all
}

// Audit draws up the whole account of a world anew, from what its objects say; it gives what is wrong. Beside what every step holds:
// what was paid out is what the payouts say that have not come back, each automatic payout adds up to nothing with what it has paid
// out, no transaction is in two of them, and refunds have left the balance as far as they have not failed.
func Audit(s *Server, suffix string) (wrong []string) {
	w, err := s.world(suffix, false)
	if err != nil || w == nil {
		return []string{"there is no such world"}
	}
	w.step(func() {
		for _, one := range w.realms() {
			wrong = append(wrong, one.auditSums()...)
			wrong = append(wrong, one.auditPayouts()...)
			wrong = append(wrong, one.auditRefunds()...)
			wrong = append(wrong, one.auditTransfers()...)
			wrong = append(wrong, one.auditFees()...)
		}
	})
	return wrong
}

func (w *realm) auditSums() (wrong []string) {
	available, pending := map[string]int64{}, map[string]int64{}
	for txn := range w.each("balance_transaction") {
		details := int64(0)
		for _, one := range listed(txn, "fee_details") {
			details += one.Int("amount")
		}
		if details != txn.number("fee") {
			wrong = append(wrong, txn.id+" has fee details that are not its fee")
		}
		if txn.text("status") == "available" {
			available[txn.text("currency")] += txn.number("net")
		} else {
			pending[txn.text("currency")] += txn.number("net")
		}
	}
	for currency, f := range w.books().Funds {
		if f.Available != available[currency] || f.pending() != pending[currency] {
			wrong = append(wrong, fmt.Sprintf("%s: available %d, pending %d; the transactions say %d and %d", currency, f.Available, f.pending(), available[currency], pending[currency]))
		}
	}
	return wrong
}

func (w *realm) auditPayouts() (wrong []string) {
	booked, paid := map[string]int64{}, map[string]int64{}
	for txn := range w.each("balance_transaction") {
		switch txn.text("type") {
		case "payout", "payout_failure", "payout_cancel":
			booked[txn.text("currency")] -= txn.number("amount")
		}
	}
	taken := map[string]string{}
	for r := range w.each("payout") {
		if status := r.text("status"); status != "failed" && status != "canceled" {
			paid[r.text("currency")] += r.number("amount")
		}
		if !r.flag("automatic") {
			continue
		}
		sum := int64(0)
		for _, txn := range w.own().within(known[payoutPeriod](r), r.text("currency")) {
			sum += txn.number("net")
			if other := taken[txn.id]; other != "" {
				wrong = append(wrong, txn.id+" is in "+other+" and in "+r.id)
			}
			taken[txn.id] = r.id
		}
		if sum != 0 {
			wrong = append(wrong, fmt.Sprintf("%s is off by %d", r.id, sum))
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(booked)) {
		if booked[currency] != paid[currency] {
			wrong = append(wrong, fmt.Sprintf("%d %s are paid out, %d are booked as such", paid[currency], currency, booked[currency]))
		}
	}
	return wrong
}

func (w *realm) auditRefunds() (wrong []string) {
	back := map[string]int64{}
	for r := range w.each("refund") {
		gone, returned := w.byID[r.text("balance_transaction")], w.byID[r.text("failure_balance_transaction")]
		waiting := r.text("pending_reason") == "insufficient_funds"
		failed := r.text("status") == "failed" || r.text("status") == "canceled"
		if !failed {
			back[r.text("charge")] += r.number("amount")
		}
		switch {
		case (gone == nil) != waiting && !failed:
			wrong = append(wrong, r.id+" has not left the balance, or has while it waits")
		case failed && gone == nil && returned != nil:
			wrong = append(wrong, r.id+" has brought money back that never left")
		case failed && gone != nil && (returned == nil || returned.number("net") != -gone.number("net")):
			wrong = append(wrong, r.id+" has failed and its money is not back")
		}
	}
	for ch := range w.each("charge") {
		if ch.number("amount_refunded") != back[ch.id] || back[ch.id] > ch.number("amount_captured") {
			wrong = append(wrong, fmt.Sprintf("%s: refunded %d, in refunds of %d, captured %d", ch.id, ch.number("amount_refunded"), back[ch.id], ch.number("amount_captured")))
		}
	}
	return wrong
}
