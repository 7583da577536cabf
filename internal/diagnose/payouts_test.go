package diagnose_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/diagnose"
)

// What till says of payouts is handed on whole: every field, in every part of it, and nothing else but the name of the check and the letter.
func TestPayoutsLoseNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.pay("10.00", "first", nil)
		var said map[string]any
		if err := w.client.Call(t.Context(), "GET", "/v1/payouts/diagnosis", nil, &said); err != nil {
			t.Fatal(err)
		}
		found, err := diagnose.CheckPayouts(t.Context(), w.client, "Thomas")
		if err != nil {
			t.Fatal(err)
		}
		var told map[string]any
		raw, _ := json.Marshal(found)
		if err := json.Unmarshal(raw, &told); err != nil {
			t.Fatal(err)
		}
		for path, got := range fields("", told) {
			if want, ok := fields("", said)[path]; path != ".check" && path != ".letter" && path != ".as_of" && (!ok || got != want) {
				t.Errorf("%s is %v, and till says %v", path, got, want)
			}
		}
		for path := range fields("", said) {
			if _, ok := fields("", told)[path]; !ok {
				t.Errorf("%s is lost", path)
			}
		}
		if found.Broken() || len(found.Checks) != 5 || !strings.Contains(found.Letter, "Hello Thomas") {
			t.Errorf("%s", raw)
		}
	})
}

// fields are all values of an object by their paths.
func fields(at string, v any) map[string]any {
	all := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			maps.Copy(all, fields(at+"."+name, one))
		}
	case []any:
		for _, one := range v {
			maps.Copy(all, fields(at+"[]", one))
		}
	default:
		all[at] = v
	}
	return all
}

// saying is a till that says one thing.
func saying(t *testing.T, diagnosis string) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/payouts/diagnosis" || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"success":true,"data":` + diagnosis + `}`))
	}))
	t.Cleanup(server.Close)
	return client.New(server.URL, "none")
}

const (
	paidOnFriday  = `{"provider_ref":"po_1","status":"paid","amount":"15774.27","currency":"EUR","automatic":true,"method":"standard","destination":"BANK ···· 3000","created_at":"2026-11-06T15:00:00Z","arrival_date":"2026-11-09T00:00:00Z","failed_at":null,"failure_code":"","failure_text":""}`
	failedMonday  = `{"provider_ref":"po_2","status":"failed","amount":"15593.33","currency":"EUR","automatic":true,"method":"standard","destination":"BANK ···· 3001","created_at":"2026-11-09T15:00:00Z","arrival_date":"2026-11-10T00:00:00Z","failed_at":"2026-11-09T15:02:00Z","failure_code":"no_account","failure_text":"The bank has no account with these details."}`
	failedTuesday = `{"provider_ref":"po_3","status":"failed","amount":"31576.66","currency":"EUR","automatic":false,"method":"standard","destination":"BANK ···· 3001","created_at":"2026-11-10T15:10:00Z","arrival_date":"2026-11-11T00:00:00Z","failed_at":"2026-11-10T15:12:00Z","failure_code":"no_account","failure_text":"The bank has no account with these details."}`
	funds         = `"money":[{"currency":"EUR","available":"47230.00","pending":"84836.64","pending_by_day":[],"pending_undated":"0.00","in_transit":"0.00","reserved":"0.00","disputed":"0.00","at_stripe":"132066.64"},` +
		`{"currency":"USD","available":"-3.00","pending":"0.00","pending_by_day":[],"pending_undated":"0.00","in_transit":"0.00","reserved":"0.00","disputed":"12.00","at_stripe":"-3.00"}]`
	head = `"as_of":"2026-11-11T17:00:00Z","account":"acct_1","livemode":false,"schedule":"daily",`
)

// The page for people, and the letter: what happened, that the money is safe, what to do, when.
func TestPayoutsInWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		diagnosis    string
		page, letter []string
		never        []string // in the letter
	}{
		"the bank sends payouts back": {`{` + head + funds + `,"verdict":"bank_side","cause":"bank_refuses","summary":"The last 2 payouts have failed.","action":{"who":"merchant","text":"Enter the bank account anew.","expected":"By POST /v1/payouts.","expected_on":"2026-11-12T00:00:00Z"},` +
			`"checks":[{"name":"payouts_enabled","result":"ok","text":"On.","details":[]},{"name":"bank_account","result":"problem","text":"It cannot be used.","details":["BANK ···· 3001"]}],` +
			`"failing":{"since":"2026-11-09T15:02:00Z","attempts":2,"at_least":false,"codes":["no_account"],"last_paid":` + paidOnFriday + `},"attempts":[` + failedTuesday + `,` + failedMonday + `,` + paidOnFriday + `]}`,
			[]string{"✓ payouts enabled  On.", "✗ bank account     It cannot be used.", "It began on Monday, 9 November 2026, 15:02 UTC: two failed payouts since then (no_account).", "15774.27 EUR  schedule   paid\n",
				"31576.66 EUR  hand       failed      no_account: The bank has no account", "EUR                 47230.00          84836.64", "Verdict: at the bank (bank_side, bank_refuses)", "What to do (merchant): Enter the bank account anew."},
			[]string{"since the one of Friday, 6 November (15774.27 EUR)", "The payout of Monday, 9 November, 15:02 UTC failed, and so has one later attempt", "47230.00 EUR is in your Stripe balance", "84836.64 EUR from your latest sales",
				"12.00 USD is held by disputes", "Stripe sent the money, and the bank sent it back. The account is BANK ···· 3001", "the bank has no account with these details.", "What you should do: Enter the bank account anew. Please do not start further payouts", "made on Thursday, 12 November"},
			[]string{"POST", "-3.00", "0.00 EUR is on its way"}},
		"stripe wants papers": {`{` + head + funds + `,"verdict":"stripe_side","cause":"payouts_disabled","summary":"Stripe has stopped payouts.","action":{"who":"merchant","text":"Give it: an identity document (company.verification.document).","expected":"Within one or two business days.","expected_on":null},` +
			`"checks":[{"name":"payouts_enabled","result":"problem","text":"Stripe has not got what it asked for.","details":[]},{"name":"requirements","result":"problem","text":"1 thing.","details":["an identity document (company.verification.document)"]}],` +
			`"failing":{"since":null,"attempts":0,"at_least":false,"codes":[],"last_paid":` + paidOnFriday + `},"attempts":[` + paidOnFriday + `]}`,
			[]string{"✗ requirements", "It began after the last payout: none has failed, and none has been made since.", "company.verification.document"},
			[]string{"Stripe has paused your payouts, and only these", "Give it: an identity document.", "When the money comes: Within one or two business days."},
			[]string{"company.verification.document", "Please do not start", "has failed"}},
		"stripe looks into papers": {`{` + head + funds + `,"verdict":"stripe_side","cause":"payouts_disabled","summary":"Stripe is checking.","action":{"who":"stripe","text":"Wait.","expected":"Soon.","expected_on":null},` +
			`"checks":[{"name":"requirements","result":"warning","text":"Stripe is checking.","details":["an identity document (company.verification.document)"]},{"name":"disputes","result":"unknown","text":"Stripe did not tell.","details":[]}],"failing":{"since":null,"attempts":0,"at_least":false,"codes":[],"last_paid":null},"attempts":[]}`,
			[]string{"! requirements", "? disputes", "There are no payouts yet.", "No payout that was paid is known."},
			[]string{"It is about an identity document.", "What happens next: Wait."}, []string{"What you should do", "since the one of"}},
		"nobody asks": {`{` + head + funds + `,"verdict":"system_side","cause":"schedule_manual","summary":"Set to manual.","action":{"who":"merchant","text":"POST /v1/payouts","expected":"Then.","expected_on":"2026-11-11T00:00:00Z"},` +
			`"checks":[],"failing":{"since":null,"attempts":0,"at_least":false,"codes":[],"last_paid":` + paidOnFriday + `},"attempts":[` + paidOnFriday + `]}`,
			[]string{"Verdict: in the account's own settings or balance (system_side, schedule_manual)"}, []string{"neither Stripe nor your bank has refused anything", "choose daily", "from the next business day on"}, []string{"POST"}},
		"nothing is wrong": {`{` + head + `"money":[],"verdict":"none","cause":"no_money","summary":"There is no money.","action":{"who":"nobody","text":"Nothing has to be done.","expected":"When payments have come in.","expected_on":null},"checks":[],"failing":{"since":null,"attempts":0,"at_least":false,"codes":[],"last_paid":null},"attempts":[]}`,
			[]string{"Verdict: nothing is broken (none, no_money)", "No payout has failed"}, []string{"nothing is broken", "There is no money.", "What happens next: Nothing has to be done."}, []string{"you are right"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := diagnose.CheckPayouts(t.Context(), saying(t, c.diagnosis), "Thomas")
			if err != nil {
				t.Fatal(err)
			}
			var page bytes.Buffer
			found.Write(&page)
			letter := strings.Join(strings.Fields(found.Letter), " ")
			for _, says := range c.page {
				if !strings.Contains(page.String(), says) {
					t.Errorf("the page does not say %q:\n%s", says, &page)
				}
			}
			for _, says := range append(slices.Clone(c.letter), "Hello Thomas,", "Your money is safe", "When the money comes", "Kind regards") {
				if !strings.Contains(letter, says) {
					t.Errorf("the letter does not say %q:\n%s", says, found.Letter)
				}
			}
			for _, says := range c.never {
				if strings.Contains(letter, says) {
					t.Errorf("the letter says %q:\n%s", says, found.Letter)
				}
			}
			for line := range strings.Lines(found.Letter) {
				if len([]rune(line)) > 111 {
					t.Errorf("a line of the letter is too long: %s", line)
				}
			}
		})
	}
}
