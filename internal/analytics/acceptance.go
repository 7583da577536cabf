package analytics

import (
	"cmp"
	"maps"
	"slices"

	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/money"
)

// Tally is payments counted, and how many of those that came to an end were taken.
type Tally struct {
	Payments   int64  `json:"payments"`
	Accepted   int64  `json:"accepted" doc:"The card was charged, or its money is held."`
	Declined   int64  `json:"declined" doc:"The payment failed."`
	Undecided  int64  `json:"undecided" doc:"Still open, held back, or cancelled: in no rate."`
	Strong     int64  `json:"authenticated" doc:"The payer proved at the bank's page that he is who he is."`
	Acceptance string `json:"acceptance" example:"93.33" doc:"Percent of accepted and declined; empty where there are none."`
	Decline    string `json:"decline" example:"6.67" doc:"Percent, of the same."`
}

func (t Tally) plus(o Tally) Tally {
	return Tally{Payments: t.Payments + o.Payments, Accepted: t.Accepted + o.Accepted, Declined: t.Declined + o.Declined, Undecided: t.Undecided + o.Undecided, Strong: t.Strong + o.Strong}
}

// rated fills in the rates. Both are of the same whole, so that they add up to a hundred.
func (t Tally) rated() Tally {
	if whole := t.Accepted + t.Declined; whole > 0 {
		declined := (t.Declined*10_000*2 + whole) / (2 * whole)
		t.Acceptance, t.Decline = localprice.Percent(10_000-declined), localprice.Percent(declined)
	}
	return t
}

// Acceptance is how payments of a currency and a region ended, before and after a day.
type Acceptance struct {
	Currency money.Currency `json:"currency,omitempty" example:"PLN" doc:"That was charged; empty is every one."`
	Region   money.Region   `json:"region" example:"European Economic Area" doc:"Of the bank that issued the card; unknown where Stripe did not tell."`
	Before   *Tally         `json:"before" doc:"Null where the report is parted by no day."`
	After    *Tally         `json:"after" doc:"Null likewise."`
	Whole    Tally          `json:"whole"`
	Change   string         `json:"change" example:"4.17" doc:"Percentage points of acceptance, after less before, as measured; empty where one of them has no rate. It says what came after what, not what caused it."`
	Charged  *money.Money   `json:"charged,omitempty" example:"2526.30" doc:"Captured, in the currency."`
	Refunded *money.Money   `json:"refunded,omitempty"`
}

// ended is one group of payments as the store counts them.
type ended struct {
	currency           money.Currency
	card               money.Country
	status             string
	after              bool
	payments, strong   int64
	captured, refunded int64
}

func (e ended) tally() Tally {
	t := Tally{Payments: e.payments, Strong: e.strong}
	switch e.status {
	case "completed", "authorized":
		t.Accepted = e.payments
	case "failed":
		t.Declined = e.payments
	default:
		t.Undecided = e.payments
	}
	return t
}

type place struct {
	currency money.Currency
	region   money.Region
}

// sides are the tallies of one place.
type sides struct {
	before, after      Tally
	captured, refunded int64
}

// accepted are the rows of a report: one for each currency and region, or for each region alone. parted says whether there is a day that parts.
func accepted(all []ended, byCurrency, parted bool) []Acceptance {
	places := map[place]*sides{}
	for _, e := range all {
		at := place{e.currency, e.card.Region()}
		if !byCurrency {
			at.currency = ""
		}
		s := places[at]
		if s == nil {
			s = &sides{}
			places[at] = s
		}
		side := &s.before
		if e.after {
			side = &s.after
		}
		*side = side.plus(e.tally())
		s.captured, s.refunded = s.captured+e.captured, s.refunded+e.refunded
	}
	order := slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.currency, b.currency), cmp.Compare(a.region, b.region))
	})
	rows := make([]Acceptance, 0, len(order))
	for _, at := range order {
		rows = append(rows, places[at].row(at, parted))
	}
	return rows
}

func (s *sides) row(at place, parted bool) Acceptance {
	a := Acceptance{Currency: at.currency, Region: at.region, Whole: s.before.plus(s.after).rated()}
	if at.currency != "" {
		charged, refunded := money.FromMinor(s.captured, at.currency), money.FromMinor(s.refunded, at.currency)
		a.Charged, a.Refunded = &charged, &refunded
	}
	if !parted {
		return a
	}
	before, after := s.before.rated(), s.after.rated()
	a.Before, a.After = &before, &after
	if before.Decline != "" && after.Decline != "" {
		a.Change = localprice.Percent(points(before) - points(after))
	}
	return a
}

// points is the declined part of a tally that has one, in hundredths of a percent.
func points(t Tally) int64 {
	whole := t.Accepted + t.Declined
	return (t.Declined*10_000*2 + whole) / (2 * whole)
}
