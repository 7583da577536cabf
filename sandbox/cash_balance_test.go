package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// cash is what Stripe holds for a customer in a currency.
func (a *api) cash(customer, currency string) string {
	return a.get("/v1/customers/"+customer+"/cash_balance", "").text("available." + currency)
}

// transfer plays a bank transfer from a customer.
func (a *api) transfer(customer, form string) answer {
	return a.must("/v1/test_helpers/customers/"+customer+"/fund_cash_balance", form)
}

// TestCashIsSwept: what nothing has used for ninety days is the account's. Money that was used meanwhile is not, and what came later waits longer.
func TestCashIsSwept(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	a.transfer(customer, "amount=5000&currency=usd")
	a.transfer(customer, "amount=700&currency=eur")
	const day = "86400"
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+day+`}`)
	a.transfer(customer, "amount=100&currency=gbp")
	a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":7689600}`)
	for currency, want := range map[string]string{"usd": "0", "eur": "0", "gbp": "100"} {
		if got := a.cash(customer, currency); got != want {
			t.Errorf("%s %s are held, want %s", got, currency, want)
		}
	}
	booked := a.get("/v1/balance_transactions", "type=payment_unreconciled")
	if all := booked.list("data"); len(all) != 2 {
		t.Fatalf("booked is %s", booked.raw)
	}
	moved := a.get("/v1/customers/"+customer+"/cash_balance_transactions", "limit=1")
	latest := answer{body: moved.list("data")[0].(map[string]any)}
	txn := a.get("/v1/balance_transactions/"+latest.text("transferred_to_balance.balance_transaction"), "expand[]=source")
	if latest.text("type") != "transferred_to_balance" || txn.text("source.id") != latest.text("id") {
		t.Errorf("%s was booked as %s", moved.raw, txn.raw)
	}
	announced := a.get("/v1/events", "type=customer_cash_balance_transaction.created&limit=1").list("data")[0].(map[string]any)
	if got := (answer{body: announced}).text("data.object.transferred_to_balance.balance_transaction"); got != txn.text("id") {
		t.Errorf("announced is %v", announced)
	}
}

// TestTransferIBANs: the accounts that customers send euros to have IBANs that are valid in each country.
func TestTransferIBANs(t *testing.T) {
	t.Parallel()
	a := bare(t)
	for _, country := range []string{"BE", "DE", "ES", "FR", "IE", "NL"} {
		customer := a.must("/v1/customers", "").text("id")
		got := a.must("/v1/customers/"+customer+"/funding_instructions", "funding_type=bank_transfer&currency=eur&bank_transfer[type]=eu_bank_transfer&bank_transfer[eu_bank_transfer][country]="+country)
		if iban := got.text("bank_transfer.financial_addresses.0.iban.iban"); !sandbox.ValidIBAN(iban) || iban[:2] != country {
			t.Errorf("%s: %s", country, iban)
		}
	}
}
