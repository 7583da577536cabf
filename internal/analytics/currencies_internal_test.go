package analytics

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/localprice"
	"github.com/till-pay/till/internal/money"
)

var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func quotes(t interface {
	Helper()
	Fatal(...any)
}, day time.Time, rates map[money.Currency]string) localprice.Quotes {
	t.Helper()
	q := localprice.Quotes{From: "GBP", AsOf: day.Add(9 * time.Hour), Rates: map[money.Currency]money.Rate{}}
	for c, s := range rates {
		r, err := money.ParseRate(s)
		if err != nil {
			t.Fatal(err)
		}
		q.Rates[c] = r
	}
	return q
}

// Rates are of what was decided, before and after, and their difference is in points; one without a whole has none.
func TestAcceptance(t *testing.T) {
	t.Parallel()
	all := []ended{
		{"GBP", "PL", "completed", false, 20, 0, 98000, 4900}, {"GBP", "PL", "failed", false, 10, 0, 0, 0}, {"GBP", "DE", "completed", false, 10, 3, 49000, 0},
		{"PLN", "PL", "completed", true, 28, 28, 707364, 0}, {"PLN", "PL", "failed", true, 2, 2, 0, 0}, {"PLN", "PL", "pending", true, 5, 0, 0, 0}, {"EUR", "DE", "authorized", true, 9, 0, 0, 0},
		{"EUR", "", "failed", true, 1, 0, 0, 0}, {"JPY", "JP", "cancelled", true, 4, 0, 0, 0},
	}
	for _, c := range []struct {
		byCurrency bool
		want       []string
	}{
		{false, []string{
			" Asia and the Pacific: 0 of 0  → 0 of 0 , ",
			" European Economic Area: 30 of 40 75.00 → 37 of 39 94.87, 19.87",
			" unknown: 0 of 0  → 0 of 1 0.00, ",
		}},
		{true, []string{
			"EUR European Economic Area: 0 of 0  → 9 of 9 100.00, , 0.00 taken, 0.00 back",
			"EUR unknown: 0 of 0  → 0 of 1 0.00, , 0.00 taken, 0.00 back",
			"GBP European Economic Area: 30 of 40 75.00 → 0 of 0 , , 1470.00 taken, 49.00 back",
			"JPY Asia and the Pacific: 0 of 0  → 0 of 0 , , 0 taken, 0 back",
			"PLN European Economic Area: 0 of 0  → 28 of 30 93.33, , 7073.64 taken, 0.00 back",
		}},
	} {
		var got []string
		for _, a := range accepted(all, c.byCurrency, true) {
			s := fmt.Sprintf("%s %s: %d of %d %s → %d of %d %s, %s", a.Currency, a.Region, a.Before.Accepted, a.Before.Accepted+a.Before.Declined, a.Before.Acceptance,
				a.After.Accepted, a.After.Accepted+a.After.Declined, a.After.Acceptance, a.Change)
			if a.Charged != nil {
				s += fmt.Sprintf(", %s taken, %s back", a.Charged, a.Refunded)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, a := range accepted(all, true, false) {
		if a.Before != nil || a.After != nil || a.Change != "" {
			t.Errorf("without a day there are parts: %+v", a)
		}
	}
}

// Whatever the groups: no payment is lost or counted twice, and both rates add up to a hundred.
func TestAcceptanceAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.Custom(func(t *rapid.T) ended {
			return ended{rapid.SampledFrom([]money.Currency{"GBP", "JPY", "PLN"}).Draw(t, "currency"), rapid.SampledFrom([]money.Country{"GB", "PL", "JP", "KE", ""}).Draw(t, "card"),
				rapid.SampledFrom([]string{"completed", "authorized", "failed", "cancelled", "pending", "held"}).Draw(t, "status"), rapid.Bool().Draw(t, "after"), rapid.Int64Range(1, 1000).Draw(t, "n"), 0, 0, 0}
		})).Draw(t, "ended")
		var payments int64
		for _, e := range all {
			payments += e.payments
		}
		for _, byCurrency := range []bool{true, false} {
			var counted int64
			for _, a := range accepted(all, byCurrency, true) {
				counted += a.Before.Payments + a.After.Payments
				for _, tally := range []Tally{*a.Before, *a.After, a.Whole} {
					if tally.Accepted+tally.Declined+tally.Undecided != tally.Payments || (tally.Acceptance == "") != (tally.Accepted+tally.Declined == 0) {
						t.Fatalf("%+v", tally)
					}
					if sum := hundredths(t, tally.Acceptance) + hundredths(t, tally.Decline); tally.Acceptance != "" && sum != 10_000 {
						t.Fatalf("%+v: the rates are %d together", tally, sum)
					}
				}
			}
			if counted != payments {
				t.Fatalf("%d of %d payments are counted", counted, payments)
			}
		}
	})
}

func hundredths(t *rapid.T, s string) int64 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The cost of a pair is what the middle rate of each day would have made of it, less what Stripe did.
func TestPairs(t *testing.T) {
	t.Parallel()
	known := middles{quotes(t, monday, map[money.Currency]string{"JPY": "196.652", "KWD": "0.386277"}), quotes(t, monday.AddDate(0, 0, 2), map[money.Currency]string{"JPY": "200", "KWD": "0.386277"})}
	rows := paired([]dayOf{
		{"JPY", "GBP", monday, 2, 19272, 9604, 352},                  // at 2 % below 1/196.652
		{"JPY", "GBP", monday.AddDate(0, 0, 3), 1, 10000, 4900, 179}, // at 2 % below 1/200, the nearest day that was kept
		{"GBP", "GBP", monday, 3, 14700, 14700, 282},
		{"KWD", "GBP", monday, 1, 18930, 4803, 176},
		{"PLN", "GBP", monday, 1, 25263, 4802, 140}, // whose rate nobody knows
	}, known)
	var got []string
	for _, p := range rows {
		s := fmt.Sprintf("%s→%s: %d, %s became %s, fees %s (%s %%)", p.From, p.To, p.Charges, p.Charged, p.Settled, p.Fees, p.FeePercent)
		if x := p.Spread; x != nil {
			s += fmt.Sprintf(", at %s and not %s: %s %%, %s; %d of %d days", x.Rate, x.Middle, x.Percent, x.Cost, x.Own, x.Days)
		}
		if p.TotalCost != nil {
			s += ", in all " + p.TotalCost.String()
		}
		got = append(got, s)
	}
	if diff := cmp.Diff([]string{
		"GBP→GBP: 3, 147.00 became 147.00, fees 2.82 (1.92 %), in all 2.82",
		"JPY→GBP: 3, 29272 became 145.04, fees 5.31 (3.66 %), at 0.00495491 and not 0.00505604: 2.00 %, 2.96; 1 of 2 days, in all 8.27",
		"KWD→GBP: 1, 18.930 became 48.03, fees 1.76 (3.66 %), at 2.53724 and not 2.58882: 1.99 %, 0.98; 1 of 1 days, in all 2.74",
		"PLN→GBP: 1, 252.63 became 48.02, fees 1.40 (2.92 %)",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// A week's money in one currency: what is there, what was converted on the way, what would be, and what nobody can say.
func TestWeeks(t *testing.T) {
	t.Parallel()
	n := int64(monday.Sub(aMonday) / week)
	to := target{"GBP", 200, middles{quotes(t, monday, map[money.Currency]string{"JPY": "196.652", "USD": "1.25", "PLN": "5.1557"})}}
	weeks := weekly([]moved{
		{n, "GBP", "GBP", "charge", 3, 14700, 14700, 282, 14418}, {n, "JPY", "GBP", "charge", 2, 19272, 9604, 352, 9252}, {n, "JPY", "GBP", "refund", 1, -9636, -4900, 0, -4900},
		{n, "USD", "USD", "charge", 4, 24556, 24556, 898, 23658}, {n, "KES", "KES", "charge", 1, 793815, 793815, 2000, 791815},
		{n, "GBP", "GBP", "payout", 1, -10000, -10000, 0, -10000}, {n, "GBP", "GBP", "payout_reversal", 1, 4000, 4000, 0, 4000},
		{n - 1, "PLN", "GBP", "refund", 1, -25263, -4900, 0, -4900},
	}, to)
	var got []string
	for _, w := range weeks {
		got = append(got, fmt.Sprintf("%s: %s there, %s would be, %s; unknown %v, paid out %v", w.From.Format(time.DateOnly), w.Settled, w.Converted, w.Total, w.Unknown, w.PaidOut))
		for _, l := range w.Legs {
			s := fmt.Sprintf("  %s in %s: %d, %s - %s = %s", l.Paid, l.Settled, l.Transactions, l.Gross, l.Fees, l.Net)
			if l.Exchange != nil {
				s += fmt.Sprintf(" %s %s (%s) %s", l.Exchange.Basis, l.Exchange.Rate, l.Exchange.Middle, l.Exchange.Percent)
			}
			if l.InTarget != nil {
				s += " = " + l.InTarget.String() + " GBP"
			}
			got = append(got, s)
		}
	}
	if diff := cmp.Diff([]string{
		"2026-11-16: -49.00 there, 0.00 would be, -49.00; unknown [], paid out []",
		"  PLN in GBP: 1, -49.00 - 0.00 = -49.00 = -49.00 GBP",
		"2026-11-23: 187.70 there, 185.48 would be, 373.18; unknown [{7918.15 KES}], paid out [{60.00 GBP}]",
		"  GBP in GBP: 3, 147.00 - 2.82 = 144.18 = 144.18 GBP",
		"  JPY in GBP: 3, 47.04 - 3.52 = 43.52 applied 0.0049834 (0.00508512) 2.00 = 43.52 GBP",
		"  KES in KES: 1, 7938.15 - 20.00 = 7918.15",
		"  USD in USD: 4, 245.56 - 8.98 = 236.58 estimated 0.784 (0.8) 2.00 = 185.48 GBP",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever moved: the nets of the target currency are what is there, and what would be converted is what the others are at less than the middle.
func TestWeeksAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		to := target{"GBP", 200, middles{quotes(t, monday, map[money.Currency]string{"JPY": "196.652", "USD": "1.25"})}}
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) moved {
			m := moved{week: rapid.Int64Range(2960, 2964).Draw(t, "week"), paid: rapid.SampledFrom([]money.Currency{"GBP", "JPY", "USD"}).Draw(t, "paid"),
				settled: rapid.SampledFrom([]money.Currency{"GBP", "USD"}).Draw(t, "settled"), kind: rapid.SampledFrom([]string{"charge", "refund", "dispute", "payout", "payout_reversal"}).Draw(t, "kind"),
				count: 1, amount: rapid.Int64Range(-100_000, 100_000).Draw(t, "amount"), fee: rapid.Int64Range(0, 500).Draw(t, "fee")}
			m.net, m.paidMinor = m.amount-m.fee, m.amount
			return m
		}), 0, 30).Draw(t, "moved")
		var there, paid, gotThere, gotPaid int64
		for _, m := range all {
			switch {
			case ofPayout(m.kind) && m.settled == "GBP":
				paid -= m.amount
			case !ofPayout(m.kind) && m.settled == "GBP":
				there += m.net
			}
		}
		for _, w := range weekly(all, to) {
			gotThere += w.Settled.Minor
			for _, p := range w.PaidOut {
				if p.Currency == "GBP" {
					gotPaid += p.Amount.Minor
				}
			}
			if w.Total.Minor != w.Settled.Minor+w.Converted.Minor || w.From.Weekday() != time.Monday || w.To.Sub(w.From) != week {
				t.Fatalf("%+v", w)
			}
		}
		if gotThere != there || gotPaid != paid {
			t.Fatalf("%d and %d paid out, not %d and %d", gotThere, gotPaid, there, paid)
		}
	})
}
