package sandbox

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// What Stripe refuses of an account and its persons at once. The words are the sandbox's own where nothing says otherwise.

var (
	mccForm        = regexp.MustCompile(`^\d{4}$`)
	descriptorForm = regexp.MustCompile(`^[^<>\\'"*]{5,22}$`)
	prefixForm     = regexp.MustCompile(`^[^<>\\'"*]{2,10}$`)
	anyLetter      = regexp.MustCompile(`[A-Za-z]`)
	emailForm      = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
)

// postalForms are the forms of postal codes in some countries; those of the others are not looked at.
var postalForms = map[string]*regexp.Regexp{
	"US": regexp.MustCompile(`^\d{5}(-?\d{4})?$`),
	"DE": regexp.MustCompile(`^\d{5}$`),
	"FR": regexp.MustCompile(`^\d{5}$`),
	"AT": regexp.MustCompile(`^\d{4}$`),
	"PL": regexp.MustCompile(`^\d{2}-?\d{3}$`),
}

// checkParticulars refuses what cannot be so of an account.
func (c *call) checkParticulars(p *spec.Params, country string) error {
	if email := p.String("email"); email != "" && !emailForm.MatchString(email) {
		return invalid("email_invalid", "email", "Invalid email address: %s", email)
	}
	if err := checkProfile(p.Sub("business_profile")); err != nil {
		return err
	}
	if err := checkDescriptors(p.Sub("settings")); err != nil {
		return err
	}
	if err := c.checkAgreement(p, country); err != nil {
		return err
	}
	if err := c.checkCompany(p.Sub("company"), country); err != nil {
		return err
	}
	return c.checkPerson(p.Sub("individual"), "individual", country)
}

func checkProfile(p *spec.Params) error {
	if mcc := p.String("mcc"); mcc != "" && !mccForm.MatchString(mcc) {
		return invalid("", "business_profile[mcc]", "Invalid merchant category code: %s", mcc)
	}
	for _, name := range []string{"url", "support_url"} {
		if text := p.String(name); text != "" && !isSite(text) {
			return invalid("url_invalid", "business_profile["+name+"]", "Not a valid URL")
		}
	}
	if email := p.String("support_email"); email != "" && !emailForm.MatchString(email) {
		return invalid("email_invalid", "business_profile[support_email]", "Invalid email address: %s", email)
	}
	return nil
}

// isSite says whether text is the address of a website, with or without its scheme.
func isSite(text string) bool {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.Contains(u.Hostname(), ".") && !strings.ContainsAny(text, " <>\"")
}

func checkDescriptors(p *spec.Params) error {
	if text := p.String("payments", "statement_descriptor"); text != "" && (!descriptorForm.MatchString(text) || !anyLetter.MatchString(text)) {
		return invalid("", "settings[payments][statement_descriptor]", "The statement descriptor must be 5 to 22 characters with at least one letter, and must not contain <, >, \\, ', \" or *.")
	}
	if text := p.String("card_payments", "statement_descriptor_prefix"); text != "" && (!prefixForm.MatchString(text) || !anyLetter.MatchString(text)) {
		return invalid("", "settings[card_payments][statement_descriptor_prefix]", "The statement descriptor prefix must be 2 to 10 characters with at least one letter, and must not contain <, >, \\, ', \" or *.")
	}
	return nil
}

// checkAgreement reads the acceptance of the service agreement. A recipient is in another country than its platform.
func (c *call) checkAgreement(p *spec.Params, country string) error {
	p = p.Sub("tos_acceptance")
	if at := p.Int("date"); at > c.now().Unix()+int64((5*time.Minute).Seconds()) {
		return invalid("", "tos_acceptance[date]", "Please provide a TOS acceptance date that isn't in the future.")
	} else if p.Has("date") && at < time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix() {
		return invalid("", "tos_acceptance[date]", "Please provide a TOS acceptance date that isn't before 2009.")
	}
	if ip := p.String("ip"); ip != "" {
		if _, err := netip.ParseAddr(ip); err != nil {
			return invalid("", "tos_acceptance[ip]", "Invalid IP address: %s", ip)
		}
	}
	switch agreement := p.String("service_agreement"); agreement {
	case "", "full":
		return nil
	case "recipient":
		if platform := c.platform().standing().Country; platform == country {
			return invalid("", "tos_acceptance[service_agreement]", "The recipient ToS agreement is not supported for platforms in %s creating accounts in %s. See https://stripe.com/docs/connect/cross-border-payouts for more details.", platform, country)
		}
		return nil
	default:
		return invalid("", "tos_acceptance[service_agreement]", "Invalid tos_acceptance[service_agreement]: must be one of full or recipient")
	}
}

func (c *call) checkCompany(p *spec.Params, country string) error {
	if text := p.String("phone"); text != "" && phoneOf(text, country) == "" {
		return badPhone("company[phone]", text)
	}
	if id := p.String("tax_id"); id != "" && country == "US" && !nineDigits(id) {
		return invalid("tax_id_invalid", "company[tax_id]", "The tax ID (EIN) of a company in the United States has 9 digits.")
	}
	if err := checkAddress(p.Sub("address"), "company[address]", country); err != nil {
		return err
	}
	return c.checkDocument(p.Sub("verification", "document"), "company[verification][document]", "additional_verification")
}

func nineDigits(text string) bool {
	digits := strings.ReplaceAll(text, "-", "")
	return len(digits) == 9 && strings.Trim(digits, "0123456789") == ""
}

func badPhone(param, text string) error {
	return invalid("", param, "\"%s\" is not a valid phone number", text)
}

func checkAddress(p *spec.Params, param, country string) error {
	if given := p.String("country"); given != "" {
		if !countryCode.MatchString(given) {
			return unknownCountry(param+"[country]", given)
		}
		country = given
	}
	if code := p.String("postal_code"); code != "" && postalForms[country] != nil && !postalForms[country].MatchString(code) {
		return invalid("postal_code_invalid", param+"[postal_code]", "Invalid %s postal code", country)
	}
	return nil
}

func unknownCountry(param, given string) error {
	return invalid("country_unsupported", param, "Country '%s' is unknown. Try using a 2-character alphanumeric country code instead, such as 'US', 'EG', or 'GB'.", given)
}

// checkPerson refuses what cannot be so of a person.
func (c *call) checkPerson(p *spec.Params, param, country string) error {
	name := func(field string) string {
		if param == "" {
			return field
		}
		return param + "[" + field + "]"
	}
	if email := p.String("email"); email != "" && !emailForm.MatchString(email) {
		return invalid("email_invalid", name("email"), "Invalid email address: %s", email)
	}
	if text := p.String("phone"); text != "" && phoneOf(text, country) == "" {
		return badPhone(name("phone"), text)
	}
	if id := p.String("id_number"); id != "" && country == "US" && !nineDigits(id) {
		return invalid("", name("id_number"), "Your Social Security Number (SSN) must be 9 digits.")
	}
	if last := p.String("ssn_last_4"); last != "" && (len(last) != 4 || strings.Trim(last, "0123456789") != "") {
		return invalid("", name("ssn_last_4"), "The last four digits of a Social Security Number (SSN) are four digits.")
	}
	if err := c.checkBirth(p.Sub("dob"), name("dob")); err != nil {
		return err
	}
	if err := checkAddress(p.Sub("address"), name("address"), country); err != nil {
		return err
	}
	if percent, ok := valueOf(p, "percent_ownership").(float64); ok && (percent < 0 || percent > 100) {
		return invalid("", name("relationship")+"[percent_ownership]", "The percent of ownership is between 0 and 100.")
	}
	if err := c.checkDocument(p.Sub("verification", "document"), name("verification")+"[document]", "identity_document"); err != nil {
		return err
	}
	return c.checkDocument(p.Sub("verification", "additional_document"), name("verification")+"[additional_document]", "identity_document")
}

// youngestAge is the age below which Stripe takes nobody.
const youngestAge = 13

func (c *call) checkBirth(p *spec.Params, param string) error {
	if p == nil {
		return nil
	}
	day, month, year := int(p.Int("day")), int(p.Int("month")), int(p.Int("year"))
	born := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	switch {
	case month < 1 || month > 12:
		return invalid("", param+"[month]", "Invalid month: %d", month)
	case year < 1900 || year > c.now().Year():
		return invalid("", param+"[year]", "Invalid year: %d", year)
	case born.Day() != day || born.Month() != time.Month(month):
		return invalid("", param+"[day]", "Invalid day: %d", day)
	case born.AddDate(youngestAge, 0, 0).After(c.now()):
		return invalid("", param+"[year]", "Must be at least %d years of age to use Stripe", youngestAge)
	}
	return nil
}

// checkDocument finds the files of a document. Those of the test mode are there without having been uploaded.
func (c *call) checkDocument(p *spec.Params, param, purpose string) error {
	for _, side := range []string{"front", "back"} {
		id := p.String(side)
		if _, test := papers[id]; id == "" || test {
			continue
		}
		file := c.findFile(id)
		if file == nil {
			return missingIn(param+"["+side+"]", "file upload", id)
		}
		if is := file.text("purpose"); is != purpose && is != "identity_document" && is != "additional_verification" && is != "account_requirement" {
			return invalid("", param+"["+side+"]", "The file %s was uploaded with the purpose %s; it must be %s.", id, is, purpose)
		}
	}
	return nil
}

// findFile is a file of the account, or of the platform on its behalf.
func (c *call) findFile(id string) *record {
	if r := c.find("file", id); r != nil {
		return r
	}
	return c.home.find("file", id)
}
