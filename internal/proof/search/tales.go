package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/sandbox"
)

// Orders lives through every tale at a sandbox of its own, and shows that it ends alike however it is heard. tell hears of each.
func Orders(ctx context.Context, tell func(Convergence)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { _ = sandbox.NewServer().Serve(ctx, l) }()
	for _, c := range tales {
		n := &narrator{ctx: ctx, url: "http://" + l.Addr().String(), key: "sk_test_" + id.Hex(12),
			tale: Tale{Name: c.name, Pay: payment.Claimed(scope, "p", minor(amount), c.capture, noon)}}
		n.control("/_sandbox/clock", `{"mode":"frozen"}`)
		tale := n.end(c.live(n))
		if n.err != nil {
			return fmt.Errorf("%s: %w", c.name, n.err)
		}
		shown, err := Converge(tale)
		if err != nil {
			return err
		}
		if !strings.Contains(shown.End, c.want) {
			return fmt.Errorf("%s: every order ends as %s, which is not what happened", c.name, shown.End)
		}
		tell(shown)
	}
	return nil
}

// String is a line of the report.
func (c Convergence) String() string {
	return fmt.Sprintf("%-42s %d words in %v orders, through %d states", c.Name, c.Words, c.Orders, c.States)
}

// narrator lives through a tale at a sandbox, and keeps what Stripe said. err is what went wrong first; nothing is asked after that.
type narrator struct {
	ctx      context.Context
	url, key string
	tale     Tale
	err      error
}

func (n *narrator) wrong(format string, args ...any) {
	if n.err == nil {
		n.err = fmt.Errorf(format, args...)
	}
}

func (n *narrator) post(path, form string) []byte {
	return n.send(http.MethodPost, n.url+path, "application/x-www-form-urlencoded", form)
}

func (n *narrator) get(path string) []byte { return n.send(http.MethodGet, n.url+path, "", "") }

func (n *narrator) control(path, body string) {
	n.send(http.MethodPost, n.url+path, "application/json", body)
}

// pass lets time pass at Stripe.
func (n *narrator) pass(d time.Duration) {
	n.control("/_sandbox/clock/advance", fmt.Sprintf(`{"seconds":%d}`, int64(d/time.Second)))
}

var browser = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (n *narrator) send(method, address, kind, body string) []byte {
	if n.err != nil {
		return nil
	}
	r, err := http.NewRequestWithContext(n.ctx, method, address, strings.NewReader(body))
	if err != nil {
		n.err = err
		return nil
	}
	r.Header.Set("Authorization", "Bearer "+n.key)
	r.Header.Set("Content-Type", kind)
	reply, err := browser.Do(r)
	if err != nil {
		n.err = err
		return nil
	}
	defer reply.Body.Close()
	said, err := io.ReadAll(io.LimitReader(reply.Body, 8<<20))
	if err != nil || reply.StatusCode >= 500 {
		n.wrong("%s %s: %d %s %w", method, address, reply.StatusCode, said, errors.Join(err))
	}
	return said
}

func read[T any](n *narrator, body []byte) (v T) {
	if n.err == nil {
		if err := json.Unmarshal(body, &v); err != nil {
			n.wrong("%w: %s", err, body)
		}
	}
	return v
}

const fees = "expand[]=latest_charge.balance_transaction"

// pay asks for a payment as till does; its answer is a word, unless till has it already.
func (n *narrator) pay(card, more string) stripe.PaymentIntent {
	body := n.post("/v1/payment_intents", "amount=5000&currency=usd&confirm=true&payment_method_types[]=card&metadata[till_id]=p&payment_method="+card+"&"+more+"&"+fees)
	declined := read[struct {
		Error struct {
			PaymentIntent *stripe.PaymentIntent `json:"payment_intent"`
		}
	}](n, body)
	if declined.Error.PaymentIntent != nil {
		return *declined.Error.PaymentIntent
	}
	return read[stripe.PaymentIntent](n, body)
}

func (n *narrator) answer(name string, pi stripe.PaymentIntent) {
	n.tale.Words = append(n.tale.Words, Word{Name: "answer to " + name, Intent: &pi})
}

// back is a refund of a payment that till knows to be completed.
func (n *narrator) back(pi stripe.PaymentIntent) {
	p := payment.Answered(n.tale.Pay, pi, 1, noon)
	row, _ := n.tale.Pay.Written(n.tale.Pay, p)
	row, ok := row.SetAside(back)
	if !ok {
		n.wrong("the payment is %s", row.Essence())
	}
	r := refund.Claimed(row, "r", back, noon)
	n.tale.Pay, n.tale.Refund = row, &r
	re := read[stripe.Refund](n, n.post("/v1/refunds", "payment_intent="+pi.ID+"&amount=2000&metadata[till_id]=r"))
	if re.ID == "" {
		n.wrong("Stripe refused the refund")
	}
	n.tale.Words = append(n.tale.Words, Word{Name: "answer to refund", Refund: &re})
	n.tale.Back = &re
}

var token = regexp.MustCompile(`name="token" value="([^"]+)"`)

// challenge is the payer at the bank's page.
func (n *narrator) challenge(pi stripe.PaymentIntent, outcome string) {
	if n.err != nil || pi.NextAction == nil || pi.NextAction.RedirectToURL == nil {
		n.wrong("the intent is %s", pi.Status)
		return
	}
	page := pi.NextAction.RedirectToURL.URL
	hidden := token.FindSubmatch(n.send(http.MethodGet, page, "", ""))
	if hidden == nil {
		n.wrong("the bank's page has no token")
		return
	}
	n.send(http.MethodPost, page, "application/x-www-form-urlencoded", url.Values{"token": {string(hidden[1])}, "outcome": {outcome}}.Encode())
}

// end adds the events that till takes in, and the objects as they are now.
func (n *narrator) end(pi stripe.PaymentIntent) Tale {
	list := read[struct{ Data []json.RawMessage }](n, n.get("/v1/events?limit=100"))
	var seconds []int64
	for _, raw := range slices.Backward(list.Data) {
		e := read[struct {
			Type    string
			Created int64
		}](n, raw)
		if slices.Contains(inbox.Events(), e.Type) {
			n.tale.Words = append(n.tale.Words, Word{Name: e.Type, Event: string(raw)})
			seconds = append(seconds, e.Created)
		}
	}
	if len(seconds) > 1 && len(slices.Compact(seconds)) == len(seconds) {
		n.wrong("no two events are of one second")
	}
	n.tale.Now = read[stripe.PaymentIntent](n, n.get("/v1/payment_intents/"+pi.ID+"?"+fees))
	if n.tale.Back != nil {
		now := read[stripe.Refund](n, n.get("/v1/refunds/"+n.tale.Back.ID))
		n.tale.Back = &now
	}
	return n.tale
}

var tales = []struct {
	name, capture string
	live          func(*narrator) stripe.PaymentIntent
	want          string // is in the end that all orders have
}{
	{"payment", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_visa", "capture_method=automatic")
		n.answer("create", pi)
		return pi
	}, "completed"},
	{"payment, declined", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_chargeDeclined", "capture_method=automatic")
		n.answer("create", pi)
		return pi
	}, "failed"},
	{"3-D Secure, passed", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_threeDSecure2Required", "return_url=http://127.0.0.1/back")
		n.answer("create", pi)
		n.challenge(pi, "complete")
		n.pass(time.Minute) // the fee is known a little later
		return pi
	}, "completed"},
	{"3-D Secure, failed", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_threeDSecure2Required", "return_url=http://127.0.0.1/back")
		n.answer("create", pi)
		n.challenge(pi, "fail")
		return pi
	}, "failed"},
	{"capture", "manual", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_visa", "capture_method=manual")
		n.answer("create", pi)
		n.answer("capture", read[stripe.PaymentIntent](n, n.post("/v1/payment_intents/"+pi.ID+"/capture", fees)))
		return pi
	}, "completed"},
	{"refund", "automatic", refunded("pm_card_visa", 0), "refund.completed"},
	{"refund that fails later", "automatic", refunded("pm_card_refundFail", 24*time.Hour), "refund.failed"},
	{"refund that is pending first", "automatic", refunded("pm_card_pendingRefund", 24*time.Hour), "refund.completed"},
	{"refund of a payment that is disputed then", "automatic", refunded("pm_card_createDispute", time.Minute), "refund.completed"},
}

// refunded is a payment by a card, of which part goes back; then time passes, in which the card shows what it is.
func refunded(card string, passes time.Duration) func(*narrator) stripe.PaymentIntent {
	return func(n *narrator) stripe.PaymentIntent {
		pi := n.pay(card, "capture_method=automatic")
		n.back(pi)
		if passes > 0 {
			n.pass(passes)
		}
		return pi
	}
}
