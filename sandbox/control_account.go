package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// accountView is the world's account as the control API shows and takes it. What is left out stays as it is.
type accountView struct {
	Country    string   `json:"country,omitempty"`               // ISO 3166-1 alpha-2, of those with prices: see fee.go
	Currency   string   `json:"default_currency,omitempty"`      // in lower case
	Currencies []string `json:"settlement_currencies,omitempty"` // in which it has a bank account; charges in others are converted
	Debit      *bool    `json:"debit_negative_balances,omitempty"`
	Interval   string   `json:"payout_interval,omitempty"` // manual, daily, weekly or monthly
	Weekdays   []string `json:"weekly_payout_days,omitempty"`
	Days       []int64  `json:"monthly_payout_days,omitempty"`
	Hour       *int64   `json:"payout_hour,omitempty"`        // of the day, in UTC, 1 to 23
	Payouts    string   `json:"payouts,omitempty"`            // "enabled", or why Stripe does not pay the account out: see payout_stop.go
	Asked      []string `json:"requirements,omitempty"`       // what Stripe asks for, or looks into, before it pays out again
	Version    string   `json:"api_version,omitempty"`        // of requests that name none, and of its events
	Debits     string   `json:"bank_debits,omitempty"`        // "test": they are as quick as in Stripe's test mode; "real": they take days
	Prevention *bool    `json:"dispute_prevention,omitempty"` // it is enrolled in the card networks' programmes against disputes

	CardFee *cardFeeView `json:"card_fee,omitempty"` // that it has agreed on with Stripe; {} is the published price again
}

func (w *realm) accountView() accountView {
	s := w.standing()
	v := accountView{Country: s.Country, Currency: s.Currency, Debit: &s.Debit, Interval: s.Schedule.Interval, Weekdays: s.Schedule.Weekdays, Days: s.Schedule.Days, Version: w.pinned(), Prevention: &s.Prevention, CardFee: s.CardFee.view()}
	if v.Debits = "test"; s.RealDebits {
		v.Debits = "real"
	}
	hour := s.Schedule.hour()
	v.Hour = &hour
	if v.Payouts = "enabled"; s.Stop != nil {
		v.Payouts, v.Asked = s.Stop.Reason, s.Stop.Fields
	}
	for _, r := range w.externalAccounts() {
		if currency := r.text("currency"); !slices.Contains(v.Currencies, currency) {
			v.Currencies = append(v.Currencies, currency)
		}
	}
	return v
}

// showControlAccount answers GET /_sandbox/account.
func showControlAccount(w *realm, _ *http.Request, _ []byte) (any, error) {
	var v accountView
	err := w.step(func() { v = w.accountView() })
	return v, err
}

// changeAccount answers POST /_sandbox/account. An account cannot move once money has.
func changeAccount(w *realm, _ *http.Request, body []byte) (any, error) {
	var in, out accountView
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	var refusal error
	err := w.step(func() {
		if refusal = w.own().applyAccount(in); refusal == nil {
			out = w.accountView()
		}
	})
	if refusal != nil {
		return nil, refusal
	}
	return out, err
}

// applyAccount checks everything, and then changes the account.
func (c *call) applyAccount(in accountView) error {
	next := *c.standing()
	if err := c.place(&next, in); err != nil {
		return err
	}
	if in.Version != "" {
		if wrong := wrongVersion(in.Version); wrong != "" {
			return badControl(wrong)
		}
		next.Version = in.Version
	}
	if in.Debit != nil {
		next.Debit = *in.Debit
	}
	if in.Debits != "" && in.Debits != "test" && in.Debits != "real" {
		return badControl("bank_debits is test or real.")
	}
	if in.Debits != "" {
		next.RealDebits = in.Debits == "real"
	}
	if in.Prevention != nil {
		next.Prevention = *in.Prevention
	}
	if next.Country != c.standing().Country {
		next.Schedule = firstSchedule(next.Country)
	}
	if err := c.readCardFee(&next, in); err != nil {
		return err
	}
	if err := readRuns(&next, in); err != nil {
		return err
	}
	if err := readStop(&next, in); err != nil {
		return err
	}
	r := c.accountRecord()
	c.describeAccount(r)
	before := r.object().Clone()
	c.settleIn(next, in.Currencies)
	c.pin()
	if in.Payouts != "" {
		c.describeAccount(r)
		c.emitUpdated("account.updated", r, before)
	}
	return nil
}

// readRuns reads when automatic payouts are made.
func readRuns(next *standing, in accountView) error {
	if in.Interval != "" {
		next.Schedule = schedule{Interval: in.Interval, Weekdays: in.Weekdays, Days: in.Days, Delay: next.Schedule.Delay, Hour: next.Schedule.Hour}
		if wrong := next.Schedule.wrong(); wrong != "" {
			return badControl(wrong)
		}
		if !offers(next.Country, in.Interval) {
			return badControl("Accounts in " + next.Country + " cannot be paid out at the interval " + in.Interval + ".")
		}
	}
	if in.Hour != nil {
		if next.Schedule.Hour = *in.Hour; *in.Hour < 1 || *in.Hour > 23 {
			return badControl("payout_hour is 1 to 23, in UTC.")
		}
	}
	return nil
}

// place reads where an account is and the currencies that it settles in, which its books must not have made use of yet.
func (c *call) place(next *standing, in accountView) error {
	if in.Country != "" {
		next.Country = strings.ToUpper(in.Country)
		row := priceOf(next.Country, c.now())
		if row == nil {
			return badControl("This sandbox has no prices for accounts in " + next.Country + ".")
		}
		next.Currency = row.currency
	}
	if in.Currency != "" {
		next.Currency = in.Currency
	}
	if (next.Country != c.standing().Country || next.Currency != c.standing().Currency) && c.count("balance_transaction") > 0 {
		return badControl("The country and the default currency are those of an account without balance transactions: reset the world first.")
	}
	for _, name := range append(slices.Clone(in.Currencies), next.Currency) {
		if known, err := readCurrency(name); err != nil || known.Lower() != name {
			return badControl("There is no currency " + name + "; they are written in lower case.")
		}
	}
	return nil
}

// wrong says what is wrong with a schedule; empty is nothing.
func (s schedule) wrong() string {
	switch {
	case !slices.Contains([]string{"manual", "daily", "weekly", "monthly"}, s.Interval):
		return "payout_interval is manual, daily, weekly or monthly."
	case (s.Interval == "weekly") != (len(s.Weekdays) > 0), slices.ContainsFunc(s.Weekdays, func(day string) bool { return !slices.Contains(weekdays, day) }):
		return "weekly_payout_days are monday to friday, and go with weekly."
	case (s.Interval == "monthly") != (len(s.Days) > 0), slices.ContainsFunc(s.Days, func(day int64) bool { return day < 1 || day > 31 }):
		return "monthly_payout_days are 1 to 31, and go with monthly."
	}
	return ""
}

// settleIn gives the account its new standing, and bank accounts in the currencies in which it shall settle and has none.
func (c *call) settleIn(next standing, currencies []string) {
	moved := next.Country != c.standing().Country
	*c.standingToChange() = next
	for _, r := range c.externalAccounts() {
		if moved || len(currencies) > 0 && !slices.Contains(currencies, r.text("currency")) {
			c.remove(r)
		}
	}
	for _, currency := range append([]string{next.Currency}, currencies...) {
		if c.payoutAccount(currency) == nil {
			c.addBank(currency)
		}
	}
	c.rearrange()
	for _, currency := range c.books().currencies() {
		c.fundRefunds(currency)
	}
}
