package cli_test

import (
	"strings"
	"testing"

	"github.com/till-pay/till/internal/tilltest"
)

func TestExport(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	paid := till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201).ID()
	status, out, errs := asShop(t, till.URL, till.Shop.Key, "export", "payments", "--since", "2026-11-24", "--until", "2026-11-24", "--time-zone", "Europe/Berlin")
	if status != 0 || errs != "" || !strings.HasPrefix(out, "day (Europe/Berlin),") || !strings.Contains(out, "\r\n2026-11-24,2026-11-24T13:00:00+01:00,"+paid+",completed,USD,50.00,50.00,0.00,USD,50.00,1.75,48.25,") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	for _, what := range []string{"refunds", "payout-lines"} {
		if status, out, errs := asShop(t, till.URL, till.Shop.Key, "export", what); status != 0 || strings.Count(out, "\r\n") != 1 {
			t.Errorf("%s: %d %s %s", what, status, out, errs)
		}
	}
	if status, out, errs := asShop(t, till.URL, till.Shop.Key, "export", "payments", "--time-zone", "Mars"); status != 1 || out != "" || !strings.Contains(errs, "such as Europe/Berlin") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	if status, _, errs := asShop(t, till.URL, "till_test_wrong", "export", "payments"); status != 1 || !strings.Contains(errs, "API key") {
		t.Errorf("%d %s", status, errs)
	}
}
