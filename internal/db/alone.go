package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/till-pay/till/internal/crash"
)

// Alone keeps every other process that asks for it off an SQLite file, until Close or the end of this process, whichever way that comes:
// nodes share PostgreSQL, but two that serve from one file would stand in each other's way at each write. A command that writes and is
// gone need not ask.
func (d *DB) Alone(ctx context.Context) error {
	if s, ok := d.engine.(*sqliteDB); ok {
		return s.alone(ctx)
	}
	return nil
}

// alone waits for a second: a process that is being replaced may be about to end.
func (s *sqliteDB) alone(ctx context.Context) error {
	lock, err := s.hold(ctx, ".lock", time.Second)
	if err == nil {
		s.lock = lock
		return nil
	}
	if code, ok := resultCode(err); ok && code == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("another till serves from the SQLite file %s, which is for one process: stop that one, choose another file, or use PostgreSQL", s.path)
	}
	return fmt.Errorf("cannot lock the SQLite file %s: %w", s.path, err)
}

// hold takes SQLite's own lock on an empty file beside the database, which the operating system lets go of when a process dies. Close of what
// it returns ends it: its one connection holds a transaction.
func (s *sqliteDB) hold(ctx context.Context, suffix string, patience time.Duration) (*sql.DB, error) {
	path, err := filepath.EvalSymlinks(s.path)
	if err != nil {
		return nil, fmt.Errorf("cannot find the SQLite file: %w", err)
	}
	lock, err := sql.Open(crash.Driver("sqlite"), fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)", (&url.URL{Path: path + suffix}).EscapedPath(), patience.Milliseconds()))
	if err != nil {
		return nil, err
	}
	lock.SetMaxOpenConns(1)
	if _, err = lock.ExecContext(ctx, "begin exclusive"); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}
