package radar

import "strings"

// String is the rule as Radar shows it. Read again, it is the same rule.
func (r *Rule) String() string { return r.Action.String() + " if " + r.Predicate() }

// Predicate is the condition as text.
func (r *Rule) Predicate() string {
	var p printer
	r.Condition.print(&p, inOr)
	return p.String()
}

type printer struct{ strings.Builder }

// How tightly what surrounds a condition binds; a condition that binds less tightly is in parentheses.
const (
	inOr = iota
	inAnd
	inNot
)

// parenthesized prints in parentheses where they are needed.
func (p *printer) parenthesized(needed bool, print func()) {
	if needed {
		p.WriteByte('(')
		defer p.WriteByte(')')
	}
	print()
}

func (p *printer) joined(all []Condition, word string, within int) {
	for i, one := range all {
		if i > 0 {
			p.WriteString(word)
		}
		one.print(p, within)
	}
}

func (c Or) print(p *printer, within int) {
	p.parenthesized(within > inOr, func() { p.joined(c, " OR ", inAnd) })
}

func (c And) print(p *printer, within int) {
	p.parenthesized(within > inAnd, func() { p.joined(c, " AND ", inNot) })
}

func (c Not) print(p *printer, _ int) {
	p.WriteString("NOT ")
	c.Of.print(p, inNot)
}

func (c Is) print(p *printer, _ int) { p.WriteString(c.What.String()) }

func (c Missing) print(p *printer, _ int) { p.WriteString("is_missing(" + c.What.String() + ")") }

func (c Comparison) print(p *printer, _ int) {
	p.WriteString(c.Left.String() + " " + c.Op + " ")
	switch {
	case c.Right.Other.given():
		p.WriteString(c.Right.Other.String())
	case c.Right.Alias != "":
		p.WriteString("@" + c.Right.Alias)
	default:
		p.parenthesized(c.Op == "IN", func() {
			for i, v := range c.Right.Values {
				if i > 0 {
					p.WriteString(", ")
				}
				p.WriteString(v.String())
			}
		})
	}
}

// String is the operand as rules have it.
func (o Operand) String() string {
	switch {
	case o.Attribute != nil:
		return ":" + o.Attribute.Name + ":"
	case o.Of != "":
		return "::" + o.Of + ":" + o.Key + "::"
	}
	return "::" + o.Key + "::"
}

// String is the value as rules have it.
func (v Value) String() string {
	if v.Type == Number {
		return v.asText()
	}
	return printed(v.Text)
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func printed(text string) string { return "'" + escapes.Replace(text) + "'" }
