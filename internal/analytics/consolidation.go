package analytics

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/money"
)

// Week is what became available in Stripe's balance in a week, from Monday 00:00 UTC on, and what of it is in the currency that all shall be in.
type Week struct {
	From      time.Time   `json:"from" doc:"A Monday, 00:00 UTC."`
	To        time.Time   `json:"to" doc:"The Monday after it."`
	Legs      []Leg       `json:"legs" nullable:"false" doc:"One for each currency that customers paid and each that it became."`
	Settled   money.Money `json:"settled" example:"4626.00" doc:"Net, in the target currency: what is there."`
	Converted money.Money `json:"would_be_converted" example:"590.12" doc:"Estimated: what the net in other currencies would become."`
	Total     money.Money `json:"total" example:"5216.12" doc:"Both; an estimate where anything of it would be converted."`
	Unknown   []Amount    `json:"not_converted" nullable:"false" doc:"Net in currencies for which no rate is known: in no total."`
	PaidOut   []Amount    `json:"paid_out" nullable:"false" doc:"Payouts of the week, less those that came back."`
}

// Amount is money with its currency beside it.
type Amount = localprice.Amount

// Leg is one currency's way into the target currency.
type Leg struct {
	Paid         money.Currency `json:"paid_in" example:"JPY" doc:"That customers paid, or were sent back."`
	Settled      money.Currency `json:"settled_in" example:"GBP" doc:"Of Stripe's balance."`
	Transactions int64          `json:"transactions"`
	Gross        money.Money    `json:"gross" example:"48.02" doc:"In the currency it settled in, refunds and disputes taken off."`
	Fees         money.Money    `json:"fees" example:"1.76"`
	Net          money.Money    `json:"net" example:"46.26"`
	Exchange     *Exchange      `json:"exchange" doc:"How money changes currency on this way; null where it does not."`
	InTarget     *money.Money   `json:"in_target" example:"46.26" doc:"The net in the target currency; null where no rate is known."`
}

// Exchange is one change of currency.
type Exchange struct {
	Basis   string `json:"basis" enum:"applied,estimated" doc:"applied: Stripe has done it, at this rate, over all charges of the leg. estimated: nobody has; the rate is Stripe's middle one less its standard price."`
	Rate    string `json:"rate" example:"0.00498342"`
	Middle  string `json:"middle" example:"0.00508512" doc:"Empty where none is known."`
	Percent string `json:"percent" example:"2.00" doc:"How far below; empty likewise."`
}

// moved is what balance transactions of a week, a pair of currencies and a kind add up to.
type moved struct {
	week             int64 // since Monday, 5 January 1970
	paid, settled    money.Currency
	kind             string
	count            int64
	paidMinor        int64 // in the currency that was paid; of charges alone
	amount, fee, net int64
}

// aMonday is the first of the weeks that are counted.
var aMonday = time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)

const week = 7 * 24 * time.Hour

// ofPayout says whether a kind of balance transaction is money on its way to the bank, or back from it.
func ofPayout(kind string) bool {
	return slices.Contains([]string{"payout", "payout_reversal", "payout_failure", "payout_cancel"}, kind)
}

// target is what all shall be in, and what changing into it is expected to cost.
type target struct {
	currency money.Currency
	points   int64 // below the middle rate, in hundredths of a percent
	middles  middles
}

// weekly are the weeks of a report, oldest first.
func weekly(all []moved, to target) []Week {
	weeks := map[int64][]moved{}
	for _, m := range all {
		weeks[m.week] = append(weeks[m.week], m)
	}
	rows := make([]Week, 0, len(weeks))
	for _, n := range slices.Sorted(maps.Keys(weeks)) {
		rows = append(rows, weekOf(n, weeks[n], to))
	}
	return rows
}

func weekOf(n int64, all []moved, to target) Week {
	none := money.FromMinor(0, to.currency)
	from := aMonday.Add(time.Duration(n) * week)
	w := Week{From: from, To: from.Add(week), Settled: none, Converted: none, Total: none, Legs: []Leg{}, Unknown: []Amount{}, PaidOut: paidOut(all)}
	type way struct{ paid, settled money.Currency }
	ways := map[way][]moved{}
	for _, m := range all {
		if !ofPayout(m.kind) {
			ways[way{m.paid, m.settled}] = append(ways[way{m.paid, m.settled}], m)
		}
	}
	order := slices.SortedFunc(maps.Keys(ways), func(a, b way) int { return cmp.Or(cmp.Compare(a.paid, b.paid), cmp.Compare(a.settled, b.settled)) })
	for _, at := range order {
		w.add(legOf(at.paid, at.settled, ways[at], from, to))
	}
	w.Total.Minor = w.Settled.Minor + w.Converted.Minor
	return w
}

// add puts a leg into the week and its sums.
func (w *Week) add(l Leg) {
	w.Legs = append(w.Legs, l)
	switch {
	case l.InTarget == nil:
		w.Unknown = append(w.Unknown, localprice.Of(l.Net))
	case l.Settled == w.Settled.Currency:
		w.Settled.Minor += l.InTarget.Minor
	default:
		w.Converted.Minor += l.InTarget.Minor
	}
}

// paidOut is what left for the bank, by currency, as positive amounts.
func paidOut(all []moved) []Amount {
	sums := map[money.Currency]int64{}
	for _, m := range all {
		if ofPayout(m.kind) {
			sums[m.settled] -= m.amount
		}
	}
	out := []Amount{}
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, localprice.Of(money.FromMinor(sums[c], c)))
	}
	return out
}

func legOf(paid, settled money.Currency, all []moved, monday time.Time, to target) Leg {
	l := Leg{Paid: paid, Settled: settled, Gross: money.FromMinor(0, settled), Fees: money.FromMinor(0, settled), Net: money.FromMinor(0, settled)}
	charged, became := money.FromMinor(0, paid), money.FromMinor(0, settled)
	for _, m := range all {
		l.Transactions += m.count
		l.Gross.Minor, l.Fees.Minor, l.Net.Minor = l.Gross.Minor+m.amount, l.Fees.Minor+m.fee, l.Net.Minor+m.net
		if m.kind == "charge" {
			charged.Minor, became.Minor = charged.Minor+m.paidMinor, became.Minor+m.amount
		}
	}
	if settled == to.currency {
		l.InTarget = &l.Net
		if paid != settled {
			l.Exchange = applied(charged, became, monday, to)
		}
		return l
	}
	middle, _, known := to.middles.on(monday, settled, to.currency)
	if !known {
		return l
	}
	at := middle.Less(to.points)
	if net, err := l.Net.Settled(to.currency, at); err == nil {
		l.InTarget, l.Exchange = &net, &Exchange{"estimated", at.String(), middle.String(), localprice.Percent(to.points)}
	}
	return l
}

// applied is the conversion that Stripe has done; nil where no charge shows it.
func applied(charged, became money.Money, monday time.Time, to target) *Exchange {
	rate, ok := money.RateOf(charged, became)
	if !ok {
		return nil
	}
	x := &Exchange{Basis: "applied", Rate: rate.String()}
	if middle, _, known := to.middles.on(monday, charged.Currency, became.Currency); known {
		x.Middle, x.Percent = middle.String(), localprice.Percent(rate.BasisPoints(middle))
	}
	return x
}
