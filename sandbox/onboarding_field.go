package sandbox

import (
	"slices"
	"strings"
)

// formView is what the form shows: groups of fields, or a message.
type formView struct {
	Message string
	Account string
	Country string
	Groups  []*fieldGroup
	Wrong   []formError // what could not be taken, at the head of the page
	Done    bool        // nothing is missing
}

// fieldGroup is fields that belong together.
type fieldGroup struct {
	Key, Title, Hint string
	Fields           []formField
}

// formField is a field to be filled in.
type formField struct {
	Name, Label, Type string // name as requirements have it; type of the input, or select, birth, check
	Value, Hint       string
	Wrong             string // why it is asked for again, or what was wrong with it
	Auto              string // autocomplete
	Required          bool
	Options           []choice
	Day, Month, Year  string // of a birth
}

// MonthName and YearName are the names of the other parts of a birth.
func (f formField) MonthName() string { return strings.TrimSuffix(f.Name, "day") + "month" }
func (f formField) YearName() string  { return strings.TrimSuffix(f.Name, "day") + "year" }

type choice struct{ Value, Label string }

// formError is a field and what was wrong with it.
type formError struct{ Name, Message string }

// label is how the form asks for a field, by the end of its name.
type label struct {
	ends, text, kind, auto, hint string
}

// labels are looked through from the first: what is more particular stands before.
var labels = []label{
	{"business_type", "What kind of business is it?", "select", "", ""},
	{"business_profile.mcc", "Industry", "select", "", ""},
	{"business_profile.url", "Website", "text", "url", "The address of the website, or of a page about the business elsewhere."},
	{"business_profile.product_description", "What does the business sell?", "text", "", ""},
	{"business_profile.name", "Name of the business, as customers know it", "text", "organization", ""},
	{"business_profile.support_phone", "Phone number for customers", "tel", "tel", ""},
	{"business_profile.support_email", "E-mail address for customers", "email", "email", ""},
	{"settings.payments.statement_descriptor", "Name on bank statements", "text", "", "5 to 22 characters."},
	{"settings.card_payments.statement_descriptor_prefix", "Short name on bank statements", "text", "", "2 to 10 characters."},
	{"company.name", "Registered name of the company", "text", "organization", ""},
	{"company.tax_id", "Tax or registration number of the company", "text", "", ""},
	{"company.phone", "Phone number of the company", "tel", "tel", ""},
	{"company.verification.document", "Document that shows the company, such as its entry in the register", "file", "", "PDF, JPEG or PNG."},
	{"company.owners_provided", "Nobody else owns 25 % or more", "check", "", ""},
	{"company.directors_provided", "There are no other directors", "check", "", ""},
	{"company.executives_provided", "There are no other executives", "check", "", ""},
	{"documents.bank_account_ownership_verification.files", "Document that shows whose the bank account is", "file", "", "PDF, JPEG or PNG."},
	{"verification.additional_document", "Document that shows the address, such as a bill", "file", "", "PDF, JPEG or PNG. It may be the identity document where the address is on it."},
	{"verification.document", "Identity document: passport, identity card or driving licence", "file", "", "PDF, JPEG or PNG, the front."},
	{"first_name", "First name", "text", "given-name", ""},
	{"last_name", "Last name", "text", "family-name", ""},
	{"dob.day", "Date of birth", "birth", "", "Day, month and year."},
	{"email", "E-mail address", "email", "email", ""},
	{"phone", "Phone number", "tel", "tel", ""},
	{"id_number", "Personal identification number", "text", "", ""},
	{"ssn_last_4", "Last four digits of the social security number", "text", "", ""},
	{"address.line1", "Street and number", "text", "address-line1", ""},
	{"address.city", "City", "text", "address-level2", ""},
	{"address.postal_code", "Postal code", "text", "postal-code", ""},
	{"address.state", "State or region", "text", "address-level1", ""},
	{"relationship.title", "Position in the company", "text", "organization-title", "Such as owner or managing director."},
	{"relationship.director", "Is this person a director?", "select", "", ""},
	{"tos_acceptance.date", "I accept the Services Agreement", "check", "", "A test: nothing is agreed."},
}

// choices are those of the fields that are chosen.
var choices = map[string][]choice{
	"business_type":         {{"individual", "One person"}, {"company", "Company"}, {"non_profit", "Non-profit organization"}},
	"relationship.director": {{"true", "Yes"}, {"false", "No"}},
	"business_profile.mcc": {{"1520", "Building and renovation"}, {"1711", "Heating, plumbing and air conditioning"}, {"1731", "Electrical work"}, {"1740", "Masonry, tiles and plaster"},
		{"1750", "Carpentry"}, {"1761", "Roofing"}, {"1799", "Other trades"}, {"5399", "General goods"}, {"5691", "Clothing"}, {"5734", "Software"}, {"5812", "Restaurants"},
		{"5999", "Other shops"}, {"7299", "Personal services"}, {"7392", "Consulting"}, {"8999", "Other professional services"}},
}

// withBirth are fields that are asked for with another: the one in their place.
var withBirth = map[string]string{"dob.month": "dob.day", "dob.year": "dob.day", "tos_acceptance.ip": "tos_acceptance.date"}

// labelOf is how the form asks for a field.
func labelOf(field string) label {
	for _, l := range labels {
		if field == l.ends || strings.HasSuffix(field, "."+l.ends) {
			return l
		}
	}
	return label{field, field, "text", "", ""}
}

// view is the form as it has to be filled in now, with what was filled in wrongly before.
func (v *visit) view(filled map[string]string, wrong []formError) formView {
	view := formView{Account: v.account.id, Country: v.account.text("country"), Wrong: wrong}
	groups := map[string]*fieldGroup{}
	for _, field := range v.wanted() {
		key := v.groupOf(field)
		if groups[key] == nil {
			groups[key] = &fieldGroup{Key: key, Title: v.titleOf(key), Hint: groupHints[key]}
			view.Groups = append(view.Groups, groups[key])
		}
		groups[key].Fields = append(groups[key].Fields, v.field(field, filled, wrong))
	}
	slices.SortStableFunc(view.Groups, func(a, b *fieldGroup) int { return groupPlace(a.Key) - groupPlace(b.Key) })
	for _, group := range view.Groups {
		slices.SortStableFunc(group.Fields, func(a, b formField) int { return fieldPlace(a.Name) - fieldPlace(b.Name) })
	}
	view.Done = len(view.Groups) == 0
	return view
}

// field is one field of the form.
func (v *visit) field(name string, filled map[string]string, wrong []formError) formField {
	l := labelOf(name)
	f := formField{Name: name, Label: l.text, Type: l.kind, Hint: l.hint, Auto: l.auto, Required: v.mustBeSaid(name), Value: filled[name], Wrong: v.reasonOf(name)}
	if f.Value == "" {
		f.Value = v.saidAlready(name)
	}
	for _, one := range wrong {
		if one.Name == name {
			f.Wrong = one.Message
		}
	}
	for ends, all := range choices {
		if l.ends == ends {
			f.Options = all
		}
	}
	if f.Type == "birth" {
		stem := strings.TrimSuffix(name, "day")
		f.Day, f.Month, f.Year = filled[name], filled[stem+"month"], filled[stem+"year"]
	}
	if name == "external_account" {
		f = formField{Name: name, Type: "bank", Label: "Account number or IBAN", Value: filled[name], Wrong: f.Wrong, Required: f.Required,
			Hint: "A test number: 000123456789 with the routing number 110000000 in the United States, DE89370400440532013000 in Germany, PL61109010140000071219812874 in Poland."}
	}
	return f
}

// groupHints say more of a group.
var groupHints = map[string]string{
	"external_account": "Where the money is paid out to.",
	"owners":           "Somebody who owns 25 % or more of the company. Tick the box where there is nobody.",
	"directors":        "A member of the company's board. Tick the box where there is nobody else.",
	"executives":       "Somebody who manages the company. Tick the box where there is nobody else.",
}

// groupOf is the group of a field.
func (v *visit) groupOf(field string) string {
	first, rest, _ := strings.Cut(field, ".")
	switch {
	case first == "business_type" || first == "business_profile" || first == "settings":
		return "business"
	case first == "company" && strings.HasSuffix(rest, "s_provided"):
		return strings.TrimSuffix(rest, "_provided")
	case first == "documents":
		return "external_account"
	default:
		return first
	}
}

// groupsInOrder are the groups as the form has them; persons come after the individual.
var groupsInOrder = []string{"business", "company", "individual", "representative", "person", "owners", "directors", "executives", "external_account", "tos_acceptance"}

func groupPlace(key string) int {
	if strings.HasPrefix(key, "person_") {
		key = "person"
	}
	return slices.Index(groupsInOrder, key)
}

// fieldsInOrder are the fields that come first within their groups, by the end of their names.
var fieldsInOrder = []string{"business_type", "first_name", "last_name", "dob.day", "email", "phone", "relationship.title", "address.line1", "address.postal_code", "address.city"}

func fieldPlace(name string) int {
	if at := slices.Index(fieldsInOrder, labelOf(name).ends); at >= 0 {
		return at
	}
	return len(fieldsInOrder)
}

// titleOf is the title of a group.
func (v *visit) titleOf(key string) string {
	titles := map[string]string{"business": "The business", "company": "The company", "individual": "You", "representative": "You", "owners": "Owners", "directors": "Directors",
		"executives": "Executives", "external_account": "Bank account", "tos_acceptance": "Agreement"}
	if r := v.find("person", key); r != nil {
		if name := strings.TrimSpace(r.object().String("first_name") + " " + r.object().String("last_name")); name != "" {
			return name
		}
		return "A person of the company"
	}
	return titles[key]
}
