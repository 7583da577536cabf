package stripe

import (
	"context"
	"net/http"

	sdk "github.com/stripe/stripe-go/v85"
)

// BalanceSettings is what till reads of the settings of an account's balance.
type BalanceSettings struct {
	Object   string `json:"object"`
	Payments struct {
		Payouts struct {
			Minimum map[string]int64 `json:"minimum_balance_by_currency"` // in minor units, by currency in lower case: what payouts by schedule leave

			Schedule PayoutSchedule `json:"schedule"`
		} `json:"payouts"`
	} `json:"payments"`
}

func (b BalanceSettings) id() string {
	if b.Object != "balance_settings" {
		return ""
	}
	return b.Object
}

// MinimumBalance asks what payouts by schedule leave in the balance, by currency; nil is nothing.
func (c *Client) MinimumBalance(ctx context.Context) (map[string]int64, error) {
	s, err := call[BalanceSettings](ctx, c, http.MethodGet, "/v1/balance_settings", &sdk.BalanceSettingsRetrieveParams{})
	return s.Payments.Payouts.Minimum, err
}

// SetPayoutSchedule has the account paid out at other times.
func (c *Client) SetPayoutSchedule(ctx context.Context, interval string, weekdays []string, days []int64) (PayoutSchedule, error) {
	when := &sdk.BalanceSettingsUpdatePaymentsPayoutsScheduleParams{Interval: sdk.String(interval)}
	for _, day := range weekdays {
		when.WeeklyPayoutDays = append(when.WeeklyPayoutDays, sdk.String(day))
	}
	for _, day := range days {
		when.MonthlyPayoutDays = append(when.MonthlyPayoutDays, sdk.Int64(day))
	}
	p := &sdk.BalanceSettingsUpdateParams{Payments: &sdk.BalanceSettingsUpdatePaymentsParams{Payouts: &sdk.BalanceSettingsUpdatePaymentsPayoutsParams{Schedule: when}}}
	is, err := call[BalanceSettings](ctx, c, http.MethodPost, "/v1/balance_settings", p)
	if err != nil {
		return PayoutSchedule{}, err
	}
	return is.Payments.Payouts.Schedule, nil
}
