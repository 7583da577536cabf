package once_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

// sleeper is the clock of a machine that slept: it shows later than the timers of its processes have counted.
type sleeper struct{ slept *atomic.Int64 }

func (s sleeper) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(s.slept.Load())).Truncate(time.Microsecond)
}
func (s sleeper) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (s sleeper) Machine() clock.Clock                   { return s }

// A machine sleeps between the claim and the send. What the claim recorded is not sent any more, for another node may have looked for it by
// then and found nothing; it is recorded anew, with the time of now, and then sent.
func TestAStandstillBeforeTheSend(t *testing.T) {
	t.Parallel()
	const claimed = "claimed"
	for name, c := range map[string]struct {
		sleeps   time.Duration
		attempts int64
	}{"a moment": {20 * time.Second, 1}, "too long": {10 * time.Minute, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.EachURL(t, func(t *testing.T, url string) {
				s := sleeper{&atomic.Int64{}}
				inTime(t, url, s, func(w *world) {
					w.db.Committed = func(topic string) {
						if topic == claimed {
							s.slept.Store(int64(c.sleeps))
						}
					}
					claim := work("row")
					claim.Topic = claimed
					if _, _, err := w.nodes[0].Run(context.Background(), call("row", "row"), claim); err != nil {
						t.Fatal(err)
					}
					r, _ := w.settled("row")
					w.agree("row")
					if sent := w.stripe.was("row").sent; r.attempts != c.attempts || sent != 1 {
						t.Errorf("recorded %d times, sent %d times", r.attempts, sent)
					}
					age, err := db.One(context.Background(), w.db, db.Value[int64], `select closed_at - sent_at from calls where row_id = 'row'`)
					if err != nil || age > (30*time.Second).Microseconds() {
						t.Errorf("the send was recorded %v before its answer: %v", time.Duration(age)*time.Microsecond, err)
					}
				})
			})
		})
	}
}
