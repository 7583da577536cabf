package diagnose

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/till-pay/till/client"
)

// DeclinesInput says which times to compare.
type DeclinesInput struct {
	Since  time.Duration // the time in question, up to now
	Before time.Duration // the time before it, which it is compared with
}

// Declines is why payments fail, and whether that is new.
type Declines struct {
	Check           string           `json:"check"`
	Recent          Period           `json:"recent"`
	Before          Period           `json:"before"`
	Rise            Rise             `json:"rise"`
	Classes         []Share          `json:"classes"` // who declined, by the outcomes of the recent charges
	Codes           []Share          `json:"codes"`   // why, in Stripe's codes: the most frequent, and "other"
	By              []Breakdown      `json:"by"`
	Integration     Integration      `json:"integration"`
	Remedies        []Remedy         `json:"remedies"`
	Purchases       []Purchase       `json:"purchases"` // that were declined lately and are not paid
	Recovered       int              `json:"recovered"` // that were declined lately and were paid after all
	Recommendations []Recommendation `json:"recommendations"`
	Cause           string           `json:"cause"`
}

// Period is what came of the payments of a time. The rate is of those that a bank or Stripe decided on: Decided is its denominator.
type Period struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Payments int       `json:"payments"`
	Decided  int       `json:"decided"`
	Declined int       `json:"declined"`
	Rate     float64   `json:"rate"` // per cent
	Open     int       `json:"open"` // not decided: pending, held, or cancelled before anybody decided

	decided, declined []Payment
}

// Rise compares the rates.
type Rise struct {
	Points  float64 `json:"points"`   // percentage points
	Percent float64 `json:"per_cent"` // of the rate before; 0 where that was 0
	// Sigma is how far apart the rates are, in standard errors of their difference. From 2 on it is hardly chance.
	Sigma float64 `json:"sigma"`
	Clear bool    `json:"clear"` // a rise that is hardly chance
}

// hardlyChance is the Sigma from which a difference counts: one in forty would be as high by chance.
const hardlyChance = 1.96

// FindDeclines looks at what was declined lately, and compares it with the time before.
func FindDeclines(ctx context.Context, c *client.Client, in DeclinesInput) (*Declines, error) {
	facts, err := Gather(ctx, c, in.Since+in.Before)
	if err != nil {
		return nil, err
	}
	var merchant merchant
	if err := c.Call(ctx, "GET", "/v1/merchant", nil, &merchant); err != nil && !client.Is(err, "scope_missing") {
		return nil, err
	}
	return weigh(facts, facts.Until.Add(-in.Since), merchant), nil
}

// weigh compares the payments from a moment on with those before it.
func weigh(facts *Facts, turn time.Time, merchant merchant) *Declines {
	d := &Declines{Check: "declines", Before: Period{Since: facts.Since, Until: turn}, Recent: Period{Since: turn, Until: facts.Until}}
	for _, p := range facts.Payments {
		if p.CreatedAt.Before(turn) {
			d.Before.take(p)
		} else {
			d.Recent.take(p)
		}
	}
	d.Before.Rate, d.Recent.Rate = percent(d.Before.Declined, d.Before.Decided), percent(d.Recent.Declined, d.Recent.Decided)
	d.Rise = rise(d.Before.Declined, d.Before.Decided, d.Recent.Declined, d.Recent.Decided)
	d.Classes = d.byClass()
	d.Codes = d.byCode()
	d.By = d.breakdowns()
	d.Integration = d.integration(merchant)
	d.Purchases, d.Recovered = purchases(d.Recent)
	d.Remedies = remedies(d.Purchases)
	d.Recommendations = d.recommend(merchant)
	d.Cause = d.cause()
	return d
}

// take counts a payment.
func (p *Period) take(one Payment) {
	p.Payments++
	switch {
	case one.declined():
		p.Declined++
		p.declined = append(p.declined, one)
		fallthrough
	case one.approved():
		p.Decided++
		p.decided = append(p.decided, one)
	default:
		p.Open++
	}
}

// percent is a part of a whole, to a tenth of a per cent; 0 where there is no whole.
func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return tenth(100 * float64(part) / float64(whole))
}

func tenth(f float64) float64 { return math.Round(10*f) / 10 }

// rise compares two rates, by the usual test of two proportions.
func rise(before, ofBefore, after, ofAfter int) Rise {
	if ofBefore == 0 || ofAfter == 0 {
		return Rise{}
	}
	p, q := float64(before)/float64(ofBefore), float64(after)/float64(ofAfter)
	r := Rise{Points: tenth(100 * (q - p))}
	if before > 0 {
		r.Percent = tenth(100 * (q - p) / p)
	}
	both := float64(before+after) / float64(ofBefore+ofAfter)
	if spread := math.Sqrt(both * (1 - both) * (1/float64(ofBefore) + 1/float64(ofAfter))); spread > 0 {
		r.Sigma = math.Round(100*(q-p)/spread) / 100
	}
	r.Clear = r.Sigma >= hardlyChance
	return r
}

// cause says in words what the figures say.
func (d *Declines) cause() string {
	r, b := d.Recent, d.Before
	if r.Declined == 0 {
		return fmt.Sprintf("No payment was declined lately (0 of %d).", r.Decided)
	}
	s := fmt.Sprintf("%s of payments were declined lately (%d of %d)", rate(r.Rate), r.Declined, r.Decided)
	switch {
	case b.Decided == 0:
		s += "; there is nothing before to compare it with. "
	case d.Rise.Clear:
		s += fmt.Sprintf(", against %s before (%d of %d): a rise by %s, which is hardly chance. ", rate(b.Rate), b.Declined, b.Decided, rate(d.Rise.Percent))
	default:
		s += fmt.Sprintf(", against %s before (%d of %d): no rise that could not be chance. ", rate(b.Rate), b.Declined, b.Decided)
	}
	who, why := d.Classes[0], d.Codes[0]
	s += fmt.Sprintf("Who declined: %s in %d of %d (%s). ", said[Class(who.Name)], who.Count, r.Declined, rate(who.Share))
	if why.Name != other {
		s += fmt.Sprintf("The most frequent reason is %s, %s: %d of %d (%s). ", why.Name, why.Words, why.Count, r.Declined, rate(why.Share))
	}
	return s + d.Integration.Words
}

// rate is a rate in words: "4.2 %".
func rate(f float64) string { return fmt.Sprintf("%.1f %%", f) }
