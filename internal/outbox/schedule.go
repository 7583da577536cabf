package outbox

import (
	"fmt"
	"hash/fnv"
	"time"
)

// schedule is how long after a failure the next attempt follows: the first is made at once, the last three days later.
// Standard Webhooks 1.0, "Deliverability and reliability" (2023), as read in November 2026.
var schedule = []time.Duration{
	5 * time.Second,
	5 * time.Minute,
	30 * time.Minute,
	2 * time.Hour,
	5 * time.Hour,
	10 * time.Hour,
	14 * time.Hour,
	20 * time.Hour,
	24 * time.Hour,
}

// next is the wait after a failure that retries came before, or false where the schedule has ended. Up to a tenth is added, by the delivery's
// id, so that what failed together does not come back together, and that what comes of an attempt is a function of what is known.
func next(delivery string, retries int64) (time.Duration, bool) {
	if retries >= int64(len(schedule)) {
		return 0, false
	}
	wait := schedule[retries]
	spread := fnv.New64a()
	fmt.Fprintf(spread, "%s %d", delivery, retries)
	return wait + time.Duration(spread.Sum64()%uint64(wait/10)), true
}
