package spec_test

import (
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

const createIntent = "amount=2000&currency=usd&confirm=true&payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242&" +
	"payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2040&payment_method_data[card][cvc]=123&" +
	"payment_method_types[0]=card&metadata[order_id]=6735&description=Tea+for+two"

func BenchmarkMatch(b *testing.B) {
	for b.Loop() {
		if _, _, ok := spec.Match("POST", "/v1/payment_intents/pi_3OvyXz2eZvKYlo2C1a2b3c4d/confirm"); !ok {
			b.Fatal("no match")
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	op := operation(b, "POST", "/v1/payment_intents")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := op.Decode(createIntent); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		spec.New("payment_intent")
	}
}

func BenchmarkClone(b *testing.B) {
	o := spec.New("payment_intent")
	b.ReportAllocs()
	for b.Loop() {
		o.Clone()
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	o := spec.New("payment_intent").Set("id", "pi_3OvyXz2eZvKYlo2C1a2b3c4d").Set("amount", 2000).Set("currency", "usd").Set("metadata", map[string]string{"order_id": "6735"})
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = o.AppendJSON(dst[:0])
	}
}
