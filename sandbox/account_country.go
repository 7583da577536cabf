package sandbox

import "strings"

// dialling are the codes with which phone numbers of a country begin (ITU-T E.164, as of 2024), of countries with prices: see fee.go.
var dialling = map[string]string{
	"US": "1", "CA": "1", "SG": "65", "BR": "55", "GB": "44", "AT": "43", "BE": "32", "DE": "49", "ES": "34", "FI": "358", "FR": "33",
	"IE": "353", "IT": "39", "LU": "352", "NL": "31", "PT": "351", "DK": "45", "SE": "46", "NO": "47", "CH": "41", "AU": "61", "NZ": "64",
	"HK": "852", "JP": "81", "MX": "52", "PL": "48", "CZ": "420", "HU": "36", "RO": "40", "EE": "372", "LV": "371", "LT": "370", "SK": "421",
	"SI": "386", "GR": "30", "CY": "357", "MT": "356", "HR": "385", "BG": "359",
}

// phoneOf reads a phone number: as it is with a + in front, and otherwise one of the account's country; "" where it is none.
func phoneOf(text, country string) string {
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "/", "").Replace(text)
	number, abroad := strings.CutPrefix(digits, "+")
	if len(number) < 4 || len(number) > 15 || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	if abroad {
		return "+" + number
	}
	code := dialling[country]
	if number == "0000000000" { // the test mode's, American wherever the account is (recorded)
		return "+1" + number
	}
	if code != "1" && code != "39" { // where a number within the country begins with a 0 that goes
		number = strings.TrimPrefix(number, "0")
	}
	return "+" + code + number
}
