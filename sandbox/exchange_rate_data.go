package sandbox

import "github.com/till-pay/till/internal/money"

// euroRates are the European Central Bank's reference rates of 31 December 2024, in units for a euro
// (ecb.europa.eu, "Euro foreign exchange reference rates"), with the currencies whose rate to the euro is fixed by law or treaty.
var euroRates = map[money.Currency]string{
	"USD": "1.0389", "JPY": "163.06", "BGN": "1.95583", "CZK": "25.185", "DKK": "7.4578", "GBP": "0.82918", "HUF": "411.35",
	"PLN": "4.275", "RON": "4.9743", "SEK": "11.459", "CHF": "0.9412", "ISK": "143.9", "NOK": "11.795", "TRY": "36.7372",
	"AUD": "1.6772", "BRL": "6.4253", "CAD": "1.4948", "CNY": "7.5833", "HKD": "8.0686", "IDR": "16820.88", "ILS": "3.7885",
	"INR": "88.9335", "KRW": "1532.15", "MXN": "21.5504", "MYR": "4.6454", "NZD": "1.8532", "PHP": "60.301", "SGD": "1.4164",
	"THB": "35.676", "ZAR": "19.6188",

	"BAM": "1.95583", "CVE": "110.265", "KMF": "491.96775", "XAF": "655.957", "XOF": "655.957", "XPF": "119.331742",
	"EEK": "15.6466", "HRK": "7.5345", "LTL": "3.4528", "LVL": "0.702804", // until these countries took the euro
}

// dollarRates are the others, in units for a US dollar: the official rate where there is a fixed one, and otherwise about what was paid
// at the end of 2024, to the accuracy that a test needs. Currencies that are no more (MRO, SLL, STD, SVC and VEF) have the last
// rate of their own.
var dollarRates = map[money.Currency]string{
	// Fixed, or tied to another currency.
	"AED": "3.6725", "ANG": "1.79", "AWG": "1.79", "BBD": "2", "BHD": "0.376", "BMD": "1", "BSD": "1", "BZD": "2", "DJF": "177.721",
	"FKP": "0.79813", "GIP": "0.79813", "JOD": "0.709", "KYD": "0.833333", "OMR": "0.3845", "PAB": "1", "QAR": "3.64", "SAR": "3.75",
	"SHP": "0.79813", "SVC": "8.75", "XCD": "2.7", "XCG": "1.79", "MOP": "8", "NAD": "18.88", "LSL": "18.88", "SZL": "18.88",
	"BND": "1.363", "BTN": "85.6", "NPR": "136.9",
	// About.
	"AFN": "70.5", "ALL": "94.3", "AMD": "396", "AOA": "912", "ARS": "1032", "AZN": "1.7", "BDT": "119.5", "BIF": "2960", "BOB": "6.91",
	"BWP": "13.9", "BYN": "3.27", "CDF": "2870", "CLP": "994", "COP": "4406", "CRC": "508", "DOP": "61", "DZD": "135.6", "EGP": "50.8",
	"ETB": "127", "FJD": "2.32", "GEL": "2.81", "GHS": "14.7", "GMD": "72", "GNF": "8630", "GTQ": "7.71", "GYD": "209", "HNL": "25.4",
	"HTG": "130.5", "JMD": "155.5", "KES": "129.3", "KGS": "87", "KHR": "4025", "KWD": "0.3083", "KZT": "525", "LAK": "21850",
	"LBP": "89500", "LKR": "293", "LRD": "182", "MAD": "10.11", "MDL": "18.4", "MGA": "4690", "MKD": "59.1", "MMK": "2100", "MNT": "3420",
	"MRO": "398", "MUR": "47", "MVR": "15.4", "MWK": "1734", "MZN": "63.9", "NGN": "1540", "NIO": "36.7", "PEN": "3.75", "PGK": "4.05",
	"PKR": "278.5", "PYG": "7800", "RSD": "112.6", "RUB": "101.7", "RWF": "1385", "SBD": "8.4", "SCR": "14.2", "SLE": "22.7",
	"SLL": "22700", "SOS": "571", "SRD": "35.1", "STD": "24500", "TJS": "10.93", "TND": "3.18", "TOP": "2.4", "TTD": "6.78",
	"TWD": "32.79", "TZS": "2430", "UAH": "42", "UGX": "3680", "UYU": "44", "UZS": "12900", "VEF": "248209", "VND": "25480", "VUV": "121",
	"WST": "2.77", "YER": "250", "ZMW": "27.9",
}
