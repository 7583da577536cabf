package money

// row is what Stripe and ISO 4217 say of one currency.
type row struct {
	digits int   // after the point, as people write it
	scale  int   // of the minor unit in Stripe's API
	min    int64 // Stripe's least charge in minor units; 0 where it publishes none
}

// table holds every currency that Stripe takes. It was put together on 21 November 2026 from:
//   - the constants of stripe-go v85.0.0 of March 2026 (currency.go), which keep withdrawn ones such as EEK, since old objects hold them;
//   - Stripe's "Invalid currency" answer, which also lists BHD, BTN, BYN, GHS, JOD, KWD, MMK, OMR, SLE and TND (and USDC, which is no
//     three-letter code), and its list of presentment currencies of April 2026, which has XCG, the successor of ANG;
//   - docs.stripe.com/currencies, copy of April 2024, for digits and least charges.
//
// Where ISO 4217 differs, Stripe's word counts: MGA has two digits in ISO and none at Stripe. UGX and ISK have none among people, but
// two in Stripe's API. HUF and TWD are charged with two digits, though paid out in whole units.
var table = map[Currency]row{
	"AED": {2, 2, 200},   // United Arab Emirates Dirham
	"AFN": {2, 2, 0},     // Afghan Afghani
	"ALL": {2, 2, 0},     // Albanian Lek
	"AMD": {2, 2, 0},     // Armenian Dram
	"ANG": {2, 2, 0},     // Netherlands Antillean Gulden
	"AOA": {2, 2, 0},     // Angolan Kwanza
	"ARS": {2, 2, 0},     // Argentine Peso
	"AUD": {2, 2, 50},    // Australian Dollar
	"AWG": {2, 2, 0},     // Aruban Florin
	"AZN": {2, 2, 0},     // Azerbaijani Manat
	"BAM": {2, 2, 0},     // Bosnia & Herzegovina Convertible Mark
	"BBD": {2, 2, 0},     // Barbadian Dollar
	"BDT": {2, 2, 0},     // Bangladeshi Taka
	"BGN": {2, 2, 100},   // Bulgarian Lev
	"BHD": {3, 3, 0},     // Bahraini Dinar
	"BIF": {0, 0, 0},     // Burundian Franc
	"BMD": {2, 2, 0},     // Bermudian Dollar
	"BND": {2, 2, 0},     // Brunei Dollar
	"BOB": {2, 2, 0},     // Bolivian Boliviano
	"BRL": {2, 2, 50},    // Brazilian Real
	"BSD": {2, 2, 0},     // Bahamian Dollar
	"BTN": {2, 2, 0},     // Bhutanese Ngultrum
	"BWP": {2, 2, 0},     // Botswana Pula
	"BYN": {2, 2, 0},     // Belarusian Ruble
	"BZD": {2, 2, 0},     // Belize Dollar
	"CAD": {2, 2, 50},    // Canadian Dollar
	"CDF": {2, 2, 0},     // Congolese Franc
	"CHF": {2, 2, 50},    // Swiss Franc
	"CLP": {0, 0, 0},     // Chilean Peso
	"CNY": {2, 2, 0},     // Chinese Renminbi Yuan
	"COP": {2, 2, 0},     // Colombian Peso
	"CRC": {2, 2, 0},     // Costa Rican Colón
	"CVE": {2, 2, 0},     // Cape Verdean Escudo
	"CZK": {2, 2, 1500},  // Czech Koruna
	"DJF": {0, 0, 0},     // Djiboutian Franc
	"DKK": {2, 2, 250},   // Danish Krone
	"DOP": {2, 2, 0},     // Dominican Peso
	"DZD": {2, 2, 0},     // Algerian Dinar
	"EEK": {2, 2, 0},     // Estonian Kroon
	"EGP": {2, 2, 0},     // Egyptian Pound
	"ETB": {2, 2, 0},     // Ethiopian Birr
	"EUR": {2, 2, 50},    // Euro
	"FJD": {2, 2, 0},     // Fijian Dollar
	"FKP": {2, 2, 0},     // Falkland Islands Pound
	"GBP": {2, 2, 30},    // British Pound
	"GEL": {2, 2, 0},     // Georgian Lari
	"GHS": {2, 2, 0},     // Ghanaian Cedi
	"GIP": {2, 2, 0},     // Gibraltar Pound
	"GMD": {2, 2, 0},     // Gambian Dalasi
	"GNF": {0, 0, 0},     // Guinean Franc
	"GTQ": {2, 2, 0},     // Guatemalan Quetzal
	"GYD": {2, 2, 0},     // Guyanese Dollar
	"HKD": {2, 2, 400},   // Hong Kong Dollar
	"HNL": {2, 2, 0},     // Honduran Lempira
	"HRK": {2, 2, 0},     // Croatian Kuna
	"HTG": {2, 2, 0},     // Haitian Gourde
	"HUF": {2, 2, 17500}, // Hungarian Forint
	"IDR": {2, 2, 0},     // Indonesian Rupiah
	"ILS": {2, 2, 0},     // Israeli New Sheqel
	"INR": {2, 2, 50},    // Indian Rupee
	"ISK": {0, 2, 0},     // Icelandic Króna
	"JMD": {2, 2, 0},     // Jamaican Dollar
	"JOD": {3, 3, 0},     // Jordanian Dinar
	"JPY": {0, 0, 50},    // Japanese Yen
	"KES": {2, 2, 0},     // Kenyan Shilling
	"KGS": {2, 2, 0},     // Kyrgyzstani Som
	"KHR": {2, 2, 0},     // Cambodian Riel
	"KMF": {0, 0, 0},     // Comorian Franc
	"KRW": {0, 0, 0},     // South Korean Won
	"KWD": {3, 3, 0},     // Kuwaiti Dinar
	"KYD": {2, 2, 0},     // Cayman Islands Dollar
	"KZT": {2, 2, 0},     // Kazakhstani Tenge
	"LAK": {2, 2, 0},     // Lao Kip
	"LBP": {2, 2, 0},     // Lebanese Pound
	"LKR": {2, 2, 0},     // Sri Lankan Rupee
	"LRD": {2, 2, 0},     // Liberian Dollar
	"LSL": {2, 2, 0},     // Lesotho Loti
	"LTL": {2, 2, 0},     // Lithuanian Litas
	"LVL": {2, 2, 0},     // Latvian Lats
	"MAD": {2, 2, 0},     // Moroccan Dirham
	"MDL": {2, 2, 0},     // Moldovan Leu
	"MGA": {0, 0, 0},     // Malagasy Ariary
	"MKD": {2, 2, 0},     // Macedonian Denar
	"MMK": {2, 2, 0},     // Myanmar Kyat
	"MNT": {2, 2, 0},     // Mongolian Tögrög
	"MOP": {2, 2, 0},     // Macanese Pataca
	"MRO": {2, 2, 0},     // Mauritanian Ouguiya
	"MUR": {2, 2, 0},     // Mauritian Rupee
	"MVR": {2, 2, 0},     // Maldivian Rufiyaa
	"MWK": {2, 2, 0},     // Malawian Kwacha
	"MXN": {2, 2, 1000},  // Mexican Peso
	"MYR": {2, 2, 200},   // Malaysian Ringgit
	"MZN": {2, 2, 0},     // Mozambican Metical
	"NAD": {2, 2, 0},     // Namibian Dollar
	"NGN": {2, 2, 0},     // Nigerian Naira
	"NIO": {2, 2, 0},     // Nicaraguan Córdoba
	"NOK": {2, 2, 300},   // Norwegian Krone
	"NPR": {2, 2, 0},     // Nepalese Rupee
	"NZD": {2, 2, 50},    // New Zealand Dollar
	"OMR": {3, 3, 0},     // Omani Rial
	"PAB": {2, 2, 0},     // Panamanian Balboa
	"PEN": {2, 2, 0},     // Peruvian Nuevo Sol
	"PGK": {2, 2, 0},     // Papua New Guinean Kina
	"PHP": {2, 2, 0},     // Philippine Peso
	"PKR": {2, 2, 0},     // Pakistani Rupee
	"PLN": {2, 2, 200},   // Polish Złoty
	"PYG": {0, 0, 0},     // Paraguayan Guaraní
	"QAR": {2, 2, 0},     // Qatari Riyal
	"RON": {2, 2, 200},   // Romanian Leu
	"RSD": {2, 2, 0},     // Serbian Dinar
	"RUB": {2, 2, 0},     // Russian Ruble
	"RWF": {0, 0, 0},     // Rwandan Franc
	"SAR": {2, 2, 0},     // Saudi Riyal
	"SBD": {2, 2, 0},     // Solomon Islands Dollar
	"SCR": {2, 2, 0},     // Seychellois Rupee
	"SEK": {2, 2, 300},   // Swedish Krona
	"SGD": {2, 2, 50},    // Singapore Dollar
	"SHP": {2, 2, 0},     // Saint Helenian Pound
	"SLE": {2, 2, 0},     // Sierra Leonean Leone (2022)
	"SLL": {2, 2, 0},     // Sierra Leonean Leone
	"SOS": {2, 2, 0},     // Somali Shilling
	"SRD": {2, 2, 0},     // Surinamese Dollar
	"STD": {2, 2, 0},     // São Tomé and Príncipe Dobra
	"SVC": {2, 2, 0},     // Salvadoran Colón
	"SZL": {2, 2, 0},     // Swazi Lilangeni
	"THB": {2, 2, 1000},  // Thai Baht
	"TJS": {2, 2, 0},     // Tajikistani Somoni
	"TND": {3, 3, 0},     // Tunisian Dinar
	"TOP": {2, 2, 0},     // Tongan Paʻanga
	"TRY": {2, 2, 0},     // Turkish Lira
	"TTD": {2, 2, 0},     // Trinidad and Tobago Dollar
	"TWD": {2, 2, 0},     // New Taiwan Dollar
	"TZS": {2, 2, 0},     // Tanzanian Shilling
	"UAH": {2, 2, 0},     // Ukrainian Hryvnia
	"UGX": {0, 2, 0},     // Ugandan Shilling
	"USD": {2, 2, 50},    // United States Dollar
	"UYU": {2, 2, 0},     // Uruguayan Peso
	"UZS": {2, 2, 0},     // Uzbekistani Som
	"VEF": {2, 2, 0},     // Venezuelan Bolívar
	"VND": {0, 0, 0},     // Vietnamese Đồng
	"VUV": {0, 0, 0},     // Vanuatu Vatu
	"WST": {2, 2, 0},     // Samoan Tala
	"XAF": {0, 0, 0},     // Central African Cfa Franc
	"XCD": {2, 2, 0},     // East Caribbean Dollar
	"XCG": {2, 2, 0},     // Caribbean Guilder
	"XOF": {0, 0, 0},     // West African Cfa Franc
	"XPF": {0, 0, 0},     // Cfp Franc
	"YER": {2, 2, 0},     // Yemeni Rial
	"ZAR": {2, 2, 0},     // South African Rand
	"ZMW": {2, 2, 0},     // Zambian Kwacha
}
