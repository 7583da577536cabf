package dispute_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/dispute"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/stripe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// word is one of Stripe's: a status, how often evidence had been sent by then, and what is contested.
func word(status string, submissions, amount int64, moved string) dispute.Word {
	w := dispute.Word{Dispute: stripe.Dispute{ID: "du_1", Status: status, Amount: amount, Currency: "usd", Reason: "fraudulent"}, Moved: moved}
	w.EvidenceDetails.SubmissionCount, w.EvidenceDetails.HasEvidence = submissions, submissions > 0
	w.EvidenceDetails.DueBy = noon.Add(9 * 24 * time.Hour).Unix()
	if strings.HasPrefix(status, "warning") { // a chargeback has a day of its own
		w.EvidenceDetails.DueBy = noon.Add(5 * 24 * time.Hour).Unix()
	}
	return w
}

// life is what Stripe tells of a dispute from its beginning to its end, and what has come of it then.
type life struct {
	name  string
	words []dispute.Word
	ends  dispute.Status
	money money.Money // amount, as withdrawn
	back  bool        // and reinstated
	price int64       // how many fees Stripe has taken
	free  int64       // how many of them it has given back
	told  string      // what every order of hearing tells
}

const (
	out = stripe.FundsWithdrawn
	in  = stripe.FundsReinstated
)

var usd = func(minor int64) money.Money { return money.FromMinor(minor, "USD") }

var lives = []life{
	{"open", []dispute.Word{word("needs_response", 0, 900, ""), word("needs_response", 0, 900, out)},
		dispute.NeedsResponse, usd(900), false, 1, 0, "funds_withdrawn opened"},
	{"unanswered", []dispute.Word{word("needs_response", 0, 900, ""), word("needs_response", 0, 900, out), word("lost", 0, 900, "")},
		dispute.Lost, usd(900), false, 1, 0, "funds_withdrawn lost opened"},
	{"answered and lost", []dispute.Word{word("needs_response", 0, 900, ""), word("needs_response", 0, 900, out), word("under_review", 1, 900, ""), word("lost", 1, 900, "")},
		dispute.Lost, usd(900), false, 2, 0, "funds_withdrawn lost opened"},
	{"answered and lost, and nothing was heard of the answer", []dispute.Word{word("needs_response", 0, 900, ""), word("lost", 1, 900, "")},
		dispute.Lost, usd(900), false, 2, 0, "funds_withdrawn lost opened"},
	{"won", []dispute.Word{word("needs_response", 0, 900, ""), word("needs_response", 0, 900, out), word("under_review", 1, 900, ""), word("won", 1, 900, ""), word("won", 1, 900, in)},
		dispute.Won, usd(900), true, 2, 1, "funds_reinstated funds_withdrawn opened won"},
	{"won without an answer", []dispute.Word{word("needs_response", 0, 900, ""), word("needs_response", 0, 900, out), word("won", 0, 900, ""), word("won", 0, 900, in)},
		dispute.Won, usd(900), true, 1, 0, "funds_reinstated funds_withdrawn opened won"},
	{"lost, and won late", []dispute.Word{word("needs_response", 0, 900, ""), word("needs_response", 0, 900, out), word("under_review", 1, 900, ""), word("lost", 1, 900, ""),
		word("won", 1, 900, ""), word("won", 1, 900, in)},
		dispute.Won, usd(900), true, 2, 1, "funds_reinstated funds_withdrawn opened won"},
	{"inquiry", []dispute.Word{word("warning_needs_response", 0, 900, ""), word("warning_under_review", 1, 900, ""), word("warning_closed", 1, 900, "")},
		dispute.InquiryClosed, usd(0), false, 0, 0, "closed opened"},
	{"inquiry that escalates over less", []dispute.Word{word("warning_needs_response", 0, 900, ""), word("needs_response", 0, 500, ""), word("needs_response", 0, 500, out),
		word("lost", 0, 500, "")},
		dispute.Lost, usd(500), false, 1, 0, "funds_withdrawn lost opened"},
	{"answered inquiry that escalates and is not answered again", []dispute.Word{word("warning_needs_response", 0, 900, ""), word("warning_under_review", 1, 900, ""),
		word("needs_response", 1, 500, ""), word("needs_response", 1, 500, out), word("lost", 1, 500, "")},
		dispute.Lost, usd(500), false, 1, 0, "funds_withdrawn lost opened"},
	{"answered inquiry that escalates and is won", []dispute.Word{word("warning_needs_response", 0, 900, ""), word("warning_under_review", 1, 900, ""),
		word("needs_response", 1, 900, ""), word("needs_response", 1, 900, out), word("under_review", 2, 900, ""), word("won", 2, 900, ""), word("won", 2, 900, in)},
		dispute.Won, usd(900), true, 2, 1, "funds_reinstated funds_withdrawn opened won"},
	{"prevented", []dispute.Word{word("prevented", 0, 900, "")}, dispute.Prevented, usd(0), false, 0, 0, "closed opened"},
}

// heard is what has become of a dispute, and what was booked and told on the way.
type heard struct {
	now   dispute.Dispute
	moved map[string][2]int64 // by kind: amount and fee
	told  []string
	holds int64
}

// hear lets a fresh dispute hear words.
func hear(t testing.TB, words []dispute.Word, country string, opened time.Time) heard {
	t.Helper()
	p := payment.Claimed(db.Scope{Merchant: "m", Mode: "test"}, "p", usd(900), "automatic", noon)
	h := heard{now: dispute.New(p, "d", "du_1", opened, noon), moved: map[string][2]int64{}}
	keys := map[string]bool{}
	for i, w := range words {
		o := dispute.Observe(h.now, w, country, noon)
		if _, err := ledger.Post(o.Entries...); err != nil {
			t.Fatal(err)
		}
		for _, e := range o.Entries {
			if keys[e.Key] {
				t.Fatalf("%s is booked twice", e.Key)
			}
			keys[e.Key] = true
			sum := h.moved[e.Moves.Kind]
			h.moved[e.Moves.Kind] = [2]int64{sum[0] + e.Moves.Amount.Minor, sum[1] + e.Moves.Fee.Minor}
			if e.Moves.Source != "du_1" {
				t.Fatalf("%s is booked for %s", e.Key, e.Moves.Source)
			}
		}
		for _, e := range o.Events {
			h.told = append(h.told, e.Type)
		}
		h.holds += o.Holds
		h.now = o.Now.Written(h.now)
		if again := dispute.Observe(h.now, w, country, noon.Add(time.Hour)); len(again.Entries)+len(again.Events) > 0 || again.Holds != 0 || !again.Now.UpdatedAt.Equal(h.now.UpdatedAt) {
			t.Fatalf("word %d again changes %+v", i, again)
		}
	}
	return h
}

// permutations calls try with every order of n words.
func permutations(n int, try func(order []int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var place func(at int)
	place = func(at int) {
		if at == n {
			try(order)
			return
		}
		for i := at; i < n; i++ {
			order[at], order[i] = order[i], order[at]
			place(at + 1)
			order[at], order[i] = order[i], order[at]
		}
	}
	place(0)
}

// Whatever the order in which Stripe's words are heard, a dispute ends the same, and so does its money; each fact is booked and told once.
func TestEveryOrderOfWords(t *testing.T) {
	t.Parallel()
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want := hear(t, l.words, "US", noon)
			permutations(len(l.words), func(order []int) {
				var words []dispute.Word
				for _, i := range order {
					words = append(words, l.words[i])
				}
				got := hear(t, words, "US", noon)
				if diff := cmp.Diff(want.now, got.now, cmp.AllowUnexported(dispute.Dispute{}, money.Money{}), dispute.IgnoreVersion); diff != "" {
					t.Fatalf("in order (-), and as %v (+):\n%s", order, diff)
				}
				l.check(t, got)
			})
		})
	}
}

func (l life) check(t *testing.T, got heard) {
	t.Helper()
	const fee = 1500
	moved := map[string][2]int64{}
	if l.money.Positive() {
		moved["dispute"] = [2]int64{-l.money.Minor, l.price * fee}
	}
	held := l.money.Minor
	if l.back {
		moved["dispute_reversal"] = [2]int64{l.money.Minor, -l.free * fee}
		held = 0
	}
	if got.now.Status != l.ends || got.now.Withdrawn != l.money || got.now.Fee != usd((l.price-l.free)*fee) || got.holds != held || got.now.Discrepancy != "" {
		t.Fatalf("ends as %+v, holding %d", got.now, got.holds)
	}
	if fmt.Sprint(got.moved) != fmt.Sprint(moved) {
		t.Fatalf("booked %v, want %v", got.moved, moved)
	}
	ends := map[dispute.Status]string{dispute.Won: "dispute.won", dispute.Lost: "dispute.lost", dispute.InquiryClosed: "dispute.closed", dispute.Prevented: "dispute.closed"}
	if end := ends[l.ends]; got.told[0] != "dispute.opened" || end != "" && got.told[len(got.told)-1] != end {
		t.Fatalf("told %v", got.told)
	}
	told := ""
	for _, kind := range slices.Sorted(slices.Values(got.told)) {
		if !slices.Contains(dispute.EventTypes, kind) {
			t.Fatalf("told %s, which is not on the list", kind)
		}
		// What was overtaken may be told or not: that it moved on, and that one was lost which is won.
		if kind = kind[len("dispute."):]; kind != "updated" && !(kind == "lost" && l.ends == dispute.Won) {
			told += " " + kind
		}
	}
	if told[1:] != l.told {
		t.Fatalf("told%s, want %s", told, l.told)
	}
}

// What Stripe takes and gives back depends on where the account is, and on the day.
func TestFeesByCountryAndDay(t *testing.T) {
	t.Parallel()
	won := lives[4].words
	for name, c := range map[string]struct {
		country    string
		opened     time.Time
		taken, net int64
	}{
		"today":                        {"US", noon, 3000, 1500},
		"before answering had a price": {"US", time.Date(2025, 5, 31, 23, 0, 0, 0, time.UTC), 1500, 1500},
		"when a win gave all back":     {"US", time.Date(2023, 12, 31, 23, 0, 0, 0, time.UTC), 1500, 0},
		"a country without a price":    {"AQ", noon, 0, 0},
		"an account in another money":  {"DE", noon, 0, 0},
		"it is not known where":        {"", noon, 0, 0},
	} {
		if got := hear(t, won, c.country, c.opened); got.moved["dispute"][1] != c.taken || got.now.Fee.Minor != c.net {
			t.Errorf("%s: taken %d, kept %d; want %d and %d", name, got.moved["dispute"][1], got.now.Fee.Minor, c.taken, c.net)
		}
	}
}

// The two machines may contradict each other: the books follow the money, and the dispute says what is odd.
func TestStatusAndMoneyContradict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words []dispute.Word
		want  string
		holds int64
	}{
		"money back, and lost": {[]dispute.Word{word("needs_response", 0, 900, ""), word("lost", 0, 900, ""), word("lost", 0, 900, in)},
			"Stripe has given 9.00 USD back, and the dispute is lost.", 0},
		"an inquiry takes money": {[]dispute.Word{word("warning_needs_response", 0, 900, ""), word("warning_needs_response", 0, 900, out)},
			"Stripe has taken 9.00 USD, and the dispute is warning_needs_response, which takes nothing.", 900},
	} {
		permutations(len(c.words), func(order []int) {
			var words []dispute.Word
			for _, i := range order {
				words = append(words, c.words[i])
			}
			if got := hear(t, words, "US", noon); got.now.Discrepancy != c.want || got.holds != c.holds {
				t.Errorf("%s, as %v: %q, holding %d", name, order, got.now.Discrepancy, got.holds)
			}
		})
	}
	agreed := append(slices.Clone(lives[1].words), word("lost", 0, 900, in), word("won", 0, 900, ""))
	if got := hear(t, agreed, "US", noon); got.now.Discrepancy != "" || got.holds != 0 {
		t.Errorf("they agree again, and it says %q", got.now.Discrepancy)
	}
}

// A word of a status that nobody knows moves nothing.
func TestUnknownStatus(t *testing.T) {
	t.Parallel()
	was := hear(t, lives[0].words, "US", noon)
	if o := dispute.Observe(was.now, word("reconsidered", 0, 100, ""), "US", noon); o.Now.Status != was.now.Status || o.Now.Amount != was.now.Amount || o.Holds != 0 || len(o.Entries) > 0 {
		t.Errorf("moved to %+v", o.Now)
	}
}
