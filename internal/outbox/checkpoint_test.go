package outbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

// hashed is the chain over ids, written down a second time.
func hashed(ids []string) string {
	h := ""
	for _, one := range ids {
		sum := sha256.Sum256([]byte(h + "\n" + one))
		h = hex.EncodeToString(sum[:])
	}
	return h
}

// state tells what is owed.
func (n *node) state() {
	n.t.Helper()
	for more := true; more; {
		var err error
		if more, err = n.Checkpoint(ctx); err != nil {
			n.t.Fatal(err)
		}
	}
}

func (n *node) endpoint(scope db.Scope) merchant.Endpoint {
	n.t.Helper()
	e, err := n.Merchants.Endpoint(ctx, scope)
	if err != nil {
		n.t.Fatal(err)
	}
	return e
}

// sent are the ids of an endpoint's deliveries in their order, and the numbers of those that are checkpoints.
func sent(t rapid.TB, d *db.DB, scope db.Scope) (ids []string, checkpoints []int64) {
	t.Helper()
	all, err := db.All(ctx, d, func(r db.Row) (v [2]string, err error) { return v, r.Scan(&v[0], &v[1]) },
		`select event, type from deliveries where merchant = $1 and mode = $2 order by seq`, scope.Merchant, scope.Mode)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range all {
		if ids = append(ids, v[0]); v[1] == "webhook.checkpoint" {
			checkpoints = append(checkpoints, int64(i)+1)
		}
	}
	return ids, checkpoints
}

func TestCheckpointIsADelivery(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		r := receive(t).takes(n, scope)
		n.tell(scope, "payment.completed", 3)
		n.clock.Advance(time.Hour - time.Microsecond)
		n.state()
		if _, checkpoints := sent(t, d, scope); len(checkpoints) != 0 || n.endpoint(scope).Checkpoint.Sequence != 0 {
			t.Fatalf("before its hour a checkpoint was told: %v", checkpoints)
		}
		n.clock.Advance(time.Microsecond)
		n.state()
		n.fan()
		n.deliver()
		ids, _ := sent(t, d, scope)
		e := n.endpoint(scope)
		var said message
		for _, m := range r.messages() {
			if m.Type == "webhook.checkpoint" {
				said = m
			}
		}
		want := map[string]any{"endpoint_id": e.ID, "sequence": 3.0, "count": 3.0, "hash": hashed(ids[:3])}
		if said.Sequence != 4 || !said.Timestamp.Equal(n.clock.Now()) || len(said.Data) != 4 || said.Data["hash"] != want["hash"] || said.Data["sequence"] != want["sequence"] ||
			said.Data["count"] != want["count"] || said.Data["endpoint_id"] != want["endpoint_id"] {
			t.Errorf("told %+v, not %v", said, want)
		}
		if e.Checkpoint != (merchant.Checkpoint{Sequence: 3, Hash: hashed(ids[:3]), At: n.clock.Now()}) || e.ChainSeq != 4 || e.Chain != hashed(ids) {
			t.Errorf("kept %+v", e)
		}

		// It is no news itself: years may pass.
		for range 3 {
			n.clock.Advance(365 * 24 * time.Hour)
			n.state()
			n.fan()
		}
		if ids, _ := sent(t, d, scope); len(ids) != 4 {
			t.Errorf("%d deliveries: a checkpoint called for another", len(ids))
		}
	})
}

func TestACheckpointAfterAHundred(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		n.listen(scope, "http://127.0.0.1:9/")
		n.tell(scope, "payment.completed", 99)
		n.state()
		if _, checkpoints := sent(t, d, scope); len(checkpoints) != 0 {
			t.Fatalf("told early: %v", checkpoints)
		}
		for range 3 {
			n.tell(scope, "payment.completed", 60)
			n.state()
			n.fan()
		}
		ids, checkpoints := sent(t, d, scope)
		if e := n.endpoint(scope); !slices.Equal(checkpoints, []int64{160, 281}) || e.Checkpoint.Sequence != 280 || e.Checkpoint.Hash != hashed(ids[:280]) {
			t.Errorf("checkpoints at %v, the last is %+v", checkpoints, e.Checkpoint)
		}
	})
}

// However events, hours and two nodes fall together: the chain is that of what was sent, each checkpoint states what stands before it, there is
// one at most for a hundred deliveries or an hour, never one without news, and within an hour of each delivery there is one.
func TestCheckpointsUnderTwoNodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one := setup(t, d)
		two := one.another()
		rapid.Check(t, func(rt *rapid.T) {
			scope := seller()
			one.listen(scope, "http://127.0.0.1:9/")
			for range rapid.IntRange(1, 3).Draw(rt, "steps") {
				events := rapid.IntRange(0, 120).Draw(rt, "events")
				var changes []db.Change
				for range events {
					changes = append(changes, event.Insert(event.New(scope, "payment.completed", id.New(), 1, one.clock.Now())))
				}
				if err := d.Write(ctx, changes...); err != nil {
					rt.Fatal(err)
				}
				one.clock.Advance(time.Duration(rapid.IntRange(0, 90).Draw(rt, "minutes")) * time.Minute)
				var both sync.WaitGroup
				for _, n := range []*node{one, two} {
					both.Go(func() {
						for range 3 {
							if _, err := n.Fan(ctx); err != nil {
								rt.Error(err)
							}
							if _, err := n.Checkpoint(ctx); err != nil {
								rt.Error(err)
							}
						}
					})
				}
				both.Wait()
			}
			one.clock.Advance(time.Hour)
			one.fan()
			one.state()
			one.fan()
			one.state()

			ids, checkpoints := sent(rt, d, scope)
			e := one.endpoint(scope)
			if e.ChainSeq != int64(len(ids)) || e.Chain != hashed(ids) {
				rt.Fatalf("the chain is of %d deliveries of %d, or another one", e.ChainSeq, len(ids))
			}
			news := func(after, upto int64) bool {
				for seq := after + 1; seq <= upto; seq++ {
					if !slices.Contains(checkpoints, seq) {
						return true
					}
				}
				return false
			}
			var last struct {
				Sequence int64
				Hash     string
			}
			var at time.Time
			for _, seq := range checkpoints {
				v, err := event.Get(ctx, d, scope, ids[seq-1])
				if err != nil {
					rt.Fatal(err)
				}
				was, wasAt := last, at
				if err := json.Unmarshal(v.Data, &last); err != nil {
					rt.Fatal(err)
				}
				at = v.CreatedAt
				switch {
				case last.Sequence >= seq || last.Hash != hashed(ids[:last.Sequence]):
					rt.Errorf("checkpoint %d states %+v", seq, last)
				case !news(was.Sequence, last.Sequence):
					rt.Errorf("checkpoint %d states no news since %d", seq, was.Sequence)
				case last.Sequence-was.Sequence < 100 && !wasAt.IsZero() && at.Sub(wasAt) < time.Hour:
					rt.Errorf("checkpoint %d comes %v and %d deliveries after the one before", seq, at.Sub(wasAt), last.Sequence-was.Sequence)
				}
			}
			if news(last.Sequence, int64(len(ids))) {
				rt.Errorf("of %d deliveries the last checkpoint states %d", len(ids), last.Sequence)
			}
		})
	})
}

// What was numbered before there was a chain is taken in by steps, while new deliveries are numbered, and nothing is stated before the chain
// has come up.
func TestChainOverOlderDeliveries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		n.listen(scope, "http://127.0.0.1:9/")
		n.tell(scope, "payment.completed", 2300)
		write := func(sql string) {
			t.Helper()
			if err := d.Write(ctx, db.Change{SQL: sql, Args: []any{scope.Merchant}, Rows: 1}); err != nil {
				t.Fatal(err)
			}
		}
		write(`update endpoints set chain = '', chain_seq = 0, checkpoint_due = updated_at where merchant = $1`) // as the migration leaves it
		if more, err := n.Checkpoint(ctx); err != nil || !more || n.endpoint(scope).ChainSeq != 1000 {
			t.Fatalf("the first step: %v, %v, %+v", more, err, n.endpoint(scope))
		}
		n.tell(scope, "payment.completed", 5)
		if e := n.endpoint(scope); e.ChainSeq != 1000 || e.NextSeq != 2306 || e.Checkpoint.Sequence != 0 {
			t.Fatalf("numbered while the chain is behind: %+v", e)
		}
		var both sync.WaitGroup
		for _, one := range []*node{n, n.another()} {
			both.Go(one.state)
		}
		both.Wait()
		n.fan()
		ids, checkpoints := sent(t, d, scope)
		if e := n.endpoint(scope); !slices.Equal(checkpoints, []int64{2306}) || e.Checkpoint.Sequence != 2305 || e.Checkpoint.Hash != hashed(ids[:2305]) || e.Chain != hashed(ids) {
			t.Errorf("checkpoints at %v; %+v", checkpoints, e)
		}
	})
}
