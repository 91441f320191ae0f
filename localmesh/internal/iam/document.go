package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// maxDocument is the longest document that a request may carry.
const maxDocument = 131072

// readDocument parses a document of a kind; kind IdentityBased is an identity
// policy, managed or inline.
func readDocument(text *string, kind iampolicy.PolicyKind) (*iampolicy.Document, error) {
	if text == nil {
		return nil, mustNotBeNull("policyDocument")
	}
	if *text == "" || len(*text) > maxDocument {
		return nil, breaks("policyDocument", "", "have length between 1 and 131072")
	}
	for _, r := range *text {
		if r == utf8.RuneError || r > 0xff || r < 0x20 && !strings.ContainsRune("\t\n\r", r) {
			return nil, breaks("policyDocument", "", `satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`)
		}
	}
	d, err := iampolicy.Parse([]byte(*text))
	if err != nil {
		return nil, malformed("%s", explain(err))
	}
	if kind == iampolicy.TrustPolicy && !onlySTS(d) {
		return nil, malformed("AssumeRole policy may only specify STS AssumeRole actions.")
	}
	if err := d.Validate(kind); err != nil {
		return nil, malformed("%s", explain(err))
	}
	if err := checkPartition(d); err != nil {
		return nil, err
	}
	return d, nil
}

// checkPartition refuses resources of another partition, in the words of IAM
// (https://github.com/hashicorp/terraform/issues/5307 has them).
func checkPartition(d *iampolicy.Document) error {
	for _, s := range d.Statements {
		for _, arn := range slices.Concat(s.Resources, s.NotResources) {
			parts := strings.SplitN(arn, ":", 3)
			if len(parts) == 3 && parts[0] == "arn" && parts[1] != "aws" && !strings.ContainsAny(parts[1], "*?") {
				return malformed("Partition %q is not valid for resource %q.", parts[1], arn)
			}
		}
	}
	return nil
}

// trustActions are the actions that a trust policy can be about
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html).
func trustActions() []string {
	return []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"}
}

// onlySTS tells whether all actions of a document are those of a trust policy, or
// patterns for some of them.
func onlySTS(d *iampolicy.Document) bool {
	return !slices.ContainsFunc(d.Statements, func(s iampolicy.Statement) bool {
		return slices.ContainsFunc(slices.Concat(s.Actions, s.NotActions), func(action string) bool {
			return !slices.ContainsFunc(trustActions(), func(a string) bool { return iampolicy.MatchAction(action, a) })
		})
	})
}

// explain words what is wrong with a document: in AWS's words where they are
// known, with the parser's reason behind them.
func explain(err error) string {
	var e *iampolicy.Error
	if !errors.As(err, &e) {
		return "Syntax errors in policy. " + err.Error()
	}
	aws := "Syntax errors in policy."
	switch {
	case errors.Is(e, iampolicy.ErrSyntax):
		aws = "This policy contains invalid Json"
	case errors.Is(e, iampolicy.ErrMisplacedElement) && strings.Contains(e.Element, "Principal") && e.Detail != string(iampolicy.TrustPolicy):
		aws = "Policy document should not specify a principal."
	case errors.Is(e, iampolicy.ErrMisplacedElement):
		aws = "Has prohibited field " + e.Element + "."
	case errors.Is(e, iampolicy.ErrMissingElement) && e.Element == "Resource":
		aws = "Policy statement must contain resources."
	case errors.Is(e, iampolicy.ErrMissingElement) && e.Element == "Action":
		aws = "Policy statement must contain actions."
	case errors.Is(e, iampolicy.ErrDuplicateSID):
		aws = "Statement IDs (SID) in a single policy must be unique."
	}
	return aws + " (" + e.Error() + ")"
}

// readTrust checks a trust policy and returns what is kept of it: canonical
// JSON, lists of one value as that value, principals as unique ids.
func readTrust(c *engine.Call, text *string) (trust string, arns map[string]string, err error) {
	d, err := readDocument(text, iampolicy.TrustPolicy)
	if err != nil {
		return "", nil, err
	}
	limit, err := quota(c, quotaTrustSize)
	if err != nil {
		return "", nil, err
	}
	if iampolicy.Size(*text) > limit {
		return "", nil, exceeded("ACLSizePerRole", limit)
	}
	arns, err = authz.HoldPrincipals(c.Tx, d, c.Unknown)
	var unknown *authz.PrincipalError
	if errors.As(err, &unknown) {
		return "", nil, malformed("%s", unknown.Error())
	}
	if err != nil {
		return "", nil, err
	}
	return d.String(), arns, nil
}

// encoded is a document as IAM hands it out: percent-encoded by RFC 3986.
func encoded(document string) *string {
	e := strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
	return &e
}
