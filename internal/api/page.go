package api

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// PageInput are the parameters of every list: newest first, by time and id.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Objects on a page."`
	Cursor string `query:"cursor" maxLength:"400" doc:"page.next of the page before."`
}

// Position is a place in a list: the last object seen. The zero Position is the start.
type Position struct {
	At time.Time
	ID string
}

// IsStart says that nothing was seen yet.
func (p Position) IsStart() bool { return p.ID == "" }

// stripeID is the form of an id of Stripe's: a list of Stripe's objects goes by those.
var stripeID = regexp.MustCompile(`^[A-Za-z0-9_]{1,255}$`)

// Position reads the cursor.
func (in PageInput) Position() (Position, error) {
	if in.Cursor == "" {
		return Position{}, nil
	}
	bad := fault.New(fault.ParameterInvalid, "cursor", "The cursor is not one that a list of ours gave.")
	raw, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return Position{}, bad
	}
	at, last, _ := strings.Cut(string(raw), " ")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !id.Valid(last) && !stripeID.MatchString(last) {
		return Position{}, bad
	}
	return Position{time.UnixMicro(micros).UTC(), last}, nil
}

// Page is one page of a list. Next is empty on the last one.
type Page[T any] struct {
	Data []T
	Next string
}

// NewPage cuts what a store found to a page: a store is asked for one more than the limit, and that one tells whether more follow.
func NewPage[T any](in PageInput, found []T, position func(T) Position) Page[T] {
	limit := max(in.Limit, 1)
	if len(found) <= limit {
		return Page[T]{Data: found}
	}
	found = found[:limit]
	last := position(found[len(found)-1])
	return Page[T]{found, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", last.At.UnixMicro(), last.ID))}
}
