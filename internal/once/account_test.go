package once_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// account is a tiny Stripe that charges: with idempotency keys as Stripe keeps them (facts §1.7), and for each row with a plan of what
// goes wrong. What the plan says nothing of goes well.
type account struct {
	mu       sync.Mutex
	clock    clock.Clock // how long it keeps keys goes by this; how long anything takes, by the machine's
	keys     map[string]*execution
	plans    map[string]*plan
	inFlight int // requests that are waited for
	peak     int // the most at once
}

// plan is what becomes of the requests about one row, and what became of them.
type plan struct {
	sends  []how // in their order
	finds  []how // of look-ups, in their order
	pages  int   // how many looks it takes to see the whole list; 0 is one
	sent   int   // requests that came, whatever became of them
	looked int
	began  time.Time   // the last look-up from the newest on: what came later is behind nobody's cursor
	effect []time.Time // when it was charged, and can be listed
}

func newAccount(c clock.Clock) *account {
	return &account{clock: c, keys: map[string]*execution{}, plans: map[string]*plan{}}
}

// of is the plan of a row. The lock is held.
func (a *account) of(row string) *plan {
	if a.plans[row] == nil {
		a.plans[row] = &plan{}
	}
	return a.plans[row]
}

// prepare sets the plan of a row.
func (a *account) prepare(row string, p plan) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plans[row] = &p
}

// was is what became of the requests about a row so far.
func (a *account) was(row string) plan {
	a.mu.Lock()
	defer a.mu.Unlock()
	return *a.of(row)
}

// execution is what is stored under a key.
type execution struct {
	answer error // nil: charged
	over   time.Time
	begun  time.Time
}

// how is what becomes of one request.
type how struct {
	name   string
	reach  bool          // it reaches the endpoint: what is stored under the key answers, or it is executed
	takes  time.Duration // the answer, or the execution with its effect, takes so long
	charge bool          // the execution charges
	answer error         // what the execution answers, and stores; without reach what is heard
	silent bool          // the answer is never heard
	crash  crashAt       // the process dies there
}

type crashAt int

const (
	noCrash crashAt = iota
	crashBefore
	crashAfter
	crashBeforeSettle
	panics
)

func word(status int, kind, code string) *stripe.Error {
	return &stripe.Error{Status: status, Type: kind, Code: code, Message: "said with " + kind}
}

var (
	yes, no     = true, false
	noAnswer    = &stripe.Error{Cause: errors.New("the connection was cut")}
	keyInUse    = word(409, "idempotency_error", "idempotency_key_in_use")
	failure     = word(500, "api_error", "")
	final       = &stripe.Error{Status: 500, Type: "api_error", Message: "and do not come back", ShouldRetry: &no}
	unsent      = neverConnected()
	okay        = how{name: "ok", reach: true, charge: true}
	slow        = how{name: "slow", reach: true, charge: true, takes: 20 * time.Second}
	decline     = how{name: "402", reach: true, answer: word(402, "card_error", "card_declined")}
	invalid     = how{name: "400", answer: word(400, "invalid_request_error", "parameter_missing")}
	stored400   = how{name: "400 stored", reach: true, answer: word(400, "invalid_request_error", "charge_already_refunded")}
	forbidden   = how{name: "403", answer: word(403, "invalid_request_error", "")}
	missing     = how{name: "404", answer: word(404, "invalid_request_error", "resource_missing")}
	strange     = how{name: "401", answer: word(401, "invalid_request_error", "")}
	limited     = how{name: "429", answer: word(429, "invalid_request_error", "rate_limit")}
	barred      = how{name: "429 final", answer: &stripe.Error{Status: 429, Type: "invalid_request_error", Code: "rate_limit", ShouldRetry: &no}}
	locked      = how{name: "429 lock", answer: &stripe.Error{Status: 429, Type: "invalid_request_error", Code: "lock_timeout", ShouldRetry: &yes}}
	dialled     = how{name: "no connection", answer: unsent}
	cutBefore   = how{name: "cut before", answer: noAnswer}
	cutAfter    = how{name: "cut after", reach: true, charge: true, silent: true}
	cutDecline  = how{name: "decline cut", reach: true, answer: decline.answer, silent: true}
	late        = how{name: "late", reach: true, charge: true, silent: true, takes: 75 * time.Second}
	failed      = how{name: "500 stored", reach: true, answer: failure}
	failedAfter = how{name: "500 stored after the charge", reach: true, charge: true, answer: failure}
	failedFinal = how{name: "500 final", reach: true, answer: final}
	failedCut   = how{name: "500 stored, cut", reach: true, answer: failure, silent: true}
	gateway     = how{name: "502", answer: word(502, "api_error", "")}
	inUse       = how{name: "409", answer: keyInUse}
	reused      = how{name: "idempotency_error", answer: word(400, "idempotency_error", "")}
	diesBefore  = how{name: "dies before the send", crash: crashBefore}
	diesAfter   = how{name: "dies after the charge", reach: true, charge: true, crash: crashAfter}
	diesSettle  = how{name: "dies before it settles", reach: true, charge: true, crash: crashBeforeSettle}
	panicking   = how{name: "panics", crash: panics}
	ourOwn      = how{name: "our own error", answer: errors.New("the row cannot be read")}
)

// neverConnected is the error of a connection that was never made, through the real client.
func neverConnected() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	l.Close()
	_, err = stripe.NewClient("http://"+l.Addr().String(), "sk_test_nobody", stripe.HTTPClient()).Account(context.Background())
	return err
}

// next takes the next word of a script.
func next(script *[]how) how {
	if len(*script) == 0 {
		return okay
	}
	h := (*script)[0]
	*script = (*script)[1:]
	return h
}

// post is one request to charge for a row. It says how the request went, and what is heard of it.
func (a *account) post(key, row string) (how, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.of(row)
	h := next(&p.sends)
	p.sent++
	if !h.reach {
		a.pass(h.takes)
		return h, h.answer
	}
	now := time.Now()
	e := a.keys[key]
	if e != nil && a.clock.Now().Sub(e.begun) >= 24*time.Hour {
		e = nil // Stripe may forget a key after a day
	}
	switch {
	case e == nil:
		e = &execution{answer: h.answer, begun: a.clock.Now(), over: now.Add(h.takes)}
		a.keys[key] = e
		if h.charge {
			p.effect = append(p.effect, e.over)
		}
		if h.silent {
			return h, noAnswer
		}
		a.pass(h.takes)
		return h, e.answer
	case now.Before(e.over):
		return h, keyInUse
	case h.silent:
		return h, noAnswer
	}
	said, ok := stripe.As(e.answer)
	if !ok {
		return h, nil
	}
	again := *said
	again.Replayed = true
	return h, &again
}

// pass lets time pass without the lock. It is a bubble's time: nobody waits for it.
func (a *account) pass(d time.Duration) {
	a.inFlight++
	a.peak = max(a.peak, a.inFlight)
	a.mu.Unlock()
	time.Sleep(d)
	a.mu.Lock()
	a.inFlight--
}

// find lists what was charged within a time, or ever, a page a look, from the page of a cursor on. It returns where the next look goes on.
func (a *account) find(row string, from, to time.Time, cursor string) (found bool, more string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.of(row)
	p.looked++
	if cursor == "" {
		p.began = time.Now()
	}
	if len(p.finds) > 0 {
		if h := next(&p.finds); h.answer != nil {
			return false, "", h.answer
		}
	}
	page, _ := strconv.Atoi(cursor)
	if page++; page < p.pages {
		return false, strconv.Itoa(page), nil
	}
	for _, at := range p.effect { // the oldest page holds it
		if !at.After(p.began) && (to.IsZero() || !at.Before(from) && !at.After(to)) {
			return true, "", nil
		}
	}
	return false, "", nil
}

// die ends a drive as the death of its process would: nothing of it runs any more, and nothing is written.
func die() { runtime.Goexit() }

// steps are a room's steps for this account: a row in the table works is charged, declined or refused.
func (a *account) steps() once.Steps {
	return once.Steps{
		Send: func(_ context.Context, c once.Call) (once.Decide, error) {
			h, err := a.post(c.ProviderKey, c.Row)
			switch h.crash {
			case crashBefore, crashAfter:
				die()
			case panics:
				panic("a bug")
			case crashBeforeSettle:
				if err == nil {
					return func(context.Context) ([]db.Change, error) { die(); return nil, nil }, nil
				}
			}
			if said, ok := stripe.As(err); ok && said.Status == 402 {
				return ends(c, "declined"), nil
			}
			if err != nil {
				return nil, err
			}
			return ends(c, "charged"), nil
		},
		Find: func(_ context.Context, c once.Call) (once.Decide, error) {
			from, to := c.Window()
			found, more, err := a.find(c.Row, from, to, c.Position)
			switch {
			case err != nil:
				return nil, err
			case more != "":
				return nil, &once.Pending{Position: more}
			case !found:
				return nil, once.ErrAbsent
			}
			return ends(c, "charged"), nil
		},
		Refuse: func(c once.Call, why *stripe.Error) once.Decide { return ends(c, "refused: "+why.Code) },
	}
}
