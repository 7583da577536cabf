package search

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
)

// The calls to Stripe that a payment's life may need.
const (
	create = iota
	capture
	cancel
	giveBack
	calls
)

var callNames = [calls]string{payment.CreateCall, payment.CaptureCall, payment.CancelCall, refund.CreateCall}

// story is what one search is about: what kind of payment, and what the world does of itself.
type story struct {
	name      string
	declined  bool // the card is declined
	again     bool // and the payer tries again in the browser, with success
	challenge bool // 3-D Secure: the payer passes, fails, or never comes
	manual    bool // captured later
	refunds   bool // part of it goes back
	slow      bool // the refund is pending first
	returned  bool // and the bank returns it after it had succeeded
	disputed  bool // Stripe refuses the refund, for the charge is disputed
	paid      bool // the search begins with the payment completed and all of it heard
	bug       string
}

// world is one state: our books, Stripe, the events on their way, and what the nodes are doing.
type world struct {
	story *story
	left  int  // faults that may still come: a node dies, or stands still while its lease ends; an answer is lost, late, or none; a webhook is lost, or comes again
	froze bool // a node stood still for longer than a lease
	now   time.Time

	claimed bool
	pay     *payment.Payment // rows are never changed: a write makes another
	payKey  string           // its essence
	asked   bool
	ref     *refund.Refund
	refKey  string
	records [calls]*once.Record
	tries   [calls]int // how often a call of this kind was claimed anew, after a refusal
	used    [calls]bool
	booked  []string // keys of the ledger's transactions
	held    int64    // what the books say Stripe holds
	events  []string // types of the merchant's events, sorted
	inbox   []int    // of each of Stripe's events, as the constants below
	bank    bank
	orphans [calls]int // requests on the wire whose sender no longer listens
	work    [places]process
}

// places is how many pieces of work the nodes do at one time.
const places = 3

// The states of one of Stripe's events on our side.
const (
	onTheWay = iota
	lost
	kept
	applied
)

var (
	noon  = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	scope = db.Scope{Merchant: "m", Mode: "test"}
)

func begin(s *story, left int) *world {
	w := &world{story: s, left: left, now: noon, pay: &payment.Payment{}, ref: &refund.Refund{}}
	if !s.paid {
		return w
	}
	w.claimed, w.used[create] = true, true
	p := payment.Claimed(scope, "p", minor(amount), "automatic", noon)
	w.pay = &p
	c, r := once.Claimed(w.call(create), noon, noon)
	a := w.bank.do(create, s, noon, false)
	c = c.Sending(noon)
	r, _ = r.Settle(c, once.Done)
	w.records[create] = &r
	w.write(p, payment.Answered(p, *a.pi, 1, noon))
	for range w.bank.events {
		w.inbox = append(w.inbox, applied)
	}
	w.payKey = w.pay.Essence()
	return w
}

// call is a call as its claim makes it.
func (w *world) call(n int) once.Call {
	row := "p"
	if n == giveBack {
		row = "r"
	}
	return once.Call{Scope: scope, Name: callNames[n], Key: fmt.Sprint(n, w.tries[n]), Row: row, ProviderKey: fmt.Sprint("till-", n, w.tries[n])}
}

// next is a copy that a move may change.
func (w *world) next() *world {
	n := *w
	n.inbox = slices.Clone(w.inbox)
	return &n
}

// write takes an outcome in, as the statements do: the row under its version, the ledger, the events.
func (w *world) write(was payment.Payment, o payment.Outcome) bool {
	now, ok := w.pay.Written(was, o)
	if w.story.bug == "missing guard" && !ok {
		now, ok = o.Now, true
	}
	if !ok || now.Same(*w.pay) { // missed, or nothing to write
		return ok
	}
	if w.pay = &now; !w.post(o.Entries) {
		return false
	}
	w.announce(o.Events)
	return true
}

func (w *world) writeRefund(was refund.Refund, of payment.Payment, o refund.Outcome) bool {
	r, p, ok := refund.Written(*w.ref, *w.pay, was, of, o)
	if !ok || r.Same(*w.ref) {
		return ok
	}
	if w.ref, w.pay = &r, &p; !w.post(o.Entries) {
		return false
	}
	w.announce(o.Events)
	return true
}

// post books transactions; a key that is booked misses.
func (w *world) post(all []ledger.Transaction) bool {
	for _, t := range all {
		if slices.Contains(w.booked, t.Key) {
			return false
		}
		w.booked = append(slices.Clone(w.booked), t.Key)
		for _, l := range t.Lines {
			if l.Account == ledger.StripeBalance {
				w.held += l.Money.Minor
			}
		}
	}
	return true
}

func (w *world) announce(all []event.Event) {
	for _, e := range all {
		w.events = append(slices.Clone(w.events), e.Type)
		sort.Strings(w.events)
	}
}

func (w *world) told(kind string) (n int) {
	for _, e := range w.events {
		if e == kind {
			n++
		}
	}
	return n
}

// Broken implements State.
func (w *world) Broken() string {
	b := &w.bank
	switch {
	case b.charges > 1:
		return "the card was charged twice"
	case b.twice || b.back > b.got:
		return "the money went back twice"
	case w.pay.Captured.Minor > b.got:
		return "the books have more than Stripe took"
	case w.pay.Refunded.Minor+w.pay.Refunding.Minor > w.pay.Captured.Minor:
		return "more goes back than was captured"
	case w.told("payment.completed") > 1:
		return "payment.completed was told twice"
	case w.told("refund.completed") > 1 || w.told("refund.created") > 1:
		return "a refund was told twice"
	case w.held != w.pay.Captured.Minor-w.pay.Refunded.Minor:
		return fmt.Sprintf("the ledger holds %d, the payment %d", w.held, w.pay.Captured.Minor-w.pay.Refunded.Minor)
	case w.pay.Status == payment.Failed && b.got > 0 && !w.story.again:
		return "the payment is called failed and its money is taken"
	case w.asked && w.ref.Status == refund.Failed && (b.refund == "succeeded" || b.refund == "pending"):
		return "the refund is called failed and its money went back"
	}
	return ""
}

// Open implements State.
func (w *world) Open() string {
	switch {
	case !w.claimed:
		return "nothing was asked for"
	case w.story.refunds && !w.asked && w.pay.Status == payment.Completed:
		return "the refund was not asked for"
	}
	for _, p := range w.work {
		if p.kind != idle {
			return "a node is at work"
		}
	}
	for n := range calls {
		if w.used[n] && w.records[n].IsOpen() || w.orphans[n] > 0 {
			return "a call is open"
		}
	}
	for _, e := range w.inbox {
		if e == onTheWay || e == kept {
			return "an event is not taken in"
		}
	}
	return w.disagree()
}

// disagree says where we and Stripe tell a different story at the end.
func (w *world) disagree() string {
	p, b := w.pay, &w.bank
	want := payment.Status("")
	switch {
	case b.got > 0:
		want = payment.Completed
	case b.status == "requires_capture":
		want = payment.Authorized
	case !b.made:
		want = payment.Failed
	}
	switch {
	case want == "" && (b.status != "canceled" || p.Status != payment.Failed && p.Status != payment.Cancelled):
		return fmt.Sprintf("the payment is %s, at Stripe %s", p.Status, b.status)
	case want != "" && p.Status != want:
		return fmt.Sprintf("the payment is %s, not %s", p.Status, want)
	case p.Captured.Minor != b.got:
		return "we and Stripe took different amounts"
	case b.got > 0 && p.Fee == nil:
		return "the fee is not known"
	case b.status != "" && b.intent(false).LatestCharge.ID != "" && p.Outcome == nil:
		return "what became of the charge is not known"
	case w.told("payment."+string(p.Status)) != 1:
		return fmt.Sprintf("payment.%s was told %d times", p.Status, w.told("payment."+string(p.Status)))
	}
	if !w.asked {
		return ""
	}
	wanted := refund.Failed
	if b.refund == "succeeded" {
		wanted = refund.Completed
	}
	switch {
	case b.refund == "pending":
		return "the bank has the refund"
	case w.ref.Status != wanted:
		return fmt.Sprintf("the refund is %s, at Stripe %s", w.ref.Status, b.refund)
	case p.Refunding.Minor != 0 || p.Refunded.Minor != b.back:
		return "we and Stripe gave different amounts back"
	case w.told("refund."+string(w.ref.Status)) != 1:
		return fmt.Sprintf("refund.%s was told %d times", w.ref.Status, w.told("refund."+string(w.ref.Status)))
	}
	return ""
}

// Key implements State: versions, times and counts are put in relation to each other, for only that decides what follows. Where a piece of work
// stands among the others does not.
func (w *world) Key() []byte {
	k := make([]byte, 0, 640)
	k = append(k, byte('0'+w.left), flag(w.froze), flag(w.asked), flag(w.claimed), flag(w.pay.IsDue(w.now)), '|')
	k = append(k, w.payKey...)
	k = append(k, w.refKey...)
	k = strconv.AppendInt(k, w.held, 10)
	for _, e := range w.events {
		k = append(append(k, '|'), e...)
	}
	for _, state := range w.inbox {
		k = append(k, byte('0'+state))
	}
	for n := range calls {
		k = append(k, byte('0'+w.orphans[n]))
		k = w.callKey(k, n)
	}
	k = w.bank.key(k)
	var each [places]string
	for i := range w.work {
		each[i] = string(w.work[i].key(nil, w))
	}
	slices.Sort(each[:])
	for _, p := range each {
		k = append(append(k, '|'), p...)
	}
	return k
}

func flag(b bool) byte {
	if b {
		return 't'
	}
	return 'f'
}

func (w *world) callKey(k []byte, n int) []byte {
	if !w.used[n] {
		return append(k, '-')
	}
	r := w.records[n]
	k = append(k, byte('0'+w.tries[n]))
	if !r.IsOpen() {
		k = append(k, r.State...)
	} else {
		k = append(k, flag(r.Leased(w.now)), flag(r.Unsure), flag(r.Attempts > 0), flag(w.now.After(r.ResolveBy)), flag(w.over(r.Call)))
	}
	if stored := &w.bank.keys[n]; stored.kept && r.IsOpen() {
		k = append(k, flag(w.now.Sub(stored.at) < remembers))
		k = stored.answer.key(k)
	}
	return k
}

// over says that nothing of a call's last send can be on its way any more.
func (w *world) over(c once.Call) bool { return !w.now.Before(c.SentAt.Add(once.SettledAfter)) }
