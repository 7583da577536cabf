package merchant

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
)

// Two requests that decided from the same rows must not both be written: the second would undo what it never saw.
func TestADecisionFromOldRowsIsNotWritten(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		sealer, err := OpenMasterKey(filepath.Join(t.TempDir(), "master.key"), true)
		if err != nil {
			t.Fatal(err)
		}
		m, ctx := &Merchants{DB: d, Clock: clock.NewFake(time.Unix(1, 0)), Sealer: sealer}, context.Background()
		scope := db.Scope{Merchant: id.New(), Mode: Test}
		turn := func(account string, c Credentials) []db.Change {
			c.SecretKey = "key"
			changes, err := m.turnTo(ctx, scope, wish{Credentials: c, account: account})
			if err != nil {
				t.Fatal(err)
			}
			return changes
		}
		both(t, d, "two first accounts", [2][]db.Change{turn("acct_1", Credentials{}), turn("acct_2", Credentials{})})
		both(t, d, "two changes of an account", [2][]db.Change{turn("acct_1", Credentials{WebhookSecret: "a secret"}), turn("acct_1", Credentials{PublishableKey: "pk"})})
		both(t, d, "two other accounts", [2][]db.Change{turn("acct_2", Credentials{}), turn("acct_3", Credentials{})})

		e := Endpoint{Scope: scope, ID: id.New(), URL: "https://one", NextSeq: 1, CreatedAt: m.Clock.Now(), UpdatedAt: m.Clock.Now()}
		rival := e
		rival.ID = id.New()
		both(t, d, "two first endpoints", [2][]db.Change{{insertEndpoint(e, "sealed")}, {insertEndpoint(rival, "sealed")}})
		changed := e
		changed.UpdatedAt = after(e.UpdatedAt, m.Clock.Now())
		both(t, d, "two changes of an endpoint", [2][]db.Change{{updateEndpoint(changed, sealedSecrets{}, e.UpdatedAt)}, {updateEndpoint(changed, sealedSecrets{}, e.UpdatedAt)}})
	})
}

func both(t *testing.T, d *db.DB, name string, decided [2][]db.Change) {
	t.Helper()
	if err := d.Write(context.Background(), decided[0]...); err != nil {
		t.Errorf("%s: the first: %v", name, err)
	}
	if err := d.Write(context.Background(), decided[1]...); !db.IsMoved(err) {
		t.Errorf("%s: the second answered %v, not that its rows have moved", name, err)
	}
}

// A key file that came to be meanwhile is the key: what another process sealed with it must stay readable.
func TestAKeyFileIsNeverReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte("another process's key"), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := makeKeyFile(path)
	if kept, _ := os.ReadFile(path); made || err != nil || string(kept) != "another process's key" {
		t.Errorf("made %v, %v; the file holds %q", made, err, kept)
	}
}
