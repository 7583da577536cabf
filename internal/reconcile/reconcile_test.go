package reconcile_test

import (
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
)

// reconciled reads to the end and returns the summary. Where till is reading by itself it waits for that, and not as long as until a lease ends that
// nobody has given back.
func reconciled(t *testing.T, till *tilltest.Till, repair bool) tilltest.Answer {
	t.Helper()
	began := time.Now()
	tilltest.Until(t, "the reading to end", func() bool {
		return till.Post("/v1/reconciliation/runs", map[string]any{"repair": repair}).Want(200).At("data", "done").(bool)
	})
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("the reading was held for %s", took)
	}
	return till.Get("/v1/reconciliation").Want(200)
}

// even fails where anything is left in any currency, or the books do not add up.
func even(t *testing.T, till *tilltest.Till, found tilltest.Answer) {
	t.Helper()
	nothingLeft(t, found)
	balanced(t, till)
}

func nothingLeft(t *testing.T, found tilltest.Answer) {
	t.Helper()
	for i, one := range found.At("data", "currencies").([]any) {
		c := one.(map[string]any)
		if c["remainder"] != "0.00" && c["remainder"] != "0" && c["remainder"] != "0.000" {
			t.Errorf("currency %d: %v", i, c)
		}
	}
	if items := found.At("data", "items").([]any); len(items) > 0 {
		t.Errorf("left: %v", items)
	}
}

// balanced reads the books whole.
func balanced(t *testing.T, till *tilltest.Till) {
	t.Helper()
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Error(err)
	}
}

func pay(till *tilltest.Till, amount, currency, card string) string {
	return till.Post("/v1/payments", map[string]any{"amount": amount, "currency": currency, "provider": "stripe", "payment_method": card}).Want(201).ID()
}

// settle lets the sandbox book what it books late, and till hear of it.
func settle(till *tilltest.Till) {
	stripe := till.Stripe(till.Shop)
	till.Clock.Advance(5 * time.Minute)
	stripe.Now()
	polls := 0
	tilltest.Until(till.T, "events to be taken in", func() bool {
		due, err := db.One(till.T.Context(), till.DB, db.Value[int64], `select count(*) from stripe_events where applied_at is null and due_at is not null`)
		if err != nil {
			till.T.Fatal(err)
		}
		if polls++; polls%100 == 0 { // what could not be sent or taken in at once is tried again as time goes on
			till.Clock.Advance(10 * time.Minute)
		}
		return stripe.Outstanding() == 0 && due == 0
	})
}

func TestEveryLineIsMatched(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		first := pay(till, "50.00", "USD", "pm_card_visa")
		pay(till, "20.00", "USD", "pm_card_gb")
		pay(till, "30.00", "EUR", "pm_card_visa")
		pay(till, "3000", "JPY", "pm_card_visa")
		late := pay(till, "12.00", "USD", "pm_card_refundFail")
		settle(till)
		for _, refund := range []struct{ payment, amount string }{{first, "1.23"}, {first, "4.56"}, {late, "12.00"}} {
			till.Post("/v1/refunds", map[string]any{"payment_id": refund.payment, "amount": refund.amount}).Want(201)
		}
		even(t, till, reconciled(t, till, false))
		settle(till)
		found := reconciled(t, till, false)
		even(t, till, found)
		lines := till.Get("/v1/reconciliation/lines?limit=100").Want(200)
		if lines.Len() != 9 {
			t.Errorf("%d lines: %v", lines.Len(), lines)
		}
		for _, one := range lines.At("data").([]any) {
			if l := one.(map[string]any); l["state"] != "matched" {
				t.Errorf("%v", l)
			}
		}
		balance := till.Get("/v1/balance").Want(200)
		for _, one := range balance.At("data", "funds").([]any) {
			f := one.(map[string]any)
			total := f["total"].(map[string]any)
			if total["stripe"] != total["till"] || f["in_flight"] != "0.00" && f["currency"] == "USD" {
				t.Errorf("%v", f)
			}
		}
	})
}

// Whatever is taken away from the books, or added to them, is found: with its amount, and the object of Stripe's that it is about.
func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		payment := pay(till, "50.00", "USD", "pm_card_visa")
		late := pay(till, "12.00", "USD", "pm_card_refundFail")
		settle(till)
		till.Post("/v1/refunds", map[string]any{"payment_id": payment, "amount": "1.25"}).Want(201)
		till.Post("/v1/refunds", map[string]any{"payment_id": late}).Want(201)
		settle(till)
		for name, c := range map[string]struct{ plant, amount, kind string }{
			"a charge is not foretold":             {`delete from movements where kind = 'charge' and amount = 5000`, "50.00", "charge"},
			"its fee is not foretold":              {`delete from movements where kind = 'charge' and fee > 0 and payment = '` + payment + `'`, "-1.75", "charge"},
			"a refund is not foretold":             {`delete from movements where kind = 'refund' and amount = -125`, "-1.25", "refund"},
			"a refund's failure is not foretold":   {`delete from movements where kind = 'refund_failure'`, "12.00", "refund_failure"},
			"a charge is foretold twice":           {doubled("charge", "amount = 5000"), "-50.00", "charge"},
			"a refund is foretold twice":           {doubled("refund", "amount = -125"), "1.25", "refund"},
			"Stripe's fee is another":              {`update movements set fee = fee - 30 where kind = 'charge' and fee > 0 and payment = '` + payment + `'`, "-0.30", "charge"},
			"what was foretold has never happened": {`update movements set source = 're_none' where kind = 'refund' and amount = -125`, "1.25", "refund"},
		} {
			planted(t, till, name, c.plant, c.amount, c.kind)
		}
	})
}

func doubled(kind, where string) string {
	return `insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at)
		select merchant, mode, key || '/again', generation, kind, source, currency, amount, fee, payment, posted_at from movements where kind = '` + kind + `' and ` + where
}

// planted plants a defect in the expected book before anything is read, and puts all back afterwards.
func planted(t *testing.T, till *tilltest.Till, name, plant, amount, kind string) {
	t.Helper()
	exec := func(statements ...string) { // at once, for till reads by itself too
		t.Helper()
		var changes []db.Change
		for _, one := range append(statements, `delete from balance_readings`, `delete from balance_transactions`, `delete from balance_days`,
			`delete from ledger_entries where book = 'observed'`, `update movements set matched = ''`) {
			changes = append(changes, db.Change{SQL: one, Rows: db.Any})
		}
		if err := till.DB.Write(t.Context(), changes...); err != nil {
			t.Fatal(name, err)
		}
	}
	exec(`create table kept as select * from movements`, plant)
	till.Clock.Advance(3 * time.Hour)
	found := reconciled(t, till, false)
	named := 0
	for _, one := range found.At("data", "items").([]any) {
		item := one.(map[string]any)
		if item["amount"] == amount && item["kind"] == kind && item["source"] != "" && item["reason"] != "" {
			named++
		}
	}
	if named != 1 {
		t.Errorf("%s: it is named %d times in %v", name, named, found.At("data", "items"))
	}
	exec(`delete from movements`, `insert into movements select * from kept`, `drop table kept`)
	even(t, till, reconciled(t, till, false))
}

// An event that never came is found by its money, and what till should have heard of is taken in.
func TestWhatWasNotHeardOfIsTakenIn(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		payment := pay(till, "50.00", "USD", "pm_card_visa")
		settle(till)
		stripe := till.Stripe(till.Shop)
		intent := till.Get("/v1/payments/"+payment).Want(200).String("data", "provider_ref")
		for _, event := range []string{"refund.created", "refund.updated", "charge.refunded", "charge.updated"} {
			stripe.BreakWebhook("lost", event, 0)
		}
		stripe.Do("POST", "/v1/refunds", "payment_intent="+intent+"&amount=700").Want(200)
		stripe.Do("POST", "/v1/payment_intents", "amount=900&currency=usd&confirm=true&payment_method=pm_card_visa&payment_method_types[]=card").Want(200)
		found := reconciled(t, till, false)
		if items := found.At("data", "items").([]any); len(items) == 0 || items[0].(map[string]any)["source"] == "" {
			t.Errorf("it is not named: %v", items)
		}
		till.Clock.Advance(2 * time.Minute) // until then the events may still be on their way
		even(t, till, reconciled(t, till, true))
		if refunded := till.Get("/v1/payments/"+payment).Want(200).String("data", "refunded"); refunded != "7.00" {
			t.Errorf("%s was refunded", refunded)
		}
		outside := till.Get("/v1/reconciliation/lines?state=explained").Want(200)
		if outside.Len() != 1 || outside.String("data", 0, "amount") != "9.00" {
			t.Errorf("made outside till: %v", outside)
		}
	})
}
