package clock_test

import (
	"testing"
	"time"
	_ "time/tzdata" // a machine may lack it

	"github.com/till-pay/till/internal/clock"
)

func TestMidnight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, want string }{
		{"UTC", "2026-11-28", "2026-11-28T00:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00"},
		{"America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"}, // put forward from 24:00
		{"America/Santiago", "2026-09-07", "2026-09-07T00:00:00-03:00"},
		{"America/Santiago", "2026-04-05", "2026-04-05T00:00:00-04:00"}, // put back to 23:00
		{"America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00"},
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"}, // put back to 0:00: the first of two
		{"Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"},
		{"Asia/Beirut", "2026-10-25", "2026-10-25T00:00:00+02:00"}, // put back to 23:00
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		d, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if is := clock.Midnight(d.Year(), d.Month(), d.Day(), zone).Format(time.RFC3339); is != c.want {
			t.Errorf("%s in %s begins at %s, want %s", c.day, c.zone, is, c.want)
		}
	}
	if is := clock.Midnight(2026, time.April, 31, time.UTC).Format(time.DateOnly); is != "2026-05-01" {
		t.Errorf("31 April is %s", is)
	}
}
