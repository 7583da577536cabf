package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
)

// The bounds of what one node sends at a time. An endpoint whose last answer was a failure gets one place only, so that a few dead
// or slow ones cannot fill the desk.
const (
	places      = 16
	perEndpoint = 6
	perFailing  = 1
)

// lease is how long a node has for one attempt: well above the time-out of an attempt and of the writes around it. When it ends
// unanswered, the node is taken for dead and the delivery is made again.
const lease = 25 * time.Second

// Deliver takes deliveries that are due, as many as there are free places, starts to send them and does not wait for their end: a
// slow endpoint holds up nobody else. A send that ends wakes the task. It says whether there may be more to take now.
func (o *Outbox) Deliver(ctx context.Context) (more bool, err error) {
	o.turns.Lock()
	defer o.turns.Unlock()
	free := o.desk.free()
	if free == 0 {
		return false, nil
	}
	waiting, err := o.waiting(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range waiting {
		taken, err := o.take(ctx, p, min(free, o.desk.room(p)))
		if err != nil {
			return false, err
		}
		for _, d := range taken {
			o.start(ctx, d)
		}
		more = more || len(taken) > 0
		if free -= len(taken); free == 0 {
			o.last = p
			return false, nil
		}
	}
	o.last = place{}
	return more, nil
}

// waiting are endpoints with something due, beginning after the one that the last turn ended with, so that each gets its turn.
func (o *Outbox) waiting(ctx context.Context) ([]place, error) {
	now, machine := o.Clock.Now(), o.Clock.Machine().Now()
	found, err := due(ctx, o.DB, now, machine, o.last)
	if err != nil || len(found) == placesPerTurn || o.last == (place{}) {
		return found, err
	}
	rest, err := due(ctx, o.DB, now, machine, place{})
	return append(found, rest...), err
}

// take leases deliveries of an endpoint that are due, at most n.
func (o *Outbox) take(ctx context.Context, p place, n int) ([]Delivery, error) {
	if n <= 0 {
		return nil, nil
	}
	var taken []Delivery
	err := o.DB.Tx(ctx, func(tx db.Tx) (err error) {
		taken, err = claim(ctx, tx, p, n, o.Clock.Now(), o.Clock.Machine().Now())
		return err
	})
	return taken, err
}

// start sends a delivery in the background. The turn that took it may end before: its context must not cut the attempt.
func (o *Outbox) start(ctx context.Context, d Delivery) {
	if !o.desk.begin(d) {
		return // this node is at it already, and has not kept within its lease
	}
	ctx = context.WithoutCancel(ctx)
	o.desk.ended.Go(func() {
		ok, err := o.attempt(ctx, d)
		if err != nil { // nothing is written down: when the lease ends the delivery is made again
			o.Log.LogAttrs(ctx, slog.LevelError, "webhook delivery not settled", slog.String("delivery", d.ID), slog.String("merchant", d.Merchant), slog.Any("error", err))
		}
		o.desk.end(d, ok)
		o.wake(DeliverTask)
	})
}

// attempt sends a delivery once and writes down what came of it. An error is our own trouble, not the merchant's; so is a panic.
func (o *Outbox) attempt(ctx context.Context, d Delivery) (ok bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	p, err := o.parcel(ctx, d)
	if err != nil {
		return false, err
	}
	started, at := time.Now(), o.Clock.Now()
	status, failure := o.post(ctx, p)
	a := Attempt{Number: d.Attempts + 1, StartedAt: at, took: time.Since(started), StatusCode: int64(status), Error: failure}
	err = o.DB.Write(ctx, settle(d, a, o.Clock.Now())...)
	if db.IsMoved(err) {
		err = nil // our lease had ended and another node was first: its attempt counts
	}
	return failure == "", err
}

// parcel is what is sent for a delivery: to the endpoint's URL of now, signed with its secrets of now.
func (o *Outbox) parcel(ctx context.Context, d Delivery) (parcel, error) {
	e, err := event.Get(ctx, o.DB, d.Scope, d.EventID)
	if err != nil {
		return parcel{}, err
	}
	endpoint, err := o.Merchants.Endpoint(ctx, d.Scope)
	if err != nil {
		return parcel{}, err
	}
	secrets, err := o.Merchants.EndpointSecrets(ctx, endpoint)
	if err != nil {
		return parcel{}, err
	}
	text, err := body(e, d.Sequence)
	if err != nil {
		return parcel{}, err
	}
	p := parcel{url: endpoint.URL, id: e.ID, at: o.Clock.Machine().Now(), body: text}
	p.signature, err = sign(secrets, p.id, p.at, p.body)
	return p, err
}

// place is an endpoint in its scope.
type place struct {
	db.Scope
	endpoint string
}

// desk is what this node is sending.
type desk struct {
	mu      sync.Mutex
	sending map[string]bool // by delivery
	busy    map[place]int
	failing map[place]bool
	ended   sync.WaitGroup
}

func (d *desk) free() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return places - len(d.sending)
}

// room is how many more may be sent to an endpoint now.
func (d *desk) room(p place) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failing[p] {
		return perFailing - d.busy[p]
	}
	return perEndpoint - d.busy[p]
}

// begin takes a place, unless the delivery holds one already.
func (d *desk) begin(v Delivery) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sending == nil {
		d.sending, d.busy, d.failing = map[string]bool{}, map[place]int{}, map[place]bool{}
	}
	if d.sending[v.ID] {
		return false
	}
	d.sending[v.ID] = true
	d.busy[v.place()]++
	return true
}

func (d *desk) end(v Delivery, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := v.place()
	delete(d.sending, v.ID)
	if d.busy[p]--; d.busy[p] == 0 {
		delete(d.busy, p)
	}
	if ok {
		delete(d.failing, p)
	} else {
		d.failing[p] = true
	}
}
