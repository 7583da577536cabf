package proof

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
)

// finish waits for the end of the story and of all that it has set off, and judges.
func (s *story) finish() {
	s.wait()
	const look, passes = 200 * time.Millisecond, 3 * time.Second
	began, n, soon := time.Now(), 0, false
	for quiet := 0; quiet < 2; {
		switch still := s.still(); {
		case !still:
			quiet = 0
		case !soon: // what Stripe would tell in a second is told now
			s.advance(10 * time.Second)
			soon = true
		default:
			quiet++
		}
		if !s.t.pause(look) {
			break // the judge says what is open
		}
		if time.Since(began) > passes {
			s.timePasses(n)
			began, n = time.Now(), n+1
		}
	}
	// The judge has a time of its own.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.ctx), time.Minute)
	defer cancel()
	s.t.ctx = ctx
	s.judge()
}

// still says whether nothing is under way, and everything has ended that only a webhook or a sweep can end.
func (s *story) still() bool {
	if now, later := s.outstanding(); now+later > 0 {
		return false
	}
	if calls, events := s.unfinished(); calls+events > 0 {
		return false
	}
	for _, o := range s.orders {
		if o.name == "at the bank" && len(o.ends) == 1 && o.ends[0] == "completed" {
			a, err := s.ask(s.front.URL, "GET", "/v1/payments/"+o.id, "", nil)
			if err != nil || text(a.data, "status") != "completed" {
				return false
			}
		}
	}
	return !s.clock || s.count(`select count(*) from payments where status = 'pending' and resolve_by < $1`, s.now().UnixMicro()) == 0
}

// now is the time that till lives in.
func (s *story) now() time.Time {
	if !s.clock {
		return time.Now().UTC()
	}
	var clock struct{ Now time.Time }
	s.box("GET", "/_sandbox/clock", nil, &clock)
	return clock.Now
}

// timePasses for what is waited for alone: the minute for which a dead process had taken an event; Stripe's next try to deliver; and where
// till lives in the sandbox's time, its own schedules. Leases of calls, tasks and deliveries end by themselves. While a call is open, Stripe's
// clock and till's must stay together, for the call may have to be looked up by its time.
func (s *story) timePasses(n int) {
	calls, _ := s.unfinished()
	if calls > 0 {
		return
	}
	if err := s.db.Tx(s.t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(s.t.Context(), `update stripe_events set due_at = due_at - $1 where due_at is not null`, time.Minute.Microseconds())
		return err
	}); err != nil {
		s.t.Fatalf("%v", err)
	}
	if _, later := s.outstanding(); later > 0 || s.clock {
		s.advance(s.steps[min(n, len(s.steps)-1)])
	}
}

// evidence puts into the report what Stripe was asked, and the rows of till's that tell of it.
func (s *story) evidence() {
	if !s.t.Failed() && !s.t.all {
		return
	}
	var log struct {
		Requests []struct {
			Method, Path, Code string
			Status             int
			Key                string `json:"idempotency_key"`
		}
	}
	s.box("GET", "/_sandbox/requests", nil, &log)
	text := "what Stripe was asked:"
	for _, r := range log.Requests {
		text += fmt.Sprintf("\n%s %s %d %s %s", r.Method, r.Path, r.Status, r.Key, r.Code)
	}
	s.t.Logf("%s", text)
	for what, sql := range map[string]string{
		"calls":         `select name || ' ' || row_id || ' ' || state || ' attempts ' || attempts || ' takes ' || takes || ' ' || error from calls`,
		"payments":      `select id || ' ' || status || ' ' || provider_ref || ' captured ' || captured || ' refunding ' || refunding || ' refunded ' || refunded from payments`,
		"events":        `select type || ' ' || object from events order by created_at, id`,
		"stripe_events": `select id || ' ' || type || ' ' || object || ' attempts ' || attempts || ' ' || error from stripe_events`,
		"deliveries":    `select seq || ' ' || type || ' ' || status || ' attempts ' || attempts from deliveries order by seq`,
	} {
		rows, err := db.All(context.Background(), s.db, db.Value[string], sql)
		s.t.Logf("%s: %v\n%s", what, err, strings.Join(rows, "\n"))
	}
}
