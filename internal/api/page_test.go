package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

func place(p api.Position) api.Position { return p }

// after is what a store gives: objects behind a position, newest first, one more than the limit.
func after(all []api.Position, from api.Position, limit int) []api.Position {
	start := 0
	if !from.IsStart() {
		start = slices.IndexFunc(all, func(p api.Position) bool { return less(p, from) })
		if start < 0 {
			start = len(all)
		}
	}
	return all[start:min(start+limit+1, len(all))]
}

func less(a, b api.Position) bool { return a.At.Before(b.At) || a.At.Equal(b.At) && a.ID < b.ID }

// Whatever the list and the page, walking by cursor visits every object once, in order, and says when it is over.
func TestWalkVisitsEveryObjectOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		origin := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) api.Position {
			// few distinct times, so that the id has to part them
			return api.Position{At: origin.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "at")) * time.Microsecond), ID: id.New()}
		}), 0, 60).Draw(t, "objects")
		slices.SortFunc(all, func(a, b api.Position) int {
			if less(b, a) {
				return -1
			}
			return 1
		})
		in := api.PageInput{Limit: rapid.IntRange(1, 20).Draw(t, "limit")}
		var walked []api.Position
		for range len(all)/in.Limit + 1 {
			from, err := in.Position()
			if err != nil {
				t.Fatal(err)
			}
			page := api.NewPage(in, after(all, from, in.Limit), place)
			walked = append(walked, page.Data...)
			if len(page.Data) > in.Limit || page.Next == "" {
				in.Cursor = ""
				break
			}
			in.Cursor = page.Next
		}
		if in.Cursor != "" {
			t.Fatal("the walk does not end")
		}
		if !slices.Equal(walked, all) {
			t.Fatalf("walked %v, want %v", walked, all)
		}
	})
}

func TestCursorsThatAreNotOurs(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	good := encode("1769851800000000 " + id.New())
	if p, err := (api.PageInput{Cursor: good}).Position(); err != nil || p.At.Year() != 2026 {
		t.Fatalf("%v %v", p, err)
	}
	for _, cursor := range []string{"x", "===", good + "=", good[:len(good)-1], encode("1"), encode("1 "), encode(" " + id.New()), encode("1.5 " + id.New()), encode("1  " + id.New()),
		encode("99999999999999999999 " + id.New()), encode("1 not-an-id"), encode("1 " + id.New() + "\n"), encode(fmt.Sprintf("1 %s' or 1=1 --", id.New()))} {
		if p, err := (api.PageInput{Cursor: cursor}).Position(); !fault.Is(err, fault.ParameterInvalid) {
			t.Errorf("%q: %v %v", cursor, p, err)
		}
	}
}

// An amount comes through as it was written, number or string: no float in between.
func TestAmountsAreKeptToTheDigit(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`50`: "50", `50.00`: "50.00", `"50.00"`: "50.00", `0.1`: "0.1", `1e2`: "1e2", `9007199254740993`: "9007199254740993", `"5\u0030"`: "50", `""`: "", `"\"1\""`: `"1"`, `-1`: "-1",
		`123456789012345678901234567890.123456789`: "123456789012345678901234567890.123456789",
	} {
		var a api.Amount
		if err := json.Unmarshal([]byte(document), &a); err != nil || string(a) != want {
			t.Errorf("%s became %q (%v)", document, a, err)
		}
	}
	kept := api.Amount("1")
	if err := json.Unmarshal([]byte(`null`), &kept); err != nil || kept != "1" {
		t.Errorf("null became %q (%v)", kept, err)
	}
	if b, err := json.Marshal(api.Amount("50.00")); err != nil || string(b) != `"50.00"` {
		t.Errorf("%s %v", b, err)
	}
}
