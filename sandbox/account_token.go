package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// detailed are the parameters that a token of details stands for, and that do not go beside it.
var detailed = map[string][]string{
	"account": {"company", "individual", "business_type"},
	"person":  {"first_name", "last_name", "dob", "id_number", "address", "relationship"},
}

// withToken lets an operation take a token of details in place of the details: account_token, person_token. What was refused has not spent it.
func withToken(kind string, do handler) handler {
	return func(c *call) (appender, error) {
		token, err := c.spendDetails(kind)
		if err != nil {
			return nil, err
		}
		answer, err := do(c)
		if err != nil && token != nil {
			token.object().Set("used", false)
		}
		return answer, err
	}
}

// spendDetails puts in the place of a token what it stands for; nil is none.
func (c *call) spendDetails(kind string) (*record, error) {
	param := kind + "_token"
	id := c.params.String(param)
	if id == "" {
		return nil, nil
	}
	for _, name := range detailed[kind] {
		if c.params.Has(name) {
			return nil, exclusive(param, param, name)
		}
	}
	of := c
	if c.find("token", id) == nil {
		of = c.platform()
	}
	given, err := of.details(param, id, kind)
	if err != nil {
		return nil, err
	}
	var form []string
	for _, name := range c.params.Names() {
		if name != param {
			form = append(form, c.params.Form(name))
		}
	}
	for _, name := range given.Names() {
		if name != "tos_shown_and_accepted" {
			form = append(form, given.Form(name))
		}
	}
	if given.Bool("tos_shown_and_accepted") {
		form = append(form, "tos_acceptance[date]="+strconv.FormatInt(c.now().Unix(), 10), "tos_acceptance[ip]=127.0.0.1")
	}
	params, bad := c.op.Decode(strings.Join(slices.DeleteFunc(form, func(part string) bool { return part == "" }), "&"))
	if bad != nil {
		of.find("token", id).object().Set("used", false)
		return nil, fromSpec(bad)
	}
	c.params = params
	return of.find("token", id), nil
}
