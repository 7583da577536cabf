package outbox_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/till-pay/till/internal/clock"
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

// Under the real clock the reference library checks the time too.
func TestSignatureOfNow(t *testing.T) {
	t.Parallel()
	d, err := db.Open(ctx, dbtest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n, scope := setup(t, d), seller()
	n.Outbox.Clock = clock.Real{}
	var secret atomic.Value
	came := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hook, err := standardwebhooks.NewWebhook(secret.Load().(string))
		if err == nil {
			err = hook.Verify(body, r.Header)
		}
		if err == nil && hook.Verify(bytes.Replace(body, []byte("payment.completed"), []byte("payment.failed"), 1), r.Header) == nil {
			t.Error("the signature holds for another body")
		}
		came <- err
	}))
	defer s.Close()
	secret.Store(n.listen(scope, s.URL))
	n.tell(scope, "payment.completed", 1)
	n.deliver()
	if err := <-came; err != nil {
		t.Error(err)
	}
}

// due is when the delivery is made next, and how long that is from now.
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

func TestWhatFailsIsToldInClearWords(t *testing.T) {
	t.Parallel()
	inside, came := listener(t)
	answering := func(f http.HandlerFunc) string {
		s := httptest.NewServer(f)
		t.Cleanup(s.Close)
		return s.URL
	}
	raw := func(answer string) string { // a server that speaks no HTTP
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 1024))
				_, _ = io.WriteString(c, answer)
				c.Close()
			}
		}()
		return "http://" + l.Addr().String()
	}
	certified := httptest.NewUnstartedServer(http.NotFoundHandler())
	certified.Config.ErrorLog = log.New(io.Discard, "", 0)
	certified.StartTLS()
	t.Cleanup(certified.Close)
	for name, c := range map[string]struct {
		url    string
		status int64
		want   string // of the error; "" is a success
	}{
		"redirect": {answering(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+inside+"/", http.StatusTemporaryRedirect)
		}), 307, "The endpoint answered 307: redirects are not followed."},
		"gone":          {answering(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }), 410, "The endpoint answered 410."},
		"refused":       {"http://127.0.0.1:1/", 0, "The connection was refused."},
		"slow":          {hang(t).URL, 0, "No answer came in time."},
		"closed":        {raw(""), 0, "The connection was closed before an answer came."},
		"not HTTP":      {raw("SSH-2.0-x\r\n\r\n"), 0, "The answer could not be read as HTTP."},
		"header bomb":   {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n"), 0, "The answer could not be read as HTTP."},
		"not TLS":       {strings.Replace(raw("HTTP/1.1 200 OK\r\n\r\n"), "http:", "https:", 1), 0, "The TLS handshake failed."},
		"certificate":   {certified.URL, 0, "The server's TLS certificate is not valid for this URL."},
		"no such host":  {"https://nowhere.example.com/", 0, "The host name has no address."},
		"inside":        {"https://inside.example.com/latest/meta-data", 0, "Not sent: the URL leads to a link-local address, and deliveries go to the public internet only."},
		"body for ever": {answering(endless), 200, ""},
		"slow body": {answering(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(201)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}), 201, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(ctx, dbtest.SQLite(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			n, scope := setup(t, d), seller()
			n.Timeout = 500 * time.Millisecond
			n.Dialer.Resolver = names(t, map[string][]string{"inside.example.com": {"169.254.169.254"}})
			n.listen(scope, "http://127.0.0.1:1/")
			// The URL is written past the check, which refuses some of these: what counts is what the dialer does.
			if err := d.Write(ctx, db.Change{SQL: `update endpoints set url = $1 where merchant = $2`, Args: []any{c.url, scope.Merchant}, Rows: 1}); err != nil {
				t.Fatal(err)
			}
			n.tell(scope, "payment.completed", 1)
			n.deliver()
			if v := n.only(scope); v.LastStatusCode != c.status || v.LastError != c.want {
				t.Errorf("logged as %d %q, not as %d %q", v.LastStatusCode, v.LastError, c.status, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if came.Load() != 0 {
			t.Error("a redirect was followed")
		}
	})
}

// endless sends a body as long as anybody reads.
func endless(w http.ResponseWriter, _ *http.Request) {
	for chunk := bytes.Repeat([]byte("x"), 32<<10); ; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
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

// The environment's proxy is not asked: it would dial for us, unchecked. The variables are read once per process, so this test
// is the only one here that may set them.
func TestNoProxy(t *testing.T) {
	proxy, came := listener(t)
	t.Setenv("HTTP_PROXY", "http://"+proxy)
	t.Setenv("http_proxy", "http://"+proxy)
	d, err := db.Open(ctx, dbtest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n, scope := setup(t, d), seller()
	r := receive(t)
	_, port, _ := net.SplitHostPort(r.Listener.Addr().String())
	n.Dialer.Resolver = names(t, map[string][]string{"shop.example.com": {"127.0.0.1"}})
	r.mu.Lock()
	r.secret = n.listen(scope, "http://shop.example.com:"+port+"/")
	r.mu.Unlock()
	n.tell(scope, "payment.completed", 1)
	n.deliver()
	if len(r.messages()) != 1 || came.Load() != 0 {
		t.Errorf("%d arrived, the proxy was asked %d times", len(r.messages()), came.Load())
	}
}
