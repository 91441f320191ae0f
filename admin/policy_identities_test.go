package admin_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// policyOf is the policy of an identity.
func policyOf(t testing.TB, who lakemesh.Identity) iampolicy.Document {
	t.Helper()
	all, err := admin.IdentityPolicies(lakemesh.PartitionAWS, meshAccount)
	must(t, err)
	d, err := iampolicy.Parse(all[who])
	must(t, err)
	return *d
}

// optionsOnly are those of an administrator who may do what a policy says, and nothing else.
func optionsOnly(t testing.TB, mesh *localmesh.Mesh, account string, policy iampolicy.Document) lakemesh.Options {
	t.Helper()
	client := iam.NewFromConfig(configOf(mesh, account))
	name := aws.String("Limited")
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"sts:AssumeRole"}]}`, account))})
	must(t, err)
	_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("limits"), PolicyDocument: aws.String(policy.String())})
	must(t, err)
	o := optionsOf(mesh, account)
	cfg := mesh.Config("arn:aws:iam::" + account + ":role/Limited")
	o.Config = &cfg
	return o
}

// deed is what somebody does over time; whatever fails is told.
type deed func(ctx context.Context, t testing.TB, mesh *localmesh.Mesh, who lakemesh.Options) error

// administers is what the mesh's administrator does: sets up, mends what others spoiled, looks
// at everything, and lets an account go.
func administers(ctx context.Context, t testing.TB, mesh *localmesh.Mesh, options lakemesh.Options) error {
	who, err := admin.New(ctx, options)
	must(t, err)
	root := configOf(mesh, meshAccount)
	makeBoundary(t, mesh, meshAccount)
	roles := admin.RoleOptions{Tags: map[string]string{"team": "lake"}}
	_, err = adminOf(t, mesh, producerAccount).InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	must(t, err)
	_, err = adminOf(t, mesh, consumerAccount).InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
	must(t, err)
	in := admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled, Roles: roles}
	if _, err := who.InitializeMeshAccount(ctx, in); err != nil {
		return fmt.Errorf("mesh init: %w", err)
	}
	if _, err := who.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: producerAccount, Roles: roles}); err != nil {
		return fmt.Errorf("enable a producer: %w", err)
	}
	if _, err := who.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: consumerAccount, Roles: roles}); err != nil {
		return fmt.Errorf("enable a consumer: %w", err)
	}
	spoil(t, root)
	in.Roles.PermissionsBoundary = "Boundary"
	if _, err := who.InitializeMeshAccount(ctx, in); err != nil {
		return fmt.Errorf("mesh init again: %w", err)
	}
	if _, err := who.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: producerAccount, Roles: in.Roles}); err != nil {
		return fmt.Errorf("enable again: %w", err)
	}
	if _, err := who.UpgradeMesh(ctx, admin.UpgradeMeshInput{Roles: in.Roles}); err != nil {
		return fmt.Errorf("mesh upgrade: %w", err)
	}
	status, err := who.Status(ctx)
	if err != nil {
		return fmt.Errorf("mesh status: %w", err)
	}
	if len(status.Problems) > 0 {
		return fmt.Errorf("mesh status: %v", status.Problems)
	}
	if _, err := who.Verify(ctx, admin.VerifyInput{}); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if _, err := who.AccessList(ctx, admin.AccessListInput{}); err != nil {
		return fmt.Errorf("access list: %w", err)
	}
	if _, err := who.ExpireSubscriptions(ctx); err != nil {
		return fmt.Errorf("expire: %w", err)
	}
	if _, err := who.DisableAccount(ctx, admin.DisableInput{AccountID: producerAccount, Type: admin.Producer}); err != nil {
		return fmt.Errorf("disable: %w", err)
	}
	return nil
}

// spoil undoes what "mesh init" and "account enable" then do once more.
func spoil(t testing.TB, root aws.Config) {
	t.Helper()
	ctx := t.Context()
	roles, tables, queues := iam.NewFromConfig(root), dynamodb.NewFromConfig(root), sqs.NewFromConfig(root)
	name := aws.String(lakemesh.MeshProducerRole(producerAccount))
	_, err := roles.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + meshAccount + `"},"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
	_, err = roles.UntagRole(ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"team"}})
	must(t, err)
	_, err = roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	must(t, err)
	table := aws.String(lakemesh.DecisionsTable)
	described, err := tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})
	must(t, err)
	_, err = tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: table, DeletionProtectionEnabled: aws.Bool(false)})
	must(t, err)
	_, err = tables.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: table, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)}})
	must(t, err)
	_, err = tables.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: described.Table.TableArn, TagKeys: []string{lakemesh.SolutionTag}})
	must(t, err)
	queue, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(lakemesh.EndingQueue(producerAccount))})
	must(t, err)
	_, err = queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue.QueueUrl, Attributes: map[string]string{"VisibilityTimeout": "30"}})
	must(t, err)
	// A policy of the catalog that keeps RAM from sharing.
	_, err = glue.NewFromConfig(root).PutResourcePolicy(ctx, &glue.PutResourcePolicyInput{EnableHybrid: "TRUE", PolicyInJson: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + meshAccount + `:root"},"Action":"glue:GetTable","Resource":"arn:aws:glue:us-east-1:` + meshAccount + `:*"}]}`)})
	must(t, err)
	_, err = lakeformation.NewFromConfig(root).RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::left-behind"),
		RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))})
	must(t, err)
}

// initializes is what an administrator of an account does.
func initializes(kind admin.AccountType) deed {
	return func(ctx context.Context, t testing.TB, mesh *localmesh.Mesh, options lakemesh.Options) error {
		who, err := admin.New(ctx, options)
		must(t, err)
		account := who.Account()
		makeBoundary(t, mesh, account)
		roles := admin.RoleOptions{Tags: map[string]string{"team": "lake"}}
		initialize := func() error {
			if kind == admin.Producer {
				_, err := who.InitializeProducerAccount(ctx, admin.InitializeProducerInput{Roles: roles})
				return err
			}
			_, err := who.InitializeConsumerAccount(ctx, admin.InitializeConsumerInput{Roles: roles})
			return err
		}
		if err := initialize(); err != nil {
			return fmt.Errorf("account init: %w", err)
		}
		name := aws.String(map[admin.AccountType]string{admin.Producer: lakemesh.ProducerRole, admin.Consumer: lakemesh.ConsumerRole}[kind])
		_, err = iam.NewFromConfig(configOf(mesh, account)).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`)})
		must(t, err)
		roles.PermissionsBoundary = "Boundary"
		if err := initialize(); err != nil {
			return fmt.Errorf("account init again: %w", err)
		}
		status, err := who.Status(ctx)
		if err != nil {
			return fmt.Errorf("account status: %w", err)
		}
		// Nobody has enabled it yet; its own role opens.
		if len(status.Hops) == 0 || status.Hops[0].Problem != "" {
			return fmt.Errorf("its role does not open: %v", status.Hops)
		}
		return nil
	}
}

func audits(ctx context.Context, t testing.TB, mesh *localmesh.Mesh, options lakemesh.Options) error {
	meshtest.Before(mesh, func() {
		_, err := adminOf(t, mesh, meshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
		must(t, err)
	})
	who, err := admin.New(ctx, options)
	must(t, err)
	status, err := who.Status(ctx)
	if err != nil {
		return err
	}
	// What it may not see is no problem of the mesh.
	if len(status.Problems) > 0 || !strings.Contains(strings.Join(status.Warnings, " "), "were not looked at") {
		t.Errorf("the auditor is told of problems %q, warnings %q", status.Problems, status.Warnings)
	}
	for _, name := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
		if _, err := dynamodb.NewFromConfig(*options.Config).Scan(ctx, &dynamodb.ScanInput{TableName: &name}); err != nil {
			return err
		}
	}
	_, err = dynamodb.NewFromConfig(*options.Config).UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: map[string]types.AttributeValue{"Key": text("members")},
		UpdateExpression: aws.String("SET #a = :v"), ExpressionAttributeNames: map[string]string{"#a": "SharingCalls"}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": text("direct")}})
	wantDenied(t, "change the mesh", err)
	_, err = sts.NewFromConfig(*options.Config).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)), RoleSessionName: aws.String("auditor")})
	wantDenied(t, "become the manager", err)
	return nil
}

// calls are the actions that were asked for with one access key. What others do whom it
// opens is theirs.
type calls struct {
	key  string
	lock sync.Mutex
	made map[string]bool
}

// count has all calls of a configuration's clients counted that are made with its own key.
func count(t testing.TB, cfg *aws.Config) *calls {
	t.Helper()
	credentials, err := cfg.Credentials.Retrieve(t.Context())
	must(t, err)
	c := &calls{key: credentials.AccessKeyID, made: map[string]bool{}}
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("count", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := in.Request.(*smithyhttp.Request); ok && strings.Contains(r.Header.Get("Authorization"), "Credential="+c.key+"/") {
				c.lock.Lock()
				c.made[strings.ToLower(awsmiddleware.GetServiceID(ctx))+":"+awsmiddleware.GetOperationName(ctx)] = true
				c.lock.Unlock()
			}
			return next.HandleFinalize(ctx, in)
		}), "Signing", middleware.After)
	})
	return c
}

// implied are actions for which there is no call of their own where things are made with tags,
// those of sessions that carry something along, and quotas.
func implied() []string {
	return []string{"dynamodb:TagResource", "iam:TagRole", "sts:TagSession", "sts:SetSourceIdentity"}
}

func TestTheIdentitiesPoliciesAreEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	for who, what := range map[lakemesh.Identity]struct {
		account string
		do      deed
	}{
		lakemesh.MeshIdentity:          {meshAccount, administers},
		lakemesh.ProducerAdminIdentity: {producerAccount, initializes(admin.Producer)},
		lakemesh.ConsumerAdminIdentity: {consumerAccount, initializes(admin.Consumer)},
		admin.AuditorIdentity:          {meshAccount, audits},
	} {
		t.Run(string(who), func(t *testing.T) {
			t.Parallel()
			mesh := localmesh.Run(t, plainly(), localmesh.WithEventualConsistency(0))
			policy := policyOf(t, who)
			options := optionsOnly(t, mesh, what.account, policy)
			made := count(t, options.Config)
			if err := what.do(t.Context(), t, mesh, options); err != nil {
				t.Fatal(err)
			}
			for _, s := range policy.Statements {
				for _, action := range s.Actions {
					if !made.made[action] && !slices.Contains(implied(), action) {
						t.Errorf("%s allows %s, which nobody needs", s.SID, action)
					}
				}
			}
		})
	}
}
