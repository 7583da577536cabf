//go:build !race

package judge_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestListsAndSearch reads what many customers paid, page by page, by filter and by query.
func TestListsAndSearch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	var ids []string
	for i := range 5 {
		customer := w.made(t, "POST /v1/customers", fmt.Sprintf("email=c%d@example.com&name=Customer+%d&phone=%d00&metadata[n]=%d", i, i, i, i%2))
		w.made(t, "POST /v1/payment_intents", paid+"pm_card_visa&capture_method=automatic&customer="+customer+fmt.Sprintf("&metadata[n]=%d", i%2))
		ids = append(ids, customer)
	}
	slices.Reverse(ids)
	pages := w.V1Customers.List(ctx, &stripe.CustomerListParams{ListParams: stripe.ListParams{Limit: stripe.Int64(2)}})
	var listed []string
	for _, c := range all(t, pages.All(ctx)) {
		listed = append(listed, c.ID)
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("listed are %v of %v", listed, ids)
	}
	for _, c := range []struct {
		request, query string
		want           int
		more           bool
	}{
		{"GET /v1/customers", "limit=2", 2, true},
		{"GET /v1/customers", "limit=0", 1, true},
		{"GET /v1/customers", "limit=1000", 5, false},
		{"GET /v1/customers", "starting_after=" + ids[3], 1, false},
		{"GET /v1/customers", "limit=2&ending_before=" + ids[3], 2, true},
		{"GET /v1/customers", "ending_before=" + ids[0], 0, false},
		{"GET /v1/customers", "email=c3@example.com", 1, false},
		{"GET /v1/customers", "expand[]=data", 5, false},
		{"GET /v1/customers", "created[gte]=1", 5, false},
		{"GET /v1/customers", "created[lt]=1", 0, false},
		{"GET /v1/customers", "created=1", 0, false},
		{"GET /v1/payment_intents", "customer=" + ids[0] + "&expand[]=data.customer&expand[]=data.latest_charge.balance_transaction&expand[]=data.payment_method", 1, false},
		{"GET /v1/charges", "customer=" + ids[0] + "&expand[]=data.payment_intent.customer&expand[]=data.refunds", 1, false},
		{"GET /v1/balance_transactions", "type=charge&expand[]=data.source", 5, false},
		{"GET /v1/refunds", "", 0, false},
		{"GET /v1/events", "type=charge.succeeded", 5, false},
		{"GET /v1/events", "types[]=customer.created&types[]=charge.succeeded&limit=3", 3, true},
		{"GET /v1/customers/" + ids[0] + "/payment_methods", "", 0, false},
		{"GET /v1/webhook_endpoints", "", 0, false},
		{"GET /v1/customers/search", `query=email:"c3@example.com"`, 1, false},
		{"GET /v1/customers/search", `query=metadata["n"]:"1"`, 2, false},
		{"GET /v1/customers/search", `query=name~"customer" AND -metadata["n"]:"1"&limit=2&expand[]=total_count`, 2, true},
		{"GET /v1/payment_intents/search", `query=amount>999 AND status:"succeeded"&expand[]=data.customer`, 5, false},
		{"GET /v1/charges/search", `query=payment_method_details.card.last4:"4242"`, 5, false},
		{"GET /v1/charges/search", `query=amount<1000`, 0, false},
	} {
		reply, why, page := w.send(t, c.request, c.query)
		data, _ := page["data"].([]any)
		if reply.StatusCode != http.StatusOK || len(data) != c.want || page["has_more"] != c.more {
			t.Errorf("%s?%s: %s, %d, more: %v %+v", c.request, c.query, reply.Status, len(data), page["has_more"], why)
		}
	}
	found := all(t, w.V1Customers.Search(ctx, &stripe.CustomerSearchParams{SearchParams: stripe.SearchParams{Query: `name~"customer"`, Limit: stripe.Int64(2)}}).All(ctx))
	if len(found) != 5 {
		t.Errorf("found are %d", len(found))
	}
}

// TestOtherObjects reads what no journey comes by.
func TestOtherObjects(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	endpoint := must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Create(ctx, &stripe.WebhookEndpointCreateParams{
		URL: str("http://127.0.0.1:1/hooks"), EnabledEvents: strs("payment_intent.succeeded", "charge.refunded"), Description: str("x"), Metadata: map[string]string{"a": "b"},
	}))
	if endpoint.Secret == "" {
		t.Error("a new endpoint shows no secret")
	}
	if endpoint = must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Retrieve(ctx, endpoint.ID, nil)); endpoint.Secret != "" {
		t.Error("an old endpoint shows its secret")
	}
	must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Update(ctx, endpoint.ID, &stripe.WebhookEndpointUpdateParams{Disabled: stripe.Bool(true), EnabledEvents: strs("*")}))
	must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Delete(ctx, endpoint.ID, nil))
	for _, request := range []string{"GET /v1/account", "GET /v1/balance"} {
		if reply, why, _ := w.send(t, request, ""); reply.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %+v", request, reply.Status, why)
		}
	}
	txn := w.made(t, "POST /v1/payment_intents", paid+"pm_card_jcb&capture_method=automatic")
	_, _, intent := w.send(t, "GET /v1/payment_intents/"+txn, "expand[]=latest_charge")
	booked := intent["latest_charge"].(map[string]any)["balance_transaction"].(string)
	must[*stripe.BalanceTransaction](t)(w.V1BalanceTransactions.Retrieve(ctx, booked, &stripe.BalanceTransactionRetrieveParams{Expand: strs("source")}))
	customer := w.made(t, "POST /v1/customers", "payment_method=pm_card_visa&invoice_settings[custom_fields][0][name]=PO&invoice_settings[custom_fields][0][value]=7")
	_, _, object := w.send(t, "GET /v1/customers/"+customer, "expand[]=sources&expand[]=subscriptions&expand[]=tax_ids")
	for _, list := range []string{"sources", "subscriptions", "tax_ids"} {
		if object[list] == nil {
			t.Errorf("%s is not expanded", list)
		}
	}
}

// TestEveryBrandOfCard pays with each of the cards that differ in what the charge shows.
func TestEveryBrandOfCard(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, name := range []string{
		"visa", "visa_debit", "mastercard", "mastercard_prepaid", "amex", "discover", "diners", "jcb", "unionpay", "visa_cartesBancaires", "br", "de", "jp",
		"riskLevelElevated", "cvcCheckFail", "avsFail", "avsUnchecked", "threeDSecureOptional", "bypassPending",
	} {
		id := w.made(t, "POST /v1/payment_intents", paid+"pm_card_"+name+"&expand[]=latest_charge&expand[]=payment_method")
		w.made(t, "POST /v1/refunds", "payment_intent="+id+"&reason=fraudulent")
	}
}
