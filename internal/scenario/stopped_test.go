package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/scenario"
)

// Payouts stop at the bank, at Stripe and by the account's own settings, and each is told from the others. The worlds of the first two
// seeds are played with those of the other cases.
func TestPayoutsStopOnEverySide(t *testing.T) {
	t.Parallel()
	for seed, want := range map[uint64]struct {
		verdict, code string
		letter        string
	}{
		3: {"system_side", "", "choose daily"},
		4: {"bank_side", "account_closed", "the bank account has been closed"},
		6: {"system_side", "", "keep a minimum of 100000.00 EUR"},
		5: {"stripe_side", "", "What happens next: Wait"},
	} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := play(t, scenario.Config{Program: program(t)}, "07", seed)
			if !r.Succeeded() {
				t.Errorf("%+v", r)
			}
			if code, _ := r.Cause.Figures["failure_code"].(string); r.Cause.Figures["verdict"] != want.verdict || code != want.code {
				t.Errorf("%v, of %v", r.Cause.Figures, want)
			}
			stuck, _ := r.Cause.Figures["stuck"].(string)
			for _, says := range []string{want.letter, stuck, "Your money is safe", "When the money comes", "P.S."} {
				if !strings.Contains(strings.ReplaceAll(r.Letter, "\n", " "), says) {
					t.Errorf("the letter does not say %q:\n%s", says, r.Letter)
				}
			}
			if lines := strings.Count(r.Letter, "\n"); lines > 40 || strings.Contains(r.Letter, "company.") || strings.Contains(r.Letter, "/v1/") {
				t.Errorf("that is no page for a merchant:\n%s", r.Letter)
			}
		})
	}
}
