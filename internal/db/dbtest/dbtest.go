// Package dbtest gives a test an empty, migrated database on each engine. Only tests may import it.
package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

// Variable names the environment variable that holds the URL of a PostgreSQL server that tests may make databases on.
// `make test` starts a throw-away server and sets it.
const Variable = "TILL_TEST_POSTGRES"

// Each runs a test on SQLite and on PostgreSQL, each on a database of its own.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, open(t, url)) })
}

// EachURL runs a test on both engines with the URL of an empty, migrated database: for tests that start processes.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

// SQLite is the URL of a migrated SQLite file that lives as long as the test.
func SQLite(t testing.TB) string {
	t.Helper()
	migrated.Do(func() {
		path := filepath.Join(t.TempDir(), "template.db")
		migrate(t, "sqlite:"+path)
		var err error
		if file, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	path := filepath.Join(t.TempDir(), "till.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// A migrated SQLite file, made once per test process.
var (
	file     []byte
	migrated sync.Once
)

// Postgres is the URL of a migrated PostgreSQL database that lives as long as the test. Without a server the test is
// skipped, loudly, except in CI, where it fails.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not set: in CI the PostgreSQL half must run (make test starts a server)", Variable)
		}
		t.Skipf("no PostgreSQL: `make test` starts a throw-away one and sets %s", Variable)
	}
	template(t, server)
	name := "t_" + strings.ReplaceAll(id.New(), "-", "")
	admin(t, server, fmt.Sprintf("create database %s template %s", name, templateName))
	t.Cleanup(func() { admin(t, server, fmt.Sprintf("drop database if exists %s with (force)", name)) })
	return at(server, name)
}

func open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func migrate(t testing.TB, url string) {
	t.Helper()
	d, err := db.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// The template is migrated once per test process and copied for each test: a copy is several times cheaper than a migration.
var (
	templateName = fmt.Sprintf("template_%d", os.Getpid())
	once         sync.Once
)

func template(t testing.TB, server string) {
	once.Do(func() {
		admin(t, server, "create database "+templateName)
		migrate(t, at(server, templateName))
	})
}

// creating is held around each statement on the server: PostgreSQL copies a template only while nobody else uses it.
var creating sync.Mutex

func admin(t testing.TB, server, sql string) {
	t.Helper()
	creating.Lock()
	defer creating.Unlock()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("the PostgreSQL server of %s cannot be reached: %v", Variable, err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func at(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err)
	}
	u.Path = "/" + database
	return u.String()
}
