package money

import "strings"

// Region is a part of the world as payments part it: what law a card is under, and what its payments cost, go by it.
type Region string

// The regions. Each country is in one.
const (
	UnitedKingdom Region = "United Kingdom"
	EconomicArea  Region = "European Economic Area"
	OtherEurope   Region = "other Europe"
	NorthAmerica  Region = "North America"
	LatinAmerica  Region = "Latin America and the Caribbean"
	AsiaPacific   Region = "Asia and the Pacific"
	MiddleEast    Region = "Middle East"
	Africa        Region = "Africa"
	Nowhere       Region = "unknown" // the country of the card was not told
)

// regions are the countries outside the Economic Area, by the continents of the United Nations' M49 standard; the Middle East is its Western
// Asia without the Caucasus and Cyprus.
var regions = map[Region]string{
	UnitedKingdom: "GB GG IM JE",
	OtherEurope:   "AD AL AM AX AZ BA BY CH FO GE GI MC MD ME MK RS RU SJ SM TR UA VA XK",
	NorthAmerica:  "BM CA GL PM US",
	LatinAmerica:  "AG AI AR AW BB BL BO BQ BR BS BZ CL CO CR CU CW DM DO EC FK GD GF GP GT GY HN HT JM KN KY LC MF MQ MS MX NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI",
	AsiaPacific: "AF AS AU BD BN BT CC CK CN CX FJ FM GU HK ID IN JP KG KH KI KP KR KZ LA LK MH MM MN MO MP MV MY NC NF NP NR NU NZ PF PG PH PK PN PW SB SG TH TJ TK TL TM " +
		"TO TV TW UZ VN VU WF WS",
	MiddleEast: "AE BH IL IQ IR JO KW LB OM PS QA SA SY YE",
	Africa: "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT " +
		"ZA ZM ZW",
}

// Region is where the country is; Nowhere where it is none that ParseCountry takes.
func (c Country) Region() Region {
	if c.InEconomicArea() {
		return EconomicArea
	}
	for region, all := range regions {
		if len(c) == 2 && strings.Contains(" "+all+" ", " "+string(c)+" ") {
			return region
		}
	}
	return Nowhere
}
