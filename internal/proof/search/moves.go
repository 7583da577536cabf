package search

import (
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
)

// sends is how often one drive of a call sends, in the model.
const sends = 2

// moves collects what may happen next to a world.
type moves struct {
	from *world
	all  []Move
}

// may adds a move: do changes a copy of the world.
func (m *moves) may(name string, fair bool, do func(*world)) {
	n := m.from.next()
	do(n)
	if n.pay != m.from.pay {
		n.payKey = n.pay.Essence()
	}
	if n.ref != m.from.ref {
		n.refKey = n.ref.Essence()
	}
	for len(n.inbox) < len(n.bank.events) {
		n.inbox = append(n.inbox, onTheWay)
	}
	m.all = append(m.all, Move{name, n, fair})
}

// Moves implements State.
func (w *world) Moves() []Move {
	m := &moves{from: w}
	m.merchant()
	m.payer()
	m.bankMoves()
	m.webhooks()
	for i := range w.work {
		m.work(i)
	}
	m.recovery()
	m.crash()
	m.time()
	return m.all
}

func (w *world) free() int {
	for i := range w.work {
		if w.work[i].kind == idle {
			return i
		}
	}
	return -1
}

// claimCall takes a call's key and begins to drive it.
func (w *world) claimCall(n, place, node int) {
	c, r := once.Claimed(w.call(n), w.now, w.now)
	w.records[n], w.used[n] = &r, true
	w.bank.keys[n] = stored{}
	w.work[place] = process{kind: calling, node: node, call: n, c: &c}
	if w.story.bug == "settle before send" {
		r, _ = r.Settle(c, once.Done)
	}
}

func (m *moves) merchant() {
	w, at := m.from, m.from.free()
	if at < 0 {
		return
	}
	switch {
	case !w.claimed:
		m.may("the merchant asks for a payment", true, func(n *world) {
			method := "automatic"
			if n.story.manual {
				method = "manual"
			}
			p := payment.Claimed(scope, "p", minor(amount), method, n.now)
			n.claimed, n.pay = true, &p
			n.claimCall(create, at, 0)
		})
	case w.story.manual && !w.used[capture] && w.pay.Status == payment.Authorized:
		m.may("the merchant captures", true, func(n *world) {
			if p, ok := n.pay.Capturing(amount); ok {
				n.pay = &p
				n.claimCall(capture, at, 0)
			}
		})
		if !w.used[cancel] {
			m.may("the merchant cancels", true, func(n *world) { n.cancel(at) })
		}
	case w.story.refunds && !w.asked && w.pay.Status == payment.Completed:
		m.may("the merchant asks for a refund", true, func(n *world) {
			if p, ok := n.pay.SetAside(back); ok {
				r := refund.Claimed(p, "r", back, n.now)
				n.pay, n.asked, n.ref = &p, true, &r
				n.events = append(n.events[:len(n.events):len(n.events)], "refund.created")
				n.claimCall(giveBack, at, 0)
			}
		})
	}
}

// cancel claims a cancellation, if the payment's row allows it. A refused one before gives it a new key.
func (w *world) cancel(at int) {
	p, ok := w.pay.Cancelling()
	if !ok || w.used[cancel] && w.records[cancel].IsOpen() {
		return
	}
	if w.used[cancel] {
		w.tries[cancel]++
	}
	w.pay = &p
	w.claimCall(cancel, at, 1)
}

func (m *moves) payer() {
	w := m.from
	if w.story.challenge && w.bank.status == stripe.RequiresAction {
		m.may("the payer passes the challenge", true, func(n *world) { n.bank.charge(n.story) })
		m.may("the payer fails the challenge", true, func(n *world) {
			n.bank.status, n.bank.err = stripe.RequiresPaymentMethod, "payment_intent_authentication_failure"
			n.bank.tell("payment_intent.payment_failed")
		})
	}
	if w.story.again && w.bank.status == stripe.RequiresPaymentMethod {
		m.may("the payer tries again with another card", true, func(n *world) { n.bank.charge(n.story) })
	}
}

func (m *moves) bankMoves() {
	w := m.from
	switch {
	case w.bank.refund == "pending":
		m.may("the refund arrives", true, func(n *world) { n.bank.refund = "succeeded"; n.bank.tell("refund.updated") })
		m.may("the refund fails", true, func(n *world) { n.bank.refund, n.bank.back = "failed", 0; n.bank.tell("refund.failed") })
	case w.bank.refund == "succeeded" && w.story.returned:
		m.may("the customer's bank returns the refund", true, func(n *world) { n.bank.refund, n.bank.back = "failed", 0; n.bank.tell("refund.failed") })
	}
	for call := range calls {
		if w.orphans[call] == 0 {
			continue
		}
		m.may(fmt.Sprintf("a late request arrives: %s", callNames[call]), true, func(n *world) {
			n.orphans[call]--
			n.bank.do(call, n.story, n.now, n.keyless())
		})
		m.may(fmt.Sprintf("a late request is dropped: %s", callNames[call]), true, func(n *world) { n.orphans[call]-- })
	}
}

func (w *world) maySend(p process) bool {
	return p.c.MaySend(w.now) || w.story.bug == "send however late"
}

func (w *world) keyless() bool { return w.story.bug == "key dropped" }

func (m *moves) webhooks() {
	w := m.from
	for i, state := range w.inbox {
		name := w.bank.events[i].kind
		switch {
		case state == onTheWay:
			if at := w.free(); at >= 0 { // kept, and taken up at once: a crash leaves it kept
				m.may(name+" arrives", true, func(n *world) { n.inbox[i], n.work[at] = kept, hear(n, i) })
			}
			if w.left > 0 {
				m.may(name+" is lost", false, func(n *world) { n.left--; n.inbox[i] = lost })
			}
		case state == lost && w.story.bug != "no sweep":
			m.may("the sweep finds "+name, true, func(n *world) { n.inbox[i] = kept })
		case state == applied && w.left > 0:
			m.may(name+" comes again", false, func(n *world) { n.left--; n.inbox[i] = kept })
		}
		if at := w.free(); state == kept && at >= 0 && !w.hears(i) {
			m.may(name+" is taken up", true, func(n *world) { n.work[at] = hear(n, i) })
		}
	}
}

func (w *world) hears(event int) bool {
	for _, p := range w.work {
		if p.kind == hearing && p.event == event {
			return true
		}
	}
	return false
}

// hear is an event that a node begins to take in: what it carries, or what it sends the node to fetch.
func hear(w *world, event int) process {
	e := w.bank.events[event]
	p := process{kind: hearing, node: event % 2, event: event, answer: e.answer, pc: reading}
	if strings.HasPrefix(e.kind, "charge.") {
		p.pc = fetch
	}
	return p
}

func (m *moves) recovery() {
	w, at := m.from, m.from.free()
	for call := range calls {
		if at < 0 || !w.used[call] || !w.records[call].IsOpen() || w.records[call].Leased(w.now) || w.holder(call) >= 0 {
			continue
		}
		m.may("the recovery takes up "+callNames[call], true, func(n *world) {
			r, ok := n.records[call].Take(n.now)
			if !ok {
				return
			}
			n.records[call] = &r
			n.work[at] = process{kind: calling, node: 1, call: call, c: &r.Call}
		})
	}
	if w.claimed && w.pay.IsDue(w.now) && w.pay.ProviderRef != "" && at >= 0 && !w.sweeps() {
		m.may("the sweep looks at the payment", true, func(n *world) { n.work[at] = process{kind: sweeping, node: 1, pc: fetch} })
	}
}

func (w *world) sweeps() bool {
	for _, p := range w.work {
		if p.kind == sweeping {
			return true
		}
	}
	return false
}

// holder is the place of the process that has a call, or -1.
func (w *world) holder(call int) int {
	for i, p := range w.work {
		if p.kind == calling && p.call == call && p.c.Takes() == w.records[call].Takes() {
			return i
		}
	}
	return -1
}

// crash takes all that a node was doing. Its requests stay on the wire.
func (m *moves) crash() {
	if m.from.left == 0 {
		return
	}
	for node := range 2 {
		busy := false
		for _, p := range m.from.work {
			busy = busy || p.kind != idle && p.node == node
		}
		if !busy {
			continue
		}
		m.may(fmt.Sprintf("node %d dies", node), false, func(n *world) {
			n.left--
			for i, p := range n.work {
				if p.kind == idle || p.node != node {
					continue
				}
				if p.kind == calling && p.pc == waiting && p.reply == nil && n.maySend(p) {
					n.orphans[p.call]++
				}
				n.work[i] = process{}
			}
		})
	}
}

// time passes where something waits for it: a lease, the five minutes after a send, the quarter of an hour of a call, the day of a payment.
func (m *moves) time() {
	w := m.from
	leased, young, early, remembered := false, false, false, false
	for call := range calls {
		if r := w.records[call]; w.used[call] && r.IsOpen() {
			leased = leased || r.Leased(w.now)
			young = young || !w.over(r.Call)
			early = early || !w.now.After(r.ResolveBy)
			remembered = remembered || w.bank.keys[call].kept && w.now.Sub(w.bank.keys[call].at) < remembers
		}
	}
	quiet := w.orphans == [calls]int{}
	for _, p := range w.work {
		quiet = quiet && p.kind == idle
	}
	waits := w.claimed && !w.pay.IsDue(w.now) && w.pay.IsDue(w.now.Add(25*time.Hour))
	if leased {
		m.pass("a lease's time passes", once.LeaseFor+time.Second, true)
	}
	if young && (quiet || w.left > 0) && w.orphans == [calls]int{} {
		m.pass("six minutes pass", 6*time.Minute, quiet)
	}
	if early && (quiet || w.left > 0) && w.orphans == [calls]int{} {
		m.pass("twenty minutes pass", 20*time.Minute, quiet)
	}
	if (remembered || waits) && quiet {
		m.pass("a day passes", 25*time.Hour, true)
	}
}

// pass lets time go by. Nodes at work keep their leases, unless they stand still.
func (m *moves) pass(name string, d time.Duration, fair bool) {
	if fair {
		m.may(name, true, func(n *world) {
			n.now = n.now.Add(d)
			for call := range calls {
				if n.used[call] && n.holder(call) >= 0 {
					r := n.records[call].Kept(n.now)
					n.records[call] = &r
				}
			}
		})
	}
	for _, p := range m.from.work {
		if p.kind == calling && m.from.left > 0 {
			m.may(name+" while the nodes stand still", false, func(n *world) { n.left--; n.froze = true; n.now = n.now.Add(d) })
			return
		}
	}
}
