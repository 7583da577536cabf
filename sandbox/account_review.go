package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// verificationTime is how long Stripe looks into what an account says (recorded: seconds).
const verificationTime = 3 * time.Second

// reviewLater looks at an account anew when something in it was to be found, or a deadline has passed.
func reviewLater(c *call, r *record, _ string) {
	if d := known[standing](r).Dossier; d == nil || r.gone || d.Appointed > c.now().Unix() {
		return // another look was arranged since
	}
	to := c.of(r.id)
	to.dossier().Appointed = 0
	to.reviewSince(r.object().Clone())
}

// reviewNew looks at a new account.
func (c *call) reviewNew() { c.reviewWith(nil, nil) }

// reviewSince looks at an account that was something else before this request, and tells of what has changed.
func (c *call) reviewSince(before *spec.Object) { c.reviewWith(before, nil) }

// reviewWith is reviewSince with what persons were before this request, where they were changed.
func (c *call) reviewWith(before *spec.Object, persons map[string]*spec.Object) {
	r, d := c.accountRecord(), c.dossier()
	f := c.facts(r, d)
	d.Checks = f.lookInto()
	f.Checks = d.Checks
	v := f.reckon()
	c.writePersons(f, v, persons)
	c.writeBanks(f, v)
	changed := c.writeCapabilities(f, v, d)
	c.writeAccount(r, f, v, d)
	for _, one := range changed {
		c.emit("capability.updated", one)
	}
	if before != nil {
		c.emitUpdated("account.updated", r, before)
	}
	if v.next != 0 && (d.Appointed == 0 || d.Appointed > v.next || d.Appointed <= f.Now) {
		d.Appointed = v.next
		c.home.at(time.Unix(v.next, 0).UTC(), "account.review", r)
	}
}

// facts gathers what is known of the account.
func (c *call) facts(r *record, d *dossier) *particulars {
	o := r.object()
	f := &particulars{Country: r.text("country"), Kind: o.String("business_type"), Hosted: d.Hosted, Submitted: d.Submitted, Ready: d.Established, Said: map[string]string{}, Has: map[string]string{},
		Wants: d.wanted(), Checks: d.Checks, Asked: d.Asked, Rejected: d.Rejected, Review: d.Review, Reached: d.Reached, Deadline: d.Deadline, Now: c.now().Unix()}
	for name, one := range d.Capability {
		f.Has[name] = one.Status
	}
	for _, name := range []string{"business_profile", "tos_acceptance", "settings"} {
		flatten(o.Sub(name), name+".", f.Said)
	}
	flatten(d.company(), "company.", f.Said)
	japanese(f.Said, "company.")
	f.say("business_type", f.Kind)
	f.say("company.tax_id", d.TaxID)
	f.say("company.vat_id", d.VatID)
	for name, files := range d.Documents {
		f.say("documents."+name+".files", strings.Join(files, " "))
	}
	f.Recipient = f.Said["tos_acceptance.service_agreement"] == "recipient"
	for _, one := range c.externalAccounts() {
		if !one.gone {
			f.say("external_account", one.id)
			f.Said["bank "+one.id] = known[bank](one).Number
		}
	}
	for _, one := range c.people() {
		f.Persons = append(f.Persons, c.personFacts(one))
	}
	c.nameFiles(f)
	return f
}

// japanese takes an address in kana or kanji for an address: the postal code says the city (recorded, September 2024).
func japanese(said map[string]string, prefix string) {
	for _, script := range []string{"address_kana.", "address_kanji."} {
		if said[prefix+script+"postal_code"] == "" {
			continue
		}
		for _, part := range []string{"postal_code", "city", "line1"} {
			if said[prefix+"address."+part] == "" {
				said[prefix+"address."+part] = cmp.Or(said[prefix+script+part], said[prefix+script+"town"], said[prefix+script+"postal_code"])
			}
		}
	}
}

func (f *particulars) say(field, value string) {
	if value != "" {
		f.Said[field] = value
	}
}

func (c *call) personFacts(r *record) personFacts {
	p := personFacts{ID: r.id, Said: map[string]string{}}
	flatten(r.object(), "", p.Said)
	japanese(p.Said, "")
	hidden := known[personal](r)
	for name, value := range map[string]string{"id_number": hidden.Number, "ssn_last_4": hidden.Last4} {
		if value != "" {
			p.Said[name] = value
		}
	}
	for _, role := range roles {
		if p.Said["relationship."+role] != "" {
			p.Roles = append(p.Roles, role)
		}
	}
	return p
}

// nameFiles adds to documents the names of their files, and says of a document that it is there when its front is.
func (c *call) nameFiles(f *particulars) {
	name := func(said map[string]string, field string) {
		if id := said[field+".front"]; id != "" {
			said[field] = id
			if file := c.findFile(id); file != nil {
				said[field] += " " + file.text("filename")
			}
		}
	}
	name(f.Said, "company.verification.document")
	for i := range f.Persons {
		name(f.Persons[i].Said, "verification.document")
		name(f.Persons[i].Said, "verification.additional_document")
	}
}

// lookInto begins to look into what was said anew, finds what is due by now, and forgets what is no longer said.
func (f *particulars) lookInto() map[string]check {
	all := map[string]check{}
	for name, said := range f.claims() {
		_, what := f.subject(name)
		one := f.Checks[name]
		if one.Of != said {
			one = check{Of: said, Due: f.Now + int64(verificationTime.Seconds())}
		}
		if !one.Done {
			of := looksInto[what](said)
			if of.Instant || one.Due <= f.Now {
				one = check{Of: said, Done: true, Found: of}
			}
		}
		all[name] = one
	}
	return all
}

// claims are what the account says that is looked into, by the names of the checks.
func (f *particulars) claims() map[string]string {
	all := map[string]string{}
	claim := func(name, said string) {
		if said != "" {
			all[name] = said
		}
	}
	for name, field := range map[string]string{"url": "business_profile.url", "description": "business_profile.product_description", "name": "business_profile.name",
		"descriptor": "settings.payments.statement_descriptor", "prefix": "settings.card_payments.statement_descriptor_prefix"} {
		claim(name, f.Said[field])
	}
	if entity(f.Kind) == "company" {
		claim("company.tax_id", f.Said["company.tax_id"])
		claim("company.name", f.Said["company.name"])
		claim("company.address", f.Said["company.address.line1"])
		claim("company.document", f.Said["company.verification.document"])
	}
	for _, field := range slices.Sorted(maps.Keys(f.Said)) {
		if id, is := strings.CutPrefix(field, "bank "); is && f.Said["documents.bank_account_ownership_verification.files"] == "" {
			claim(id+"/bank", f.Said[field])
		}
	}
	for i := range f.Persons {
		f.Persons[i].claims(claim)
	}
	return all
}

// claims are what is said of a person that is looked into: the identity once there is a name to the date of birth.
func (p *personFacts) claims(claim func(name, said string)) {
	if p.Said["first_name"] != "" && p.Said["last_name"] != "" && p.Said["dob.year"] != "" {
		number := p.Said["id_number"]
		if number == "" {
			number = p.Said["ssn_last_4"]
		}
		claim(p.ID+"/identity", strings.TrimSpace(p.birth()+" "+number))
	}
	claim(p.ID+"/address", p.Said["address.line1"])
	claim(p.ID+"/document", p.Said["verification.document"])
	claim(p.ID+"/additional_document", p.Said["verification.additional_document"])
	if slices.Contains(p.Roles, "director") {
		claim(p.ID+"/director", p.Said["first_name"])
	}
}

// birth is the date of birth as 1901-01-01.
func (p *personFacts) birth() string {
	two := func(text string) string {
		if len(text) == 1 {
			return "0" + text
		}
		return text
	}
	return p.Said["dob.year"] + "-" + two(p.Said["dob.month"]) + "-" + two(p.Said["dob.day"])
}
