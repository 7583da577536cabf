package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/tilltest"
)

type payment struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

var order = map[string]string{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa"}

// A payment, asked for twice under one key, is one; a list is walked over its pages; an error tells its code.
func TestAgainstTill(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	c := client.New(till.URL+"/", till.Shop.Key)
	var first, again payment
	for _, out := range []*payment{&first, &again} {
		if err := c.Call(t.Context(), "POST", "/v1/payments", order, out, client.Key("order-1")); err != nil {
			t.Fatal(err)
		}
	}
	if first.Status != "completed" || first != again {
		t.Errorf("%v and %v", first, again)
	}
	for range 2 {
		if err := c.Call(t.Context(), "POST", "/v1/payments", order, nil, client.Key("order-"+time.Now().String())); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	if err := client.Each(t.Context(), c, "/v1/payments", url.Values{"limit": {"2"}}, func(p payment) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d payments, %v", n, err)
	}
	err := c.Call(t.Context(), "GET", "/v1/payments/none", nil, nil)
	if !client.Is(err, "resource_missing") {
		t.Errorf("%v", err)
	}
}

// What says to come back is asked again; a POST without a key that got no answer is not, for it may have worked.
func TestRepeats(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/cut":
			asked.Add(1)
			panic(http.ErrAbortHandler)
		case asked.Add(1) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"success":false,"error":{"code":"database_unavailable","message":"m"}}`))
		default:
			_, _ = w.Write([]byte(`{"success":true,"data":{"id":"1"}}`))
		}
	}))
	t.Cleanup(s.Close)
	c := client.New(s.URL, "k")
	var p payment
	if err := c.Call(t.Context(), "POST", "/busy", order, &p); err != nil || p.ID != "1" || asked.Load() != 2 {
		t.Errorf("%v, %v, asked %d times", p, err, asked.Load())
	}
	asked.Store(0)
	if err := c.Call(t.Context(), "POST", "/cut", order, nil); err == nil || asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Call(ctx, "GET", "/cut", nil, nil); err == nil {
		t.Error("a request that was given up succeeded")
	}
}
