package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// payments measures POST /v1/payments beside the same calls made directly to the sandbox.
func payments(ctx context.Context, s settings, r *report) error {
	lite, err := startTill(ctx, s.till)
	if err != nil {
		return err
	}
	defer lite.stop()
	cases := []*payment{
		{name: "sandbox: GET a payment intent", addr: lite.sandbox(), request: lite.getIntent()},
		{name: "sandbox: create + confirm, directly", addr: lite.sandbox(), request: lite.createIntent()},
		{name: "till on SQLite: POST /v1/payments", addr: lite.api(), request: lite.createPayment(), till: lite},
	}
	if database := os.Getenv("TILL_TEST_POSTGRES"); database != "" {
		big, err := startTill(ctx, s.till, "--db", database)
		if err != nil {
			return err
		}
		defer big.stop()
		cases = append(cases, &payment{name: "till on PostgreSQL: POST /v1/payments", addr: big.api(), request: big.createPayment(), till: big})
	}
	length := paymentLength * s.length
	for _, p := range cases { // connections, caches and plans are warm before anything counts
		if _, err := p.take(ctx, loading{connections: s.clients, length: length / 5}); err != nil {
			return err
		}
	}
	for range s.rounds {
		for _, p := range cases {
			if err := p.round(ctx, s.clients, length); err != nil {
				return err
			}
		}
	}
	reportPayments(cases, s.clients, s.rounds, length, r)
	return nil
}

// paymentLength is how much longer payments are measured than requests of the sandbox: they are so much slower.
const paymentLength = 5

// till is a running till up.
type till struct {
	process *exec.Cmd
	API     string `json:"api"`
	Sandbox string `json:"sandbox"`
	APIKey  string `json:"api_key"`
	intent  string
}

func startTill(ctx context.Context, program string, more ...string) (*till, error) {
	t := &till{process: exec.CommandContext(ctx, program, append([]string{"up", "--json", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0"}, more...)...)}
	out, err := t.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.process.Start(); err != nil {
		return nil, err
	}
	if err := t.begin(bufio.NewReader(out)); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// begin waits until till says that it is ready, and makes the intent that is looked at.
func (t *till) begin(out *bufio.Reader) error {
	line, err := out.ReadBytes('\n')
	if err != nil {
		return errors.Join(errors.New("till up did not get ready"), err)
	}
	if err := json.Unmarshal(line, t); err != nil {
		return err
	}
	var made struct{ ID string }
	err = askFor(t.sandbox(), t.createIntent(), &made)
	t.intent = made.ID
	return err
}

func (t *till) stop() {
	_ = t.process.Process.Signal(syscall.SIGTERM)
	end := time.AfterFunc(30*time.Second, func() { _ = t.process.Process.Kill() })
	defer end.Stop()
	_ = t.process.Wait()
}

func (t *till) api() string     { return strings.TrimPrefix(t.API, "http://") }
func (t *till) sandbox() string { return strings.TrimPrefix(t.Sandbox, "http://") }

// idempotencyKey is another one for each request.
const idempotencyKey = "Idempotency-Key: bench-" + numbered

// createIntent is what till sends to Stripe for a payment.
func (t *till) createIntent() *request {
	const body = "amount=5000&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=automatic&payment_method_types[0]=card&expand[0]=latest_charge.balance_transaction&metadata[till_id]=bench"
	return newRequest("POST", t.sandbox(), "/v1/payment_intents", body, authorization, urlencoded, idempotencyKey)
}

func (t *till) getIntent() *request { return get(t.sandbox(), "/v1/payment_intents/"+t.intent) }

func (t *till) createPayment() *request {
	const body = `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`
	return newRequest("POST", t.api(), "/v1/payments", body, "X-API-Key: "+t.APIKey, "Content-Type: application/json", idempotencyKey)
}

// drain waits until the webhooks of what was measured are delivered: they would slow down what is measured next.
func (t *till) drain(ctx context.Context) error {
	if t == nil {
		return nil
	}
	pending := newRequest("GET", t.api(), "/v1/webhooks/deliveries?status=pending&limit=1", "", "X-API-Key: "+t.APIKey)
	for began := time.Now(); time.Since(began) < 2*time.Minute && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		var page struct{ Data []any }
		if err := askFor(t.api(), pending, &page); err != nil {
			return err
		}
		if len(page.Data) == 0 {
			return nil
		}
	}
	return errors.New("the webhooks were not delivered within two minutes")
}

// payment is one way to take a payment, or to look at one, and what was measured of it.
type payment struct {
	name    string
	addr    string
	request *request
	till    *till    // whose webhooks are to be delivered before another measurement begins; nil where there are none
	samples []sample // with many requests under way at once, per round
	alone   []sample // with one at a time, per round
}

func (p *payment) take(ctx context.Context, l loading) (sample, error) {
	got, err := load(ctx, p.addr, p.request, l)
	if err != nil {
		return got, fmt.Errorf("%s: %w", p.name, err)
	}
	return got, p.till.drain(ctx)
}

func (p *payment) round(ctx context.Context, clients int, length time.Duration) error {
	alone, err := p.take(ctx, loading{connections: 1, length: length / 2})
	if err != nil {
		return err
	}
	many, err := p.take(ctx, loading{connections: clients, length: length})
	p.alone, p.samples = append(p.alone, alone), append(p.samples, many)
	return err
}

func reportPayments(cases []*payment, clients, rounds int, length time.Duration, r *report) {
	direct := cases[1]
	t := table{title: "A payment, beside the same calls made directly", before: fmt.Sprintf("%d clients, %d rounds of %s each, interleaved; medians.", clients, rounds, length),
		columns: []string{"", "requests/s", "p50 ms", "p99 ms", "p50 alone ms", "beside the direct calls' rate", "added alone ms"}}
	for i, p := range cases {
		alone := median(column(p.alone, sample.half))
		row := []string{p.name, thousands(int64(median(column(p.samples, sample.perSecond)))), ms(median(column(p.samples, sample.half))),
			ms(median(column(p.samples, sample.tail))), ms(alone), "", ""}
		if i > 1 {
			row[5] = number(ratios(p.samples, direct.samples, sample.perSecond))
			row[6] = ms(alone - median(column(direct.alone, sample.half)))
		}
		t.rows = append(t.rows, row)
	}
	r.add(t)
}
