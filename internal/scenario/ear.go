package scenario

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/till-pay/till/webhook"
)

// ear is the merchant's own server, which hears till by package webhook: it checks each message, tracks which have come, and keeps the
// checkpoints.
type ear struct {
	listener net.Listener
	server   *http.Server
	mu       sync.Mutex
	handler  http.Handler
	tracker  *webhook.Tracker
	heard    map[string]bool // ids
	refused  int             // messages whose signature was not good
	states   []webhook.Checkpoint
	withhold bool   // the next message that is no checkpoint is answered and forgotten
	withheld string // its id
}

func openEar() (*ear, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &ear{listener: l, tracker: &webhook.Tracker{}, heard: map[string]bool{}}
	e.server = &http.Server{Handler: e, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { _ = e.server.Serve(l) }()
	return e, nil
}

func (e *ear) address() string { return e.listener.Addr().String() }

func (e *ear) close() { _ = e.server.Close() }

// trust takes messages that are signed with one of these secrets, from now on.
func (e *ear) trust(secrets ...string) error {
	v, err := webhook.New(secrets...)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handler = webhook.Handler(v, e.deal)
	return nil
}

// ServeHTTP implements http.Handler.
func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	h := e.handler
	e.mu.Unlock()
	if h == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	answer := &noted{ResponseWriter: w}
	h.ServeHTTP(answer, r)
	if answer.status == http.StatusBadRequest {
		e.mu.Lock()
		e.refused++
		e.mu.Unlock()
	}
}

// noted remembers an answer's status.
type noted struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// deal is what the merchant does with a message. A shop that answers and then loses what it heard does the same as withhold.
func (e *ear) deal(_ context.Context, m webhook.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	state, isState := m.Checkpoint()
	if e.withhold && !isState {
		e.withhold, e.withheld = false, m.ID
		return nil
	}
	if m.ID == e.withheld {
		return nil
	}
	if isState {
		e.states = append(e.states, state)
	}
	e.heard[m.ID] = true
	_, err := e.tracker.Add(m)
	return err
}

// look reads what it knows.
func (e *ear) look(see func(*ear) bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return see(e)
}
