package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// aSeller are the particulars of somebody of whom Stripe finds that all is right.
const aSeller = "&type=custom&capabilities[card_payments][requested]=true&capabilities[transfers][requested]=true&business_type=individual&business_profile[mcc]=1520&business_profile[url]=https://seller.example" +
	"&individual[first_name]=Anna&individual[last_name]=Kowalska&individual[dob][day]=1&individual[dob][month]=1&individual[dob][year]=1902&individual[email]=anna@seller.example&individual[phone]=%2B49301234567" +
	"&individual[address][line1]=address_full_match&individual[address][city]=Berlin&individual[address][postal_code]=10115" +
	"&external_account[object]=bank_account&external_account[country]=DE&external_account[currency]=eur&external_account[account_number]=DE89370400440532013000&tos_acceptance[date]=1767600000&tos_acceptance[ip]=127.0.0.1"

// TestRestrict: what Stripe's staff asks for has a deadline, switches the account off when that passes, and is over when it is given.
func TestRestrict(t *testing.T) {
	t.Parallel()
	a := bare(t)
	id := a.must("/v1/accounts", "country=DE"+aSeller).text("id")
	stand := func(charges bool, reason any) {
		t.Helper()
		a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"charges_enabled": charges, "payouts_enabled": charges, "requirements.disabled_reason": reason})
	}
	stand(true, nil)
	a.steer(http.MethodPost, "/_sandbox/connect", `{"account":"`+id+`","action":"restrict","requirements":["business_profile.url","individual.phone"],"seconds":86400,"code":"invalid_url_website_inaccessible"}`)
	stand(true, nil)
	a.get("/v1/accounts/"+id, "").wants(t, http.StatusOK, map[string]any{"requirements.currently_due.0": "business_profile.url",
		"requirements.current_deadline": "1767700800", "requirements.errors.0.code": "invalid_url_website_inaccessible"})
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":86400}`)
	stand(false, "requirements.past_due")
	a.must("/v1/accounts/"+id, "business_profile[url]=https://seller.example")
	stand(false, "requirements.past_due")
	a.must("/v1/accounts/"+id, "individual[phone]=%2B49307654321")
	stand(true, nil)
	a.steer(http.MethodPost, "/_sandbox/connect", `{"account":"`+id+`","action":"reject","reason":"listed"}`)
	stand(false, "rejected.listed")
	a.steer(http.MethodPost, "/_sandbox/connect", `{"account":"`+id+`","action":"clear"}`)
	stand(true, nil)
	a.steer(http.MethodPost, "/_sandbox/connect", `{"account":"`+id+`","action":"review"}`)
	stand(false, "under_review")
	for _, wrong := range []string{`{"account":"` + id + `","action":"dance"}`, `{"account":"` + id + `","action":"restrict"}`, `{"account":"` + id + `","action":"reject"}`,
		`{"account":"` + id + `","action":"restrict","requirements":["business_profile[url]"]}`, `{"account":"` + id + `","action":"restrict","requirements":["x"],"seconds":-1}`} {
		if got := a.control(http.MethodPost, "/_sandbox/connect", wrong); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
	if got := a.control(http.MethodPost, "/_sandbox/connect", `{"account":"acct_1nobody","action":"clear"}`); got.status != http.StatusNotFound {
		t.Errorf("nobody: %d", got.status)
	}
}

// TestSteerAccounts is the same from Go.
func TestSteerAccounts(t *testing.T) {
	t.Parallel()
	box := sandbox.New(t)
	box.Freeze()
	var made struct{ ID string }
	form, err := url.ParseQuery("country=DE" + aSeller)
	if err != nil {
		t.Fatal(err)
	}
	if status := box.Call(http.MethodPost, "/v1/accounts", form, &made); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if got := box.Restrict(made.ID, 0, "business_profile.url"); got.ChargesEnabled || got.DisabledReason != "requirements.past_due" || len(got.CurrentlyDue) != 1 {
		t.Errorf("restricted: %+v", got)
	}
	if got := box.ClearAccount(made.ID); !got.ChargesEnabled {
		t.Errorf("cleared: %+v", got)
	}
	if got := box.RequireDocument(made.ID, time.Hour); !got.PayoutsEnabled || got.Deadline != box.Now().Add(time.Hour).Unix() {
		t.Errorf("a document is asked for: %+v", got)
	}
	if got := box.RejectAccount(made.ID, "fraud"); got.DisabledReason != "rejected.fraud" {
		t.Errorf("rejected: %+v", got)
	}
	if got := box.ReachThreshold(made.ID); got.ID != made.ID {
		t.Errorf("a threshold: %+v", got)
	}
	var express struct{ ID string }
	if status := box.Call(http.MethodPost, "/v1/accounts", url.Values{"type": {"express"}, "country": {"PL"}}, &express); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if got := box.CompleteAccount(express.ID); !got.ChargesEnabled || !got.PayoutsEnabled || len(got.CurrentlyDue) != 0 {
		t.Errorf("complete: %+v", got)
	}
	box.Disconnect(express.ID)
	if all := box.ConnectedAccounts(); len(all) != 1 || all[0].ID != made.ID || box.ClientID() == "" {
		t.Errorf("connected: %+v", all)
	}
	if box.Disconnect(made.ID); len(box.ConnectedAccounts()) != 0 {
		t.Error("an account that has left is listed")
	}
}
