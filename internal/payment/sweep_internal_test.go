package payment

import (
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
)

// The sweep finds a held payment due at the moment that its merchant releases it. The released one has its whole day: what the sweep
// arranges for the held one must not reach it, or it would be cancelled ten minutes later while its payer is at the bank's page.
func TestReleasedWhileTheSweepLooks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := t.Context(), time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
		s := &Payments{DB: d}
		p := Payment{ID: id.New(), scope: db.Scope{Merchant: id.New(), Mode: "test"}, version: 1, Status: Held, Currency: "EUR", Amount: money.FromMinor(310000, "EUR"),
			CreatedAt: now.Add(-resolveWithin), ResolveBy: now, dueAt: now}
		if err := d.Write(ctx, insert(p)...); err != nil {
			t.Fatal(err)
		}
		found, err := s.find(ctx, p.scope, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, letGo(found, now)); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, postpone(found, now.Add(again))); err != nil {
			t.Fatal(err)
		}
		released, err := s.find(ctx, p.scope, p.ID)
		if err != nil || released.Status != Pending || !released.dueAt.Equal(now.Add(resolveWithin)) {
			t.Errorf("%s, and the sweep looks at it at %s: %v", released.Status, released.dueAt, err)
		}
		if err := d.Write(ctx, postpone(released, now.Add(again))); err != nil {
			t.Fatal(err)
		}
		if later, err := s.find(ctx, p.scope, p.ID); err != nil || !later.dueAt.Equal(now.Add(again)) {
			t.Errorf("a payment that stands as it was found rests until %s: %v", later.dueAt, err)
		}
	})
}
