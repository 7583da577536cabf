package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// maxPersons bounds the persons of an account.
const maxPersons = 100

// persons belong to a connected account: whoever it is, represents, owns, directs or manages it.
var persons = &resource{
	Object:  "person",
	Path:    singleton,
	Prefix:  "person_",
	Param:   "person",
	Private: func() any { return new(personal) },
	Others: map[string]func(*call) (appender, error){
		"GET /v1/accounts/x_1/persons":        listPersons,
		"POST /v1/accounts/x_1/persons":       withToken("person", createPerson),
		"GET /v1/accounts/x_1/persons/x_1":    showPerson,
		"POST /v1/accounts/x_1/persons/x_1":   withToken("person", updatePerson),
		"DELETE /v1/accounts/x_1/persons/x_1": deletePerson,
		"GET /v1/accounts/x_1/people":         listPersons,
		"POST /v1/accounts/x_1/people":        withToken("person", createPerson),
		"GET /v1/accounts/x_1/people/x_1":     showPerson,
		"POST /v1/accounts/x_1/people/x_1":    withToken("person", updatePerson),
		"DELETE /v1/accounts/x_1/people/x_1":  deletePerson,
	},
}

// personal is what a person's object does not show.
type personal struct {
	Number    string `json:",omitempty"` // id_number
	Secondary string `json:",omitempty"`
	Last4     string `json:",omitempty"`
}

// roles of persons, as relationship has them and as requirements do.
var roles = []string{"representative", "owner", "director", "executive"}

// newRelationship is that of a person who has no role yet.
func newRelationship() *spec.Object {
	o := spec.New("person_relationship")
	for _, f := range []string{"authorizer", "director", "executive", "legal_guardian", "owner", "representative"} {
		o.Set(f, false)
	}
	return o.Set("percent_ownership", nil).Set("title", nil)
}

// newPerson makes a person of whom nothing is known yet.
func (c *call) newPerson() *record {
	r := c.record("person", c.newID("person_"))
	r.hidden = &personal{}
	o := r.object().Set("account", c.account).Set("relationship", newRelationship())
	o.Set("first_name", nil).Set("last_name", nil).Set("metadata", map[string]string{}).Set("id_number_provided", false).Set("ssn_last_4_provided", false)
	c.insert(r)
	return r
}

// applyPerson lays parameters over a person, which were found right.
func (c *call) applyPerson(r *record, p *spec.Params) {
	o, hidden, country := r.object().Clone(), private[personal](r), c.standing().Country
	merge(o, p)
	for _, name := range []string{"document", "additional_document"} {
		c.fileTestPaper(o.Sub("verification").Sub(name))
	}
	addressIn(o, "address", country, p.Has("address"))
	if text := p.String("phone"); text != "" {
		o.Set("phone", phoneOf(text, country))
	}
	for name, into := range map[string]*string{"id_number": &hidden.Number, "id_number_secondary": &hidden.Secondary, "ssn_last_4": &hidden.Last4} {
		if p.Has(name) {
			*into = strings.ReplaceAll(p.String(name), "-", "")
		}
	}
	if country == "US" && len(hidden.Number) == 9 && hidden.Last4 == "" {
		hidden.Last4 = hidden.Number[5:]
	}
	o.Set("id_number_provided", hidden.Number != "").Set("ssn_last_4_provided", hidden.Last4 != "")
	if hidden.Secondary != "" {
		o.Set("id_number_secondary_provided", true)
	}
	r.replace(o)
	_ = mergeMetadata(o, p) // its bound is looked at before
}

// people are the persons of the account, in order of making.
func (w *realm) people() (all []*record) {
	for r := range w.each("person") {
		all = append(all, r)
	}
	return all
}

// individual is the person that an account without a company is: its representative, or the first.
func (w *realm) individual() *record {
	all := w.people()
	if at := slices.IndexFunc(all, func(r *record) bool { return r.object().Sub("relationship").Bool("representative") }); at >= 0 {
		return all[at]
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// personsAccount is the account that the path names, where the platform may see its persons.
func (c *call) personsAccount() (*call, *record, error) {
	to, r, err := c.connectedRecord()
	if err != nil {
		return nil, nil, err
	}
	d := known[standing](r).Dossier
	switch {
	case d == nil:
		return nil, nil, unbuilt("%s for an account whose details the sandbox has made up", c.op)
	case !d.open():
		return nil, nil, noPermission("persons", r.id)
	}
	return to, r, nil
}

func listPersons(c *call) (appender, error) {
	to, _, err := c.personsAccount()
	if err != nil {
		return nil, err
	}
	return to.pageFrom(to.all("person"), "person", c.op.Path(), func(r *record) bool {
		for _, role := range c.params.Names("relationship") {
			if r.object().Sub("relationship").Bool(role) != c.params.Bool("relationship", role) {
				return false
			}
		}
		return true
	})
}

// namedPerson is the person that the path names after the account.
func (c *call) namedPerson() (*call, *record, error) {
	to, _, err := c.personsAccount()
	if err != nil {
		return nil, nil, err
	}
	r := to.find("person", c.path[1].Value)
	if r == nil {
		return nil, nil, kinds["person"].notFound(c.path[1].Value)
	}
	return to, r, nil
}

func showPerson(c *call) (appender, error) {
	to, r, err := c.namedPerson()
	if err != nil {
		return nil, err
	}
	return to.show(r)
}

// checkPersonParams refuses what cannot be so of a person, r being nil for a new one.
func (c *call) checkPersonParams(r *record) error {
	for _, name := range []string{"documents", "us_cfpb_data"} {
		if c.params.Has(name) {
			return unbuilt("the parameter %s of %s", name, c.op)
		}
	}
	if err := c.checkPerson(c.params, "", c.standing().Country); err != nil {
		return err
	}
	if c.params.Bool("relationship", "representative") {
		if has := c.individual(); has != nil && has != r && has.object().Sub("relationship").Bool("representative") {
			return invalid("", "relationship[representative]", "This account already has a representative: %s.", has.id)
		}
	}
	o := spec.New("person")
	if r != nil {
		o = r.object().Clone()
	}
	return mergeMetadata(o, c.params)
}

func createPerson(c *call) (appender, error) {
	to, account, err := c.personsAccount()
	if err != nil {
		return nil, err
	}
	r, err := to.addPerson(account)
	if err != nil {
		return nil, err
	}
	return to.show(r)
}

// addPerson makes a person as the request says.
func (c *call) addPerson(account *record) (*record, error) {
	if err := c.checkPersonParams(nil); err != nil {
		return nil, err
	}
	if c.count("person") >= maxPersons {
		return nil, refused("", "", "This account has %d persons already, which is the most that it can have.", maxPersons)
	}
	if account.text("business_type") == "individual" && c.individual() != nil {
		return nil, refused("", "", "An account with `business_type=individual` has one person.")
	}
	before := account.object().Clone()
	r := c.newPerson()
	c.applyPerson(r, c.params)
	c.dossier().clear(given(c.params, r.id+"."))
	c.emit("person.created", r)
	c.reviewSince(before)
	return r, nil
}

func updatePerson(c *call) (appender, error) {
	to, r, err := c.namedPerson()
	if err != nil {
		return nil, err
	}
	if err := to.changePerson(r); err != nil {
		return nil, err
	}
	return to.show(r)
}

// changePerson changes a person as the request says.
func (c *call) changePerson(r *record) error {
	if err := c.checkPersonParams(r); err != nil {
		return err
	}
	before, was := c.accountRecord().object().Clone(), r.object().Clone()
	c.applyPerson(r, c.params)
	c.dossier().clear(append(given(c.params, r.id+"."), given(c.params, "individual.")...))
	c.reviewWith(before, map[string]*spec.Object{r.id: was})
	return nil
}

// deletePerson removes a person. The representative stays while the account is in use.
func deletePerson(c *call) (appender, error) {
	to, r, err := c.namedPerson()
	if err != nil {
		return nil, err
	}
	account := to.accountRecord()
	if r.object().Sub("relationship").Bool("representative") && account.text("business_type") == "individual" {
		return nil, refused("", "", "You cannot delete the person %s, who is the account's individual.", r.id)
	}
	before := account.object().Clone()
	to.remove(r)
	to.emit("person.deleted", r)
	to.reviewSince(before)
	return r.stub(), nil
}
