package db_test

import (
	"context"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

// One SQLite file is for one that asks to have it alone, until it is closed; whoever does not ask reads and writes beside it. Nodes
// share PostgreSQL.
func TestAlone(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		open := func() *db.DB {
			d, err := db.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			return d
		}
		first, second := open(), open()
		if err := first.Alone(t.Context()); err != nil {
			t.Fatal(err)
		}
		shared := second.Name == "postgres"
		if err := second.Alone(t.Context()); (err == nil) != shared || err != nil && !strings.Contains(err.Error(), "is for one process") {
			t.Errorf("a second: %v", err)
		}
		for _, d := range []*db.DB{first, second} {
			if err := d.Tx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(context.Background(), `create table if not exists beside (n bigint)`)
				return err
			}); err != nil {
				t.Errorf("writing beside: %v", err)
			}
		}
		first.Close()
		if err := second.Alone(t.Context()); err != nil {
			t.Errorf("after the first has gone: %v", err)
		}
	})
}
