package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// steer calls the control API and wants a 200.
func (a *api) steer(method, path, body string) answer {
	a.t.Helper()
	got := a.control(method, path, body)
	if got.status != http.StatusOK {
		a.t.Fatalf("%s %s %s: %d %v", method, path, body, got.status, got.body)
	}
	return got
}

// beside is another key of the same sandbox.
func (a *api) beside(name string) *api {
	other := *a
	other.key = a.key + name
	return &other
}

// look is the whole world as far as lists show it.
func (a *api) look() string {
	a.t.Helper()
	var b strings.Builder
	for _, path := range []string{"charges", "customers", "payment_intents", "setup_intents", "refunds", "balance_transactions", "events", "webhook_endpoints"} {
		b.WriteString(a.get("/v1/"+path, "limit=100").raw)
	}
	return b.String() + a.get("/v1/balance", "").raw
}

// eventful makes a world in which some of everything has happened, and some is still to come.
func (a *api) eventful() {
	a.t.Helper()
	customer := a.must("/v1/customers", "email=a@example.com&metadata[k]=v").text("id")
	paid := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa&setup_future_usage=off_session&customer="+customer).text("id")
	a.must("/v1/payment_intents", "amount=700&currency=usd&confirm=true&capture_method=manual&payment_method_types[]=card&payment_method=pm_card_visa")
	a.must("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required&return_url=https://shop.example.com/back")
	a.must("/v1/refunds", "amount=100&payment_intent="+paid)
	a.post("/v1/payment_intents", pay+"&payment_method=pm_card_chargeDeclined")
	gone := a.must("/v1/customers", "").text("id")
	a.do(http.MethodDelete, "/v1/customers/"+gone, "")
	a.post("/v1/customers", "name=once", "Idempotency-Key", "once")
}

func TestSnapshotAndRestore(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.eventful()
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"before"}`)
	before := a.look()
	first := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").raw
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":900000}`)
	diff := a.steer(http.MethodPost, "/_sandbox/diff", `{"snapshot":"before"}`)
	if removed, changed := len(diff.list("removed")), len(diff.list("changed")); removed < 5 || changed < 3 || len(diff.list("added")) != 0 {
		t.Errorf("against the snapshot: %v", diff.body["totals"])
	}
	if n := a.steer(http.MethodGet, "/_sandbox/snapshots", "").list("snapshots"); len(n) != 1 {
		t.Errorf("snapshots: %v", n)
	}
	for range 2 { // a snapshot can be restored as often as one likes
		a.steer(http.MethodPost, "/_sandbox/restore", `{"snapshot":"before"}`)
		if after := a.look(); after != before {
			t.Errorf("after restoring:\n%s\nbefore:\n%s", after, before)
		}
		if again := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").raw; again != first {
			t.Errorf("the same request gives\n%s\nand gave\n%s", again, first)
		}
	}
	if replayed := a.post("/v1/customers", "name=once", "Idempotency-Key", "once"); replayed.header.Get("Idempotent-Replayed") != "true" {
		t.Error("the idempotency key is forgotten")
	}
	a.steer(http.MethodDelete, "/_sandbox/snapshots", `{"name":"before"}`)
	if got := a.control(http.MethodPost, "/_sandbox/restore", `{"snapshot":"before"}`); got.status != http.StatusNotFound {
		t.Errorf("restoring what is forgotten: %d", got.status)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	a := bare(t)
	empty := a.look()
	a.eventful()
	full := a.look()
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":60}`)
	a.steer(http.MethodPost, "/_sandbox/reset", "")
	if got := a.look(); got != empty {
		t.Errorf("after a reset: %s", got)
	}
	a.eventful()
	if again := a.look(); again != full {
		t.Error("the same requests do not make the same world after a reset")
	}
}

func TestFork(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.eventful()
	b := a.beside("fork")
	a.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+b.key+`"}`)
	if d := a.steer(http.MethodPost, "/_sandbox/diff", `{"with":"`+b.key+`"}`); fmt.Sprintln(d.at("totals.added"), d.at("totals.removed"), d.at("totals.changed")) != "0 0 1\n" || d.at("changed.0.object") != "payment_intent" {
		t.Errorf("a fresh fork differs by more than the address of its page: %v", d.body)
	}
	open := func(a *api) answer { return a.get("/v1/payment_intents", "limit=100") }
	for _, one := range []*api{a, b} { // each page belongs to its own world
		for _, item := range open(one).list("data") {
			intent := item.(map[string]any)
			if intent["status"] != "requires_action" {
				continue
			}
			one.authenticate(one.get("/v1/payment_intents/"+intent["id"].(string), ""), "complete")
		}
		if strings.Contains(open(one).raw, "requires_action") {
			t.Error("the page did not reach its world")
		}
	}
	a.must("/v1/customers", "name=only+here")
	b.must("/v1/customers", "name=only+there")
	d := a.steer(http.MethodPost, "/_sandbox/diff", `{"with":"`+b.key+`"}`)
	if len(d.list("changed")) == 0 && len(d.list("added")) == 0 {
		t.Errorf("two customers of one id and two names: %v", d.body)
	}
	if got := a.control(http.MethodPost, "/_sandbox/fork", `{"to":"`+b.key+`"}`); got.status != http.StatusConflict {
		t.Errorf("forking onto a world that is in use: %d", got.status)
	}
	for _, wrong := range []string{`{}`, `{"to":"` + a.key + `"}`, `{"to":"sk_live_x"}`, `{"to":"pk` + a.key[2:] + `"}`} {
		if got := a.control(http.MethodPost, "/_sandbox/fork", wrong); got.status != http.StatusBadRequest {
			t.Errorf("fork %s: %d", wrong, got.status)
		}
	}
}

// TestForkIsQuick: a world of a hundred thousand objects is doubled and compared within a second each.
func TestForkIsQuick(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const many = 100_000
	sandbox.Populate(a.server.Config.Handler.(*sandbox.Server), a.key, many)
	b := a.beside("fork")
	began := time.Now()
	a.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+b.key+`"}`)
	forked := time.Now()
	b.must("/v1/customers", "name=new")
	d := a.steer(http.MethodPost, "/_sandbox/diff", `{"with":"`+b.key+`"}`)
	compared := time.Now()
	t.Logf("fork %v, diff %v", forked.Sub(began), compared.Sub(forked))
	if fmt.Sprint(d.at("totals.same")) < fmt.Sprint(many) || fmt.Sprint(d.at("totals.added")) != "2" {
		t.Errorf("%v", d.body["totals"])
	}
	if limit := time.Second * slowness; forked.Sub(began) > limit || compared.Sub(forked) > limit {
		t.Errorf("fork %v, diff %v, want at most %v each", forked.Sub(began), compared.Sub(forked), limit)
	}
}

func TestSnapshotsAreBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for i := range 50 {
		a.steer(http.MethodPost, "/_sandbox/snapshots", fmt.Sprintf(`{"name":"s%d"}`, i))
	}
	a.steer(http.MethodPost, "/_sandbox/snapshots", `{"name":"s7"}`)
	for _, wrong := range []string{`{"name":"one-more"}`, `{"name":""}`, `{"name":"../x"}`, `{"name":"` + strings.Repeat("x", 65) + `"}`, `{`} {
		if got := a.control(http.MethodPost, "/_sandbox/snapshots", wrong); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
}
