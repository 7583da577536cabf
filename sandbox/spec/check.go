package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/till-pay/till/internal/money"
)

// check holds one parameter against its declaration.
func (c *checker) check(p *Params, n node) {
	switch {
	case p.tree:
		c.checkTree(p, n)
	case p.text == "":
		c.checkEmpty(p, n)
	default:
		c.checkText(p, n)
	}
}

func (c *checker) checkEmpty(p *Params, n node) {
	p.kind = n.kind
	switch empty, unsets := c.beyondBlank(); {
	case n.flag&unsettable != 0:
		p.unset = true
	case n.kind == kindString && empty:
		p.unset = unsets
	case n.kind != kindAny && n.flag&lenient == 0:
		c.refuse("parameter_invalid_empty", "You passed an empty string for '%[1]s'. We assume empty values are an attempt to unset a parameter; however '%[1]s' cannot be unset. You should remove '%[1]s' from your request or supply a non-empty value.", c.param())
	}
}

// checkTree takes the variant of the declaration that has fields or elements; of two objects, the one that has the names given.
func (c *checker) checkTree(p *Params, n node) {
	for v := n; ; v = nodes[v.alt] {
		switch v.kind {
		case kindAny:
			p.setAny()
			return
		case kindObject:
			if v.alt == 0 || nodes[v.alt].kind != kindObject || covers(v, p) || !covers(nodes[v.alt], p) {
				c.checkObject(p, v)
				return
			}
		case kindMap:
			c.checkMap(p, v)
			return
		case kindArray:
			c.checkArray(p, v)
			return
		}
		if v.alt == 0 {
			break
		}
	}
	if n.flag&lenient != 0 {
		p.setAny()
		return
	}
	c.mistyped(n, p.sketch())
}

// setAny takes a tree as it is.
func (p *Params) setAny() {
	p.kind = kindAny
	for k := p.first; k != nil; k = k.next {
		k.setAny()
	}
}

func covers(n node, p *Params) bool {
	for k := p.first; k != nil; k = k.next {
		if _, ok := lookup(objects[n.ref], k.name); !ok {
			return false
		}
	}
	return true
}

func (c *checker) checkObject(p *Params, n node) {
	p.kind = kindObject
	if p.kid("") != nil {
		c.refuse("", "Invalid object")
		return
	}
	c.fields(p, n)
}

// MetadataKeys is how many keys an object's metadata may have. Decode counts those of a request; who merges them into an object
// counts again.
const MetadataKeys = 50

// Stripe's limits on the keys and values of metadata, in characters.
const (
	metadataKey   = 40
	metadataValue = 500
)

func (c *checker) checkMap(p *Params, n node) {
	p.kind = kindMap
	if p.kid("") != nil {
		c.refuse("", "Invalid object")
		return
	}
	if n.flag&metadata != 0 {
		c.checkMetadata(p)
		return
	}
	elem := nodes[n.ref]
	for k := p.first; k != nil; k = k.next {
		if k.leaf && k.text == "" && elem.kind == kindString {
			k.kind = kindString
			continue
		}
		c.enter(k, elem)
	}
}

func (c *checker) checkMetadata(p *Params) {
	count := 0
	for k := p.first; k != nil; k = k.next {
		k.kind = kindString
		count++
		if k.tree {
			c.enter(k, node{kind: kindString})
			continue
		}
		if size := utf8.RuneCountInString(k.name); size > metadataKey {
			c.refuse("", "Metadata keys can have up to %d characters, but you passed in a key that is %d characters. Invalid key: %s", metadataKey, size, cut(k.name, maxEcho))
		}
		if size := utf8.RuneCountInString(k.text); size > metadataValue {
			c.refuse("", "Metadata values can have up to %d characters, but you passed in a value that is %d characters. Invalid value: %s", metadataValue, size, cut(k.text, maxEcho))
		}
	}
	if count > MetadataKeys {
		c.refuse("", "Metadata can have up to %d keys, but you've set %d", MetadataKeys, count)
	}
}

// checkArray puts the elements in order of their index, those without one last, and numbers them.
func (c *checker) checkArray(p *Params, n node) {
	p.kind = kindArray
	var few [8]element
	all := few[:0]
	for k := p.first; k != nil; k = k.next {
		i := maxIndex
		if k.name != "" {
			var err error
			if i, err = strconv.Atoi(k.name); err != nil || i < 0 || i >= maxIndex {
				c.refuse("", "Invalid array")
				return
			}
		}
		all = append(all, element{i, k})
	}
	slices.SortStableFunc(all, func(a, b element) int { return cmp.Compare(a.index, b.index) })
	p.first, p.last = nil, nil
	for i, e := range all {
		k := e.params
		k.name, k.next = strconv.Itoa(i), nil
		if p.last == nil {
			p.first = k
		} else {
			p.last.next = k
		}
		p.last = k
		c.enter(k, nodes[n.ref])
	}
}

// element is an element of a list with the index that was sent.
type element struct {
	index  int
	params *Params
}

// checkText tries the variants that are written as a value, and speaks for the integer among them, or else the first.
func (c *checker) checkText(p *Params, n node) {
	blamed := n
	for v := n; ; v = nodes[v.alt] {
		if c.takes(p, v) {
			p.kind = v.kind
			return
		}
		if v.kind == kindInteger || blamed.kind >= kindObject {
			blamed = v
		}
		if v.alt == 0 {
			break
		}
	}
	switch {
	case n.flag&lenient != 0:
		p.kind = kindAny
	case blamed.kind == kindEnum:
		c.refuse("", "Invalid %s: must be one of %s", c.param(), either(enums[blamed.ref]))
	case blamed.flag&currency != 0:
		c.refuse("", "Invalid currency: %s. Stripe currently supports these currencies: %s", cut(strings.ToLower(p.text), maxEcho), currencies())
	case blamed.kind == kindString && p.name == "statement_descriptor":
		c.refuse("", "The statement descriptor must be at most %d characters. %s is %d characters long.", blamed.max, cut(p.text, maxEcho), utf8.RuneCountInString(p.text))
	case blamed.kind == kindString:
		c.refuse("", "Invalid string: %s; must be at most %d characters", abridge(p.text), blamed.max)
	default:
		c.mistyped(blamed, p.text)
	}
}

// takes tells whether the text is a value of the node.
func (c *checker) takes(p *Params, n node) bool {
	switch n.kind {
	case kindAny:
		return true
	case kindString:
		if n.flag&currency != 0 {
			return p.takesCurrency()
		}
		return n.max == 0 || len(p.text) <= int(n.max) || utf8.RuneCountInString(p.text) <= int(n.max)
	case kindEnum:
		return slices.Contains(enums[n.ref], p.text) || c.beyondWord(p.text)
	case kindInteger:
		_, err := strconv.ParseInt(p.text, 10, 64)
		return err == nil && p.text[0] != '+'
	case kindNumber, kindDecimal:
		return decimal(p.text)
	case kindBoolean:
		return p.takesFlag()
	default:
		return false
	}
}

// takesFlag is Stripe's tolerance of Python's words, which its client for Python sent for many years (stripe-python 5.0.0 still does).
func (p *Params) takesFlag() bool {
	switch p.text {
	case "True", "False":
		p.text = strings.ToLower(p.text)
	}
	return p.text == "true" || p.text == "false"
}

// takesCurrency tells whether the text names a currency that Stripe has, and puts it in lower case, as Stripe shows it.
func (p *Params) takesCurrency() bool {
	parsed, err := money.ParseCurrency(p.text)
	if err != nil {
		return false
	}
	p.text = parsed.Lower()
	return true
}

// currencies lists all currencies as Stripe does, the dollar first.
func currencies() string {
	all := []string{"usd"}
	for _, c := range money.Currencies() {
		if code := c.Lower(); code != "usd" {
			all = append(all, code)
		}
	}
	return strings.Join(all, ", ")
}

// decimal tells whether s is written -12.34, of a sane length.
func decimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, part, dot := strings.Cut(s, ".")
	return len(s) <= 40 && digits(whole) && (!dot || digits(part))
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// mistyped refuses a value of the wrong sort.
func (c *checker) mistyped(n node, got string) {
	switch n.kind {
	case kindInteger:
		c.refuse("parameter_invalid_integer", "Invalid integer: %s", cut(got, maxEcho))
	case kindBoolean:
		c.refuse("", "Invalid boolean: %s", cut(got, maxEcho))
	case kindNumber, kindDecimal:
		c.refuse("", "Invalid decimal: %s", cut(got, maxEcho))
	case kindObject, kindMap:
		c.refuse("", "Invalid object")
	case kindArray:
		c.refuse("", "Invalid array")
	default:
		c.refuse("", "Invalid string: %s", cut(got, maxEcho))
	}
}

// maxEcho bounds how much of a bad value a refusal repeats, in characters.
const maxEcho = 600

// abridge writes a long text as Stripe does, by its ends.
func abridge(s string) string {
	if utf8.RuneCountInString(s) <= 20 {
		return s
	}
	r := []rune(s)
	return string(r[:4]) + "..." + string(r[len(r)-4:])
}

// cut keeps the first n characters of a text.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// either writes a, b, or c.
func either(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	case 2:
		return words[0] + " or " + words[1]
	default:
		return strings.Join(words[:n-1], ", ") + ", or " + words[n-1]
	}
}

// sketch writes a tree as JSON does, without its values, which may be a card's.
func (p *Params) sketch() string {
	var b strings.Builder
	b.WriteByte('{')
	for k := p.first; k != nil; k = k.next {
		if k != p.first {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q: …", k.name)
	}
	b.WriteByte('}')
	return b.String()
}
