package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	csvWithin = 15 * time.Minute // a whole export
	csvStall  = 30 * time.Second // while nobody takes what is written
	csvBuffer = 64 << 10
	csvType   = "text/csv; charset=utf-8; header=present"
)

// CSV is a table that is sent as it is read, whatever its length.
type CSV struct {
	Name   string // of the file
	Header []string
	// Rows reads the table and writes its rows: a page at a time, for its context bounds the whole.
	Rows func(ctx context.Context, write func(cells ...string) error) error
}

// AddCSV registers an endpoint that answers a table: RFC 4180 in UTF-8, with a header. Errors before its first bytes are answered as everywhere; an
// error after them cuts the connection, so that a part is never taken for the whole.
func AddCSV[I any](a *API, o Operation, open func(context.Context, Caller, *I) (CSV, error)) {
	op := a.operation(o)
	op.Responses["200"] = &huma.Response{Description: "A table. A cell that a spreadsheet would take for a formula begins with an apostrophe.",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		table, err := open(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, a.refuse(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			a.stream(w, r, table)
		}}, nil
	})
	a.added(o)
}

// unsent writes to a client and knows whether anything went out. Each write has its own time to be taken.
type unsent struct {
	w    http.ResponseWriter
	name string
	sent bool
}

// Write implements io.Writer.
func (u *unsent) Write(b []byte) (int, error) {
	_ = http.NewResponseController(u.w).SetWriteDeadline(time.Now().Add(csvStall))
	if !u.sent {
		u.sent = true
		u.w.Header().Set("Content-Type", csvType)
		u.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": u.name}))
	}
	return u.w.Write(b)
}

// stream sends a table. The request's own deadline is for answers that are short.
func (a *API) stream(w http.ResponseWriter, r *http.Request, table CSV) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), csvWithin)
	defer cancel()
	out := &unsent{w: w, name: table.Name}
	to := csv.NewWriter(bufio.NewWriterSize(out, csvBuffer)) // which it takes as its own
	to.UseCRLF = true
	write := func(cells ...string) error {
		for i, cell := range cells {
			cells[i] = harmless(cell)
		}
		return to.Write(cells)
	}
	err := write(table.Header...)
	if err == nil {
		err = table.Rows(ctx, write)
	}
	switch {
	case err == nil:
		to.Flush() // a client that has gone hears nothing anyway
	case !out.sent:
		a.answer(w, r, err)
	default:
		a.log.LogAttrs(ctx, slog.LevelWarn, "an export was cut", slog.String("request_id", RequestID(ctx)), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
}

// harmless is a cell that no spreadsheet takes for a formula (owasp.org/www-community/attacks/CSV_Injection). Numbers stay numbers.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) || isNumber(cell) {
		return cell
	}
	return "'" + cell
}

// isNumber says whether a cell is a decimal number, such as -5.00.
func isNumber(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction))
}
