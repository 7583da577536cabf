package sandbox_test

import (
	"net/http"
	"testing"
)

// completeSeller is an account of which nothing is missing; it is known a moment later.
const completeSeller = "type=custom&country=US&capabilities[card_payments][requested]=true&capabilities[transfers][requested]=true" +
	"&business_type=individual&email=seller@example.com&business_profile[mcc]=5734" +
	"&business_profile[url]=https://accessible.stripe.com&individual[first_name]=Jenny&individual[last_name]=Rosen" +
	"&individual[email]=jenny@example.com&individual[phone]=0000000000&individual[dob][day]=1&individual[dob][month]=1" +
	"&individual[dob][year]=1902&individual[id_number]=222222222&individual[ssn_last_4]=0000" +
	"&individual[address][line1]=address_full_match&individual[address][city]=Berkeley&individual[address][state]=CA" +
	"&individual[address][postal_code]=94704&tos_acceptance[date]=1767614400&tos_acceptance[ip]=127.0.0.1" +
	"&external_account=btok_us_verified&settings[payouts][schedule][interval]=manual"

// TestMoneyOfDeletedAccounts: what is captured later for an account that was deleted meanwhile stays with the platform, and what the account
// had got can still be taken back of it.
func TestMoneyOfDeletedAccounts(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	gone := a.must("/v1/accounts", completeSeller).text("id")
	a.pass(100)
	a.must("/v1/payment_intents", "amount=10000"+byCard)
	sent := a.must("/v1/transfers", "amount=500&currency=usd&destination="+gone).text("id")
	to := "currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_bypassPending&amount=1000&transfer_data[destination]=" + gone
	held := a.must("/v1/payment_intents", to+"&capture_method=manual").text("id")
	a.as(gone).must("/v1/payouts", "amount=500&currency=usd")
	late := a.must("/v1/payment_intents", to+"&capture_method=automatic_async").text("id") // booked a moment later
	if got := a.do(http.MethodDelete, "/v1/accounts/"+gone, ""); got.status != http.StatusOK {
		t.Fatal(got.raw)
	}
	a.pass(100)
	a.post("/v1/payment_intents/"+held+"/capture", "").wants(t, http.StatusBadRequest, map[string]any{"error.code": "resource_missing"})
	a.get("/v1/payment_intents/"+held, "").wants(t, http.StatusOK, map[string]any{"status": "requires_capture"})
	a.get("/v1/payment_intents/"+late, "expand[]=latest_charge").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "latest_charge.transfer": nil})
	a.must("/v1/transfers/"+sent+"/reversals", "")
	a.audits()
}

// TestDestinationPlatform: of a direct charge whose destination is the platform, the platform takes its fee once.
func TestDestinationPlatform(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	seller := a.seller("US", "usd")
	platform := a.get("/v1/account", "").text("id")
	paid := seller.must("/v1/payment_intents", "amount=1000&application_fee_amount=123&transfer_data[destination]="+platform+byCard)
	fees := a.get("/v1/application_fees", "").list("data")
	if len(fees) != 1 {
		t.Fatalf("the platform has taken %d fees", len(fees))
	}
	seller.get("/v1/charges/"+paid.text("latest_charge"), "").wants(t, http.StatusOK, map[string]any{"application_fee": fees[0].(map[string]any)["id"]})
	if got := a.funds("usd")[0] + a.funds("usd")[2]; got != 1123 {
		t.Errorf("the platform has got %d", got)
	}
	a.audits()
}
