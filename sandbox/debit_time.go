package sandbox

import "time"

// debitTimes are how long banks take, for worlds in which debits take real time: in business days until a debit is known to have failed
// or succeeded, in days of the calendar from a success to its dispute, and in business days for a refund.
type debitTimes struct {
	fails, clears int64
	disputed      int64
	refunded      int64
	source        string
}

// debited is when it is known what has become of a debit that is made now.
func (c *call) debited(k *methodKind, does debit, fails bool) time.Time {
	now := c.now()
	if !c.standing().RealDebits {
		if does.slow {
			return now.Add(slowDebitAfter)
		}
		return now.Add(debitedAfter)
	}
	days := k.takes.clears
	if fails {
		days = k.takes.fails
	}
	if does.slow {
		days++
	}
	return businessDaysAfter(now, days)
}

// businessDaysAfter is the same time of the day so many of the Federal Reserve's business days later. Banks elsewhere have holidays of
// their own, which are left out.
func businessDaysAfter(at time.Time, days int64) time.Time {
	midnight := at.UTC().Truncate(24 * time.Hour)
	return delay{days: days, business: true}.after(at).Add(at.Sub(midnight))
}

// disputesAfter is how long after a success its nth dispute is raised.
func (c *call) disputesAfter(ch *record, nth int) time.Duration {
	wait := time.Duration(nth+1) * disputedAfter
	if k := chargeKindOf(ch); k != nil && c.standing().RealDebits {
		wait += time.Duration(k.takes.disputed) * 24 * time.Hour
	}
	return wait
}

// refundedAt is when a refund that takes its time has come to its end.
func (c *call) refundedAt(ch *record) time.Time {
	if k := chargeKindOf(ch); k != nil && k.takes.refunded > 0 && c.standing().RealDebits {
		return businessDaysAfter(c.now(), k.takes.refunded)
	}
	return c.now().Add(decidedAfter)
}
