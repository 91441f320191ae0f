package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// tagged opens a role as a caller whose session hands on a tag and a source
// identity.
func tagged(ctx context.Context, cfg aws.Config, role, tag, source string) (aws.Config, error) {
	in := &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("test")}
	if tag != "" {
		in.Tags, in.TransitiveTagKeys = []ststypes.Tag{{Key: aws.String(tag), Value: aws.String("value")}}, []string{tag}
	}
	if source != "" {
		in.SourceIdentity = aws.String(source)
	}
	out, err := sts.NewFromConfig(cfg).AssumeRole(ctx, in)
	if err != nil {
		return cfg, err
	}
	c := out.Credentials
	cfg = cfg.Copy()
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, nil
	})
	return cfg, nil
}

// Sessions from EKS Pod Identity hand tags on along the hops, and organizations set
// source identities: both go through. Any other tag ends before the mesh account.
func TestSessionTagsAndSourceIdentitiesGoAlongTheHops(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t, plainly())
	for account, roles := range map[string][]string{
		producerAccount: {lakemesh.RoleARN(producerAccount, "DataMeshProducer"), lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), lakemesh.RoleARN(meshAccount, "DataMeshAdminReadOnly")},
		consumerAccount: {lakemesh.RoleARN(consumerAccount, "DataMeshConsumer"), lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount)), lakemesh.RoleARN(meshAccount, "DataMeshAdminReadOnly")},
	} {
		for _, test := range []struct {
			tag, source string
			opens       int
			// inherited says that what the first hop said goes along by itself.
			inherited bool
		}{{"kubernetes-namespace", "", 3, true}, {"eks-cluster-arn", "alice", 3, true}, {"", "alice", 3, true}, {"Department", "", 1, true},
			{"kubernetes-namespace", "", 3, false}, {"eks-cluster-arn", "alice", 3, false}, {"Department", "", 1, false}, {"Solution", "alice", 1, false}} {
			cfg := configOf(mesh, account)
			for i, role := range roles {
				if i > 0 && test.inherited {
					test.tag, test.source = "", ""
				}
				var next aws.Config
				err := meshtest.Try(mesh, func() (err error) {
					next, err = tagged(t.Context(), cfg, role, test.tag, test.source)
					return err
				})
				if (err == nil) != (i < test.opens) {
					t.Errorf("tag %q, source %q: %s: %v", test.tag, test.source, role, err)
				}
				if err != nil {
					if !strings.Contains(err.Error(), "sts:TagSession") {
						t.Errorf("tag %q: %v", test.tag, err)
					}
					break
				}
				cfg = next
			}
		}
	}
}

func TestTheStatusOfAnAccountTriesEachHop(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	p := adminOf(t, mesh, producerAccount)
	_, err := p.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{Buckets: []string{"flights", "weather"}})
	must(t, err)
	status, err := p.Status(t.Context())
	must(t, err)
	if len(status.Hops) != 2 || status.Hops[0].Problem != "" || status.Hops[1].Problem == "" || len(status.Warnings) > 0 ||
		!strings.Contains(fmt.Sprint(status.Problems), "admin.EnableAccountAsProducer(AccountID: \"111111111111\")") {
		t.Errorf("not enabled yet: %+v, problems %v, warnings %v", status.Hops, status.Problems, status.Warnings)
	}
	if got := fmt.Sprint(status.Producer.Buckets); got != "[flights weather]" {
		t.Errorf("buckets: %s", got)
	}
	_, err = adminOf(t, mesh, meshAccount).EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
	must(t, err)
	must(t, meshtest.Try(mesh, func() error {
		if status, err = p.Status(t.Context()); err == nil && len(status.Problems) > 0 {
			err = fmt.Errorf("problems: %v", status.Problems)
		}
		return err
	}))
	if len(status.Hops) != 3 || status.Hops[2].RoleARN != lakemesh.RoleARN(meshAccount, "DataMeshAdminReadOnly") {
		t.Errorf("hops: %+v", status.Hops)
	}

	// What is not said stays: bringing the role up to date does not widen it.
	planned, err := p.PlanInitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	must(t, err)
	if !planned.Empty() || len(planned.Warnings) > 0 {
		t.Errorf("nothing was said, and this is planned:\n%s", planned)
	}

	// All buckets are a warning, in the plan and in the status.
	all := admin.InitializeProducerInput{Buckets: []string{admin.EveryBucket}}
	planned, err = p.PlanInitializeProducerAccount(t.Context(), all)
	must(t, err)
	if len(planned.Warnings) != 1 || !strings.Contains(planned.Warnings[0], "every bucket of its account") {
		t.Errorf("plan:\n%s", planned)
	}
	_, err = p.InitializeProducerAccount(t.Context(), all)
	must(t, err)
	status, err = p.Status(t.Context())
	must(t, err)
	if len(status.Warnings) != 1 || fmt.Sprint(status.Producer.Buckets) != "[*]" {
		t.Errorf("buckets %v, warnings %v", status.Producer.Buckets, status.Warnings)
	}
}

func TestTheStatusOfAnAccountComparesItsPolicies(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	makeCrawlerRole(t, mesh)
	in := admin.InitializeProducerInput{CrawlerRoleARN: "arn:aws:iam::111111111111:role/Crawler", Buckets: []string{"flights"}}
	p := adminOf(t, mesh, producerAccount)
	_, err := p.InitializeProducerAccount(t.Context(), in)
	must(t, err)
	outdated := func() bool {
		status, err := p.Status(t.Context())
		must(t, err)
		return strings.Contains(fmt.Sprint(status.Problems), "DataMeshProducer is not as this version makes it")
	}
	if outdated() {
		t.Error("it is as this version made it")
	}
	planned, err := p.PlanInitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	must(t, err)
	if !planned.Empty() {
		t.Errorf("the crawler's role was not named again, and this is planned:\n%s", planned)
	}
	planned, err = p.PlanInitializeProducerAccount(t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: admin.NoRole})
	must(t, err)
	if planned.Empty() {
		t.Error("the crawler's role was taken back, and nothing is planned")
	}
	_, err = iam.NewFromConfig(configOf(mesh, producerAccount)).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("DataMeshProducer"),
		PolicyName: aws.String("lakemesh"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)})
	must(t, err)
	if !outdated() {
		t.Error("another policy goes unnoticed")
	}
}

func makeCrawlerRole(t *testing.T, mesh *localmesh.Mesh) {
	t.Helper()
	_, err := iam.NewFromConfig(configOf(mesh, producerAccount)).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Crawler"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
}

// Roles and policies that were made a moment ago are waited for where they are made,
// so that personas need not.
func TestSettingUpWaitsUntilThePersonasWork(t *testing.T) {
	t.Parallel()
	for _, fault := range []localmesh.Fault{
		{Service: "sts", Operation: "AssumeRole", Code: "AccessDenied", Message: "not authorized", Status: 403},
		{Service: "glue", Operation: "GetDatabases", Code: "AccessDeniedException", Message: "not authorized", Status: 400},
	} {
		synctest.Test(t, func(t *testing.T) {
			mesh, _ := initialized(t)
			planned := mesh.Fail(localmesh.Fault{Service: fault.Service, Operation: fault.Operation, Code: fault.Code, Message: fault.Message, Status: fault.Status, Times: 12})
			bootstrap(t, mesh, otherAccount, admin.Both)
			if planned.Hits() != 12 {
				t.Errorf("%s was tried %d times", fault.Operation, planned.Hits())
			}
			as(t, mesh, otherAccount, lakemesh.RoleARN(otherAccount, "DataMeshProducer"), lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(otherAccount)))
		})
	}
}

func TestTheRootUserIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	cfg := mesh.Config("arn:aws:iam::" + meshAccount + ":root")
	_, err := admin.New(t.Context(), lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "root user") {
		t.Errorf("got %v", err)
	}
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("wrote %v", w)
	}
}

func TestAnotherPartitionIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for _, partition := range []string{"aws-cn", "aws-us-gov"} {
		mesh := localmesh.Run(t)
		o := optionsWith(t, mesh, meshAccount, &rewriting{operation: "GetCallerIdentity", old: "arn:aws:", new: "arn:" + partition + ":"})
		_, err := admin.New(t.Context(), o)
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), partition) {
			t.Errorf("got %v", err)
		}
		if _, err = identity.OpenConsumer(t.Context(), o); !errors.Is(err, lakemesh.ErrInvalidInput) && !errors.Is(err, lakemesh.ErrWrongAccount) {
			t.Errorf("got %v", err)
		}
	}
}

// For a while IAM can show the unique id of a new role in the place of its ARN.
func TestARoleThatShowsItsUniqueIDIsTheRole(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	o := optionsWith(t, mesh, consumerAccount, &rewriting{operation: "GetRole", old: "arn:aws:iam::999999999999:role/AwsDataMesh/DataMeshConsumer", new: "AROAEXAMPLEEXAMPLE"})
	a, err := admin.New(t.Context(), o)
	must(t, err)
	p, err := a.PlanInitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
	if err != nil || !p.Empty() {
		t.Errorf("%v, %v", p, err)
	}
}
