package once

import (
	"errors"
	"time"

	"github.com/till-pay/till/internal/stripe"
)

// What follows decides, and does nothing: pure functions of a call and of what was heard. end.go acts on them, and the model checker
// (internal/proof/search) runs the same ones through every order of crashes, silences and answers.

// Step is what to do next with an open call.
type Step int

// The steps.
const (
	Send   Step = iota // ask Stripe, under the call's key
	Look               // ask only what an earlier send did
	Refuse             // it is over: Stripe certainly did nothing
	Done               // it is over: Stripe did it
	Leave              // nothing is certain yet: for the recovery
)

// Next says what to do with a call that has no answer yet: late, it is not sent any more.
func (c Call) Next(now time.Time) Step {
	late := c.Attempts > 0 && now.After(c.ResolveBy)
	switch {
	case c.Unsure && (late || c.Position != ""):
		return Look
	case late:
		return Refuse
	}
	return Send
}

// Sending is the call as a send of it begins at a moment of the machine's time: from here on it may have worked. The first send is the one that
// the claim recorded, with the claim's time.
func (c Call) Sending(machine time.Time) Call {
	if !c.FirstSend() {
		c.SentAt = machine
	}
	c.Unsure = true
	c.Attempts++
	return c
}

// FirstSend says that the next send is the claim's own, which is recorded.
func (c Call) FirstSend() bool { return c.takes == 1 && c.Attempts == 0 }

// MaySend says whether a send that was recorded may still leave: a process that stood still since then must not charge what another has looked
// for meanwhile and not found.
func (c Call) MaySend(machine time.Time) bool { return c.leavesWithin(machine) > 0 }

// leavesWithin is how long a recorded send has to leave; its answer may take the time of any.
func (c Call) leavesWithin(machine time.Time) time.Duration { return c.SentAt.Add(leaves).Sub(machine) }

// Heard takes in the answer to a send: err is what it said, last what the send before it said, before the call as it stood before this send.
// Send as the next step means again, under the same key.
func (c *Call) Heard(before Call, err, last error) Step {
	switch stripe.Meaning(err) {
	case stripe.Answered:
		if err == nil {
			return Done
		}
		return Refuse // a decline without an object: Stripe did nothing but say no
	case stripe.Refused, stripe.BadCredentials:
		if c.Unsure, c.SentAt = before.Unsure, before.SentAt; !c.Unsure {
			return Refuse
		}
		return Look
	case stripe.NotExecuted:
		c.Unsure, c.SentAt = before.Unsure, before.SentAt
	case stripe.Unknown:
		if stripe.Final(err) || stripe.StoredFailure(last, err) {
			return Look
		}
	}
	return Send
}

// Looked takes in the answer to a look-up that began at a moment of the machine's time. over says that no execution can be on its way any more;
// otherwise a look within five minutes of the last send that may have worked proves no absence.
func (c *Call) Looked(err error, over bool, began time.Time) Step {
	still := !over && began.Before(c.SentAt.Add(settled))
	var more *Pending
	switch {
	case err == nil:
		return Done
	case errors.As(err, &more) && !still:
		c.Position = more.Position
	case errors.Is(err, ErrAbsent) && !still:
		return Refuse
	case errors.As(err, &more), errors.Is(err, ErrAbsent), stripe.Meaning(err) == stripe.Refused:
		// A look that began too early proves no absence, and a place in a list that Stripe no longer knows is of no use: begin anew.
		c.Position = ""
	}
	return Leave
}

// yields says whether an open call takes the ending that a holder of it found: whoever knows that it was done, but only the node of the last
// take where it was refused, for another's send may be on its way.
func (c Call) yields(holder Call, state string) bool {
	return state == done || c.takes == holder.takes
}
