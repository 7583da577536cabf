package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

// firstPayment takes a payment through the public API and follows it hop by hop. A hop that stays open is named.
func (d *demo) firstPayment(ctx context.Context, say narrator) error {
	say.printf("First payment:\n")
	began := time.Now()
	paid, err := d.call(ctx, "POST", "/v1/payments", "first-"+id.New(), map[string]any{
		"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "description": "The first payment", "metadata": map[string]string{"order": "1"}})
	if err != nil {
		return fmt.Errorf("the first payment: %w", err)
	}
	payment, intent := text(paid, "id"), text(paid, "provider_ref")
	say.hop("shop → till", "POST /v1/payments", fmt.Sprintf("201 %s, %s %s", text(paid, "status"), text(paid, "amount"), text(paid, "currency")), began)
	hops := []struct {
		way, what string
		done      func() string
	}{
		{"till → Stripe", "POST /v1/payment_intents, Idempotency-Key till-…", func() string { return d.sent(ctx, intent) }},
		{"Stripe → till", "payment_intent.succeeded, signed", func() string { return d.heard(ctx, intent) }},
		{"till → shop", "payment.completed, signed", func() string { return d.sink.heard("payment.completed", payment) }},
	}
	open := 0
	for _, h := range hops {
		result := within(ctx, 10*time.Second, h.done)
		if result == "" {
			open++
			say.printf("  ✗ %-15s %-50s still open after 10 s\n", h.way, h.what)
			continue
		}
		say.hop(h.way, h.what, result, began)
	}
	if open > 0 {
		say.printf("\nThe payment is %s, but %d of its steps stayed open: see above.\n", text(paid, "status"), open)
		return nil
	}
	say.printf("\n  Paid, and confirmed by webhook: %s (%s), fee %s, net %s.\n", payment, intent, text(paid, "fee"), text(paid, "net"))
	return nil
}

func (n narrator) hop(way, what, result string, began time.Time) {
	n.printf("  ✓ %-15s %-50s %s  (%d ms)\n", way, what, result, time.Since(began).Milliseconds())
}

// within asks until there is an answer, or the time is over.
func within(ctx context.Context, limit time.Duration, ask func() string) string {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if s := ask(); s != "" {
			return s
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ""
		}
	}
}

// sent is Stripe's word on the intent: the sandbox is asked as Stripe would be.
func (d *demo) sent(ctx context.Context, intent string) string {
	seen, err := d.ask(ctx, "http://"+d.world.box.Addr().String()+"/v1/payment_intents/"+intent)
	if err != nil || text(seen, "status") == "" {
		return ""
	}
	return intent + " " + text(seen, "status")
}

// heard says that Stripe delivered its event to us and got a 2xx.
func (d *demo) heard(ctx context.Context, intent string) string {
	seen, err := d.ask(ctx, "http://"+d.world.box.Addr().String()+"/v1/events?type=payment_intent.succeeded")
	if err != nil {
		return ""
	}
	events, _ := seen["data"].([]any)
	for _, e := range events {
		event, _ := e.(map[string]any)
		data, _ := event["data"].(map[string]any)
		object, _ := data["object"].(map[string]any)
		if object["id"] == intent && event["pending_webhooks"] == float64(0) {
			return text(event, "id") + " accepted"
		}
	}
	return ""
}

func (d *demo) ask(ctx context.Context, url string) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+d.stripe)
	return d.do(r)
}

// call speaks to till's public API and returns data.
func (d *demo) call(ctx context.Context, method, path, key string, body any) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+d.world.api.Addr().String()+path, bytes.NewReader([]byte(db.JSON(body))))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-API-Key", d.key)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	said, err := d.do(r)
	if err != nil {
		return nil, err
	}
	if said["success"] != true {
		problem, _ := said["error"].(map[string]any)
		return nil, fmt.Errorf("%s %s: %s", method, path, text(problem, "message"))
	}
	data, _ := said["data"].(map[string]any)
	return data, nil
}

func (d *demo) do(r *http.Request) (map[string]any, error) {
	reply, err := d.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	var said map[string]any
	return said, json.NewDecoder(io.LimitReader(reply.Body, 1<<20)).Decode(&said)
}

// text is a string in an answer, or "".
func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}
