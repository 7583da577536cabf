package sandbox

// recipientCurrencies are the currencies of the countries to which money is sent under the recipient's service agreement alone
// (docs.stripe.com/connect/cross-border-payouts, and supported_transfer_countries in the fixture of country_spec, 2026). Accounts there take no
// payments, so there are no prices for them.
var recipientCurrencies = map[string]string{
	"AE": "aed", "AG": "xcd", "AL": "all", "AM": "amd", "AO": "aoa", "AR": "ars", "AZ": "azn", "BA": "bam", "BD": "bdt", "BG": "eur", "BH": "bhd", "BJ": "xof", "BN": "bnd", "BO": "bob",
	"BS": "bsd", "BT": "btn", "BW": "bwp", "CI": "xof", "CL": "clp", "CO": "cop", "CR": "crc", "DO": "dop", "DZ": "dzd", "EC": "usd", "EG": "egp", "ET": "etb", "GA": "xaf", "GH": "ghs",
	"GM": "gmd", "GT": "gtq", "GY": "gyd", "ID": "idr", "IL": "ils", "IS": "eur", "JM": "jmd", "JO": "jod", "KE": "kes", "KH": "khr", "KR": "krw", "KW": "kwd", "KZ": "kzt", "LA": "lak",
	"LC": "xcd", "LI": "chf", "LK": "lkr", "MA": "mad", "MC": "eur", "MD": "mdl", "MG": "mga", "MK": "mkd", "MN": "mnt", "MO": "mop", "MU": "mur", "MY": "myr", "MZ": "mzn", "NA": "nad",
	"NE": "xof", "NG": "ngn", "OM": "omr", "PA": "usd", "PE": "pen", "PH": "php", "PK": "pkr", "PY": "pyg", "QA": "qar", "RS": "rsd", "RW": "rwf", "SA": "sar", "SM": "eur", "SN": "xof",
	"SV": "usd", "TH": "thb", "TN": "tnd", "TR": "try", "TT": "ttd", "TW": "twd", "TZ": "tzs", "UY": "uyu", "UZ": "uzs", "VN": "vnd", "ZA": "zar",
}

// currencyIn is the currency of new accounts of a country; empty where there are none of a service agreement.
func (c *call) currencyIn(country, agreement string) string {
	if row := priceOf(country, c.now()); row != nil {
		return row.currency
	}
	if agreement == "recipient" {
		return recipientCurrencies[country]
	}
	return ""
}
