package cli

type exports struct {
	Payments    exportPayments    `cmd:"" help:"Every payment, with what Stripe settled for it."`
	Refunds     exportRefunds     `cmd:"" help:"Every refund, with what Stripe took off the balance for it."`
	PayoutLines exportPayoutLines `cmd:"" help:"Every balance transaction that Stripe has paid out, with its payout."`
}

// export is a table over some days.
type export struct {
	remote
	Since    string `placeholder:"DAY" help:"From the beginning of this day, such as 2026-11-01; all where it is not given."`
	Until    string `placeholder:"DAY" help:"Through the end of this day, such as 2026-11-30."`
	TimeZone string `placeholder:"ZONE" default:"UTC" help:"Where a day begins, and all times are shown, such as Europe/Berlin (${default})."`
}

// Help is the end of --help.
func (export) Help() string {
	return `It reads only. The header says the time zone; a cell that a spreadsheet would take for a formula begins with an apostrophe. The exit status is 1
where the table could not be written to its end. Example:

  till export payments --since 2026-11-01 --until 2026-11-30 --time-zone Europe/Berlin > payments.csv`
}

func (e export) copy(c *console, path string) error {
	till, err := e.client()
	if err != nil {
		return err
	}
	q := filters(map[string]string{"from": e.Since, "to": e.Until})
	q.Set("time_zone", e.TimeZone)
	return till.Copy(c.ctx, path+"?"+q.Encode(), c.out)
}

type exportPayments struct{ export }

// Run prints the table.
func (e *exportPayments) Run(c *console) error { return e.copy(c, "/v1/exports/payments") }

type exportRefunds struct{ export }

// Run prints the table.
func (e *exportRefunds) Run(c *console) error { return e.copy(c, "/v1/exports/refunds") }

type exportPayoutLines struct{ export }

// Run prints the table.
func (e *exportPayoutLines) Run(c *console) error { return e.copy(c, "/v1/exports/payout_lines") }
