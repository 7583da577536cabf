package once

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

// ending is how a call ended: what to write, and the state that its record gets.
type ending struct {
	decide Decide
	state  string
	why    *stripe.Error // of a refusal
}

// The states of a call's record.
const (
	open    = "open"
	done    = "done"
	refused = "refused" // Stripe certainly did nothing
)

func refusal(s Steps, c *Call, why *stripe.Error) ending {
	return ending{s.Refuse(*c, why), refused, why}
}

// end sends a call, again where that is safe and useful, until its outcome is certain. An error leaves it open.
func (o *Once) end(ctx context.Context, c *Call) (ending, error) {
	s, ok := o.steps[c.Name]
	if !ok {
		return ending{}, fmt.Errorf("once: no steps for %q", c.Name)
	}
	var last error
	for n := range sends {
		if n > 0 && o.sleep(ctx, n-1) != nil {
			return ending{}, last
		}
		switch c.Next(o.clock.Now()) {
		case Look:
			return o.look(ctx, s, c, neverBegan(), false)
		case Refuse:
			return refusal(s, c, neverBegan()), nil
		}
		before := *c
		if err := o.sending(ctx, c); err != nil {
			return ending{}, errors.Join(err, last)
		}
		if crash.Bug("key_dropped") {
			c.ProviderKey += fmt.Sprint("-", c.Attempts)
		}
		now := o.machine.Now()
		if !c.MaySend(now) { // the process stood still since the record: nothing has left, and nothing may
			c.Unsure, c.SentAt, last = before.Unsure, before.SentAt, errStoodStill
			c.trail.add(entry{id: sendID(c.Attempts), Attempt: Attempt{At: o.clock.Now(), Kind: "send", Answer: meanings[stripe.NotExecuted]}})
			continue
		}
		decide, err := o.send(stripe.LeaveBy(ctx, time.Now().Add(c.leavesWithin(now))), s, c)
		said, _ := stripe.As(err)
		switch c.Heard(before, err, last) {
		case Done:
			return ending{decide, done, nil}, nil
		case Refuse:
			return refusal(s, c, said), nil
		case Look:
			return o.look(ctx, s, c, said, stripe.Over(err))
		}
		last = err
	}
	return ending{}, last
}

// errStoodStill says that a send was recorded and not made, for its time was over.
var errStoodStill = errors.New("the process stood still for too long to send")

// sending notes that a send begins. What is written is what a crash from here on must find: that it may have worked. The claim has
// written that of the first send. It misses where another node has taken the call up, or has closed it.
func (o *Once) sending(ctx context.Context, c *Call) error {
	first := c.FirstSend()
	*c = c.Sending(o.machine.Now())
	if first {
		return nil
	}
	return c.trail.kept(o.db.Write(ctx, append([]db.Change{begun(*c)}, c.trail.begins(*c, o.clock.Now())...)...))
}

// look asks Stripe what an earlier send did. Where nothing is there the call is over, with the given reason, once nothing of it can be
// on its way any more: because the execution is over, or because time enough has passed since the last send that may have worked.
func (o *Once) look(ctx context.Context, s Steps, c *Call, why *stripe.Error, over bool) (ending, error) {
	began := o.machine.Now()
	c.leaps = clock.Leaps(o.clock)
	decide, err := o.lookUp(ctx, s, c)
	switch c.Looked(err, over, began) {
	case Done:
		return ending{decide, done, nil}, nil
	case Refuse:
		return refusal(s, c, why), nil
	}
	return ending{}, err
}

// neverBegan is the reason of a call that was given up because Stripe could not be reached in time.
func neverBegan() *stripe.Error {
	return &stripe.Error{Code: string(fault.ProviderUnavailable), Message: "Stripe could not be reached in time; nothing was charged or changed."}
}

func (o *Once) sleep(ctx context.Context, n int) error {
	select {
	case <-o.machine.After(pause(n)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle writes what became of a call and closes it, in one commit. Where it is closed already there is nothing to do; and only the node
// that has the call may say that nothing happened, for another's send may be on its way.
func (o *Once) settle(ctx context.Context, c Call, e ending) error {
	var err error
	for n := range 3 { // a database that blinks must not cost another send
		if n > 0 && o.sleep(ctx, 0) != nil {
			break
		}
		err = o.db.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
			now, isOpen, err := find(ctx, o.db, c.Scope, c.Key)
			switch {
			case err != nil:
				return nil, err
			case !isOpen || !now.yields(c, e.state):
				return c.trail.changes(c), nil
			}
			changes, err := e.decide(ctx)
			return append(append(changes, closed(c, e, o.clock.Now())), c.trail.changes(c)...), err
		})
		if !fault.Is(err, fault.DatabaseUnavailable) && !fault.Is(err, fault.StateConflict) {
			break
		}
	}
	return err
}
