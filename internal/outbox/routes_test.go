package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/outbox"
)

// door is the API over HTTP. The key of a request is "merchant mode scope scope…".
func door(t *testing.T, n *node) *httptest.Server {
	t.Helper()
	a := api.New("test", func(_ context.Context, h http.Header) (api.Caller, error) {
		words := strings.Fields(h.Get("X-API-Key"))
		if len(words) < 2 {
			return api.Caller{}, fault.New(fault.APIKeyMissing, "", "no key")
		}
		return api.Caller{Scope: db.Scope{Merchant: words[0], Mode: words[1]}, Scopes: words[2:]}, nil
	}, quiet)
	n.Routes(a)
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	return s
}

// reply is what the API answers.
type answered struct {
	Status  int
	Success bool
	Data    json.RawMessage
	Page    struct {
		Next    string
		HasMore bool `json:"has_more"`
	}
	Error struct{ Code, Message, Param string }
}

func ask(t *testing.T, s *httptest.Server, scope db.Scope, scopes, method, path string) answered {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if scope.Merchant != "" {
		r.Header.Set("X-API-Key", scope.Merchant+" "+scope.Mode+" "+scopes)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var a answered
	if err := json.NewDecoder(reply.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	a.Status = reply.StatusCode
	return a
}

func deliveries(t *testing.T, a answered) (found []outbox.Delivery) {
	t.Helper()
	if err := json.Unmarshal(a.Data, &found); err != nil || a.Status != 200 {
		t.Fatalf("%d %s (%v)", a.Status, a.Data, err)
	}
	return found
}

const (
	write = api.MerchantWrite
	read  = api.WebhooksRead
)

func TestTestEvent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		s := door(t, n)
		if a := ask(t, s, scope, write, "POST", "/v1/merchant/webhook/test"); a.Status != 422 || a.Error.Code != string(fault.WebhookUnset) {
			t.Errorf("without a URL: %+v", a)
		}
		r := receive(t).takes(n, scope)
		a := ask(t, s, scope, write, "POST", "/v1/merchant/webhook/test")
		var e struct{ ID, Type string }
		if err := json.Unmarshal(a.Data, &e); err != nil || a.Status != 202 || !a.Success || e.Type != "webhook.test" {
			t.Fatalf("%+v (%v)", a, err)
		}
		n.fan()
		n.deliver()
		if got := r.messages(); len(got) != 1 || got[0].ID != e.ID || got[0].Type != "webhook.test" || got[0].Sequence != 1 || got[0].Data["message"] == "" {
			t.Errorf("received %+v", got)
		}
	})
}

func TestListOfDeliveries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope, other := setup(t, d), seller(), seller()
		s := door(t, n)
		receive(t, 200, 200, 503).takes(n, scope)
		receive(t).takes(n, other)
		n.tell(other, "payment.completed", 2)
		for _, kind := range []string{"payment.completed", "refund.failed", "payment.failed", "paymentish.x"} {
			n.tell(scope, kind, 1) // each in a minute of its own
			n.deliver()
			n.clock.Advance(time.Minute)
		}
		n.deliver() // the two that failed, once more
		list := func(query string) []outbox.Delivery {
			return deliveries(t, ask(t, s, scope, read, "GET", "/v1/webhooks/deliveries"+query))
		}
		at := func(minutes int) string { return start.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
		for query, want := range map[string][]int64{
			"":                           {4, 3, 2, 1},
			"?status=succeeded":          {2, 1},
			"?status=pending":            {4, 3},
			"?status=failed":             {},
			"?event_type=payment.failed": {3},
			"?event_type=payment.*":      {3, 1},
			"?since=" + at(1):            {4, 3, 2},
			"?until=" + at(1):            {1},
			"?since=" + at(1) + "&until=" + at(3) + "&status=succeeded": {2},
		} {
			got := []int64{}
			for _, v := range list(query) {
				got = append(got, v.Sequence)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q lists %v, not %v", query, got, want)
			}
		}
		v := list("?event_type=payment.failed")[0]
		if v.ID == "" || v.EventID == "" || v.Attempts != 2 || v.NextAttemptAt == nil || v.LastStatusCode != 503 || v.LastError != "The endpoint answered 503." ||
			len(v.Log) != 2 || v.Log[0].Number != 1 || v.Log[1].StatusCode != 503 {
			t.Errorf("a failing delivery reads %+v", v)
		}

		var paged []int64
		path := "/v1/webhooks/deliveries?limit=3"
		for pages := 0; path != ""; pages++ {
			a := ask(t, s, scope, read, "GET", path)
			for _, v := range deliveries(t, a) {
				paged = append(paged, v.Sequence)
			}
			if path = ""; a.Page.HasMore {
				path = "/v1/webhooks/deliveries?limit=3&cursor=" + a.Page.Next
			}
			if pages > 3 {
				t.Fatal("the pages have no end")
			}
		}
		if !slices.Equal(paged, []int64{4, 3, 2, 1}) {
			t.Errorf("the pages hold %v", paged)
		}
		for _, bad := range []string{"?status=lost", "?since=yesterday", "?limit=0", "?cursor=x", "?event_type=payment", "?event_type=*", "?type=payment.failed"} {
			if a := ask(t, s, scope, read, "GET", "/v1/webhooks/deliveries"+bad); a.Status != 400 {
				t.Errorf("%s: %+v", bad, a)
			}
		}
	})
}

func TestEmptyListIsNoNull(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		s := door(t, n)
		if a := ask(t, s, scope, read, "GET", "/v1/webhooks/deliveries"); string(a.Data) != "[]" {
			t.Errorf("%s", a.Data)
		}
		n.listen(scope, "http://127.0.0.1:9/")
		n.tell(scope, "payment.completed", 1)
		if a := ask(t, s, scope, read, "GET", "/v1/webhooks/deliveries"); !bytes.Contains(a.Data, []byte(`"attempt_log":[]`)) || !bytes.Contains(a.Data, []byte(`"ended_at":null`)) {
			t.Errorf("%s", a.Data)
		}
	})
}

func TestRedeliverRoute(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		s := door(t, n)
		r := receive(t).takes(n, scope)
		n.tell(scope, "payment.completed", 1)
		n.deliver()
		v := n.only(scope)
		path := "/v1/webhooks/deliveries/" + v.ID + "/redeliver"
		a := ask(t, s, scope, write, "POST", path)
		var again outbox.Delivery
		if err := json.Unmarshal(a.Data, &again); err != nil || a.Status != 202 || again.ID != v.ID || again.Sequence != 1 || again.Status != outbox.Pending {
			t.Fatalf("%+v (%v)", a, err)
		}
		n.deliver()
		if len(r.messages()) != 2 {
			t.Errorf("received %v", r.messages())
		}

		// Nobody else's key reaches it, and nothing changes.
		live := db.Scope{Merchant: scope.Merchant, Mode: "live"}
		for _, stranger := range []db.Scope{seller(), live} {
			if a := ask(t, s, stranger, write, "POST", path); a.Status != 404 || a.Error.Code != string(fault.ResourceMissing) {
				t.Errorf("a stranger's redelivery: %+v", a)
			}
			if got := deliveries(t, ask(t, s, stranger, read, "GET", "/v1/webhooks/deliveries")); len(got) != 0 {
				t.Errorf("a stranger sees %v", got)
			}
		}
		for _, none := range []string{"x", "019a1b2c-3d4e-7f50-8a6b-7c8d9e0fa1b2", "%27%20or%201=1"} {
			if a := ask(t, s, scope, write, "POST", "/v1/webhooks/deliveries/"+none+"/redeliver"); a.Status != 404 {
				t.Errorf("%s: %+v", none, a)
			}
		}
		if v = n.only(scope); v.Status != outbox.Succeeded || v.Attempts != 2 {
			t.Errorf("%+v", v)
		}
	})
}

func TestRoutesNeedTheirScopes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		s := door(t, n)
		for _, c := range []struct{ method, path, needs string }{
			{"POST", "/v1/merchant/webhook/test", write},
			{"GET", "/v1/webhooks/deliveries", read},
			{"POST", "/v1/webhooks/deliveries/x/redeliver", write},
			{"GET", "/v1/webhooks/endpoints", read},
			{"GET", "/v1/webhooks/endpoints/x/events", read},
		} {
			others := slices.DeleteFunc(slices.Clone(api.Scopes), func(s string) bool { return s == c.needs })
			if a := ask(t, s, scope, strings.Join(others, " "), c.method, c.path); a.Status != 403 {
				t.Errorf("%s without %s: %+v", c.path, c.needs, a)
			}
			if a := ask(t, s, db.Scope{}, "", c.method, c.path); a.Status != 401 {
				t.Errorf("%s without a key: %+v", c.path, a)
			}
		}
	})
}
