package sandbox

import (
	"maps"
	"slices"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

var balances = &resource{
	Object:  "balance",
	Path:    singleton,
	Others:  map[string]func(*call) (appender, error){"GET /v1/balance": showBalance},
	Due:     map[string]func(*call, *record, string){"settle": settleFunds, "pay": payAutomatically, "collect": collectFunds},
	Private: func() any { return new(ledger) },
}

// balanceID is the id of the record that is the account's balance; Stripe shows none.
const balanceID = "balance"

// ledger is the account's balance. In each currency, at any time, Available is the sum of the nets of the available balance
// transactions and Pending that of the pending ones, by the time at which they become available. Payouts are transactions like any
// other, of negative amounts: what was paid out is no longer in the sum.
type ledger struct{ Funds map[string]*funds }

// funds is the balance in one currency, in minor units.
type funds struct {
	Available int64
	Pending   map[int64]int64
	PaidUntil int64    // until when automatic payouts have paid it out
	NextRun   int64    // when the next is arranged; 0 is none
	Waiting   []string // refunds that wait for funds, the oldest first

	Reserved int64    `json:",omitempty"` // of a platform: what it keeps for accounts that are below nothing
	Backed   *backing `json:",omitempty"` // of a connected account that is below nothing: what the platform keeps for it
}

// currencies are those that have been booked in, in alphabetical order.
func (l *ledger) currencies() []string { return slices.Sorted(maps.Keys(l.Funds)) }

// pending is all that is.
func (f *funds) pending() (sum int64) {
	for _, amount := range f.Pending {
		sum += amount
	}
	return sum
}

// books is the account's balance.
func (w *realm) books() *ledger { return private[ledger](w.byID[balanceID]) }

// in is the balance in a currency.
func (l *ledger) in(currency string) *funds {
	f := l.Funds[currency]
	if f == nil {
		if l.Funds == nil {
			l.Funds = map[string]*funds{}
		}
		f = &funds{Pending: map[int64]int64{}}
		l.Funds[currency] = f
	}
	return f
}

// enter stores a balance transaction and adds it to the balance.
func (c *call) enter(txn *record) {
	o := txn.object()
	currency, net, on := o.String("currency"), o.Int("net"), o.Int("available_on")
	f := c.books().in(currency)
	if on <= c.now().Unix() {
		o.Set("status", "available")
		f.Available += net
		c.insert(txn)
		c.arrange(currency)
		c.fundRefunds(currency)
		c.back(currency)
		return
	}
	o.Set("status", "pending")
	if _, known := f.Pending[on]; !known {
		c.at(time.Unix(on, 0).UTC(), "balance.settle", c.byID[balanceID], currency)
	}
	f.Pending[on] += net
	c.insert(txn)
}

// settleFunds makes available what becomes so now in a currency.
func settleFunds(c *call, r *record, currency string) {
	now := c.now().Unix()
	for _, txn := range slices.Clone(c.having("balance_transaction", "day", dayOf(currency, now))) {
		if txn.text("status") == "pending" && txn.number("available_on") == now {
			txn.object().Set("status", "available")
		}
	}
	f := c.books().in(currency)
	sum := f.Pending[now]
	delete(f.Pending, now)
	f.Available += sum
	c.arrange(currency)
	c.back(currency)
	if sum > 0 { // Stripe does not announce what only takes away
		c.showFunds(r)
		c.emit("balance.available", r)
		c.fundRefunds(currency)
	}
}

// showFunds writes the balance into its object.
func (w *realm) showFunds(r *record) {
	l := w.books()
	currencies := []string{w.standing().Currency}
	for _, currency := range l.currencies() {
		if currency != currencies[0] {
			currencies = append(currencies, currency)
		}
	}
	slices.Sort(currencies)
	var available, pending, reserved, instant []*spec.Object
	for _, currency := range currencies {
		f := l.in(currency)
		available = append(available, amountOf(f.Available, currency))
		pending = append(pending, amountOf(f.pending(), currency))
		reserved = append(reserved, spec.New("balance_amount").Set("amount", f.Reserved).Set("currency", currency))
		at := max(f.Available, 0)
		instant = append(instant, spec.New("balance_amount_net").Set("amount", at).Set("currency", currency).
			Set("source_types", spec.New("balance_amount_by_source_type").Set("card", at)))
	}
	r.object().Set("available", available).Set("pending", pending).Set("connect_reserved", reserved).Set("instant_available", instant)
}

func showBalance(c *call) (appender, error) {
	r := c.byID[balanceID]
	c.showFunds(r)
	return c.show(r)
}

func amountOf(amount int64, currency string) *spec.Object {
	return spec.New("balance_amount").Set("amount", amount).Set("currency", currency).
		Set("source_types", spec.New("balance_amount_by_source_type").Set("card", amount))
}
