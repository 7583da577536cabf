package sandbox_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const days = 24 * time.Hour

// disputed pays with a test card and gives the disputes that come of it, oldest first.
func (a *api) disputed(card string) (charge string, disputes []answer) {
	a.t.Helper()
	charge = a.must("/v1/payment_intents", pay+"&payment_method=pm_card_"+card).text("latest_charge")
	a.clock.Advance(3 * time.Second)
	for _, one := range a.get("/v1/disputes", "charge="+charge).list("data") {
		disputes = append(disputes, answer{status: http.StatusOK, body: one.(map[string]any)})
	}
	slices.Reverse(disputes)
	return charge, disputes
}

// TestDisputeCards: what each card raises.
func TestDisputeCards(t *testing.T) {
	t.Parallel()
	for card, want := range map[string]map[string]any{
		"createDispute":                          {"reason": "fraudulent", "payment_method_details.card.case_type": "chargeback", "payment_method_details.card.network_reason_code": "83"},
		"createDisputeProductNotReceived":        {"reason": "product_not_received", "status": "needs_response"},
		"createDisputeInquiry":                   {"status": "warning_needs_response", "payment_method_details.card.case_type": "inquiry", "balance_transactions.0": nil, "is_charge_refundable": true},
		"createCe3EligibleDispute":               {"reason": "fraudulent", "enhanced_eligibility_types.0": "visa_compelling_evidence_3", "evidence_details.enhanced_eligibility.visa_compelling_evidence_3.status": "requires_action"},
		"createComplianceDispute":                {"reason": "noncompliant", "payment_method_details.card.case_type": "compliance", "evidence_details.enhanced_eligibility.visa_compliance.status": "requires_fee_acknowledgement"},
		"createMastercardComplianceDispute":      {"reason": "noncompliant", "payment_method_details.card.brand": "mastercard", "enhanced_eligibility_types.0": "mastercard_compliance"},
		"createAutoRepresentmentEligibleDispute": {"status": "needs_response"},
		"createRapidDisputeResolutionDispute":    {"status": "needs_response"},
		"createCe3BlockDispute":                  {"status": "needs_response"},
		"createEthocaAlert":                      {"status": "needs_response", "payment_method_details.card.network": "mastercard"},
	} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			charge, all := a.disputed(card)
			if len(all) != 1 {
				t.Fatalf("%d disputes", len(all))
			}
			want["charge"], want["amount"] = charge, "1000"
			want["evidence_details.due_by"] = strconv.FormatInt(time.Date(2026, time.January, 14, 23, 59, 59, 0, time.UTC).Unix(), 10)
			all[0].wants(t, http.StatusOK, want)
			a.get("/v1/charges/"+charge, "").wants(t, http.StatusOK, map[string]any{"disputed": true})
		})
	}
}

// TestTwoDisputes: two disputes over one charge take its money once, and each goes its own way.
func TestTwoDisputes(t *testing.T) {
	t.Parallel()
	a := bare(t)
	charge := a.must("/v1/payment_intents", strings.Replace(pay, "1000", "1001", 1)+"&payment_method=pm_card_createMultipleDisputes").text("latest_charge")
	a.clock.Advance(2 * time.Second)
	both := a.get("/v1/disputes", "charge="+charge).list("data")
	if len(both) != 2 {
		t.Fatalf("%d disputes", len(both))
	}
	newer, older := answer{body: both[0].(map[string]any)}, answer{body: both[1].(map[string]any)}
	if newer.at("amount") != "500" || older.at("amount") != "501" {
		t.Errorf("over %v and %v", older.at("amount"), newer.at("amount"))
	}
	a.must("/v1/disputes/"+older.text("id"), "evidence[uncategorized_text]=winning_evidence")
	a.clock.Advance(3 * time.Second)
	a.get("/v1/disputes/"+older.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "won"})
	a.post("/v1/refunds", "charge="+charge).wants(t, http.StatusBadRequest, map[string]any{"error.code": "charge_disputed"})
	a.get("/v1/charges/"+charge+"/dispute", "").wants(t, http.StatusOK, map[string]any{"id": newer.text("id"), "status": "needs_response"})
}

// TestVerdicts: what evidence ends in, and when.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	const digital = "evidence[customer_purchase_ip]=198.51.100.7&evidence[customer_name]=Jenny&evidence[customer_email_address]=jenny@example.com&evidence[access_activity_log]=logged in"
	for name, one := range map[string]struct {
		card, evidence string
		after          time.Duration
		was, is        string // just before, and then
	}{
		"the winning word":                   {"createDispute", "evidence[uncategorized_text]=winning_evidence", 3 * time.Second, "under_review", "won"},
		"the losing word":                    {"createDispute", "evidence[uncategorized_text]=losing_evidence", 3 * time.Second, "under_review", "lost"},
		"the losing word beside all":         {"createDispute", digital + "&evidence[uncategorized_text]=losing_evidence", 3 * time.Second, "under_review", "lost"},
		"all that digital goods need":        {"createDispute", digital, 60 * days, "under_review", "won"},
		"too little":                         {"createDispute", "evidence[customer_name]=Jenny", 60 * days, "under_review", "lost"},
		"evidence for another reason":        {"createDisputeProductNotReceived", digital, 60 * days, "under_review", "lost"},
		"all for goods not received":         {"createDisputeProductNotReceived", digital + "&evidence[customer_communication]={file}", 60 * days, "under_review", "won"},
		"compliance":                         {"createComplianceDispute", "evidence[uncategorized_text]=we comply&evidence[enhanced_evidence][visa_compliance][fee_acknowledged]=true", 60 * days, "under_review", "won"},
		"an inquiry, the winning word":       {"createDisputeInquiry", "evidence[uncategorized_text]=winning_evidence", 3 * time.Second, "warning_under_review", "warning_closed"},
		"an inquiry, the losing word":        {"createDisputeInquiry", "evidence[uncategorized_text]=losing_evidence", 3 * time.Second, "warning_under_review", "warning_closed"},
		"an inquiry that escalates":          {"createDisputeInquiry", "evidence[uncategorized_text]=escalate_inquiry_evidence", 3 * time.Second, "warning_under_review", "needs_response"},
		"an inquiry, too little":             {"createDisputeInquiry", "evidence[customer_name]=Jenny", 60 * days, "warning_under_review", "needs_response"},
		"an inquiry, enough":                 {"createDisputeInquiry", digital, 60 * days, "warning_under_review", "warning_closed"},
		"the word of inquiries in a dispute": {"createDispute", "evidence[uncategorized_text]=escalate_inquiry_evidence", 60 * days, "under_review", "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			_, all := a.disputed(one.card)
			path := "/v1/disputes/" + all[0].text("id")
			evidence := strings.Replace(one.evidence, "{file}", a.file("dispute_evidence", "letter.pdf", []byte("%PDF-1.7")).text("id"), 1)
			a.must(path, strings.NewReplacer(" ", "+").Replace(evidence)).wants(t, http.StatusOK, map[string]any{"status": one.was, "evidence_details.submission_count": "1", "evidence_details.has_evidence": true})
			a.clock.Advance(one.after - time.Second)
			a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": one.was})
			a.clock.Advance(time.Second)
			a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": one.is})
		})
	}
}

// TestDisputeMoney: what a dispute has cost in the end, by how it ended. The fee for the dispute is kept, that for answering is given
// back with a dispute that is won.
func TestDisputeMoney(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		evidence string
		wait     time.Duration
		pending  string
	}{
		"won":      {"uncategorized_text]=winning_evidence", 3 * time.Second, "-559"}, // 1000 - 59 - 1500
		"lost":     {"uncategorized_text]=losing_evidence", 3 * time.Second, "-3059"}, // 1000 - 59 - 1000 - 1500 - 1500
		"accepted": {"", 0, "-1559"},                                                  // 1000 - 59 - 1000 - 1500
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			_, all := a.disputed("createDispute")
			path := "/v1/disputes/" + all[0].text("id")
			if one.evidence == "" {
				a.must(path+"/close", "").wants(t, http.StatusOK, map[string]any{"status": "lost", "is_charge_refundable": false})
			} else {
				a.must(path, "evidence["+one.evidence)
			}
			a.clock.Advance(one.wait)
			a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": one.pending})
			a.clock.Advance(5 * days)
			a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "0"})
			a.get(path, "").wants(t, http.StatusOK, map[string]any{"balance_transactions.0.status": "available"})
		})
	}
}

// TestInquiry: an inquiry takes no money, ends with a full refund, and by itself after 120 days.
func TestInquiry(t *testing.T) {
	t.Parallel()
	a := bare(t)
	charge, all := a.disputed("createDisputeInquiry")
	path := "/v1/disputes/" + all[0].text("id")
	a.must("/v1/refunds", "charge="+charge+"&amount=400")
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "warning_needs_response"})
	a.must("/v1/refunds", "charge="+charge)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "warning_closed", "is_charge_refundable": false, "balance_transactions.0": nil})
	_, all = a.disputed("createDisputeInquiry")
	path = "/v1/disputes/" + all[0].text("id")
	a.clock.Advance(10 * days)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "warning_needs_response", "evidence_details.past_due": true})
	a.post(path, "evidence[product_description]=late").wants(t, http.StatusBadRequest, map[string]any{"error.param": "evidence"})
	a.clock.Advance(111 * days)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "warning_closed"})
	// What was refunded before an inquiry escalates is not disputed any more.
	charge, all = a.disputed("createDisputeInquiry")
	path = "/v1/disputes/" + all[0].text("id")
	a.must("/v1/refunds", "charge="+charge+"&amount=400")
	a.must(path, "evidence[uncategorized_text]=escalate_inquiry_evidence")
	a.clock.Advance(4 * time.Second)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "needs_response", "amount": "600", "balance_transactions.0.amount": "-600", "payment_method_details.card.case_type": "chargeback"})
	a.must(path, "evidence[uncategorized_text]=winning_evidence").wants(t, http.StatusOK, map[string]any{"status": "under_review", "evidence_details.submission_count": "2"})
	a.clock.Advance(3 * time.Second)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "won"})
	a.must("/v1/refunds", "charge="+charge).wants(t, http.StatusOK, map[string]any{"amount": "600"})
}

// TestDisputesOfRefunded: what has been given back in time is not disputed.
func TestDisputesOfRefunded(t *testing.T) {
	t.Parallel()
	a := bare(t)
	charge := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_createDispute").text("latest_charge")
	a.must("/v1/refunds", "charge="+charge)
	a.clock.Advance(5 * time.Second)
	if n := len(ids(a.get("/v1/disputes", ""))); n != 0 {
		t.Errorf("%d disputes", n)
	}
	held := a.must("/v1/payment_intents", strings.Replace(pay, "=automatic", "=manual", 1)+"&payment_method=pm_card_createDispute").text("id")
	a.clock.Advance(5 * time.Second)
	if n := len(ids(a.get("/v1/disputes", ""))); n != 0 {
		t.Errorf("%d disputes over what nobody has captured", n)
	}
	a.must("/v1/payment_intents/"+held+"/capture", "amount_to_capture=300")
	a.clock.Advance(time.Second)
	a.get("/v1/disputes", "payment_intent="+held).wants(t, http.StatusOK, map[string]any{"data.0.amount": "300"})
}

// TestEvidenceIsRefused: bounds, and files that are no evidence; nothing is left behind.
func TestEvidenceIsRefused(t *testing.T) {
	t.Parallel()
	a := bare(t)
	_, all := a.disputed("createComplianceDispute")
	path := "/v1/disputes/" + all[0].text("id")
	before := a.get(path, "").raw
	long := func(fields ...string) string {
		form := url.Values{"submit": {"false"}}
		for _, field := range fields {
			form.Set("evidence["+field+"]", strings.Repeat("é", 20_000))
		}
		return form.Encode()
	}
	texts := []string{"access_activity_log", "cancellation_policy_disclosure", "cancellation_rebuttal", "duplicate_charge_explanation", "product_description", "refund_policy_disclosure", "refund_refusal_explanation"}
	big := bytes.Repeat([]byte("x"), 3<<20)
	copy(big, "%PDF-1.7")
	first, second := a.file("dispute_evidence", "a.pdf", big).text("id"), a.file("dispute_evidence", "b.pdf", big).text("id")
	logo := a.file("business_logo", "logo.png", []byte("\x89PNG\r\n\x1a\n")).text("id")
	for form, param := range map[string]string{
		long(append(texts, "uncategorized_text")...):                        "evidence",
		"evidence[product_description]=" + strings.Repeat("x", 20_001):      "evidence[product_description]",
		"evidence[customer_name]=" + strings.Repeat("x", 5_001):             "evidence[customer_name]",
		"evidence[receipt]=" + first + "&evidence[refund_policy]=" + second: "evidence",
		"evidence[receipt]=" + logo:                                         "evidence[receipt]",
		"evidence[receipt]=file_none":                                       "evidence[receipt]",
		"submit=true":                                                       "submit",
		"evidence[uncategorized_text]=so":                                   "evidence[enhanced_evidence][visa_compliance][fee_acknowledged]",
		"evidence[enhanced_evidence][visa_compelling_evidence_3][prior_undisputed_transactions][0][charge]=ch_none": "evidence[enhanced_evidence][visa_compelling_evidence_3][prior_undisputed_transactions][0][charge]",
	} {
		if got := a.post(path, form); got.status != http.StatusBadRequest || got.text("error.param") != param {
			t.Errorf("%.80s: %d %.300s", form, got.status, got.raw)
		}
	}
	if after := a.get(path, "").raw; after != before {
		t.Errorf("refusals have left %s\nof %s", after, before)
	}
	a.must(path, long(texts...)).wants(t, http.StatusOK, map[string]any{"status": "needs_response"}) // 140,000 are not too many
}

// TestCompellingEvidence: what is missing is named until nothing is.
func TestCompellingEvidence(t *testing.T) {
	t.Parallel()
	a := bare(t)
	earlier := func() string {
		return a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa").text("latest_charge")
	}
	_, all := a.disputed("createCe3EligibleDispute")
	path := "/v1/disputes/" + all[0].text("id")
	const at, in = "evidence_details.enhanced_eligibility.visa_compelling_evidence_3", "evidence[enhanced_evidence][visa_compelling_evidence_3]"
	if n := len(all[0].list(at + ".required_actions")); n != 5 {
		t.Errorf("%d actions are required at first", n)
	}
	identified := func(prefix string) string {
		return "&" + prefix + "[customer_purchase_ip]=198.51.100.7&" + prefix + "[customer_email_address]=j@example.com&" + prefix + "[product_description]=tea"
	}
	form := in + "[disputed_transaction][merchandise_or_services]=merchandise" + identified(in+"[disputed_transaction]") +
		"&" + in + "[prior_undisputed_transactions][0][charge]=" + earlier() + identified(in+"[prior_undisputed_transactions][0]")
	got := a.must(path, "submit=false&"+form)
	got.wants(t, http.StatusOK, map[string]any{at + ".status": "requires_action", at + ".required_actions.0": "missing_prior_undisputed_transactions", "status": "needs_response"})
	form += "&" + in + "[prior_undisputed_transactions][1][charge]=" + earlier() + identified(in+"[prior_undisputed_transactions][1]")
	a.must(path, form).wants(t, http.StatusOK, map[string]any{at + ".status": "qualified", "status": "under_review"})
	a.clock.Advance(60 * days)
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "won"})
}

// TestEvidenceIsKept: evidence is added to what is there, and what follows a network's rules can be taken out.
func TestEvidenceIsKept(t *testing.T) {
	t.Parallel()
	a := bare(t)
	_, all := a.disputed("createDispute")
	path := "/v1/disputes/" + all[0].text("id")
	a.must(path, "submit=false&evidence[customer_name]=Jenny&evidence[product_description]=tea&evidence[enhanced_evidence][visa_compliance][fee_acknowledged]=true")
	a.must(path, "submit=false&evidence[customer_name]=Jo&evidence[enhanced_evidence]=").wants(t, http.StatusOK, map[string]any{
		"evidence.customer_name": "Jo", "evidence.product_description": "tea", "evidence.enhanced_evidence.visa_compliance": nil, "evidence_details.has_evidence": true})
	a.post(path, "submit=false&evidence[customer_name]=").wants(t, http.StatusBadRequest, map[string]any{"error.code": "parameter_invalid_empty"})
	a.must(path, "metadata[a]=1").wants(t, http.StatusOK, map[string]any{"status": "needs_response", "metadata.a": "1"}) // sends nothing
}

// TestDisputeHistories: after any history of disputes the books add up, no charge gives back more than it took, and a dispute is in one
// of its states for a reason.
func TestDisputeHistories(t *testing.T) {
	t.Parallel()
	a := bare(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{api: a, rt: rt}
		a.key = "sk_" + "test_dispute_" + strconv.FormatInt(time.Now().UnixNano(), 36)
		a.must("/v1/customers", "")
		for range rapid.IntRange(8, 20).Draw(rt, "steps") {
			h.disputeStep()
			a.balances(rt)
			h.charges()
			h.disputes()
		}
	})
}

func (h *history) disputeStep() {
	one := "none"
	if all := ids(h.get("/v1/disputes", "")); len(all) > 0 {
		one = all[rapid.IntRange(0, len(all)-1).Draw(h.rt, "dispute")]
	}
	switch h.pick("step", "pay", "pay", "wait", "wait", "evidence", "evidence", "close", "refund") {
	case "pay":
		card := h.pick("card", "createDispute", "createDisputeInquiry", "createDisputeInquiry", "createMultipleDisputes", "createIssuerFraudRecord", "riskLevelElevated")
		h.made = append(h.made, h.must("/v1/payment_intents", "confirm=true&payment_method_types[]=card&amount="+strconv.Itoa(rapid.IntRange(50, 5000).Draw(h.rt, "amount"))+
			"&currency="+h.pick("currency", "usd", "eur")+"&capture_method="+h.pick("capture", "automatic", "automatic_async")+"&payment_method=pm_card_"+card))
	case "wait":
		h.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+h.pick("seconds", "1", "2", "3", "864000", "5184000")+`}`)
	case "evidence":
		h.post("/v1/disputes/"+one, h.pick("evidence", "evidence[uncategorized_text]=winning_evidence", "evidence[uncategorized_text]=losing_evidence",
			"evidence[uncategorized_text]=escalate_inquiry_evidence", "evidence[customer_name]=Jenny", "evidence[customer_name]=Jenny&submit=false", "submit=true"))
	case "close":
		h.post("/v1/disputes/"+one+"/close", "")
	case "refund":
		h.post("/v1/refunds", "payment_intent="+h.intent().text("id")+h.pick("part", "", "&amount=50", "&amount=600"))
	}
}

// disputes holds every dispute against its charge and its money.
func (h *history) disputes() {
	for _, one := range h.get("/v1/disputes", "limit=100").list("data") {
		d := answer{body: one.(map[string]any)}
		moved := int64(0)
		for _, txn := range d.list("balance_transactions") {
			moved += number(txn.(map[string]any), "amount")
		}
		charge := h.get("/v1/charges/"+d.text("charge"), "")
		taken := charge.at("currency") != "usd" || -moved == number(d.body, "amount") // what is converted is booked in dollars
		status, refundable := d.text("status"), d.at("is_charge_refundable") == true
		ok := charge.at("disputed") == true && len(d.list("balance_transactions")) <= 2
		switch status {
		case "needs_response", "under_review", "lost":
			ok = ok && moved < 0 && taken && !refundable
		case "won":
			ok = ok && moved == 0
		case "warning_needs_response", "warning_under_review", "warning_closed":
			ok = ok && moved == 0
		default:
			ok = false
		}
		if !ok {
			h.rt.Fatalf("dispute %v\nof charge %v", d.body, charge.raw)
		}
	}
}

// TestWaitingRefundIsDisputed: a refund that waits for funds fails when the charge is charged back, and brings back no money that it
// had not taken.
func TestWaitingRefundIsDisputed(t *testing.T) {
	t.Parallel()
	a := bare(t)
	if got := a.control(http.MethodPost, "/_sandbox/account", `{"debit_negative_balances":false}`); got.status != http.StatusOK {
		t.Fatalf("%d %v", got.status, got.body)
	}
	charge, all := a.disputed("createDisputeInquiry")
	path := "/v1/disputes/" + all[0].text("id")
	a.clock.Advance(4 * days) // the money of the charge has been paid out
	refund := a.must("/v1/refunds", "charge="+charge+"&amount=400")
	refund.wants(t, http.StatusOK, map[string]any{"status": "pending", "pending_reason": "insufficient_funds"})
	a.must(path, "evidence[uncategorized_text]=escalate_inquiry_evidence")
	before := a.get("/v1/balance", "").at("available.0.amount")
	a.clock.Advance(3 * time.Second)
	a.get("/v1/refunds/"+refund.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "failed", "failure_reason": "charge_for_pending_refund_disputed", "failure_balance_transaction": nil})
	a.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "needs_response", "amount": "1000"})
	a.get("/v1/charges/"+charge, "").wants(t, http.StatusOK, map[string]any{"amount_refunded": "0"})
	if after := a.get("/v1/balance", "").at("available.0.amount"); before != "0" || after != "-2500" {
		t.Errorf("the balance was %v and is %v", before, after)
	}
}

// TestPreventedDisputes: an account that is enrolled in prevention has no dispute, but a refund or not even that.
func TestPreventedDisputes(t *testing.T) {
	t.Parallel()
	for card, want := range map[string]struct {
		kind, refunded string
		pending        string
	}{
		"createRapidDisputeResolutionDispute": {"resolution", "1000", "-74"}, // the fee of a foreign card
		"createEthocaAlert":                   {"resolution", "1000", "-59"},
		"createCe3BlockDispute":               {"block", "0", "926"},
	} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			if got := a.control(http.MethodPost, "/_sandbox/account", `{"dispute_prevention":true}`); got.at("dispute_prevention") != true {
				t.Fatalf("%d %v", got.status, got.body)
			}
			charge, all := a.disputed(card)
			all[0].wants(t, http.StatusOK, map[string]any{"status": "prevented", "payment_method_details.card.case_type": want.kind, "balance_transactions.0": nil, "evidence_details.due_by": nil})
			a.get("/v1/charges/"+charge, "").wants(t, http.StatusOK, map[string]any{"amount_refunded": want.refunded, "disputed": false})
			a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": want.pending})
			a.post("/v1/disputes/"+all[0].text("id"), "evidence[customer_name]=Jenny").wants(t, http.StatusBadRequest, nil)
			a.post("/v1/disputes/"+all[0].text("id")+"/close", "").wants(t, http.StatusBadRequest, nil)
		})
	}
}
