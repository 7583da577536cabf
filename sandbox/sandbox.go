// Package sandbox is Stripe in a box: Stripe's wire protocol with state behind it, in memory, for development and tests.
//
// A Sandbox is an http.Handler. Whatever speaks to Stripe's API speaks to it when its base URL is changed: any key of the form
// sk_test_<suffix> (or rk_test_<suffix>) opens a world of its own that is made on first use; pk_test_<suffix>, with the same suffix,
// is that world's publishable key. Nothing is shared between worlds. Live keys are refused.
//
// What Stripe's published document says about parameters and objects comes from package spec. An operation that has no behaviour
// here is answered with status 501 and its name, never with a made-up success.
//
// A world is steered under /_sandbox/ (see control.go): its clock can be advanced, replies can be made to fail, and its log read.
package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxWorlds bounds how many keys one sandbox serves.
const maxWorlds = 10_000

// Clock is where a sandbox asks for the time; a test gives one that it moves itself.
type Clock interface {
	// Now is the present.
	Now() time.Time
	// After delivers once d has passed on this clock. Nobody may be reading the channel.
	After(d time.Duration) <-chan time.Time
}

// Sandbox serves Stripe's API. It is safe for use by many goroutines. Close it to end its deliveries.
type Sandbox struct {
	clock  Clock
	seed   [32]byte
	client *http.Client    // delivers webhooks
	live   context.Context // until Close
	end    context.CancelFunc

	mu     sync.Mutex // guards worlds
	worlds map[string]*world

	challengesMu sync.Mutex // guards what follows; it may be taken while a world's lock is held, never the other way round
	challenges   map[string]*challenge
	answered     []string // ids of the answered ones among them, oldest first
}

// Option sets up a Sandbox.
type Option func(*Sandbox)

// WithClock makes every world's time that of c, plus what the world has been advanced by. Without it the machine's clock is used.
func WithClock(c Clock) Option { return func(s *Sandbox) { s.clock = c } }

// New is an empty sandbox.
func New(options ...Option) *Sandbox {
	tabulated.Do(tabulate)
	s := &Sandbox{
		clock:      realClock{},
		client:     webhookClient(),
		worlds:     map[string]*world{},
		challenges: map[string]*challenge{},
	}
	s.live, s.end = context.WithCancel(context.Background())
	_, _ = rand.Read(s.seed[:]) // never fails: crypto/rand ends the program instead
	for _, set := range options {
		set(s)
	}
	return s
}

// Close ends deliveries, alarms and held replies. Requests after it are answered still, but nothing happens by itself any more.
func (s *Sandbox) Close() {
	s.end()
	s.client.CloseIdleConnections()
}

// Serve answers requests on l, which it closes, until ctx ends; then it gives running requests five seconds and closes the sandbox.
// It fails only when l does.
func (s *Sandbox) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		s.Close() // lets go of held replies, which would keep Shutdown waiting
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(limited)
		_ = server.Close()
	})
	defer s.Close()
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) && !stop() {
		<-stopped
		return nil
	}
	return err
}

// world finds the world that a key's suffix names, and makes it when make is set.
func (s *Sandbox) world(suffix string, make bool) (*world, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.worlds[suffix]
	if w == nil && make {
		if len(s.worlds) >= maxWorlds {
			return nil, &apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "rate_limit",
				message: "This sandbox holds no more worlds: too many different API keys have been used. Use one of them, or start another sandbox."}
		}
		w = newWorld(s, suffix)
		s.worlds[suffix] = w
	}
	return w, nil
}
