package spec_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

//go:embed testdata/recorded_fields.txt
var recordedFields string

// notShown are recorded fields that New rightly leaves out, each with its reason.
var notShown = map[string]string{
	"charge.destination":                                            "withdrawn since the recorded version",
	"charge.dispute":                                                "withdrawn since the recorded version",
	"charge.invoice":                                                "withdrawn since the recorded version",
	"charge.order":                                                  "withdrawn since the recorded version",
	"charge.source":                                                 "withdrawn since the recorded version",
	"charge_outcome.risk_level":                                     "left to whoever rates the risk",
	"charge_outcome.risk_score":                                     "left to whoever rates the risk",
	"payment_intent.invoice":                                        "withdrawn since the recorded version",
	"payment_intent.source":                                         "withdrawn since the recorded version",
	"payment_intent.shared_payment_granted_token":                   "not in the published document",
	"payment_method.shared_payment_granted_token":                   "not in the published document",
	"payment_method.card":                                           "only of the type card",
	"refund_destination_details.card":                               "only of the type card",
	"refund_destination_details_card.reference_status":              "comes later",
	"refund_destination_details_card.reference_type":                "comes later",
	"payment_intent_next_action.display_bank_transfer_instructions": "only of that type",
	"payment_intent_payment_method_options.card":                    "only if the intent takes cards",
	"payment_intent_payment_method_options.link":                    "only if the intent takes link",
	"payment_flows_automatic_payment_methods_payment_intent.allow_redirects": "as asked for",
	"webhook_endpoint.secret": "only in the answer to its creation",
}

// TestNewShowsWhatWasRecorded compares names only: what Stripe showed, New shows.
func TestNewShowsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for line := range strings.Lines(recordedFields) {
		shape, fields, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if !ok || !slices.Contains(spec.Shapes(), shape) {
			t.Fatalf("%q names no shape", line)
		}
		o := spec.New(shape)
		for _, field := range strings.Fields(fields) {
			name := shape + "." + field
			switch _, excused := notShown[name]; {
			case !o.Has(field) && !excused:
				t.Errorf("%s is not shown", name)
			case o.Has(field) && excused:
				t.Errorf("%s is shown, so it needs no excuse", name)
			}
			used[name] = true
		}
	}
	for name := range notShown {
		if !used[name] {
			t.Errorf("%s was never recorded", name)
		}
	}
}
