package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/outbox"
)

func TestDelivery(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		r := receive(t).takes(n, scope)
		told := n.tell(scope, "payment.completed", 3)
		n.clock.Advance(time.Minute)
		n.deliver()
		bySequence := map[int64]message{}
		for _, m := range r.messages() {
			bySequence[m.Sequence] = m
		}
		if len(bySequence) != 3 || len(r.messages()) != 3 {
			t.Fatalf("received %v", r.messages())
		}
		for i, e := range told {
			m := bySequence[int64(i)+1]
			if m.ID != e.ID || m.Type != "payment.completed" || !m.Timestamp.Equal(start) || m.Data["n"] != float64(i) || m.Data["text"] != "ü & <b>" {
				t.Errorf("event %d arrived as %+v", i, m)
			}
		}
		for i, v := range n.list(scope) { // newest first
			if v.Status != outbox.Succeeded || v.Attempts != 1 || v.NextAttemptAt != nil || v.EndedAt == nil || v.LastStatusCode != 200 || v.LastError != "" ||
				v.EventID != bySequence[v.Sequence].ID || v.Type != "payment.completed" || len(v.Log) != 1 || !v.Log[0].StartedAt.Equal(start.Add(time.Minute)) {
				t.Errorf("delivery %d reads %+v", i, v)
			}
		}
	})
}

// wait is how long it is until a delivery is made again.
func wait(t *testing.T, n *node, v outbox.Delivery) time.Duration {
	t.Helper()
	if v.NextAttemptAt == nil {
		t.Fatalf("%+v is not made again", v)
	}
	return v.NextAttemptAt.Sub(n.clock.Now())
}

// schedule is what Standard Webhooks recommends, written down a second time.
var schedule = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

func TestFailureThenSuccess(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		answers := []int{500, 302, 404, 204}
		r := receive(t, answers...).takes(n, scope)
		n.tell(scope, "payment.completed", 1)
		for i, code := range answers[:3] {
			n.deliver()
			v := n.only(scope)
			if v.Status != outbox.Pending || v.Attempts != int64(i)+1 || v.EndedAt != nil || v.LastStatusCode != int64(code) || !strings.Contains(v.LastError, itoa(int64(code))) {
				t.Fatalf("after attempt %d: %+v", i+1, v)
			}
			until := wait(t, n, v)
			if until < schedule[i] || until > schedule[i]*11/10 {
				t.Errorf("attempt %d is due in %v, not in %v and a little", i+2, until, schedule[i])
			}
			n.clock.Advance(until - time.Microsecond)
			n.deliver()
			if len(r.messages()) != i+1 {
				t.Fatalf("attempt %d was made before it was due", i+2)
			}
			n.clock.Advance(time.Microsecond)
		}
		n.deliver()
		v := n.only(scope)
		if v.Status != outbox.Succeeded || v.Attempts != 4 || v.NextAttemptAt != nil || v.LastStatusCode != 204 || v.LastError != "" || v.Sequence != 1 || len(r.messages()) != 4 {
			t.Errorf("in the end: %+v, %d received", v, len(r.messages()))
		}
		for i, a := range v.Log {
			if a.Number != int64(i)+1 || a.StatusCode != int64(answers[i]) || (a.Error == "") != (i == 3) || a.StartedAt.Before(start) {
				t.Errorf("attempt %d is logged as %+v", i+1, a)
			}
		}
	})
}

func TestScheduleEndsAndRedeliveryBeginsItAnew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		r := receive(t, 500).takes(n, scope)
		n.tell(scope, "payment.completed", 1)
		first := n.only(scope)
		for range schedule {
			n.deliver()
			n.clock.Advance(wait(t, n, n.only(scope)))
		}
		n.deliver()
		v := n.only(scope)
		if v.Status != outbox.Failed || v.Attempts != 10 || v.NextAttemptAt != nil || v.EndedAt == nil || len(r.messages()) != 10 {
			t.Fatalf("after the last attempt: %+v", v)
		}
		if took := n.clock.Now().Sub(start); took < 75*time.Hour || took > 84*time.Hour {
			t.Errorf("the schedule took %v", took)
		}
		n.clock.Advance(30 * 24 * time.Hour)
		n.deliver()
		if len(r.messages()) != 10 {
			t.Error("a failed delivery was made again by itself")
		}

		v, err := n.Redeliver(ctx, scope, first.ID)
		if err != nil || v.Status != outbox.Pending || v.EndedAt != nil || wait(t, n, v) != 0 {
			t.Fatalf("asked for again: %+v (%v)", v, err)
		}
		n.deliver()
		v = n.only(scope)
		if until := wait(t, n, v); v.Attempts != 11 || until < schedule[0] || until > schedule[0]*11/10 {
			t.Errorf("a redelivery that failed is due in %v: the schedule did not begin anew: %+v", until, v)
		}

		// One that is pending is due now, and keeps its place in the schedule.
		r.mu.Lock()
		r.answer = []int{500, 200}
		r.mu.Unlock()
		if v, err = n.Redeliver(ctx, scope, first.ID); err != nil || wait(t, n, v) != 0 {
			t.Fatalf("a pending one asked for again: %+v (%v)", v, err)
		}
		n.deliver()
		if until := wait(t, n, n.only(scope)); until < schedule[1] || until > schedule[1]*11/10 {
			t.Errorf("a pending one lost its place in the schedule: due in %v", until)
		}
		_, _ = n.Redeliver(ctx, scope, first.ID)
		n.deliver()

		// One that succeeded can be had once more too.
		if v = n.only(scope); v.Status != outbox.Succeeded || v.Attempts != 13 {
			t.Fatalf("after a success: %+v", v)
		}
		if _, err = n.Redeliver(ctx, scope, first.ID); err != nil {
			t.Fatal(err)
		}
		n.deliver()
		v = n.only(scope)
		if v.Status != outbox.Succeeded || v.Attempts != 14 || v.ID != first.ID || v.Sequence != first.Sequence || v.EventID != first.EventID || len(v.Log) != 14 {
			t.Errorf("delivered again after a success: %+v", v)
		}
		for _, m := range r.messages() {
			if m.ID != first.EventID || m.Sequence != 1 {
				t.Errorf("an attempt arrived as %s, number %d", m.ID, m.Sequence)
			}
		}
	})
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		receive(t, 200).takes(n, scope)
		n.tell(scope, "payment.completed", 1)
		for range 23 {
			n.deliver()
			if _, err := n.Redeliver(ctx, scope, n.only(scope).ID); err != nil {
				t.Fatal(err)
			}
		}
		if v := n.only(scope); v.Attempts != 23 || len(v.Log) != 20 || v.Log[0].Number != 4 || v.Log[19].Number != 23 {
			t.Errorf("%d attempts, %d of them shown, from %d", v.Attempts, len(v.Log), v.Log[0].Number)
		}
	})
}

// A node that dies between sending and writing it down leaves a lease; when that ends, the delivery is made again, by any node.
func TestAttemptThatWasNotWrittenDownIsMadeAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		r := receive(t).takes(n, scope)
		told := n.tell(scope, "payment.completed", 1)
		hidden := []db.Change{{SQL: `alter table delivery_attempts rename to hidden`, Rows: db.Any}}
		shown := []db.Change{{SQL: `alter table hidden rename to delivery_attempts`, Rows: db.Any}}
		if err := d.Write(ctx, hidden...); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
		n.Wait()
		if err := d.Write(ctx, shown...); err != nil {
			t.Fatal(err)
		}
		if v := n.only(scope); len(r.messages()) != 1 || v.Status != outbox.Pending || v.Attempts != 0 {
			t.Fatalf("%d received, and the row reads %+v", len(r.messages()), v)
		}
		other := n.another()
		other.deliver()
		if len(r.messages()) != 1 {
			t.Fatal("the lease of a node that may be at work was not respected")
		}
		n.clock.Advance(time.Minute)
		other.deliver()
		v := n.only(scope)
		if got := r.messages(); len(got) != 2 || got[1].ID != told[0].ID || v.Status != outbox.Succeeded || v.Attempts != 1 {
			t.Errorf("%d received, and the row reads %+v", len(r.messages()), v)
		}
	})
}

// An endpoint's new URL and secret hold for what is pending too.
func TestPendingDeliveriesGoToTheNewURL(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		n.listen(scope, "http://127.0.0.1:1/")
		n.tell(scope, "payment.completed", 2)
		n.deliver()
		r := receive(t)
		_, secret, err := n.Merchants.Listen(ctx, scope, merchant.ListenInput{URL: r.URL, RotateSecret: true})
		if err != nil || secret == "" {
			t.Fatal(err)
		}
		r.mu.Lock()
		r.secret = secret
		r.mu.Unlock()
		n.clock.Advance(10 * time.Second)
		n.deliver()
		if got := r.messages(); len(got) != 2 {
			t.Errorf("received %v", got)
		}
	})
}
