package clock_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/clock"
)

var (
	_ clock.Clock = clock.Real{}
	_ clock.Clock = (*clock.Fake)(nil)
)

var start = time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)

// rung says whether an alarm has rung, and takes its ring out.
func rung(alarm <-chan time.Time) bool {
	select {
	case <-alarm:
		return true
	default:
		return false
	}
}

func TestRealIsUTCInMicroseconds(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Microsecond)
	now := clock.Real{}.Now()
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 || now.Before(before) || now.After(time.Now()) {
		t.Errorf("Now is %v", now)
	}
	<-clock.Real{}.After(time.Nanosecond)
}

func TestFakeStandsStill(t *testing.T) {
	t.Parallel()
	f := clock.NewFake(start.Add(1234 * time.Nanosecond).In(time.FixedZone("", 3600)))
	if got, want := f.Now(), start.Add(time.Microsecond); got != want {
		t.Errorf("Now is %v; want %v", got, want)
	}
	f.Advance(-time.Hour)
	f.Advance(0)
	if got, want := f.Now(), start.Add(time.Microsecond); got != want {
		t.Errorf("after no time Now is %v; want %v", got, want)
	}
}

func TestAfterNothingRingsAtOnce(t *testing.T) {
	t.Parallel()
	f := clock.NewFake(start)
	for _, d := range []time.Duration{0, -time.Second} {
		if !rung(f.After(d)) {
			t.Errorf("After(%v) has not rung", d)
		}
	}
}

// TestAlarmsRingInOrderOfTime sets alarms in any order and moves the clock in any steps: each alarm rings in the very step that
// reaches it, neither sooner nor later, and only once.
func TestAlarmsRingInOrderOfTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := clock.NewFake(start)
		due := rapid.SliceOfN(rapid.IntRange(1, 20), 1, 20).Draw(t, "due")
		alarms := make([]<-chan time.Time, len(due))
		for i, s := range due {
			alarms[i] = f.After(time.Duration(s) * time.Second)
		}
		was, now := 0, 0
		for _, step := range append(rapid.SliceOfN(rapid.IntRange(0, 7), 0, 8).Draw(t, "steps"), 20, 20) {
			was, now = now, now+step
			f.Advance(time.Duration(step) * time.Second)
			for i, alarm := range alarms {
				if got, want := rung(alarm), was < due[i] && due[i] <= now; got != want {
					t.Fatalf("from second %d to %d: alarm for second %d rang: %v", was, now, due[i], got)
				}
			}
		}
	})
}

func TestAlarmTellsThePresent(t *testing.T) {
	t.Parallel()
	f := clock.NewFake(start)
	alarm := f.After(time.Second)
	f.Advance(time.Minute)
	if got, want := <-alarm, start.Add(time.Minute); got != want {
		t.Errorf("the alarm says %v; want %v", got, want)
	}
}

// TestFakeIsSafeForManyGoroutines is for the race detector; it also checks that no alarm and no step is lost.
func TestFakeIsSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 200
	f := clock.NewFake(start)
	alarms := make(chan (<-chan time.Time), goroutines*each)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			last := f.Now()
			for range each {
				alarms <- f.After(time.Millisecond)
				f.Advance(time.Millisecond)
				if now := f.Now(); now.Before(last) {
					t.Errorf("%v came after %v", now, last)
				} else {
					last = now
				}
			}
		})
	}
	wg.Wait()
	close(alarms)
	f.Advance(time.Millisecond)
	if got, want := f.Now(), start.Add((goroutines*each+1)*time.Millisecond); got != want {
		t.Errorf("Now is %v; want %v", got, want)
	}
	for alarm := range alarms {
		if !rung(alarm) {
			t.Fatal("an alarm is lost")
		}
	}
}
