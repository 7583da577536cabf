package outbox

import (
	"math/rand/v2"
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

// next is the wait after a failure that retries came before, or false where the schedule has ended. Up to a tenth is added by chance,
// so that what failed together does not come back together.
func next(retries int64) (time.Duration, bool) {
	if retries >= int64(len(schedule)) {
		return 0, false
	}
	wait := schedule[retries]
	return wait + rand.N(wait/10), true
}
