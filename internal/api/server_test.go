package api_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/till-pay/till/internal/api"
)

// pipes is a listener in memory, so that the server's patience passes in the bubble's time and not in ours.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// served runs a test against the room behind the real server; say sends raw bytes on a new connection.
func served(t *testing.T, test func(t *testing.T, r *room, say func(string) net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		server := api.Server("", r)
		ended := make(chan error)
		go func() { ended <- server.Serve(l) }()
		test(t, r, func(text string) net.Conn {
			ours, theirs := net.Pipe()
			l.conns <- theirs
			go func() { _, _ = io.WriteString(ours, text) }()
			t.Cleanup(func() { ours.Close() })
			return ours
		})
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

func read(t *testing.T, c net.Conn) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

const head = "POST /v1/notes HTTP/1.1\r\nHost: till\r\nX-API-Key: " + goodKey + "\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n"

// A payment may wait 10 s for Stripe after its body was read: the body's deadline must not end the request.
func TestHandlerOutlivesTheBodyDeadline(t *testing.T) {
	t.Parallel()
	served(t, func(t *testing.T, r *room, say func(string) net.Conn) {
		api.Add(r.API, api.Operation{Method: "POST", Path: "/v1/slow", Summary: "Wait long"}, func(ctx context.Context, _ api.Caller, in *createInput) (api.Reply[note], error) {
			select {
			case <-time.After(20 * time.Second):
				return api.Reply[note]{}, nil
			case <-ctx.Done():
				return api.Reply[note]{}, ctx.Err()
			}
		})
		response, body := read(t, say(strings.Replace(head, "/v1/notes", "/v1/slow", 1)+"Content-Length: 31\r\n\r\n"+good))
		if response.StatusCode != 200 {
			t.Errorf("%d %s", response.StatusCode, body)
		}
	})
}

func TestDeadlineOfARequest(t *testing.T) {
	t.Parallel()
	served(t, func(t *testing.T, r *room, say func(string) net.Conn) {
		api.Add(r.API, api.Operation{Method: "POST", Path: "/v1/stuck", Summary: "Never end"}, func(ctx context.Context, _ api.Caller, in *createInput) (api.Reply[note], error) {
			<-ctx.Done()
			return api.Reply[note]{}, ctx.Err()
		})
		began := time.Now()
		response, body := read(t, say(strings.Replace(head, "/v1/notes", "/v1/stuck", 1)+"Content-Length: 31\r\n\r\n"+good))
		if response.StatusCode != 503 || time.Since(began) != api.AnswerWithin {
			t.Errorf("%d after %s: %s", response.StatusCode, time.Since(began), body)
		}
	})
}

func TestSlowAndBrokenClients(t *testing.T) {
	t.Parallel()
	served(t, func(t *testing.T, r *room, say func(string) net.Conn) {
		for what, c := range map[string]struct {
			text    string
			status  int
			message string
		}{
			"half a body":           {head + "Content-Length: 31\r\n\r\n{\"title\":\"" + secret, 400, "The body did not arrive within 10s."},
			"half a body, no key":   {"POST /v1/notes HTTP/1.1\r\nHost: till\r\nContent-Length: 31\r\n\r\n{", 401, "Send an API key."},
			"half a body, no route": {"POST /nowhere HTTP/1.1\r\nHost: till\r\nContent-Length: 31\r\n\r\n{", 404, "There is no such URL"},
			"broken chunks":         {head + "Transfer-Encoding: chunked\r\n\r\n" + secret + "\r\n", 400, "its encoding is broken"},
			"chunks without end":    {head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 400, "The body did not arrive within 10s."},
			"too long, said before": {head + "Content-Length: 99999999\r\n\r\n", 413, "65536 bytes"},
			"long headers":          {head + "X-Long: " + strings.Repeat("x", 1<<15) + "\r\n\r\n", 431, ""},
			"no HTTP":               {"\x16\x03\x01" + secret + "\r\n\r\n", 400, ""},
			"no host":               {"GET /v1/notes HTTP/1.1\r\n\r\n", 400, ""},
		} {
			response, body := read(t, say(c.text))
			if response.StatusCode != c.status || !strings.Contains(body, c.message) || strings.Contains(body, secret) {
				t.Errorf("%s: %d %s", what, response.StatusCode, body)
			}
		}
		c := say("POST /v1/notes HTTP/1.1\r\nHost: till\r\n") // and no more of its headers
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a client that never ends its headers is served: %v", err)
		}
		if len(r.created) != 0 {
			t.Error("it reached the room")
		}
	})
}
