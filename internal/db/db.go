// Package db is PostgreSQL and SQLite behind one Tx: both engines run the same SQL text.
//
// Plain ground only: $n placeholders, text, BIGINT and BOOLEAN columns, times as UTC microseconds that we pass in (At, Micros),
// documents as text. What differs between the engines lives in postgres.go and sqlite.go.
package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/fault"
)

// Scope is whose data a statement touches. Every store function takes one first, and every statement names both parts,
// so that tenants cannot meet and test money cannot meet live money.
type Scope struct {
	Merchant string
	Mode     string // "test" or "live"
}

// Row is one row to be scanned.
type Row interface {
	Scan(dest ...any) error
}

// Rows are the rows of a query; the reader closes them.
type Rows interface {
	Row
	Next() bool
	Err() error
	Close()
}

// Querier reads.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
}

// Tx reads and writes inside one transaction.
type Tx interface {
	Querier
	// Exec runs one statement and says how many rows it touched.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
}

// transaction is a Tx that its engine can end.
type transaction interface {
	Tx
	commit(ctx context.Context) error
	rollback()
}

type engine interface {
	Querier // on the read pool
	begin(ctx context.Context) (transaction, error)
	ping(ctx context.Context) error
	migrate(ctx context.Context) error
	close()
	transient(error) bool   // the engine undid everything; the same transaction may simply run again
	unreachable(error) bool // no connection, no disk: not the statement's fault
}

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	engine
	Name string // "postgres" or "sqlite"
	// Committed hears, after a commit, of each Topic that its changes were about; nil hears nothing. It must not block.
	Committed func(topic string)
}

// timeout bounds every transaction and every read: nothing in till may hold a connection for longer.
const timeout = 10 * time.Second

// Open connects to "postgres://…" or "sqlite:PATH". It does not migrate.
func Open(ctx context.Context, url string) (*DB, error) {
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		e, err := openPostgres(ctx, url)
		if err != nil {
			return nil, err
		}
		return &DB{engine: e, Name: "postgres"}, nil
	case strings.HasPrefix(url, "sqlite:"):
		e, err := openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"))
		if err != nil {
			return nil, err
		}
		return &DB{engine: e, Name: "sqlite"}, nil
	}
	return nil, errors.New("the database URL must be postgres://… or sqlite:PATH")
}

// Close ends every connection.
func (d *DB) Close() { d.engine.close() }

// Ping says whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return d.explain(d.engine.ping(ctx))
}

// Migrate brings the schema up to this build's. Nodes that start together take turns.
func (d *DB) Migrate(ctx context.Context) error { return d.explain(d.engine.migrate(ctx)) }

// Query reads outside any transaction.
func (d *DB) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	rows, err := d.engine.Query(ctx, sql, args...)
	return rows, d.explain(err)
}

// Tx runs f in a transaction: for work off the hot path that must read what it writes. An error of f rolls everything back.
func (d *DB) Tx(ctx context.Context, f func(Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	const tries = 5
	var err error
	for range tries {
		if err = d.once(ctx, f); err == nil || !d.transient(err) {
			break
		}
	}
	return d.explain(err)
}

func (d *DB) once(ctx context.Context, f func(Tx) error) error {
	tx, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.rollback() // does nothing after a commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.commit(ctx)
}

// Change is one guarded statement: it must touch exactly Rows rows, or nothing of its list is written.
type Change struct {
	SQL   string
	Args  []any
	Rows  int64  // Any where the number is not a guard
	Topic string // what waits for such a change, if anything does: see DB.Committed
}

// Any is the Rows of a change that guards nothing.
const Any int64 = -1

// Moved says that a guard missed: what the decision was based on is no longer so. At is the index of the change that missed.
type Moved struct{ At int }

// Error implements error.
func (m *Moved) Error() string { return fmt.Sprintf("change %d of the list missed its guard", m.At) }

// IsMoved says whether an error is a missed guard.
func IsMoved(err error) bool {
	var m *Moved
	return errors.As(err, &m)
}

// Write applies the changes in order, all or none. It returns *Moved where a guard missed.
func (d *DB) Write(ctx context.Context, changes ...Change) error {
	err := d.Tx(ctx, func(tx Tx) error {
		for i, c := range changes {
			n, err := tx.Exec(ctx, c.SQL, c.Args...)
			if err != nil {
				return err
			}
			if c.Rows != Any && n != c.Rows && !crash.Bug("missing_guard") {
				return &Moved{At: i}
			}
		}
		return nil
	})
	if err == nil && d.Committed != nil {
		for _, c := range changes {
			if c.Topic != "" {
				d.Committed(c.Topic)
			}
		}
	}
	return err
}

// Decide asks for a list of changes and writes it; where a row moved in between it asks again, a bounded number of times.
func (d *DB) Decide(ctx context.Context, decide func(context.Context) ([]Change, error)) error {
	const tries = 20
	var err error
	for range tries {
		var changes []Change
		if changes, err = decide(ctx); err != nil || len(changes) == 0 {
			return err
		}
		if err = d.Write(ctx, changes...); !IsMoved(err) {
			return err
		}
	}
	return fault.New(fault.StateConflict, "", "The object is changing too often; try again.").Because(err)
}

// Analyze tells PostgreSQL's planner what tables hold now. It looks by itself only once a minute (autovacuum_naptime), and until then reads
// what has just come in bulk as if there were nothing. SQLite plans by the indexes alone.
func (d *DB) Analyze(ctx context.Context, tables ...string) error {
	if d.Name != "postgres" {
		return nil
	}
	return d.Write(ctx, Change{SQL: "analyze " + strings.Join(tables, ", "), Rows: Any})
}

// explain turns a lost database into a fault that says so, and leaves every other error as it is.
func (d *DB) explain(err error) error {
	if err == nil || !d.unreachable(err) {
		return err
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	return fault.New(fault.DatabaseUnavailable, "", "The database cannot be reached; try again.").Because(err)
}

// All scans every row of a query.
func All[T any](ctx context.Context, q Querier, scan func(Row) (T, error), sql string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		t, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// ErrNone is what One returns where there is no row.
var ErrNone = errors.New("no such row")

// One scans the first row of a query, or returns ErrNone.
func One[T any](ctx context.Context, q Querier, scan func(Row) (T, error), sql string, args ...any) (T, error) {
	all, err := All(ctx, q, scan, sql, args...)
	if err != nil || len(all) == 0 {
		var none T
		if err == nil {
			err = ErrNone
		}
		return none, err
	}
	return all[0], nil
}

// Value scans a row of one column.
func Value[T any](r Row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}
