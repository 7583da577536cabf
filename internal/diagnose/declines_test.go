package diagnose_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/diagnose"
	"github.com/till-pay/till/internal/tilltest"
)

// What banks, Radar and 3-D Secure decline is told apart over the API, of payments that a shop really made.
func TestDeclines(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pay := func(n int, card string) {
			for range n {
				w.pay("20.00", card, map[string]string{"card": card})
			}
		}
		pay(6, "pm_card_de")
		pay(3, "pm_card_visa_chargeDeclinedInsufficientFunds")
		pay(2, "pm_card_radarBlock")
		pay(1, "pm_card_chargeDeclinedProcessingError")
		pay(1, "pm_card_chargeDeclinedExpiredCard")
		pay(1, "pm_card_threeDSecure2Required") // waits for its payer
		w.told()
		tilltest.Until(t, "every declined charge to be known", func() bool {
			list := w.Get("/v1/payments?status=failed&limit=100").Want(200)
			for i := range list.Len() {
				if list.At("data", i, "outcome") == nil {
					return false
				}
			}
			return list.Len() == 7
		})
		d, err := diagnose.FindDeclines(t.Context(), w.client, diagnose.DeclinesInput{Since: time.Hour, Before: 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if d.Recent.Decided != 13 || d.Recent.Declined != 7 || d.Recent.Open != 1 || d.Recent.Rate != 53.8 || d.Before.Payments != 0 {
			t.Errorf("%+v, before %+v", d.Recent, d.Before)
		}
		want := map[string]int{"issuer": 4, "radar": 2, "technical": 1}
		sum := 0.0
		for _, c := range d.Classes {
			sum += c.Share
			if want[c.Name] != c.Count {
				t.Errorf("%+v", c)
			}
		}
		if len(d.Classes) != len(want) || math.Abs(sum-100) > 1e-6 || d.Codes[0].Name != "insufficient_funds" || d.Codes[0].Count != 3 || d.Codes[0].Of != 7 {
			t.Errorf("%+v %+v", d.Classes, d.Codes)
		}
		var out bytes.Buffer
		d.Write(&out)
		for _, says := range []string{"7 of 13 decided payments declined, 53.8 %", "42.8 %     3 of 7", "fraudulent", "look at it before anything is tried"} {
			if !strings.Contains(out.String(), says) {
				t.Errorf("it does not say %q:\n%s", says, &out)
			}
		}
	})
}
