package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
)

const price = "Stripe's price since today"

func accept(till *tilltest.Till, line, note string) tilltest.Answer {
	till.T.Helper()
	return till.Post("/v1/reconciliation/lines/"+line+"/accept", map[string]any{"note": note})
}

// sums fails where the remainder or what was accepted is another, in the reconciliation or in the balance, whose drift is nothing.
func sums(t *testing.T, till *tilltest.Till, remainder, accepted string) {
	t.Helper()
	found := reconciled(t, till, true)
	if got := found.At("data", "currencies", 0).(map[string]any); got["remainder"] != remainder || got["accepted"] != accepted {
		t.Errorf("%s and %s are expected: %v", remainder, accepted, got)
	}
	balance := till.Get("/v1/balance").Want(200)
	if f := balance.At("data", "funds", 0).(map[string]any); f["remainder"] != remainder || f["accepted"] != accepted || f["drift"] != "0.00" {
		t.Errorf("%s and %s are expected: %v", remainder, accepted, f)
	}
	if a, b := found.At("data", "accepted_lines").([]any), balance.At("data", "accepted_lines").([]any); len(a) != len(b) || (len(a) == 0) != (accepted == "0.00") {
		t.Errorf("accepted are %v and %v", a, b)
	}
}

// entries is how many lines both books have.
func entries(t *testing.T, till *tilltest.Till) int64 {
	t.Helper()
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Error(err)
	}
	n, err := db.One(t.Context(), till.DB, db.Value[int64], `select count(*) from ledger_entries`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dearer takes two payments at a price of Stripe's that was not foretold, and is their lines at Stripe: -0.10 and -0.02.
func dearer(t *testing.T, till *tilltest.Till) (big, small string) {
	t.Helper()
	costs(till, map[string]any{"percent": "3.1", "fixed": 30})
	pay(till, "10.00", "USD", "pm_card_visa")
	pay(till, "50.00", "USD", "pm_card_visa")
	settle(till)
	sums(t, till, "-0.12", "0.00")
	for _, one := range till.Get("/v1/reconciliation").Want(200).At("data", "items").([]any) {
		if i := one.(map[string]any); i["amount"] == "-0.10" {
			big = i["line"].(string)
		} else {
			small = i["line"].(string)
		}
	}
	return big, small
}

// A difference that is right leaves the remainder, and is shown beside it from then on, with who accepted it, when and why. No book is touched.
func TestADifferenceIsAccepted(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		big, small := dearer(t, till)
		booked := entries(t, till)
		said := accept(till, big, "  "+price+"\n").Want(200)
		at := said.String("data", "acceptance", "accepted_at")
		if got := said.At("data").(map[string]any); got["state"] != "accepted" || got["difference"] != "0.00" || got["reason"] != "Stripe took a fee of 1.85 USD, and 1.75 USD was foretold." {
			t.Errorf("%v", got)
		}
		by := said.At("data", "acceptance").(map[string]any)
		if when, err := time.Parse(time.RFC3339, at); err != nil || when.Before(tilltest.Start) || by["amount"] != "-0.10" || by["note"] != price || by["api_key_id"] != keyOf(t, till) {
			t.Errorf("%v", by)
		}
		sums(t, till, "-0.02", "-0.10")
		till.Clock.Advance(time.Hour)
		if again := accept(till, big, price).Want(200); again.Header.Get("Idempotent-Replayed") != "true" || again.String("data", "acceptance", "accepted_at") != at {
			t.Errorf("repeated: %v", again)
		}
		sums(t, till, "-0.02", "-0.10")
		if items := till.Get("/v1/reconciliation").Want(200).At("data", "items").([]any); len(items) != 1 || items[0].(map[string]any)["line"] != small {
			t.Errorf("what is left is %v", items)
		}
		accept(till, small, price).Want(200)
		sums(t, till, "0.00", "-0.12")
		if lines := till.Get("/v1/reconciliation/lines?state=accepted").Want(200); lines.Len() != 2 {
			t.Errorf("accepted are %v", lines)
		}
		if now := entries(t, till); now != booked {
			t.Errorf("the books had %d lines, and have %d", booked, now)
		}
		readAnew(t, till)
		sums(t, till, "0.00", "-0.12")
		inItsPayout(t, till)
	})
}

// keyOf is the id of the shop's API key.
func keyOf(t *testing.T, till *tilltest.Till) string {
	t.Helper()
	key, err := db.One(t.Context(), till.DB, db.Value[string], `select id from api_keys where merchant = $1 and mode = $2`, till.Shop.Merchant, till.Shop.Mode)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// readAnew has till read all that it has read before once more.
func readAnew(t *testing.T, till *tilltest.Till) {
	t.Helper()
	if err := till.DB.Write(t.Context(), db.Change{SQL: `update balance_readings set read_to = null`, Rows: 1}); err != nil {
		t.Fatal(err)
	}
	reconciled(t, till, true)
}

// inItsPayout fails where the payout of the lines, or its table, does not name what was accepted.
func inItsPayout(t *testing.T, till *tilltest.Till) {
	t.Helper()
	till.Clock.Advance(5 * 24 * time.Hour)
	settle(till)
	reconciled(t, till, true)
	rows, _ := table(t, till, "payout_lines")
	if len(rows) != 3 {
		t.Fatalf("%d lines: %v", len(rows), rows)
	}
	for _, row := range rows[1:] {
		if row["state"] != "accepted" || row["difference"] != "0.00" || row["accepted"] != "-0.10" && row["accepted"] != "-0.02" || row["accepted_note"] != price || row["accepted_at"] == "" {
			t.Errorf("%v", row)
		}
	}
	paid := till.Get("/v1/reconciliation/payouts/" + rows[0]["payout"]).Want(200).At("data").(map[string]any)
	if paid["accepted"] != "-0.12" || paid["remainder"] != "0.00" || len(paid["unexplained"].([]any)) > 0 {
		t.Errorf("%v", paid)
	}
}

// Only a difference that was looked into can be accepted.
func TestWhatCannotBeAccepted(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		pay(till, "50.00", "USD", "pm_card_visa")
		settle(till)
		reconciled(t, till, false)
		matched := till.Get("/v1/reconciliation/lines").Want(200).String("data", 0, "id")
		accept(till, matched, price).Refused(422, "line_state", "id")
		accept(till, "txn_none", price).Refused(404, "resource_missing", "id")

		till.Stripe(till.Shop).Do("POST", "/v1/payment_intents", "amount=900&currency=usd&confirm=true&payment_method=pm_card_visa&payment_method_types[]=card").Want(200)
		settle(till)
		reconciled(t, till, false)
		open := till.Get("/v1/reconciliation/lines?state=open").Want(200).String("data", 0, "id")
		if said := accept(till, open, price).Refused(422, "line_state", "id").String("error", "message"); !strings.Contains(said, "has not been looked into yet") {
			t.Errorf("it says %q", said)
		}
		till.Clock.Advance(2 * time.Minute)
		reconciled(t, till, true)
		accept(till, open, price).Refused(422, "line_state", "id") // it is explained

		big, _ := dearer(t, till)
		path := "/v1/reconciliation/lines/" + big + "/accept"
		till.Post(path, map[string]any{}).Refused(400, "parameter_missing", "note")
		for _, note := range []any{"", " \n", strings.Repeat("x", 501), 7} {
			till.Post(path, map[string]any{"note": note}).Refused(400, "parameter_invalid", "note")
		}
		sums(t, till, "-0.12", "0.00")
		accept(till, big, price).Want(200)
		accept(till, big, "something else").Refused(422, "line_state", "note")
		sums(t, till, "-0.02", "-0.10")
	})
}

// What is settled again to another amount is unexplained again, and says so; to the amount that was accepted, it is accepted.
func TestAnAcceptanceIsOfOneAmount(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		big, _ := dearer(t, till)
		accept(till, big, price).Want(200)
		line := func() map[string]any {
			t.Helper()
			source := till.Get("/v1/reconciliation/lines?state=accepted").Want(200)
			if source.Len() == 0 {
				source = till.Get("/v1/reconciliation/lines?state=unexplained").Want(200)
			}
			for _, one := range source.At("data").([]any) {
				if l := one.(map[string]any); l["id"] == big {
					return l
				}
			}
			t.Fatalf("it is gone: %v", source)
			return nil
		}
		late := func(key, fee string) { // a fee of the same charge is foretold after its line was read
			t.Helper()
			if err := till.DB.Write(t.Context(), db.Change{SQL: `insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at)
				select m.merchant, m.mode, m.key || '` + key + `', m.generation, m.kind, m.source, m.currency, 0, ` + fee + `, m.payment, m.posted_at from movements m
				join balance_transactions b on b.merchant = m.merchant and b.mode = m.mode and b.source = m.source and b.kind = m.kind
				where b.id = '` + big + `' and m.fee > 100`, Rows: 1}); err != nil {
				t.Fatal(err)
			}
		}
		late("/more", "4")
		sums(t, till, "-0.08", "0.00")
		if l := line(); l["state"] != "unexplained" || l["difference"] != "-0.06" || !strings.HasSuffix(l["reason"].(string), "Accepted was -0.10 USD, and it is another amount now.") || l["acceptance"] == nil {
			t.Errorf("%v", l)
		}
		late("/less", "-4")
		sums(t, till, "-0.02", "-0.10")
		if l := line(); l["state"] != "accepted" || l["difference"] != "0.00" {
			t.Errorf("%v", l)
		}
		late("/much", "6")
		sums(t, till, "-0.06", "0.00")
		accept(till, big, "less than I thought").Want(200)
		sums(t, till, "-0.02", "-0.04")
	})
}
