package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox/spec"
)

// countrySpecs say what accounts of a country can do and have to tell. They are the same for everybody: nothing is stored.
var countrySpecs = &resource{
	Object: "country_spec",
	Path:   singleton,
	Others: map[string]func(*call) (appender, error){
		"GET /v1/country_specs":     listCountrySpecs,
		"GET /v1/country_specs/x_1": showCountrySpec,
	},
}

// countryRow is the row of a country; nil where Stripe has no accounts.
func countryRow(id string) *country {
	at, found := slices.BinarySearchFunc(countries, id, func(row country, id string) int { return strings.Compare(row.id, id) })
	if !found {
		return nil
	}
	return &countries[at]
}

func showCountrySpec(c *call) (appender, error) {
	row := countryRow(c.path[0].Value)
	if row == nil {
		return nil, kinds["country_spec"].notFound(c.path[0].Value)
	}
	return row.spec(), nil
}

func listCountrySpecs(c *call) (appender, error) {
	at := func(name string) (int, error) {
		id := c.params.String(name)
		i := slices.IndexFunc(countries, func(row country) bool { return row.id == id })
		if i < 0 && c.params.Has(name) {
			return 0, missingIn(name, "country_spec", id)
		}
		return i, nil
	}
	after, err := at("starting_after")
	if err != nil {
		return nil, err
	}
	before, err := at("ending_before")
	if err != nil {
		return nil, err
	}
	rows, limit := countries[after+1:], c.limit()
	more := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	if before >= 0 {
		rows, more = countries[max(before-limit, 0):before], before > limit
	}
	p := &page{object: "list", more: more, url: "/v1/country_specs", total: -1}
	for i := range rows {
		p.data = append(p.data, rows[i].spec())
	}
	return p, nil
}

// spec is a country's row as Stripe shows it.
func (row *country) spec() *spec.Object {
	o := spec.New("country_spec").Set("id", row.id).Set("default_currency", row.currency)
	o.Set("supported_bank_account_currencies", row.banks()).Set("supported_payment_currencies", row.currencies())
	methods := []string{"card", "stripe"}
	if row.id == "US" {
		methods = []string{"ach", "card", "stripe"}
	}
	o.Set("supported_payment_methods", methods).Set("supported_transfer_countries", row.transfers())
	fields := func(all []string) *spec.Object {
		return spec.New("country_spec_verification_field_details").Set("additional", []string{}).Set("minimum", row.fields(all))
	}
	return o.Set("verification_fields", spec.New("country_spec_verification_fields").Set("company", fields(companyFields)).Set("individual", fields(individualFields)))
}

// banks are the currencies of bank accounts that can be paid out to, with the countries in which these may be.
func (row *country) banks() map[string]any {
	banks := map[string]any{row.currency: []string{row.id}}
	if row.area == europe {
		banks["eur"] = strings.Fields(euroBanks)
		for _, local := range []string{"dkk DK", "gbp GB", "nok NO", "sek SE", "usd US"} {
			banks[local[:3]] = []string{local[4:]}
		}
	}
	return banks
}

// currencies are those in which an account can be paid.
func (row *country) currencies() []string {
	if row.local {
		return []string{row.currency}
	}
	all := []string{"usd"}
	for _, c := range money.Currencies() {
		if code := c.Lower(); code != "usd" {
			all = append(all, code)
		}
	}
	return all
}

// transfers are the countries to whose accounts an account of the country can transfer.
func (row *country) transfers() []string {
	switch {
	case row.id == "US":
		return strings.Fields(transfersOfUS)
	case row.area == europe || row.id == "CA":
		all := []string{row.id}
		for i := range countries {
			if other := &countries[i]; other.id != row.id && (other.area == europe || other.id == "CA" || other.id == "US") {
				all = append(all, other.id)
			}
		}
		return all
	default:
		return []string{row.id}
	}
}

// fields are what has to be told, as in the United States but for what only that country asks.
func (row *country) fields(all []string) (left []string) {
	for _, name := range all {
		american := strings.HasSuffix(name, ".ssn_last_4") || strings.HasSuffix(name, ".id_number")
		state := strings.HasSuffix(name, ".state") && !row.states
		if row.id == "US" || !american && !state {
			left = append(left, name)
		}
	}
	return left
}
