package iac

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// What stands for parameters while policies are made. Each form of template has its own
// words for them.
const (
	meshAccount   = "000000000011"
	memberAccount = "000000000022"
	region        = "region-of-the-mesh"
	bucket        = "bucket-of-the-list"
	bucketARN     = "arn:aws:s3:::" + bucket
	crawlerRole   = "arn:aws:iam::" + memberAccount + ":role/crawler-role"
	keyPolicy     = "arn:aws:kms:region-of-keys:" + memberAccount + ":key/key-policies"
	kmsKey        = "arn:aws:kms:region-of-keys:" + memberAccount + ":key/kms-keys"
	kmsService    = "s3.region-of-keys.amazonaws.com"
	linkRegion    = "link-region-0"
)

// Choice is a parameter on which it depends what a policy says.
type Choice string

// The choices.
const (
	WithCrawlerRole Choice = "crawler role"
	WithBuckets     Choice = "buckets"
	WithKeyPolicies Choice = "key policies"
	WithLinkRegions Choice = "link regions"
	WithKMSKeys     Choice = "kms keys"
	ThroughServices Choice = "sharing through services"
	WithSchedules   Choice = "schedules"
)

// everything is a frame with all choices on.
func everything() admin.FrameInput {
	return admin.FrameInput{MeshAccountID: meshAccount, AccountID: memberAccount, Type: admin.Both, CrawlerRoleARN: crawlerRole, Buckets: []string{bucket},
		KeyPolicies: []string{keyPolicy}, LinkRegions: []string{linkRegion}, KMSKeys: []string{kmsKey}, SharingCalls: admin.ThroughServices,
		EndSchedules: admin.EndsScheduled, Region: region}
}

// without is everything but one choice.
func without(c Choice) admin.FrameInput {
	in := everything()
	switch c {
	case WithCrawlerRole:
		in.CrawlerRoleARN = ""
	case WithBuckets:
		in.Buckets = nil
	case WithKeyPolicies:
		in.KeyPolicies = nil
	case WithLinkRegions:
		in.LinkRegions = nil
	case WithKMSKeys:
		in.KMSKeys = nil
	case ThroughServices:
		in.SharingCalls = admin.Direct
	case WithSchedules:
		in.EndSchedules = admin.EndsByOwners
	}
	return in
}

func choices() []Choice {
	return []Choice{WithCrawlerRole, WithBuckets, WithKeyPolicies, WithLinkRegions, WithKMSKeys, ThroughServices, WithSchedules}
}

// Names of policies in templates: those of the roles without the account in them.
const (
	trustOf  = "trust"
	policyOf = "policy"
)

// roleName is the name of a role or a queue without the member's id.
func roleName(name string) string { return strings.TrimSuffix(name, "-"+memberAccount) }

// documents are the policies of a part by "trust of" or "policy of" what.
func documents(part admin.FramePart, in admin.FrameInput) (map[string]iampolicy.Document, error) {
	frame, err := admin.FrameOf(part, in)
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, r := range frame.Roles {
		texts[trustOf+" of "+roleName(r.RoleName)], texts[policyOf+" of "+roleName(r.RoleName)] = r.Trust, r.Policy
	}
	for _, q := range frame.Queues {
		texts[policyOf+" of "+roleName(q.QueueName)] = []byte(q.Attributes["Policy"])
	}
	all := map[string]iampolicy.Document{}
	for name, text := range texts {
		d, err := iampolicy.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = *d
	}
	return all, nil
}

// statement is a statement of a policy that depends on choices.
type statement struct {
	iampolicy.Statement
	// when is the choice without which there is no such statement; empty for none.
	when Choice
	// resourcesWhen is the choice without which the resources are otherwise.
	resourcesWhen Choice
	otherwise     []string
	// operators are those of the conditions that a choice brings.
	operators map[string]Choice
}

// policies are the policies of a part, with what depends on choices found by leaving out
// one choice after the other.
func policies(part admin.FramePart) (map[string][]statement, error) {
	full, err := documents(part, everything())
	if err != nil {
		return nil, err
	}
	all := map[string][]statement{}
	for name, d := range full {
		for _, s := range d.Statements {
			all[name] = append(all[name], statement{Statement: s, operators: map[string]Choice{}})
		}
	}
	for _, c := range choices() {
		lesser, err := documents(part, without(c))
		if err != nil {
			return nil, err
		}
		for name, d := range lesser {
			if err := depend(all[name], d.Statements, c); err != nil {
				return nil, fmt.Errorf("%s without %s: %w", name, c, err)
			}
		}
	}
	return all, nil
}

// depend marks what of the statements is not there, or otherwise, without a choice.
func depend(all []statement, lesser []iampolicy.Statement, c Choice) error {
	next := 0
	for i := range all {
		s := &all[i]
		if next == len(lesser) || lesser[next].SID != s.SID {
			if s.when != "" || i == 0 {
				return fmt.Errorf("statement %s depends on another choice, too, or is the first", s.SID)
			}
			s.when = c
			continue
		}
		less := lesser[next]
		next++
		if !slices.Equal(less.Resources, s.Resources) {
			s.resourcesWhen, s.otherwise = c, less.Resources
		}
		for _, operator := range slices.Sorted(maps.Keys(s.Conditions)) {
			switch have, ok := less.Conditions[operator]; {
			case !ok:
				s.operators[operator] = c
			case !reflect.DeepEqual(have, s.Conditions[operator]):
				return fmt.Errorf("%s of statement %s is otherwise", operator, s.SID)
			}
		}
		if !slices.Equal(less.Actions, s.Actions) || !reflect.DeepEqual(less.Principal, s.Principal) || len(less.Conditions)+len(s.operators) < len(s.Conditions) {
			return fmt.Errorf("statement %s is otherwise", s.SID)
		}
	}
	if next != len(lesser) {
		return fmt.Errorf("statement %s is there only then", lesser[next].SID)
	}
	return nil
}
