package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
)

// story is a call that moves money: what must be there before, the call, and what must be true in the end.
type story struct {
	name string
	path string // of the call at Stripe
	// before is what the call is about; it returns the payment.
	before func(*world) string
	// call makes the call under a key of the merchant's.
	call func(w *world, payment, key string) (answer, error)
	// captured and refunded are what is true in the end, in minor units.
	captured, refunded int64
}

func order(capture string) map[string]string {
	return map[string]string{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "capture_method": capture}
}

var stories = []story{
	{"payment", "/v1/payment_intents", nil,
		func(w *world, _, key string) (answer, error) {
			return w.ask(w.front.URL, "POST", "/v1/payments", key, order("automatic"))
		}, 5000, 0},
	{"capture", "/v1/payment_intents/{intent}/capture",
		func(w *world) string {
			return text(w.want(201, "POST", "/v1/payments", id.New(), order("manual")), "id")
		},
		func(w *world, payment, _ string) (answer, error) { // the payment and the amount are the key
			return w.ask(w.front.URL, "POST", "/v1/payments/"+payment+"/capture", "", map[string]string{"amount": "30.00"})
		}, 3000, 0},
	{"refund", "/v1/refunds",
		func(w *world) string {
			return text(w.want(201, "POST", "/v1/payments", id.New(), order("automatic")), "id")
		},
		func(w *world, payment, key string) (answer, error) {
			return w.ask(w.front.URL, "POST", "/v1/refunds", key, map[string]string{"payment_id": payment, "amount": "20.00"})
		}, 5000, 2000},
}

// scene is a world in which a story is about to happen.
type scene struct {
	story
	*world
	payment string
	key     string
}

func (s story) stage(t *testing.T, url string) *scene {
	t.Helper()
	c := &scene{story: s, key: "order " + id.New()}
	if s.before == nil {
		c.world = newWorld(t, url)
		return c
	}
	c.world = newWorld(t, url, func(w *world) { c.payment = s.before(w) })
	return c
}

// tell makes the call, and expects no answer where the process is to die.
func (s *scene) tell() (answer, error) { return s.call(s.world, s.payment, s.key) }

// death is where a process dies.
type death struct {
	name string
	// env makes the process die by itself; or kill says when to kill it.
	env  string
	kill func(*scene, *process)
}

// marks plays a story once and returns each passing of a mark in it, as NAME:N: the boundaries at which a process may die, found and not
// guessed. Those of what the call sets off are among them: the webhooks in and out. Before a write nothing is different from inside it,
// where it is undone, so that mark is left out.
func (s story) marks(t *testing.T) (all []string) {
	t.Helper()
	c, log := s.stage(t, dbtest.SQLite(t)), filepath.Join(t.TempDir(), "marks")
	p := c.till(binary(t, prove), "TILL_CRASH_LOG="+log)
	if a, err := c.tell(); err != nil || a.status > 201 {
		t.Fatalf("%s: %d %s, %v", s.name, a.status, a.body, err)
	}
	c.quiet()
	p.stop()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	passed := map[string]int{}
	for mark := range strings.FieldsSeq(string(text)) {
		if passed[mark]++; mark != "db.write.before" {
			all = append(all, fmt.Sprintf("%s:%d", mark, passed[mark]))
		}
	}
	return all
}

// promised are the boundaries that must be among those found: before and after the claim, the send, what it does at Stripe, and the
// settling.
var promised = []string{"once.claim.before:1", "once.claim.after:1", "once.send.before:1", "stripe.before:1", "stripe.after:1", "once.send.after:1",
	"once.settle.before:1", "once.settle.after:1", "db.write.within:1", "db.write.after:1"}

// atStripe are deaths while Stripe has the request: before it does anything; when it has done all of it and its reply is on the way; and
// the same where the reply, and with it the idempotency key, is still held when the next process asks.
var atStripe = []death{
	{"while Stripe has not begun", "", func(s *scene, p *process) {
		s.fault("timeout_before_effect")
		s.tellAlone(func() bool { return s.requests(0) == 1 })
		p.kill()
	}},
	{"while Stripe's reply is on its way", "", func(s *scene, p *process) {
		s.fault("hold")
		s.tellAlone(func() bool { return s.held() == 1 })
		p.kill()
		s.box("POST", "/_sandbox/faults/release", map[string]any{}, nil)
	}},
	{"while Stripe holds the key", "", func(s *scene, p *process) {
		s.fault("hold")
		s.tellAlone(func() bool { return s.held() == 1 })
		p.kill()
	}}, // released when another process has met the key in use
}

func (s *scene) fault(kind string) {
	s.box("POST", "/_sandbox/faults", map[string]any{"method": "POST", "path": s.path, "kind": kind}, nil)
}

// tellAlone makes the call and does not wait for its answer, which never comes, but until the request has come as far as it should.
func (s *scene) tellAlone(far func() bool) {
	var alone sync.WaitGroup
	alone.Go(func() {
		if a, err := s.tell(); err == nil {
			s.t.Errorf("a dead process answered %d %s", a.status, a.body)
		}
	})
	s.t.Cleanup(alone.Wait)
	s.eventually("that the request is at Stripe", far)
}

func (s *scene) held() int {
	var state struct {
		Held int `json:"replies_held"`
	}
	s.box("GET", "/_sandbox/state", nil, &state)
	return state.Held
}

// requests counts the requests of the story's call that Stripe answered with a status; 0 is no answer.
func (s *scene) requests(status int) (n int) {
	var log struct {
		Requests []struct {
			Method, Path string
			Status       int
		}
	}
	s.box("GET", "/_sandbox/requests", nil, &log)
	for _, r := range log.Requests {
		path := s.path
		if before, after, ok := strings.Cut(s.path, "{intent}"); ok && strings.HasPrefix(r.Path, before) && strings.HasSuffix(r.Path, after) {
			path = r.Path
		}
		if r.Method == "POST" && r.Path == path && r.Status == status {
			n++
		}
	}
	return n
}

// kill -9 of till at each boundary, in a payment, a capture and a refund, on both engines; then it is started again, and the merchant asks
// again under the same key. Whatever the boundary, it ends once.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	const atOnce = 48 // they mostly wait for leases to end
	free := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	defer all.Wait()
	for _, s := range stories {
		marks := s.marks(t)
		for _, m := range promised {
			if !slices.Contains(marks, m) {
				t.Errorf("a %s does not pass %s: %v", s.name, m, marks)
			}
		}
		deaths := slices.Clone(atStripe)
		for _, m := range marks {
			deaths = append(deaths, death{name: m, env: "TILL_CRASH=" + m})
		}
		for _, d := range deaths {
			for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
				if engine == "postgres" && strings.HasPrefix(d.name, "db.write.after") {
					continue // what is committed is committed: the marks that follow are the same place
				}
				free <- struct{}{}
				all.Go(func() { // not t.Parallel: that is bounded by the processors, and these wait
					defer func() { <-free }()
					t.Run(s.name+"/"+d.name+"/"+engine, func(t *testing.T) { s.dies(t, url(t), d) })
				})
			}
		}
	}
}

// dies plays a story in which the process dies, and proves that it ended once.
func (s story) dies(t *testing.T, url string, d death) {
	c := s.stage(t, url)
	p := c.till(binary(t, prove), d.env)
	if d.kill != nil {
		d.kill(c, p)
	} else {
		_, _ = c.tell()
		c.awaitDeath(p, d)
	}
	c.aMinutePasses()
	c.till(binary(t, prove))
	if c.held() > 0 {
		c.eventually("that the next process meets the key in use", func() bool { return c.requests(409) > 0 })
		c.box("POST", "/_sandbox/faults/release", map[string]any{}, nil)
	}
	c.endsOnce()
}

// aMinutePasses for what is waited for alone, and no money moves by it: the event that a dead process had kept and not taken in yet, and the
// webhook that Stripe tries again. The leases of calls, tasks and deliveries end by themselves.
func (s *scene) aMinutePasses() {
	s.t.Helper()
	s.box("POST", "/_sandbox/clock/advance", map[string]any{"seconds": 60}, nil)
	if err := s.db.Tx(s.t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(s.t.Context(), `update stripe_events set due_at = due_at - $1 where due_at is not null`, time.Minute.Microseconds())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

// awaitDeath waits until the process has died by its mark. What happens in the background may pass fewer marks than it did in the first
// play: a process that has nothing more to do, and has not died, is killed where it stands.
func (s *scene) awaitDeath(p *process, d death) {
	s.t.Helper()
	certain := slices.Contains(promised, d.name)
	s.eventually("that the process is dead", func() bool { return p.dead() || !certain && !s.busy() })
	p.kill()
}

// endsOnce repeats the call until it has ended, and then looks from every side: what till says, what Stripe has, what the ledger
// holds, which events there are, and what the merchant heard.
func (s *scene) endsOnce() {
	s.t.Helper()
	var last answer
	s.eventually("that the repeated call has ended", func() bool {
		a, err := s.tell()
		if err != nil || a.status > 201 {
			s.t.Fatalf("the repeat: %d %s, %v", a.status, a.body, err)
		}
		last = a
		return text(a.data, "status") == "completed"
	})
	if s.payment == "" {
		s.payment = text(last.data, "id")
	}
	if again, err := s.tell(); err != nil || !again.replayed || text(again.data, "id") != text(last.data, "id") {
		s.t.Errorf("the same key again: %s is not %s, replayed %v, %v", again.body, last.body, again.replayed, err)
	}
	s.atTill(text(last.data, "id"))
	s.atStripe()
	s.inTheBooks()
	s.box("POST", "/_sandbox/clock/advance", map[string]any{"seconds": 60}, nil) // Stripe tries again what a dying process did not take
	s.quiet()
	if n := s.hears.heard(s.payment, "payment.completed"); n < 1 {
		s.t.Error("the merchant did not hear that the payment was completed")
	}
	if s.refunded > 0 && s.hears.heard(text(last.data, "id"), "refund.completed") < 1 {
		s.t.Error("the merchant did not hear that the refund was completed")
	}
}

func (s *scene) atTill(row string) {
	s.t.Helper()
	p := s.want(200, "GET", "/v1/payments/"+s.payment, "", nil)
	if text(p, "captured") != amount(s.captured) || text(p, "refunded") != amount(s.refunded) || text(p, "refunding") != "0.00" || text(p, "status") != "completed" {
		s.t.Errorf("the payment: %v", p)
	}
	for sql, want := range map[string]int64{
		`select count(*) from payments`:                                                                  1,
		`select count(*) from refunds`:                                                                   min(s.refunded, 1),
		`select count(*) from calls where state <> 'done'`:                                               0,
		`select count(*) from events where type = 'payment.completed'`:                                   1,
		`select count(*) from events where type = 'refund.completed'`:                                    min(s.refunded, 1),
		`select count(*) from events where type = 'payment.failed'`:                                      0,
		`select count(*) from events where type = 'refund.failed'`:                                       0,
		`select count(distinct object) from events where object = $1`:                                    1,
		`select count(*) from (select 1 from events group by object, type having count(*) > 1) as twice`: 0,
	} {
		var args []any
		if strings.Contains(sql, "$1") {
			args = []any{row}
		}
		s.eventually(sql, func() bool { return s.count(sql, args...) >= want })
		if n := s.count(sql, args...); n != want {
			s.t.Errorf("%d, not %d: %s", n, want, sql)
		}
	}
}

func (s *scene) atStripe() {
	s.t.Helper()
	if intents := s.list("/v1/payment_intents"); len(intents) != 1 || intents[0]["status"] != "succeeded" || intents[0]["amount_received"] != float64(s.captured) {
		s.t.Errorf("Stripe has the intents %v", intents)
	}
	if charges := s.list("/v1/charges"); len(charges) != 1 || charges[0]["amount_captured"] != float64(s.captured) || charges[0]["amount_refunded"] != float64(s.refunded) {
		s.t.Errorf("Stripe has the charges %v", charges)
	}
	refunds := s.list("/v1/refunds")
	if len(refunds) != int(min(s.refunded, 1)) || s.refunded > 0 && refunds[0]["amount"] != float64(s.refunded) {
		s.t.Errorf("Stripe has the refunds %v", refunds)
	}
}

func (s *scene) inTheBooks() {
	s.t.Helper()
	if err := ledger.Check(s.t.Context(), s.db, s.scope); err != nil {
		s.t.Error(err)
	}
	all, err := ledger.Balances(s.t.Context(), s.db, s.scope, "")
	if err != nil {
		s.t.Fatal(err)
	}
	var sum, held int64
	for _, b := range all {
		sum += b.Minor
		if b.Account == ledger.StripeBalance {
			held += b.Minor
		}
	}
	if sum != 0 || held != s.captured-s.refunded {
		s.t.Errorf("the books hold %d and sum to %d: %v", held, sum, all)
	}
}

func amount(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// The program that is shipped has no mark at which it can be told to die; the one of these proofs has.
func TestTheReleaseHasNoMarks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   func() (string, error)
		want bool
	}{{release, false}, {prove, true}} {
		program, err := os.ReadFile(binary(t, c.of))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"TILL_CRASH", "once.claim.before"} {
			if strings.Contains(string(program), word) != c.want {
				t.Errorf("%q in the program: want %v", word, c.want)
			}
		}
	}
	w := newWorld(t, dbtest.SQLite(t))
	p := w.till(binary(t, release), "TILL_CRASH=*:1")
	w.want(201, "POST", "/v1/payments", id.New(), order("automatic"))
	if p.dead() {
		t.Error("it died")
	}
	began := time.Now()
	if p.stop(); time.Since(began) > 20*time.Second {
		t.Error("it did not stop in time")
	}
}
