package sandbox_test

import (
	"net/http"
	"testing"
	"time"
)

// matches says whether the newest charge is among those that a condition holds of; the sample shows the newest first.
func (a *api) matches(condition, charge string) bool {
	a.t.Helper()
	for _, id := range a.steer(http.MethodPost, "/_sandbox/radar/test", `{"rule":"Review if `+condition+`"}`).list("sample") {
		if id == charge {
			return true
		}
	}
	return false
}

// TestVelocity: counts are of the charges of the same payer before this one, in the window.
func TestVelocity(t *testing.T) {
	t.Parallel()
	a := bare(t)
	block := a.rule("Block if :total_charges_per_email_hourly: >= 2")
	for _, want := range []int{200, 200, 402, 402} {
		if paid, _ := a.pays("visa", "&receipt_email=Ada@example.com"); paid.status != want {
			t.Errorf("a payment of Ada's is answered %d, not %d", paid.status, want)
		}
	}
	if paid, _ := a.pays("visa", "&receipt_email=bob@example.com"); paid.status != http.StatusOK {
		t.Errorf("Bob's payment is answered %d", paid.status)
	}
	a.clock.Advance(time.Hour + time.Second)
	_, charge := a.pays("visa", "&receipt_email=ada@example.com")
	charge.wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.steer(http.MethodDelete, "/_sandbox/radar/"+block, "")
	for condition, want := range map[string]bool{
		":total_charges_per_email_daily: = 4":                  true,
		":authorized_charges_per_email_daily: = 2":             true,
		":blocked_charges_per_email_all_time: = 2":             true,
		":declined_charges_per_email_yearly: = 0":              true,
		":total_charges_per_card_number_weekly: = 5":           true,
		":total_charges_per_card_number_hourly: = 0":           true,
		":email_count_for_card_all_time: = 2":                  true,
		":total_usd_amount_successful_on_card_all_time: = 30":  true, // Ada's two and Bob's, of ten dollars each
		":total_usd_amount_failed_on_card_all_time: = 20":      true,
		":average_usd_amount_attempted_on_card_all_time: = 10": true,
		":seconds_since_email_first_seen: = 3601":              true,
		":hours_since_card_first_seen: = 1":                    true,
		":minutes_since_first_successful_auth_on_card: = 60":   true,
		":total_charges_per_customer_daily: >= 0":              false, // there is no customer
		"is_missing(:total_charges_per_customer_daily:)":       true,
	} {
		if got := a.matches(condition, charge.text("id")); got != want {
			t.Errorf("%s is %v", condition, got)
		}
	}
}

// TestCountsAreBounded: a count goes no further than 25, as at Stripe.
func TestCountsAreBounded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var charge answer
	for range 30 {
		_, charge = a.pays("visa", "")
	}
	if !a.matches(":total_charges_per_card_number_all_time: = 25", charge.text("id")) {
		t.Error("30 charges are not counted as 25")
	}
}

// TestFacts: what rules know of a payment, one attribute at a time.
func TestFacts(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "email=grace@navy.example&metadata[tier]=gold").text("id")
	a.clock.Advance(2 * time.Hour)
	method := a.must("/v1/payment_methods", "type=card&card[token]=tok_de&billing_details[name]=Grace+Hopper&billing_details[address][line1]=1+Quay&billing_details[address][country]=DE&billing_details[address][postal_code]=10115").text("id")
	a.must("/v1/payment_methods/"+method+"/attach", "customer="+customer)
	paid := a.must("/v1/payment_intents", "amount=1234&currency=eur&confirm=true&payment_method_types[]=card&off_session=true&payment_method="+method+"&customer="+customer+
		"&description=Books&metadata[order]=7&shipping[name]=G&shipping[address][city]=Bonn&shipping[address][country]=DE"+
		"&mandate_data[customer_acceptance][type]=online&mandate_data[customer_acceptance][online][ip_address]=192.0.2.7&mandate_data[customer_acceptance][online][user_agent]=Lynx")
	charge := paid.text("latest_charge")
	a.clock.Advance(time.Minute)
	a.must("/v1/refunds", "charge="+charge+"&amount=100")
	for _, condition := range []string{
		":amount_in_eur: = 12.34", ":amount_in_usd: > 12.34", ":amount_in_jpy: > 1000",
		":card_country: = 'de'", ":card_brand: = 'visa'", ":card_funding: = 'credit'", ":card_bin: = '400000'", ":cardholder_name: = 'grace hopper'",
		":billing_address: = '1 quay 10115 de'", ":billing_address_country: = :card_country:", ":shipping_address_city: = 'BONN'", "is_missing(:shipping_address_line1:)",
		":email: = 'grace@navy.example'", ":email_domain: = 'navy.example'", "NOT :is_disposable_email:", ":customer: = '" + customer + "'",
		":charge_description: = 'books'", ":statement_descriptor: INCLUDES 'till'", "::order:: = '7'", "::customer:tier:: = 'gold'", "is_missing(::destination:tier::)",
		":is_off_session:", ":is_new_card_on_customer:", ":digital_wallet: = 'none'", ":card_3d_secure_support: = 'optional'", "NOT :is_3d_secure:",
		":ip_address: = '192.0.2.7'", ":user_agent: = 'lynx'", "is_missing(:ip_country:)", "is_missing(:distance_between_ip_and_billing_address:)",
		":cvc_check: = 'pass'", ":address_zip_check: = 'pass'", ":address_line1_check: = 'pass'", ":risk_level: = 'normal'", ":risk_score: < 65",
		":hours_since_customer_was_created: = 2", "is_missing(:seconds_since_card_first_seen:)", ":card_count_for_customer_all_time: = 0",
		":total_customers_for_card_yearly: = 0", ":refund_count_on_card_all_time: = 0", ":dispute_count_on_card_all_time: = 0",
	} {
		if !a.matches(condition, charge) {
			t.Errorf("%s does not hold", condition)
		}
	}
	a.clock.Advance(time.Minute)
	again := a.must("/v1/payment_intents", "amount=1234&currency=eur&confirm=true&payment_method_types[]=card&payment_method="+method+"&customer="+customer).text("latest_charge")
	for _, condition := range []string{"NOT :is_new_card_on_customer:", ":refund_count_on_card_daily: = 1", ":total_customers_for_card_weekly: = 1", ":card_count_for_customer_daily: = 1", ":name_count_for_card_hourly: = 1",
		":total_customers_with_prior_fraud_activity_for_card_weekly: = 0", "is_missing(:ip_address:)"} {
		if !a.matches(condition, again) {
			t.Errorf("later %s does not hold", condition)
		}
	}
}

// TestFactsOfDestinations: a payment for a connected account is held against the platform's rules, which know whom it is for.
func TestFactsOfDestinations(t *testing.T) {
	t.Parallel()
	a := bare(t)
	seller := a.connect("US", "usd")
	a.rule("Block if :destination: = '" + seller.account + "' AND :amount_in_usd: > 50 AND is_missing(::destination:vetted::)")
	form := "currency=usd&confirm=true&payment_method_types[]=card&payment_method=pm_card_visa&transfer_data[destination]=" + seller.account
	a.must("/v1/payment_intents", form+"&amount=1000")
	a.post("/v1/payment_intents", form+"&amount=6000").wants(t, http.StatusPaymentRequired, map[string]any{"error.code": "card_declined"})
	seller.must("/v1/payment_intents", "currency=usd&confirm=true&payment_method_types[]=card&payment_method=pm_card_visa&amount=6000")
}

// TestComplaints: what came of a payer's earlier charges is counted: disputes, warnings, and the customers who were behind them.
func TestComplaints(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	from := "&mandate_data[customer_acceptance][type]=online&mandate_data[customer_acceptance][online][user_agent]=x&mandate_data[customer_acceptance][online][ip_address]=192.0.2.7"
	a.pays("createDispute", "&customer="+customer+from)
	a.pays("createIssuerFraudRecord", "&receipt_email=eve@example.com"+from)
	a.clock.Advance(5 * time.Second)
	_, disputed := a.pays("createDispute", from)
	_, warned := a.pays("createIssuerFraudRecord", "&receipt_email=eve@mailinator.com")
	for condition, charge := range map[string]answer{
		":dispute_count_on_card_hourly: = 1 AND :efw_count_on_card_hourly: = 0":         disputed,
		":dispute_count_on_ip_daily: = 1 AND :efw_count_on_ip_daily: = 1":               disputed,
		":total_customers_with_prior_fraud_activity_for_card_weekly: = 1":               disputed,
		":total_charges_per_ip_address_hourly: = 2 AND :email_count_for_ip_daily: = 1":  disputed,
		":card_count_for_ip_address_hourly: = 2":                                        disputed,
		":efw_count_on_card_all_time: = 1 AND :dispute_count_on_card_yearly: = 0":       warned,
		":is_disposable_email: AND is_missing(:total_charges_per_ip_address_all_time:)": warned,
		":total_customers_for_email_yearly: = 0":                                        warned,
	} {
		if !a.matches(condition, charge.text("id")) {
			t.Errorf("%s does not hold", condition)
		}
	}
}
