package sandbox

import (
	"maps"
	"slices"
	"strconv"

	"github.com/till-pay/till/sandbox/spec"
)

// balanceSettings are what the account chooses of its payouts. They are kept with the account; see standing.
var balanceSettings = &resource{
	Object: "balance_settings",
	Path:   singleton,
	Others: map[string]func(*call) (appender, error){
		"GET /v1/balance_settings":  showBalanceSettings,
		"POST /v1/balance_settings": updateBalanceSettings,
	},
}

// settingsID is the id of the record of the balance's settings; Stripe shows none.
const settingsID = "balance_settings"

// describeSettings writes the settings into their object.
func (w *realm) describeSettings() *record {
	s, r := w.standing(), w.byID[settingsID]
	o := spec.New("balance_settings")
	payments := spec.New("balance_settings_resource_payments").Set("debit_negative_balances", s.Debit)
	when := spec.New("balance_settings_resource_payout_schedule").Set("interval", s.Schedule.Interval)
	switch s.Schedule.Interval {
	case "weekly":
		when.Set("weekly_payout_days", s.Schedule.Weekdays)
	case "monthly":
		when.Set("monthly_payout_days", anys(s.Schedule.Days))
	}
	out := spec.New("balance_settings_resource_payouts").Set("schedule", when).Set("status", "enabled")
	if s.Stop != nil {
		out.Set("status", "disabled")
	}
	if len(s.Minimum) > 0 {
		out.Set("minimum_balance_by_currency", maps.Clone(s.Minimum))
	}
	if s.Descriptor != "" {
		out.Set("statement_descriptor", s.Descriptor)
	}
	timing := spec.New("balance_settings_resource_settlement_timing").Set("delay_days", s.delay().days)
	if s.Schedule.Delay > 0 {
		timing.Set("delay_days_override", s.Schedule.Delay)
	}
	r.replace(o.Set("payments", payments.Set("payouts", out).Set("settlement_timing", timing)))
	return r
}

func showBalanceSettings(c *call) (appender, error) { return c.show(c.describeSettings()) }

// updateBalanceSettings checks all that is asked for before it changes anything.
func updateBalanceSettings(c *call) (appender, error) {
	before := c.describeSettings().object()
	next := *c.standing()
	p := c.params
	if p.Has("payments", "debit_negative_balances") {
		next.Debit = p.Bool("payments", "debit_negative_balances")
	}
	if p.Has("payments", "payouts", "statement_descriptor") {
		next.Descriptor = p.String("payments", "payouts", "statement_descriptor")
	}
	if p.Has("payments", "payouts", "automatic_transfer_rules_by_currency") || p.Has("payments", "settlement_timing", "start_of_day") {
		return nil, unbuilt("transfer rules and a start of the day of one's own, parameters of %s", c.op)
	}
	if err := c.readSchedule(&next.Schedule, next.Country); err != nil {
		return nil, err
	}
	if err := c.readMinimum(&next); err != nil {
		return nil, err
	}
	if err := c.readDelay(&next); err != nil {
		return nil, err
	}
	*c.standingToChange() = next
	c.rearrange()
	for _, currency := range c.books().currencies() {
		c.fundRefunds(currency)
	}
	r := c.describeSettings()
	c.emitUpdated("balance_settings.updated", r, before)
	return c.show(r)
}

// readSchedule reads when to pay out. An interval of days needs days.
func (c *call) readSchedule(s *schedule, country string) error {
	const within = "payments[payouts][schedule]"
	p := c.params.Sub("payments", "payouts", "schedule")
	if p == nil {
		return nil
	}
	if p.Has("interval") {
		if s.Interval = p.String("interval"); !offers(country, s.Interval) {
			return invalid("", within+"[interval]", "Accounts in %s cannot be paid out at the interval %s.", country, s.Interval)
		}
	}
	if p.Has("weekly_payout_days") {
		s.Weekdays = slices.Compact(p.Strings("weekly_payout_days"))
	}
	if p.Has("monthly_payout_days") {
		s.Days = nil
		for _, day := range p.Strings("monthly_payout_days") {
			n, err := strconv.ParseInt(day, 10, 64)
			if err != nil || n < 1 || n > 31 {
				return invalid("", within+"[monthly_payout_days]", "Invalid monthly_payout_days: must be days of the month, 1 to 31.")
			}
			s.Days = append(s.Days, n)
		}
	}
	return s.check(within)
}

// check refuses days that the interval does not have, or has and lacks.
func (s *schedule) check(within string) error {
	for _, day := range s.Weekdays {
		if !slices.Contains(weekdays, day) {
			return invalid("", within+"[weekly_payout_days]", "Invalid weekly_payout_days: must be one or more of monday, tuesday, wednesday, thursday, or friday.")
		}
	}
	switch {
	case s.Interval == "weekly" && len(s.Weekdays) == 0:
		return invalid("parameter_missing", within+"[weekly_payout_days]", "Missing required param: %s[weekly_payout_days].", within)
	case s.Interval == "monthly" && len(s.Days) == 0:
		return invalid("parameter_missing", within+"[monthly_payout_days]", "Missing required param: %s[monthly_payout_days].", within)
	}
	if s.Interval != "weekly" {
		s.Weekdays = nil
	}
	if s.Interval != "monthly" {
		s.Days = nil
	}
	return nil
}

// readMinimum merges what shall stay in the balance, by currency.
func (c *call) readMinimum(s *standing) error {
	const param = "payments[payouts][minimum_balance_by_currency]"
	path := []string{"payments", "payouts", "minimum_balance_by_currency"}
	if c.params.Unset(path...) {
		s.Minimum = nil
		return nil
	}
	p := c.params.Sub(path...)
	if p == nil {
		return nil
	}
	least := maps.Clone(s.Minimum)
	if least == nil {
		least = map[string]int64{}
	}
	for _, name := range p.Names() {
		currency, err := readCurrency(name)
		if err != nil {
			return err
		}
		amount, err := strconv.ParseInt(p.String(name), 10, 64)
		switch {
		case p.String(name) == "" || err == nil && amount == 0:
			delete(least, currency.Lower())
		case err != nil || amount < 0 || amount > currency.MaxCharge():
			return invalid("parameter_invalid_integer", param+"["+name+"]", "Invalid integer: %s", p.String(name))
		default:
			least[currency.Lower()] = amount
		}
	}
	s.Minimum = least
	return nil
}

// readDelay reads how long charges shall stay pending: no shorter than the country's delay, and at most a month.
func (c *call) readDelay(s *standing) error {
	path := []string{"payments", "settlement_timing", "delay_days_override"}
	if c.params.Unset(path...) {
		s.Schedule.Delay = 0
	} else if c.params.Has(path...) {
		least, days := delayOf(s.Country).days, c.params.Int(path...)
		if days < least || days > maxSettlement {
			return invalid("parameter_invalid_integer", "payments[settlement_timing][delay_days_override]", "Invalid delay_days_override: must be between %d and %d.", least, maxSettlement)
		}
		s.Schedule.Delay = days
	}
	return nil
}
