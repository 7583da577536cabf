package sandbox_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// hosted is a row by its name.
func hosted(t *testing.T, name string) sandbox.Hosted {
	t.Helper()
	rows := sandbox.AllHosted()
	i := slices.IndexFunc(rows, func(h sandbox.Hosted) bool { return h.Name == name })
	if i < 0 {
		t.Fatalf("there is no kind %s", name)
	}
	return rows[i]
}

// TestBankIsSaved: a bank's redirect that is to be used later saves the customer's account, which is debited without the customer.
func TestBankIsSaved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bancontact", "ideal", "sofort"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, h := bare(t), hosted(t, name)
			customer := a.must("/v1/customers", "").text("id")
			paid := a.must("/v1/payment_intents", hostedForm(h, "&setup_future_usage=off_session&customer="+customer))
			a.press(a.hostedPage(paid), "complete")
			charge := a.get("/v1/payment_intents/"+paid.text("id"), "expand[]=latest_charge")
			saved := charge.text("latest_charge.payment_method_details." + name + ".generated_sepa_debit")
			a.debits(t, customer, saved, charge.text("latest_charge.payment_method_details."+name+".generated_sepa_debit_mandate"), "charge", charge.text("latest_charge.id"))

			form := "confirm=true&customer=" + customer + "&return_url=https://shop.example/&payment_method_types[]=" + name + "&payment_method_data[type]=" + name +
				"&payment_method_data[billing_details][name]=Ada&payment_method_data[billing_details][email]=ada@example.com"
			if name == "sofort" {
				form += "&payment_method_data[sofort][country]=DE"
			}
			setUp := a.must("/v1/setup_intents", form)
			a.press(a.hostedPage(setUp), "complete")
			is := a.get("/v1/setup_intents/"+setUp.text("id"), "expand[]=latest_attempt")
			details := "latest_attempt.payment_method_details." + name
			if is.text("status") != "succeeded" {
				t.Errorf("the set-up is %s", is.raw)
			}
			a.debits(t, customer, is.text(details+".generated_sepa_debit"), is.text(details+".generated_sepa_debit_mandate"), "setup_attempt", is.text("latest_attempt.id"))
			failing := a.must("/v1/setup_intents", form)
			a.press(a.hostedPage(failing), "fail")
			a.get("/v1/setup_intents/"+failing.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "requires_payment_method", "last_setup_error.code": "setup_intent_authentication_failure"})
			if n := len(a.get("/v1/customers/"+customer+"/payment_methods", "").list("data")); n != 2 {
				t.Errorf("%d payment methods are saved", n)
			}
		})
	}
}

// debits pays with a saved account while the customer is away.
func (a *api) debits(t *testing.T, customer, saved, mandate, field, from string) {
	t.Helper()
	method := a.get("/v1/payment_methods/"+saved, "")
	if method.text("type") != "sepa_debit" || method.text("customer") != customer || method.text("sepa_debit.generated_from."+field) != from {
		t.Errorf("saved is %s", method.raw)
	}
	a.get("/v1/mandates/"+mandate, "").wants(t, http.StatusOK, map[string]any{"payment_method": saved, "status": "active", "type": "multi_use"})
	intent := a.must("/v1/payment_intents", "amount=1000&currency=eur&confirm=true&off_session=true&payment_method_types[]=sepa_debit&customer="+customer+"&payment_method="+saved)
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":10}`)
	a.get("/v1/payment_intents/"+intent.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
}

// TestHostedAgain: a kind that can be saved pays again, with the customer away too; what was not saved does not.
func TestHostedAgain(t *testing.T) {
	t.Parallel()
	for _, h := range sandbox.AllHosted() {
		if !h.Reusable {
			continue
		}
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			customer := a.must("/v1/customers", "").text("id")
			setUp := a.must("/v1/setup_intents", "confirm=true&customer="+customer+"&return_url=https://shop.example/&payment_method_types[]="+h.Name+"&payment_method_data[type]="+h.Name+"&payment_method_data[billing_details][email]=ada@example.com")
			a.press(a.hostedPage(setUp), "complete")
			saved := a.get("/v1/setup_intents/"+setUp.text("id"), "").text("payment_method")
			form := "amount=20000&currency=" + h.Currency + "&confirm=true&off_session=true&customer=" + customer + "&payment_method_types[]=" + h.Name
			for range 2 {
				if got := a.must("/v1/payment_intents", form+"&payment_method="+saved); got.text("status") != "succeeded" {
					t.Errorf("the later payment is %s", got.raw)
				}
			}
			fresh := a.post("/v1/payment_intents", form+"&payment_method_data[type]="+h.Name+"&payment_method_data[billing_details][email]=ada@example.com")
			fresh.wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "authentication_required"})
		})
	}
}
