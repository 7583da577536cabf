package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// The sources of a customer: cards in their older form, each a payment method of which the id begins with card_ and which can be used as
// one, US bank accounts (ba_), and Source objects (src_).

var sourceOperations = map[string]func(*call) (appender, error){
	"POST /v1/customers/x_1/sources":                  addSource,
	"GET /v1/customers/x_1/sources":                   listSources,
	"GET /v1/customers/x_1/sources/x_1":               showSource,
	"POST /v1/customers/x_1/sources/x_1":              updateSource,
	"DELETE /v1/customers/x_1/sources/x_1":            deleteSource,
	"POST /v1/customers/x_1/sources/x_1/verify":       verifyBank,
	"POST /v1/customers/x_1/cards":                    addSource,
	"GET /v1/customers/x_1/cards":                     listCards,
	"GET /v1/customers/x_1/cards/x_1":                 showSource,
	"POST /v1/customers/x_1/cards/x_1":                updateSource,
	"DELETE /v1/customers/x_1/cards/x_1":              deleteSource,
	"POST /v1/customers/x_1/bank_accounts":            addSource,
	"GET /v1/customers/x_1/bank_accounts":             listBanks,
	"GET /v1/customers/x_1/bank_accounts/x_1":         showSource,
	"POST /v1/customers/x_1/bank_accounts/x_1":        updateSource,
	"DELETE /v1/customers/x_1/bank_accounts/x_1":      deleteSource,
	"POST /v1/customers/x_1/bank_accounts/x_1/verify": verifyBank,
}

// sourceKinds are the kinds of records that can be a customer's sources.
var sourceKinds = []string{"payment_method", "bank_account", "source"}

func isSource(r *record) bool {
	return r.resource.Object != "payment_method" || strings.HasPrefix(r.id, "card_")
}

// sourceByID is the source of an id, whoever's it is; nil is none.
func (c *call) sourceByID(id string) *record {
	if r := c.byID[id]; r != nil && !r.gone && slices.Contains(sourceKinds, r.resource.Object) && isSource(r) {
		return r
	}
	return nil
}

// sourceOf is the source of an id if it is the customer's; nil is none.
func (c *call) sourceOf(customer *record, id string) *record {
	if r := c.sourceByID(id); r != nil && r.text("customer") == customer.id {
		return r
	}
	return nil
}

// sourcesOf are a customer's, the default first.
func (c *call) sourcesOf(customer *record) (all []*record) {
	first := customer.object().String("default_source")
	for _, kind := range sourceKinds {
		for _, r := range c.having(kind, "customer", customer.id) {
			if isSource(r) && !r.gone && r.text("customer") == customer.id {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b *record) int {
		switch {
		case a.id == first:
			return -1
		case b.id == first:
			return 1
		}
		return cmp.Compare(a.order, b.order)
	})
	return all
}

// asSource is a source as customers show it.
func (r *record) asSource() *spec.Object {
	if r.resource.Object == "payment_method" {
		return r.asCard()
	}
	return r.object().Clone()
}

// newSource makes the source that a parameter stands for, for a customer.
func (c *call) newSource(customer *record, name string) (*record, error) {
	switch {
	case c.namesBank(name):
		return c.newBankSource(customer, name)
	case c.namesAlipay(name):
		return c.newAlipay(name)
	}
	if id := c.params.String(name); strings.HasPrefix(id, "src_") {
		return c.attachable(id)
	}
	r, err := c.readSource(name)
	if err != nil {
		return nil, err
	}
	if err := c.validateCard(r); err != nil {
		return nil, err
	}
	r.object().Set("customer", customer.id)
	passChecks(r)
	return r, nil
}

// keepSource stores and announces a customer's new source.
func (c *call) keepSource(customer, r *record, first bool) {
	c.keep(r)
	r.object().Set("customer", customer.id)
	switch r.resource.Object {
	case "payment_method":
		c.renewLater(r)
	case "bank_account":
		c.depositLater(r)
	}
	if first || customer.object().String("default_source") == "" {
		customer.object().Set("default_source", r.id)
	}
	c.emitSource("created", r)
}

// emitSource announces what has happened to a source, a card in its older form.
func (c *call) emitSource(what string, r *record) {
	c.emit("customer.source."+what, c.cardRecord(r))
}

// emitSourceUpdated announces a change of a source, a card in its older form, with the old values.
func (c *call) emitSourceUpdated(r *record, before *spec.Object) {
	c.emitUpdated("customer.source.updated", c.cardRecord(r), before)
}

// cardRecord is a card in its older form, as events are about it; it is not stored. Other sources have one form only.
func (c *call) cardRecord(r *record) *record {
	if r.resource.Object != "payment_method" {
		return r
	}
	return &record{realm: c.realm, resource: kinds["card"], id: r.id, created: r.created, working: r.asCard()}
}

// sourceParam is the name under which an older or a newer client gives a source.
func (c *call) sourceParam() string {
	for _, name := range []string{"card", "bank_account", "alipay_account"} {
		if c.params.Has(name) {
			return name
		}
	}
	return "source"
}

func addSource(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	name := c.sourceParam()
	if !c.params.Has(name) {
		return nil, invalid("parameter_missing", "source", "Missing required param: source.")
	}
	r, err := c.newSource(customer, name)
	if err != nil {
		return nil, err
	}
	if err := c.fillMetadata(r.object()); err != nil {
		return nil, err
	}
	c.keepSource(customer, r, false)
	return r.asSource(), nil
}

func listSources(c *call) (appender, error) {
	return c.listKind(c.params.String("object"), "sources")
}

// listCards and listBanks are the lists of one kind, which is older than that of all.
func listCards(c *call) (appender, error) { return c.listKind("card", "cards") }
func listBanks(c *call) (appender, error) { return c.listKind("bank_account", "bank_accounts") }

// listKind is a page of a customer's sources of a kind, or of all.
func (c *call) listKind(kind, path string) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	var all []*record
	for _, r := range c.sourcesOf(customer) {
		is := r.resource.Object
		switch {
		case is == "payment_method":
			is = "card"
		case strings.HasPrefix(r.id, alipayID):
			is = "alipay_account"
		}
		if kind == "" || is == kind {
			all = append(all, r)
		}
	}
	return c.pageOfSources(all, "/v1/customers/"+customer.id+"/"+path)
}

// pageOfSources is the page that the request asks for of sources in the order in which they are shown.
func (c *call) pageOfSources(all []*record, url string) (appender, error) {
	at := func(name string) int {
		return slices.IndexFunc(all, func(r *record) bool { return r.id == c.params.String(name) })
	}
	more, limit := false, c.limit()
	switch after, before := at("starting_after"), at("ending_before"); {
	case c.params.Has("starting_after") && after < 0:
		return nil, missingIn("starting_after", "source", c.params.String("starting_after"))
	case c.params.Has("ending_before") && before < 0:
		return nil, missingIn("ending_before", "source", c.params.String("ending_before"))
	case before >= 0: // the nearest before it
		all, more = all[max(before-limit, 0):before], before > limit
	default:
		all = all[after+1:]
		more = len(all) > limit
		all = all[:min(limit, len(all))]
	}
	return shownSources(all, more, url), nil
}

// sourcePage is the beginning of the list of a customer's sources, as the customer shows it.
func (c *call) sourcePage(customer *record) *spec.Object {
	all := c.sourcesOf(customer)
	return shownSources(all[:min(defaultLimit, len(all))], len(all) > defaultLimit, "/v1/customers/"+customer.id+"/sources")
}

func shownSources(all []*record, more bool, url string) *spec.Object {
	data := []*spec.Object{}
	for _, r := range all {
		data = append(data, r.asSource())
	}
	return spec.New("list").Set("url", url).Set("has_more", more).Set("data", data)
}

// namedSource finds the customer and the source that the path names.
func (c *call) namedSource() (customer, r *record, err error) {
	if customer, err = c.named("customer"); err != nil {
		return nil, nil, err
	}
	id := c.path[1].Value
	if r = c.sourceOf(customer, id); r == nil {
		return nil, nil, &apiError{status: http.StatusNotFound, kind: invalidRequest, code: "resource_missing", param: "id", message: "No such source: '" + id + "'"}
	}
	return customer, r, nil
}

func showSource(c *call) (appender, error) {
	_, r, err := c.namedSource()
	if err != nil {
		return nil, err
	}
	return r.asSource(), nil
}

func updateSource(c *call) (appender, error) {
	_, r, err := c.namedSource()
	if err != nil {
		return nil, err
	}
	before := r.asSource()
	change := map[string]func(*call, *record) error{"payment_method": (*call).changeCard, "bank_account": (*call).changeBank, "source": (*call).changeSourceOf}[r.resource.Object]
	if err := c.changing(r, func() error { return change(c, r) }); err != nil {
		return nil, err
	}
	c.emitSourceUpdated(r, before)
	return r.asSource(), nil
}

// changeCard changes a card as the parameters of an update want it.
func (c *call) changeCard(r *record) error {
	exp := r.object().Sub("card").Clone()
	for _, name := range []string{"exp_month", "exp_year"} {
		if c.params.Has(name) {
			exp.Set(name, wholeNumber(c.params, name))
		}
	}
	if err := c.checkExpiry(exp.Int("exp_month"), exp.Int("exp_year")); err != nil {
		return err
	}
	if err := c.fillMetadata(r.object()); err != nil {
		return err
	}
	addressOfCard(r.object().Set("card", exp), c.params)
	return nil
}

func deleteSource(c *call) (appender, error) {
	customer, r, err := c.namedSource()
	if err != nil {
		return nil, err
	}
	c.dropSource(r)
	if customer.object().String("default_source") == r.id {
		customer.object().Set("default_source", nil)
		for _, other := range c.sourcesOf(customer) {
			if other.id != r.id {
				customer.object().Set("default_source", other.id)
				break
			}
		}
	}
	kind := r.resource.Object
	switch kind {
	case "source":
		return r, nil
	case "payment_method":
		kind = "card"
	}
	return spec.New("deleted_"+kind).Set("id", r.id).Set("deleted", true), nil
}

// dropSource takes a source from its customer for good.
func (c *call) dropSource(r *record) {
	c.emitSource("deleted", r)
	switch r.resource.Object {
	case "bank_account":
		c.remove(r)
		return
	case "source":
		c.detachSource(r)
		return
	}
	r.object().Set("customer", nil)
	private[instrument](r).Detached = true
}
