package sandbox

import (
	"testing"

	"pgregory.net/rapid"
)

// TestShares: what was recorded at Stripe.
func TestShares(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ amount, part, whole, want int64 }{
		{109, 50, 153, 36}, {880, 500, 1200, 367}, {880, 1000, 1200, 733}, {1342, 671, 1342, 671},
		{1, 1, 2, 1}, {0, 1, 2, 0}, {5, 0, 2, 0}, {100, 300, 200, 100},
		{999_999_999_999, 999_999_999_998, 999_999_999_999, 999_999_999_998},
	} {
		if got := shareOf(row.amount, row.part, row.whole); got != row.want {
			t.Errorf("%d/%d of %d is %d, want %d", row.part, row.whole, row.amount, got, row.want)
		}
	}
}

// TestPortionsAddUp: however a whole is taken apart, its portions take the whole amount, each within one unit of its share while nobody
// else takes anything.
func TestPortionsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		whole := rapid.Int64Range(1, 99_999_999).Draw(rt, "whole")
		amount := rapid.Int64Range(0, whole).Draw(rt, "amount")
		p := portion{whole: whole, left: amount}
		for p.before < whole {
			p.part = rapid.Int64Range(1, whole-p.before).Draw(rt, "part")
			took := p.of(amount)
			if took < 0 || took > p.left {
				rt.Fatalf("%+v takes %d", p, took)
			}
			p.before, p.taken, p.left = p.before+p.part, p.taken+took, p.left-took
		}
		if p.taken != amount || p.left != 0 {
			rt.Fatalf("%+v is what is left of %d", p, amount)
		}
	})
}
