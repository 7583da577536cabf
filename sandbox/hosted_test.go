package sandbox_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// hostedForm is a payment of a kind, confirmed at once.
func hostedForm(h sandbox.Hosted, more string) string {
	form := "amount=20000&currency=" + h.Currency + "&confirm=true&return_url=https://shop.example/back%3Forder=7&payment_method_types[]=" + h.Name + "&payment_method_data[type]=" + h.Name +
		"&payment_method_data[billing_details][name]=Ada&payment_method_data[billing_details][email]=" + url.QueryEscape("fill_never@example.com")
	switch h.Name {
	case "wechat_pay":
		form += "&payment_method_options[wechat_pay][client]=web"
	case "blik":
		form += "&payment_method_options[blik][code]=777123"
	case "boleto":
		form += "&payment_method_data[boleto][tax_id]=00000000000"
	case "fpx":
		form += "&payment_method_data[fpx][bank]=maybank2u"
	case "sofort":
		form += "&payment_method_data[sofort][country]=DE"
	}
	return form + more
}

// hostedPage is the address of the page of an intent, wherever its next_action has it.
func (a *api) hostedPage(intent answer) string {
	a.t.Helper()
	kind := intent.text("next_action.type")
	for _, field := range []string{"url", "hosted_instructions_url", "hosted_voucher_url"} {
		if at := intent.text("next_action." + kind + "." + field); at != "" {
			return at
		}
	}
	return ""
}

// press opens a page and presses one of its buttons.
func (a *api) press(at, outcome string) *http.Response {
	a.t.Helper()
	return a.authenticate(answer{body: map[string]any{"next_action": map[string]any{"redirect_to_url": map[string]any{"url": at}}}}, outcome)
}

// TestHosted pays by each kind: the customer pays, fails, or lets the time pass.
func TestHosted(t *testing.T) {
	t.Parallel()
	for _, h := range sandbox.AllHosted() {
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			voucher := strings.HasSuffix(h.Action, "_display_details")
			for outcome, want := range map[string]struct{ status, redirect, code string }{
				"complete": {"succeeded", "succeeded", ""},
				"fail":     {"requires_payment_method", "failed", h.Fails},
				"expire":   {"requires_payment_method", "failed", "payment_intent_payment_attempt_expired"},
				"nothing":  {"requires_payment_method", "", "payment_intent_payment_attempt_expired"},
			} {
				intent := a.must("/v1/payment_intents", hostedForm(h, ""))
				at := a.hostedPage(intent)
				if intent.text("status") != "requires_action" || at == "" && h.Name != "blik" || h.Leads != (intent.text("next_action."+intent.text("next_action.type")+".return_url") != "") {
					t.Fatalf("the intent is %s", intent.raw)
				}
				switch {
				case at == "" && outcome != "nothing", voucher && outcome == "fail":
					continue
				case outcome == "nothing":
					a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+strconv.Itoa(9*24*3600)+`}`)
				default:
					back := a.press(at, outcome).Header.Get("Location")
					wanted := want.redirect
					if h.Slow && outcome == "complete" {
						wanted = "pending"
					}
					if q := query(t, back); q.Get("redirect_status") != wanted || q.Get("payment_intent") != intent.text("id") || q.Get("payment_intent_client_secret") != intent.text("client_secret") || q.Get("order") != "7" {
						t.Errorf("%s leads back to %s", outcome, back)
					}
				}
				if h.Slow && outcome == "complete" {
					a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "processing"})
					a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":180}`)
				}
				is := a.get("/v1/payment_intents/"+intent.text("id"), "expand[]=latest_charge")
				if is.text("status") != want.status || is.text("last_payment_error.code") != want.code || is.text("next_action.type") != "" {
					t.Errorf("%s: the intent is %s", outcome, is.raw)
				}
				if charge := is.text("latest_charge.id"); outcome == "complete" != strings.HasPrefix(charge, "py_") || outcome == "complete" && is.text("latest_charge.payment_method_details.type") != h.Name {
					t.Errorf("%s: the charge is %s", outcome, is.raw)
				}
				if outcome == "complete" {
					a.refunds(t, h, is.text("id"))
				}
			}
			a.refusesHosted(t, h)
		})
	}
}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// refunds holds whether and for how long a payment can be refunded.
func (a *api) refunds(t *testing.T, h sandbox.Hosted, intent string) {
	t.Helper()
	form := "payment_intent=" + intent + "&amount=500"
	if h.Refundable == 0 {
		a.post("/v1/refunds", form).wants(t, http.StatusBadRequest, map[string]any{"error.code": "charge_not_refundable"})
		return
	}
	if refund := a.must("/v1/refunds", form); h.Asks != (refund.text("status") == "requires_action") || !h.Asks && refund.text("destination_details.type") != h.Name || !strings.HasPrefix(refund.text("id"), "pyr_") {
		t.Errorf("the refund is %s", refund.raw)
	}
}

// refusesHosted holds what each kind does not take.
func (a *api) refusesHosted(t *testing.T, h sandbox.Hosted) {
	t.Helper()
	refused := func(form, param string) {
		t.Helper()
		before := len(a.get("/v1/payment_intents", "limit=100").list("data"))
		if got := a.post("/v1/payment_intents", form); got.status != http.StatusBadRequest || got.text("error.param") != param {
			t.Errorf("%s: %d %s", form, got.status, got.raw)
		}
		if after := len(a.get("/v1/payment_intents", "limit=100").list("data")); after != before {
			t.Errorf("%s left an intent behind", form)
		}
	}
	refused(strings.Replace(hostedForm(h, ""), "currency="+h.Currency, "currency=bgn", 1), "currency")
	if h.Held == 0 {
		refused(hostedForm(h, "&capture_method=manual"), "capture_method")
	}
	if h.Leads {
		refused(strings.Replace(hostedForm(h, ""), "return_url", "description", 1), "")
	}
	if h.Most > 0 {
		refused(strings.Replace(hostedForm(h, ""), "amount=20000", "amount="+strconv.FormatInt(h.Most+1, 10), 1), "amount")
	}
	if h.Must != "" {
		refused(strings.Replace(hostedForm(h, ""), "payment_method_data["+h.Name+"]", "payment_method_data[metadata]", 1), h.Name+"["+h.Must+"]")
	}
	for _, name := range strings.Fields(h.Needs) {
		refused(strings.Replace(hostedForm(h, ""), "[billing_details]["+name+"]", "[metadata]["+name+"]", 1), "billing_details["+name+"]")
	}
}

// TestHostedHolds: the kinds that can hold money do, for their days, and what nobody captures lapses.
func TestHostedHolds(t *testing.T) {
	t.Parallel()
	for _, h := range sandbox.AllHosted() {
		if h.Held == 0 {
			continue
		}
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			hold := func() string {
				t.Helper()
				intent := a.must("/v1/payment_intents", hostedForm(h, "&capture_method=manual"))
				a.press(a.hostedPage(intent), "complete")
				a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_capture"})
				return intent.text("id")
			}
			taken, left := hold(), hold()
			a.must("/v1/payment_intents/"+taken+"/capture", "amount_to_capture=15000")
			wait := func(d time.Duration) {
				a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+strconv.Itoa(int(d.Seconds()))+`}`)
			}
			wait(time.Duration(h.Held)*24*time.Hour - time.Minute)
			a.get("/v1/payment_intents/"+left, "").wants(t, http.StatusOK, map[string]any{"status": "requires_capture"})
			wait(time.Minute)
			a.get("/v1/payment_intents/"+left, "").wants(t, http.StatusOK, map[string]any{"status": "canceled"})
			a.get("/v1/payment_intents/"+taken, "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
		})
	}
}

// TestForetold: the customer's e-mail address foretells what becomes of a voucher, and until when it is good.
func TestForetold(t *testing.T) {
	t.Parallel()
	oxxo := "amount=20000&currency=mxn&confirm=true&payment_method_types[]=oxxo&payment_method_data[type]=oxxo&payment_method_data[billing_details][name]=Ada&payment_method_data[billing_details][email]="
	for email, c := range map[string]struct {
		seconds int
		status  string
		expires int64
	}{
		"fulano":              {180, "succeeded", 1767938399}, // 2026-01-08T23:59:59-06:00
		"succeed_immediately": {2, "succeeded", 1767938399},
		"expire_immediately":  {2, "requires_payment_method", start.Unix()},
		"expire_with_delay":   {180, "requires_payment_method", start.Unix() + 180},
		"fill_never":          {323999, "requires_payment_method", 1767938399},
	} {
		t.Run(email, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			intent := a.must("/v1/payment_intents", oxxo+email+"@example.com")
			if got := intent.text("next_action.oxxo_display_details.expires_after"); got != strconv.FormatInt(c.expires, 10) {
				t.Errorf("the voucher is good until %s, want %d", got, c.expires)
			}
			a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+strconv.Itoa(c.seconds-1)+`}`)
			a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_action"})
			a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":1}`)
			a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": c.status})
		})
	}
}
