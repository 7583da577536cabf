package outbox_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
)

// striking makes the database fail in the middle of a commit: when the delivery of an armed number is inserted.
func striking(t *testing.T, d *db.DB) {
	t.Helper()
	var ddl []string
	if d.Name == "postgres" {
		ddl = []string{
			`create function strike() returns trigger language plpgsql as $$ begin
				if exists (select 1 from armed a where a.merchant = new.merchant and a.seq = new.seq) then raise exception 'struck'; end if;
				return new; end $$`,
			`create trigger strike before insert on deliveries for each row execute function strike()`}
	} else {
		ddl = []string{`create trigger strike before insert on deliveries
			when exists (select 1 from armed a where a.merchant = new.merchant and a.seq = new.seq) begin select raise(abort, 'struck'); end`}
	}
	for _, sql := range append([]string{`create table armed (merchant text not null, seq bigint not null)`}, ddl...) {
		if err := d.Write(ctx, db.Change{SQL: sql, Rows: db.Any}); err != nil {
			t.Fatal(err)
		}
	}
}

// numbered reads what the fan-out left: the numbers in order, their events, the endpoint's next number, and what was not taken.
func numbered(t rapid.TB, d *db.DB, scope db.Scope) (seqs []int64, events []string, next, unfanned int64) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	seqs, err = db.All(ctx, d, db.Value[int64], `select seq from deliveries where merchant = $1 and mode = $2 order by seq`, scope.Merchant, scope.Mode)
	must(err)
	events, err = db.All(ctx, d, db.Value[string], `select event from deliveries where merchant = $1 and mode = $2 order by event`, scope.Merchant, scope.Mode)
	must(err)
	next, err = db.One(ctx, d, db.Value[int64], `select next_seq from endpoints where merchant = $1 and mode = $2`, scope.Merchant, scope.Mode)
	must(err)
	unfanned, err = db.One(ctx, d, db.Value[int64], `select count(*) from events where merchant = $1 and mode = $2 and not fanned`, scope.Merchant, scope.Mode)
	must(err)
	return seqs, events, next, unfanned
}

// Many write events, some of which roll back; two nodes number them at once; the database fails in the middle of a commit, and turns are
// cut off at any moment. Whatever happens, the numbers are 1, 2, 3 … and every event has exactly one.
func TestNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		striking(t, d)
		one := setup(t, d)
		two := one.another()
		var struck atomic.Int64
		rapid.Check(t, func(rt *rapid.T) {
			scope := seller()
			one.listen(scope, "http://127.0.0.1:9/")
			writers := rapid.SliceOfN(rapid.IntRange(0, 8), 1, 3).Draw(rt, "writers")
			for _, n := range rapid.SliceOfN(rapid.Int64Range(1, 16), 0, 2).Draw(rt, "strike at") {
				if err := d.Write(ctx, db.Change{SQL: `insert into armed (merchant, seq) values ($1, $2)`, Args: []any{scope.Merchant, n}, Rows: 1}); err != nil {
					rt.Fatal(err)
				}
			}
			cut := rapid.IntRange(0, 3).Draw(rt, "cut off one turn in")

			var written []string
			var mu sync.Mutex
			var writing, numbering sync.WaitGroup
			for _, n := range writers {
				writing.Go(func() {
					for i := range n {
						e := event.New(scope, "payment.completed", "p", i, start)
						err := d.Write(ctx, event.Insert(e))
						if i%5 == 0 { // an event whose commit fails was never there
							_ = d.Write(ctx, event.Insert(event.New(scope, "payment.failed", "p", i, start)), event.Insert(e))
						}
						mu.Lock()
						if written = append(written, e.ID); err != nil {
							rt.Error(err)
						}
						mu.Unlock()
					}
				})
			}
			done := make(chan struct{})
			for _, n := range []*node{one, two} {
				numbering.Go(func() {
					for turn := 0; ; turn++ {
						last := false
						select {
						case <-done:
							last = true
						default:
						}
						turnCtx, cancel := context.WithCancel(ctx)
						if cut > 0 && !last && rand.IntN(cut) == 0 {
							go cancel()
						}
						more, err := n.Fan(turnCtx)
						cancel()
						if err != nil && !errors.Is(err, context.Canceled) {
							struck.Add(1)
							// The failure ends once it has struck: the next turn must make good.
							_ = d.Write(ctx, db.Change{SQL: `delete from armed where merchant = $1`, Args: []any{scope.Merchant}, Rows: db.Any})
						}
						if last && err == nil && !more {
							return
						}
					}
				})
			}
			writing.Wait()
			close(done)
			numbering.Wait()

			seqs, events, next, unfanned := numbered(rt, d, scope)
			slices.Sort(written)
			for i, seq := range seqs {
				if seq != int64(i)+1 {
					rt.Fatalf("number %d stands at place %d", seq, i+1)
				}
			}
			if !slices.Equal(events, written) || next != int64(len(written))+1 || unfanned != 0 {
				rt.Fatalf("%d events were written and %d numbered; the next number is %d, and %d events wait", len(written), len(events), next, unfanned)
			}
		})
		if struck.Load() == 0 {
			t.Error("the database never failed: this test proves less than it says")
		}
	})
}

func TestWithoutEndpointNothingIsDelivered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		scope, other := seller(), seller()
		n.tell(scope, "payment.completed", 3)
		if waiting, err := event.UnfannedScopes(ctx, d, 10); err != nil || len(waiting) != 0 {
			t.Errorf("%v still waits (%v)", waiting, err)
		}
		n.listen(scope, "http://127.0.0.1:9/")
		live := db.Scope{Merchant: scope.Merchant, Mode: "live"}
		n.tell(live, "payment.completed", 2) // the endpoint is one of test mode
		n.tell(other, "payment.completed", 2)
		if got := n.list(scope); len(got) != 0 {
			t.Errorf("what was before the endpoint has %d deliveries", len(got))
		}
		n.tell(scope, "payment.completed", 1)
		if seqs, _, next, _ := numbered(t, d, scope); !slices.Equal(seqs, []int64{1}) || next != 2 {
			t.Errorf("numbers %v, next %d", seqs, next)
		}
		if len(n.list(live)) != 0 || len(n.list(other)) != 0 {
			t.Error("a scope without endpoint has deliveries")
		}
	})
}

// One merchant's broken row must not keep the others waiting.
func TestTroubleOfOneIsNotTroubleOfAll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		striking(t, d)
		n := setup(t, d)
		var scopes []db.Scope
		for range 5 {
			scope := seller()
			n.listen(scope, "http://127.0.0.1:9/")
			scopes = append(scopes, scope)
			if err := d.Write(ctx, event.Insert(event.New(scope, "payment.completed", id.New(), 1, start))); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Write(ctx, db.Change{SQL: `insert into armed (merchant, seq) values ($1, 1)`, Args: []any{scopes[2].Merchant}, Rows: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Fan(ctx); err == nil {
			t.Error("the failure is not told")
		}
		for i, scope := range scopes {
			if got := len(n.list(scope)); (got == 1) != (i != 2) {
				t.Errorf("merchant %d has %d deliveries", i, got)
			}
		}
	})
}

func TestManyEventsAreTakenInSteps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		scope := seller()
		n.listen(scope, "http://127.0.0.1:9/")
		var changes []db.Change
		for range 150 {
			changes = append(changes, event.Insert(event.New(scope, "payment.completed", id.New(), 1, start)))
		}
		if err := d.Write(ctx, changes...); err != nil {
			t.Fatal(err)
		}
		more, err := n.Fan(ctx)
		if seqs, _, _, left := numbered(t, d, scope); err != nil || !more || len(seqs) != 100 || left != 50 {
			t.Fatalf("the first turn took %d, left %d and said more: %v (%v)", len(seqs), left, more, err)
		}
		more, err = n.Fan(ctx)
		if seqs, _, next, left := numbered(t, d, scope); err != nil || more || len(seqs) != 150 || left != 0 || next != 151 {
			t.Fatalf("the second turn came to %d, left %d and said more: %v (%v)", len(seqs), left, more, err)
		}
	})
}
