package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/till-pay/till/internal/diagnose"
)

// progress shows how far a reading has come: on a terminal one line that changes, elsewhere a line now and then.
type progress struct {
	to       io.Writer
	terminal bool
	began    time.Time
	said     time.Time
	first    int64     // lines that had been read before
	newest   time.Time // where the reading began
	shown    bool
}

func newProgress(to io.Writer) *progress {
	p := &progress{to: to, began: time.Now(), first: -1}
	if file, ok := to.(*os.File); ok {
		about, err := file.Stat()
		p.terminal = err == nil && about.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// The width of the bar, and how often a line is written where there is no terminal.
const (
	barWidth = 24
	sayEvery = 10 * time.Second
)

func (p *progress) show(r diagnose.BookReading) {
	if p.first < 0 {
		p.first = r.Lines
	}
	if !p.terminal && time.Since(p.said) < sayEvery {
		return
	}
	p.said = time.Now()
	rate := float64(r.Lines-p.first) / max(time.Since(p.began).Seconds(), 1)
	line := fmt.Sprintf("%s: %d transactions of Stripe's read, %.0f a second%s", r.Account, r.Lines, rate, p.back(r))
	if p.terminal {
		p.shown = true
		fmt.Fprintf(p.to, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.to, line)
}

// back says how far back the reading has come. It goes from the newest to the oldest; how old that is, is known where something was read before.
func (p *progress) back(r diagnose.BookReading) string {
	if r.At == nil {
		return ""
	}
	if p.newest.IsZero() || r.At.After(p.newest) {
		p.newest = *r.At
	}
	back := ", back to " + r.At.UTC().Format("2006-01-02 15:04")
	if r.ReadTo == nil || !p.newest.After(*r.ReadTo) {
		return back
	}
	done := int(barWidth * p.newest.Sub(*r.At) / max(p.newest.Sub(*r.ReadTo), 1))
	done = min(max(done, 0), barWidth)
	return back + " [" + strings.Repeat("█", done) + strings.Repeat("·", barWidth-done) + "]"
}

// end leaves the terminal clean.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
