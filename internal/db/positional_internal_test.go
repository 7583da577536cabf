package db

import (
	"slices"
	"testing"
)

func TestPositional(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, want string
		args, then []any
	}{
		{`select 1`, `select 1`, nil, nil},
		{`a = $1 and b = $2`, `a = ? and b = ?`, []any{1, 2}, []any{1, 2}},
		{`a = $2 and b = $1 and c = $2`, `a = ? and b = ? and c = ?`, []any{1, 2}, []any{2, 1, 2}},
		{`a = '$1' and b = 'it''s $2' and c = $1`, `a = '$1' and b = 'it''s $2' and c = ?`, []any{1}, []any{1}},
		{`($1,$10)`, `(?,?)`, []any{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []any{1, 10}},
		{`a = $3`, `a = $3`, []any{1, 2}, []any{1, 2}},
		{`a = $0`, `a = $0`, []any{1}, []any{1}},
		{`a = $99999999999999999999`, `a = $99999999999999999999`, []any{1}, []any{1}},
		{`a = '$1`, `a = '$1`, []any{1}, nil},
		{`a = $`, `a = $`, nil, nil},
	} {
		if text, args := positional(c.text, c.args); text != c.want || !slices.Equal(args, c.then) {
			t.Errorf("%s: %s, %v", c.text, text, args)
		}
	}
}
