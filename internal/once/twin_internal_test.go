package once

import (
	"context"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/stripe"
)

// What the statements do to a call's row is what the twin does to its record, misses included, on both engines: through histories in which
// two holders do anything at any time.
func TestTheTwinIsTheTable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		missed := 0
		for seed := range uint64(60) {
			missed += history(t, d, rand.New(rand.NewPCG(seed, 1)))
		}
		if missed < 100 {
			t.Errorf("only %d guards missed: the histories say little", missed)
		}
	})
}

func history(t *testing.T, d *db.DB, chance *rand.Rand) (missed int) {
	t.Helper()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	base := Call{Scope: db.Scope{Merchant: "m", Mode: "test"}, Name: "n", Key: randomKey(chance), Row: "r", ProviderKey: "p", Generation: 1, Input: 1}
	first, kept := Claimed(base, now, now)
	if err := d.Write(t.Context(), insert(first, open)); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), insert(first, open)); !db.IsMoved(err) {
		t.Fatalf("a key was taken twice: %v", err)
	}
	holders := []Call{first, first}
	for range 12 {
		now = now.Add(time.Duration(chance.IntN(8)) * time.Second)
		h := &holders[chance.IntN(2)]
		change, next, hit := anything(chance, h, kept, now)
		err := d.Write(t.Context(), change)
		if err != nil && !db.IsMoved(err) {
			t.Fatal(err)
		}
		if moved := db.IsMoved(err); moved == hit {
			t.Fatalf("%s: the table missed: %v, the twin hit: %v", change.SQL, moved, hit)
		}
		if !hit {
			missed++
		}
		kept = next
		if is := row(t, d, base); !reflect.DeepEqual(is, kept) {
			t.Fatalf("after %s:\nthe table has %+v\nthe twin has  %+v", change.SQL, is, kept)
		}
	}
	return missed
}

// anything is one statement, and what the twin says of it.
func anything(chance *rand.Rand, h *Call, kept Record, now time.Time) (change db.Change, next Record, hit bool) {
	switch chance.IntN(5) {
	case 0:
		*h = h.Sending(now)
		next, hit = kept.Begun(*h)
		return begun(*h), next, hit
	case 1:
		next, hit = kept.Take(now)
		change = take(kept.Call, now.Add(lease), now)
		if hit {
			*h = next.Call
		}
		return change, next, hit
	case 2, 3:
		until := now.Add(time.Duration(chance.IntN(12)) * time.Second)
		h.Position = []string{"", "cursor"}[chance.IntN(2)]
		return released(*h, until, ""), kept.Release(*h, until), true // a release guards nothing
	}
	step := []Step{Done, Refuse, Refuse}[chance.IntN(3)]
	e := ending{state: done, why: &stripe.Error{}}
	if step == Refuse {
		e.state = refused
	}
	next, hit = kept.Settle(*h, step)
	return closed(*h, e, now), next, hit
}

func row(t *testing.T, d *db.DB, c Call) Record {
	t.Helper()
	s, err := db.One(context.Background(), d, scan, `select `+columns+` from calls where merchant = $1 and mode = $2 and key = $3`, c.Merchant, c.Mode, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	s.Input = c.Input // is not kept: only its hash is
	return Record{s.Call, s.state}
}

func randomKey(chance *rand.Rand) string {
	b := make([]byte, 12)
	for i := range b {
		b[i] = byte('a' + chance.IntN(26))
	}
	return string(b)
}
