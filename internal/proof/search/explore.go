// Package search is the model checker: it runs the functions that decide in production (payment.Observe, refund.Answered, once.Heard, outbox's
// delivery and their kin) through every order of crashes, silences, repeats, losses and late answers that its bounds allow, over rows in memory
// whose guards are held against both databases by tests of their own (the twins).
//
// It shows two things of a machine: that what must never be is in no state that can be reached, and that from every such state a good end can
// still be reached without any further fault. So nothing is doubled or lost on the way, and nothing is stuck.
package search

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// State is one state of a machine. It is never changed once made.
type State interface {
	// Key names the state: states with the same key have the same future.
	Key() []byte
	// Moves are all that may happen next.
	Moves() []Move
	// Broken says what must never be and is; "" where all holds.
	Broken() string
	// Open says what keeps the state from being a good end; "" where it is one.
	Open() string
}

// Move is one thing that may happen. Fair ones happen in the end if nothing else does; faults need not.
type Move struct {
	Name string
	To   State
	Fair bool
}

// Found is what a search has seen.
type Found struct {
	States, Moves, Ends int
	Depth               int // the longest of the shortest ways to a state
}

// Flaw is a way to a state that must not be, or that nothing good can follow.
type Flaw struct {
	What string
	Way  []string // the moves from the beginning
}

// Error implements error.
func (f *Flaw) Error() string {
	return fmt.Sprintf("%s, after %d moves:\n  %s", f.What, len(f.Way), strings.Join(f.Way, "\n  "))
}

// ErrBound says that there are more states than the bound: then nothing is shown.
var ErrBound = errors.New("there are more states than the bound")

// Explore visits every state that can be reached from first, breadth first. most bounds them.
func Explore(first State, most int) (Found, error) {
	e := &explorer{index: map[[16]byte]int32{}, names: map[string]int32{}}
	e.visit(first, -1, "")
	for at := 0; at < len(e.parent); at++ {
		s := e.frontier[0]
		e.frontier[0] = nil
		e.frontier = e.frontier[1:]
		if what := s.Broken(); what != "" {
			return e.found, &Flaw{what, e.way(int32(at))}
		}
		if s.Open() == "" {
			e.found.Ends++
			e.good = append(e.good, int32(at))
		}
		for _, m := range s.Moves() {
			e.found.Moves++
			to := e.visit(m.To, int32(at), m.Name)
			if m.Fair {
				e.fair = append(e.fair, edge{int32(at), to})
			}
		}
		if len(e.parent) > most {
			return e.found, ErrBound
		}
	}
	e.found.States = len(e.parent)
	return e.found, e.stuck()
}

type edge struct{ from, to int32 }

// explorer keeps of each state only its number, how it was first reached, and the fair moves; states themselves only until they are looked into.
type explorer struct {
	index    map[[16]byte]int32
	parent   []int32
	depth    []int32
	by       []int32 // the name of the move that first reached it
	names    map[string]int32
	called   []string
	frontier []State
	fair     []edge
	good     []int32
	found    Found
}

func (e *explorer) visit(s State, from int32, by string) int32 {
	sum := sha256.Sum256(s.Key())
	key := [16]byte(sum[:16])
	if at, known := e.index[key]; known {
		return at
	}
	at := int32(len(e.parent))
	e.index[key] = at
	name, known := e.names[by]
	if !known {
		name = int32(len(e.called))
		e.names[by], e.called = name, append(e.called, by)
	}
	depth := int32(0)
	if from >= 0 {
		depth = e.depth[from] + 1
	}
	e.parent, e.depth, e.by, e.frontier = append(e.parent, from), append(e.depth, depth), append(e.by, name), append(e.frontier, s)
	e.found.Depth = max(e.found.Depth, int(depth))
	return at
}

func (e *explorer) way(at int32) (moves []string) {
	for ; e.parent[at] >= 0; at = e.parent[at] {
		moves = append(moves, e.called[e.by[at]])
	}
	for i, j := 0, len(moves)-1; i < j; i, j = i+1, j-1 {
		moves[i], moves[j] = moves[j], moves[i]
	}
	return moves
}

// stuck looks for a state from which no good end can be reached by fair moves: back from the good ends, along the fair moves.
func (e *explorer) stuck() error {
	before := make([][]int32, len(e.parent))
	for _, m := range e.fair {
		before[m.to] = append(before[m.to], m.from)
	}
	well := make([]bool, len(e.parent))
	next := e.good
	for _, at := range next {
		well[at] = true
	}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		for _, from := range before[at] {
			if !well[from] {
				well[from] = true
				next = append(next, from)
			}
		}
	}
	for at, ok := range well {
		if !ok {
			return &Flaw{"nothing good can follow", e.way(int32(at))}
		}
	}
	return nil
}
