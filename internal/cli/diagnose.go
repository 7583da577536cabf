package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/diagnose"
)

type diagnoses struct {
	Webhooks   diagnoseWebhooks   `cmd:"" help:"Find orders that are marked as paid without their money, and events of Stripe's that did not come."`
	Duplicates diagnoseDuplicates `cmd:"" help:"Find charges that were made more than once, and why; propose refunds."`
	Payouts    diagnosePayouts    `cmd:"" help:"Say why money does not arrive at the bank, and what ends it; write the letter to the merchant."`
	Declines   diagnoseDeclines   `cmd:"" help:"Say why payments fail and whether that is new: who declined, which codes, what would help."`
	Signature  diagnoseSignature  `cmd:"" help:"Say which check of a webhook's signature fails, and why."`
}

// span is a time to look back on: 72h, 90m, 7d.
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		*s = span(time.Duration(n) * 24 * time.Hour)
		if err == nil && n > 0 {
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a time such as 72h, 90m or 7d", text)
	}
	*s = span(d)
	return nil
}

// tell prints what a check found: for programs in one line, or for people.
func tell(c *console, asJSON bool, found interface{ Write(io.Writer) }) {
	if asJSON {
		fmt.Fprintln(c.out, db.JSON(found))
		return
	}
	found.Write(c.out)
}

// read reads a file of the merchant's; "-" is the standard input.
func read[T any](path string, parse func(io.Reader) ([]T, error)) (all []T, err error) {
	if path == "" {
		return nil, nil
	}
	in := os.Stdin
	if path != "-" {
		if in, err = os.Open(path); err != nil {
			return nil, err
		}
		defer in.Close()
	}
	if all, err = parse(in); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

type diagnoseWebhooks struct {
	remote
	Since      span   `default:"72h" placeholder:"72h" help:"How far back: 72h, 90m, 7d."`
	Orders     string `placeholder:"FILE" help:"The shop's own list, CSV or JSON: order, payment_intent, amount, currency, paid."`
	Suspicious string `placeholder:"FILE" help:"Requests that came to the webhook endpoint, a JSON object a line: payload, signature, received_at."`
	JSON       bool   `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (diagnoseWebhooks) Help() string {
	return `It reads only; an API key with payments:read and webhooks:read will do. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till diagnose webhooks --since 72h --orders orders.csv

  order,payment_intent,amount,currency,paid
  FB-1001,pi_3…,49.00,EUR,true`
}

// Run checks the orders and the events.
func (d *diagnoseWebhooks) Run(c *console) error {
	till, err := d.client()
	if err != nil {
		return err
	}
	orders, err := read(d.Orders, diagnose.ReadOrders)
	if err != nil {
		return err
	}
	suspicious, err := read(d.Suspicious, diagnose.ReadReceived)
	if err != nil {
		return err
	}
	found, err := diagnose.CheckWebhooks(c.ctx, till, diagnose.WebhooksInput{Since: time.Duration(d.Since), Orders: orders, Suspicious: suspicious})
	if err != nil {
		return err
	}
	tell(c, d.JSON, found)
	return nil
}

type diagnoseDuplicates struct {
	remote
	Since   span   `default:"168h" placeholder:"168h" help:"How far back: 168h, 7d."`
	By      string `placeholder:"KEY" help:"The metadata key that names what is paid for, such as booking; without it, payments of the same customer, card and amount are compared."`
	Within  span   `default:"1h" placeholder:"1h" help:"Payments that follow each other in less than this are tries of one charge."`
	Refund  bool   `help:"Say which refunds would put it right. Nothing moves without --confirm."`
	Confirm bool   `help:"With --refund: send these refunds, each once, however often this is repeated."`
	JSON    bool   `name:"json" help:"One JSON object; with --refund --confirm another, of what was sent."`
}

// Help is the end of --help.
func (diagnoseDuplicates) Help() string {
	return `It reads only, unless it is told --refund --confirm, which needs an API key with payments:write. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till diagnose duplicates --since 7d --by booking
  till diagnose duplicates --since 7d --by booking --refund --confirm`
}

// Run looks for charges that were made more than once.
func (d *diagnoseDuplicates) Run(c *console) error {
	if d.Confirm && !d.Refund {
		return errors.New("--confirm goes with --refund: it sends the refunds that are proposed")
	}
	till, err := d.client()
	if err != nil {
		return err
	}
	found, err := diagnose.FindDuplicates(c.ctx, till, diagnose.DuplicatesInput{Since: time.Duration(d.Since), By: d.By, Within: time.Duration(d.Within)})
	if err != nil {
		return err
	}
	tell(c, d.JSON, found)
	if !d.Confirm {
		return nil
	}
	failed := 0
	sent := found.Confirm(c.ctx, till)
	for _, r := range sent {
		if r.Error != "" {
			failed++
		}
		if !d.JSON {
			fmt.Fprintf(c.out, "refunded %s %s of payment %s: %s %s%s\n", r.Amount, r.Currency, r.PaymentID, r.ID, r.Status, r.Error)
		}
	}
	if d.JSON {
		fmt.Fprintln(c.out, db.JSON(map[string]any{"refunds": append([]diagnose.Refunded{}, sent...)}))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d refunds were refused", failed, len(sent))
	}
	return nil
}

type diagnosePayouts struct {
	remote
	To     string `placeholder:"NAME" help:"To whom the letter goes."`
	Letter bool   `help:"Print the letter to the merchant in place of the diagnosis."`
	JSON   bool   `name:"json" help:"One JSON object, with the letter."`
}

// Help is the end of --help.
func (diagnosePayouts) Help() string {
	return `It reads only; an API key with payments:read will do. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till diagnose payouts
  till diagnose payouts --to Thomas --letter`
}

// Run asks why money does not arrive.
func (d *diagnosePayouts) Run(c *console) error {
	if d.Letter && d.JSON {
		return errors.New("--letter prints the letter alone, and --json has it already: give one of them")
	}
	till, err := d.client()
	if err != nil {
		return err
	}
	found, err := diagnose.CheckPayouts(c.ctx, till, d.To)
	if err != nil {
		return err
	}
	if d.Letter {
		fmt.Fprintln(c.out, found.Letter)
		return nil
	}
	tell(c, d.JSON, found)
	return nil
}

type diagnoseSignature struct {
	remote
	File      string    `arg:"" optional:"" name:"file" help:"Requests, a JSON object a line: payload, signature, received_at; - is the standard input."`
	Payload   string    `placeholder:"FILE" help:"The body of one request, byte for byte."`
	Signature string    `placeholder:"t=…,v1=…" help:"Its header Stripe-Signature."`
	Received  time.Time `placeholder:"TIME" help:"When it came, such as 2026-01-05T12:00:00Z: its age is judged by then."`
	JSON      bool      `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (diagnoseSignature) Help() string {
	return `It reads only, and writes nothing at till; an API key with webhooks:read will do. Example:

  export TILL=https://pay.example.com TILL_API_KEY=…
  till diagnose signature --payload body.json --signature "t=1767614400,v1=5257a8…"
  till diagnose signature requests.jsonl`
}

// Run checks the signatures.
func (d *diagnoseSignature) Run(c *console) error {
	till, err := d.client()
	if err != nil {
		return err
	}
	all, err := d.requests()
	if err != nil {
		return err
	}
	found, err := diagnose.CheckSignatures(c.ctx, till, all)
	if err != nil {
		return err
	}
	tell(c, d.JSON, found)
	return nil
}

// requests are those of the file, or the one of --payload.
func (d *diagnoseSignature) requests() ([]diagnose.Received, error) {
	if (d.File == "") == (d.Payload == "") {
		return nil, errors.New("give a file of requests, or one request by --payload and --signature")
	}
	if d.File != "" {
		return read(d.File, diagnose.ReadReceived)
	}
	return read(d.Payload, func(r io.Reader) ([]diagnose.Received, error) {
		const most = 1 << 20 // bytes: Stripe's largest events are a few tens of kilobytes
		body, err := io.ReadAll(io.LimitReader(r, most))
		return []diagnose.Received{{Payload: string(body), Signature: d.Signature, ReceivedAt: d.Received}}, err
	})
}
