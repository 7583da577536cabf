package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/till-pay/till/client"
)

// Place is a sandbox and a till that somebody else runs.
type Place struct {
	Till, TillKey     string
	Stripe, StripeKey string
	Dir               string // for the files that the merchant hands over
	Out               io.Writer
}

// Stage stages a case in a world that runs already, and says how to work it by hand. The till must live in the sandbox's time, for what is
// staged takes days.
func Stage(ctx context.Context, at Place, s Scenario, seed uint64) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	dir, err := filepath.Abs(at.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	say := &transcript{at.Out}
	w := &world{ctx: ctx, rand: chance(seed, s.Number), seed: seed, own: seed == DefaultSeed, say: say, dir: dir, stripe: newStripe(at.Stripe, at.StripeKey),
		base: at.Till, key: at.TillKey, till: client.New(at.Till, at.TillKey)}
	if err := w.fresh(s); err != nil {
		return err
	}
	s.introduce(say, seed)
	if err := w.stripe.control(ctx, http.MethodGet, "clock", nil, nil); err != nil {
		return fmt.Errorf("--stripe-url is not a sandbox: %w", err)
	}
	if err := w.connect(); err != nil {
		return err
	}
	say.act("Staged")
	if err := s.begin(w).stage(); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	say.act("Work it by hand")
	say.printf("  export TILL=%s TILL_API_KEY=…\n  cd %s\n  %s\n", at.Till, dir, s.Diagnosis)
	for _, line := range s.ByHand {
		say.printf("  %s\n", line)
	}
	say.printf("\n  See into Stripe's world: open %s in a browser.\n", strings.TrimRight(at.Stripe, "/"))
	return nil
}

// fresh refuses a merchant with whom the case was staged before: its payments would only be repeated, and nothing would happen anew.
func (w *world) fresh(s Scenario) error {
	if s.first == "" {
		return nil
	}
	var there []payment
	if err := w.call(http.MethodGet, "/v1/payments?"+url.Values{"idempotency_key": {s.first}}.Encode(), nil, &there); err != nil {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("scenario %s was staged with this merchant before: begin a new world, by till up --clock sandbox or by another merchant's API key", s.Number)
	}
	return nil
}
