package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// passed sends requests until one is refused for coming too soon, or so many, and says how many were not, and the reason.
func (a *api) passed(most int, method, path, form string) (n int, reason string) {
	a.t.Helper()
	for ; n < most; n++ {
		got := a.do(method, path, form)
		if got.status == http.StatusTooManyRequests {
			got.wants(a.t, http.StatusTooManyRequests, map[string]any{"error.code": "rate_limit", "error.type": "invalid_request_error"})
			return n, got.header.Get("Stripe-Rate-Limited-Reason")
		}
	}
	return n, ""
}

// TestRateLimits: how many requests each limit lets through at once, and how many more when time has passed.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limits, method, path string
		want                 int
		reason               string
		wait                 time.Duration
		more                 int
	}{
		"Stripe's":      {`{"on":true}`, "GET", "/v1/customers", 25, "global-rate", time.Second, 25},
		"a part":        {`{"on":true}`, "GET", "/v1/customers", 25, "global-rate", 400 * time.Millisecond, 10},
		"unknown URL":   {`{"on":true,"global":5}`, "GET", "/v1/nothing", 5, "global-rate", time.Second, 5},
		"an endpoint":   {`{"on":true,"global":1000,"endpoint":7}`, "POST", "/v1/customers", 7, "endpoint-rate", time.Second, 7},
		"search":        {`{"on":true,"global":1000}`, "GET", "/v1/customers/search?query=created%3E0", 20, "endpoint-rate", time.Second, 20},
		"files":         {`{"on":true,"global":1000,"files_read":3}`, "GET", "/v1/files", 3, "endpoint-rate", time.Second, 3},
		"writing files": {`{"on":true,"global":1000,"files_write":4}`, "POST", "/v1/files", 4, "endpoint-rate", time.Second, 4},
		"payouts":       {`{"on":true,"global":1000}`, "POST", "/v1/payouts", 15, "endpoint-rate", time.Second, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			if n, _ := a.passed(100, "GET", "/v1/balance", ""); n != 100 {
				t.Errorf("without limits %d passed", n)
			}
			if got := a.control("POST", "/_sandbox/rate_limits", c.limits); got.status != http.StatusOK {
				t.Fatal(got.body)
			}
			if n, reason := a.passed(100, c.method, c.path, ""); n != c.want || reason != c.reason {
				t.Errorf("%d passed, then %s; want %d, %s", n, reason, c.want, c.reason)
			}
			a.clock.Advance(c.wait)
			if n, _ := a.passed(100, c.method, c.path, ""); n != c.more {
				t.Errorf("%d more passed, want %d", n, c.more)
			}
			a.control("POST", "/_sandbox/rate_limits", `{"on":false}`)
			if n, _ := a.passed(100, "GET", "/v1/balance", ""); n != 100 {
				t.Errorf("%d passed after the limits are off", n)
			}
		})
	}
}

// TestIntentUpdates: one PaymentIntent takes so many updates an hour, another is not concerned, and reading it is none.
func TestIntentUpdates(t *testing.T) {
	t.Parallel()
	a := bare(t)
	one := a.must("/v1/payment_intents", "amount=1000&currency=usd").text("id")
	two := a.must("/v1/payment_intents", "amount=1000&currency=usd").text("id")
	a.control("POST", "/_sandbox/rate_limits", `{"on":true,"global":100000,"endpoint":100000}`)
	if n, reason := a.passed(1100, "POST", "/v1/payment_intents/"+one, "description=x"); n != 1000 || reason != "resource-specific" {
		t.Errorf("%d updates, then %s", n, reason)
	}
	a.must("/v1/payment_intents/"+two, "description=x")
	a.get("/v1/payment_intents/"+one, "").wants(t, http.StatusOK, nil)
	a.clock.Advance(time.Hour)
	a.must("/v1/payment_intents/"+one, "description=y")
}

// TestRateLimitsAndKeys: a request that was refused for coming too soon leaves its key free; a world can begin with the limits.
func TestRateLimitsAndKeys(t *testing.T) {
	t.Parallel()
	server, _, key := setup(t, sandbox.WithStart(start), sandbox.WithRate(0), sandbox.WithRateLimits())
	a := &api{t: t, server: server, key: key}
	if n, _ := a.passed(100, "GET", "/v1/balance", ""); n != 25 {
		t.Errorf("%d passed", n)
	}
	a.post("/v1/customers", "", "Idempotency-Key", "k").wants(t, http.StatusTooManyRequests, nil)
	if n, _ := a.passed(100, "GET", "/v1/balance", ""); n != 0 { // time stands still
		t.Errorf("%d passed", n)
	}
	a.control("POST", "/_sandbox/clock/advance", `{"seconds":1}`)
	again := a.post("/v1/customers", "", "Idempotency-Key", "k")
	if again.status != http.StatusOK || again.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%d %v", again.status, again.header)
	}
	for _, wrong := range []string{`{"on":true,"global":0}`, `{"on":true,"endpoint":1000001}`, `{"limit":1}`, `on`} {
		if got := a.control("POST", "/_sandbox/rate_limits", wrong); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
	a.control("GET", "/_sandbox/rate_limits", "").wants(t, http.StatusOK, map[string]any{"on": true, "global": "25", "search": "20", "intent_updates": "1000"})
}
