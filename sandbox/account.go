package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// accounts are the world's own account, which is there from the beginning and stays, and those that are connected to it.
var accounts = &resource{
	Object:  "account",
	Path:    singleton,
	Prefix:  "acct_",
	Param:   "account",
	Private: func() any { return new(standing) },
	Due:     map[string]func(*call, *record, string){"review": reviewLater},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/account":                showAccount,
		"GET /v1/accounts":               listAccounts,
		"POST /v1/accounts":              withToken("account", createAccount),
		"GET /v1/accounts/x_1":           showNamedAccount,
		"POST /v1/accounts/x_1":          withToken("account", updateAccount),
		"DELETE /v1/accounts/x_1":        deleteAccount,
		"POST /v1/accounts/x_1/reject":   rejectAccount,
		"POST /v1/accounts/x_1/unreject": unrejectAccount,
	},
}

// standing is what an account and Stripe have settled between them.
type standing struct {
	Country    string           // ISO 3166-1 alpha-2
	Currency   string           // the default one, in lower case
	Debit      bool             // a negative balance may be debited from its bank account
	Schedule   schedule         // of its automatic payouts
	Minimum    map[string]int64 // what automatic payouts leave in the balance, by currency; nil is nothing
	Descriptor string           // of payouts, on bank statements
	Version    string           // of the API, for requests that name none and for its events; empty is the newest
	RealDebits bool             // bank debits take as long as they do in live mode
	Prevention bool             // it is enrolled in the card networks' programmes that prevent disputes
	CardFee    *agreedFee       `json:",omitempty"` // that it has agreed on with Stripe; nil is the published price
	Stop       *payoutStop      `json:",omitempty"` // of the world's own account; nil pays out
	Left       bool             // a connected account that has taken its platform's access away
	Radar      *riskSettings    `json:",omitempty"` // nil as long as nothing of Radar was changed
	Dossier    *dossier         `json:",omitempty"` // of a connected account; nil where the sandbox has made the account ready
}

// ownerEmail is the address of whoever owns the world's own account.
const ownerEmail = "owner@example.com"

// granted says whether the platform has access to a connected account.
func (s *standing) granted() bool { return !s.Left }

// schedule is when an account is paid out, and when its charges become available.
type schedule struct {
	Interval string   // manual, daily, weekly or monthly
	Weekdays []string // of weekly: monday to friday
	Days     []int64  // of monthly: 1 to 31
	Hour     int64    `json:",omitempty"` // of the day, in UTC, at which automatic payouts are made; 0 is payoutHour
	Delay    int64    // until charges are available, in days, where the account has chosen; 0 is as the country's
}

// weekdays are those on which banks are open.
var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday"}

// intervals are those of the countries that have not all four (docs.stripe.com/payouts, October 2026).
var intervals = map[string][]string{
	"BR": {"daily"},
	"JP": {"manual", "weekly", "monthly"},
}

// offers says whether accounts in a country can be paid out at an interval.
func offers(country, interval string) bool {
	some, restricted := intervals[country]
	return !restricted || slices.Contains(some, interval)
}

// firstSchedule is the schedule of a new account.
func firstSchedule(country string) schedule {
	if !offers(country, "daily") {
		return schedule{Interval: "weekly", Weekdays: []string{"friday"}}
	}
	return schedule{Interval: "daily"}
}

// openAccount makes what a world has from its beginning: the account, its balance, and a bank account in its currency.
func (w *realm) openAccount(country, currency string) {
	w.establish("account", w.account, &standing{Country: country, Currency: currency, Debit: true, Schedule: firstSchedule(country)})
	w.furnish()
	w.establishBank(currency)
	w.born = w.last
	w.commit()
}

// furnish gives an account what each has from its beginning.
func (w *realm) furnish() {
	w.establish("balance", balanceID, &ledger{})
	w.establish("balance_settings", settingsID, nil)
	w.establishMethods()
}

// establish stores a record that is there from the beginning; nothing about it is random.
func (w *realm) establish(kind, id string, hidden any) *record {
	r := &record{realm: w, resource: kinds[kind], id: id, created: w.now().Unix(), working: spec.New(kind), hidden: hidden}
	w.insert(r)
	return r
}

// standing is the account's, to look at; standingToChange is it to change.
func (w *realm) standing() *standing         { return known[standing](w.accountRecord()) }
func (w *realm) standingToChange() *standing { return private[standing](w.accountRecord()) }

// delay is how long charges stay pending.
func (s *standing) delay() delay {
	d := delayOf(s.Country)
	if s.Schedule.Delay > 0 {
		d.days = s.Schedule.Delay
	}
	return d
}

// settlesIn is the currency in which the account gets money of a currency: the same where it has a bank account in it, and otherwise
// its default one, into which Stripe converts.
func (w *realm) settlesIn(currency string) string {
	own := w.standing().Currency
	if currency == own || w.payoutAccount(currency) != nil {
		return currency
	}
	return own
}

// showAccount is the account that the key belongs to, which has everything it needs.
func showAccount(c *call) (appender, error) {
	r := c.accountRecord()
	if c.standing().Dossier == nil {
		c.describeAccount(r)
	}
	return c.show(r)
}

// describeAccount writes into the account's object what it is and has chosen.
func (w *realm) describeAccount(r *record) {
	s := w.standing()
	o := spec.New("account").Set("id", r.id).Set("created", r.created).Set("type", "standard").Set("country", s.Country).Set("default_currency", s.Currency)
	o.Set("charges_enabled", true).Set("payouts_enabled", true).Set("details_submitted", true).Set("email", ownerEmail).Set("business_type", "company")
	o.Sub("capabilities").Set("card_payments", "active").Set("transfers", "active").Set("link_payments", "active")
	o.Sub("controller").Set("type", "account")
	for _, name := range []string{"requirements", "future_requirements"} {
		for _, list := range []string{"alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification"} {
			o.Sub(name).Set(list, []any{})
		}
	}
	if s.Stop != nil {
		s.Stop.describe(o)
	}
	o.Set("business_profile", spec.New("account_business_profile").Set("name", "Sandbox").Set("mcc", "5734"))
	settings := spec.New("account_settings")
	settings.Sub("dashboard").Set("display_name", "Sandbox").Set("timezone", "Etc/UTC")
	settings.Sub("payments").Set("statement_descriptor", descriptor)
	settings.Sub("card_payments").Set("statement_descriptor_prefix", descriptor)
	if payouts := settings.Sub("payouts"); payouts != nil {
		s.describePayouts(payouts)
	}
	r.replace(o.Set("settings", settings))
}

// describePayouts writes the schedule as the account's object has it, which knows one anchor of each sort beside the lists.
func (s *standing) describePayouts(o *spec.Object) {
	o.Set("debit_negative_balances", s.Debit)
	if s.Descriptor != "" {
		o.Set("statement_descriptor", s.Descriptor)
	}
	when := o.Sub("schedule").Set("delay_days", s.delay().days).Set("interval", s.Schedule.Interval)
	switch s.Schedule.Interval {
	case "weekly":
		when.Set("weekly_anchor", s.Schedule.Weekdays[0]).Set("weekly_payout_days", s.Schedule.Weekdays)
	case "monthly":
		when.Set("monthly_anchor", s.Schedule.Days[0]).Set("monthly_payout_days", anys(s.Schedule.Days))
	}
}

func anys(numbers []int64) []any {
	all := make([]any, len(numbers))
	for i, n := range numbers {
		all[i] = n
	}
	return all
}
