package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// The cards of a customer in their older form. Each is a payment method of which the id begins with card_, and can be used as one.

var sourceOperations = map[string]func(*call) (appender, error){
	"POST /v1/customers/x_1/sources":       addSource,
	"GET /v1/customers/x_1/sources":        listSources,
	"GET /v1/customers/x_1/sources/x_1":    showSource,
	"POST /v1/customers/x_1/sources/x_1":   updateSource,
	"DELETE /v1/customers/x_1/sources/x_1": deleteSource,
	"POST /v1/customers/x_1/cards":         addSource,
	"GET /v1/customers/x_1/cards":          listSources,
	"GET /v1/customers/x_1/cards/x_1":      showSource,
	"POST /v1/customers/x_1/cards/x_1":     updateSource,
	"DELETE /v1/customers/x_1/cards/x_1":   deleteSource,
}

func isSource(r *record) bool { return strings.HasPrefix(r.id, "card_") }

// sourcesOf are a customer's, the default first.
func (c *call) sourcesOf(customer *record) (all []*record) {
	first := customer.object().String("default_source")
	if r := c.find("payment_method", first); r != nil {
		all = append(all, r)
	}
	for _, r := range c.having("payment_method", "customer", customer.id) {
		if isSource(r) && r.id != first {
			all = append(all, r)
		}
	}
	return all
}

// newSource gives a customer the card that a parameter stands for.
func (c *call) newSource(customer *record, name string) (*record, error) {
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

// keepSource stores and announces a customer's new card.
func (c *call) keepSource(customer, r *record, first bool) {
	c.insert(r)
	c.renewLater(r)
	if first || customer.object().String("default_source") == "" {
		customer.object().Set("default_source", r.id)
	}
	c.emitSource("created", r)
}

// emitSource announces what has happened to a card, in its older form.
func (c *call) emitSource(what string, r *record) {
	c.emit("customer.source."+what, c.cardRecord(r))
}

// emitSourceUpdated announces a change of a card, in its older form, with the old values.
func (c *call) emitSourceUpdated(r *record, before *spec.Object) {
	c.emitUpdated("customer.source.updated", c.cardRecord(r), before)
}

// cardRecord is a card in its older form, as events are about it; it is not stored.
func (c *call) cardRecord(r *record) *record {
	return &record{realm: c.realm, resource: kinds["card"], id: r.id, created: r.created, working: r.asCard()}
}

// sourceParam is the name under which an older or a newer client gives a card.
func (c *call) sourceParam() string {
	if c.params.Has("card") {
		return "card"
	}
	return "source"
}

func addSource(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"bank_account", "alipay_account"} {
		if c.params.Has(name) {
			return nil, unbuilt("the parameter %s of %s", name, c.op)
		}
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
	return r.asCard(), nil
}

func listSources(c *call) (appender, error) {
	customer, err := c.named("customer")
	if err != nil {
		return nil, err
	}
	if kind := c.params.String("object"); kind != "" && kind != "card" {
		return c.pageOf(nil, false, "/v1/customers/"+customer.id+"/sources"), nil
	}
	if c.params.Has("ending_before") {
		return nil, unbuilt("the parameter ending_before of %s", c.op)
	}
	return c.sourcePage(customer, c.limit()), nil
}

// sourcePage is the list of a customer's cards, from its beginning or from after the card that the request names.
func (c *call) sourcePage(customer *record, limit int) *spec.Object {
	all := c.sourcesOf(customer)
	if after := slices.IndexFunc(all, func(r *record) bool { return r.id == c.params.String("starting_after") }); after >= 0 {
		all = all[after+1:]
	}
	data := []*spec.Object{}
	for _, r := range all[:min(limit, len(all))] {
		data = append(data, r.asCard())
	}
	return spec.New("list").Set("url", "/v1/customers/"+customer.id+"/sources").Set("has_more", len(all) > limit).Set("data", data)
}

// namedSource finds the customer and the card that the path names.
func (c *call) namedSource() (customer, r *record, err error) {
	if customer, err = c.named("customer"); err != nil {
		return nil, nil, err
	}
	id := c.path[1].Value
	r = c.find("payment_method", id)
	if r == nil || !isSource(r) || r.object().String("customer") != customer.id {
		return nil, nil, &apiError{status: http.StatusNotFound, kind: invalidRequest, code: "resource_missing", param: "id", message: "No such source: '" + id + "'"}
	}
	return customer, r, nil
}

func showSource(c *call) (appender, error) {
	_, r, err := c.namedSource()
	if err != nil {
		return nil, err
	}
	return r.asCard(), nil
}

func updateSource(c *call) (appender, error) {
	_, r, err := c.namedSource()
	if err != nil {
		return nil, err
	}
	before, exp := r.asCard(), r.object().Sub("card").Clone()
	for _, name := range []string{"exp_month", "exp_year"} {
		if c.params.Has(name) {
			exp.Set(name, wholeNumber(c.params, name))
		}
	}
	if err := c.checkExpiry(exp.Int("exp_month"), exp.Int("exp_year")); err != nil {
		return nil, err
	}
	if err := c.fillMetadata(r.object()); err != nil {
		return nil, err
	}
	addressOfCard(r.object().Set("card", exp), c.params)
	c.emitSourceUpdated(r, before)
	return r.asCard(), nil
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
	return spec.New("deleted_card").Set("id", r.id).Set("deleted", true), nil
}

// dropSource takes a card from its customer for good.
func (c *call) dropSource(r *record) {
	c.emitSource("deleted", r)
	r.object().Set("customer", nil)
	private[instrument](r).Detached = true
}
