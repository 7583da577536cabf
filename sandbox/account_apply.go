package sandbox

import (
	"maps"
	"net/url"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// layAccount lays parameters that were found right over the account and what belongs to it. The call is on the account's behalf.
func (c *call) layAccount(r *record, p *spec.Params) {
	d := c.dossier()
	o := r.object().Clone()
	for _, name := range []string{"business_type", "email", "default_currency"} {
		if p.Has(name) {
			o.Set(name, orNull(p.String(name)))
		}
	}
	if code := p.String("default_currency"); code != "" {
		c.standingToChange().Currency = strings.ToLower(code)
		o.Set("default_currency", strings.ToLower(code))
	}
	for _, name := range []string{"business_profile", "tos_acceptance"} {
		if sub := p.Sub(name); sub != nil {
			into := o.Sub(name).Clone()
			merge(into, sub)
			o.Set(name, into)
		}
	}
	if sub := p.Sub("settings"); sub != nil {
		o.Set("settings", mergedSettings(o.Sub("settings"), sub))
	}
	r.replace(o)
	c.applyCompany(d, p)
	c.applyIndividual(d, p)
	c.applyCapabilities(d, p)
	c.applyDocuments(d, p)
	c.nameDescriptors(r)
	d.clear(given(p, ""))
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// mergedSettings are settings with parameters laid over them, but for those of payouts, which are the standing's.
func mergedSettings(was *spec.Object, p *spec.Params) *spec.Object {
	o := was.Clone()
	payouts := o.Get("payouts")
	merge(o, p)
	if payouts != nil {
		o.Set("payouts", payouts)
	}
	return o
}

// applyCompany lays over what is said of the company.
func (c *call) applyCompany(d *dossier, p *spec.Params) {
	sub := p.Sub("company")
	if sub == nil {
		return
	}
	o := d.company()
	country := c.standing().Country
	merge(o, sub)
	c.fileTestPaper(o.Sub("verification").Sub("document"))
	addressIn(o, "address", country, sub.Has("address"))
	if sub.Has("tax_id") {
		d.TaxID = strings.ReplaceAll(sub.String("tax_id"), "-", "")
		o.Set("tax_id_provided", d.TaxID != "")
	}
	if sub.Has("vat_id") {
		d.VatID = sub.String("vat_id")
		o.Set("vat_id_provided", d.VatID != "")
	}
	d.keepCompany(o)
}

// addressIn gives an address that was said without its country that of the account.
func addressIn(o *spec.Object, field, country string, said bool) {
	if a := o.Sub(field); said && a != nil && a.String("country") == "" {
		o.Set(field, a.Clone().Set("country", country))
	}
}

// applyIndividual lays over what is said of the person that the account is.
func (c *call) applyIndividual(d *dossier, p *spec.Params) {
	if sub := p.Sub("individual"); sub != nil {
		r := c.individual()
		if r == nil {
			r = c.newPerson()
			r.object().Set("relationship", newRelationship().Set("representative", true))
			defer c.emit("person.created", r)
		}
		c.applyPerson(r, sub)
	}
}

// applyCapabilities takes down what is requested.
func (c *call) applyCapabilities(d *dossier, p *spec.Params) {
	for _, name := range p.Names("capabilities") {
		if p.Has("capabilities", name, "requested") {
			c.request(d, name, p.Bool("capabilities", name, "requested"))
		}
	}
	for _, name := range p.Strings("requested_capabilities") {
		c.request(d, name, true)
	}
	if len(d.Capability) == 0 { // of a new account
		for _, name := range c.asksFor(p, control{dashboard: d.Dashboard}) {
			c.request(d, name, true)
		}
	}
}

// request takes down that a capability is wanted, or is so no longer.
func (c *call) request(d *dossier, name string, wanted bool) {
	was, there := d.Capability[name]
	switch {
	case !there && !wanted, there && was.Wanted == wanted:
		return
	case wanted:
		d.Capability[name] = requested{Wanted: true, At: c.now().Unix(), Status: unrequested}
	default:
		d.Capability[name] = requested{Status: unrequested}
	}
}

// applyDocuments takes down the files of documents.
func (c *call) applyDocuments(d *dossier, p *spec.Params) {
	for _, name := range p.Names("documents") {
		if files := p.Strings("documents", name, "files"); len(files) > 0 {
			kept := maps.Clone(d.Documents)
			if kept == nil {
				kept = map[string][]string{}
			}
			kept[name] = files
			d.Documents = kept
		}
	}
}

// nameDescriptors gives an account a name on statements from that of its business, or of its website, unless it has one (recorded,
// October 2026: Chuck Bartowski is CHUCK BARTOWSKI and CHUCK BART, www.gumroad.com is GUMROAD.COM and Gumroad).
func (c *call) nameDescriptors(r *record) {
	o := r.object()
	name, _ := o.At("business_profile", "name").(string)
	shown := name
	if site, _ := o.At("business_profile", "url").(string); name == "" && site != "" {
		name = strings.TrimPrefix(hostOf(site), "www.")
		first, _, _ := strings.Cut(name, ".")
		shown = strings.ToUpper(first[:min(1, len(first))]) + first[min(1, len(first)):]
	}
	settings := o.Sub("settings").Clone()
	if shown != "" {
		settings.Sub("dashboard").Set("display_name", shown)
	}
	text := asDescriptor(name)
	if len(text) >= 5 && settings.Sub("payments").String("statement_descriptor") == "" {
		settings.Sub("payments").Set("statement_descriptor", text)
	}
	if len(text) >= 5 && settings.Sub("card_payments").String("statement_descriptor_prefix") == "" {
		settings.Sub("card_payments").Set("statement_descriptor_prefix", strings.TrimSpace(text[:min(len(text), 10)]))
	}
	o.Set("settings", settings)
}

// hostOf is the host of a website's address, with or without its scheme.
func hostOf(site string) string {
	if !strings.Contains(site, "://") {
		site = "https://" + site
	}
	if u, err := url.Parse(site); err == nil {
		return u.Hostname()
	}
	return ""
}

// asDescriptor is a name as it is written on statements: in capital letters, without what cannot be there, and cut to its bound.
func asDescriptor(name string) string {
	kept := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`<>\'"*`, r) {
			return -1
		}
		return r
	}, strings.ToUpper(name))
	return strings.TrimSpace(kept[:min(len(kept), 22)])
}
