package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
)

type ledgers struct {
	Head         ledgerHead   `cmd:"" help:"Say where the chain of hashes over the books stands, and list its daily heads."`
	Verify       ledgerVerify `cmd:"" help:"Hold the books against their chain, and name what was changed."`
	TrialBalance ledgerTrial  `cmd:"" help:"Print every account of a book: they sum to zero."`
	Close        ledgerClose  `cmd:"" help:"Close a period: record what every account held at the end of a day."`
}

type ledgerHead struct {
	remote
	Days int  `placeholder:"N" default:"7" help:"So many daily heads at most, newest first (${default})."`
	JSON bool `name:"json" help:"One JSON object a line: where the chain stands, then its heads."`
}

// Help is the end of --help.
func (ledgerHead) Help() string {
	return `Keep a head where this till cannot write: nobody can then change what came before unnoticed. Example:

  till ledger head --days 1 --json >> /backup/till-heads.jsonl
  till ledger verify --from 1042:9f86d081…`
}

// Run prints the heads.
func (h *ledgerHead) Run(c *console) error {
	till, err := h.client()
	if err != nil {
		return err
	}
	var tip ledger.Tip
	if err := till.Call(c.ctx, http.MethodGet, "/v1/ledger/head", nil, &tip); err != nil {
		return err
	}
	if h.JSON {
		fmt.Fprintln(c.out, db.JSON(tip))
	} else {
		fmt.Fprintf(c.out, "The chain has %s. %s\n", plural(int(tip.Sequence), "row", "rows"), waiting(tip.Waiting))
	}
	_, err = table[ledger.Head]{path: "/v1/ledger/heads", query: url.Values{}, limit: h.Days, json: h.JSON, heads: "DAY (UTC)\tHEAD\tDAY IS OVER",
		row: func(head ledger.Head) string {
			return fmt.Sprintf("%s\t%d:%s\t%t", head.Day, head.Sequence, head.Hash, head.Final)
		}}.print(c, till)
	return err
}

func waiting(w ledger.Waiting) string {
	if w.Transactions == 0 {
		return "All that was posted is in it."
	}
	return fmt.Sprintf("%s not in it yet, the oldest posted %d s ago.", plural(int(w.Transactions), "transaction is", "transactions are"), w.Seconds)
}

type ledgerVerify struct {
	remote
	From string `placeholder:"SEQUENCE:HASH" help:"A head that you have kept: the chain must hold it, and only what came after it is looked at. Without it, everything is."`
	JSON bool   `name:"json" help:"One JSON object a line, one for each part of the chain."`
}

// Help is the end of --help.
func (ledgerVerify) Help() string {
	return `It reads only. The exit status is 1 where something is not as it was chained. Example:

  till ledger verify
  till ledger verify --from 1042:9f86d081…`
}

// Run walks the chain, part by part.
func (v *ledgerVerify) Run(c *console) error {
	till, err := v.client()
	if err != nil {
		return err
	}
	q := url.Values{}
	if v.From != "" {
		q.Set("from", v.From)
	}
	var part ledger.Verification
	first, wrong, rows := ledger.Mark{}, 0, int64(0)
	for n := 0; n == 0 || !part.Complete; n++ {
		part = ledger.Verification{}
		if err := till.Call(c.ctx, http.MethodGet, "/v1/ledger/verification?"+q.Encode(), nil, &part); err != nil {
			return err
		}
		if n == 0 {
			first = part.From
		}
		wrong, rows = wrong+len(part.Findings), rows+part.Transactions
		v.print(c, part)
		q = url.Values{"cursor": {part.Next}}
	}
	if wrong > 0 {
		return fmt.Errorf("%s not as it was chained", plural(wrong, "thing is", "things are"))
	}
	if !v.JSON {
		fmt.Fprintf(c.out, "%s %s\n", verified(first.Sequence, part.Through.Sequence), waiting(part.Waiting))
		fmt.Fprintf(c.out, "The head is %d:%s\n", part.Through.Sequence, part.Through.Hash)
	}
	return nil
}

// verified says what was looked at and is as it was chained: the rows after one, up to another.
func verified(after, through int64) string {
	switch {
	case after < through:
		return fmt.Sprintf("Verified: rows %d to %d of the chain and all that they are about are as they were chained.", after+1, through)
	case through > 0:
		return fmt.Sprintf("Verified: the chain holds row %d as it was kept, and nothing was chained after it.", through)
	}
	return "Nothing is chained yet."
}

func (v *ledgerVerify) print(c *console, part ledger.Verification) {
	if v.JSON {
		fmt.Fprintln(c.out, db.JSON(part))
		return
	}
	for _, f := range part.Findings {
		fmt.Fprintln(c.out, f.Text)
	}
	if part.More {
		fmt.Fprintf(c.out, "There is more up to row %d than is listed.\n", part.Through.Sequence)
	}
	if !part.Complete {
		fmt.Fprintf(c.err, "… row %d\n", part.Through.Sequence)
	}
}

type ledgerTrial struct {
	remote
	Book string `enum:"expected,observed" default:"expected" help:"expected: what till foretells; observed: what Stripe's balance transactions say (${default})."`
	AsOf string `placeholder:"DAY" help:"Through the end of this day in UTC, such as 2026-11-30; now where it is not given."`
	JSON bool   `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (ledgerTrial) Help() string {
	return "The exit status is 1 where a currency does not sum to zero. Example:\n\n  till ledger trial-balance --as-of 2026-11-30\n  till ledger trial-balance --book observed"
}

// trialBalance is what the API says of a book.
type trialBalance struct {
	Since    string `json:"opening_through"`
	Balanced bool   `json:"balanced"`
	Wrong    string `json:"wrong"`
	Accounts []trialLine
	Totals   []trialLine
	Waiting  ledger.Waiting
}

type trialLine struct{ Account, Currency, Opening, Debits, Credits, Balance string }

// Run prints the accounts.
func (l *ledgerTrial) Run(c *console) error {
	till, err := l.client()
	if err != nil {
		return err
	}
	q := url.Values{"book": {l.Book}}
	if l.AsOf != "" {
		q.Set("as_of", l.AsOf)
	}
	var raw json.RawMessage
	var t trialBalance
	if err := till.Call(c.ctx, http.MethodGet, "/v1/ledger/trial_balance?"+q.Encode(), nil, &raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	if l.JSON {
		fmt.Fprintln(c.out, db.JSON(raw))
	} else if err := t.print(c); err != nil {
		return err
	}
	if !t.Balanced {
		return fmt.Errorf("the books do not balance: %s", t.Wrong)
	}
	return nil
}

func (t trialBalance) print(c *console) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	opening := "OPENING"
	if t.Since != "" {
		opening += " " + t.Since
	}
	fmt.Fprintf(w, "ACCOUNT\t%s\tDEBITS\tCREDITS\tBALANCE\tCURRENCY\t\n", opening)
	for _, total := range t.Totals {
		for _, a := range t.Accounts {
			if a.Currency == total.Currency {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", a.Account, a.Opening, a.Debits, a.Credits, a.Balance, a.Currency)
			}
		}
		fmt.Fprintf(w, "sum\t%s\t%s\t%s\t%s\t%s\t\n", total.Opening, total.Debits, total.Credits, total.Balance, total.Currency)
	}
	if len(t.Totals) == 0 {
		fmt.Fprintln(c.err, "Nothing is booked.")
		return nil
	}
	return w.Flush()
}

type ledgerClose struct {
	remote
	Through string `required:"" placeholder:"DAY" help:"The last day of the period in UTC, such as 2026-11-30; it must have ended an hour ago."`
	JSON    bool   `name:"json" help:"One JSON object."`
}

// Help is the end of --help.
func (ledgerClose) Help() string {
	return "It needs an API key with merchant:write. The same day again changes nothing. Example:\n\n  till ledger close --through 2026-11-30"
}

// Run closes the period.
func (l *ledgerClose) Run(c *console) error {
	till, err := l.client()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := till.Call(c.ctx, http.MethodPost, "/v1/ledger/closes", map[string]string{"through": l.Through}, &raw); err != nil {
		return err
	}
	if l.JSON {
		fmt.Fprintln(c.out, db.JSON(raw))
		return nil
	}
	var made struct {
		Through  string
		Head     ledger.Mark
		Balances []struct{ Book, Account, Currency, Balance string }
	}
	if err := json.Unmarshal(raw, &made); err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "BOOK\tACCOUNT\tBALANCE\tCURRENCY\t")
	for _, b := range made.Balances {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", b.Book, b.Account, b.Balance, b.Currency)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Closed through %s. The close is in the chain: %d:%s\n", made.Through, made.Head.Sequence, made.Head.Hash)
	return nil
}
