package radar

import (
	"slices"
	"strings"
)

// The operators that go with each type. Metadata is text, which may be a number. Whether INCLUDES and LIKE go with countries is not
// published; here they do not.
var (
	ofNumbers   = []string{"=", "!=", "<", ">", "<=", ">=", "IN"}
	ofTexts     = []string{"=", "!=", "IN", "INCLUDES", "LIKE"}
	ofCountries = []string{"=", "!=", "IN"}
	ofMetadata  = []string{"=", "!=", "<", ">", "<=", ">=", "IN", "INCLUDES", "LIKE"}
)

// operators are those that an operand can be compared by.
func operators(o Operand) []string {
	switch {
	case o.Attribute == nil:
		return ofMetadata
	case o.Attribute.Type == Number:
		return ofNumbers
	case o.Attribute.Type == Text:
		return ofTexts
	case o.Attribute.Type == Country:
		return ofCountries
	}
	return nil
}

// operator is the operator ahead, empty where there is none.
func (p *parser) operator() string {
	for _, op := range ofMetadata {
		if p.is(op) {
			return op
		}
	}
	return ""
}

// comparison goes on after the left side, at the operator.
func (p *parser) comparison(left Operand, op string) (Condition, *Error) {
	at := p.ahead.at
	can := operators(left)
	switch {
	case left.Attribute != nil && left.Attribute.Type == Bool:
		return nil, p.wrong(at, "%s is true or false: it stands alone, or after NOT", left)
	case !slices.Contains(can, op):
		return nil, p.wrong(at, "%s is %s, which %s does not go with; expected one of %s", left, left.Attribute.Type, op, strings.Join(can, " "))
	}
	if wrong := p.advance(); wrong != nil {
		return nil, wrong
	}
	c := Comparison{Left: left, Op: op}
	var wrong *Error
	switch {
	case op == "IN":
		c.Right, wrong = p.list(left)
	case p.ahead.sort == attribute || p.ahead.sort == metadata:
		c.Right.Other, wrong = p.other(left, op)
	default:
		var v Value
		v, wrong = p.value(left, op)
		c.Right.Values = []Value{v}
	}
	return c, wrong
}

// list is what stands after IN: @alias, or values in parentheses.
func (p *parser) list(left Operand) (r Right, wrong *Error) {
	if p.ahead.sort == alias {
		r.Alias = p.ahead.text
		return r, p.advance()
	}
	open, wrong := p.accept("(")
	if wrong != nil {
		return r, wrong
	}
	if !open {
		return r, p.expected("@ and the alias of a list, or values in parentheses")
	}
	for {
		v, wrong := p.value(left, "IN")
		if wrong != nil {
			return r, wrong
		}
		r.Values = append(r.Values, v)
		more, wrong := p.accept(",")
		if wrong != nil {
			return r, wrong
		}
		if !more {
			return r, p.closing()
		}
	}
}

// other is an attribute as the right side.
func (p *parser) other(left Operand, op string) (Operand, *Error) {
	at := p.ahead.at
	o, wrong := p.operand("an attribute")
	if wrong != nil {
		return o, wrong
	}
	numeric := op[0] == '<' || op[0] == '>'
	sortOf := func(o Operand) Type {
		if o.Attribute != nil {
			return o.Attribute.Type
		}
		if numeric {
			return Number
		}
		return Text
	}
	if a, b := sortOf(left), sortOf(o); a != b {
		return o, p.wrong(at, "%s is %s and %s is %s: they cannot be compared", left, a, o, b)
	}
	return o, nil
}

// value is a number, or text in quotes, as fits the left side.
func (p *parser) value(left Operand, op string) (Value, *Error) {
	t := p.ahead
	wants := Text
	if left.Attribute != nil {
		wants = left.Attribute.Type
	} else if op[0] == '<' || op[0] == '>' || t.sort == number && op != "INCLUDES" && op != "LIKE" {
		wants = Number
	}
	v := Value{Type: wants}
	switch {
	case wants == Number && t.sort != number:
		return v, p.expected("a number")
	case wants == Number:
		v.Number, _ = parseNumber(t.text)
	case t.sort != text:
		return v, p.expected("text in quotes")
	case wants == Country && (len(t.text) != 2 || strings.Trim(strings.ToLower(t.text), letters) != ""):
		return v, p.wrong(t.at, "a country is two letters, such as 'US'")
	default:
		v.Text = t.text
	}
	return v, p.advance()
}
