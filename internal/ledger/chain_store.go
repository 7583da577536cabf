package ledger

import (
	"context"
	"strings"

	"github.com/till-pay/till/internal/db"
)

// Mark is a place in a chain: the number of a row and its hash.
type Mark struct {
	Sequence int64  `json:"sequence" doc:"0 is the beginning, before the first row." example:"1042"`
	Hash     string `json:"hash" doc:"SHA-256, in hex."`
	at       int64
}

func scanMark(r db.Row) (m Mark, err error) { return m, r.Scan(&m.Sequence, &m.Hash, &m.at) }

// row is a row of the chain as it stands, or is to stand.
type row struct {
	content // as the columns say; records are those of the text
	text    string
	hash    string
}

// waits is a transaction that is not marked as chained.
type waits struct {
	key      string
	postedAt int64
	chained  bool // it is in the chain all the same
}

// unchainedScopes are the merchants and modes that have transactions waiting, at most limit of them.
func unchainedScopes(ctx context.Context, q db.Querier, limit int) ([]db.Scope, error) {
	return db.All(ctx, q, func(r db.Row) (s db.Scope, err error) { return s, r.Scan(&s.Merchant, &s.Mode) },
		`select distinct merchant, mode from ledger_entries where line = 0 and not chained limit $1`, limit)
}

// unchained are the oldest transactions that wait.
func unchained(ctx context.Context, q db.Querier, scope db.Scope, limit int) ([]waits, error) {
	return db.All(ctx, q, func(r db.Row) (w waits, err error) { return w, r.Scan(&w.key, &w.postedAt, &w.chained) },
		`select e.transaction_key, e.posted_at, exists (select 1 from ledger_chain c where c.merchant = e.merchant and c.mode = e.mode and c.transaction_key = e.transaction_key)
		from ledger_entries e where e.merchant = $1 and e.mode = $2 and e.line = 0 and not e.chained order by e.posted_at, e.transaction_key limit $3`,
		scope.Merchant, scope.Mode, limit)
}

// in writes ($3,$4 …) for keys after a scope, with all arguments.
func in(scope db.Scope, keys []string) (list string, args []any) {
	var b strings.Builder
	args = []any{scope.Merchant, scope.Mode}
	placeholders(&b, 2, len(keys))
	for _, k := range keys {
		args = append(args, k)
	}
	return b.String(), args
}

// readRecords are the lines and movements of transactions as they stand, by key. Everything is read as text: what somebody has put in the place
// of a number must be read too.
func readRecords(ctx context.Context, q db.Querier, scope db.Scope, of []waits) (map[string][]record, error) {
	keys := make([]string, len(of))
	for i, w := range of {
		keys[i] = w.key
	}
	return recordsOf(ctx, q, scope, keys)
}

func recordsOf(ctx context.Context, q db.Querier, scope db.Scope, keys []string) (map[string][]record, error) {
	all := map[string][]record{}
	if len(keys) == 0 {
		return all, nil
	}
	list, args := in(scope, keys)
	for _, read := range []struct{ kind, sql string }{
		{lineRecord, `select transaction_key, cast(line as text), book, account, currency, cast(amount as text), payment, cast(posted_at as text)
			from ledger_entries e where merchant = $1 and mode = $2 and transaction_key in ` + list + ` order by transaction_key, e.line`}, // the number, not the text
		{movementRecord, `select key, '', cast(generation as text), kind, source, currency, cast(amount as text), cast(fee as text), payment, cast(posted_at as text)
			from movements where merchant = $1 and mode = $2 and key in ` + list},
	} {
		if err := collect(ctx, q, all, read.kind, read.sql, args...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// collect adds the records that a query finds: key, name, and the columns of the kind.
func collect(ctx context.Context, q db.Querier, to map[string][]record, kind, sql string, args ...any) error {
	_, err := db.All(ctx, q, func(r db.Row) (struct{}, error) {
		var key string
		found := record{kind: kind, values: make([]string, len(recordColumns[kind]))}
		into := []any{&key, &found.name}
		for i := range found.values {
			into = append(into, &found.values[i])
		}
		err := r.Scan(into...)
		to[key] = append(to[key], found)
		return struct{}{}, err
	}, sql, args...)
	return err
}

// insertRows adds rows to a chain, all or none.
func insertRows(scope db.Scope, rows []row) db.Change {
	var sql strings.Builder
	sql.WriteString(`insert into ledger_chain (merchant, mode, seq, transaction_key, chained_at, counts_at, content, hash) values `)
	var args []any
	for i, r := range rows {
		if i > 0 {
			sql.WriteByte(',')
		}
		placeholders(&sql, len(args), 8)
		args = append(args, scope.Merchant, scope.Mode, r.seq, r.key, r.chainedAt, r.countsAt, r.text, r.hash)
	}
	sql.WriteString(` on conflict do nothing`)
	return db.Change{SQL: sql.String(), Args: args, Rows: int64(len(rows))}
}

// addDays adds what the rows from a number on are about to the sums of their days.
func addDays(scope db.Scope, from int64) db.Change {
	return db.Change{
		SQL: `insert into ledger_days (merchant, mode, day, book, account, currency, debits, credits)
			select c.merchant, c.mode, c.counts_at / 86400000000, e.book, e.account, e.currency, ` + debitsAndCredits + `
			from ledger_chain c cross join ledger_entries e where e.merchant = c.merchant and e.mode = c.mode and e.transaction_key = c.transaction_key
			and c.merchant = $1 and c.mode = $2 and c.seq >= $3 group by c.merchant, c.mode, c.counts_at / 86400000000, e.book, e.account, e.currency
			on conflict (merchant, mode, day, book, account, currency) do update set debits = ledger_days.debits + excluded.debits, credits = ledger_days.credits + excluded.credits`,
		Args: []any{scope.Merchant, scope.Mode, from}, Rows: db.Any,
	}
}

// debitsAndCredits of some entries e are summed apart; credits are negative.
const debitsAndCredits = `cast(sum(case when e.amount > 0 then e.amount else 0 end) as bigint), cast(sum(case when e.amount < 0 then e.amount else 0 end) as bigint)`

// moveHead makes a row the last one of its day.
func moveHead(scope db.Scope, day string, to Mark) db.Change {
	return db.Change{
		SQL: `insert into ledger_heads (merchant, mode, day, seq, hash) values ($1, $2, $3, $4, $5)
			on conflict (merchant, mode, day) do update set seq = excluded.seq, hash = excluded.hash`,
		Args: []any{scope.Merchant, scope.Mode, day, to.Sequence, to.Hash}, Rows: 1,
	}
}

// flag takes transactions off the waiting list. It misses where another node was first.
func flag(scope db.Scope, waiting []waits) db.Change {
	keys := make([]string, len(waiting))
	for i, w := range waiting {
		keys[i] = w.key
	}
	list, args := in(scope, keys)
	return db.Change{
		SQL:  `update ledger_entries set chained = true where merchant = $1 and mode = $2 and line = 0 and not chained and transaction_key in ` + list,
		Args: args, Rows: int64(len(waiting)),
	}
}
