package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/tilltest"
)

// An accountant reads the books, closes a day, keeps a head, and finds what somebody has changed.
func TestLedger(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	run, says := commands(t, till, "ledger")
	if _, errs := run(0, "trial-balance"); !strings.Contains(errs, "Nothing is booked.") {
		t.Error(errs)
	}
	out, _ := run(0, "verify")
	says(out, "Nothing is chained yet. All that was posted is in it.")
	till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
	if err := till.Books.ChainAll(t.Context(), till.Shop.Scope); err != nil {
		t.Fatal(err)
	}
	out, _ = run(0, "trial-balance", "--as-of", "2026-11-24")
	says(out, "assets:stripe 0.00 50.00 0.00 50.00 USD", "income:sales 0.00 0.00 50.00 -50.00 USD", " 0.00 USD")
	out, _ = run(0, "head")
	says(out, "All that was posted is in it.", "2026-11-24 ")
	out, _ = run(0, "head", "--json")
	var tip, head struct{ Sequence int64 }
	lines := strings.SplitN(out, "\n", 3)
	if json.Unmarshal([]byte(lines[0]), &tip) != nil || json.Unmarshal([]byte(lines[1]), &head) != nil || tip.Sequence == 0 || tip != head {
		t.Error(out)
	}
	if _, errs := run(1, "close", "--through", "2026-11-24"); !strings.Contains(errs, "2026-11-24 can be closed from 2026-11-25T01:00:00Z on") {
		t.Error(errs)
	}
	till.Clock.Advance(13 * time.Hour)
	out, _ = run(0, "close", "--through", "2026-11-24")
	says(out, "expected assets:stripe 50.00 USD", "Closed through 2026-11-24. The close is in the chain: ")
	kept := strings.Fields(out)[len(strings.Fields(out))-1]
	out, _ = run(0, "verify")
	says(out, "Verified: rows 1 to ", "The head is "+kept)
	out, _ = run(0, "verify", "--from", kept)
	says(out, "Verified: the chain holds row ", " as it was kept, and nothing was chained after it.")
	if err := till.DB.Write(t.Context(), db.Change{SQL: `update ledger_entries set amount = amount - 100 where account = 'assets:stripe'`, Rows: 1}); err != nil {
		t.Fatal(err)
	}
	out, errs := run(1, "verify")
	says(out, `line 0: amount was "5000" when it was chained and is "4900".`)
	says(errs, "1 thing is not as it was chained")
	out, _ = run(1, "verify", "--json")
	says(out, `"column":"amount"`)
}
