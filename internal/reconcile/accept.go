package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// Acceptance is what somebody accepted of a line although nothing accounts for it: a price of Stripe's that has changed, and is right. It takes the
// difference out of the remainder, and moves nothing in the books.
type Acceptance struct {
	Amount money.Money `json:"amount" doc:"The difference that was accepted." example:"-0.10"`
	Note   string      `json:"note" doc:"Why." example:"Stripe's price since 1 December: 3.1 % + 30 ¢."`
	Key    string      `json:"api_key_id" doc:"The API key that it was accepted with."`
	At     time.Time   `json:"accepted_at"`
}

// AcceptInput says of which line, and why.
type AcceptInput struct {
	ID   string `path:"id" maxLength:"255" doc:"Stripe's balance transaction: txn_…"`
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500" doc:"Why it is accepted." example:"Stripe's price since 1 December: 3.1 % + 30 ¢."`
	}
}

func (s *Reconcile) acceptRoute(a *api.API) {
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/reconciliation/lines/{id}/accept", Summary: "Accept a difference", Tag: "Books", Scope: api.PaymentsWrite,
		Text: "Takes the difference of an `unexplained` line out of the remainder: it is in `accepted` from then on, a sum of its own beside the remainder, with the note, the time and the API key. " +
			"The books stay as they are. Where the line is settled again and its difference becomes another amount, it is `unexplained` again. Repeated with the same note, it changes nothing."},
		func(ctx context.Context, c api.Caller, in *AcceptInput) (api.Reply[Line], error) {
			l, again, err := s.Accept(ctx, c, *in)
			return api.Reply[Line]{Data: l, Replayed: again}, err
		})
}

// Accept accepts the difference of a line. again says that it had been accepted before, in the same words.
func (s *Reconcile) Accept(ctx context.Context, c api.Caller, in AcceptInput) (now Line, again bool, err error) {
	note := strings.TrimSpace(in.Body.Note)
	if note == "" {
		return Line{}, false, fault.New(fault.ParameterInvalid, "note", "The note says why the difference is accepted: it is not empty.")
	}
	err = s.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		was, err := db.One(ctx, s.DB, scan, `select `+columns+` from balance_transactions where merchant = $1 and mode = $2 and id = $3`, c.Merchant, c.Mode, in.ID)
		if errors.Is(err, db.ErrNone) {
			return nil, fault.New(fault.ResourceMissing, "id", "There is no line %s among the balance transactions that were read.", in.ID)
		}
		if err != nil {
			return nil, err
		}
		if now, again, err = was.accept(Acceptance{Note: note, Key: c.KeyID, At: s.Clock.Now()}); err != nil || again {
			return nil, err
		}
		return []db.Change{accepting(was, now)}, nil
	})
	if err != nil {
		return Line{}, false, err
	}
	now.Payout = listed(now.Payout)
	return now, again, nil
}

// accept is a line whose difference somebody accepts. Only one that was looked into can be: of another nobody knows yet what it is.
func (l Line) accept(by Acceptance) (now Line, again bool, err error) {
	switch {
	case l.State == Accepted && l.Acceptance.Note == by.Note:
		return l, true, nil
	case l.State == Accepted:
		return l, false, fault.New(fault.LineState, "note", "The difference of %s was accepted before, with another note: %s", l.ID, l.Acceptance.Note)
	case l.State == Open:
		return l, false, fault.New(fault.LineState, "id", "%s has not been looked into yet: POST /v1/reconciliation/runs asks Stripe what it is.", l.ID)
	case l.State != Unexplained:
		return l, false, fault.New(fault.LineState, "id", "%s is %s: nothing of it is unexplained.", l.ID, l.State)
	}
	by.Amount = l.Difference
	l.State, l.Difference.Minor, l.Acceptance = Accepted, 0, &by
	return l, false, nil
}

// acceptedCells are what a table says of what is accepted of a line now: its amount, why and when; nothing where it is not.
func (l Line) acceptedCells(p period) []string {
	if l.State != Accepted {
		return []string{"", "", ""}
	}
	return []string{l.Acceptance.Amount.String(), l.Acceptance.Note, p.moment(l.Acceptance.At)}
}

// leave says what of a group nothing accounts for. What was accepted of it stays so as long as it is that amount; of another nobody has said so.
func (g group) leave(difference int64, reason string) {
	on, was := g.lines[len(g.lines)-1], g.accepted()
	left := money.FromMinor(difference, on.Currency)
	switch {
	case difference == 0:
	case was != nil && was.Acceptance.Amount == left:
		on = was
		on.State = Accepted
	case was != nil:
		reason += " Accepted was " + shown(was.Acceptance.Amount.Minor, was.Currency) + ", and it is another amount now."
		fallthrough
	default:
		on.State, on.Difference = Unexplained, left
	}
	on.Reason = reason
}

// accepted is the line of a group whose difference was accepted last; nil where none was.
func (g group) accepted() (last *Line) {
	for _, l := range g.lines {
		if l.Acceptance != nil && (last == nil || !l.Acceptance.At.Before(last.Acceptance.At)) {
			last = l
		}
	}
	return last
}

// accepting writes that a line was accepted. It misses where the line has been settled to something else meanwhile.
func accepting(was, now Line) db.Change {
	a := now.Acceptance
	return db.Change{SQL: `update balance_transactions set state = $4, difference = $5, accepted = $6, accepted_note = $7, accepted_by = $8, accepted_at = $9
		where merchant = $1 and mode = $2 and id = $3 and state = $10 and difference = $11`,
		Args: []any{was.scope.Merchant, was.scope.Mode, was.ID, string(now.State), now.Difference.Minor, a.Amount.Minor, a.Note, a.Key, db.Micros(a.At), string(was.State), was.Difference.Minor}, Rows: 1}
}

// acceptedLines are those whose difference is accepted, the newest first.
func (s *Reconcile) acceptedLines(ctx context.Context, scope db.Scope, limit int) ([]Line, error) {
	all, err := db.All(ctx, s.DB, scan, `select `+columns+` from balance_transactions where merchant = $1 and mode = $2 and state = 'accepted' order by created_at desc, id desc limit $3`,
		scope.Merchant, scope.Mode, limit)
	for i := range all {
		all[i].Payout = listed(all[i].Payout)
	}
	if all == nil {
		all = []Line{}
	}
	return all, err
}
