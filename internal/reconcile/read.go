package reconcile

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/task"
)

const (
	// between is the rest between two readings of one account, on the clock.
	between = 15 * time.Minute
	// overlap is how far before the newest line of the last reading the next begins: an entry may be listed after a later one has been.
	overlap = 2 * time.Minute
	// fair is the time that an event has to come by itself before Stripe is asked about a line that nothing foretold. Where nobody wants to know,
	// till leaves it to Stripe's own tries, which go on for three days (docs.stripe.com/webhooks), and to its look for missed events.
	fair    = time.Minute
	unasked = 72 * time.Hour
	// longest bounds one stretch of work on one account. What is left, the next goes on with.
	longest   = 8 * time.Second
	mostPause = time.Hour
	someLate  = 100 // sources whose movements came late, in one go
	someOpen  = 20  // lines that Stripe is asked about, in one go
)

// Task reads the balance transactions of every account now and then.
func (s *Reconcile) Task() task.Task {
	return task.Task{Name: "reconcile.read", Every: 30 * time.Second, Run: s.run}
}

func (s *Reconcile) run(ctx context.Context) (more bool, err error) {
	fresh, err := s.unread(ctx, 100)
	for _, a := range fresh {
		if err := s.enrol(ctx, a.Scope, a.account); err != nil {
			return false, err
		}
	}
	if err != nil {
		return false, err
	}
	const some = 2
	due, err := s.dueNow(ctx, some)
	for _, a := range due {
		p, err := s.provider(ctx, a.Scope, a.account)
		if err == nil {
			_, err = s.goOn(ctx, p, unasked)
		}
		if err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "Stripe's balance transactions cannot be read; it is tried again, later and later", slog.String("merchant", a.Merchant),
				slog.String("mode", a.Mode), slog.String("reason", inWords(err)))
		}
	}
	return len(due) == some, err
}

// provider is an account of a merchant under its newest generation.
func (s *Reconcile) provider(ctx context.Context, scope db.Scope, account string) (merchant.Provider, error) {
	all, err := s.Merchants.Accounts(ctx, scope)
	for _, p := range all {
		if p.Account == account {
			return p, nil
		}
	}
	if err == nil {
		err = fault.New(fault.ProviderUnset, "", "The Stripe account %s is not one of this merchant's.", account)
	}
	return merchant.Provider{}, err
}

// Progress is how a reading of one account stands.
type Progress struct {
	Account   string     `json:"account" example:"acct_…"`
	Done      bool       `json:"done" doc:"All that Stripe had was read, and looked into."`
	Busy      bool       `json:"busy" doc:"Another reading of this account is under way."`
	Lines     int64      `json:"lines" doc:"Balance transactions read in all."`
	ReadTo    *time.Time `json:"read_to" doc:"The newest that was dealt with; null before the first reading has ended."`
	At        *time.Time `json:"at" doc:"How far back the reading under way has come: it goes from the newest to the oldest. Null where none is."`
	CheckedAt *time.Time `json:"checked_at" doc:"When the last reading ended."`
	Error     string     `json:"error" doc:"What stands against reading on, or empty. It is tried again by itself."`
}

func (g reading) progress() Progress {
	return Progress{Account: g.account, Lines: g.lines, ReadTo: optional(g.readTo), At: optional(g.at), CheckedAt: optional(g.checked), Error: g.err}
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// goOn works on one account for a bounded time: reads on, holds what came late against what was read, and asks about what nothing foretold and
// is of an age; 0 asks about nothing.
func (s *Reconcile) goOn(ctx context.Context, p merchant.Provider, age time.Duration) (Progress, error) {
	if err := s.enrol(ctx, p.Scope, p.Account); err != nil {
		return Progress{}, err
	}
	g, err := s.claim(ctx, p.Scope, p.Account)
	if errors.Is(err, db.ErrNone) {
		g, err = s.reading(ctx, p.Scope, p.Account)
		now := g.progress()
		now.Busy = true
		return now, err
	}
	if err != nil {
		return Progress{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, longest)
	heard := 0
	done, err := s.work(bounded, p, &g, age, &heard)
	if bounded.Err() != nil && ctx.Err() == nil && heard > 0 {
		done, err = false, nil // time is up: it goes on from where it was written down
	}
	cancel()
	if db.IsMoved(err) {
		done, err = false, nil // another process has gone on with it
	}
	now := g.progress()
	now.Done = done && err == nil
	return now, errors.Join(err, s.leave(context.WithoutCancel(ctx), g, done, err))
}

// leave writes how a stretch of work ended. A place in the list that Stripe has no more is given up: the reading begins anew. A key that may not
// look says nothing of the place.
func (s *Reconcile) leave(ctx context.Context, g reading, done bool, err error) error {
	now := s.Clock.Now()
	switch {
	case err == nil && done:
		return s.release(ctx, g, "", false, now.Add(between))
	case err == nil:
		return s.release(ctx, g, "", false, now)
	}
	anew := g.after != "" && stripe.Absent(err)
	return s.release(ctx, g, inWords(err), anew, now.Add(min(time.Minute<<min(g.failures, 10), mostPause)))
}

func (s *Reconcile) work(ctx context.Context, p merchant.Provider, g *reading, age time.Duration, heard *int) (done bool, err error) {
	client, err := s.Merchants.Client(ctx, p.Scope, p.Generation)
	if err != nil {
		return false, err
	}
	w := worker{s, p, client, age, knownPrices(p.Country, money.Currency(p.Currency)), heard}
	for whole := false; !whole; {
		if whole, err = w.page(ctx, g); err != nil {
			return false, err
		}
	}
	steps := []func(context.Context) (more bool, err error){w.listPayouts, w.lateMoves}
	if age > 0 {
		steps = append(steps, w.ask)
	}
	for _, step := range steps {
		for more := true; more; {
			if more, err = step(ctx); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// worker is one stretch of work on one account.
type worker struct {
	*Reconcile
	provider merchant.Provider
	client   *stripe.Client
	age      time.Duration // of lines that Stripe is asked about
	priced   priced
	heard    *int // answers of Stripe's in this stretch
}

// page reads one page and writes it: the lines, what each was found to be, their entries, and how far the reading has come, all or nothing.
func (w worker) page(ctx context.Context, g *reading) (whole bool, err error) {
	of := stripe.TransactionsOf{After: g.after}
	if !g.readTo.IsZero() {
		of.From = g.readTo.Add(-overlap)
	}
	read, more, err := w.client.BalanceTransactions(ctx, of)
	if err == nil && slices.ContainsFunc(read, func(t stripe.BalanceTransaction) bool { return t.ExchangeRate != "" }) {
		of.Sources = true // once more, with the sources: what Stripe has converted is told in their currencies
		read, more, err = w.client.BalanceTransactions(ctx, of)
	}
	for of.Sources && unreadable(err) && of.Most != 1 { // with their sources, a hundred may be more than an answer may hold
		of.Most = max(1, cmp.Or(of.Most, 100)/10)
		read, more, err = w.client.BalanceTransactions(ctx, of)
	}
	if err != nil {
		return false, err
	}
	*w.heard++
	if more && (len(read) == 0 || read[len(read)-1].ID == g.after) {
		return false, &badLine{g.after, "is followed by others, says Stripe, and then by none"}
	}
	lines, err := w.fresh(ctx, read)
	if err != nil {
		return false, err
	}
	was := *g
	g.came(read, lines, more, w.Clock.Now())
	changes, err := w.take(ctx, lines)
	if err == nil {
		err = w.DB.Write(ctx, append([]db.Change{came(was, *g)}, changes...)...)
	}
	if err != nil {
		*g = was
		return false, err
	}
	if tenfold(was.lines, g.lines) {
		err = w.DB.Analyze(ctx, "balance_transactions", "movements", "ledger_entries")
	}
	return !more, err
}

// tenfold says whether a history has just grown past a thousand lines, ten thousand, and so on.
func tenfold(was, now int64) bool {
	size := int64(1000)
	for size <= now/10 {
		size *= 10
	}
	return was < size && size <= now
}

// came moves a reading on over a page.
func (g *reading) came(read []stripe.BalanceTransaction, fresh []Line, more bool, now time.Time) {
	if g.after == "" {
		g.newest = g.readTo
	}
	for _, t := range read {
		if made := time.Unix(t.Created, 0).UTC(); made.After(g.newest) && !made.After(now) { // a time to come would have all before it left out
			g.newest = made
		}
	}
	g.lines += int64(len(fresh))
	if more {
		last := read[len(read)-1]
		g.after, g.at = last.ID, time.Unix(last.Created, 0).UTC()
		return
	}
	g.readTo, g.checked = g.newest, now
	g.after, g.at, g.newest = "", time.Time{}, time.Time{}
}

// fresh are the lines of a page that are not stored yet.
func (w worker) fresh(ctx context.Context, read []stripe.BalanceTransaction) ([]Line, error) {
	if len(read) == 0 {
		return nil, nil
	}
	all, ids := make([]Line, len(read)), make([]string, len(read))
	for i, t := range read {
		l, err := observed(w.provider.Scope, w.provider.Account, t)
		if err != nil {
			return nil, err
		}
		all[i], ids[i] = l, l.ID
	}
	known, err := w.known(ctx, w.provider.Scope, ids)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, l := range all {
		was, kept := known[l.ID]
		if kept && !l.same(was) {
			return nil, &badLine{l.ID, "is not what it was when it was read before: its amount, its fee or its net is another"}
		}
		if !kept {
			known[l.ID] = l // a page may name it twice
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// take is the changes that store new lines, with what each is found to be.
func (w worker) take(ctx context.Context, lines []Line) ([]db.Change, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	var all []*Line
	var sources []string
	for i := range lines {
		all, sources = append(all, &lines[i]), append(sources, lines[i].Source)
	}
	stored, err := w.linesOf(ctx, w.provider.Scope, withoutEmpty(sources))
	if err != nil {
		return nil, err
	}
	verdicts, err := w.settle(ctx, all, stored)
	if err != nil {
		return nil, err
	}
	booked, err := book(lines)
	changes := append([]db.Change{insertLines(lines)}, insertDays(lines)...)
	return append(append(changes, verdicts...), booked...), err
}

// settle says what each line is, the new ones and the stored ones of their sources, and returns the changes of the stored ones and of the movements.
func (w worker) settle(ctx context.Context, lines []*Line, stored []Line) (changes []db.Change, err error) {
	groups, before := map[[2]string]*group{}, map[string]Line{}
	var sources []string
	add := func(l *Line) {
		key := [2]string{l.Kind, l.Source}
		if l.Source == "" {
			key[1] = " " + l.ID // it is alone
		}
		if groups[key] == nil {
			groups[key], sources = &group{}, append(sources, l.Source)
		}
		groups[key].lines = append(groups[key].lines, l)
	}
	for i := range stored {
		before[stored[i].ID] = stored[i]
		add(&stored[i])
	}
	for _, l := range lines {
		add(l)
	}
	moves, err := w.movesOf(ctx, w.provider.Scope, withoutEmpty(sources))
	if err != nil {
		return nil, err
	}
	for _, m := range moves {
		if g := groups[[2]string{m.kind, m.source}]; g != nil {
			g.moves = append(g.moves, m)
		}
	}
	var come []arrived
	for _, g := range groups {
		slices.SortFunc(g.lines, func(a, b *Line) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID)) })
		g.settle(w.priced)
		for _, l := range g.lines {
			if was, kept := before[l.ID]; kept && was != *l {
				changes = append(changes, verdict(was, *l))
			}
		}
		for _, m := range g.moves {
			if m.matched == "" {
				come = append(come, arrived{m.key, g.lines[len(g.lines)-1].ID})
			}
		}
	}
	return append(changes, seen(w.provider.Scope, come)...), nil
}

func withoutEmpty(all []string) []string {
	all = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

// lateMoves holds what was foretold only after it had come.
func (w worker) lateMoves(ctx context.Context) (more bool, err error) {
	sources, err := w.late(ctx, w.provider.Scope, someLate)
	if err != nil || len(sources) == 0 {
		return false, err
	}
	return len(sources) == someLate, w.again(ctx, sources)
}

// again settles the stored lines of some sources anew.
func (w worker) again(ctx context.Context, sources []string) error {
	return w.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		stored, err := w.linesOf(ctx, w.provider.Scope, sources)
		if err != nil {
			return nil, err
		}
		return w.settle(ctx, nil, stored)
	})
}

// inWords says what stands against reading on. Of Stripe's answer it repeats nothing but the status: what answers there may be anything.
func inWords(err error) string {
	if err == nil {
		return ""
	}
	said, ok := stripe.As(err)
	var own *fault.Error
	var bad *badLine
	switch {
	case errors.As(err, &bad):
		return "Stripe's list cannot be read: " + bad.Error() + "."
	case stripe.Meaning(err) == stripe.BadCredentials:
		return "Stripe refuses the merchant's secret key."
	case ok && said.Status == http.StatusForbidden:
		return "Stripe forbids the merchant's key to read balance transactions: give it that permission, or another key."
	case ok && said.Status == http.StatusTooManyRequests:
		return "Stripe asks to slow down."
	case ok && said.Status != 0:
		return strings.TrimSpace("Stripe answers "+strconv.Itoa(said.Status)+" "+http.StatusText(said.Status)) + "."
	case unreadable(err):
		return "Stripe's answer cannot be read: it is cut short, too long, or not what was asked for."
	case ok || errors.Is(err, context.DeadlineExceeded):
		return "Stripe does not answer."
	case errors.As(err, &own):
		return own.Message
	}
	return "Something failed on our side."
}

// unreadable says that an answer came, and could not be made sense of.
func unreadable(err error) bool {
	said, ok := stripe.As(err)
	var way *url.Error
	return ok && said.Status == 0 && !errors.As(err, &way) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}
