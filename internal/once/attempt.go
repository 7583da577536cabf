package once

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/stripe"
)

// The audit trail: what happened around a call, for people. Nothing is ever decided by it. Its rows are written in commits that are made
// anyway (the next send's, the settling, the release), so that a payment that goes well costs one row and no commit more.

// Attempt is one line of the trail.
type Attempt struct {
	At          time.Time `json:"at"`
	Kind        string    `json:"kind" enum:"request,repeat,send,look_up,release,drop" doc:"request: the merchant asked for the first time; repeat: again under the same key; send: till asked Stripe to do it; look_up: till asked Stripe what an earlier send did; release and drop: what became of a held one."`
	Call        string    `json:"call" example:"payment.create"`
	ProviderKey string    `json:"provider_key" doc:"The Idempotency-Key at Stripe; the same for every send of a call."`
	Answer      string    `json:"answer" example:"answered" doc:"Of a send: answered (a success or a decline), refused, bad_credentials, not_executed, unknown (it may have happened), none (the process died before an answer), under_way, or not_kept (made by a version of till that kept no trail). Of a look_up: found, absent, goes_on or unknown. Of a request: claimed, held, replayed, or other_input where the key was used before with other input. Of a release: sent. Of a drop: not_sent."`
	StatusCode  int64     `json:"status_code" doc:"Stripe's HTTP status; 0 where no whole reply came, and where Stripe was not asked."`
	Code        string    `json:"code" example:"card_declined" doc:"Stripe's, of an error or a decline."`
	StripeID    string    `json:"stripe_request_id" example:"req_…" doc:"Finds the request in Stripe's own log."`
	TookMS      *int64    `json:"took_ms" doc:"Milliseconds; null where it is not known."`
	RequestID   string    `json:"request_id" doc:"The request to till, as its log names it; empty where there was none, or the process died."`
}

// entry is a line as it is kept: one of a call's sends has its number for an id, so that its end takes the place of its beginning.
type entry struct {
	Attempt
	id   string
	took time.Duration
}

const (
	mostEntries = 100  // of one kind and call: a client in a loop must not fill the database
	mostShown   = 1000 // of one object
)

func sendID(n int64) string { return fmt.Sprintf("send-%06d", n) }

// keep is the change that writes a line; the end of a send takes the place of its beginning.
func (e entry) keep(c Call) db.Change {
	took := any(nil)
	if e.Answer != "" && (e.Kind == "send" || e.Kind == "look_up") {
		took = e.took.Microseconds()
	}
	return db.Change{
		SQL: `insert into call_attempts (merchant, mode, key, id, kind, at, took_us, outcome, status_code, code, stripe_request, request_id)
			select cast($1 as text), cast($2 as text), cast($3 as text), cast($4 as text), cast($5 as text), cast($6 as bigint), cast($7 as bigint), cast($8 as text),
				cast($9 as bigint), cast($10 as text), cast($11 as text), cast($12 as text)
			where (select count(*) from call_attempts where merchant = $1 and mode = $2 and key = $3 and kind = $5) < $13
			on conflict (merchant, mode, key, id) do update set took_us = excluded.took_us, outcome = excluded.outcome, status_code = excluded.status_code,
				code = excluded.code, stripe_request = excluded.stripe_request`,
		Args: []any{c.Merchant, c.Mode, c.Key, e.id, e.Kind, db.Micros(e.At), took, e.Answer, e.StatusCode, plain(e.Code), plain(e.StripeID), e.RequestID, mostEntries}, Rows: db.Any,
	}
}

// plain is a word of Stripe's that any column takes: the trail must not stand in the way of a settling.
func plain(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if r := []rune(s); len(r) > 100 {
		return string(r[:100])
	}
	return s
}

// trail is what is not yet written of a call's attempts. It belongs to the goroutine that drives the call.
type trail struct{ entries []entry }

// changes are those that write what is left.
func (t *trail) changes(c Call) (all []db.Change) {
	if t == nil {
		return nil
	}
	for _, e := range t.entries {
		all = append(all, e.keep(c))
	}
	return all
}

// begins are the changes that write what is left, and that another send begins.
func (t *trail) begins(c Call, at time.Time) []db.Change {
	return append(t.changes(c), entry{id: sendID(c.Attempts), Attempt: Attempt{At: at, Kind: "send"}}.keep(c))
}

// kept forgets what has been written.
func (t *trail) kept(err error) error {
	if err == nil && t != nil {
		t.entries = nil
	}
	return err
}

func (t *trail) add(e entry) {
	if t != nil {
		t.entries = append(t.entries, e)
	}
}

// send asks Stripe to do it, and keeps in mind what came of that.
func (o *Once) send(ctx context.Context, s Steps, c *Call) (Decide, error) {
	ctx, reply := stripe.Listen(ctx)
	at, began := o.clock.Now(), o.machine.Now()
	decide, err := s.Send(ctx, *c)
	e := entry{id: sendID(c.Attempts), took: o.machine.Now().Sub(began), Attempt: Attempt{At: at, Kind: "send", Answer: meanings[stripe.Meaning(err)]}}
	if c.Attempts == 1 {
		e.RequestID = c.asked
	}
	c.trail.add(e.heard(reply, err))
	return decide, err
}

// lookUp asks Stripe what an earlier send did.
func (o *Once) lookUp(ctx context.Context, s Steps, c *Call) (Decide, error) {
	ctx, reply := stripe.Listen(ctx)
	at, began := o.clock.Now(), o.machine.Now()
	decide, err := s.Find(ctx, *c)
	e := entry{id: id.New(), took: o.machine.Now().Sub(began), Attempt: Attempt{At: at, Kind: "look_up", Answer: "unknown"}}
	var more *Pending
	switch {
	case err == nil:
		e.Answer = "found"
	case errors.Is(err, ErrAbsent):
		e.Answer = "absent"
	case errors.As(err, &more):
		e.Answer = "goes_on"
	}
	c.trail.add(e.heard(reply, err))
	return decide, err
}

var meanings = map[stripe.Outcome]string{stripe.Answered: "answered", stripe.Refused: "refused", stripe.BadCredentials: "bad_credentials",
	stripe.NotExecuted: "not_executed", stripe.Unknown: "unknown"}

// heard adds how Stripe put it: as the error says, else as the reply did.
func (e entry) heard(reply *stripe.Reply, err error) entry {
	e.StatusCode, e.Code, e.StripeID = int64(reply.Status), reply.Code, reply.RequestID
	if said, ok := stripe.As(err); ok {
		e.StatusCode, e.Code, e.StripeID = int64(said.Status), said.Code, said.RequestID
	}
	return e
}

// repeated keeps that the merchant asked again under a key. That it cannot be kept must not cost the answer.
func (o *Once) repeated(ctx context.Context, c Call, reused bool) {
	e := entry{id: id.New(), Attempt: Attempt{At: o.clock.Now(), Kind: "repeat", Answer: "replayed", RequestID: api.RequestID(ctx)}}
	if reused {
		e.Answer = "other_input"
	}
	if err := o.db.Write(ctx, e.keep(c)); err != nil {
		o.log.LogAttrs(ctx, slog.LevelWarn, "repeat not kept in the audit trail", slog.String("call", c.Name), slog.String("row", c.Row), slog.Any("error", err))
	}
}

// Attempts are the trail of all calls about a row, oldest first: a thousand lines at most.
func (o *Once) Attempts(ctx context.Context, scope db.Scope, row string) ([]Attempt, error) {
	calls, err := db.All(ctx, o.db, scanEnded, `select `+columns+`, closed_at from calls where merchant = $1 and mode = $2 and row_id = $3 order by claimed_at, key limit 100`,
		scope.Merchant, scope.Mode, row)
	if err != nil {
		return nil, err
	}
	var all []Attempt
	for _, c := range calls {
		lines, err := db.All(ctx, o.db, scanEntry, `select id, kind, at, took_us, outcome, status_code, code, stripe_request, request_id from call_attempts
			where merchant = $1 and mode = $2 and key = $3 order by at, id limit $4`, scope.Merchant, scope.Mode, c.Key, mostShown)
		if err != nil {
			return nil, err
		}
		all = append(all, c.told(lines, o.machine.Now())...)
	}
	slices.SortStableFunc(all, func(a, b Attempt) int { return cmp.Or(a.At.Compare(b.At), rank[a.Kind]-rank[b.Kind]) })
	return all[:min(len(all), mostShown)], nil
}

// rank orders what happened at one moment of the clock.
var rank = map[string]int{"request": 0, "release": 1, "send": 2, "look_up": 3, "repeat": 4, "drop": 5}

// over is a call with the time when it was closed.
type over struct {
	stored
	closedAt time.Time
}

// told is the trail of a call: its lines, and what follows from its record. A send that has begun and has no line, or one without an end, is
// under way while its node keeps the lease, and after that has got no answer that anybody heard.
func (c over) told(lines []entry, machine time.Time) (all []Attempt) {
	first := Attempt{At: c.ClaimedAt, Kind: "request", Answer: "claimed"}
	sent, asked, heard := c.Attempts == 0, false, false
	for _, e := range lines {
		a := e.Attempt
		heard = heard || a.Kind == "send" || a.Kind == "look_up"
		switch {
		case a.Kind == "send" && e.id == sendID(1):
			sent = true
			first.RequestID, a.RequestID = a.RequestID, ""
		case a.Kind == "request":
			asked = true
		}
		if a.Kind == "send" && a.Answer == "" {
			a.Answer = c.unanswered(e.id == sendID(c.Attempts), machine)
		}
		all = append(all, a)
	}
	if !sent {
		answer := c.unanswered(c.Attempts == 1, machine)
		if !heard && (c.state == done || c.state == refused) { // whatever closes a call writes what it stands on: it was closed before there was a trail
			answer = "not_kept"
		}
		all = append(all, Attempt{At: c.ClaimedAt, Kind: "send", Answer: answer})
	}
	if !asked {
		all = append(all, first)
	}
	if c.state == dropped {
		all = append(all, Attempt{At: c.closedAt, Kind: "drop", Answer: "not_sent"})
	}
	for i := range all {
		all[i].Call, all[i].ProviderKey = c.Name, c.ProviderKey
	}
	return all
}

func (c over) unanswered(last bool, machine time.Time) string {
	if last && c.state == open && c.lease.After(machine) {
		return "under_way"
	}
	return "none"
}

func scanEnded(r db.Row) (c over, err error) {
	c.stored, err = scan(also{r, db.At(&c.closedAt)})
	return c, err
}

// also scans one column more.
type also struct {
	db.Row
	dest any
}

// Scan implements db.Row.
func (a also) Scan(dest ...any) error { return a.Row.Scan(append(dest, a.dest)...) }

func scanEntry(r db.Row) (e entry, err error) {
	var took *int64
	err = r.Scan(&e.id, &e.Kind, db.At(&e.At), &took, &e.Answer, &e.StatusCode, &e.Code, &e.StripeID, &e.RequestID)
	if took != nil {
		ms := *took / 1000
		e.TookMS = &ms
	}
	return e, err
}
