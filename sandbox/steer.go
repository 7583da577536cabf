package sandbox

import (
	"net/http"
	"time"
)

// Now is what the world's clock shows.
func (w *World) Now() time.Time {
	w.t.Helper()
	return w.clock(http.MethodGet, "", nil)
}

// Advance lets time pass on the world's clock. When it returns, everything has happened that falls due on the way, in order: what
// settles, expires, is tried again. It gives the time that the clock shows then.
func (w *World) Advance(d time.Duration) time.Time {
	w.t.Helper()
	if d%time.Second != 0 {
		return w.AdvanceTo(w.Now().Add(d))
	}
	return w.clock(http.MethodPost, "/advance", map[string]int64{"seconds": int64(d / time.Second)})
}

// AdvanceTo lets time pass until the clock shows a time, which must not be past.
func (w *World) AdvanceTo(at time.Time) time.Time {
	w.t.Helper()
	return w.clock(http.MethodPost, "/advance", map[string]time.Time{"to": at})
}

// Freeze stops the clock: from then on only Advance moves it.
func (w *World) Freeze() time.Time {
	w.t.Helper()
	return w.clock(http.MethodPost, "", map[string]string{"mode": "frozen"})
}

// FreezeAt stops the clock at a time. Only the clock of a world that holds no objects yet can be set back.
func (w *World) FreezeAt(at time.Time) time.Time {
	w.t.Helper()
	return w.clock(http.MethodPost, "", map[string]any{"mode": "frozen", "now": at})
}

// Run lets the clock go on by itself: rate is how many seconds pass in the world while one passes outside, 1 to 86400.
func (w *World) Run(rate int) time.Time {
	w.t.Helper()
	if rate == 1 {
		return w.clock(http.MethodPost, "", map[string]string{"mode": "real"})
	}
	return w.clock(http.MethodPost, "", map[string]any{"mode": "faster", "rate": rate})
}

func (w *World) clock(method, path string, in any) time.Time {
	w.t.Helper()
	var clock struct{ Now time.Time }
	w.Control(method, "/_sandbox/clock"+path, in, &clock)
	return clock.Now
}

// The kinds of a Fault. Of a request:
const (
	TimeoutBeforeEffect = timeoutBefore  // nothing happens and no answer comes
	TimeoutAfterEffect  = timeoutAfter   // it happens and no answer comes
	Error500            = error500       // Stripe's own failure, kept under the idempotency key; see Fault.AfterEffect
	Error502            = error502       // a gateway's failure, in HTML; see Fault.AfterEffect
	Error429            = error429       // too many requests; nothing happens; see Fault.Reason
	Error409            = error409       // the idempotency key is in use by another request; nothing happens
	LockTimeout         = lockTimeout    // 429: the object is being changed by another request; nothing happens
	Slow                = slow           // it takes Fault.Milliseconds longer, beside other faults
	Refuse              = refuse         // the connection ends before anything happens
	Cut                 = cut            // it happens and the connection ends without an answer
	Truncated           = truncated      // it happens and half of the answer comes
	Hold                = hold           // it happens and the answer waits for World.Release
	BankDeclines        = issuerDeclines // the card's bank declines the charge that the request makes; see Fault.Reason
)

// The kinds of a Fault of a webhook's delivery:
const (
	Lost      = lost      // it is never sent, and counts as delivered
	Doubled   = doubled   // it is sent twice
	Delayed   = delayed   // it is sent Fault.Seconds later, on the world's clock
	Reordered = reordered // it is sent once Fault.Behind later ones of its endpoint have gone first
	Corrupted = corrupted // it is sent with a signature that is not right
)

// Fault is a rule of what goes wrong on purpose: of the requests, or webhooks, that match, it strikes the Nth. "The third capture times
// out after it took effect" is
//
//	Fault{Kind: TimeoutAfterEffect, Method: "POST", Path: "/v1/payment_intents/{id}/capture", Nth: 3}
//
// There may be a hundred rules at once. A request, or webhook, meets the first of them whose turn it is.
type Fault struct {
	Kind string `json:"kind"`

	Method   string            `json:"method,omitempty"`   // empty is any
	Path     string            `json:"path,omitempty"`     // with {id} for any one part, or a final *; empty is any
	Form     map[string]string `json:"form,omitempty"`     // parameters that the request must have, such as metadata[order]
	Event    string            `json:"event,omitempty"`    // type of a webhook's event, or its beginning and *; empty is any
	Endpoint string            `json:"endpoint,omitempty"` // id of a webhook's endpoint; empty is any

	Nth         int       `json:"nth,omitempty"`         // 0 is the first, or where Every is set the Every-th
	Every       int       `json:"every,omitempty"`       // from the Nth on each so many-th
	Probability float64   `json:"probability,omitempty"` // from the Nth on each by chance, which the seed decides: between 0 and 1
	Times       int       `json:"times,omitempty"`       // how often at most; 0 is once, and without an end with Every, Probability, From or Until
	From        time.Time `json:"from,omitzero"`         // on the world's clock
	Until       time.Time `json:"until,omitzero"`        // on the world's clock: from then on no more

	AfterEffect  bool   `json:"after_effect,omitempty"` // of Error500 and Error502: it happens all the same; of Slow: it happens at once
	Milliseconds int64  `json:"milliseconds,omitempty"` // of Slow: in real time, a minute at most
	Seconds      int64  `json:"seconds,omitempty"`      // of Delayed; of Reordered: how much later at the latest, 0 is a minute
	Behind       int    `json:"behind,omitempty"`       // of Reordered; 0 is one
	Reason       string `json:"reason,omitempty"`       // of Error429: Stripe-Rate-Limited-Reason; empty is endpoint-rate; of BankDeclines: the decline code
}

// Fault adds a rule and gives its id.
func (w *World) Fault(f Fault) string {
	w.t.Helper()
	var made struct{ ID string }
	w.Control(http.MethodPost, "/_sandbox/faults", f, &made)
	return made.ID
}

// Struck is how many requests, or webhooks, a rule has met so far.
func (w *World) Struck(id string) int {
	w.t.Helper()
	var all struct {
		Faults []struct {
			ID     string
			Struck int
		}
	}
	w.Control(http.MethodGet, "/_sandbox/faults", nil, &all)
	for _, one := range all.Faults {
		if one.ID == id {
			return one.Struck
		}
	}
	w.t.Fatalf("sandbox: there is no fault %s here", id)
	return 0
}

// ClearFaults drops all rules.
func (w *World) ClearFaults() {
	w.t.Helper()
	w.Control(http.MethodDelete, "/_sandbox/faults", nil, nil)
}

// Release lets go of the answers that faults of the kind Hold keep back, and says how many there were.
func (w *World) Release() int {
	w.t.Helper()
	var done struct{ Released int }
	w.Control(http.MethodPost, "/_sandbox/faults/release", nil, &done)
	return done.Released
}

// Request is one request of Stripe's API that the world has had.
type Request struct {
	At             time.Time `json:"at"` // on the world's clock
	Method         string    `json:"method"`
	Path           string    `json:"path"`
	Form           string    `json:"form"` // the first 2000 bytes of its parameters, without card numbers, keys and the like
	IdempotencyKey string    `json:"idempotency_key"`
	Status         int       `json:"status"` // 0 where a fault kept the request from its operation
	Code           string    `json:"code"`   // of the error
	Fault          string    `json:"fault"`  // the id of the rule that struck it
	ID             string    `json:"request_id"`
}

// Requests are the latest requests of Stripe's API, oldest first.
func (w *World) Requests() []Request {
	w.t.Helper()
	var log struct{ Requests []Request }
	w.Control(http.MethodGet, "/_sandbox/requests", nil, &log)
	return log.Requests
}

// Quiet waits until no webhook is queued or under way, ten seconds of real time at most; what waits for a later time of the world's
// clock does not keep it. It ends the test when that takes longer.
func (w *World) Quiet() {
	w.t.Helper()
	var got struct {
		Idle            bool
		Queued, Sending int
	}
	w.Control(http.MethodPost, "/_sandbox/webhooks/wait", map[string]int{"seconds": 10}, &got)
	if !got.Idle {
		w.t.Fatalf("sandbox: after ten seconds %d webhooks are queued and %d under way", got.Queued, got.Sending)
	}
}

// Resend sends an event once more to every endpoint that wants its type, as stripe events resend does, beside its other tries.
func (w *World) Resend(event string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/webhooks/send", map[string]string{"event": event}, nil)
}

// LimitRates holds the world to Stripe's rate limits of test mode, on its own clock, or no longer.
func (w *World) LimitRates(on bool) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/rate_limits", map[string]bool{"on": on}, nil)
}
