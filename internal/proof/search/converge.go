package search

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
)

// Whatever the order in which Stripe is heard, and however often, the same is true in the end. What is heard is Stripe's own events, as the
// sandbox tells them, and the answers to our calls; they go through the inbox's own table to the rooms' own decisions, over rows in memory.
// A word that is lost and found by the sweep is one that comes last.

// Word is one thing that Stripe says: an event as it came, or the answer to a call of ours.
type Word struct {
	Name   string
	Event  string // its body
	Intent *stripe.PaymentIntent
	Refund *stripe.Refund
}

// Tale is what happened at Stripe: all that it said of it, and the objects as they are in the end, which is what a look at them brings.
type Tale struct {
	Name   string
	Pay    payment.Payment // our row, before any of it is heard
	Refund *refund.Refund  // and the refund's, where there is one
	Words  []Word
	Now    stripe.PaymentIntent
	Back   *stripe.Refund
}

// Convergence is what was shown of a tale.
type Convergence struct {
	Name   string
	Words  int
	Orders *big.Int // of the words, each heard once or twice
	States int      // that they lead through
	End    string   // the one in which they all end
}

// hearer is our side while it hears: a world without calls.
type hearer struct {
	*world
	heard []int // how often, of each word
}

// Converge hears a tale in every order, each word once or twice, and says where all of it ends; an error names two orders that do not agree.
func Converge(t Tale) (Convergence, error) {
	first := &hearer{world: &world{story: &story{}, now: noon, pay: &t.Pay, ref: &refund.Refund{}}, heard: make([]int, len(t.Words))}
	if t.Refund != nil {
		first.asked, first.ref = true, t.Refund
	}
	c := &converging{tale: t, seen: map[string]*big.Int{}}
	orders, err := c.from(first, nil)
	return Convergence{t.Name, len(t.Words), orders, len(c.seen), c.end}, err
}

type converging struct {
	tale Tale
	seen map[string]*big.Int // the orders that go on from a state
	end  string
	by   []string // the order that first came to an end
}

// from is how many orders go on from here, all of which end alike.
func (c *converging) from(h *hearer, way []string) (*big.Int, error) {
	key := h.essence() + fmt.Sprint(h.heard)
	if n, known := c.seen[key]; known {
		return n, nil
	}
	n := big.NewInt(0)
	if !slices.Contains(h.heard, 0) {
		n.SetInt64(1)
		if err := c.compare(h.essence(), way); err != nil {
			return n, err
		}
	}
	for i := range c.tale.Words {
		if h.heard[i] == 2 {
			continue
		}
		next, err := c.hear(h, i)
		if err != nil {
			return n, err
		}
		more, err := c.from(next, append(slices.Clone(way), c.tale.Words[i].Name))
		if err != nil {
			return n, err
		}
		n.Add(n, more)
	}
	c.seen[key] = n
	return n, nil
}

func (c *converging) compare(end string, way []string) error {
	switch {
	case c.end == "":
		c.end, c.by = end, way
	case c.end != end:
		return fmt.Errorf("%s: %s\n  ends as %s\nand %s\n  ends as %s", c.tale.Name, strings.Join(c.by, ", "), c.end, strings.Join(way, ", "), end)
	}
	return nil
}

// essence is all that must be the same in the end: the rows, the totals, the books, and what the merchant is told. News of a stage that was
// left before we heard of it is never told: that the payer must act, that money is held, that a refund had arrived which the bank has returned
// since. So those types are left out, each where what overtakes it is told.
func (h *hearer) essence() string {
	s := h.pay.Essence()
	if h.asked {
		s += " | " + h.ref.Essence()
	}
	overtaken := map[string]bool{"payment.requires_action": true, "payment.authorized": true, "refund.completed": h.told("refund.failed") > 0}
	told := slices.DeleteFunc(slices.Clone(h.events), func(kind string) bool { return overtaken[kind] })
	return fmt.Sprint(s, " | held ", h.held, told)
}

// hear is our side after it has heard one word more.
func (c *converging) hear(h *hearer, i int) (*hearer, error) {
	w := *h.world
	n := &hearer{&w, slices.Clone(h.heard)}
	n.heard[i]++
	word := c.tale.Words[i]
	switch {
	case word.Intent != nil:
		n.observe(*word.Intent, 1)
		return n, nil
	case word.Refund != nil:
		n.observeRefund(*word.Refund, 1)
		return n, nil
	}
	e := inbox.Event{Scope: scope, Generation: 1, Payload: word.Event, Verified: true, Source: inbox.FromWebhook}
	var named struct {
		ID, Type string
		Data     struct{ Object struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(word.Event), &named); err != nil {
		return nil, err
	}
	e.ID, e.Type, e.Object = named.ID, named.Type, named.Data.Object.ID
	return n, (&inbox.Inbox{Handlers: c.handlers(n)}).Hand(context.Background(), e)
}

// handlers are the rooms' own decisions over the rows in memory.
func (c *converging) handlers(n *hearer) inbox.Handlers {
	return inbox.Handlers{
		PaymentIntent: func(_ context.Context, _ db.Scope, _ int64, seen stripe.PaymentIntent) error {
			n.observe(seen, 0)
			if n.pay.Lacks() {
				n.observe(c.tale.Now, 0)
			}
			return nil
		},
		RefetchPayment: func(context.Context, db.Scope, int64, string) error { n.observe(c.tale.Now, 0); return nil },
		Refund: func(_ context.Context, _ db.Scope, _ int64, seen stripe.Refund) error {
			n.observeRefund(seen, 0)
			return nil
		},
		RefetchRefunds: func(context.Context, db.Scope, int64, string) error {
			if c.tale.Back != nil {
				n.observeRefund(*c.tale.Back, 0)
			}
			return nil
		},
		// What a dispute becomes in every order of its words is searched in its own room (dispute's observe tests); here is what the payment and
		// its refund become beside it.
		Dispute: func(context.Context, db.Scope, int64, stripe.Dispute, string) error { return nil },
	}
}

func (h *hearer) observe(seen stripe.PaymentIntent, attempts int64) {
	h.write(*h.pay, payment.Answered(*h.pay, seen, attempts, h.now))
}

func (h *hearer) observeRefund(seen stripe.Refund, attempts int64) {
	if h.asked {
		h.writeRefund(*h.ref, *h.pay, refund.Answered(*h.ref, seen, attempts, *h.pay, h.now))
	}
}
