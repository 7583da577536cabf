package sandbox_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox"
)

// TestSettlement: dates that were recorded at Stripe, and holidays.
func TestSettlement(t *testing.T) {
	t.Parallel()
	for charged, want := range map[string]string{
		"2023-12-29T10:00:00Z": "2024-01-03", // Friday, then New Year's Day
		"2024-06-18T23:59:59Z": "2024-06-21", // Juneteenth in between
		"2026-01-03T12:00:00Z": "2026-01-06", // Saturday
		"2026-01-04T12:00:00Z": "2026-01-06", // Sunday
		"2026-01-05T00:00:00Z": "2026-01-07", // Monday
		"2026-01-15T12:00:00Z": "2026-01-20", // Thursday before Martin Luther King Day
		"2026-02-12T12:00:00Z": "2026-02-17", // before Presidents' Day
		"2026-05-21T12:00:00Z": "2026-05-26", // before Memorial Day
		"2026-07-02T12:00:00Z": "2026-07-06", // the Fourth on a Saturday is not moved
		"2027-07-02T12:00:00Z": "2027-07-07", // the Fourth on a Sunday is kept on the Monday
		"2026-09-03T12:00:00Z": "2026-09-08", // before Labor Day
		"2026-10-08T12:00:00Z": "2026-10-13", // before Columbus Day
		"2026-11-10T12:00:00Z": "2026-11-13", // before Veterans Day
		"2026-11-24T12:00:00Z": "2026-11-27", // before Thanksgiving
		"2026-12-23T12:00:00Z": "2026-12-28", // before Christmas
	} {
		at, err := time.Parse(time.RFC3339, charged)
		if err != nil {
			t.Fatal(err)
		}
		if got := sandbox.Settlement(at).Format(time.DateOnly); got != want {
			t.Errorf("%s settles on %s, want %s", charged, got, want)
		}
	}
}

func TestFee(t *testing.T) {
	t.Parallel()
	for amount, want := range map[int64]int64{1000: 59, 10_000: 320, 1356: 69, 1342: 69, 50: 31, 20: 20, 99_999_999: 2_900_030} {
		if got := sandbox.Fee(amount); got != want {
			t.Errorf("fee of %d is %d, want %d", amount, got, want)
		}
	}
}

// TestBalanceAddsUp: after any history, per currency, available plus pending is the sum of the nets of the balance transactions, and
// each charge's money is booked once.
func TestBalanceAddsUp(t *testing.T) {
	t.Parallel()
	a := bare(t)
	rapid.Check(t, func(rt *rapid.T) {
		a.key = "sk_" + "test_money_" + strconv.FormatInt(time.Now().UnixNano(), 36)
		var intents []string
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			step := rapid.SampledFrom([]string{"pay", "hold", "decline", "refund", "capture", "cancel", "wait"}).Draw(rt, "step")
			amount := strconv.Itoa(rapid.IntRange(50, 5000).Draw(rt, "amount"))
			currency := rapid.SampledFrom([]string{"usd", "eur"}).Draw(rt, "currency")
			form := "confirm=true&amount=" + amount + "&currency=" + currency + "&payment_method_types[]=card"
			some := ""
			if len(intents) > 0 {
				some = rapid.SampledFrom(intents).Draw(rt, "intent")
			}
			switch step {
			case "pay":
				method := rapid.SampledFrom([]string{"automatic", "automatic_async"}).Draw(rt, "capture")
				intents = append(intents, a.must("/v1/payment_intents", form+"&payment_method=pm_card_visa&capture_method="+method).text("id"))
			case "hold":
				intents = append(intents, a.must("/v1/payment_intents", form+"&payment_method=pm_card_visa&capture_method=manual").text("id"))
			case "decline":
				a.post("/v1/payment_intents", form+"&payment_method=pm_card_chargeDeclined")
			case "refund":
				a.post("/v1/refunds", "payment_intent="+some+"&amount="+amount)
			case "capture":
				a.post("/v1/payment_intents/"+some+"/capture", "amount_to_capture="+amount)
			case "cancel":
				a.post("/v1/payment_intents/"+some+"/cancel", "")
			case "wait":
				a.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+amount+`00}`)
			}
			a.balances(rt)
		}
	})
}

// balances holds the balance against the transactions.
func (a *api) balances(rt *rapid.T) {
	sums := map[string]map[string]int64{"available": {}, "pending": {}}
	perCharge := map[string]int{}
	for _, one := range a.get("/v1/balance_transactions", "limit=100").list("data") {
		txn := answer{body: one.(map[string]any)}
		net, _ := strconv.ParseInt(txn.text("net"), 10, 64)
		amount, _ := strconv.ParseInt(txn.text("amount"), 10, 64)
		fee, _ := strconv.ParseInt(txn.text("fee"), 10, 64)
		if net != amount-fee {
			rt.Fatalf("net %d of amount %d and fee %d", net, amount, fee)
		}
		sums[txn.text("status")][txn.text("currency")] += net
		perCharge[txn.text("source")]++
	}
	for source, n := range perCharge {
		if n != 1 {
			rt.Fatalf("%s is booked %d times", source, n)
		}
	}
	balance := a.get("/v1/balance", "")
	for kind, want := range sums {
		for _, one := range balance.list(kind) {
			part := answer{body: one.(map[string]any)}
			if got, _ := strconv.ParseInt(part.text("amount"), 10, 64); got != want[part.text("currency")] {
				rt.Fatalf("%s %s is %d, want %d", kind, part.text("currency"), got, want[part.text("currency")])
			}
		}
	}
}
