package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// What was charged in dollars, yen and dinars is reported for people, for programs and for a spreadsheet.
func TestReports(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	run := func(args ...string) (int, string, string) {
		t.Helper()
		return asShop(t, till.URL, till.Shop.Key, append([]string{"report"}, args...)...)
	}
	for _, p := range []string{`"50.00","currency":"USD"`, `"5000","currency":"JPY"`, `"5.000","currency":"KWD"`} {
		till.Post("/v1/payments", `{"amount":`+p+`,"provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
	}
	till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_chargeDeclined"}`).Want(201)
	till.Clock.Advance(5 * time.Minute)
	tilltest.Until(t, "everything to be read", func() bool {
		till.Post("/v1/reconciliation/runs", map[string]any{}).Want(200)
		return till.Get("/v1/reports/currencies").Want(200).At("data", "charges_not_booked") == 0.0
	})
	status, out, errs := run("currencies", "--since", "2d")
	for _, says := range []string{"From 2026-11-22T12:05:00Z", "North America", "3 of 4", "75.00", "25.00", "JPY", "0.00637129", "3.24359", "2.00"} {
		if status != 0 || !strings.Contains(out, says) {
			t.Fatalf("it does not say %q: %d %s %s", says, status, out, errs)
		}
	}
	if status, out, errs = run("consolidation", "--currency", "usd"); status != 0 || !strings.Contains(out, "All in USD.") || strings.Contains(out, "applied 0") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	_, out, _ = run("currencies", "--csv", "pairs")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "paid" || rows[1][0] != "JPY" || rows[2][0] != "KWD" || rows[2][3] != "5.000" || rows[3][0] != "USD" || rows[3][9] != "1.75" {
		t.Errorf("%v, %v", rows, err)
	}
	_, out, _ = run("currencies", "--json")
	var told struct{ Pairs []struct{ Charged string } }
	if err := json.Unmarshal([]byte(out), &told); err != nil || len(told.Pairs) != 3 || told.Pairs[0].Charged != "5000" {
		t.Errorf("%v: %s", err, out)
	}
	for _, wrong := range [][]string{{"currencies", "--csv", "nothing"}, {"currencies", "--csv", "pairs", "--json"}, {"consolidation", "--currency", "QQQ"}} {
		if status, out, errs := run(wrong...); status != 1 || out != "" || errs == "" {
			t.Errorf("%v: %d %q %q", wrong, status, out, errs)
		}
	}
}
