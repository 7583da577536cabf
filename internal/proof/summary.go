package proof

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"unicode/utf8"
)

// Summary is what the matrix found.
type Summary struct {
	Seed    uint64         `json:"seed"`
	Points  map[string]int `json:"points"` // by engine: the places at which a process can die in the story and at its start
	Runs    int            `json:"runs"`
	Doubled int            `json:"doubled"` // runs in which that was found; likewise below
	Lost    int            `json:"lost"`
	Stuck   int            `json:"stuck"`
	Broken  int            `json:"broken"` // runs that proved nothing, for the proof itself failed
	Missed  int            `json:"missed"` // runs in which the process did not come to its point, and died where it stood in the end
	Seconds float64        `json:"seconds"`
	Rows    []Row          `json:"rows"`
	Failed  []FailedRun    `json:"failed,omitempty"`

	mu     sync.Mutex
	points map[string][]string
}

// Row is a line of the table: a kind of point, or a fault.
type Row struct {
	What    string         `json:"what"`
	Points  map[string]int `json:"points,omitempty"` // by engine
	Runs    map[string]int `json:"runs"`             // by engine
	Doubled int            `json:"doubled"`
	Lost    int            `json:"lost"`
	Stuck   int            `json:"stuck"`
}

// FailedRun is a trial that did not end as it must.
type FailedRun struct {
	Run      string    `json:"run"`
	Again    string    `json:"again"`
	Folder   string    `json:"folder"`
	Failures []Failure `json:"failures"`
}

// add counts a trial, and says how far the whole is.
func (s *Summary) add(a attempt, t *trial, all int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Runs++
	r := s.row(rowOf(a))
	r.Runs[a.engine]++
	verdicts := map[string]bool{}
	for _, f := range t.failures {
		verdicts[f.Verdict] = true
	}
	for verdict, counts := range map[string][]*int{doubled: {&s.Doubled, &r.Doubled}, lost: {&s.Lost, &r.Lost}, stuck: {&s.Stuck, &r.Stuck}, broken: {&s.Broken}} {
		for _, n := range counts {
			if verdicts[verdict] {
				*n++
			}
		}
	}
	if t.missed {
		s.Missed++
	}
	if len(t.failures) > 0 {
		s.Failed = append(s.Failed, FailedRun{a.String(), again(a), t.folder, t.failures})
	}
	return fmt.Sprintf("%d of %d runs: %d doubled, %d lost, %d stuck", s.Runs, all, s.Doubled, s.Lost, s.Stuck)
}

func (s *Summary) row(what string) *Row {
	i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.What == what })
	if i < 0 {
		s.Rows = append(s.Rows, Row{What: what, Points: map[string]int{}, Runs: map[string]int{}})
		i = len(s.Rows) - 1
	}
	return &s.Rows[i]
}

// rowOf is the row that a trial belongs to.
func rowOf(a attempt) string {
	switch a.kind {
	case killed:
		return kindOf(a.detail)
	case fresh:
		return "dies: on the way from an empty database"
	case twice:
		return "dies: and dies again while it recovers"
	case moments:
		return "dies: at any moment, twice"
	}
	return a.detail
}

// kindOf is the kind of a point.
func kindOf(point string) string {
	when, what, _ := strings.Cut(point, " ")
	room, what, _ := strings.Cut(what, " ")
	switch room {
	case "stripe":
		room = "Stripe"
	case "sqlite", "postgres":
		room = "database"
	}
	switch {
	case strings.HasPrefix(what, "first byte"):
		when, what = "after", "first byte of the reply"
	case strings.HasPrefix(what, "whole reply"):
		when, what = "after", "whole reply"
	case strings.Contains(what, "commit of"):
		what = "commit"
	case strings.HasPrefix(what, "write") && room != "database":
		what = "request is written"
	case strings.HasPrefix(what, "dial"), strings.HasPrefix(what, "read"):
		what, _, _ = strings.Cut(what, ":")
	case room == "master":
		room, what = "master key", "file"
	default:
		what = "statement"
	}
	return "dies: " + when + " " + room + " " + what
}

// end puts the points into the rows, and the rows in order.
func (s *Summary) end() {
	for engine, all := range s.points {
		for _, p := range all {
			s.row(kindOf(p)).Points[engine]++
		}
	}
	slices.SortStableFunc(s.Rows, func(a, b Row) int { return strings.Compare(a.key(), b.key()) })
	slices.SortFunc(s.Failed, func(a, b FailedRun) int { return strings.Compare(a.Run, b.Run) })
}

func (r Row) key() string {
	if len(r.Points) > 0 {
		return "1 " + r.What
	} else if strings.HasPrefix(r.What, "dies") {
		return "2 " + r.What
	}
	return "3 " + r.What
}

// Good says whether nothing was found, and everything was tried.
func (s *Summary) Good() bool { return s.Doubled+s.Lost+s.Stuck+s.Broken == 0 && s.Runs > 0 }

// Write writes the table and the closing line.
func (s *Summary) Write(to io.Writer) {
	widest := 0
	for _, r := range s.Rows {
		widest = max(widest, utf8.RuneCountInString(r.What))
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-*s\t", widest, "what happens")
	for _, e := range s.shown() {
		fmt.Fprintf(w, "%s points\truns\t", e)
	}
	fmt.Fprintln(w, "doubled\tlost\tstuck\t")
	for _, r := range s.Rows {
		fmt.Fprintf(w, "%-*s\t", widest, r.What)
		for _, e := range s.shown() {
			fmt.Fprintf(w, "%s\t%s\t", number(r.Points[e]), number(r.Runs[e]))
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t\n", r.Doubled, r.Lost, r.Stuck)
	}
	_ = w.Flush()
	for _, f := range s.Failed {
		fmt.Fprintf(to, "\n%s\n", f.Run)
		for _, failure := range f.Failures[:min(len(f.Failures), 3)] {
			what := failure.What
			if len(what) > 300 {
				what = what[:300] + "…"
			}
			fmt.Fprintf(to, "  %s: %s\n", failure.Verdict, what)
		}
		fmt.Fprintf(to, "  %s/report.txt\n  %s\n", f.Folder, f.Again)
	}
	total := 0
	for _, n := range s.Points {
		total += n
	}
	fmt.Fprintf(to, "\nkill matrix: %d points, %d runs, %d doubled, %d lost, %d stuck", total, s.Runs, s.Doubled, s.Lost, s.Stuck)
	if s.Broken > 0 { // they proved nothing
		fmt.Fprintf(to, ", %d broken", s.Broken)
	}
	fmt.Fprintln(to)
}

// shown are the engines in the table.
func (s *Summary) shown() (some []string) {
	for _, e := range engines {
		if slices.ContainsFunc(s.Rows, func(r Row) bool { return r.Points[e]+r.Runs[e] > 0 }) {
			some = append(some, e)
		}
	}
	return some
}

func number(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
