package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/clock"
)

var _ clock.Clock = (*clock.Followed)(nil)

func TestFollowedIsTheMachinesUntilTheFirstWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f clock.Followed
		time.Sleep(time.Hour)
		if got, want := f.Now(), time.Now().UTC(); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("Now is %v; want %v", got, want)
		}
		for _, first := range []time.Time{start.In(time.FixedZone("", 3600)), start.AddDate(-50, 0, 0), start.AddDate(50, 0, 0)} {
			var f clock.Followed
			f.Now()
			if behind := f.Set(first, 0); behind != 0 || !f.Now().Equal(first) || f.Now().Location() != time.UTC {
				t.Errorf("after the first word, %v, Now is %v and %v behind", first, f.Now(), behind)
			}
		}
	})
}

func TestFollowedGoesOnAtItsRate(t *testing.T) {
	t.Parallel()
	for rate, passed := range map[int64]time.Duration{-5: 0, 0: 0, 1: time.Minute, 60: time.Hour, clock.MostRate: 60 * 24 * time.Hour, 1e12: 60 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var f clock.Followed
			f.Set(start.Add(1234*time.Nanosecond), rate)
			time.Sleep(time.Minute)
			if got, want := f.Now(), start.Add(passed+time.Microsecond); !got.Equal(want) {
				t.Errorf("a minute later, at rate %d, Now is %v; want %v", rate, got, want)
			}
			time.Sleep(100 * 365 * 24 * time.Hour) // without a word
			if got := f.Now(); got.Before(start) || got.After(start.AddDate(101, 0, 0)) {
				t.Errorf("100 years later, at rate %d, Now is %v", rate, got)
			}
		})
	}
}

// TestFollowedNeverGoesBack lets the other clock be set as it likes: this one shows the latest time that either has shown.
func TestFollowedNeverGoesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		type word struct {
			at          int
			rate, after int64
		}
		words := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) word {
			return word{rapid.IntRange(0, 1000).Draw(t, "at"), rapid.Int64Range(0, 5).Draw(t, "rate"), rapid.Int64Range(0, 50).Draw(t, "after")}
		}), 1, 10).Draw(r, "words")
		synctest.Test(t, func(*testing.T) {
			var f clock.Followed
			var shown time.Time
			for _, w := range words {
				other := start.Add(time.Duration(w.at) * time.Second)
				if behind, want := f.Set(other, w.rate), max(shown.Sub(other), 0); behind != want {
					r.Fatalf("%v behind; want %v", behind, want)
				}
				for _, passed := range []int64{0, w.after} {
					time.Sleep(time.Duration(passed) * time.Second)
					other = other.Add(time.Duration(passed*w.rate) * time.Second)
					if other.After(shown) {
						shown = other
					}
					if now := f.Now(); !now.Equal(shown) {
						r.Fatalf("Now is %v; want %v", now, shown)
					}
				}
			}
		})
	})
}

// After is for looking again: in time however fast the clock runs, but not all the time, and not never where it is frozen.
func TestFollowedAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate    int64
		d, want time.Duration
	}{
		{0, time.Second, time.Second}, {1, time.Second, time.Second}, {10, time.Second, 100 * time.Millisecond}, {10, -1, 0}, {clock.MostRate, time.Second, 10 * time.Millisecond},
		{clock.MostRate, 24 * time.Hour, time.Second}, {10, 5 * time.Millisecond, 5 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			var f clock.Followed
			f.Set(start, c.rate)
			began := time.Now()
			<-f.After(c.d)
			if took := time.Since(began); took != c.want {
				t.Errorf("at rate %d, %v after was %v; want %v", c.rate, c.d, took, c.want)
			}
		})
	}
}

// Both times are one on Real and on a Fake; a Followed leaps, and the machine's time does not.
func TestLeaps(t *testing.T) {
	t.Parallel()
	var f clock.Followed
	f.Set(start.AddDate(50, 0, 0), 0)
	if fake := clock.NewFake(start); clock.Leaps(clock.Real{}) || clock.Leaps(fake) || !clock.Leaps(&f) || clock.Leaps(f.Machine()) {
		t.Error("only a Followed leaps")
	}
	if machine := f.Machine().Now(); time.Since(machine) > time.Minute || machine.After(time.Now()) {
		t.Errorf("the machine's time is %v", machine)
	}
}
