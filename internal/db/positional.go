package db

import "strings"

// positional is a statement with ? in place of $n, and its arguments in the order of their use. SQLite takes $n for names, and looks each up among all
// others: a statement of some thousand arguments, as one that books a page of a hundred balance transactions, took it a tenth of a second.
func positional(text string, args []any) (string, []any) {
	var sql strings.Builder
	sql.Grow(len(text))
	ordered := make([]any, 0, len(args))
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\'':
			end := i + 1
			for end < len(text) && text[end] != '\'' {
				end++
			}
			end = min(end+1, len(text))
			sql.WriteString(text[i:end])
			i = end
		case c == '$' && i+1 < len(text) && isDigit(text[i+1]):
			n := 0
			for i++; i < len(text) && isDigit(text[i]) && n <= len(args); i++ {
				n = 10*n + int(text[i]-'0')
			}
			if n < 1 || n > len(args) { // SQLite says what is wrong with it
				return text, args
			}
			sql.WriteByte('?')
			ordered = append(ordered, args[n-1])
		default:
			sql.WriteByte(c)
			i++
		}
	}
	return sql.String(), ordered
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
