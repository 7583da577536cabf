package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// BenchmarkPayment is one payment, made and confirmed, without the network.
func BenchmarkPayment(b *testing.B) {
	s := sandbox.NewServer()
	b.Cleanup(s.Close)
	form := pay + "&payment_method=pm_card_visa&metadata[order]=7"
	b.ReportAllocs()
	for b.Loop() {
		serve(b, s, http.MethodPost, "/v1/payment_intents", form)
	}
}

// BenchmarkScreened is one payment that rules of the account's own look at, among them one that counts the card's others.
func BenchmarkScreened(b *testing.B) {
	s := sandbox.NewServer()
	b.Cleanup(s.Close)
	for _, rule := range []string{"Block if :total_charges_per_card_number_hourly: > 30", "Block if ::order:: LIKE '8%'", "Allow if :email: IN @email_allowlist"} {
		serve(b, s, http.MethodPost, "/_sandbox/radar", `{"rule":"`+rule+`"}`)
	}
	form := pay + "&payment_method=pm_card_visa&metadata[order]=7"
	b.ReportAllocs()
	for b.Loop() {
		serve(b, s, http.MethodPost, "/v1/payment_intents", form)
	}
}

// BenchmarkRetrieve is one look at a payment, without the network.
func BenchmarkRetrieve(b *testing.B) {
	s := sandbox.NewServer()
	b.Cleanup(s.Close)
	got := serve(b, s, http.MethodPost, "/v1/payment_intents", pay+"&payment_method=pm_card_visa")
	id, _, _ := strings.Cut(strings.TrimPrefix(got, `{"id":"`), `"`)
	b.ReportAllocs()
	for b.Loop() {
		serve(b, s, http.MethodGet, "/v1/payment_intents/"+id, "")
	}
}

func serve(b *testing.B, s *sandbox.Server, method, path, form string) string {
	r := httptest.NewRequestWithContext(b.Context(), method, "http://127.0.0.1"+path, strings.NewReader(form))
	r.Header.Set("Authorization", "Bearer sk_"+"test_bench")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}
