package proof

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/internal/id"
)

// story is what a merchant does in one trial: a few orders of every kind, some at the same time. It asks as a merchant's client does, and
// again under the same key where its connection was cut or it was told to come back.
type story struct {
	*world
	t        *trial
	mayLapse bool            // so much time passes that an order may end unpaid, or unsent
	steps    []time.Duration // in which time passes for what is waited for alone; the last again and again
	ended    chan struct{}

	mu      sync.Mutex
	orders  []*order
	answers map[string]string // the id that was answered, by key
}

// order is one payment, and what must be true of it in the end.
type order struct {
	name     string
	key, id  string
	ends     []string // the statuses in which it may end
	captured int64
	refunds  []*refund
}

type refund struct {
	key, id string
	minor   int64
}

func (o *order) refunded() (sum int64) {
	for _, r := range o.refunds {
		sum += r.minor
	}
	return sum
}

// lanes is how many orders happen at a time.
const lanes = 2

// begin lets the story happen; which order comes when is the seed's to say.
func begin(w *world, t *trial, seed uint64, mayLapse bool) *story {
	s := &story{world: w, t: t, mayLapse: mayLapse, steps: []time.Duration{time.Minute, 16 * time.Minute, 3 * time.Hour, 25 * time.Hour}, ended: make(chan struct{}), answers: map[string]string{}}
	strands := []func(){s.refundedInFull, s.capturedInPart, s.cancelled, s.declined, s.savedCard, s.atTheBank, s.leftAtTheBank, s.sentTwiceAtOnce}
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(strands), func(i, j int) { strands[i], strands[j] = strands[j], strands[i] })
	queue := make(chan func(), len(strands))
	for _, strand := range strands {
		queue <- strand
	}
	close(queue)
	var all sync.WaitGroup
	for range lanes {
		all.Go(func() {
			for strand := range queue {
				strand()
			}
		})
	}
	go func() { all.Wait(); close(s.ended) }()
	t.Cleanup(s.evidence)
	return s
}

// wait returns when the story is told.
func (s *story) wait() {
	<-s.ended // soon, where the time is over
	if s.t.Failed() {
		s.t.end()
	}
}

// insist asks until the answer is one that the caller waits for.
func (s *story) insist(method, path, key string, body any, enough func(answer) bool) map[string]any {
	last := "no answer"
	for {
		a, err := s.ask(s.front.URL, method, path, key, body)
		switch {
		case err != nil:
			last = err.Error()
		case a.status/100 == 2:
			s.acknowledged(key, text(a.data, "id"))
			if last = fmt.Sprintf("%d %s", a.status, a.body); enough(a) {
				return a.data
			}
		case a.status == http.StatusConflict || a.status == http.StatusTooManyRequests || a.status >= 500 || s.mayLapse && strings.Contains(string(a.body), `"provider_refused"`):
			last = fmt.Sprintf("%d %s", a.status, a.body)
		default:
			s.t.found(stuck, "%s %s %s is refused: %d %s", method, path, key, a.status, a.body)
			s.t.end()
		}
		if !s.t.pause(200 * time.Millisecond) {
			s.t.found(stuck, "%s %s %s does not end: %s", method, path, key, last)
			s.t.end()
		}
	}
}

// acknowledged keeps the id that a key was answered with: it may never be another.
func (s *story) acknowledged(key, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == "" || id == "" {
		return
	}
	if first := s.answers[key]; first != "" && first != id {
		s.t.found(doubled, "the key %s was answered with %s, and then with %s", key, first, id)
	}
	s.answers[key] = id
}

// pay makes an order's payment, and returns when it is in one of some statuses: then in which.
func (s *story) pay(name string, body map[string]any, until ...string) (*order, map[string]any) {
	o := &order{name: name, key: name + " " + id.New(), ends: until}
	s.mu.Lock()
	s.orders = append(s.orders, o)
	s.mu.Unlock()
	return o, s.paid(o, body, until...)
}

func (s *story) paid(o *order, body map[string]any, until ...string) map[string]any {
	order := map[string]any{"amount": "50.00", "currency": "USD", "provider": "stripe", "metadata": map[string]string{"order": o.key}}
	for k, v := range body {
		order[k] = v
	}
	p := s.insist("POST", "/v1/payments", o.key, order, func(a answer) bool {
		status := text(a.data, "status")
		return slices.Contains(until, status) || s.mayLapse && status == "failed"
	})
	o.id = text(p, "id")
	if text(p, "status") == "failed" && !slices.Contains(until, "failed") {
		o.ends = []string{"failed"}
		return nil
	}
	return p
}

// refund sends some of an order back; all that is left where minor is the whole of it.
func (s *story) refund(o *order, minor int64) {
	r := &refund{key: "refund " + id.New(), minor: minor}
	s.mu.Lock()
	o.refunds = append(o.refunds, r)
	s.mu.Unlock()
	body := map[string]any{"payment_id": o.id, "amount": amount(minor)}
	if minor == o.captured {
		delete(body, "amount")
	}
	got := s.insist("POST", "/v1/refunds", r.key, body, func(a answer) bool {
		return text(a.data, "status") == "completed" || s.mayLapse && text(a.data, "status") == "failed"
	})
	if r.id = text(got, "id"); text(got, "status") == "failed" {
		r.minor = 0
	}
}

func (s *story) refundedInFull() {
	o, p := s.pay("refunded", map[string]any{"payment_method": "pm_card_visa"}, "completed")
	if p == nil {
		return
	}
	o.captured = 5000
	if s.refund(o, 5000); o.refunded() == 5000 {
		o.ends = []string{"refunded"}
	}
}

func (s *story) capturedInPart() {
	o, p := s.pay("captured", map[string]any{"payment_method": "pm_card_visa", "capture_method": "manual", "amount": "80.00"}, "authorized", "completed")
	if p == nil {
		return
	}
	s.insist("POST", "/v1/payments/"+o.id+"/capture", "", map[string]any{"amount": "75.00"}, func(a answer) bool { return text(a.data, "status") == "completed" })
	o.captured, o.ends = 7500, []string{"completed"}
	s.refund(o, 1000)
	s.refund(o, 550)
}

func (s *story) cancelled() {
	o, p := s.pay("cancelled", map[string]any{"payment_method": "pm_card_visa", "capture_method": "manual"}, "authorized", "cancelled")
	if p == nil {
		return
	}
	s.insist("POST", "/v1/payments/"+o.id+"/cancel", "", nil, func(a answer) bool { return text(a.data, "status") == "cancelled" })
	o.ends = []string{"cancelled"}
}

func (s *story) declined() {
	s.pay("declined", map[string]any{"payment_method": "pm_card_chargeDeclined"}, "failed")
}

func (s *story) savedCard() {
	card := s.insist("POST", "/v1/payments/cards", "", map[string]any{"payment_method_id": s.card, "customer_email": "jane@example.com"},
		func(a answer) bool { return a.status == 201 && text(a.data, "payment_method") != "" })
	o, p := s.pay("saved card", map[string]any{"saved_card_id": text(card, "id"), "amount": "20.00"}, "completed")
	if p == nil {
		return
	}
	o.captured = 2000
	s.refund(o, 300)
}

// sentTwiceAtOnce is one order that the merchant's own retry sends a second time while the first is under way.
func (s *story) sentTwiceAtOnce() {
	o := &order{name: "twice", key: "twice " + id.New(), ends: []string{"completed"}}
	s.mu.Lock()
	s.orders = append(s.orders, o)
	s.mu.Unlock()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			a, err := s.ask(s.front.URL, "POST", "/v1/payments", o.key, map[string]any{"amount": "50.00", "currency": "USD", "provider": "stripe",
				"payment_method": "pm_card_visa", "metadata": map[string]string{"order": o.key}})
			if err == nil && a.status/100 == 2 {
				s.acknowledged(o.key, text(a.data, "id"))
			}
		})
	}
	both.Wait()
	if s.paid(o, map[string]any{"payment_method": "pm_card_visa"}, "completed") != nil {
		o.captured = 5000
	}
}

var threeDSecure = map[string]any{"payment_method": "pm_card_threeDSecure2Required", "return_url": "https://shop.example/back"}

// atTheBank is a payment that its payer confirms at the bank's page: only a webhook, or the sweep, tells that it was paid.
func (s *story) atTheBank() {
	o, p := s.atBank("at the bank")
	if p == nil || text(p, "status") != "pending" {
		return
	}
	next, _ := p["next_action"].(map[string]any)
	if s.authenticate(text(next, "url")) {
		o.captured, o.ends = 5000, []string{"completed"}
	}
}

func (s *story) leftAtTheBank() { s.atBank("left") }

func (s *story) atBank(name string) (*order, map[string]any) {
	o := &order{name: name, key: name + " " + id.New(), ends: []string{"pending"}}
	if s.clock {
		o.ends = []string{"pending", "cancelled"}
	}
	s.mu.Lock()
	s.orders = append(s.orders, o)
	s.mu.Unlock()
	order := map[string]any{"amount": "50.00", "currency": "USD", "provider": "stripe", "metadata": map[string]string{"order": o.key}}
	for k, v := range threeDSecure {
		order[k] = v
	}
	p := s.insist("POST", "/v1/payments", o.key, order, func(a answer) bool {
		return a.data["next_action"] != nil || s.mayLapse && slices.Contains([]string{"failed", "cancelled"}, text(a.data, "status"))
	})
	if o.id = text(p, "id"); text(p, "status") != "pending" {
		o.ends = []string{text(p, "status")}
	}
	return o, p
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// authenticate is the payer at the bank's page. It says whether the bank has agreed.
func (s *story) authenticate(page string) bool {
	at, err := url.Parse(page)
	if err != nil || page == "" {
		s.t.Fatalf("no way to the bank's page: %q", page)
	}
	stripe, _ := url.Parse(s.stripe)
	at.Host = stripe.Host // the payer's way to Stripe is not till's, which may be cut
	body := ""
	for _, method := range []string{"GET", "POST"} {
		r, err := http.NewRequestWithContext(s.t.Context(), method, at.String(), strings.NewReader(body))
		if err != nil {
			s.t.Fatalf("%v", err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		reply, err := (&http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			s.t.Fatalf("the bank's page: %v", err)
		}
		said := make([]byte, 64<<10)
		n := readAll(reply, said)
		token := formToken.FindSubmatch(said[:n])
		if method == "GET" {
			if token == nil {
				if s.mayLapse {
					return false // it was cancelled meanwhile
				}
				s.t.Fatalf("the bank's page answers %d: %s", reply.StatusCode, said[:n])
			}
			body = url.Values{"token": {string(token[1])}, "outcome": {"complete"}}.Encode()
		} else if reply.StatusCode >= 400 {
			s.t.Fatalf("the bank's page answers %d: %s", reply.StatusCode, said[:n])
		}
	}
	return true
}

func readAll(reply *http.Response, into []byte) (n int) {
	defer reply.Body.Close()
	for n < len(into) {
		more, err := reply.Body.Read(into[n:])
		if n += more; err != nil {
			break
		}
	}
	return n
}
