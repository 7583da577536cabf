package localprice_test

import (
	"testing"
	"time"

	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/tilltest"
)

const poland = "/v1/local_price?country=PL&amount=49.00&currency=USD"

func on(till *tilltest.Till) {
	till.T.Helper()
	till.As(till.Shop).Want(200, "PUT", "/v1/merchant/settings", map[string]any{"local_currencies": merchant.LocalCurrencies{Enabled: true}})
}

// asked counts how often Stripe was asked for its rates.
func asked(till *tilltest.Till) (n int) {
	for _, r := range till.Stripe(till.Shop).Requests() {
		if r == "GET /v1/exchange_rates/usd" {
			n++
		}
	}
	return n
}

// Rates are asked for once an hour, whatever prices they are for, and the answer says of when they are.
func TestRatesAreKept(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		on(till)
		for _, step := range []struct {
			wait  time.Duration
			path  string
			asked int
			asOf  string
		}{
			{0, poland, 1, "2026-11-24T12:00:00Z"}, {59 * time.Minute, poland, 1, "2026-11-24T12:00:00Z"}, {0, "/v1/local_price?country=PL&amount=49.00&currency=EUR", 1, "2026-11-24T12:00:00Z"},
			{time.Minute, poland, 2, "2026-11-24T13:00:00Z"}, {24 * time.Hour, poland, 3, "2026-11-25T13:00:00Z"},
		} {
			till.Clock.Advance(step.wait)
			a := till.Get(step.path).Want(200)
			if a.String("data", "rate", "as_of") != step.asOf || a.String("data", "rate", "source") != "stripe" || asked(till) != step.asked {
				t.Errorf("asked %d times, not %d: %s", asked(till), step.asked, a.Raw)
			}
		}
	})
}

// Where Stripe fails, rates of the last day serve; after that the merchant's own do, or nothing does.
func TestStripeFails(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	on(till)
	silent := func() { till.T.Helper(); till.Stripe(till.Shop).Break("error_500", "GET", "/v1/exchange_rates/usd") }
	silent()
	till.Get(poland).Refused(503, "provider_unavailable", "")
	silent()
	if a := till.Get(poland + "&rate=4").Want(200); a.String("data", "amount") != "196.00" || a.At("data", "settlement") != nil {
		t.Errorf("%s", a.Raw)
	}
	till.Get(poland).Want(200)
	till.Clock.Advance(23 * time.Hour)
	silent()
	if a := till.Get(poland).Want(200); a.String("data", "rate", "as_of") != "2026-11-24T12:00:00Z" {
		t.Errorf("%s", a.Raw)
	}
	till.Clock.Advance(2 * time.Hour)
	silent()
	till.Get(poland).Refused(503, "provider_unavailable", "")
	// What needs no rate needs no Stripe.
	silent()
	if a := till.Get("/v1/local_price?country=US&amount=49.00&currency=USD").Want(200); a.String("data", "settlement", "net") != "47.28" {
		t.Errorf("%s", a.Raw)
	}
}
