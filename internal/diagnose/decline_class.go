package diagnose

// Class is who or what kept a payment from being paid.
type Class string

// The classes.
const (
	Issuer    Class = "issuer"    // the customer's bank said no
	Radar     Class = "radar"     // Stripe stopped it: the bank was not asked, or its approval was taken back
	Secure    Class = "3ds"       // it was not authenticated
	Technical Class = "technical" // nobody said no: it could not be processed
	Untold    Class = "unknown"   // till has not heard yet, or heard before it kept such things
)

var classes = []Class{Issuer, Radar, Secure, Technical, Untold}

// said are the classes in the words of a merchant.
var said = map[Class]string{
	Issuer: "the customer's bank", Radar: "Stripe (Radar)", Secure: "3-D Secure", Technical: "technical: nobody said no", Untold: "not known",
}

// unprocessed are the reasons of an outcome by which a bank or a network says that it could not decide.
var unprocessed = map[string]bool{"processing_error": true, "issuer_not_available": true, "reenter_transaction": true, "approve_with_id": true, "try_again_later": true}

// unauthenticated are the ends of 3-D Secure that keep a charge from being paid.
var unauthenticated = map[string]bool{"failed": true, "processing_error": true}

// class is who declined, by the outcome of the charge: never by the decline code, which banks and Radar share. Where there was no charge,
// there is no outcome: then the intent's own error says whether the payer failed at the bank's page or Stripe refused the request.
func (p Payment) class() Class {
	o := p.Outcome
	switch {
	case o.Type == "blocked":
		return Radar
	case o.Type == "issuer_declined" && (o.Reason == "authentication_required" || unauthenticated[p.Paid.ThreeDSecure]):
		return Secure
	case o.Type == "issuer_declined" && (o.NetworkStatus == "not_sent_to_network" || unprocessed[o.Reason]):
		return Technical
	case o.Type == "issuer_declined":
		return Issuer
	case o.Type == "invalid":
		return Technical
	case o.Type != "":
		return Untold
	case p.Failure.Code == "payment_intent_authentication_failure":
		return Secure
	case p.Failure.Code == "" || p.Failure.DeclineCode != "": // a decline whose charge is not known yet
		return Untold
	}
	return Technical
}

// approved says that the bank said yes: the money was taken or held, and may have gone back since.
func (p Payment) approved() bool {
	switch p.Status {
	case "completed", "refunded", "authorized":
		return true
	}
	return p.Status == "cancelled" && (p.Outcome.Type == "authorized" || p.Outcome.Type == "manual_review")
}

func (p Payment) declined() bool { return p.Status == "failed" }
