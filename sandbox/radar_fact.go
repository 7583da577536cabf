package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/radar"
)

// facts says what is known of a payment by the attributes that are of no pattern. What is not here the sandbox never knows: there is
// no browser, no place on the map, and no network that has seen the card elsewhere.
var facts = map[string]func(*screening) radar.Value{
	"risk_level": func(s *screening) radar.Value { return radar.TextValue(s.said("outcome", "risk_level")) },
	"risk_score": riskScore,

	"is_3d_secure":               func(s *screening) radar.Value { return radar.BoolValue(s.secured() != "") },
	"is_3d_secure_authenticated": func(s *screening) radar.Value { return radar.BoolValue(s.secured() == "authenticated") },
	"has_liability_shift": func(s *screening) radar.Value {
		return radar.BoolValue(slices.Contains([]string{"authenticated", "attempt_acknowledged"}, s.secured()))
	},
	"card_3d_secure_support": secureSupport,

	"card_bin":                cardBIN,
	"card_brand":              cardBrand,
	"card_funding":            func(s *screening) radar.Value { return radar.TextValue(s.card("funding")) },
	"card_country":            func(s *screening) radar.Value { return countryValue(s.card("country")) },
	"card_fingerprint":        func(s *screening) radar.Value { return radar.TextValue(s.card("fingerprint")) },
	"cardholder_name":         func(s *screening) radar.Value { return radar.TextValue(s.said("billing_details", "name")) },
	"is_new_card_on_customer": newOnCustomer,
	"sepa_debit_fingerprint": func(s *screening) radar.Value {
		return radar.TextValue(s.bank("sepa_debit", "fingerprint"))
	},
	"sepa_debit_bank_code": func(s *screening) radar.Value {
		return radar.TextValue(s.bank("sepa_debit", "bank_code"))
	},
	"sepa_debit_country": func(s *screening) radar.Value {
		return countryValue(s.bank("sepa_debit", "country"))
	},
	"us_bank_account_fingerprint": func(s *screening) radar.Value {
		return radar.TextValue(s.bank("us_bank_account", "fingerprint"))
	},

	"charge_description":   func(s *screening) radar.Value { return radar.TextValue(s.said("description")) },
	"statement_descriptor": func(s *screening) radar.Value { return radar.TextValue(s.said("calculated_statement_descriptor")) },
	"digital_wallet":       digitalWallet,
	"destination":          func(s *screening) radar.Value { return radar.TextValue(s.destination()) },
	"is_off_session":       func(s *screening) radar.Value { return radar.BoolValue(s.intent(s.paid).OffSession) },

	"customer": func(s *screening) radar.Value { return radar.TextValue(s.said("customer")) },
	"email":    func(s *screening) radar.Value { return radar.TextValue(s.email(s.paid)) },
	"email_domain": func(s *screening) radar.Value {
		return radar.TextValue(domainOf(s.email(s.paid)))
	},
	"is_disposable_email": func(s *screening) radar.Value {
		return radar.BoolValue(slices.Contains(disposable, strings.ToLower(domainOf(s.email(s.paid)))))
	},

	"ip_address": func(s *screening) radar.Value { return radar.TextValue(s.intent(s.paid).IP) },
	"user_agent": func(s *screening) radar.Value { return radar.TextValue(s.intent(s.paid).UserAgent) },

	"cvc_check":           func(s *screening) radar.Value { return radar.TextValue(s.check("cvc_check")) },
	"address_zip_check":   func(s *screening) radar.Value { return radar.TextValue(s.check("address_postal_code_check")) },
	"address_line1_check": func(s *screening) radar.Value { return radar.TextValue(s.check("address_line1_check")) },
}

func riskScore(s *screening) radar.Value {
	if score, scored := s.at("outcome", "risk_score").(int64); scored {
		return radar.NumberValue(score)
	}
	return radar.Value{}
}

func secureSupport(s *screening) radar.Value {
	if in := s.instrument(); in != nil && in.Number != "" {
		return radar.TextValue(support[in.card().does.secure])
	}
	return radar.Value{}
}

func cardBIN(s *screening) radar.Value {
	if in := s.instrument(); in != nil && len(in.Number) >= 6 {
		return radar.TextValue(in.Number[:6])
	}
	return radar.Value{}
}

func cardBrand(s *screening) radar.Value {
	brand := s.card("brand")
	if other := brands[brand]; other != "" {
		brand = other
	}
	return radar.TextValue(brand)
}

func digitalWallet(s *screening) radar.Value {
	switch wallet := s.said("payment_method_details", "card", "wallet", "type"); {
	case wallet == "google_pay":
		return radar.TextValue("android_pay")
	case wallet != "":
		return radar.TextValue(wallet)
	case s.card("brand") != "":
		return radar.TextValue("none")
	}
	return radar.Value{}
}

// newOnCustomer says whether the customer has not paid with this card before.
func newOnCustomer(s *screening) radar.Value {
	if s.said("customer") == "" {
		return radar.BoolValue(false)
	}
	for p := range s.earlier("customer", "all_time") {
		if s.keyOf("card", p) == s.card("fingerprint") {
			return radar.BoolValue(false)
		}
	}
	return radar.BoolValue(true)
}
