// Package radar is the rule language of Stripe's Radar: it reads rules, says what is wrong with one, and decides whether a payment
// matches. It knows nothing of where the facts about a payment come from.
//
// Sources: docs.stripe.com/radar/rules/reference and docs.stripe.com/radar/rules/supported-attributes, as of November 2026.
package radar

// Bounds of rules.
const (
	MaxRules  = 200  // of an account, as at Stripe
	MaxLength = 5000 // of a rule, in bytes, as the predicate of Stripe's API
	MaxDepth  = 32   // of parentheses and NOTs within each other
)

// Action is what a rule does with the payments that match it. Radar goes through them in this order.
type Action int

// The actions. Request3DS does not end the evaluation; each of the others does.
const (
	Request3DS Action = iota + 1
	Allow
	Block
	Review
)

// actions are as they begin a rule, and as the API names them in rule.action.
var actions = []struct {
	is         Action
	text, name string
}{
	{Request3DS, "Request 3D Secure", "request_credentials"}, // [U]: the API's name is not published
	{Allow, "Allow", "allow"},
	{Block, "Block", "block"},
	{Review, "Review", "manual_review"},
}

// String is how a rule begins.
func (a Action) String() string { return actions[a-1].text }

// Name is the action as the API names it.
func (a Action) Name() string { return actions[a-1].name }

// Rule is a rule that makes sense: what it says of attributes fits their types.
type Rule struct {
	Action    Action
	Condition Condition
}

// Condition is what a payment is asked: And, Or, Not, Comparison, Is or Missing.
type Condition interface {
	holds(*Facts) bool
	print(*printer, int)
	each(func(Operand))
}

// And holds where all of its conditions do, Or where any does. Each has at least two, none of its own sort.
type (
	And []Condition
	Or  []Condition
)

// Not holds where its condition does not.
type Not struct{ Of Condition }

// Comparison holds where what stands left of the operator is known and fits what stands right of it.
type Comparison struct {
	Left  Operand
	Op    string // = != < > <= >= IN INCLUDES LIKE
	Right Right
}

// Right is what a comparison compares with: exactly one of an attribute, a list's alias, and values of its own.
type Right struct {
	Other  Operand
	Alias  string  // of a value list, without the @
	Values []Value // one, or after IN as many as there are
}

// Is holds where an attribute that is true or false is known, and true.
type Is struct{ What Operand }

// Missing holds where nothing is known.
type Missing struct{ What Operand }

// Operand is an attribute, or a key of metadata.
type Operand struct {
	*Attribute        // nil for metadata
	Of         string // whose metadata: "" is the payment's, or customer, or destination
	Key        string // of the metadata
}

// given says whether there is an operand at all.
func (o Operand) given() bool { return o.Attribute != nil || o.Key != "" }

// After says whether the rule asks for what is known only once the bank has answered.
func (r *Rule) After() (after bool) {
	r.Condition.each(func(o Operand) { after = after || o.Attribute != nil && o.Attribute.After })
	return after
}

// Operands calls f with each attribute and key of metadata that the rule asks for.
func (r *Rule) Operands(f func(Operand)) { r.Condition.each(f) }

// Aliases are the value lists that the rule names, each once.
func (r *Rule) Aliases() (all []string) {
	seen := map[string]bool{}
	var walk func(Condition)
	walk = func(c Condition) {
		switch is := c.(type) {
		case And:
			for _, one := range is {
				walk(one)
			}
		case Or:
			for _, one := range is {
				walk(one)
			}
		case Not:
			walk(is.Of)
		case Comparison:
			if alias := is.Right.Alias; alias != "" && !seen[alias] {
				seen[alias] = true
				all = append(all, alias)
			}
		}
	}
	walk(r.Condition)
	return all
}

func (c And) each(f func(Operand)) {
	for _, one := range c {
		one.each(f)
	}
}

func (c Or) each(f func(Operand)) {
	for _, one := range c {
		one.each(f)
	}
}

func (c Not) each(f func(Operand)) { c.Of.each(f) }

func (c Comparison) each(f func(Operand)) {
	f(c.Left)
	if c.Right.Other.given() {
		f(c.Right.Other)
	}
}

func (c Is) each(f func(Operand))      { f(c.What) }
func (c Missing) each(f func(Operand)) { f(c.What) }
