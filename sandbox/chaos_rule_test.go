package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// pattern sends requests that a rule is about and says which of them failed: "..x" is the third.
func (a *api) pattern(n int, each func(i int)) string {
	a.t.Helper()
	var seen strings.Builder
	for i := range n {
		if each != nil {
			each(i)
		}
		if a.get("/v1/customers", "").status == http.StatusOK {
			seen.WriteByte('.')
		} else {
			seen.WriteByte('x')
		}
	}
	return seen.String()
}

// TestFaultTimes: which of ten requests each rule strikes.
func TestFaultTimes(t *testing.T) {
	t.Parallel()
	for rules, want := range map[string]string{
		`{"kind":"error_429"}`:                                                                        "x.........",
		`{"kind":"error_429","times":3}`:                                                              "xxx.......",
		`{"kind":"error_429","nth":3}`:                                                                "..x.......",
		`{"kind":"error_429","nth":3,"times":2}`:                                                      "..xx......",
		`{"kind":"error_429","every":3}`:                                                              "..x..x..x.",
		`{"kind":"error_429","every":3,"nth":1}`:                                                      "x..x..x..x",
		`{"kind":"error_429","every":2,"times":2}`:                                                    ".x.x......",
		`{"kind":"error_429","every":1}`:                                                              "xxxxxxxxxx",
		`{"kind":"error_429","probability":1}`:                                                        "xxxxxxxxxx",
		`{"kind":"error_429","nth":8} {"kind":"lock_timeout","nth":2}`:                                ".x.....x..",
		`{"kind":"error_429","nth":2} {"kind":"error_500","nth":2}`:                                   ".xx.......",
		`{"kind":"error_429","nth":2,"path":"/v1/charges"}`:                                           "..........",
		`{"kind":"error_409","from":"2026-01-05T12:00:03Z"}`:                                          "...xxxxxxx",
		`{"kind":"error_409","until":"2026-01-05T12:00:02Z"}`:                                         "xx........",
		`{"kind":"error_409","from":"2026-01-05T12:00:03Z","nth":2,"times":1}`:                        "....x.....",
		`{"kind":"error_500","from":"2026-01-05T13:00:05+01:00","until":"2026-01-05T13:00:07+01:00"}`: ".....xx...",
	} {
		t.Run(rules, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			for d := json.NewDecoder(strings.NewReader(rules)); d.More(); {
				var one json.RawMessage
				if err := d.Decode(&one); err != nil {
					t.Fatal(err)
				}
				a.script(string(one))
			}
			got := a.pattern(10, func(i int) {
				if i > 0 {
					a.clock.Advance(time.Second)
				}
			})
			if got != want {
				t.Errorf("struck %s, want %s", got, want)
			}
		})
	}
}

// TestFaultByChance: a rule strikes about as often as it says, by the seed alone; a world without such a rule draws nothing for it.
func TestFaultByChance(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, rule string) (pattern, id string) {
		server, _, _ := setup(t, sandbox.WithSeed(seed), sandbox.WithStart(start), sandbox.WithRate(0))
		a := &api{t: t, server: server, key: "sk_" + "test_chance"}
		a.script(rule)
		pattern = a.pattern(200, nil)
		a.control(http.MethodDelete, "/_sandbox/faults", "")
		return pattern, a.must("/v1/customers", "").text("id")
	}
	one, id := run(1, `{"kind":"error_429","probability":0.25}`)
	again, same := run(1, `{"kind":"error_429","probability":0.25}`)
	other, _ := run(2, `{"kind":"error_429","probability":0.25}`)
	if n := strings.Count(one, "x"); n < 25 || n > 75 {
		t.Errorf("%d of 200 are not a quarter", n)
	}
	if one != again || id != same || one == other {
		t.Errorf("seed 1 gave %s and %s, seed 2 %s", one, again, other)
	}
	_, plain := run(1, `{"kind":"error_429","path":"/v1/coupons"}`)
	_, often := run(1, `{"kind":"error_429","every":1,"path":"/v1/coupons"}`)
	if plain != often {
		t.Error("a rule without chance draws random numbers")
	}
}

// TestThirdCapture: "the third capture times out after it took effect" is one rule.
func TestThirdCapture(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"method":"POST","path":"/v1/payment_intents/{intent}/capture","nth":3,"kind":"timeout_after_effect"}`)
	for i := range 4 {
		id := a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&capture_method=manual&confirm=true&payment_method=pm_card_visa").text("id")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.server.URL+"/v1/payment_intents/"+id+"/capture", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+a.key)
		if i != 2 {
			cancel()
			a.must("/v1/payment_intents/"+id+"/capture", "")
			continue
		}
		if got, err := a.server.Client().Do(r); err == nil {
			t.Errorf("capture %d was answered %s", i+1, got.Status)
			_ = got.Body.Close()
		}
		cancel()
		a.get("/v1/payment_intents/"+id, "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	}
	a.control(http.MethodGet, "/_sandbox/faults", "").wants(t, http.StatusOK, map[string]any{"faults.0.id": "fault_1", "faults.0.matched": "3", "faults.0.struck": "1", "faults.0.spent": true})
}

// TestFaultsByForm: a rule may ask for parameters.
func TestFaultsByForm(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"form":{"amount":"1000","metadata[order]":"seven & eight"},"kind":"error_500"}`)
	for form, want := range map[string]int{
		"amount=1000&currency=usd":                                         200,
		"amount=1000&currency=usd&metadata[order]=seven":                   200,
		"amount=999&currency=usd&metadata[order]=seven+%26+eight":          200,
		"currency=usd&metadata%5Border%5D=seven%20%26%20eight&amount=1000": 500,
	} {
		if got := a.post("/v1/payment_intents", form); got.status != want {
			t.Errorf("%s: %d, want %d", form, got.status, want)
		}
	}
}

// TestFaultRefusals: what a client sees of a request that never began, and that its key is free afterwards.
func TestFaultRefusals(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct {
		status        int
		code, kind    string
		retry, reason string
	}{
		`{"kind":"lock_timeout"}`:                            {429, "lock_timeout", "invalid_request_error", "true", ""},
		`{"kind":"error_429"}`:                               {429, "rate_limit", "invalid_request_error", "", "endpoint-rate"},
		`{"kind":"error_429","reason":"global-concurrency"}`: {429, "rate_limit", "invalid_request_error", "", "global-concurrency"},
		`{"kind":"error_409"}`:                               {409, "idempotency_key_in_use", "idempotency_error", "", ""},
	} {
		a := bare(t)
		a.script(fault)
		got := a.post("/v1/customers", "", "Idempotency-Key", "k")
		got.wants(t, want.status, map[string]any{"error.code": want.code, "error.type": want.kind})
		if h := got.header; h.Get("Stripe-Should-Retry") != want.retry || h.Get("Stripe-Rate-Limited-Reason") != want.reason || h.Get("Idempotency-Key") != "k" {
			t.Errorf("%s: %v", fault, h)
		}
		again := a.post("/v1/customers", "", "Idempotency-Key", "k")
		if again.status != http.StatusOK || again.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: again %d %v", fault, again.status, again.header)
		}
		log := a.control(http.MethodGet, "/_sandbox/requests", "").list("requests")
		if first := log[0].(map[string]any); first["fault"] != "fault_1" || first["code"] != want.code || len(log) != 2 {
			t.Errorf("log %v", log)
		}
	}
}

// TestSlow: a slow request takes its time, before anything happens or after it; slowness goes together with other faults.
func TestSlow(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"kind":"slow","milliseconds":60}`)
	a.script(`{"kind":"slow","milliseconds":30,"after_effect":true}`)
	a.script(`{"kind":"error_500"}`)
	began := time.Now()
	a.post("/v1/customers", "").wants(t, http.StatusInternalServerError, nil)
	if took := time.Since(began); took < 90*time.Millisecond {
		t.Errorf("it took %s", took)
	}
	a.must("/v1/customers", "")
	a.script(`{"kind":"slow","milliseconds":60000}`) // a caller who gives up does not stop what Stripe has begun
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if status, _, err := a.attempt(ctx, "key"); err == nil {
		t.Errorf("the caller saw %d", status)
	}
	a.until("it happens all the same", func(s answer) bool { return s.text("objects.charge") == "1" })
}

// TestRefuse: the connection ends and nothing has happened.
func TestRefuse(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"kind":"refuse"}`)
	if status, _, err := a.attempt(t.Context(), "key"); err == nil {
		t.Errorf("the caller saw %d", status)
	}
	if n := len(ids(a.get("/v1/payment_intents", ""))); n != 0 {
		t.Errorf("%d payments", n)
	}
}

// TestForgetFaults: one, or all; and there is room for a hundred that are not spent.
func TestForgetFaults(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.script(`{"kind":"error_429"}`)
	a.script(`{"kind":"error_500"}`)
	a.control(http.MethodDelete, "/_sandbox/faults/fault_1", "").wants(t, http.StatusOK, map[string]any{"kind": "error_429"})
	a.control(http.MethodDelete, "/_sandbox/faults/fault_1", "").wants(t, http.StatusNotFound, nil)
	a.get("/v1/customers", "").wants(t, http.StatusInternalServerError, nil)
	for range 99 {
		a.script(`{"kind":"error_500","path":"/v1/coupons"}`)
	}
	a.script(`{"kind":"error_500","path":"/v1/coupons"}`) // fault_2 is spent
	if got := a.control(http.MethodPost, "/_sandbox/faults", `{"kind":"error_500"}`); got.status != http.StatusBadRequest {
		t.Errorf("one too many: %d", got.status)
	}
	a.control(http.MethodDelete, "/_sandbox/faults", "")
	if all := a.control(http.MethodGet, "/_sandbox/faults", "").list("faults"); len(all) != 0 {
		t.Errorf("%v", all)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, wrong := range []string{
		`{}`, `{"kind":"slow"}`, `{"kind":"slow","milliseconds":-1}`, `{"kind":"slow","milliseconds":60001}`, `{"kind":"cut","milliseconds":5}`,
		`{"kind":"cut","after_effect":true}`, `{"kind":"cut","every":-1}`, `{"kind":"cut","times":-1}`, `{"kind":"cut","probability":1.5}`,
		`{"kind":"cut","probability":-0.5}`, `{"kind":"cut","from":"2026-01-02T00:00:00Z","until":"2026-01-02T00:00:00Z"}`, `{"kind":"cut","from":"today"}`,
		`{"kind":"cut","behind":1}`, `{"kind":"reordered","behind":101}`, `{"kind":"cut","seconds":1}`, `{"kind":"cut","reason":"global-rate"}`,
		`{"kind":"error_429","reason":"bad luck"}`, `{"kind":"lost","form":{"a":"b"}}`, `{"kind":"cut","endpoint":"we_1"}`, `{"kind":"cut","form":{"amount":1000}}`, `{"kind":"cut"}]`, `{"kind":"cut"} {}`,
	} {
		if got := a.control(http.MethodPost, "/_sandbox/faults", wrong); got.status != http.StatusBadRequest || got.text("error.message") == "" {
			t.Errorf("%s: %d %v", wrong, got.status, got.body)
		}
	}
}

// TestReordered: a webhook goes after later ones of its endpoint, or when its time is over; other endpoints do not notice.
func TestReordered(t *testing.T) {
	t.Parallel()
	server, _, key := setup(t, sandbox.WithStart(start), sandbox.WithRate(0))
	a := &api{t: t, server: server, key: key}
	first, second := newReceiver(t), newReceiver(t)
	endpoint, _ := a.subscribe(first, "customer.created")
	a.subscribe(second, "customer.created")
	a.script(`{"kind":"reordered","behind":2,"endpoint":"` + endpoint + `"}`)
	a.script(`{"kind":"reordered","behind":9,"seconds":30,"nth":4,"endpoint":"` + endpoint + `"}`)
	for i := range 5 {
		a.must("/v1/customers", fmt.Sprintf("name=%d", i))
	}
	wait := func(later string) {
		a.control(http.MethodPost, "/_sandbox/webhooks/wait", `{"seconds":10}`).wants(t, http.StatusOK, map[string]any{"idle": true, "later": later})
	}
	wait("1")
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":30}`)
	wait("0")
	if got := first.names(); !slices.Equal(got, []string{"1", "2", "0", "4", "3"}) {
		t.Errorf("the first got %v", got)
	}
	if got := second.names(); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("the second got %v", got)
	}
}

// names are those of the customers that the deliveries so far are about.
func (r *receiver) names() (all []string) {
	for len(r.got) > 0 {
		var e struct {
			Data struct{ Object struct{ Name string } }
		}
		_ = json.Unmarshal((<-r.got).body, &e)
		all = append(all, e.Data.Object.Name)
	}
	return all
}

// TestCorrupted: a signature that is not right, once; the try after it is.
func TestCorrupted(t *testing.T) {
	t.Parallel()
	a := bare(t)
	r := newReceiver(t, 400)
	_, secret := a.subscribe(r, "customer.created")
	a.script(`{"kind":"corrupted"}`)
	id := a.must("/v1/customers", "").text("id")
	verify := func(d delivered) error {
		return webhook.ValidatePayloadIgnoringTolerance(d.body, d.signature, secret)
	}
	if err := verify(r.next(t)); err == nil {
		t.Error("the signature is right")
	}
	a.later("1")
	a.clock.Advance(30 * time.Second)
	if d := r.next(t); verify(d) != nil || !strings.Contains(string(d.body), id) {
		t.Errorf("the second try: %v", verify(d))
	}
	a.idle()
	attempts := a.control(http.MethodGet, "/_sandbox/webhooks", "").list("attempts")
	if len(attempts) != 2 {
		t.Fatalf("attempts %v", attempts)
	}
	one, two := attempts[0].(map[string]any), attempts[1].(map[string]any)
	if one["fault"] != "corrupted" || fmt.Sprintf("%v %v %v %v", one["status"], one["try"], two["status"], two["try"]) != "400 1 200 2" || two["fault"] != nil {
		t.Errorf("attempts %v", attempts)
	}
}

// TestSeveralWebhookFaults: rules of webhooks count what they are about, each for itself.
func TestSeveralWebhookFaults(t *testing.T) {
	t.Parallel()
	a := bare(t)
	r := newReceiver(t)
	a.subscribe(r, "customer.created")
	a.script(`{"kind":"doubled","every":2,"event":"customer.created"}`)
	a.script(`{"kind":"lost","nth":3}`)
	for range 4 {
		a.must("/v1/customers", "")
	}
	a.idle()
	if n := len(r.got); n != 5 { // one, two twice, the third lost, four twice
		t.Errorf("%d deliveries", n)
	}
	a.get("/v1/events", "delivery_success=false").wants(t, http.StatusOK, map[string]any{"data.0": nil})
	if all := a.control(http.MethodGet, "/_sandbox/webhooks?status=0", "").list("attempts"); len(all) != 1 || all[0].(map[string]any)["fault"] != "lost" {
		t.Errorf("lost: %v", all)
	}
}

var inDocs = regexp.MustCompile(`'(\{"kind":[^']*\})'`)

// TestFaultsOfTheDocs: the sandbox takes each rule that docs/sandbox.md shows, and the page names every kind.
func TestFaultsOfTheDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	a := bare(t)
	shown := inDocs.FindAllStringSubmatch(string(text), -1)
	for _, rule := range shown {
		a.script(rule[1])
	}
	if len(shown) < 4 {
		t.Errorf("only %d rules are shown", len(shown))
	}
	for _, kind := range sandbox.FaultKinds() {
		if !strings.Contains(string(text), "| `"+kind+"` |") {
			t.Errorf("%s is not explained", kind)
		}
	}
}

// TestFaultsAreKept: rules outlive the process with what they have counted, so that what struck once does not strike again.
func TestFaultsAreKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	a.script(`{"kind":"error_429"}`)
	a.script(`{"kind":"error_500","nth":5}`)
	a.script(`{"kind":"lock_timeout","probability":0.5,"path":"/v1/balance"}`)
	if got := a.pattern(3, nil); got != "x.." {
		t.Errorf("struck %s", got)
	}
	for range 20 {
		a.get("/v1/balance", "")
	}
	rules := fmt.Sprint(a.control(http.MethodGet, "/_sandbox/faults", "").body)
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	if is := fmt.Sprint(again.control(http.MethodGet, "/_sandbox/faults", "").body); is != rules {
		t.Errorf("after a restart the rules are %s, were %s", is, rules)
	}
	again.control(http.MethodDelete, "/_sandbox/faults/fault_3", "")
	if got := again.pattern(4, nil); got != "...." { // of twenty-three requests the fifth was long ago
		t.Errorf("struck %s after the restart", got)
	}
}
