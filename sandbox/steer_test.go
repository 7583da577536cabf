package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// TestWorldRules: rules in Go are those of the control API; each says how often it has struck.
func TestWorldRules(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithRate(0), sandbox.WithStart(start))
	list := func() int { return w.Call(http.MethodGet, "/v1/customers", nil, nil) }
	locked := w.Fault(sandbox.Fault{Kind: sandbox.LockTimeout, Path: "/v1/cust*", Every: 2, Times: 2})
	later := w.Fault(sandbox.Fault{Kind: sandbox.Error429, Reason: "global-concurrency", From: start.Add(time.Hour), Until: start.Add(2 * time.Hour)})
	named := w.Fault(sandbox.Fault{Kind: sandbox.Error500, Form: map[string]string{"name": "Ada"}, Probability: 1})
	for i, want := range []int{200, 429, 200, 429, 200, 200} {
		if got := list(); got != want {
			t.Errorf("request %d: %d, want %d", i+1, got, want)
		}
	}
	w.Advance(time.Hour)
	if list() != http.StatusTooManyRequests {
		t.Error("the rule of an hour later does not strike")
	}
	w.Advance(time.Hour)
	if got := w.Call(http.MethodPost, "/v1/customers", url.Values{"name": {"Ada"}}, nil); got != http.StatusInternalServerError {
		t.Errorf("Ada is answered %d", got)
	}
	if got := w.Call(http.MethodPost, "/v1/customers", url.Values{"name": {"Bob"}}, nil); got != http.StatusOK {
		t.Errorf("Bob is answered %d", got)
	}
	if a, b, c := w.Struck(locked), w.Struck(later), w.Struck(named); a != 2 || b != 1 || c != 1 {
		t.Errorf("the rules struck %d, %d and %d times", a, b, c)
	}
	log := w.Requests()
	if second := log[1]; second.Fault != locked || second.Code != "lock_timeout" || second.Path != "/v1/customers" || log[len(log)-1].Form != "name=Bob" {
		t.Errorf("the log has %+v, and at last %+v", second, log[len(log)-1])
	}
}

// TestWorldQuiet: it returns when everything has been taken, however long the receiver takes, and no event is still to reach anybody.
func TestWorldQuiet(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithRate(0))
	entered, let, received := make(chan struct{}, 100), make(chan struct{}), make(chan struct{}, 100)
	w.Deliver(func(string) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-let
			received <- struct{}{}
		})
	}, "customer.created")
	for range 20 {
		w.Call(http.MethodPost, "/v1/customers", nil, nil)
	}
	go func() {
		<-entered
		close(let)
	}()
	w.Quiet()
	w.Resend(w.Events("customer.created")[3].ID)
	w.Quiet()
	if len(received) != 21 {
		t.Errorf("%d webhooks have come", len(received))
	}
	var waiting struct{ Data []struct{ ID string } }
	w.Call(http.MethodGet, "/v1/events", url.Values{"delivery_success": {"false"}}, &waiting)
	if len(waiting.Data) != 0 {
		t.Errorf("%d events have somebody to reach", len(waiting.Data))
	}
}

// TestWorldLimitRates: where the clock stands still twenty-five requests are let through, and all once the limits are off.
func TestWorldLimitRates(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithRate(0))
	w.LimitRates(true)
	for i := range 26 {
		if got := w.Call(http.MethodGet, "/v1/balance", nil, nil); (got == http.StatusOK) != (i < 25) {
			t.Errorf("request %d: %d", i+1, got)
		}
	}
	w.LimitRates(false)
	if got := w.Call(http.MethodGet, "/v1/balance", nil, nil); got != http.StatusOK {
		t.Errorf("without limits: %d", got)
	}
}
