package ledger

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
)

// How much one verification reads at a time, and how long it goes on before it answers with what it has.
const (
	rowsPerPage  = 500
	linesPerPage = 5000
	verifyWithin = 5 * time.Second
	mostFindings = 100
)

// Finding is one thing that is not as it was chained.
type Finding struct {
	Sequence    int64  `json:"sequence" doc:"The row of the chain; 0 where there is none." example:"1042"`
	Transaction string `json:"transaction" doc:"The key of the ledger's transaction, as far as it is known." example:"payment/0199…/charge/5000"`
	Table       string `json:"table" doc:"Where it is." example:"ledger_entries"`
	Line        string `json:"line" doc:"The line of the transaction, or the account of a close." example:"0"`
	Column      string `json:"column" doc:"What differs; empty where it is the whole row." example:"amount"`
	Was         string `json:"was" doc:"As it was chained, as far as that is known." example:"5000"`
	Is          string `json:"is" example:"4000"`
	Text        string `json:"text" doc:"The same in a sentence."`
}

// Verification is what a walk through a chain, or a part of one, has found.
type Verification struct {
	Verified     bool      `json:"verified" doc:"Nothing in this part is other than it was chained."`
	Complete     bool      `json:"complete" doc:"This part is the last one."`
	Next         string    `json:"next" doc:"The cursor of the next part; empty on the last one."`
	From         Mark      `json:"from" doc:"The head that the walk began after."`
	Through      Mark      `json:"through" doc:"How far the chain has been walked."`
	Transactions int64     `json:"transactions" doc:"So many were looked at in this part."`
	Findings     []Finding `json:"findings" nullable:"false"`
	More         bool      `json:"more_findings" doc:"There is more in this part than is listed."`
	Waiting      Waiting   `json:"waiting"`
}

// VerifyInput asks for a verification.
type VerifyInput struct {
	From   string `query:"from" maxLength:"90" doc:"A head that you have kept, as SEQUENCE:HASH: the chain must hold it, and only what came after it is looked at. Without it, everything is." example:"1042:9f86d081…"`
	Cursor string `query:"cursor" maxLength:"1000" doc:"next of the part before."`
}

// place is how far a verification has come.
type place struct {
	Stage  int    `json:"s"` // an index of stages
	After  int64  `json:"n"` // of the chain
	Hash   string `json:"h"` // what the next row follows; "" where that is not known
	Day    string `json:"d"` // of the last head that was looked at
	Key    string `json:"k"` // of the ledger's own tables
	Line   int64  `json:"l"` // or the day, of their sums
	Until  int64  `json:"u"` // the end of the chain when it began
	Partly bool   `json:"p"` // from a head on
}

// noDay stands for the day of a head that cannot be known: the heads are not looked at then.
const noDay = "-"

// walk is one verification under way.
type walk struct {
	*Books
	scope db.Scope
	at    place
	found Verification
}

// stages go one after another. Each does a bounded part, moves on in place, and says whether it is at its end.
var stages = []func(*walk, context.Context) (bool, error){(*walk).chained, (*walk).entriesBeside, (*walk).movementsBeside, (*walk).closesBeside, (*walk).days}

// Verify walks a chain in bounded memory: each of its rows against the one before and against the ledger as it stands, each head against its row, and
// the ledger against the chain. One call does what can be done in a few seconds.
func (b *Books) Verify(ctx context.Context, scope db.Scope, in VerifyInput) (Verification, error) {
	w := &walk{Books: b, scope: scope, found: Verification{Findings: []Finding{}}}
	if err := w.begin(ctx, in); err != nil {
		return Verification{}, err
	}
	for began := time.Now(); time.Since(began) < verifyWithin; {
		ended, err := stages[w.at.Stage](w, ctx)
		if err != nil {
			return Verification{}, err
		}
		if !ended {
			continue
		}
		w.at.Stage++
		if w.found.Complete = w.at.Stage == len(stages) || w.at.Partly; w.found.Complete {
			break
		}
	}
	var err error
	w.found.Waiting, err = b.waiting(ctx, scope)
	w.found.Verified = len(w.found.Findings) == 0
	if w.found.Through = (Mark{Sequence: w.at.After, Hash: w.at.Hash}); !w.found.Complete {
		w.found.Next = base64.RawURLEncoding.EncodeToString([]byte(db.JSON(w.at)))
	}
	return w.found, err
}

// begin sets out from the beginning, from a head, or from where the part before has ended.
func (w *walk) begin(ctx context.Context, in VerifyInput) error {
	if in.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if err == nil {
			err = json.Unmarshal(raw, &w.at)
		}
		if err != nil || w.at.Stage < 0 || w.at.Stage >= len(stages) {
			return fault.New(fault.ParameterInvalid, "cursor", "The cursor is not one that a verification of ours gave.")
		}
		w.found.From = Mark{Sequence: w.at.After, Hash: w.at.Hash}
		return nil
	}
	w.at.Hash = origin(w.scope)
	if in.From != "" {
		if err := w.from(ctx, in.From); err != nil {
			return err
		}
	}
	w.found.From = Mark{Sequence: w.at.After, Hash: w.at.Hash}
	return w.toEnd(ctx)
}

// from sets out from a head that somebody has kept. What was written anew before it gives the chain another hash there.
func (w *walk) from(ctx context.Context, head string) error {
	number, hash, _ := strings.Cut(head, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || seq < 0 || len(hash) != 64 {
		return fault.New(fault.ParameterInvalid, "from", "from is a head as SEQUENCE:HASH, such as GET /v1/ledger/heads gives.")
	}
	w.at.After, w.at.Hash, w.at.Partly = seq, hash, true
	if seq == 0 {
		return nil
	}
	m, err := db.One(ctx, w.DB, scanMark, `select seq, hash, chained_at from ledger_chain where merchant = $1 and mode = $2 and seq = $3`, w.scope.Merchant, w.scope.Mode, seq)
	switch w.at.Day = noDay; {
	case errors.Is(err, db.ErrNone):
		w.tell(Finding{Sequence: seq, Table: "ledger_chain", Was: hash, Text: fmt.Sprintf("The chain has no row %d, of which the head was taken: it was removed.", seq)})
	case err != nil:
		return err
	case m.Hash != hash:
		w.tell(Finding{Sequence: seq, Table: "ledger_chain", Column: "hash", Was: hash, Is: m.Hash,
			Text: fmt.Sprintf("Row %d has another hash than the head that was taken of it: row %d or one before it was written anew.", seq, seq)})
		w.at.Hash = m.Hash
	}
	if m.at != 0 {
		w.at.Day = time.UnixMicro(m.at).UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return nil
}

// toEnd notes where the chain ends by now. The heads are read first: the chain only grows, so it reaches at least as far as they say.
func (w *walk) toEnd(ctx context.Context) error {
	head, err := db.One(ctx, w.DB, func(r db.Row) (h Head, err error) { return h, r.Scan(&h.Day, &h.Sequence, &h.Hash) },
		`select day, seq, hash from ledger_heads where merchant = $1 and mode = $2 order by seq desc limit 1`, w.scope.Merchant, w.scope.Mode)
	if err != nil && !errors.Is(err, db.ErrNone) {
		return err
	}
	end, err := w.end(ctx, w.scope)
	if err != nil {
		return err
	}
	if w.at.Until = end.Sequence; head.Sequence <= end.Sequence {
		return nil
	}
	row, err := db.One(ctx, w.DB, db.Value[int64], `select seq from ledger_chain where merchant = $1 and mode = $2 and hash = $3`, w.scope.Merchant, w.scope.Mode, head.Hash)
	switch {
	case err == nil:
		w.differs(row, "", "ledger_heads", head.Day, "seq", strconv.FormatInt(row, 10), strconv.FormatInt(head.Sequence, 10))
	case !errors.Is(err, db.ErrNone):
		return err
	default:
		w.tell(Finding{Sequence: end.Sequence + 1, Table: "ledger_chain",
			Text: fmt.Sprintf("The chain ends with row %d, and the head of %s is row %d: what came after was removed.", end.Sequence, head.Day, head.Sequence)})
	}
	return nil
}

func (w *walk) tell(f Finding) {
	if len(w.found.Findings) == mostFindings {
		w.found.More = true
		return
	}
	w.found.Findings = append(w.found.Findings, f)
}

// differs tells of a column that is not as it was.
func (w *walk) differs(seq int64, key, table, line, column, was, is string) {
	where := table
	if line != "" {
		where += ", line " + line
	}
	if key != "" {
		where = "transaction " + key + ", " + where
	}
	w.tell(Finding{seq, key, table, line, column, was, is, fmt.Sprintf("Row %d of the chain, %s: %s was %q when it was chained and is %q.", seq, where, column, was, is)})
}
