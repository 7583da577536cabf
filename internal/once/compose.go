package once

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
)

// Compose is the key that names what a call is for by its parts: an agency, a booking, an action. The parts are sorted by name and joined
// as name=value&name=value, with all but RFC 3986's unreserved characters (§2.3) percent-encoded, so that every program that knows the parts
// makes the same key, in whatever order and however often it starts anew. No two sets of parts make the same key.
func Compose(parts map[string]string) (string, error) {
	if len(parts) < 2 || len(parts) > 10 {
		return "", fault.New(fault.ParameterInvalid, "key_parts", "key_parts names what the call is for by 2 to 10 parts; there are %d.", len(parts))
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		value := parts[name]
		switch {
		case !partName(name):
			return "", fault.New(fault.ParameterInvalid, "key_parts", "The name of a key part is 1 to 40 characters of a to z and _.")
		case value == "" || len([]rune(value)) > 100:
			return "", fault.New(fault.ParameterInvalid, "key_parts."+name, "The key part %s must be 1 to 100 characters long.", name)
		case strings.ContainsRune(value, utf8.RuneError): // stands for whatever could not be read, so that two values would be one
			return "", fault.New(fault.ParameterInvalid, "key_parts."+name, "The key part %s holds a character that is broken.", name)
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + escaped(value))
	}
	if b.Len() > 255 {
		return "", fault.New(fault.IdempotencyKeyTooLong, "key_parts", "The key that these parts make is longer than 255 characters: shorten them.")
	}
	return b.String(), nil
}

func partName(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
}

// escaped keeps letters, digits and - . _ ~ as they are; every other byte becomes %XX.
func escaped(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// Named is the key of a request that gives it in the Idempotency-Key header or by key_parts in its body: exactly one of both.
func Named(header string, parts map[string]string) (string, error) {
	switch {
	case parts == nil && header == "":
		return "", api.KeyRequired()
	case parts == nil:
		return header, nil
	case header != "":
		return "", fault.New(fault.ParameterInvalid, "key_parts", "Send either the Idempotency-Key header or key_parts, not both.")
	}
	return Compose(parts)
}

// Asked is an error about a key as the one who asked knows it: a key that was made of parts is told by them.
func Asked(err error, parts map[string]string) error {
	f, ok := fault.As(err)
	if !ok || parts == nil || f.Param != "Idempotency-Key" {
		return err
	}
	named := *f
	named.Param = "key_parts"
	return &named
}
