package once

import (
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/stripe"
)

// Whatever stands between till and Stripe answers, the trail can be written: it is part of the settling.
func TestTheTrailTakesAnyWord(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := Call{Scope: db.Scope{Merchant: "m", Mode: "test"}, Key: "k"}
		for i, word := range []string{"card_declined", "a\x00b", "\xff\xfe", strings.Repeat("ü", 5000), "'; drop table calls; --", ""} {
			e := entry{id: sendID(int64(i + 1)), Attempt: Attempt{At: time.Now(), Kind: "send", Answer: "answered"}}
			e = e.heard(&stripe.Reply{}, &stripe.Error{Status: 400, Code: word, RequestID: word})
			if err := d.Write(t.Context(), e.keep(c)); err != nil {
				t.Errorf("%.20q: %v", word, err)
			}
		}
		lines, err := db.All(t.Context(), d, scanEntry, `select id, kind, at, took_us, outcome, status_code, code, stripe_request, request_id from call_attempts order by id`)
		if err != nil || len(lines) != 6 || lines[0].Code != "card_declined" || lines[1].Code != "a?b" || len([]rune(lines[3].Code)) != 100 {
			t.Errorf("%+v, %v", lines, err)
		}
	})
}

// A call that was closed by a till that kept no trail yet is not told as one whose process died.
func TestATrailFromBeforeThereWasOne(t *testing.T) {
	t.Parallel()
	machine := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	line := func(kind, answer string) entry { return entry{id: "l", Attempt: Attempt{Kind: kind, Answer: answer}} }
	for _, c := range []struct {
		state string
		lines []entry
		want  string
	}{
		{done, nil, "not_kept"},
		{refused, nil, "not_kept"},
		{done, []entry{line("repeat", "replayed")}, "not_kept"}, // asked for again since
		{done, []entry{line("look_up", "found")}, "none"},
		{open, nil, "none"},
	} {
		of := over{stored: stored{Call{Attempts: 1, lease: machine}, c.state}}
		answer := ""
		for _, a := range of.told(c.lines, machine) {
			if a.Kind == "send" {
				answer = a.Answer
			}
		}
		if answer != c.want {
			t.Errorf("%s with %+v: the send is told as %q, want %q", c.state, c.lines, answer, c.want)
		}
	}
}
