package once_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// trail is the audit trail of a row, each line as "kind answer".
func (w *world) trail(row string) (lines []string) {
	w.t.Helper()
	all, err := w.nodes[0].Attempts(context.Background(), scope, row)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all {
		lines = append(lines, fmt.Sprint(a.Kind, " ", a.Answer))
		if a.At.IsZero() || a.Call != "work.do" || a.ProviderKey != "till-"+row+"-do" {
			w.t.Errorf("%+v", a)
		}
	}
	return lines
}

// What the trail shows of each way that a call can go; a send whose process died shows as one that got no answer.
func TestTheTrail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sends []how
		want  string
	}{
		"charged":                      {script(okay), "send answered"},
		"declined":                     {script(decline), "send answered"},
		"refused":                      {script(invalid), "send refused"},
		"another's key":                {script(strange), "send bad_credentials"},
		"cut and sent again":           {script(cutAfter, okay), "send unknown, send answered"},
		"dead before the send":         {script(diesBefore, okay), "send none, send answered"},
		"dead after the charge":        {script(diesAfter, okay), "send none, send answered"},
		"dead before it settles":       {script(diesSettle, okay), "send none, send answered"},
		"cut, and dead at the second":  {script(cutAfter, diesAfter, okay), "send unknown, send none, send answered"},
		"panicking":                    {script(panicking, okay), "send none, send answered"},
		"refused after an unknown":     {script(cutBefore, invalid), "send unknown, send refused, look_up absent, send answered"}, // too early to prove an absence
		"given up, and taken up again": {script(times(4, dialled), okay), "send not_executed, send not_executed, send not_executed, send not_executed, send answered"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			each(t, func(w *world) {
				w.stripe.prepare("row", plan{sends: c.sends})
				w.do("row")
				w.settled("row")
				w.agree("row")
				got := w.trail("row")
				if is, want := strings.Join(got, ", "), "request claimed, "+c.want; is != want {
					t.Errorf("the trail is\n  %s\nwant\n  %s", is, want)
				}
			})
		})
	}
}

// While a send waits for its answer it is under way; when its node has died and its lease ended, it got none.
func TestTheTrailOfAnOpenCall(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.stripe.prepare("row", plan{sends: script(how{reach: true, charge: true, takes: 25 * time.Second})})
		w.do("row") // returns after ten seconds
		if got := strings.Join(w.trail("row"), ", "); got != "request claimed, send under_way" {
			t.Error(got)
		}
		w.settled("row")
		if got := strings.Join(w.trail("row"), ", "); got != "request claimed, send answered" {
			t.Error(got)
		}
		w.nodes[0].halt()
		w.stripe.prepare("dead", plan{sends: script(diesAfter)})
		w.do("dead")
		if got := strings.Join(w.trail("dead"), ", "); got != "request claimed, send none" && got != "request claimed, send under_way" {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		if got := strings.Join(w.trail("dead"), ", "); got != "request claimed, send none" {
			t.Error(got)
		}
		w.resume(w.nodes[0])
		w.settled("dead")
		if got := strings.Join(w.trail("dead"), ", "); got != "request claimed, send none, send answered" {
			t.Error(got)
		}
	})
}
