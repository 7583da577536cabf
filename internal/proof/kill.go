package proof

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// The kinds of deaths.
const (
	killed  = "kill"   // at a point of the story
	fresh   = "fresh"  // at a point on the way from an empty database to a service
	twice   = "again"  // at a point, and the process that recovers at another
	moments = "moment" // at two moments that chance has chosen
)

// boundaries are the points at which money could be lost or doubled: whatever else is tried, a death at each of them is, and it is an error
// of the proof where a dry run does not find them. A name that ends in … is the beginning of one.
var boundaries = map[string][]string{
	sqlite: {
		"before sqlite commit of insert calls + insert payments…", "after sqlite commit of insert calls + insert payments…",
		"after stripe write end of POST /v1/payment_intents", "after stripe first byte of the reply to POST /v1/payment_intents", "after stripe whole reply to POST /v1/payment_intents",
		"before sqlite commit of update payments + insert ledger_entries…", "after sqlite commit of update payments + insert ledger_entries…",
		"after stripe write end of POST /v1/refunds", "after stripe whole reply to POST /v1/refunds", "after stripe write end of POST /v1/payment_intents/{id}/capture",
		"after sqlite commit of insert stripe_events", "after webhook write POST /", "after webhook whole reply to POST /",
	},
	postgres: {
		"after postgres write commit of insert calls + insert payments…", "after postgres first byte of the reply to commit of insert calls + insert payments…",
		"after stripe write end of POST /v1/payment_intents", "after stripe first byte of the reply to POST /v1/payment_intents", "after stripe whole reply to POST /v1/payment_intents",
		"after postgres write commit of update payments + insert ledger_entries…", "after postgres first byte of the reply to commit of update payments + insert ledger_entries…",
		"after stripe write end of POST /v1/refunds", "after stripe whole reply to POST /v1/refunds", "after stripe write end of POST /v1/payment_intents/{id}/capture",
		"after webhook write POST /", "after webhook whole reply to POST /",
	},
}

// deaths spreads an engine's runs: the boundaries first, then evenly over all points, with some in a fresh database, in recovery and at
// any moment.
func (m *matrix) deaths(engine string, found points, chance *rand.Rand) (plan []attempt) {
	add := func(kind, detail string) {
		plan = append(plan, attempt{engine, kind, detail, chance.Uint64N(1e6)})
	}
	tenth := max(m.Runs/10, 1)
	for range tenth {
		add(moments, fmt.Sprintf("%dms %dms", chance.IntN(2000), chance.IntN(12_000)))
		add(twice, pick(found.story, chance)+" *:"+fmt.Sprint(1+chance.IntN(800)))
	}
	for _, p := range spread(found.fresh, tenth, chance) {
		add(fresh, p)
	}
	rest := max(m.Runs-3*tenth, 0)
	certain := slices.Clone(boundaries[engine])
	chance.Shuffle(len(certain), func(i, j int) { certain[i], certain[j] = certain[j], certain[i] })
	for _, b := range certain {
		if among := passings(found.story, b); len(among) > 0 && rest > 0 {
			add(killed, pick(among, chance))
			rest--
		}
	}
	for _, p := range spread(found.story, rest, chance) {
		add(killed, p)
	}
	return plan
}

// passings are those of a boundary among all.
func passings(all []string, boundary string) (of []string) {
	for _, p := range all {
		name := p[:strings.LastIndexByte(p, ':')]
		if start, open := strings.CutSuffix(boundary, "…"); name == boundary || open && strings.HasPrefix(name, start) {
			of = append(of, p)
		}
	}
	return of
}

func pick(among []string, chance *rand.Rand) string { return among[chance.IntN(len(among))] }

// spread is n points at even distances, each moved within its distance by chance.
func spread(all []string, n int, chance *rand.Rand) (some []string) {
	for i := range n {
		from, to := i*len(all)/n, (i+1)*len(all)/n
		some = append(some, all[min(from+chance.IntN(max(to-from, 1)), len(all)-1)])
	}
	return some
}

// play lets a trial happen.
func (m *matrix) play(t *trial, a attempt) {
	chance := rand.New(rand.NewPCG(a.seed, 2))
	switch a.kind {
	case killed:
		m.kill(t, a, chance, "TILL_CRASH="+a.detail)
	case twice:
		first, second, _ := strings.Cut(a.detail, " *:")
		m.kill(t, a, chance, "TILL_CRASH="+first, "TILL_CRASH=*:"+second)
	case moments:
		m.killAt(t, a, chance)
	case fresh:
		m.killFresh(t, a)
	default:
		for _, f := range faults {
			if f.name == a.detail {
				f.play(m, t, a, chance)
				return
			}
		}
		t.Fatalf("there is no %s %q", a.kind, a.detail)
	}
}

// kill lets a node die at a point. On PostgreSQL another goes on, and the dead one stays dead every other time.
func (m *matrix) kill(t *trial, a attempt, chance *rand.Rand, deaths ...string) {
	w := m.world(t, a.engine, setting{})
	var again <-chan struct{} = atOnce
	if a.engine == postgres && len(deaths) == 1 && chance.IntN(2) == 0 {
		again = nil
	}
	var envs [][]string
	for _, d := range deaths {
		envs = append(envs, []string{d})
	}
	w.front.favour = chance.IntN(2) == 0 // then it is in the midst of everything, and the other node stands by
	n := m.runs(w, t, "a", again, envs...)
	if a.engine == postgres {
		if w.front.favour {
			<-n.up // and it has the leases of all tasks
		}
		m.runs(w, t, "b", atOnce)
	}
	s := begin(w, t, a.seed, false)
	s.awaitDeaths(n, len(deaths))
	s.finish()
}

// awaitDeaths waits until a node has died so often by its points. What happens in the background may pass fewer points than it did in the
// dry run: a process that has nothing more to do, and has not died, is killed where it stands.
func (s *story) awaitDeaths(n *node, times int) {
	for s.t.pause(100*time.Millisecond) && n.died() < times {
		select {
		case <-s.ended:
			if s.still() && n.died() < times {
				s.t.missed = true
				n.kill()
			}
		default:
		}
	}
}

// killAt kills a node at two moments.
func (m *matrix) killAt(t *trial, a attempt, _ *rand.Rand) {
	w := m.world(t, a.engine, setting{})
	n := m.runs(w, t, "a", atOnce)
	if a.engine == postgres {
		m.runs(w, t, "b", atOnce)
	}
	s := begin(w, t, a.seed, false)
	for at := range strings.FieldsSeq(a.detail) {
		d, err := time.ParseDuration(at)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if t.pause(d) {
			n.kill()
		}
	}
	s.finish()
}

// killFresh lets a till die on its way from nothing to a service, on PostgreSQL beside another that starts with it.
func (m *matrix) killFresh(t *trial, a attempt) {
	w := m.world(t, a.engine, setting{fresh: true})
	n := m.runs(w, t, "a", atOnce, []string{"TILL_CRASH=" + a.detail})
	if a.engine == postgres {
		m.runs(w, t, "b", atOnce)
	}
	<-n.up
	m.setUp(w, t)
	s := begin(w, t, a.seed, false)
	s.awaitDeaths(n, 1)
	s.finish()
}

// setUp makes the merchant by the command and the API, as an operator does who tries again what failed.
func (m *matrix) setUp(w *world, t *trial) {
	for w.key == "" {
		c := exec.CommandContext(t.Context(), m.program, "key", "create", "--merchant", "Shop", "--db", w.url, "--master-key-file", w.masterKey)
		out, err := c.Output()
		if w.key = strings.TrimSpace(string(out)); err != nil {
			if w.key = ""; !t.pause(200 * time.Millisecond) {
				t.found(stuck, "no API key can be made: %v", err)
				t.end()
			}
		}
	}
	w.settle(func(method, path string, body any) map[string]any {
		for {
			a, err := w.ask(w.front.URL, method, path, "", body)
			if err == nil && a.status == 200 {
				return a.data
			}
			if !t.pause(200 * time.Millisecond) {
				t.found(stuck, "%s %s: %d %s, %v", method, path, a.status, a.body, err)
				t.end()
			}
		}
	})
}
