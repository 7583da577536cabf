package app_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// metrics is what /metrics answers, by series.
func metrics(t *testing.T, till *tilltest.Till) map[string]string {
	t.Helper()
	rec := httptest.NewRecorder()
	till.Admin().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(till_\S+(?:\{.*\})?) (\S+)$`).FindAllStringSubmatch(rec.Body.String(), -1) {
		found[m[1]] = m[2]
	}
	return found
}

// Requests are counted by the pattern of their route and the class of their status: ids and paths that nobody has make no series.
func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		paid := till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
		till.Post("/v1/payments", `{}`).Want(400)
		for _, path := range []string{paid.ID(), paid.ID(), "01a1fd79-6551-72c0-aafe-f3eabe2dcf6a"} {
			till.Get("/v1/payments/" + path)
		}
		for _, path := range []string{"/wp-admin", "/.env", "/"} {
			till.Get(path)
		}
		const name = "till_http_request_duration_seconds_count"
		got := metrics(t, till)
		for series, want := range map[string]string{
			`{route="POST /v1/payments",status="2xx"}`: "1", `{route="POST /v1/payments",status="4xx"}`: "1",
			`{route="GET /v1/payments/{id}",status="2xx"}`: "2", `{route="GET /v1/payments/{id}",status="4xx"}`: "1",
			`{route="unknown",status="4xx"}`: "2", `{route="GET /{$}",status="2xx"}`: "1", `{route="PUT /v1/merchant/providers",status="2xx"}`: "1",
		} {
			if got[name+series] != want {
				t.Errorf("%s is %q, not %s", series, got[name+series], want)
			}
		}
		for series := range got {
			if strings.Contains(series, paid.ID()) || strings.Contains(series, "wp-admin") {
				t.Errorf("a series of its own: %s", series)
			}
		}
		if got["till_calls_stuck"] != "0" || got["till_stripe_events_due"] != "0" || got["till_payments_overdue"] != "0" {
			t.Errorf("the books: %v", got)
		}
	})
}
