package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is all that a run has measured.
type report struct{ tables []table }

// table is a part of it, with the words that belong above and below.
type table struct {
	title   string
	before  string
	columns []string
	rows    [][]string
	after   []string
}

func (r *report) add(t table) { r.tables = append(r.tables, t) }

// print writes the report as Markdown, or each row as a line of JSON.
func (r *report) print(to io.Writer, asJSON bool) {
	for _, t := range r.tables {
		if asJSON {
			t.printJSON(to)
			continue
		}
		t.printMarkdown(to)
	}
}

func (t table) printMarkdown(to io.Writer) {
	fmt.Fprintf(to, "### %s\n\n", t.title)
	if t.before != "" {
		fmt.Fprintf(to, "%s\n\n", t.before)
	}
	fmt.Fprintf(to, "| %s |\n|%s\n", strings.Join(t.columns, " | "), strings.Repeat("---|", len(t.columns)))
	for _, row := range t.rows {
		fmt.Fprintf(to, "| %s |\n", strings.Join(row, " | "))
	}
	fmt.Fprintln(to)
	for _, line := range t.after {
		fmt.Fprintf(to, "%s\n\n", line)
	}
}

func (t table) printJSON(to io.Writer) {
	for _, row := range t.rows {
		line := map[string]string{"table": t.title}
		for i, value := range row {
			line[cmp.Or(t.columns[i], "what")] = value
		}
		_ = json.NewEncoder(to).Encode(line) // texts are JSON always
	}
}

// goal is what a ratio is to be: at least, or at most.
type goal struct {
	least, most float64
}

// row is the ratio beside its goal.
func (g goal) row(what string, ratio float64) []string {
	switch {
	case g.least > 0:
		return []string{what, number(ratio), "≥ " + short(g.least), verdict(ratio, g.least)}
	case g.most > 0:
		return []string{what, number(ratio), "≤ " + short(g.most), verdict(1/ratio, 1/g.most)}
	}
	return []string{what, number(ratio), "", ""}
}

// verdict says whether a value is at least what is wanted of it.
func verdict(is, wanted float64) string {
	if is >= wanted {
		return "met"
	}
	return fmt.Sprintf("missed by a factor of %.2f", wanted/is)
}

// unknown stands where the system does not say.
const unknown = "unknown"

// against are the columns of ratios and their goals.
var against = []string{"", "ratio", "goal", "met?"}

// number prints a ratio or another value to three digits.
func number(f float64) string {
	if math.IsNaN(f) {
		return unknown
	}
	if f >= 1000 {
		return thousands(int64(f + 0.5))
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

func short(f float64) string {
	if f < 1 {
		return fmt.Sprintf("1/%.0f", 1/f)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// thousands prints 1234567 as 1,234,567.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

func ms(d time.Duration) string { return strconv.FormatFloat(float64(d)/1e6, 'f', 2, 64) }

func micros(d time.Duration) string {
	if d == 0 {
		return unknown
	}
	return strconv.FormatFloat(float64(d)/1e3, 'f', 0, 64)
}

func megabytes(bytes int64) string { return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) }

func column[S, T any](all []S, of func(S) T) []T {
	c := make([]T, len(all))
	for i, one := range all {
		c[i] = of(one)
	}
	return c
}

// median is the middle one; of an even number, the lower of the two.
func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2]
}

// ratios is the median of the quotients of each round, so that what slows a round down slows both.
func ratios[N time.Duration | float64](ours, theirs []sample, of func(sample) N) float64 {
	var all []float64
	for i := range min(len(ours), len(theirs)) {
		all = append(all, float64(of(ours[i]))/float64(of(theirs[i])))
	}
	return median(all)
}
