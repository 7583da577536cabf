package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"
)

// receiver counts deliveries and answers what it is told to.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int // of the next answers; 200 when there are no more
	got      chan delivered
}

type delivered struct {
	body      []byte
	signature string
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{statuses: statuses, got: make(chan delivered, 1000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		status := http.StatusOK
		if len(r.statuses) > 0 {
			status, r.statuses = r.statuses[0], r.statuses[1:]
		}
		r.mu.Unlock()
		if status/100 == 3 {
			w.Header().Set("Location", r.URL+"/elsewhere")
		}
		w.WriteHeader(status)
		r.got <- delivered{body, q.Header.Get("Stripe-Signature")}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) next(t *testing.T) delivered {
	t.Helper()
	select {
	case d := <-r.got:
		return d
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was delivered")
		return delivered{}
	}
}

// until waits for a condition of the world's state, which deliveries change from their own goroutines.
func (a *api) until(what string, holds func(state answer) bool) {
	a.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if holds(a.control(http.MethodGet, "/_sandbox/state", "")) {
			return
		}
	}
	a.t.Fatalf("it never came to pass that %s", what)
}

// idle waits until nothing is on its way.
func (a *api) idle() {
	a.t.Helper()
	a.later("0")
}

// later waits until nothing is on its way but so many deliveries for later.
func (a *api) later(n string) {
	a.t.Helper()
	a.until("deliveries are over but "+n, func(s answer) bool {
		return s.text("webhooks_queued") == "0" && s.text("webhooks_sending") == "0" && s.text("webhooks_later") == n
	})
}

func (a *api) subscribe(r *receiver, types ...string) (id, secret string) {
	a.t.Helper()
	form := "url=" + escaped(r.URL)
	for _, one := range types {
		form += "&enabled_events[]=" + escaped(one)
	}
	got := a.must("/v1/webhook_endpoints", form)
	return got.text("id"), got.text("secret")
}

// TestDeliveryRetries: a failed delivery is tried again on the world's clock, signed anew each time, three more times at most.
func TestDeliveryRetries(t *testing.T) {
	t.Parallel()
	a := bare(t)
	r := newReceiver(t, 500, 302, 404, 410, 200)
	_, secret := a.subscribe(r, "customer.created")
	a.must("/v1/customers", "")
	var signatures, bodies []string
	for i, wait := range []time.Duration{0, 30 * time.Second, 15 * time.Minute, 2 * time.Hour} {
		if wait > 0 {
			a.clock.Advance(wait - time.Second)
			a.get("/v1/balance", "") // lets what is due happen
			if len(r.got) != 0 {
				t.Fatalf("try %d came early", i+1)
			}
			a.clock.Advance(time.Second)
		}
		d := r.next(t)
		at := a.clock.Now()
		e, err := webhook.ConstructEventWithOptions(d.body, d.signature, secret, webhook.ConstructEventOptions{IgnoreTolerance: true})
		if err != nil || string(e.Type) != "customer.created" {
			t.Errorf("try %d: %v", i+1, err)
		}
		if !strings.HasPrefix(d.signature, "t="+strconv.FormatInt(at.Unix(), 10)+",") || !strings.Contains(d.signature, ",v1=") || !strings.Contains(d.signature, ",v0=") {
			t.Errorf("signature %s", d.signature)
		}
		signatures, bodies = append(signatures, d.signature), append(bodies, string(e.ID))
		want := "1"
		if i == 3 {
			want = "0" // the last try ends it
		}
		a.later(want)
	}
	if slices.Sort(signatures); len(slices.Compact(signatures)) != 4 {
		t.Error("tries share a signature")
	}
	if len(slices.Compact(bodies)) != 1 {
		t.Errorf("tries are about different events: %v", bodies)
	}
	a.clock.Advance(100 * time.Hour)
	a.idle()
	if len(r.got) != 0 {
		t.Error("a fifth try")
	}
	a.get("/v1/events", "type=customer.created&delivery_success=false").wants(t, http.StatusOK, map[string]any{"data.0.pending_webhooks": "1"})
}

// TestDeliverySettles: a retry that is taken ends it, and the event has nobody left to reach.
func TestDeliverySettles(t *testing.T) {
	t.Parallel()
	a := bare(t)
	r := newReceiver(t, 503)
	a.subscribe(r, "*")
	a.must("/v1/customers", "")
	r.next(t)
	a.later("1")
	a.get("/v1/events", "delivery_success=false").wants(t, http.StatusOK, map[string]any{"data.0.pending_webhooks": "1"})
	a.clock.Advance(30 * time.Second)
	r.next(t)
	a.idle()
	a.get("/v1/events", "delivery_success=true").wants(t, http.StatusOK, map[string]any{"data.0.pending_webhooks": "0"})
}

// TestDeliveryChooses: an endpoint gets the types that it asked for, while it is enabled and exists.
func TestDeliveryChooses(t *testing.T) {
	t.Parallel()
	a := bare(t)
	all, some, none := newReceiver(t), newReceiver(t), newReceiver(t)
	a.subscribe(all, "*")
	a.subscribe(some, "charge.succeeded", "refund.created")
	disabled, _ := a.subscribe(none, "*")
	a.must("/v1/webhook_endpoints/"+disabled, "disabled=true")
	intent := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("id")
	a.must("/v1/refunds", "payment_intent="+intent)
	a.idle()
	if len(all.got) != 5 || len(some.got) != 2 || len(none.got) != 0 {
		t.Errorf("deliveries %d, %d, %d; want 5, 2, 0", len(all.got), len(some.got), len(none.got))
	}
	// A delivery that waits for its endpoint is given up when the endpoint is deleted.
	failing := newReceiver(t, 500)
	id, _ := a.subscribe(failing, "customer.created")
	a.must("/v1/customers", "")
	failing.next(t)
	a.later("1")
	a.do(http.MethodDelete, "/v1/webhook_endpoints/"+id, "")
	a.clock.Advance(24 * time.Hour)
	a.idle()
	if len(failing.got) != 0 {
		t.Error("a deleted endpoint was called")
	}
}

// TestDeliveryDoesNotBlock: an endpoint that hangs keeps neither requests nor other endpoints waiting.
func TestDeliveryDoesNotBlock(t *testing.T) {
	t.Parallel()
	a := bare(t)
	let := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-let }))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(let) })
	quick := newReceiver(t)
	a.must("/v1/webhook_endpoints", "enabled_events[]=*&url="+escaped(hanging.URL))
	a.subscribe(quick, "*")
	a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa")
	for range 3 {
		quick.next(t)
	}
}

// TestDeadEndpointsKeepNoOtherWaiting: of sixteen endpoints seven hang and eight are not there. The last gets everything at once.
func TestDeadEndpointsKeepNoOtherWaiting(t *testing.T) {
	t.Parallel()
	a := bare(t)
	let := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-let }))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(let) })
	gone := httptest.NewServer(nil)
	gone.Close()
	for i := range 15 {
		a.must("/v1/webhook_endpoints", "enabled_events[]=*&url="+escaped([]string{gone.URL, hanging.URL}[i%2]))
	}
	quick := newReceiver(t)
	a.subscribe(quick, "*")
	refused := a.post("/v1/webhook_endpoints", "enabled_events[]=*&url="+escaped(gone.URL))
	refused.wants(t, http.StatusBadRequest, map[string]any{"error.type": "invalid_request_error"})
	const payments = 100
	for range payments {
		a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa")
	}
	for range 3 * payments {
		quick.next(t)
	}
	a.until("those that are gone have all been tried, while four at once wait for each of those that hang", func(s answer) bool {
		failed, err := strconv.Atoi(s.text("webhooks_later"))
		return err == nil && failed >= 8*3*payments && s.text("webhooks_sending") == "28"
	})
}

// TestQueueIsBounded: what does not fit an endpoint's queue is dropped and counted; other endpoints do not notice.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	let := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-let }))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(let) })
	a.must("/v1/webhook_endpoints", "enabled_events[]=customer.created&url="+escaped(hanging.URL))
	for range 4 { // as many as are sent at once
		a.must("/v1/customers", "")
	}
	a.until("four are being sent", func(s answer) bool { return s.text("webhooks_sending") == "4" })
	for range 10_000 + 5 { // not over the network, to be quick
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+"/v1/customers", nil)
		r.Header.Set("Authorization", "Bearer "+a.key)
		a.server.Config.Handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	a.control(http.MethodGet, "/_sandbox/state", "").wants(t, http.StatusOK, map[string]any{"webhooks_queued": "10000", "webhooks_dropped": "5"})
	quick := newReceiver(t)
	a.subscribe(quick, "customer.created")
	a.must("/v1/customers", "")
	quick.next(t)
}

// TestEventOrder is what each flow announces, in order.
func TestEventOrder(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]struct {
		run  func(a *api)
		want []string
	}{
		"asynchronous capture": {func(a *api) {
			a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa")
			a.clock.Advance(2 * time.Second)
		}, []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated"}},
		"held and captured": {func(a *api) {
			id := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&capture_method=manual&payment_method=pm_card_visa").text("id")
			a.must("/v1/payment_intents/"+id+"/capture", "")
		}, []string{"payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated", "charge.captured", "payment_intent.succeeded"}},
		"held and expired": {func(a *api) {
			a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&capture_method=manual&payment_method=pm_card_visa")
			a.clock.Advance(7*24*time.Hour + time.Second)
		}, []string{"payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated", "charge.expired", "payment_intent.canceled"}},
		"refund": {func(a *api) {
			id := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("id")
			a.must("/v1/refunds", "payment_intent="+id)
			a.clock.Advance(time.Second)
		}, []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"}},
		"refund before the charge is booked": {func(a *api) {
			id := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa").text("id")
			a.must("/v1/refunds", "payment_intent="+id)
			a.clock.Advance(2 * time.Second)
		}, []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated", "refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"}},
		"challenged": {func(a *api) {
			a.authenticate(a.must("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required"), "complete")
		}, []string{"payment_intent.created", "payment_intent.requires_action", "charge.succeeded", "payment_intent.succeeded"}},
		"challenge failed": {func(a *api) {
			a.authenticate(a.must("/v1/payment_intents", pay+"&payment_method=pm_card_threeDSecure2Required"), "fail")
		}, []string{"payment_intent.created", "payment_intent.requires_action", "payment_intent.payment_failed"}},
		"set up": {func(a *api) {
			customer := a.must("/v1/customers", "").text("id")
			a.must("/v1/setup_intents", "customer="+customer+"&payment_method=pm_card_visa&confirm=true&payment_method_types[]=card")
		}, []string{"customer.created", "setup_intent.created", "payment_method.attached", "setup_intent.succeeded"}},
		"set-up declined": {func(a *api) {
			a.post("/v1/setup_intents", "payment_method=pm_card_chargeDeclined&confirm=true&payment_method_types[]=card")
		}, []string{"setup_intent.created", "setup_intent.setup_failed"}},
		"saved card": {func(a *api) {
			id := a.must("/v1/customers", "payment_method=pm_card_visa").text("id")
			pm := ids(a.get("/v1/customers/"+id+"/payment_methods", ""))[0]
			a.must("/v1/payment_methods/"+pm, "billing_details[name]=Ada")
			a.must("/v1/payment_methods/"+pm+"/detach", "")
			a.must("/v1/customers/"+id, "name=Ada")
			a.must("/v1/customers/"+id, "name=Ada") // changes nothing
			a.do(http.MethodDelete, "/v1/customers/"+id, "")
		}, []string{"customer.created", "payment_method.attached", "payment_method.updated", "payment_method.detached", "customer.updated", "customer.deleted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			flow.run(a)
			if got := a.types(); !slices.Equal(got, flow.want) {
				t.Errorf("events %v\nwant %v", got, flow.want)
			}
		})
	}
}

// TestSendAgain: an event is sent by hand, to all that want it or to one, whatever became of it; its own tries go on.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	a := bare(t)
	failing, quick, other := newReceiver(t, 500, 500), newReceiver(t), newReceiver(t)
	first, secret := a.subscribe(failing, "customer.created")
	a.subscribe(quick, "customer.created")
	alone, _ := a.subscribe(other, "charge.succeeded")
	a.must("/v1/customers", "")
	failing.next(t)
	body := quick.next(t).body
	a.later("1")
	event := ids(a.get("/v1/events", ""))[0]
	send := func(body string) answer { return a.control(http.MethodPost, "/_sandbox/webhooks/send", body) }
	send(`{"event":"`+event+`"}`).wants(t, http.StatusOK, map[string]any{"endpoints.0": first})
	again := failing.next(t) // refused a second time, which causes no try of its own
	if _, err := webhook.ConstructEventWithOptions(again.body, again.signature, secret, webhook.ConstructEventOptions{IgnoreTolerance: true}); err != nil {
		t.Error(err)
	}
	if twice := quick.next(t).body; !strings.Contains(string(twice), event) || !strings.Contains(string(body), event) {
		t.Errorf("%s and %s", body, twice)
	}
	a.later("1")
	send(`{"event":"`+event+`","endpoint":"`+alone+`"}`).wants(t, http.StatusOK, nil)
	other.next(t)
	a.get("/v1/events/"+event, "").wants(t, http.StatusOK, map[string]any{"pending_webhooks": "1"})
	a.clock.Advance(30 * time.Second)
	failing.next(t)
	a.idle()
	a.get("/v1/events/"+event, "").wants(t, http.StatusOK, map[string]any{"pending_webhooks": "0"})
	for _, wrong := range []string{`{"event":"evt_none"}`, `{"event":"` + event + `","endpoint":"we_none"}`} {
		send(wrong).wants(t, http.StatusNotFound, nil)
	}
}
