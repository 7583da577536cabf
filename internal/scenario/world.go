package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/inbox"
)

// world is where a case is played: a sandbox, a till, and the keys to both.
type world struct {
	ctx     context.Context // of the whole play
	rand    *rand.Rand
	seed    uint64
	own     bool // the case's own figures are wanted
	say     *transcript
	program string
	dir     string // for the files that the merchant hands over
	stripe  *stripe
	till    *client.Client
	base    string // where till answers
	key     string // an API key of the merchant's
	reader  string // one that only reads
	house   *house // nil where the world is somebody else's

	outside  map[string]bool // charges that the stage made past till
	front    *tap            // the merchant's proxy before till, where there is one
	ear      *ear            // the merchant's own server, where it hears till
	endpoint string          // till's, at Stripe
	secret   string          // that its events are signed with
}

// payment is one of till's, as far as a stage needs it.
type payment struct {
	ID             string    `json:"id"`
	Status         string    `json:"status"`
	Amount         string    `json:"amount"`
	Currency       string    `json:"currency"`
	Captured       string    `json:"captured"`
	Refunded       string    `json:"refunded"`
	ProviderRef    string    `json:"provider_ref"`
	IdempotencyKey string    `json:"idempotency_key"`
	CreatedAt      time.Time `json:"created_at"`
	NextAction     *struct {
		URL string `json:"url"`
	} `json:"next_action"`
	Metadata map[string]string `json:"metadata"`
}

// call asks till's API.
func (w *world) call(method, path string, in, out any, options ...client.Option) error {
	return w.till.Call(w.ctx, method, path, in, out, options...)
}

// turnTo speaks to the till at an address from now on, and has Stripe send its events there.
func (w *world) turnTo(base string) error {
	w.base, w.till = base, client.New(base, w.key)
	if w.endpoint == "" {
		return nil
	}
	at, err := w.inbound()
	if err != nil {
		return err
	}
	if w.front != nil {
		w.front.turn(at)
		at = w.front.url()
	}
	return w.stripe.post(w.ctx, "/v1/webhook_endpoints/"+w.endpoint, url.Values{"url": {at}}, nil)
}

// inbound is where till takes in this merchant's events.
func (w *world) inbound() (string, error) {
	var shop struct {
		Provider *struct {
			WebhookURL string `json:"webhook_url"`
		}
	}
	if err := w.call("GET", "/v1/merchant", nil, &shop); err != nil {
		return "", err
	}
	if shop.Provider == nil {
		return "", errors.New("the merchant of this API key has no Stripe account yet: PUT /v1/merchant/providers")
	}
	at, err := url.Parse(shop.Provider.WebhookURL)
	if err != nil {
		return "", err
	}
	base, err := url.Parse(w.base)
	if err != nil {
		return "", err
	}
	return base.ResolveReference(&url.URL{Path: at.Path}).String(), nil
}

// connect gives till the merchant's Stripe key, makes the webhook endpoint at Stripe as in its Dashboard, and gives till the secret of that.
func (w *world) connect() error {
	credentials := map[string]string{"secret_key": w.stripe.key}
	provider := map[string]any{"provider": "stripe", "stripe": credentials}
	if err := w.call("PUT", "/v1/merchant/providers", provider, nil); err != nil {
		return err
	}
	at, err := w.inbound()
	if err != nil {
		return err
	}
	if err := w.dropEndpoint(at); err != nil {
		return err
	}
	if w.endpoint, w.secret, err = w.listen(at, inbox.Events()...); err != nil {
		return err
	}
	credentials["webhook_secret"] = w.secret
	return w.call("PUT", "/v1/merchant/providers", provider, nil)
}

// listen makes an endpoint at Stripe.
func (w *world) listen(at string, events ...string) (endpoint, secret string, err error) {
	var made struct{ ID, Secret string }
	err = w.stripe.post(w.ctx, "/v1/webhook_endpoints", url.Values{"url": {at}, "enabled_events[]": events}, &made)
	return made.ID, made.Secret, err
}

// dropEndpoint deletes what sends events to an address already: till would get each twice.
func (w *world) dropEndpoint(at string) error {
	type endpoint struct{ ID, URL string }
	var old []string
	if err := each(w.ctx, w.stripe, "/v1/webhook_endpoints", nil, func(e endpoint) string { return e.ID }, func(e endpoint) {
		if e.URL == at {
			old = append(old, e.ID)
		}
	}); err != nil {
		return err
	}
	for _, e := range old {
		if err := w.stripe.do(w.ctx, "DELETE", "/v1/webhook_endpoints/"+e, "", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// now is the time of Stripe's world.
func (w *world) now() (time.Time, error) {
	var clock struct{ Now time.Time }
	err := w.stripe.control(w.ctx, "GET", "clock", nil, &clock)
	return clock.Now, err
}

// pass lets time pass, at Stripe and in till, and waits until all that fell due in it has arrived.
func (w *world) pass(d time.Duration) error {
	if err := w.stripe.control(w.ctx, "POST", "clock/advance", map[string]any{"seconds": int64(d / time.Second)}, nil); err != nil {
		return err
	}
	return errors.Join(w.arrived(), w.followed())
}

// followed waits until till has heard of the time: a till that lives in the machine's own would book everything at once.
func (w *world) followed() error {
	if w.house != nil && w.house.till == nil {
		return nil
	}
	now, err := w.now()
	if err != nil {
		return err
	}
	var gap struct{ Until time.Time }
	return w.eventually("till lives in the sandbox's time (start it with --clock sandbox)", func() (bool, error) {
		err := w.call("GET", "/v1/stripe/events/missed?since=1m", nil, &gap)
		return !gap.Until.Before(now.Add(-time.Second)), err
	})
}

// arrived waits until no webhook of Stripe's is under way.
func (w *world) arrived() error {
	var state struct{ Idle bool }
	err := w.stripe.control(w.ctx, "POST", "webhooks/wait", map[string]any{"seconds": 30}, &state)
	if err == nil && !state.Idle {
		err = errors.New("not all of Stripe's webhooks arrived within half a minute")
	}
	return err
}

// present ends what lies in the past: from here on Stripe's clock and till's show the time of this machine.
func (w *world) present() error {
	if w.house == nil {
		return nil
	}
	if err := w.stripe.control(w.ctx, "POST", "clock", map[string]any{"mode": "real", "now": time.Now().UTC()}, nil); err != nil {
		return err
	}
	return w.restart("real", false)
}

// restart ends till, as an operator does or as kill -9, and starts it again.
func (w *world) restart(clock string, killed bool) error {
	w.down(killed)
	return w.up(clock)
}

// down ends till, in a world of our own.
func (w *world) down(killed bool) {
	switch {
	case w.house == nil || w.house.till == nil:
		return
	case killed:
		w.house.till.kill()
	default:
		w.house.till.stop()
	}
	w.house.till = nil
}

func (w *world) up(clock string) error {
	if w.house == nil {
		return nil
	}
	base, err := w.house.serve(w.ctx, clock)
	if err != nil {
		return err
	}
	return w.turnTo(base)
}

// eventually waits for what happens in the background: half a minute at most.
func (w *world) eventually(what string, holds func() (bool, error)) error {
	late := time.After(30 * time.Second)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-look.C:
		case <-late:
			return fmt.Errorf("it has not come about within half a minute that %s", what)
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
	}
}

// write is a file that the merchant hands over.
func (w *world) write(name, content string) (string, error) {
	path := filepath.Join(w.dir, name)
	return path, os.WriteFile(path, []byte(content), 0o600)
}

// ask runs one of till's commands in another process, which gets the address of till and an API key, and nothing else. It reads the last
// line of what that prints with --json, and shows what it prints for people.
func (w *world) ask(key string, out any, args ...string) error {
	env := []string{"TILL=" + w.base, "TILL_API_KEY=" + key}
	said, err := command(w.ctx, w.program, w.dir, env, append(slices.Clone(args), "--json")...)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), out); err != nil {
		return fmt.Errorf("till %s --json: %w", args[0], err)
	}
	return nil
}

// show runs one of till's commands for people, and shows what it prints.
func (w *world) show(key string, args ...string) error {
	if w.say.quiet() {
		return nil
	}
	said, err := command(w.ctx, w.program, w.dir, []string{"TILL=" + w.base, "TILL_API_KEY=" + key}, args...)
	if err == nil {
		w.say.command(args, said)
	}
	return err
}
