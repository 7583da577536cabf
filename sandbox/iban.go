package sandbox

// ibanForm is how the IBANs of a country are made up (SWIFT's IBAN registry, release 98 of 2024): their length, and where in them the
// codes of bank and branch begin and end; nothing where Stripe shows none.
type ibanForm struct {
	length            int
	bank, bankEnd     int
	branch, branchEnd int
}

// ibanForms are those of the countries that take part in SEPA Direct Debit.
var ibanForms = map[string]ibanForm{
	"AD": {24, 4, 8, 8, 12}, "AT": {20, 4, 9, 0, 0}, "BE": {16, 4, 7, 0, 0}, "BG": {22, 4, 8, 8, 12}, "CH": {21, 4, 9, 0, 0},
	"CY": {28, 4, 7, 7, 12}, "CZ": {24, 4, 8, 0, 0}, "DE": {22, 4, 12, 0, 0}, "DK": {18, 4, 8, 0, 0}, "EE": {20, 4, 6, 0, 0},
	"ES": {24, 4, 8, 8, 12}, "FI": {18, 4, 7, 0, 0}, "FR": {27, 4, 9, 9, 14}, "GB": {22, 4, 8, 8, 14}, "GI": {23, 4, 8, 0, 0},
	"GR": {27, 4, 7, 7, 11}, "HR": {21, 4, 11, 0, 0}, "HU": {28, 4, 7, 7, 11}, "IE": {22, 4, 8, 8, 14}, "IS": {26, 4, 6, 6, 8},
	"IT": {27, 5, 10, 10, 15}, "LI": {21, 4, 9, 0, 0}, "LT": {20, 4, 9, 0, 0}, "LU": {20, 4, 7, 0, 0}, "LV": {21, 4, 8, 0, 0},
	"MC": {27, 4, 9, 9, 14}, "MT": {31, 4, 8, 8, 13}, "NL": {18, 4, 8, 0, 0}, "NO": {15, 4, 8, 0, 0}, "PL": {28, 4, 12, 0, 0},
	"PT": {25, 4, 8, 8, 12}, "RO": {24, 4, 8, 0, 0}, "SE": {24, 4, 7, 0, 0}, "SI": {19, 4, 9, 0, 0}, "SK": {24, 4, 8, 0, 0},
	"SM": {27, 5, 10, 10, 15}, "VA": {22, 4, 7, 0, 0},
}

// validIBAN says whether an account number, in capitals without spaces, is an IBAN of SEPA whose check digits fit (ISO 13616).
func validIBAN(iban string) bool {
	return len(iban) >= 4 && ibanForms[iban[:2]].length == len(iban) && mod97(iban[4:]+iban[:4]) == 1
}

// withCheckDigits is the IBAN of an account in a country.
func withCheckDigits(country, account string) string {
	check := 98 - mod97(account+country+"00")
	return country + string(rune('0'+check/10)) + string(rune('0'+check%10)) + account
}

// mod97 is the rest of a number that is written in digits and capitals, where A is 10; -1 where it is written otherwise.
func mod97(text string) int {
	rest := 0
	for _, ch := range text {
		switch {
		case ch >= '0' && ch <= '9':
			rest = (rest*10 + int(ch-'0')) % 97
		case ch >= 'A' && ch <= 'Z':
			rest = (rest*100 + int(ch-'A') + 10) % 97
		default:
			return -1
		}
	}
	return rest
}

// ibanCodes are the codes of bank and branch in a valid IBAN; empty where its country has none.
func ibanCodes(iban string) (bank, branch string) {
	f := ibanForms[iban[:2]]
	return iban[f.bank:f.bankEnd], iban[f.branch:f.branchEnd]
}
