package reconcile_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/tilltest"
)

// table reads an export as rows by title, without what stands behind a title in parentheses.
func table(t *testing.T, till *tilltest.Till, path string) (rows []map[string]string, answer tilltest.Answer) {
	t.Helper()
	answer = till.Get("/v1/exports/" + path).Want(200)
	all, err := csv.NewReader(strings.NewReader(string(answer.Raw))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, cell := range cells {
			title, _, _ := strings.Cut(all[0][i], " (")
			row[title] = cell
		}
		rows = append(rows, row)
	}
	return rows, answer
}

func holdsRow(t *testing.T, row map[string]string, want map[string]string) {
	t.Helper()
	for title, w := range want {
		if is, there := row[title]; !there || is != w && w != "*" || w == "*" && is == "" {
			t.Errorf("%s is %q, want %q: %v", title, is, w, row)
		}
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Clock.Advance(10*time.Hour + 30*time.Minute) // 22:30 in UTC, 23:30 in Berlin
		first := till.Post("/v1/payments", map[string]any{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "description": "=1+1",
			"customer": map[string]any{"email": "+jane@example.com"}}).Want(201).ID()
		till.Clock.Advance(time.Hour) // the next day in Berlin
		pay(till, "1.230", "KWD", "pm_card_visa")
		yen := pay(till, "3000", "JPY", "pm_card_visa")
		till.Post("/v1/payments", map[string]any{"amount": "7.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_chargeDeclined"}).Want(201)
		refund := till.Post("/v1/refunds", map[string]any{"payment_id": first, "amount": "1.23"}).Want(201).ID()
		settle(till)

		rows, answer := table(t, till, "payments?time_zone=Europe/Berlin&from=2026-11-24&to=2026-11-24")
		if len(rows) != 1 {
			t.Fatalf("that day has %d payments: %v", len(rows), rows)
		}
		holdsRow(t, rows[0], map[string]string{"day": "2026-11-24", "time": "2026-11-24T23:30:00+01:00", "payment_id": first, "status": "completed", "currency": "USD", "captured": "50.00",
			"refunded": "1.23", "settled_currency": "USD", "gross": "50.00", "fee": "1.75", "net": "48.25", "payment_intent": "*", "charge": "*",
			"customer_email": "'+jane@example.com", "description": "'=1+1", "card_country": "US"})
		head, _, _ := strings.Cut(string(answer.Raw), "\r\n")
		if !strings.HasPrefix(head, "day (Europe/Berlin),time (Europe/Berlin),") || answer.Header.Get("Content-Disposition") != "attachment; filename=till-payments-from-2026-11-24-to-2026-11-24-Europe-Berlin.csv" {
			t.Errorf("%s %v", head, answer.Header)
		}
		if rows, _ := table(t, till, "payments?from=2026-11-24&to=2026-11-24"); len(rows) != 4 {
			t.Errorf("in UTC that day has %d", len(rows))
		}
		reconciled(t, till, false)
		rows, _ = table(t, till, "payments")
		if len(rows) != 4 {
			t.Fatal(rows)
		}
		by := map[string]map[string]string{}
		for _, row := range rows {
			by[row["currency"]+row["status"]] = row
		}
		holdsRow(t, by["USDcompleted"], map[string]string{"gross": "50.00", "fee": "1.75", "net": "48.25", "balance_transactions": "*", "available_on": "*"})
		holdsRow(t, by["KWDcompleted"], map[string]string{"amount": "1.230", "captured": "1.230", "settled_currency": "USD", "gross": "*", "exchange_rate": "*"})
		holdsRow(t, by["JPYcompleted"], map[string]string{"amount": "3000", "payment_id": yen})
		holdsRow(t, by["USDfailed"], map[string]string{"amount": "7.00", "captured": "0.00", "gross": "", "net": "", "balance_transactions": ""})

		rows, _ = table(t, till, "refunds?time_zone=Asia/Tokyo")
		if len(rows) != 1 {
			t.Fatal(rows)
		}
		holdsRow(t, rows[0], map[string]string{"refund_id": refund, "payment_id": first, "amount": "1.23", "gross": "-1.23", "fee": "0.00", "net": "-1.23", "refund": "*",
			"day": "2026-11-25", "time": "2026-11-25T08:30:00+09:00", "balance_transactions": "*"})
		for path, param := range map[string]string{"payments?time_zone=Local": "time_zone", "refunds?time_zone=Mars/Base": "time_zone", "payout_lines?time_zone=../passwd": "time_zone", "payments?time_zone=": "time_zone",
			"payments?from=24.11.2026": "from", "payments?to=2026-02-30": "to",
			"payments?from=2026-11-25&to=2026-11-24": "from"} {
			till.Get("/v1/exports/"+path).Refused(400, "parameter_invalid", param)
		}
	})
}

// The lines of a payout sum to what was paid out.
func TestExportOfPayoutLines(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		pay(till, "50.00", "USD", "pm_card_visa")
		pay(till, "20.00", "USD", "pm_card_visa")
		settle(till)
		till.Clock.Advance(5 * 24 * time.Hour)
		settle(till)
		reconciled(t, till, false)
		rows, _ := table(t, till, "payout_lines")
		if len(rows) != 3 {
			t.Fatalf("%d lines: %v", len(rows), rows)
		}
		holdsRow(t, rows[0], map[string]string{"kind": "payout", "net": "-67.37", "currency": "USD", "payout": "*"})
		holdsRow(t, rows[1], map[string]string{"kind": "charge", "payout": rows[0]["payout"], "source": "*", "payment_id": "*", "state": "matched", "difference": "0.00"})
		if rows[1]["net"] != "19.12" && rows[1]["net"] != "48.25" || rows[1]["net"] == rows[2]["net"] {
			t.Errorf("nets: %v", rows)
		}
	})
}

// A table that is longer than a page has each row once.
func TestLongExport(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		const lines = 1203
		var changes []db.Change
		for i := range lines {
			changes = append(changes, db.Change{SQL: `insert into balance_transactions (merchant, mode, id, account, type, kind, source, currency, amount, fee, net, exchange_rate, source_amount, source_currency,
				description, payment, payout, state, reason, difference, created_at, available_on) values ($1, $2, $3, 'acct_x', 'charge', 'charge', '', 'USD', 100, 0, 100, '', 100, 'USD', '', '', 'po_x', 'explained', '', 0, $4, $4)`,
				Args: []any{till.Shop.Merchant, till.Shop.Mode, fmt.Sprintf("txn_%d", i), tilltest.Start.Add(time.Duration(i/7) * time.Second).UnixMicro()}, Rows: 1})
		}
		if err := till.DB.Write(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
		rows, _ := table(t, till, "payout_lines")
		seen := map[string]bool{}
		for _, row := range rows {
			seen[row["balance_transaction"]] = true
		}
		if len(rows) != lines || len(seen) != lines {
			t.Errorf("%d rows, %d of them different", len(rows), len(seen))
		}
	})
}

// A day begins at its first moment where clocks are put forward at midnight too: each payment is in the file of one day.
func TestExportOfADayWithoutMidnight(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		last := time.Date(2027, 9, 5, 3, 30, 0, 0, time.UTC) // 23:30 of the 4th in Santiago: half an hour later it is 1:00 of the 5th
		till.Clock.Advance(last.Sub(till.Clock.Now()))
		on := map[string]string{"2027-09-04": pay(till, "10.00", "USD", "pm_card_visa")}
		till.Clock.Advance(time.Hour)
		on["2027-09-05"] = pay(till, "20.00", "USD", "pm_card_visa")
		for day, payment := range on {
			rows, _ := table(t, till, "payments?time_zone=America/Santiago&from="+day+"&to="+day)
			if len(rows) != 1 {
				t.Fatalf("%s has %d payments: %v", day, len(rows), rows)
			}
			holdsRow(t, rows[0], map[string]string{"payment_id": payment, "day": day})
		}
	})
}

// What Stripe took for a refund and what came back of it stand in the order in which Stripe made them, in whatever order they were read.
func TestExportOfARefundThatCameBack(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		paid := pay(till, "50.00", "USD", "pm_card_visa")
		made := till.Post("/v1/refunds", map[string]any{"payment_id": paid, "amount": "50.00"}).Want(201)
		var changes []db.Change
		for _, l := range []struct {
			id, kind, payout string
			amount           int64
			after            time.Duration
		}{{"txn_b", "refund_failure", "po_2", 5000, 48 * time.Hour}, {"txn_a", "refund", "po_1", -5000, 0}} { // as Stripe lists them
			changes = append(changes, db.Change{SQL: `insert into balance_transactions (merchant, mode, id, account, type, kind, source, currency, amount, fee, net, exchange_rate, source_amount, source_currency,
				description, payment, payout, state, reason, difference, created_at, available_on) values ($1, $2, $3, 'acct_x', $4, $4, $5, 'USD', $6, 0, $6, '', $6, 'USD', '', '', $7, 'matched', '', 0, $8, $8)`,
				Args: []any{till.Shop.Merchant, till.Shop.Mode, l.id, l.kind, made.String("data", "provider_ref"), l.amount, l.payout, tilltest.Start.Add(l.after).UnixMicro()}, Rows: 1})
		}
		if err := till.DB.Write(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
		if err := till.DB.Write(t.Context(), db.Change{SQL: `analyze balance_transactions`, Rows: db.Any}); err != nil { // then PostgreSQL reads a small table as it lies
			t.Fatal(err)
		}
		rows, _ := table(t, till, "refunds")
		if len(rows) != 1 {
			t.Fatal(rows)
		}
		holdsRow(t, rows[0], map[string]string{"gross": "0.00", "balance_transactions": "txn_a txn_b", "payout": "po_2", "available_on": tilltest.Start.Add(48 * time.Hour).Format(time.DateOnly)})
	})
}
