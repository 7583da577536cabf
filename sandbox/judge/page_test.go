//go:build !race

package judge_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/till-pay/till/sandbox"
)

// TestWorldPageInABrowser looks into a world as a person does: Chromium opens the page, a key is typed, a payment that the API makes
// meanwhile appears by itself, its object is a click away, and a button lets a day pass.
func TestWorldPageInABrowser(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)
	w := sandbox.New(t, sandbox.WithStart(begun), sandbox.WithRate(0))
	tab := newTab(t, chromium(t))
	do := func(what ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(tab, what...); err != nil {
			t.Fatal(err)
		}
	}
	do(chromedp.Navigate(w.URL+"/"), chromedp.SendKeys(chromedp.CSS("input[name=key]"), w.Key), chromedp.Click(chromedp.CSS("button[value=open]")), chromedp.WaitVisible(chromedp.CSS("#now")))
	if at := must[string](t)(chromedp.Run(tab, chromedp.Location())); strings.Contains(at, w.Key) {
		t.Errorf("the address is %s, with the key in it", at)
	}
	var payment struct{ ID string }
	w.Call("POST", "/v1/payment_intents", url.Values{"amount": {"129900"}, "currency": {"usd"}, "payment_method": {"pm_card_visa"}, "payment_method_types[]": {"card"}, "confirm": {"true"}}, &payment)
	link := "a[href='/objects/" + payment.ID + "']"
	do(chromedp.WaitVisible(chromedp.CSS(link)), chromedp.Click(chromedp.CSS(link)), chromedp.WaitVisible(chromedp.CSS("pre")))
	if text := shown(t, tab, "pre"); !strings.Contains(text, payment.ID) || !strings.Contains(text, `"amount": 129900`) {
		t.Errorf("the object is shown as %s", text)
	}
	do(chromedp.Navigate(w.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#events")))
	if text := shown(t, tab, "#events"); !strings.Contains(text, "payment_intent.succeeded") {
		t.Errorf("the events are %s", text)
	}
	do(chromedp.Click(chromedp.CSS("button[value=day]")), chromedp.WaitVisible(chromedp.CSS("#now[datetime='2026-01-06T12:00:00Z']")))
	if now := shown(t, tab, "#now"); now != "2026-01-06 12:00:00" || !w.Now().Equal(begun.AddDate(0, 0, 1)) {
		t.Errorf("a day later the page shows %s, and the clock is at %s", now, w.Now())
	}
}

func shown(t *testing.T, tab context.Context, what string) string {
	t.Helper()
	return must[string](t)(chromedp.Run(tab, chromedp.Text(chromedp.CSS(what))))
}
