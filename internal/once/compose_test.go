package once_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/once"
)

func TestCompose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts map[string]string
		want  string
	}{
		{map[string]string{"agency": "A1", "booking": "B77", "action": "charge"}, "action=charge&agency=A1&booking=B77"},
		{map[string]string{"b": "x=y&z", "a": "100 % ~-._"}, "a=100%20%25%20~-._&b=x%3Dy%26z"},
		{map[string]string{"a": "Zürich", "b": "東"}, "a=Z%C3%BCrich&b=%E6%9D%B1"},
		{map[string]string{"a": "A", "b": "a"}, "a=A&b=a"},
	} {
		if got, err := once.Compose(c.parts); got != c.want || err != nil {
			t.Errorf("%v makes %q, %v; want %q", c.parts, got, err, c.want)
		}
	}
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		parts map[string]string
		code  fault.Code
		param string
	}{
		{map[string]string{}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1"}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1", "g": "1", "h": "1", "i": "1", "j": "1", "k": "1"}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1", "": "1"}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1", "B": "1"}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1", "b1": "1"}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1", strings.Repeat("n", 41): "1"}, fault.ParameterInvalid, "key_parts"},
		{map[string]string{"a": "1", "b": ""}, fault.ParameterInvalid, "key_parts.b"},
		{map[string]string{"a": "1", "b": "B\ufffd7"}, fault.ParameterInvalid, "key_parts.b"}, // what JSON makes of every half of a pair: two bookings would be one
		{map[string]string{"a": "1", "b": "B\xff7"}, fault.ParameterInvalid, "key_parts.b"},
		{map[string]string{"a": "1", "b": long + "x"}, fault.ParameterInvalid, "key_parts.b"},
		{map[string]string{"a": long, "b": long, "c": long}, fault.IdempotencyKeyTooLong, "key_parts"},
		{map[string]string{"a": "1", "b": strings.Repeat("ü", 50)}, fault.IdempotencyKeyTooLong, "key_parts"},
	} {
		got, err := once.Compose(c.parts)
		if f, ok := fault.As(err); !ok || f.Code != c.code || f.Param != c.param || got != "" {
			t.Errorf("%v makes %q, %v", c.parts, got, err)
		}
	}
}

// wholeText is any text of up to ten bytes that is no broken character: six such values make a key that is short enough.
var wholeText = rapid.StringN(1, 10, 10).Filter(func(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, utf8.RuneError) })

// A composed key is read back to exactly its parts, so no two sets of parts make one key; and it is what any program's own query encoding
// makes, but for the space.
func TestComposeLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.MapOfN(rapid.StringMatching(`[a-z_]{1,5}`), wholeText, 2, 6).Draw(t, "parts")
		key, err := once.Compose(parts)
		if err != nil {
			t.Fatal(err)
		}
		back, err := url.ParseQuery(key)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for name, values := range back {
			got[name] = strings.Join(values, "|")
		}
		if !maps.Equal(got, parts) {
			t.Errorf("%q reads %v, want %v", key, got, parts)
		}
		names := strings.Split(key, "&")
		if !slices.IsSorted(names) || len(names) != len(parts) {
			t.Errorf("%q is not sorted", key)
		}
	})
}
