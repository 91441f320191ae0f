package proof

import (
	"bufio"
	_ "embed"
	"slices"
	"strconv"
	"strings"
)

// rulesText is a line for each rule of docs/aws-rules.md: its number and what AWS does. A test
// compares it with the document.
//
//go:embed rules.txt
var rulesText string

// Rule is a rule of docs/aws-rules.md.
type Rule struct{ Number, What string }

// Rules are the rules of docs/aws-rules.md, in its order.
func Rules() []Rule {
	var all []Rule
	lines := bufio.NewScanner(strings.NewReader(rulesText))
	for lines.Scan() {
		number, what, _ := strings.Cut(lines.Text(), "\t")
		all = append(all, Rule{number, what})
	}
	return all
}

// untried says why no check asks about rules: by number, or by the beginning of numbers with a dot
// at its end. The longest beginning counts.
func untried(number string) string {
	best, why := "", ""
	for begin, reason := range reasons() {
		if (number == begin || strings.HasSuffix(begin, ".") && strings.HasPrefix(number, begin)) && len(begin) >= len(best) {
			best, why = begin, reason
		}
	}
	return why
}

const (
	costsTooMuch  = "it takes more things, or larger ones, than a sandbox should be made to hold"
	ofTheAccount  = "it would change a setting of the whole account, which is not the run's"
	ofTheSDK      = "it is about the SDK, or about failures that cannot be caused on purpose"
	organization  = "it takes an organization and its management account"
	takesTooLong  = "it takes hours or days until AWS answers"
	keysStay      = "a key of KMS cannot be removed before seven days have passed"
	needsAnEngine = "it takes the account's leave for engines of others, a setting of the whole account"
	askedInParts  = "other rules have checks of what it says, and no call shows it by itself"
	notYet        = "no check asks about it yet: the local mesh's test of the rule says what one would ask"
)

func reasons() map[string]string {
	return map[string]string{
		"1.": notYet, "2.": notYet, "3.": notYet, "4.": notYet, "5.": notYet, "6.": notYet, "7.": notYet, "8.": notYet, "9.": notYet, "10.": notYet, "11.": notYet, "12.": notYet, "13.": notYet, "16.": notYet,
		"1.1.": ofTheAccount, "1.3.6": ofTheAccount, "1.3.7": ofTheAccount, "1.3.8": ofTheAccount, "1.2.6": ofTheAccount, "7.4.1": ofTheAccount, "6.2.10": ofTheAccount, "5.1.15": ofTheAccount,
		"1.3.4": ofTheAccount, "1.4.3": organization, "1.4.5": "it takes Identity Center", "14.": organization, "8.17": organization,
		"15.": keysStay, "8.6": "nobody should hold keys of an account's root user", "1.8.4": ofTheAccount, "1.8.5": ofTheAccount, "5.2.3": ofTheAccount, "6.2.17": ofTheAccount, "7.3.1": ofTheAccount,
		"1.10.5": takesTooLong, "5.4.3": takesTooLong, "8.29": takesTooLong, "7.6.8": takesTooLong, "5.1.13": costsTooMuch, "5.1.14": costsTooMuch, "5.2.5": costsTooMuch, "5.2.6": costsTooMuch,
		"5.3.5": costsTooMuch, "5.4.4": costsTooMuch, "10.1.13": costsTooMuch, "9.2.6": costsTooMuch, "5.3.4": costsTooMuch, "5.1.16": ofTheSDK, "6.2.5": ofTheSDK, "6.2.7": ofTheSDK, "6.2.8": ofTheSDK, "6.2.9": ofTheSDK,
		"6.2.6": costsTooMuch, "6.2.11": "it takes federated or encrypted catalogs", "6.2.20": takesTooLong, "6.2.23": ofTheSDK, "6.2.32": ofTheSDK, "6.2.35": ofTheSDK, "6.4.": ofTheSDK,
		"6.2.28": "a service-linked role is the account's, and is not removed while something uses it", "3.3": "a service-linked role is the account's, and is not removed while something uses it", "3.6": "a service-linked role is the account's, and is not removed while something uses it",
		"9.4.": needsAnEngine, "8.21": needsAnEngine, "10.1.16": keysStay, "11.8": "it takes a domain of DataZone", "5.4.2": ofTheSDK, "5.3.7": askedInParts, "1.2.3": askedInParts, "2.10": askedInParts, "5.1.25": "it leaves metadata files that no table owns",
		"10.4.": takesTooLong, "10.1.4": "the local mesh has no recurring schedules, so that it gives no answer to compare with",
		"11.2": ofTheAccount, "16.14": ofTheAccount, "7.6.5": takesTooLong,
	}
}

// compareRules orders numbers of rules: 1.2 before 1.10.
func compareRules(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return slices.CompareFunc(x, y, func(p, q string) int {
		m, errM := strconv.Atoi(p)
		n, errN := strconv.Atoi(q)
		if errM != nil || errN != nil {
			return strings.Compare(p, q)
		}
		return m - n
	})
}
