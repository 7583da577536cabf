package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

// follower keeps a clock at the time of one world of the sandbox: of the Stripe key that the merchants use, or of the one that the
// operator chose. Until there is a key, time is real.
type follower struct {
	clock     *clock.Followed
	merchants *merchant.Merchants
	base      string // of the sandbox
	chosen    merchant.Secret
	http      *http.Client
	log       *slog.Logger
	leapt     func()        // called when the clock was set, so that what fell due is found at once
	turned    chan struct{} // the merchants' keys have changed

	mu    sync.Mutex
	key   merchant.Secret // whose world told last
	last  word
	away  bool
	heard chan struct{} // closed at the next word
}

// word is the sandbox's answer: what a world's clock shows, and how often it was set.
type word struct {
	Now     time.Time `json:"now"`
	Rate    *int64    `json:"rate"`
	Version uint64    `json:"version"`
}

// The bounds of following, in real time.
const (
	firstWord   = 5 * time.Second  // a start, and a merchant's PUT, wait no longer for the clock
	awaited     = 30 * time.Second // what the sandbox is asked to wait for a change
	wordWithin  = awaited + 10*time.Second
	lookForKey  = time.Second // another node may have taken in the first key
	mostPause   = 2 * time.Second
	longestWord = 4096 // bytes
)

// newFollower refuses what has no time but the real one: Stripe itself, a sandbox that others use too, and live keys.
func newFollower(c Config, followed *clock.Followed, m *merchant.Merchants) (*follower, error) {
	u, err := url.Parse(c.StripeURL)
	if c.StripeURL == stripe.APIBase || err != nil || !loopback(u.Hostname()) {
		return nil, fmt.Errorf("--clock sandbox follows the clock of a sandbox on this machine: set --stripe-url to its address, such as http://127.0.0.1:12111")
	}
	if c.ClockKey != "" && !stripe.TestKey(c.ClockKey) {
		return nil, errors.New("TILL_CLOCK_KEY is not one of Stripe's test keys, which begin with sk_test_ or rk_test_: it names the world of the sandbox whose clock is followed")
	}
	return &follower{clock: followed, merchants: m, base: strings.TrimRight(c.StripeURL, "/"), chosen: merchant.Secret(c.ClockKey), log: c.Log,
		turned: make(chan struct{}, 1), heard: make(chan struct{}), leapt: func() {},
		http: &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: firstWord}).DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// unrepeated is the client to a sandbox whose clock leaps. On a kept connection that is cut, net/http sends a request that has an
// Idempotency-Key again by itself; but a leap may have made Stripe forget the key, and whether it has is for once to say.
func unrepeated() *http.Client {
	client := stripe.HTTPClient()
	client.Transport.(*http.Transport).DisableKeepAlives = true
	return client
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// world is the key whose world's clock is followed, or "" where there is none yet.
func (f *follower) world(ctx context.Context) (merchant.Secret, error) {
	if f.chosen != "" {
		return f.chosen, nil
	}
	keys, err := f.merchants.TestKeys(ctx, "")
	switch {
	case err != nil || len(keys) == 0:
		return "", err
	case slices.Contains(keys, f.following()): // another node, which follows nothing, may have let in a second one
		return f.following(), nil
	case len(keys) > 1:
		return "", fmt.Errorf("--clock sandbox: the merchants of this till use %d different Stripe keys, and each opens a world with a clock of its own; set TILL_CLOCK_KEY to the key whose clock is to be followed", len(keys))
	}
	return keys[0], nil
}

func (f *follower) following() merchant.Secret {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.key
}

// admit refuses the key of a second world: till lives in one time.
func (f *follower) admit(ctx context.Context, scope db.Scope, key merchant.Secret) error {
	if f.chosen != "" {
		return nil
	}
	others, err := f.merchants.TestKeys(ctx, scope.Merchant)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other != key {
			return fault.New(fault.ProviderClock, "stripe.secret_key", "This till follows the clock of the sandbox's world of another merchant's key, and this key opens a world with a clock of its own. Use that key, or have the operator choose with TILL_CLOCK_KEY whose clock is followed.")
		}
	}
	return nil
}

// begin waits for the first word, where there is a world to follow. A sandbox that does not answer is refused: the books may be in a time
// that is far from the real one.
func (f *follower) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, firstWord)
	defer cancel()
	for n := 0; ; n++ {
		key, err := f.world(ctx)
		if err != nil || key == "" {
			return err
		}
		if err = f.hear(ctx, key, false); err == nil || errors.Is(err, errNoNews) {
			return nil
		}
		if wait(ctx, nil, pause(n)) != nil {
			return fmt.Errorf("--clock sandbox: the sandbox at %s does not tell its time (%w): start it first", f.base, err)
		}
	}
}

// turn is told that a merchant's key has changed. The clock shows the time of its world when this returns, where the sandbox answers; run
// says what is wrong where it does not.
func (f *follower) turn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstWord)
	defer cancel()
	select {
	case f.turned <- struct{}{}:
	default:
	}
	key, err := f.world(ctx)
	for err == nil && key != "" {
		f.mu.Lock()
		heard := f.heard
		f.mu.Unlock()
		if f.following() == key {
			return
		}
		select {
		case <-heard:
		case <-ctx.Done():
			return
		}
	}
}

// run follows until ctx ends. It alone asks, once begin has returned: so no answer overtakes another.
func (f *follower) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; {
		key, err := f.world(ctx)
		switch {
		case err == nil && key == "":
			_ = wait(ctx, f.turned, lookForKey)
			continue
		case err == nil:
			err = f.hear(ctx, key, true)
		}
		if err == nil || ctx.Err() != nil {
			n = 0
			continue
		}
		if !errors.Is(err, errNoNews) {
			f.lost(err)
			n++
		}
		_ = wait(ctx, f.turned, pause(n))
	}
}

// errNoNews says that the sandbox answered what it had answered before: it is not asked again at once, for it may not have waited.
var errNoNews = errors.New("the clock goes on as it went")

// pause is the wait before another try: 0.1 s, 0.2 s, 0.4 s … at most two seconds.
func pause(n int) time.Duration { return min(100*time.Millisecond<<min(n, 10), mostPause) }

// wait returns when a time has passed or woken has something; an error says that ctx ended first.
func wait(ctx context.Context, woken <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// hear asks the sandbox what the clock of a world shows, and sets ours. With patience, of a world that has told before, the answer comes
// when that clock is set again, or after half a minute, or not at all where the merchants' keys change meanwhile.
func (f *follower) hear(ctx context.Context, key merchant.Secret, patient bool) error {
	address := f.base + "/_sandbox/clock"
	ctx, cancel := context.WithTimeout(ctx, wordWithin)
	defer cancel()
	f.mu.Lock()
	if patient = patient && f.key == key && !f.away; patient {
		address += fmt.Sprintf("?after=%d&wait=%d", f.last.Version, int(awaited.Seconds()))
	}
	f.mu.Unlock()
	if patient {
		go func() {
			if wait(ctx, f.turned, wordWithin) == nil {
				cancel()
			}
		}()
	}
	said, err := f.ask(ctx, address, key)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if err == nil && !f.take(key, said) {
		err = errNoNews
	}
	return err
}

func (f *follower) ask(ctx context.Context, address string, key merchant.Secret) (said word, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return said, err
	}
	r.Header.Set("Authorization", "Bearer "+string(key))
	reply, err := f.http.Do(r)
	if err != nil {
		return said, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, longestWord))
	if err == nil && reply.StatusCode != http.StatusOK {
		return said, fmt.Errorf("it answers %d", reply.StatusCode)
	}
	if err == nil {
		err = json.Unmarshal(body, &said)
	}
	if err == nil && (said.Now.Year() < 2000 || said.Now.Year() > 2200 || said.Rate == nil || *said.Rate < 0 || *said.Rate > clock.MostRate) {
		err = errors.New("it does not answer as a sandbox does")
	}
	return said, err
}

// take sets the clock, and logs what is new, if anything is.
func (f *follower) take(key merchant.Secret, said word) (news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	other, was := key != f.key, f.last
	behind := f.clock.Set(said.Now, *said.Rate)
	news = other || f.away || said.Version != was.Version
	f.key, f.last, f.away = key, said, false
	close(f.heard)
	f.heard = make(chan struct{})
	if !news {
		return false
	}
	f.leapt()
	attributes := []slog.Attr{slog.Time("now", said.Now), slog.Int64("rate", *said.Rate)}
	switch slack := time.Duration(*said.Rate+1) * time.Second; { // an answer that was a moment on its way is a little behind
	case behind > slack:
		f.log.LogAttrs(context.Background(), slog.LevelWarn, "the clock of the sandbox's world is behind: till's clock stands still until it has caught up",
			append(attributes, slog.Duration("behind", behind))...)
	case other:
		f.log.LogAttrs(context.Background(), slog.LevelInfo, "the clock follows the sandbox's world", attributes...)
	default:
		f.log.LogAttrs(context.Background(), slog.LevelInfo, "the clock of the sandbox's world was set", attributes...)
	}
	return true
}

// lost says once that there is no word; the clock goes on at its last rate.
func (f *follower) lost(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.away {
		f.log.LogAttrs(context.Background(), slog.LevelWarn, "the sandbox does not tell its time: the clock goes on as it went", slog.Any("error", err))
	}
	f.away = true
}
