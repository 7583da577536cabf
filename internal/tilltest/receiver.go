package tilltest

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Receiver is a merchant's own server: it checks each delivery's signature with the reference library and keeps what it was told.
type Receiver struct {
	URL    string
	Down   atomic.Bool // it answers 503
	t      testing.TB
	own    atomic.Value // an http.HandlerFunc that answers in its place
	secret string
	strict bool // a delivery must have been signed just now
	mu     sync.Mutex
	told   []Told
	more   chan struct{}
}

// Told is one event as the merchant heard it.
type Told struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Sequence int64          `json:"sequence"`
	Data     map[string]any `json:"data"`
}

func newReceiver(t testing.TB, l net.Listener, strict bool) *Receiver {
	r := &Receiver{t: t, strict: strict, more: make(chan struct{}, 1)}
	s := httptest.NewUnstartedServer(r)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	r.URL = s.URL + "/till"
	return r
}

// Hand leaves the requests to a handler of the test's own, while the receiver is not down.
func (r *Receiver) Hand(h http.Handler) { r.own.Store(http.HandlerFunc(h.ServeHTTP)) }

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if own, ok := r.own.Load().(http.HandlerFunc); ok && !r.Down.Load() {
		own(w, q)
		return
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	if r.Down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	check, err := standardwebhooks.NewWebhook(r.secret)
	switch {
	case err == nil && r.strict:
		err = check.Verify(body, q.Header)
	case err == nil:
		err = check.VerifyIgnoringTimestamp(body, q.Header)
	}
	var told Told
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	if err != nil {
		r.t.Errorf("a delivery that cannot be trusted: %v: %s", err, body)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.told = append(r.told, told)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// Told is everything heard so far.
func (r *Receiver) Told() []Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Told(nil), r.told...)
}

// About is what was heard of one object, by type.
func (r *Receiver) About(id string) (types []string) {
	for _, t := range r.Told() {
		if t.Data["id"] == id {
			types = append(types, t.Type)
		}
	}
	return types
}

// Await returns the first event of a type about an object, when it has been heard; it ends the test after a minute.
func (r *Receiver) Await(kind, id string) Told {
	r.t.Helper()
	late := time.After(patience)
	for {
		for _, t := range r.Told() {
			if t.Type == kind && t.Data["id"] == id {
				return t
			}
		}
		select {
		case <-r.more:
		case <-late:
			r.t.Fatalf("%s about %s was not heard; heard: %v", kind, id, r.Told())
		}
	}
}
