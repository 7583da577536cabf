package once_test

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// times is a script of the same word n times.
func times(n int, h how) []how { return slices.Repeat([]how{h}, n) }

func script(parts ...any) (s []how) {
	for _, p := range parts {
		switch p := p.(type) {
		case how:
			s = append(s, p)
		case []how:
			s = append(s, p...)
		}
	}
	return s
}

const ages = 200 // of one word: longer than any call is tried

// What Stripe does, and what becomes of the call: the outcome, how often Stripe was asked, and how long it took at least and at most.
var fates = []struct {
	name         string
	sends, finds []how
	outcome      string
	sent         int // 0: any number
	least, most  time.Duration
}{
	{"it goes well", script(okay), nil, "charged", 1, 0, 0},
	{"it takes long", script(slow), nil, "charged", 1, 10 * time.Second, 11 * time.Second},
	{"a decline", script(decline), nil, "declined", 1, 0, 0},
	{"refused", script(invalid), nil, "refused: parameter_missing", 1, 0, 0},
	{"refused in its execution", script(stored400), nil, "refused: charge_already_refunded", 1, 0, 0},
	{"forbidden", script(forbidden), nil, "refused: ", 1, 0, 0},
	{"missing", script(missing), nil, "refused: resource_missing", 1, 0, 0},
	{"unknown key", script(strange), nil, "refused: ", 1, 0, 0},
	{"limited and not to come back", script(barred), nil, "refused: rate_limit", 1, 0, 0},

	{"limited, then well", script(limited, locked), nil, "charged", 3, 0, 0},
	{"no connection, then well", script(dialled, dialled, dialled), nil, "charged", 4, 0, 0},
	{"no connection for a while", script(times(6, dialled)), nil, "charged", 7, 0, time.Minute},
	{"no connection at all", times(ages, dialled), nil, "refused: provider_unavailable", 0, 14 * time.Minute, 26 * time.Minute},
	{"limited at all times", times(ages, limited), nil, "refused: provider_unavailable", 0, 14 * time.Minute, 26 * time.Minute},
	{"no connection, then refused", script(dialled, limited, invalid), nil, "refused: parameter_missing", 3, 0, 0},
	{"no connection, then a decline", script(dialled, decline), nil, "declined", 2, 0, 0},

	{"cut before anything", script(cutBefore), nil, "charged", 2, 0, 0},
	{"cut after the charge", script(cutAfter), nil, "charged", 2, 0, 0},
	{"a decline cut", script(cutDecline), nil, "declined", 2, 0, 0},
	{"cut again and again", script(cutAfter, times(3, cutBefore)), nil, "charged", 5, 0, 10 * time.Second},
	{"cut, then no connection", script(cutAfter, times(3, dialled)), nil, "charged", 5, 0, 10 * time.Second},
	{"in use by the first, which ends", script(late), nil, "charged", 0, time.Minute, 5 * time.Minute},
	{"in use, nobody knows why", script(times(3, inUse)), nil, "charged", 4, 0, 0},
	{"our own trouble", script(ourOwn), nil, "charged", 2, 0, 0},
	{"a panic", script(panicking), nil, "charged", 2, 0, 10 * time.Second},

	// Stripe's own failures: the second of the same is looked up.
	{"500 and nothing happened", script(failed), nil, "refused: ", 2, 0, 0},
	{"500 after the charge", script(failedAfter), nil, "charged", 2, 0, 0},
	{"500 that forbids the repeat", script(failedFinal), nil, "refused: ", 1, 0, 0},
	{"500, cut, and nothing happened", script(failedCut), nil, "refused: ", 2, 0, 0},
	{"500 after the charge, and the look-up fails", script(failedAfter), times(3, gateway), "charged", 0, 0, time.Minute},
	{"a gateway's failure, then well", script(gateway), nil, "charged", 2, 0, 0},
	{"two of a gateway's failures", script(gateway, gateway), nil, "charged", 3, 0, 10 * time.Second},
	{"a gateway's failures at all times", times(ages, gateway), nil, "refused: provider_unavailable", 0, 15 * time.Minute, 40 * time.Minute},
	{"the charge, then a gateway's failures at all times", script(cutAfter, times(ages, gateway)), nil, "charged", 0, 0, time.Minute},
	{"the key was used otherwise, after the charge", script(cutAfter, reused), nil, "charged", 2, 0, 0},
	{"the key was used otherwise, nobody knows how", times(ages, reused), nil, "refused: provider_unavailable", 0, 15 * time.Minute, 40 * time.Minute},

	// Once unknown, a refusal settles nothing: the first may be on its way. Only when it cannot be any more, absence is an answer.
	{"cut, then refused", script(cutBefore, times(ages, invalid)), nil, "refused: parameter_missing", 0, 5 * time.Minute, 15 * time.Minute},
	{"cut, then the key is revoked", script(cutBefore, times(ages, strange)), nil, "refused: ", 0, 5 * time.Minute, 15 * time.Minute},
	{"the charge on its way, refused meanwhile", script(late, times(ages, forbidden)), nil, "charged", 0, 0, 5 * time.Minute},
	{"the charge on its way, limited for good meanwhile", script(late, times(ages, barred)), nil, "charged", 0, 0, 5 * time.Minute},
	{"cut after the charge, then refused", script(cutAfter, times(ages, missing)), nil, "charged", 2, 0, 0},
	{"refused with what was stored", script(how{reach: true, silent: true, answer: stored400.answer}, stored400), nil, "refused: charge_already_refunded", 2, 0, 0},
	{"no word at all, and nothing happened", times(ages, cutBefore), nil, "refused: provider_unavailable", 0, 15 * time.Minute, 40 * time.Minute},
	{"no word at all, and it was charged", script(cutAfter, times(ages, cutBefore)), nil, "charged", 0, 14 * time.Minute, 26 * time.Minute},
	{"no word at all, and it was charged at the last", script(times(6, cutBefore), cutAfter, times(ages, cutBefore)), nil, "charged", 0, 14 * time.Minute, 26 * time.Minute},
	{"no word, not even to the look-up, for an hour", script(cutAfter, times(ages, cutBefore)), times(9, gateway), "charged", 0, 15 * time.Minute, 3 * time.Hour},

	// The process dies.
	{"dies before the send", script(diesBefore), nil, "charged", 2, 0, 12 * time.Second},
	{"dies after the charge", script(diesAfter), nil, "charged", 2, 0, 12 * time.Second},
	{"dies before it settles", script(diesSettle), nil, "charged", 2, 0, 12 * time.Second},
	{"dies again and again", script(times(5, diesBefore), diesAfter, times(5, diesSettle)), nil, "charged", 12, 0, 3 * time.Minute},
	{"dies, then refused", script(diesBefore, times(ages, invalid)), nil, "refused: parameter_missing", 0, 5 * time.Minute, 15 * time.Minute},
	{"dies when it is sent anew", script(times(4, dialled), diesAfter, times(ages, dialled)), nil, "charged", 0, 14 * time.Minute, 26 * time.Minute},
}

// All of them run at once, on one node.
func TestWhatBecomesOfACall(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var all sync.WaitGroup
		for _, c := range fates {
			w.stripe.prepare(c.name, plan{sends: slices.Clone(c.sends), finds: slices.Clone(c.finds)})
			all.Go(func() {
				began := time.Now()
				w.do(c.name)
				if took := time.Since(began); took > 10*time.Second {
					w.t.Errorf("%s: the caller waited %v", c.name, took)
				}
				r, took := w.settled(c.name)
				w.agree(c.name)
				was := w.stripe.was(c.name)
				if r.outcome != c.outcome || c.sent > 0 && was.sent != c.sent || took < c.least || took > c.most {
					w.t.Errorf("%s: %q after %d sends, %d look-ups and %v: %+v", c.name, r.outcome, was.sent, was.looked, took, r)
				}
				if r.state == "done" && r.attempts < int64(was.sent) || r.attempts > int64(was.sent)+1 {
					w.t.Errorf("%s: %d sends, written down as %d", c.name, was.sent, r.attempts)
				}
			})
		}
		all.Wait()
	})
}
