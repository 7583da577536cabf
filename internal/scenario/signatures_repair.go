package scenario

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/webhook"
)

func (s *signatures) repair() error {
	for _, act := range []func() error{s.answered, s.rotateInbound, s.rotateOutbound} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// answered: what is forged is answered 400 and writes nothing; what is good and has come before is answered 200 and changes nothing.
func (s *signatures) answered() error {
	bad, good := s.forgeries("bad"), s.forgeries("good")
	h, err := s.answers(bad, http.StatusBadRequest)
	if err != nil {
		return err
	}
	if _, err := s.answers(good, http.StatusOK); err != nil {
		return err
	}
	s.say.step("the %d bad requests are answered 400, the %d good ones, which have all come before, 200: %d payments and %d events of Stripe's, before and after", len(bad), len(good), h.payments, h.stripeEvents)
	return nil
}

// rotateInbound changes the secret that Stripe signs with: a second endpoint at Stripe for the same address first, then its secret at till,
// then the first endpoint goes. Payments go on all the while.
func (s *signatures) rotateInbound() error {
	began, err := s.now()
	if err != nil {
		return err
	}
	at, err := s.inbound()
	if err != nil {
		return err
	}
	events, err := s.enabled()
	if err != nil {
		return err
	}
	endpoint, secret, err := s.listen(at, events...)
	if err != nil {
		return err
	}
	steps := []func() error{s.sell, s.arrived,
		func() error {
			return s.call("PUT", "/v1/merchant/providers", map[string]any{"provider": "stripe", "stripe": map[string]string{"secret_key": s.stripe.key, "webhook_secret": secret}}, nil)
		},
		s.sell, s.arrived,
		func() error { return s.stripe.do(s.ctx, "DELETE", "/v1/webhook_endpoints/"+s.endpoint, "", nil, nil) },
		s.sell, s.arrived}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	s.endpoint, s.secret = endpoint, secret
	return s.nothingMissed(began)
}

// enabled are the types that till's endpoint at Stripe is sent.
func (s *signatures) enabled() ([]string, error) {
	var endpoint struct {
		Events []string `json:"enabled_events"`
	}
	err := s.stripe.get(s.ctx, "/v1/webhook_endpoints/"+s.endpoint, &endpoint)
	return endpoint.Events, err
}

func (s *signatures) nothingMissed(began time.Time) error {
	var gap struct {
		AtStripe int `json:"at_stripe"`
		Missed   []struct{ ID string }
		Complete bool
	}
	if err := s.call("GET", "/v1/stripe/events/missed?since="+url.QueryEscape(began.UTC().Format(time.RFC3339)), nil, &gap); err != nil {
		return err
	}
	if gap.AtStripe == 0 || len(gap.Missed) > 0 || !gap.Complete {
		return fmt.Errorf("after the rotation of Stripe's secret: %+v", gap)
	}
	s.say.step("the secret that Stripe signs with is rotated while payments go on: a second endpoint, its secret at till, the first one deleted; %d events at Stripe since, none missed", gap.AtStripe)
	return nil
}

// rotateOutbound changes the secret that till signs with, with an overlap, while messages flow. The merchant's server follows when it is
// ready; one message that it loses is found by the checkpoint, and fetched.
func (s *signatures) rotateOutbound() error {
	if err := s.restart("sandbox", false); err != nil { // a checkpoint comes within the hour: let it pass
		return err
	}
	first, err := s.hook(false)
	if err != nil {
		return err
	}
	if err := errors.Join(s.ear.trust(first), s.hears(3)); err != nil {
		return err
	}
	second, err := s.hook(true)
	if err != nil {
		return err
	}
	at, err := s.overlapping(true)
	if err != nil {
		return err
	}
	if err := errors.Join(s.hears(2), s.ear.trust(second), s.hears(2)); err != nil {
		return err
	}
	refused := 0
	s.ear.look(func(e *ear) bool { refused = e.refused; return true })
	if refused > 0 {
		return fmt.Errorf("the merchant's server has refused %d messages", refused)
	}
	s.say.step("the secret that till signs with is rotated with an overlap of 24 hours; the merchant's server takes the new one two messages later, and has refused none")
	if err := s.lose(at); err != nil {
		return err
	}
	if err := s.pass(24 * time.Hour); err != nil {
		return err
	}
	if _, err := s.overlapping(false); err != nil {
		return err
	}
	s.say.step("a day later the old secret is no good any more")
	return nil
}

// hook tells till where the merchant's server is, and returns the signing secret that is new.
func (s *signatures) hook(rotate bool) (string, error) {
	body := map[string]any{"webhook_url": "http://" + s.ear.address() + "/till"}
	if rotate {
		body["rotate_secret"], body["overlap_hours"] = true, 24
	}
	var made struct{ Secret string }
	err := s.call("PUT", "/v1/merchant/webhook", body, &made)
	if err == nil && made.Secret == "" {
		err = errors.New("till did not tell the signing secret")
	}
	return made.Secret, err
}

// hears takes some payments and waits until the merchant's server has heard of each, under whatever secret it trusts.
func (s *signatures) hears(n int) error {
	for range n {
		before := s.count()
		if err := s.sell(); err != nil {
			return err
		}
		if err := s.eventually("the merchant's server hears of a payment", func() (bool, error) { return s.count() > before, nil }); err != nil {
			return err
		}
	}
	return nil
}

func (s *signatures) count() (n int) {
	s.ear.look(func(e *ear) bool { n = len(e.heard); return true })
	return n
}

// overlapping says whether two secrets sign now, as they should, and which endpoint of till's it is.
func (s *signatures) overlapping(want bool) (endpoint string, err error) {
	var all []struct {
		ID            string
		PreviousUntil *time.Time `json:"previous_secret_until"`
	}
	if err := s.call("GET", "/v1/webhooks/endpoints", nil, &all); err != nil {
		return "", err
	}
	if len(all) != 1 || (all[0].PreviousUntil != nil) != want {
		return "", fmt.Errorf("an overlap of secrets is not %v: %+v", want, all)
	}
	return all[0].ID, nil
}

// lose has the merchant's server answer a message and forget it, lets an hour pass, and proves by the checkpoint what is missing and that it
// is back.
func (s *signatures) lose(endpoint string) error {
	s.ear.look(func(e *ear) bool { e.withhold = true; return true })
	if err := s.sell(); err != nil {
		return err
	}
	if err := s.eventually("a message is lost", func() (bool, error) {
		return s.ear.look(func(e *ear) bool { return e.withheld != "" }), nil
	}); err != nil {
		return err
	}
	if err := errors.Join(s.hears(1), s.pass(61*time.Minute)); err != nil {
		return err
	}
	if err := s.eventually("till tells a checkpoint", func() (bool, error) {
		return s.ear.look(func(e *ear) bool { return len(e.states) > 0 }), nil
	}); err != nil {
		return err
	}
	return s.catchUp(endpoint)
}

func (s *signatures) catchUp(endpoint string) error {
	var state webhook.Checkpoint
	var lost string
	s.ear.look(func(e *ear) bool { state, lost = e.states[len(e.states)-1], e.withheld; return true })
	var incomplete *webhook.Incomplete
	if err := s.ear.tracker.Check(state); !errors.As(err, &incomplete) {
		return fmt.Errorf("the checkpoint of %d messages does not show that one is missing: %w", state.Count, err)
	}
	var back []string
	n, err := webhook.CatchUp(s.ctx, client.New(s.base, s.key), endpoint, s.ear.tracker, func(m webhook.Message) error { back = append(back, m.ID); return nil })
	if err != nil {
		return err
	}
	whole, proved := s.ear.tracker.Heard()
	if n != 1 || len(back) != 1 || back[0] != lost || proved < state.Sequence || len(s.ear.tracker.Missing()) > 0 {
		return fmt.Errorf("of %d messages %d were fetched (%v), one was lost (%s), %d are proved", whole, n, back, lost, proved)
	}
	s.say.step("one message was answered by the merchant's server and lost there: the checkpoint over %d messages names number %v; it is fetched, and all %d are proved", state.Count, incomplete.Missing[0], proved)
	return nil
}

func (s *signatures) letter() string {
	r := s.result
	return fmt.Sprintf(`Hello %s,

nothing is wrong with your address, with Stripe, or with till: of the %d requests in your log %d were right to be
accepted and %d were right to be refused. The rule is Stripe's: the signature must be made with your secret, over
exactly the bytes that were sent, in the last five minutes.

- Not signed at all, so somebody else sent them: %d.
- Signed with another secret, or changed on the way: %d. Where a line has the signature of
  another line, the diagnosis shows what was changed. One kind is harmless: the same JSON, but written anew by a
  program in between. Check the body as it came, before anything parses it.
- Real once, but hours old, because somebody, or a tool, sent them again: %d.
- Signed well, but no event of Stripe's, or one of live mode at a test address: %d.
- The one that "looks exactly like one that was fine" is the same request again. till accepts it and does nothing,
  because it remembers every event.

Both secrets are rotated, and no event was lost. At Stripe: first a second endpoint with the same address, then its
secret at till, then the old endpoint is deleted. From till to you: for 24 hours each message carries both
signatures, so that you can change over when it suits you. To know that nothing is missing, you need not trust us:
messages are numbered, and once an hour till states their count and the hash of their ids. We had your server lose
one on purpose; the next statement named it, and it was fetched.

What you should do: use the receiver in package webhook, or docs/webhooks.md in any other language, and let it catch
up once an hour.

Kind regards`, webhookSignatures.Ticket.Contact, len(r.Requests), r.Good, len(r.Requests)-r.Good, r.Failed["header"], r.Failed["signature"], r.Failed["timestamp"], r.Failed["body"]+r.Failed["mode"])
}
