package once

import (
	"reflect"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

// The statements of held calls do to the row what the twin does to its record, on both engines: from every state, each of them.
func TestTheTwinHoldsAsTheTable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	steps := map[string]func(Record) (db.Change, Record, bool){
		"open": func(r Record) (db.Change, Record, bool) {
			c, next, hit := r.Opened(now.Add(time.Hour), now.Add(time.Hour))
			if !hit {
				c = r.Call
			}
			return opened(c), next, hit
		},
		"drop": func(r Record) (db.Change, Record, bool) {
			next, hit := r.Dropped()
			return Dropped(r.Scope, r.Key, now), next, hit
		},
		"take": func(r Record) (db.Change, Record, bool) {
			at := now.Add(2 * time.Hour)
			next, hit := r.Take(at)
			return take(r.Call, at.Add(lease), at), next, hit
		},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, first := range []string{"open", "drop", "take"} {
			for _, second := range []string{"open", "drop", "take"} {
				c := Call{Scope: db.Scope{Merchant: "m", Mode: "test"}, Name: "n", Key: first + second, Row: "r", ProviderKey: "p", Generation: 1, Input: 1}
				kept := Held(c, now, now)
				if err := d.Write(t.Context(), insert(kept.Call, held)); err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{first, second} {
					change, next, hit := steps[name](kept)
					if err := d.Write(t.Context(), change); db.IsMoved(err) == hit || err != nil && !db.IsMoved(err) {
						t.Fatalf("%s of %s: %v, the twin hit: %v", name, c.Key, err, hit)
					}
					kept = next
					if is := row(t, d, c); !reflect.DeepEqual(is, kept) {
						t.Fatalf("%s: after %s\nthe table has %+v\nthe twin has  %+v", c.Key, name, is, kept)
					}
				}
			}
		}
	})
}
