package tilltest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/sandbox"
)

// Stripe is the sandbox as a shop's own program, or its payer's browser, reaches it: past till.
type Stripe struct {
	t    testing.TB
	till *Till
	shop Shop
}

// Stripe is the world of a shop's Stripe key.
func (t *Till) Stripe(s Shop) *Stripe { return &Stripe{t.T, t, s} }

// box is the world as the sandbox's package gives it.
func (s *Stripe) box() *sandbox.World {
	s.t.Helper()
	return sandbox.Open(s.t, s.till.StripeURL, s.shop.StripeKey)
}

// Do sends a request of Stripe's API. form is url-encoded: "amount=100&reason=duplicate".
func (s *Stripe) Do(method, path, form string) Answer {
	s.t.Helper()
	if method == http.MethodGet && form != "" {
		path, form = path+"?"+form, ""
	}
	return s.send(method, path, "application/x-www-form-urlencoded", form)
}

// Break scripts a fault of the world, of the next request that matches.
func (s *Stripe) Break(kind, method, path string) {
	s.t.Helper()
	s.box().Fault(sandbox.Fault{Kind: kind, Method: method, Path: path})
}

// BreakWebhook scripts a fault of the delivery of the next event of a type: lost, doubled, or delayed.
func (s *Stripe) BreakWebhook(kind, event string, seconds int) {
	s.t.Helper()
	s.box().Fault(sandbox.Fault{Kind: kind, Event: event, Seconds: int64(seconds)})
}

// SetClock freezes the world's clock, lets it run as outside, or faster: mode is frozen, real or faster, which takes a rate.
func (s *Stripe) SetClock(mode string, rate int) {
	s.t.Helper()
	s.box().Control("POST", "/_sandbox/clock", map[string]any{"mode": mode, "rate": rate}, nil)
}

// Advance moves the world's clock forward. What falls due there on the way has happened when it returns.
func (s *Stripe) Advance(d time.Duration) { s.t.Helper(); s.box().Advance(d) }

// Now is what the world's clock shows.
func (s *Stripe) Now() time.Time { s.t.Helper(); return s.box().Now() }

// Held is how many replies are kept back.
func (s *Stripe) Held() int { s.t.Helper(); return s.state().Held }

// Outstanding is how many webhooks are still to be delivered.
func (s *Stripe) Outstanding() int {
	s.t.Helper()
	is := s.state()
	return is.Queued + is.Sending + is.Later
}

// state is what is under way in the world.
type state struct {
	Held    int `json:"replies_held"`
	Queued  int `json:"webhooks_queued"`
	Sending int `json:"webhooks_sending"`
	Later   int `json:"webhooks_later"`
}

func (s *Stripe) state() (is state) {
	s.t.Helper()
	s.box().Control("GET", "/_sandbox/state", nil, &is)
	return is
}

// Release lets go of the replies that are kept back.
func (s *Stripe) Release() { s.t.Helper(); s.box().Release() }

// Requests are the requests that the world has seen, such as "POST /v1/refunds", oldest first.
func (s *Stripe) Requests() (all []string) {
	s.t.Helper()
	for _, r := range s.box().Requests() {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

func (s *Stripe) send(method, path, contentType, body string) Answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.till.StripeURL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.shop.StripeKey)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return s.read(r)
}

func (s *Stripe) read(r *http.Request) Answer {
	s.t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	reply, err := browser.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, 8<<20))
	if err != nil {
		s.t.Fatal(err)
	}
	a := Answer{t: s.t, Status: reply.StatusCode, Header: reply.Header, Raw: raw}
	_ = json.Unmarshal(raw, &a.JSON) // the hosted page is HTML
	return a
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// Authenticate is the payer at the bank's page, which next_action.url names. outcome is "complete" or "fail". It returns where the page
// sends the payer back to.
func (s *Stripe) Authenticate(page, outcome string) *url.URL {
	s.t.Helper()
	show, err := http.NewRequest(http.MethodGet, page, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	token := formToken.FindSubmatch(s.read(show).Want(200).Raw)
	if token == nil {
		s.t.Fatal("the bank's page has no token in its form")
	}
	form := url.Values{"token": {string(token[1])}, "outcome": {outcome}}.Encode()
	send, err := http.NewRequest(http.MethodPost, page, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	send.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply := s.read(send)
	back, err := url.Parse(reply.Header.Get("Location"))
	if err != nil || reply.Status != http.StatusOK && reply.Status != http.StatusSeeOther {
		s.t.Fatalf("the bank's page answered %d: %s", reply.Status, reply.Raw)
	}
	return back
}

// Event is a webhook's body, as Stripe would send it about an object.
func Event(kind string, object map[string]any) string {
	return db.JSON(map[string]any{"id": "evt_" + id.Hex(12), "object": "event", "type": kind, "created": Start.Unix(), "livemode": false,
		"data": map[string]any{"object": object}})
}

// Tell sends a webhook to till's shared URL, signed with the secret of the shop's endpoint at Stripe.
func (s *Stripe) Tell(body string) Answer {
	s.t.Helper()
	return s.TellAt("/v1/webhooks/stripe", body, s.Secret())
}

// Secret is what Stripe signs the shop's webhooks with.
func (s *Stripe) Secret() string {
	s.t.Helper()
	secrets, err := s.till.Merchants.InboundSecrets(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, in := range secrets {
		if in.Scope == s.shop.Scope {
			return in.Secret
		}
	}
	s.t.Fatal("the shop has no signing secret")
	return ""
}

// TellAt sends a webhook to any of till's URLs, signed with any secret.
func (s *Stripe) TellAt(path, body, secret string) Answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.till.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Stripe-Signature", s.signed(body, secret))
	return s.read(r)
}

// Sign is the Stripe-Signature header of a webhook to the shop that is sent now.
func (s *Stripe) Sign(body string) string { s.t.Helper(); return s.signed(body, s.Secret()) }

func (s *Stripe) signed(body, secret string) string {
	at := strconv.FormatInt(s.till.App.Clock.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "." + body))
	return "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Control steers the world by a control that has no method here.
func (s *Stripe) Control(method, path string, body any) {
	s.t.Helper()
	s.box().Control(method, path, body, nil)
}
