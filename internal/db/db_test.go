package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
)

func merchant(name string) db.Change {
	return db.Change{SQL: `insert into merchants (id, name, created_at) values ($1, $2, $3) on conflict do nothing`, Args: []any{name, name, int64(1)}, Rows: 1}
}

func names(t *testing.T, d *db.DB) []string {
	t.Helper()
	all, err := db.All(context.Background(), d, db.Value[string], `select name from merchants order by name`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWriteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if err := d.Write(ctx, merchant("a")); err != nil {
			t.Fatal(err)
		}
		err := d.Write(ctx, merchant("b"), merchant("a"), merchant("c"))
		var moved *db.Moved
		if !errors.As(err, &moved) || moved.At != 1 {
			t.Fatalf("a missed guard answered %v, not Moved at 1", err)
		}
		if got := names(t, d); fmt.Sprint(got) != "[a]" {
			t.Errorf("a list that missed its guard left %v", got)
		}
		if err := d.Write(ctx, merchant("b"), db.Change{SQL: `insert into nowhere values (1)`, Rows: 1}); err == nil || db.IsMoved(err) {
			t.Errorf("a broken statement answered %v", err)
		}
		if got := names(t, d); fmt.Sprint(got) != "[a]" {
			t.Errorf("a list with a broken statement left %v", got)
		}
	})
}

// Everybody decides from what they read and writes under its guard: no increment may be lost.
func TestDecideUnderContention(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if err := d.Write(ctx, merchant("counter")); err != nil {
			t.Fatal(err)
		}
		const people, each = 4, 10
		var wg sync.WaitGroup
		for range people {
			wg.Go(func() {
				for done := 0; done < each; {
					err := d.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
						n, err := db.One(ctx, d, db.Value[int64], `select created_at from merchants where id = $1`, "counter")
						return []db.Change{{SQL: `update merchants set created_at = $1 where id = $2 and created_at = $3`, Args: []any{n + 1, "counter", n}, Rows: 1}}, err
					})
					switch {
					case err == nil:
						done++
					case !fault.Is(err, fault.StateConflict): // a bounded number of tries may not be enough: ask again
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		n, err := db.One(ctx, d, db.Value[int64], `select created_at from merchants where id = $1`, "counter")
		if err != nil || n != 1+people*each {
			t.Errorf("the counter stands at %d (%v), not at %d", n, err, 1+people*each)
		}
	})
}

func TestColumns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		now := time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)
		doc := db.JSON(map[string]string{"a": "ü\"'"})
		err := d.Write(ctx,
			db.Change{SQL: `insert into endpoints (merchant, mode, id, url, secret, next_seq, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)`,
				Args: []any{"m", "test", "e", "", doc, int64(1), db.Micros(now)}, Rows: 1},
			db.Change{SQL: `insert into api_keys (merchant, mode, hash, id, name, hint, scopes, created_at, revoked_at) values ('m','test','h','k','','','',1,$1)`,
				Args: []any{db.Micros(time.Time{})}, Rows: 1})
		if err != nil {
			t.Fatal(err)
		}
		var at, never time.Time
		got := map[string]string{}
		_, err = db.One(ctx, d, func(r db.Row) (int, error) {
			return 0, r.Scan(db.At(&at), db.Document(&got), db.At(&never))
		}, `select e.created_at, e.secret, k.revoked_at from endpoints e, api_keys k`)
		if err != nil || !at.Equal(now) || at.Location() != time.UTC || !never.IsZero() || got["a"] != "ü\"'" {
			t.Errorf("read back %v %v %v (%v)", at, never, got, err)
		}
	})
}

func TestMigrateTwiceAndTogether(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				d, err := db.Open(context.Background(), url)
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Close()
				if err := d.Migrate(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, url := range []string{"mysql://x", "sqlite:", "sqlite::memory:", "postgres://u:secret-word@127.0.0.1:1/x?connect_timeout=1", "postgres://u:secret-word@[::1/x"} {
		d, err := db.Open(ctx, url)
		if err == nil {
			d.Close()
			t.Errorf("%s opened", url)
			continue
		}
		if len(err.Error()) > 200 || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: not one clear line without the password: %v", url, err)
		}
	}
}

func TestLostDatabaseIsAFault(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, err := db.Open(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if err := d.Write(context.Background(), merchant("x")); err == nil {
			t.Error("a closed database took a write")
		}
	})
}
