package sandbox_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// TestBooksOfAMarket lives through a random history of a platform and its sellers, as TestBooks does of one account: with direct charges,
// charges with a destination, and transfers, what is taken back of them to the last cent, disputes, debits, fees and payouts.
func TestBooksOfAMarket(t *testing.T) {
	t.Parallel()
	steps, seed := setting("TILL_HISTORY", 3000), uint64(setting("TILL_SEED", 0))
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	m := newMarket(t, seed)
	for m.done = range steps {
		m.step()
		if m.done%5000 == 1999 { // it is plain data, and goes on from it
			m.ask("POST", "/_sandbox/snapshots", `{"name":"now"}`)
			m.ask("POST", "/_sandbox/restore", `{"snapshot":"now"}`)
			m.audit()
		}
	}
	m.audit()
	for _, kind := range []string{"reserve_transaction", "stripe_fee", "payment_refund"} {
		for _, seller := range append(m.sellers, "") {
			all, _ := m.as(seller, "GET", "/v1/balance_transactions", "limit=100&type="+kind)["data"].([]any)
			m.counts[kind] += len(all)
		}
	}
	t.Logf("%d steps of seed %d: %v", steps, seed, m.counts)
	for _, kind := range []string{"direct", "destination", "transfer", "transfer_reversal", "fee_refund", "refund", "payout", "dispute", "debit", "reserve_transaction", "stripe_fee", "payment_refund"} {
		if m.counts[kind] == 0 {
			t.Errorf("no %s in %d steps of seed %d", kind, steps, seed)
		}
	}
}

// market is a platform and its sellers.
type market struct {
	*life
	sellers   []string
	fees      []string
	transfers []string
	direct    map[string][]string // payments, by seller
}

// sellersOf are the countries and currencies of the sellers, who is liable for their losses and who pays Stripe's fees of theirs.
var sellersOf = [][4]string{
	{"US", "usd", "application", "application_express"}, {"US", "usd", "application", "application"}, {"US", "usd", "stripe", "account"},
	{"DE", "eur", "application", "application_custom"}, {"GB", "gbp", "application", "application_express"}, {"CH", "chf", "stripe", "account"},
}

func newMarket(t *testing.T, seed uint64) *market {
	m := &market{life: newLife(t, seed), direct: map[string][]string{}}
	for _, row := range sellersOf {
		m.sellers = append(m.sellers, sandbox.ConnectAs(m.server, "sk_"+"test_"+m.key, row[0], row[1], row[2], row[3]))
	}
	return m
}

// as asks on behalf of a seller.
func (m *market) as(seller, method, path, body string) map[string]any {
	m.on = seller
	defer func() { m.on = "" }()
	return m.ask(method, path, body)
}

func (m *market) step() {
	seller := m.one(m.sellers...)
	switch n := m.random.IntN(100); {
	case n < 14:
		m.payDirectly(seller)
	case n < 30:
		m.payTo(seller)
	case n < 40:
		m.transfer(seller)
	case n < 46:
		m.keep(&m.refunds, m.ask("POST", "/v1/transfers/"+m.any(m.transfers)+"/reversals", m.one("", "amount=100", "amount=1", "amount=777")+m.one("", "&refund_application_fee=true")))
	case n < 60:
		m.keep(&m.refunds, m.ask("POST", "/v1/refunds", "payment_intent="+m.any(m.payments)+m.one("", "&amount=100", "&amount=390", "&amount=333")+m.one("", "&reverse_transfer=true")+m.one("", "&refund_application_fee=true")))
	case n < 67:
		m.keep(&m.refunds, m.as(seller, "POST", "/v1/refunds", "payment_intent="+m.any(m.direct[seller])+m.one("", "&amount=100", "&amount=333")+m.one("", "&refund_application_fee=true")))
	case n < 70:
		m.giveBack()
	case n < 73:
		m.debit(seller)
	case n < 75:
		m.sendBack(seller)
	case n < 80:
		m.contestOf(seller)
	case n < 85:
		m.payOutOf(seller)
	case n < 87:
		m.on = seller
		m.settings()
		m.on = ""
	default:
		m.life.step() // what a single account does, payments that come in among it
	}
}

const marketCards = "visa bypassPending bypassPending bypassPending de createDispute createDisputeInquiry refundFail pendingRefund"

// pay is the form of a payment.
func (m *market) pay(currencies ...string) string {
	return "confirm=true&payment_method_types[]=card&payment_method=pm_card_" + m.one(strings.Fields(marketCards)...) + "&amount=" + m.amount() + "&currency=" + m.one(currencies...) +
		"&capture_method=" + m.one("automatic", "automatic_async", "manual")
}

func (m *market) payDirectly(seller string) {
	made := m.as(seller, "POST", "/v1/payment_intents", m.pay("usd", "eur", "gbp")+m.one("", "&application_fee_amount=33", "&application_fee_amount=100"))
	if id := text(made, "id"); id != "" {
		m.direct[seller] = append(m.direct[seller], id)
		m.counts["direct"]++
		if text(made, "status") == "requires_capture" && m.random.IntN(3) > 0 {
			m.as(seller, "POST", "/v1/payment_intents/"+id+"/capture", m.one("", "amount_to_capture=99", "application_fee_amount=12"))
		}
	}
}

func (m *market) payTo(seller string) {
	form := m.pay("usd", "usd", "eur", "jpy") + "&transfer_data[destination]=" + seller + m.one("", "&application_fee_amount=33", "&application_fee_amount=100", "&transfer_data[amount]=77", "&transfer_data[amount]=100") +
		m.one("", "", "&on_behalf_of="+seller)
	if made := m.ask("POST", "/v1/payment_intents", form); text(made, "id") != "" {
		m.keep(&m.payments, made)
		m.counts["destination"]++
		if text(made, "status") == "requires_capture" && m.random.IntN(3) > 0 {
			m.ask("POST", "/v1/payment_intents/"+text(made, "id")+"/capture", m.one("", "amount_to_capture=101"))
		}
	}
}

// transfer moves what is available, or a part of a charge.
func (m *market) transfer(seller string) {
	form := "destination=" + seller + "&currency=" + m.one("usd", "usd", "eur")
	if m.random.IntN(2) == 0 {
		charge := text(m.ask("GET", "/v1/payment_intents/"+m.any(m.payments), ""), "latest_charge")
		m.keep(&m.transfers, m.ask("POST", "/v1/transfers", form+"&source_transaction="+charge+m.one("", "&amount=50", "&amount=500")))
		return
	}
	m.keep(&m.transfers, m.ask("POST", "/v1/transfers", form+"&amount="+strconv.Itoa(1+m.random.IntN(500_00))))
}

// giveBack gives a fee back to the seller.
func (m *market) giveBack() {
	if len(m.fees) < 50 || m.random.IntN(10) == 0 {
		m.fees = m.fees[:0]
		all, _ := m.ask("GET", "/v1/application_fees", "limit=100")["data"].([]any)
		for _, one := range all {
			m.fees = append(m.fees, text(one.(map[string]any), "id"))
		}
	}
	m.keep(&m.refunds, m.ask("POST", "/v1/application_fees/"+m.any(m.fees)+"/refunds", m.one("", "amount=1", "amount=11")))
}

// debit takes money out of the seller's balance, by a charge or by a transfer to the platform, and gives some of it back.
func (m *market) debit(seller string) {
	currency := m.one("usd", "eur", "gbp")
	if m.random.IntN(2) == 0 {
		m.as(seller, "POST", "/v1/transfers", "destination="+m.account+"&currency="+currency+"&amount="+m.amount())
		return
	}
	made := m.ask("POST", "/v1/charges", "source="+seller+"&currency="+currency+"&amount="+m.amount())
	if id := text(made, "id"); id != "" {
		m.counts["debit"]++
		m.ask("POST", "/v1/refunds", "charge="+id+m.one("", "&amount=55"))
	}
}

// sendBack lets a seller refund a payment that was a transfer.
func (m *market) sendBack(seller string) {
	all, _ := m.as(seller, "GET", "/v1/charges", "limit=20")["data"].([]any)
	for _, one := range all {
		if charge := one.(map[string]any); text(charge, "source_transfer") != "" {
			m.keep(&m.refunds, m.as(seller, "POST", "/v1/refunds", "charge="+text(charge, "id")+m.one("", "&amount=7")+m.one("", "&refund_application_fee=true")))
			return
		}
	}
}

func (m *market) contestOf(seller string) {
	m.on = m.one(seller, "")
	m.contest()
	m.on = ""
}

func (m *market) payOutOf(seller string) {
	m.on = seller
	defer func() { m.on = "" }()
	if m.random.IntN(6) == 0 {
		m.ask("POST", "/v1/accounts/"+seller+"/external_accounts", "external_account="+m.one("btok_us_verified", "btok_us_verified_accountClosed")+"&default_for_currency=true")
		return
	}
	m.keep(&m.payouts, m.ask("POST", "/v1/payouts", "currency="+m.one("usd", "usd", "eur", "gbp", "chf")+"&amount="+m.amount()+m.one("", "", "&method=instant")))
}
