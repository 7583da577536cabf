package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/diagnose"
)

// A shop's list is read as CSV, in any order of columns, and as JSON; what is not one is refused with the place.
func TestReadOrders(t *testing.T) {
	t.Parallel()
	want := "[{A pi_1 49.00 true} {B  500 false}]"
	for _, text := range []string{
		"order,payment_intent,amount,currency,paid\nA,pi_1,49.00,EUR,true\nB,,500,JPY,false\n",
		"\n note, paid,currency,order,amount,payment_intent\nx,1,eur,A,49,pi_1\n\"y, z\",0,jpy,B,500,\n",
		` [{"order":"A","payment_intent":"pi_1","amount":"49.00","currency":"EUR","paid":true},{"order":"B","payment_intent":"","amount":500,"currency":"jpy","paid":false}]`,
	} {
		if all, err := diagnose.ReadOrders(strings.NewReader(text)); err != nil || fmt.Sprint(all) != want {
			t.Errorf("%q: %v, %v", text, all, err)
		}
	}
	for text, says := range map[string]string{
		"":                    "empty",
		"order,amount\nA,1\n": `no column "payment_intent"`,
		"[{]":                 "not JSON",
		`[{"paid":"yes"}]`:    "paid is not to be written as a JSON string",
		`[{"order":"A","amount":"1.234","currency":"EUR"}]`:                    "order 1",
		"order,payment_intent,amount,currency,paid\nA,pi_1,49.00,EUR,perhaps":  "line 2",
		"order,payment_intent,amount,currency,paid\nA,pi_1,49.00,EUR":          "wrong number of fields",
		"order,payment_intent,amount,currency,paid\nA,pi_1,49.00,XTS,true":     "line 2",
		"order,payment_intent,amount,currency,paid\nA,pi_1,49.00,EUR,true\n\"": "orders",
	} {
		if all, err := diagnose.ReadOrders(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v", text, all, err)
		}
	}
}

// Requests are read a line each; what is no request is refused with its line.
func TestReadReceived(t *testing.T) {
	t.Parallel()
	all, err := diagnose.ReadReceived(strings.NewReader("{\"payload\":\"{}\",\"signature\":\"t=1\"}\n\n{\"payload\":\"\",\"signature\":\"\",\"received_at\":\"2026-01-05T12:00:00Z\"}"))
	if err != nil || len(all) != 2 || all[0].Payload != "{}" || all[1].ReceivedAt.Year() != 2026 {
		t.Errorf("%+v, %v", all, err)
	}
	for text, says := range map[string]string{
		"{\"payload\":\"{}\"}\nhello":     "line 2",
		`{"body":"{}"}`:                   "line 1",
		strings.Repeat("{}\n", 1001):      "more than 1000",
		strings.Repeat("x", 2<<20) + "\n": "longer than",
	} {
		if _, err := diagnose.ReadReceived(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
