package once

import (
	"testing"
	"time"
)

// The first send has the claim's time, which is recorded; any later one its own. Each has thirty seconds to leave.
func TestASendLeavesWithinItsTime(t *testing.T) {
	t.Parallel()
	claimed := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	c, kept := Claimed(Call{}, claimed, claimed)
	first := c.Sending(claimed.Add(20 * time.Second))
	if !first.SentAt.Equal(kept.SentAt) || !first.MaySend(claimed.Add(29*time.Second)) || first.MaySend(claimed.Add(leaves)) {
		t.Errorf("the first send counts from %v, recorded is %v", first.SentAt, kept.SentAt)
	}
	later := claimed.Add(10 * time.Minute)
	second := first.Sending(later)
	if !second.SentAt.Equal(later) || !second.MaySend(later) || second.MaySend(later.Add(leaves)) {
		t.Errorf("the second send counts from %v", second.SentAt)
	}
	if kept.takes++; kept.Sending(later).SentAt != later { // taken up by another node: not the claim's own any more
		t.Error("the send of another node has the claim's time")
	}
}
