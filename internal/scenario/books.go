package scenario

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

// books are the database of one throw-away world: a file in its folder, or a schema of its own in a PostgreSQL database, which both go
// away with it.
type books struct {
	url    string
	server string // where the schema is; "" for a file
	schema string
}

func newBooks(ctx context.Context, dir, database string) (*books, error) {
	if database == "" {
		return &books{url: "sqlite:" + filepath.Join(dir, "books", "till.db")}, nil // beside the master key, not around it
	}
	u, err := url.Parse(database)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, fmt.Errorf("--db is postgres://…: without it the books are an SQLite file that goes away") // never repeated: it may hold a password
	}
	b := &books{server: database, schema: "till_scenario_" + id.Hex(8)}
	q := u.Query()
	q.Set("search_path", b.schema)
	u.RawQuery = q.Encode()
	b.url = u.String()
	if err := b.do(ctx, "create schema "+b.schema); err != nil {
		return nil, err // there is nothing to drop
	}
	return b, nil
}

// close drops the schema, whether or not its caller is being told to stop.
func (b *books) close() error {
	if b.server == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return b.do(ctx, "drop schema if exists "+b.schema+" cascade")
}

func (b *books) do(ctx context.Context, sql string) error {
	d, err := db.Open(ctx, b.server)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sql)
		return err
	})
}

// engine is what it is called.
func (b *books) engine() string {
	name, _, _ := strings.Cut(b.url, ":")
	return map[string]string{"sqlite": "SQLite"}[name] + map[string]string{"postgres": "PostgreSQL", "postgresql": "PostgreSQL"}[name]
}
