package once_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/once"
)

// run asks a node for a call under a key, as a request would.
func (w *world) run(n *node, key, row string, input any) (string, bool, time.Duration, error) {
	c := call(row, key)
	c.Input = input
	began := time.Now()
	got, replayed, err := n.Run(context.Background(), c, work(row))
	return got, replayed, time.Since(began), err
}

// A repeat waits for the first, on whichever node that runs, and gets its row; another input is refused at once.
func TestARepeatWaitsAndGetsTheFirst(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		a, b := w.nodes[0], w.start()
		w.stripe.prepare("first", plan{sends: script(how{reach: true, charge: true, takes: 6 * time.Second})})
		var all sync.WaitGroup
		all.Go(func() {
			if row, replayed, took, err := w.run(a, "key", "first", "input"); row != "first" || replayed || took != 6*time.Second || err != nil {
				t.Errorf("the first: %q, %v, %v, %v", row, replayed, took, err)
			}
		})
		time.Sleep(time.Second)
		for i, n := range []*node{a, b, a, b} {
			all.Go(func() {
				row, replayed, took, err := w.run(n, "key", fmt.Sprint("again", i), "input")
				if row != "first" || !replayed || err != nil || took < 5*time.Second || took > 5100*time.Millisecond {
					t.Errorf("a repeat: %q, %v, %v, %v", row, replayed, took, err)
				}
			})
			all.Go(func() {
				row, _, took, err := w.run(n, "key", fmt.Sprint("other", i), "other input")
				if f, ok := fault.As(err); !ok || f.Code != fault.IdempotencyKeyReused || f.Kind != fault.Refused || f.Param != "Idempotency-Key" || row != "" || took != 0 {
					t.Errorf("other input: %q after %v, %v", row, took, err)
				}
			})
		}
		all.Wait()
		w.agree("first")
		for _, n := range []*node{a, b} {
			if row, replayed, took, err := w.run(n, "key", "late", "input"); row != "first" || !replayed || took != 0 || err != nil {
				t.Errorf("a repeat after the end: %q, %v, %v, %v", row, replayed, took, err)
			}
		}
		if was := w.stripe.was("first"); was.sent != 1 {
			t.Errorf("sent %d times", was.sent)
		}
		if n, err := db.One(context.Background(), w.db, db.Value[int64], `select count(*) from works`); n != 1 || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

// Keys are their scope's: the same key of another merchant, or of the other mode, is another key.
func TestKeysAreApartByScope(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for i, s := range []db.Scope{{Merchant: "m", Mode: "test"}, {Merchant: "m", Mode: "live"}, {Merchant: "n", Mode: "test"}} {
			c := call(fmt.Sprint("row", i), "key")
			c.Scope, c.Input = s, i
			change := work(c.Row)
			change.Args = []any{s.Merchant, s.Mode, c.Row}
			if row, replayed, err := w.nodes[0].Run(context.Background(), c, change); row != c.Row || replayed || err != nil {
				t.Errorf("%v: %q, %v, %v", s, row, replayed, err)
			}
		}
	})
}

// Nobody waits longer than ten seconds: a caller then finds the call open, and so does a repeat. The call goes on without them.
func TestNobodyWaitsLonger(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.stripe.prepare("row", plan{sends: script(how{reach: true, charge: true, takes: 25 * time.Second})})
		for _, c := range []struct {
			row      string
			replayed bool
		}{{"row", false}, {"again", true}} {
			row, replayed, took, err := w.run(w.nodes[0], "key", c.row, "input")
			if row != "row" || replayed != c.replayed || took != 10*time.Second || err != nil || w.record("row").state != "open" {
				t.Errorf("%q, %v, %v, %v: %+v", row, replayed, took, err, w.record("row"))
			}
		}
		w.settled("row")
		w.agree("row")
	})
}

// A caller that goes away is not waited for, and its call goes on.
func TestACallGoesOnWithoutItsCaller(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.stripe.prepare("row", plan{sends: script(cutAfter)})
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		row, _, err := w.nodes[0].Run(ctx, call("row", "key"), work("row"))
		if row != "row" || err != nil || w.record("row").state != "open" {
			t.Errorf("%q, %v: %+v", row, err, w.record("row"))
		}
		w.settled("row")
		w.agree("row")
	})
}

// A claim whose own guard misses takes nothing: no key, no row, no send.
func TestAClaimIsOneCommit(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		none := db.Change{SQL: `update works set outcome = 'x' where merchant = $1 and mode = $2 and id = 'absent'`, Args: []any{scope.Merchant, scope.Mode}, Rows: 1}
		var moved *db.Moved
		if _, _, err := w.nodes[0].Run(context.Background(), call("row", "key"), work("row"), none); !errors.As(err, &moved) || moved.At != 1 {
			t.Errorf("%v", err)
		}
		if _, _, err := w.nodes[0].Run(context.Background(), call("row", "key"), db.Change{SQL: `insert into absent values (1)`, Rows: 1}); err == nil || db.IsMoved(err) {
			t.Errorf("%v", err)
		}
		for _, table := range []string{"calls", "works"} {
			if n, err := db.One(context.Background(), w.db, db.Value[int64], `select count(*) from `+table); n != 0 || err != nil {
				t.Errorf("%d rows in %s, %v", n, table, err)
			}
		}
		w.do("row") // the key is free
		w.agree("row")
		if was := w.stripe.was("row"); was.sent != 1 {
			t.Errorf("sent %d times", was.sent)
		}
	})
}

// A call that takes long stays with its node: it keeps the lease while it waits for Stripe, and no other node sends.
func TestALongCallKeepsItsLease(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.start()
		w.start()
		w.stripe.prepare("row", plan{sends: script(how{reach: true, charge: true, takes: 75 * time.Second})})
		w.do("row")
		r, took := w.settled("row")
		w.agree("row")
		if was := w.stripe.was("row"); was.sent != 1 || r.takes != 1 || took < time.Minute {
			t.Errorf("sent %d times in %v: %+v", was.sent, took, r)
		}
	})
}

// expire ends the lease of a call, as when its node was stopped for a while and could not keep it.
func (w *world) expire(row string) {
	w.exec(`update calls set lease_until = 0 where merchant = $1 and mode = $2 and row_id = $3`, scope.Merchant, scope.Mode, row)
}

// When two nodes drive the same call, one lost its lease to the other, it still ends once, and by the truth: whoever knows that it was
// done may say so, but that nothing happened is said only by the node that has the call.
func TestTwoNodesAtOneCall(t *testing.T) {
	t.Parallel()
	wait := func(h how, d time.Duration) how { h.takes = d; return h }
	cases := map[string]struct {
		sends   []how
		outcome string
		sent    int
	}{
		"the first is done":                        {script(wait(okay, 30*time.Second)), "charged", 0},
		"the first is refused, the second is done": {script(wait(invalid, 30*time.Second), okay), "charged", 2},
		"the first is refused before the second":   {script(wait(invalid, 20*time.Second), wait(okay, 20*time.Second)), "charged", 2},
		"both are refused":                         {script(wait(invalid, 30*time.Second), times(ages, invalid)), "refused: parameter_missing", 0},
		"the first never reaches Stripe":           {script(wait(dialled, 20*time.Second), wait(okay, 20*time.Second)), "charged", 2},
		"the first is released by the second":      {script(wait(dialled, 20*time.Second), diesAfter, times(ages, dialled)), "charged", 0},
	}
	each(t, func(w *world) {
		a, b := w.nodes[0], w.start()
		b.halt()
		var all sync.WaitGroup
		for name, c := range cases {
			w.stripe.prepare(name, plan{sends: c.sends})
			all.Go(func() { w.do(name) })
		}
		time.Sleep(5 * time.Second)
		a.halt() // a's own recovery would leave a call alone that it is at work on
		w.resume(b)
		for name := range cases {
			w.expire(name)
		}
		all.Wait()
		time.Sleep(2 * time.Minute)
		w.resume(a)
		for name, c := range cases {
			r, _ := w.settled(name)
			w.agree(name)
			if was := w.stripe.was(name); r.outcome != c.outcome || c.sent != 0 && was.sent != c.sent || r.takes < 2 {
				t.Errorf("%s: sent %d times: %+v", name, was.sent, r)
			}
		}
	})
}

// A node that lost a call to another writes nothing more of it: what it knows is no longer all that is known.
func TestWhatAStaleNodeKnowsIsNotWritten(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		a, b := w.nodes[0], w.start()
		b.halt()
		longer := how{answer: dialled.answer, takes: 40 * time.Second}
		w.stripe.prepare("row", plan{sends: script(times(3, dialled), longer, diesAfter, times(ages, dialled))})
		var all sync.WaitGroup
		all.Go(func() { w.do("row") })
		time.Sleep(15 * time.Second) // a is at its last send, which never reaches Stripe: it will release the call as not begun
		a.halt()
		w.expire("row")
		w.resume(b) // b charges, and dies
		time.Sleep(time.Minute)
		if r := w.record("row"); !r.unsure {
			t.Errorf("it may have worked: %+v", r)
		}
		all.Wait()
		w.settled("row")
		w.agree("row")
	})
}

// A node does not take up a call that it is itself at work on.
func TestANodeLeavesItsOwnCallAlone(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.stripe.prepare("row", plan{sends: script(how{reach: true, charge: true, takes: 30 * time.Second})})
		var all sync.WaitGroup
		all.Go(func() { w.do("row") })
		time.Sleep(time.Second)
		w.expire("row")
		all.Wait()
		r, _ := w.settled("row")
		if was := w.stripe.was("row"); was.sent != 1 || r.takes != 1 {
			t.Errorf("sent %d times: %+v", was.sent, r)
		}
	})
}

// A node that was away for long does not begin what is late: it looks, however old the call is, and sends nothing under a key that
// Stripe may have forgotten. What was sent is found by the time of its own send, even where that was long after the claim.
func TestALateCallIsOnlyLookedUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		sends           []how
		down, downAgain time.Duration // after the claim, and after the first recovery
		outcome         string
		sent            int
	}{
		{"charged before", script(diesAfter), 16 * time.Minute, 0, "charged", 1},
		{"charged a day before", script(diesAfter), 25 * time.Hour, 0, "charged", 1},
		{"charged a month before", script(diesAfter), 30 * 24 * time.Hour, 0, "charged", 1},
		{"never sent", script(diesBefore), 25 * time.Hour, 0, "refused: provider_unavailable", 1},
		{"sent again at the last minute", script(diesBefore, diesAfter), 14*time.Minute + 50*time.Second, 25 * time.Hour, "charged", 2},
		{"sent again after it had not begun", script(times(4, dialled), diesAfter), 14 * time.Minute, 25 * time.Hour, "charged", 5},
		{"not begun", script(times(4, dialled)), 16 * time.Minute, 0, "refused: provider_unavailable", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(w *world) {
				n := w.nodes[0]
				w.stripe.prepare("row", plan{sends: c.sends})
				n.halt()
				w.do("row")
				time.Sleep(c.down)
				w.resume(n)
				if c.downAgain > 0 {
					time.Sleep(1500 * time.Millisecond)
					n.halt()
					time.Sleep(c.downAgain)
					w.resume(n)
				}
				r, took := w.settled("row")
				w.agree("row")
				if was := w.stripe.was("row"); r.outcome != c.outcome || was.sent != c.sent || took > time.Minute {
					t.Errorf("%d sends, %d look-ups, %v: %+v", was.sent, was.looked, took, r)
				}
			})
		})
	}
}

// A look-up of more than one bound goes on where it stood, but only one that began late enough to prove absence; and where Stripe no
// longer knows the place it begins anew.
func TestALookUpGoesOn(t *testing.T) {
	t.Parallel()
	fine := how{}
	cases := map[string]struct {
		plan    plan
		outcome string
		looked  int // at least
	}{
		"found on the last of five pages":   {plan{sends: script(cutAfter, times(ages, cutBefore)), pages: 5}, "charged", 5},
		"absent from five pages":            {plan{sends: times(ages, cutBefore), pages: 5}, "refused: provider_unavailable", 5},
		"the place is gone":                 {plan{sends: script(cutAfter, times(ages, cutBefore)), pages: 4, finds: script(fine, fine, missing)}, "charged", 6},
		"a failure in between":              {plan{sends: script(cutAfter, times(ages, cutBefore)), pages: 4, finds: script(fine, gateway, fine, gateway)}, "charged", 6},
		"it began before the charge showed": {plan{sends: script(late, times(ages, reused)), pages: 160}, "charged", 160},
	}
	each(t, func(w *world) {
		var all sync.WaitGroup
		for name, c := range cases {
			w.stripe.prepare(name, c.plan)
			all.Go(func() {
				w.do(name)
				r, _ := w.settled(name)
				w.agree(name)
				if was := w.stripe.was(name); r.outcome != c.outcome || was.looked < c.looked || r.position != "" {
					t.Errorf("%s: %d look-ups: %+v", name, was.looked, r)
				}
			})
		}
		all.Wait()
	})
}

// Close lets calls in flight end. What does not end in time is abandoned: it stays open, and the next start takes it up.
func TestCloseFinishesWork(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		n := w.nodes[0]
		w.stripe.prepare("soon", plan{sends: script(how{reach: true, charge: true, takes: 5 * time.Second})})
		w.stripe.prepare("later", plan{sends: script(cutAfter, times(5, dialled))})
		var all sync.WaitGroup
		for _, row := range []string{"soon", "later"} {
			all.Go(func() { w.do(row) })
		}
		time.Sleep(time.Second)
		n.halt()
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
		defer cancel()
		began := time.Now()
		n.Close(ctx)
		if took := time.Since(began); took > 6100*time.Millisecond {
			t.Errorf("it took %v to close", took)
		}
		all.Wait()
		w.agree("soon")
		if r := w.record("later"); r.state != "open" || !r.unsure || r.takes != 1 {
			t.Errorf("abandoned: %+v", r)
		}

		// What comes after is claimed and left to the next start; nobody waits for it.
		if row, _, took, err := w.run(n, "key", "after", "input"); row != "after" || took != 0 || err != nil || w.stripe.was("after").sent != 0 {
			t.Errorf("after the end: %q, %v, %v", row, took, err)
		}
		if more, err := n.Recovery().Run(context.Background()); more || err != nil {
			t.Errorf("a recovery after the end: %v, %v", more, err)
		}
		w.start()
		for _, row := range []string{"later", "after"} {
			if _, took := w.settled(row); took > time.Minute {
				t.Errorf("%s took %v", row, took)
			}
			w.agree(row)
		}
	})
}

// The recovery has places of its own: however many fresh calls are under way, one whose process died is taken up.
func TestFreshCallsDoNotHoldUpTheRecovery(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.stripe.prepare("dead", plan{sends: script(diesAfter)})
		w.do("dead")
		var all sync.WaitGroup
		for i := range 50 {
			row := fmt.Sprint("fresh", i)
			w.stripe.prepare(row, plan{sends: script(how{reach: true, charge: true, takes: 70 * time.Second})})
			all.Go(func() { w.do(row) })
		}
		if _, took := w.settled("dead"); took > 15*time.Second {
			t.Errorf("it took %v", took)
		}
		all.Wait()
		for i := range 50 {
			w.settled(fmt.Sprint("fresh", i))
			w.agree(fmt.Sprint("fresh", i))
		}
	})
}

// Many calls whose process died are taken up in bounded numbers, and all of them end.
func TestAHerdOfDeadCalls(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		n, before := w.nodes[0], time.Now()
		n.halt()
		for i := range 100 {
			row := fmt.Sprint("row", i)
			w.stripe.prepare(row, plan{sends: script(diesAfter, how{takes: 20 * time.Second, answer: inUse.answer})})
			w.do(row)
		}
		w.resume(n)
		for i := range 100 {
			row := fmt.Sprint("row", i)
			r, _ := w.settled(row)
			w.agree(row)
			if was := w.stripe.was(row); was.sent != 3 || r.takes != 2 {
				t.Errorf("%s: sent %d times: %+v", row, was.sent, r)
			}
		}
		if took := time.Since(before); took > 3*time.Minute || w.stripe.peak > 32 {
			t.Errorf("it took %v, %d at once", took, w.stripe.peak)
		}
	})
}

// A refused call remembers why, and is counted, so that a key made of what a call does can be made anew.
func TestRefusalsAreRemembered(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.stripe.prepare("refused", plan{sends: script(invalid)})
		w.stripe.prepare("open", plan{sends: times(ages, dialled)})
		w.stripe.prepare("revoked", plan{sends: script(strange)})
		for _, row := range []string{"refused", "done", "open", "revoked"} {
			w.do(row)
		}
		for row, want := range map[string]struct {
			code         fault.Code
			param, words string
		}{"refused": {fault.ProviderRefused, "amount", "No: said with invalid_request_error"}, "revoked": {fault.ProviderCredentials, "", "secret key"}} {
			why, err := w.nodes[0].Refusal(context.Background(), scope, once.MerchantKey(row))
			if err != nil || why == nil {
				t.Fatalf("%s: %v, %v", row, why, err)
			}
			if f, _ := fault.As(once.Fault(why, "amount", "No: %s")); f.Code != want.code || f.Param != want.param || !strings.Contains(f.Message, want.words) {
				t.Errorf("%s is told as %v", row, f)
			}
		}
		for row, want := range map[string]struct {
			code  string
			count int64
		}{"refused": {"parameter_missing", 1}, "done": {"", 0}, "open": {"", 0}} {
			why, err := w.nodes[0].Refusal(context.Background(), scope, once.MerchantKey(row))
			code := ""
			if why != nil {
				code = why.Code
			}
			n, failed := once.RefusedBefore(context.Background(), w.db, scope, row, "work.do")
			if err != nil || failed != nil || code != want.code || n != want.count {
				t.Errorf("%s: %v, %v; counted %d, %v", row, why, err, n, failed)
			}
			other := db.Scope{Merchant: "other", Mode: scope.Mode}
			if _, err := w.nodes[0].Refusal(context.Background(), other, once.MerchantKey(row)); !errors.Is(err, db.ErrNone) {
				t.Errorf("another merchant reads %v", err)
			}
			if n, err := once.RefusedBefore(context.Background(), w.db, other, row, "work.do"); n != 0 || err != nil {
				t.Errorf("another merchant counts %d, %v", n, err)
			}
		}
		w.settled("open")
		if why, err := w.nodes[0].Refusal(context.Background(), scope, once.MerchantKey("open")); err != nil || why == nil || why.Code != string(fault.ProviderUnavailable) || why.Message == "" {
			t.Errorf("given up: %v, %v", why, err)
		}
	})
}

// A call whose steps nobody registered stays open and loses nothing: another version of the program may know it.
func TestACallOfAnotherVersion(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		c := call("row", "key")
		c.Name = "work.unheard"
		if _, _, err := w.nodes[0].Run(context.Background(), c, work("row")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if r := w.record("row"); r.state != "open" {
			t.Errorf("%+v", r)
		}
		w.start("work.unheard")
		w.settled("row")
		w.agree("row")
	})
}
