package radar_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/radar"
)

// TestRules: what is read, as it is printed.
func TestRules(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`Block if :risk_level: = 'highest'`:                                         ``,
		`  place in  review IF :risk_score:>=65.50 `:                                `Review if :risk_score: >= 65.5`,
		`request 3ds if :is_recurring:`:                                             `Request 3D Secure if :is_recurring:`,
		`Request 3D Secure if !:is_3d_secure:`:                                      `Request 3D Secure if NOT :is_3d_secure:`,
		`allow if @x`:                                                               `!`,
		`Allow if :email: in @Known-ones`:                                           `Allow if :email: IN @Known-ones`,
		`Block if :card_country: IN ("US" , 'ca')`:                                  `Block if :card_country: IN ('US', 'ca')`,
		`Block if :card_country: != :ip_country:`:                                   ``,
		`Block if ::Customer Age:: < 30`:                                            ``,
		`Block if ::customer:tier:: = 'it\'s'`:                                      ``,
		`Block if ::destination:kind:: LIKE '%50\%%'`:                               `Block if ::destination:kind:: LIKE '%50%%'`,
		`Block if is_missing(:email:) or ((:amount_in_usd: > 10))`:                  `Block if is_missing(:email:) OR :amount_in_usd: > 10`,
		`Block if :is_recurring: || :is_checkout: && not :has_cryptogram:`:          `Block if :is_recurring: OR :is_checkout: AND NOT :has_cryptogram:`,
		`Block if (:is_recurring: OR :is_checkout:) AND :has_cryptogram:`:           ``,
		`Block if NOT (:is_recurring: AND :is_checkout:)`:                           ``,
		`Block if NOT NOT :is_recurring:`:                                           ``,
		`Block if :total_charges_per_card_number_hourly: > 3`:                       ``,
		`Block if (:is_recurring: AND :is_checkout:) AND :has_cryptogram:`:          `Block if :is_recurring: AND :is_checkout: AND :has_cryptogram:`,
		`Review if :average_usd_amount_successful_on_customer_all_time: < -0.5`:     ``,
		`Block if :TOTAL_customers_with_prior_fraud_activity_for_email_weekly: = 1`: `Block if :total_customers_with_prior_fraud_activity_for_email_weekly: = 1`,
	} {
		r, err := radar.Parse(rule)
		switch {
		case want == "!":
			if err == nil {
				t.Errorf("%s is taken as %s", rule, r)
			}
		case err != nil:
			t.Errorf("%s: %v", rule, err)
		case want == "" && r.String() != rule, want != "" && r.String() != want:
			t.Errorf("%s is read as %s", rule, r)
		}
	}
}

// TestWrongRules: each error says where it is and what was expected.
func TestWrongRules(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		``:                                       `at character 1: expected Allow, Block, Review, Place in review or Request 3D Secure, not the end of the rule`,
		`Forbid if :is_recurring:`:               `at character 1: expected Allow, Block, Review, Place in review or Request 3D Secure, not Forbid`,
		`Request 3D if :is_recurring:`:           `at character 12: expected Allow, Block, Review, Place in review or Request 3D Secure, not if`,
		`Block when :is_recurring:`:              `at character 7: expected "if", not when`,
		`Block if`:                               `at character 9: expected a condition, such as :risk_score: > 65, not the end of the rule`,
		`Block if :risk_scor: > 65`:              `at character 10: there is no attribute :risk_scor:; did you mean :risk_score:?`,
		`Block if :qqqqqqqqqqqqqq: > 65`:         `at character 10: there is no attribute :qqqqqqqqqqqqqq:`,
		`Block if :amount_in_us: > 65`:           `at character 10: there is no attribute :amount_in_us:; did you mean :amount_in_usd:?`,
		`Block if :risk_score > 65`:              `at character 10: an attribute is written as :risk_score:, with a colon before and after it`,
		`Block if :risk_score: > '65'`:           `at character 25: expected a number, not '65'`,
		`Block if :risk_score: LIKE '65'`:        `at character 23: :risk_score: is a number, which LIKE does not go with; expected one of = != < > <= >= IN`,
		`Block if :email: > 'a'`:                 `at character 18: :email: is text, which > does not go with; expected one of = != IN INCLUDES LIKE`,
		`Block if :email: = a`:                   `at character 20: expected text in quotes, not a`,
		`Block if :email:`:                       `at character 10: :email: is not true or false by itself: compare it with something`,
		`Block if :email: 'a'`:                   `at character 18: expected one of = != IN INCLUDES LIKE, not 'a'`,
		`Block if :is_recurring: = 'true'`:       `at character 25: :is_recurring: is true or false: it stands alone, or after NOT`,
		`Block if :card_country: = 'USA'`:        `at character 27: a country is two letters, such as 'US'`,
		`Block if :card_country: != :email:`:     `at character 28: :card_country: is a country and :email: is text: they cannot be compared`,
		`Block if :email: IN 'a'`:                `at character 21: expected @ and the alias of a list, or values in parentheses, not 'a'`,
		`Block if :email: IN ('a' 'b')`:          `at character 26: expected ), not 'b'`,
		`Block if :email: = 'a`:                  `at character 20: this text has no closing '`,
		`Block if (:is_recurring:`:               `at character 25: expected ), not the end of the rule`,
		`Block if :is_recurring: :is_checkout:`:  `at character 25: expected AND, OR, or the end of the rule, not :is_checkout:`,
		`Block if is_missing :email:`:            `at character 21: expected ( after is_missing, not :email:`,
		`Block if :risk_score: > 1234567890123`:  `at character 25: a number has at most 12 digits before the point and 6 after it`,
		`Block if ::order`:                       `at character 10: this begins with :: and does not end with ::`,
		`Block if ::order:: = 'ä' ; drop`:        `at character 26: ';' has no meaning in a rule`,
		`Block if :email: IN @`:                  `at character 22: after @ comes the alias of a list`,
		`Block if ::a:: INCLUDES 5`:              `at character 25: expected text in quotes, not 5`,
		`Block if ` + strings.Repeat("(", 40):    `at character 42: a rule is at most 32 deep in parentheses and NOTs`,
		`Block if ` + strings.Repeat("NOT ", 40): `at character 138: a rule is at most 32 deep in parentheses and NOTs`,
		strings.Repeat("x", radar.MaxLength+1):   `at character 5001: a rule has at most 5000 bytes`,
		"Block if ::a:: = '\xff'":                `at character 1: a rule is text in UTF-8`,
	} {
		_, err := radar.Parse(rule)
		var wrong *radar.Error
		if !errors.As(err, &wrong) || wrong.Error() != want {
			t.Errorf("%.60s: %v\nwant %s", rule, err, want)
		}
	}
}

// TestWhatARuleAsksFor: the lists and attributes that it names, and whether the bank has to answer first.
func TestWhatARuleAsksFor(t *testing.T) {
	t.Parallel()
	r, err := radar.Parse(`Block if :email: IN @a AND NOT (:card_bin: IN @b OR :email: IN @a) OR is_missing(::k::)`)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Aliases(); !reflect.DeepEqual(got, []string{"a", "b"}) || r.After() {
		t.Errorf("the lists are %v, after the bank: %v", got, r.After())
	}
	var names []string
	r.Operands(func(o radar.Operand) { names = append(names, o.String()) })
	if want := []string{":email:", ":card_bin:", ":email:", "::k::"}; !reflect.DeepEqual(names, want) {
		t.Errorf("it asks for %v", names)
	}
	if r, err = radar.Parse(`Block if :is_recurring: AND :cvc_check: = 'fail'`); err != nil || !r.After() {
		t.Errorf("%v, after the bank: %v", err, r.After())
	}
}

// FuzzParse: whatever is read is printed, and read again is the same; what is not is refused in a sentence.
func FuzzParse(f *testing.F) {
	for _, rule := range []string{
		`Block if :risk_level: = 'highest'`, `Request 3D Secure if !(:is_recurring:) && ::a:: IN ('b', "c\"d") || is_missing(::customer:x::)`,
		`Allow if :amount_in_jpy: >= 1.25 AND :card_country: != :ip_country:`, `Review if NOT NOT (:email: LIKE '%@x' OR :card_bin: IN @l)`, `Block if ::a:: < -3`,
	} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		r, err := radar.Parse(rule)
		if err != nil {
			var wrong *radar.Error
			if !errors.As(err, &wrong) || wrong.Column < 1 || wrong.Message == "" {
				t.Errorf("%q: %v", rule, err)
			}
			return
		}
		printed := r.String()
		if len(printed) > radar.MaxLength {
			return
		}
		again, err := radar.Parse(printed)
		if err != nil || !reflect.DeepEqual(r, again) || again.String() != printed {
			t.Errorf("%q is printed as %q, which is read as %v, %v", rule, printed, again, err)
		}
		r.Match(&radar.Facts{Of: func(radar.Operand) radar.Value { return radar.TextValue(rule) }, Listed: func(string, string, bool) bool { return false }})
	})
}
