package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// A fee of Stripe's that has changed is named with its transaction, until somebody accepts it: then it is shown beside the remainder.
func TestReconcileAccepts(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	run, says := commands(t, till)
	pay := func(amount string) {
		t.Helper()
		till.Post("/v1/payments", `{"amount":"`+amount+`","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
	}
	pay("20.00")
	till.Stripe(till.Shop).Control("POST", "/_sandbox/account", map[string]any{"card_fee": map[string]any{"percent": "3.1", "fixed": 30}})
	pay("50.00")
	pay("10.00")
	till.Clock.Advance(time.Minute)
	till.Stripe(till.Shop).Now()
	out, _ := run(1, "reconcile", "--json")
	var found struct {
		Items []struct{ Line, Amount string }
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || len(found.Items) != 2 {
		t.Fatal(err, out)
	}
	out, _ = run(1, "reconcile")
	says(out, "✗ unexplained remainder -0.12 USD What makes the remainder:", "-0.10 USD charge ch_", "-0.02 USD charge ch_", found.Items[0].Line+" Stripe took a fee of", found.Items[1].Line+" Stripe took a fee of")

	for want, args := range map[string][]string{"--accept and --note go together": {"--accept", "txn_1"}, "go together": {"--note", "why"}, "txn_1: ": {"--accept", "txn_1", "--note", "why"}} {
		_, errs := run(1, append([]string{"reconcile"}, args...)...)
		says(errs, want)
	}
	both := found.Items[0].Line + "," + found.Items[1].Line
	for range 2 { // repeated, it changes nothing
		out, _ = run(0, "reconcile", "--accept", both, "--note", "=the new price")
		says(out, "✓ unexplained remainder 0.00 USD; accepted -0.12 USD", "Accepted, and not in the remainder:", "-0.10 USD charge ch_", "1.85 USD, and 1.75 USD was foretold. Accepted 2026-11-24", ": =the new price")
	}
	out, _ = run(0, "balance")
	says(out, "UNEXPLAINED ACCEPTED", " 0.00 0.00 0.00 -0.12 Accepted", ": =the new price")
	out, _ = run(0, "reconcile", "--csv", "-")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][19] != "accepted" {
		t.Fatal(err, out)
	}
	for _, row := range rows[1:] {
		if held := row[19:]; row[6] == "accepted" && (row[11] != "0.00" || held[0] == "0.00" || held[1] != "'=the new price" || held[2] == "") || row[6] != "accepted" && held[0]+held[1]+held[2] != "" {
			t.Errorf("%q", row)
		}
	}
	till.Clock.Advance(4 * 24 * time.Hour)
	till.Stripe(till.Shop).Now()
	run(0, "reconcile")
	var payouts struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(till.Stripe(till.Shop).Do("GET", "/v1/payouts", "").Want(200).Raw, &payouts); err != nil || len(payouts.Data) != 1 {
		t.Fatal(err, payouts)
	}
	out, _ = run(0, "reconcile", "--payout", payouts.Data[0].ID)
	says(out, "✓ remainder of the payout 0.00 USD; accepted -0.12 USD of its lines", "1.75 USD was foretold. Accepted: =the new price")
	out, _ = run(0, "reconcile", "--help")
	says(out, `till reconcile --accept txn_1…,txn_3… --note "`)
}
