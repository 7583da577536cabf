package money

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
)

// ErrWeights says that weights cannot divide an amount: none is above zero, one is below, or their sum does not fit 64 bits.
var ErrWeights = errors.New("money: weights must not be negative, and their sum must be from 1 to 9223372036854775807")

// Split divides the amount in proportion to the weights, one part each, by the method of the largest remainder: every part is
// first cut down to whole units, and the units left over go one each to the parts that lost most, the earlier one first where two
// lost the same. The parts always add up to the amount, and each is less than a unit away from its exact share.
//
// The unit is the currency's Step, so that what can be charged falls into parts that can be refunded or transferred; an amount
// that is no multiple of it is divided by minor units. A negative amount is divided as its opposite is. It fails with ErrWeights.
func (m Money) Split(weights ...int64) ([]Money, error) {
	total, err := sum(weights)
	if err != nil {
		return nil, err
	}
	whole, unit := magnitude(m.Minor), uint64(m.Currency.Step())
	if whole%unit != 0 {
		unit = 1
	}
	shares := apportion(whole/unit, weights, total)
	parts := make([]Money, len(weights))
	for i, share := range shares {
		minor := int64(share * unit) // 1<<63 turns into math.MinInt64, whose opposite is itself: right, as only a negative amount has it
		if m.Minor < 0 {
			minor = -minor
		}
		parts[i] = Money{minor, m.Currency}
	}
	return parts, nil
}

func sum(weights []int64) (uint64, error) {
	var total uint64
	for _, w := range weights {
		if w < 0 || uint64(w) > math.MaxInt64-total {
			return 0, ErrWeights
		}
		total += uint64(w)
	}
	if total == 0 {
		return 0, ErrWeights
	}
	return total, nil
}

// apportion divides units among weights that add up to total. Products are 128 bits wide, so nothing overflows.
func apportion(units uint64, weights []int64, total uint64) []uint64 {
	shares, lost, order := make([]uint64, len(weights)), make([]uint64, len(weights)), make([]int, len(weights))
	left := units
	for i, w := range weights {
		high, low := bits.Mul64(units, uint64(w))
		shares[i], lost[i] = bits.Div64(high, low, total)
		left -= shares[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lost[b], lost[a]) })
	for _, i := range order[:left] { // fewer than there are parts that lost something
		shares[i]++
	}
	return shares
}
