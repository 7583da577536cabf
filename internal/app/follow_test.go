package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

const held = `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa","capture_method":"manual"}`
const paid = `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`

// fakeBox is a sandbox that tells of its clock what a test has it say, and waits for nothing.
type fakeBox struct {
	*httptest.Server
	said  atomic.Pointer[string]
	asked atomic.Int64
}

func newFakeBox(t *testing.T) *fakeBox {
	b := &fakeBox{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		_, _ = io.WriteString(w, *b.said.Load())
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *fakeBox) say(word string) { b.said.Store(&word) }

// configure makes a merchant with a Stripe key.
func configure(t *testing.T, a *app.App, name, key string) {
	t.Helper()
	m, err := a.Merchants.CreateMerchant(t.Context(), name)
	if err == nil {
		_, err = a.Merchants.Configure(t.Context(), db.Scope{Merchant: m.ID, Mode: merchant.Test},
			merchant.ConfigureInput{Provider: "stripe", Stripe: merchant.Credentials{SecretKey: merchant.Secret(key)}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// followEach runs a test on both engines, with a till in the time of its sandbox's world.
func followEach(t *testing.T, test func(*testing.T, *tilltest.Till), options ...sandbox.Option) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { test(t, tilltest.Follow(t, url, options...)) })
}

// follows waits until the till's clock shows the time of its shop's world, which is frozen.
func follows(t *testing.T, till *tilltest.Till) {
	t.Helper()
	tilltest.Until(t, "the clock to follow", func() bool {
		return till.App.Clock.Now().Equal(till.Stripe(till.Shop).Now().Truncate(time.Microsecond))
	})
}

// delivery is the first delivery of a type.
func delivery(till *tilltest.Till, kind string) tilltest.Answer {
	return till.Get("/v1/webhooks/deliveries?event_type=" + kind).Want(200)
}

// A week passes at once, on both sides: Stripe lets an authorization go, its webhook arrives, till shows that, and what till could not
// deliver hours before is delivered.
func TestAWeekPassesInTheSandboxAndHere(t *testing.T) {
	t.Parallel()
	followEach(t, func(t *testing.T, till *tilltest.Till) {
		box := till.Stripe(till.Shop)
		till.Shop.Hears.Down.Store(true)
		p := till.Post("/v1/payments", held).Want(201).ID()
		for n, passes := range []time.Duration{0, 6 * time.Second, 6 * time.Minute, 40 * time.Minute} {
			box.Advance(passes)
			tilltest.Until(t, "an attempt", func() bool { return delivery(till, "payment.authorized").At("data", 0, "attempts") == float64(n+1) })
		}
		before := box.Now().Truncate(time.Microsecond)
		late := delivery(till, "payment.authorized")
		next, err := time.Parse(time.RFC3339Nano, late.String("data", 0, "next_attempt_at"))
		if err != nil || next.Before(before.Add(110*time.Minute)) || late.String("data", 0, "status") != "pending" {
			t.Fatalf("the fifth attempt is not hours ahead: %s", late.Raw)
		}
		till.Shop.Hears.Down.Store(false)

		box.Advance(7 * 24 * time.Hour)
		for _, kind := range []string{"payment.authorized", "payment.cancelled"} {
			till.Shop.Hears.Await(kind, p)
		}
		tilltest.Until(t, "Stripe's own word of it", func() bool {
			n, err := db.One(t.Context(), till.DB, db.Value[int64], `select count(*) from stripe_events where type = 'payment_intent.canceled' and verified and applied_at is not null`)
			return err == nil && n == 1
		})
		seen := till.Get("/v1/payments/" + p).Want(200)
		if why := box.Do("GET", "/v1/payment_intents/"+seen.String("data", "provider_ref"), "").String("cancellation_reason"); why != "expired" {
			t.Errorf("cancelled for %q, not by Stripe", why)
		}
		ended, err := time.Parse(time.RFC3339Nano, seen.String("data", "updated_at"))
		if seen.String("data", "status") != "cancelled" || err != nil || ended.Before(before.Add(7*24*time.Hour)) {
			t.Errorf("the payment is not cancelled a week later than %v: %s", before, seen.Raw)
		}
		if log := delivery(till, "payment.authorized"); log.At("data", 0, "attempts") != float64(5) || log.String("data", 0, "status") != "succeeded" {
			t.Errorf("the delivery: %s", log.Raw)
		}
	}, sandbox.WithRate(0))
}

// However the world's clock goes, and wherever it stands, payments are taken; a line that is cut is mended without its help.
func TestPaymentsInATimeOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]sandbox.Option{
		"frozen in the past":   {sandbox.WithRate(0), sandbox.WithStart(time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC))},
		"frozen in the future": {sandbox.WithRate(0), sandbox.WithStart(time.Date(2060, 2, 29, 0, 0, 0, 0, time.UTC))},
		"an hour a second":     {sandbox.WithRate(3600)},
		"a day a second":       {sandbox.WithRate(clock.MostRate)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followEach(t, func(t *testing.T, till *tilltest.Till) {
				box := till.Stripe(till.Shop)
				box.Break("cut", "POST", "/v1/payment_intents")
				p := till.Post("/v1/payments", paid).Want(201)
				till.Shop.Hears.Await("payment.completed", p.ID())
				if got := till.Get("/v1/payments/"+p.ID()).String("data", "status"); got != "completed" {
					t.Errorf("the payment is %s", got)
				}
				made, err := time.Parse(time.RFC3339Nano, p.String("data", "created_at"))
				if now := box.Now(); err != nil || made.After(now) || now.Sub(made) > 30*24*time.Hour {
					t.Errorf("made at %v; the world's clock shows %v", made, now)
				}
				if n := box.Do("GET", "/v1/payment_intents", "").Len(); n != 1 {
					t.Errorf("%d intents at Stripe", n)
				}
			}, options...)
		})
	}
}

// The clock leaps a month while the answer of a charge is on its way, and while one is tried again: Stripe has forgotten the key by then.
func TestAMonthPassesWhileACallIsUnderWay(t *testing.T) {
	t.Parallel()
	followEach(t, func(t *testing.T, till *tilltest.Till) {
		box := till.Stripe(till.Shop)
		follows(t, till)
		for _, fault := range []string{"cut", "hold"} {
			box.Break(fault, "POST", "/v1/payment_intents")
			asked := len(box.Requests())
			answered := make(chan tilltest.Answer, 1)
			go func() {
				a, err := till.As(till.Shop).With("Idempotency-Key", fault).Try("POST", "/v1/payments", paid)
				if err != nil {
					t.Error(err)
				}
				answered <- a
			}()
			tilltest.Until(t, "the charge", func() bool { return slices.Contains(box.Requests()[asked:], "POST /v1/payment_intents") })
			box.Advance(30 * 24 * time.Hour)
			follows(t, till)
			if n, err := till.Once.Recovery().Run(t.Context()); n || err != nil {
				t.Errorf("the recovery: more %v, %v", n, err)
			}
			box.Release()
			p := (<-answered).Want(201)
			till.Shop.Hears.Await("payment.completed", p.ID())
			posts := 0
			for _, r := range box.Requests()[asked:] {
				if r == "POST /v1/payment_intents" {
					posts++
				}
			}
			if posts != 1 {
				t.Errorf("%s: charged %d times", fault, posts)
			}
		}
	}, sandbox.WithRate(0))
}

// A till without a merchant lives in real time; with the first key it is in its world's, before the merchant hears so. Keys of other
// worlds are refused, and live keys.
func TestWhichWorldIsFollowed(t *testing.T) {
	t.Parallel()
	till := tilltest.Follow(t, dbtest.SQLite(t), sandbox.WithRate(0), sandbox.WithStart(tilltest.Start.AddDate(3, 0, 0)))
	if now := till.App.Clock.Now(); !now.Equal(tilltest.Start.AddDate(3, 0, 0)) {
		t.Errorf("the clock shows %v", now)
	}
	credentials := func(key string) map[string]any {
		return map[string]any{"provider": "stripe", "stripe": map[string]string{"secret_key": key}}
	}
	other := till.Bare("test")
	till.As(other).Do("PUT", "/v1/merchant/providers", credentials("sk_test_"+id.Hex(12))).Refused(422, "provider_clock", "stripe.secret_key")
	till.As(other).Want(200, "PUT", "/v1/merchant/providers", credentials(till.Shop.StripeKey))
	till.As(till.Shop).Do("PUT", "/v1/merchant/providers", credentials("sk_test_"+id.Hex(12))).Refused(422, "provider_clock", "stripe.secret_key")
	till.As(till.Bare("live")).Do("PUT", "/v1/merchant/providers", credentials("sk_live_"+id.Hex(12))).Refused(422, "provider_address", "stripe.secret_key")
}

// A merchant that turns to another key takes the clock along; where that world is behind, the clock stands still and the log says so.
func TestAnotherWorldIsBehind(t *testing.T) {
	t.Parallel()
	till := tilltest.Follow(t, dbtest.SQLite(t), sandbox.WithRate(0), sandbox.WithStart(tilltest.Start))
	till.Stripe(till.Shop).Advance(time.Hour)
	follows(t, till)
	next := till.Shop
	next.StripeKey = "sk_test_" + id.Hex(12)
	till.As(till.Shop).Want(200, "PUT", "/v1/merchant/providers", map[string]any{"provider": "stripe", "stripe": map[string]string{"secret_key": next.StripeKey}})
	if now := till.App.Clock.Now(); !now.Equal(tilltest.Start.Add(time.Hour)) || !strings.Contains(till.Log.String(), "till's clock stands still") || !strings.Contains(till.Log.String(), "behind=1h0m0s") {
		t.Errorf("the clock shows %v", now)
	}
	till.Stripe(next).Advance(2 * time.Hour)
	tilltest.Until(t, "the clock to go on", func() bool { return till.App.Clock.Now().Equal(tilltest.Start.Add(2 * time.Hour)) })
}

// A sandbox that is away keeps the clock at its last rate, is missed once in the log, and is found again.
func TestTheSandboxIsAway(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t)
	box.say(`{"now":"2030-01-01T00:00:00Z","mode":"faster","rate":1000,"version":1}`)
	log := &tilltest.Log{}
	a, err := app.Open(t.Context(), app.Config{StripeURL: box.URL, Database: dbtest.SQLite(t), MasterKey: filepath.Join(t.TempDir(), "master.key"), NewMasterKey: true,
		FollowSandbox: true, ClockKey: "sk_test_" + id.Hex(12), Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(context.Background())
	a.Start()
	if now := a.Clock.Now(); now.Year() != 2030 {
		t.Errorf("the clock shows %v", now)
	}
	for i, nonsense := range []string{"", "no", `{"now":"2030-01-02T00:00:00Z","rate":-1}`, `{"now":"9999-01-01T00:00:00Z","rate":1}`, `{"now":"2030-01-02T00:00:00Z"}`} {
		box.say(nonsense)
		was, asked := a.Clock.Now(), box.asked.Load()
		tilltest.Until(t, "two more questions", func() bool { return box.asked.Load() > asked+1 })
		if now := a.Clock.Now(); !now.After(was) || now.Year() != 2030 {
			t.Errorf("after %q: %v, and then %v", nonsense, was, now)
		}
		if n := strings.Count(log.String(), "does not tell its time"); n != i+1 {
			t.Errorf("the log says %d times that the sandbox is away, not %d:\n%s", n, i+1, log)
		}
		box.say(fmt.Sprintf(`{"now":"2030-%02d-01T00:00:00.123456789Z","mode":"frozen","rate":0,"version":2}`, i+2))
		tilltest.Until(t, "the clock to follow again", func() bool {
			return a.Clock.Now().Equal(time.Date(2030, time.Month(i+2), 1, 0, 0, 0, 123456000, time.UTC))
		})
		box.say(fmt.Sprintf(`{"now":"2030-%02d-01T00:00:00.123456789Z","mode":"faster","rate":1000,"version":3}`, i+2))
		tilltest.Until(t, "the clock to go fast", func() bool {
			return a.Clock.Now().After(time.Date(2030, time.Month(i+2), 1, 0, 0, 0, 123457000, time.UTC))
		})
	}
}

// What cannot be followed ends the start with a sentence that says what to do.
func TestFollowingIsRefused(t *testing.T) {
	t.Parallel()
	box := httptest.NewServer(sandbox.NewServer())
	t.Cleanup(box.Close)
	two := app.Config{StripeURL: box.URL, Database: dbtest.SQLite(t), MasterKey: filepath.Join(t.TempDir(), "master.key"), NewMasterKey: true, Log: slog.New(slog.DiscardHandler)}
	plain, err := app.Open(t.Context(), two) // it follows nothing, so it may have merchants of two worlds
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "another"} {
		configure(t, plain, name, "sk_test_"+id.Hex(12))
	}
	plain.Close(t.Context())
	for name, c := range map[string]struct {
		app.Config
		says string
	}{
		"Stripe itself":      {app.Config{}, "set --stripe-url"},
		"another machine":    {app.Config{StripeURL: "http://10.1.2.3:12111"}, "set --stripe-url"},
		"a name":             {app.Config{StripeURL: "http://sandbox.example:12111"}, "set --stripe-url"},
		"a live key":         {app.Config{StripeURL: box.URL, ClockKey: "sk_live_" + id.Hex(12)}, "TILL_CLOCK_KEY"},
		"no key at all":      {app.Config{StripeURL: box.URL, ClockKey: id.Hex(12)}, "TILL_CLOCK_KEY"},
		"nobody is there":    {app.Config{StripeURL: "http://127.0.0.1:1", ClockKey: "sk_test_" + id.Hex(12)}, "start it first"},
		"keys of two worlds": {two, "TILL_CLOCK_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.FollowSandbox, c.NewMasterKey, c.Version, c.Log = true, true, "test", slog.New(slog.DiscardHandler)
			if c.Database == "" {
				c.Database, c.MasterKey = dbtest.SQLite(t), filepath.Join(t.TempDir(), "master.key")
			}
			a, err := app.Open(t.Context(), c.Config)
			if err == nil {
				a.Close(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), c.ClockKey) && c.ClockKey != "" {
				t.Errorf("%v; it should say: %s", err, c.says)
			}
		})
	}
}
