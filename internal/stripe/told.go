package stripe

import "github.com/till-pay/till/internal/fault"

// Told is an error of Stripe's as the merchant hears it: refused, with Stripe's own words behind it, where Stripe says no; silent where it gave
// no answer. A key that Stripe refuses is told as such, whatever was asked under it; what is no error of Stripe's stays as it is.
func Told(err error, refused, silent *fault.Error) error {
	said, ok := As(err)
	if !ok {
		return err
	}
	switch Meaning(err) {
	case BadCredentials:
		return fault.New(fault.ProviderCredentials, "", "Stripe refuses the merchant's secret key.").Because(err)
	case Refused:
		refused.Message += said.Message
		return refused.Because(err)
	}
	return silent.Because(err)
}
