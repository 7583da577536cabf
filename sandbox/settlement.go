package sandbox

import "time"

// delay is how long after its date in UTC the money of a charge becomes available, at midnight UTC.
type delay struct {
	days     int64
	business bool // Federal Reserve business days rather than days of the calendar
	source   string
}

// delays are by the account's country; otherwise is for all others.
var (
	delays = map[string]delay{
		"US": {2, true, "reproduces 1,523 of 1,533 recorded charges of 2023 to 2025"},
	}
	otherwise = delay{7, false, "recorded charges of accounts in Canada, Singapore and Brazil"}
)

func delayOf(country string) delay {
	if d, listed := delays[country]; listed {
		return d
	}
	return otherwise
}

// maxSettlement is the longest delay that Stripe lets an account set, in days.
const maxSettlement = 31

// after is when the money of a charge becomes available.
func (d delay) after(charged time.Time) time.Time {
	day := charged.UTC().Truncate(24 * time.Hour)
	if !d.business {
		return day.AddDate(0, 0, int(d.days))
	}
	for business := int64(0); business < d.days; {
		day = day.AddDate(0, 0, 1)
		if businessDay(day) {
			business++
		}
	}
	return day
}

func businessDay(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !fedHoliday(day)
}

// fedHoliday says whether the Federal Reserve keeps the day as a holiday (federalreserve.gov/aboutthefed/k8.htm): one that falls on
// a Sunday is kept on the Monday, one that falls on a Saturday is not moved.
func fedHoliday(day time.Time) bool {
	y := day.Year()
	for _, fixed := range [...]struct {
		month time.Month
		day   int
	}{{time.January, 1}, {time.June, 19}, {time.July, 4}, {time.November, 11}, {time.December, 25}} {
		kept := date(y, fixed.month, fixed.day)
		if kept.Weekday() == time.Sunday {
			kept = kept.AddDate(0, 0, 1)
		}
		if day.Equal(kept) {
			return true
		}
	}
	for _, moving := range [...]time.Time{
		nthWeekday(y, time.January, time.Monday, 3), nthWeekday(y, time.February, time.Monday, 3), lastMonday(y, time.May),
		nthWeekday(y, time.September, time.Monday, 1), nthWeekday(y, time.October, time.Monday, 2), nthWeekday(y, time.November, time.Thursday, 4),
	} {
		if day.Equal(moving) {
			return true
		}
	}
	return false
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func nthWeekday(year int, month time.Month, weekday time.Weekday, n int) time.Time {
	first := date(year, month, 1)
	ahead := (int(weekday) - int(first.Weekday()) + 7) % 7
	return first.AddDate(0, 0, ahead+7*(n-1))
}

func lastMonday(year int, month time.Month) time.Time {
	last := date(year, month+1, 0)
	back := (int(last.Weekday()) - int(time.Monday) + 7) % 7
	return last.AddDate(0, 0, -back)
}
