package task_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/task"
)

// node is a till of its own on the shared database: its connections, its clock, its runner. waits hears each time its runner
// settles down to wait, so that a test knows when it has looked.
type node struct {
	*task.Runner
	db    *db.DB
	clock *clock.Fake
	waits chan struct{}
	log   *safeBuffer
	stop  context.CancelFunc
}

func (n *node) Now() time.Time { return n.clock.Now() }

func (n *node) Machine() clock.Clock { return n }

func (n *node) After(d time.Duration) <-chan time.Time {
	c := n.clock.After(d)
	n.waits <- struct{}{}
	return c
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t *testing.T, url string, tasks ...task.Task) *node {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	n := &node{db: d, clock: clock.NewFake(time.Unix(0, 0)), waits: make(chan struct{}, 1000), log: &safeBuffer{}, stop: stop}
	n.Runner = task.NewRunner(d, n, slog.New(slog.NewTextHandler(n.log, nil)), tasks...)
	n.Start(ctx)
	t.Cleanup(func() { stop(); n.Wait(); d.Close() })
	return n
}

// soon waits for something that must happen, and ends the test where it does not.
func soon[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// runs is a task that tells of each of its runs.
func runs(name string) (task.Task, chan struct{}) {
	ran := make(chan struct{}, 1000)
	return task.Task{Name: name, Every: time.Minute, Run: func(context.Context) (bool, error) { ran <- struct{}{}; return false, nil }}, ran
}

func TestOneNodeRunsATaskAtATime(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		firsts, firstRan := runs("outbox")
		seconds, secondRan := runs("outbox")
		first := start(t, url, firsts)
		soon(t, "the first run", firstRan)
		soon(t, "the first node to wait", first.waits)

		second := start(t, url, seconds)
		soon(t, "the second node to look", second.waits)
		for range 5 {
			second.Wake("outbox")
			soon(t, "the second node to look again", second.waits)
		}
		if len(secondRan) != 0 {
			t.Fatal("both nodes run the task")
		}
		first.Wake("outbox")
		soon(t, "the first node to go on", firstRan)

		first.stop()
		first.Wait()
		second.Wake("outbox")
		soon(t, "the second node to take over", secondRan)
	})
}

// A node that died says nothing more: its lease ends by itself, and not before.
func TestLeaseOfADeadNode(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		until := func(at time.Time) {
			t.Helper()
			if err := d.Write(t.Context(), db.Change{SQL: `insert into leases (name, holder, until) values ('sweep', 'dead', $1)
				on conflict (name) do update set until = excluded.until`, Args: []any{at.UnixMicro()}, Rows: 1}); err != nil {
				t.Fatal(err)
			}
		}
		until(time.Now().Add(time.Hour))
		sweeps, ran := runs("sweep")
		n := start(t, url, sweeps)
		soon(t, "the node to look", n.waits)
		if len(ran) != 0 {
			t.Fatal("it ran under another node's lease")
		}
		until(time.Now().Add(-time.Second))
		n.Wake("sweep")
		soon(t, "the task to be taken over", ran)
	})
}

func TestWhenATaskLooks(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		ran := make(chan struct{}, 100)
		var left atomic.Int64
		n := start(t, url, task.Task{Name: "due", Every: time.Minute, Run: func(context.Context) (bool, error) {
			ran <- struct{}{}
			return left.Add(-1) > 0, nil
		}})
		soon(t, "the look at start", ran)
		soon(t, "the wait", n.waits)

		n.clock.Advance(59 * time.Second)
		if len(ran) != 0 {
			t.Error("it looked before its time")
		}
		n.clock.Advance(time.Second)
		soon(t, "the look after a minute", ran)
		soon(t, "the wait", n.waits)

		left.Store(3) // more is due: it goes on at once, and then waits
		n.Wake("due")
		for range 3 {
			soon(t, "the look for more", ran)
		}
		soon(t, "the wait", n.waits)
		if len(ran) != 0 {
			t.Error("it ran on though nothing was due")
		}
		n.Wake("no such task") // does nothing
	})
}

// Work that comes while a run is in progress is not missed, however often it is announced.
func TestWakeWhileRunning(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		entered, leave := make(chan struct{}, 100), make(chan struct{})
		n := start(t, url, task.Task{Name: "due", Every: time.Hour, Run: func(context.Context) (bool, error) {
			entered <- struct{}{}
			<-leave
			return false, nil
		}})
		soon(t, "the run", entered)
		for range 10 {
			n.Wake("due")
		}
		leave <- struct{}{}
		soon(t, "the run for what came in between", entered)
		leave <- struct{}{}
		soon(t, "the wait", n.waits)
		soon(t, "the wait", n.waits)
		if len(entered) != 0 {
			t.Error("ten wakes became more than one run")
		}
	})
}

func TestFailingTaskStopsNothing(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		failed, panicked := make(chan struct{}, 100), make(chan struct{}, 100)
		well, ran := runs("well")
		n := start(t, url,
			task.Task{Name: "fails", Every: time.Minute, Run: func(context.Context) (bool, error) { failed <- struct{}{}; return true, errors.New("disk full") }},
			task.Task{Name: "panics", Every: time.Minute, Run: func(context.Context) (bool, error) { panicked <- struct{}{}; panic("no map") }},
			well)
		for range 3 {
			soon(t, "the failing task", failed)
			soon(t, "the panicking task", panicked)
			soon(t, "the task that does well", ran)
			for range 3 {
				soon(t, "all three to wait", n.waits)
			}
			if len(failed)+len(panicked)+len(ran) != 0 {
				t.Fatal("a failure is tried again without a pause")
			}
			n.clock.Advance(time.Minute)
		}
		log := n.log.String()
		for _, words := range []string{`task=fails error="disk full"`, "task=panics", "panic: no map", "task_test.go"} {
			if !strings.Contains(log, words) {
				t.Errorf("the log lacks %s: %s", words, log)
			}
		}
	})
}

// A run in progress may finish when the runner is stopped, and the lease is given up at once.
func TestStopWaitsForARun(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		entered, leave := make(chan struct{}), make(chan struct{})
		var inTime atomic.Bool
		n := start(t, url, task.Task{Name: "long", Every: time.Hour, Run: func(ctx context.Context) (bool, error) {
			close(entered)
			<-leave
			_, bounded := ctx.Deadline()
			inTime.Store(bounded && ctx.Err() == nil)
			return true, nil // more is due, but not for us
		}})
		soon(t, "the run", entered)
		ended := make(chan struct{})
		n.stop()
		go func() { n.Wait(); close(ended) }()
		select {
		case <-ended:
			t.Fatal("it did not wait for the run")
		default:
		}
		close(leave)
		soon(t, "the end", ended)
		if !inTime.Load() {
			t.Error("the run was cut off, or has no bound")
		}
		if held, err := db.All(t.Context(), n.db, db.Value[string], `select name from leases`); err != nil || len(held) != 0 {
			t.Errorf("leases left: %v %v", held, err)
		}
	})
}

// An idle node writes no lease at each look: only when the one it has runs low.
func TestLookingCostsNoWrite(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		quiet, ran := runs("quiet")
		n := start(t, url, quiet)
		lease := func() int64 {
			t.Helper()
			soon(t, "the run", ran)
			soon(t, "the wait", n.waits)
			until, err := db.One(t.Context(), n.db, db.Value[int64], `select until from leases where name = 'quiet'`)
			if err != nil {
				t.Fatal(err)
			}
			return until
		}
		first := lease()
		for range 5 {
			n.Wake("quiet")
			if again := lease(); again != first {
				t.Fatal("the lease was written again")
			}
		}
	})
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		due, ran := runs("due")
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		ctx, stop := context.WithCancel(context.Background())
		n := &node{clock: clock.NewFake(time.Unix(0, 0)), waits: make(chan struct{}, 1000), log: &safeBuffer{}}
		n.Runner = task.NewRunner(d, n, slog.New(slog.NewTextHandler(n.log, nil)), due)
		n.Start(ctx)
		soon(t, "the wait", n.waits)
		stop()
		n.Wait()
		if len(ran) != 0 || !strings.Contains(n.log.String(), "task=due") {
			t.Errorf("ran %d times; log %s", len(ran), n.log)
		}
	})
}
