package cli

import (
	"fmt"
	"strings"

	"github.com/till-pay/till/internal/once"
)

type keyCompose struct {
	Parts []string `arg:"" name:"part" placeholder:"NAME=VALUE" help:"2 to 10 parts that name what a call is for."`
}

// Help is the end of --help.
func (keyCompose) Help() string {
	return `The key is what key_parts in the body of a payment or a refund make, so that a program in any language can be held against it.
The action belongs in it: a refund of a booking is not its charge.

Example:

  till key compose agency=A1 booking=B77 action=charge
  action=charge&agency=A1&booking=B77`
}

// Run prints the key on stdout, alone. It needs no till.
func (k *keyCompose) Run(c *console) error {
	parts := map[string]string{}
	for _, p := range k.Parts {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return fmt.Errorf("a part is NAME=VALUE, such as booking=B77; %q has no =", p)
		}
		if _, twice := parts[name]; twice {
			return fmt.Errorf("the part %s is there twice", name)
		}
		parts[name] = value
	}
	key, err := once.Compose(parts)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, key)
	return nil
}
