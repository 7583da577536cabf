package search

import (
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// work adds the next steps of one piece of work.
func (m *moves) work(at int) {
	p := m.from.work[at]
	name := func(what string) string { return p.name(m.from) + ": " + what }
	step := func(what string, fair bool, do func(*world, *process)) {
		m.may(name(what), fair, func(n *world) { do(n, &n.work[at]) })
	}
	if p.kind == idle {
		return
	}
	switch p.pc {
	case ready:
		step("decides", true, decideNext)
	case waiting:
		m.answers(p, step)
	case looking:
		step("looks it up", true, func(n *world, p *process) { lookUp(n, p, false) })
		if m.from.left > 0 {
			step("looks it up in vain", false, func(n *world, p *process) { n.left--; lookUp(n, p, true) })
		}
	case reading:
		step("reads", true, func(n *world, p *process) { p.was, p.wasR, p.pc = n.pay, n.ref, writing })
	case writing:
		step("writes", true, write)
	case fetch:
		step("fetches", true, fetchNow)
	case ask:
		step("cancels", true, func(n *world, p *process) {
			*p = process{}
			if n.pay.IsDue(n.now) {
				n.cancel(at)
			}
		})
	}
}

func (p *process) name(w *world) string {
	switch p.kind {
	case calling:
		return callNames[p.call]
	case hearing:
		return w.bank.events[p.event].kind
	}
	return "the sweep"
}

// decideNext is the beginning of a drive, and of each repeat in it.
func decideNext(n *world, p *process) {
	switch p.c.Next(n.now) {
	case once.Look:
		p.answer, p.pc = answer{err: nothing}, looking
		return
	case once.Refuse:
		p.answer, p.end, p.pc = answer{err: nothing}, once.Refuse, reading
		return
	}
	sending := p.c.Sending(n.now)
	if !p.c.FirstSend() {
		r, ok := n.records[p.call].Begun(sending)
		if !ok { // another node has it, or it is closed
			*p = process{}
			return
		}
		n.records[p.call] = &r
	}
	p.before, p.c = p.c, &sending
	p.pc = waiting
}

// answers are what a request may bring that is about to leave, or on the wire.
func (m *moves) answers(p process, step func(string, bool, func(*world, *process))) {
	arrives := func(n *world, p *process) answer { return n.bank.do(p.call, n.story, n.now, n.keyless()) }
	fault := func(what string, do func(*world, *process)) {
		if m.from.left > 0 {
			step(what, false, func(n *world, p *process) { n.left--; do(n, p) })
		}
	}
	switch {
	case p.reply != nil:
		step("hears its answer at last", true, func(n *world, p *process) { a := *p.reply; p.reply = nil; heard(n, p, a) })
		return
	case !m.from.maySend(p): // the node stood still: the request does not leave any more
		step("does not send", true, func(n *world, p *process) { heard(n, p, answer{err: limited}) }) // certainly not executed, as after a 429
		return
	case m.from.left > 0: // where the node may stand still before it hears the answer
		step("is answered while nobody listens", true, func(n *world, p *process) { a := arrives(n, p); p.reply = &a })
	}
	step("is answered", true, func(n *world, p *process) { heard(n, p, arrives(n, p)) })
	fault("is never answered, and never arrived", func(n *world, p *process) { heard(n, p, noAnswer) })
	fault("is never answered, and arrived", func(n *world, p *process) { arrives(n, p); heard(n, p, noAnswer) })
	fault("is never answered, and arrives later", func(n *world, p *process) { n.orphans[p.call]++; heard(n, p, noAnswer) })
	fault("is told to come back", func(n *world, p *process) { heard(n, p, answer{err: limited}) })
	fault("meets its own key in use", func(n *world, p *process) { n.orphans[p.call]++; heard(n, p, answer{err: inUse}) })
	fault("meets a revoked key", func(n *world, p *process) { heard(n, p, answer{err: noKey}) })
	fault("fails at Stripe, which keeps that", func(n *world, p *process) {
		if k := &n.bank.keys[p.call]; !k.kept {
			*k = stored{true, n.now, answer{err: failed}}
		}
		heard(n, p, arrives(n, p))
	})
	fault("fails at Stripe, after its effect", func(n *world, p *process) {
		if k := &n.bank.keys[p.call]; !k.kept {
			arrives(n, p)
			k.answer = answer{err: failed}
		}
		heard(n, p, arrives(n, p))
	})
}

// heard takes in an answer as production does.
func heard(n *world, p *process, a answer) {
	p.answer = a
	var last error
	if p.last != nil {
		last = p.last.error()
	}
	c := *p.c
	p.c = &c
	switch c.Heard(*p.before, a.error(), last) {
	case once.Done:
		p.end, p.pc = once.Done, reading
	case once.Refuse:
		p.end, p.pc = once.Refuse, reading
	case once.Look:
		p.pc = looking
	default:
		p.last = &a
		if p.sends++; p.sends == sends {
			leave(n, p)
			return
		}
		p.pc, p.answer = ready, answer{}
	}
}

// lookUp asks what Stripe has of a call.
func lookUp(n *world, p *process, vain bool) {
	a, there := n.bank.find(p.call)
	var err error
	switch {
	case vain:
		err = lookFails
	case !there:
		err = once.ErrAbsent
	}
	over := stripe.Over(p.answer.error())
	if n.story.bug == "look too early" {
		over = true
	}
	c := *p.c
	p.c = &c
	switch c.Looked(err, over, n.now) {
	case once.Done:
		p.answer, p.end, p.pc = a, once.Done, reading
	case once.Refuse:
		p.end, p.pc = once.Refuse, reading
	default:
		leave(n, p)
	}
}

// leave leaves a call for the recovery.
func leave(n *world, p *process) {
	r := n.records[p.call].Release(*p.c, n.now)
	n.records[p.call] = &r
	*p = process{}
}

// write writes an outcome, with the call's end where it is one: all, or nothing where a guard misses.
func write(n *world, p *process) {
	if p.kind == calling && n.story.bug != "settle before send" {
		settle(n, p)
		return
	}
	if p.kind == calling {
		p.was, p.wasR = n.pay, n.ref
	}
	po, ro := p.decide(n)
	ok := false
	if ro != nil {
		ok = n.writeRefund(*p.wasR, *p.was, *ro)
	} else {
		ok = n.write(*p.was, po)
	}
	switch {
	case !ok:
		p.pc = reading
	case p.kind == calling:
		*p = process{}
	case p.kind == sweeping:
		p.pc = ask
	case p.answer.pi != nil && !p.fetched && n.pay.Lacks():
		p.pc = fetch // the charge and its fee are not in the event
	default:
		n.inbox[p.event] = applied
		*p = process{}
	}
}

func settle(n *world, p *process) {
	before := *n
	r, ok := n.records[p.call].Settle(*p.c, p.end)
	if !ok { // it is closed, or another has it: there is nothing to say
		*p = process{}
		return
	}
	po, ro := p.decide(n)
	if ro != nil {
		ok = n.writeRefund(*p.wasR, *p.was, *ro)
	} else {
		ok = n.write(*p.was, po)
	}
	if !ok {
		before.work[placeOf(n, p)].pc = reading
		*n = before
		return
	}
	n.records[p.call] = &r
	*p = process{}
}

func placeOf(n *world, p *process) int {
	for i := range n.work {
		if &n.work[i] == p {
			return i
		}
	}
	panic("a process of another world")
}

// fetchNow asks Stripe for the object as it is.
func fetchNow(n *world, p *process) {
	p.fetched = true
	if p.kind == hearing && n.bank.events[p.event].kind == "charge.refunded" {
		if n.bank.refund == "" || !n.asked {
			n.inbox[p.event] = applied
			*p = process{}
			return
		}
		p.answer, p.pc = answer{re: n.bank.refundNow()}, reading
		return
	}
	p.answer, p.pc = answer{pi: n.bank.intent(true)}, reading
}
