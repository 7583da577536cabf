package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/diagnose"
)

// A bar fills as the reading goes back to where the last one ended; without a terminal, a line is written now and then.
func TestProgress(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) *time.Time { d := end.AddDate(0, 0, days); return &d }
	var out strings.Builder
	p := newProgress(&out)
	p.terminal = true
	for _, days := range []int{24, 12, 0} {
		p.show(diagnose.BookReading{Account: "acct_1", Lines: int64(1000 - days), At: at(days), ReadTo: at(0)})
	}
	p.end()
	shown := strings.Split(out.String(), "\r")
	if len(shown) != 5 || !strings.Contains(shown[1], "976 transactions of Stripe's read, 0 a second, back to 2026-01-25 00:00 ["+strings.Repeat("·", barWidth)) ||
		!strings.Contains(shown[2], "["+strings.Repeat("█", barWidth/2)+strings.Repeat("·", barWidth/2)+"]") || !strings.Contains(shown[3], strings.Repeat("█", barWidth)) || shown[4] != "\x1b[K" {
		t.Errorf("%q", shown)
	}
	out.Reset()
	p = newProgress(&out)
	for range 5 {
		p.show(diagnose.BookReading{Account: "acct_1", Lines: 5})
	}
	p.end()
	if out.String() != "acct_1: 5 transactions of Stripe's read, 0 a second\n" {
		t.Errorf("%q", out.String())
	}
}
