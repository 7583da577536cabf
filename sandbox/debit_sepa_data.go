package sandbox

import "strings"

// Test accounts of SEPA as of November 2026 (docs.stripe.com/testing#sepa-direct-debit). Each country has one that pays, one that pays
// late, one that fails, one that fails late, and one whose debits are disputed; Austria has some for limits too.

// sepaCountry is the accounts of a country.
type sepaCountry struct {
	country                                                  string
	success, successDelayed, failed, failedDelayed, disputed string
}

var sepaCountries = []sepaCountry{
	{"AT", "AT611904300234573201", "AT321904300235473204", "AT861904300235473202", "AT051904300235473205", "AT591904300235473203"},
	{"BE", "BE62510007547061", "BE78510007547064", "BE68539007547034", "BE51510007547065", "BE08510007547063"},
	{"HR", "HR7624020064583467589", "HR6323600002337876649", "HR2725000096983499248", "HR6723600004878117427", "HR8724840081455523553"},
	{"EE", "EE382200221020145685", "EE222200221020145682", "EE762200221020145680", "EE922200221020145683", "EE492200221020145681"},
	{"FI", "FI2112345600000785", "FI3712345600000788", "FI9112345600000786", "FI1012345600000789", "FI6412345600000787"},
	{"FR", "FR1420041010050500013M02606", "FR3020041010050500013M02609", "FR8420041010050500013M02607", "FR7920041010050500013M02600", "FR5720041010050500013M02608"},
	{"DE", "DE89370400440532013000", "DE08370400440532013003", "DE62370400440532013001", "DE78370400440532013004", "DE35370400440532013002"},
	{"IE", "IE29AIBK93115212345678", "IE24AIBK93115212345671", "IE02AIBK93115212345679", "IE94AIBK93115212345672", "IE51AIBK93115212345670"},
	{"LT", "LT121000011101001000", "LT281000011101001003", "LT821000011101001001", "LT981000011101001004", "LT551000011101001002"},
	{"LU", "LU280019400644750000", "LU440019400644750003", "LU980019400644750001", "LU170019400644750004", "LU710019400644750002"},
	{"NL", "NL39RABO0300065264", "NL55RABO0300065267", "NL91ABNA0417164300", "NL28RABO0300065268", "NL82RABO0300065266"},
	{"ES", "ES0700120345030000067890", "ES2300120345030000067893", "ES9121000418450200051332", "ES9300120345030000067894", "ES5000120345030000067892"},
	{"PT", "PT50000201231234567890154", "PT66000201231234567890157", "PT23000201231234567890155", "PT39000201231234567890158", "PT93000201231234567890156"},
	{"SE", "SE3550000000054910000003", "SE5150000000054910000006", "SE0850000000054910000004", "SE2450000000054910000007", "SE7850000000054910000005"},
	{"CH", "CH9300762011623852957", "CH8656663438253651553", "CH5362200119938136497", "CH1843597160341964438", "CH1260378413965193069"},
	{"GB", "GB82WEST12345698765432", "GB98WEST12345698765435", "GB55WEST12345698765433", "GB71WEST12345698765436", "GB28WEST12345698765434"},
}

// sepaAccounts are all accounts of the tables.
func sepaAccounts() (all []debitAccount) {
	for _, of := range sepaCountries {
		cc := strings.ToLower(of.country)
		all = append(all,
			debitAccount{of.success, "success_" + cc, debit{}},
			debitAccount{of.successDelayed, "successDelayed_" + cc, debit{slow: true}},
			debitAccount{of.failed, "failed_" + cc, debit{fails: sepaFailure}},
			debitAccount{of.failedDelayed, "failedDelayed_" + cc, debit{fails: sepaFailure, slow: true}},
			debitAccount{of.disputed, "disputed_" + cc, debit{disputed: "debit_not_authorized"}},
			debitAccount{sameBranch(of.success, "343434"), "exceedsWeeklyVolumeLimit_" + cc, debit{refused: "charge_exceeds_source_limit"}},
			debitAccount{sameBranch(of.success, "121212"), "exceedsWeeklyTransactionLimit_" + cc, debit{refused: "charge_exceeds_weekly_limit"}},
			debitAccount{sameBranch(of.success, "2222227"), "insufficientFunds_" + cc, debit{fails: "insufficient_funds"}},
			debitAccount{sameBranch(of.success, "55555"), "", debit{unusable: "sepa_debit_bank_not_supported"}},
			debitAccount{sameBranch(of.success, "66666"), "", debit{unusable: "bank_account_unusable"}})
	}
	return all
}

// sameBranch is the IBAN of another account of the same branch of a bank, whose number ends so, with nothing but zeros before. That is how
// the numbers are made for which Stripe's documentation has rows in all countries; a test holds those that are known against it.
func sameBranch(iban, ending string) string {
	f := ibanForms[iban[:2]]
	begin := iban[4:max(f.bankEnd, f.branchEnd)]
	return withCheckDigits(iban[:2], begin+strings.Repeat("0", len(iban)-4-len(begin)-len(ending))+ending)
}

// sepaFailure is the failure_code of the accounts that fail without saying why; so observed in a sandbox of Stripe's by others.
const sepaFailure = "incorrect_account_holder_name"
