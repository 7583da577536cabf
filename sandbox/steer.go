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
	TimeoutBeforeEffect = timeoutBefore // nothing happens and no answer comes
	TimeoutAfterEffect  = timeoutAfter  // it happens and no answer comes
	Error500            = error500      // Stripe's own failure, kept under the idempotency key; see Fault.AfterEffect
	Error429            = error429      // too many requests; nothing happens
	Cut                 = cut           // it happens and the connection ends without an answer
	Truncated           = truncated     // it happens and half of the answer comes
	Hold                = hold          // it happens and the answer waits for World.Release
)

// The kinds of a Fault of a webhook's delivery:
const (
	Lost    = lost    // it is never sent, and counts as delivered
	Doubled = doubled // it is sent twice
	Delayed = delayed // it is sent Fault.Seconds later, on the world's clock
)

// Fault is something that goes wrong on purpose, for the Nth request, or webhook, that matches. "The third capture times out after it
// took effect" is
//
//	Fault{Kind: TimeoutAfterEffect, Method: "POST", Path: "/v1/payment_intents/{id}/capture", Nth: 3}
type Fault struct {
	Kind        string `json:"kind"`
	Method      string `json:"method,omitempty"`       // empty is any
	Path        string `json:"path,omitempty"`         // with {id} for any one part, or a final *; empty is any
	Event       string `json:"event,omitempty"`        // type of a webhook's event, or its beginning and *; empty is any
	Nth         int    `json:"nth,omitempty"`          // 0 is the first
	AfterEffect bool   `json:"after_effect,omitempty"` // of Error500: it happens all the same
	Seconds     int64  `json:"seconds,omitempty"`      // of Delayed
}

// Fault scripts a fault.
func (w *World) Fault(f Fault) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/faults", f, nil)
}

// ClearFaults forgets what was scripted and has not happened yet.
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
	IdempotencyKey string    `json:"idempotency_key"`
	Status         int       `json:"status"` // 0 where a fault kept the request from its operation
	ID             string    `json:"request_id"`
}

// Requests are the latest requests of Stripe's API, oldest first.
func (w *World) Requests() []Request {
	w.t.Helper()
	var log struct{ Requests []Request }
	w.Control(http.MethodGet, "/_sandbox/requests", nil, &log)
	return log.Requests
}
