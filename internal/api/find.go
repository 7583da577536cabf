package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// Between are the parameters of a list that is filtered by time.
type Between struct {
	Since time.Time `query:"since" doc:"Made at or after this time (RFC 3339)."`
	Until time.Time `query:"until" doc:"Made before this time (RFC 3339)."`
}

// Select begins the query of a list: what a merchant has in a table. WHERE is built from the filters that are set, for a static
// "$2 IS NULL OR …" is hundreds of times slower on SQLite.
func Select(columns, table string, scope db.Scope) *sqlbuilder.SelectBuilder {
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	return b.Select(columns).From(table).Where(b.Equal("merchant", scope.Merchant), b.Equal("mode", scope.Mode))
}

// Filter narrows a list to rows with a value in a column; "" filters nothing.
func Filter(b *sqlbuilder.SelectBuilder, column, value string) {
	if value != "" {
		b.Where(b.Equal(column, value))
	}
}

// FilterType narrows a list to a type of event: "payment.completed", or "payment.*" for all of a noun; "" filters nothing.
func FilterType(b *sqlbuilder.SelectBuilder, value string) {
	noun, all := strings.CutSuffix(value, "*")
	if !all {
		Filter(b, "type", value)
		return
	}
	b.Where("substr(type, 1, " + b.Var(len(noun)) + ") = " + b.Var(noun)) // not by order: PostgreSQL's depends on the database's locale
}

// Get is what a merchant has under the id of a URL, by find. what is what people call it.
func Get[T any](ctx context.Context, scope db.Scope, given, what string, find func(context.Context, db.Scope, string) (T, error)) (T, error) {
	err := db.ErrNone
	var found T
	if id.Valid(given) {
		found, err = find(ctx, scope, given)
	}
	if errors.Is(err, db.ErrNone) {
		err = fault.New(fault.ResourceMissing, "id", "There is no such %s.", what)
	}
	return found, err
}

// Find runs the query of a list, newest first by created_at and id, and cuts what it finds to a page.
func Find[T any](ctx context.Context, q db.Querier, b *sqlbuilder.SelectBuilder, in PageInput, between Between, scan func(db.Row) (T, error), position func(T) Position) (Page[T], error) {
	from, err := in.Position()
	if err != nil {
		return Page[T]{}, err
	}
	if !between.Since.IsZero() {
		b.Where(b.GreaterEqualThan("created_at", db.Micros(between.Since)))
	}
	if !between.Until.IsZero() {
		b.Where(b.LessThan("created_at", db.Micros(between.Until)))
	}
	if !from.IsStart() {
		b.Where("(created_at, id) < (" + b.Var(db.Micros(from.At)) + ", " + b.Var(from.ID) + ")")
	}
	b.OrderBy("created_at desc", "id desc").Limit(in.Limit + 1) // the one too many tells whether more follow
	sql, args := b.Build()
	found, err := db.All(ctx, q, scan, sql, args...)
	if err != nil {
		return Page[T]{}, err
	}
	return NewPage(in, found, position), nil
}
