package stripe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/stripe"
)

// endpoint is a server that answers as a test says, and counts what it was asked.
type endpoint struct {
	*httptest.Server
	asked atomic.Int64
}

func serve(t *testing.T, answer http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) client(t *testing.T) *stripe.Client { return clientOf(t, e.URL) }

// clientOf is the very client that production uses, with a time-out that a test can wait for.
func clientOf(t *testing.T, base string) *stripe.Client {
	h := stripe.HTTPClient()
	h.Timeout = 20 * time.Second
	t.Cleanup(h.CloseIdleConnections)
	return stripe.NewClient(base, "sk_test_"+strings.Repeat("1", 8), h)
}

func create(ctx context.Context, c *stripe.Client) (stripe.PaymentIntent, error) {
	return c.CreatePaymentIntent(ctx, "till-1-create", stripe.NewPaymentIntent{Amount: 5000, Currency: "usd", PaymentMethod: "pm_card_visa"})
}

// reply answers with a status, a body and headers given as "Name: value".
func reply(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func problem(kind, code string) string {
	return fmt.Sprintf(`{"error":{"type":%q,"code":%q,"message":"what Stripe says"}}`, kind, code)
}

const (
	html     = "<html><body>503 Service Temporarily Unavailable</body></html>"
	intent   = `{"id":"pi_1","object":"payment_intent","status":"succeeded","amount":5000,"amount_received":5000,"currency":"usd"}`
	declined = `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","advice_code":"try_again_later","message":"no",
		"payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method","last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}}}`
	noRetry  = "Stripe-Should-Retry: false"
	yesRetry = "Stripe-Should-Retry: true"
	replayed = "Idempotent-Replayed: true"
)

// cut ends the connection without a word.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// truncated sends the beginning of a good answer.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", fmt.Sprint(len(intent)))
	_, _ = io.WriteString(w, intent[:len(intent)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// The table of answers, line by line: what each means for the money, whether a repeat could bring anything else, and whether what
// gave it is over. Every one of them is asked for once: the SDK never repeats by itself.
func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	const request, api, idempotency, card = "invalid_request_error", "api_error", "idempotency_error", "card_error"
	for _, c := range []struct {
		name        string
		answer      http.HandlerFunc
		want        stripe.Outcome
		final, over bool
	}{
		{"200", reply(200, intent), stripe.Answered, false, false},
		{"200 that Stripe asks not to repeat", reply(200, intent, noRetry), stripe.Answered, false, false},
		{"200 replayed", reply(200, intent, replayed), stripe.Answered, false, false},
		{"402 with the intent", reply(402, declined, noRetry), stripe.Answered, false, false},
		{"402 without an intent", reply(402, problem(card, "card_declined")), stripe.Answered, false, false},
		{"402 of another type", reply(402, problem(request, "")), stripe.Answered, false, false},

		{"400", reply(400, problem(request, "parameter_missing")), stripe.Refused, false, false},
		{"400 that asks to come back", reply(400, problem(request, "lock_timeout"), yesRetry), stripe.NotExecuted, false, false},
		{"400 replayed", reply(400, problem(request, "charge_already_refunded"), replayed), stripe.Refused, true, true},
		{"400 without a code", reply(400, problem(request, "")), stripe.Refused, false, false},
		{"403", reply(403, problem(request, "")), stripe.Refused, false, false},
		{"404", reply(404, problem(request, "resource_missing")), stripe.Refused, false, false},
		{"401", reply(401, problem(request, "")), stripe.BadCredentials, false, false},
		{"401 of an expired key", reply(401, problem(request, "api_key_expired")), stripe.BadCredentials, false, false},

		{"429 of the limiter", reply(429, problem(request, "rate_limit"), "Stripe-Rate-Limited-Reason: global-rate"), stripe.NotExecuted, false, false},
		{"429 of a lock", reply(429, problem(request, "lock_timeout"), yesRetry), stripe.NotExecuted, false, false},
		{"429 that forbids the repeat", reply(429, problem(request, "rate_limit"), noRetry), stripe.Refused, true, false},

		{"409 in use", reply(409, problem(idempotency, "idempotency_key_in_use")), stripe.Unknown, false, false},
		{"409 in use, of another type", reply(409, problem(request, "idempotency_key_in_use"), yesRetry), stripe.Unknown, false, false},
		{"409 of a lock", reply(409, problem(request, "lock_timeout")), stripe.Unknown, false, false},
		{"400 idempotency_error", reply(400, problem(idempotency, "")), stripe.Unknown, true, false},
		{"424", reply(424, problem(api, "")), stripe.Unknown, false, false},
		{"500", reply(500, problem(api, "")), stripe.Unknown, false, false},
		{"500 that forbids the repeat", reply(500, problem(api, ""), noRetry), stripe.Unknown, true, true},
		{"500 that allows the repeat", reply(500, problem(api, ""), yesRetry), stripe.Unknown, false, false},
		{"500 with a header that says nothing", reply(500, problem(api, ""), "Stripe-Should-Retry: maybe"), stripe.Unknown, false, false},
		{"500 replayed", reply(500, problem(api, ""), replayed), stripe.Unknown, true, true},
		{"502", reply(502, problem(api, "")), stripe.Unknown, false, false},
		{"503", reply(503, problem(api, "")), stripe.Unknown, false, false},
		{"504", reply(504, problem(api, "")), stripe.Unknown, false, false},
		{"405", reply(405, problem(request, "")), stripe.Unknown, false, false},
		{"418", reply(418, problem(request, "")), stripe.Unknown, false, false},

		// The word of something between us and Stripe tells nothing, whatever its status says.
		{"HTML 503", reply(503, html), stripe.Unknown, false, false},
		{"HTML 404", reply(404, html), stripe.Unknown, false, false},
		{"HTML 403", reply(403, html), stripe.Unknown, false, false},
		{"HTML 429", reply(429, html), stripe.Unknown, false, false},
		{"HTML 200", reply(200, html), stripe.Unknown, false, false},
		{"400 of a gateway", reply(400, `{"message":"no route"}`), stripe.Unknown, false, false},
		{"403 of a gateway, in Stripe's shape", reply(403, `{"error":{"message":"blocked"}}`), stripe.Unknown, false, false},
		{"402 of a gateway", reply(402, `{"error":{"message":"pay first"}}`), stripe.Unknown, false, false},
		{"401 of a gateway", reply(401, `{"error":"unauthorized"}`), stripe.Unknown, false, false},
		{"200 of a gateway", reply(200, `{}`), stripe.Unknown, false, false},
		{"200 with nothing", reply(200, ""), stripe.Unknown, false, false},
		{"204", reply(204, ""), stripe.Unknown, false, false},
		{"redirect", reply(302, "", "Location: /elsewhere"), stripe.Unknown, false, false},

		{"cut", cut, stripe.Unknown, false, false},
		{"truncated", truncated, stripe.Unknown, false, false},
		{"more than 4 MiB", reply(200, intent[:len(intent)-1]+`,"description":"`+strings.Repeat("x", 4<<20)+`"}`), stripe.Unknown, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := serve(t, c.answer)
			_, err := create(t.Context(), e.client(t))
			if got := stripe.Meaning(err); got != c.want {
				t.Errorf("means %d, not %d: %v", got, c.want, err)
			}
			if stripe.Final(err) != c.final || stripe.Over(err) != c.over {
				t.Errorf("final %v, over %v; want %v, %v", stripe.Final(err), stripe.Over(err), c.final, c.over)
			}
			if n := e.asked.Load(); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// The same object one byte below the bound is read.
func TestAReplyOfAlmost4MiBIsRead(t *testing.T) {
	t.Parallel()
	head := intent[:len(intent)-1] + `,"description":"`
	body := head + strings.Repeat("x", 4<<20-len(head)-2) + `"}`
	pi, err := create(t.Context(), serve(t, reply(200, body)).client(t))
	if err != nil || pi.ID != "pi_1" || len(body) != 4<<20 {
		t.Errorf("%d bytes: %+v, %v", len(body), pi, err)
	}
}

// A dial that fails sent nothing. Anything later may have.
func TestWhatNeverLeft(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, base := range []string{"http://" + address, "https://" + address, "http://name.invalid"} {
		if _, err := create(t.Context(), clientOf(t, base)); stripe.Meaning(err) != stripe.NotExecuted {
			t.Errorf("%s: %v means %d", base, err, stripe.Meaning(err))
		}
	}
}

// A host that takes the connection and speaks no TLS may have read what was sent, for all we know.
func TestWhatMayHaveLeft(t *testing.T) {
	t.Parallel()
	e := serve(t, reply(200, intent))
	for _, base := range []string{"https://" + e.Listener.Addr().String(), "ftp://127.0.0.1"} {
		if _, err := create(t.Context(), clientOf(t, base)); stripe.Meaning(err) != stripe.Unknown {
			t.Errorf("%s: %v means %d", base, err, stripe.Meaning(err))
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := create(gone, e.client(t)); stripe.Meaning(err) != stripe.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v means %d", err, stripe.Meaning(err))
	}
}

// Go's transport sends a request that carries an Idempotency-Key anew where the connection that it reused was cut. When that second
// dial fails the first may have worked: it must not pass for a request that never left.
func TestADialAfterACutConnectionIsUnknown(t *testing.T) {
	t.Parallel()
	var e *endpoint
	e = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if e.asked.Load() == 1 {
			reply(200, intent)(w, r)
			return
		}
		_ = e.Listener.Close() // nobody can connect any more
		panic(http.ErrAbortHandler)
	})
	c := e.client(t)
	if _, err := create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	_, err := create(t.Context(), c)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" {
		t.Fatalf("the transport did not dial again: %v", err)
	}
	if stripe.Meaning(err) != stripe.Unknown {
		t.Errorf("%v means %d", err, stripe.Meaning(err))
	}
}

// A reply that does not come is waited for until the context or the client's time-out ends it, and no longer.
func TestAReplyThatDoesNotCome(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		e := serve(t, hang)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := create(ctx, e.client(t)); stripe.Meaning(err) != stripe.Unknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v means %d", err, stripe.Meaning(err))
		}
		if n := e.asked.Load(); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		e := serve(t, hang)
		h := stripe.HTTPClient()
		h.Timeout = 50 * time.Millisecond
		_, err := create(t.Context(), stripe.NewClient(e.URL, "sk_test_"+strings.Repeat("1", 8), h))
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() || stripe.Meaning(err) != stripe.Unknown {
			t.Errorf("%v means %d", err, stripe.Meaning(err))
		}
		if n := e.asked.Load(); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
	if h := stripe.HTTPClient(); h.Timeout <= 0 || h.Timeout > 80*time.Second {
		t.Errorf("the client waits %v: Stripe itself answers within 80 s or not at all", h.Timeout)
	}
}

// A decline is an answer: the intent with its reason, and no error.
func TestADeclineIsAnIntent(t *testing.T) {
	t.Parallel()
	pi, err := create(t.Context(), serve(t, reply(402, declined)).client(t))
	if err != nil || pi.ID != "pi_1" || pi.LastPaymentError == nil || pi.LastPaymentError.DeclineCode != "insufficient_funds" {
		t.Errorf("%+v, %v", pi, err)
	}
	// A decline that is about another object, or about none, stays an error with all its words.
	_, err = create(t.Context(), serve(t, reply(402, problem("card_error", "card_declined"), "Request-Id: req_1")).client(t))
	if e, ok := stripe.As(err); !ok || e.Status != 402 || e.Code != "card_declined" || e.Type != "card_error" || e.Message != "what Stripe says" || e.RequestID != "req_1" {
		t.Errorf("%#v", err)
	}
	_, err = serve(t, reply(402, declined)).client(t).Attach(t.Context(), "till-1-attach", "pm_1", "cus_1")
	if e, ok := stripe.As(err); !ok || e.DeclineCode != "insufficient_funds" || e.AdviceCode != "try_again_later" || e.PaymentIntent == nil {
		t.Errorf("%#v", err)
	}
}

// Two 5xx are one stored result only where they are the same in all that Stripe says.
func TestStoredFailure(t *testing.T) {
	t.Parallel()
	first := &stripe.Error{Status: 500, Type: "api_error", Message: "a"}
	for _, c := range []struct {
		a, b error
		want bool
	}{
		{first, &stripe.Error{Status: 500, Type: "api_error", Message: "a"}, true},
		{first, fmt.Errorf("wrapped: %w", first), true},
		{first, &stripe.Error{Status: 500, Message: "b"}, false},
		{first, &stripe.Error{Status: 502, Message: "a"}, false},
		{first, &stripe.Error{Status: 500, Message: "a", Code: "c"}, false},
		{&stripe.Error{Status: 429, Message: "a"}, &stripe.Error{Status: 429, Message: "a"}, false},
		{&stripe.Error{}, &stripe.Error{}, false}, // two time-outs
		{nil, first, false},
		{errors.New("a"), errors.New("a"), false},
	} {
		if got := stripe.StoredFailure(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}
}

// What is no word of Stripe's says nothing of what Stripe did.
func TestErrorsOfOurOwn(t *testing.T) {
	t.Parallel()
	own := errors.New("the database is away")
	if stripe.Meaning(own) != stripe.Unknown || stripe.Final(own) || stripe.Over(own) || !stripe.MayRepeat(own) {
		t.Error("an error of our own was taken for Stripe's")
	}
	if stripe.Meaning(nil) != stripe.Answered {
		t.Error("no error is an answer")
	}
}

// No error shows the secret key, whatever the server says back.
func TestNoErrorShowsTheKey(t *testing.T) {
	t.Parallel()
	const secret = "Authorization"
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(secret) == "" {
			t.Error("no key was sent")
		}
		reply(500, problem("api_error", ""))(w, r)
	})
	key := "sk_test_" + strings.Repeat("7", 24)
	for _, base := range []string{e.URL, "http://127.0.0.1:1"} {
		_, err := stripe.NewClient(base, key, stripe.HTTPClient()).Account(t.Context())
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), key) {
			t.Errorf("%v", err)
		}
	}
}

// A request that is too late does not leave, and is told as not executed; one that is not has all of a request's time.
func TestNothingLeavesAfterItsTime(t *testing.T) {
	t.Parallel()
	e := serve(t, reply(200, intent))
	for _, c := range []struct {
		in   time.Duration
		want stripe.Outcome
	}{{-time.Millisecond, stripe.NotExecuted}, {time.Minute, stripe.Answered}} {
		_, err := create(stripe.LeaveBy(t.Context(), time.Now().Add(c.in)), e.client(t))
		if got := stripe.Meaning(err); got != c.want {
			t.Errorf("in %v it means %d, not %d: %v", c.in, got, c.want, err)
		}
	}
	if n := e.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
