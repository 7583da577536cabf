package payout

import (
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/stripe"
)

const day = 24 * time.Hour

// nextRun is the first day after at on which an account's schedule makes a payout, without public holidays; false for manual, and where
// Stripe did not tell.
func nextRun(s stripe.PayoutSchedule, at time.Time) (time.Time, bool) {
	if s.Interval != "daily" && s.Interval != "weekly" && s.Interval != "monthly" {
		return time.Time{}, false
	}
	const ahead = 40 // each month has a day of every schedule
	on := at.UTC().Truncate(day)
	for range ahead {
		if on = on.Add(day); wants(s, on) {
			return businessDay(on), true
		}
	}
	return time.Time{}, false
}

// wants says whether a day is one of the schedule's. The days that a month lacks are its last.
func wants(s stripe.PayoutSchedule, on time.Time) bool {
	switch s.Interval {
	case "weekly":
		weekday := strings.ToLower(on.Weekday().String())
		return weekday == s.WeeklyAnchor || slices.Contains(s.Weekdays, weekday)
	case "monthly":
		last := on.Add(day).Day() == 1
		fits := func(n int64) bool { return n == int64(on.Day()) || last && n > int64(on.Day()) }
		return slices.ContainsFunc(append(slices.Clone(s.Monthdays), s.MonthlyAnchor), func(n int64) bool { return n > 0 && fits(n) })
	}
	return true
}

// businessDay is a day, or the Monday after it.
func businessDay(on time.Time) time.Time {
	for on.Weekday() == time.Saturday || on.Weekday() == time.Sunday {
		on = on.Add(day)
	}
	return on
}
