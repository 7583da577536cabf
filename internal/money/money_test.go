package money_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

func anyCurrency() *rapid.Generator[money.Currency] { return rapid.SampledFrom(money.Currencies()) }

// chargeable draws an amount that is a multiple of its currency's step, over the whole range of 64 bits.
func chargeable() *rapid.Generator[money.Money] {
	return rapid.Custom(func(t *rapid.T) money.Money {
		c := anyCurrency().Draw(t, "currency")
		steps := rapid.Int64Range(math.MinInt64/c.Step(), math.MaxInt64/c.Step()).Draw(t, "steps")
		return money.FromMinor(steps*c.Step(), c)
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		decimal  string
		currency money.Currency
		minor    int64
	}{
		{"50.00", "USD", 5000},
		{"50.0", "USD", 5000},
		{"50", "USD", 5000},
		{"0.01", "USD", 1},
		{"0", "USD", 0},
		{"0.00", "USD", 0},
		{"92233720368547758.07", "USD", math.MaxInt64},
		{"500", "JPY", 500},
		{"9223372036854775807", "JPY", math.MaxInt64},
		{"10", "UGX", 1000},
		{"5", "ISK", 500},
		{"1.230", "KWD", 1230},
		{"1.23", "KWD", 1230},
		{"1", "KWD", 1000},
		{"150.75", "KES", 15075},
		{"1", "MGA", 1},
		{"1.5", "IDR", 150},
	} {
		got, err := money.Parse(c.decimal, c.currency)
		if want := money.FromMinor(c.minor, c.currency); err != nil || got != want {
			t.Errorf("Parse(%q, %s) = %+v, %v; want %+v", c.decimal, c.currency, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		decimal  string
		currency money.Currency
		code     fault.Code
	}{
		{"", "USD", fault.AmountInvalid},
		{".", "USD", fault.AmountInvalid},
		{".5", "USD", fault.AmountInvalid},
		{"5.", "USD", fault.AmountInvalid},
		{"5.", "JPY", fault.AmountInvalid},
		{"1.2.3", "USD", fault.AmountInvalid},
		{"01", "USD", fault.AmountInvalid},
		{"00", "USD", fault.AmountInvalid},
		{"00.50", "USD", fault.AmountInvalid},
		{"-1", "USD", fault.AmountInvalid},
		{"-0", "USD", fault.AmountInvalid},
		{"+1", "USD", fault.AmountInvalid},
		{" 1", "USD", fault.AmountInvalid},
		{"1 ", "USD", fault.AmountInvalid},
		{"1\n", "USD", fault.AmountInvalid},
		{"1,5", "USD", fault.AmountInvalid},
		{"1,000.00", "USD", fault.AmountInvalid},
		{"1_000", "USD", fault.AmountInvalid},
		{"1e2", "USD", fault.AmountInvalid},
		{"1e309", "USD", fault.AmountInvalid},
		{"0x10", "USD", fault.AmountInvalid},
		{"NaN", "USD", fault.AmountInvalid},
		{"Infinity", "USD", fault.AmountInvalid},
		{"\u0661\u0662", "USD", fault.AmountInvalid},
		{"\uff11\uff12", "USD", fault.AmountInvalid},
		{"$5", "USD", fault.AmountInvalid},
		{"1\x00", "USD", fault.AmountInvalid},
		{strings.Repeat("9", 21), "USD", fault.AmountInvalid},
		{"1." + strings.Repeat("0", 1<<20), "USD", fault.AmountInvalid},
		{"10.001", "USD", fault.AmountTooPrecise},
		{"10.000", "USD", fault.AmountTooPrecise},
		{"10.5", "JPY", fault.AmountTooPrecise},
		{"10.00", "JPY", fault.AmountTooPrecise},
		{"10.5", "UGX", fault.AmountTooPrecise},
		{"10.00", "UGX", fault.AmountTooPrecise},
		{"10.0", "ISK", fault.AmountTooPrecise},
		{"1.001", "KWD", fault.AmountTooPrecise},
		{"1.2300", "KWD", fault.AmountTooPrecise},
		{"92233720368547758.08", "USD", fault.AmountTooLarge},
		{"99999999999999999999", "USD", fault.AmountTooLarge},
		{"9223372036854775808", "JPY", fault.AmountTooLarge},
		{"92233720368547759", "UGX", fault.AmountTooLarge},
		{"9223372036854775.81", "KWD", fault.AmountTooLarge},
		{"1", "XTS", fault.CurrencyUnknown},
		{"1", "usd", fault.CurrencyUnknown},
		{"1", "", fault.CurrencyUnknown},
	} {
		got, err := money.Parse(c.decimal, c.currency)
		if !fault.Is(err, c.code) || got != (money.Money{}) {
			t.Errorf("Parse(%.30q, %s) = %+v, %v; want nothing and %s", c.decimal, c.currency, got, err, c.code)
		}
	}
}

func TestFaultsNameNoFieldAndStayShort(t *testing.T) {
	t.Parallel()
	_, amount := money.Parse(strings.Repeat("x", 1000), "USD")
	_, currency := money.ParseCurrency(strings.Repeat("x", 1000))
	for _, err := range []error{amount, currency} {
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || f.Param != "" || len(f.Message) > 200 || !strings.HasSuffix(f.Message, ".") {
			t.Errorf("%#v is no short Invalid fault without a field", err)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency money.Currency
		want     string
	}{
		{5000, "USD", "50.00"},
		{5, "USD", "0.05"},
		{0, "USD", "0.00"},
		{-5, "USD", "-0.05"},
		{math.MinInt64, "USD", "-92233720368547758.08"},
		{500, "JPY", "500"},
		{math.MinInt64, "JPY", "-9223372036854775808"},
		{1230, "KWD", "1.230"},
		{1231, "KWD", "1.231"},
		{1000, "UGX", "10"},
		{-1000, "UGX", "-10"},
		{1050, "UGX", "10.50"},
		{-5, "ISK", "-0.05"},
		{1, "XTS", "0.01"},
		{0, "", "0.00"},
	} {
		if got := money.FromMinor(c.minor, c.currency).String(); got != c.want {
			t.Errorf("%d of %q is written %q; want %q", c.minor, c.currency, got, c.want)
		}
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := chargeable().Filter(func(m money.Money) bool { return m.Minor >= 0 }).Draw(t, "amount")
		if got, err := money.Parse(m.String(), m.Currency); err != nil || got != m {
			t.Fatalf("Parse(%q, %s) = %+v, %v; want %+v", m, m.Currency, got, err, m)
		}
	})
}

func TestStringHasAllDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := chargeable().Draw(t, "amount")
		_, fraction, point := strings.Cut(m.String(), ".")
		if want := m.Currency.Digits(); len(fraction) != want || point != (want > 0) {
			t.Fatalf("%q %s has not %d digits after the point", m, m.Currency, want)
		}
	})
}

func TestStringLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := money.FromMinor(rapid.Int64().Draw(t, "minor"), anyCurrency().Draw(t, "currency"))
		got, ok := new(big.Rat).SetString(m.String())
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(m.Currency.Scale())), nil)
		if !ok || got.Cmp(new(big.Rat).SetFrac(big.NewInt(m.Minor), scale)) != 0 {
			t.Fatalf("%+v is written %q", m, m)
		}
	})
}

// TestArithmetic holds Add and Sub against numbers of any size: the true result where it fits 64 bits, an error where not.
func TestArithmetic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		edges := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}))
		c := anyCurrency().Draw(t, "currency")
		a, b := money.FromMinor(edges.Draw(t, "a"), c), money.FromMinor(edges.Draw(t, "b"), c)
		x, y := big.NewInt(a.Minor), big.NewInt(b.Minor)
		sum, err := a.Add(b)
		check(t, "sum", sum, err, new(big.Int).Add(x, y), c)
		if err == nil {
			if back, err := sum.Sub(b); err != nil || back != a {
				t.Fatalf("%+v + %+v - %+v = %+v, %v", a, b, b, back, err)
			}
		}
		difference, err := a.Sub(b)
		check(t, "difference", difference, err, new(big.Int).Sub(x, y), c)
	})
}

func check(t *rapid.T, what string, got money.Money, err error, want *big.Int, c money.Currency) {
	if !want.IsInt64() {
		if !errors.Is(err, money.ErrOverflow) || got != (money.Money{}) {
			t.Fatalf("%s = %+v, %v; want overflow", what, got, err)
		}
		return
	}
	if err != nil || got != money.FromMinor(want.Int64(), c) {
		t.Fatalf("%s = %+v, %v; want %s %s", what, got, err, want, c)
	}
}

func TestCurrenciesDoNotMix(t *testing.T) {
	t.Parallel()
	a, b := money.FromMinor(1, "USD"), money.FromMinor(1, "EUR")
	if _, err := a.Add(b); !errors.Is(err, money.ErrCurrencies) {
		t.Errorf("dollars plus euros: %v", err)
	}
	if _, err := a.Sub(b); !errors.Is(err, money.ErrCurrencies) {
		t.Errorf("dollars minus euros: %v", err)
	}
}

func TestSigns(t *testing.T) {
	t.Parallel()
	for minor, want := range map[int64][2]bool{-1: {false, false}, 0: {false, true}, 1: {true, false}} {
		m := money.FromMinor(minor, "USD")
		if got := [2]bool{m.Positive(), m.IsZero()}; got != want {
			t.Errorf("%d is positive, zero: %v; want %v", minor, got, want)
		}
	}
}

// FuzzParse holds Parse against strconv and big.Rat: what is read is exactly the number written, within the rules of its currency.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"50.00", "0.01", "500", "1.230", "10.00", "01", "-1", "1e2", ".5", "5.", "92233720368547758.08"} {
		f.Add(s, "USD")
		f.Add(s, "UGX")
	}
	f.Fuzz(func(t *testing.T, decimal, code string) {
		c, err := money.ParseCurrency(code)
		if err != nil {
			c = "KWD"
		}
		m, err := money.Parse(decimal, c)
		if err != nil {
			if _, ok := fault.As(err); !ok || m != (money.Money{}) {
				t.Fatalf("Parse(%q, %s) = %+v, %v", decimal, c, m, err)
			}
			return
		}
		want, ok := new(big.Rat).SetString(decimal)
		got, _ := new(big.Rat).SetString(m.String())
		if !ok || got.Cmp(want) != 0 || m.Minor < 0 || m.Minor%c.Step() != 0 || len(decimal) > 20 {
			t.Fatalf("Parse(%q, %s) = %+v", decimal, c, m)
		}
		if !strings.HasPrefix(m.String(), decimal) {
			t.Fatalf("%q was read although %s is written %q", decimal, c, m)
		}
	})
}

func ExampleParse() {
	m, err := money.Parse("10.00", "JPY")
	fmt.Println(m.IsZero(), err)
	m, err = money.Parse("10.5", "USD")
	fmt.Println(m, strconv.FormatInt(m.Minor, 10), err)
	// Output:
	// true amount_too_precise: JPY has no digits after the point; 10.00 has 2.
	// 10.50 1050 <nil>
}
