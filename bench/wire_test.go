package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestReadReply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply, body string
		status      int
	}{
		"a length":           {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200},
		"in small letters":   {"HTTP/1.1 201 Created\r\ncontent-length:5\r\nx: y\r\n\r\nhello", "hello", 201},
		"nothing":            {"HTTP/1.1 204 No Content\r\n\r\n", "", 204},
		"one chunk":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", 200},
		"two chunks":         {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\nB\r\nello\r\nworld\r\n0\r\n\r\n", "hello\r\nworld", 200},
		"refused":            {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "no", 404},
		"the end of a chunk": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n0\r\r\n0\r\n\r\n", "\r\n0\r", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range len(c.reply) {
				if r, err := readReply([]byte(c.reply[:n])); err != nil || r.size != 0 {
					t.Fatalf("%q is taken for a whole answer: %+v %v", c.reply[:n], r, err)
				}
			}
			received := []byte(c.reply + "HTTP/1.1 the next one")
			r, err := readReply(received)
			if err != nil || r.status != c.status || r.size != len(c.reply) {
				t.Fatalf("%+v %v, not the status %d and the size %d", r, err, c.status, len(c.reply))
			}
			if got := string(r.content(received)); got != c.body {
				t.Errorf("the body is %q, not %q", got, c.body)
			}
			if refused := r.refused(received) != nil; refused != (c.status > 299) {
				t.Errorf("the status %d is refused: %t", c.status, refused)
			}
		})
	}
}

func TestReadReplyRefuses(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{
		"HTTP/1.0 200 OK\r\n\r\n",
		"HTTP/1.1 2xx OK\r\n\r\n",
		"HTTP/1.1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n",
		strings.Repeat("x", maxReply+1),
	} {
		if r, err := readReply([]byte(reply)); err == nil {
			t.Errorf("%.80q is taken: %+v", reply, r)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, received []byte) {
		r, err := readReply(received)
		if err != nil || r.size == 0 {
			return
		}
		if r.size > len(received) || r.body > r.size || len(r.content(received)) > r.size-r.body {
			t.Errorf("%+v of %d bytes", r, len(received))
		}
		_ = r.refused(received)
		if again, err := readReply(received[:r.size]); err != nil || again != r {
			t.Errorf("without what follows: %+v %v, not %+v", again, err, r)
		}
	})
}

func TestRequestIsNumbered(t *testing.T) {
	t.Parallel()
	r := newRequest("POST", "127.0.0.1:1", "/v1/customers", "email="+numbered+"&name="+numbered, "Idempotency-Key: "+numbered)
	one := r.own()
	for range 12 {
		r.number(one)
	}
	if n := bytes.Count(one, []byte("0000000012")); n != 3 || len(one) != len(r.bytes) {
		t.Errorf("the number is %d times in %q", n, one)
	}
	if !bytes.Contains(one, []byte("\r\nContent-Length: 32\r\n")) {
		t.Errorf("another length in %q", one)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		goal  goal
		ratio float64
		want  string
	}{
		{goal{least: 3}, 3, "a 3 ≥ 3 met"},
		{goal{least: 3}, 1.5, "a 1.5 ≥ 3 missed by a factor of 2.00"},
		{goal{most: 1.0 / 5}, 0.1, "a 0.1 ≤ 1/5 met"},
		{goal{most: 1.5}, 3, "a 3 ≤ 1.5 missed by a factor of 2.00"},
		{goal{}, 1234.5, "a 1,235"},
	} {
		if got := strings.TrimSpace(strings.Join(c.goal.row("a", c.ratio), " ")); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	var s sample
	for i := range 200 {
		s.took = append(s.took, time.Duration(i+1))
	}
	if s.half() != 101 || s.tail() != 199 || s.slowest() != 200 {
		t.Errorf("%d %d %d", s.half(), s.tail(), s.slowest())
	}
}
