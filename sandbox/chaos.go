package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chaos is what a world does wrong on purpose: one scripted fault of the API and one of webhook delivery at a time. (The word fault
// alone is till's for errors.)
type chaos struct {
	api     *fault
	webhook *fault
	held    []chan struct{} // replies kept back until they are released
}

// Bounds of faults, in real time: how long a hung or held request stays open at most.
const (
	maxHang = 5 * time.Minute
	maxHeld = 1000
)

// The kinds of faults.
const (
	timeoutBefore = "timeout_before_effect" // nothing happens and no answer comes
	timeoutAfter  = "timeout_after_effect"  // it happens and no answer comes
	error500      = "error_500"             // Stripe's own failure; kept under the idempotency key as Stripe does
	error429      = "error_429"             // too many requests; nothing happens
	cut           = "cut"                   // it happens and the connection is cut without an answer
	truncated     = "truncated"             // it happens and half of the answer comes
	hold          = "hold"                  // it happens and the answer is kept back until it is released

	lost    = "lost"    // a webhook is never sent, and counts as delivered
	doubled = "doubled" // a webhook is sent twice
	delayed = "delayed" // a webhook is sent later
)

var apiFaults = []string{timeoutBefore, timeoutAfter, error500, error429, cut, truncated, hold}
var webhookFaults = []string{lost, doubled, delayed}

// fault is one scripted fault. It waits for the Nth request, or webhook, that matches, counted from when it was set.
type fault struct {
	Method      string `json:"method"` // empty matches any
	Path        string `json:"path"`   // a path, or its beginning with a final *; a {x} segment matches any one; empty matches any
	Event       string `json:"event"`  // type of a webhook's event, or its beginning with a final *; empty matches any
	Nth         int    `json:"nth"`
	Kind        string `json:"kind"`
	AfterEffect bool   `json:"after_effect"` // of error_500: it happens all the same
	Seconds     int64  `json:"seconds"`      // of delayed: how much later, on the world's clock

	seen int
}

// check refuses a fault that says nothing sensible.
func (f *fault) check() string {
	switch {
	case !slices.Contains(apiFaults, f.Kind) && !slices.Contains(webhookFaults, f.Kind):
		return "kind is one of " + strings.Join(append(slices.Clone(apiFaults), webhookFaults...), ", ")
	case f.Nth < 0 || f.Nth > 1_000_000:
		return "nth is 1 to 1000000"
	case f.Seconds < 0 || f.Seconds > int64(maxAdvance/time.Second):
		return "seconds is at least 0 and at most ten years"
	case f.Kind == delayed && f.Seconds == 0:
		return "delayed needs seconds"
	case f.isWebhook() && (f.Method != "" || f.Path != ""):
		return f.Kind + " is about webhooks: it takes event, not method and path"
	case !f.isWebhook() && f.Event != "":
		return f.Kind + " is about requests: it takes method and path, not event"
	}
	return ""
}

func (f *fault) isWebhook() bool { return slices.Contains(webhookFaults, f.Kind) }

// script sets a fault; it takes the place of one that has not happened yet.
func (w *world) script(f *fault) {
	if f.Nth == 0 {
		f.Nth = 1
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.isWebhook() {
		w.webhook = f
	} else {
		w.api = f
	}
}

// scripted gives the fault whose turn it is with this request, nil when there is none.
func (w *world) scripted(method, path string) *fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.api
	if f == nil || f.Method != "" && f.Method != method || !matchesPath(f.Path, path) {
		return nil
	}
	if f.seen++; f.seen < f.Nth {
		return nil
	}
	w.api = nil
	return f
}

func matchesPath(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	if start, open := strings.CutSuffix(pattern, "*"); open && !strings.Contains(start, "{") {
		return strings.HasPrefix(path, start)
	}
	want, is := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(is) {
		return false
	}
	for i := range want {
		if want[i] != is[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// breakBefore carries out a fault that comes before anything happens, and says whether it has.
func (x *exchange) breakBefore(f *fault) bool {
	switch {
	case f == nil:
		return false
	case f.Kind == timeoutBefore:
		x.note(0)
		x.hang()
	case f.Kind == error429:
		x.note(http.StatusTooManyRequests)
		x.fail(&apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "rate_limit",
			message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
			header:  [][2]string{{"Stripe-Rate-Limited-Reason", "endpoint-rate"}}})
	default:
		return false
	}
	return true
}

// note logs a request that never reached its operation; status 0 is no answer.
func (x *exchange) note(status int) {
	w := x.world
	w.mu.Lock()
	defer w.mu.Unlock()
	x.id = w.newShortID("req_")
	w.log.add(logged{At: w.now(), Method: x.request.Method, Path: x.request.URL.Path, Key: x.request.Header.Get("Idempotency-Key"), Status: status, ID: x.id})
}

// sendBroken sends an answer as a fault would have it.
func (x *exchange) sendBroken(f *fault, answer *reply) {
	switch f.Kind {
	case timeoutAfter:
		x.hang()
	case cut:
		panic(http.ErrAbortHandler) // ends the connection without a word
	case truncated:
		x.head(answer)
		x.out.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
		x.out.WriteHeader(answer.status)
		_, _ = x.out.Write(answer.body[:len(answer.body)/2])
		_ = http.NewResponseController(x.out).Flush()
		panic(http.ErrAbortHandler)
	case hold:
		x.hold()
		x.send(answer)
	default:
		x.send(answer)
	}
}

// fails says whether the request is to fail with Stripe's own failure.
func (f *fault) fails() bool { return f != nil && f.Kind == error500 }

// failure is what error_500 answers.
func (f *fault) failure() error {
	return &apiError{status: http.StatusInternalServerError, kind: apiFailure, executed: true,
		message: "An unknown error occurred. Please contact support@stripe.com if this persists. (This failure was scripted under /_sandbox/faults.)"}
}

// hang keeps the connection open without an answer until the caller gives up.
func (x *exchange) hang() {
	select {
	case <-x.request.Context().Done():
	case <-x.sandbox.live.Done():
	case <-time.After(maxHang):
	}
	panic(http.ErrAbortHandler)
}

// hold waits until the reply is released. Meanwhile its idempotency key is in use.
func (x *exchange) hold() {
	w := x.world
	released := make(chan struct{})
	w.mu.Lock()
	if len(w.held) >= maxHeld {
		x.first.let()
		w.mu.Unlock()
		return
	}
	w.held = append(w.held, released)
	w.mu.Unlock()
	select {
	case <-released:
	case <-x.request.Context().Done():
	case <-x.sandbox.live.Done():
	case <-time.After(maxHang):
	}
	w.mu.Lock()
	x.first.let()
	w.held = slices.DeleteFunc(w.held, func(c chan struct{}) bool { return c == released })
	w.mu.Unlock()
}

// release lets go of every held reply and says how many there were.
func (w *world) releaseHeld() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.held)
	for _, c := range w.held {
		close(c)
	}
	w.held = nil
	return n
}

// mishap carries out a scripted fault of a webhook, and says whether it is to be sent now.
func (w *world) mishap(d delivery, event *record) bool {
	f := w.webhook
	if f == nil || f.Event != "" && !matchesType(f.Event, event.text("type")) || d.Spared {
		return true
	}
	if f.seen++; f.seen < f.Nth {
		return true
	}
	w.webhook = nil
	switch f.Kind {
	case lost:
		w.reached(event)
		return false
	case doubled:
		w.enqueue(delivery{Event: d.Event, Endpoint: d.Endpoint, Spared: true})
		return true
	default:
		w.enqueueIn(time.Duration(f.Seconds)*time.Second, delivery{Event: d.Event, Endpoint: d.Endpoint, Spared: true})
		return false
	}
}
