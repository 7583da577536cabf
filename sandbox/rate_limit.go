package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// The reasons that Stripe-Rate-Limited-Reason gives (docs.stripe.com/rate-limits).
const (
	globalRate   = "global-rate"
	endpointRate = "endpoint-rate"
	resourceRate = "resource-specific"
)

var limitReasons = []string{globalRate, "global-concurrency", endpointRate, "endpoint-concurrency", resourceRate}

// rateLimits is how much a world takes while the limits are switched on. Each limit lets as many requests through at once as it allows
// in its time, and then as many as the time that passes on the world's clock makes room for: where the clock stands still, none.
type rateLimits struct {
	On              bool  `json:"on"`
	Global          int64 `json:"global"`           // a second
	Endpoint        int64 `json:"endpoint"`         // a second, of each operation
	FilesRead       int64 `json:"files_read"`       // a second
	FilesWrite      int64 `json:"files_write"`      // a second
	Search          int64 `json:"search"`           // a second, of all searches together
	PayoutCreations int64 `json:"payout_creations"` // a second
	IntentUpdates   int64 `json:"intent_updates"`   // an hour, of each PaymentIntent
}

// testLimits are the limits of a sandbox account (docs.stripe.com/rate-limits, 2025). Those of payouts and of updates are Stripe's in
// the words of others.
var testLimits = rateLimits{Global: 25, Endpoint: 25, FilesRead: 20, FilesWrite: 20, Search: 20, PayoutCreations: 15, IntentUpdates: 1000}

// maxRateLimit bounds what a limit can be set to. It keeps the interval between two requests above zero.
const maxRateLimit = 1_000_000

// maxBuckets is how many limits are counted at once before those that are not in use are forgotten.
const maxBuckets = 10_000

// limiter is a world's rate limits and how far each has been used up: by its name, when it will be as if unused. (This is the generic
// cell rate algorithm: a token bucket that needs one number.)
type limiter struct {
	limits rateLimits
	used   map[string]time.Time
}

// limited refuses a request that comes too soon after others; without limits it costs nothing.
func (x *exchange) limited() *apiError {
	w := x.world
	if !w.limits.On {
		return nil
	}
	if !w.take("global", w.limits.Global, time.Second) {
		return rateLimited(globalRate)
	}
	if !x.matched {
		return nil
	}
	name, limit := x.op.String(), w.limits.Endpoint
	switch path := x.op.Path(); {
	case strings.HasSuffix(path, "/search"):
		name, limit = "search", w.limits.Search
	case strings.HasPrefix(path, "/v1/files") && x.request.Method == http.MethodGet:
		name, limit = "files read", w.limits.FilesRead
	case strings.HasPrefix(path, "/v1/files"):
		name, limit = "files write", w.limits.FilesWrite
	case name == "POST /v1/payouts":
		limit = w.limits.PayoutCreations
	}
	if !w.take(name, limit, time.Second) {
		return rateLimited(endpointRate)
	}
	if x.realm.byID[x.intent] != nil && !w.take(x.intent, w.limits.IntentUpdates, time.Hour) {
		return rateLimited(resourceRate)
	}
	return nil
}

// take uses up one of what a limit allows in a time, and says whether there was one left.
func (w *world) take(name string, limit int64, in time.Duration) bool {
	now := w.now()
	w.forgetBuckets(now)
	after := w.used[name]
	if after.Before(now) {
		after = now
	}
	after = after.Add(in / time.Duration(limit))
	if after.Sub(now) > in {
		return false
	}
	w.used[name] = after
	return true
}

func (w *world) forgetBuckets(now time.Time) {
	if w.used == nil {
		w.used = map[string]time.Time{}
	}
	if len(w.used) < maxBuckets {
		return
	}
	for name, after := range w.used {
		if !after.After(now) {
			delete(w.used, name)
		}
	}
	if len(w.used) >= maxBuckets { // so many intents within moments: they begin anew
		clear(w.used)
	}
}

// rateLimited is Stripe's answer to a request that comes too soon.
func rateLimited(reason string) *apiError {
	return &apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "rate_limit",
		message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
		header:  [][2]string{{"Stripe-Rate-Limited-Reason", reason}}}
}

func showLimits(w *realm, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limits, nil
}

// setLimits switches the limits on or off. What is left out is Stripe's.
func setLimits(w *realm, _ *http.Request, body []byte) (any, error) {
	limits := testLimits
	if err := readControl(body, &limits); err != nil {
		return nil, err
	}
	for _, one := range []int64{limits.Global, limits.Endpoint, limits.FilesRead, limits.FilesWrite, limits.Search, limits.PayoutCreations, limits.IntentUpdates} {
		if one < 1 || one > maxRateLimit {
			return nil, badControl("A limit is 1 to 1000000.")
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits, w.used = limits, nil
	return limits, nil
}
