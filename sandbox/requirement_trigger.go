package sandbox

import "time"

// triggerCards pay, and change what is asked of the connected account that is paid (docs.stripe.com/connect/testing, 2025).
var triggerCards = []card{
	{number: "4000000000004202", names: "visa_triggerNextRequirements", funding: "credit", country: "US", does: behaviour{trigger: "next"}},
	{number: "4000000000004210", names: "visa_triggerChargeBlock", funding: "credit", country: "US", does: behaviour{trigger: "charges"}},
	{number: "4000000000004236", names: "visa_triggerPayoutBlock", funding: "credit", country: "US", does: behaviour{trigger: "payouts"}},
}

// triggered does to the connected account that a charge is a sale of what the card says. The account reaches the next threshold, or a
// document is past due without which it takes no payments, or is not paid out; accounts with the full Dashboard always are in test mode.
func (c *call) triggered(ch *record, what string) {
	merchant := c.merchantOf(ch)
	if merchant.isPlatform() || merchant.standing().Dossier == nil {
		return
	}
	to := c.of(merchant.account)
	r, d := to.accountRecord(), to.dossier()
	before, now := r.object().Clone(), c.now()
	field := "individual.verification.document"
	if one := to.individual(); one != nil && entity(r.text("business_type")) == "company" {
		field = one.id + ".verification.document"
	}
	switch {
	case what == "next" && !d.Reached:
		d.Reached, d.Deadline = true, now.Add(thresholds*24*time.Hour).Unix()
		if later, _ := r.object().Sub("requirements").Get("eventually_due").([]string); len(later) == 0 {
			d.ask(demand{Field: field, Until: d.Deadline, Does: everything})
		}
	case what == "charges":
		d.ask(demand{Field: field, Does: takesPayments | takesPayouts})
	case what == "payouts" && d.Dashboard != "full":
		d.ask(demand{Field: field, Does: takesPayouts})
	}
	to.reviewSince(before)
}

// ask asks for a field, in place of an earlier demand for it.
func (d *dossier) ask(one demand) {
	d.clear([]string{one.Field})
	d.Asked = append(d.Asked, one)
}
