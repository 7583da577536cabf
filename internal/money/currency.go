package money

import (
	"maps"
	"slices"
	"strings"

	"github.com/till-pay/till/internal/fault"
)

// Currency is an ISO 4217 code in upper case, such as "USD".
type Currency string

// ParseCurrency reads a three-letter code, in any case, of a currency that Stripe takes.
// It fails with fault.CurrencyUnknown, whose Param is left to the caller.
func ParseCurrency(s string) (Currency, error) {
	if !threeLetters(s) {
		return "", fault.New(fault.CurrencyUnknown, "", "A currency is a three-letter code, such as USD.")
	}
	c := Currency(strings.ToUpper(s))
	if !c.listed() {
		return "", unknown(c)
	}
	return c, nil
}

// threeLetters keeps out what strings.ToUpper would turn into ASCII, such as a long s (U+017F).
func threeLetters(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if lower := s[i] | 0x20; lower < 'a' || lower > 'z' {
			return false
		}
	}
	return true
}

// Currencies lists every currency that ParseCurrency takes, in alphabetical order.
func Currencies() []Currency { return slices.Sorted(maps.Keys(table)) }

// Digits is how many digits people write after the point: 2 for USD, 0 for JPY and UGX, 3 for KWD.
// A currency that is not listed, which only Stripe can bring in, counts as a two-digit one, since all but a few are.
func (c Currency) Digits() int { return c.row().digits }

// Scale is how many digits Stripe's minor unit has: as Digits, but 2 for UGX and ISK, which Stripe keeps in hundredths.
func (c Currency) Scale() int { return c.row().scale }

// Step is the least difference between two amounts that Stripe charges, in minor units. It is 100 where Stripe's minor unit is finer
// than what people write (UGX, ISK), 10 for the three-digit currencies, whose last digit must be 0, and otherwise 1.
func (c Currency) Step() int64 {
	switch r := c.row(); {
	case r.scale == 3:
		return 10
	case r.scale > r.digits:
		return 100
	default:
		return 1
	}
}

// Lower is Stripe's spelling: "usd".
func (c Currency) Lower() string { return strings.ToLower(string(c)) }

// MinCharge is the least that Stripe charges, in minor units; known is false where Stripe publishes no figure.
// Stripe applies the minimum of the settlement currency after conversion, so this is a hint: Stripe's answer decides.
func (c Currency) MinCharge() (minor int64, known bool) {
	least := c.row().min
	return least, least > 0
}

// MaxCharge is the most that Stripe charges at once, in minor units: eight digits, or twelve for IDR.
func (c Currency) MaxCharge() int64 {
	if c == "IDR" {
		return 999_999_999_999
	}
	return 99_999_999
}

func (c Currency) listed() bool {
	_, ok := table[c]
	return ok
}

func (c Currency) row() row {
	if r, ok := table[c]; ok {
		return r
	}
	return row{digits: 2, scale: 2}
}

func unknown(c Currency) error {
	return fault.New(fault.CurrencyUnknown, "", "Stripe takes no currency %q.", string(c))
}
