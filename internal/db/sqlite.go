package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/till-pay/till/internal/crash"
)

// sqliteDB has one writer: SQLite's own waiting for a lock is unfair, and seconds long under load. Readers see the last commit (WAL).
type sqliteDB struct {
	path            string
	writer, readers *sql.DB
	lock            *sql.DB // where this process has the file alone
}

func openSQLite(ctx context.Context, path string) (*sqliteDB, error) {
	if path == "" || path == ":memory:" {
		return nil, errors.New("the SQLite URL needs a file: sqlite:PATH")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the SQLite file: %w", err)
	}
	// FULL: a commit is on the disk before it is answered.
	pragmas := "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	writer, err := sql.Open(crash.Driver("sqlite"), file+"?"+pragmas+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	if err := writer.PingContext(ctx); err != nil {
		writer.Close()
		return nil, fmt.Errorf("cannot open the SQLite file %s: %w", path, err)
	}
	readers, err := sql.Open(crash.Driver("sqlite"), file+"?"+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		writer.Close()
		return nil, err
	}
	readers.SetMaxOpenConns(4)
	readers.SetMaxIdleConns(4)
	return &sqliteDB{path: path, writer: writer, readers: readers}, nil
}

func (s *sqliteDB) close() {
	s.readers.Close()
	s.writer.Close()
	if s.lock != nil {
		s.lock.Close()
	}
}

func (s *sqliteDB) ping(ctx context.Context) error { return s.readers.PingContext(ctx) }

func (s *sqliteDB) Query(ctx context.Context, text string, args ...any) (Rows, error) {
	text, args = positional(text, args)
	rows, err := s.readers.QueryContext(ctx, text, args...)
	return sqliteRows{rows}, err
}

func (s *sqliteDB) begin(ctx context.Context) (transaction, error) {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &sqliteTx{tx}, nil
}

// migrate lets processes that start together take turns: who is second finds the work done. Of a big file the indexes take a while.
func (s *sqliteDB) migrate(ctx context.Context) error {
	lock, err := s.hold(ctx, ".migrate", time.Minute)
	if err != nil {
		return fmt.Errorf("cannot lock the SQLite file %s to migrate it: %w", s.path, err)
	}
	defer lock.Close()
	return migrate(ctx, goose.DialectSQLite3, s.writer)
}

type sqliteTx struct{ tx *sql.Tx }

func (t *sqliteTx) Query(ctx context.Context, text string, args ...any) (Rows, error) {
	text, args = positional(text, args)
	rows, err := t.tx.QueryContext(ctx, text, args...)
	return sqliteRows{rows}, err
}

func (t *sqliteTx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	text, args = positional(text, args)
	result, err := t.tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *sqliteTx) commit(context.Context) error { return t.tx.Commit() }
func (t *sqliteTx) rollback()                    { _ = t.tx.Rollback() }

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }

// transient: another process holds the file's lock, and this transaction wrote nothing.
func (s *sqliteDB) transient(err error) bool {
	code, ok := resultCode(err)
	return ok && code == sqlite3.SQLITE_BUSY
}

func (s *sqliteDB) unreachable(err error) bool {
	code, ok := resultCode(err)
	if !ok {
		return errors.Is(err, sql.ErrConnDone)
	}
	switch code {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

// resultCode is SQLite's primary result code: the low byte of the extended one.
func resultCode(err error) (int, bool) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.Code() & 0xff, true
}
