package once_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db/dbtest"
)

// history is what goes wrong around some calls: with Stripe, with their processes, with the nodes and their leases.
type history struct {
	plans  []plan
	begins []time.Duration // when each call is asked for
	shocks []shock
}

// shock is what happens to a node, or to a lease.
type shock struct {
	at   time.Duration
	kind string        // "halt": the node is away; "halt both"; "expire": a call's lease is lost; "leap": the clock is set forward
	node int           // of two
	call int           // whose lease
	away time.Duration // of a halt or a leap
}

func (s shock) String() string {
	return fmt.Sprintf("%v: %s node %d call %d for %v", s.at, s.kind, s.node, s.call, s.away)
}

func (h history) String() string {
	var b strings.Builder
	for i, p := range h.plans {
		fmt.Fprintf(&b, "call %d at %v, %d pages:", i, h.begins[i], p.pages)
		for _, s := range p.sends {
			fmt.Fprintf(&b, " %s;", s.name)
		}
		fmt.Fprintf(&b, " looks:")
		for _, s := range p.finds {
			fmt.Fprintf(&b, " %s;", s.name)
		}
		b.WriteString("\n")
	}
	for _, s := range h.shocks {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

var (
	anySend = []how{okay, slow, decline, invalid, stored400, forbidden, missing, strange, limited, barred, locked, dialled, cutBefore, cutAfter, cutDecline, late, failed, failedAfter,
		failedFinal, failedCut, gateway, inUse, reused, diesBefore, diesAfter, diesSettle, panicking, ourOwn}
	anyFind = []how{{name: "fine"}, gateway, noWord, missing, strange, limited}
	noWord  = how{name: "no answer", answer: noAnswer}
)

// drawRun is a few times the same word: four of the first sends make a node give up for the moment.
func drawRun(t *rapid.T) []how {
	return times(rapid.SampledFrom([]int{1, 1, 1, 2, 4, 30}).Draw(t, "times"), rapid.SampledFrom(anySend).Draw(t, "send"))
}

func drawHistory(t *rapid.T, kinds ...string) (h history) {
	calls := rapid.IntRange(1, 6).Draw(t, "calls")
	offsets := func(most time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.Int64Range(0, int64(most/time.Millisecond)), func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond })
	}
	for range calls {
		h.plans = append(h.plans, plan{
			sends: slices.Concat(rapid.SliceOfN(rapid.Custom(drawRun), 0, 8).Draw(t, "sends")...),
			finds: rapid.SliceOfN(rapid.SampledFrom(anyFind), 0, 4).Draw(t, "finds"),
			pages: rapid.IntRange(0, 4).Draw(t, "pages"),
		})
		h.begins = append(h.begins, offsets(20*time.Second).Draw(t, "begins"))
	}
	for range rapid.IntRange(0, 6).Draw(t, "shocks") {
		h.shocks = append(h.shocks, shock{
			at:   offsets(2*time.Minute).Draw(t, "at"),
			kind: rapid.SampledFrom(append(kinds, "halt", "halt both", "expire")).Draw(t, "kind"),
			node: rapid.IntRange(0, 1).Draw(t, "node"),
			call: rapid.IntRange(0, calls-1).Draw(t, "call"),
			away: rapid.SampledFrom([]time.Duration{5 * time.Second, time.Minute, 14 * time.Minute, 20 * time.Minute, 25 * time.Hour}).Draw(t, "away"),
		})
	}
	slices.SortFunc(h.shocks, func(a, b shock) int { return int(a.at - b.at) })
	return h
}

// live plays a history in a world with two nodes, and says what is wrong in the end: every call has ended two hours after the last
// node came back, and Stripe has what its ending says.
func (h history) live(w *world) (wrong string) {
	w.exec(`delete from calls`)
	w.exec(`delete from works`)
	w.start()
	began := time.Now()
	var all sync.WaitGroup
	for i, p := range h.plans {
		w.stripe.prepare(row(i), plan{sends: slices.Clone(p.sends), finds: slices.Clone(p.finds), pages: p.pages})
		all.Go(func() {
			time.Sleep(h.begins[i])
			w.do(row(i))
		})
	}
	until := [2]time.Duration{} // how long each node is away
	for _, s := range h.shocks {
		time.Sleep(time.Until(began.Add(s.at)))
		switch s.kind {
		case "expire":
			w.expire(row(s.call))
			continue
		case "leap":
			w.leap(s.away)
			continue
		}
		for i, n := range w.nodes {
			if i != s.node && s.kind == "halt" {
				continue
			}
			if n.up {
				n.halt()
			}
			until[i] = max(until[i], s.at+s.away)
		}
	}
	all.Wait()
	first := 0
	if until[1] < until[0] {
		first = 1
	}
	for _, i := range []int{first, 1 - first} {
		time.Sleep(time.Until(began.Add(until[i])))
		w.resume(w.nodes[i])
	}
	if clock.Leaps(w.clock) {
		w.leap(time.Hour) // by a clock that is frozen no call is ever given up
	}
	for i := range h.plans {
		deadline := time.Now().Add(2 * time.Hour)
		for w.record(row(i)).state == "open" && time.Now().Before(deadline) {
			time.Sleep(30 * time.Second)
		}
		if d := w.disagreement(row(i)); d != "" {
			wrong += fmt.Sprintf("call %d: %s\n", i, d)
		}
	}
	return wrong
}

// leap sets the clock forward, at the rate that it has.
func (w *world) leap(by time.Duration) {
	f := w.clock.(*following)
	f.Set(f.Now().Add(by), f.rate)
}

// following is a clock that follows a sandbox's, and its rate.
type following struct {
	clock.Followed
	rate int64
}

func row(i int) string { return fmt.Sprint("row", i) }

// Whatever goes wrong, and in whatever order: Stripe charges at most once, every call ends when Stripe can be reached again, it is
// settled once, and its ending is what Stripe has.
func TestWhateverHappensACallHappensOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		rapid.Check(t, func(rt *rapid.T) {
			h := drawHistory(rt)
			var wrong string
			inWorld(t, url, func(w *world) { wrong = h.live(w) })
			if wrong != "" {
				rt.Fatalf("%s\n%s", wrong, h)
			}
		})
	})
}

// The same in the time of a sandbox, which leaps while calls are under way, stands still or runs fast: Stripe forgets a key a day later by
// that clock, but what is on its way takes its time by the machine's.
func TestWhateverTheClockDoesACallHappensOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		rapid.Check(t, func(rt *rapid.T) {
			h := drawHistory(rt, "leap", "leap", "leap")
			rate := rapid.SampledFrom([]int64{0, 1, 60, clock.MostRate}).Draw(rt, "rate")
			var wrong string
			f := &following{rate: rate}
			inTime(t, url, f, func(w *world) {
				f.Set(time.Now(), rate)
				wrong = h.live(w)
			})
			if wrong != "" {
				rt.Fatalf("rate %d: %s\n%s", rate, wrong, h)
			}
		})
	})
}
