package sandbox_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
)

// TestRacesOfAMarket: over many connections, transfers, reversals, captures, refunds from both sides and refunds of fees race each other
// about the same few objects, while accounts change. Nothing fails in the sandbox itself, no object gives back more than it had, and the
// books of all accounts add up (they are held after each step, and drawn up anew at the end).
func TestRacesOfAMarket(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.unpaid()
	a.must("/v1/payment_intents", "amount=1000000"+byCard)
	var sellers []*api
	var sent, held, direct, fees []string
	known := a.as(a.must("/v1/accounts", completeSeller).text("id"))
	a.pass(100)
	for _, s := range []*api{a.sellerWith("application", "account"), a.sellerWith("stripe", "account"), known} {
		s.unpaid()
		sellers = append(sellers, s)
		for range 3 {
			sent = append(sent, a.must("/v1/transfers", "amount=900&currency=usd&destination="+s.account).text("id"))
			held = append(held, a.must("/v1/payment_intents", "amount=1000&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_bypassPending&capture_method=manual&application_fee_amount=100&transfer_data[destination]="+s.account).text("id"))
			direct = append(direct, s.must("/v1/payment_intents", "amount=1000&application_fee_amount=90"+byCard).text("id"))
		}
	}
	fees = ids(a.get("/v1/application_fees", "limit=100"))
	together(64, func(i int) {
		r := rand.New(rand.NewPCG(11, uint64(i)))
		for range 6 {
			n, at := strconv.Itoa(1+r.IntN(400)), r.IntN(len(sent))
			seller := sellers[at/3]
			var got answer
			switch r.IntN(8) {
			case 0:
				got = a.post("/v1/transfers", "amount="+n+"&currency=usd&destination="+seller.account)
			case 1:
				got = a.post("/v1/transfers/"+sent[at]+"/reversals", "amount="+n)
			case 2:
				got = a.post("/v1/payment_intents/"+held[at]+"/capture", "amount_to_capture="+strconv.Itoa(600+r.IntN(400)))
			case 3:
				got = a.post("/v1/refunds", "reverse_transfer=true&refund_application_fee=true&amount="+n+"&payment_intent="+held[at])
			case 4:
				got = seller.post("/v1/refunds", "refund_application_fee=true&amount="+n+"&payment_intent="+direct[at])
			case 5:
				got = a.post("/v1/application_fees/"+fees[at]+"/refunds", "amount="+strconv.Itoa(1+r.IntN(40)))
			case 6:
				got = seller.post("/v1/payouts", "currency=usd&amount="+n)
			case 7:
				got = a.post("/v1/accounts/"+known.account, "business_profile[name]=Shop+"+n)
			}
			if got.status >= http.StatusInternalServerError {
				t.Errorf("%d %s", got.status, got.raw)
			}
		}
	})
	a.pass(86400)
	a.audits()
}
