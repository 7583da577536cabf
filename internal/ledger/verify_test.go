package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/ledger"
)

// Whatever column of whatever row is changed, the walk names it: its table, its row and its column.
func TestEachChangedColumnIsNamed(t *testing.T) {
	t.Parallel()
	const key = "payment/p1_0/charge/1000" // row 5 of the chain: the first of the second day
	of := map[string]string{
		"ledger_entries": `transaction_key = '` + key + `' and line = 1`, "movements": `key = '` + key + `'`, "ledger_chain": `seq = 5`,
		"ledger_heads": `day = '2026-02-01'`, "ledger_closes": `through = '2026-02-02'`, "ledger_close_balances": `book = 'expected' and account = 'income:sales'`,
		"ledger_days": `book = 'expected' and account = 'income:sales' and day = (select min(day) from ledger_days)`,
	}
	columns := map[string]string{
		"ledger_entries": "merchant mode transaction_key line book account currency amount payment posted_at",
		"movements":      "merchant mode key generation kind source currency amount fee payment posted_at",
		"ledger_chain":   "merchant mode seq transaction_key chained_at counts_at content hash",
		"ledger_heads":   "merchant mode day seq hash", "ledger_closes": "merchant mode through ends_at closed_at",
		"ledger_close_balances": "merchant mode through book account currency balance", "ledger_days": "merchant mode day book account currency debits credits",
	}
	// What is no value of the row but its place: the row is missing where it was.
	places := []string{"merchant", "mode", "transaction_key", "key", "line", "seq", "day", "through", "book ledger_close_balances", "account ledger_close_balances", "currency ledger_close_balances",
		"book ledger_days", "account ledger_days", "currency ledger_days"}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for table, list := range columns {
			for i, column := range splitWords(list) {
				scope := db.Scope{Merchant: fmt.Sprint(table, i), Mode: "test"}
				b, c := books(d)
				story(t, b, c, scope, 2)
				if _, _, err := b.Close(t.Context(), scope, "2026-02-02"); err != nil {
					t.Fatal(err)
				}
				if found, _ := verify(t, b, scope, ""); len(found) != 0 {
					t.Fatal(found)
				}
				value := column + ` || 'x'`
				if numeric(d, table, column) {
					value = column + ` + 1`
				}
				if column == "seq" || table == "ledger_days" && column == "day" {
					value = column + ` + 1000`
				}
				exec(t, d, 1, `update `+table+` set `+column+` = `+value+` where merchant = $1 and mode = $2 and `+of[table], scope.Merchant, scope.Mode)
				found, _ := verify(t, b, scope, "")
				place := slices.Contains(places, column) || slices.Contains(places, column+" "+table)
				if !slices.ContainsFunc(found, func(f ledger.Finding) bool {
					return f.Table == table && (f.Column == column || place && table != "ledger_chain") ||
						place && table == "ledger_chain" && f.Table == table && (f.Sequence == 5 || f.Sequence == 1005)
				}) {
					t.Errorf("%s.%s was changed, and the walk found %+v", table, column, found)
				}
				for _, f := range found {
					if !place && len(found) > 1 {
						t.Errorf("%s.%s: it also says %s", table, column, f.Text)
					}
				}
			}
		}
	})
}

func splitWords(s string) []string { return strings.Fields(s) }

// numeric says whether a column holds numbers.
func numeric(d *db.DB, table, column string) bool {
	return table == "ledger_days" && column == "day" || strings.Contains(" line amount posted_at generation fee seq chained_at counts_at ends_at closed_at balance debits credits ", " "+column+" ")
}

// What is removed, added or put in another order is named.
func TestRowsThatAreNotAsTheyWere(t *testing.T) {
	t.Parallel()
	const entries = `insert into ledger_entries (merchant, mode, transaction_key, line, account, currency, amount, payment, posted_at, book, chained) values ($1, $2, `
	for name, c := range map[string]struct {
		tamper []string
		want   []string
	}{
		"a line is missing": {[]string{`delete from ledger_entries where merchant = $1 and mode = $2 and transaction_key = 'payment/p1_0/charge/1000' and line = 1`},
			[]string{`Row 5 of the chain, transaction payment/p1_0/charge/1000: the line 1 is missing; it was ["expected" "income:sales" "USD" "-1000" "p1_0" "1769938200000000"].`}},
		"a transaction is missing": {[]string{`delete from ledger_entries where merchant = $1 and mode = $2 and transaction_key = 'payment/p1_0/charge/1000'`},
			[]string{"the line 0 is missing", "the line 1 is missing"}},
		"a movement is missing": {[]string{`delete from movements where merchant = $1 and mode = $2 and key = 'payment/p1_0/charge/1000'`}, []string{"the movement  is missing"}},
		"a line was added":      {[]string{entries + `'payment/p1_0/charge/1000', 2, 'x', 'USD', 7, '', 0, 'expected', false)`}, []string{"the line 2 was added"}},
		"a transaction was added": {[]string{entries + `'more', 0, 'x', 'USD', 7, '', 0, 'expected', true)`, entries + `'more', 1, 'x', 'USD', -7, '', 0, 'expected', true)`},
			[]string{"Transaction more, line 0 (expected x 7 USD) is in no row of the chain", "Transaction more, line 1 (expected x -7 USD) is in no row of the chain"}},
		"a movement was added": {[]string{`insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at)
			values ($1, $2, 'more', 1, 'charge', 'ch_x', 'USD', 7, 0, '', 0)`}, []string{"The movement of more (charge ch_x 7 USD) is in no row"}},
		"a row of the chain is missing": {[]string{`delete from ledger_chain where merchant = $1 and mode = $2 and seq = 5`},
			[]string{"Row 5 of the chain was removed.", "Transaction payment/p1_0/charge/1000, line 0", "Transaction payment/p1_0/charge/1000, line 1", "The movement of payment/p1_0/charge/1000"}},
		"rows of the chain are missing": {[]string{`delete from ledger_chain where merchant = $1 and mode = $2 and seq in (6, 7)`}, []string{"Rows 6 to 7 of the chain were removed.",
			"payment/p1_0/fee/1000, line 0", "payment/p1_0/fee/1000, line 1", "payment/p1_1/charge/1001, line 0", "payment/p1_1/charge/1001, line 1", "movement of payment/p1_0/fee", "movement of payment/p1_1/charge"}},
		"the end of the chain is missing": {[]string{`delete from ledger_chain where merchant = $1 and mode = $2 and seq = 12`},
			[]string{"The chain ends with row 11, and the head of 2026-02-02 is row 12", "payment/p2_1/fee/1001, line 0", "payment/p2_1/fee/1001, line 1", "movement of payment/p2_1/fee"}},
		"two rows change places": {[]string{`update ledger_chain set seq = 100 where merchant = $1 and mode = $2 and seq = 2`,
			`update ledger_chain set seq = 2 where merchant = $1 and mode = $2 and seq = 6`, `update ledger_chain set seq = 6 where merchant = $1 and mode = $2 and seq = 100`},
			[]string{"transaction payment/p0_0/fee/1000 was chained as row 2 and stands at 6.", "transaction payment/p1_0/fee/1000 was chained as row 6 and stands at 2."}},
		"a head is missing": {[]string{`delete from ledger_heads where merchant = $1 and mode = $2 and day = '2026-02-01'`}, []string{"The head of 2026-02-01, which was row 8, is missing."}},
		"a flag is reset":   {[]string{`update ledger_entries set chained = false where merchant = $1 and mode = $2 and transaction_key = 'payment/p1_0/charge/1000'`}, []string{"is in the chain, and is marked as if it were not"}},
		"the last hash":     {[]string{`update ledger_chain set hash = 'x' where merchant = $1 and mode = $2 and seq = 12`}, []string{"Row 12 of the chain, transaction payment/p2_1/fee/1001, does not follow", "ledger_heads"}},
		"a line and its copy": {[]string{`update ledger_entries set amount = 9 where merchant = $1 and mode = $2 and transaction_key = 'payment/p1_0/charge/1000' and line = 0`,
			`update ledger_chain set content = replace(content, ',4:1000,', ',1:9,') where merchant = $1 and mode = $2 and seq = 5`}, []string{"Row 5 of the chain, transaction payment/p1_0/charge/1000, does not follow", "amount"}},
		"text in place of a number": {[]string{`update ledger_chain set content = 'x' where merchant = $1 and mode = $2 and seq = 5`}, []string{"content was"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				b, clock := books(d)
				story(t, b, clock, shop, 2)
				for _, sql := range c.tamper {
					exec(t, d, db.Any, sql, shop.Merchant, shop.Mode)
				}
				found, _ := verify(t, b, shop, "")
				said := make([]string, len(found))
				for i, f := range found {
					said[i] = f.Text
				}
				for i, want := range c.want {
					if i >= len(said) || !strings.Contains(said[i], want) {
						t.Errorf("finding %d should say %q", i, want)
					}
				}
				if t.Failed() || len(said) != len(c.want) {
					t.Errorf("it says\n%s", strings.Join(said, "\n"))
				}
			})
		})
	}
}

// Who may write everything can write the whole chain anew. A head that was kept elsewhere shows it.
func TestAHeadThatWasKeptShowsAChainWrittenAnew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		story(t, b, c, shop, 2)
		heads := must(b.Heads(t.Context(), shop, api.PageInput{Limit: 10})).Data
		exec(t, d, 1, `update ledger_entries set amount = 2 where merchant = $1 and mode = $2 and transaction_key = 'payment/p1_0/charge/1000' and line = 0`, shop.Merchant, shop.Mode)
		for _, sql := range []string{`delete from ledger_chain where merchant = $1 and mode = $2`, `delete from ledger_heads where merchant = $1 and mode = $2`,
			`delete from ledger_days where merchant = $1 and mode = $2`, `update ledger_entries set chained = false where merchant = $1 and mode = $2`} {
			exec(t, d, db.Any, sql, shop.Merchant, shop.Mode)
		}
		if err := b.ChainAll(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		if found, _ := verify(t, b, shop, ""); len(found) != 0 {
			t.Fatalf("the new chain is not whole: %v", found)
		}
		for _, h := range heads {
			found, _ := verify(t, b, shop, fmt.Sprintf("%d:%s", h.Sequence, h.Hash))
			if len(found) != 1 || !strings.Contains(found[0].Text, "written anew") || found[0].Was != h.Hash {
				t.Errorf("from the head of %s: %v", h.Day, found)
			}
		}
		if found, _ := verify(t, b, shop, "99:"+heads[0].Hash); len(found) != 1 || !strings.Contains(found[0].Text, "no row 99") {
			t.Errorf("a head beyond the end: %v", found)
		}
	})
}

// A flag that somebody has reset does not stop the chain, and chains nothing twice.
func TestAResetFlagStopsNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		story(t, b, c, shop, 1)
		exec(t, d, db.Any, `update ledger_entries set chained = false where transaction_key = 'payment/p0_0/charge/1000' and line = 0`)
		if err := post(d, sale(shop, "next", 100, c.Now())...); err != nil {
			t.Fatal(err)
		}
		if err := b.ChainAll(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		if found, n := verify(t, b, shop, ""); len(found) != 0 || n != 8 {
			t.Errorf("%d: %v", n, found)
		}
	})
}

// The walk reads page by page: a change is found wherever it is, and the parts join.
func TestVerifyLongChain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		const sales = 701 // 1402 rows: three pages
		for i := range sales {
			if err := post(d, sale(shop, fmt.Sprint("p", i), 1000, c.Now().Add(time.Duration(i)))...); err != nil {
				t.Fatal(err)
			}
			if i%250 == 249 {
				if err := b.ChainAll(t.Context(), shop); err != nil {
					t.Fatal(err)
				}
				c.Advance(24 * time.Hour)
			}
		}
		if err := b.ChainAll(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		if found, n := verify(t, b, shop, ""); len(found) != 0 || n != 2*sales {
			t.Fatalf("%d: %v", n, found)
		}
		for _, seq := range []int64{1, 499, 500, 501, 1000, 1001, 2*sales - 1, 2 * sales} {
			key := must(db.One(t.Context(), d, db.Value[string], `select transaction_key from ledger_chain where seq = $1`, seq))
			exec(t, d, 1, `update ledger_entries set amount = amount + 1 where transaction_key = $1 and line = 0`, key)
			if found, _ := verify(t, b, shop, ""); len(found) != 1 || found[0].Sequence != seq || found[0].Column != "amount" || found[0].Transaction != key {
				t.Errorf("row %d: %v", seq, found)
			}
			exec(t, d, 1, `update ledger_entries set amount = amount - 1 where transaction_key = $1 and line = 0`, key)
		}
	})
}
