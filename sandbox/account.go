package sandbox

import "github.com/till-pay/till/sandbox/spec"

var accounts = &resource{
	Object: "account",
	Path:   singleton,
	Noun:   "account",
	Others: map[string]func(*call) (appender, error){
		"GET /v1/account":      showAccount,
		"GET /v1/accounts/x_1": showNamedAccount,
	},
}

// showAccount is the account that the key belongs to: one in the United States that has everything it needs.
func showAccount(c *call) (appender, error) {
	o := spec.New("account").Set("id", c.account).Set("type", "standard").Set("country", "US").Set("default_currency", "usd").Set("created", c.made.Unix())
	o.Set("charges_enabled", true).Set("payouts_enabled", true).Set("details_submitted", true).Set("email", "owner@example.com").Set("business_type", "company")
	o.Sub("capabilities").Set("card_payments", "active").Set("transfers", "active").Set("link_payments", "active")
	o.Sub("controller").Set("type", "account")
	for _, name := range []string{"requirements", "future_requirements"} {
		for _, list := range []string{"alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification"} {
			o.Sub(name).Set(list, []any{})
		}
	}
	o.Set("business_profile", spec.New("account_business_profile").Set("name", "Sandbox").Set("mcc", "5734"))
	settings := spec.New("account_settings")
	settings.Sub("dashboard").Set("display_name", "Sandbox").Set("timezone", "Etc/UTC")
	settings.Sub("payments").Set("statement_descriptor", descriptor)
	settings.Sub("card_payments").Set("statement_descriptor_prefix", descriptor)
	if payouts := settings.Sub("payouts"); payouts != nil {
		payouts.Set("debit_negative_balances", true)
		payouts.Sub("schedule").Set("delay_days", 2).Set("interval", "daily")
	}
	o.Set("settings", settings)
	return o, nil
}

func showNamedAccount(c *call) (appender, error) {
	if id := c.path[0].Value; id != c.account {
		return nil, &apiError{status: 403, kind: invalidRequest, code: "account_invalid",
			message: "The provided key '" + masked(secretKey+c.suffix) + "' does not have access to account '" + id + "' (or that account does not exist). Application access may have been revoked."}
	}
	return showAccount(c)
}
