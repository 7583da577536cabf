package sandbox

import "net/http"

// Rule is a rule of Radar's.
type Rule struct {
	ID        string   `json:"id"`
	Rule      string   `json:"rule"`      // as it was written: "Block if :risk_score: > 60"
	Action    string   `json:"action"`    // request_credentials (of 3D Secure), allow, block or manual_review
	Predicate string   `json:"predicate"` // as outcome.rule shows it
	BuiltIn   bool     `json:"built_in"`
	Enabled   bool     `json:"enabled"`
	Matches   int64    `json:"matches"` // the payments that it has acted on
	Unknown   []string `json:"unknown"` // attributes of which the sandbox never knows anything: for the rule they are missing
}

// AddRule adds a rule in the language of Stripe's Radar, which payments meet from then on, and gives its id. It ends the test where the
// rule is wrong.
func (w *World) AddRule(rule string) string {
	w.t.Helper()
	var made Rule
	w.Control(http.MethodPost, "/_sandbox/radar", map[string]string{"rule": rule}, &made)
	return made.ID
}

// SwitchRule switches a rule on or off, a built-in one such as block_if_cvc_check_fails among them.
func (w *World) SwitchRule(id string, on bool) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/radar", map[string]any{"id": id, "enabled": on}, nil)
}

// RemoveRule takes a rule away.
func (w *World) RemoveRule(id string) {
	w.t.Helper()
	w.Control(http.MethodDelete, "/_sandbox/radar/"+id, nil, nil)
}

// Rules are the rules in the order in which payments meet them.
func (w *World) Rules() []Rule {
	w.t.Helper()
	var all struct{ Rules []Rule }
	w.Control(http.MethodGet, "/_sandbox/radar", nil, &all)
	return all.Rules
}

// RiskSettings are what an account chooses of Radar. New ones are 65, 75, true and false.
type RiskSettings struct {
	Elevated   int  `json:"elevated_from"` // the least score of elevated risk
	Highest    int  `json:"highest_from"`  // the least score of the highest risk
	FraudTeams bool `json:"fraud_teams"`   // Radar for Fraud Teams: rules of one's own, reviews, scores
	Setups     bool `json:"setup_intents"` // rules that allow and block look at SetupIntents too
}

// SetRisk changes the risk settings.
func (w *World) SetRisk(s RiskSettings) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/radar", map[string]RiskSettings{"settings": s}, nil)
}

// TestRule says how many of the world's charges a rule would have met, and which are the newest of them. The rule is not kept.
func (w *World) TestRule(rule string) (matches int, sample []string) {
	w.t.Helper()
	var test struct {
		Matches int
		Sample  []string
	}
	w.Control(http.MethodPost, "/_sandbox/radar/test", map[string]string{"rule": rule}, &test)
	return test.Matches, test.Sample
}
