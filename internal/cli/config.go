package cli

import (
	"encoding/json"
	"fmt"
	"os"

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
	if err := known(k, values); err != nil {
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

// known refuses a name that no command has as a flag: a mistyped setting must not be silently ignored.
func known(k *kong.Kong, values map[string]any) error {
	names := map[string]bool{}
	_ = kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			names[f.Name] = true
		}
		return next(nil)
	})
	for name := range values {
		if !names[name] {
			return fmt.Errorf("%q is not a flag of any command", name)
		}
	}
	return nil
}
