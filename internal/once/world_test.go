package once_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/once"
)

// world is a database, a Stripe and one node or more, in a bubble whose time passes only when everybody waits: hours take no time,
// and nothing depends on how fast the machine is.
type world struct {
	t      *testing.T
	clock  clock.Clock
	db     *db.DB
	stripe *account
	nodes  []*node
}

// node is one process: a Once with its recovery running.
type node struct {
	*once.Once
	halt func()
	up   bool
}

// TestMain makes few histories of what one can think of, for every run has some of its own; -rapid.checks=2500 makes many.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var scope = db.Scope{Merchant: "m", Mode: "test"}

// each runs a test in a world with one node, on both engines.
func each(t *testing.T, test func(*world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { inWorld(t, url, test) })
}

func inWorld(t *testing.T, url string, test func(*world)) { inTime(t, url, clock.Real{}, test) }

// inTime is inWorld in the time of a clock.
func inTime(t *testing.T, url string, c clock.Clock, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		w := &world{t: t, clock: c, db: d, stripe: newAccount(c)}
		w.exec(`create table if not exists works (merchant text not null, mode text not null, id text not null primary key, outcome text not null, told bigint not null)`)
		w.start()
		defer w.close()
		test(w)
	})
}

// start is one more node. It knows the work of this name too.
func (w *world) start(names ...string) *node {
	n := &node{Once: once.New(w.db, w.clock, slog.New(slog.NewTextHandler(io.Discard, nil)))}
	for _, name := range append(names, "work.do") {
		n.Register(name, w.stripe.steps())
	}
	w.nodes = append(w.nodes, n)
	w.resume(n)
	return n
}

// resume runs a node's recovery, as a task would: each second at first, and then less often, for a call may stay open for hours.
func (w *world) resume(n *node) {
	if n.up {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	task, ended := n.Recovery(), make(chan struct{})
	go func() {
		defer close(ended)
		for began := time.Now(); ctx.Err() == nil; {
			if _, err := task.Run(ctx); err != nil && ctx.Err() == nil {
				w.t.Errorf("recovery: %v", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(task.Every + pace(time.Since(began))):
			}
		}
	}()
	n.up, n.halt = true, func() { cancel(); <-ended; n.up = false }
}

func pace(old time.Duration) time.Duration {
	switch {
	case old > 3*time.Hour:
		return 10 * time.Minute
	case old > 20*time.Minute:
		return time.Minute
	}
	return min(old/30, 9*time.Second)
}

func (w *world) close() {
	for _, n := range w.nodes {
		if n.up {
			n.halt()
		}
		n.Close(context.Background())
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if err := w.db.Tx(context.Background(), func(tx db.Tx) error { _, err := tx.Exec(context.Background(), sql, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
}

// work is the insertion of the row that a call is about.
func work(row string) db.Change {
	return db.Change{SQL: `insert into works (merchant, mode, id, outcome, told) values ($1, $2, $3, '', 0)`, Args: []any{scope.Merchant, scope.Mode, row}, Rows: 1}
}

// ends is the decision that a row's work has ended so.
func ends(c once.Call, outcome string) once.Decide {
	return func(context.Context) ([]db.Change, error) {
		return []db.Change{{SQL: `update works set outcome = $4, told = told + 1 where merchant = $1 and mode = $2 and id = $3`, Args: []any{c.Merchant, c.Mode, c.Row, outcome}, Rows: 1}}, nil
	}
}

func call(row, key string) once.Call {
	return once.Call{Scope: scope, Name: "work.do", Key: once.MerchantKey(key), Input: []any{"do", 5000}, Row: row, ProviderKey: "till-" + row + "-do", Generation: 1}
}

// do runs the call of a row on the first node, with the row as its key.
func (w *world) do(row string) {
	w.t.Helper()
	if got, replayed, err := w.nodes[0].Run(context.Background(), call(row, row), work(row)); err != nil || replayed || got != row {
		w.t.Errorf("%s: ran %q, replayed %v: %v", row, got, replayed, err)
	}
}

// record is what the database holds of a call.
type record struct {
	state, outcome, reason, position string
	told, attempts, takes            int64
	unsure                           bool
}

func (w *world) record(row string) record {
	w.t.Helper()
	r, err := db.One(context.Background(), w.db, func(r db.Row) (x record, err error) {
		return x, r.Scan(&x.state, &x.outcome, &x.reason, &x.position, &x.told, &x.attempts, &x.takes, &x.unsure)
	}, `select c.state, w.outcome, c.error, c.position, w.told, c.attempts, c.takes, c.unsure from calls c join works w on w.merchant = c.merchant and w.mode = c.mode and w.id = c.row_id
		where c.merchant = $1 and c.mode = $2 and c.row_id = $3`, scope.Merchant, scope.Mode, row)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// settled waits until a call is closed, and says how long that took. It gives up after two days.
func (w *world) settled(row string) (record, time.Duration) {
	w.t.Helper()
	began := time.Now()
	for every := 250 * time.Millisecond; time.Since(began) < 48*time.Hour; every = min(every*5/4, 30*time.Second) {
		if r := w.record(row); r.state != "open" {
			return r, time.Since(began)
		}
		time.Sleep(every)
	}
	w.t.Errorf("two days later the call of %s is still open: %+v", row, w.record(row))
	return record{}, 0
}

// agree holds a closed call against what Stripe has.
func (w *world) agree(row string) {
	w.t.Helper()
	if wrong := w.disagreement(row); wrong != "" {
		w.t.Errorf("%s: %s", row, wrong)
	}
}

// disagreement says what is wrong between a closed call, its row and Stripe; "" where nothing is.
func (w *world) disagreement(row string) string {
	r, charges := w.record(row), len(w.stripe.was(row).effect)
	switch {
	case charges > 1:
		return fmt.Sprintf("charged %d times: %+v", charges, r)
	case (r.outcome == "charged") != (charges == 1):
		return fmt.Sprintf("%d charges: %+v", charges, r)
	case r.told != 1:
		return fmt.Sprintf("settled %d times: %+v", r.told, r)
	case (r.state == "refused") != strings.HasPrefix(r.outcome, "refused"):
		return fmt.Sprintf("the state is not the outcome: %+v", r)
	case r.state != "done" && r.state != "refused":
		return fmt.Sprintf("not closed: %+v", r)
	}
	return ""
}
