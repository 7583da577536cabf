package outbox

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

// What the statements make of a row the twin makes of it too, and where a guard misses in one it misses in the other.
func TestTwin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			ctx, now := t.Context(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
			e := merchant.Endpoint{Scope: db.Scope{Merchant: id.New(), Mode: "test"}, ID: id.New(), NextSeq: 1}
			told := event.New(e.Scope, "payment.completed", "p", 1, now)
			err := d.Write(ctx, append([]db.Change{{
				SQL:  `insert into endpoints (merchant, mode, id, url, secret, next_seq, created_at, updated_at) values ($1, $2, $3, '', '', 1, 0, 0)`,
				Args: []any{e.Merchant, e.Mode, e.ID}, Rows: 1}}, number(e, []event.Event{told}, now, now)...)...)
			if err != nil {
				rt.Fatal(err)
			}
			read := func() Delivery {
				all, err := db.All(ctx, d, scan, `select `+columns+` from deliveries where merchant = $1 and mode = $2`, e.Merchant, e.Mode)
				if err != nil || len(all) != 1 {
					rt.Fatalf("%d rows: %v", len(all), err)
				}
				return all[0]
			}
			row := read()
			same := func(after string, is Delivery) {
				got := read()
				if !alike(got, is) {
					rt.Fatalf("after %s the row is %+v, its twin %+v", after, got, is)
				}
			}
			twin := Numbered(row.ID, told.ID, 1, now)
			same("numbering", twin)
			seen := []Delivery{row} // what a node may have read, now or long ago
			var until time.Time     // of the lease
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(rt, "seconds")) * time.Second)
				switch rapid.SampledFrom([]string{"claim", "settle", "settle", "renew"}).Draw(rt, "step") {
				case "claim":
					err := d.Tx(ctx, func(tx db.Tx) error {
						taken, err := claim(ctx, tx, place{e.Scope, e.ID}, 1, now, now)
						if err == nil && (len(taken) == 1) != (twin.NextAttemptAt != nil && !twin.NextAttemptAt.After(now) && !until.After(now)) {
							rt.Fatalf("claimed %d of %+v", len(taken), twin)
						}
						for _, one := range taken {
							seen, until = append(seen, one), now.Add(lease)
						}
						return err
					})
					if err != nil {
						rt.Fatal(err)
					}
					same("a claim", twin)
				case "settle":
					was := rapid.SampledFrom(seen).Draw(rt, "of")
					a := Attempt{Number: was.Attempts + 1, StartedAt: now}
					if rapid.IntRange(0, 3).Draw(rt, "fails") > 0 {
						a.StatusCode, a.Error = 500, "The endpoint answered 500."
					}
					err := d.Write(ctx, settle(was, a, now)...)
					is, ok := Settled(twin, was, a, now)
					if ok != (err == nil) || !ok && !db.IsMoved(err) {
						rt.Fatalf("settling %+v from %+v: %v", twin, was, err)
					}
					if twin = is; ok {
						until = time.Time{}
					}
					same("an attempt", twin)
				case "renew":
					if err := d.Write(ctx, renew(e.Scope, row.ID, now, now)); err != nil {
						rt.Fatal(err)
					}
					twin = Renewed(twin, until.After(now), now)
					same("a redelivery", twin)
				}
			}
		})
	})
}

func alike(a, b Delivery) bool {
	at := func(t *time.Time) int64 {
		if t == nil {
			return -1
		}
		return t.UnixMicro()
	}
	return a.ID == b.ID && a.EventID == b.EventID && a.Sequence == b.Sequence && a.Status == b.Status && a.Attempts == b.Attempts && a.Retries == b.Retries &&
		at(a.EndedAt) == at(b.EndedAt) && at(a.NextAttemptAt) == at(b.NextAttemptAt) && a.CreatedAt.Equal(b.CreatedAt)
}

// Numbering misses in the tables where MayNumber says so: where the endpoint has moved on, and where one of the events is numbered already.
func TestMayNumber(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct{ movedOn, numbered bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			ctx, now := t.Context(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
			e := merchant.Endpoint{Scope: db.Scope{Merchant: id.New(), Mode: "test"}, ID: id.New(), NextSeq: 1}
			var told [3]event.Event
			changes := []db.Change{{
				SQL:  `insert into endpoints (merchant, mode, id, url, secret, next_seq, created_at, updated_at) values ($1, $2, $3, '', '', 1, 0, 0)`,
				Args: []any{e.Merchant, e.Mode, e.ID}, Rows: 1}}
			for n := range told {
				told[n] = event.New(e.Scope, "payment.completed", "p", 1, now)
				changes = append(changes, event.Insert(told[n]))
			}
			next := e.NextSeq
			if c.movedOn {
				changes = append(append(changes, event.Fanned(told[2])), number(e, told[2:], now, now)...)
				next++
			}
			if c.numbered {
				changes = append(changes, event.Fanned(told[1]))
			}
			if err := d.Write(ctx, changes...); err != nil {
				t.Fatal(err)
			}
			err := d.Write(ctx, append([]db.Change{event.Fanned(told[0]), event.Fanned(told[1])}, number(e, told[:2], now, now)...)...)
			if may := MayNumber(e.NextSeq, next, false, c.numbered); may != (err == nil) || !may && !db.IsMoved(err) {
				t.Errorf("%+v: may %v, the tables say %v", c, may, err)
			}
		}
	})
}
