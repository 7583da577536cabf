package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

// asShop runs a command that speaks to a till as its shop.
func asShop(t *testing.T, url, key string, args ...string) (status int, out, errs string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	c.Dir, c.Env = t.TempDir(), append(os.Environ(), "TILL="+url, "TILL_API_KEY="+key)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// commands are those of a shop: run is one that ends with a status, and says looks for words in what it printed, however far they stand apart.
func commands(t *testing.T, till *tilltest.Till, first ...string) (run func(status int, args ...string) (out, errs string), says func(out string, words ...string)) {
	run = func(want int, args ...string) (string, string) {
		t.Helper()
		status, out, errs := asShop(t, till.URL, till.Shop.Key, append(slices.Clone(first), args...)...)
		if status != want {
			t.Fatalf("%v ended with %d\n%s%s", args, status, out, errs)
		}
		return out, errs
	}
	says = func(out string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), w) {
				t.Errorf("it does not say %q:\n%s", w, out)
			}
		}
	}
	return run, says
}

// Eleven webhooks are lost: they are found, brought in once, and shown.
func TestEvents(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	run := func(args ...string) (int, string, string) {
		t.Helper()
		return asShop(t, till.URL, till.Shop.Key, append([]string{"events"}, args...)...)
	}
	if status, out, errs := run("list"); status != 0 || out != "" || !strings.Contains(errs, "No such events have been kept") {
		t.Errorf("an empty list: %d %q %q", status, out, errs)
	}
	if status, out, _ := run("missed"); status != 0 || !strings.HasPrefix(out, "Nothing is missing since 2026-11-21 12:00:00: Stripe has 0 events") {
		t.Errorf("nothing missed: %d %q", status, out)
	}
	box := sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
	box.Fault(sandbox.Fault{Kind: sandbox.Lost, Event: "payment_intent.succeeded", Every: 1})
	for range 11 {
		till.Post("/v1/payments", `{"amount":"5.00","currency":"EUR","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
	}
	box.ClearFaults()
	box.Quiet()
	lost := map[string]bool{}
	for _, e := range box.Events("payment_intent.succeeded") {
		lost[e.ID] = true
	}
	status, out, errs := run("missed", "--since", "3d")
	if status != 0 || strings.Count(out, "payment_intent.succeeded") != 11 || !strings.Contains(out, "11 events were missed since") || !strings.Contains(out, "till events repair --since 3d") {
		t.Fatalf("missed: %d %s %s", status, out, errs)
	}
	for id := range lost {
		if !strings.Contains(out, id) {
			t.Errorf("%s is not in\n%s", id, out)
		}
	}
	var asked struct {
		Missed   []struct{ ID string }
		Complete bool
	}
	if status, out, errs := run("missed", "--json"); status != 0 || json.Unmarshal([]byte(out), &asked) != nil || len(asked.Missed) != 11 || !asked.Complete {
		t.Errorf("as JSON: %d %s %s", status, out, errs)
	}
	if status, out, errs := run("repair", "--since", "72h"); status != 0 || !strings.Contains(out, "Brought in 11 events of 11 at Stripe since 2026-11-21 12:00:00: 11 applied, 0 still being applied, 0 failed.") {
		t.Errorf("repair: %d %s %s", status, out, errs)
	}
	if status, out, errs := run("repair"); status != 0 || !strings.HasPrefix(out, "Nothing was missing since 2026-11-21 12:00:00: Stripe has 11 events, and all were here.") {
		t.Errorf("repaired twice: %d %s %s", status, out, errs)
	}
	if status, out, _ := run("list", "--source", "repair", "--limit", "3"); status != 0 || strings.Count(out, "\n") != 4 || strings.Count(out, "repair") != 3 {
		t.Errorf("the list: %d %s", status, out)
	}
	if status, out, _ := run("list", "--json"); status != 0 || strings.Count(out, "\n") != 11 {
		t.Errorf("the list as JSON: %d %s", status, out)
	}
	for id := range lost {
		if status, out, errs := run("resend", id); status != 0 || !strings.HasPrefix(out, "Taken in: "+id+", payment_intent.succeeded about pi_") {
			t.Errorf("resend: %d %s %s", status, out, errs)
		}
		break
	}
	for _, c := range []struct{ args, says string }{
		{"resend evt_1Nothing", "Stripe has no such event"}, {"missed --since 31d", "more than 30 days ago"}, {"repair --since yesterday", "since is how long ago"},
		{"list --source post", "source"}, {"list --limit 0", "--limit must be 1 or more"}, {"missed --url nowhere", "--url must be where till runs"},
	} {
		if status, _, errs := run(strings.Fields(c.args)...); status != 1 || !strings.HasPrefix(errs, "till: ") || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("till events %s: %d %s", c.args, status, errs)
		}
	}
	if status, _, errs := asShop(t, till.URL, "", "events", "missed"); status != 1 || !strings.Contains(errs, "TILL_API_KEY is not set") {
		t.Errorf("without a key: %d %s", status, errs)
	}
}

// An event that cannot be taken in is named, and the exit status says so; once that is mended, a repair ends it.
func TestRepairThatFails(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	box := sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
	box.Fault(sandbox.Fault{Kind: sandbox.Lost, Event: "charge.refunded", Every: 1})
	paid := till.Post("/v1/payments", `{"amount":"5.00","currency":"EUR","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
	till.Post("/v1/refunds", `{"payment_id":"`+paid.ID()+`"}`).Want(201)
	box.Quiet()
	lost := box.Event("charge.refunded", 1, time.Minute).ID
	broken := box.Fault(sandbox.Fault{Kind: sandbox.Error500, Method: "GET", Path: "/v1/refunds*", Every: 1})
	status, out, errs := asShop(t, till.URL, till.Shop.Key, "events", "repair")
	if status != 1 || !strings.Contains(out, lost+" could not be taken in: ") || !strings.Contains(out, "1 failed") || !strings.Contains(errs, "1 event could not be taken in") {
		t.Errorf("repair: %d %s %s", status, out, errs)
	}
	if box.Struck(broken) == 0 {
		t.Error("the fault has not struck")
	}
	if status, _, errs := asShop(t, till.URL, till.Shop.Key, "events", "resend", lost); status != 1 || !strings.Contains(errs, lost+" could not be taken in: ") {
		t.Errorf("resend: %d %s", status, errs)
	}
	box.ClearFaults()
	if status, out, errs := asShop(t, till.URL, till.Shop.Key, "events", "repair"); status != 0 || !strings.Contains(out, "Brought in 0 events") || !strings.Contains(out, "1 applied") {
		t.Errorf("repair in the end: %d %s %s", status, out, errs)
	}
}
