package payout_test

import (
	"strings"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

// Stripe is told when to pay out; what it would refuse is refused before it hears of it, and what it refuses is said in its words.
func TestTheScheduleIsSet(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	put := func(body string) tilltest.Answer {
		t.Helper()
		return till.As(till.Shop).Do("PUT", "/v1/payouts/schedule", body)
	}
	for range 2 {
		if a := put(`{"interval":"weekly","weekly_payout_days":["friday"]}`).Want(200); a.String("data", "interval") != "weekly" || a.String("data", "weekly_payout_days", 0) != "friday" {
			t.Errorf("%s", a.Raw)
		}
	}
	if is := till.Stripe(till.Shop).Do("GET", "/v1/balance_settings", "").Want(200); is.String("payments", "payouts", "schedule", "interval") != "weekly" {
		t.Errorf("%s", is.Raw)
	}
	before := len(till.Stripe(till.Shop).Requests())
	for body, param := range map[string]string{
		`{"interval":"weekly"}`: "weekly_payout_days", `{"interval":"weekly","weekly_payout_days":["sunday"]}`: "weekly_payout_days", `{"interval":"daily","weekly_payout_days":["friday"]}`: "weekly_payout_days",
		`{"interval":"monthly"}`: "monthly_payout_days", `{"interval":"monthly","monthly_payout_days":[0]}`: "monthly_payout_days",
	} {
		put(body).Refused(400, "parameter_invalid", param)
	}
	for _, r := range till.Stripe(till.Shop).Requests()[before:] {
		if strings.HasPrefix(r, "POST /v1/balance_settings") {
			t.Error("Stripe was asked for a schedule that is none")
		}
	}
	till.Stripe(till.Shop).Break("error_500", "POST", "/v1/balance_settings")
	put(`{"interval":"manual"}`).Refused(503, "provider_unavailable", "")
	put(`{"interval":"manual"}`).Want(200)
}
