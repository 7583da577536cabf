package radar

import (
	"strconv"
	"strings"
)

// Unit is one, in the whole numbers in which rules count: six decimal places, exactly.
const Unit = 1_000_000

// Value is what is known of an attribute, or stands in a rule. Of a number it is in millionths.
type Value struct {
	Type   Type // 0 where nothing is known
	Text   string
	Number int64
	True   bool
}

// TextValue is a text; an empty one is missing.
func TextValue(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{Type: Text, Text: s}
}

// NumberValue is a whole number.
func NumberValue(n int64) Value { return Value{Type: Number, Number: n * Unit} }

// BoolValue is true or false.
func BoolValue(is bool) Value { return Value{Type: Bool, True: is} }

// asText is a value as lists have it.
func (v Value) asText() string {
	if v.Type != Number {
		return v.Text
	}
	whole, part, sign := v.Number/Unit, v.Number%Unit, ""
	if v.Number < 0 {
		whole, part, sign = -whole, -part, "-"
	}
	s := sign + strconv.FormatInt(whole, 10)
	if part != 0 {
		digits := strconv.FormatInt(Unit+part, 10)[1:]
		s += "." + strings.TrimRight(digits, "0")
	}
	return s
}

// parseNumber reads a number into millionths.
func parseNumber(s string) (int64, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, part, _ := strings.Cut(digits, ".")
	if len(whole) == 0 || len(whole) > 12 || len(part) > 6 || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", 6-len(part)), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}
