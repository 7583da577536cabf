package sandbox_test

import (
	"net/http"
	"testing"
)

// TestHostedPagesAreForked: a payment that waits for its customer, or for a bank transfer, waits in each of two worlds for itself.
func TestHostedPagesAreForked(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	led, owed := a.must("/v1/payment_intents", hostedForm(hosted(t, "ideal"), "")), a.owe(customer, "eur", "5000")
	a.transfer(customer, "amount=2000&currency=eur")
	b := a.beside("fork")
	a.steer(http.MethodPost, "/_sandbox/fork", `{"to":"`+b.key+`"}`)
	for _, one := range []*api{b, a} {
		for _, intent := range []answer{led, owed} {
			is := one.get("/v1/payment_intents/"+intent.text("id"), "")
			one.press(one.hostedPage(is), "complete")
			one.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
		}
		if one == b { // the other has not moved
			a.stands(t, led, "requires_action", "")
			a.stands(t, owed, "requires_action", "3000")
		}
	}
}

// TestHostedOnConnectedAccounts: a connected account takes redirects and bank transfers of its own, and the platform sees none of it.
func TestHostedOnConnectedAccounts(t *testing.T) {
	t.Parallel()
	a := bare(t)
	b := a.connect("NL", "eur")
	led := b.must("/v1/payment_intents", hostedForm(hosted(t, "ideal"), ""))
	b.press(b.hostedPage(led), "complete")
	b.get("/v1/payment_intents/"+led.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	customer := b.must("/v1/customers", "").text("id")
	owed := b.owe(customer, "eur", "5000")
	b.transfer(customer, "amount=6000&currency=eur")
	b.stands(t, owed, "succeeded", "")
	if got := b.cash(customer, "eur"); got != "1000" {
		t.Errorf("%s are left", got)
	}
	for _, path := range []string{"/v1/payment_intents", "/v1/charges", "/v1/customers", "/v1/balance_transactions"} {
		if all := a.get(path, "").list("data"); len(all) != 0 {
			t.Errorf("the platform sees %d of %s", len(all), path)
		}
	}
	lapsing := b.must("/v1/payment_intents", hostedForm(hosted(t, "eps"), ""))
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":3600}`)
	b.get("/v1/payment_intents/"+lapsing.text("id"), "").wants(t, http.StatusOK, map[string]any{"last_payment_error.code": "payment_intent_payment_attempt_expired"})
}

// TestHostedPageIsGone: what was canceled or confirmed anew has no page any more, pictures are not drawn, and a page takes its own answers only.
func TestHostedPageIsGone(t *testing.T) {
	t.Parallel()
	a := bare(t)
	intent := a.must("/v1/payment_intents", hostedForm(hosted(t, "cashapp"), ""))
	at := a.hostedPage(intent)
	for path, want := range map[string]int{at: http.StatusOK, at + "&image=png": http.StatusNotImplemented, at + "x": http.StatusNotFound} {
		if got := a.browse(http.MethodGet, path, nil); got.StatusCode != want {
			t.Errorf("%s answers %d", path, got.StatusCode)
		}
	}
	if got := a.press(at, "send"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("an answer that is none is taken with %d", got.StatusCode)
	}
	a.must("/v1/payment_intents/"+intent.text("id")+"/confirm", "return_url=https://shop.example/")
	if got := a.browse(http.MethodGet, at, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("an older page answers %d", got.StatusCode)
	}
	again := a.hostedPage(a.get("/v1/payment_intents/"+intent.text("id"), ""))
	a.must("/v1/payment_intents/"+intent.text("id")+"/cancel", "")
	if got := a.browse(http.MethodGet, again, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("the page of what was canceled answers %d", got.StatusCode)
	}
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":864000}`)
	a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "canceled", "last_payment_error": nil})
}
