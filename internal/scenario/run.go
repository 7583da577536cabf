package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Config says where a case is played.
type Config struct {
	Program  string    // till itself, which runs as the sandbox, as the server and as the diagnosis
	Database string    // postgres://…; "" is an SQLite file that goes away
	Out      io.Writer // hears the story; nil hears nothing
}

// Result is how a case ended.
type Result struct {
	Scenario string            `json:"scenario"`
	Seed     uint64            `json:"seed"`
	Cause    Cause             `json:"cause"`
	Repaired bool              `json:"repaired"`
	Residual map[string]string `json:"residual"` // by currency: what till says it has, less what Stripe says
	Letter   string            `json:"letter"`
}

// Succeeded says whether the case is solved: the cause found, the repair verified, and nothing left over in any currency.
func (r Result) Succeeded() bool { return r.Cause.Found && r.Repaired && nothing(r.Residual) }

// longest bounds a whole play.
const longest = 10 * time.Minute

// Run plays a case in a throw-away world. An error says that it could not be played to its end.
func Run(ctx context.Context, c Config, s Scenario, seed uint64) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	r = Result{Scenario: s.Number, Seed: seed, Residual: map[string]string{}}
	say := &transcript{c.Out}
	began := time.Now()
	h, err := openHouse(ctx, c.Program, c.Database, s.Country, seed, began.Add(-s.History))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	w := &world{ctx: ctx, rand: chance(seed, s.Number), seed: seed, own: seed == DefaultSeed, say: say, program: c.Program, dir: h.dir, stripe: newStripe(h.boxURL, h.world), house: h}
	s.introduce(say, seed)
	if s.Hears {
		if w.ear, err = openEar(); err != nil {
			return r, err
		}
		defer w.ear.close()
		h.hears = w.ear.address()
	}
	if err := w.settleIn(s); err != nil {
		return r, err
	}
	return r, w.play(s, s.begin(w), &r, began)
}

// introduce tells the ticket.
func (s Scenario) introduce(say *transcript, seed uint64) {
	say.printf("Scenario %s: %s (seed %d)\n", s.Number, s.Title, seed)
	say.act("The ticket")
	say.printf("  From:     %s\n  Answer:   %s\n  Priority: %s\n  Subject:  %s\n\n", s.Ticket.From, s.Ticket.Contact, s.Ticket.Priority, s.Ticket.Subject)
	say.text(s.Ticket.Text)
}

// settleIn sets the merchant up in a world of our own: a key for its shop, one for the diagnosis, its Stripe account.
func (w *world) settleIn(s Scenario) (err error) {
	if w.key, err = w.house.apiKey(w.ctx, s.Ticket.From, "shop", "payments:read,payments:write,payouts:write,merchant:read,merchant:write,webhooks:read"); err != nil {
		return err
	}
	if w.reader, err = w.house.apiKey(w.ctx, s.Ticket.From, "diagnosis", "payments:read,merchant:read,webhooks:read"); err != nil {
		return err
	}
	if err := w.up("sandbox"); err != nil {
		return err
	}
	return w.connect()
}

// play goes through the acts.
func (w *world) play(s Scenario, p play, r *Result, began time.Time) (err error) {
	w.say.act("Staged")
	if err := p.stage(); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	w.say.act("Diagnosis, by another process with an API key")
	if r.Cause, err = p.find(); err != nil {
		return fmt.Errorf("find: %w", err)
	}
	w.say.act("Repair")
	if err := p.repair(); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	r.Repaired = true
	if r.Residual, err = w.agreed(); err != nil {
		return err
	}
	r.Letter = p.letter()
	w.say.act("The letter")
	w.say.text(r.Letter)
	w.say.act("Figures")
	w.figures(*r, began)
	return nil
}

// figures closes the transcript.
func (w *world) figures(r Result, began time.Time) {
	for _, name := range slices.Sorted(maps.Keys(r.Cause.Figures)) {
		w.say.printf("  %-28s %s\n", strings.ReplaceAll(name, "_", " "), figure(r.Cause.Figures[name]))
	}
	for _, c := range slices.Sorted(maps.Keys(r.Residual)) {
		w.say.printf("  %-28s %s %s\n", "residual, till less Stripe", r.Residual[c], c)
	}
	verdict := "solved"
	if !r.Succeeded() {
		verdict = fmt.Sprintf("not solved (cause found: %v, repaired: %v)", r.Cause.Found, r.Repaired)
	}
	w.say.printf("\nScenario %s, seed %d: %s, books on %s, in %s.\n", r.Scenario, r.Seed, verdict, w.house.books.engine(), time.Since(began).Round(100*time.Millisecond))
}

// figure is a figure as people read it; counts by name are a list.
func figure(v any) string {
	counts, ok := v.(map[string]int)
	if !ok {
		return fmt.Sprint(v)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(all, ", ")
}
