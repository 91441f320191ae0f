package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// IAM's quotas of characters, without white space
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const (
	mostOfManaged = 6144
	mostOfInline  = 10240
	mostOfTrust   = 2048
)

// longest are the longest names that AWS takes, in a region.
type longest struct {
	region  string
	account string
}

func (l longest) partition() lakemesh.Partition { return lakemesh.PartitionOf(l.region) }

// crawlerRole has a path of 512 characters and a name of 64.
func (l longest) crawlerRole() string {
	return l.partition().ARN("iam", "", l.account, "role/"+strings.Repeat("p", 510)+"/"+strings.Repeat("n", 64))
}

// buckets have names of 63 characters.
func (l longest) buckets(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%08d", strings.Repeat("b", 54), i))
	}
	return all
}

// keys have the ids of keys of several regions, which are the longest.
func (l longest) keys(n int) []string {
	var all []string
	for i := range n {
		all = append(all, l.partition().ARN("kms", l.region, l.account, fmt.Sprintf("key/mrk-%032x", i)))
	}
	return all
}

func regionsOf(p lakemesh.Partition) (all []string) {
	for _, r := range []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "af-south-1", "ap-east-1", "ap-east-2", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
		"ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-west-1",
		"eu-west-2", "eu-west-3", "eu-south-1", "eu-south-2", "eu-north-1", "il-central-1", "me-south-1", "me-central-1", "mx-central-1", "sa-east-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1"} {
		if lakemesh.PartitionOf(r) == p {
			all = append(all, r)
		}
	}
	return all
}

// In each partition every document of set-up is one that IAM takes, whatever the names are.
func TestPoliciesFitWithTheLongestNames(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"us-east-1", "ap-southeast-7", "cn-northwest-1", "us-gov-west-1"} {
		l := longest{region, "111111111111"}
		for _, part := range admin.FrameParts() {
			for _, sharing := range []admin.SharingCalls{admin.ThroughServices, admin.Direct} {
				for _, ends := range []admin.EndSchedules{admin.EndsScheduled, admin.EndsByOwners} {
					in := admin.FrameInput{MeshAccountID: "555555555555", Region: region, SharingCalls: sharing, EndSchedules: ends}
					if part != admin.FrameMesh {
						in.AccountID, in.Type, in.CrawlerRoleARN = l.account, admin.Both, l.crawlerRole()
						in.Buckets, in.KeyPolicies, in.KMSKeys, in.LinkRegions = l.buckets(20), l.keys(20), l.keys(20), regionsOf(l.partition())
					}
					frame, err := admin.FrameOf(part, in)
					if err != nil {
						t.Errorf("%s, %s: %v", region, part, err)
						continue
					}
					for _, r := range frame.Roles {
						if n := iampolicy.Size(string(r.Policy)); n > mostOfInline {
							t.Errorf("%s, %s, %s, %s: the policy of %s has %d characters", region, part, sharing, ends, r.RoleName, n)
						}
						if n := iampolicy.Size(string(r.Trust)); n > mostOfTrust {
							t.Errorf("%s, %s: the trust policy of %s has %d characters", region, part, r.RoleName, n)
						}
						if len(r.RoleName) > 64 || len(r.Description) > 1000 {
							t.Errorf("%s: the name of %s has %d characters, its description %d", part, r.RoleName, len(r.RoleName), len(r.Description))
						}
					}
				}
			}
		}
		policies, err := admin.IdentityPolicies(l.partition(), "555555555555")
		if err != nil {
			t.Fatal(err)
		}
		for who, policy := range policies {
			if n := iampolicy.Size(string(policy)); n > mostOfManaged {
				t.Errorf("%s: the policy of %s has %d characters", region, who, n)
			}
		}
	}
	if n := iampolicy.Size(string(admin.Boundary())); n > mostOfManaged {
		t.Errorf("the boundary has %d characters", n)
	}
}

// More names than fit are refused before anything is made, and what has to be fewer is named.
func TestMoreNamesThanFitAreRefused(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"us-east-1", "us-gov-west-1"} {
		l := longest{region, "111111111111"}
		for name, c := range map[string]struct {
			part admin.FramePart
			with func(in *admin.FrameInput, n int)
			want string
		}{
			"buckets":        {admin.FrameMember, func(in *admin.FrameInput, n int) { in.Buckets = l.buckets(n) }, "name fewer buckets"},
			"keys' policies": {admin.FrameMember, func(in *admin.FrameInput, n int) { in.KeyPolicies = l.keys(n) }, "name fewer keys"},
			"keys":           {admin.FrameMeshMember, func(in *admin.FrameInput, n int) { in.KMSKeys = l.keys(n) }, "name fewer keys"},
		} {
			fits := 0
			for n := 1; ; n++ {
				in := admin.FrameInput{MeshAccountID: "555555555555", AccountID: l.account, Type: admin.Producer, Region: region, CrawlerRoleARN: l.crawlerRole()}
				c.with(&in, n)
				frame, err := admin.FrameOf(c.part, in)
				if err != nil {
					if !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), c.want) {
						t.Errorf("%s, %d %s: %v", region, n, name, err)
					}
					break
				}
				fits = n
				for _, r := range frame.Roles {
					if size := iampolicy.Size(string(r.Policy)); size > mostOfInline {
						t.Fatalf("%s, %d %s: the policy of %s has %d characters", region, n, name, r.RoleName, size)
					}
				}
			}
			if fits < 20 {
				t.Errorf("%s: %d %s fit", region, fits, name)
			}
			t.Logf("%s: %d %s fit", region, fits, name)
		}
	}
}
