// Package once makes a call to Stripe that moves money happen once, however often it is asked for and whatever crashes.
//
//	claim    one commit: the key is taken and the row written, with all that the send needs. Keys are never deleted.
//	send     no transaction is open. It starts from the row alone, under a key of ours: till-<row>-<call>.
//	settle   one commit: what became of it, the ledger, the event, and the call closed. It closes even when a webhook was first.
//	held     a call may be claimed and not sent: Hold takes its key and writes its row, and Open lets it go, once, by a guarded change.
//	recover  a call that was claimed and not settled is taken up again when its lease ends: sent again under the same key,
//	         or, when it is late, only looked up. So no send meets a key that Stripe has forgotten.
//
// What an answer means is the table in stripe/answer.go. The rule of rules: once an answer is unknown, only a success or a
// decline under the same key, or a look-up, settles the call. Unknown is never called failed.
package once

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

// Call is one call to Stripe, as it is claimed and as it is recovered.
type Call struct {
	db.Scope
	Name        string // which Steps it takes: "payment.create"
	Key         string // unique in the scope: MerchantKey(…) or one derived from what the call does
	Input       any    // what was asked, canonically: the same key with other input is refused
	Row         string // the id of the row that the call is about
	ProviderKey string // Stripe's Idempotency-Key
	Generation  int64  // the Stripe account it is for

	Hash      string // of Name and Input; claim fills it
	Unsure    bool   // an earlier send may have worked
	Attempts  int64  // sends so far, this one included
	ClaimedAt time.Time
	SentAt    time.Time // the last send that may have worked began, by the machine's time: what it began may still be under way
	ResolveBy time.Time // it is not sent any more after this
	Position  string    // where a look-up goes on

	lease time.Time // of the machine
	takes int64     // how often a node has taken it: only the node of the last take may say that nothing happened
	leaps bool      // the clock may have leapt since the claim
	trail *trail    // what is to be kept of its attempts; nil where nobody drives it
	asked string    // the request that claimed it
}

// Window is when Stripe made what the call asked for, if it did, by clocks that differ by less than five minutes. Both ends are zero where
// the clock leaps: then it may have been at any time.
func (c Call) Window() (from, to time.Time) {
	const margin = 5 * time.Minute
	if c.leaps {
		return time.Time{}, time.Time{}
	}
	return c.ClaimedAt.Add(-margin), c.SentAt.Add(margin)
}

// MerchantKey is the key of a call that the merchant named by an Idempotency-Key: apart from every key of our own.
func MerchantKey(key string) string { return "merchant:" + key }

// Decide says what to write, from the rows as they stand; it is asked again where they moved.
type Decide func(context.Context) ([]db.Change, error)

// Steps are what a room tells once of one kind of call. Each starts from the row that the call names.
type Steps struct {
	// Send asks Stripe. An error is Stripe's word (stripe.Meaning reads it) or of our own; a decline is no error.
	Send func(context.Context, Call) (Decide, error)
	// Find looks for what an earlier send did; it returns ErrAbsent where Stripe has nothing of it.
	Find func(context.Context, Call) (Decide, error)
	// Refuse takes in that Stripe certainly did nothing, and why.
	Refuse func(Call, *stripe.Error) Decide
}

// ErrAbsent is what Find returns where Stripe has nothing of the call.
var ErrAbsent = errors.New("stripe has nothing of this call")

// Pending is what Find returns where it has not seen everything within its bound; it goes on from Position.
type Pending struct{ Position string }

// Error implements error.
func (*Pending) Error() string { return "the look-up goes on" }

// Sought is what a look-up in one of Stripe's lists has come to: nil where the call's object was found, else what Find returns.
func Sought(found bool, next string, err error) error {
	switch {
	case stripe.Unfinished(err):
		return &Pending{Position: next}
	case err == nil && !found:
		return ErrAbsent
	}
	return err
}

// The times that once lives by.
const (
	wait        = 10 * time.Second // a caller waits no longer in all, then hears "pending"
	lease       = 10 * time.Second // a dead node's calls are taken up after this
	drive       = 80 * time.Second // one node tries no longer at a stretch
	giveUp      = 15 * time.Minute // a call is not sent later than this: a charge hours later would be a surprise, and Stripe drops keys after 24 h (facts §1.7)
	leaves      = 30 * time.Second // after it was recorded, a send has left, or it does not leave any more
	settled     = 5 * time.Minute  // after this, a send that left no trace at Stripe will leave none
	sends       = 4                // the first, and after 1 s, 2 s and 4 s
	longestWait = 10 * time.Minute // between two takes of a call that cannot be settled
)

// Once runs calls. Make it with New.
type Once struct {
	db      *db.DB
	clock   clock.Clock
	machine clock.Clock
	log     *slog.Logger
	steps   map[string]Steps
	mu      sync.Mutex
	running map[string]chan struct{} // closed when this process has done with a call
	taken   int                      // how many of those were taken up by the recovery
	closing bool                     // nothing begins any more
	work    sync.WaitGroup
	ctx     context.Context // ends when the process must go
	stop    context.CancelFunc
}

// New is a Once without any steps yet.
func New(d *db.DB, c clock.Clock, log *slog.Logger) *Once {
	ctx, stop := context.WithCancel(context.Background())
	return &Once{db: d, clock: c, machine: c.Machine(), log: log, steps: map[string]Steps{}, running: map[string]chan struct{}{}, ctx: ctx, stop: stop}
}

// Register tells how calls of a name are made. It is done once, before anything runs.
func (o *Once) Register(name string, s Steps) { o.steps[name] = s }

// Close waits for the calls in flight until ctx ends, then abandons them: the next start recovers them.
func (o *Once) Close(ctx context.Context) {
	o.mu.Lock()
	o.closing = true
	o.mu.Unlock()
	done := make(chan struct{})
	go func() { o.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	o.stop()
	<-done
}

// Run claims a call with the changes that belong to it, makes it, and returns the id of its row. It waits at most 10 seconds: the row tells
// whether the call has ended by then. replayed says that the key had been used before: the row is that of the first time.
// A *db.Moved error says that one of the claim's own guards missed (At counts from 0 in claim).
func (o *Once) Run(ctx context.Context, c Call, claim ...db.Change) (row string, replayed bool, err error) {
	c.asked = api.RequestID(ctx)
	row, replayed, err = o.claim(ctx, &c, open, claim)
	if err == nil && !replayed {
		o.wait(ctx, c, o.begin(c))
	}
	return row, replayed, err
}

// claim takes the key of a call in a state, together with the changes that belong to it; or answers with the call that had the key before.
func (o *Once) claim(ctx context.Context, c *Call, state string, claim []db.Change) (row string, replayed bool, err error) {
	c.claim(o.clock.Now(), o.machine.Now())
	if crash.Bug("dedup_off") {
		c.Key += " " + c.Row
	}
	err = o.db.Write(ctx, append([]db.Change{insert(*c, state)}, claim...)...)
	var moved *db.Moved
	switch {
	case errors.As(err, &moved) && moved.At == 0:
		return o.repeat(ctx, *c)
	case errors.As(err, &moved):
		return "", false, &db.Moved{At: moved.At - 1}
	}
	return c.Row, false, err
}

// claim fills in what insert writes. In memory nothing was sent yet; what insert writes is that the first send may have worked.
func (c *Call) claim(now, machine time.Time) {
	sum := sha256.Sum256([]byte(db.JSON([]any{c.Name, c.Input})))
	c.Hash = hex.EncodeToString(sum[:])
	c.begins(now, machine)
}

// begins sets the times of a call whose first send follows at once.
func (c *Call) begins(now, machine time.Time) {
	c.ClaimedAt, c.ResolveBy, c.SentAt, c.lease, c.takes = now, now.Add(giveUp), machine, machine.Add(lease), 1
}

// repeat answers a key that was used before: with the first call's row, once that call has ended or the wait is over.
func (o *Once) repeat(ctx context.Context, c Call) (row string, replayed bool, err error) {
	first, isOpen, err := find(ctx, o.db, c.Scope, c.Key)
	if err != nil {
		return "", false, err
	}
	reused := first.Name != c.Name || first.Hash != c.Hash
	o.repeated(ctx, first, reused)
	if reused {
		return "", false, fault.New(fault.IdempotencyKeyReused, "Idempotency-Key", "This Idempotency-Key was used before with other input, for %s %s. Use a new key for a new request.", noun(first.Name), first.Row)
	}
	if isOpen {
		o.wait(ctx, first, nil)
	}
	return first.Row, true, nil
}

func noun(name string) string {
	for i := range name {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

// wait returns when a call has ended, here or on another node, or when the caller has waited long enough.
func (o *Once) wait(ctx context.Context, c Call, ended <-chan struct{}) {
	if ended == nil {
		o.mu.Lock()
		ended = o.running[c.id()]
		o.mu.Unlock()
	}
	var look <-chan time.Time
	if ended == nil { // another node has it: only the database tells
		every := time.NewTicker(50 * time.Millisecond)
		defer every.Stop()
		look = every.C
	}
	enough := o.machine.After(wait)
	for {
		select {
		case <-ended:
			return
		case <-enough:
			return
		case <-ctx.Done():
			return
		case <-look:
			if _, isOpen, err := find(ctx, o.db, c.Scope, c.Key); err == nil && !isOpen {
				return
			}
		}
	}
}

// begin makes a call in the background: it goes on when its caller has gone.
func (o *Once) begin(c Call) <-chan struct{} {
	ended := make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		close(ended) // the next start takes it up
		return ended
	}
	o.running[c.id()] = ended
	o.count(c, 1)
	o.work.Go(func() {
		defer func() {
			o.mu.Lock()
			delete(o.running, c.id())
			o.count(c, -1)
			o.mu.Unlock()
			close(ended)
		}()
		ctx, cancel := context.WithTimeout(o.ctx, drive)
		defer cancel()
		o.drive(ctx, c)
	})
	return ended
}

// count keeps taken; the lock is held. A call's first take is its claim.
func (o *Once) count(c Call, n int) {
	if c.takes > 1 {
		o.taken += n
	}
}

func (c Call) id() string { return c.Merchant + "/" + c.Mode + "/" + c.Key }

// drive tries to end a call; where it cannot, it leaves the call for the recovery.
func (o *Once) drive(ctx context.Context, c Call) {
	c.trail = &trail{}
	defer o.heartbeat(ctx, c)()
	err := o.try(ctx, &c)
	if err == nil {
		return
	}
	o.log.LogAttrs(ctx, slog.LevelWarn, "call left open", slog.String("call", c.Name), slog.String("row", c.Row), slog.Int64("attempts", c.Attempts),
		slog.Bool("unsure", c.Unsure), slog.Any("error", err))
	o.release(c, err)
}

// try ends a call and settles it. A panic of a room's step leaves the call open, like any error: it must not take the process down,
// and with it every start that recovers the call.
func (o *Once) try(ctx context.Context, c *Call) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if crash.Bug("settle_before_send") {
		_ = o.db.Write(ctx, closed(*c, ending{state: done}, o.clock.Now()))
	}
	ending, err := o.end(ctx, c)
	if err != nil {
		return err
	}
	return o.settle(ctx, *c, ending)
}

// heartbeat keeps the lease while a call takes long, so that no other node takes it up. The returned function ends it.
func (o *Once) heartbeat(ctx context.Context, c Call) func() {
	stop := make(chan struct{})
	timer := time.AfterFunc(lease/3, func() {
		tick := time.NewTicker(lease / 3)
		defer tick.Stop()
		for {
			if err := o.db.Write(ctx, extend(c, o.machine.Now().Add(lease))); err != nil {
				o.log.LogAttrs(ctx, slog.LevelWarn, "lease not kept", slog.String("call", c.Name), slog.String("row", c.Row), slog.Any("error", err))
			}
			select {
			case <-stop:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() { timer.Stop(); close(stop) }
}

// pause is the wait before the n-th repeat: 1 s, 2 s, 4 s … with jitter of a quarter either way.
func pause(n int) time.Duration {
	d := time.Second << min(n, 10)
	return min(d*3/4+rand.N(d/2), longestWait)
}
