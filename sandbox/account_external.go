package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// readGivenExternal reads the external account that a connected account is made with or gets; nil where none is given. Own is the
// account's currency.
func (c *call) readGivenExternal(own string) (*outside, error) {
	param := externalParam(c.params)
	if !c.params.Has(param) || c.params.Unset(param) {
		return nil, nil
	}
	return c.readExternal(param, own)
}

// readPayoutSettings reads settings[payouts] into the standing of a connected account.
func (c *call) readPayoutSettings(s *standing) error {
	p := c.params.Sub("settings", "payouts")
	if p == nil {
		return nil
	}
	if p.Has("debit_negative_balances") {
		s.Debit = p.Bool("debit_negative_balances")
	}
	if p.Has("statement_descriptor") {
		s.Descriptor = p.String("statement_descriptor")
	}
	if when := p.Sub("schedule"); when != nil {
		return readPayoutSchedule(s, when)
	}
	return nil
}

// readPayoutSchedule reads the schedule as the account's object has it.
func readPayoutSchedule(s *standing, when *spec.Params) error {
	const within = "settings[payouts][schedule]"
	next := s.Schedule
	if interval := when.String("interval"); interval != "" && interval != next.Interval {
		if !offers(s.Country, interval) {
			return invalid("", within+"[interval]", "Accounts in %s cannot be paid out at the interval %s.", s.Country, interval)
		}
		next = schedule{Interval: interval, Delay: next.Delay}
	}
	if days := when.Strings("weekly_payout_days"); len(days) > 0 {
		next.Weekdays = slices.Compact(days)
	} else if day := when.String("weekly_anchor"); day != "" {
		next.Weekdays = []string{day}
	}
	if when.Has("monthly_anchor") {
		next.Days = []int64{when.Int("monthly_anchor")}
	}
	if err := next.check(within); err != nil {
		return err
	}
	switch {
	case when.String("delay_days") == "minimum":
		next.Delay = 0
	case when.Has("delay_days"):
		least, days := delayOf(s.Country).days, when.Int("delay_days")
		if days < least || days > maxSettlement {
			return invalid("parameter_invalid_integer", within+"[delay_days]", "Invalid delay_days: must be between %d and %d.", least, maxSettlement)
		}
		next.Delay = days
	}
	s.Schedule = next
	return nil
}
