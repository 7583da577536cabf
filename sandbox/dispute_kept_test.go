package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
)

// TestDisputeIsKept: a dispute, the file that answers it, a link to that and a saved card go on after a restart as if there had been none.
func TestDisputeIsKept(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	content := "%PDF-1.7" + strings.Repeat("\x00\xffx", 1<<20)
	file := a.file("dispute_evidence", "a.pdf", []byte(content)).text("id")
	link := a.must("/v1/file_links", "file="+file+"&expires_at="+strconv.FormatInt(start.Add(time.Hour).Unix(), 10))
	customer := a.must("/v1/customers", "").text("id")
	card := a.must("/v1/payment_methods", "type=card&card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2026").text("id")
	a.must("/v1/payment_methods/"+card+"/attach", "customer="+customer)
	charge, all := a.disputed("createDisputeInquiry")
	path := "/v1/disputes/" + all[0].text("id")
	a.must(path, "evidence[receipt]="+file+"&evidence[uncategorized_text]=escalate_inquiry_evidence")
	a.sandbox().Close()

	again := kept(t, folder, key, held)
	if got := again.get("/v1/files/"+file+"/contents", ""); got.raw != content {
		t.Errorf("the file has %d bytes after a restart", len(got.raw))
	}
	address := strings.Replace(link.text("url"), a.server.URL, again.server.URL, 1)
	if status, _, body := again.fetch(address); status != http.StatusOK || body != content {
		t.Errorf("the link answers %d with %d bytes after a restart", status, len(body))
	}
	held.Advance(3 * time.Second)
	again.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "needs_response", "balance_transactions.0.amount": "-1000", "evidence.receipt": file})
	again.must(path, "evidence[uncategorized_text]=winning_evidence")
	again.sandbox().Close()

	last := kept(t, folder, key, held)
	held.Advance(3 * time.Second)
	last.get(path, "").wants(t, http.StatusOK, map[string]any{"status": "won", "charge": charge})
	held.Advance(27 * days)
	last.get("/v1/file_links/"+link.text("id"), "").wants(t, http.StatusOK, map[string]any{"expired": true})
	last.get("/v1/payment_methods/"+card, "").wants(t, http.StatusOK, map[string]any{"card.exp_year": "2030"})
}
