package sandbox

import (
	"net/netip"
	"regexp"
	"strings"
)

// valueListItems are the values in lists.
var valueListItems = &resource{
	Object:  "radar.value_list_item",
	Path:    "/v1/radar/value_list_items",
	Prefix:  "rsli_",
	Noun:    "value list item",
	Param:   "item",
	Takes:   []string{"value", "value_list"},
	Create:  createListItem,
	Delete:  none,
	Filters: []string{"value_list"},
	Matches: map[string]func(*call, *record) bool{"value": valueLike},
	Keys:    map[string]func(*record) string{"entry": entryOf},
	Others:  map[string]func(*call) (appender, error){"GET /v1/radar/value_list_items": listListItems},
}

// entryOf is what an item is found by: its list, and its value in lower case.
func entryOf(r *record) string { return entry(r.text("value_list"), r.text("value")) }

func entry(list, value string) string { return list + " " + strings.ToLower(value) }

// caseMatters says whether values of a type differ by case.
func caseMatters(itemType string) bool {
	return itemType == "case_sensitive_string" || strings.HasSuffix(itemType, "_fingerprint")
}

// listed says whether a list holds a value; exact is whether case matters of what asks, if it does not of the list.
func (w *realm) listed(list *record, value string, exact bool) bool {
	exact = exact || caseMatters(list.text("item_type"))
	for _, item := range w.having("radar.value_list_item", "entry", entry(list.id, value)) {
		if !exact || item.text("value") == value {
			return true
		}
	}
	return false
}

// valueLike is Stripe's search in a list: any value that has the text in it.
func valueLike(c *call, r *record) bool {
	return strings.Contains(strings.ToLower(r.text("value")), strings.ToLower(c.params.String("value")))
}

func listListItems(c *call) (appender, error) {
	id := c.params.String("value_list")
	c.haveLists()
	if c.find("radar.value_list", id) == nil {
		return nil, missingIn("value_list", "value list", id)
	}
	return kinds["radar.value_list_item"].list(c)
}

func createListItem(c *call, r *record) error {
	id := c.params.String("value_list")
	c.haveLists()
	list := c.find("radar.value_list", id)
	if list == nil {
		return missingIn("value_list", "value list", id)
	}
	kind, value := list.text("item_type"), strings.TrimSpace(c.params.String("value"))
	if kind == "country" {
		value = upper(value)
	}
	if form := itemForms[kind]; !form.fits(value) {
		return invalid("", "value", "Invalid value for a list of the type %s: %s. Expected %s.", kind, value, form.is)
	}
	if c.listed(list, value, false) {
		return invalid("resource_already_exists", "value", "The value list %s already contains the value %s.", id, value)
	}
	if len(c.having("radar.value_list_item", "value_list", id)) >= maxListItems {
		return refused("", "value_list", "The value list %s holds %d items already, the most that a list can.", id, maxListItems)
	}
	c.describeItem(r, list, value, ownerEmail)
	return nil
}

// describeItem fills a new item in. From then on payments are held against the lists.
func (c *call) describeItem(r, list *record, value, by string) {
	r.object().Set("value", value).Set("value_list", list.id).Set("created_by", by)
	c.watchful()
}

// itemForm is how the values of a type of lists look.
type itemForm struct {
	is    string // as a message says it
	form  *regexp.Regexp
	check func(string) bool
}

func (f itemForm) fits(value string) bool {
	return value != "" && (f.form == nil || f.form.MatchString(value)) && (f.check == nil || f.check(value))
}

// itemForms are as docs.stripe.com/radar/lists describes them, November 2026; how strictly Stripe checks is not public.
var itemForms = map[string]itemForm{
	"account":                     {is: "the id of an account, acct_…", form: regexp.MustCompile(`^acct_[0-9A-Za-z]+$`)},
	"card_bin":                    {is: "the first six digits of a card's number", form: regexp.MustCompile(`^[0-9]{6,8}$`)},
	"card_fingerprint":            fingerprintForm,
	"case_sensitive_string":       textForm,
	"country":                     {is: "a country's code of two letters", form: regexp.MustCompile(`^[A-Z]{2}$`)},
	"crypto_fingerprint":          fingerprintForm,
	"customer_id":                 {is: "the id of a customer, cus_…", form: regexp.MustCompile(`^cus_[0-9A-Za-z]+$`)},
	"email":                       {is: "an email address", form: regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)},
	"ip_address":                  {is: "an IP address", check: isAddress},
	"sepa_debit_fingerprint":      fingerprintForm,
	"string":                      textForm,
	"us_bank_account_fingerprint": fingerprintForm,
}

var (
	fingerprintForm = itemForm{is: "a fingerprint, of letters and digits", form: regexp.MustCompile(`^[0-9A-Za-z]+$`)}
	textForm        = itemForm{is: "a text"}
)

func isAddress(value string) bool {
	_, err := netip.ParseAddr(value)
	return err == nil
}

// mark puts the card and the e-mail address of a charge that was fraud on the default block lists (docs.stripe.com/radar/lists). What
// is there already stays.
func (c *call) mark(ch *record) {
	s := c.screening(ch)
	for _, one := range []struct{ alias, value string }{{"card_fingerprint", s.keyOf("card", s.paid)}, {"email", s.keyOf("email", s.paid)}} {
		list := c.listNamed(one.alias + blockEnding)
		if one.value == "" || list == nil || c.listed(list, one.value, false) || len(c.having("radar.value_list_item", "value_list", list.id)) >= maxListItems {
			continue
		}
		r := c.newRecord(kinds["radar.value_list_item"])
		c.describeItem(r, list, one.value, "Stripe")
		c.insert(r)
	}
}
