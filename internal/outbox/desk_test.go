package outbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/outbox"
)

// Two nodes take turns on the same rows: each delivery is made once, since nothing failed.
func TestNodesShareTheWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one := setup(t, d)
		two := one.another()
		var receivers []*receiver
		const merchants, each = 5, 40
		for range merchants {
			scope := seller()
			receivers = append(receivers, receive(t).takes(one, scope))
			one.tell(scope, "payment.completed", each)
		}
		var both sync.WaitGroup
		for _, n := range []*node{one, two} {
			both.Go(n.deliver)
		}
		both.Wait()
		for i, r := range receivers {
			seen := map[int64]bool{}
			for _, m := range r.messages() {
				seen[m.Sequence] = true
			}
			if len(seen) != each || len(r.messages()) != each {
				t.Errorf("merchant %d received %d messages, %d different ones, of %d", i, len(r.messages()), len(seen), each)
			}
		}
	})
}

// stuck is an endpoint that takes requests and answers when it is let go.
type stuck struct {
	*httptest.Server
	mu        sync.Mutex
	now, most int
	came      chan struct{}
	letGo     chan struct{}
}

func hang(t *testing.T) *stuck {
	s := &stuck{came: make(chan struct{}, 1000), letGo: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is the end of the connection noticed
		s.change(+1)
		s.came <- struct{}{}
		select {
		case <-s.letGo:
		case <-r.Context().Done():
		}
		s.change(-1)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stuck) change(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += by
	s.most = max(s.most, s.now)
}

// leased is how many deliveries a node has taken and not settled.
func (n *node) leased() int64 {
	n.t.Helper()
	count, err := db.One(ctx, n.DB, db.Value[int64], `select count(*) from deliveries where lease_until > $1`, db.Micros(n.clock.Now()))
	if err != nil {
		n.t.Fatal(err)
	}
	return count
}

// held is how many requests wait for their answer, and the most that ever did.
func (s *stuck) held() (now, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.most
}

func TestSlowEndpointHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, a, b := setup(t, d), seller(), seller()
		slow, fast := hang(t), receive(t).takes(n, b)
		n.listen(a, slow.URL)
		n.tell(a, "payment.completed", 40)
		if _, err := n.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			<-slow.came
		}
		if taken := n.leased(); taken != 6 {
			t.Errorf("%d were taken for the slow endpoint", taken)
		}
		n.tell(b, "payment.completed", 30)
		for len(fast.messages()) < 30 { // the slow ones hold their places all the while
			if _, err := n.Deliver(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, most := slow.held(); most != 6 {
			t.Errorf("the slow endpoint was given %d requests at once", most)
		}
		close(slow.letGo)
		n.deliver()
		for _, v := range append(n.list(a), n.list(b)...) {
			if v.Status != outbox.Succeeded || v.Attempts != 1 {
				t.Errorf("%+v", v)
			}
		}
	})
}

// What one node has taken does not hide the rest from the others.
func TestSecondNodeTakesWhatTheFirstLeft(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one, scope := setup(t, d), seller()
		two, s := one.another(), hang(t)
		one.listen(scope, s.URL)
		one.tell(scope, "payment.completed", 20)
		for i, n := range []*node{one, two} {
			if _, err := n.Deliver(ctx); err != nil {
				t.Fatal(err)
			}
			if taken := n.leased(); taken != int64(6*(i+1)) {
				t.Errorf("%d nodes took %d", i+1, taken)
			}
		}
		for range 12 {
			<-s.came
		}
		close(s.letGo)
		one.deliver()
		two.deliver()
		for _, v := range one.list(scope) {
			if v.Status != outbox.Succeeded || v.Attempts != 1 {
				t.Errorf("%+v", v)
			}
		}
	})
}

// An endpoint that fails gets one request at a time until it succeeds.
func TestFailingEndpointIsTriedOneAtATime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		n.listen(scope, "http://127.0.0.1:1/")
		n.tell(scope, "payment.completed", 1)
		n.deliver() // refused: the endpoint fails
		s := hang(t)
		n.listen(scope, s.URL)
		n.tell(scope, "payment.completed", 20)
		if _, err := n.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
		<-s.came
		if more, err := n.Deliver(ctx); more || err != nil {
			t.Errorf("a turn with no room took more (%v)", err)
		}
		if taken := n.leased(); taken != 1 {
			t.Errorf("%d were taken at once", taken)
		}
		close(s.letGo)
		n.clock.Advance(time.Hour)
		n.deliver()
		for _, v := range n.list(scope) {
			if v.Status != outbox.Succeeded {
				t.Errorf("%+v", v)
			}
		}
	})
}

// Places are bounded over all endpoints, and each endpoint gets its turn.
func TestPlacesAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		s := hang(t)
		for range 5 {
			scope := seller()
			n.listen(scope, s.URL)
			n.tell(scope, "payment.completed", 10)
		}
		for range 3 {
			if _, err := n.Deliver(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for range 16 {
			<-s.came
		}
		if taken := n.leased(); taken != 16 {
			t.Errorf("%d were taken at once", taken)
		}
		close(s.letGo)
		n.deliver()
		if _, most := s.held(); most > 16 {
			t.Errorf("%d requests at once", most)
		}
		if left, err := db.One(ctx, d, db.Value[int64], `select count(*) from deliveries where status <> 'succeeded'`); err != nil || left != 0 {
			t.Errorf("%d are left (%v)", left, err)
		}
	})
}
