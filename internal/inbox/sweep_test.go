package inbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

// An event whose webhook never comes is found and applied once, with its payload as Stripe has it; one that came is left alone, and so are
// types that no room takes in and what is of a connected account.
func TestSweepBringsWhatWasMissed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce() // from now on it is looked at
		at := n.clock.Now().Truncate(time.Second)
		came := stripe.add(shop, "refund.created", at)
		n.tell(shop, came)
		lost := stripe.add(shop, "payment_intent.succeeded", at)
		other := stripe.add(shop, "charge.updated", at)
		stripe.events[shop.key()] = slices.DeleteFunc(stripe.events[shop.key()], func(e archived) bool { return e.id == idOf(other) })
		stripe.events[shop.key()] = append(stripe.events[shop.key()], archived{"evt_strange", "", at.Unix(), strings.Replace(other, `"type":"charge.updated"`, `"type":"charge.odd"`, 1)},
			archived{"evt_connected", "", at.Unix(), strings.Replace(other, `"object":"event"`, `"object":"event","account":"acct_1Other"`, 1)},
			archived{"evt_live", "", at.Unix(), strings.ReplaceAll(other, `"livemode":false`, `"livemode":true`)})
		for range 4 {
			n.pass(time.Minute)
		}
		if got := n.bySource(); !slices.Equal(got["webhook"], []string{idOf(came)}) || !slices.Equal(got["sweep"], []string{idOf(lost)}) {
			t.Fatalf("kept: %v", got)
		}
		calls := n.heard()
		if len(calls) != 2 || calls[1] != (call{"payment", shop.Scope, 1, intent, "succeeded"}) {
			t.Errorf("heard %+v", calls)
		}
		for _, k := range n.kept() {
			if k.id == idOf(lost) && (k.payload != lost || !k.verified || k.applied.IsZero() || !k.created.Equal(at) || k.attempts != 1) {
				t.Errorf("kept as %+v", k)
			}
		}
		if missed := n.number(`select sum(missed) from event_sweeps`); missed != 1 {
			t.Errorf("%d count as missed", missed)
		}
		if log := n.log.String(); strings.Count(log, "events were missed") != 1 || !strings.Contains(log, idOf(lost)) || !strings.Contains(log, shop.Merchant) {
			t.Errorf("the log says:\n%s", log)
		}
		if got := n.tell(shop, lost); !got.received() || len(n.heard()) != 2 { // late, but it comes
			t.Errorf("its late webhook: %d %s, heard %+v", got.status, got.text, n.heard())
		}
	})
}

// Two events of one second, at the cursor's edge: the first look sees one of them, or both while they are young, and the webhook of one is
// lost. Without an overlap it would never be found.
func TestSweepLosesNothingAtTheEdge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce()
		n.clock.Advance(time.Minute)
		second := n.clock.Now().Truncate(time.Second)
		n.tell(shop, stripe.add(shop, "payment_intent.processing", second))
		young := stripe.add(shop, "payment_intent.succeeded", second)
		n.sweepOnce() // sees both
		late := stripe.add(shop, "refund.created", second)
		early := stripe.add(shop, "refund.updated", second.Add(-4*time.Minute)) // enters the list when later ones are there
		n.tell(shop, stripe.add(shop, "payment_intent.canceled", second.Add(time.Second)))
		n.pass(time.Minute)
		n.pass(time.Minute)
		if got := n.bySource()["sweep"]; !slices.Equal(sorted(got...), sorted(idOf(young), idOf(late), idOf(early))) {
			t.Errorf("found %v, not %s (young), %s (late) and %s (earlier)", got, idOf(young), idOf(late), idOf(early))
		}
	})
}

// A leap of the clock, of Stripe's or of ours, skips nothing: neither what was young before it nor what happened on the way.
func TestSweepOverALeap(t *testing.T) {
	t.Parallel()
	for name, ours := range map[string]time.Duration{"both": 30 * time.Hour, "only Stripe's": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				n, stripe := withArchive(t, d)
				shop := n.shop(secret())
				n.sweepOnce()
				n.clock.Advance(time.Minute)
				before := stripe.add(shop, "payment_intent.succeeded", n.clock.Now())
				world := n.clock.Now().Add(30 * time.Hour)
				onTheWay := stripe.add(shop, "refund.created", n.clock.Now().Add(11*time.Hour))
				after := stripe.add(shop, "refund.updated", world)
				n.sweepOnce()
				n.clock.Advance(ours)
				for range 3 {
					n.pass(time.Minute)
				}
				if got := n.bySource()["sweep"]; !slices.Equal(sorted(got...), sorted(idOf(before), idOf(onTheWay), idOf(after))) {
					t.Errorf("found %v, not %v", got, sorted(idOf(before), idOf(onTheWay), idOf(after)))
				}
			})
		})
	}
}

// An outage of till's that is longer than the overlap: everything of it is found when till is back.
func TestSweepAfterAnOutage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce()
		var lost []string
		for range 11 {
			n.clock.Advance(7 * time.Hour)
			lost = append(lost, idOf(stripe.add(shop, "payment_intent.succeeded", n.clock.Now())))
		}
		n.another().pass(time.Second)
		n.pass(2 * time.Minute) // the last was young
		if got := n.bySource()["sweep"]; !slices.Equal(sorted(got...), sorted(lost...)) {
			t.Errorf("found %d of %d: %v", len(got), len(lost), got)
		}
	})
}

// A long list is looked through over several turns, by whichever node comes; a node that dies leaves its place. The cursor moves only when
// all of it was seen.
func TestSweepGoesOnInTheMiddle(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce()
		began := n.number(`select swept_to from event_sweeps`)
		n.clock.Advance(time.Hour)
		const events = 640
		for range events {
			stripe.add(shop, "refund.created", n.clock.Now().Add(-30*time.Minute))
		}
		requests := 0
		stripe.refuse(func(w http.ResponseWriter, r *http.Request) bool {
			if requests++; requests < 4 {
				return false
			}
			panic(http.ErrAbortHandler) // the reply is cut
		})
		if _, err := n.Tasks()[1].Run(ctx); err != nil {
			t.Fatal(err)
		}
		n.work()
		if kept := len(n.kept()); kept != 300 {
			t.Fatalf("%d were kept when the line was cut", kept)
		}
		if now := n.number(`select swept_to from event_sweeps`); now != began {
			t.Fatalf("the cursor moved to %v before the whole list was seen", time.UnixMicro(now).UTC())
		}
		stripe.refuse(nil)
		asked := len(stripe.queries())
		other := n.another()
		other.clock.Advance(10 * time.Minute)
		other.sweepOnce()
		if kept := len(n.kept()); kept != events || len(n.heard())+len(other.heard()) != events {
			t.Errorf("%d kept, %d applied here and %d there", kept, len(n.heard()), len(other.heard()))
		}
		if more := len(stripe.queries()) - asked; more != 4 {
			t.Errorf("%d requests for the rest: it did not go on where it was", more)
		}
		if now := time.UnixMicro(n.number(`select swept_to from event_sweeps`)).UTC(); !now.Equal(start.Add(6*time.Second + 30*time.Minute)) {
			t.Errorf("in the end the cursor is at %v", now)
		}
	})
}

// A place in the list that Stripe has forgotten begins the look anew.
func TestSweepWhosePlaceIsGone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce()
		if err := d.Write(ctx, db.Change{SQL: `update event_sweeps set look_after = 'evt_gone', look_newest = swept_to, look_began = swept_to`, Rows: 1}); err != nil {
			t.Fatal(err)
		}
		lost := stripe.add(shop, "refund.created", n.clock.Now())
		n.pass(2 * time.Minute)
		n.pass(time.Hour)
		if got := n.bySource()["sweep"]; !slices.Equal(got, []string{idOf(lost)}) {
			t.Errorf("found %v", got)
		}
	})
}

// Two nodes sweep at once while webhooks come: each event is kept once, applied once, and counted once.
func TestSweepsAndWebhooksAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one, stripe := withArchive(t, d)
		two := one.another()
		shop := one.shop(secret())
		one.sweepOnce()
		var bodies []string
		at := one.clock.Now()
		for range 60 {
			bodies = append(bodies, stripe.add(shop, "refund.created", at))
		}
		one.clock.Advance(2 * time.Minute)
		var all sync.WaitGroup
		for _, n := range []*node{one, two} {
			for range 3 {
				all.Go(func() {
					if _, err := n.Tasks()[1].Run(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				for _, body := range bodies[:30] {
					if got := n.post(shared, signed(shop.Secret, n.clock.Now(), body), body); !got.received() {
						t.Errorf("%d %s", got.status, got.text)
					}
				}
			})
		}
		all.Wait()
		one.sweepOnce()
		two.sweepOnce()
		applied := len(one.heard()) + len(two.heard())
		source := one.bySource()
		if len(one.kept()) != 60 || applied != 60 || len(source["sweep"])+len(source["webhook"]) != 60 {
			t.Errorf("%d kept, %d applied, %d found and %d by webhook", len(one.kept()), applied, len(source["sweep"]), len(source["webhook"]))
		}
		if missed := one.number(`select sum(missed) from event_sweeps`); missed != int64(len(source["sweep"])) {
			t.Errorf("%d were found and %d count as missed", len(source["sweep"]), missed)
		}
	})
}

// A key that Stripe refuses, a Stripe that asks to slow down and one that answers nonsense hold up nobody else, are told once, and are tried
// again later and later; when that is over nothing is missing.
func TestSweepInTrouble(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		bad, good := n.shop(secret()), n.shop(secret())
		n.sweepOnce()
		trouble := []func(w http.ResponseWriter){
			func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(401)
				fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: %s"}}`, bad.key())
			},
			func(w http.ResponseWriter) { stripeError(w, 429, "Too many requests") },
			func(w http.ResponseWriter) { w.WriteHeader(502); fmt.Fprint(w, "<html>") },
			func(w http.ResponseWriter) { fmt.Fprint(w, `{"object":"list","data":[{"id":"x"}]}`) },
			func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		}
		turn := 0
		stripe.refuse(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.Header.Get("Authorization"), bad.key()) {
				return false
			}
			turn++
			trouble[min(turn-1, len(trouble)-1)](w)
			return true
		})
		began := n.clock.Now()
		lost := []string{idOf(stripe.add(bad, "refund.created", began)), idOf(stripe.add(good, "refund.created", began))}
		for range 60 {
			n.pass(time.Minute)
		}
		if got := n.bySource()["sweep"]; !slices.Equal(got, lost[1:]) {
			t.Fatalf("the good merchant's: %v", got)
		}
		if turn < 4 || turn > 7 { // after 2, 4, 8, 16, 32 minutes
			t.Errorf("asked %d times in an hour", turn)
		}
		log := n.log.String()
		if strings.Count(log, "cannot be looked through") != 1 || !strings.Contains(log, "Stripe refuses the merchant's secret key.") || strings.Contains(log, bad.key()) {
			t.Errorf("the log says:\n%s", log)
		}
		if why := n.number(`select count(*) from event_sweeps where error = 'Stripe does not answer.' and failures > 3`); why != 1 {
			t.Error("the reason is not kept")
		}
		stripe.refuse(nil)
		for range 65 {
			n.pass(time.Minute)
		}
		if got := n.bySource()["sweep"]; !slices.Equal(sorted(got...), sorted(lost...)) {
			t.Errorf("in the end: %v", got)
		}
		if !strings.Contains(n.log.String(), "can be looked through again") || n.number(`select count(*) from event_sweeps where error <> '' or failures > 0`) != 0 {
			t.Error("that it is over is not told")
		}
	})
}

// A key is revoked for days: what a webhook brought meanwhile and had to be asked of Stripe is given up in the end, and it is in no list of
// what was missed, for it is kept. Once the key is good again, it is tried again by itself.
func TestGivenUpWhileTheKeyWasBad(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop, other := n.shop(""), n.shop("")
		n.sweepOnce()
		var good atomic.Bool
		stripe.refuse(func(w http.ResponseWriter, r *http.Request) bool {
			switch theirs := strings.Contains(r.Header.Get("Authorization"), other.key()); {
			case !good.Load() || theirs:
				stripeError(w, 401, "Invalid API Key provided")
			case strings.HasPrefix(r.URL.Path, "/v1/refunds/"):
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"id":%q,"object":"refund","status":"succeeded"}`, money)
			default:
				return false
			}
			return true
		})
		for _, a := range []account{shop, other} {
			n.post(shared+"/"+a.Merchant+"/"+a.token, "-", sample(t, "refund.created"))
		}
		n.Wait()
		for range 72 {
			n.pass(time.Hour)
		}
		if left := n.number(`select count(*) from stripe_events where due_at is null and applied_at is null and attempts = 20`); left != 2 {
			t.Fatalf("%d of 2 are given up", left)
		}
		good.Store(true)
		for range 65 {
			n.pass(time.Minute)
		}
		if calls := n.heard(); len(calls) != 1 || calls[0] != (call{"refund", shop.Scope, 1, money, "succeeded"}) {
			t.Errorf("heard %+v", calls)
		}
		for range 120 {
			n.pass(time.Minute)
		}
		if n.number(`select max(attempts) from stripe_events`) != 21 || len(n.heard()) != 1 {
			t.Errorf("it is tried on and on: %+v", n.kept())
		}
	})
}

// A merchant that leaves an account is still told of it, and one that returns goes on where it was left.
func TestSweepOfEarlierAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		scope := db.Scope{Merchant: id.New(), Mode: "test"}
		first := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 1, Secret: secret()}, id.Hex(16)}, "acct_1")
		n.sweepOnce()
		n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 2, Secret: secret()}, id.Hex(16)}, "acct_2")
		n.sweepOnce()
		old := stripe.add(first, "refund.created", n.clock.Now())
		n.pass(2 * time.Minute)
		if k := n.only(); k.id != idOf(old) || k.generation != 1 {
			t.Fatalf("kept %+v", k)
		}
		back := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 3, Secret: secret()}, id.Hex(16)}, "acct_1")
		away := stripe.add(back, "refund.updated", n.clock.Now().Add(-time.Minute)) // before the merchant returned
		n.sweepOnce()
		n.pass(2 * time.Minute)
		if n.number(`select count(*) from event_sweeps where due_at is null and generation = 1`) != 1 || n.number(`select count(*) from event_sweeps`) != 3 {
			t.Error("the first generation is looked at beside the third")
		}
		for _, k := range n.kept() {
			if k.id == idOf(away) && k.generation == 3 {
				return
			}
		}
		t.Errorf("kept %+v", n.kept())
	})
}

// What was before the merchant came, or is older than three days at the first look, is not looked for.
func TestFirstLook(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		fresh, old := n.shop(secret()), n.shop(secret())
		began := n.clock.Now()
		n.clock.Advance(200 * time.Hour)
		newcomer := n.shop(secret())
		for _, a := range []account{fresh, old, newcomer} {
			stripe.add(a, "refund.created", began.Add(-time.Hour))
			stripe.add(a, "refund.created", began.Add(100*time.Hour))
			stripe.add(a, "refund.created", began.Add(199*time.Hour))
		}
		n.sweepOnce()
		n.pass(2 * time.Minute)
		of := map[string]int{}
		for _, k := range n.kept() {
			of[k.Merchant]++
		}
		if of[fresh.Merchant] != 1 || of[old.Merchant] != 1 || of[newcomer.Merchant] != 0 {
			t.Errorf("found %v", of)
		}
	})
}

// The list may be written in an old version of Stripe's API: then the object is asked for.
func TestSweepOfAnOldVersion(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce()
		stripe.add(shop, "payment_intent.succeeded", n.clock.Now())
		e := &stripe.events[shop.key()][0]
		e.body = strings.Replace(e.body, `"api_version":"2026-03-25.dahlia"`, `"api_version":"2019-12-03"`, 1)
		n.pass(2 * time.Minute)
		if calls := n.heard(); len(calls) != 1 || calls[0] != (call{"refetch", shop.Scope, 1, intent, ""}) {
			t.Errorf("heard %+v", calls)
		}
	})
}

// An account that was enrolled in another time, as it is before the clock begins to follow a sandbox's world, is looked at all the same.
func TestSweepFromAnotherTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop(secret())
		n.sweepOnce()
		ahead := (4 * 24 * time.Hour).Microseconds()
		if err := d.Write(t.Context(), db.Change{SQL: `update event_sweeps set swept_to = swept_to + $1, due_at = due_at + $1`, Args: []any{ahead}, Rows: 1}); err != nil {
			t.Fatal(err)
		}
		lost := stripe.add(shop, "payment_intent.succeeded", n.clock.Now().Truncate(time.Second))
		for range 4 {
			n.pass(time.Minute)
		}
		if got := n.bySource(); !slices.Equal(got["sweep"], []string{idOf(lost)}) {
			t.Errorf("kept: %v", got)
		}
		if to := n.number(`select swept_to from event_sweeps`); to > n.clock.Now().UnixMicro() {
			t.Error("the cursor still stands in the future")
		}
	})
}
