package stripe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/stripe"
)

// shelf is a list of Stripe's: n objects, the newest first, number i with id x_i and our tag "row-i".
type shelf struct {
	n     int
	fails int // the page from which on it fails; 0 is none
	mu    sync.Mutex
	asked []url.Values
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	s.asked = append(s.asked, q)
	failing := s.fails > 0 && len(s.asked) >= s.fails
	s.mu.Unlock()
	if failing {
		reply(500, problem("api_error", ""))(w, r)
		return
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	from := s.n
	if after := q.Get("starting_after"); after != "" {
		from, _ = strconv.Atoi(strings.TrimPrefix(after, "x_"))
		from--
	}
	type object struct {
		ID       string            `json:"id"`
		Metadata map[string]string `json:"metadata"`
	}
	page := struct {
		Object  string   `json:"object"`
		Data    []object `json:"data"`
		HasMore bool     `json:"has_more"`
	}{Object: "list", Data: []object{}}
	for i := from; i > 0 && len(page.Data) < limit; i-- {
		page.Data = append(page.Data, object{fmt.Sprintf("x_%d", i), map[string]string{stripe.Tag: fmt.Sprintf("row-%d", i)}})
	}
	page.HasMore = from > limit
	_ = json.NewEncoder(w).Encode(page)
}

func (s *shelf) pages() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// finders are the look-ups, each as "found id, cursor, error".
var finders = map[string]func(t *testing.T, c *stripe.Client, tag, cursor string) (string, string, error){
	"/v1/payment_intents": func(t *testing.T, c *stripe.Client, tag, cursor string) (string, string, error) {
		found, next, err := c.FindPaymentIntent(t.Context(), tag, time.Unix(1000, 0), time.Unix(2000, 500), cursor)
		if found == nil {
			return "", next, err
		}
		return found.ID, next, err
	},
	"/v1/refunds": func(t *testing.T, c *stripe.Client, tag, cursor string) (string, string, error) {
		found, next, err := c.FindRefund(t.Context(), "pi_1", tag, cursor)
		if found == nil {
			return "", next, err
		}
		return found.ID, next, err
	},
	"/v1/customers": func(t *testing.T, c *stripe.Client, tag, cursor string) (string, string, error) {
		found, next, err := c.FindCustomer(t.Context(), "a@example.com", tag, cursor)
		if found == nil {
			return "", next, err
		}
		return found.ID, next, err
	},
}

// A look-up reads at most 20 pages of 100 and then says where to go on; it goes on behind its cursor and misses nothing.
func TestLookUpsAreBoundedAndResume(t *testing.T) {
	t.Parallel()
	for path, find := range finders {
		for _, c := range []struct {
			name         string
			n            int
			tag          string
			found        string
			looks, pages int
		}{
			{"nothing there", 0, "row-1", "", 1, 1},
			{"the newest", 250, "row-250", "x_250", 1, 1},
			{"the oldest", 250, "row-1", "x_1", 1, 3},
			{"a full last page", 200, "row-0", "", 1, 2},
			{"the last of what one look sees", 5000, "row-3001", "x_3001", 1, 20},
			{"the first behind the bound", 5000, "row-3000", "x_3000", 2, 21},
			{"absent from much", 4100, "row-0", "", 3, 41},
		} {
			t.Run(path+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := &shelf{n: c.n}
				client := serve(t, s.ServeHTTP).client(t)
				found, cursor, err := find(t, client, c.tag, "")
				looks := 1
				for ; stripe.Unfinished(err) && looks < 10; looks++ {
					if found != "" || cursor == "" {
						t.Fatalf("an unfinished look found %q and goes on at %q", found, cursor)
					}
					found, cursor, err = find(t, client, c.tag, cursor)
				}
				if err != nil || found != c.found || cursor != "" || looks != c.looks || len(s.pages()) != c.pages {
					t.Errorf("found %q in %d looks and %d pages, cursor %q: %v", found, looks, len(s.pages()), cursor, err)
				}
			})
		}
	}
}

// A look that fails on the way says where it stood, and why: it is not a look that found nothing.
func TestALookUpThatFails(t *testing.T) {
	t.Parallel()
	for path, find := range finders {
		s := &shelf{n: 1000, fails: 3}
		found, cursor, err := find(t, serve(t, s.ServeHTTP).client(t), "row-1", "")
		if e, ok := stripe.As(err); found != "" || cursor != "x_801" || !ok || e.Status != 500 || stripe.Unfinished(err) {
			t.Errorf("%s: found %q, cursor %q: %v", path, found, cursor, err)
		}
	}
}

// What each look-up asks for: the list, never Search, and within its bounds.
func TestWhatALookUpAsksFor(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]map[string]string{
		"/v1/payment_intents": {"created[gte]": "1000", "created[lte]": "2001", "limit": "100", "starting_after": "x_9", "expand[0]": "data.latest_charge.balance_transaction"},
		"/v1/refunds":         {"payment_intent": "pi_1", "limit": "100", "starting_after": "x_9"},
		"/v1/customers":       {"email": "a@example.com", "limit": "100", "starting_after": "x_9"},
	} {
		s := &shelf{n: 20}
		e := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "GET" || r.URL.Path != path {
				t.Errorf("%s %s", r.Method, r.URL.Path)
			}
			s.ServeHTTP(w, r)
		})
		if _, _, err := finders[path](t, e.client(t), "row-5", "x_9"); err != nil {
			t.Error(err)
		}
		asked := s.pages()[0]
		if len(asked) != len(want) {
			t.Errorf("%s asked %v", path, asked)
		}
		for k, v := range want {
			if asked.Get(k) != v {
				t.Errorf("%s: %s is %q, not %q", path, k, asked.Get(k), v)
			}
		}
	}
}

// Every call that changes something carries our key, its account's secret and exactly these parameters.
func TestWhatACallSends(t *testing.T) {
	t.Parallel()
	tag := map[string]string{stripe.Tag: "row", "order": "1"}
	const expand = "expand[0]=latest_charge.balance_transaction"
	for _, c := range []struct {
		name string
		do   func(*testing.T, *stripe.Client) error
		path string
		form string
	}{
		{"automatic", func(t *testing.T, c *stripe.Client) error {
			_, err := c.CreatePaymentIntent(t.Context(), "key", stripe.NewPaymentIntent{Amount: 5000, Currency: "usd", PaymentMethod: "pm_1", Metadata: tag})
			return err
		}, "/v1/payment_intents", "amount=5000&capture_method=automatic&confirm=true&currency=usd&metadata[order]=1&metadata[till_id]=row&payment_method=pm_1&payment_method_types[0]=card&" + expand},
		{"manual, saved card", func(t *testing.T, c *stripe.Client) error {
			_, err := c.CreatePaymentIntent(t.Context(), "key", stripe.NewPaymentIntent{Amount: 1, Currency: "jpy", PaymentMethod: "pm_1", Customer: "cus_1", OffSession: true, Manual: true,
				ReturnURL: "https://shop.example/?payment=1", Description: "a&b", Suffix: "SHOP"})
			return err
		}, "/v1/payment_intents", "amount=1&capture_method=manual&confirm=true&currency=jpy&customer=cus_1&description=a&b&off_session=true&payment_method=pm_1&payment_method_types[0]=card&" +
			"return_url=https://shop.example/?payment=1&statement_descriptor_suffix=SHOP&" + expand},
		{"capture", func(t *testing.T, c *stripe.Client) error {
			_, err := c.Capture(t.Context(), "key", "pi_1", 70)
			return err
		}, "/v1/payment_intents/pi_1/capture", "amount_to_capture=70&" + expand},
		{"an id is one path element", func(t *testing.T, c *stripe.Client) error {
			_, err := c.Capture(t.Context(), "key", "pi_1/../x?y", 70)
			return err
		}, "/v1/payment_intents/pi_1%2F..%2Fx%3Fy/capture", "amount_to_capture=70&" + expand},
		{"cancel", func(t *testing.T, c *stripe.Client) error {
			_, err := c.Cancel(t.Context(), "key", "pi_1", "")
			return err
		}, "/v1/payment_intents/pi_1/cancel", expand},
		{"refund", func(t *testing.T, c *stripe.Client) error {
			_, err := c.CreateRefund(t.Context(), "key", "pi_1", 30, "duplicate", tag)
			return err
		}, "/v1/refunds", "amount=30&metadata[order]=1&metadata[till_id]=row&payment_intent=pi_1&reason=duplicate"},
		{"customer", func(t *testing.T, c *stripe.Client) error {
			_, err := c.CreateCustomer(t.Context(), "key", "a@example.com", "", tag)
			return err
		}, "/v1/customers", "email=a@example.com&metadata[order]=1&metadata[till_id]=row"},
		{"attach", func(t *testing.T, c *stripe.Client) error {
			_, err := c.Attach(t.Context(), "key", "pm_1", "cus_1")
			return err
		}, "/v1/payment_methods/pm_1/attach", "customer=cus_1"},
		{"detach", func(t *testing.T, c *stripe.Client) error {
			_, err := c.Detach(t.Context(), "key", "pm_1")
			return err
		}, "/v1/payment_methods/pm_1/detach", ""},
		{"webhook endpoint", func(t *testing.T, c *stripe.Client) error {
			_, err := c.CreateWebhookEndpoint(t.Context(), "https://pay.example/v1/webhooks/stripe", []string{"a.b", "c.d"}, "key")
			return err
		}, "/v1/webhook_endpoints", "api_version=" + stripe.APIVersion + "&enabled_events[0]=a.b&enabled_events[1]=c.d&url=https://pay.example/v1/webhooks/stripe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var form string
			asked := make(chan *http.Request, 1)
			e := serve(t, nil)
			e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				form = flat(r.PostForm)
				asked <- r
				reply(200, `{"id":"x_1"}`)(w, r)
			})
			if err := c.do(t, e.client(t)); err != nil {
				t.Fatal(err)
			}
			r := <-asked
			if r.Method != "POST" || r.URL.EscapedPath() != c.path {
				t.Errorf("%s %s", r.Method, r.URL.EscapedPath())
			}
			want := strings.Split(c.form, "&")
			slices.Sort(want)
			if got := strings.Split(form, "&"); !slices.Equal(sorted(got), want) {
				t.Errorf("sent\n%v, not\n%v", got, want)
			}
			for name, value := range map[string]string{"Idempotency-Key": "key", "Stripe-Version": stripe.APIVersion, "Authorization": "Bearer sk_test_11111111"} {
				if r.Header.Get(name) != value {
					t.Errorf("%s is %q", name, r.Header.Get(name))
				}
			}
			if r.Header.Get("X-Stripe-Client-Telemetry") != "" {
				t.Error("telemetry was sent")
			}
		})
	}
}

// flat is a form as k=v pairs; a value's own & splits it like a pair's, on both sides of the comparison.
func flat(form url.Values) string {
	var pairs []string
	for k, v := range form {
		pairs = append(pairs, k+"="+strings.Join(v, ","))
	}
	return strings.Join(pairs, "&")
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// A 200 that is no list is no empty list: nothing may be called absent on the word of a gateway. And a look-up ends with its context.
func TestALookUpThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	for path, find := range finders {
		for _, body := range []string{`{}`, `{"data":[],"has_more":false}`, `{"id":"x_1","object":"payment_intent"}`, `[]`, ``} {
			if found, _, err := find(t, serve(t, reply(200, body)).client(t), "row-1", ""); found != "" || stripe.Meaning(err) != stripe.Unknown || stripe.Unfinished(err) {
				t.Errorf("%s answered %s: found %q, %v", path, body, found, err)
			}
		}
	}
	e := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := e.client(t).FindRefund(ctx, "pi_1", "row-1", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a look-up outlived its context: %v", err)
	}
}
