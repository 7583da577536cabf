package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// numbered stands in a request where its number goes: in ten digits, so that the length stays.
const numbered = "##########"

// request is an HTTP request, ready to be sent: the load shares the machine with what it measures, so it builds nothing anew.
type request struct {
	bytes []byte
	at    []int         // where its number goes
	last  *atomic.Int64 // the number last given
}

// newRequest builds a request to a server. Where the body or a header holds numbered, each sending has a number of its own.
func newRequest(method, addr, path, body string, headers ...string) *request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, addr)
	for _, line := range headers {
		b.WriteString(line + "\r\n")
	}
	if method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	r := &request{bytes: b.Bytes(), last: new(atomic.Int64)}
	for at := 0; ; at += len(numbered) {
		next := bytes.Index(r.bytes[at:], []byte(numbered))
		if next < 0 {
			return r
		}
		at += next
		r.at = append(r.at, at)
	}
}

// own is a copy of the request for one sender.
func (r *request) own() []byte { return bytes.Clone(r.bytes) }

// number writes the next number into a sender's copy.
func (r *request) number(copied []byte) {
	if len(r.at) == 0 {
		return
	}
	n := r.last.Add(1)
	for _, at := range r.at {
		rest := n
		for i := at + len(numbered) - 1; i >= at; i-- {
			copied[i] = byte('0' + rest%10)
			rest /= 10
		}
	}
}

// maxReply bounds an answer, in bytes.
const maxReply = 16 << 20

// reply is an answer as far as it must be understood to find its end.
type reply struct {
	status  int
	body    int // where it begins
	size    int // of all of it; 0 while it is not all there
	chunked bool
}

var (
	errReply   = errors.New("the answer is no HTTP")
	errTooLong = errors.New("the answer is too long")
)

// readReply finds the end of the answer that received begins with. Without allocating, so that it may be tried again with every byte more.
func readReply(received []byte) (r reply, err error) {
	if len(received) > maxReply {
		return r, errTooLong
	}
	end := bytes.Index(received, []byte("\r\n\r\n"))
	if end < 0 {
		return r, nil
	}
	r.body = end + 4
	line, headers, _ := bytes.Cut(received[:end+2], []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return r, errReply
	}
	if r.status = digits(line[9:12], 10); r.status < 100 {
		return r, errReply
	}
	length := 0
	for len(headers) > 0 {
		line, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length = digits(bytes.TrimSpace(value), 10)
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			r.chunked = true
		}
	}
	if length < 0 {
		return r, errReply
	}
	if r.chunked {
		length, err = chunks(received[r.body:], nil)
		if err != nil || length == 0 {
			return r, err
		}
	}
	if r.body+length <= len(received) {
		r.size = r.body + length
	}
	return r, nil
}

// chunks is the length of a body in chunks, without trailers; 0 while it is not all there. It hands on each chunk to whoever wants it.
func chunks(received []byte, each func([]byte)) (length int, err error) {
	for at := 0; ; {
		line, _, whole := bytes.Cut(received[at:], []byte("\r\n"))
		if !whole {
			return 0, nil
		}
		size := digits(line, 16)
		if size < 0 {
			return 0, errReply
		}
		at += len(line) + 2
		if at+size+2 > len(received) {
			return 0, nil
		}
		if string(received[at+size:at+size+2]) != "\r\n" {
			return 0, errReply
		}
		if each != nil {
			each(received[at : at+size])
		}
		at += size + 2
		if size == 0 {
			return at, nil
		}
	}
}

// digits reads a number that is no longer than an answer may be; -1 where there is none.
func digits(text []byte, base int) int {
	n := 0
	for _, c := range text {
		d := 99
		switch {
		case c >= '0' && c <= '9':
			d = int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = int(c|0x20-'a') + 10
		}
		if n = n*base + d; d >= base || n > maxReply {
			return -1
		}
	}
	if len(text) == 0 {
		return -1
	}
	return n
}

// refused is the error that an answer without success is, with the beginning of what it says.
func (r reply) refused(received []byte) error {
	if r.status >= 200 && r.status <= 299 {
		return nil
	}
	return fmt.Errorf("status %d: %s", r.status, received[r.body:min(r.size, r.body+500)])
}

// content is the body of an answer that is all there.
func (r reply) content(received []byte) (all []byte) {
	if !r.chunked {
		return received[r.body:r.size]
	}
	_, _ = chunks(received[r.body:r.size], func(one []byte) { all = append(all, one...) }) // read before
	return all
}

// wire is one connection that is kept alive.
type wire struct {
	net.Conn
	received []byte
}

// dial connects to a server; whatever is not over by the deadline fails.
func dial(addr string, deadline time.Time) (*wire, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &wire{c, make([]byte, 0, 64<<10)}, c.SetDeadline(deadline)
}

// next waits for one answer, which must be a success, and gives its body, good until the next.
func (w *wire) next() ([]byte, error) {
	for {
		r, err := readReply(w.received)
		if err != nil {
			return nil, err
		}
		if r.size > 0 {
			one := w.received[:r.size]
			w.received = w.received[r.size:]
			return r.content(one), r.refused(one)
		}
		if len(w.received) == cap(w.received) {
			w.received = append(make([]byte, 0, max(64<<10, 2*cap(w.received))), w.received...)
		}
		n, err := w.Read(w.received[len(w.received):cap(w.received)])
		if err != nil {
			return nil, err
		}
		w.received = w.received[:len(w.received)+n]
	}
}
