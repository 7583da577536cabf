package payout

import (
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

// refusals are why Stripe does not make a payout that it is asked for (docs.stripe.com/error-codes, November 2026), in plain words.
var refusals = map[string]meaning{
	"balance_insufficient": {SystemSide, "Less is available in the Stripe balance than the payout was to pay; money that is pending cannot be paid out yet.", Merchant,
		"Pay out no more than is available, less the fee of an instant payout: GET /v1/payouts/diagnosis shows it, and when more becomes available."},
	"instant_payouts_unsupported": {BankSide, "The bank account or card does not take instant payouts.", Merchant,
		"Ask for a standard payout, or for an instant one to a bank account or debit card that takes them."},
	"instant_payouts_limit_exceeded":    {StripeSide, "The payout is above the limit of instant payouts.", Merchant, "Ask for a smaller instant payout, or for a standard one."},
	"instant_payouts_currency_disabled": {StripeSide, "Stripe makes no instant payouts in this currency.", Merchant, "Ask for a standard payout."},
	"instant_payouts_config_disabled":   {StripeSide, "Instant payouts are not switched on for this account.", Merchant, "Ask for a standard payout, or have Stripe switch instant payouts on."},
	"payouts_limit_exceeded":            {StripeSide, "The payout is above what Stripe pays out at once, or in a day.", Merchant, "Ask for a smaller payout, or wait for the next day."},
	"payouts_not_allowed":               {StripeSide, "Stripe has payouts of this account switched off.", Merchant, "GET /v1/payouts/diagnosis says why, and what Stripe waits for."},
	"bank_account_unusable":             {BankSide, "A payout to this bank account has failed before, and Stripe makes no more until it is updated or replaced.", Merchant, another},
	"bank_account_unverified":           {BankSide, "The bank account has not been verified yet.", Merchant, "Verify the bank account in the Stripe Dashboard, or name another as destination."},
	"bank_account_declined":             {BankSide, "The bank account cannot be used, because it is not verified or not supported.", Merchant, another},
	"amount_too_small":                  {SystemSide, "The payout is smaller than Stripe makes them.", Merchant, "Ask for a larger payout."},
	"amount_too_large":                  {SystemSide, "The payout is larger than Stripe makes them.", Merchant, "Ask for smaller payouts."},
	"parameter_invalid_integer":         {SystemSide, "Stripe does not take the amount; some currencies are paid out in whole units only.", Merchant, "Read Stripe's message, and ask for an amount that it takes."},
	"resource_missing":                  {SystemSide, "There is no such bank account or card at Stripe.", Merchant, "Name a destination that the account has, or none for the default one."},
}

// refusal is why Stripe did not make a payout.
func refusal(why *stripe.Error) *Failure {
	code, message := why.Code, why.Message
	m, known := refusals[code]
	switch {
	case stripe.Meaning(why) == stripe.BadCredentials:
		code, message = string(fault.ProviderCredentials), "Stripe refuses the merchant's secret key. Nothing was paid out."
		m = meaning{SystemSide, "till's Stripe key is not valid.", Merchant, "Give a good one: PUT /v1/merchant/providers. Then ask again, with a new Idempotency-Key."}
	case code == "" && why.Status >= 500, code == string(fault.ProviderUnavailable):
		code = string(fault.ProviderUnavailable)
		m = meaning{StripeSide, "Stripe could not be reached in time, or failed; nothing was paid out.", Merchant, "Ask again, with a new Idempotency-Key."}
	case !known:
		m = meaning{StripeSide, "Stripe refused to make the payout; its own words say why.", Merchant, "Do as Stripe's message says."}
	}
	if code == "" {
		code = string(fault.ProviderRefused)
	}
	return &Failure{code, message, m.words, m.side, m.who, m.action}
}
