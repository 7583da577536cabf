package sandbox

// bankFailures are why banks fail debits, by the failure_code of the charge, in Stripe's words as far as they are known
// (docs.stripe.com/payments/sepa-debit, ach-direct-debit, bacs-debit, au-becs-debit; the wording is unconfirmed).
var bankFailures = map[string]string{
	"account_closed":                       "The customer's bank account has been closed.",
	"authorization_revoked":                "The customer has revoked their authorization of the payment.",
	"bank_ownership_changed":               "The customer's bank account belongs to another bank by now.",
	"invalid_account_number":               "The number of the customer's bank account is not correct.",
	"bank_account_restricted":              "The customer's bank account does not support direct debits.",
	"debit_not_authorized":                 "The customer has notified their bank that this payment was not authorized.",
	"generic_could_not_process":            "The payment could not be processed by the customer's bank.",
	"incorrect_account_holder_name":        "The name of the account holder does not match the customer's bank account.",
	"insufficient_funds":                   "The customer's account has insufficient funds to cover this payment.",
	"invalid_currency":                     "The customer's bank account does not take debits in this currency.",
	"no_account":                           "The customer's bank account could not be located.",
	"refer_to_customer":                    "The payment was declined by the customer's bank, which refers to the customer for the reason.",
	"tokenized_account_number_deactivated": "The account number that the customer's bank has given out for payments is no longer active.",
}

// mandateEnding are the failures that end a mandate (docs.stripe.com/payments/au-becs-debit, bacs-debit: the test accounts say which).
var mandateEnding = map[string]bool{"account_closed": true, "authorization_revoked": true, "bank_account_restricted": true,
	"bank_ownership_changed": true, "debit_not_authorized": true, "no_account": true}

// lateFailures are the reasons of disputes that are failures after a success: they cost what a failure does
// (docs.stripe.com/payments/ach-direct-debit/accept-a-payment#resolving-disputes).
var lateFailures = map[string]bool{"bank_cannot_process": true, "incorrect_account_details": true, "insufficient_funds": true}

// debitRefusals are the refusals of debits that are never sent to a bank (docs.stripe.com/testing; the wording is unconfirmed).
var debitRefusals = map[string]*decline{
	"blocked":                          {code: "payment_method_customer_decline", message: "The payment was blocked because of its high risk."},
	"charge_exceeds_source_limit":      {code: "charge_exceeds_source_limit", message: "This payment exceeds the weekly volume limit of your account for such payments."},
	"charge_exceeds_transaction_limit": {code: "charge_exceeds_transaction_limit", message: "This payment exceeds the transaction limit of your account for such payments."},
	"charge_exceeds_weekly_limit":      {code: "charge_exceeds_weekly_limit", message: "This payment exceeds the weekly transaction limit of your account for such payments."},
}

// blockReasons are the failures after which an account in the United States may not be debited again, with the return codes of Nacha.
var blockReasons = map[string]struct{ reason, code string }{
	"account_closed":                       {"bank_account_closed", "R02"},
	"bank_account_restricted":              {"bank_account_restricted", "R16"},
	"debit_not_authorized":                 {"debit_not_authorized", "R10"},
	"no_account":                           {"bank_account_invalid_details", "R03"},
	"tokenized_account_number_deactivated": {"tokenized_account_number_deactivated", "R03"},
}

// blockedBecause says so in words.
var blockedBecause = map[string]string{
	"bank_account_closed":                  "the account is closed",
	"bank_account_invalid_details":         "there is no such account",
	"bank_account_restricted":              "the account does not take debits",
	"debit_not_authorized":                 "its holder has not authorized an earlier debit",
	"tokenized_account_number_deactivated": "its number is no longer active",
}
