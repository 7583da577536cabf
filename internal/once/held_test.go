package once_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/once"
)

// hold claims the call of a row without sending it.
func (w *world) hold(row string) {
	w.t.Helper()
	if got, replayed, err := w.nodes[0].Hold(context.Background(), call(row, row), work(row)); err != nil || replayed || got != row {
		w.t.Errorf("%s: held %q, replayed %v: %v", row, got, replayed, err)
	}
}

// A held call is sent by nobody, however much time passes and however many nodes recover; its key is used.
func TestAHeldCallIsNotSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.start()
		w.hold("row")
		time.Sleep(25 * time.Hour)
		if r := w.record("row"); r.state != "held" || r.unsure || r.attempts != 0 || r.takes != 1 {
			t.Errorf("%+v", r)
		}
		if row, replayed, took, err := w.run(w.nodes[1], "row", "again", []any{"do", 5000}); row != "row" || !replayed || took != 0 || err != nil {
			t.Errorf("a repeat: %q, %v, %v, %v", row, replayed, took, err)
		}
		if was := w.stripe.was("row"); was.sent != 0 || was.looked != 0 {
			t.Errorf("sent %d times, looked up %d times", was.sent, was.looked)
		}
	})
}

// Opened by many at once, on two nodes, a day later: it is sent once, as if it had been claimed then.
func TestAHeldCallIsOpenedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.start()
		w.hold("row")
		time.Sleep(23 * time.Hour)
		w.stripe.prepare("row", plan{sends: script(how{reach: true, charge: true, takes: 3 * time.Second})})
		var all sync.WaitGroup
		var mu sync.Mutex
		firsts := 0
		for i := range 8 {
			all.Go(func() {
				began := time.Now()
				replayed, err := w.nodes[i%2].Open(context.Background(), scope, once.MerchantKey("row"))
				if took := time.Since(began); err != nil || took < 3*time.Second || took > 3100*time.Millisecond {
					t.Errorf("opened after %v: %v", took, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if !replayed {
					firsts++
				}
			})
		}
		all.Wait()
		w.agree("row")
		if was := w.stripe.was("row"); firsts != 1 || was.sent != 1 || w.record("row").outcome != "charged" {
			t.Errorf("%d were the first, sent %d times: %+v", firsts, was.sent, w.record("row"))
		}
		if replayed, err := w.nodes[0].Open(context.Background(), scope, once.MerchantKey("row")); !replayed || err != nil {
			t.Errorf("%v, %v", replayed, err)
		}
	})
}

// The process may die anywhere after a held call was opened: it is recovered like any other, and never charged twice.
func TestADeathAfterOpening(t *testing.T) {
	t.Parallel()
	for _, c := range []how{diesBefore, diesAfter, diesSettle, cutAfter, late, failedAfter} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(w *world) {
				w.hold("row")
				time.Sleep(time.Hour)
				w.stripe.prepare("row", plan{sends: script(c)})
				if _, err := w.nodes[0].Open(context.Background(), scope, once.MerchantKey("row")); err != nil {
					t.Error(err)
				}
				w.settled("row")
				w.agree("row")
				if r := w.record("row"); r.outcome != "charged" {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// Opening is one commit with what belongs to it: where a guard of that misses, the call is held as before.
func TestOpeningIsOneCommit(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.hold("row")
		none := db.Change{SQL: `update works set outcome = 'x' where merchant = $1 and mode = $2 and id = 'absent'`, Args: []any{scope.Merchant, scope.Mode}, Rows: 1}
		seen := db.Change{SQL: `update works set outcome = 'seen' where merchant = $1 and mode = $2 and id = 'row'`, Args: []any{scope.Merchant, scope.Mode}, Rows: 1}
		var moved *db.Moved
		if _, err := w.nodes[0].Open(context.Background(), scope, once.MerchantKey("row"), seen, none); !errors.As(err, &moved) || moved.At != 1 {
			t.Errorf("%v", err)
		}
		if r := w.record("row"); r.state != "held" || r.outcome != "" {
			t.Errorf("%+v", r)
		}
		if _, err := w.nodes[0].Open(context.Background(), scope, "none"); !errors.Is(err, db.ErrNone) {
			t.Errorf("%v", err)
		}
	})
}

// A dropped call is never sent, and its key stays used.
func TestADroppedCallIsNeverSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.hold("row")
		if err := w.db.Write(context.Background(), once.Dropped(scope, once.MerchantKey("row"), time.Now())); err != nil {
			t.Error(err)
		}
		if replayed, err := w.nodes[0].Open(context.Background(), scope, once.MerchantKey("row")); !replayed || err != nil {
			t.Errorf("%v, %v", replayed, err)
		}
		if err := w.db.Write(context.Background(), once.Dropped(scope, once.MerchantKey("row"), time.Now())); !db.IsMoved(err) {
			t.Errorf("dropped twice: %v", err)
		}
		time.Sleep(time.Hour)
		if was := w.stripe.was("row"); was.sent != 0 || w.record("row").state != "dropped" {
			t.Errorf("sent %d times: %+v", was.sent, w.record("row"))
		}
	})
}
