package payout

// FailuresAsOf is when the table below was held against Stripe's list of failure codes (docs.stripe.com/api/payouts/failures).
const FailuresAsOf = "2026-11"

// Side says where the cause of a payout that does not arrive lies.
type Side string

// The sides. None says that nothing is broken.
const (
	StripeSide Side = "stripe_side"
	BankSide   Side = "bank_side"
	SystemSide Side = "system_side"
	None       Side = "none"
)

// Who must act.
const (
	Merchant = "merchant"
	Bank     = "merchant's bank"
	Stripe   = "stripe"
	Nobody   = "nobody"
)

// meaning is a failure code of Stripe's in plain words.
type meaning struct {
	side   Side
	words  string
	who    string
	action string
}

const (
	another   = "Add another bank account in the Stripe Dashboard (Settings, Payouts, Bank accounts and currencies) and make it the default for its currency."
	corrected = "Compare the details with a statement of the bank, enter the bank account anew in the Stripe Dashboard (Settings, Payouts, Bank accounts and currencies), and make it the default for its currency."
)

// meanings are the failure codes that Stripe documents.
var meanings = map[string]meaning{
	"account_closed": {BankSide, "The bank account has been closed.", Merchant, another},
	"account_frozen": {BankSide, "The bank has frozen the bank account.", Bank, "Ask the bank to lift the freeze and then save the bank account anew at Stripe, or give another: " + another},
	"bank_account_restricted": {BankSide, "The bank account does not take this kind, or this number, of payments; most often it is a savings account.", Merchant,
		"Use a current (checking) account. " + another},
	"bank_ownership_changed": {BankSide, "The bank's branch has a new owner, and the old account details are not valid any more.", Merchant,
		"Ask the bank for the new details. " + corrected},
	"could_not_process": {BankSide, "The bank could not process the payout, and gave no reason.", Bank,
		"Ask the bank why it sent the payment back, with the payout's amount, date and trace id; then save the bank account anew at Stripe, or give another."},
	"debit_not_authorized": {BankSide, "The bank account does not allow debits, and Stripe asks for accounts that allow both credits and debits.", Bank,
		"Ask the bank to allow direct debits by Stripe and then save the bank account anew at Stripe, or give another: " + another},
	"declined": {BankSide, "The bank has declined the payment.", Bank,
		"Ask the bank why before it is tried again; then save the bank account anew at Stripe, or give another."},
	"insufficient_funds": {SystemSide, "There was less in the Stripe balance than the payout was to pay.", Merchant,
		"Pay out no more than is available: GET /v1/payouts/diagnosis shows it by currency. Then save the bank account anew at Stripe, which lets scheduled payouts begin again."},
	"invalid_account_number": {BankSide, "The routing number is right, and the account number is not one of the bank's.", Merchant, corrected},
	"incorrect_account_holder_name": {BankSide, "The bank says that the name of the account holder is not as Stripe has it.", Merchant,
		"Write the account holder's name exactly as the bank has it. " + corrected},
	"incorrect_account_holder_address": {BankSide, "The bank says that the address of the account holder is not as Stripe has it.", Merchant,
		"Write the account holder's address exactly as the bank has it. " + corrected},
	"incorrect_account_holder_tax_id": {BankSide, "The bank says that the tax number of the account holder is not as Stripe has it.", Merchant,
		"Give the tax number under which the bank has the account. " + corrected},
	"invalid_currency": {BankSide, "The bank account does not take payments in the payout's currency.", Merchant,
		"Give a bank account that takes this currency. " + another},
	"no_account":       {BankSide, "The bank has no account with these details: most likely they were entered wrongly.", Merchant, corrected},
	"unsupported_card": {BankSide, "The bank does not take payouts to this debit card any more.", Merchant, another},
}

// meaningOf is the meaning of a failure code; of one that is not in the table, what holds for all of them.
func meaningOf(code string) meaning {
	if m, known := meanings[code]; known {
		return m
	}
	return meaning{BankSide, "The bank did not take the payout; Stripe names a reason that till does not know.", Bank,
		"Read Stripe's message, ask the bank, and save the bank account anew at Stripe or give another."}
}
