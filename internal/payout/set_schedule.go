package payout

import (
	"context"
	"slices"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

// Schedule is when Stripe pays out by itself, in every currency that has a bank account.
type Schedule struct {
	Interval string   `json:"interval" enum:"manual,daily,weekly,monthly" example:"weekly"`
	Weekdays []string `json:"weekly_payout_days,omitempty" maxItems:"5" nullable:"false" example:"[\"friday\"]" doc:"With weekly: monday, tuesday, wednesday, thursday or friday."`
	Days     []int64  `json:"monthly_payout_days,omitempty" maxItems:"31" nullable:"false" doc:"With monthly: 1 to 31."`
}

var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday"}

// check refuses days that an interval has not, or lacks.
func (s Schedule) check() error {
	for _, day := range s.Weekdays {
		if !slices.Contains(weekdays, day) {
			return fault.New(fault.ParameterInvalid, "weekly_payout_days", "A day of the week is monday, tuesday, wednesday, thursday or friday.")
		}
	}
	for _, day := range s.Days {
		if day < 1 || day > 31 {
			return fault.New(fault.ParameterInvalid, "monthly_payout_days", "A day of the month is 1 to 31.")
		}
	}
	switch {
	case (s.Interval == "weekly") != (len(s.Weekdays) > 0):
		return fault.New(fault.ParameterInvalid, "weekly_payout_days", "Days of the week go with the interval weekly, which needs one at least.")
	case (s.Interval == "monthly") != (len(s.Days) > 0):
		return fault.New(fault.ParameterInvalid, "monthly_payout_days", "Days of the month go with the interval monthly, which needs one at least.")
	}
	return nil
}

// SetSchedule has Stripe pay out at other times. It moves no money by itself, and the same again changes nothing.
func (s *Payouts) SetSchedule(ctx context.Context, scope db.Scope, want Schedule) (Schedule, error) {
	if err := want.check(); err != nil {
		return Schedule{}, err
	}
	p, err := s.Merchants.Provider(ctx, scope)
	if err != nil {
		return Schedule{}, err
	}
	client, err := s.Merchants.Client(ctx, scope, p.Generation)
	if err != nil {
		return Schedule{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, scheduleWithin)
	defer cancel()
	is, err := client.SetPayoutSchedule(ctx, want.Interval, want.Weekdays, want.Days)
	if err != nil {
		return Schedule{}, stripe.Told(err, fault.New(fault.ProviderRefused, "", "Stripe refuses the schedule: "),
			fault.New(fault.ProviderUnavailable, "", "Stripe did not answer: the schedule may have changed or not. Send the same again."))
	}
	return Schedule{is.Interval, is.Weekdays, is.Monthdays}, nil
}

// scheduleWithin bounds what is asked of Stripe for it.
const scheduleWithin = 10 * time.Second

type scheduleInput struct{ Body Schedule }

func (s *Payouts) scheduleRoute(a *api.API) {
	api.Add(a, api.Operation{Method: "PUT", Path: "/v1/payouts/schedule", Summary: "Change the payout schedule", Tag: tag, Scope: api.PayoutsWrite,
		Text: "When Stripe pays out by itself, in every currency for which it has a bank account of yours: `{\"interval\":\"weekly\",\"weekly_payout_days\":[\"friday\"]}` brings what is available " +
			"in each currency to its bank once a week. The same again changes nothing. Not every country may choose every interval: Stripe's word is `provider_refused`."},
		func(ctx context.Context, c api.Caller, in *scheduleInput) (api.Reply[Schedule], error) {
			is, err := s.SetSchedule(ctx, c.Scope, in.Body)
			return api.Reply[Schedule]{Data: is}, err
		})
}
