package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/merchant"
)

// Two nodes repair at once while their sweeps and the webhooks come: each event is brought once, by whoever, and applied once.
func TestRepairsOnTwoNodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one, stripe := withArchive(t, d)
		two := one.another()
		shop := one.shop(secret())
		one.sweepOnce()
		var lost []string
		for i := range 11 {
			body := stripe.add(shop, "refund.created", one.clock.Now().Add(-time.Duration(i)*time.Hour))
			lost = append(lost, idOf(body))
		}
		for range 5 {
			one.tell(shop, stripe.add(shop, "payment_intent.succeeded", one.clock.Now().Add(-time.Hour)))
		}
		stripe.add(shop, "refund.created", one.clock.Now().Add(-73*time.Hour)) // before the time that is asked for
		gap, err := two.Missing(ctx, shop.Scope, "72h", "")
		if err != nil || gap.AtStripe != 16 || gap.Kept != 5 || !slices.Equal(named(gap.Missed), sorted(slices.Clone(lost)...)) || !gap.Complete {
			t.Fatalf("missing: %+v, %v", gap, err)
		}
		var mu sync.Mutex
		var brought []string
		applied := 0
		var all sync.WaitGroup
		for range 3 {
			for _, n := range []*node{one, two} {
				all.Go(func() {
					r, err := n.Repair(ctx, shop.Scope, "72h", "")
					mu.Lock()
					defer mu.Unlock()
					if err != nil || r.Brought != len(r.Missed) || len(r.Failed) != 0 || r.AtStripe != 16 || r.Kept+r.Brought != 16 {
						t.Errorf("%+v, %v", r, err)
					}
					brought, applied = append(brought, named(r.Missed)...), applied+r.Applied
				})
			}
		}
		all.Wait()
		if !slices.Equal(sorted(brought...), sorted(lost...)) || applied != 11 || len(one.heard())+len(two.heard()) != 16 {
			t.Errorf("brought %d, applied %d, heard %d", len(brought), applied, len(one.heard())+len(two.heard()))
		}
		again, err := one.Repair(ctx, shop.Scope, "72h", "")
		if err != nil || again.Brought != 0 || again.Applied != 0 || len(again.Missed) != 0 || again.Kept != 16 {
			t.Errorf("again: %+v, %v", again, err)
		}
		for range 3 {
			one.pass(time.Minute)
		}
		if n := one.number(`select count(*) from stripe_events where source <> 'webhook'`); n != 11 {
			t.Errorf("%d were brought in the end", n)
		}
	})
}

func named(missed []inbox.Missed) (ids []string) {
	for _, m := range missed {
		ids = append(ids, m.ID)
	}
	return sorted(ids...)
}

// What was given up, and what is to be tried later, is tried again; what cannot be taken in is named, and what somebody is at work on is
// left to him.
func TestRepairTriesAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		at := n.clock.Now().Add(-time.Hour)
		waits, gone, leased := stripe.add(shop, "refund.created", at), stripe.add(shop, "refund.updated", at), stripe.add(shop, "payment_intent.canceled", at)
		n.answer = func(context.Context, call) error { return errors.New("no\nwith a trace") }
		n.tell(shop, waits)
		n.tell(shop, gone)
		n.tell(shop, leased)
		set := func(body, to string) {
			t.Helper()
			if err := d.Write(ctx, db.Change{SQL: `update stripe_events set ` + to + ` where id = $1`, Args: []any{idOf(body)}, Rows: 1}); err != nil {
				t.Fatal(err)
			}
		}
		set(gone, `attempts = 20, due_at = null`)
		set(leased, `error = ''`)
		r, err := n.Repair(ctx, shop.Scope, "2h", "")
		if err != nil || r.Brought != 0 || r.Applied != 0 || r.Waiting != 1 || len(r.Failed) != 2 || r.Failed[0].Error != "no" || r.Kept != 3 {
			t.Errorf("%+v, %v", r, err)
		}
		n.answer = nil
		if r, err = n.Repair(ctx, shop.Scope, "2h", ""); err != nil || r.Applied != 2 || len(r.Failed) != 0 || r.Waiting != 1 {
			t.Errorf("then: %+v, %v", r, err)
		}
		for _, k := range n.kept() {
			if k.applied.IsZero() != (k.id == idOf(leased)) {
				t.Errorf("kept %+v", k)
			}
		}
	})
}

// One event: unknown, known, given up, or a hint that was never proved. It is applied each time.
func TestResend(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop, hinted := n.shop(secret()), n.shop("")
		lost := stripe.add(shop, "payment_intent.succeeded", n.clock.Now())
		for times := range 3 {
			told, err := n.Resend(ctx, shop.Scope, idOf(lost))
			if err != nil || told.AppliedAt == nil || told.Source != "resend" || told.Attempts != int64(times)+1 || len(n.heard()) != times+1 {
				t.Errorf("%+v, %v, heard %d", told, err, len(n.heard()))
			}
		}
		if calls := n.heard(); calls[2] != (call{"payment", shop.Scope, 1, intent, "succeeded"}) {
			t.Errorf("heard %+v", calls)
		}
		// A hint may have said anything. What Stripe itself says of the event is proved.
		proved := stripe.add(hinted, "refund.failed", n.clock.Now())
		if got := n.post(shared+"/"+hinted.Merchant+"/"+hinted.token, "-", strings.Replace(proved, `"refund.failed"`, `"charge.odd"`, 1)); !got.received() {
			t.Fatalf("%d %s", got.status, got.text)
		}
		n.Wait()
		if told, err := n.Resend(ctx, hinted.Scope, idOf(proved)); err != nil || told.AppliedAt == nil || len(n.heard()) != 4 || n.heard()[3].status != "failed" {
			t.Errorf("%+v, %v, heard %+v", told, err, n.heard())
		}
		n.answer = func(context.Context, call) error { return errors.New("no") }
		if told, err := n.Resend(ctx, shop.Scope, idOf(lost)); err != nil || told.AppliedAt != nil || told.Error != "no" {
			t.Errorf("that fails: %+v, %v", told, err)
		}
		stripe.events[shop.key()] = append(stripe.events[shop.key()], archived{"evt_strange", "", 1, strings.Replace(lost, `"payment_intent.succeeded"`, `"invoice.paid"`, 1)})
		before := len(n.kept())
		for name, code := range map[string]fault.Code{"evt_strange": fault.EventUnhandled, "evt_none": fault.ResourceMissing, "../refunds": fault.ResourceMissing, idOf(proved): fault.ResourceMissing, "": fault.ResourceMissing} {
			if told, err := n.Resend(ctx, shop.Scope, name); !fault.Is(err, code) {
				t.Errorf("%q: %+v, %v, not %s", name, told, err, code)
			}
		}
		if len(n.kept()) != before {
			t.Error("something was written")
		}
	})
}

// The bounds of since and until, and what is said of them.
func TestSpans(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, _ := withArchive(t, d)
		shop := n.shop(secret())
		now := n.clock.Now()
		for since, want := range map[string]time.Time{"72h": now.Add(-72 * time.Hour), "30m": now.Add(-30 * time.Minute), "3d": now.Add(-72 * time.Hour), "30d": now.Add(-720 * time.Hour), "1h30m": now.Add(-90 * time.Minute),
			"2026-11-20T10:00:00+01:00": time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)} {
			if g, err := n.Missing(ctx, shop.Scope, since, ""); err != nil || !g.Since.Equal(want) || !g.Until.Equal(now) || !g.Reached.Equal(want) || g.Missed == nil {
				t.Errorf("%s: %+v, %v", since, g, err)
			}
		}
		for _, c := range [][3]string{{"", "", "since"}, {"0h", "", "since"}, {"-3h", "", "since"}, {"0d", "", "since"}, {"-1d", "", "since"}, {"1.5d", "", "since"}, {"99999d", "", "since"}, {"31d", "", "since"}, {"721h", "", "since"},
			{"yesterday", "", "since"}, {"2026-11-21", "", "since"}, {"2027-01-01T00:00:00Z", "", "since"}, {"0001-01-01T00:00:00Z", "", "since"}, {"2562047h", "", "since"}, {"72h", "72h", "until"}, {"1h", "2026-11-20T00:00:00Z", "until"}} {
			_, err := n.Missing(ctx, shop.Scope, c[0], c[1])
			if f, ok := fault.As(err); !ok || f.Code != fault.ParameterInvalid || f.Param != c[2] {
				t.Errorf("since %q until %q: %v", c[0], c[1], err)
			}
		}
	})
}

// Stripe's silence is no empty list; and an account of before whose key has ended does not hide what the present one says.
func TestMissingWhenStripeIsSilent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		scope := db.Scope{Merchant: id.New(), Mode: "test"}
		before := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 1, Secret: secret()}, id.Hex(16)}, "acct_1")
		now := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 2, Secret: secret()}, id.Hex(16)}, "acct_2")
		lost := []string{idOf(stripe.add(before, "refund.created", n.clock.Now())), idOf(stripe.add(now, "refund.created", n.clock.Now()))}
		if g, err := n.Missing(ctx, scope, "1h", ""); err != nil || !slices.Equal(named(g.Missed), sorted(slices.Clone(lost)...)) || !g.Complete {
			t.Errorf("both: %+v, %v", g, err)
		}
		refused := func(key string) {
			stripe.refuse(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.Header.Get("Authorization"), key) {
					return false
				}
				stripeError(w, 401, "Invalid API Key provided")
				return true
			})
		}
		refused(before.key())
		g, err := n.Missing(ctx, scope, "1h", "")
		if err != nil || !slices.Equal(named(g.Missed), lost[1:]) || g.Complete || fmt.Sprint(g.Unanswered) != "[acct_1: Stripe refuses the merchant's secret key.]" {
			t.Errorf("the old key has ended: %+v, %v", g, err)
		}
		if r, err := n.Repair(ctx, scope, "1h", ""); err != nil || r.Brought != 1 || r.Complete {
			t.Errorf("its repair: %+v, %v", r, err)
		}
		refused(now.key())
		if _, err := n.Missing(ctx, scope, "1h", ""); !fault.Is(err, fault.ProviderCredentials) {
			t.Errorf("the key in use is refused: %v", err)
		}
		stripe.refuse(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
		if _, err := n.Repair(ctx, scope, "1h", ""); !fault.Is(err, fault.ProviderUnavailable) {
			t.Errorf("no answer: %v", err)
		}
		if _, err := n.Resend(ctx, scope, lost[0]); !fault.Is(err, fault.ProviderUnavailable) {
			t.Errorf("no answer to one: %v", err)
		}
		if n := len(n.kept()); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}
