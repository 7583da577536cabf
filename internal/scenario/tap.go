package scenario

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// tap is a merchant's proxy in front of till: it keeps what Stripe sends, and passes it on as it came.
type tap struct {
	listener net.Listener
	server   *http.Server
	now      func() (time.Time, error)
	mu       sync.Mutex
	to       string
	kept     []forgery
}

func openTap(now func() (time.Time, error)) (*tap, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &tap{listener: l, now: now}
	t.server = &http.Server{Handler: t, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second}
	go func() { _ = t.server.Serve(l) }()
	return t, nil
}

func (t *tap) url() string { return "http://" + t.listener.Addr().String() + "/stripe" }

func (t *tap) close() { _ = t.server.Close() }

// turn has it pass on to an address.
func (t *tap) turn(to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to = to
}

// all is what has come so far.
func (t *tap) all() []forgery {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]forgery(nil), t.kept...)
}

// ServeHTTP implements http.Handler.
func (t *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	at, asked := t.now()
	if err != nil || asked != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	t.mu.Lock()
	t.kept = append(t.kept, forgery{Payload: string(body), Signature: r.Header.Get("Stripe-Signature"), ReceivedAt: at})
	to := t.to
	t.mu.Unlock()
	w.WriteHeader(t.pass(r.Context(), to, r.Header, body))
}

// pass sends a request on and returns the status of the answer.
func (t *tap) pass(ctx context.Context, to string, header http.Header, body []byte) int {
	on, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return http.StatusBadGateway
	}
	on.Header = header.Clone()
	reply, err := http.DefaultClient.Do(on)
	if err != nil {
		return http.StatusBadGateway
	}
	defer reply.Body.Close()
	return reply.StatusCode
}
