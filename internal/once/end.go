package once

import (
	"context"
	"errors"
	"fmt"

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

// end sends a call, again where that is safe and useful, until its outcome is certain. An error leaves it open.
func (o *Once) end(ctx context.Context, c *Call) (ending, error) {
	s, ok := o.steps[c.Name]
	if !ok {
		return ending{}, fmt.Errorf("once: no steps for %q", c.Name)
	}
	if !c.Unsure && o.clock.Now().After(c.ResolveBy) {
		return ending{s.Refuse(*c, neverBegan()), refused, neverBegan()}, nil
	}
	if c.Attempts > 0 && o.lookFirst(c) {
		return o.look(ctx, s, c, neverBegan())
	}
	var last error
	for n := range sends {
		if n > 0 {
			if err := o.sleep(ctx, n-1); err != nil {
				return ending{}, last
			}
		}
		// The first send of a fresh claim is the only one that nothing was sent before; Unsure is then only what a crash must find.
		before := c.Unsure && c.Attempts > 0
		c.Attempts++
		c.SentAt = o.clock.Now()
		decide, err := s.Send(ctx, *c)
		switch stripe.Meaning(err) {
		case stripe.Answered:
			if err == nil {
				return ending{decide, done, nil}, nil
			}
			said, _ := stripe.As(err) // a decline without an object: Stripe did nothing but say no
			return ending{s.Refuse(*c, said), refused, said}, nil
		case stripe.Refused, stripe.BadCredentials:
			said, _ := stripe.As(err)
			if !before {
				return ending{s.Refuse(*c, said), refused, said}, nil
			}
			return o.look(ctx, s, c, said)
		case stripe.NotExecuted:
			c.Unsure = before
		case stripe.Unknown:
			c.Unsure = true
			if stripe.StoredFailure(last, err) || answeredFinally(err) {
				said, _ := stripe.As(err)
				return o.look(ctx, s, c, said)
			}
		}
		last = err
	}
	return ending{}, last
}

// answeredFinally says that Stripe answered and forbids the repeat: only a look-up can tell.
func answeredFinally(err error) bool {
	said, ok := stripe.As(err)
	return ok && said.Status >= 500 && !stripe.MayRepeat(err)
}

// lookFirst says that sending again under the same key is no longer safe, or no longer wanted.
func (o *Once) lookFirst(c *Call) bool {
	now := o.clock.Now()
	return c.Position != "" || now.Sub(c.ClaimedAt) > forgets || now.After(c.ResolveBy)
}

// look asks Stripe what an earlier send did. Where nothing is there, the call is over with the given reason; but a send that never
// answered may still be on its way, and only time tells.
func (o *Once) look(ctx context.Context, s Steps, c *Call, why *stripe.Error) (ending, error) {
	decide, err := s.Find(ctx, *c)
	var more *Pending
	switch {
	case err == nil:
		return ending{decide, done, nil}, nil
	case errors.As(err, &more):
		c.Position = more.Position
		return ending{}, err
	case !errors.Is(err, Absent):
		return ending{}, err
	}
	c.Position = ""
	if why.Status == 0 && c.Unsure && o.clock.Now().Before(c.SentAt.Add(settled)) {
		return ending{}, err
	}
	return ending{s.Refuse(*c, why), refused, why}, nil
}

// neverBegan is the reason of a call that was given up because Stripe could not be reached in time.
func neverBegan() *stripe.Error {
	return &stripe.Error{Code: string(fault.ProviderUnavailable), Message: "Stripe could not be reached in time; nothing was charged or changed."}
}

func (o *Once) sleep(ctx context.Context, n int) error {
	select {
	case <-o.clock.After(pause(n)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle writes what became of a call and closes it, in one commit. Where another node has closed it already there is nothing to do.
func (o *Once) settle(ctx context.Context, c Call, e ending) error {
	for range 3 { // a database that blinks must not cost another send
		err := o.db.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
			_, isOpen, err := find(ctx, o.db, c.Scope, c.Key)
			if err != nil || !isOpen {
				return nil, err
			}
			changes, err := e.decide(ctx)
			return append(changes, closed(c, e, o.clock.Now())), err
		})
		if err == nil || !fault.Is(err, fault.DatabaseUnavailable) && !fault.Is(err, fault.StateConflict) {
			return err
		}
		if o.sleep(ctx, 0) != nil {
			return err
		}
	}
	return errors.New("the outcome is known but could not be written")
}
