package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// Where each cent is: nothing is left over, then something is, and is named; the lines are a file; the ledger of the merchant is compared and corrected.
func TestReconcile(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	run, says := commands(t, till)
	payment := till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201).ID()
	out, _ := run(0, "reconcile")
	says(out, "one balance transaction of Stripe's read", "✓ unexplained remainder 0.00 USD")
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.csv")
	if err := os.WriteFile(path, []byte("reference,kind,amount,fee,currency,date\n"+payment+",payment,50.00,1.75,USD,2026-11-24\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = run(0, "reconcile", "--ledger", path, "--zone", "Europe/Berlin")
	says(out, "1 entries, 1 as at Stripe, 0 differences", "USD 50.00 1.75 50.00 1.75 0.00 0.00 0.00")

	stripe := till.Stripe(till.Shop)
	stripe.Do("POST", "/v1/payment_intents", "amount=900&currency=usd&confirm=true&payment_method=pm_card_visa&payment_method_types[]=card&description=%3D1%2B1").Want(200)
	till.Clock.Advance(20 * time.Second)
	stripe.Now() // what is booked a moment later is there
	out, errs := run(1, "reconcile", "--no-repair")
	says(out, "✗ unexplained remainder 8.44 USD", "What makes the remainder:", "8.44 USD charge ch_")
	says(errs, "something is left over")
	till.Clock.Advance(2 * time.Minute)
	out, _ = run(0, "reconcile")
	says(out, "✓ unexplained remainder 0.00 USD", "made outside till", "9.00 USD charge ch_", "A charge that was not made by till.")

	corrected := filepath.Join(dir, "corrected.csv")
	out, _ = run(1, "reconcile", "--json", "--ledger", path, "--since", "2d", "--corrected", corrected)
	var found struct {
		Ledger struct {
			Findings []struct{ Finding, Transaction, Difference string }
		}
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || len(found.Ledger.Findings) != 1 || found.Ledger.Findings[0].Finding != "only_at_stripe" || found.Ledger.Findings[0].Difference != "-9.00" {
		t.Errorf("%v %s", err, out)
	}
	run(0, "reconcile", "--ledger", corrected, "--since", "2d")

	out, errs = run(0, "reconcile", "--csv", "-")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][15] != "created_at_utc" || rows[1][8] != "9.00" || !strings.Contains(out, "\r\n") {
		t.Errorf("%v %q", err, out)
	}
	says(errs, "unexplained remainder 0.00 USD")

	out, _ = run(0, "balance")
	says(out, "USD pending 56.69 56.69", "USD total 56.69 56.69 0.00 0.00 0.00 0.00")

	till.Clock.Advance(4 * 24 * time.Hour)
	stripe.Now()
	run(0, "reconcile")
	var payouts struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(stripe.Do("GET", "/v1/payouts", "").Want(200).Raw, &payouts); err != nil || len(payouts.Data) != 1 {
		t.Fatal(err, payouts)
	}
	out, _ = run(0, "reconcile", "--payout", payouts.Data[0].ID, "--csv", filepath.Join(dir, "payout.csv"))
	says(out, "charge 2 59.00 2.31 56.69", "✓ remainder of the payout 0.00 USD")
	if file, err := os.ReadFile(filepath.Join(dir, "payout.csv")); err != nil || strings.Count(string(file), "\r\n") != 4 {
		t.Errorf("%v %s", err, file)
	}

	for want, args := range map[string][]string{"--corrected goes with --ledger": {"--corrected", corrected}, "not \"Mars\"": {"--zone", "Mars"}, "There is no payout po_none": {"--payout", "po_none"},
		"at most a year": {"--since", "400d"}, "no such file": {"--ledger", dir + "/none.csv"}} {
		_, errs := run(1, append([]string{"reconcile"}, args...)...)
		says(errs, want)
	}
}
