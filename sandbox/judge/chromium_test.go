//go:build !race

package judge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stripe/stripe-go/v85"
)

// TestHostedPageInABrowser pays with 3D Secure as a person does: Chromium opens the hosted page, a button is pressed, and the shop is
// visited again. Without Chromium it is skipped, but not where CI says that all is to be tested.
func TestHostedPageInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	for name, c := range map[string]struct {
		press         func(tab context.Context, button string) error
		button, other string
		redirect      string
		status        stripe.PaymentIntentStatus
		charges       int
	}{
		"complete": {click, complete, fail, "succeeded", stripe.PaymentIntentStatusSucceeded, 1},
		"fail":     {click, fail, complete, "failed", stripe.PaymentIntentStatusRequiresPaymentMethod, 0},
		"twice":    {doubleClick, complete, fail, "succeeded", stripe.PaymentIntentStatusSucceeded, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, shop := setup(t), open(t)
			intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
				Amount: stripe.Int64(1299_00), Currency: str("eur"), PaymentMethod: str("pm_card_threeDSecure2Required"), Confirm: stripe.Bool(true),
				ReturnURL: str(shop.URL + "/back?order=7"), PaymentMethodTypes: strs("card"),
			}))
			page := intent.NextAction.RedirectToURL.URL
			tab, second := newTab(t, browser), newTab(t, browser)
			for _, each := range []context.Context{tab, second} {
				if text := must[string](t)(look(each, page)); !strings.Contains(text, "€1,299.00") || !strings.Contains(text, intent.ID) {
					t.Errorf("the page says %s", text)
				}
			}
			if err := c.press(tab, c.button); err != nil {
				t.Fatal(err)
			}
			shop.holds(t, tab, intent, c.redirect)
			// Who goes back, or answers otherwise in another tab, is led to the shop again, and nothing else happens.
			if err := chromedp.Do(tab, chromedp.Evaluate[chromedp.Void]("history.back()"), chromedp.WaitVisible(chromedp.CSS("h1"))); err != nil {
				t.Fatal(err)
			}
			for where, what := range map[context.Context]string{tab: "a", second: c.other} {
				if err := click(where, what); err != nil {
					t.Fatal(err)
				}
				shop.holds(t, where, intent, c.redirect)
			}
			if text := must[string](t)(look(tab, page)); !strings.Contains(text, "has had its answer") {
				t.Errorf("afterwards the page says %s", text)
			}
			w.ended(t, intent.ID, c.status, c.charges)
		})
	}
}

// The buttons of the hosted page.
const (
	complete = "button[value=complete]"
	fail     = "button[value=fail]"
)

func click(tab context.Context, what string) error {
	return chromedp.Do(tab, chromedp.Click(chromedp.CSS(what), chromedp.NodeVisible))
}

func doubleClick(tab context.Context, what string) error {
	return chromedp.Do(tab, chromedp.DoubleClick(chromedp.CSS(what), chromedp.NodeVisible))
}

func newTab(t *testing.T, browser context.Context) context.Context {
	limited, cancel := context.WithTimeout(browser, time.Minute)
	t.Cleanup(cancel)
	tab, closed := chromedp.NewContext(limited)
	t.Cleanup(closed)
	return tab
}

// chromium starts a browser without a window.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the hosted page is tested with Chromium: %v", err)
		}
		t.Skipf("the hosted page is tested with Chromium (apt-get install --no-install-recommends chromium): %v", err)
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute) // it ends after the subtests, which may wait for their turn
	t.Cleanup(cancel)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun}
	options = append(options, chromedp.Flag("disable-features", "BackForwardCache")) // whose pages chromedp loses sight of
	for _, flag := range []string{"headless", "disable-dev-shm-usage", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, cancel := chromedp.NewExecAllocator(limited, options...)
	t.Cleanup(cancel)
	browser, closed := chromedp.NewContext(allocator)
	t.Cleanup(closed)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("%s does not start: %v", program, err)
	}
	return browser
}

// look opens a page and reads it.
func look(tab context.Context, page string) (string, error) {
	if err := chromedp.Do(tab, chromedp.Navigate(page)); err != nil {
		return "", err
	}
	return chromedp.Run(tab, chromedp.Text(chromedp.CSS("main")))
}

// ended is how the intent stands in the end.
func (w *world) ended(t *testing.T, id string, status stripe.PaymentIntentStatus, charges int) {
	t.Helper()
	intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(t.Context(), id, nil))
	if n := len(all(t, w.V1Charges.List(t.Context(), &stripe.ChargeListParams{PaymentIntent: &id}).All(t.Context()))); intent.Status != status || n != charges {
		t.Errorf("the intent is %s with %d charges, want %s with %d", intent.Status, n, status, charges)
	}
}

// shop is where the customer comes from, and goes back to.
type shop struct {
	*httptest.Server
	visits chan *url.URL
}

func open(t *testing.T) *shop {
	s := &shop{visits: make(chan *url.URL, 100)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if _, err := w.Write([]byte("<!doctype html><title>Shop</title><main id=shop>Thank you</main>")); err != nil {
			t.Logf("the browser has gone: %v", err)
		}
		if r.URL.Path == "/back" {
			s.visits <- r.URL
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// holds waits for a visit and looks at what Stripe adds to a return_url.
func (s *shop) holds(t *testing.T, tab context.Context, intent *stripe.PaymentIntent, redirect string) {
	t.Helper()
	if err := chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS("#shop"))); err != nil {
		t.Fatalf("the shop is not shown: %v", err)
	}
	var q url.Values
	select {
	case visit := <-s.visits:
		q = visit.Query()
	case <-tab.Done():
		t.Fatal("nobody visits the shop")
	}
	for name, want := range map[string]string{"order": "7", "payment_intent": intent.ID, "payment_intent_client_secret": intent.ClientSecret, "redirect_status": redirect} {
		if got := q.Get(name); got != want {
			t.Errorf("the shop is told %s=%s, want %s", name, got, want)
		}
	}
}
