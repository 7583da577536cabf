// Package sandbox is Stripe in a box: Stripe's API with state behind it, for tests and development, in any program that speaks to Stripe.
//
// A test asks for a world and gives its address and key to whatever pays through Stripe:
//
//	func TestCheckout(t *testing.T) {
//		box := sandbox.New(t) // listens on loopback; gone when the test ends
//		shop := NewShop(box.Key, box.URL)
//		shop.Buy("tea", "pm_card_visa")
//		box.Event("payment_intent.succeeded", 1, time.Second) // waits for it, or ends the test
//	}
//
// Payments, refunds, disputes and balances behave as in Stripe's test mode: test cards decline with their codes, 3D Secure sends the
// customer to a page, webhooks are signed, delivered and tried again, idempotency keys and errors are Stripe's word for word. What
// Stripe's published document says about parameters and objects comes from package spec; an operation that has no behaviour here
// answers 501 with its name, never a made-up success.
//
// What no test mode lets a test do: [World.Advance] makes seven days pass in a moment, with all that falls due in them. [World.Fault]
// makes the third capture time out after it took effect. [WithSeed] and a frozen clock make two runs alike to the byte. Nothing is
// shared: each key is a world of its own, and tests run in parallel.
//
// [NewServer] is the long-lived form, an [net/http.Handler] for any number of worlds; the command till sandbox serves one, for every
// language, and [Open] gives a test a world of it. The API of a World is Go's own types only: bring Stripe's client, or none.
package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// TB is what this package needs of a test. *[testing.T], *[testing.B] and *[testing.F] have it.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// World is what one API key opens: a Stripe account in test mode, with its objects, events and clock. Its methods end the test with
// Fatalf where they fail, so they are for the goroutine of the test.
type World struct {
	URL            string // of Stripe's API, of files and of hosted pages: http://127.0.0.1:41237
	Key            string // sk_test_…, made for this world
	PublishableKey string // pk_test_…

	account string // on whose behalf, where that is not the world's own
	t       TB
}

// As is the same world on behalf of an account that is connected to it: Call and Control, and all that is done by them, name it in
// Stripe-Account. The account is not looked for before the first request.
func (w *World) As(account string) *World {
	other := *w
	other.account = account
	return &other
}

// Bounds of a World's own requests.
const (
	callTimeout = 2 * time.Minute // above what a control call waits at most
	maxAnswer   = 64 << 20        // bytes of an answer
)

// New starts a sandbox on a loopback port and opens a world in it; both are gone when the test ends. The seed, drawn where no option
// gives one, is in the test's log: [WithSeed] with it brings the same key and ids again.
func New(t TB, options ...Option) *World {
	t.Helper()
	s := NewServer(append([]Option{WithSeed(rand.Uint64())}, options...)...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("sandbox: no port to listen on: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	name := sha256.Sum256(append([]byte("key of a test"), s.seed[:]...))
	w := Open(t, "http://"+l.Addr().String(), secretKey+hex.EncodeToString(name[:12]))
	t.Logf("sandbox: %s, seed %d", w.URL, binary.LittleEndian.Uint64(s.seed[:]))
	return w
}

// Open is the world of a key in a sandbox that runs already, such as one that till sandbox serves; url is its address. It outlives the
// test: give it a key that no other test uses, or call [World.Reset] first.
func Open(t TB, url, key string) *World {
	t.Helper()
	kind, suffix := parseKey(key)
	if suffix == "" || kind == publishableKey {
		t.Fatalf("sandbox: a world is named by a secret key of the test mode, sk_test_…")
	}
	w := &World{URL: strings.TrimSuffix(url, "/"), Key: key, PublishableKey: publishableKey + suffix, t: t}
	return w
}

// steering sends the requests of all Worlds; it uses no proxy.
var steering = &http.Client{Timeout: callTimeout, Transport: &http.Transport{
	DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	MaxIdleConnsPerHost: 8,
	IdleConnTimeout:     30 * time.Second,
}}

// Call sends one request of Stripe's API with the secret key: GET with the parameters in the query, others with a form, which may be
// nil. It gives the status, and reads the answer, be it a refusal, into a pointer, which may be nil. For more, use Stripe's client.
func (w *World) Call(method, path string, form url.Values, into any) (status int) {
	w.t.Helper()
	target, body := w.URL+path, form.Encode()
	if method == http.MethodGet && body != "" {
		target, body = target+"?"+body, ""
	}
	return w.exchange(method, target, "application/x-www-form-urlencoded", strings.NewReader(body), into)
}

// Control sends one request of the control API, which docs/sandbox.md describes: path begins with /_sandbox/, in is written as JSON
// unless it is nil, and the answer is read into out unless that is nil. A refusal ends the test. The other methods cover what tests
// mostly need.
func (w *World) Control(method, path string, in, out any) {
	w.t.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			w.t.Fatalf("sandbox: %s %s: %v", method, path, err)
		}
	}
	var answer json.RawMessage
	if status := w.exchange(method, w.URL+path, "application/json", bytes.NewReader(body), &answer); status/100 != 2 {
		w.t.Fatalf("sandbox: %s %s answers %d: %s", method, path, status, answer)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer, out); err != nil {
		w.t.Fatalf("sandbox: %s %s: %v in %s", method, path, err, answer)
	}
}

// exchange sends a request and reads the JSON of its answer.
func (w *World) exchange(method, target, kind string, body io.Reader, into any) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, target, body)
	if err != nil {
		w.t.Fatalf("sandbox: %v", err)
	}
	r.Header.Set("Authorization", "Bearer "+w.Key)
	r.Header.Set("Content-Type", kind)
	if w.account != "" {
		r.Header.Set("Stripe-Account", w.account)
	}
	answer, err := steering.Do(r)
	if err != nil {
		w.t.Fatalf("sandbox: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		w.t.Fatalf("sandbox: %s %s answers %s: %v", method, target, answer.Status, err)
	}
	return answer.StatusCode
}
