package sandbox

// failingBanks are the numbers of Stripe's test mode to which payouts fail, with the failure code
// (docs.stripe.com/connect/testing#account-numbers; the short ones and the IBANs stood there for each country).
var failingBanks = map[string]string{
	"000111111116": "no_account",
	"000111111113": "account_closed",
	"000222222227": "insufficient_funds",
	"000333333335": "debit_not_authorized",
	"000444444440": "invalid_currency",
	failingCard:    "could_not_process",
	// Eight digits in Britain and Japan, nine in Australia and elsewhere.
	"11111116": "no_account", "111111116": "no_account",
	"11111113": "account_closed", "111111113": "account_closed",
	"22222227": "insufficient_funds", "222222227": "insufficient_funds",
	"33333335": "debit_not_authorized", "333333335": "debit_not_authorized",
	"44444440": "invalid_currency", "444444440": "invalid_currency",
	// IBANs; all but the first have wrong check digits at Stripe too.
	"DE62370400440532013001": "no_account",
	"DE89370400440532013002": "account_closed",
	"DE89370400440532013003": "insufficient_funds",
	"DE89370400440532013004": "debit_not_authorized",
	"DE89370400440532013005": "invalid_currency",
}

// Numbers of the test mode with a behaviour of their own.
const (
	testBank         = "000123456789"     // payouts to it succeed
	instantOnlyFails = "000888888883"     // instant payouts to it fail
	failingCard      = "4000056655665572" // payouts to it fail
	neverInstant     = "4000056755665555" // is no card for instant payouts
)

// payoutBanks are the other numbers of bank accounts that the test mode takes.
var payoutBanks = map[string]bool{
	testBank: true, instantOnlyFails: true,
	"000999999991": true, "000999999992": true, // ownership is checked at connected accounts only
	"00012345": true, "0001234": true, "000123456": true, // Britain; Japan; Australia
	"000000001234567897": true, "01567890123456789": true, "000123000456000789": true, // Mexico's CLABE; the Philippines; Gambia
	"000123456000": true, "0000000010": true, // Malaysia; New Zealand
	// IBANs.
	"AT611904300234573201": true, "BE62510007547061": true, "DE89370400440532013000": true, "ES0700120345030000067890": true,
	"FI2112345600000785": true, "FR1420041010050500013M02606": true, "IE29AIBK93115212345678": true, "LU280019400644750000": true,
	"NL39RABO0300065264": true, "PT50000201231234567890154": true, "CH9300762011623852957": true, "SE3550000000054910000003": true,
	"GB82WEST12345698765432": true, "LT121000011101001000": true, "EE382200221020145685": true, "HR7624020064583467589": true,
	"PL61109010140000071219812874": true, "CZ6508000000192000145399": true, "SK3112000000198742637541": true, "RO49AAAA1B31007593840000": true,
	"HU42117730161111101800000000": true, "SI56263300012039086": true, "LV80BANK0000435195001": true, "GR1601101250000000012300695": true,
	"CY17002001280000001200527600": true, "MT84MALT011000012345MTLCAST001S": true,
}

// payoutCards are the debit cards of the test mode that take payouts, by the name of their token.
var payoutCards = map[string]struct{ number, brand string }{
	"tok_visa_debit_us_transferSuccess":          {"4000056655665556", "Visa"},
	"tok_visa_debit_us_transferFail":             {failingCard, "Visa"},
	"tok_visa_debit_us_instantPayoutUnsupported": {neverInstant, "Visa"},
	"tok_mastercard_debit_us_transferSuccess":    {"5200828282828210", "MasterCard"},
	"tok_discover_debit_us_transferSuccess":      {"6011981111111113", "Discover"},
}

// bankTokens are the bank accounts of the test mode by the name of their token
// (docs.stripe.com/connect/testing#testing-top-ups).
var bankTokens = map[string]string{
	"btok_us_verified":                    testBank,
	"btok_us_verified_noAccount":          "000111111116",
	"btok_us_verified_accountClosed":      "000111111113",
	"btok_us_verified_insufficientFunds":  "000222222227",
	"btok_us_verified_debitNotAuthorized": "000333333335",
	"btok_us_verified_invalidCurrency":    "000444444440",
}

// failureMessages are Stripe's words for the failure of a payout (docs.stripe.com/api/payouts/failures).
var failureMessages = map[string]string{
	"account_closed":                   "The bank account has been closed.",
	"account_frozen":                   "The bank account has been frozen.",
	"bank_account_restricted":          "The bank account has restrictions on either the type, or the number, of payouts allowed. This normally indicates that the bank account is a savings or other non-checking account.",
	"bank_ownership_changed":           "The destination bank account is no longer valid because its branch has changed ownership.",
	"declined":                         "The bank has declined this transfer. Please contact the bank before retrying.",
	"incorrect_account_holder_address": "Your bank notified us that the bank account holder address on file is incorrect.",
	"incorrect_account_holder_name":    "Your bank notified us that the bank account holder name on file is incorrect.",
	"incorrect_account_holder_tax_id":  "Your bank notified us that the bank account holder tax ID on file is incorrect.",
	"invalid_account_number":           "The routing number seems correct, but the account number is invalid.",
	"unsupported_card":                 "The bank no longer supports payouts to this card.",
	"could_not_process":                "The bank could not process this payout.",
	"debit_not_authorized":             "Debit transactions are not approved on your bank account. (Stripe requires bank accounts to be set up for both credit and debit payouts.)",
	"insufficient_funds":               "Your Stripe account has insufficient funds to cover the payout.",
	"invalid_currency":                 "The bank was unable to process this payout because of its currency. This is probably because the bank account cannot accept payments in that currency.",
	"no_account":                       "The bank account details on file are probably incorrect. No bank account could be located with those details.",
}
