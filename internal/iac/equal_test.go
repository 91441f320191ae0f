package iac_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

const (
	meshAccount     = "555555555555"
	producerAccount = "111111111111"
	consumerAccount = "999999999999"
	region          = "eu-west-1"
)

// variant is a choice of parameters, as a template and as the library has it.
type variant struct {
	name       string
	parameters map[string]string
	choose     func(*admin.FrameInput)
}

func variants(part admin.FramePart) []variant {
	key, other := "arn:aws:kms:eu-west-1:111111111111:key/1", "arn:aws:kms:us-east-1:111111111111:key/2"
	switch part {
	case admin.FrameMesh:
		return []variant{{"schedules", map[string]string{"EndSchedules": "on"}, func(in *admin.FrameInput) { in.EndSchedules = admin.EndsScheduled }}}
	case admin.FrameMember:
		return []variant{
			{"producer", map[string]string{"AccountType": "producer"}, func(in *admin.FrameInput) { in.Type = admin.Producer }},
			{"consumer", map[string]string{"AccountType": "consumer"}, func(in *admin.FrameInput) { in.Type = admin.Consumer }},
			{"bucket", map[string]string{"BucketArns": "arn:aws:s3:::one"}, func(in *admin.FrameInput) { in.Buckets = []string{"one"} }},
			{"buckets", map[string]string{"BucketArns": "arn:aws:s3:::one,arn:aws:s3:::two"}, func(in *admin.FrameInput) { in.Buckets = []string{"one", "two"} }},
			{"crawler", map[string]string{"CrawlerRoleArn": "arn:aws:iam::111111111111:role/Crawler"}, func(in *admin.FrameInput) { in.CrawlerRoleARN = "arn:aws:iam::111111111111:role/Crawler" }},
			{"key policies", map[string]string{"KeyPolicies": key + "," + other}, func(in *admin.FrameInput) { in.KeyPolicies = []string{key, other} }},
			{"link regions", map[string]string{"LinkRegions": "eu-central-1,us-west-2"}, func(in *admin.FrameInput) { in.LinkRegions = []string{"eu-central-1", "us-west-2"} }},
		}
	}
	return []variant{
		{"producer", map[string]string{"AccountType": "producer"}, func(in *admin.FrameInput) { in.Type = admin.Producer }},
		{"consumer", map[string]string{"AccountType": "consumer"}, func(in *admin.FrameInput) { in.Type = admin.Consumer }},
		{"key", map[string]string{"KmsKeys": key}, func(in *admin.FrameInput) { in.KMSKeys = []string{key} }},
		{"keys", map[string]string{"KmsKeys": key + "," + other, "KmsServices": "s3.eu-west-1.amazonaws.com,s3.us-east-1.amazonaws.com"}, func(in *admin.FrameInput) { in.KMSKeys = []string{key, other} }},
		{"direct", map[string]string{"SharingCalls": "direct"}, func(in *admin.FrameInput) { in.SharingCalls = admin.Direct }},
		{"schedules", map[string]string{"EndSchedules": "on"}, func(in *admin.FrameInput) { in.EndSchedules = admin.EndsScheduled }},
	}
}

// combinations are all subsets of the variants: a consumer's has what consumers have alone.
func combinations(part admin.FramePart) []variant {
	all := []variant{{"nothing", map[string]string{}, func(*admin.FrameInput) {}}}
	for _, v := range variants(part) {
		for _, before := range all {
			clash := false
			for name := range v.parameters {
				_, has := before.parameters[name]
				clash = clash || has
			}
			if clash {
				continue
			}
			both := maps.Clone(before.parameters)
			maps.Copy(both, v.parameters)
			all = append(all, variant{before.name + ", " + v.name, both, func(in *admin.FrameInput) { before.choose(in); v.choose(in) }})
		}
	}
	return all
}

func canonical(t testing.TB, text string) string {
	t.Helper()
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return d.String()
}

// Whatever the parameters are: a template makes the roles that set-up makes.
func TestTheTemplatesSayWhatSetUpSays(t *testing.T) {
	t.Parallel()
	for _, part := range admin.FrameParts() {
		for _, v := range combinations(part) {
			t.Run(fmt.Sprintf("%s/%s", part, v.name), func(t *testing.T) {
				t.Parallel()
				in := admin.FrameInput{MeshAccountID: meshAccount, AccountID: producerAccount, Type: admin.Both, Region: region}
				v.choose(&in)
				frame, err := admin.FrameOf(part, in)
				if err != nil {
					// What set-up refuses is of no account: a consumer with buckets.
					return
				}
				parameters, account := maps.Clone(v.parameters), meshAccount
				switch part {
				case admin.FrameMember:
					parameters["MeshAccountId"], account = meshAccount, producerAccount
				case admin.FrameMeshMember:
					parameters["AccountId"] = producerAccount
				}
				got := map[string]string{}
				newStack(t, part, account, region, parameters).resources(func(r resource) {
					switch r.kind {
					case "AWS::IAM::Role":
						policies := r.take("Policies").([]any)
						policy := policies[0].(map[string]any)
						name := r.text("RoleName")
						got[name] = strings.Join([]string{account, r.text("Path"), r.text("Description"), canonical(t, asJSON(t, r.take("AssumeRolePolicyDocument"))), policy["PolicyName"].(string), canonical(t, asJSON(t, policy["PolicyDocument"]))}, "\n")
						if len(policies) != 1 {
							t.Errorf("%s has %d policies", name, len(policies))
						}
					case "AWS::SQS::QueuePolicy":
						got["policy of queue"] = canonical(t, asJSON(t, r.take("PolicyDocument")))
					case "AWS::Scheduler::ScheduleGroup":
						got["group"] = r.text("Name")
					}
				})
				want := map[string]string{}
				for _, r := range frame.Roles {
					want[r.RoleName] = strings.Join([]string{r.Account, r.Path, r.Description, string(r.Trust), r.PolicyName, string(r.Policy)}, "\n")
				}
				for _, q := range frame.Queues {
					want["policy of queue"] = q.Attributes["Policy"]
				}
				if frame.ScheduleGroup != "" {
					want["group"] = frame.ScheduleGroup
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}
