package radar

import (
	"slices"
	"strings"
)

// Facts are what is known of one payment.
type Facts struct {
	Of     func(Operand) Value                        // the zero value where nothing is known
	Listed func(alias, value string, exact bool) bool // whether a value list holds a value; exact where case matters of the attribute
}

// Match says whether a payment matches the rule.
func (r *Rule) Match(f *Facts) bool { return r.Condition.holds(f) }

func (c And) holds(f *Facts) bool {
	return !slices.ContainsFunc(c, func(one Condition) bool { return !one.holds(f) })
}

func (c Or) holds(f *Facts) bool {
	return slices.ContainsFunc(c, func(one Condition) bool { return one.holds(f) })
}

func (c Not) holds(f *Facts) bool     { return !c.Of.holds(f) }
func (c Is) holds(f *Facts) bool      { return f.Of(c.What).True }
func (c Missing) holds(f *Facts) bool { return f.Of(c.What).Type == 0 }

// holds: a comparison with what is not known is false, whatever the operator.
func (c Comparison) holds(f *Facts) bool {
	left := f.Of(c.Left)
	if left.Type == 0 {
		return false
	}
	exact := c.Left.Attribute != nil && c.Left.Attribute.Exact
	switch {
	case c.Right.Alias != "":
		return f.Listed(c.Right.Alias, left.asText(), exact)
	case c.Right.Other.given():
		right := f.Of(c.Right.Other)
		return right.Type != 0 && compare(left, c.Op, right, exact)
	case c.Op == "IN":
		return slices.ContainsFunc(c.Right.Values, func(v Value) bool { return compare(left, "=", v, exact) })
	}
	return compare(left, c.Op, c.Right.Values[0], exact)
}

// compare compares two values that are known. Where one of them has to be a number and is none, nothing is known of it.
func compare(left Value, op string, right Value, exact bool) bool {
	if left.Type == Number || right.Type == Number || op[0] == '<' || op[0] == '>' {
		a, first := left.asNumber()
		b, second := right.asNumber()
		return first && second && ordered(a, op, b)
	}
	a, b := left.Text, right.Text
	if !exact {
		a, b = strings.ToLower(a), strings.ToLower(b)
	}
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "INCLUDES":
		return strings.Contains(a, b)
	case "LIKE":
		return like(a, b)
	}
	return false
}

// asNumber is a value as a number; false where it is none.
func (v Value) asNumber() (int64, bool) {
	if v.Type == Number {
		return v.Number, true
	}
	return parseNumber(strings.TrimSpace(v.Text))
}

func ordered(a int64, op string, b int64) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case ">":
		return a > b
	case "<=":
		return a <= b
	case ">=":
		return a >= b
	}
	return false
}

// like says whether a text is of a form in which each % stands for any characters, or none.
func like(s, form string) bool {
	parts := strings.Split(form, "%")
	s, begins := strings.CutPrefix(s, parts[0])
	if len(parts) == 1 {
		return begins && s == ""
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return begins && strings.HasSuffix(s, last)
}
