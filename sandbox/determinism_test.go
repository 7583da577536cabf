package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/transcript"
)

// story is all that a sandbox has said, in the order in which it said it: answers to requests, and webhooks by the endpoint they came to.
type story struct {
	t       *testing.T
	server  *httptest.Server
	lines   *http.Transport // a connection for each request, so that none is sent twice unseen
	failing int             // of so many webhooks that come to an endpoint, one is refused; 0 is none

	mu       sync.Mutex
	answers  []string
	webhooks map[string][]string
}

// tell begins a story with a sandbox of its own whose clock is frozen. Webhooks come to the same receiver in every story, so that the
// endpoints' addresses are the same.
func tell(t *testing.T, seed uint64, receiver *httptest.Server) *story {
	t.Helper()
	s := &story{t: t, lines: &http.Transport{DisableKeepAlives: true}, webhooks: map[string][]string{}}
	s.server, _, _ = setup(t, sandbox.WithSeed(seed), sandbox.WithStart(start), sandbox.WithRate(0))
	receiver.Config.Handler = http.HandlerFunc(s.receive)
	return s
}

func (s *story) receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	to := r.URL.Path
	s.webhooks[to] = append(s.webhooks[to], r.Header.Get("Stripe-Signature")+"\n"+string(body))
	if s.failing > 0 && len(s.webhooks[to])%s.failing == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// RoundTrip sends a request and notes everything that comes back but the date. The sandbox is always called by the same name, which is
// in addresses that it gives. Afterwards it waits until all webhooks have arrived that the request has caused.
func (s *story) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = "localhost:12111"
	answer, err := s.lines.RoundTrip(r)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
	}
	note := fmt.Sprintf("%s %s\n", r.Method, r.URL.RequestURI())
	if answer != nil {
		note += fmt.Sprintf("%d\n", answer.StatusCode)
		for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
			if name != "Date" {
				note += fmt.Sprintf("%s: %q\n", name, answer.Header[name])
			}
		}
	}
	if err != nil {
		note += "no whole answer\n"
	}
	s.answers = append(s.answers, note+"\n"+string(body))
	s.settle(r.Header)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// settle waits until the webhooks of the request's world have arrived.
func (s *story) settle(header http.Header) {
	if strings.Contains(header.Get("Authorization"), "pk_") {
		return // of the same world as the requests around it
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.server.URL+"/_sandbox/webhooks/wait", strings.NewReader(`{"seconds":20}`))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", header.Get("Authorization"))
	answer, err := s.server.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode == http.StatusOK && !bytes.Contains(body, []byte(`"idle":true`)) {
		s.t.Fatalf("webhooks hang: %s", body)
	}
}

func (s *story) client() *http.Client { return &http.Client{Transport: s} }

// send sends a request and gives the ids in the answer.
func (s *story) send(key, method, path, form string, header ...string) (answer string) {
	target := s.server.URL + path
	if method == http.MethodGet && form != "" {
		target, form = target+"?"+form, ""
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := s.client().Do(r)
	if err != nil {
		return ""
	}
	body, _ := io.ReadAll(got.Body)
	return string(body)
}

// same holds two stories against each other to the byte.
func same(t *testing.T, one, two *story) {
	t.Helper()
	if len(one.answers) != len(two.answers) {
		t.Errorf("%d answers and %d", len(one.answers), len(two.answers))
	}
	for i := range min(len(one.answers), len(two.answers)) {
		if one.answers[i] != two.answers[i] {
			t.Fatalf("answer %d differs, %s\n%s", i, firstDifference(one.answers[i], two.answers[i]), one.answers[i])
		}
	}
	for to, was := range one.webhooks {
		is := two.webhooks[to]
		for i := range min(len(was), len(is)) {
			if was[i] != is[i] {
				t.Fatalf("webhook %d to %s differs, %s", i, to, firstDifference(was[i], is[i]))
			}
		}
		if len(was) != len(is) {
			t.Errorf("%s received %d webhooks and %d", to, len(was), len(is))
		}
	}
	if len(one.webhooks) != len(two.webhooks) {
		t.Errorf("%d endpoints and %d were called", len(one.webhooks), len(two.webhooks))
	}
}

// TestTranscriptsAreOneStory: every transcript of every resource, and of every version of the API that has one, played twice with one seed, has the same answers and webhooks to the
// byte; with another seed it has others.
func TestTranscriptsAreOneStory(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	older, _ := filepath.Glob("testdata/versions/*.txt")
	if err != nil || len(files) == 0 || len(older) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	files = append(files, older...)
	receiver := httptest.NewServer(nil)
	t.Cleanup(receiver.Close)
	play := func(seed uint64, files []string) *story {
		s := tell(t, seed, receiver)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txt")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			key := "sk_" + "test_" + strings.NewReplacer(".", "_", "-", "_").Replace(name)
			s.send(key, http.MethodPost, "/v1/webhook_endpoints", "enabled_events[]=*&url="+escaped(receiver.URL+"/"+name))
			if _, err := transcript.New(s.client(), s.server.URL, key).Play(t.Context(), string(text)); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	one, again, other := play(1, files), play(1, files), play(2, files[:1])
	same(t, one, again)
	if one.answers[0] == other.answers[0] || len(one.webhooks) < 5 {
		t.Errorf("another seed says the same, or only %d endpoints were called", len(one.webhooks))
	}
	if t.Failed() {
		return
	}
	t.Logf("%d answers and webhooks to %d endpoints are the same", len(one.answers), len(one.webhooks))
}

// TestOneSeedOneStory: hundreds of requests of all sorts with faults by chance, refused webhooks and leaps of the clock are the same in
// two sandboxes of one seed.
func TestOneSeedOneStory(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(nil)
	t.Cleanup(receiver.Close)
	one, again := mixed(t, 1, receiver), mixed(t, 1, receiver)
	other, _ := opening(t, 2, receiver)
	same(t, one, again)
	if one.answers[0] == other.answers[0] {
		t.Error("another seed says the same")
	}
	statuses, webhooks := map[string]int{}, 0
	for _, answer := range one.answers {
		statuses[strings.SplitN(answer, "\n", 3)[1]]++
	}
	for _, all := range one.webhooks {
		webhooks += len(all)
	}
	for _, status := range []string{"200", "400", "402", "404", "409", "429", "500", "no whole answer"} {
		if statuses[status] == 0 {
			t.Errorf("no request had %s: %v", status, statuses)
		}
	}
	if webhooks < 200 {
		t.Errorf("only %d webhooks came", webhooks)
	}
	t.Logf("answers by status %v, %d webhooks", statuses, webhooks)
}

// chances are the rules of the mixed story: each strikes now and then.
var chances = []string{
	`{"kind":"error_500","after_effect":true,"probability":0.02}`, `{"kind":"error_500","probability":0.02}`, `{"kind":"error_429","probability":0.02}`,
	`{"kind":"lock_timeout","probability":0.02,"method":"POST"}`, `{"kind":"error_409","probability":0.02,"method":"POST"}`, `{"kind":"cut","probability":0.02}`,
	`{"kind":"truncated","probability":0.02}`, `{"kind":"refuse","probability":0.01}`, `{"kind":"slow","milliseconds":1,"probability":0.05}`,
	`{"kind":"lost","probability":0.05}`, `{"kind":"doubled","probability":0.05}`, `{"kind":"delayed","seconds":45,"probability":0.05}`,
	`{"kind":"reordered","behind":2,"probability":0.05}`, `{"kind":"corrupted","probability":0.05}`,
}

var anID = regexp.MustCompile(`"((?:cus|pi|seti|pm|ch|re|evt|txn|we|dp|po|tu|prv|issfr)_[0-9A-Za-z_]+)"`)

// mixed plays a long story whose requests are always the same as far as the answers are.
func mixed(t *testing.T, seed uint64, receiver *httptest.Server) *story {
	s, key := opening(t, seed, receiver)
	for _, rule := range chances {
		s.send(key, http.MethodPost, "/_sandbox/faults", rule, "Content-Type", "application/json")
	}
	draw := rand.New(rand.NewPCG(7, 7))
	known := map[string][]string{} // ids by prefix
	for range 700 {
		prefix := func(p string) string {
			if all := known[p]; len(all) > 0 {
				return all[draw.IntN(len(all))]
			}
			return p + "_none"
		}
		step := steps[draw.IntN(len(steps))]
		path, form := fillIn(step.path, prefix), fillIn(step.form, prefix)
		var header []string
		if step.method == http.MethodPost && draw.IntN(3) == 0 {
			header = append(header, "Idempotency-Key", fmt.Sprint("key-", draw.IntN(60)))
		}
		for _, id := range anID.FindAllStringSubmatch(s.send(key, step.method, path, form, header...), -1) {
			p, _, _ := strings.Cut(id[1], "_")
			if !slices.Contains(known[p], id[1]) && !strings.Contains(id[1], "_secret_") {
				known[p] = append(known[p], id[1])
			}
		}
	}
	state := s.send(key, http.MethodGet, "/_sandbox/state", "")
	for _, kind := range []string{"customer", "payment_intent", "setup_intent", "charge", "refund", "dispute", "payout", "topup", "balance_transaction", "event"} {
		if !strings.Contains(state, `"`+kind+`":`) {
			t.Errorf("no %s is in the story: %s", kind, state)
		}
	}
	return s
}

// opening is the beginning of the mixed story: its endpoints.
func opening(t *testing.T, seed uint64, receiver *httptest.Server) (s *story, key string) {
	s, key = tell(t, seed, receiver), "sk_"+"test_mixed"
	s.failing = 5
	for _, name := range []string{"one", "two", "three"} {
		s.send(key, http.MethodPost, "/v1/webhook_endpoints", "enabled_events[]=*&url="+escaped(receiver.URL+"/"+name))
	}
	return s, key
}

var gap = regexp.MustCompile(`\{[a-z]+\}`)

func fillIn(text string, with func(string) string) string {
	return gap.ReplaceAllStringFunc(text, func(name string) string { return with(name[1 : len(name)-1]) })
}

// steps are what the mixed story is made of; {pi} is any payment intent that an answer has shown.
var steps = []struct{ method, path, form string }{
	{"POST", "/v1/customers", "email=ada@example.com&metadata[b]=2&metadata[a]=1&metadata[c]=3"},
	{"POST", "/v1/customers/{cus}", "name=Grace&metadata[a]=&metadata[d]=4"},
	{"POST", "/v1/customers", "email=bob@example.com&payment_method=pm_card_visa&expand[]=sources"},
	{"DELETE", "/v1/customers/{cus}", ""},
	{"GET", "/v1/customers", "email=ada@example.com"},
	{"GET", "/v1/customers/search", "query=email:%22ada@example.com%22+AND+created%3E0&limit=3&expand[]=total_count"},
	{"POST", "/v1/payment_methods", "type=card&card[token]=tok_visa&billing_details[name]=Ada"},
	{"POST", "/v1/payment_methods/{pm}/attach", "customer={cus}"},
	{"POST", "/v1/payment_methods/{pm}/detach", ""},
	{"POST", "/v1/payment_intents", pay + "&payment_method=pm_card_visa"},
	{"POST", "/v1/payment_intents", pay + "&payment_method=pm_card_visa&metadata[order]=7&expand[]=latest_charge.balance_transaction"},
	{"POST", "/v1/payment_intents", pay + "&payment_method=pm_card_chargeDeclinedInsufficientFunds"},
	{"POST", "/v1/payment_intents", pay + "&payment_method=pm_card_threeDSecure2Required&return_url=https://example.com/back"},
	{"POST", "/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&capture_method=manual&payment_method=pm_card_visa"},
	{"POST", "/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_mastercard"},
	{"POST", "/v1/payment_intents", "amount=-5&currency=usd"},
	{"POST", "/v1/payment_intents/{pi}/capture", "amount_to_capture=700"},
	{"POST", "/v1/payment_intents/{pi}/cancel", ""},
	{"POST", "/v1/payment_intents/{pi}", "description=changed&metadata[z]=1"},
	{"GET", "/v1/payment_intents/{pi}", "expand[]=latest_charge&expand[]=customer"},
	{"POST", "/v1/setup_intents", "payment_method=pm_card_visa&confirm=true&payment_method_types[]=card&customer={cus}"},
	{"POST", "/v1/setup_intents/{seti}/cancel", ""},
	{"GET", "/v1/setup_attempts", "setup_intent={seti}"},
	{"POST", "/v1/refunds", "payment_intent={pi}&amount=100"},
	{"POST", "/v1/refunds", "charge={ch}"},
	{"POST", "/v1/charges/{ch}", "description=seen"},
	{"GET", "/v1/charges", "limit=3&expand[]=data.refunds"},
	{"GET", "/v1/balance", ""},
	{"GET", "/v1/balance_transactions", "limit=5"},
	{"GET", "/v1/events", "limit=3"},
	{"GET", "/v1/events", "delivery_success=false&limit=5"},
	{"GET", "/v1/account", ""},
	{"POST", "/v1/payment_intents", pay + "&payment_method=pm_card_createDispute"},
	{"POST", "/v1/payment_intents", "amount=2500&currency=eur&payment_method_types[]=card&confirm=true&capture_method=automatic&payment_method=pm_card_bypassPending"},
	{"POST", "/v1/disputes/{dp}", "evidence[uncategorized_text]=winning_evidence&submit=true"},
	{"POST", "/v1/disputes/{dp}", "evidence[uncategorized_text]=losing_evidence&metadata[b]=1&metadata[a]=2"},
	{"POST", "/v1/disputes/{dp}/close", ""},
	{"GET", "/v1/disputes", "limit=3&expand[]=data.charge"},
	{"GET", "/v1/radar/early_fraud_warnings", "limit=2"},
	{"GET", "/v1/reviews", ""},
	{"GET", "/v1/radar/value_lists", "limit=2"},
	{"POST", "/v1/radar/value_lists", "alias=ours&name=Ours&item_type=email"},
	{"POST", "/v1/refunds", "charge={ch}&reason=fraudulent&amount=1"},
	{"POST", "/_sandbox/radar", `{"rule":"Block if :email_count_for_card_daily: > 2 OR :amount_in_eur: > 20"}`},
	{"POST", "/_sandbox/radar", `{"rule":"Request 3D Secure if :risk_score: > 40"}`},
	{"POST", "/_sandbox/radar/test", `{"rule":"Review if :card_country: = 'US'"}`},
	{"DELETE", "/_sandbox/radar", ""},
	{"GET", "/_sandbox/radar", ""},
	{"POST", "/v1/balance_settings", "payments[payouts][schedule][interval]=manual"},
	{"POST", "/v1/balance_settings", "payments[payouts][schedule][interval]=daily"},
	{"POST", "/v1/payouts", "amount=300&currency=usd&expand[]=balance_transaction"},
	{"POST", "/v1/payouts", "amount=200&currency=usd&method=instant"},
	{"POST", "/v1/payouts/{po}/cancel", ""},
	{"POST", "/v1/payouts/{po}/reverse", ""},
	{"GET", "/v1/payouts", "limit=3&expand[]=data.destination"},
	{"POST", "/v1/topups", "amount=5000&currency=usd&description=more"},
	{"POST", "/v1/topups/{tu}/cancel", ""},
	{"GET", "/v1/exchange_rates", "limit=3"},
	{"GET", "/v1/nothing", ""},
	{"POST", "/_sandbox/clock/advance", `{"seconds":31}`},
	{"POST", "/_sandbox/clock/advance", `{"seconds":3600}`},
	{"POST", "/_sandbox/clock/advance", `{"seconds":90000}`},
	{"GET", "/_sandbox/faults", ""},
	{"GET", "/_sandbox/requests", "limit=20"},
	{"GET", "/_sandbox/state", ""},
}
