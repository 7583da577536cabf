package sandbox_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// browser is a person at the page of a world.
type browser struct {
	*http.Client
	t    *testing.T
	base string
}

func browse(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{Client: &http.Client{Jar: jar, Timeout: time.Minute}, t: t, base: base}
}

// send sends a form of the page, from the page itself unless headers say otherwise, and gives what is shown then.
func (b *browser) send(form url.Values, header ...string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+"/", strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.base)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.read(r)
}

func (b *browser) open(path string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(r)
}

func (b *browser) read(r *http.Request) (int, string) {
	b.t.Helper()
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || answer.Header.Get("Referrer-Policy") != "same-origin" {
		b.t.Errorf("%s has the policy %q", r.URL.Path, policy)
	}
	return answer.StatusCode, string(text)
}

// TestPageShowsAWorld: the page asks for a key, shows what the API has done, leads to objects, and its buttons move the clock.
func TestPageShowsAWorld(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithStart(start), sandbox.WithRate(0))
	var payment struct {
		ID     string
		Charge string `json:"latest_charge"`
	}
	w.Call("POST", "/v1/payment_intents", url.Values{"amount": {"129900"}, "currency": {"usd"}, "payment_method": {"pm_card_visa"}, "payment_method_types[]": {"card"}, "confirm": {"true"}}, &payment)
	w.Call("GET", "/v1/charges/ch_none", nil, nil)
	w.Fault(sandbox.Fault{Kind: sandbox.Cut, Path: "/v1/refunds", Nth: 3})
	w.Deliver(func(string) http.Handler { return http.NotFoundHandler() }, "customer.created")
	w.Call("POST", "/v1/customers", url.Values{"email": {"<ada>@example.com"}}, nil)
	w.Quiet()
	w.AddRule("Block if :risk_score: > 101")
	b := browse(t, w.URL)
	if _, page := b.open("/"); !strings.Contains(page, `name="key"`) || strings.Contains(page, payment.ID) {
		t.Errorf("before a key is given the page is %s", page)
	}
	_, page := b.send(url.Values{"do": {"open"}, "key": {" " + w.Key + " "}})
	for _, want := range []string{payment.ID, payment.Charge, "$1,299.00", "payment_intent.succeeded", "/v1/payment_intents", "2026-01-05 12:00:00", "frozen", "the 3rd; struck 0",
		"&lt;ada&gt;@example.com", ">404<", "resource_missing", "try 1"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, w.Key) || strings.Contains(page, "<ada>") {
		t.Error("the page shows the key in full, or text as markup")
	}
	if _, page := b.open("/objects/" + payment.ID); !strings.Contains(page, `<a href="/objects/`+payment.Charge+`">`+payment.Charge) || !strings.Contains(page, "129900") {
		t.Errorf("the intent is shown as %s", page)
	}
	if status, page := b.open("/objects/pi_none"); status != http.StatusNotFound || !strings.Contains(page, "no object") {
		t.Errorf("an id that is none: %d %s", status, page)
	}
	for show, want := range map[string]string{"charge": payment.Charge, "events": "charge.succeeded", "requests": "/v1/customers", "webhooks": "customer.created", "rule": ":risk_score: &gt; 101", "nonsense": "Latest of each"} {
		if _, page := b.open("/?show=" + show); !strings.Contains(page, want) {
			t.Errorf("shown by itself, %s lacks %s", show, want)
		}
	}
	if _, page := b.send(url.Values{"do": {"week"}}); !strings.Contains(page, "2026-01-12 12:00:00") || !w.Now().Equal(start.AddDate(0, 0, 7)) {
		t.Errorf("a week later the page is %s", page)
	}
	if _, page := b.send(url.Values{"do": {"clear"}}); !strings.Contains(page, "Nothing goes wrong") {
		t.Error("the faults are still there")
	}
	if _, page := b.send(url.Values{"do": {"run"}}); !strings.Contains(page, "as outside") {
		t.Error("the clock does not run")
	}
	if _, page := b.send(url.Values{"do": {"freeze"}}); !strings.Contains(page, "frozen") {
		t.Error("the clock is not frozen")
	}
	if _, page := b.send(url.Values{"do": {"leave"}}); !strings.Contains(page, `name="key"`) {
		t.Error("the page does not let go of the world")
	}
}

// TestPageIsForItsOwn: without the cookie, from another site, or with a key that is none, the page shows nothing and does nothing.
func TestPageIsForItsOwn(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t, sandbox.WithStart(start), sandbox.WithRate(0))
	var customer struct{ ID string }
	w.Call("POST", "/v1/customers", nil, &customer)
	b := browse(t, w.URL)
	b.send(url.Values{"do": {"open"}, "key": {w.Key}})
	for name, header := range map[string][]string{
		"another port": {"Origin", "http://127.0.0.1:1"}, "nowhere": {"Origin", "null"}, "another site": {"Origin", "", "Sec-Fetch-Site", "cross-site"},
	} {
		if status, _ := b.send(url.Values{"do": {"week"}}, header...); status != http.StatusForbidden || !w.Now().Equal(start) {
			t.Errorf("a form of %s: %d, and the clock shows %s", name, status, w.Now())
		}
	}
	stranger := browse(t, w.URL)
	if _, page := stranger.send(url.Values{"do": {"week"}}); !strings.Contains(page, `name="key"`) || !w.Now().Equal(start) {
		t.Errorf("a stranger has moved the clock to %s", w.Now())
	}
	if _, page := stranger.open("/objects/" + customer.ID); strings.Contains(page, customer.ID) {
		t.Error("a stranger sees an object")
	}
	live := "sk_" + "live_secret"
	for _, key := range []string{"", "hello", w.PublishableKey, live, strings.Repeat("x", 8<<10)} {
		if status, page := stranger.send(url.Values{"do": {"open"}, "key": {key}}); status != http.StatusBadRequest || key != "" && strings.Contains(page, key) {
			t.Errorf("the key %.20q: %d", key, status)
		}
	}
	if status, _ := b.send(url.Values{"do": {"dance"}}); status != http.StatusBadRequest {
		t.Errorf("a button that is none: %d", status)
	}
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	let, err := b.PostForm(w.URL, url.Values{"do": {"open"}, "key": {w.Key}})
	if err != nil || let.StatusCode != http.StatusSeeOther || !strings.Contains(let.Header.Get("Set-Cookie"), "HttpOnly; SameSite=Strict") {
		t.Errorf("the cookie is %q: %v", let.Header.Get("Set-Cookie"), err)
	}
	answer, err := b.Head(w.URL + "/")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %v %v", answer, err)
	}
	u, _ := url.Parse(w.URL)
	cookies := b.Jar.Cookies(u)
	if len(cookies) != 1 || strings.Contains(w.Key, cookies[0].Value) || cookies[0].Name != "sandbox"+u.Port() {
		t.Errorf("the cookies are %v", cookies)
	}
}

// TestPageShowsAnAccount: the page lists the connected accounts, and shows the world as each of them sees it.
func TestPageShowsAnAccount(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.connect("DE", "eur")
	own, theirs := a.must("/v1/customers", "email=platform@example.com").text("id"), seller.must("/v1/customers", "email=seller@example.com").text("id")
	b := browse(t, a.server.URL)
	_, page := b.send(url.Values{"do": {"open"}, "key": {a.key}})
	if !strings.Contains(page, `href="/accounts/`+seller.account+`"`) || !strings.Contains(page, own) || strings.Contains(page, theirs) {
		t.Errorf("the platform is shown as %s", page)
	}
	lacking := a.must("/v1/accounts", "type=express&country=PL&email=jan@example.com").text("id")
	if _, page = b.open("/"); !strings.Contains(page, ">"+lacking+`</a><br><span class="quiet">express PL jan@example.com</span></td><td><span class="badge wait">restricted</span>`) ||
		!strings.Contains(page, `<span class="badge good">enabled</span>`) {
		t.Errorf("accounts are shown as %s", page)
	}
	_, page = b.open("/accounts/" + seller.account)
	if !strings.Contains(page, theirs) || strings.Contains(page, own) || !strings.Contains(page, "EUR") || !strings.Contains(page, `href="/accounts/`+seller.account+`?show=customer"`) {
		t.Errorf("the seller is shown as %s", page)
	}
	if _, page = b.open("/objects/" + theirs); !strings.Contains(page, "seller@example.com") || !strings.Contains(page, `href="/accounts/`+seller.account+`"`) {
		t.Errorf("the seller's customer is shown as %s", page)
	}
	if status, page := b.open("/accounts/acct_none"); status != http.StatusNotFound || !strings.Contains(page, "no account") {
		t.Errorf("an account that is none: %d %s", status, page)
	}
}

// TestPageShowsALoss: what is below nothing has its sign before the currency's.
func TestPageShowsALoss(t *testing.T) {
	t.Parallel()
	a := bare(t)
	paid := a.must("/v1/payment_intents", atOnce).text("id")
	a.must("/v1/refunds", "payment_intent="+paid)
	if _, page := browse(t, a.server.URL).send(url.Values{"do": {"open"}, "key": {a.key}}); !strings.Contains(page, ">-$3.20<") {
		t.Errorf("the loss is shown as %s", page)
	}
}
