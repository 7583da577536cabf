//go:build !race

package search

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/sandbox"
)

// narrator lives through a tale at a sandbox, and keeps what Stripe said.
type narrator struct {
	t    *testing.T
	box  *sandbox.World
	tale Tale
}

func (n *narrator) post(path, form string) []byte {
	n.t.Helper()
	return n.send(http.MethodPost, n.box.URL+path, form)
}

func (n *narrator) get(path string) []byte {
	n.t.Helper()
	return n.send(http.MethodGet, n.box.URL+path, "")
}

func (n *narrator) send(method, url, form string) []byte {
	n.t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(form))
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+n.box.Key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	reply, err := browser.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode >= 500 {
		n.t.Fatalf("%s %s: %d %s %v", method, url, reply.StatusCode, body, err)
	}
	return body
}

func read[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

const fees = "expand[]=latest_charge.balance_transaction"

// pay asks for a payment as till does; its answer is a word, unless till has it already.
func (n *narrator) pay(card, more string) stripe.PaymentIntent {
	n.t.Helper()
	body := n.post("/v1/payment_intents", "amount=5000&currency=usd&confirm=true&payment_method_types[]=card&metadata[till_id]=p&payment_method="+card+"&"+more+"&"+fees)
	declined := read[struct {
		Error struct {
			PaymentIntent *stripe.PaymentIntent `json:"payment_intent"`
		}
	}](n.t, body)
	if declined.Error.PaymentIntent != nil {
		return *declined.Error.PaymentIntent
	}
	return read[stripe.PaymentIntent](n.t, body)
}

func (n *narrator) answer(name string, pi stripe.PaymentIntent) {
	n.tale.Words = append(n.tale.Words, Word{Name: "answer to " + name, Intent: &pi})
}

// back is a refund of a payment that till knows to be completed.
func (n *narrator) back(pi stripe.PaymentIntent) {
	n.t.Helper()
	p := payment.Answered(n.tale.Pay, pi, 1, noon)
	row, _ := n.tale.Pay.Written(n.tale.Pay, p)
	row, ok := row.SetAside(back)
	if !ok {
		n.t.Fatalf("the payment is %s", row.Essence())
	}
	r := refund.Claimed(row, "r", back, noon)
	n.tale.Pay, n.tale.Refund = row, &r
	re := read[stripe.Refund](n.t, n.post("/v1/refunds", "payment_intent="+pi.ID+"&amount=2000&metadata[till_id]=r"))
	if re.ID == "" {
		n.t.Fatal("Stripe refused the refund")
	}
	n.tale.Words = append(n.tale.Words, Word{Name: "answer to refund", Refund: &re})
	n.tale.Back = &re
}

var token = regexp.MustCompile(`name="token" value="([^"]+)"`)

// challenge is the payer at the bank's page.
func (n *narrator) challenge(pi stripe.PaymentIntent, outcome string) {
	n.t.Helper()
	page := pi.NextAction.RedirectToURL.URL
	hidden := token.FindSubmatch(n.send(http.MethodGet, page, ""))
	if hidden == nil {
		n.t.Fatal("the bank's page has no token")
	}
	n.send(http.MethodPost, page, url.Values{"token": {string(hidden[1])}, "outcome": {outcome}}.Encode())
}

// end adds the events that till takes in, and the objects as they are now.
func (n *narrator) end(pi stripe.PaymentIntent) Tale {
	n.t.Helper()
	list := read[struct{ Data []json.RawMessage }](n.t, n.get("/v1/events?limit=100"))
	var seconds []int64
	for _, raw := range slices.Backward(list.Data) {
		e := read[struct {
			Type    string
			Created int64
		}](n.t, raw)
		if slices.Contains(inbox.Events(), e.Type) {
			n.tale.Words = append(n.tale.Words, Word{Name: e.Type, Event: string(raw)})
			seconds = append(seconds, e.Created)
		}
	}
	if len(seconds) > 1 && len(slices.Compact(seconds)) == len(seconds) {
		n.t.Error("no two events are of one second")
	}
	n.tale.Now = read[stripe.PaymentIntent](n.t, n.get("/v1/payment_intents/"+pi.ID+"?"+fees))
	if n.tale.Back != nil {
		now := read[stripe.Refund](n.t, n.get("/v1/refunds/"+n.tale.Back.ID))
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
		n.box.Advance(time.Minute) // the fee is known a little later
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
		n.answer("capture", read[stripe.PaymentIntent](n.t, n.post("/v1/payment_intents/"+pi.ID+"/capture", fees)))
		return pi
	}, "completed"},
	{"refund", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_visa", "capture_method=automatic")
		n.back(pi)
		return pi
	}, "completed"},
	{"refund that fails later", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_refundFail", "capture_method=automatic")
		n.back(pi)
		n.box.Advance(24 * time.Hour)
		return pi
	}, "refund.failed"},
	{"refund that is pending first", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_pendingRefund", "capture_method=automatic")
		n.back(pi)
		n.box.Advance(24 * time.Hour)
		return pi
	}, "refund.completed"},
	{"refund of a payment that is disputed then", "automatic", func(n *narrator) stripe.PaymentIntent {
		pi := n.pay("pm_card_createDispute", "capture_method=automatic")
		n.back(pi)
		n.box.Advance(time.Minute)
		return pi
	}, "refund.completed"},
}

// Every tale, heard in every order, each word once or twice, ends in the same rows, the same books and the same news.
func TestEveryOrderEndsAlike(t *testing.T) {
	t.Parallel()
	for _, c := range tales {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			box := sandbox.New(t)
			box.Freeze()
			n := &narrator{t: t, box: box, tale: Tale{Name: c.name, Pay: payment.Claimed(scope, "p", minor(amount), c.capture, noon)}}
			tale := n.end(c.live(n))
			if len(tale.Words) < 2 {
				t.Fatalf("only %d words", len(tale.Words))
			}
			shown, err := Converge(tale)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(shown.End, c.want) {
				t.Errorf("all end as %s", shown.End)
			}
			t.Logf("%-42s %d words in %v orders, through %d states: %s", shown.Name, shown.Words, shown.Orders, shown.States, shown.End)
		})
	}
}
