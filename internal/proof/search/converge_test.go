//go:build !race

package search

import "testing"

// Every tale, heard in every order, each word once or twice, ends in the same rows, the same books and the same news.
func TestEveryOrderEndsAlike(t *testing.T) {
	t.Parallel()
	if err := Orders(t.Context(), func(c Convergence) { t.Log(c, c.End) }); err != nil {
		t.Error(err)
	}
}
