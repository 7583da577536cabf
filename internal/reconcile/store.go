package reconcile

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
)

// firstColumns are those of a line as it is first stored.
const (
	firstColumns = `merchant, mode, id, account, type, kind, source, currency, amount, fee, net, exchange_rate, source_amount, source_currency, description, payment, payout,
	state, reason, difference, created_at, available_on`
	columns = firstColumns + `, accepted, accepted_note, accepted_by, accepted_at`
)

func scan(r db.Row) (l Line, err error) {
	var a Acceptance
	err = r.Scan(&l.scope.Merchant, &l.scope.Mode, &l.ID, &l.account, &l.Type, &l.Kind, &l.Source, &l.Currency, &l.Amount.Minor, &l.Fee.Minor, &l.Net.Minor, &l.ExchangeRate,
		&l.SourceAmount.Minor, &l.SourceCurrency, &l.Description, &l.Payment, &l.Payout, &l.State, &l.Reason, &l.Difference.Minor, db.At(&l.CreatedAt), db.At(&l.AvailableOn),
		&a.Amount.Minor, &a.Note, &a.Key, db.At(&a.At))
	l.Amount.Currency, l.Fee.Currency, l.Net.Currency, l.Difference.Currency, l.SourceAmount.Currency = l.Currency, l.Currency, l.Currency, l.Currency, l.SourceCurrency
	if !a.At.IsZero() {
		a.Amount.Currency, l.Acceptance = l.Currency, &a
	}
	return l, err
}

// insertLines is one statement for all of them.
func insertLines(lines []Line) db.Change {
	const width = 22
	var sql strings.Builder
	sql.WriteString(`insert into balance_transactions (` + firstColumns + `) values `)
	args := make([]any, 0, len(lines)*width)
	for i, l := range lines {
		if i > 0 {
			sql.WriteByte(',')
		}
		placeholders(&sql, len(args), width)
		args = append(args, l.scope.Merchant, l.scope.Mode, l.ID, l.account, l.Type, l.Kind, l.Source, string(l.Currency), l.Amount.Minor, l.Fee.Minor, l.Net.Minor, l.ExchangeRate,
			l.SourceAmount.Minor, string(l.SourceCurrency), l.Description, l.Payment, l.Payout, string(l.State), l.Reason, l.Difference.Minor, db.Micros(l.CreatedAt), db.Micros(l.AvailableOn))
	}
	return db.Change{SQL: sql.String(), Args: args, Rows: int64(len(lines))}
}

func placeholders(sql *strings.Builder, after, n int) {
	for i := range n {
		if i == 0 {
			sql.WriteString("($")
		} else {
			sql.WriteString(",$")
		}
		sql.WriteString(strconv.Itoa(after + i + 1))
	}
	sql.WriteByte(')')
}

// insertDays adds lines to the sums by day of becoming available.
func insertDays(lines []Line) (changes []db.Change) {
	type day struct {
		currency money.Currency
		day      int64
	}
	sums, counts := map[day]int64{}, map[day]int64{}
	var order []day
	for _, l := range lines {
		d := day{l.Currency, dayOf(l.AvailableOn)}
		if counts[d] == 0 {
			order = append(order, d)
		}
		sums[d], counts[d] = sums[d]+l.Net.Minor, counts[d]+1
	}
	for _, d := range order {
		changes = append(changes, db.Change{SQL: `insert into balance_days (merchant, mode, account, currency, day, net, lines) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (merchant, mode, account, currency, day) do update set net = balance_days.net + excluded.net, lines = balance_days.lines + excluded.lines`,
			Args: []any{lines[0].scope.Merchant, lines[0].scope.Mode, lines[0].account, string(d.currency), d.day, sums[d], counts[d]}, Rows: 1})
	}
	return changes
}

// dayOf numbers the days in UTC since 1970.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// verdict writes what a stored line was found to be. It misses where it is not any more as it was read: somebody has accepted its difference, or
// the reading of another account has settled it, by movements that came later.
func verdict(was, l Line) db.Change {
	return db.Change{SQL: `update balance_transactions set state = $4, reason = $5, difference = $6, payment = $7
		where merchant = $1 and mode = $2 and id = $3 and state = $8 and difference = $9`,
		Args: []any{l.scope.Merchant, l.scope.Mode, l.ID, string(l.State), l.Reason, l.Difference.Minor, l.Payment, string(was.State), was.Difference.Minor}, Rows: 1}
}

// arrived are movements that have come, each with the line that brought it.
type arrived struct{ key, line string }

// seen marks movements as come, in one statement.
func seen(scope db.Scope, all []arrived) []db.Change {
	if len(all) == 0 {
		return nil
	}
	var sql strings.Builder
	sql.WriteString(`with came (key, line) as (values `)
	args := []any{scope.Merchant, scope.Mode}
	for i, one := range all {
		if i > 0 {
			sql.WriteByte(',')
		}
		placeholders(&sql, len(args), 2)
		args = append(args, one.key, one.line)
	}
	sql.WriteString(`) update movements set matched = came.line from came where movements.merchant = $1 and movements.mode = $2 and movements.key = came.key`)
	return []db.Change{{SQL: sql.String(), Args: args, Rows: int64(len(all))}}
}

// known are those of the lines that are stored, by their ids.
func (s *Reconcile) known(ctx context.Context, scope db.Scope, ids []string) (map[string]Line, error) {
	b := api.Select(columns, "balance_transactions", scope)
	sql, args := b.Where(b.In("id", sqlbuilder.List(ids))).Build()
	stored, err := db.All(ctx, s.DB, scan, sql, args...)
	all := make(map[string]Line, len(stored))
	for _, one := range stored {
		all[one.ID] = one
	}
	return all, err
}

// linesOf are the stored lines of some sources, in no order: asked for one, SQLite would walk through the whole history in it.
func (s *Reconcile) linesOf(ctx context.Context, scope db.Scope, sources []string) ([]Line, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	b := api.Select(columns, "balance_transactions", scope)
	sql, args := b.Where(b.In("source", sqlbuilder.List(sources))).Build()
	return db.All(ctx, s.DB, scan, sql, args...)
}

func scanMovement(r db.Row) (m movement, err error) {
	return m, r.Scan(&m.key, &m.kind, &m.source, &m.payment, &m.currency, &m.amount, &m.fee, &m.matched)
}

const movementColumns = `key, kind, source, payment, currency, amount, fee, matched`

// movesOf are the movements of some sources.
func (s *Reconcile) movesOf(ctx context.Context, scope db.Scope, sources []string) ([]movement, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	b := api.Select(movementColumns, "movements", scope)
	sql, args := b.Where(b.In("source", sqlbuilder.List(sources))).OrderBy("posted_at, key").Build()
	return db.All(ctx, s.DB, scanMovement, sql, args...)
}

// late are sources of movements that were posted after their lines had been read.
func (s *Reconcile) late(ctx context.Context, scope db.Scope, limit int) ([]string, error) {
	return db.All(ctx, s.DB, db.Value[string], `select distinct m.source from movements m where m.merchant = $1 and m.mode = $2 and m.matched = '' and exists (
		select 1 from balance_transactions b where b.merchant = m.merchant and b.mode = m.mode and b.source = m.source and b.kind = m.kind) limit $3`, scope.Merchant, scope.Mode, limit)
}

// open are lines that were not looked into yet, the oldest first.
func (s *Reconcile) open(ctx context.Context, scope db.Scope, account string, before time.Time, limit int) ([]Line, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from balance_transactions where merchant = $1 and mode = $2 and account = $3 and state = 'open' and created_at <= $4
		order by created_at, id limit $5`, scope.Merchant, scope.Mode, account, db.Micros(before), limit)
}

// reading is how far the balance transactions of one Stripe account have been read.
type reading struct {
	scope    db.Scope
	account  string
	readTo   time.Time // Stripe's: the newest that was dealt with; zero before the first reading has ended
	after    string    // of a reading under way: the line to go on after
	at       time.Time // when that line was made
	newest   time.Time // of the lines of a reading under way
	lines    int64     // read in all
	checked  time.Time // when the last reading ended
	failures int64
	err      string
	held     int64 // until when this process has it
}

const lease = 30 * time.Second

const readingColumns = `merchant, mode, account, read_to, look_after, look_at, look_newest, lines, checked_at, failures, error, lease_until`

func scanReading(r db.Row) (g reading, err error) {
	return g, r.Scan(&g.scope.Merchant, &g.scope.Mode, &g.account, db.At(&g.readTo), &g.after, db.At(&g.at), db.At(&g.newest), &g.lines, db.At(&g.checked), &g.failures, &g.err, &g.held)
}

// enrol begins the readings of an account.
func (s *Reconcile) enrol(ctx context.Context, scope db.Scope, account string) error {
	err := s.DB.Write(ctx, db.Change{SQL: `insert into balance_readings (merchant, mode, account, look_after, lines, failures, error, due_at, lease_until)
		values ($1, $2, $3, '', 0, 0, '', $4, 0) on conflict do nothing`, Args: []any{scope.Merchant, scope.Mode, account, db.Micros(s.Clock.Now().Add(between))}, Rows: db.Any})
	return err
}

func (s *Reconcile) reading(ctx context.Context, scope db.Scope, account string) (reading, error) {
	return db.One(ctx, s.DB, scanReading, `select `+readingColumns+` from balance_readings where merchant = $1 and mode = $2 and account = $3`, scope.Merchant, scope.Mode, account)
}

// claim leases the reading of an account. It returns db.ErrNone where somebody else has it.
func (s *Reconcile) claim(ctx context.Context, scope db.Scope, account string) (g reading, err error) {
	now := s.Clock.Machine().Now()
	err = s.DB.Tx(ctx, func(tx db.Tx) (err error) {
		g, err = db.One(ctx, tx, scanReading, `update balance_readings set lease_until = $4 where merchant = $1 and mode = $2 and account = $3 and lease_until <= $5
			returning `+readingColumns, scope.Merchant, scope.Mode, account, db.Micros(now.Add(lease)), db.Micros(now))
		return err
	})
	return g, err
}

// came writes how far a reading has come. It misses where somebody else has gone on with it.
func came(was, now reading) db.Change {
	return db.Change{SQL: `update balance_readings set read_to = $6, look_after = $7, look_at = $8, look_newest = $9, lines = $10, checked_at = $11, failures = 0, error = ''
		where merchant = $1 and mode = $2 and account = $3 and look_after = $4 and lines = $5`,
		Args: []any{was.scope.Merchant, was.scope.Mode, was.account, was.after, was.lines, db.Micros(now.readTo), now.after, db.Micros(now.at), db.Micros(now.newest), now.lines, db.Micros(now.checked)}, Rows: 1}
}

// release gives the reading free, to be gone on with at a time, or begun anew. It does nothing where another process has it by now.
func (s *Reconcile) release(ctx context.Context, g reading, failure string, anew bool, due time.Time) error {
	failed, place := int64(0), ""
	if failure != "" {
		failed = g.failures + 1
	}
	if anew {
		place = `, look_after = '', look_at = null, look_newest = null`
	}
	return s.DB.Write(ctx, db.Change{SQL: `update balance_readings set lease_until = 0, due_at = $4, failures = $5, error = $6` + place + `
		where merchant = $1 and mode = $2 and account = $3 and lease_until = $7`,
		Args: []any{g.scope.Merchant, g.scope.Mode, g.account, db.Micros(due), failed, failure, g.held}, Rows: db.Any})
}

// dueAccount is an account whose reading is due.
type dueAccount struct {
	db.Scope
	account string
}

func (s *Reconcile) dueNow(ctx context.Context, limit int) ([]dueAccount, error) {
	return db.All(ctx, s.DB, func(r db.Row) (a dueAccount, err error) { return a, r.Scan(&a.Merchant, &a.Mode, &a.account) },
		`select merchant, mode, account from balance_readings where (due_at <= $1 or due_at > $1 + 7200000000) and lease_until <= $2 order by due_at limit $3`,
		db.Micros(s.Clock.Now()), db.Micros(s.Clock.Machine().Now()), limit)
}

// unread are accounts of all merchants whose balance was never read.
func (s *Reconcile) unread(ctx context.Context, limit int) ([]dueAccount, error) {
	return db.All(ctx, s.DB, func(r db.Row) (a dueAccount, err error) { return a, r.Scan(&a.Merchant, &a.Mode, &a.account) },
		`select distinct merchant, mode, account from providers p where account <> '' and not exists (
			select 1 from balance_readings r where r.merchant = p.merchant and r.mode = p.mode and r.account = p.account) limit $1`, limit)
}

// book is the changes that book lines in the observed book.
func book(lines []Line) ([]db.Change, error) {
	var all []ledger.Transaction
	for _, l := range lines {
		if t := l.posting(); len(t.Lines) > 0 {
			all = append(all, t)
		}
	}
	return ledger.Post(all...)
}
