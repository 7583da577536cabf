package scenario

import (
	"fmt"
	"io"
	"strings"
)

// transcript tells a person how a case goes. A nil writer says nothing.
type transcript struct{ to io.Writer }

func (t *transcript) quiet() bool { return t.to == nil }

func (t *transcript) printf(format string, args ...any) {
	if t.to != nil {
		fmt.Fprintf(t.to, format, args...)
	}
}

// act begins a part of the play.
func (t *transcript) act(title string) {
	t.printf("\n── %s %s\n\n", title, strings.Repeat("─", max(100-len(title), 3)))
}

// step is one thing that was done, or seen.
func (t *transcript) step(format string, args ...any) {
	t.printf("  ✓ "+format+"\n", args...)
}

// command is a command and what it printed.
func (t *transcript) command(args []string, said string) {
	t.printf("  $ till %s\n\n", strings.Join(args, " "))
	for line := range strings.Lines(said) {
		t.printf("    %s\n", strings.TrimRight(line, "\n"))
	}
	t.printf("\n")
}

// text is a text of several lines, set in.
func (t *transcript) text(s string) {
	for line := range strings.Lines(strings.TrimSpace(s)) {
		t.printf("  %s\n", strings.TrimRight(line, "\n"))
	}
}
