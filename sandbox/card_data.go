package sandbox

// Test cards as of 21 November 2026. The numbers, names and effects are those of docs.stripe.com/testing (2026); the fields of declines
// are those that test-mode confirmations of August 2026 answered.

// The declines that more than one card, or code, uses.
var (
	genericDecline = &decline{code: "card_declined", declineCode: "generic_decline", advice: "try_again_later", networkDecline: "01",
		message: "Your card was declined."}
	insufficientFunds = &decline{code: "card_declined", declineCode: "insufficient_funds", advice: "try_again_later", networkAdvice: "02", networkDecline: "51",
		message: "Your card has insufficient funds."}
	lostCard = &decline{code: "card_declined", declineCode: "lost_card", advice: "do_not_try_again", networkAdvice: "01", networkDecline: "41",
		message: "Your card was declined."}
	stolenCard = &decline{code: "card_declined", declineCode: "stolen_card", advice: "do_not_try_again", networkAdvice: "01", networkDecline: "43",
		message: "Your card was declined."}
	expiredCard = &decline{code: "expired_card", declineCode: "expired_card", advice: "confirm_card_data", networkAdvice: "03", networkDecline: "54",
		param: "exp_month", message: "Your card has expired."}
	incorrectCvc = &decline{code: "incorrect_cvc", declineCode: "incorrect_cvc", advice: "confirm_card_data", networkAdvice: "03", networkDecline: "N7",
		param: "cvc", message: "Your card's security code is incorrect."}
	processingError = &decline{code: "processing_error", declineCode: "processing_error", advice: "try_again_later", networkDecline: "06",
		message: "An error occurred while processing your card. Try again in a little bit."}
	velocityExceeded = &decline{code: "card_declined", declineCode: "card_velocity_exceeded", advice: "try_again_later", networkAdvice: "02", networkDecline: "61",
		message: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."}
	customerFail = &decline{code: "card_declined", declineCode: "generic_decline",
		message: "Your card was declined."}
	fraudulent = &decline{code: "card_declined", declineCode: "fraudulent",
		message: "Your card was declined."}
	secureFailed = &decline{code: "card_declined", declineCode: "processing_error",
		message: "An error occurred while processing your card. Try again in a little bit."}
	authenticationRequired = &decline{code: "authentication_required", declineCode: "authentication_required",
		message: "Your card was declined. This transaction requires authentication."}
)

// bankSays are the declines that a rule can have any card's bank answer, whatever the card does by itself. Of do_not_honor the message is
// that of the others.
var bankSays = []*decline{genericDecline, insufficientFunds, lostCard, stolenCard, expiredCard, incorrectCvc, processingError, velocityExceeded, fraudulent,
	{code: "card_declined", declineCode: "do_not_honor", advice: "try_again_later", networkDecline: "05", message: "Your card was declined."}, authenticationRequired}

// brandCards pay, on each network and kind of funding. Where several names share a number, the first row of a number is what the bare number means.
var brandCards = []card{
	{number: "4242424242424242", names: "visa us", funding: "credit", country: "US"},
	{number: "4000056655665556", names: "visa_debit", funding: "debit", country: "US"},
	{number: "5555555555554444", names: "mastercard", funding: "credit", country: "US"},
	{number: "2223003122003222", names: "", funding: "credit", country: "US"},
	{number: "5200828282828210", names: "mastercard_debit", funding: "debit", country: "US"},
	{number: "5105105105105100", names: "mastercard_prepaid", funding: "prepaid", country: "US"},
	{number: "378282246310005", names: "amex amex_threeDSecureNotSupported", funding: "credit", country: "US", does: behaviour{secure: secureUnsupported}},
	{number: "371449635398431", names: "", funding: "credit", country: "US"},
	{number: "6011111111111117", names: "discover", funding: "credit", country: "US"},
	{number: "6011000990139424", names: "", funding: "credit", country: "US"},
	{number: "6011981111111113", names: "discover_debit", funding: "debit", country: "US"},
	{number: "3056930009020004", names: "diners", funding: "credit", country: "US"},
	{number: "36227206271667", names: "", funding: "credit", country: "US"},
	{number: "6555900000604105", names: "", funding: "credit", country: "US"},
	{number: "3566002020360505", names: "jcb", funding: "credit", country: "JP"},
	{number: "6200000000000005", names: "unionpay", funding: "credit", country: "CN"},
	{number: "6200000000000047", names: "", funding: "debit", country: "CN"},
	{number: "6205500000000000004", names: "", funding: "credit", country: "CN"},
	{number: "4000002500001001", names: "visa_cartesBancaires", funding: "credit", country: "FR"},
	{number: "5555552500001001", names: "mastercard_cartesBancaires", funding: "credit", country: "FR"},
	{number: "4000050360000001", names: "visa_debit_eftposAuCoBranded", funding: "debit", country: "AU"},
	{number: "5555050360000080", names: "mastercard_debit_eftposAuCoBranded", funding: "debit", country: "AU"},
	{number: "4000051230000072", names: "visa_debit_visaFsaProductCode visa_debit_visaHsaProductCode", funding: "debit", country: "US"},
	{number: "5200828282828897", names: "mastercard_debit_mastercardFsaProductCode", funding: "debit", country: "US"},
}

// countryCards pay, and name the country of their issuer.
var countryCards = []card{
	{number: "4000007840000001", names: "ae", funding: "credit", country: "AE"},
	{number: "5200007840000022", names: "ae_mastercard", funding: "credit", country: "AE"},
	{number: "4000000320000021", names: "ar", funding: "credit", country: "AR"},
	{number: "4000000400000008", names: "at", funding: "credit", country: "AT"},
	{number: "4000000360000006", names: "au", funding: "credit", country: "AU"},
	{number: "4000000560000004", names: "be", funding: "credit", country: "BE"},
	{number: "4000001000000000", names: "bg", funding: "credit", country: "BG"},
	{number: "4000000760000002", names: "br", funding: "credit", country: "BR"},
	{number: "4000001120000005", names: "by", funding: "credit", country: "BY"},
	{number: "4000001240000000", names: "ca", funding: "credit", country: "CA"},
	{number: "4000007560000009", names: "ch", funding: "credit", country: "CH"},
	{number: "4000001520000001", names: "cl", funding: "credit", country: "CL"},
	{number: "4000001560000002", names: "cn", funding: "credit", country: "CN"},
	{number: "4000001700000003", names: "co", funding: "credit", country: "CO"},
	{number: "4000001880000005", names: "cr", funding: "credit", country: "CR"},
	{number: "4000001960000008", names: "cy", funding: "credit", country: "CY"},
	{number: "4000002030000002", names: "cz", funding: "credit", country: "CZ"},
	{number: "4000002760000016", names: "de", funding: "credit", country: "DE"},
	{number: "4000002080000001", names: "dk", funding: "credit", country: "DK"},
	{number: "4000002180000000", names: "ec", funding: "credit", country: "EC"},
	{number: "4000002330000009", names: "ee", funding: "credit", country: "EE"},
	{number: "4000007240000007", names: "es", funding: "credit", country: "ES"},
	{number: "4000002460000001", names: "fi", funding: "credit", country: "FI"},
	{number: "4000002500000003", names: "fr", funding: "credit", country: "FR"},
	{number: "4000008260000000", names: "gb", funding: "credit", country: "GB"},
	{number: "4000058260000005", names: "gb_debit", funding: "debit", country: "GB"},
	{number: "5555558265554449", names: "gb_mastercard", funding: "credit", country: "GB"},
	{number: "4000002920000005", names: "gi", funding: "credit", country: "GI"},
	{number: "4000003000000030", names: "gr", funding: "credit", country: "GR"},
	{number: "4000003440000004", names: "hk", funding: "credit", country: "HK"},
	{number: "4000001910000009", names: "hr", funding: "credit", country: "HR"},
	{number: "4000003480000005", names: "hu", funding: "credit", country: "HU"},
	{number: "4000003720000005", names: "ie", funding: "credit", country: "IE"},
	{number: "4000003560000008", names: "in", funding: "credit", country: "IN"},
	{number: "4000003800000008", names: "it", funding: "credit", country: "IT"},
	{number: "3530111333300000", names: "jcb_jp", funding: "credit", country: "JP"},
	{number: "4000003920000003", names: "jp", funding: "credit", country: "JP"},
	{number: "4000004380000004", names: "li", funding: "credit", country: "LI"},
	{number: "4000004400000000", names: "lt", funding: "credit", country: "LT"},
	{number: "4000004420000006", names: "lu", funding: "credit", country: "LU"},
	{number: "4000004280000005", names: "lv", funding: "credit", country: "LV"},
	{number: "4000004700000007", names: "mt", funding: "credit", country: "MT"},
	{number: "5062210000000009", names: "", funding: "credit", country: "MX"},
	{number: "4000004840008001", names: "mx", funding: "credit", country: "MX"},
	{number: "4000004580000002", names: "my", funding: "credit", country: "MY"},
	{number: "4000005280000002", names: "nl", funding: "credit", country: "NL"},
	{number: "4000005780000007", names: "no", funding: "credit", country: "NO"},
	{number: "4000005540000008", names: "nz", funding: "credit", country: "NZ"},
	{number: "4000005910000000", names: "pa", funding: "credit", country: "PA"},
	{number: "4000006040000068", names: "pe", funding: "credit", country: "PE"},
	{number: "4000006160000005", names: "pl", funding: "credit", country: "PL"},
	{number: "4000006200000007", names: "pt", funding: "credit", country: "PT"},
	{number: "4000006000000066", names: "py", funding: "credit", country: "PY"},
	{number: "4000006420000001", names: "ro", funding: "credit", country: "RO"},
	{number: "4000006820000007", names: "", funding: "credit", country: "SA"},
	{number: "4000007520000008", names: "se", funding: "credit", country: "SE"},
	{number: "4000007020000003", names: "sg", funding: "credit", country: "SG"},
	{number: "4000007050000006", names: "si", funding: "credit", country: "SI"},
	{number: "4000007030000001", names: "sk", funding: "credit", country: "SK"},
	{number: "4000007640000003", names: "th_credit", funding: "credit", country: "TH"},
	{number: "4000057640000008", names: "th_debit", funding: "debit", country: "TH"},
	{number: "4000001580000008", names: "tw", funding: "credit", country: "TW"},
	{number: "4000008580000003", names: "uy", funding: "credit", country: "UY"},
}

// declineCards are refused by the issuer. "declined" is no name of Stripe's, but one that integrations are found to use.
var declineCards = []card{
	{number: "4000000000000002", names: "visa_chargeDeclined declined", funding: "credit", country: "US", does: behaviour{decline: genericDecline}},
	{number: "4000000000009995", names: "visa_chargeDeclinedInsufficientFunds visa_debit_chargeDeclinedInsufficientFunds", funding: "credit", country: "US", does: behaviour{decline: insufficientFunds}},
	{number: "4000000000009987", names: "visa_chargeDeclinedLostCard chargeFailLostCard", funding: "credit", country: "US", does: behaviour{decline: lostCard}},
	{number: "4000000000009979", names: "visa_chargeDeclinedStolenCard chargeFailStolenCard", funding: "credit", country: "US", does: behaviour{decline: stolenCard}},
	{number: "4000000000000069", names: "chargeDeclinedExpiredCard", funding: "credit", country: "US", does: behaviour{decline: expiredCard}},
	{number: "4000000000000127", names: "chargeDeclinedIncorrectCvc", funding: "credit", country: "US", does: behaviour{decline: incorrectCvc}},
	{number: "4000000000000119", names: "chargeDeclinedProcessingError", funding: "credit", country: "US", does: behaviour{decline: processingError}},
	{number: "4000000000006975", names: "visa_chargeDeclinedVelocityLimitExceeded", funding: "credit", country: "US", does: behaviour{decline: velocityExceeded}},
	{number: "4000000000000341", names: "chargeCustomerFail", funding: "credit", country: "US", does: behaviour{decline: customerFail, attachable: true}},
}

// radarCards raise the risk that Radar sees, or fail checks. A payment with a failed check succeeds as long as the rules against it are off.
var radarCards = []card{
	{number: "4100000000000019", names: "radarBlock visa_chargeDeclinedFraudulent", funding: "credit", country: "US", does: behaviour{decline: fraudulent, risk: "highest", blocked: true}},
	{number: "4000000000004954", names: "riskLevelHighest", funding: "credit", country: "US", does: behaviour{risk: "highest"}},
	{number: "4000000000009235", names: "riskLevelElevated", funding: "credit", country: "US", does: behaviour{risk: "elevated"}},
	{number: "4000008400000407", names: "highFraudDisputeScore", funding: "credit", country: "US"},
	{number: "4000008400000159", names: "highEfwScore", funding: "credit", country: "US"},
	{number: "4000008400001017", names: "radarDynamicRiskThreshold", funding: "credit", country: "US", does: behaviour{decline: fraudulent, risk: "highest", blocked: true}},
	{number: "4000008405600003", names: "adaptive3dsChallenge", funding: "credit", country: "US", does: behaviour{secure: secureRequired}},
	{number: "4000000000000101", names: "cvcCheckFail", funding: "credit", country: "US", does: behaviour{cvcFails: true}},
	{number: "4000000000000036", names: "avsZipFail", funding: "credit", country: "US", does: behaviour{zipFails: true}},
	{number: "4000058400307872", names: "cvcCheckFailElevatedRisk", funding: "credit", country: "US", does: behaviour{cvcFails: true, risk: "elevated"}},
	{number: "4000058400306072", names: "avsZipFailElevatedRisk", funding: "credit", country: "US", does: behaviour{zipFails: true, risk: "elevated"}},
	{number: "4000000000000028", names: "avsLine1Fail", funding: "credit", country: "US", does: behaviour{lineFails: true}},
	{number: "4000000000000010", names: "avsFail", funding: "credit", country: "US", does: behaviour{lineFails: true, zipFails: true}},
	{number: "4000000000000044", names: "avsUnchecked", funding: "credit", country: "US", does: behaviour{unchecked: true}},
}

// disputeCards pay, and are disputed or reported as fraud afterwards; see claim. The last four are about refunds and about funds that
// are available at once.
var disputeCards = []card{
	{number: "4000000000000259", names: "createDispute", funding: "credit", country: "US", does: behaviour{claims: fraudClaim}},
	{number: "4000000000002685", names: "createDisputeProductNotReceived", funding: "credit", country: "US", does: behaviour{claims: notReceivedClaim}},
	{number: "4000000000001976", names: "createDisputeInquiry", funding: "credit", country: "US", does: behaviour{claims: inquiryClaim}},
	{number: "4000000000005423", names: "createIssuerFraudRecord", funding: "credit", country: "US", does: behaviour{warning: "made_with_stolen_card"}},
	{number: "4000000404000079", names: "createMultipleDisputes", funding: "credit", country: "AT", does: behaviour{claims: twoClaims}},
	{number: "4000000404000038", names: "createCe3EligibleDispute", funding: "credit", country: "AT", does: behaviour{claims: compellingClaim}},
	{number: "4000008400000779", names: "createComplianceDispute", funding: "credit", country: "US", does: behaviour{claims: complianceClaim}},
	{number: "5105008400000002", names: "createMastercardComplianceDispute", funding: "credit", country: "US", does: behaviour{claims: mastercardCompliance}},
	{number: "4000000001000043", names: "createAutoRepresentmentEligibleDispute", funding: "credit", country: "US", does: behaviour{claims: fraudClaim}},
	{number: "4000000404004816", names: "createRapidDisputeResolutionDispute", funding: "credit", country: "AT", does: behaviour{claims: resolvableClaim}},
	{number: "4000000404005649", names: "createCe3BlockDispute", funding: "credit", country: "AT", does: behaviour{claims: blockableClaim}},
	{number: "5105000300000018", names: "createEthocaAlert", funding: "credit", country: "US", does: behaviour{claims: alertedClaim}},
	{number: "4000000000007726", names: "pendingRefund", funding: "credit", country: "US", does: behaviour{refund: refundPending}},
	{number: "4000000000005126", names: "refundFail", funding: "credit", country: "US", does: behaviour{refund: refundFails}},
	{number: "4000000000000077", names: "bypassPending", funding: "credit", country: "US", does: behaviour{instant: true}},
	{number: "4000003720000278", names: "bypassPendingInternational", funding: "credit", country: "IE", does: behaviour{instant: true}},
}

// secureCards take part in 3D Secure.
var secureCards = []card{
	{number: "4000002500003155", names: "authenticationRequiredOnSetup", funding: "credit", country: "FR", does: behaviour{secure: secureUnlessSetUp}},
	{number: "4000002760003184", names: "authenticationRequired", funding: "credit", country: "DE", does: behaviour{secure: secureRequired}},
	{number: "4000003800000446", names: "authenticationRequiredSetupForOffSession", funding: "credit", country: "IT", does: behaviour{secure: secureSetUp}},
	{number: "4000008260003178", names: "authenticationRequiredChargeDeclinedInsufficientFunds", funding: "credit", country: "GB", does: behaviour{secure: secureUnlessSetUp, decline: insufficientFunds, attachable: true}},
	{number: "4000000000003220", names: "threeDSecure2Required", funding: "credit", country: "IE", does: behaviour{secure: secureRequired}},
	{number: "4000008400000027", names: "", funding: "credit", country: "US", does: behaviour{secure: secureRequired}},
	{number: "4000008400001629", names: "threeDSecureRequiredChargeDeclined", funding: "credit", country: "US", does: behaviour{secure: secureRequired, decline: genericDecline, attachable: true}},
	{number: "4000008400001280", names: "threeDSecureRequiredProcessingError", funding: "credit", country: "US", does: behaviour{secure: secureLookupErr, attachable: true}},
	{number: "4000000000003055", names: "threeDSecureOptional", funding: "credit", country: "US", does: behaviour{secure: secureOptional}},
	{number: "4000000000003097", names: "threeDSecureOptionalProcessingError", funding: "credit", country: "US", does: behaviour{secure: secureOptionalErr}},
	{number: "4000000032200000", names: "", funding: "credit", country: "US", does: behaviour{secure: secureFrictionless}},
	{number: "4000582600000094", names: "", funding: "credit", country: "GB", does: behaviour{secure: secureRequired}},
	{number: "4000582600000045", names: "", funding: "credit", country: "GB", does: behaviour{secure: secureRequired}},
	{number: "4000582600000102", names: "", funding: "credit", country: "GB", does: behaviour{secure: secureRequired}},
	{number: "4000582600000110", names: "", funding: "credit", country: "GB", does: behaviour{secure: secureRequired}},
	{number: "4000000000001208", names: "", funding: "credit", country: "US", does: behaviour{secure: secureRequired}},
	{number: "4000000000003725", names: "", funding: "credit", country: "US", does: behaviour{secure: secureRequired}},
}
