package analytics

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/money"
)

// Pair is what changing one currency into another cost, as Stripe's balance transactions show it, beside its fees.
type Pair struct {
	From       money.Currency `json:"from" example:"JPY" doc:"That customers paid."`
	To         money.Currency `json:"to" example:"GBP" doc:"That it settled in; the same where nothing was converted."`
	Charges    int64          `json:"charges"`
	Charged    money.Money    `json:"charged" example:"963600" doc:"In what customers paid."`
	Settled    money.Money    `json:"settled" example:"4802.00" doc:"What it became, before fees."`
	Fees       money.Money    `json:"fees" example:"176.00" doc:"Stripe's, of the same charges."`
	FeePercent string         `json:"fee_percent" example:"3.67" doc:"Of what it became."`
	Spread     *Spread        `json:"spread" doc:"Null where nothing was converted, or no middle rate is known."`
	TotalCost  *money.Money   `json:"total_cost" example:"274.00" doc:"Fees and what the conversion cost; null where that is not known."`
}

// Spread is how far the rate that Stripe applied is below the middle one.
type Spread struct {
	Rate    string      `json:"rate" example:"0.00498342" doc:"That Stripe applied, over all of it: what it became by what was charged."`
	Middle  string      `json:"middle" example:"0.00508512" doc:"Stripe's own middle rate, weighted by what was charged on each day."`
	Percent string      `json:"percent" example:"2.00" doc:"How far below."`
	Cost    money.Money `json:"cost" example:"98.00" doc:"What that is in money."`
	Days    int64       `json:"days" doc:"On which there were charges."`
	Own     int64       `json:"days_with_own_rate" doc:"Of these, days whose own middle rate was kept; for the others the nearest kept one stands in."`
}

// dayOf is what was charged in one currency and settled in another on a day.
type dayOf struct {
	from, to               money.Currency
	day                    time.Time
	charges                int64
	charged, settled, fees int64
}

// middles are the middle rates that are known, by day, oldest first.
type middles []localprice.Quotes

// on is the middle rate between two currencies on a day, or the nearest to it in time; own says that it is the day's.
func (m middles) on(day time.Time, from, to money.Currency) (r money.Rate, own, known bool) {
	var best time.Duration
	for _, q := range m {
		rate, ok := q.Between(from, to)
		if !ok {
			continue
		}
		apart := q.AsOf.UTC().Truncate(24 * time.Hour).Sub(day).Abs()
		if !known || apart < best {
			r, best, known = rate, apart, true
		}
	}
	return r, known && best == 0, known
}

// paired are the rows of a report, one for each pair.
func paired(all []dayOf, m middles) []Pair {
	type pair struct{ from, to money.Currency }
	days := map[pair][]dayOf{}
	for _, d := range all {
		days[pair{d.from, d.to}] = append(days[pair{d.from, d.to}], d)
	}
	order := slices.SortedFunc(maps.Keys(days), func(a, b pair) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	rows := make([]Pair, 0, len(order))
	for _, p := range order {
		rows = append(rows, pairOf(p.from, p.to, days[p], m))
	}
	return rows
}

func pairOf(from, to money.Currency, days []dayOf, m middles) Pair {
	p := Pair{From: from, To: to, Charged: money.FromMinor(0, from), Settled: money.FromMinor(0, to), Fees: money.FromMinor(0, to)}
	for _, d := range days {
		p.Charges += d.charges
		p.Charged.Minor, p.Settled.Minor, p.Fees.Minor = p.Charged.Minor+d.charged, p.Settled.Minor+d.settled, p.Fees.Minor+d.fees
	}
	p.FeePercent = share(p.Fees, p.Settled)
	total := p.Fees
	if from != to {
		if p.Spread = spreadOf(p, days, m); p.Spread == nil {
			return p
		}
		total.Minor += p.Spread.Cost.Minor
	}
	p.TotalCost = &total
	return p
}

// spreadOf is nil where a day has no middle rate at all: a cost of some days would be taken for that of all.
func spreadOf(p Pair, days []dayOf, m middles) *Spread {
	s := Spread{Days: int64(len(days))}
	rates, weights := make([]money.Rate, len(days)), make([]int64, len(days))
	for i, d := range days {
		var own, known bool
		if rates[i], own, known = m.on(d.day, p.From, p.To); !known {
			return nil
		}
		weights[i] = d.charged
		if own {
			s.Own++
		}
	}
	applied, ok := money.RateOf(p.Charged, p.Settled)
	middle, also := money.Average(rates, weights)
	if !ok || !also {
		return nil
	}
	whole, err := p.Charged.Settled(p.To, middle)
	if err != nil {
		return nil
	}
	s.Rate, s.Middle, s.Percent = applied.String(), middle.String(), localprice.Percent(applied.BasisPoints(middle))
	s.Cost = money.FromMinor(whole.Minor-p.Settled.Minor, p.To)
	return &s
}
