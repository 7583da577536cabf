package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/tilltest"
)

// catalog is every table of a database with its columns, as the database itself says: a new table is looked at without being named here.
func catalog(t testing.TB, till *tilltest.Till) map[string][]string {
	t.Helper()
	sql := `select table_name, column_name from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`
	if till.DB.Name == "sqlite" {
		sql = `select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p where m.type = 'table' order by m.name, p.cid`
	}
	found, err := db.All(t.Context(), till.DB, func(r db.Row) (c [2]string, err error) { return c, r.Scan(&c[0], &c[1]) }, sql)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][]string{}
	for _, c := range found {
		switch c[0] {
		case "leases", "event_sweeps", "balance_readings", "goose_db_version", "sqlite_sequence", "sqlite_stat1": // who works now and how far, and what the engines and goose keep for themselves
		default:
			tables[c[0]] = append(tables[c[0]], c[1])
		}
	}
	if len(tables) < 15 {
		t.Fatalf("the catalog lacks tables: %v", tables)
	}
	return tables
}

// rows is everything that the database holds, or all of one merchant and mode: a text for each row.
func rows(t testing.TB, till *tilltest.Till, of *db.Scope) (all []string) {
	t.Helper()
	for table, columns := range catalog(t, till) {
		var texts []string
		for _, c := range columns {
			texts = append(texts, "coalesce(cast("+c+" as text), 'null')")
		}
		sql, args := "select "+strings.Join(texts, " || ' | ' || ")+" from "+table, []any(nil)
		if of != nil {
			if !slices.Contains(columns, "merchant") {
				continue
			}
			sql, args = sql+" where merchant = $1 and mode = $2", []any{of.Merchant, of.Mode}
		}
		found, err := db.All(t.Context(), till.DB, db.Value[string], sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			all = append(all, table+": "+r)
		}
	}
	slices.Sort(all)
	return all
}

// difference is what one list of rows has and the other has not; empty where they are the same.
func difference(was, is []string) string {
	var b strings.Builder
	for _, r := range was {
		if _, there := slices.BinarySearch(is, r); !there {
			fmt.Fprintf(&b, "- %.600s\n", r)
		}
	}
	for _, r := range is {
		if _, there := slices.BinarySearch(was, r); !there {
			fmt.Fprintf(&b, "+ %.600s\n", r)
		}
	}
	return b.String()
}

// twin copies what one merchant has under another's name: the same ids, keys and references at Stripe. What is sealed for a merchant, and what
// lets a caller in, stays its own.
func twin(t testing.TB, till *tilltest.Till, from, to db.Scope) {
	t.Helper()
	var copies []db.Change
	for table, columns := range catalog(t, till) {
		if !slices.Contains(columns, "merchant") || slices.Contains([]string{"api_keys", "providers", "endpoints"}, table) {
			continue
		}
		var values []string
		for _, c := range columns {
			switch c {
			case "merchant":
				c = "cast($1 as text)"
			case "mode":
				c = "cast($2 as text)"
			}
			values = append(values, c)
		}
		copies = append(copies, db.Change{
			SQL:  "insert into " + table + " (" + strings.Join(columns, ", ") + ") select " + strings.Join(values, ", ") + " from " + table + " where merchant = $3 and mode = $4",
			Args: []any{to.Merchant, to.Mode, from.Merchant, from.Mode}, Rows: db.Any,
		})
	}
	if err := till.DB.Write(t.Context(), copies...); err != nil {
		t.Fatal(err)
	}
}

// rest waits until nothing is under way for a shop: Stripe has told everything, till has taken it in and told it on.
func rest(t testing.TB, till *tilltest.Till, shop tilltest.Shop) {
	t.Helper()
	stripe := till.Stripe(shop)
	tilltest.Until(t, "everything to come to rest", func() bool {
		open, err := db.One(t.Context(), till.DB, db.Value[int64], `select
			(select count(*) from calls where state = 'open') + (select count(*) from stripe_events where due_at is not null) +
			(select count(*) from events where not fanned) + (select count(*) from deliveries where due_at is not null) +
			(select count(*) from endpoints where checkpoint_due <= $1)`, till.App.Clock.Now().UnixMicro())
		if err != nil {
			t.Fatal(err)
		}
		return stripe.Outstanding() == 0 && open == 0
	})
	if err := till.Books.ChainAll(t.Context(), shop.Scope); err != nil {
		t.Fatal(err)
	}
}
