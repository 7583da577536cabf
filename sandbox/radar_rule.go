package sandbox

import (
	"strings"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox/radar"
)

// radarRules are an account's rules. At Stripe they are written in the Dashboard; here the control API stands in for it.
var radarRules = &resource{
	Object:  "rule",
	Path:    singleton,
	Prefix:  "ssr_",
	Private: func() any { return new(radarRule) },
}

// radarRule is a rule beyond what the outcome of a charge shows of it.
type radarRule struct {
	Text    string
	Off     bool
	Matches int64 // the payments that it has acted on
}

// rules is every rule of the account, the built-in ones first. They are made when something first asks for them.
func (c *call) rules() []*record {
	if len(c.all("rule")) == 0 {
		for _, b := range builtIns() {
			r := c.establish("rule", b.id, &radarRule{Text: b.text, Off: b.off})
			r.created = c.accountRecord().created
			c.describeRule(r, b.text)
		}
	}
	return c.all("rule")
}

// describeRule writes a rule, which makes sense, into its record.
func (c *call) describeRule(r *record, text string) {
	rule, _ := c.parse(text)
	private[radarRule](r).Text = text
	r.object().Set("id", r.id).Set("action", rule.Action.Name()).Set("predicate", rule.Predicate())
}

// readRule reads a rule and checks it against the account: its lists have to be there, and its currencies.
func (c *call) readRule(text string) (*radar.Rule, string) {
	rule, err := c.parse(text)
	if err != nil {
		return nil, strings.Replace("The rule is wrong "+err.Error()+".", "?.", "?", 1)
	}
	for _, alias := range rule.Aliases() {
		if c.listNamed(alias) == nil {
			return nil, "There is no value list with the alias " + alias + ". POST /v1/radar/value_lists makes one."
		}
	}
	wrong := ""
	rule.Operands(func(o radar.Operand) {
		if o.Attribute != nil && o.Family == "amount" {
			if _, err := money.ParseCurrency(strings.ToUpper(o.Parts[0])); err != nil {
				wrong = "There is no currency " + o.Parts[0] + "."
			}
		}
	})
	return rule, wrong
}

// ruleNaming is the id of a rule that names a list; empty where there is none.
func (c *call) ruleNaming(alias string) string {
	for _, r := range c.all("rule") {
		if r.gone {
			continue
		}
		rule, err := c.parse(known[radarRule](r).Text)
		if err != nil {
			continue
		}
		for _, named := range rule.Aliases() {
			if named == alias {
				return r.id
			}
		}
	}
	return ""
}

// activeRule is a rule that is on, ready to be held against payments.
type activeRule struct {
	*radar.Rule
	record *record
}

// activeRules are the rules that are on and that the account's plan has.
func (c *call) activeRules() (all []activeRule) {
	plain := c.risk().NoTeams
	for _, r := range c.rules() {
		state := known[radarRule](r)
		b, own := builtInCalled(r.id)
		if r.gone || state.Off || plain && (b.teams || !own) {
			continue
		}
		if rule, err := c.parse(state.Text); err == nil {
			all = append(all, activeRule{rule, r})
		}
	}
	return all
}

// acted counts a payment that the rule has acted on.
func (a activeRule) acted() { private[radarRule](a.record).Matches++ }
