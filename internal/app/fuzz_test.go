package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// FuzzPayment posts any body to POST /v1/payments: it is never a failure of ours, and a refusal writes nothing.
func FuzzPayment(f *testing.F) {
	for _, seed := range []string{
		`{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`,
		`{"amount":50.00,"currency":"jpy","provider":"stripe","payment_method":"pm_card_chargeDeclined","metadata":{"a":"b"}}`,
		`{"amount":1e2,"currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`,
		`{"amount":"0.01","currency":"KWD","provider":"stripe","saved_card_id":"00000000-0000-4000-8000-000000000000","customer":{"id":"x","email":"a@b"}}`,
		`{"amount":null}`, `{}`, `[]`, ``, `"`, `{"amount":"50.00","amount":"5.00"}`, "{\"\xff\":1}", `{"return_url":"https://x/\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	till := tilltest.New(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		mine := *till
		mine.T = t
		was := written(t, &mine)
		a := mine.As(mine.Shop).With("Idempotency-Key", id.New()).Do("POST", "/v1/payments", body)
		now := written(t, &mine)
		switch {
		case !json.Valid(a.Raw) || strings.Contains(mine.Log.String(), "panic"):
			t.Errorf("%d %s", a.Status, a.Raw)
		case a.Status == 201:
			if a.At("success") != true || a.String("data", "status") == "" || was == now {
				t.Errorf("%d %s", a.Status, a.Raw)
			}
		case a.Status < 400 || a.Status > 499 || a.String("error", "code") == "" || a.String("error", "message") == "":
			t.Errorf("%d %s", a.Status, a.Raw)
		case was != now:
			t.Errorf("it was refused, and wrote: %s, then %s", was, now)
		}
	})
}

// written counts the rows that a request writes before it is answered.
func written(t *testing.T, till *tilltest.Till) string {
	t.Helper()
	n, err := db.One(t.Context(), till.DB, db.Value[string], `select (select count(*) from payments) || ' payments, ' || (select count(*) from payment_metadata) || ' pairs of metadata, ' ||
		(select count(*) from calls) || ' calls, ' || (select count(*) from customers) || ' customers, ' || (select count(*) from cards) || ' cards, ' || (select count(*) from refunds) || ' refunds'`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
