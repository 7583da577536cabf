//go:build !race

package judge_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/oauth"
)

// TestCompany: a company in Poland is connected with its people, capability by capability, and deleted.
func TestCompany(t *testing.T) {
	t.Parallel()
	w := setup(t)
	account := must[*stripe.Account](t)(w.V1Accounts.Create(t.Context(), &stripe.AccountCreateParams{
		Controller: &stripe.AccountCreateControllerParams{Fees: &stripe.AccountCreateControllerFeesParams{Payer: str("application")}, Losses: &stripe.AccountCreateControllerLossesParams{Payments: str("application")},
			RequirementCollection: str("application"), StripeDashboard: &stripe.AccountCreateControllerStripeDashboardParams{Type: str("none")}},
		Country: str("PL"), BusinessType: str("company"), Company: &stripe.AccountCreateCompanyParams{Name: str("Nowak Sp. z o.o."), TaxID: str("222222222")},
		Capabilities: &stripe.AccountCreateCapabilitiesParams{Transfers: &stripe.AccountCreateCapabilitiesTransfersParams{Requested: stripe.Bool(true)}},
	}))
	if account.Type != "none" || account.Capabilities.Transfers != stripe.AccountCapabilityStatusInactive || account.Requirements.DisabledReason != "requirements.past_due" {
		t.Errorf("%+v", account.Requirements)
	}
	person := must[*stripe.Person](t)(w.V1Persons.Create(t.Context(), &stripe.PersonCreateParams{Account: str(account.ID), FirstName: str("Jan"), LastName: str("Nowak"),
		Relationship: &stripe.PersonCreateRelationshipParams{Representative: stripe.Bool(true), Owner: stripe.Bool(true), PercentOwnership: stripe.Float64(62.5), Title: str("CEO")}}))
	if person.Verification.Status != "unverified" || person.Relationship.PercentOwnership != 62.5 {
		t.Errorf("%+v", person.Relationship)
	}
	if got := must[*stripe.Person](t)(w.V1Persons.Update(t.Context(), person.ID, &stripe.PersonUpdateParams{Account: str(account.ID), Email: str("jan@nowak.example")})); got.Email != "jan@nowak.example" {
		t.Errorf("the e-mail address is %s", got.Email)
	}
	if got := must[*stripe.Capability](t)(w.V1Capabilities.Update(t.Context(), "card_payments", &stripe.CapabilityUpdateParams{Account: str(account.ID), Requested: stripe.Bool(true)})); got.Status != "inactive" || !got.Requested {
		t.Errorf("%+v", got)
	}
	bank := must[*stripe.BankAccount](t)(w.V1BankAccounts.Create(t.Context(), &stripe.BankAccountCreateParams{Account: str(account.ID), Country: str("PL"), Currency: str("pln"), AccountNumber: str("PL61109010140000071219812874")}))
	if bank.Last4 != "2874" || !bank.DefaultForCurrency {
		t.Errorf("%+v", bank)
	}
	if n := len(all(t, w.V1Persons.List(t.Context(), &stripe.PersonListParams{Account: str(account.ID)}).All(t.Context()))); n != 1 {
		t.Errorf("%d persons", n)
	}
	if got := must[*stripe.Account](t)(w.V1Accounts.Reject(t.Context(), account.ID, &stripe.AccountRejectParams{Reason: str("fraud")})); got.Requirements.DisabledReason != "rejected.fraud" {
		t.Errorf("%s", got.Requirements.DisabledReason)
	}
	if got := must[*stripe.Account](t)(w.V1Accounts.Delete(t.Context(), account.ID, nil)); !got.Deleted {
		t.Error("the account is not deleted")
	}
	if _, err := w.V1Accounts.GetByID(t.Context(), account.ID, nil); err == nil || !strings.Contains(err.Error(), "account_invalid") {
		t.Errorf("afterwards: %v", err)
	}
}

// TestDebitsAlone: an account that asks for bank debits and nothing else has that capability and no other.
func TestDebitsAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	account := must[*stripe.Account](t)(w.V1Accounts.Create(t.Context(), &stripe.AccountCreateParams{Type: str("express"), Country: str("US"),
		Capabilities: &stripe.AccountCreateCapabilitiesParams{USBankAccountACHPayments: &stripe.AccountCreateCapabilitiesUSBankAccountACHPaymentsParams{Requested: stripe.Bool(true)}}}))
	if c := account.Capabilities; c.USBankAccountACHPayments != stripe.AccountCapabilityStatusInactive || c.CardPayments != "" || c.Transfers != "" {
		t.Errorf("%+v", c)
	}
}

// TestOAuthByClient: an account connects on the page, and Stripe's client exchanges its code and disconnects it.
func TestOAuthByClient(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var connect struct {
		ClientID string `json:"client_id"`
	}
	ask := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/_sandbox/connect", nil))
	ask.Header.Set("Authorization", "Bearer "+w.key)
	said := must[*http.Response](t)(http.DefaultClient.Do(ask))
	if err := json.NewDecoder(said.Body).Decode(&connect); err != nil {
		t.Fatal(err)
	}
	_ = said.Body.Close()
	q := url.Values{"response_type": {"code"}, "client_id": {connect.ClientID}, "scope": {"read_write"}, "redirect_uri": {"https://shop.example/"}}
	reply := must[*http.Response](t)(w.plain.PostForm(w.base+"/oauth/authorize?"+q.Encode(), url.Values{"answer": {"connect"}}))
	_ = reply.Body.Close()
	back := must[*url.URL](t)(reply.Location())
	client := oauth.Client{B: stripe.GetBackendWithConfig(stripe.ConnectBackend, &stripe.BackendConfig{URL: str(w.base), MaxNetworkRetries: stripe.Int64(0), LeveledLogger: &stripe.LeveledLogger{}}), Key: w.key}
	token := must[*stripe.OAuthToken](t)(client.New(&stripe.OAuthTokenParams{GrantType: str("authorization_code"), Code: str(back.Query().Get("code")), ClientSecret: str(w.key)}))
	if token.Scope != stripe.OAuthScopeTypeReadWrite || token.StripeUserID == "" {
		t.Fatalf("%+v", token)
	}
	if account := must[*stripe.Account](t)(w.V1Accounts.GetByID(t.Context(), token.StripeUserID, nil)); !account.ChargesEnabled || account.Type != "standard" {
		t.Errorf("%+v", account)
	}
	if _, err := client.New(&stripe.OAuthTokenParams{GrantType: str("authorization_code"), Code: str("ac_none"), ClientSecret: str(w.key)}); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a code that is none: %v", err)
	}
	if gone := must[*stripe.Deauthorize](t)(client.Del(&stripe.DeauthorizeParams{ClientID: str(connect.ClientID), StripeUserID: str(token.StripeUserID)})); gone.StripeUserID != token.StripeUserID {
		t.Errorf("%+v", gone)
	}
	if _, err := w.V1Accounts.GetByID(t.Context(), token.StripeUserID, nil); err == nil {
		t.Error("the account is there still")
	}
}
