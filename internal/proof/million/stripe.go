package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// one of these many lines is a payout, a fee of Stripe's, a refund; and one is a charge for which Stripe took a cent more than was foretold.
const (
	everyPayout = 10_000
	everyFee    = 1_000
	everyRefund = 50
	everyMore   = 2_500
)

// apart is the time from one line to the next.
const apart = 30 * time.Second

// line is the balance transaction of a number, from 0, the oldest: it is worked out whenever it is asked for.
type line struct {
	n                 int64
	category, source  string
	amount, fee, over int64 // over is what Stripe took more than was foretold
	made              time.Time
}

func (a *account) line(n int64) line {
	l := line{n: n, made: a.began.Add(time.Duration(n) * apart)}
	at := n + 1
	switch stamp := a.stamp(n); {
	case at%everyPayout == 0:
		l.category, l.source, l.amount = "payout", "po_1"+stamp, -2_000_000
	case at%everyFee == 0:
		l.category, l.fee = "fee", 199
	case at%everyRefund == 0:
		l.category, l.source, l.amount = "refund", "re_3"+stamp, -500
	default:
		l.category, l.source, l.amount = "charge", "ch_3"+stamp, 1000+n%9000
		if l.fee = (l.amount*290+5000)/10_000 + 30; at%everyMore == 7 {
			l.fee, l.over = l.fee+1, 1
		}
	}
	return l
}

// stamp is the part of an id that tells one from another. It begins with the time, as Stripe's own ids do.
func (a *account) stamp(n int64) string {
	return strconv.FormatInt(a.began.Unix()+n*int64(apart/time.Second), 36) + "Till" + fmt.Sprintf("%010d", n)
}

func (a *account) id(n int64) string { return "txn_3" + a.stamp(n) }

// numberOf is the number in an id; -1 where it is none of ours.
func numberOf(id string) int64 {
	_, digits, _ := strings.Cut(id, "Till")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// account is a Stripe account with any number of balance transactions, of which none is kept.
type account struct {
	*httptest.Server
	began time.Time

	mu    sync.Mutex
	lines int64
	asked []ask  // pages of the whole list that were asked for
	paid  int64  // pages of a payout's
	at    int64  // the line at which the reading is to be known of …
	there func() // … by this
}

// ask is when a page of the list was asked for, and how many lines had been given before.
type ask struct {
	at    time.Time
	given int64
}

func newAccount(lines int64) *account {
	a := &account{lines: lines, began: time.Now().Add(-time.Duration(lines+10_000) * apart).Truncate(time.Second)}
	a.Server = httptest.NewServer(a)
	return a
}

// ServeHTTP is as much of Stripe as the reading of a balance needs.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_million")
	switch r.URL.Path {
	case "/v1/account":
		say(w, map[string]any{"id": "acct_million", "object": "account", "country": "US", "default_currency": "usd"})
	case "/v1/balance_transactions":
		say(w, a.page(r))
	case "/v1/balance":
		say(w, map[string]any{"object": "balance", "available": []any{}, "pending": []any{}})
	case "/v1/events":
		say(w, map[string]any{"object": "list", "data": []any{}, "has_more": false})
	default:
		w.WriteHeader(http.StatusNotFound)
		say(w, map[string]any{"error": map[string]any{"type": "invalid_request_error", "message": "There is nothing here."}})
	}
}

func say(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

// page is a hundred lines, the newest first, of all or of a payout.
func (a *account) page(r *http.Request) any {
	q := r.URL.Query()
	a.mu.Lock()
	from, to := a.lines-1, int64(0) // to is the oldest
	if payout := q.Get("payout"); payout != "" {
		from = numberOf(payout)
		to = max(0, from-everyPayout+1)
		a.paid++
	} else if after := numberOf(q.Get("starting_after")); true {
		given := int64(0)
		if after >= 0 {
			given = a.lines - after
		}
		a.asked = append(a.asked, ask{time.Now(), given})
		if a.there != nil && given >= a.at {
			a.there()
			a.there = nil
		}
	}
	a.mu.Unlock()
	if since, err := strconv.ParseInt(q.Get("created[gte]"), 10, 64); err == nil {
		to = max(to, (since-a.began.Unix()+int64(apart/time.Second)-1)/int64(apart/time.Second))
	}
	if until, err := strconv.ParseInt(q.Get("created[lte]"), 10, 64); err == nil {
		from = min(from, (until-a.began.Unix())/int64(apart/time.Second))
	}
	if after := numberOf(q.Get("starting_after")); after >= 0 {
		from = after - 1
	}
	data := []any{}
	for n := from; n >= to && len(data) < 100; n-- {
		data = append(data, a.line(n).told(a))
	}
	return map[string]any{"object": "list", "data": data, "has_more": from-to >= 100}
}

// told is a line in Stripe's words.
func (l line) told(a *account) any {
	kind := map[string]string{"fee": "stripe_fee"}[l.category]
	if kind == "" {
		kind = l.category
	}
	var source any
	if l.source != "" {
		source = l.source
	}
	available := l.made.Add(48 * time.Hour).Truncate(24 * time.Hour)
	return map[string]any{"id": a.id(l.n), "object": "balance_transaction", "amount": l.amount, "available_on": available.Unix(), "created": l.made.Unix(), "currency": "usd",
		"description": "Order " + strconv.FormatInt(l.n, 10), "exchange_rate": nil, "fee": l.fee, "fee_details": []any{}, "net": l.amount - l.fee, "reporting_category": l.category,
		"source": source, "status": "available", "type": kind}
}

// tell has do called once, when the reading is past so many lines.
func (a *account) tell(past int64, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at, a.there = past, do
}

// grow adds lines on top.
func (a *account) grow(by int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines += by
}

// forget begins the record of pages anew, and gives what it was.
func (a *account) forget() (asked []ask, paid int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked, paid = a.asked, a.paid
	a.asked, a.paid = nil, 0
	return asked, paid
}
