package cli_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/cli"
)

// composed is the sample in Go of docs/guide/idempotency.md.
func composed(parts map[string]string) string {
	v := url.Values{}
	for name, value := range parts {
		v.Set(name, value)
	}
	return strings.ReplaceAll(v.Encode(), "+", "%20")
}

// What the guide's sample makes is what till makes.
func TestKeyCompose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"agency=A1", "booking=B77", "action=charge"}, "action=charge&agency=A1&booking=B77\n"},
		{[]string{"b=x=y&z (a)*!'~", "a_=100 % + Zürich 東", "a=1"}, "a=1&a_=100%20%25%20%2B%20Z%C3%BCrich%20%E6%9D%B1&b=x%3Dy%26z%20%28a%29%2A%21%27~\n"},
	} {
		var out, errs bytes.Buffer
		if status := cli.Main(append([]string{"key", "compose"}, c.parts...), &out, &errs); status != 0 || out.String() != c.want {
			t.Errorf("%d %q %s, want %q", status, out.String(), errs.String(), c.want)
		}
		parts := map[string]string{}
		for _, p := range c.parts {
			name, value, _ := strings.Cut(p, "=")
			parts[name] = value
		}
		if got := composed(parts); got+"\n" != c.want {
			t.Errorf("the sample makes %q, want %q", got, c.want)
		}
	}
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"agency=A1"}, "2 to 10 parts"},
		{[]string{"agency", "booking=B77"}, "NAME=VALUE"},
		{[]string{"agency=A1", "agency=A2"}, "twice"},
		{[]string{"Agency=A1", "booking=B77"}, "a to z"},
		{[]string{"agency=", "booking=B77"}, "1 to 100"},
	} {
		var out, errs bytes.Buffer
		if status := cli.Main(append([]string{"key", "compose"}, c.parts...), &out, &errs); status != 1 || !strings.Contains(errs.String(), c.want) || out.Len() > 0 || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%v: %d %q %q", c.parts, status, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	if status := cli.Main([]string{"key", "compose", "--help"}, &out, &errs); status != 0 || !strings.Contains(out.String(), "Example") {
		t.Errorf("%d %s", status, out.String())
	}
}
