package event_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

var morning = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func insert(t require, d *db.DB, events ...event.Event) {
	t.Helper()
	var changes []db.Change
	for _, e := range events {
		changes = append(changes, event.Insert(e))
	}
	if err := d.Write(context.Background(), changes...); err != nil {
		t.Fatal(err)
	}
}

// require is what testing.T and rapid.T share.
type require interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func TestEventComesBackAsItWas(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		scope := db.Scope{Merchant: "m", Mode: "test"}
		e := event.New(scope, "payment.completed", "p1", map[string]any{"amount": "50.00", "note": `<b>"ü"</b>`}, morning)
		heard := make(chan string, 1)
		d.Committed = func(topic string) { heard <- topic }
		insert(t, d, e)
		if topic := <-heard; topic != event.Topic {
			t.Errorf("told of %q", topic)
		}
		got, err := event.Get(t.Context(), d, scope, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Error(diff)
		}
		if err := d.Write(t.Context(), event.Insert(e)); err == nil {
			t.Error("one event was written twice")
		}
		for _, other := range []db.Scope{{Merchant: "n", Mode: "test"}, {Merchant: "m", Mode: "live"}} {
			if _, err := event.Get(t.Context(), d, other, e.ID); err != db.ErrNone {
				t.Errorf("%v sees it: %v", other, err)
			}
		}
	})
}

func TestFannedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		mine, theirs := db.Scope{Merchant: "m", Mode: "test"}, db.Scope{Merchant: "m", Mode: "live"}
		late, early := event.New(mine, "b.later", "o", 1, morning.Add(time.Microsecond)), event.New(mine, "a.first", "o", 1, morning)
		other := event.New(theirs, "a.first", "o", 1, morning)
		other.ID = early.ID // ids may meet across scopes
		insert(t, d, late, early, other)

		scopes, err := event.UnfannedScopes(ctx, d, 10)
		if err != nil || len(scopes) != 2 {
			t.Fatalf("%v %v", scopes, err)
		}
		waiting, err := event.Unfanned(ctx, d, mine, 10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]event.Event{early, late}, waiting); diff != "" {
			t.Error(diff)
		}
		if first, err := event.Unfanned(ctx, d, mine, 1); err != nil || len(first) != 1 || first[0].ID != early.ID {
			t.Errorf("%v %v", first, err)
		}
		if err := d.Write(ctx, event.Fanned(early), event.Fanned(late)); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, event.Fanned(early)); !db.IsMoved(err) {
			t.Errorf("the outbox took it twice: %v", err)
		}
		scopes, err = event.UnfannedScopes(ctx, d, 10)
		if diff := cmp.Diff([]db.Scope{theirs}, scopes); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if waiting, err := event.Unfanned(ctx, d, theirs, 10); err != nil || len(waiting) != 1 {
			t.Errorf("%v %v", waiting, err)
		}
	})
}

// Whatever the story, the filter and the page, walking the list gives what a plain search of the story gives, newest first.
func TestListIsTheStoryFiltered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		story := event.Events{DB: d}
		types := []string{"payment.completed", "payment.failed", "payments.of_another_noun", "refund.completed"}
		objects := []string{"p1", "p2"}
		rapid.Check(t, func(t *rapid.T) {
			scope := db.Scope{Merchant: id.New(), Mode: "test"}
			events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Event {
				at := morning.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "at")) * time.Microsecond)
				return event.New(scope, rapid.SampledFrom(types).Draw(t, "type"), rapid.SampledFrom(objects).Draw(t, "object"), 1, at)
			}), 1, 25).Draw(t, "events")
			noise := event.New(db.Scope{Merchant: scope.Merchant, Mode: "live"}, types[0], objects[0], 1, morning)
			insert(t, d, append(slices.Clone(events), noise)...)

			in := event.ListInput{
				PageInput: api.PageInput{Limit: rapid.IntRange(1, 10).Draw(t, "limit")},
				Type:      rapid.SampledFrom(append([]string{"", "payment.*", "nothing.*"}, types...)).Draw(t, "of type"),
				Object:    rapid.SampledFrom(append([]string{"", "p3"}, objects...)).Draw(t, "of object"),
			}
			if rapid.Bool().Draw(t, "since") {
				in.Since = morning.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "since")) * time.Microsecond)
			}
			if rapid.Bool().Draw(t, "until") {
				in.Until = morning.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "until")) * time.Microsecond)
			}
			var got []event.Event
			for range len(events) + 1 {
				page, err := story.List(context.Background(), scope, in)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, page.Data...)
				if in.Cursor = page.Next; in.Cursor == "" {
					break
				}
			}
			if diff := cmp.Diff(search(events, in), got); diff != "" {
				t.Fatal(diff)
			}
		})
	})
}

// search is List without a database.
func search(events []event.Event, in event.ListInput) []event.Event {
	var found []event.Event
	for _, e := range events {
		noun, all := strings.CutSuffix(in.Type, "*")
		ofType := in.Type == "" || e.Type == in.Type || all && strings.HasPrefix(e.Type, noun)
		if ofType && (in.Object == "" || e.Object == in.Object) && !e.CreatedAt.Before(in.Since) && (in.Until.IsZero() || e.CreatedAt.Before(in.Until)) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b event.Event) int {
		if n := b.CreatedAt.Compare(a.CreatedAt); n != 0 {
			return n
		}
		return strings.Compare(b.ID, a.ID)
	})
	return found
}

func TestListOverHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		mine := db.Scope{Merchant: "m", Mode: "test"}
		insert(t, d, event.New(mine, "payment.completed", "p1", map[string]string{"id": "p1"}, morning), event.New(db.Scope{Merchant: "n", Mode: "test"}, "payment.completed", "p1", 1, morning))
		scopes := []string{api.WebhooksRead}
		front := api.New("", func(context.Context, http.Header) (api.Caller, error) {
			return api.Caller{Scope: mine, Scopes: scopes}, nil
		}, slog.New(slog.DiscardHandler))
		(&event.Events{DB: d}).Routes(front)
		get := func(query string) (int, string) {
			rec := httptest.NewRecorder()
			front.ServeHTTP(rec, httptest.NewRequest("GET", "/v1/events"+query, nil))
			return rec.Code, rec.Body.String()
		}
		code, body := get("?type=payment.*&object_id=p1&since=2026-01-31T09:30:00Z&until=2026-01-31T09:30:01Z")
		var got struct{ Data []map[string]any }
		if err := json.Unmarshal([]byte(body), &got); code != 200 || err != nil || len(got.Data) != 1 {
			t.Fatalf("%d %v %s", code, err, body)
		}
		delete(got.Data[0], "id")
		if diff := cmp.Diff(map[string]any{"type": "payment.completed", "object_id": "p1", "created_at": "2026-01-31T09:30:00Z", "data": map[string]any{"id": "p1"}}, got.Data[0]); diff != "" {
			t.Error(diff)
		}
		for _, bad := range []string{"?type=payment", "?type=*", "?type=Payment.*", "?type=payment.%25", "?type=payment.*x", "?since=yesterday", "?cursor=x"} {
			if code, body := get(bad); code != 400 || !strings.Contains(body, string(fault.ParameterInvalid)) {
				t.Errorf("%s: %d %s", bad, code, body)
			}
		}
		scopes = []string{api.PaymentsRead}
		if code, body := get(""); code != 403 {
			t.Errorf("%d %s", code, body)
		}
	})
}
