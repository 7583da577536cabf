package search

import (
	"fmt"
	"slices"
	"time"

	"github.com/till-pay/till/internal/outbox"
)

// The second machine: how two nodes tell a merchant's server of events. Numbering is two steps, for a node reads before it writes; an attempt is
// three: leased, sent, written down.

const news = 2 // events that come true

// post is one state of the machine.
type post struct {
	bug     string
	left    int // faults that may still come
	now     time.Time
	written [news]bool
	rows    []outbox.Delivery // in the order of their numbers
	of      []int             // the event of each
	next    int64             // the endpoint's next number
	fanned  [news]bool
	leased  [news]int // the node that has a delivery, from 1; 0 nobody
	heard   [news]int // how often the merchant's server has heard of an event: none, once, more
	fans    [2]fan
	sends   [2]sending
}

// fan is a node between reading what is to be numbered and writing it.
type fan struct {
	at   bool
	seen [news]bool
	next int64
}

// sending is a node with a delivery in hand.
type sending struct {
	at       bool
	row      int
	was      outbox.Delivery
	sent     bool // the request has been made
	answered bool // with a 2xx
}

func (p *post) copy() *post {
	n := *p
	n.rows, n.of = slices.Clone(p.rows), slices.Clone(p.of)
	return &n
}

// Broken implements State.
func (p *post) Broken() string {
	seen := [news]int{}
	for i, r := range p.rows {
		if r.Sequence != int64(i+1) {
			return fmt.Sprintf("the numbers have a gap or a double: %d stands at %d", r.Sequence, i+1)
		}
		if seen[p.of[i]]++; seen[p.of[i]] > 1 {
			return "an event was numbered twice"
		}
		if r.Status == outbox.Succeeded && p.heard[p.of[i]] == 0 {
			return "a delivery is called succeeded that nobody heard"
		}
	}
	return ""
}

// Open implements State.
func (p *post) Open() string {
	for e := range news {
		if !p.written[e] || !p.fanned[e] || p.heard[e] == 0 {
			return "an event is not told"
		}
	}
	for i, r := range p.rows {
		if r.Status != outbox.Succeeded || p.leased[i] != 0 {
			return "a delivery is open"
		}
	}
	if p.fans[0].at || p.fans[1].at || p.sends[0].at || p.sends[1].at {
		return "a node is at work"
	}
	return ""
}

// Key implements State.
func (p *post) Key() []byte {
	k := append(make([]byte, 0, 128), byte('0'+p.left))
	for e := range news {
		k = append(k, flag(p.written[e]), flag(p.fanned[e]), byte('0'+min(p.heard[e], 2)), byte('0'+p.leased[e]))
	}
	for i, r := range p.rows {
		k = append(k, byte('0'+p.of[i]), byte('0'+min(r.Attempts, 9)), r.Status[0], flag(due(r, p.now)))
	}
	for _, f := range p.fans {
		k = append(k, flag(f.at), byte('0'+f.next))
		for _, s := range f.seen {
			k = append(k, flag(f.at && s))
		}
	}
	for _, s := range p.sends {
		if k = append(k, flag(s.at)); s.at {
			k = append(k, byte('0'+s.row), flag(s.sent), flag(s.answered), flag(s.was.Attempts == p.rows[s.row].Attempts))
		}
	}
	return append(k, byte('0'+p.next))
}

func due(r outbox.Delivery, now time.Time) bool {
	return r.NextAttemptAt != nil && !r.NextAttemptAt.After(now)
}

// Moves implements State.
func (p *post) Moves() (all []Move) {
	may := func(name string, fair bool, do func(*post)) {
		n := p.copy()
		do(n)
		all = append(all, Move{name, n, fair})
	}
	for e := range news {
		if !p.written[e] {
			may(fmt.Sprintf("event %d comes true", e), true, func(n *post) { n.written[e] = true })
		}
	}
	for node := range 2 {
		p.fanMoves(node, may)
		p.sendMoves(node, may)
		if p.left > 0 && (p.fans[node].at || p.sends[node].at) {
			may(fmt.Sprintf("node %d dies", node), false, func(n *post) { n.left--; n.fans[node], n.sends[node] = fan{}, sending{} })
		}
	}
	for i, r := range p.rows {
		switch holder := p.leased[i]; {
		case holder > 0 && !(p.sends[holder-1].at && p.sends[holder-1].row == i):
			may("a dead node's lease ends", true, func(n *post) { n.leased[i] = 0 })
		case holder > 0 && p.left > 0:
			may("a living node's lease ends", false, func(n *post) { n.left--; n.leased[i] = 0 })
		}
		if r.NextAttemptAt != nil && !due(r, p.now) {
			may("time passes until the next attempt", true, func(n *post) { n.now = *r.NextAttemptAt })
		}
		if p.left > 0 && r.Status == outbox.Succeeded {
			may("the merchant asks for a delivery again", false, func(n *post) {
				n.left--
				n.rows[i] = outbox.Renewed(r, n.leased[i] > 0, n.now)
			})
		}
	}
	return all
}

func (p *post) fanMoves(node int, may func(string, bool, func(*post))) {
	f := p.fans[node]
	if f.at {
		may(fmt.Sprintf("node %d numbers", node), true, func(n *post) { n.number(node) })
		return
	}
	for e := range news {
		if p.written[e] && !p.fanned[e] {
			may(fmt.Sprintf("node %d reads what is to be numbered", node), true, func(n *post) {
				f := fan{at: true, next: n.next}
				for e := range news {
					f.seen[e] = n.written[e] && !n.fanned[e]
				}
				n.fans[node] = f
			})
			return
		}
	}
}

// number writes what was read, all or nothing: the guards are the endpoint's next number, and that no event is fanned yet.
func (p *post) number(node int) {
	f := p.fans[node]
	p.fans[node] = fan{}
	var numbered []bool
	for e := range news {
		if f.seen[e] {
			numbered = append(numbered, p.fanned[e])
		}
	}
	if !outbox.MayNumber(f.next, p.next, numbered...) && p.bug != "number without a guard" {
		return
	}
	at := f.next
	for e := range news {
		if !f.seen[e] {
			continue
		}
		if len(p.rows) < news {
			p.rows, p.of = append(p.rows, outbox.Numbered(fmt.Sprint(e), fmt.Sprint(e), at, p.now)), append(p.of, e)
		}
		at++
		p.fanned[e] = true
	}
	p.next = at
}

func (p *post) sendMoves(node int, may func(string, bool, func(*post))) {
	s := p.sends[node]
	name := func(what string) string { return fmt.Sprintf("node %d %s", node, what) }
	switch {
	case !s.at:
		for i, r := range p.rows {
			if due(r, p.now) && p.leased[i] == 0 {
				may(name(fmt.Sprintf("takes delivery %d", i+1)), true, func(n *post) {
					n.leased[i], n.sends[node] = node+1, sending{at: true, row: i, was: r}
				})
			}
		}
	case !s.sent:
		hear := func(n *post) { n.heard[n.of[s.row]]++; n.sends[node].sent = true }
		if p.bug == "succeed unheard" {
			hear = func(n *post) { n.sends[node].sent = true }
		}
		may(name("is heard"), true, func(n *post) { hear(n); n.sends[node].answered = true })
		if p.left > 0 {
			may(name("is heard, and the answer is lost"), false, func(n *post) { hear(n); n.left-- })
			may(name("is not heard"), false, func(n *post) { n.sends[node].sent = true; n.left-- })
		}
	default:
		may(name("writes it down"), true, func(n *post) {
			a := outbox.Attempt{Number: s.was.Attempts + 1, StartedAt: n.now}
			if !s.answered {
				a.Error = "No answer came in time."
			}
			if row, ok := outbox.Settled(n.rows[s.row], s.was, a, n.now); ok || n.bug == "missing guard" {
				if !ok {
					row = s.was.After(a, n.now)
				}
				n.rows[s.row] = row
				n.leased[s.row] = 0
			}
			n.sends[node] = sending{}
		})
	}
}
