package outbox_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/merchant"
)

// Under the real clock the reference library checks the time too.
func TestSignatureOfNow(t *testing.T) {
	t.Parallel()
	d, err := db.Open(ctx, dbtest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n, scope := setup(t, d), seller()
	n.Outbox.Clock = clock.Real{}
	var secret atomic.Value
	came := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hook, err := standardwebhooks.NewWebhook(secret.Load().(string))
		if err == nil {
			err = hook.Verify(body, r.Header)
		}
		if err == nil && hook.Verify(bytes.Replace(body, []byte("payment.completed"), []byte("payment.failed"), 1), r.Header) == nil {
			t.Error("the signature holds for another body")
		}
		came <- err
	}))
	defer s.Close()
	secret.Store(n.listen(scope, s.URL))
	n.tell(scope, "payment.completed", 1)
	n.deliver()
	if err := <-came; err != nil {
		t.Error(err)
	}
}

// While a secret overlaps with the one before, a receiver with either of them takes every delivery; afterwards only the new one is of use.
func TestBothSecretsInAnOverlap(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, scope := setup(t, d), seller()
		type request struct {
			header http.Header
			body   []byte
		}
		came := make(chan request, 1)
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			came <- request{r.Header, body}
		}))
		defer s.Close()
		secrets := []string{n.listen(scope, s.URL)}
		takes := func(want ...bool) {
			t.Helper()
			n.tell(scope, "payment.completed", 1)
			n.deliver()
			r := <-came
			for i, secret := range secrets {
				hook, err := standardwebhooks.NewWebhook(secret)
				if err == nil {
					err = hook.VerifyIgnoringTimestamp(r.body, r.header) // the clock stands still
				}
				if (err == nil) != want[i] {
					t.Errorf("with secret %d of %d the reference library says %v about %q", i+1, len(secrets), err, r.header)
				}
			}
		}
		rotate := func(hours *int64) {
			t.Helper()
			_, secret, err := n.Merchants.Listen(ctx, scope, merchant.ListenInput{RotateSecret: true, OverlapHours: hours})
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, secret)
		}
		takes(true)
		rotate(nil)
		takes(true, true)
		n.clock.Advance(24*time.Hour - time.Microsecond)
		takes(true, true)
		n.clock.Advance(time.Microsecond)
		takes(false, true)
		week, none := int64(168), int64(0)
		rotate(&week)
		rotate(&week)
		takes(false, false, true, true) // two at most
		rotate(&none)
		takes(false, false, false, false, true)
	})
}

func TestWhatFailsIsToldInClearWords(t *testing.T) {
	t.Parallel()
	inside, came := listener(t)
	answering := func(f http.HandlerFunc) string {
		s := httptest.NewServer(f)
		t.Cleanup(s.Close)
		return s.URL
	}
	raw := func(answer string) string { // a server that speaks no HTTP
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 1024))
				_, _ = io.WriteString(c, answer)
				c.Close()
			}
		}()
		return "http://" + l.Addr().String()
	}
	certified := httptest.NewUnstartedServer(http.NotFoundHandler())
	certified.Config.ErrorLog = log.New(io.Discard, "", 0)
	certified.StartTLS()
	t.Cleanup(certified.Close)
	for name, c := range map[string]struct {
		url    string
		status int64
		want   string // of the error; "" is a success
	}{
		"redirect": {answering(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+inside+"/", http.StatusTemporaryRedirect)
		}), 307, "The endpoint answered 307: redirects are not followed."},
		"gone":          {answering(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }), 410, "The endpoint answered 410."},
		"refused":       {"http://127.0.0.1:1/", 0, "The connection was refused."},
		"slow":          {hang(t).URL, 0, "No answer came in time."},
		"closed":        {raw(""), 0, "The connection was closed before an answer came."},
		"not HTTP":      {raw("SSH-2.0-x\r\n\r\n"), 0, "The answer could not be read as HTTP."},
		"header bomb":   {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n"), 0, "The answer could not be read as HTTP."},
		"not TLS":       {strings.Replace(raw("HTTP/1.1 200 OK\r\n\r\n"), "http:", "https:", 1), 0, "The TLS handshake failed."},
		"certificate":   {certified.URL, 0, "The server's TLS certificate is not valid for this URL."},
		"no such host":  {"https://nowhere.example.com/", 0, "The host name has no address."},
		"inside":        {"https://inside.example.com/latest/meta-data", 0, "Not sent: the URL leads to a link-local address, and deliveries go to the public internet only, unless till's operator allows others with --allow-webhook-to."},
		"body for ever": {answering(endless), 200, ""},
		"slow body": {answering(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(201)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}), 201, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(ctx, dbtest.SQLite(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			n, scope := setup(t, d), seller()
			n.Timeout = 500 * time.Millisecond
			n.Dialer.Resolver = names(t, map[string][]string{"inside.example.com": {"169.254.169.254"}})
			n.listen(scope, "http://127.0.0.1:1/")
			// The URL is written past the check, which refuses some of these: what counts is what the dialer does.
			if err := d.Write(ctx, db.Change{SQL: `update endpoints set url = $1 where merchant = $2`, Args: []any{c.url, scope.Merchant}, Rows: 1}); err != nil {
				t.Fatal(err)
			}
			n.tell(scope, "payment.completed", 1)
			n.deliver()
			if v := n.only(scope); v.LastStatusCode != c.status || v.LastError != c.want {
				t.Errorf("logged as %d %q, not as %d %q", v.LastStatusCode, v.LastError, c.status, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if came.Load() != 0 {
			t.Error("a redirect was followed")
		}
	})
}

// endless sends a body as long as anybody reads.
func endless(w http.ResponseWriter, _ *http.Request) {
	for chunk := bytes.Repeat([]byte("x"), 32<<10); ; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// The environment's proxy is not asked: it would dial for us, unchecked. The variables are read once per process, so this test
// is the only one here that may set them.
func TestNoProxy(t *testing.T) {
	proxy, came := listener(t)
	t.Setenv("HTTP_PROXY", "http://"+proxy)
	t.Setenv("http_proxy", "http://"+proxy)
	d, err := db.Open(ctx, dbtest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n, scope := setup(t, d), seller()
	r := receive(t)
	_, port, _ := net.SplitHostPort(r.Listener.Addr().String())
	n.Dialer.Resolver = names(t, map[string][]string{"shop.example.com": {"127.0.0.1"}})
	r.mu.Lock()
	r.secret = n.listen(scope, "http://shop.example.com:"+port+"/")
	r.mu.Unlock()
	n.tell(scope, "payment.completed", 1)
	n.deliver()
	if len(r.messages()) != 1 || came.Load() != 0 {
		t.Errorf("%d arrived, the proxy was asked %d times", len(r.messages()), came.Load())
	}
}
