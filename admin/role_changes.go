package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// The settings of an account stand nowhere but in its roles: in the resources of their
// policies, in their boundaries, in whom they trust. So what a step changes of them is read
// from what is there and from what is to be there.

// setting is one of them.
type setting struct {
	name   string
	values []string
	// all is the value that has all others in it; empty if none does.
	all string
}

// settingsIn are the settings in the policy of a role.
func settingsIn(role, policy string) []setting {
	switch {
	case role == lakemesh.ProducerRole:
		return []setting{
			{"buckets whose policies it keeps", bucketsIn(policy), EveryBucket},
			{"crawler role", resourcesOf(policy, "iam:PassRole"), ""},
			{"keys whose policies it keeps", resourcesOf(policy, "kms:PutKeyPolicy"), ""},
		}
	case role == lakemesh.ConsumerRole:
		return []setting{{"link regions", linkRegionsIn(policy), ""}}
	case strings.HasPrefix(role, lakemesh.DataAccessRole("")):
		return []setting{{"keys that it decrypts with", keysOf(policy), ""}}
	case strings.HasPrefix(role, lakemesh.MeshProducerRole("")), strings.HasPrefix(role, lakemesh.EndingRole("")):
		return []setting{{"calls that change shares", sharingIn(policy), string(Direct)}}
	}
	return nil
}

// sharingIn says how the policy of a role lets it change shares; none if it does not.
func sharingIn(policy string) []string {
	d, err := iampolicy.Parse([]byte(policy))
	if err != nil {
		return nil
	}
	for _, s := range d.Statements {
		if s.Effect != iampolicy.Allow || !slices.Contains(s.Actions, "ram:DisassociateResourceShare") {
			continue
		}
		if len(s.Conditions["Bool"]["aws:ViaAWSService"]) > 0 {
			return []string{string(ThroughServices)}
		}
		return []string{string(Direct)}
	}
	return nil
}

// changed says what becomes of a setting, and reports whether that takes something away.
func (s setting) changed(next []string) (said string, takes bool) {
	have, want := union(s.values), union(next)
	if slices.Equal(have, want) {
		return "", false
	}
	gone, added := without(have, want), without(want, have)
	takes = len(gone) > 0 && (s.all == "" || !slices.Contains(want, s.all))
	if max(len(have), len(want)) <= fewValues {
		return fmt.Sprintf("%s from %s to %s", s.name, s.say(have), s.say(want)), takes
	}
	// Of long lists what comes can be counted; what goes is named.
	said = fmt.Sprintf("%s from %d to %d", s.name, len(have), len(want))
	if len(gone) > 0 {
		said += ", without " + strings.Join(gone, ", ")
	}
	if len(added) > 0 {
		said += ", with " + some(added)
	}
	return said, takes
}

// fewValues is how many values of a setting are written out.
const fewValues = 5

func (s setting) say(values []string) string {
	switch {
	case len(values) == 0:
		return "none"
	case slices.Equal(values, []string{EveryBucket}):
		return "every bucket"
	}
	return strings.Join(values, ", ")
}

// change is what becomes of a role that is there.
type change struct {
	// parts are the parts that are written.
	parts []string
	// said are the settings that change, each with what it was and will be.
	said []string
	// takes tells that somebody or something loses a right by it.
	takes bool
}

// change compares a role with what it is to be.
func (f *foundRole) change(want role) change {
	c := change{parts: f.differences(want)}
	for _, part := range c.parts {
		switch part {
		case "trust":
			if gone := without(principalsOf(f.trust), principalsOf(want.trust.String())); len(gone) > 0 {
				c.said, c.takes = append(c.said, "it trusts no more "+strings.Join(gone, ", ")), true
			}
		case "policy":
			next := settingsIn(want.name, want.policy.String())
			for i, s := range settingsIn(want.name, f.policy) {
				said, takes := s.changed(next[i].values)
				if said != "" {
					c.said = append(c.said, said)
				}
				c.takes = c.takes || takes
			}
		case "tags":
			for _, t := range want.allTags() {
				key, value := aws.ToString(t.Key), aws.ToString(t.Value)
				if have, ok := f.tags[key]; ok && have != value {
					c.said = append(c.said, fmt.Sprintf("tag %s from %s to %s", key, have, value))
				}
			}
		case "permissions boundary":
			// What another boundary lets through is its own affair: a role may lose rights by it.
			was := f.boundary
			if was == "" {
				was = "none"
			}
			c.said, c.takes = append(c.said, fmt.Sprintf("permissions boundary from %s to %s", was, want.options.PermissionsBoundary)), true
		}
	}
	return c
}

// principalsOf are those whom a trust policy lets open the role. One that was deleted is
// shown by its unique id, which nobody has any more.
func principalsOf(trust string) []string {
	d, err := iampolicy.Parse([]byte(trust))
	if err != nil {
		return nil
	}
	var all []string
	for _, s := range d.Statements {
		if s.Effect != iampolicy.Allow || s.Principal == nil {
			continue
		}
		if s.Principal.All {
			all = append(all, "*")
		}
		for _, p := range s.Principal.AWS {
			if p == "*" || strings.Contains(p, ":") || len(p) == 12 {
				all = append(all, p)
			}
		}
		all = slices.Concat(all, s.Principal.Service, s.Principal.Federated, s.Principal.CanonicalUser)
	}
	return union(all)
}

// stillFound refuses to write the policy of a role that somebody else has changed since it
// was looked at: what it was given meanwhile would be lost without having been shown.
func (a *Admin) stillFound(ctx context.Context, want role, found *foundRole) error {
	out, err := a.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &want.name, PolicyName: aws.String(inlinePolicy)})
	if identity.IsNotFound(err) {
		// It was there, or not, when it was looked at: nothing is lost by writing it.
		return nil
	}
	if err != nil {
		return a.explainRole("GetRolePolicy", want, err)
	}
	text, err := decodePolicy(out.PolicyDocument)
	if err != nil {
		return a.explainRole("GetRolePolicy", want, err)
	}
	have, err := iampolicy.Parse([]byte(text))
	if err == nil && (samePolicy(found.policy, *have) || samePolicy(text, want.policy)) || err != nil && text == found.policy {
		return nil
	}
	return &lakemesh.Error{Op: "PutRolePolicy", Account: a.account, Resource: "role " + want.name, Kind: lakemesh.ErrChanged,
		Message: "somebody else has changed its policy since it was looked at", Hint: "look at it, and run the same command again"}
}
