package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

var balances = &resource{
	Object: "balance",
	Path:   singleton,
	Others: map[string]func(*call) (appender, error){"GET /v1/balance": showBalance},
}

// ledger is the account's balance: what is available in each currency, and what becomes so when.
type ledger struct{ funds map[string]*funds }

type funds struct {
	Available int64
	Pending   map[int64]int64 // by the time at which it becomes available
}

// enter books an amount in the balance.
func (l *ledger) enter(currency string, amount, available int64) {
	if l.funds == nil {
		l.funds = map[string]*funds{}
	}
	f := l.funds[currency]
	if f == nil {
		f = &funds{Pending: map[int64]int64{}}
		l.funds[currency] = f
	}
	f.Pending[available] += amount
}

// at moves what has become available and gives the sums.
func (f *funds) at(now int64) (available, pending int64) {
	for due, amount := range f.Pending {
		if due <= now {
			f.Available += amount
			delete(f.Pending, due)
			continue
		}
		pending += amount
	}
	return f.Available, pending
}

func showBalance(c *call) (appender, error) {
	o := spec.New("balance").Set("livemode", false)
	currencies := []string{"usd"}
	for currency := range c.funds {
		if currency != "usd" {
			currencies = append(currencies, currency)
		}
	}
	slices.Sort(currencies)
	var available, pending, reserved []*spec.Object
	for _, currency := range currencies {
		var have, coming int64
		if f := c.funds[currency]; f != nil {
			have, coming = f.at(c.now().Unix())
		}
		available = append(available, amountOf(have, currency))
		pending = append(pending, amountOf(coming, currency))
		reserved = append(reserved, spec.New("balance_amount").Set("amount", 0).Set("currency", currency))
	}
	o.Set("available", available).Set("pending", pending).Set("connect_reserved", reserved)
	if c.expand != nil {
		o = o.Clone()
		c.expandObject(o, c.expand)
	}
	return o, nil
}

func amountOf(amount int64, currency string) *spec.Object {
	return spec.New("balance_amount").Set("amount", amount).Set("currency", currency).
		Set("source_types", spec.New("balance_amount_by_source_type").Set("card", amount))
}
