package api_test

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
)

// tables is a front door with one export: n rows, and then an error.
func tables(t *testing.T, n int, then error) (base string) {
	t.Helper()
	a := api.New("1.2.3", authenticate, slog.New(slog.DiscardHandler))
	api.AddCSV(a, api.Operation{Method: "GET", Path: "/v1/exports/notes", Summary: "Export notes", Tag: "Exports", Scope: api.PaymentsRead},
		func(_ context.Context, c api.Caller, in *struct {
			From string `query:"from" maxLength:"10"`
		}) (api.CSV, error) {
			if in.From == "bad" {
				return api.CSV{}, fault.New(fault.ParameterInvalid, "from", "from is a day.")
			}
			return api.CSV{Name: `notes "all".csv`, Header: []string{"id", "text"}, Rows: func(_ context.Context, write func(...string) error) error {
				for i := range n {
					if err := write(strconv.Itoa(i), "=cmd()\n\"quoted\", "+c.Merchant); err != nil {
						return err
					}
				}
				return then
			}}, nil
		})
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return server.URL + "/v1/exports/notes"
}

func get(t *testing.T, url, key string) (reply *http.Response, body string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", key)
	if reply, err = http.DefaultClient.Do(r); err != nil {
		return nil, "", err
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	return reply, string(raw), err
}

func TestExport(t *testing.T) {
	t.Parallel()
	const many = 20_000 // far more than is kept in memory
	reply, body, err := get(t, tables(t, many, nil), goodKey)
	if err != nil || reply.StatusCode != 200 || reply.Header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
		reply.Header.Get("Content-Disposition") != `attachment; filename="notes \"all\".csv"` || reply.Header.Get("X-Request-Id") == "" {
		t.Fatalf("%v %v", err, reply)
	}
	if !strings.HasPrefix(body, "id,text\r\n0,\"'=cmd()\r\n\"\"quoted\"\", m\"\r\n1,") {
		t.Errorf("%.80q", body)
	}
	all, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(all) != many+1 {
		t.Errorf("%d rows, %v", len(all), err)
	}
}

// A part is never taken for the whole.
func TestExportThatFails(t *testing.T) {
	t.Parallel()
	gone := fault.New(fault.DatabaseUnavailable, "", "The database cannot be reached; try again.")
	if reply, body, err := get(t, tables(t, 3, gone), goodKey); err != nil || reply.StatusCode != 503 || !strings.Contains(body, `"code":"database_unavailable"`) {
		t.Errorf("at the beginning: %v %v %s", err, reply, body)
	}
	for _, why := range []error{gone, errors.New("a bug")} {
		if reply, body, err := get(t, tables(t, 20_000, why), goodKey); err == nil {
			t.Errorf("in the middle: it ended well, with %d and %d bytes", reply.StatusCode, len(body))
		}
	}
	for query, want := range map[string]string{"?from=bad": "parameter_invalid", "?frm=1": "parameter_unknown"} {
		if reply, body, err := get(t, tables(t, 3, nil)+query, goodKey); err != nil || reply.StatusCode != 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %v %v %s", query, err, reply, body)
		}
	}
	if reply, _, err := get(t, tables(t, 3, nil), "none of ours"); err != nil || reply.StatusCode != 401 {
		t.Errorf("without a key: %v %v", err, reply)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	want := map[string]string{"": "", "a=b": "a=b", "=1": "'=1", "+1": "'+1", "-1": "-1", "-1.50": "-1.50", "-1-1": "'-1-1", "-.5": "'-.5", "-1.": "'-1.", "-": "'-", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1",
		"-1e5": "'-1e5", "-2+3": "'-2+3", "é": "é", "5.00": "5.00"}
	for cell := range want {
		got[cell] = api.Harmless(cell)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
