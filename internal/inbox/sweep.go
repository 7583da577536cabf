package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

// SweepTask is the task that looks in Stripe's own list for events whose webhooks never came.
const SweepTask = "inbox.sweep"

const (
	// between is the rest between two looks at one account, on the clock; shortest is what it is on the machine's at the least.
	between  = time.Minute
	shortest = time.Second
	// fair is the time that a webhook has to come by itself. A younger event is left to it: to bring it in too would change nothing,
	// but it would be counted as missed.
	fair = time.Minute
	// firstLook is how far back the first look at an account goes: as long as Stripe itself goes on trying a webhook in live mode
	// (docs.stripe.com/webhooks: three days). Further back goes till events repair.
	firstLook = 72 * time.Hour

	looks     = 4                // accounts looked at at once by one node
	mostPages = 10               // of one account's list in one turn; the next turn goes on, after the others had theirs
	lookFor   = 20 * time.Second // one turn; then it goes on from where it stands
	mostPause = time.Hour        // after failures: 2, 4, 8 … minutes, and never longer
	mostNamed = 20               // ids of missed events in one line of the log
)

// overlap is how far before the newest event of the last look the next one begins. Stripe promises no order: events of one second come in
// any, an event may enter the list after a later one has (docs.stripe.com/webhooks: no delivery order is guaranteed), and young events
// were left to their webhooks. Half of it is for these, see look.next, and half for what Stripe lists late.
func overlap() time.Duration {
	if crash.Bug("sweep_without_overlap") {
		return 0
	}
	return 10 * time.Minute
}

// look is how far Stripe's list of one account has been looked through.
type look struct {
	db.Scope
	generation int64
	sweptTo    time.Time // Stripe's: the newest event that was dealt with
	after      string    // of a look under way: the event to go on after
	newest     time.Time // of a look under way: of the events seen
	young      time.Time // of a look under way: the oldest event that was left to its webhook; zero where none was
	began      time.Time
	failures   int64
}

// from is where a look begins.
func (l look) from() time.Time { return l.sweptTo.Add(time.Second - overlap()) }

// next is where the cursor stands after a whole look: at the newest event, but never so far that the next look misses what this one
// left to its webhook, however the clock has leapt in between; and it never goes back.
func (l look) next() time.Time {
	to := l.newest
	if limit := l.young.Add(overlap() / 2); !l.young.IsZero() && limit.Before(to) {
		to = limit
	}
	if to.Before(l.sweptTo) {
		return l.sweptTo
	}
	return to
}

// start is where the cursor of an account stands that was never looked at: what was before the merchant turned to it is no payment of ours.
// It is never in the future, where the first key of a till that follows a sandbox's clock may come from: until then its time was real.
func start(since, now time.Time) time.Time {
	if since.After(now) {
		since = now
	}
	first := now.Add(-firstLook)
	if since.After(first) {
		first = since
	}
	return first.Truncate(time.Second)
}

// isYoung says that an event's webhook may still be on its way. An event from the future is of a world whose clock is not ours: its age is
// not known, and to bring it in does no harm.
func (i *Inbox) isYoung(created time.Time) bool {
	age := i.Clock.Now().Sub(created)
	return -fair < age && age < fair
}

// sweep is the task: it looks at the accounts that are due, some at once, each for a bounded time.
func (i *Inbox) sweep(ctx context.Context) (more bool, err error) {
	if err := i.enrol(ctx); err != nil {
		return false, err
	}
	if any, err := i.anyLookDue(ctx); err != nil || !any {
		return false, err
	}
	due, err := i.claimLooks(ctx, looks)
	var all sync.WaitGroup
	for _, l := range due {
		all.Go(func() { i.lookAt(ctx, l) })
	}
	all.Wait()
	return len(due) == looks, err
}

// lookAt goes on with the look at one account, and writes down how that went. What goes wrong with one is no matter of the others.
func (i *Inbox) lookAt(ctx context.Context, l look) {
	bounded, cancel := context.WithTimeout(ctx, lookFor)
	was := l
	missed, whole, err := i.walkSafely(bounded, &l)
	inTime := bounded.Err() == nil
	cancel()
	if len(missed) > 0 {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "events were missed: Stripe has them and no webhook brought them; they are taken in now", slog.String("merchant", l.Merchant),
			slog.String("mode", l.Mode), slog.Int("events", len(missed)), slog.Any("ids", missed[:min(len(missed), mostNamed)]))
	}
	switch {
	case db.IsMoved(err), ctx.Err() != nil: // another node goes on with it, or the next one will
		return
	case err != nil && (inTime || l.after == was.after):
		i.failed(ctx, was, l, err)
		return
	case whole && was.failures > 0:
		i.Log.LogAttrs(ctx, slog.LevelInfo, "Stripe's list of events can be looked through again", slog.String("merchant", l.Merchant), slog.String("mode", l.Mode))
	}
	switch {
	case !whole:
		err = i.DB.Write(ctx, i.goOn(l))
	case was.failures > 0:
		err = i.DB.Write(ctx, i.lookEnded(l), i.onceMore(l))
	default:
		err = i.DB.Write(ctx, i.lookEnded(l))
	}
	if err != nil && !db.IsMoved(err) {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "the end of a look at Stripe's events was not written; it will be looked again", slog.String("merchant", l.Merchant), slog.Any("error", err))
	}
}

// walkSafely is walk, where a panic is a failure of this look only.
func (i *Inbox) walkSafely(ctx context.Context, l *look) (missed []string, whole bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return i.walk(ctx, l)
}

// walk looks through the list page by page. After each page it is written down how far it came, so that whoever goes on begins there;
// the cursor itself moves only once the whole has been seen.
func (i *Inbox) walk(ctx context.Context, l *look) (missed []string, whole bool, err error) {
	client, err := i.Merchants.Client(ctx, l.Scope, l.generation)
	if err != nil {
		return nil, false, err
	}
	if l.after == "" {
		if err := i.present(ctx, l); err != nil {
			return nil, false, err
		}
		l.began, l.newest, l.young = i.Clock.Now(), l.sweptTo, time.Time{}
	}
	for range mostPages {
		was := *l
		page, last, err := onePage(ctx, client, l.from(), time.Time{}, l.after)
		if err != nil {
			return missed, false, err
		}
		brought, err := i.bringPage(ctx, l, page)
		missed = append(missed, brought...)
		if err != nil || last {
			return missed, err == nil, err
		}
		l.after = page[len(page)-1].ID
		if err := i.DB.Write(ctx, i.cameTo(was, *l)); err != nil {
			return missed, false, err
		}
	}
	return missed, false, nil
}

// present brings a cursor back that stands in the future: the account was enrolled before the clock began to follow a sandbox's world, or that
// world was put back to an older image. The look begins as a first one does.
func (i *Inbox) present(ctx context.Context, l *look) error {
	now := i.Clock.Now()
	if !l.sweptTo.After(now.Add(overlap() + time.Minute)) {
		return nil
	}
	to := start(time.Time{}, now)
	if err := i.DB.Write(ctx, sweptTo(*l, to)); err != nil {
		return err
	}
	l.sweptTo = to
	return nil
}

// onePage is one page of an account's events of the types that a room takes in; last says that no other follows.
func onePage(ctx context.Context, client *stripe.Client, from, to time.Time, after string) (page []stripe.Event, last bool, err error) {
	last = true
	_, err = client.Events(ctx, Events(), from, to, after, func(e stripe.Event) (stop bool) {
		page = append(page, e)
		last = len(page) < stripe.EventPage
		return !last
	})
	return page, last, err
}

// bringPage takes in those events of a page that are not known and had their time.
func (i *Inbox) bringPage(ctx context.Context, l *look, page []stripe.Event) (missed []string, err error) {
	known, err := i.known(ctx, l.Scope, page)
	if err != nil {
		return nil, err
	}
	for _, seen := range page {
		if !i.takesIn(l.Scope, seen) {
			continue
		}
		e := found(l.Scope, l.generation, seen, FromSweep)
		if e.CreatedAt.After(l.newest) {
			l.newest = e.CreatedAt
		}
		if _, kept := known[e.ID]; kept {
			continue
		}
		if i.isYoung(e.CreatedAt) {
			if l.young.IsZero() || e.CreatedAt.Before(l.young) {
				l.young = e.CreatedAt
			}
			continue
		}
		fresh, err := i.take(ctx, e, true, countMissed(l.Scope, l.generation))
		if err != nil {
			return missed, err
		}
		if fresh {
			missed = append(missed, e.ID)
		}
	}
	return missed, nil
}

// found is an event from Stripe's list. It is proved by where it was found: the list was asked for with the merchant's own key.
func found(scope db.Scope, generation int64, seen stripe.Event, source string) Event {
	e := eventOf(seen)
	e.Scope, e.Generation, e.Source, e.Verified = scope, generation, source, true
	return e
}

// takesIn says whether an event of the list is one that a room takes in. A list may hold others: see stripe.Events.
func (i *Inbox) takesIn(scope db.Scope, seen stripe.Event) bool {
	return concerns(seen) && wellFormed(seen) && seen.Livemode == (scope.Mode == merchant.Live)
}

// failed lets an account rest, the longer the more often it failed, and says so once. A place in the list that Stripe has no more, for it
// keeps events for thirty days, is given up: the look begins anew.
func (i *Inbox) failed(ctx context.Context, was, l look, err error) {
	now := l
	if l.after != "" && stripe.Meaning(err) == stripe.Refused {
		now.after = ""
	}
	now.failures++
	why := inWords(err)
	if was.failures == 0 {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "Stripe's list of events cannot be looked through; it is tried again, later and later", slog.String("merchant", l.Merchant),
			slog.String("mode", l.Mode), slog.String("reason", why))
	}
	pause := min(between<<min(now.failures, 10), mostPause)
	if err := i.DB.Write(ctx, i.lookFailed(l, now, why, pause)); err != nil && !db.IsMoved(err) {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "the failure of a look at Stripe's events was not written", slog.String("merchant", l.Merchant), slog.Any("error", err))
	}
}

// inWords says what stands against asking Stripe. It repeats nothing of Stripe's answer but its status: what answers there may be anything.
func inWords(err error) string {
	said, ok := stripe.As(err)
	var own *fault.Error
	switch {
	case stripe.Meaning(err) == stripe.BadCredentials:
		return "Stripe refuses the merchant's secret key."
	case ok && said.Status == http.StatusForbidden:
		return "Stripe forbids the merchant's key to read events: give it that permission, or another key."
	case ok && said.Status == http.StatusTooManyRequests:
		return "Stripe asks to slow down."
	case ok && said.Status != 0:
		return "Stripe answers " + http.StatusText(said.Status) + "."
	case ok || errors.Is(err, context.DeadlineExceeded):
		return "Stripe does not answer."
	case errors.As(err, &own):
		return own.Message
	}
	return "Something failed on our side: " + reason(err)
}

// enrol begins to look at the accounts that merchants have turned to. A merchant that returned to an account goes on where it left off.
func (i *Inbox) enrol(ctx context.Context) error {
	const most = 100
	fresh, err := i.unswept(ctx, most)
	if err != nil {
		return err
	}
	for _, a := range fresh {
		to := a.before
		if to.IsZero() {
			to = start(a.since, i.Clock.Now())
		}
		if err := i.DB.Write(ctx, supersede(a), insertLook(a, to, i.Clock.Now())); err != nil && !db.IsMoved(err) {
			return err
		}
	}
	return nil
}

// known are those of the events that are kept, by id.
func (i *Inbox) known(ctx context.Context, scope db.Scope, page []stripe.Event) (map[string]standing, error) {
	ids := make([]string, len(page))
	for n, e := range page {
		ids[n] = e.ID
	}
	kept := map[string]standing{}
	rows, err := i.standings(ctx, scope, ids)
	for _, s := range rows {
		kept[s.id] = s
	}
	return kept, err
}
