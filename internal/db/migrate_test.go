package db_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

// Two commands begin together with a new SQLite file, as "till serve" and "till key create" in two terminals: one migrates, the other waits,
// and both find the whole database. Nodes on PostgreSQL take turns by a lock of its own.
func TestMigrationsAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		url := "sqlite:" + filepath.Join(t.TempDir(), "till.db")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				d, err := db.Open(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				defer d.Close()
				if err := d.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// A database that has deliveries from before the chain owes a checkpoint of all of them after the migration; one without owes nothing. And
// the way back loses no row.
func TestMigrationOfTheChain(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		dialect, driver, source := goose.DialectPostgres, "pgx", url
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
			dialect, driver, source = goose.DialectSQLite3, "sqlite", path
		}
		pool, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		provider, err := goose.NewProvider(dialect, pool, os.DirFS("migrations"))
		if err == nil {
			_, err = provider.DownTo(t.Context(), 2)
		}
		if err == nil {
			_, err = pool.ExecContext(t.Context(), `insert into endpoints (merchant, mode, id, url, secret, next_seq, created_at, updated_at)
				values ('old', 'test', 'e1', 'u', 's', 4, 10, 20), ('new', 'test', 'e2', 'u', 's', 1, 10, 20)`)
		}
		for range 2 { // there, back, and there again
			if err == nil {
				_, err = provider.Up(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			var owed, quiet int64
			err = pool.QueryRowContext(t.Context(), `select
				(select count(*) from endpoints where merchant = 'old' and checkpoint_due = 20 and chain = '' and chain_seq = 0 and checkpoint_seq = 0 and next_seq = 4),
				(select count(*) from endpoints where merchant = 'new' and checkpoint_due is null and previous_secret = '' and previous_until is null)`).Scan(&owed, &quiet)
			if err != nil || owed != 1 || quiet != 1 {
				t.Fatalf("owed %d, quiet %d: %v", owed, quiet, err)
			}
			_, err = provider.DownTo(t.Context(), 2)
		}
		if err != nil {
			t.Error(err)
		}
	})
}
