// Package client speaks to till's API, for programs in Go and for till's own commands: it knows the envelope, the errors and the repeats,
// and nothing of any endpoint. It needs only the standard library.
//
//	till := client.New("http://127.0.0.1:8080", os.Getenv("TILL_API_KEY"))
//	var paid struct{ ID, Status string }
//	err := till.Call(ctx, "POST", "/v1/payments", order, &paid, client.Key("order-1001"))
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client speaks for one API key. It is safe for use by many goroutines.
type Client struct {
	// HTTP makes the requests; a client with a time-out of 40 s where it is nil, for a payment waits for Stripe.
	HTTP *http.Client

	base, key string
}

// New is a client of the till at base, such as https://pay.example.com, with an API key of a merchant's.
func New(base, key string) *Client {
	return &Client{base: strings.TrimRight(base, "/"), key: key}
}

// Error is what till answered in place of an object. Code is for programs and never changes its meaning; Message is for people.
type Error struct {
	Status    int    `json:"-"` // of HTTP
	Code      string `json:"code"`
	Message   string `json:"message"`
	Param     string `json:"param"`
	RequestID string `json:"request_id"`
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Message
	if s == "" {
		s = fmt.Sprintf("till answered %d", e.Status)
	}
	if e.RequestID != "" {
		s += " (" + e.Code + ", " + e.RequestID + ")"
	}
	return s
}

// Is says whether err is an answer of till's with a code.
func Is(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Option changes one request.
type Option func(*http.Request)

// Key is the Idempotency-Key of a request: the same key again is the same payment, for ever.
func Key(key string) Option {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
}

const (
	tries      = 4        // of one request: the first, and after a second, two and four
	mostAnswer = 16 << 20 // bytes
	timeout    = 40 * time.Second
)

var fallback = &http.Client{Timeout: timeout}

// Call makes a request and decodes its data into out. in is sent as JSON where it is not nil; out may be nil. An answer that says to come back
// (429, 503), and a GET that got none, are tried again, four times in all; so is a request with an Idempotency-Key, which is safe.
func (c *Client) Call(ctx context.Context, method, path string, in, out any, options ...Option) error {
	_, err := c.call(ctx, method, path, in, out, options)
	return err
}

// Each walks a list: it calls see with every object of every page, newest first, until see returns an error.
func Each[T any](ctx context.Context, c *Client, path string, query url.Values, see func(T) error) error {
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	for {
		var data []T
		next, err := c.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &data, nil)
		if err != nil {
			return err
		}
		for _, one := range data {
			if err := see(one); err != nil {
				return err
			}
		}
		if next == "" || len(data) == 0 {
			return nil
		}
		q.Set("cursor", next)
	}
}

// Copy writes an answer that is no JSON, such as an export, as it comes. Only ctx bounds how long that may take. An error says that what was
// written is not the whole.
func (c *Client) Copy(ctx context.Context, path string, to io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-API-Key", c.key)
	r.Header.Set("User-Agent", "till-go/1")
	patient := http.Client{}
	if c.HTTP != nil {
		patient.Transport = c.HTTP.Transport
	}
	reply, err := patient.Do(r)
	if err != nil {
		return fmt.Errorf("till at %s does not answer: %w", c.base, cause(err))
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		raw, err := io.ReadAll(io.LimitReader(reply.Body, mostAnswer))
		if err != nil {
			return fmt.Errorf("till's answer was cut: %w", err)
		}
		_, _, err = read(reply.StatusCode, raw, nil)
		return err
	}
	if _, err := io.Copy(to, reply.Body); err != nil {
		return fmt.Errorf("what was written is not the whole: %w", err)
	}
	return nil
}

func (c *Client) call(ctx context.Context, method, path string, in, out any, options []Option) (next string, err error) {
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return "", err
		}
	}
	for n := range tries {
		var again bool
		next, again, err = c.once(ctx, method, path, body, out, options)
		if err == nil || !again || n == tries-1 {
			break
		}
		select {
		case <-time.After(time.Second << n):
		case <-ctx.Done():
			return "", err
		}
	}
	return next, err
}

// once makes a request once. again says that a repeat is safe and may help.
func (c *Client) once(ctx context.Context, method, path string, body []byte, out any, options []Option) (next string, again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	r.Header.Set("X-API-Key", c.key)
	r.Header.Set("User-Agent", "till-go/1")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(r)
	}
	safe := method == http.MethodGet || r.Header.Get("Idempotency-Key") != ""
	h := c.HTTP
	if h == nil {
		h = fallback
	}
	reply, err := h.Do(r)
	if err != nil {
		return "", safe && ctx.Err() == nil, fmt.Errorf("till at %s does not answer: %w", c.base, cause(err))
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, mostAnswer))
	if err != nil {
		return "", safe && ctx.Err() == nil, fmt.Errorf("till's answer was cut: %w", err)
	}
	return read(reply.StatusCode, raw, out)
}

// cause leaves out the method and the URL that net/http repeats.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// read takes the envelope off.
func read(status int, raw []byte, out any) (next string, again bool, err error) {
	var said struct {
		Success bool            `json:"success"`
		Data    json.RawMessage `json:"data"`
		Error   *Error          `json:"error"`
		Page    struct {
			Next string `json:"next"`
		} `json:"page"`
	}
	if err := json.Unmarshal(raw, &said); err != nil || status >= 300 || !said.Success {
		e := said.Error
		if e == nil {
			e = &Error{Message: "what answers there is not till: HTTP status " + strconv.Itoa(status)}
		}
		e.Status = status
		return "", status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable, e
	}
	if out == nil {
		return said.Page.Next, false, nil
	}
	return said.Page.Next, false, json.Unmarshal(said.Data, out)
}
