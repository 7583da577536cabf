package reconcile

import "github.com/till-pay/till/internal/ledger"

// kind is what till makes of one of Stripe's reporting categories (docs.stripe.com/reports/reporting-categories, 2026).
type kind struct {
	against  ledger.Account // the other side of what it does to the balance
	foretold bool           // the expected book knows of it where it is till's
	words    string         // what it is, where till has not foretold it
}

// kinds is the table: a line each. A category that is not here is unexplained, whatever its amount.
var kinds = map[string]kind{
	"charge":           {ledger.Sales, true, "A charge that was not made by till."},
	"refund":           {ledger.Refunds, true, "A refund of a charge that was not made by till."},
	"refund_failure":   {ledger.Refunds, true, "A refund that came back, of a charge that was not made by till."},
	"dispute":          {ledger.Disputes, true, "A dispute over a charge that was not made by till."},
	"dispute_reversal": {ledger.Disputes, true, "Money of a dispute that came back, over a charge that was not made by till."},
	"payout":           {ledger.InTransit, true, "A payout."},
	"payout_reversal":  {ledger.InTransit, true, "A payout that came back."},

	"charge_failure":                 {ledger.Sales, false, "A debit that the bank returned later: it takes back the charge."},
	"partial_capture_reversal":       {ledger.Refunds, false, "The part of an authorisation that was not captured."},
	"transfer":                       {ledger.Sellers, false, "A transfer to a connected account."},
	"transfer_reversal":              {ledger.Sellers, false, "A transfer to a connected account that came back."},
	"connect_collection_transfer":    {ledger.Sellers, false, "What a connected account owed, and the platform paid."},
	"connect_reserved_funds":         {ledger.Reserve, false, "What Stripe reserves for connected accounts whose balance is below nothing."},
	"risk_reserved_funds":            {ledger.Reserve, false, "What Stripe holds in reserve."},
	"payout_minimum_balance_hold":    {ledger.Reserve, false, "The least that the merchant keeps at Stripe, held back from a payout."},
	"payout_minimum_balance_release": {ledger.Reserve, false, "The least that the merchant keeps at Stripe, given free again after a payout."},
	"platform_earning":               {ledger.FeeIncome, false, "An application fee."},
	"platform_earning_refund":        {ledger.FeeIncome, false, "An application fee that was given back."},
	"topup":                          {ledger.Bank, false, "Money that the merchant sent to Stripe."},
	"topup_reversal":                 {ledger.Bank, false, "Money that the merchant sent to Stripe, and that went back."},
	"fee":                            {ledger.Fees, false, "A fee of Stripe's that belongs to no single payment."},
	"network_cost":                   {ledger.Fees, false, "What the card networks charged."},
	"tax":                            {ledger.Fees, false, "Tax on Stripe's fees."},
	"unreconciled_customer_funds":    {ledger.Bank, false, "A bank transfer of a customer's that no payment asked for."},
	"financing_payout":               {ledger.Bank, false, "A loan of Stripe Capital's."},
	"financing_payout_reversal":      {ledger.Bank, false, "A loan of Stripe Capital's that was taken back."},
	"financing_paydown":              {ledger.Bank, false, "Paid back of a loan of Stripe Capital's."},
	"financing_paydown_reversal":     {ledger.Bank, false, "Paid back of a loan of Stripe Capital's, and returned."},
	"contribution":                   {ledger.Fees, false, "A contribution to Stripe Climate."},
	"climate_order_purchase":         {ledger.Fees, false, "An order of Stripe Climate's."},
	"climate_order_refund":           {ledger.Fees, false, "An order of Stripe Climate's that was refunded."},
	"other_adjustment":               {ledger.Fees, false, "An adjustment of Stripe's: its description says for what."},
}

// categories are the reporting categories of types, for lines that come without one.
var categories = map[string]string{"payment": "charge", "payment_refund": "refund", "payment_failure_refund": "charge_failure", "payment_reversal": "charge_failure",
	"payout_failure": "payout_reversal", "payout_cancel": "payout_reversal", "refund_failure": "refund_failure", "stripe_fee": "fee", "application_fee": "platform_earning",
	"application_fee_refund": "platform_earning_refund", "transfer_refund": "transfer_reversal", "transfer_cancel": "transfer_reversal", "transfer_failure": "transfer_reversal"}
