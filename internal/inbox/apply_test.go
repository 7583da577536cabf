package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

func TestFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		var tries atomic.Int64
		n.answer = func(context.Context, call) error {
			switch tries.Add(1) {
			case 1:
				return errors.New("Stripe cannot be reached \x00\xff")
			case 2:
				panic("a mistake")
			}
			return nil
		}
		if got := n.tell(shop, sample(t, "payment_intent.succeeded")); !got.received() {
			t.Fatalf("%d %s", got.status, got.text)
		}
		for i, want := range []string{"Stripe cannot be reached", "panic: a mistake"} {
			k := n.only()
			wait := k.due.Sub(n.clock.Now())
			if shortest := time.Second << i; !k.applied.IsZero() || k.attempts != int64(i)+1 || !strings.HasPrefix(k.failure, want) || wait < shortest || wait > shortest*11/10 {
				t.Fatalf("after try %d, due in %v: %+v", i+1, wait, k)
			}
			n.clock.Advance(wait - time.Microsecond)
			n.work()
			if tries.Load() != int64(i)+1 {
				t.Fatalf("try %d was made before it was due", i+2)
			}
			n.clock.Advance(time.Microsecond)
			n.work()
		}
		if k := n.only(); !k.applied.Equal(n.clock.Now()) || k.attempts != 3 || k.failure != "" || !k.due.IsZero() {
			t.Errorf("in the end: %+v", k)
		}
		n.clock.Advance(1000 * time.Hour)
		n.work()
		if tries.Load() != 3 {
			t.Error("an event that was applied was applied again by itself")
		}
	})
}

func TestTriesAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		n.answer = func(context.Context, call) error { return errors.New("never") }
		n.tell(shop, sample(t, "payment_intent.succeeded"))
		began := n.clock.Now()
		for range 19 {
			k := n.only()
			if k.due.IsZero() {
				t.Fatalf("given up after %d tries", k.attempts)
			}
			n.clock.Advance(k.due.Sub(n.clock.Now()))
			n.work()
		}
		if k := n.only(); !k.due.IsZero() || !k.applied.IsZero() || k.attempts != 20 || k.failure != "never" || len(n.heard()) != 20 {
			t.Errorf("in the end: %+v, tried %d times", k, len(n.heard()))
		}
		if took := n.clock.Now().Sub(began); took < 33*time.Hour || took > 37*time.Hour {
			t.Errorf("given up after %v", took)
		}
	})
}

// When every place is taken events are kept and answered all the same, and applied when there is room.
func TestBurst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		began, letGo := make(chan struct{}, 100), make(chan struct{})
		var now, most atomic.Int64
		n.answer = func(context.Context, call) error {
			for at := now.Add(1); ; {
				if was := most.Load(); at <= was || most.CompareAndSwap(was, at) {
					break
				}
			}
			began <- struct{}{}
			<-letGo
			now.Add(-1)
			return nil
		}
		const events = 30
		for range events {
			body := sample(t, "payment_intent.succeeded")
			if got := n.post(shared, signed(shop.Secret, n.clock.Now(), body), body); !got.received() {
				t.Fatalf("%d %s", got.status, got.text)
			}
		}
		for range 8 {
			<-began
		}
		if _, err := n.Tasks()[0].Run(ctx); err != nil {
			t.Fatal(err)
		}
		if got := now.Load(); got != 8 || !n.woken.Load() {
			t.Errorf("%d at once, the task was woken: %v", got, n.woken.Load())
		}
		close(letGo)
		n.Wait()
		n.work()
		for _, k := range n.kept() {
			if k.applied.IsZero() || k.attempts != 1 {
				t.Errorf("%+v", k)
			}
		}
		if len(n.heard()) != events || most.Load() > 8 {
			t.Errorf("%d applied, %d at once", len(n.heard()), most.Load())
		}
	})
}

// Two nodes take turns on the same rows: each event is applied once, since nothing failed.
func TestNodesShareTheWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one := setup(t, d)
		two := one.another()
		shop := one.shop(secret())
		const events = 100
		for i := range events {
			if err := d.Write(ctx, db.Change{
				SQL: `insert into stripe_events (merchant, mode, id, generation, type, object, payload, verified, received_at, attempts, due_at, error)
					values ($1, $2, $3, 1, 'payment_intent.succeeded', $4, '{}', false, 1, 0, 1, '')`,
				Args: []any{shop.Merchant, shop.Mode, fmt.Sprintf("evt_%d", i), fmt.Sprintf("pi_%d", i)}, Rows: 1,
			}); err != nil {
				t.Fatal(err)
			}
		}
		var both sync.WaitGroup
		for _, n := range []*node{one, two} {
			both.Go(n.work)
		}
		both.Wait()
		seen := map[string]int{}
		for _, c := range append(one.heard(), two.heard()...) {
			seen[c.object]++
		}
		if len(seen) != events {
			t.Errorf("%d of %d applied", len(seen), events)
		}
		for object, times := range seen {
			if times != 1 {
				t.Errorf("%s was applied %d times", object, times)
			}
		}
	})
}

// A node that dies at work leaves a lease; when that ends another node applies the event. What the first still writes then does no harm.
func TestDeadNodesEventIsTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dead := setup(t, d)
		alive := dead.another()
		shop := dead.shop(secret())
		began, letGo := make(chan struct{}), make(chan struct{})
		dead.answer = func(context.Context, call) error {
			close(began)
			<-letGo
			return errors.New("too late")
		}
		body := sample(t, "payment_intent.succeeded")
		if got := dead.post(shared, signed(shop.Secret, dead.clock.Now(), body), body); !got.received() {
			t.Fatalf("%d %s", got.status, got.text)
		}
		<-began
		alive.work()
		if len(alive.heard()) != 0 {
			t.Fatal("the lease of a node that may be at work was not respected")
		}
		alive.clock.Advance(time.Minute)
		alive.work()
		if k := alive.only(); len(alive.heard()) != 1 || k.applied.IsZero() || k.attempts != 2 {
			t.Errorf("heard %+v, kept %+v", alive.heard(), k)
		}
		close(letGo)
		dead.Wait()
		if k := alive.only(); k.applied.IsZero() || k.failure != "" || !k.due.IsZero() {
			t.Errorf("the dead node's failure was written over the success: %+v", k)
		}
	})
}

// Stripe's request may be over long before its event is applied.
func TestRequestsEndDoesNotCutTheWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		letGo := make(chan struct{})
		n.answer = func(ctx context.Context, _ call) error {
			<-letGo
			return ctx.Err()
		}
		body := sample(t, "payment_intent.succeeded")
		if got := n.post(shared, signed(shop.Secret, n.clock.Now(), body), body); !got.received() {
			t.Fatalf("%d %s", got.status, got.text)
		}
		close(letGo)
		n.Wait()
		if k := n.only(); k.applied.IsZero() {
			t.Errorf("%+v", k)
		}
	})
}
