package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	box "github.com/till-pay/till/sandbox"
)

// boxes is the sandbox and what there is to know about it. It runs where no other command is given.
type boxes struct {
	Run      sandbox  `cmd:"" default:"withargs" help:"Serve Stripe's API until Ctrl-C; the word run can be left out."`
	Coverage coverage `cmd:"" help:"What it has of Stripe's API, by family."`
}

type sandbox struct {
	Addr       string    `env:"TILL_SANDBOX_ADDR" default:"127.0.0.1:12111" help:"Where it listens; loopback only."`
	Seed       *uint64   `env:"TILL_SANDBOX_SEED" placeholder:"NUMBER" help:"Makes everything random, such as ids, a function of this number and of the API key."`
	Clock      string    `env:"TILL_SANDBOX_CLOCK" default:"real" help:"How time passes in new worlds: real, frozen, or faster:60 for a minute a second."`
	At         time.Time `env:"TILL_SANDBOX_AT" placeholder:"TIME" help:"When new worlds begin, such as 2026-01-05T12:00:00Z; now where it is left out."`
	Country    string    `env:"TILL_SANDBOX_COUNTRY" default:"US" help:"Where the accounts of new worlds are, such as DE: it decides on prices, settlement and currency."`
	RateLimits bool      `env:"TILL_SANDBOX_RATE_LIMITS" help:"Holds new worlds to Stripe's rate limits of test mode."`
	Data       string    `env:"TILL_SANDBOX_DATA" placeholder:"DIR" help:"Keep the worlds in a folder, so that they are there after a restart, even after kill -9. Without it they end with the process."`
}

// Help is the end of --help.
func (sandbox) Help() string {
	return `Any key of the form sk_test_… opens a world of its own. Example, with curl and with Node:

  curl http://127.0.0.1:12111/v1/payment_intents -u sk_test_mine: -d amount=1000 -d currency=usd -d payment_method=pm_card_visa -d confirm=true -d "payment_method_types[]=card"

  const stripe = require('stripe')('sk_test_mine', {protocol: 'http', host: '127.0.0.1', port: 12111})

What it has of Stripe's API: till sandbox coverage.`
}

// garbage is how much memory may be garbage before it is collected, in percent of what is not. A request leaves a good deal of it, and a
// world's objects hardly any pointers, so that waiting a little longer costs little memory and saves time. $GOGC has the last word.
const garbage = 400

// underLoad is the size of the heap, in bytes, from which on that holds: a sandbox that does little stays small.
const underLoad = 16 << 20

// waitForLoad looks at the heap after each collection, until it has grown.
func waitForLoad() {
	type collected struct{ _ [16]byte } // too large to share its place with other small values
	runtime.SetFinalizer(new(collected), func(*collected) {
		size := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		if metrics.Read(size); size[0].Value.Uint64() > underLoad {
			debug.SetGCPercent(garbage)
			return
		}
		waitForLoad()
	})
}

// Run serves until it is told to stop.
func (s *sandbox) Run(c *console) error {
	if err := loopback("--addr", s.Addr); err != nil {
		return err
	}
	options, err := s.options()
	if err != nil {
		return err
	}
	l, err := listen("the sandbox", "--addr", s.Addr)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		waitForLoad()
	}
	server := box.NewServer(options...)
	if s.Data != "" {
		if err := server.Keep(s.Data); err != nil {
			return errors.Join(fmt.Errorf("--data: %w", err), l.Close())
		}
	}
	fmt.Fprintf(c.err, "Stripe in a box: http://%s (any key sk_test_… opens a world of its own; in a browser you see into it; Ctrl-C stops)\n", l.Addr())
	return server.Serve(c.ctx, l)
}

// options are those of the sandbox that the flags ask for.
func (s *sandbox) options() (all []box.Option, err error) {
	rate, err := clockRate(s.Clock)
	if err != nil {
		return nil, err
	}
	all = append(all, box.WithRate(rate))
	if s.Seed != nil {
		all = append(all, box.WithSeed(*s.Seed))
	}
	if !s.At.IsZero() {
		if s.At.Year() < 2000 || s.At.After(time.Now().AddDate(100, 0, 0)) {
			return nil, fmt.Errorf("--at is a time from the year 2000 to a hundred years ahead, not %s", s.At.Format(time.RFC3339))
		}
		all = append(all, box.WithStart(s.At))
	}
	if !slices.Contains(box.Countries(), s.Country) {
		return nil, fmt.Errorf("--country is one of %s, not %q", strings.Join(box.Countries(), ", "), s.Country)
	}
	all = append(all, box.WithAccount(s.Country))
	if s.RateLimits {
		all = append(all, box.WithRateLimits())
	}
	return all, nil
}

// clockRate is how many seconds pass while one passes outside.
func clockRate(clock string) (int, error) {
	switch clock {
	case "real":
		return 1, nil
	case "frozen":
		return 0, nil
	}
	if times, faster := strings.CutPrefix(clock, "faster:"); faster {
		if rate, err := strconv.Atoi(times); err == nil && rate >= 2 && rate <= 86_400 {
			return rate, nil
		}
	}
	return 0, fmt.Errorf("--clock is real, frozen, or faster:N with N from 2 to 86400, not %q", clock)
}
