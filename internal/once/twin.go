package once

import (
	"time"

	"github.com/till-pay/till/internal/stripe"
)

// Record is a call as the database keeps it, in memory: the twin of the table that the model checker (internal/proof/search) works on.
// Each function below is one of the statements in store.go, its guard included; false is a guard that missed. A test holds both against each
// other on both engines.
type Record struct {
	Call
	State string // open, done or refused; or held, and then open or dropped
}

// Claimed is a call that a caller claims at a moment, and what is kept of it: the record says already that the first send may have worked.
func Claimed(c Call, now, machine time.Time) (Call, Record) {
	c.claim(now, machine)
	kept := c
	kept.Unsure, kept.Attempts = true, 1
	return c, Record{kept, open}
}

// Begun records one more send before it is made.
func (r Record) Begun(c Call) (Record, bool) {
	if r.takes != c.takes || r.State != open {
		return r, false
	}
	r.Unsure, r.Attempts, r.SentAt = true, c.Attempts, c.SentAt
	return r, true
}

// Take gets a call whose lease has ended.
func (r Record) Take(now time.Time) (Record, bool) {
	if r.State != open || r.lease.After(now) {
		return r, false
	}
	r.takes++
	r.lease = now.Add(lease)
	return r, true
}

// Leased says whether a node has the call.
func (r Record) Leased(now time.Time) bool { return r.State == open && r.lease.After(now) }

// Settle closes a call as its holder found it to have ended: done, or refused. It misses where the call is closed, and where the holder may
// not say so.
func (r Record) Settle(c Call, step Step) (Record, bool) {
	state := done
	if step == Refuse {
		state = refused
	}
	if r.State != open || !r.yields(c, state) {
		return r, false
	}
	r.State, r.Attempts, r.SentAt, r.Position = state, c.Attempts, c.SentAt, ""
	return r, true
}

// Release leaves a call for the recovery to take up from a moment on. It does nothing where another node has taken it.
func (r Record) Release(c Call, until time.Time) Record {
	if r.State != open || r.takes != c.takes {
		return r
	}
	r.lease, r.Unsure, r.Attempts, r.SentAt, r.Position = until, c.Unsure, c.Attempts, c.SentAt, c.Position
	return r
}

// IsOpen says whether the call has not ended yet.
func (r Record) IsOpen() bool { return r.State == open }

// Takes is how often a node has taken the call.
func (c Call) Takes() int64 { return c.takes }

// Never is the reason of a call that was given up because Stripe could not be reached in time.
func Never() *stripe.Error { return neverBegan() }

// The times of once that a model must know.
const (
	LeaseFor     = lease
	SettledAfter = settled
)

// Kept is the record of a call whose holder has kept its lease until a moment.
func (r Record) Kept(now time.Time) Record {
	if r.State == open {
		r.lease = now.Add(lease)
	}
	return r
}

// Held is a call that is claimed and not sent.
func Held(c Call, now, machine time.Time) Record {
	c.claim(now, machine)
	return Record{c, held}
}

// Opened lets a held call go: the record then says that its first send may have worked. The call is that of who opened it.
func (r Record) Opened(now, machine time.Time) (Call, Record, bool) {
	if r.State != held {
		return Call{}, r, false
	}
	c := r.Call
	c.begins(now, machine)
	r.Call, r.State = c, open
	r.Unsure, r.Attempts = true, 1
	return c, r, true
}

// Dropped ends a held call without a send.
func (r Record) Dropped() (Record, bool) {
	if r.State != held {
		return r, false
	}
	r.State = dropped
	return r, true
}
