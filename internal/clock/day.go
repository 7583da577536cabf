package clock

import "time"

// Midnight is the first moment of a day in a zone. It is not always at 0:00: where clocks are put forward at midnight, the day begins at 1:00,
// and time.Date may give the evening before; where they are put back to it, there are two.
func Midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	year, month, day = time.Date(year, month, day, 12, 0, 0, 0, zone).Date() // of 31 April, 1 May
	at := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if at.Day() != day {
		_, at = at.ZoneBounds()
	}
	if first := at.Add(-time.Hour); first.Day() == day {
		return first
	}
	return at
}
