package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/client"
)

// forgery is a request as it comes to a webhook endpoint, from Stripe or from somebody who would be.
type forgery struct {
	Payload    string    `json:"payload"`
	Signature  string    `json:"signature"`
	ReceivedAt time.Time `json:"received_at"`
	check      string    // that it must fail; "" where it is good
}

// post sends it to an address and returns the status of the answer.
func (f forgery) post(to string) (int, error) {
	r, err := http.NewRequest(http.MethodPost, to, strings.NewReader(f.Payload))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if f.Signature != "" {
		r.Header.Set("Stripe-Signature", f.Signature)
	}
	reply, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return 0, err
	}
	return reply.StatusCode, reply.Body.Close()
}

// writeRequests is requests.jsonl, the log of the merchant's proxy that support gets.
func (w *world) writeRequests(all []forgery) error {
	var lines strings.Builder
	for _, f := range all {
		line, _ := json.Marshal(f) // plain data
		lines.Write(append(line, '\n'))
	}
	_, err := w.write("requests.jsonl", lines.String())
	return err
}

// letters are letters and digits by chance, as in Stripe's ids.
func (w *world) letters(n int) string {
	const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = all[w.rand.IntN(len(all))]
	}
	return string(b)
}

// holdings are how many there are of what an event might write.
type holdings struct{ payments, stripeEvents, events int }

func (w *world) holdings() (h holdings, err error) {
	for path, n := range map[string]*int{"/v1/payments": &h.payments, "/v1/stripe/events": &h.stripeEvents, "/v1/events": &h.events} {
		if err := client.Each(w.ctx, w.till, path, url.Values{"limit": {"100"}}, func(json.RawMessage) error { *n++; return nil }); err != nil {
			return h, err
		}
	}
	return h, nil
}

// answers posts requests to till, which must answer each with a status and write nothing. Where till's own sweep has brought in something
// between the two counts, they are made again.
func (w *world) answers(all []forgery, want int) (after holdings, err error) {
	const tries = 3
	var before holdings
	for range tries {
		if before, err = w.holdings(); err != nil {
			return after, err
		}
		for n, f := range all {
			if status, err := f.post(w.base + "/v1/webhooks/stripe"); err != nil || status != want {
				return after, fmt.Errorf("till answered %d to request %d, not %d (%v)", status, n+1, want, err)
			}
		}
		if after, err = w.holdings(); err != nil || before == after {
			return after, err
		}
	}
	return after, fmt.Errorf("requests that should change nothing have written something: %+v before, %+v after", before, after)
}
