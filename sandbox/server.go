package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
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

// Server serves Stripe's API. It is safe for use by many goroutines. Close it to end its deliveries.
type Server struct {
	clock  Clock
	seed   [32]byte
	client *http.Client    // delivers webhooks
	live   context.Context // until Close
	end    context.CancelFunc

	folder     string   // of the journals; empty when there are none
	folderLock *os.File // held while the folder is ours

	country, currency string // of the accounts of new worlds

	start time.Time // of the clocks of worlds; zero is the clock's own present
	rate  int64     // of the clocks of worlds

	limits rateLimits // of new worlds

	visits visits // of the page at /

	mu     sync.Mutex // guards what follows
	random *mathrand.ChaCha8
	worlds map[string]*world
	tags   map[string]*world // the same by their tags
}

// Option sets up a Server.
type Option func(*Server)

// WithClock makes every world's time that of c, plus what the world has been advanced by. Without it the machine's clock is used.
func WithClock(c Clock) Option { return func(s *Server) { s.clock = c } }

// WithStart lets the clocks of new worlds begin at a time instead of the present. Webhooks are signed with the world's time: Stripe's
// clients refuse those of a world that is more than five minutes behind, unless told of a greater tolerance.
func WithStart(at time.Time) Option { return func(s *Server) { s.start = at.UTC() } }

// WithRate sets how many seconds pass in new worlds while one passes outside: 1 is real time, more is faster, up to a day a second, and
// 0 is a frozen clock, which moves only when it is advanced. Other rates are taken as the nearest of these.
func WithRate(rate int) Option {
	return func(s *Server) { s.rate = min(max(int64(rate), 0), maxRate) }
}

// Countries are those in which accounts can be, as WithAccount takes them: two capital letters, in alphabetical order.
func Countries() []string {
	var all []string
	for i := range prices {
		all = append(all, prices[i].country)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// WithAccount makes the accounts of new worlds those of another country than the United States: its prices, its settlement and its
// currency count. It panics where it is none of [Countries].
func WithAccount(country string) Option {
	row := priceOf(country, time.Now())
	if row == nil {
		panic("sandbox: there are no prices for accounts in " + country)
	}
	return func(s *Server) { s.country, s.currency = country, row.currency }
}

// WithRateLimits holds new worlds to Stripe's rate limits of test mode from the beginning.
func WithRateLimits() Option { return func(s *Server) { s.limits.On = true } }

// WithSeed makes everything random in the sandbox, such as ids, a function of the seed and of the key that names the world. With a
// frozen clock and the same requests one after another, two sandboxes of one seed answer alike to the byte.
func WithSeed(seed uint64) Option {
	return func(s *Server) {
		s.seed = [32]byte{}
		binary.LittleEndian.PutUint64(s.seed[:], seed)
	}
}

// NewServer is an empty sandbox.
func NewServer(options ...Option) *Server {
	tabulated.Do(tabulate)
	s := &Server{
		clock:  realClock{},
		rate:   1,
		limits: testLimits,

		country:  "US",
		currency: "usd",

		client: webhookClient(),
		worlds: map[string]*world{},
		tags:   map[string]*world{},
	}
	s.live, s.end = context.WithCancel(context.Background())
	_, _ = rand.Read(s.seed[:]) // never fails: crypto/rand ends the program instead
	for _, set := range options {
		set(s)
	}
	s.random = mathrand.NewChaCha8(s.seed)
	return s
}

// Close ends deliveries, alarms and held replies, and closes the journals. Requests after it are answered still where there are no
// journals, but nothing happens by itself any more.
func (s *Server) Close() {
	s.end()
	s.client.CloseIdleConnections()
	s.closeJournals()
}

// Serve answers requests on l, which it closes, until ctx ends; then it gives running requests five seconds and closes the sandbox.
// It fails only when l does.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
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

// newRequestID names a request that reached no world.
func (s *Server) newRequestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "req_" + string(base62(base62(nil, s.random.Uint64(), 7), s.random.Uint64(), 7))
}

// world finds the world that a key's suffix names, and makes it when make is set.
func (s *Server) world(suffix string, make bool) (*world, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.worlds[suffix]
	if w == nil {
		if w = s.tags[tagOf(suffix)]; w != nil { // it was brought back, and only now its key is known
			w.suffix = suffix
			s.worlds[suffix] = w
		}
	}
	if w == nil && make {
		if len(s.tags) >= maxWorlds {
			return nil, &apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "rate_limit",
				message: "This sandbox holds no more worlds: too many different API keys have been used. Use one of them, or start another sandbox."}
		}
		w = newWorld(s, suffix, tagOf(suffix))
		if s.folder != "" {
			if err := w.keep(); err != nil {
				return nil, err
			}
		}
		s.worlds[suffix], s.tags[w.tag] = w, w
	}
	return w, nil
}
