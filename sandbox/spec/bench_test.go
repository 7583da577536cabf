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

// typicalIntent is what most integrations send.
const typicalIntent = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&description=order&metadata[order]=12345"

func BenchmarkDecodeTypical(b *testing.B) {
	op := operation(b, "POST", "/v1/payment_intents")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := op.Decode(typicalIntent); err != nil {
			b.Fatal(err)
		}
	}
}

// paidCharge is a charge as the sandbox fills it in.
func paidCharge() *spec.Object {
	checks := spec.New("payment_method_details_card_checks").Set("cvc_check", "pass")
	card := spec.New("payment_method_details_card").Set("amount_authorized", 2000).Set("authorization_code", "123456").Set("checks", checks).
		Set("brand", "visa").Set("country", "US").Set("exp_month", 12).Set("exp_year", 2040).Set("fingerprint", "Xt5EWLLDS7FJjR1c").
		Set("funding", "credit").Set("last4", "4242").Set("regulated_status", "unregulated").Set("network", "visa").Set("network_transaction_id", "123456789012345").
		Set("network_token", spec.New("payment_method_details_card_network_token").Set("used", false))
	card.Sub("extended_authorization").Set("status", "disabled")
	card.Sub("incremental_authorization").Set("status", "unavailable")
	card.Sub("multicapture").Set("status", "unavailable")
	card.Sub("overcapture").Set("status", "unavailable").Set("maximum_amount_capturable", 2000)
	outcome := spec.New("charge_outcome").Set("type", "authorized").Set("network_status", "approved_by_network").
		Set("risk_level", "normal").Set("risk_score", 29).Set("seller_message", "Payment complete.")
	return spec.New("charge").Set("id", "ch_3OvyXz2eZvKYlo2C1a2b3c4d").Set("created", 1709251200).Set("amount", 2000).Set("currency", "usd").
		Set("payment_intent", "pi_3OvyXz2eZvKYlo2C1a2b3c4d").Set("payment_method", "pm_1OvyXz2eZvKYlo2C1a2b3c4d").Set("customer", "cus_PaBcDeFgHiJkLm").
		Set("description", "order").Set("receipt_email", nil).Set("statement_descriptor", nil).Set("statement_descriptor_suffix", nil).Set("transfer_group", nil).
		Set("metadata", map[string]string{"order": "12345"}).Set("fraud_details", spec.New("charge_fraud_details")).
		Set("billing_details", spec.New("billing_details").Set("address", spec.New("address"))).Set("calculated_statement_descriptor", "TILL SANDBOX").
		Set("payment_method_details", spec.New("payment_method_details").Set("type", "card").Set("card", card)).Set("outcome", outcome).
		Set("status", "succeeded").Set("paid", true).Set("captured", true).Set("amount_captured", 2000).Set("balance_transaction", "txn_3OvyXz2eZvKYlo2C1a2b3c4d").
		Set("receipt_url", "https://pay.example/receipts/ch_3OvyXz2eZvKYlo2C1a2b3c4d").Set("livemode", false).Set("disputed", false)
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		spec.New("payment_intent")
	}
}

// BenchmarkCharge makes a charge with all that is nested in it.
func BenchmarkCharge(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		paidCharge()
	}
}

func BenchmarkClone(b *testing.B) {
	o := paidCharge()
	b.ReportAllocs()
	for b.Loop() {
		o.Clone()
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	o := paidCharge()
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = o.AppendJSON(dst[:0])
	}
}

func BenchmarkPack(b *testing.B) {
	o := paidCharge()
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = o.Pack(dst[:0])
	}
	b.ReportMetric(float64(len(dst)), "bytes")
}

func BenchmarkUnpack(b *testing.B) {
	packed := paidCharge().Pack(nil)
	b.ReportAllocs()
	for b.Loop() {
		spec.Unpack(packed)
	}
}

func BenchmarkAppendPackedJSON(b *testing.B) {
	packed := paidCharge().Pack(nil)
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = spec.AppendPackedJSON(dst[:0], packed)
	}
}

func BenchmarkPackedString(b *testing.B) {
	packed := paidCharge().Pack(nil)
	b.ReportAllocs()
	for b.Loop() {
		spec.PackedString(packed, "status")
	}
}

func BenchmarkPackedPrevious(b *testing.B) {
	o := paidCharge()
	before := o.Pack(nil)
	o.Set("balance_transaction", nil).Set("metadata", map[string]string{"order": "12346"})
	after := o.Pack(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, changed := spec.PackedPrevious(before, after); !changed {
			b.Fatal("nothing has changed")
		}
	}
}

func BenchmarkAppendSparse(b *testing.B) {
	packed := paidCharge().Pack(nil)
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = spec.AppendSparse(dst[:0], packed)
	}
	b.ReportMetric(float64(len(dst)), "bytes")
}

func BenchmarkParseSparse(b *testing.B) {
	text := spec.AppendSparse(nil, paidCharge().Pack(nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spec.ParseSparse("charge", text); err != nil {
			b.Fatal(err)
		}
	}
}
