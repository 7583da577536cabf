package message

import (
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
)

// A node that dies between its claim and its word leaves a message that was perhaps sent: it is not sent again.
func TestANodeThatDies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
		at := clock.NewFake(now)
		s := &Messages{DB: d, Clock: at}
		m := Message{ID: id.New(), scope: db.Scope{Merchant: "m", Mode: "test"}, PaymentID: "p", Template: "another_card", To: "jane@example.com", State: Queued,
			Figures: map[string]string{}, CreatedAt: now, dueAt: now}
		if err := d.Write(t.Context(), insert(m), claim(m, now.Add(lease))); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(t.Context(), claim(m, now.Add(lease))); !db.IsMoved(err) {
			t.Fatalf("it was claimed twice: %v", err)
		}
		for _, want := range []State{Sending, Unknown} {
			if _, err := s.Send(t.Context()); err != nil { // there is no mail server that it could ask
				t.Fatal(err)
			}
			if is, err := s.find(t.Context(), m.scope, m.ID); err != nil || is.State != want {
				t.Errorf("it is %s, want %s: %v", is.State, want, err)
			}
			at.Advance(2 * lease)
		}
	})
}

// A figure that is not there leaves no gap, and nothing that was given is filled in a second time.
func TestFill(t *testing.T) {
	t.Parallel()
	for _, tpl := range templates {
		bare := fill(tpl.body, map[string]string{"amount": "5.00", "currency": "EUR", "merchant": "Shop", "retry_on": map[bool]string{true: "Friday"}[tpl.name == retryLater]})
		for _, wrong := range []string{"{", "}", "  ", " ,", " .", ":\n\n"} {
			if strings.Contains(bare, wrong) {
				t.Errorf("%s has %q:\n%s", tpl.name, wrong, bare)
			}
		}
	}
	if got := fill("Hello {customer}", map[string]string{"customer": "{merchant}", "merchant": "Shop"}); got != "Hello {merchant}" {
		t.Errorf("%q", got)
	}
}
