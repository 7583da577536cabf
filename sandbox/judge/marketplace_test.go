//go:build !race

package judge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stripe/stripe-go/v85"
)

// seller is a tradesperson of a marketplace.
type seller struct {
	id, country string
	lacks       map[string]string // what Stripe misses, and what is filled in for it; a file begins with @
}

// TestMarketplace: 50 tradespeople in Germany and Poland sell on a marketplace, and 35 of them are stuck, for they lack a website, a phone
// number, an identity document or a bank account. Each of these is sent a link, fills in Stripe's form in Chromium, and comes back; the
// marketplace opens each shop when it is told that both flags are on, and asks nobody.
func TestMarketplace(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	w, shop := setup(t), open(t)
	opened := w.storefronts(t)
	sellers := make([]*seller, 50)
	for i := range sellers {
		sellers[i] = w.connectSeller(t, i)
	}
	w.steer(t, "clock/advance", `{"seconds":10}`) // a date of birth was not found
	stuck := 0
	for _, s := range sellers {
		account := must[*stripe.Account](t)(w.V1Accounts.GetByID(t.Context(), s.id, nil))
		on := account.ChargesEnabled && account.PayoutsEnabled
		if on != (len(s.lacks) == 0) {
			t.Errorf("%s in %s lacks %v, and is on: %v; Stripe misses %v", s.id, s.country, s.lacks, on, account.Requirements.CurrentlyDue)
		}
		if !on {
			stuck++
		}
	}
	if stuck != 35 {
		t.Fatalf("%d sellers are stuck, want 35", stuck)
	}
	document := filepath.Join(t.TempDir(), "passport.pdf")
	if err := os.WriteFile(document, []byte("%PDF-1.7\npassport"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := newTab(t, browser)
	for _, s := range sellers {
		if len(s.lacks) > 0 {
			w.onboard(t, tab, shop, s, document)
		}
	}
	w.steer(t, "clock/advance", `{"seconds":10}`)
	for _, s := range sellers {
		account := must[*stripe.Account](t)(w.V1Accounts.GetByID(t.Context(), s.id, nil))
		if !account.ChargesEnabled || !account.PayoutsEnabled || len(account.Requirements.CurrentlyDue) > 0 {
			t.Errorf("%s is not on: %v", s.id, account.Requirements.CurrentlyDue)
		}
	}
	opened.wait(t, sellers)
}

// connectSeller connects the n-th seller. Of ten, seven lack something.
func (w *world) connectSeller(t *testing.T, n int) *seller {
	t.Helper()
	s := &seller{country: []string{"DE", "PL"}[n%2], lacks: map[string]string{}}
	iban, phone, city, code := "DE89370400440532013000", "+49301234567", "Berlin", "10115"
	if s.country == "PL" {
		iban, phone, city, code = "PL61109010140000071219812874", "+48221234567", "Warszawa", "00-001"
	}
	born := int64(1902)
	site := str(fmt.Sprintf("https://seller%d.example", n))
	bank := &stripe.AccountExternalAccountParams{Country: str(s.country), Currency: str(map[string]string{"DE": "eur", "PL": "pln"}[s.country]), AccountNumber: str(iban)}
	telephone := str(phone)
	switch n % 10 {
	case 0, 4:
		s.lacks["business_profile.url"], site = *site, nil
	case 1, 5:
		s.lacks["individual.phone"], telephone = phone, nil
	case 2, 6:
		s.lacks["individual.verification.document"], born = "@", 1980
	case 3:
		s.lacks["external_account"], bank = iban, nil
		s.lacks["business_profile.url"], site = *site, nil
	}
	account := must[*stripe.Account](t)(w.V1Accounts.Create(t.Context(), &stripe.AccountCreateParams{
		Type: str("custom"), Country: str(s.country), Email: str(fmt.Sprintf("seller%d@example.com", n)), BusinessType: str("individual"),
		Capabilities: &stripe.AccountCreateCapabilitiesParams{CardPayments: &stripe.AccountCreateCapabilitiesCardPaymentsParams{Requested: stripe.Bool(true)},
			Transfers: &stripe.AccountCreateCapabilitiesTransfersParams{Requested: stripe.Bool(true)}},
		BusinessProfile: &stripe.AccountCreateBusinessProfileParams{MCC: str("1520"), Name: str(fmt.Sprintf("Seller %d", n)), URL: site},
		Individual: &stripe.PersonParams{FirstName: str("Anna"), LastName: str(fmt.Sprintf("Seller %d", n)), Email: str(fmt.Sprintf("seller%d@example.com", n)), Phone: telephone,
			DOB:     &stripe.PersonDOBParams{Day: stripe.Int64(1), Month: stripe.Int64(1), Year: stripe.Int64(born)},
			Address: &stripe.AddressParams{Line1: str("address_full_match"), City: str(city), PostalCode: str(code)}},
		ExternalAccount: bank,
		TOSAcceptance:   &stripe.AccountCreateTOSAcceptanceParams{Date: stripe.Int64(time.Now().Unix() - 60), IP: str("127.0.0.1")},
	}))
	s.id = account.ID
	return s
}

// onboard sends a seller a link, fills the form in, and follows it back to the shop.
func (w *world) onboard(t *testing.T, tab context.Context, shop *shop, s *seller, document string) {
	t.Helper()
	link := must[*stripe.AccountLink](t)(w.V1AccountLinks.Create(t.Context(), &stripe.AccountLinkCreateParams{
		Account: str(s.id), Type: str("account_onboarding"), RefreshURL: str(shop.URL + "/again"), ReturnURL: str(shop.URL + "/back?seller=" + s.id)}))
	text, err := look(tab, link.URL)
	if err != nil || !strings.Contains(text, s.id) {
		t.Fatalf("the form says %s: %v", text, err)
	}
	asked := must[int](t)(chromedp.Run(tab, chromedp.Evaluate[int](`document.querySelectorAll("form [required]").length`)))
	if asked != len(s.lacks) {
		t.Errorf("the form asks for %d things of one who lacks %v", asked, s.lacks)
	}
	for name, value := range s.lacks {
		field := chromedp.CSS(fmt.Sprintf("[name=%q]", name))
		if value == "@" {
			err = chromedp.Do(tab, chromedp.SetUploadFiles(field, []string{document}))
		} else {
			err = chromedp.Do(tab, chromedp.SendKeys(field, value))
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS("button[name=go]"), chromedp.NodeVisible), chromedp.WaitVisible(chromedp.CSS("#shop"))); err != nil {
		t.Fatalf("%s does not come back: %v", s.id, err)
	}
	select {
	case visit := <-shop.visits:
		if visit.Query().Get("seller") != s.id {
			t.Errorf("%s came back as %s", s.id, visit)
		}
	case <-tab.Done():
		t.Fatal("nobody comes back")
	}
}

// storefronts are the shops that the marketplace has opened, by account.
type storefronts struct {
	mu     sync.Mutex
	open   map[string]bool
	change chan struct{}
}

// storefronts listens to account.updated, and opens and closes shops by how their accounts are then.
func (w *world) storefronts(t *testing.T) *storefronts {
	t.Helper()
	s, asking := &storefronts{open: map[string]bool{}, change: make(chan struct{}, 1000)}, context.WithoutCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var event struct {
			Type, Account string
			Data          struct{ Object stripe.Account }
		}
		if err := json.Unmarshal(body, &event); err != nil || event.Account != event.Data.Object.ID {
			t.Errorf("an event of %q about %q: %v", event.Account, event.Data.Object.ID, err)
		}
		s.mu.Lock()
		is, err := w.V1Accounts.GetByID(asking, event.Account, nil) // events overtake each other: what one says may be past
		if s.open[event.Account] = err == nil && is.ChargesEnabled && is.PayoutsEnabled; err != nil {
			t.Errorf("%s: %v", event.Account, err)
		}
		s.mu.Unlock()
		s.change <- struct{}{}
	}))
	t.Cleanup(server.Close)
	must[*stripe.WebhookEndpoint](t)(w.V1WebhookEndpoints.Create(t.Context(), &stripe.WebhookEndpointCreateParams{URL: str(server.URL), Connect: stripe.Bool(true), EnabledEvents: strs("account.updated")}))
	return s
}

// wait waits until the shops of all who lacked something are open.
func (s *storefronts) wait(t *testing.T, sellers []*seller) {
	t.Helper()
	for {
		closed := 0
		s.mu.Lock()
		for _, one := range sellers {
			if len(one.lacks) > 0 && !s.open[one.id] {
				closed++
			}
		}
		s.mu.Unlock()
		if closed == 0 {
			return
		}
		select {
		case <-s.change:
		case <-time.After(30 * time.Second):
			t.Fatalf("%d shops are closed still", closed)
		}
	}
}
