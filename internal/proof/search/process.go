package search

import (
	"fmt"

	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
)

// process is a piece of work on a node, between two of its steps: what it has in memory, which a crash takes.
type process struct {
	kind work
	node int
	pc   step

	call   int        // of a call
	c      *once.Call // never changed: a step makes another
	before *once.Call
	sends  int
	reply  *answer // of a request that has arrived, and not come back yet
	last   *answer // to the send before
	end    once.Step

	event   int    // of an event, or of the payment's sweep
	answer  answer // what it has in hand
	fetched bool   // the answer was fetched, not carried

	was  *payment.Payment // as it was read
	wasR *refund.Refund
}

type work int

const (
	idle work = iota
	calling
	hearing  // an event
	sweeping // the payment past its time
)

// The steps of a piece of work, in the order of production.
type step int

const (
	ready   step = iota // decide whether to send
	waiting             // for the answer; the request is on the wire
	looking             // a look-up follows
	reading             // the row is read next
	writing             // the outcome is written next
	fetch               // Stripe is asked for the object as it is
	ask                 // the sweep claims a cancellation
)

func (p *process) key(k []byte, w *world) []byte {
	if p.kind == idle {
		return append(k, '.')
	}
	k = append(k, byte('0'+p.kind), byte('0'+p.node), byte('0'+p.pc), flag(p.fetched))
	k = p.answer.key(k)
	if p.kind == calling {
		r := w.records[p.call]
		k = append(k, byte('0'+p.call), flag(p.c.Unsure), flag(p.c.Attempts > 0), flag(p.c.Takes() == r.Takes()), byte('0'+p.sends), byte('0'+p.end), flag(w.over(*p.c)),
			flag(w.now.After(p.c.ResolveBy)))
		if p.last != nil {
			k = p.last.key(k)
		}
		if p.pc == waiting {
			k = append(k, flag(p.before.Unsure), flag(w.maySend(*p)))
			if p.reply != nil {
				k = p.reply.key(k)
			}
		}
	} else {
		k = append(k, byte('0'+p.event))
	}
	if p.pc == writing { // a row that has moved since will miss, whatever it was
		k = append(k, flag(p.was.Same(*w.pay)), flag(!w.asked || p.wasR.Same(*w.ref)))
	}
	return k
}

// decide is the outcome of what a process has in hand, from the rows that it read: the functions of the rooms.
func (p *process) decide(w *world) (payment.Outcome, *refund.Outcome) {
	attempts := int64(0)
	if p.kind == calling {
		attempts = p.c.Attempts
	}
	switch {
	case p.kind == calling && p.call == giveBack && p.end == once.Refuse:
		o := refund.Refused(*p.wasR, p.answer.err, attempts, *p.was, w.now)
		return payment.Outcome{}, &o
	case p.answer.re != nil:
		o := refund.Answered(*p.wasR, *p.answer.re, attempts, *p.was, w.now)
		return payment.Outcome{}, &o
	case p.kind == calling && p.call == create && p.end == once.Refuse:
		return payment.Refused(*p.was, p.answer.err, attempts, w.now), nil
	case p.kind == calling && p.call != create:
		seen := p.answer.pi
		if p.end == once.Refuse {
			seen = p.answer.err.PaymentIntent
		}
		return payment.Ended(*p.was, callNames[p.call], seen, w.now), nil
	}
	return payment.Answered(*p.was, *p.answer.pi, attempts, w.now), nil
}

// The answers that a faulty line gives, each of which happens in production.
var (
	timeout   = &stripe.Error{Cause: fmt.Errorf("time-out")}
	limited   = &stripe.Error{Status: 429, Type: "invalid_request_error", Code: "rate_limit"}
	failed    = &stripe.Error{Status: 500, Type: "api_error", Message: "stored"}
	inUse     = &stripe.Error{Status: 409, Type: "idempotency_error", Code: "idempotency_key_in_use"}
	noKey     = &stripe.Error{Status: 401, Type: "invalid_request_error", Code: "api_key_expired"}
	nothing   = once.Never()
	noAnswer  = answer{err: timeout}
	lookFails = &stripe.Error{Status: 503, Type: "api_error"}
)
