package inbox

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

// The bounds of one request that asks Stripe's list of events. They stay below what an answer may take.
const (
	retained  = 30 * 24 * time.Hour // Stripe keeps events so long (docs.stripe.com/api/events)
	mostLook  = 12 * time.Second    // of looking through the list …
	mostPaged = 200                 // … and of its pages: 20,000 events
	mostWait  = 20 * time.Second    // of all of it: then what is not applied yet is left to the task
)

// Missed is an event that Stripe has and that was not kept here.
type Missed struct {
	ID        string    `json:"id" example:"evt_…"`
	Type      string    `json:"type" example:"payment_intent.succeeded"`
	ObjectID  string    `json:"object_id"`
	CreatedAt time.Time `json:"created_at" doc:"When Stripe made it, to the second."`
}

// Gap is what Stripe's list and ours differ in.
type Gap struct {
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	AtStripe   int       `json:"at_stripe" doc:"Events that Stripe has, of the types that till takes in."`
	Kept       int       `json:"kept" doc:"Those of them that were here already."`
	Missed     []Missed  `json:"missed" nullable:"false" doc:"Those that were not, newest first. One of the last seconds may still be on its way."`
	Complete   bool      `json:"complete" doc:"The whole list was looked through. Otherwise go on with until = reached, or see unanswered."`
	Reached    time.Time `json:"reached" doc:"How far back the list was looked through: since, where it is complete."`
	Unanswered []string  `json:"unanswered" nullable:"false" doc:"Earlier Stripe accounts of the merchant that could not be asked, and why."`
}

// Failed is an event that is kept and could not be taken in.
type Failed struct {
	ID    string `json:"id" example:"evt_…"`
	Error string `json:"error"`
}

// Repaired is what a repair has done about a gap.
type Repaired struct {
	Gap
	Brought int      `json:"brought" doc:"Missed events that this call has brought in: none where they had been before."`
	Applied int      `json:"applied" doc:"Events that this call has taken in: what it brought, and what had been given up before."`
	Waiting int      `json:"waiting" doc:"Events that are kept and that till is still taking in, by itself."`
	Failed  []Failed `json:"failed" nullable:"false" doc:"Events of this time that are kept and could not be taken in. till tries most of them again by itself."`
}

// span is the time that is looked through.
type span struct {
	since, until time.Time
	open         bool // until is the present: the world whose events these are may be ahead of our clock
}

// spanOf reads since and until: a time such as 2026-11-21T09:00:00Z, or for since how long ago: 72h, 30m, 3d.
func (i *Inbox) spanOf(since, until string) (s span, err error) {
	now := i.Clock.Now()
	s = span{until: now, open: true}
	if until != "" {
		if s.until, err = time.Parse(time.RFC3339, until); err != nil {
			return span{}, fault.New(fault.ParameterInvalid, "until", "until is not a time such as 2026-11-21T09:00:00Z.")
		}
		s.until, s.open = s.until.UTC(), false
	}
	if s.since, err = sinceOf(since, now); err != nil {
		return span{}, err
	}
	switch {
	case s.since.Before(now.Add(-retained)):
		return span{}, fault.New(fault.ParameterInvalid, "since", "since is more than 30 days ago: Stripe keeps events for 30 days.")
	case s.since.After(now):
		return span{}, fault.New(fault.ParameterInvalid, "since", "since is in the future.")
	case !s.since.Before(s.until):
		return span{}, fault.New(fault.ParameterInvalid, "until", "until is not after since.")
	}
	return s, nil
}

func sinceOf(since string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, since); err == nil {
		return at.UTC(), nil
	}
	if days, ok := strings.CutSuffix(since, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil && n > 0 {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if ago, err := time.ParseDuration(since); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fault.New(fault.ParameterInvalid, "since", "since is how long ago, such as 72h, 30m or 3d, or a time such as 2026-11-21T09:00:00Z.")
}

// Missing compares Stripe's list of a merchant's events with what was kept, and changes nothing.
func (i *Inbox) Missing(ctx context.Context, scope db.Scope, since, until string) (Gap, error) {
	s, err := i.spanOf(since, until)
	if err != nil {
		return Gap{}, err
	}
	return i.compare(ctx, scope, s, func(Event, standing, bool) (bool, error) { return false, nil })
}

// compare looks through the list of every Stripe account that the merchant has or had, and shows each event with how it stands here. take
// says of one that was not kept whether it is kept by now without its doing.
func (i *Inbox) compare(ctx context.Context, scope db.Scope, s span, take func(e Event, as standing, kept bool) (bool, error)) (Gap, error) {
	g := Gap{Since: s.since, Until: s.until, Missed: []Missed{}, Complete: true, Reached: s.since, Unanswered: []string{}}
	accounts, err := i.Merchants.Accounts(ctx, scope)
	if err != nil {
		return Gap{}, err
	}
	within, cancel := context.WithTimeout(ctx, mostLook)
	defer cancel()
	pages := mostPaged
	for n, a := range accounts {
		if pages == 0 && n > 0 {
			g.left(a, "There are too many events to ask this account too: ask for a shorter time.")
			continue
		}
		reached, err := i.compareOne(within, a, s, &pages, &g, take)
		if !reached.IsZero() {
			g.Complete = false
			if reached.After(g.Reached) {
				g.Reached = reached
			}
		}
		switch {
		case err == nil:
		case ctx.Err() != nil, !isStripes(err) && within.Err() == nil:
			return Gap{}, err
		case n > 0:
			g.left(a, inWords(err))
		case reached.IsZero():
			return Gap{}, unanswered(err)
		}
	}
	slices.SortStableFunc(g.Missed, func(a, b Missed) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) })
	return g, nil
}

// left notes an account that was not asked, or did not answer.
func (g *Gap) left(a merchant.Provider, why string) {
	g.Complete = false
	g.Unanswered = append(g.Unanswered, a.Account+": "+why)
}

func isStripes(err error) bool { _, ok := stripe.As(err); return ok }

// unanswered turns what stands against asking Stripe into a fault.
func unanswered(err error) error {
	switch stripe.Meaning(err) {
	case stripe.BadCredentials:
		return fault.New(fault.ProviderCredentials, "", "%s", inWords(err)).Because(err)
	case stripe.Refused:
		return fault.New(fault.ProviderRefused, "", "%s", inWords(err)).Because(err)
	}
	if !isStripes(err) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.New(fault.ProviderUnavailable, "", "Stripe's list of events cannot be had now, and nothing was changed: %s", inWords(err)).Because(err)
}

// compareOne looks through the list of one account. reached is how far back it came where that was not to the end; zero otherwise.
func (i *Inbox) compareOne(ctx context.Context, a merchant.Provider, s span, pages *int, g *Gap, take func(Event, standing, bool) (bool, error)) (reached time.Time, err error) {
	client, err := i.Merchants.Client(ctx, a.Scope, a.Generation)
	if err != nil {
		return reached, err
	}
	to, after := s.until, ""
	if s.open {
		to = time.Time{}
	}
	for ; *pages > 0; *pages-- {
		page, last, err := onePage(ctx, client, s.since, to, after)
		if err != nil {
			return reached, err
		}
		if err := i.comparePage(ctx, a, page, g, take); err != nil {
			return reached, err
		}
		if last {
			return time.Time{}, nil
		}
		oldest := page[len(page)-1]
		after, reached = oldest.ID, time.Unix(oldest.Created, 0).UTC()
	}
	return reached, nil
}

func (i *Inbox) comparePage(ctx context.Context, a merchant.Provider, page []stripe.Event, g *Gap, take func(Event, standing, bool) (bool, error)) error {
	known, err := i.known(ctx, a.Scope, page)
	if err != nil {
		return err
	}
	for _, seen := range page {
		if !i.takesIn(a.Scope, seen) {
			continue
		}
		e := found(a.Scope, a.Generation, seen, FromRepair)
		as, kept := known[e.ID]
		g.AtStripe++
		here, err := take(e, as, kept)
		if err != nil {
			return err
		}
		if kept || here {
			g.Kept++
			continue
		}
		g.Missed = append(g.Missed, Missed{e.ID, e.Type, e.Object, e.CreatedAt})
	}
	return nil
}

// Repair brings in what Stripe has and was not kept, and tries again what was given up. It does not matter how often, and on how many nodes
// at once, it runs: an event is kept once.
func (i *Inbox) Repair(ctx context.Context, scope db.Scope, since, until string) (Repaired, error) {
	s, err := i.spanOf(since, until)
	if err != nil {
		return Repaired{}, err
	}
	r := Repaired{Failed: []Failed{}}
	crew, release := i.newCrew(ctx)
	defer release()
	r.Gap, err = i.compare(ctx, scope, s, func(e Event, as standing, kept bool) (here bool, err error) {
		switch {
		case !kept:
			e.Attempts = 1
			fresh, err := i.bring(ctx, e)
			if fresh {
				r.Brought++
				crew.try(e)
			}
			return !fresh, err
		case as.applied:
		case as.open && as.failure == "":
			r.Waiting++
		default:
			mine, err := i.takeUp(ctx, &e, as.attempts)
			if mine {
				crew.try(e)
			} else {
				r.Waiting++
			}
			return false, err
		}
		return false, nil
	})
	applied, failed := crew.end()
	if r.Brought > 0 {
		i.Log.LogAttrs(ctx, slog.LevelInfo, "a repair brought in events that were missed", slog.String("request_id", api.RequestID(ctx)), slog.String("merchant", scope.Merchant),
			slog.String("mode", scope.Mode), slog.Int("events", r.Brought))
	}
	if err != nil {
		return Repaired{}, err
	}
	r.Applied, r.Failed = applied, failed
	r.Waiting += crew.begun - applied - len(failed)
	return r, nil
}

// bring keeps an event for whoever called, who then tries it.
func (i *Inbox) bring(ctx context.Context, e Event) (fresh bool, err error) {
	if i.isYoung(e.CreatedAt) { // its webhook may be on its way: it counts as brought, not as missed
		return i.insert(ctx, e, leased)
	}
	return i.insert(ctx, e, leased, countMissed(e.Scope, e.Generation))
}

// crew applies events while a request waits for them, some at once, and for a bounded time. What it does not come to is leased, and the
// task takes it up when the lease ends.
type crew struct {
	inbox  *Inbox
	late   context.Context // ends when nobody waits any longer
	places chan struct{}
	all    sync.WaitGroup
	begun  int

	mu      sync.Mutex
	applied int
	failed  []Failed
}

func (i *Inbox) newCrew(ctx context.Context) (*crew, context.CancelFunc) {
	late, cancel := context.WithTimeout(ctx, mostWait)
	return &crew{inbox: i, late: late, places: make(chan struct{}, places), failed: []Failed{}}, cancel
}

// try applies an event that this node has leased, once there is a place.
func (c *crew) try(e Event) {
	c.begun++
	select {
	case c.places <- struct{}{}:
	case <-c.late.Done():
		return
	}
	c.inbox.desk.ended.Add(1)
	c.all.Go(func() {
		defer c.inbox.desk.ended.Done()
		defer func() { <-c.places }()
		err := c.inbox.try(context.WithoutCancel(c.late), e)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err == nil {
			c.applied++
		} else {
			c.failed = append(c.failed, Failed{e.ID, shown(reason(err))})
		}
	})
}

// end waits, for a bounded time, and says what became of what was begun.
func (c *crew) end() (applied int, failed []Failed) {
	done := make(chan struct{})
	go func() {
		c.all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-c.late.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	failed = slices.Clone(c.failed)
	slices.SortFunc(failed, func(a, b Failed) int { return cmp.Compare(a.ID, b.ID) })
	return c.applied, failed
}

// Resend asks Stripe for one event and takes it in, whether it was kept before or not, and even where it was taken in already: which
// changes nothing that is so already.
func (i *Inbox) Resend(ctx context.Context, scope db.Scope, id string) (Told, error) {
	e, err := i.fetch(ctx, scope, id)
	if err != nil {
		return Told{}, err
	}
	e.Attempts = 1
	fresh, err := i.insert(ctx, e, leased)
	if err == nil && !fresh {
		_, err = i.takeUp(ctx, &e, whatever)
	}
	if err != nil {
		return Told{}, err
	}
	crew, release := i.newCrew(ctx)
	defer release()
	crew.try(e)
	crew.end()
	return i.Get(ctx, scope, e.ID)
}

// fetch finds an event in any of the merchant's Stripe accounts.
func (i *Inbox) fetch(ctx context.Context, scope db.Scope, id string) (Event, error) {
	missing := fault.New(fault.ResourceMissing, "id", "Stripe has no such event for this merchant. It keeps events for 30 days.")
	if !idForm.MatchString(id) {
		return Event{}, missing
	}
	accounts, err := i.Merchants.Accounts(ctx, scope)
	if err != nil {
		return Event{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, mostLook)
	defer cancel()
	var first error
	for _, a := range accounts {
		client, err := i.Merchants.Client(ctx, scope, a.Generation)
		if err != nil {
			return Event{}, err
		}
		seen, err := client.Event(ctx, id)
		switch {
		case err == nil && !i.takesIn(scope, seen):
			return Event{}, fault.New(fault.EventUnhandled, "id", "till does nothing with events of this type, or of a connected account; nothing was applied.")
		case err == nil:
			return found(scope, a.Generation, seen, FromResend), nil
		case first == nil && stripe.Meaning(err) != stripe.Refused:
			first = unanswered(err)
		}
	}
	if first != nil {
		return Event{}, first
	}
	return Event{}, missing
}
