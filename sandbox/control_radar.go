package sandbox

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"strconv"

	"github.com/till-pay/till/sandbox/radar"
	"github.com/till-pay/till/sandbox/spec"
)

// ruleView is a rule as the control API shows it.
type ruleView struct {
	ID        string   `json:"id"`
	Rule      string   `json:"rule"` // as it was written
	Action    string   `json:"action"`
	Predicate string   `json:"predicate"`
	BuiltIn   bool     `json:"built_in"`
	Enabled   bool     `json:"enabled"`
	Matches   int64    `json:"matches"`           // the payments that it has acted on
	Unknown   []string `json:"unknown,omitempty"` // attributes of which this sandbox never knows anything: they are missing
}

// riskView is the risk settings as the control API shows and takes them. What is left out stays as it is.
type riskView struct {
	Elevated *int64 `json:"elevated_from,omitempty"` // the least score of elevated risk
	Highest  *int64 `json:"highest_from,omitempty"`  // the least score of the highest risk
	Teams    *bool  `json:"fraud_teams,omitempty"`   // Radar for Fraud Teams
	Setups   *bool  `json:"setup_intents,omitempty"` // rules that allow and block look at SetupIntents too
}

// radarView is all of an account's Radar.
type radarView struct {
	Settings riskView   `json:"settings"`
	Rules    []ruleView `json:"rules"` // in the order in which payments meet them
}

func (c *call) ruleView(r *record) ruleView {
	state := known[radarRule](r)
	_, own := builtInCalled(r.id)
	return ruleView{ID: r.id, Rule: state.Text, Action: r.text("action"), Predicate: r.text("predicate"), BuiltIn: own, Enabled: !state.Off,
		Matches: state.Matches, Unknown: c.unknownIn(state.Text)}
}

// unknownIn are the attributes of a rule of which the sandbox never knows anything.
func (c *call) unknownIn(text string) (all []string) {
	rule, err := c.parse(text)
	if err != nil {
		return nil
	}
	rule.Operands(func(o radar.Operand) {
		if o.Attribute != nil && unknowable(o.Attribute) {
			all = append(all, o.Name)
		}
	})
	return all
}

func (c *call) radarView() radarView {
	s := c.risk()
	teams := !s.NoTeams
	v := radarView{Settings: riskView{&s.Elevated, &s.Highest, &teams, &s.Setups}}
	for _, action := range []radar.Action{radar.Request3DS, radar.Allow, radar.Block, radar.Review} {
		for _, r := range c.rules() {
			if rule, err := c.parse(known[radarRule](r).Text); !r.gone && err == nil && rule.Action == action {
				v.Rules = append(v.Rules, c.ruleView(r))
			}
		}
	}
	return v
}

// showRadar answers GET /_sandbox/radar.
func showRadar(w *realm, _ *http.Request, _ []byte) (any, error) {
	var v radarView
	err := w.step(func() { v = w.own().radarView() })
	return v, err
}

// radarChange is what POST /_sandbox/radar takes: a new rule, a rule to switch or to write anew, or settings.
type radarChange struct {
	ID       string    `json:"id"`
	Rule     string    `json:"rule"`
	Enabled  *bool     `json:"enabled"`
	Settings *riskView `json:"settings"`
}

// changeRadar answers POST /_sandbox/radar: with the rule that it is about, or with everything.
func changeRadar(w *realm, _ *http.Request, body []byte) (any, error) {
	var in radarChange
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	var out any
	var refusal error
	err := w.step(func() { out, refusal = w.own().changeRadar(in) })
	return out, cmp.Or(refusal, err)
}

func (c *call) changeRadar(in radarChange) (any, error) {
	if in.Settings != nil {
		if in.ID != "" || in.Rule != "" || in.Enabled != nil {
			return nil, badControl("Settings come alone.")
		}
		return c.changeRisk(*in.Settings)
	}
	if in.ID == "" {
		return c.addRule(in)
	}
	r := c.ruleOf(in.ID)
	_, own := builtInCalled(in.ID)
	switch {
	case r == nil:
		return nil, &errControl{http.StatusNotFound, "There is no rule " + in.ID + " here."}
	case own && in.Rule != "":
		return nil, badControl("The rule " + in.ID + " is built in: it is only switched on and off.")
	case in.Rule != "":
		if _, wrong := c.readRule(in.Rule); wrong != "" {
			return nil, badControl(wrong)
		}
		c.describeRule(r, in.Rule)
	}
	if in.Enabled != nil {
		private[radarRule](r).Off = !*in.Enabled
	}
	c.watchful()
	return c.ruleView(r), nil
}

// ruleOf finds a rule; nil where there is none.
func (c *call) ruleOf(id string) *record {
	c.rules()
	return c.find("rule", id)
}

// addRule adds a rule of the account's own.
func (c *call) addRule(in radarChange) (any, error) {
	if in.Rule == "" {
		return nil, badControl(`Give a rule, as {"rule":"Block if :risk_score: > 60"}, or the id of one and whether it is enabled, or settings.`)
	}
	if c.risk().NoTeams {
		return nil, badControl("Rules of one's own come with Radar for Fraud Teams, which is switched off in the settings.")
	}
	if _, wrong := c.readRule(in.Rule); wrong != "" {
		return nil, badControl(wrong)
	}
	c.rules()
	if c.count("rule")-len(builtIns()) >= radar.MaxRules {
		return nil, badControl("There are " + strconv.Itoa(radar.MaxRules) + " rules already, the most that an account has.")
	}
	r := &record{realm: c.realm, resource: kinds["rule"], id: c.newID("ssr_"), created: c.now().Unix(), working: spec.New("rule")}
	r.hidden = &radarRule{Off: in.Enabled != nil && !*in.Enabled}
	c.insert(r)
	c.describeRule(r, in.Rule)
	c.watchful()
	return c.ruleView(r), nil
}

func (c *call) changeRisk(in riskView) (any, error) {
	next := c.risk()
	if in.Elevated != nil {
		next.Elevated = *in.Elevated
	}
	if in.Highest != nil {
		next.Highest = *in.Highest
	}
	if next.Elevated < 1 || next.Highest <= next.Elevated || next.Highest > 100 {
		return nil, badControl("elevated_from is at least 1 and less than highest_from, which is at most 100.")
	}
	if in.Teams != nil {
		next.NoTeams = !*in.Teams
	}
	if in.Setups != nil {
		next.Setups = *in.Setups
	}
	*c.watchful() = next
	return c.radarView(), nil
}

// forgetRadar answers DELETE /_sandbox/radar: the rules and settings are those of a new account.
func forgetRadar(w *realm, _ *http.Request, _ []byte) (any, error) {
	var v radarView
	err := w.step(func() {
		c := w.own()
		for _, r := range slices.Clone(c.rules()) {
			if b, own := builtInCalled(r.id); own {
				private[radarRule](r).Off = b.off
			} else if !r.gone {
				w.remove(r)
			}
		}
		*c.watchful() = firstRisk
		v = c.radarView()
	})
	return v, err
}

// forgetRule answers DELETE /_sandbox/radar/{id}.
func forgetRule(w *realm, r *http.Request, _ []byte) (any, error) {
	id := path.Base(r.URL.Path)
	var gone ruleView
	var refusal error
	err := w.step(func() {
		c := w.own()
		found := c.ruleOf(id)
		if found == nil {
			refusal = &errControl{http.StatusNotFound, "There is no rule " + id + " here."}
			return
		}
		if _, own := builtInCalled(id); own {
			refusal = badControl("The rule " + id + " is built in: it can be switched off, but not deleted.")
			return
		}
		gone = c.ruleView(found)
		w.remove(found)
	})
	return gone, cmp.Or(refusal, err)
}

// ruleTest is what a rule would have done with the charges that there are.
type ruleTest struct {
	Rule      string   `json:"rule"`
	Action    string   `json:"action"`
	Predicate string   `json:"predicate"`
	Unknown   []string `json:"unknown,omitempty"`
	Charges   int      `json:"charges"` // that were looked at
	Matches   int      `json:"matches"`
	Sample    []string `json:"sample"` // ids of the newest that match
}

// Bounds of a test of a rule: charges, and ids that it shows.
const (
	mostTested  = 10_000
	mostSampled = 10
)

// testRule answers POST /_sandbox/radar/test. Charges are looked at as they were when they were made, but for what lists hold now.
func testRule(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Rule string `json:"rule"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	var out ruleTest
	var refusal error
	err := w.step(func() {
		c := w.own()
		rule, wrong := c.readRule(in.Rule)
		if wrong != "" {
			refusal = badControl(wrong)
			return
		}
		out = ruleTest{Rule: rule.String(), Action: rule.Action.Name(), Predicate: rule.Predicate(), Unknown: c.unknownIn(in.Rule), Sample: []string{}}
		all := c.all("charge")
		for i := len(all) - 1; i >= 0 && out.Charges < mostTested; i-- {
			out.Charges++
			if rule.Match(&c.screening(all[i]).facts) {
				if out.Matches++; len(out.Sample) < mostSampled {
					out.Sample = append(out.Sample, all[i].id)
				}
			}
		}
	})
	return out, cmp.Or(refusal, err)
}
