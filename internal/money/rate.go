package money

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Rate is how many units of one currency a unit of another is worth, as people write both: yen for a pound, not for a penny. It is exact.
// The zero Rate is no rate.
type Rate struct{ r *big.Rat }

// ErrRate says that a text is not a rate.
var ErrRate = errors.New("money: a rate is a decimal number above zero, of at most 12 digits before the point and 15 after it, such as 5.2513")

const (
	mostRateDigits    = 12
	mostRateFractions = 15
)

// ParseRate reads a decimal number exactly. It fails with ErrRate.
func ParseRate(decimal string) (Rate, error) {
	whole, fraction, point := strings.Cut(decimal, ".")
	if !digits(whole) || point && !digits(fraction) || len(whole) > mostRateDigits || len(fraction) > mostRateFractions {
		return Rate{}, ErrRate
	}
	r, ok := new(big.Rat).SetString(decimal)
	if !ok || r.Sign() <= 0 {
		return Rate{}, ErrRate
	}
	return Rate{r}, nil
}

// RateOf is the rate at which one amount became another; ok is false where one of them is not above zero.
func RateOf(from, to Money) (r Rate, ok bool) {
	if from.Minor <= 0 || to.Minor <= 0 {
		return Rate{}, false
	}
	return Rate{new(big.Rat).Mul(big.NewRat(to.Minor, from.Minor), tenTo(from.Currency.Scale()-to.Currency.Scale()))}, true
}

// IsZero says that there is no rate.
func (r Rate) IsZero() bool { return r.r == nil }

// Inverse is the rate the other way round.
func (r Rate) Inverse() Rate { return Rate{new(big.Rat).Inv(r.r)} }

// Over is this rate by another: 1 where they are the same.
func (r Rate) Over(other Rate) Rate { return Rate{new(big.Rat).Quo(r.r, other.r)} }

// Times is the rate of two conversions, one after the other.
func (r Rate) Times(other Rate) Rate { return Rate{new(big.Rat).Mul(r.r, other.r)} }

// Less is the rate with a part of it taken off, in hundredths of a percent.
func (r Rate) Less(part int64) Rate {
	return Rate{new(big.Rat).Mul(r.r, big.NewRat(10_000-part, 10_000))}
}

// Average is rates weighed by what was changed at each; ok is false where nothing was.
func Average(rates []Rate, weights []int64) (r Rate, ok bool) {
	sum, whole := new(big.Rat), new(big.Rat)
	for i, rate := range rates {
		weight := new(big.Rat).SetInt64(weights[i])
		whole.Add(whole, weight)
		sum.Add(sum, weight.Mul(weight, rate.r))
	}
	if sum.Sign() <= 0 || whole.Sign() <= 0 {
		return Rate{}, false
	}
	return Rate{sum.Quo(sum, whole)}, true
}

// BasisPoints is how far below another rate this one lies, in hundredths of a percent of that one, rounded to the nearest.
func (r Rate) BasisPoints(below Rate) int64 {
	part := new(big.Rat).Sub(big.NewRat(1, 1), r.Over(below).r)
	return nearest(part.Mul(part, big.NewRat(10_000, 1))).Int64()
}

// significantDigits are those that a rate is written with: as many as Stripe gives.
const significantDigits = 6

// String writes the rate with six significant digits and no more zeros than it needs.
func (r Rate) String() string {
	if r.IsZero() {
		return ""
	}
	places := significantDigits - 1
	for least := tenTo(0); places < mostRateFractions+significantDigits && r.r.Cmp(least) < 0; least.Quo(least, tenTo(1)) {
		places++
	}
	for most := tenTo(1); places > 0 && r.r.Cmp(most) >= 0; most.Mul(most, tenTo(1)) {
		places--
	}
	text := r.r.FloatString(places)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// MarshalText writes a rate as String does.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// In is an amount in another currency at a rate, rounded to the nearest amount that Stripe charges there; a half goes away from zero. The rate is of
// the amount's currency: so many of the other for one of it.
func (m Money) In(c Currency, r Rate) (Money, error) { return m.Rounded(c, r, Rounding{}) }

// Settled is an amount in another currency at a rate, rounded to the nearest minor unit, as Stripe settles and as it takes its fees.
func (m Money) Settled(c Currency, r Rate) (Money, error) { return m.Rounded(c, r, Rounding{Step: 1}) }

// Exact is an amount in another currency at a rate, as a decimal number with two digits more than people write.
func (m Money) Exact(c Currency, r Rate) string {
	exact := new(big.Rat).Mul(new(big.Rat).SetInt64(m.Minor), r.r)
	return exact.Mul(exact, tenTo(-m.Currency.Scale())).FloatString(c.Digits() + 2)
}

// Rounding is how an amount in another currency is rounded. The zero value takes the nearest amount that Stripe charges.
type Rounding struct {
	Step int64 // to a multiple of this, in minor units; 0 is the currency's own Step
	Less int64 // and this much less, in minor units: a Step of 100 and 1 less end in .99
	Up   bool  // to the next higher, not the nearest
}

// Rounded is an amount in another currency at a rate, rounded as is said. It fails with ErrOverflow, and where nothing would be left.
func (m Money) Rounded(c Currency, r Rate, how Rounding) (Money, error) {
	step := how.Step
	if step == 0 {
		step = c.Step()
	}
	exact := new(big.Rat).Mul(new(big.Rat).SetInt64(m.Minor), r.r)
	exact.Mul(exact, tenTo(c.Scale()-m.Currency.Scale()))
	exact.Add(exact, new(big.Rat).SetInt64(how.Less)).Quo(exact, new(big.Rat).SetInt64(step))
	n := nearest(exact)
	if how.Up && new(big.Rat).SetInt(n).Cmp(exact) < 0 {
		n.Add(n, big.NewInt(1))
	}
	n.Mul(n, big.NewInt(step)).Sub(n, big.NewInt(how.Less))
	if !n.IsInt64() {
		return Money{}, fmt.Errorf("%w: %s %s at %s", ErrOverflow, m, m.Currency, r)
	}
	return Money{n.Int64(), c}, nil
}

// nearest is the integer nearest to r; a half goes away from zero.
func nearest(r *big.Rat) *big.Int {
	twice := new(big.Int).Mul(new(big.Int).Abs(r.Num()), big.NewInt(2))
	twice.Add(twice, r.Denom()).Quo(twice, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

func tenTo(n int) *big.Rat {
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil))
	if n < 0 {
		return power.Inv(power)
	}
	return power
}
