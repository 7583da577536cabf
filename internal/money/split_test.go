package money_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/money"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency money.Currency
		weights  []int64
		want     []int64
	}{
		{100, "USD", []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, "USD", []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{5, "USD", []int64{1, 1}, []int64{3, 2}},
		{100, "USD", []int64{1, 2, 3}, []int64{17, 33, 50}},
		{101, "USD", []int64{3, 7}, []int64{30, 71}},
		{1, "USD", []int64{0, 1, 1}, []int64{0, 1, 0}},
		{0, "USD", []int64{1, 1}, []int64{0, 0}},
		{7, "USD", []int64{5}, []int64{7}},
		{1000, "KWD", []int64{1, 1, 1}, []int64{340, 330, 330}},
		{1001, "KWD", []int64{1, 1}, []int64{501, 500}},
		{300, "UGX", []int64{1, 1}, []int64{200, 100}},
		{150, "UGX", []int64{1, 1}, []int64{75, 75}},
		{math.MaxInt64, "JPY", []int64{math.MaxInt64 - 1, 1}, []int64{math.MaxInt64 - 1, 1}},
		{math.MinInt64, "JPY", []int64{1}, []int64{math.MinInt64}},
		{math.MinInt64, "JPY", []int64{1, 0, 1}, []int64{math.MinInt64 / 2, 0, math.MinInt64 / 2}},
	} {
		parts, err := money.FromMinor(c.minor, c.currency).Split(c.weights...)
		var got []int64
		for _, p := range parts {
			got = append(got, p.Minor)
			if p.Currency != c.currency {
				t.Errorf("a part of %s is in %q", c.currency, p.Currency)
			}
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%d %s by %v: %v\n%s", c.minor, c.currency, c.weights, err, diff)
		}
	}
}

func TestSplitRefusesWeights(t *testing.T) {
	t.Parallel()
	for _, weights := range [][]int64{nil, {0}, {0, 0}, {-1, 2}, {1, math.MinInt64}, {math.MaxInt64, 1}, {math.MaxInt64, math.MaxInt64, 2}} {
		if parts, err := money.FromMinor(100, "USD").Split(weights...); !errors.Is(err, money.ErrWeights) || parts != nil {
			t.Errorf("Split(%v) = %v, %v", weights, parts, err)
		}
	}
}

// TestSplitIsFair checks, with numbers of any size, that parts add up to the whole, that each is less than a unit away from its exact
// share, and that parts of a chargeable amount are chargeable.
func TestSplitIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.OneOf(chargeable(), rapid.Custom(func(t *rapid.T) money.Money {
			return money.FromMinor(rapid.Int64().Draw(t, "minor"), anyCurrency().Draw(t, "currency"))
		})).Draw(t, "amount")
		unit := m.Currency.Step()
		if m.Minor%unit != 0 {
			unit = 1
		}
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 10), rapid.Int64Range(0, math.MaxInt64/8)), 1, 8).
			Filter(func(ws []int64) bool { return total(ws).Sign() > 0 }).Draw(t, "weights")
		parts, err := m.Split(weights...)
		if err != nil || len(parts) != len(weights) {
			t.Fatalf("Split = %v, %v", parts, err)
		}
		sum := new(big.Int)
		for i, p := range parts {
			sum.Add(sum, big.NewInt(p.Minor))
			if p.Currency != m.Currency || p.Minor%unit != 0 {
				t.Fatalf("part %d of %+v is %+v", i, m, p)
			}
			// |part*total - amount*weight| < unit*total
			off := new(big.Int).Mul(big.NewInt(p.Minor), total(weights))
			off.Sub(off, new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(weights[i])))
			if off.Abs(off).Cmp(new(big.Int).Mul(big.NewInt(unit), total(weights))) >= 0 {
				t.Fatalf("part %d of %+v by %v is %d: a unit or more off", i, m, weights, p.Minor)
			}
		}
		if sum.Cmp(big.NewInt(m.Minor)) != 0 {
			t.Fatalf("parts of %+v by %v add up to %s", m, weights, sum)
		}
	})
}

// TestSplitFavoursTheEarlier uses many parts, since sorting keeps the order of a few by chance.
func TestSplitFavoursTheEarlier(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(1, 3), 1, 100).Draw(t, "weights")
		parts, err := money.FromMinor(rapid.Int64Range(0, 10_000).Draw(t, "minor"), "USD").Split(weights...)
		if err != nil {
			t.Fatal(err)
		}
		last := map[int64]int64{}
		for i, p := range parts {
			if before, ok := last[weights[i]]; ok && p.Minor > before {
				t.Fatalf("part %d of weight %d is larger than an earlier one: %v", i, weights[i], parts)
			}
			last[weights[i]] = p.Minor
		}
	})
}

// TestPartsThatComeOneByOneSumUp sends an amount back in parts, each with its share of a fee: the share of all that went back so far, less what
// was given before. Whatever the parts, the shares never fall behind by a unit, and together they are the whole fee.
func TestPartsThatComeOneByOneSumUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(1, 1<<50).Draw(t, "whole")
		fee := money.FromMinor(rapid.Int64Range(0, whole).Draw(t, "fee"), "USD")
		back, given := int64(0), int64(0)
		for n := 0; back < whole; n++ {
			back += rapid.Int64Range(1, whole-back).Draw(t, "part")
			if n == 20 {
				back = whole
			}
			parts, err := fee.Split(back, whole-back)
			if err != nil {
				t.Fatal(err)
			}
			share := parts[0].Minor - given
			if given += share; share < 0 || given > fee.Minor {
				t.Fatalf("after %d of %d, a share is %d, and %d of %d are given", back, whole, share, given, fee.Minor)
			}
		}
		if given != fee.Minor {
			t.Fatalf("the shares sum to %d of %d", given, fee.Minor)
		}
	})
}

func total(weights []int64) *big.Int {
	sum := new(big.Int)
	for _, w := range weights {
		sum.Add(sum, big.NewInt(w))
	}
	return sum
}

func ExampleMoney_Split() {
	fee, _ := money.Parse("1.00", "USD")
	parts, err := fee.Split(1, 1, 1)
	fmt.Println(parts, err)
	// Output: [0.34 0.33 0.33] <nil>
}
