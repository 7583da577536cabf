package sandbox_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// connect connects an account to the world, with a bank account in its currency, and acts for it.
func (a *api) connect(country, currency string) *api {
	return a.as(sandbox.Connect(a.server.Config.Handler.(*sandbox.Server), a.key, country, currency))
}

const paidByCard = "amount=1000&currency=usd&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true"

// TestRealmsApart: each account has objects, money, idempotency keys and events of its own.
func TestRealmsApart(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller, other := a.connect("US", "usd"), a.connect("DE", "eur")

	paid := seller.must("/v1/payment_intents", paidByCard).text("id")
	if got := seller.get("/v1/payment_intents/"+paid, ""); got.status != http.StatusOK {
		t.Errorf("the seller's own payment: %d %s", got.status, got.raw)
	}
	for name, one := range map[string]*api{"the platform": a, "another account": other} {
		if got := one.get("/v1/payment_intents/"+paid, ""); got.status != http.StatusNotFound {
			t.Errorf("%s sees the payment: %d %s", name, got.status, got.raw)
		}
		if all := one.get("/v1/events", "").list("data"); len(all) != 0 {
			t.Errorf("%s sees %d events", name, len(all))
		}
	}
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":60}`) // the charge is booked
	seller.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "941", "pending.0.currency": "usd"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "0"})
	other.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "0", "pending.0.currency": "eur"})

	one := seller.post("/v1/customers", "name=Ann", "Idempotency-Key", "same").text("id")
	if two := a.post("/v1/customers", "name=Bea", "Idempotency-Key", "same"); two.status != http.StatusOK || two.text("id") == one {
		t.Errorf("the key of one account is taken in another: %d %s", two.status, two.raw)
	}
	a.as("acct_1nobody").get("/v1/customers", "").wants(t, http.StatusForbidden, map[string]any{"error.code": "account_invalid"})
}

// TestConnectedEvents: what happens in a connected account is told to the platform's endpoints for connected accounts and to the
// account's own, and to no others; it says whose it is.
func TestConnectedEvents(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller, other := a.connect("US", "usd"), a.connect("US", "usd")
	platform, connect, own, others := newReceiver(t), newReceiver(t), newReceiver(t), newReceiver(t)
	a.subscribe(platform, "customer.created")
	a.must("/v1/webhook_endpoints", "url="+escaped(connect.URL)+"&enabled_events[]=customer.created&connect=true")
	seller.subscribe(own, "customer.created")
	other.subscribe(others, "customer.created")
	seller.must("/v1/customers", "name=Ann")
	a.idle()
	for name, got := range map[string]*receiver{"connect=true": connect, "the account's own": own} {
		if of := got.next(t).account(t); of != seller.account {
			t.Errorf("%s was told of %q", name, of)
		}
	}
	if n := len(platform.got) + len(others.got); n != 0 {
		t.Errorf("%d deliveries went to endpoints that are not for this", n)
	}
	a.must("/v1/customers", "name=Bea")
	a.idle()
	if of := platform.next(t).account(t); of != "" {
		t.Errorf("the platform's own event is of %q", of)
	}
	if len(connect.got) != 0 {
		t.Error("an endpoint for connected accounts was told of the platform's own")
	}
}

// TestRealmsAreKept: a restart, a fork and a snapshot have the accounts with all that is theirs, and what is due in them.
func TestRealmsAreKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	seller := a.connect("US", "usd")
	seller.must("/v1/payment_intents", paidByCard+"&capture_method=manual")
	seller.must("/v1/payment_intents", paidByCard)
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"one"}`)
	before := seller.look()
	a.sandbox().Close()

	again := kept(t, folder, key, held).as(seller.account)
	if after := again.look(); after != before {
		t.Errorf("after a restart:\n%s\nbefore:\n%s", after, before)
	}
	fork := again.as("").beside("fork").as(seller.account)
	again.as("").steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+fork.key+`"}`)
	if forked := fork.look(); forked != before {
		t.Errorf("in a fork:\n%s\nbefore:\n%s", forked, before)
	}
	again.as("").steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":864000}`) // what was due before is due still
	if !slices.Contains(again.types(), "payment_intent.canceled") {
		t.Errorf("the authorization did not expire after a restart: %v", again.types())
	}
	if slices.Contains(fork.types(), "payment_intent.canceled") {
		t.Error("the authorization expired in the fork too")
	}
	if wrong := sandbox.Audit(again.sandbox(), strings.TrimPrefix(again.key, "sk_"+"test_")); len(wrong) > 0 {
		t.Errorf("the books: %v", wrong)
	}
}

// account is whose event was delivered; empty is the platform's.
func (d delivered) account(t *testing.T) string {
	t.Helper()
	var event struct{ Account string }
	if err := json.Unmarshal(d.body, &event); err != nil {
		t.Fatal(err)
	}
	return event.Account
}
