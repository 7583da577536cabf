package sandbox

import (
	"strings"
	"sync"

	"github.com/till-pay/till/sandbox/radar"
)

// builtIn is a rule that each account has, and can only switch.
type builtIn struct {
	id      string
	text    string
	off     bool     // at first
	teams   bool     // with Radar for Fraud Teams alone
	decline *decline // of what it blocks
	since   string   // as of which month it is known so
	source  string
}

// highRiskRule is the rule that blocks by risk alone.
const highRiskRule = "block_if_high_risk"

// builtIns are the rules of docs.stripe.com/radar/rules, in the order in which Radar goes through them. Of the ids one is known, from
// recorded charges; the others are made alike [U].
var builtIns = sync.OnceValue(func() []builtIn {
	const known, likely = "docs.stripe.com/radar/rules", "docs.stripe.com/radar/rules; the id is likely [U]"
	return []builtIn{
		{id: "request_3d_secure_if_required", text: "Request 3D Secure if :card_3d_secure_support: = 'required'", off: true, since: "2026-11", source: likely},
		{id: "request_3d_secure_if_recommended", text: "Request 3D Secure if :card_3d_secure_support: = 'recommended'", off: true, since: "2026-11", source: likely},
		{id: "request_3d_secure_if_optional", text: "Request 3D Secure if :card_3d_secure_support: = 'optional'", off: true, since: "2026-11", source: likely},
		{id: "allow_if_in_allowlist", text: "Allow if " + anyDefaultList(allowEnding), since: "2026-11", source: likely},
		{id: highRiskRule, text: "Block if :risk_level: = 'highest'", decline: fraudulent, since: "2026-11", source: known + "; recorded charges, 2020 to 2026"},
		{id: "block_if_in_blocklist", text: "Block if " + anyDefaultList(blockEnding), decline: onBlockList, since: "2026-11", source: likely},
		{id: "block_if_cvc_check_fails", text: "Block if :cvc_check: = 'fail'", off: true, decline: cvcBlocked, since: "2026-11", source: likely},
		{id: "block_if_postal_code_check_fails", text: "Block if :address_zip_check: = 'fail'", off: true, decline: zipBlocked, since: "2026-11", source: likely},
		{id: "review_if_elevated_risk", text: "Review if :risk_level: = 'elevated'", teams: true, since: "2026-11", source: likely},
	}
})

// anyDefaultList is the condition that a payment is on one of the default lists.
func anyDefaultList(ending string) string {
	any := make([]string, len(defaultLists))
	for i, d := range defaultLists {
		any[i] = ":" + d.attribute + ": IN @" + d.alias + ending
	}
	return strings.Join(any, " OR ")
}

// The refusals of what rules block: of those about lists and checks by the decline codes that Stripe has for them, of all others as
// of high risk. The message for a postal code is Stripe's of 2015 to 2026.
var (
	onBlockList = &decline{code: "card_declined", declineCode: "merchant_blacklist", message: "Your card was declined."}
	cvcBlocked  = &decline{code: "incorrect_cvc", declineCode: "incorrect_cvc", param: "cvc", message: "Your card's security code is incorrect."}
	zipBlocked  = &decline{code: "incorrect_zip", declineCode: "incorrect_zip", param: "address_zip",
		message: "Your card could not be authorized using the postal code provided. Please update the postal code, or contact your card issuer for further details."}
)

// builtInCalled is the built-in rule of an id; false where it is one of the account's own.
func builtInCalled(id string) (builtIn, bool) {
	for _, b := range builtIns() {
		if b.id == id {
			return b, true
		}
	}
	return builtIn{}, false
}

// riskSettings are what an account has chosen of Radar.
type riskSettings struct {
	Elevated int64 // the least score of elevated risk, 0 to 100
	Highest  int64 // the least score of the highest risk
	NoTeams  bool  // without Radar for Fraud Teams: no rules of one's own, no reviews by rule, no score and rule in outcomes
	Setups   bool  // the rules look at SetupIntents too
}

// firstRisk are the settings of an account that has changed nothing.
var firstRisk = riskSettings{Elevated: 65, Highest: 75}

// risk is what the account has chosen, or what it began with.
func (w *realm) risk() riskSettings {
	if s := w.standing().Radar; s != nil {
		return *s
	}
	return firstRisk
}

// watchful has payments go through the rules from now on. Before, only those with a card of high risk do, since nothing else could match.
func (w *realm) watchful() *riskSettings {
	if w.standing().Radar == nil {
		first := firstRisk
		w.standingToChange().Radar = &first
	}
	return w.standingToChange().Radar
}

// maxParsed is how many rules a world keeps as they were read.
const maxParsed = 1000

// parse reads a rule; one that was read before is not read again.
func (w *world) parse(text string) (*radar.Rule, error) {
	if rule := w.parsed[text]; rule != nil {
		return rule, nil
	}
	rule, err := radar.Parse(text)
	if err != nil {
		return nil, err
	}
	if w.parsed == nil || len(w.parsed) >= maxParsed {
		w.parsed = map[string]*radar.Rule{}
	}
	w.parsed[text] = rule
	return rule, nil
}
