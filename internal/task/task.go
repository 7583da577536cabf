// Package task runs work that is due: a piece of work is rows with a time in their own table, and a task is the function
// that does what is due now. Nodes share the work: a task runs on one node at a time, by a lease.
package task

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

// Task is one kind of due work.
type Task struct {
	Name string
	// Every is how often it looks, at the least. Wake looks at once.
	Every time.Duration
	// Run does some of what is due and says whether more may be. Its context ends after half a minute, or when the lease is lost.
	// Another node may then do the same work: what must not be done twice has a guard of its own.
	Run func(ctx context.Context) (more bool, err error)
}

const (
	// longest is how long a run may take; its context ends then.
	longest = 30 * time.Second
	// lease is how long a node holds a task without a word: when it dies, another takes over after this. It is renewed when half of it is
	// over, and while a run lasts.
	lease = 10 * time.Second
	// grace is how long a run in progress may go on when the runner is stopped.
	grace = 10 * time.Second
)

// Runner runs tasks until it is stopped.
type Runner struct {
	db     *db.DB
	clock  clock.Clock
	log    *slog.Logger
	holder string
	wake   map[string]chan struct{}
	tasks  []Task
	ended  sync.WaitGroup
}

// NewRunner is a runner of the given tasks, not yet started.
func NewRunner(d *db.DB, c clock.Clock, log *slog.Logger, tasks ...Task) *Runner {
	r := &Runner{db: d, clock: c, log: log, holder: id.New(), wake: map[string]chan struct{}{}, tasks: tasks}
	for _, t := range tasks {
		r.wake[t.Name] = make(chan struct{}, 1)
	}
	return r
}

// Start runs every task in the background until ctx ends. A run in progress then may finish: Wait waits for it.
func (r *Runner) Start(ctx context.Context) {
	for _, t := range r.tasks {
		r.ended.Go(func() { r.loop(ctx, t) })
	}
}

// Wait returns when every task has ended, after Start's context did.
func (r *Runner) Wait() { r.ended.Wait() }

// Wake makes a task look now. It never blocks; waking a task that is about to look anyway does nothing.
func (r *Runner) Wake(name string) {
	select {
	case r.wake[name] <- struct{}{}:
	default:
	}
}

// WakeAll makes every task look now, as when the clock has leapt.
func (r *Runner) WakeAll() {
	for name := range r.wake {
		r.Wake(name)
	}
}

func (r *Runner) loop(ctx context.Context, t Task) {
	var held time.Time // until when this node holds the task
	for ctx.Err() == nil {
		more, err := r.turn(ctx, t, &held)
		if err != nil {
			r.log.LogAttrs(ctx, slog.LevelError, "task failed", slog.String("task", t.Name), slog.Any("error", err))
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.wake[t.Name]:
		case <-r.clock.After(t.Every):
		}
	}
	r.release(t)
}

// turn runs a task once if no other node holds it. A panic is a failure of this task only.
func (r *Runner) turn(ctx context.Context, t Task, held *time.Time) (more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if time.Until(*held) < lease/2 {
		if *held, err = r.take(ctx, t.Name); err != nil || held.IsZero() {
			return false, err
		}
	}
	run, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	defer r.keep(run, cancel, t.Name).Stop()
	return t.Run(run)
}

// keep renews the lease while a run lasts, and ends the run where another node has taken the task. Most runs end before it begins.
func (r *Runner) keep(run context.Context, end context.CancelFunc, name string) *time.Timer {
	const every = lease / 3
	return time.AfterFunc(every, func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for run.Err() == nil {
			if until, err := r.take(run, name); err == nil && until.IsZero() {
				end()
			}
			select { // a database that blinks costs nothing: the lease has time left
			case <-tick.C:
			case <-run.Done():
			}
		}
	})
}

// take gets or renews the lease and says when it ends; the zero time where another node holds it. Leases run on the machines' own
// time: a moved test clock must not end them.
func (r *Runner) take(ctx context.Context, name string) (until time.Time, err error) {
	now := time.Now()
	var n int64
	err = r.db.Tx(ctx, func(tx db.Tx) (err error) { // not by Write: a lease is no step of a story that a proof counts
		n, err = tx.Exec(ctx, `insert into leases (name, holder, until) values ($1, $2, $3)
			on conflict (name) do update set holder = excluded.holder, until = excluded.until
			where leases.holder = excluded.holder or leases.until < $4`, name, r.holder, now.Add(lease).UnixMicro(), now.UnixMicro())
		return err
	})
	if err != nil || n == 0 {
		return time.Time{}, err
	}
	return now.Add(lease), nil
}

func (r *Runner) release(t Task) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `delete from leases where name = $1 and holder = $2`, t.Name, r.holder)
		return err
	})
}
