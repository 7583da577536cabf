package radar

import (
	"strings"
	"unicode/utf8"
)

// Parse reads a rule: "Block if :risk_score: > 65 AND NOT (:card_country: IN ('US', 'CA'))". What is wrong with it is an *Error.
func Parse(rule string) (*Rule, error) {
	p := &parser{lexer: lexer{rule: rule}}
	r, wrong := p.rule()
	if wrong != nil {
		return nil, wrong
	}
	return r, nil
}

// parser reads a rule by its grammar, with one token looked at ahead.
type parser struct {
	lexer
	ahead token
	depth int
}

func (p *parser) advance() (wrong *Error) {
	p.ahead, wrong = p.next()
	return wrong
}

// is says whether the token ahead is a word, in any case, or a symbol.
func (p *parser) is(s string) bool {
	return p.ahead.sort == symbol && p.ahead.text == s || p.ahead.sort == word && strings.EqualFold(p.ahead.text, s)
}

// accept goes on where the token ahead is one of these.
func (p *parser) accept(any ...string) (found bool, wrong *Error) {
	for _, one := range any {
		if p.is(one) {
			return true, p.advance()
		}
	}
	return false, nil
}

// expected is the error that something else stands here.
func (p *parser) expected(what string) *Error {
	return p.wrong(p.ahead.at, "expected %s, not %s", what, p.ahead.described())
}

// rule is <action> if <condition>.
func (p *parser) rule() (*Rule, *Error) {
	if len(p.lexer.rule) > MaxLength {
		return nil, p.wrong(MaxLength, "a rule has at most %d bytes", MaxLength)
	}
	if !utf8.ValidString(p.lexer.rule) {
		return nil, p.wrong(0, "a rule is text in UTF-8")
	}
	if wrong := p.advance(); wrong != nil {
		return nil, wrong
	}
	action, wrong := p.action()
	if wrong != nil {
		return nil, wrong
	}
	found, wrong := p.accept("if")
	if wrong != nil {
		return nil, wrong
	}
	if !found {
		return nil, p.expected(`"if"`)
	}
	c, wrong := p.or()
	if wrong == nil && p.ahead.sort != end {
		wrong = p.expected("AND, OR, or the end of the rule")
	}
	return &Rule{action, c}, wrong
}

// beginnings are the words that rules begin with.
var beginnings = []struct {
	words string
	is    Action
}{
	{"allow", Allow}, {"block", Block}, {"review", Review}, {"place in review", Review}, {"request 3d secure", Request3DS}, {"request 3ds", Request3DS},
}

func (p *parser) action() (Action, *Error) {
	said := ""
	for range 3 {
		if p.ahead.sort != word || p.is("if") {
			break
		}
		said = strings.TrimSpace(said + " " + strings.ToLower(p.ahead.text))
		begun := false
		for _, one := range beginnings {
			begun = begun || one.words == said || strings.HasPrefix(one.words, said+" ")
		}
		if !begun {
			break
		}
		if wrong := p.advance(); wrong != nil {
			return 0, wrong
		}
		for _, one := range beginnings {
			if one.words == said {
				return one.is, nil
			}
		}
	}
	return 0, p.expected("Allow, Block, Review, Place in review or Request 3D Secure")
}

// or is conditions with OR between them, each of them some with AND.
func (p *parser) or() (Condition, *Error) {
	all, wrong := p.chain(p.and, "OR", "||")
	if wrong != nil || len(all) == 1 {
		return first(all), wrong
	}
	var flat Or
	for _, one := range all {
		if same, is := one.(Or); is {
			flat = append(flat, same...)
			continue
		}
		flat = append(flat, one)
	}
	return flat, nil
}

func (p *parser) and() (Condition, *Error) {
	all, wrong := p.chain(p.not, "AND", "&&")
	if wrong != nil || len(all) == 1 {
		return first(all), wrong
	}
	var flat And
	for _, one := range all {
		if same, is := one.(And); is {
			flat = append(flat, same...)
			continue
		}
		flat = append(flat, one)
	}
	return flat, nil
}

func first(all []Condition) Condition {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// chain is conditions with a word between them.
func (p *parser) chain(one func() (Condition, *Error), between ...string) (all []Condition, wrong *Error) {
	for {
		c, wrong := one()
		if wrong != nil {
			return nil, wrong
		}
		all = append(all, c)
		more, wrong := p.accept(between...)
		if wrong != nil || !more {
			return all, wrong
		}
	}
}

// not is a condition with any number of NOTs before it, one in parentheses among them.
func (p *parser) not() (Condition, *Error) {
	if p.depth++; p.depth > MaxDepth {
		return nil, p.wrong(p.ahead.at, "a rule is at most %d deep in parentheses and NOTs", MaxDepth)
	}
	defer func() { p.depth-- }()
	if negated, wrong := p.accept("NOT", "!"); negated || wrong != nil {
		if wrong != nil {
			return nil, wrong
		}
		c, wrong := p.not()
		return Not{c}, wrong
	}
	inner, wrong := p.accept("(")
	if wrong != nil || !inner {
		return p.simple(wrong)
	}
	c, wrong := p.or()
	if wrong != nil {
		return nil, wrong
	}
	return c, p.closing()
}

// closing takes a closing parenthesis.
func (p *parser) closing() *Error {
	found, wrong := p.accept(")")
	if wrong == nil && !found {
		wrong = p.expected(")")
	}
	return wrong
}

// simple is a condition without parts, unless something is wrong already.
func (p *parser) simple(wrong *Error) (Condition, *Error) {
	if wrong != nil {
		return nil, wrong
	}
	missing, wrong := p.accept("is_missing")
	if wrong != nil {
		return nil, wrong
	}
	if missing {
		return p.missing()
	}
	at := p.ahead.at
	o, wrong := p.operand("a condition, such as :risk_score: > 65")
	if wrong != nil {
		return nil, wrong
	}
	if op := p.operator(); op != "" {
		return p.comparison(o, op)
	}
	if o.Attribute == nil || o.Attribute.Type != Bool {
		if p.ahead.sort == end || p.is(")") || p.is("AND") || p.is("OR") || p.is("&&") || p.is("||") {
			return nil, p.wrong(at, "%s is not true or false by itself: compare it with something", o)
		}
		return nil, p.expected("one of " + strings.Join(operators(o), " "))
	}
	return Is{o}, nil
}

func (p *parser) missing() (Condition, *Error) {
	open, wrong := p.accept("(")
	if wrong != nil {
		return nil, wrong
	}
	if !open {
		return nil, p.expected("( after is_missing")
	}
	o, wrong := p.operand("an attribute or a key of metadata")
	if wrong != nil {
		return nil, wrong
	}
	return Missing{o}, p.closing()
}

// operand is an attribute or a key of metadata.
func (p *parser) operand(what string) (Operand, *Error) {
	t := p.ahead
	if t.sort != attribute && t.sort != metadata {
		return Operand{}, p.expected(what)
	}
	if wrong := p.advance(); wrong != nil {
		return Operand{}, wrong
	}
	if t.sort == metadata {
		for _, owner := range []string{"customer", "destination"} {
			if key, of := strings.CutPrefix(t.text, owner+":"); of && strings.TrimSpace(key) != "" {
				return Operand{Of: owner, Key: key}, nil
			}
		}
		return Operand{Key: t.text}, nil
	}
	if a := lookup(t.text); a != nil {
		return Operand{Attribute: a}, nil
	}
	hint := ""
	if near := alike(t.text); near != "" {
		hint = "; did you mean :" + near + ":?"
	}
	return Operand{}, p.wrong(t.at, "there is no attribute :%s:%s", t.text, hint)
}
