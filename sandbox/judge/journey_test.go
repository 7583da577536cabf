//go:build !race

package judge_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"

	"github.com/stripe/stripe-go/v85"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/judge"
)

// court is the judge of all tests; loading Stripe's document takes a second.
var court = sync.OnceValues(judge.New)

// world is a sandbox, Stripe's client for it, and a plain one; all replies to them are judged.
type world struct {
	*stripe.Client
	plain *http.Client
	base  string
	key   string
}

// setup makes a world that no other test knows.
func setup(t *testing.T, options ...sandbox.Option) *world {
	t.Helper()
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox.NewServer(options...)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	plain := &http.Client{
		Transport:     j.Transport(server.Client().Transport, func(err error) { t.Error(err) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// Keys in full do not stand in the repository.
	key := "sk_" + "test_" + regexp.MustCompile(`\W`).ReplaceAllString(t.Name(), "_")
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(server.URL), MaxNetworkRetries: stripe.Int64(0), LeveledLogger: &stripe.LeveledLogger{}, HTTPClient: plain,
	})
	return &world{
		Client: stripe.NewClient(key, stripe.WithBackends(&stripe.Backends{API: backend, Uploads: backend})),
		plain:  plain, base: server.URL, key: key,
	}
}

// must gives a result that was no error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func str(s string) *string { return stripe.String(s) }

func strs(all ...string) []*string { return stripe.StringSlice(all) }

// authenticate opens the hosted page that an intent asks for and answers it; it gives the address that the customer is sent back to.
func (w *world) authenticate(t *testing.T, page, outcome string) *url.URL {
	t.Helper()
	get := must[*http.Response](t)(w.plain.Get(page))
	defer get.Body.Close()
	var form [4096]byte
	n, _ := get.Body.Read(form[:])
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindSubmatch(form[:n])
	if token == nil {
		t.Fatalf("the page %s has no form: %s", page, form[:n])
	}
	post := must[*http.Response](t)(w.plain.PostForm(page, url.Values{"token": {string(token[1])}, "outcome": {outcome}}))
	defer post.Body.Close()
	if post.StatusCode != http.StatusSeeOther {
		t.Fatalf("the page answers %s", post.Status)
	}
	return must[*url.URL](t)(post.Location())
}

// refused tells what Stripe's client makes of a refusal.
func refused(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var refusal *stripe.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("no refusal of Stripe's: %v", err)
	}
	return refusal
}

// all reads a list to its end.
func all[T any](t *testing.T, list func(func(T, error) bool)) []T {
	t.Helper()
	var elements []T
	for v, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		elements = append(elements, v)
	}
	return elements
}

func (w *world) card(t *testing.T, number string) *stripe.PaymentMethod {
	t.Helper()
	return must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Create(t.Context(), &stripe.PaymentMethodCreateParams{
		Type: str("card"),
		Card: &stripe.PaymentMethodCreateCardParams{Number: str(number), ExpMonth: stripe.Int64(12), ExpYear: stripe.Int64(2040), CVC: str("314")},
		BillingDetails: &stripe.PaymentMethodCreateBillingDetailsParams{
			Name: str("Jenny Rosen"), Address: &stripe.AddressParams{City: str("Dublin"), Country: str("IE"), Line1: str("1 Quay"), Line2: str(""), PostalCode: str("D01")},
		},
	}))
}

// TestPaymentWithChallenge: a customer saves a card, pays with it after 3D Secure, is charged later than authorized, and gets money back.
func TestPaymentWithChallenge(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	customer := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		Name: str("Jenny Rosen"), Email: str("jenny@example.com"), Metadata: map[string]string{"ref": "6735"},
		Address:  &stripe.AddressParams{City: str("Dublin"), Country: str("IE"), Line1: str("1 Quay"), Line2: str(""), PostalCode: str("D01"), State: str("")},
		Shipping: &stripe.CustomerCreateShippingParams{Name: str("Jenny"), Address: &stripe.AddressParams{City: str("Dublin")}},
	}))
	card := w.card(t, "4000002760003184")
	must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Attach(ctx, card.ID, &stripe.PaymentMethodAttachParams{Customer: &customer.ID}))
	must[*stripe.Customer](t)(w.V1Customers.Update(ctx, customer.ID, &stripe.CustomerUpdateParams{
		InvoiceSettings: &stripe.CustomerUpdateInvoiceSettingsParams{DefaultPaymentMethod: &card.ID},
	}))
	intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(10_00), Currency: str("eur"), Customer: &customer.ID, PaymentMethod: &card.ID, Confirm: stripe.Bool(true),
		CaptureMethod: str("manual"), ReturnURL: str("https://shop.example/back?order=7"), Description: str("Tea for two"), StatementDescriptorSuffix: str("TEA"),
		PaymentMethodTypes: strs("card"), SetupFutureUsage: str("off_session"), ReceiptEmail: str("jenny@example.com"),
		Shipping: &stripe.ShippingDetailsParams{Name: str("Jenny"), Phone: str("+353 1 000"), Address: &stripe.AddressParams{Line1: str("1 Quay"), Country: str("IE")}},
	}))
	if intent.Status != stripe.PaymentIntentStatusRequiresAction || intent.NextAction.RedirectToURL == nil {
		t.Fatalf("the intent is %s, to do next is %+v", intent.Status, intent.NextAction)
	}
	back := w.authenticate(t, intent.NextAction.RedirectToURL.URL, "complete")
	if q := back.Query(); q.Get("order") != "7" || q.Get("payment_intent") != intent.ID || q.Get("redirect_status") != "succeeded" {
		t.Errorf("the customer is sent back to %s", back)
	}
	intent = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, intent.ID, &stripe.PaymentIntentRetrieveParams{Expand: strs("payment_method", "customer", "latest_charge")}))
	if intent.Status != stripe.PaymentIntentStatusRequiresCapture || intent.AmountCapturable != 10_00 || intent.LatestCharge.PaymentMethodDetails.Card.ThreeDSecure == nil || intent.Customer.Name == "" {
		t.Fatalf("the intent is %s, to capture are %d", intent.Status, intent.AmountCapturable)
	}
	intent = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Capture(ctx, intent.ID, &stripe.PaymentIntentCaptureParams{
		AmountToCapture: stripe.Int64(9_00), Expand: strs("latest_charge.balance_transaction"),
	}))
	if txn := intent.LatestCharge.BalanceTransaction; intent.Status != stripe.PaymentIntentStatusSucceeded || intent.AmountReceived != 9_00 || txn.Net != txn.Amount-txn.Fee {
		t.Errorf("the intent is %s with %d; booked is %+v", intent.Status, intent.AmountReceived, txn)
	}
	part := must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{
		PaymentIntent: &intent.ID, Amount: stripe.Int64(4_00), Reason: str("requested_by_customer"), Metadata: map[string]string{"why": "cold"},
	}))
	must[*stripe.Refund](t)(w.V1Refunds.Update(ctx, part.ID, &stripe.RefundUpdateParams{Metadata: map[string]string{"why": "", "who": "Jo"}}))
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &intent.LatestCharge.ID, Expand: strs("charge", "balance_transaction", "payment_intent")}))
	charge := must[*stripe.Charge](t)(w.V1Charges.Retrieve(ctx, intent.LatestCharge.ID, &stripe.ChargeRetrieveParams{Expand: strs("refunds", "customer")}))
	if !charge.Refunded || charge.AmountRefunded != 9_00 || len(charge.Refunds.Data) != 2 {
		t.Errorf("refunded are %d in %d refunds", charge.AmountRefunded, len(charge.Refunds.Data))
	}
	must[*stripe.Charge](t)(w.V1Charges.Update(ctx, charge.ID, &stripe.ChargeUpdateParams{Metadata: map[string]string{"k": "v"}}))
	must[*stripe.Balance](t)(w.V1Balance.Retrieve(ctx, nil))
	if n := len(all(t, w.V1BalanceTransactions.List(ctx, &stripe.BalanceTransactionListParams{}).All(ctx))); n != 3 {
		t.Errorf("there are %d balance transactions", n)
	}
	must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Update(ctx, card.ID, &stripe.PaymentMethodUpdateParams{BillingDetails: &stripe.PaymentMethodUpdateBillingDetailsParams{Email: str("j@example.com")}}))
	must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Detach(ctx, card.ID, nil))
	must[*stripe.Customer](t)(w.V1Customers.Delete(ctx, customer.ID, nil))
	if gone := must[*stripe.Customer](t)(w.V1Customers.Retrieve(ctx, customer.ID, nil)); !gone.Deleted {
		t.Error("the customer is still there")
	}
	w.holdEvents(t, "customer.created", "customer.updated", "customer.deleted", "payment_method.attached", "payment_method.detached", "payment_intent.created",
		"payment_intent.requires_action", "payment_intent.amount_capturable_updated", "payment_intent.succeeded", "charge.succeeded", "charge.captured",
		"charge.refunded", "charge.updated", "refund.created", "refund.updated")
}

// holdEvents looks for events of all the given types, once in the list and once each.
func (w *world) holdEvents(t *testing.T, types ...string) {
	t.Helper()
	seen := map[string]string{}
	for _, e := range all(t, w.V1Events.List(t.Context(), &stripe.EventListParams{}).All(t.Context())) {
		seen[string(e.Type)] = e.ID
	}
	for _, want := range types {
		id, ok := seen[want]
		if !ok {
			t.Errorf("there is no event %s", want)
			continue
		}
		must[*stripe.Event](t)(w.V1Events.Retrieve(t.Context(), id, nil))
	}
}
