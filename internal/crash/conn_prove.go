//go:build prove

package crash

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
)

// Dial has a point before and after each dial of the given dialer, and each write and read of its connections.
func Dial(kind string, next func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		at("before " + kind + " dial")
		c, err := next(ctx, network, address)
		at("after " + kind + " dial")
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c, kind: kind}, nil
	}
}

// conn is a connection with points. The first read after a write gives one byte, so that there is a point at which the process knows of
// an answer and has not got it.
type conn struct {
	net.Conn
	kind  string
	asked atomic.Bool
	last  atomic.Value // the string that names what was written last
	sql   dialogue
	rest  []byte // read and not given yet
}

func (c *conn) Write(b []byte) (int, error) {
	said := c.names(b)
	at("before " + c.kind + " write" + said)
	c.asked.Store(true)
	n, err := c.Conn.Write(b)
	at("after " + c.kind + " write" + said)
	return n, err
}

// names says what is written.
func (c *conn) names(b []byte) string {
	said := request(b)
	if c.kind == "postgres" {
		said = c.sql.hear(b)
	} else if said == "" {
		if bytes.HasSuffix(b, []byte("0\r\n\r\n")) { // the last chunk: now the request is whole
			return " end of" + c.about()
		}
		return " body of" + c.about()
	}
	c.last.Store(said)
	return said
}

func (c *conn) Read(b []byte) (n int, err error) {
	if len(c.rest) > 0 {
		n = copy(b, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	at("before " + c.kind + " read")
	n, err = c.Conn.Read(b)
	if n > 0 && c.asked.Swap(false) {
		c.rest = bytes.Clone(b[1:n])
		at("after " + c.kind + " first byte of the reply to" + c.about())
		return 1, nil // an error with it comes again
	}
	at("after " + c.kind + " read")
	return n, err
}

func (c *conn) about() string {
	said, _ := c.last.Load().(string)
	return said
}

var named = regexp.MustCompile(`/[a-z]+_[A-Za-z0-9]*[A-Z0-9][A-Za-z0-9_]*`)

// request names what is written by its line, where it is a request of HTTP: " POST /v1/payment_intents/{id}/capture".
func request(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	words := bytes.Fields(line)
	if len(words) != 3 || !bytes.HasPrefix(words[2], []byte("HTTP/")) {
		return ""
	}
	return " " + string(words[0]) + " " + template(string(words[1]))
}

// template is a path of Stripe's without the ids and the query in it.
func template(path string) string {
	if path == "" {
		return "/"
	}
	for i := range path {
		if path[i] == '?' {
			path = path[:i]
			break
		}
	}
	return named.ReplaceAllString(path, "/{id}")
}

// Body has a point where the whole reply to a request is read.
func Body(kind string, r *http.Request, body io.Reader) io.Reader {
	return &reply{body, "after " + kind + " whole reply to " + r.Method + " " + template(r.URL.Path)}
}

type reply struct {
	io.Reader
	point string
}

func (r *reply) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err == io.EOF && r.point != "" {
		at(r.point)
		r.point = ""
	}
	return n, err
}
