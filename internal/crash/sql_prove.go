//go:build prove

package crash

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// story names what goes over one connection to a database: a statement by its verb and table, a commit by what it makes true.
type story struct{ changed []string }

// hear names the next statement.
func (s *story) hear(sql string) string {
	name := statement(sql)
	switch verb, _, _ := strings.Cut(name, " "); verb {
	case "begin":
		s.changed = nil
	case "insert", "update", "delete":
		if !slices.Contains(s.changed, name) {
			s.changed = append(s.changed, name)
		}
	case "commit":
		return s.commit()
	}
	return name
}

func (s *story) commit() string {
	name := "commit"
	if len(s.changed) > 0 {
		name += " of " + strings.Join(s.changed, " + ")
	}
	s.changed = nil
	return name
}

// statement is the verb of a statement and the table that it is first about: "insert calls".
func statement(sql string) string {
	words := strings.Fields(strings.ToLower(sql))
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	if len(words) == 0 {
		return "nothing"
	}
	verb := strings.TrimRight(words[0], ";")
	about := ""
	switch {
	case verb == "update" && len(words) > 1:
		about = words[1]
	case (verb == "insert" || verb == "delete") && len(words) > 2:
		about = words[2]
	case verb == "create" && len(words) > 2:
		about = words[1] + " " + words[2]
	case verb == "select":
		if i := slices.Index(words, "from"); i >= 0 && i+1 < len(words) {
			about = words[i+1]
		}
	}
	return strings.TrimRight(verb+" "+strings.Trim(about, `(),;"`), " ")
}

// dialogue follows the messages of PostgreSQL's protocol that name statements (manual, "Message Formats"): Query, Parse and Bind.
type dialogue struct {
	story
	prepared map[string]string
	started  bool // the first message, which has no type, is over
}

// hear names what is written.
func (d *dialogue) hear(b []byte) string {
	if !d.started {
		d.started, d.prepared = true, map[string]string{}
		return " hello"
	}
	said := ""
	for len(b) >= 5 {
		kind, length := b[0], int(binary.BigEndian.Uint32(b[1:5]))
		if length < 4 || length+1 > len(b) {
			break
		}
		words := bytes.Split(b[5:length+1], []byte{0})
		switch {
		case kind == 'Q':
			said += " " + d.story.hear(string(words[0]))
		case kind == 'P' && len(words) > 1:
			d.prepared[string(words[0])] = string(words[1])
			if len(words[0]) > 0 {
				said += " prepare " + statement(string(words[1]))
			}
		case kind == 'B' && len(words) > 1:
			said += " " + d.story.hear(d.prepared[string(words[1])])
		}
		b = b[length+1:]
	}
	return said
}
