package reconcile

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// Whatever Stripe's list holds, a balance transaction is refused, or it is a line that adds up and can be booked.
func FuzzObserved(f *testing.F) {
	for _, seed := range []string{
		`{"id":"txn_1","type":"charge","reporting_category":"charge","source":"ch_1","currency":"usd","amount":5000,"fee":175,"net":4825,"created":1,"available_on":2}`,
		`{"id":"txn_1","type":"charge","source":{"id":"ch_1","amount":3000,"currency":"jpy"},"currency":"usd","amount":2000,"fee":1,"net":1999,"exchange_rate":0.00667,"created":1,"available_on":2}`,
		`{"id":"txn_1","type":"refund","source":{"id":"re_1","amount":1600000,"currency":"idr"},"currency":"usd","amount":-100,"fee":0,"net":-100,"exchange_rate":6.25e-05,"created":1,"available_on":2}`,
		`{"id":"txn_1","type":"adjustment","currency":"eur","amount":-9223372036854775808,"fee":1,"net":9223372036854775807,"created":1,"available_on":2}`,
		`{"id":"txn_1","type":"x","source":null,"currency":"eur","amount":0,"fee":0,"net":0,"created":9223372036854775807,"available_on":1,"description":"\u0000"}`,
		`{"id":"txn_1","type":"charge","exchange_rate":1e999999999,"source":{"currency":"usd","amount_captured":-9223372036854775808}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var told stripe.BalanceTransaction
		if json.Unmarshal([]byte(text), &told) != nil {
			return
		}
		l, err := observed(db.Scope{Merchant: "m", Mode: "test"}, "acct_1", told)
		if err != nil {
			if inWords(err) == "" || strings.ContainsRune(inWords(err), 0) {
				t.Errorf("it is refused with %q", inWords(err))
			}
			return
		}
		if l.Net.Minor != l.Amount.Minor-l.Fee.Minor || strings.ContainsRune(l.ID+l.Kind+l.Source+l.Type+l.Description+l.ExchangeRate, 0) || l.CreatedAt.UnixMicro() < 0 || l.AvailableOn.UnixMicro() < 0 {
			t.Errorf("%s is taken for %+v", text, l)
		}
		if p := l.posting(); len(p.Lines) > 0 {
			if _, err := ledger.Post(p); err != nil {
				t.Errorf("%s cannot be booked: %v", text, err)
			}
		}
		g := group{lines: []*Line{&l}, moves: []movement{{currency: l.SourceCurrency, amount: l.SourceAmount.Minor}}}
		g.settle(func(money.Currency) bool { return false })
	})
}

// sum is what lines and movements of one kind and source come to.
type sum struct{ net, foretold, fees, foretoldFees int64 }

// madeUp is a group by chance, in one currency: what was read, and what was foretold.
func madeUp(r *rand.Rand) (g group, s sum) {
	usd := money.Currency("USD")
	in := func(minor int64) money.Money { return money.FromMinor(minor, usd) }
	for i := range 1 + r.IntN(4) {
		amount, fee := r.Int64N(2000)-1000, r.Int64N(50)-10
		g.lines = append(g.lines, &Line{ID: strconv.Itoa(i), Kind: "charge", Currency: usd, SourceCurrency: usd, Amount: in(amount), SourceAmount: in(amount), Fee: in(fee), Net: in(amount - fee),
			State: Open, Difference: in(amount - fee), CreatedAt: time.Unix(int64(i), 0)})
		s.net, s.fees = s.net+amount-fee, s.fees+fee
	}
	for range r.IntN(4) {
		m := movement{currency: usd, amount: r.Int64N(2000) - 1000, fee: r.Int64N(3) * 10}
		g.moves = append(g.moves, m)
		s.foretold, s.foretoldFees = s.foretold+m.amount-m.fee, s.foretoldFees+m.fee
	}
	return g, s
}

// The differences of the lines are what Stripe moved less what was foretold: no cent is named twice, and none is passed over. Only a fee that
// nobody could foretell, in a currency without a price, is no difference.
func TestDifferencesAreWhatWasNotForetold(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		g, s := madeUp(r)
		known := r.IntN(2) == 0
		want := s.net - s.foretold
		if len(g.moves) > 0 && s.foretoldFees == 0 && !known {
			want += s.fees
		}
		all := g.moves
		for n := range len(all) + 1 { // the movements come one after the other: only what is there at the end counts
			g.moves = all[:n]
			g.settle(func(money.Currency) bool { return known })
		}
		g.settle(func(money.Currency) bool { return known })
		var got int64
		for _, l := range g.lines {
			got += l.Difference.Minor
			if (l.Difference.Minor != 0) != (l.State == Unexplained || l.State == Open && l.Net.Minor != 0) || l.State == Unexplained && l.Reason == "" {
				t.Fatalf("%+v", *l)
			}
		}
		if got != want {
			t.Fatalf("the differences are %d, and %d was expected: %+v, known %v", got, want, s, known)
		}
	}
}

// What nothing foretold is a difference until it is known for what it is; a category that nobody knows always is.
func TestWhatNothingForetold(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]State{"charge": Open, "payout": Open, "tax": Explained, "platform_earning": Explained, "moon_tax": Unexplained} {
		l := &Line{ID: "txn_1", Kind: kind, State: Open, Net: money.FromMinor(-7, "EUR"), Difference: money.FromMinor(-7, "EUR")}
		group{lines: []*Line{l}}.settle(func(money.Currency) bool { return true })
		if l.State != want || (l.Difference.Minor == 0) != (want == Explained) || l.Reason == "" && want != Open {
			t.Errorf("%+v", *l)
		}
	}
}

// A line that Stripe converted differs by what its source differs, at Stripe's own rate.
func TestRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0.00667": 667, "6.25e-05": 6, "6.25E-5": 6, "1": 100_000, "1e3": 100_000_000} {
		if got := converted(100_000, text); got != want || converted(-100_000, text) != -want {
			t.Errorf("%s makes %d", text, got)
		}
	}
	for _, text := range []string{"", "0", "-1", "1/3", "0x1", "1_0", "NaN", "1e999999999", "1e-20", "1e20", ".5", strings.Repeat("1", 50)} {
		if rate(text) != nil {
			t.Errorf("%q is a rate", text)
		}
	}
}

// What was accepted of a group stays so for that amount alone: what is left and what is accepted together are always what was not foretold, and
// only one of them is there.
func TestAcceptancesAreOfOneAmount(t *testing.T) {
	t.Parallel()
	r, known, held := rand.New(rand.NewPCG(3, 4)), func(money.Currency) bool { return true }, 0
	for i := range 20_000 {
		g, s := madeUp(r)
		g.moves = append(g.moves, movement{currency: "USD", fee: 1})
		want := s.net - s.foretold + 1
		for at := range 4 {
			if g.settle(known); accepted(g) != 0 {
				held++
			}
			if left := differences(g); left+accepted(g) != want || left != 0 && accepted(g) != 0 {
				t.Fatalf("%d: %d is left and %d accepted of %d", i, left, accepted(g), want)
			}
			for _, l := range g.lines {
				if now, _, err := l.accept(Acceptance{Note: "n", At: time.Unix(int64(at), 0)}); err == nil && r.IntN(3) > 0 {
					*l = now
				} else if (err == nil) != (l.State == Unexplained || l.State == Accepted) {
					t.Fatalf("%+v: %v", *l, err)
				}
			}
			off := r.Int64N(2) // it becomes another amount, or stays
			g.moves, want = append(g.moves, movement{currency: "USD", amount: off}), want-off
		}
	}
	if held == 0 {
		t.Error("nothing was ever accepted")
	}
}

func differences(g group) (sum int64) {
	for _, l := range g.lines {
		sum += l.Difference.Minor
	}
	return sum
}

func accepted(g group) (sum int64) {
	for _, l := range g.lines {
		if l.State == Accepted {
			sum += l.Acceptance.Amount.Minor
		}
	}
	return sum
}

// A category that nobody knows can be accepted too.
func TestAnUnknownCategoryIsAccepted(t *testing.T) {
	t.Parallel()
	l := &Line{ID: "txn_1", Kind: "moon_tax", State: Open, Currency: "EUR", Net: money.FromMinor(-7, "EUR"), Difference: money.FromMinor(-7, "EUR")}
	g := group{lines: []*Line{l}}
	for _, want := range []State{Unexplained, Accepted, Accepted} {
		if g.settle(func(money.Currency) bool { return true }); l.State != want || (l.Difference.Minor == 0) != (want == Accepted) || l.Reason == "" {
			t.Errorf("%+v", *l)
		}
		if now, again, err := l.accept(Acceptance{Note: "n", At: time.Unix(1, 0)}); err != nil || again != (want == Accepted) {
			t.Errorf("%v, %v", again, err)
		} else {
			*l = now
		}
	}
}
