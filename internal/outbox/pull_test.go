package outbox_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/outbox"
)

type endpoint struct {
	ID, URL    string
	Last       int64 `json:"last_sequence"`
	Checkpoint *struct {
		Sequence, Count int64
		Hash            string
		At              time.Time
	}
	Until *time.Time `json:"previous_secret_until"`
}

func data[T any](t *testing.T, a answered) (found []T) {
	t.Helper()
	if err := json.Unmarshal(a.Data, &found); err != nil || a.Status != 200 {
		t.Fatalf("%+v (%v)", a, err)
	}
	return found
}

// What is pulled is to the byte what was sent, whether it arrived or not.
func TestPull(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		s := door(t, n)
		if a := ask(t, s, scope, read, "GET", "/v1/webhooks/endpoints"); string(a.Data) != "[]" {
			t.Errorf("without an endpoint: %+v", a)
		}
		r := receive(t, 200, 503).takes(n, scope)
		n.tell(scope, "payment.completed", 1)
		n.deliver()
		n.tell(scope, "refund.failed", 3) // refused, each the first time
		n.deliver()
		at := data[endpoint](t, ask(t, s, scope, read, "GET", "/v1/webhooks/endpoints"))
		if len(at) != 1 || at[0].URL != r.URL || at[0].Last != 4 || at[0].Checkpoint != nil || at[0].Until != nil {
			t.Fatalf("the endpoint reads %+v", at)
		}
		if err := d.Write(ctx, event.Insert(event.New(scope, "payment.failed", id.New(), 1, n.clock.Now()))); err != nil { // not numbered yet
			t.Fatal(err)
		}
		path := "/v1/webhooks/endpoints/" + at[0].ID + "/events"
		all := data[json.RawMessage](t, ask(t, s, scope, read, "GET", path))
		for i, raw := range all {
			var m message
			if err := json.Unmarshal(raw, &m); err != nil || m.Sequence != int64(i)+1 || string(raw) != r.bodies[m.ID] {
				t.Errorf("number %d was sent as %s and is pulled as %s (%v)", i+1, r.bodies[m.ID], raw, err)
			}
		}
		if len(all) != 4 {
			t.Errorf("pulled %d", len(all))
		}
		for query, want := range map[string][]int64{"?after=0&limit=100": {1, 2, 3, 4}, "?after=2": {3, 4}, "?after=4": {}, "?after=9223372036854775807": {}, "?limit=2": {1, 2}, "?after=1&limit=2": {2, 3},
			"?limit=2&cursor=2": {3, 4}, "?after=1&cursor=3": {4}} {
			a := ask(t, s, scope, read, "GET", path+query)
			got := []int64{}
			for _, m := range data[message](t, a) {
				got = append(got, m.Sequence)
			}
			if more := len(want) == 2 && want[1] < 4; !slices.Equal(got, want) || a.Page.HasMore != more || more && a.Page.Next != itoa(want[1]) {
				t.Errorf("%s: %v, not %v; %+v", query, got, want, a.Page)
			}
		}
		for _, bad := range []string{"?after=-1", "?after=x", "?after=", "?limit=0", "?limit=101", "?cursor=x", "?cursor=9999999999999999999", "?since=2026-01-01T00:00:00Z"} {
			if a := ask(t, s, scope, read, "GET", path+bad); a.Status != 400 || a.Error.Param == "" {
				t.Errorf("%s: %+v", bad, a)
			}
		}
		stranger := seller()
		n.listen(stranger, "http://127.0.0.1:9/")
		for _, c := range []struct {
			scope db.Scope
			id    string
		}{{stranger, at[0].ID}, {db.Scope{Merchant: scope.Merchant, Mode: "live"}, at[0].ID}, {scope, id.New()}, {scope, "x"}} {
			if a := ask(t, s, c.scope, read, "GET", "/v1/webhooks/endpoints/"+c.id+"/events"); a.Status != 404 || a.Error.Code != string(fault.ResourceMissing) || a.Error.Param != "id" {
				t.Errorf("%v: %+v", c, a)
			}
		}

		n.clock.Advance(2 * time.Hour)
		n.fan()
		n.state()
		n.fan()
		ids, _ := sent(t, d, scope)
		at = data[endpoint](t, ask(t, s, scope, read, "GET", "/v1/webhooks/endpoints"))
		if c := at[0].Checkpoint; at[0].Last != 6 || c == nil || c.Sequence != 5 || c.Count != 5 || c.Hash != hashed(ids[:5]) || !c.At.Equal(n.clock.Now()) {
			t.Errorf("with a checkpoint it reads %+v %+v", at[0], c)
		}
		if _, _, err := n.Merchants.Listen(ctx, scope, merchant.ListenInput{RotateSecret: true}); err != nil {
			t.Fatal(err)
		}
		if at = data[endpoint](t, ask(t, s, scope, read, "GET", "/v1/webhooks/endpoints")); at[0].URL != r.URL || at[0].Until == nil || !at[0].Until.Equal(n.clock.Now().Add(24*time.Hour)) {
			t.Errorf("in an overlap it reads %+v", at[0])
		}
	})
}

// A support's questions: what became of this event, and what was told about this payment?
func TestDeliveriesOfAnEventOrObject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope, other := setup(t, d), seller(), seller()
		s := door(t, n)
		n.listen(scope, "http://127.0.0.1:9/")
		n.listen(other, "http://127.0.0.1:9/")
		told := n.tell(scope, "payment.completed", 3)
		later := event.New(scope, "payment.refunded", told[1].Object, 1, n.clock.Now())
		if err := d.Write(ctx, event.Insert(later)); err != nil {
			t.Fatal(err)
		}
		n.fan()
		theirs := n.tell(other, "payment.completed", 1)
		for query, want := range map[string][]int64{
			"?event_id=" + told[2].ID:                                               {3},
			"?object_id=" + told[1].Object:                                          {4, 2},
			"?object_id=" + told[1].Object + "&event_type=payment.refunded":         {4},
			"?object_id=" + told[1].Object + "&event_id=" + told[1].ID:              {2},
			"?object_id=" + told[1].Object + "&event_id=" + told[0].ID:              {},
			"?object_id=" + told[1].Object + "&status=failed":                       {},
			"?event_id=" + theirs[0].ID:                                             {},
			"?object_id=" + theirs[0].Object:                                        {},
			"?object_id=x":                                                          {},
			"?object_id=" + told[1].Object + "&since=" + start.Format(time.RFC3339): {4, 2},
		} {
			got := []int64{}
			for _, v := range data[outbox.Delivery](t, ask(t, s, scope, read, "GET", "/v1/webhooks/deliveries"+query)) {
				got = append(got, v.Sequence)
			}
			slices.Sort(got)
			slices.Reverse(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s lists %v, not %v", query, got, want)
			}
		}
	})
}

// What comes of an attempt is decided from what is known: the same again is the same.
func TestAfter(t *testing.T) {
	t.Parallel()
	d := outbox.Delivery{ID: id.New(), Status: outbox.Pending, NextAttemptAt: &start}
	refused := outbox.Attempt{StatusCode: 500, Error: "The endpoint answered 500."}
	now := start
	for i, wait := range schedule {
		was := d
		if d = d.After(refused, now); d.Status != outbox.Pending || d.Attempts != int64(i)+1 || d.Retries != int64(i)+1 || d.EndedAt != nil || d.LastStatusCode != 500 {
			t.Fatalf("after failure %d: %+v", i+1, d)
		}
		if until := d.NextAttemptAt.Sub(now); until < wait || until > wait*11/10 || !was.After(refused, now).NextAttemptAt.Equal(*d.NextAttemptAt) {
			t.Errorf("failure %d is made good in %v, or at another time if asked again", i+1, until)
		}
		if ok := was.After(outbox.Attempt{StatusCode: 204}, now); ok.Status != outbox.Succeeded || ok.NextAttemptAt != nil || !ok.EndedAt.Equal(now) || ok.Attempts != int64(i)+1 {
			t.Errorf("after a success: %+v", ok)
		}
		now = *d.NextAttemptAt
	}
	if d = d.After(refused, now); d.Status != outbox.Failed || d.NextAttemptAt != nil || !d.EndedAt.Equal(now) || d.Attempts != 10 {
		t.Errorf("after the last: %+v", d)
	}
	spread := map[time.Time]bool{}
	for range 50 {
		spread[*outbox.Delivery{ID: id.New()}.After(refused, start).NextAttemptAt] = true
	}
	if len(spread) < 40 {
		t.Errorf("what failed together comes back together: %d times for 50 deliveries", len(spread))
	}
}
