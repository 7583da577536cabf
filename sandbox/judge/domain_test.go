//go:build !race

package judge_test

import (
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestDomains: a shop registers its domain for wallets, by the new operations and by the old ones, and an app gets a key.
func TestDomains(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	domain := must[*stripe.PaymentMethodDomain](t)(w.V1PaymentMethodDomains.Create(ctx, &stripe.PaymentMethodDomainCreateParams{DomainName: str("shop.example.com")}))
	again := must[*stripe.PaymentMethodDomain](t)(w.V1PaymentMethodDomains.Create(ctx, &stripe.PaymentMethodDomainCreateParams{DomainName: str("shop.example.com")}))
	if again.ID != domain.ID || !domain.Enabled || domain.ApplePay.Status != stripe.PaymentMethodDomainApplePayStatusActive {
		t.Errorf("registered is %+v, then %+v", domain, again)
	}
	must[*stripe.PaymentMethodDomain](t)(w.V1PaymentMethodDomains.Update(ctx, domain.ID, &stripe.PaymentMethodDomainUpdateParams{Enabled: stripe.Bool(false)}))
	must[*stripe.PaymentMethodDomain](t)(w.V1PaymentMethodDomains.Validate(ctx, domain.ID, nil))
	if is := must[*stripe.PaymentMethodDomain](t)(w.V1PaymentMethodDomains.Retrieve(ctx, domain.ID, nil)); is.Enabled {
		t.Errorf("the domain is still enabled: %+v", is)
	}
	if n := len(all(t, w.V1PaymentMethodDomains.List(ctx, &stripe.PaymentMethodDomainListParams{DomainName: str("shop.example.com")}).All(ctx))); n != 1 {
		t.Errorf("the domain is listed %d times", n)
	}
	_, err := w.V1PaymentMethodDomains.Create(ctx, &stripe.PaymentMethodDomainCreateParams{DomainName: str("shop")})
	if refusal := refused(t, err); refusal.Param != "domain_name" {
		t.Errorf("a word is refused with %+v", refusal)
	}

	apple := must[*stripe.ApplePayDomain](t)(w.V1ApplePayDomains.Create(ctx, &stripe.ApplePayDomainCreateParams{DomainName: str("shop.example.com")}))
	must[*stripe.ApplePayDomain](t)(w.V1ApplePayDomains.Retrieve(ctx, apple.ID, nil))
	if gone := must[*stripe.ApplePayDomain](t)(w.V1ApplePayDomains.Delete(ctx, apple.ID, nil)); !gone.Deleted {
		t.Errorf("deleted is %+v", gone)
	}
	if left := all(t, w.V1ApplePayDomains.List(ctx, &stripe.ApplePayDomainListParams{}).All(ctx)); len(left) != 0 {
		t.Errorf("left are %+v", left)
	}

	var chosen *stripe.PaymentMethodConfiguration
	for _, one := range all(t, w.V1PaymentMethodConfigurations.List(ctx, &stripe.PaymentMethodConfigurationListParams{}).All(ctx)) {
		chosen = one
	}
	if chosen == nil || !chosen.IsDefault || !chosen.Card.Available {
		t.Fatalf("the methods at first are %+v", chosen)
	}
	chosen = must[*stripe.PaymentMethodConfiguration](t)(w.V1PaymentMethodConfigurations.Update(ctx, chosen.ID, &stripe.PaymentMethodConfigurationUpdateParams{
		Link: &stripe.PaymentMethodConfigurationUpdateLinkParams{DisplayPreference: &stripe.PaymentMethodConfigurationUpdateLinkDisplayPreferenceParams{Preference: str("off")}},
	}))
	if again := must[*stripe.PaymentMethodConfiguration](t)(w.V1PaymentMethodConfigurations.Retrieve(ctx, chosen.ID, nil)); again.Link.Available {
		t.Errorf("Link is still offered: %+v", again.Link)
	}
	must[*stripe.PaymentMethodConfiguration](t)(w.V1PaymentMethodConfigurations.Create(ctx, &stripe.PaymentMethodConfigurationCreateParams{Name: str("Kiosk")}))

	customer := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{}))
	key := must[*stripe.EphemeralKey](t)(w.V1EphemeralKeys.Create(ctx, &stripe.EphemeralKeyCreateParams{Customer: &customer.ID, StripeVersion: str(stripe.APIVersion)}))
	if key.Secret == "" || key.Expires != key.Created+3600 {
		t.Errorf("the key is %+v", key)
	}
	must[*stripe.EphemeralKey](t)(w.V1EphemeralKeys.Delete(ctx, key.ID, nil))
}
