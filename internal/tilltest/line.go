package tilltest

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// Line is a till's way to Stripe, which a test can cut: then connections are refused, by the network itself.
type Line struct {
	transport *http.Transport
	cut       atomic.Bool
	nobody    string // an address where nothing listens
}

// Line is put between till and Stripe; a request ends unanswered after patience. It is called before the first payment: clients are kept.
func (t *Till) Line(patience time.Duration) *Line {
	t.T.Helper()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.T.Fatal(err)
	}
	l := &Line{nobody: gone.Addr().String()}
	_ = gone.Close()
	l.transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if l.cut.Load() {
			address = l.nobody
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.T.Cleanup(l.transport.CloseIdleConnections)
	t.Merchants.HTTP = &http.Client{Transport: l.transport, Timeout: patience}
	return l
}

// Down cuts the line.
func (l *Line) Down() { l.cut.Store(true); l.transport.CloseIdleConnections() }

// Up mends it.
func (l *Line) Up() { l.cut.Store(false) }

// During sends a request and calls step again and again until its answer is there: step moves the clock, or lets Stripe go.
func During(t testing.TB, c *Client, method, path string, body any, step func()) (a Answer) {
	t.Helper()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		a, err = c.Try(method, path, body)
	}()
	Until(t, "the answer to "+method+" "+path, func() bool {
		select {
		case <-done:
			return true
		default:
			step()
			return false
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
