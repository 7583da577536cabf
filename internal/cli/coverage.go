package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	box "github.com/till-pay/till/sandbox"
)

type coverage struct {
	Family string `arg:"" optional:"" help:"Show each operation of a family, such as refunds."`
	JSON   bool   `name:"json" help:"All of it as one JSON object."`
}

// Help is the end of --help.
func (coverage) Help() string {
	return `An operation is implemented when a transition, a refusal and an event of it are tested, as far as they apply. Examples:

  till sandbox coverage
  till sandbox coverage refunds
  till sandbox coverage --json`
}

// Run prints the table.
func (v *coverage) Run(c *console) error {
	families, totals := box.Coverage()
	switch {
	case v.JSON:
		operations := box.Operations()
		if v.Family != "" {
			operations = of(operations, v.Family)
		}
		return json.NewEncoder(c.out).Encode(map[string]any{"families": families, "operations": operations, "totals": totals})
	case v.Family != "":
		return v.operations(c)
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	width := 0 // of the names, which begin the lines
	for _, f := range families {
		width = max(width, len(f.Name))
	}
	fmt.Fprintf(t, "%-*s\toperations\tbuilt\timplemented\ttransitions\trefusals\tevents\t\n", width, "family")
	for _, f := range append(families, totals) {
		fmt.Fprintf(t, "%-*s\t%d\t%d\t%d\t%s\t%s\t%s\t\n", width, f.Name, f.Operations, f.Built, f.Implemented, share(f.Transitions), share(f.Refusals), share(f.Events))
	}
	return t.Flush()
}

// share is how many of something are tested, of how many.
func share(t box.Tested) string {
	if t.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", t.Done, t.Of)
}

func of(all []box.Operation, family string) (some []box.Operation) {
	for _, o := range all {
		if o.Family == family {
			some = append(some, o)
		}
	}
	return some
}

// operations prints a family's operations.
func (v *coverage) operations(c *console) error {
	all := of(box.Operations(), v.Family)
	if len(all) == 0 {
		return fmt.Errorf("no operation of Stripe's begins with /v1/%s; \"till sandbox coverage\" shows the families", v.Family)
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\timplemented\trefuses with\tannounces")
	for _, o := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", o.Name, standing(o), listed(o.Refusals, o.Refuses), listed(o.Events, o.Announces))
	}
	return t.Flush()
}

// standing says in a word what the sandbox has of an operation.
func standing(o box.Operation) string {
	switch {
	case o.Implemented():
		return "yes"
	case o.Built:
		return "untested in part"
	default:
		return "no: 501"
	}
}

// listed is what was seen, a dash where nothing is to be seen, and else nothing.
func listed(seen []string, applies bool) string {
	if len(seen) == 0 && !applies {
		return "-"
	}
	return strings.Join(seen, ", ")
}
