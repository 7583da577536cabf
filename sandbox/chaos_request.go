package sandbox

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// scripted finds out what is to go wrong with the request.
func (x *exchange) scripted(form string) {
	w := x.world
	if !w.armed.Load() {
		return
	}
	_ = w.step(func() { // the request's own step tells of a failure
		x.fault, x.slowBefore, x.slowAfter = w.meets(false, func(f *fault) bool { return f.aboutRequest(x.request, form) })
	})
}

// breakBefore carries out a fault that comes before anything happens, and says whether it has.
func (x *exchange) breakBefore(form string) bool {
	x.pause(x.slowBefore)
	f := x.fault
	if f == nil {
		return false
	}
	switch f.Kind {
	case timeoutBefore:
		x.note(form, 0, "")
		x.hang()
	case refuse:
		x.note(form, 0, "")
		panic(http.ErrAbortHandler)
	case error502:
		if f.AfterEffect {
			return false
		}
		x.note(form, http.StatusBadGateway, "")
		x.sendGateway()
	case error429:
		x.refuse(form, rateLimited(f.Reason))
	case lockTimeout:
		x.refuse(form, locked())
	case error409:
		x.refuse(form, keyInUse(x.key))
	default:
		return false
	}
	return true
}

// locked is what Stripe answers while an object is being changed by another request or by Stripe itself.
func locked() *apiError {
	return &apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "lock_timeout",
		message: "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.",
		header:  [][2]string{{"Stripe-Should-Retry", "true"}}}
}

// refuse answers a request that never reached its operation.
func (x *exchange) refuse(form string, e *apiError) {
	x.note(form, e.status, e.code)
	x.fail(e)
}

// note logs a request that never reached its operation; status 0 is no answer.
func (x *exchange) note(form string, status int, code string) {
	_ = x.world.step(func() { // nothing has happened that could be lost
		x.id = x.world.home.newShortID("req_")
		x.log(form, status, code)
	})
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
	case error502:
		x.sendGateway()
	case hold:
		x.hold()
		x.send(answer)
	default:
		x.send(answer)
	}
}

// sendGateway answers as a gateway does that cannot reach what is behind it. Stripe's clients take that for a broken connection.
func (x *exchange) sendGateway() {
	const page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
	h := x.out.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	x.out.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(x.out, page) // a caller who has gone is no business of ours
}

// fails says whether the request is to fail with Stripe's own failure.
func (f *fault) fails() bool { return f != nil && f.Kind == error500 }

// failure is what error_500 answers.
func (f *fault) failure() error {
	return &apiError{status: http.StatusInternalServerError, kind: apiFailure, executed: true,
		message: "An unknown error occurred. Please contact support@stripe.com if this persists. (This failure was scripted under /_sandbox/faults.)"}
}

// pause lets real time pass, less when the caller gives up or the sandbox ends.
func (x *exchange) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-x.request.Context().Done():
	case <-x.sandbox.live.Done():
	case <-timer.C:
	}
}

// hang keeps the connection open without an answer until the caller gives up.
func (x *exchange) hang() {
	x.pause(maxHang)
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

// releaseHeld lets go of every held reply and says how many there were.
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
