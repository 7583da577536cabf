package main

import (
	"fmt"
	"strings"
)

// branch is a segment in the tree of paths.
type branch struct {
	segment string
	next    map[string]*branch
	wild    *branch
	ops     [3]int
}

func (b *branch) grow(path string, method, op int) {
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		next := b.next[segment]
		switch {
		case strings.HasPrefix(segment, "{"):
			if b.wild == nil {
				b.wild = &branch{next: map[string]*branch{}}
			}
			next = b.wild
		case next == nil:
			next = &branch{segment: segment, next: map[string]*branch{}}
			b.next[segment] = next
		}
		b = next
	}
	b.ops[method] = op + 1
}

// rows lays the tree out breadth first, so that the continuations of a segment stand side by side.
func (b *branch) rows() []string {
	var rows []string
	queue := []*branch{b}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		from := len(rows) + len(queue) + 1
		for _, segment := range sorted(at.next) {
			queue = append(queue, at.next[segment])
		}
		row := fmt.Sprintf("segment: %q, from: %d, to: %d", at.segment, from, from+len(at.next))
		if at.wild != nil {
			row += fmt.Sprintf(", wild: %d", from+len(at.next))
			queue = append(queue, at.wild)
		}
		if at.ops != [3]int{} {
			row += fmt.Sprintf(", ops: [3]uint16{%d, %d, %d}", at.ops[0], at.ops[1], at.ops[2])
		}
		rows = append(rows, "{"+row+"}")
	}
	return rows
}
