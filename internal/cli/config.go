package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// configFile is a JSON object of flags by name.
type configFile string

// BeforeResolve reads the file before flags are filled. kong's own loader would let the file win over the environment: ours stands back
// where the environment has said something.
func (f configFile) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(configFile))
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return configError{fmt.Errorf("cannot read the configuration file: %w", err)}
	}
	var values map[string]any
	if err := json.Unmarshal(content, &values); err != nil {
		return configError{fmt.Errorf("the configuration file %s is not a JSON object of flags: %w", path, err)}
	}
	if err := usable(k, values); err != nil {
		return configError{fmt.Errorf("the configuration file %s: %w", path, err)}
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		return values[flag.Name], nil
	}))
	return nil
}

// configError is a fault of the file, which --help would not mend.
type configError struct{ error }

// usable refuses a name that no command has as a flag, and a value that a flag cannot take: a mistyped setting must not be silently ignored.
func usable(k *kong.Kong, values map[string]any) error {
	flags := map[string]*kong.Flag{}
	_ = kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			flags[f.Name] = f
		}
		return next(nil)
	})
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f := flags[name]
		if dashed := strings.ReplaceAll(name, "_", "-"); f == nil && flags[dashed] != nil {
			return fmt.Errorf("%q is written %q here, as the flag is", name, dashed)
		}
		if f == nil {
			return fmt.Errorf("%q is not a flag of any command", name)
		}
		if wanted := misfit(f, values[name]); wanted != "" {
			return fmt.Errorf("%q must be %s", name, wanted)
		}
	}
	return nil
}

// misfit says what a flag takes, where a value of the file is not that.
func misfit(f *kong.Flag, value any) (wanted string) {
	_, text := value.(string)
	_, truth := value.(bool)
	list, many := value.([]any)
	switch {
	case f.IsBool():
		if !truth {
			return "true or false"
		}
	case f.IsSlice():
		if !text && !many || slices.ContainsFunc(list, func(v any) bool { _, text := v.(string); return !text }) {
			return "a string, or a list of strings"
		}
	case !text:
		return "a string"
	}
	return ""
}
