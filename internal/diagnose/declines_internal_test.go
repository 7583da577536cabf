package diagnose

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/money"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// paid is a payment of so many hours ago that went through; with changes it.
func paid(hours int, with ...func(*Payment)) Payment {
	p := Payment{ID: fmt.Sprint("p", hours), Amount: money.FromMinor(5000, "EUR"), Status: "completed", CreatedAt: noon.Add(-time.Duration(hours) * time.Hour), Attempts: 1}
	p.Paid.Brand, p.Paid.Country, p.Paid.Funding = "visa", "DE", "credit"
	p.Outcome.Type, p.Outcome.NetworkStatus = "authorized", "approved_by_network"
	for _, w := range with {
		w(&p)
	}
	return p
}

// declinedBy is what makes a payment one that failed, by an outcome.
func declinedBy(kind, network, reason, code, decline string) func(*Payment) {
	return func(p *Payment) {
		p.Status = "failed"
		p.Outcome.Type, p.Outcome.NetworkStatus, p.Outcome.Reason = kind, network, reason
		p.Failure.Code, p.Failure.DeclineCode = code, decline
	}
}

func bank(code string) func(*Payment) {
	return declinedBy("issuer_declined", "declined_by_network", code, "card_declined", code)
}

var radarBlock = declinedBy("blocked", "not_sent_to_network", "highest_risk_level", "card_declined", "fraudulent")

func weighed(all ...Payment) *Declines {
	slices.SortStableFunc(all, func(a, b Payment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return weigh(&Facts{Since: noon.Add(-37 * day), Until: noon, Payments: all}, noon.Add(-7*day), merchant{})
}

// Who declined is what the outcome says: one code may come from the bank and from Radar.
func TestWhoDeclined(t *testing.T) {
	t.Parallel()
	none := func(code, decline string) func(*Payment) { return declinedBy("", "", "", code, decline) }
	secured := func(result string) func(*Payment) { return func(p *Payment) { p.Paid.ThreeDSecure = result } }
	for name, c := range map[string]struct {
		is   Payment
		want Class
		do   Action
	}{
		"the bank takes it for fraud":    {paid(1, bank("fraudulent")), Issuer, AnotherCard},
		"Radar takes it for fraud":       {paid(1, radarBlock), Radar, LookInto},
		"Radar after the bank":           {paid(1, declinedBy("blocked", "reversed_after_approval", "rule", "card_declined", "incorrect_cvc")), Radar, LookInto},
		"no money":                       {paid(1, bank("insufficient_funds")), Issuer, RetryLater},
		"no money, and the network says": {paid(1, bank("insufficient_funds"), func(p *Payment) { p.Failure.Advice = "do_not_try_again" }), Issuer, AnotherCard},
		"a new code with advice":         {paid(1, bank("new_code"), func(p *Payment) { p.Failure.Advice = "confirm_card_data" }), Issuer, UpdateCard},
		"a new code":                     {paid(1, bank("new_code")), Issuer, Unclear},
		"the bank wants 3-D Secure":      {paid(1, bank("authentication_required")), Secure, Authenticate},
		"3-D Secure broke":               {paid(1, bank("generic_decline"), secured("processing_error")), Secure, AnotherCard},
		"3-D Secure was passed":          {paid(1, bank("generic_decline"), secured("authenticated")), Issuer, AnotherCard},
		"the payer failed at the bank":   {paid(1, none("payment_intent_authentication_failure", "")), Secure, AnotherCard},
		"the network broke":              {paid(1, bank("processing_error")), Technical, RetryNow},
		"Stripe did not understand":      {paid(1, none("provider_refused", "")), Technical, RetryNow},
		"an invalid charge":              {paid(1, declinedBy("invalid", "not_sent_to_network", "", "", "")), Technical, RetryNow},
		"not known yet":                  {paid(1, none("card_declined", "fraudulent")), Untold, AnotherCard},
	} {
		if action, _ := c.is.remedy(); c.is.class() != c.want || action != c.do {
			t.Errorf("%s: %s, %s; want %s, %s", name, c.is.class(), action, c.want, c.do)
		}
	}
}

// The shares of any declines add up to 100 %, their counts to the denominator that is shown, and what is not named is "other".
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	codes := []string{"insufficient_funds", "generic_decline", "do_not_honor", "lost_card", "expired_card", "incorrect_cvc", "processing_error", "call_issuer", "pickup_card", "x", "y"}
	for seed := range uint64(300) {
		chance := rand.New(rand.NewPCG(seed, 1))
		var all []Payment
		for n := range 1 + chance.IntN(200) {
			p := paid(chance.IntN(37 * 24))
			p.ID, p.Customer, p.Paid.Country = fmt.Sprint(n), fmt.Sprint("c", chance.IntN(40)), []string{"DE", "PL", "AT"}[chance.IntN(3)]
			switch chance.IntN(3) {
			case 0:
				bank(codes[chance.IntN(1+chance.IntN(len(codes)))])(&p)
			case 1:
				radarBlock(&p)
			}
			all = append(all, p)
		}
		d := weighed(all...)
		for _, list := range [][]Share{d.Codes, d.Classes} {
			count, share := 0, 0.0
			for _, s := range list {
				count, share = count+s.Count, share+s.Share
				if s.Of != d.Recent.Declined || math.Abs(s.Share-100*float64(s.Count)/float64(s.Of)) >= 0.1 {
					t.Errorf("%d: %+v of %d", seed, s, d.Recent.Declined)
				}
			}
			if d.Recent.Declined > 0 && (count != d.Recent.Declined || math.Abs(share-100) > 1e-6) {
				t.Errorf("%d: %d of %d, %v %%: %+v", seed, count, d.Recent.Declined, share, list)
			}
			if len(list) > mostCodes+1 {
				t.Errorf("%d: %d lines", seed, len(list))
			}
		}
		for _, b := range d.By {
			declined, decided := 0, 0
			for _, r := range b.Rows {
				declined, decided = declined+r.Declined, decided+r.Decided
			}
			if declined != d.Recent.Declined || decided != d.Recent.Decided {
				t.Errorf("%d: by %s there are %d of %d, not %d of %d", seed, b.By, declined, decided, d.Recent.Declined, d.Recent.Decided)
			}
		}
		unpaid := 0
		for _, r := range d.Remedies {
			unpaid += r.Count
		}
		if unpaid != len(d.Purchases) {
			t.Errorf("%d: %d remedies for %d purchases", seed, unpaid, len(d.Purchases))
		}
	}
}

// many are n payments, one an hour from some hours ago on.
func many(n, from int, with ...func(*Payment)) (all []Payment) {
	for i := range n {
		all = append(all, paid(from+i%(7*24-from), with...))
		all[i].ID = fmt.Sprint(from, len(with), i)
	}
	return all
}

func earlier(p *Payment) { p.CreatedAt = p.CreatedAt.Add(-8 * day) }

// A rise is told from chance, and its figures have their denominators.
func TestRise(t *testing.T) {
	t.Parallel()
	calm := weighed(slices.Concat(many(90, 1, earlier), many(10, 1, earlier, bank("generic_decline")), many(26, 1), many(4, 1, bank("generic_decline")))...)
	if calm.Rise.Clear || calm.Rise.Percent != 33.3 || !strings.Contains(calm.Cause, "no rise that could not be chance") {
		t.Errorf("four of thirty is called a rise: %+v, %s", calm.Rise, calm.Cause)
	}
	spike := weighed(slices.Concat(many(950, 1, earlier), many(50, 1, earlier, bank("generic_decline")), many(270, 1), many(20, 1, bank("insufficient_funds")), many(10, 1, radarBlock))...)
	if !spike.Rise.Clear || spike.Before.Rate != 5 || spike.Recent.Rate != 10 || spike.Rise.Percent != 100 || spike.Codes[0].Name != "insufficient_funds" || spike.Classes[0].Name != "issuer" {
		t.Errorf("%+v %+v", spike.Rise, spike.Codes)
	}
	for _, says := range []string{"10.0 % of payments were declined lately (30 of 300)", "against 5.0 % before (50 of 1000)", "20 of 30 (66.7 %)", "The integration is unchanged."} {
		if !strings.Contains(spike.Cause, says) {
			t.Errorf("it does not say %q: %s", says, spike.Cause)
		}
	}
	broken := weighed(slices.Concat(many(950, 1, earlier), many(270, 1), many(30, 1, declinedBy("", "", "", "provider_refused", "")))...)
	if broken.Integration.Unchanged || broken.Classes[0].Name != "technical" {
		t.Errorf("a broken integration is not seen: %+v", broken.Integration)
	}
	if none := weighed(); none.Recent.Rate != 0 || none.Integration.Unchanged || none.Rise.Clear {
		t.Errorf("of nothing: %+v", none)
	}
}

// What is recommended follows from the figures: SEPA for carts in euro alone, a country where its rate stands out, Radar's rules where Radar
// stopped something.
func TestRecommendations(t *testing.T) {
	t.Parallel()
	from := func(country string, currency money.Currency) func(*Payment) {
		return func(p *Payment) { p.Paid.Country, p.Amount.Currency = country, currency }
	}
	all := slices.Concat(many(200, 1), many(20, 1, from("PL", "PLN")), many(20, 1, from("PL", "PLN"), bank("insufficient_funds")), many(6, 1, from("CH", "CHF"), bank("do_not_honor")))
	names := func(d *Declines) (s string) {
		for _, r := range d.Recommendations {
			s += r.Name + " "
		}
		return s
	}
	facts := &Facts{Since: noon.Add(-37 * day), Until: noon, Payments: all}
	var abroad merchant
	abroad.Provider.Country = "DE"
	if d := weigh(facts, noon.Add(-7*day), abroad); names(d) != "another_card local_PL local_CH " {
		t.Errorf("zloty and francs: %s", names(d))
	}
	euro := weighed(append(all, many(5, 1, from("AT", "EUR"), bank("do_not_honor"))...)...)
	if !strings.Contains(names(euro), "sepa_debit") || strings.Contains(names(euro), "radar_rules") {
		t.Errorf("euro: %s", names(euro))
	}
	regular := func(p *Payment) { p.Customer = "anna" }
	stopped := weighed(append(all, many(4, 1, radarBlock, regular)...)...)
	if i := slices.IndexFunc(stopped.Recommendations, func(r Recommendation) bool { return r.Name == "radar_rules" }); i < 0 || stopped.Recommendations[i].Count != 4 {
		t.Errorf("Radar: %+v", stopped.Recommendations)
	}
	var out bytes.Buffer
	euro.Write(&out)
	for _, says := range []string{"stands out, mostly insufficient_funds", "Offer SEPA Direct Debit", "AT"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("it does not say %q:\n%s", says, &out)
		}
	}
}

// Tries of one customer for one amount are one purchase, and one that was paid in the end asks for nothing.
func TestPurchases(t *testing.T) {
	t.Parallel()
	by := func(name string) func(*Payment) { return func(p *Payment) { p.Customer = name } }
	d := weighed(paid(9, by("anna"), bank("insufficient_funds")), paid(8, by("anna"), bank("insufficient_funds")), paid(7, by("ben"), bank("lost_card")), paid(6, by("ben")),
		paid(5, bank("lost_card")), paid(4, bank("lost_card")), paid(12, by("cleo")), paid(3, by("cleo"), bank("expired_card")))
	if d.Recovered != 1 || len(d.Purchases) != 4 || d.Purchases[0].Tries != 2 || d.Purchases[0].PaymentID != "p8" || d.Purchases[3].Action != UpdateCard {
		t.Errorf("%d recovered: %+v", d.Recovered, d.Purchases)
	}
	if at := d.Purchases[0].NotBefore; at == nil || !at.Equal(noon.Add(-8*time.Hour+3*day)) {
		t.Errorf("it may be tried again at %v", at)
	}
}
