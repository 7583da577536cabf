package sandbox

import "math/bits"

// shareOf is part/whole of an amount, to the nearest minor unit, a half upwards; a part is at most the whole. Recorded: of a transfer of 880
// for a charge of 1200, a refund of 500 takes back 367 and one of 1000 takes 733.
func shareOf(amount, part, whole int64) int64 {
	if amount <= 0 || part <= 0 || whole <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(amount), uint64(min(part, whole)))
	low, carry := bits.Add64(low, uint64(whole)/2, 0)
	share, _ := bits.Div64(high+carry, low, uint64(whole))
	return int64(share)
}

// portion is a further part of a whole of which parts have come before.
type portion struct {
	part, whole int64 // in one unit
	before      int64 // the parts that came before
	taken       int64 // what those have taken of the amount
	left        int64 // what there still is of it, whoever has taken the rest
}

// of is what the portion takes of an amount: its share, and the one that completes the whole all that the others have left.
func (p portion) of(amount int64) int64 {
	share := shareOf(amount, p.part, p.whole)
	if p.before+p.part >= p.whole {
		share = amount - p.taken
	}
	return max(min(share, p.left), 0)
}
