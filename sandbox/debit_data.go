package sandbox

// Test accounts of banks as of August 2026 (docs.stripe.com/testing#non-card-payments), beside those of SEPA.

// achAccounts are at the test mode's bank in the United States, routing number 110000000.
var achAccounts = []debitAccount{
	{"000123456789", "success", debit{}},
	{"000111111113", "accountClosed", debit{fails: "account_closed"}},
	{"000000004954", "riskLevelHighest", debit{blocked: true}},
	{"000111111116", "noAccount", debit{fails: "no_account"}},
	{"000222222227", "insufficientFunds", debit{fails: "insufficient_funds"}},
	{"000333333335", "debitNotAuthorized", debit{fails: "debit_not_authorized"}},
	{"000444444440", "invalidCurrency", debit{fails: "invalid_currency"}},
	{"000555555559", "dispute", debit{disputed: "debit_not_authorized"}},
	{"000000000009", "processing", debit{stuck: true}},
	{"000777777771", "weeklyLimitExceeded", debit{refused: "charge_exceeds_source_limit"}},
	{"000888888885", "", debit{fails: "tokenized_account_number_deactivated"}},
	{"000666666661", "failMicrodeposits", debit{deposits: "failed"}},
}

// bacsAccounts are at the test mode's bank in the United Kingdom, sort code 108800.
var bacsAccounts = []debitAccount{
	{"00012345", "success", debit{}},
	{"90012345", "successDelayed", debit{slow: true}},
	{"33333335", "debitNotAuthorized", debit{fails: "debit_not_authorized"}},
	{"93333335", "debitNotAuthorizedDelayed", debit{fails: "debit_not_authorized", slow: true}},
	{"22222227", "insufficientFunds", debit{fails: "insufficient_funds"}},
	{"92222227", "insufficientFundsDelayed", debit{fails: "insufficient_funds", slow: true}},
	{"55555559", "dispute", debit{disputed: "debit_not_authorized"}},
	{"00033333", "mandateRefused", debit{mandate: mandateRefused}},
	{"00044444", "", debit{noSetUp: true, fails: "no_account"}},
	{"34343434", "exceedsWeeklyLimit", debit{refused: "charge_exceeds_source_limit"}},
	{"12121212", "exceedsTransactionLimit", debit{refused: "charge_exceeds_transaction_limit"}},
}

// becsAccounts are at the test mode's bank in Australia, BSB 000000.
var becsAccounts = []debitAccount{
	{"000123456", "success", debit{}},
	{"900123456", "successDelayed", debit{slow: true}},
	{"111111113", "accountClosed", debit{fails: "account_closed"}},
	{"111111116", "noAccount", debit{fails: "no_account"}},
	{"222222227", "referToCustomer", debit{fails: "refer_to_customer"}},
	{"922222227", "referToCustomerDelayed", debit{fails: "refer_to_customer", slow: true}},
	{"333333335", "debitNotAuthorized", debit{fails: "debit_not_authorized"}},
	{"666666660", "dispute", debit{disputed: "debit_not_authorized"}},
	{"343434343", "exceedsWeeklyLimit", debit{refused: "charge_exceeds_source_limit"}},
	{"121212121", "exceedsTransactionLimit", debit{refused: "charge_exceeds_transaction_limit"}},
}
