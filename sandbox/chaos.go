package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// chaos is what a world does wrong on purpose, by rules. (The word fault alone is till's for errors.)
type chaos struct {
	faults []*fault        // in order of making; see setFaults
	armed  atomic.Bool     // there are some: asked without the lock
	ruled  int             // how many there have ever been: their ids
	held   []chan struct{} // replies kept back until they are released
}

// Bounds of faults. Those of time are in real time: how long a request is slowed, and stays open hung or held, at most.
const (
	maxFaults = 100
	maxCount  = 1_000_000
	maxForm   = 20 // parameters that a rule looks at
	maxBehind = 100
	maxSlow   = time.Minute
	maxHang   = 5 * time.Minute
	maxHeld   = 1000
	maxDelay  = maxAdvance
)

// The kinds of faults.
const (
	timeoutBefore  = "timeout_before_effect" // nothing happens and no answer comes
	timeoutAfter   = "timeout_after_effect"  // it happens and no answer comes
	error500       = "error_500"             // Stripe's own failure; kept under the idempotency key as Stripe does
	error502       = "error_502"             // a gateway's failure in front of Stripe, which is no JSON
	error429       = "error_429"             // too many requests; nothing happens
	error409       = "error_409"             // the idempotency key is in use; nothing happens
	lockTimeout    = "lock_timeout"          // the object is being changed by somebody else; nothing happens
	slow           = "slow"                  // the answer takes its time
	refuse         = "refuse"                // the connection ends before anything happens
	cut            = "cut"                   // it happens and the connection is cut without an answer
	truncated      = "truncated"             // it happens and half of the answer comes
	hold           = "hold"                  // it happens and the answer is kept back until it is released
	issuerDeclines = "bank_declines"         // the card's bank declines the charge that the request makes

	lost      = "lost"      // a webhook is never sent, and counts as delivered
	doubled   = "doubled"   // a webhook is sent twice
	delayed   = "delayed"   // a webhook is sent later
	reordered = "reordered" // a webhook is sent once some later ones of its endpoint have gone first
	corrupted = "corrupted" // a webhook is sent with a signature that is not right
)

var apiFaults = []string{timeoutBefore, timeoutAfter, error500, error502, error429, error409, lockTimeout, slow, refuse, cut, truncated, hold, issuerDeclines}
var webhookFaults = []string{lost, doubled, delayed, reordered, corrupted}

// fault is one rule: what it is about, when it strikes, and what happens then. It is plain data.
type fault struct {
	ID string `json:"id"`

	Method   string            `json:"method,omitempty"`   // empty matches any
	Path     string            `json:"path,omitempty"`     // a path, or its beginning with a final *; a {x} segment matches any one; empty matches any
	Form     map[string]string `json:"form,omitempty"`     // parameters that the request must have, as they are written: metadata[order]
	Event    string            `json:"event,omitempty"`    // type of a webhook's event, or its beginning with a final *; empty matches any
	Endpoint string            `json:"endpoint,omitempty"` // id of a webhook's endpoint; empty matches any

	// Of what matches, the rule strikes the Nth and those after it, or each so many-th of them where Every is given, or some by chance;
	// in all so many Times, and between two times of the world's clock.
	Nth         int       `json:"nth"`
	Every       int       `json:"every,omitempty"`
	Probability float64   `json:"probability,omitempty"`
	Times       int       `json:"times,omitempty"` // 0 is without an end
	From        time.Time `json:"from,omitzero"`
	Until       time.Time `json:"until,omitzero"` // the first moment at which it strikes no more

	Kind         string `json:"kind"`
	AfterEffect  bool   `json:"after_effect,omitempty"` // of error_500 and error_502: it happens all the same; of slow: it happens at once
	Milliseconds int64  `json:"milliseconds,omitempty"` // of slow: in real time
	Seconds      int64  `json:"seconds,omitempty"`      // of delayed: how much later, on the world's clock; of reordered: the latest
	Behind       int    `json:"behind,omitempty"`       // of reordered: how many go first
	Reason       string `json:"reason,omitempty"`       // of error_429: Stripe-Rate-Limited-Reason; of bank_declines: the decline code

	Matched int `json:"matched"` // how many requests or webhooks it was about
	Struck  int `json:"struck"`  // how many of them it met
}

// check refuses a rule that says nothing sensible.
func (f *fault) check() string {
	switch {
	case !slices.Contains(apiFaults, f.Kind) && !slices.Contains(webhookFaults, f.Kind):
		return "kind is one of " + strings.Join(append(slices.Clone(apiFaults), webhookFaults...), ", ")
	case f.isWebhook() && (f.Method != "" || f.Path != "" || len(f.Form) > 0):
		return f.Kind + " is about webhooks: it takes event and endpoint, not method, path and form"
	case !f.isWebhook() && (f.Event != "" || f.Endpoint != ""):
		return f.Kind + " is about requests: it takes method, path and form, not event and endpoint"
	case len(f.Form) > maxForm:
		return "form has at most " + strconv.Itoa(maxForm) + " parameters"
	}
	for _, check := range []func() string{f.checkAim, f.checkWhen, f.checkWhat} {
		if wrong := check(); wrong != "" {
			return wrong
		}
	}
	return ""
}

// checkAim refuses a rule that nothing could ever match: it would never strike, and what it was to prove would seem proved.
func (f *fault) checkAim() string {
	switch {
	case strings.Contains(f.Path, "{") && strings.HasSuffix(f.Path, "*"):
		return "path ends with * or has {id} in it, not both"
	case !f.meetsOperation():
		return "No operation of Stripe's is " + strings.TrimSpace(f.Method+" "+f.Path) + ": the rule would never strike"
	case f.Event != "" && !strings.HasSuffix(f.Event, "*") && !isEventType(f.Event):
		return strconv.Quote(f.Event) + " is no type of Stripe's events: the rule would never strike"
	}
	return ""
}

func (f *fault) checkWhen() string {
	switch {
	case f.Nth < 0 || f.Nth > maxCount:
		return "nth is 1 to 1000000"
	case f.Every < 0 || f.Every > maxCount:
		return "every is 1 to 1000000"
	case f.Times < 0 || f.Times > maxCount:
		return "times is 1 to 1000000"
	case !(f.Probability >= 0 && f.Probability <= 1):
		return "probability is between 0 and 1"
	case !f.From.IsZero() && !f.Until.IsZero() && !f.From.Before(f.Until):
		return "from is before until"
	}
	return ""
}

func (f *fault) checkWhat() string {
	switch {
	case f.AfterEffect && f.Kind != error500 && f.Kind != error502 && f.Kind != slow:
		return "after_effect goes with error_500, error_502 and slow"
	case (f.Kind == slow) != (f.Milliseconds != 0):
		return "milliseconds goes with slow, and slow needs it"
	case f.Milliseconds < 0 || f.Milliseconds > maxSlow.Milliseconds():
		return "milliseconds is at most 60000"
	case f.Seconds < 0 || f.Seconds > int64(maxDelay/time.Second):
		return "seconds is at least 0 and at most ten years"
	case f.Seconds != 0 && f.Kind != delayed && f.Kind != reordered:
		return "seconds goes with delayed and reordered"
	case f.Kind == delayed && f.Seconds == 0:
		return "delayed needs seconds"
	case f.Behind < 0 || f.Behind > maxBehind || f.Behind != 0 && f.Kind != reordered:
		return "behind goes with reordered and is 1 to " + strconv.Itoa(maxBehind)
	case f.Kind == issuerDeclines && declineOf(f.Reason) == nil:
		return "bank_declines needs a reason: " + strings.Join(bankCodes(), ", ")
	case f.Kind == issuerDeclines:
	case f.Reason != "" && (f.Kind != error429 || !slices.Contains(limitReasons, f.Reason)):
		return "reason goes with error_429 and is one of " + strings.Join(limitReasons, ", ")
	}
	return ""
}

// complete fills in what a rule leaves open. One that says nothing of when strikes once.
func (f *fault) complete() {
	if f.Nth == 0 {
		f.Nth = max(f.Every, 1)
	}
	if f.Times == 0 && f.Every == 0 && f.Probability == 0 && f.From.IsZero() && f.Until.IsZero() {
		f.Times = 1
	}
	if f.Kind == reordered {
		f.Behind = max(f.Behind, 1)
		if f.Seconds == 0 {
			f.Seconds = 60
		}
	}
	if f.Kind == error429 && f.Reason == "" {
		f.Reason = endpointRate
	}
}

func (f *fault) isWebhook() bool { return slices.Contains(webhookFaults, f.Kind) }

// spent says whether the rule will never strike again.
func (f *fault) spent(now time.Time) bool {
	return f.Times > 0 && f.Struck >= f.Times || !f.Until.IsZero() && !now.Before(f.Until)
}

// script adds a rule; the lock is held. Rules that are spent make room for it.
func (w *world) script(f *fault) error {
	if len(w.faults) >= maxFaults {
		w.setFaults(slices.DeleteFunc(w.faults, func(f *fault) bool { return f.spent(w.now()) }))
	}
	if len(w.faults) >= maxFaults {
		return badControl("There are " + strconv.Itoa(maxFaults) + " faults already: DELETE some first.")
	}
	f.complete()
	w.ruled++
	f.ID, f.Matched, f.Struck = "fault_"+strconv.Itoa(w.ruled), 0, 0
	w.setFaults(append(w.faults, f))
	return nil
}

// setFaults puts rules in the place of those there are. The lock is held.
func (w *world) setFaults(all []*fault) {
	w.faults = all
	w.armed.Store(len(all) > 0)
}

// turn counts something that the rule is about, and says whether it is the rule's turn.
func (w *world) turn(f *fault) bool {
	if now := w.now(); f.spent(now) || now.Before(f.From) {
		return false
	}
	f.Matched++
	if w.journal != nil { // what has struck once does so once, whatever becomes of the process
		w.journal.line.Rules = w.rules()
	}
	switch {
	case f.Matched < f.Nth:
		return false
	case f.Every > 0 && (f.Matched-f.Nth)%f.Every != 0:
		return false
	}
	return f.Probability == 0 || w.chance() < f.Probability
}

// chance is a random number from 0 to 1. Only rules that need one draw it, so that other worlds keep their random sequence.
func (w *world) chance() float64 { return float64(w.random.Uint64()>>11) / (1 << 53) }

// meets gives the first rule whose turn it is with something. The others whose turn it is too have theirs with the next, unless they
// are about each so many-th or about chance. Rules of kind slow strike beside others: meets gives the sum of what they take.
func (w *world) meets(webhook bool, about func(*fault) bool) (met *fault, before, after time.Duration) {
	for _, f := range w.faults {
		if f.isWebhook() != webhook || !about(f) || !w.turn(f) {
			continue
		}
		switch took := time.Duration(f.Milliseconds) * time.Millisecond; {
		case f.Kind == slow && f.AfterEffect:
			f.Struck++
			after = min(after+took, maxSlow)
		case f.Kind == slow:
			f.Struck++
			before = min(before+took, maxSlow)
		case met == nil:
			f.Struck++
			copied := *f
			met = &copied
		}
	}
	return met, before, after
}

// aboutRequest says whether the rule is about a request with such parameters.
func (f *fault) aboutRequest(r *http.Request, form string) bool {
	if f.Method != "" && f.Method != r.Method || !matchesPath(f.Path, r.URL.Path) {
		return false
	}
	for name, value := range f.Form {
		if !slices.Contains(formValues(form, name), value) {
			return false
		}
	}
	return true
}

// formValues is all values that a form gives a parameter.
func formValues(form, name string) (all []string) {
	for pair := range strings.SplitSeq(form, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		if value, err := url.QueryUnescape(value); err == nil {
			all = append(all, value)
		}
	}
	return all
}

func matchesPath(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	if start, open := strings.CutSuffix(pattern, "*"); open && !strings.Contains(start, "{") {
		return strings.HasPrefix(path, start)
	}
	want, is := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(is) {
		return false
	}
	for i := range want {
		if want[i] != is[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// meetsOperation says whether some operation has such a method and path.
func (f *fault) meetsOperation() bool {
	for _, op := range spec.Ops() {
		if (f.Method == "" || f.Method == op.Method()) && overlaps(f.Path, op.Path()) {
			return true
		}
	}
	return false
}

// overlaps says whether a path of such a form can match a pattern of [matchesPath].
func overlaps(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	want, is := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, segment := range want {
		if i == len(is) {
			return false
		}
		if start, open := strings.CutSuffix(segment, "*"); open && i == len(want)-1 {
			return strings.HasPrefix(is[i], start) || strings.HasPrefix(is[i], "{")
		}
		if segment != is[i] && !strings.HasPrefix(segment, "{") && !strings.HasPrefix(is[i], "{") {
			return false
		}
	}
	return len(want) == len(is)
}

// isEventType says whether a webhook endpoint can ask for such events by name.
func isEventType(name string) bool {
	op, _, _ := spec.Match(http.MethodPost, "/v1/webhook_endpoints")
	_, err := op.Decode(url.Values{"url": {"https://example.com"}, "enabled_events[]": {name}}.Encode())
	return err == nil
}

// rules is what a world does on purpose that no Stripe account does to all: its faults and its rate limits, as plain data.
type rules struct {
	Faults []*fault             `json:"faults,omitempty"`
	Ruled  int                  `json:"ruled,omitempty"`
	Limits rateLimits           `json:"limits"`
	Used   map[string]time.Time `json:"used,omitempty"`
}

func (w *world) rules() *rules {
	return &rules{Faults: w.faults, Ruled: w.ruled, Limits: w.limits, Used: w.used}
}

// obey puts rules in the place of those there are.
func (w *world) obey(r *rules) {
	if r == nil {
		r = &rules{}
	}
	w.setFaults(r.Faults)
	w.ruled, w.limits, w.used = r.Ruled, r.Limits, r.Used
}
