package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// maxListItems is how many values a list holds (docs.stripe.com/radar/lists).
const maxListItems = 50_000

// valueLists are lists of e-mail addresses, cards, countries and the like, which rules name by their aliases.
var valueLists = &resource{
	Object:  "radar.value_list",
	Path:    "/v1/radar/value_lists",
	Prefix:  "rsl_",
	Noun:    "value list",
	Param:   "value_list",
	Plain:   []string{"name"},
	Takes:   []string{"alias", "item_type"},
	Create:  createValueList,
	Update:  updateValueList,
	Delete:  deleteValueList,
	Filters: []string{"alias"},
	Matches: map[string]func(*call, *record) bool{"contains": listContains},
	Find:    findValueList,
	Refresh: fillValueList,
	Others:  map[string]func(*call) (appender, error){"GET /v1/radar/value_lists": listValueLists},
}

// defaultList is a sort of value of which each account has two lists, one to allow and one to block.
type defaultList struct {
	alias, name string // without the ending
	itemType    string
	attribute   string // that the rules about these lists look at
}

// defaultLists are those that docs.stripe.com/radar/lists names, November 2026. The aliases are as public code has them; those of the
// two bank debits are made alike [U].
var defaultLists = []defaultList{
	{"card_bin", "Card BIN", "card_bin", "card_bin"},
	{"card_country", "Card country", "country", "card_country"},
	{"card_fingerprint", "Card fingerprint", "card_fingerprint", "card_fingerprint"},
	{"charge_description", "Charge description", "string", "charge_description"},
	{"client_ip_address", "Client IP address", "ip_address", "ip_address"},
	{"client_ip_country", "Client IP country", "country", "ip_country"},
	{"customer_id", "Customer ID", "customer_id", "customer"},
	{"email", "Email", "email", "email"},
	{"email_domain", "Email domain", "string", "email_domain"},
	{"sepa_debit_fingerprint", "SEPA Direct Debit fingerprint", "sepa_debit_fingerprint", "sepa_debit_fingerprint"},
	{"us_bank_account_fingerprint", "ACH fingerprint", "us_bank_account_fingerprint", "us_bank_account_fingerprint"},
}

// The endings of the default lists' aliases and names.
const (
	allowEnding = "_allowlist"
	blockEnding = "_blocklist"
)

// isDefaultList says whether an alias is that of a list that each account has.
func isDefaultList(alias string) bool {
	return slices.ContainsFunc(defaultLists, func(d defaultList) bool { return alias == d.alias+allowEnding || alias == d.alias+blockEnding })
}

// haveLists makes the default lists where the account has none yet: most worlds never ask for them. Nothing about them is random.
func (w *realm) haveLists() {
	if len(w.all("radar.value_list")) > 0 {
		return
	}
	born := w.accountRecord().created
	for _, d := range defaultLists {
		for _, ending := range []string{allowEnding, blockEnding} {
			name := d.name + " allow list"
			if ending == blockEnding {
				name = d.name + " block list"
			}
			sum := sha256.Sum256([]byte(w.account + d.alias + ending))
			id := "rsl_1" + string(base62(base62(nil, binary.BigEndian.Uint64(sum[:]), 10), binary.BigEndian.Uint64(sum[8:]), 10))
			r := &record{realm: w, resource: kinds["radar.value_list"], id: id, created: born, working: spec.New("radar.value_list")}
			r.working.Set("id", id).Set("created", born).Set("alias", d.alias+ending).Set("name", name).Set("item_type", d.itemType).
				Set("created_by", "Stripe").Set("metadata", map[string]string{})
			fillValueList(w, r)
			w.insert(r) // with its alias, by which this very request may look for it
		}
	}
}

// fillValueList shows the newest items of a list.
func fillValueList(w *realm, r *record) {
	all := w.having("radar.value_list_item", "value_list", r.id)
	data := []*spec.Object{}
	for i := len(all) - 1; i >= 0 && len(data) < defaultLimit; i-- {
		data = append(data, all[i].object().Clone())
	}
	r.object().Set("list_items", spec.New("list").Set("url", "/v1/radar/value_list_items?value_list="+r.id).Set("has_more", len(all) > len(data)).Set("data", data))
}

func listValueLists(c *call) (appender, error) {
	c.haveLists()
	return kinds["radar.value_list"].list(c)
}

func findValueList(c *call, id string) (*record, error) {
	c.haveLists()
	if r := c.find("radar.value_list", id); r != nil {
		return r, nil
	}
	return nil, kinds["radar.value_list"].notFound(id)
}

// listNamed is the list of an alias; nil where there is none.
func (w *realm) listNamed(alias string) *record {
	w.haveLists()
	for _, r := range w.having("radar.value_list", "alias", alias) {
		return r
	}
	return nil
}

// listContains says whether a list has the value that the request asks for.
func listContains(c *call, r *record) bool {
	return c.listed(r, c.params.String("contains"), false)
}

var aliasForm = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// checkAlias refuses an alias that no rule could name, and one that is taken. Stripe's own words are not public.
func (c *call) checkAlias(r *record) error {
	alias := c.params.String("alias")
	if !aliasForm.MatchString(alias) {
		return invalid("", "alias", "Invalid alias: %s. An alias consists of letters, digits, underscores and dashes.", alias)
	}
	if other := c.listNamed(alias); other != nil && other != r {
		return invalid("resource_already_exists", "alias", "A value list with the alias %s already exists.", alias)
	}
	return nil
}

func createValueList(c *call, r *record) error {
	if err := c.checkAlias(r); err != nil {
		return err
	}
	kind := "string"
	if c.params.Has("item_type") {
		kind = c.params.String("item_type")
	}
	r.object().Set("alias", c.params.String("alias")).Set("item_type", kind).Set("created_by", ownerEmail)
	fillValueList(c.realm, r)
	return nil
}

func updateValueList(c *call, r *record) error {
	was := r.text("alias")
	if isDefaultList(was) {
		return refused("", "", "The value list %s is a default list of Radar's: its items can be changed, but not the list itself.", r.id)
	}
	if !c.params.Has("alias") || c.params.String("alias") == was {
		return nil
	}
	if err := c.checkAlias(r); err != nil {
		return err
	}
	if rule := c.ruleNaming(was); rule != "" {
		return refused("", "alias", "The alias %s cannot be changed as long as the rule %s names it.", was, rule)
	}
	r.object().Set("alias", c.params.String("alias"))
	return nil
}

// deleteValueList takes the items along.
func deleteValueList(c *call, r *record) error {
	alias := r.text("alias")
	if isDefaultList(alias) {
		return refused("", "", "The value list %s is a default list of Radar's and cannot be deleted.", r.id)
	}
	if rule := c.ruleNaming(alias); rule != "" {
		return refused("", "", "The value list %s cannot be deleted as long as the rule %s names it.", r.id, rule)
	}
	for _, item := range slices.Clone(c.having("radar.value_list_item", "value_list", r.id)) {
		c.realm.remove(item)
	}
	return nil
}
