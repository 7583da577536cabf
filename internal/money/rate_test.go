package money_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/money"
)

func rate(t interface {
	Helper()
	Fatal(...any)
}, s string) money.Rate {
	t.Helper()
	r, err := money.ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is converted, in currencies of 0, 2 and 3 digits, and in those that Stripe keeps otherwise than people write them.
func TestConversion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount     string
		from       money.Currency
		rate       string
		to         money.Currency
		how        money.Rounding
		want       string
		wantMinors int64
	}{
		{"49.00", "GBP", "5.15570", "PLN", money.Rounding{}, "252.63", 25263},
		{"49.00", "GBP", "196.652", "JPY", money.Rounding{}, "9636", 9636}, // 9635.948
		{"9636", "JPY", "0.00508512", "GBP", money.Rounding{}, "49.00", 4900},
		{"49.00", "GBP", "0.386277", "KWD", money.Rounding{}, "18.930", 18930},           // 18.927573: the last digit is 0
		{"18.930", "KWD", "2.58882", "GBP", money.Rounding{}, "49.01", 4901},             // 49.0063…
		{"49.00", "GBP", "4610.83", "UGX", money.Rounding{}, "225931", 22593100},         // hundredths at Stripe, whole shillings charged
		{"225931", "UGX", "0.000216881", "GBP", money.Rounding{}, "49.00", 4900},         // and back
		{"49.00", "GBP", "173.545", "ISK", money.Rounding{}, "8504", 850400},             // 8503.705
		{"49.00", "GBP", "496.093", "HUF", money.Rounding{}, "24308.56", 2430856},        // charged with two digits, paid out in whole ones
		{"49.00", "GBP", "41.0826", "TWD", money.Rounding{Step: 100}, "2013.00", 201300}, // whole dollars: 2013.0474
		{"0.125", "KWD", "1", "USD", money.Rounding{}, "0.13", 13},                       // a half goes up
		{"49.00", "GBP", "5.15570", "PLN", money.Rounding{Step: 100, Less: 1}, "252.99", 25299},
		{"49.00", "GBP", "5.15570", "PLN", money.Rounding{Step: 500, Up: true}, "255.00", 25500},
		{"49.00", "GBP", "5.15570", "PLN", money.Rounding{Step: 1000, Less: 1, Up: true}, "259.99", 25999},
		{"50.00", "GBP", "5", "PLN", money.Rounding{Step: 500, Up: true}, "250.00", 25000}, // which it is already
		{"49.00", "GBP", "196.652", "JPY", money.Rounding{Step: 100, Less: 20}, "9680", 9680},
	} {
		m, err := money.Parse(c.amount, c.from)
		if c.amount == "0.125" {
			m, err = money.FromMinor(125, c.from), nil // Stripe may report what it does not charge
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Rounded(c.to, rate(t, c.rate), c.how)
		if err != nil || got.String() != c.want || got.Minor != c.wantMinors || got.Currency != c.to {
			t.Errorf("%s %s at %s: %s %s (%d), %v; want %s", c.amount, c.from, c.rate, got, got.Currency, got.Minor, err, c.want)
		}
	}
}

// What is converted to the nearest is a multiple of what Stripe charges, and within half a step of the exact product.
func TestConversionIsNearest(t *testing.T) {
	t.Parallel()
	all := money.Currencies()
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.SampledFrom(all).Draw(t, "from"), rapid.SampledFrom(all).Draw(t, "to")
		m := money.FromMinor(rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000).Draw(t, "minor"), from)
		at := rapid.Int64Range(1, 1_000_000_000).Draw(t, "rate")
		r := rate(t, new(big.Rat).SetFrac64(at, 100_000).FloatString(5))
		got, err := m.In(to, r)
		if err != nil {
			t.Fatal(err)
		}
		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(m.Minor), new(big.Rat).SetFrac64(at, 100_000))
		for n := from.Scale(); n < to.Scale(); n++ {
			exact.Mul(exact, big.NewRat(10, 1))
		}
		for n := to.Scale(); n < from.Scale(); n++ {
			exact.Mul(exact, big.NewRat(1, 10))
		}
		off := exact.Sub(exact, new(big.Rat).SetInt64(got.Minor)).Abs(exact)
		if got.Minor%to.Step() != 0 || off.Cmp(big.NewRat(to.Step(), 2)) > 0 {
			t.Fatalf("%s %s at %s is %s %s", m, from, r, got, to)
		}
	})
}

func TestConversionDoesNotOverflow(t *testing.T) {
	t.Parallel()
	if got, err := money.FromMinor(math.MaxInt64, "KWD").In("IDR", rate(t, "54000")); !errors.Is(err, money.ErrOverflow) || got != (money.Money{}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"1": "1", "5.2513": "5.2513", "0.000216881": "0.000216881", "196.652": "196.652", "4610.830": "4610.83", "22700": "22700",
		"1.2345678": "1.23457", "0.98": "0.98", "1234567": "1234567", "0.0000123456789012": ""} {
		r, err := money.ParseRate(in)
		if err != nil {
			if want != "" || !errors.Is(err, money.ErrRate) {
				t.Errorf("%s: %v", in, err)
			}
			continue
		}
		if r.String() != want {
			t.Errorf("%s is written %s, not %s", in, r, want)
		}
	}
	for _, bad := range []string{"", "0", "0.0", "-1", "1e3", "1/2", ".5", "5.", "1,5", " 1", "1234567890123", "+1", "Inf", "0x10"} {
		if _, err := money.ParseRate(bad); !errors.Is(err, money.ErrRate) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The rate between what was paid and what came of it, and how far it is below the middle one.
func TestImpliedRate(t *testing.T) {
	t.Parallel()
	r, ok := money.RateOf(money.FromMinor(9636, "JPY"), money.FromMinor(4802, "GBP"))
	if !ok || r.String() != "0.0049834" {
		t.Errorf("%s, %v", r, ok)
	}
	if points := r.BasisPoints(rate(t, "0.00508512")); points != 200 {
		t.Errorf("%d basis points below the middle", points)
	}
	if got := rate(t, "1.25").Inverse().String(); got != "0.8" {
		t.Errorf("the inverse is %s", got)
	}
	if got := rate(t, "5").Less(200).String(); got != "4.9" {
		t.Errorf("2 %% less than 5 is %s", got)
	}
	if got := rate(t, "5").Times(rate(t, "0.5")).Over(rate(t, "10")).String(); got != "0.25" {
		t.Errorf("5 times a half, over 10, is %s", got)
	}
	if got, ok := money.Average([]money.Rate{rate(t, "5"), rate(t, "8")}, []int64{2, 1}); !ok || got.String() != "6" {
		t.Errorf("twice 5 and once 8 are %s on average", got)
	}
	if got, ok := money.Average([]money.Rate{rate(t, "5")}, []int64{0}); ok {
		t.Errorf("of nothing the average is %s", got)
	}
	for _, bad := range [][2]int64{{0, 1}, {1, 0}, {-1, 1}} {
		if _, ok := money.RateOf(money.FromMinor(bad[0], "JPY"), money.FromMinor(bad[1], "GBP")); ok {
			t.Errorf("%v has a rate", bad)
		}
	}
}
