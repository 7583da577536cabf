// Bench measures till side by side with its own limit, in one run: payments through till's API against the same calls made
// directly to the sandbox. Load, till, sandbox and database share the machine, so only the ratios of one run mean something.
//
//	go run ./bench [-till bin/till] [-seconds 5] [-clients 16] [-rounds 3]
//
// It talks to 127.0.0.1 only and ends by itself. With TILL_TEST_POSTGRES set (make bench does) PostgreSQL is measured too.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("till", "bin/till", "the program to measure")
	seconds := flag.Int("seconds", 5, "length of one measurement")
	clients := flag.Int("clients", 16, "requests under way at once")
	rounds := flag.Int("rounds", 3, "how often each measurement is taken, interleaved; the median is printed")
	flag.Parse()
	if err := run(*binary, time.Duration(*seconds)*time.Second, *clients, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(binary string, length time.Duration, clients, rounds int) error {
	lite, err := start(binary)
	if err != nil {
		return err
	}
	defer lite.stop()
	cases := []measurement{
		{name: "sandbox: GET a payment intent", request: lite.getIntent},
		{name: "sandbox: create + confirm, directly", request: lite.createIntent},
		{name: "till on SQLite: POST /v1/payments", request: lite.createPayment, till: lite},
	}
	if server := os.Getenv("TILL_TEST_POSTGRES"); server != "" {
		big, err := start(binary, "--db", server)
		if err != nil {
			return err
		}
		defer big.stop()
		cases = append(cases, measurement{name: "till on PostgreSQL: POST /v1/payments", request: big.createPayment, till: big})
	}
	for i := range cases { // connections, caches and plans are warm before anything counts
		if err := cases[i].take(length/5, clients); err != nil {
			return err
		}
		cases[i].samples = nil
	}
	for range rounds {
		for i := range cases {
			if err := cases[i].takeAlone(length / 2); err != nil {
				return err
			}
			if err := cases[i].take(length, clients); err != nil {
				return err
			}
		}
	}
	report(cases, clients, rounds, length)
	return nil
}

// till is a running till up.
type till struct {
	process *exec.Cmd
	API     string `json:"api"`
	Sandbox string `json:"sandbox"`
	APIKey  string `json:"api_key"`
	key     atomic.Int64
	intent  string
}

func start(binary string, more ...string) (*till, error) {
	t := &till{process: exec.Command(binary, append([]string{"up", "--json", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0"}, more...)...)}
	out, err := t.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.process.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, errors.Join(errors.New("till up did not get ready"), err)
	}
	if err := json.Unmarshal(line, t); err != nil {
		return nil, err
	}
	created, err := read(http.DefaultClient, t.createIntent())
	if err != nil {
		return nil, err
	}
	var intent struct {
		ID string `json:"id"`
	}
	err = json.Unmarshal(created, &intent)
	t.intent = intent.ID
	return t, err
}

func (t *till) stop() {
	_ = t.process.Process.Signal(syscall.SIGTERM)
	_ = t.process.Wait()
}

const world = "sk_test_bench"

func (t *till) createIntent() *http.Request {
	r, _ := http.NewRequest("POST", t.Sandbox+"/v1/payment_intents", strings.NewReader(
		"amount=5000&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=automatic&payment_method_types[0]=card&expand[0]=latest_charge.balance_transaction&metadata[till_id]=bench"))
	r.Header.Set("Authorization", "Bearer "+world)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Idempotency-Key", fmt.Sprint("bench-", t.key.Add(1)))
	return r
}

func (t *till) getIntent() *http.Request {
	r, _ := http.NewRequest("GET", t.Sandbox+"/v1/payment_intents/"+t.intent, nil)
	r.Header.Set("Authorization", "Bearer "+world)
	return r
}

func (t *till) createPayment() *http.Request {
	r, _ := http.NewRequest("POST", t.API+"/v1/payments", strings.NewReader(`{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`))
	r.Header.Set("X-API-Key", t.APIKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprint("bench-", t.key.Add(1)))
	return r
}

// measurement is one kind of request, and what was measured of it.
type measurement struct {
	name    string
	request func() *http.Request
	till    *till // whose webhooks are to be delivered before another measurement begins; nil where there are none
	samples []sample
	alone   []time.Duration // p50 with one request at a time, per round
}

type sample struct {
	perSecond float64
	p50, p99  time.Duration
}

// take measures with many requests under way at once.
func (m *measurement) take(length time.Duration, clients int) error {
	took, elapsed, err := load(m.request, length, clients)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	m.samples = append(m.samples, sample{float64(len(took)) / elapsed.Seconds(), at(took, 50), at(took, 99)})
	return m.till.drain()
}

// takeAlone measures one request at a time.
func (m *measurement) takeAlone(length time.Duration) error {
	took, _, err := load(m.request, length, 1)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	m.alone = append(m.alone, at(took, 50))
	return m.till.drain()
}

// drain waits until the webhooks of what was measured are delivered: they would slow down what is measured next.
func (t *till) drain() error {
	if t == nil {
		return nil
	}
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(50 * time.Millisecond) {
		r, _ := http.NewRequest("GET", t.API+"/v1/webhooks/deliveries?status=pending&limit=1", nil)
		r.Header.Set("X-API-Key", t.APIKey)
		body, err := read(http.DefaultClient, r)
		if err != nil {
			return err
		}
		var page struct{ Data []any }
		if err := json.Unmarshal(body, &page); err != nil {
			return err
		}
		if len(page.Data) == 0 {
			return nil
		}
	}
	return errors.New("the webhooks were not delivered within two minutes")
}

func load(request func() *http.Request, length time.Duration, clients int) (all []time.Duration, elapsed time.Duration, err error) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	began := time.Now()
	for range clients {
		wg.Go(func() {
			var took []time.Duration
			for time.Since(began) < length {
				start := time.Now()
				if _, err := read(client, request()); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				took = append(took, time.Since(start))
			}
			mu.Lock()
			all = append(all, took...)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(all)
	if failed == nil && len(all) == 0 {
		failed = errors.New("no request ended in time")
	}
	return all, time.Since(began), failed
}

func read(client *http.Client, r *http.Request) ([]byte, error) {
	reply, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", r.Method, r.URL.Path, reply.StatusCode, body)
	}
	return body, err
}

func at(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

func report(cases []measurement, clients, rounds int, length time.Duration) {
	fmt.Printf("%d clients, %d rounds of %s each, interleaved; medians\n\n", clients, rounds, length)
	fmt.Printf("%-40s %12s %10s %10s %14s\n", "", "requests/s", "p50 ms", "p99 ms", "p50 alone ms")
	for _, m := range cases {
		alone := "-"
		if len(m.alone) > 0 {
			alone = ms(median(m.alone))
		}
		fmt.Printf("%-40s %12.0f %10s %10s %14s\n", m.name, median(column(m.samples, func(s sample) float64 { return s.perSecond })),
			ms(median(column(m.samples, func(s sample) time.Duration { return s.p50 }))), ms(median(column(m.samples, func(s sample) time.Duration { return s.p99 }))), alone)
	}
	direct := cases[1]
	fmt.Println()
	for _, m := range cases[2:] {
		var ratios []float64
		for i := range m.samples {
			ratios = append(ratios, m.samples[i].perSecond/direct.samples[i].perSecond)
		}
		fmt.Printf("%s: %.2f of the direct calls' rate; alone it adds %s ms\n", m.name, median(ratios), ms(median(m.alone)-median(direct.alone)))
	}
}

func column[T any](all []sample, of func(sample) T) (c []T) {
	for _, s := range all {
		c = append(c, of(s))
	}
	return c
}

func median[T interface{ ~int64 | ~float64 }](all []T) T {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }
