package sandbox_test

import (
	"net/http"
	"testing"
)

// TestNothingIsIgnored: a parameter that an operation takes is carried out or refused, also where another operation on the same object is
// what it is mostly for.
func TestNothingIsIgnored(t *testing.T) {
	t.Parallel()
	a := bare(t)
	one, other := a.must("/v1/customers", "").text("id"), a.must("/v1/customers", "").text("id")
	charge := "/v1/charges/" + a.must("/v1/charges", "amount=1000&currency=usd&source=tok_visa").text("id")
	a.post(charge, "customer=cus_none").wants(t, http.StatusBadRequest, map[string]any{"error.param": "customer"})
	a.post(charge, "customer="+one).wants(t, http.StatusOK, map[string]any{"customer": one})
	a.post(charge, "customer="+other).wants(t, http.StatusBadRequest, map[string]any{"error.param": "customer"})
	if found := a.get("/v1/charges", "customer="+one).list("data"); len(found) != 1 {
		t.Errorf("the customer has %d charges", len(found))
	}

	card := a.must("/v1/payment_methods/pm_card_visa/attach", "customer="+one).text("id")
	a.post("/v1/payment_methods/"+card, "us_bank_account[account_holder_type]=company").wants(t, http.StatusBadRequest, map[string]any{"error.param": "us_bank_account"})

	setUp := "/v1/setup_intents/" + a.must("/v1/setup_intents", "").text("id")
	a.post(setUp, "attach_to_self=true").wants(t, http.StatusOK, map[string]any{"attach_to_self": true})

	seller := "/v1/accounts/" + a.must("/v1/accounts", "country=US&controller[requirement_collection]=application&controller[stripe_dashboard][type]=none&controller[losses][payments]=application&controller[fees][payer]=application&capabilities[transfers][requested]=true&business_type=company").text("id")
	person := seller + "/persons/" + a.must(seller+"/persons", "first_name=Ada").text("id")
	a.post(person, "documents[passport][files][]=file_identity_document_success").wants(t, http.StatusNotImplemented, nil)
}
