package admin_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// verified is a mesh with a product that one account has a subscription to.
type verified struct {
	*meshtest.Mesh
	t            *testing.T
	admin        *admin.Admin
	producer     *producer.Producer
	subscription string
}

const (
	verifiedDatabase = "sales-" + meshtest.ProducerAccount
	stranger         = "888888888888"
)

func newVerified(t *testing.T) *verified {
	t.Helper()
	w := &verified{Mesh: meshtest.Accounts(t), t: t}
	w.Bucket(meshtest.ProducerAccount, "sales-data")
	w.Database(meshtest.ProducerAccount, "sales")
	for _, name := range []string{"orders", "customers"} {
		w.Table(meshtest.ProducerAccount, "sales", meshtest.CSV(name, "s3://sales-data/"+name+"/"))
	}
	var err error
	w.admin, err = admin.New(t.Context(), w.Options(meshtest.MeshAccount))
	w.must(err)
	w.producer, err = producer.New(t.Context(), w.Options(meshtest.ProducerAccount))
	w.must(err)
	_, err = w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "sales", Domain: "sales"})
	w.must(err)
	c, err := consumer.New(t.Context(), w.Options(meshtest.ConsumerAccount))
	w.must(err)
	out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount, DatabaseName: verifiedDatabase, Tables: []string{"orders"}, RequestPermissions: []string{"SELECT"}})
	w.must(err)
	w.subscription = out.SubscriptionID
	w.must(w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: w.subscription}))
	_, err = c.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: w.subscription})
	w.must(err)
	return w
}

func (w *verified) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *verified) config() aws.Config {
	return w.Config(meshtest.Administrator(meshtest.MeshAccount))
}

// finds is the difference to what is to be found, each as "kind, link, principal"; once
// everything is known.
func (w *verified) finds(in admin.VerifyInput, want ...string) (v *admin.Verification, diff string) {
	w.t.Helper()
	want = append([]string{}, want...)
	slices.Sort(want)
	meshtest.Soon(w.Mesh.Mesh, func() bool {
		var err error
		v, err = w.admin.Verify(w.t.Context(), in)
		w.must(err)
		said := []string{}
		for _, f := range v.Findings {
			said = append(said, fmt.Sprintf("%s, %s, %s", f.Kind, f.Link, f.Principal))
		}
		slices.Sort(said)
		diff = cmp.Diff(want, slices.Compact(said))
		return diff == ""
	})
	return v, diff
}

// lake is the mesh account's administrator, made a data lake administrator; done takes
// that back.
func (w *verified) lake() (_ *lakeformation.Client, done func()) {
	w.t.Helper()
	client := lakeformation.NewFromConfig(w.config())
	change := func(change func(all []lftypes.DataLakePrincipal) []lftypes.DataLakePrincipal) {
		w.t.Helper()
		out, err := client.GetDataLakeSettings(w.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
		w.must(err)
		out.DataLakeSettings.DataLakeAdmins = change(out.DataLakeSettings.DataLakeAdmins)
		_, err = client.PutDataLakeSettings(w.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
		w.must(err)
	}
	me := meshtest.Administrator(meshtest.MeshAccount)
	change(func(all []lftypes.DataLakePrincipal) []lftypes.DataLakePrincipal {
		return append(all, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &me})
	})
	return client, func() {
		w.t.Helper()
		change(func(all []lftypes.DataLakePrincipal) []lftypes.DataLakePrincipal {
			return slices.DeleteFunc(all, func(p lftypes.DataLakePrincipal) bool { return aws.ToString(p.DataLakePrincipalIdentifier) == me })
		})
	}
}

func (w *verified) grant(principal string, on *lftypes.Resource, permission lftypes.Permission) {
	w.t.Helper()
	lake, done := w.lake()
	defer done()
	// New roles and locations may be known late.
	w.must(meshtest.Try(w.Mesh.Mesh, func() error {
		_, err := lake.GrantPermissions(w.t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal},
			Resource: on, Permissions: []lftypes.Permission{permission}})
		return err
	}))
}

func (w *verified) settings(change func(*lftypes.DataLakeSettings)) {
	w.t.Helper()
	client := lakeformation.NewFromConfig(w.config())
	out, err := client.GetDataLakeSettings(w.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	change(out.DataLakeSettings)
	_, err = client.PutDataLakeSettings(w.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	w.must(err)
}

func verifiedTable(name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(verifiedDatabase), Name: &name}}
}

func TestTheAdministratorFindsEveryFaultAndNothingElse(t *testing.T) {
	t.Parallel()
	const setup, undecidedGrant = "missing, setup, ", "undecided, grant, "
	meshRole := lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshProducerRole(meshtest.ProducerAccount))
	members := func(w *verified, expression string) {
		_, err := dynamodb.NewFromConfig(w.config()).UpdateItem(w.t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable),
			Key:              map[string]dynamotypes.AttributeValue{"Key": &dynamotypes.AttributeValueMemberS{Value: "members"}},
			UpdateExpression: aws.String(expression), ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":a": &dynamotypes.AttributeValueMemberSS{Value: []string{meshtest.ConsumerAccount}}}})
		w.must(err)
	}
	for name, test := range map[string]struct {
		plant func(w *verified)
		want  []string
		// mended tells that a repair by the administrator mends it.
		mended bool
	}{
		"new tables are open to everybody": {mended: true, plant: func(w *verified) {
			w.settings(func(s *lftypes.DataLakeSettings) {
				s.CreateTableDefaultPermissions = []lftypes.PrincipalPermissions{{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}, Permissions: []lftypes.Permission{lftypes.PermissionAll}}}
			})
		}, want: []string{setup}},
		"shares are of an older version": {mended: true, plant: func(w *verified) {
			meshtest.Without(w.t, w.Mesh.Mesh, "the fifth version cannot be lowered", func(r localmesh.Readings) bool { return r.FifthVersionOfSharing })
			w.settings(func(s *lftypes.DataLakeSettings) { s.Parameters["CROSS_ACCOUNT_VERSION"] = "1" })
		}, want: []string{setup}},
		"a table cannot be restored": {mended: true, plant: func(w *verified) {
			_, err := dynamodb.NewFromConfig(w.config()).UpdateContinuousBackups(w.t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: aws.String(lakemesh.DecisionsTable),
				PointInTimeRecoverySpecification: &dynamotypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)}})
			w.must(err)
		}, want: []string{setup}},
		"a table can be deleted by mistake": {mended: true, plant: func(w *verified) {
			_, err := dynamodb.NewFromConfig(w.config()).UpdateTable(w.t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(lakemesh.DecisionsTable), DeletionProtectionEnabled: aws.Bool(false)})
			w.must(err)
		}, want: []string{setup}},
		"a member's role may do something else": {mended: true, plant: func(w *verified) {
			client := iam.NewFromConfig(w.config())
			out, err := client.ListRolePolicies(w.t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(lakemesh.MeshConsumerRole(meshtest.ConsumerAccount))})
			w.must(err)
			_, err = client.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(lakemesh.MeshConsumerRole(meshtest.ConsumerAccount)), PolicyName: &out.PolicyNames[0],
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}`)})
			w.must(err)
		}, want: []string{setup}},
		"a member is not recorded": {mended: true, plant: func(w *verified) { members(w, "DELETE Consumers :a") },
			want: []string{setup, "undecided, record, " + meshtest.ConsumerAccount}},
		"an LF-tag of a producer is another's, too": {mended: true, plant: func(w *verified) {
			key := lakemesh.OwnerTag(lakemesh.DomainTag, meshtest.ProducerAccount)
			w.grant(lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshConsumerRole(meshtest.ConsumerAccount)), &lftypes.Resource{LFTag: &lftypes.LFTagKeyResource{TagKey: &key, TagValues: []string{"*"}}}, lftypes.PermissionAssociate)
		}, want: []string{"too much, setup, ", "undecided, LF-tag, " + lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshConsumerRole(meshtest.ConsumerAccount))}},
		"a stranger is granted a table": {plant: func(w *verified) { w.grant(stranger, verifiedTable("orders"), lftypes.PermissionSelect) },
			want: []string{undecidedGrant + stranger}},
		"a stranger is granted by LF-tags": {plant: func(w *verified) {
			w.grant(stranger, &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{ResourceType: lftypes.ResourceTypeTable,
				Expression: []lftypes.LFTag{{TagKey: aws.String(lakemesh.DomainTag), TagValues: []string{"sales"}}}}}, lftypes.PermissionSelect)
		}, want: []string{undecidedGrant + stranger}},
		"a role may make databases": {plant: func(w *verified) {
			w.grant(meshtest.Administrator(meshtest.MeshAccount), &lftypes.Resource{Catalog: &lftypes.CatalogResource{}}, lftypes.PermissionCreateDatabase)
		}, want: []string{undecidedGrant + meshtest.Administrator(meshtest.MeshAccount)}},
		"a role may point tables at a location": {plant: func(w *verified) {
			w.grant(meshtest.Administrator(meshtest.MeshAccount), &lftypes.Resource{DataLocation: &lftypes.DataLocationResource{ResourceArn: aws.String("arn:aws:s3:::sales-data")}}, lftypes.PermissionDataLocationAccess)
		}, want: []string{undecidedGrant + meshtest.Administrator(meshtest.MeshAccount)}},
		"a location is registered for nobody": {plant: func(w *verified) {
			role := lakemesh.DataAccessRole(meshtest.OtherProducer)
			meshtest.Before(w.Mesh.Mesh, func() {
				_, err := iam.NewFromConfig(w.config()).CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &role, Path: aws.String(lakemesh.IAMPath), AssumeRolePolicyDocument: aws.String(
					`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lakeformation.amazonaws.com","glue.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`)})
				w.must(err)
			})
			_, err := lakeformation.NewFromConfig(w.config()).RegisterResource(w.t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::sales-data/orders"),
				RoleArn: aws.String(lakemesh.RoleARN(meshtest.MeshAccount, role))})
			w.must(err)
		}, want: []string{"undecided, location, " + lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.DataAccessRole(meshtest.OtherProducer))}},
		"a database is nobody's": {plant: func(w *verified) {
			_, done := w.lake()
			defer done()
			_, err := glue.NewFromConfig(w.config()).CreateDatabase(w.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("mine")}})
			w.must(err)
		}, want: []string{"undecided, metadata, ", undecidedGrant + meshtest.Administrator(meshtest.MeshAccount)}},
		"a grant is revoked": {plant: func(w *verified) {
			lake, done := w.lake()
			defer done()
			_, err := lake.RevokePermissions(w.t.Context(), &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.ConsumerAccount)},
				Resource: verifiedTable("orders"), Permissions: []lftypes.Permission{lftypes.PermissionSelect}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect}})
			w.must(err)
		}, want: []string{"missing, grant, " + meshtest.ConsumerAccount}},
		"a consumer is taken out of its shares": {plant: func(w *verified) {
			s, err := w.producer.GetSubscription(w.t.Context(), w.subscription)
			w.must(err)
			for _, share := range s.RAMShares {
				_, err := ram.NewFromConfig(w.config()).DisassociateResourceShare(w.t.Context(), &ram.DisassociateResourceShareInput{ResourceShareArn: aws.String(share.ARN), Principals: []string{meshtest.ConsumerAccount}})
				w.must(err)
			}
		}, want: []string{"missing, share, " + meshtest.ConsumerAccount}},
		"a table is gone": {plant: func(w *verified) {
			w.grant(meshtest.Administrator(meshtest.MeshAccount), verifiedTable("orders"), lftypes.PermissionDrop)
			_, err := glue.NewFromConfig(w.config()).DeleteTable(w.t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(verifiedDatabase), Name: aws.String("orders")})
			w.must(err)
		}, want: []string{"missing, metadata, "}},
		"the producer's role may read what it does not own": {plant: func(w *verified) {
			w.AddProducer(meshtest.OtherProducer)
			w.grant(lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshProducerRole(meshtest.OtherProducer)), verifiedTable("orders"), lftypes.PermissionSelect)
		}, want: []string{undecidedGrant + lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshProducerRole(meshtest.OtherProducer))}},
		"a producer's role lost a right": {mended: true, plant: func(w *verified) {
			lake, done := w.lake()
			defer done()
			_, err := lake.RevokePermissions(w.t.Context(), &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &meshRole},
				Resource: &lftypes.Resource{Catalog: &lftypes.CatalogResource{}}, Permissions: []lftypes.Permission{lftypes.PermissionCreateDatabase}})
			w.must(err)
		}, want: []string{setup}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVerified(t)
			if v, diff := w.finds(admin.VerifyInput{}); diff != "" {
				t.Fatalf("before (-want +got):\n%s\n%+v", diff, v.Findings)
			}
			test.plant(w)
			v, diff := w.finds(admin.VerifyInput{}, test.want...)
			if diff != "" {
				t.Errorf("found (-want +got):\n%s\n%+v", diff, v.Findings)
			}
			for _, f := range v.Findings {
				if f.Repairs == chain.Administrator && (f.Command == "" || !test.mended) && f.ByHand == "" || f.Command == "" && f.ByHand == "" {
					t.Errorf("a finding that does not say what to do: %+v", f)
				}
			}
			if _, err := w.admin.PlanRepair(t.Context(), v); err != nil {
				t.Errorf("plan of the repair: %v", err)
			}
			out, err := w.admin.Repair(t.Context(), v)
			if err != nil || len(out.Done) > 0 != test.mended {
				t.Errorf("repaired %v, %v", out, err)
			}
			left := test.want
			if test.mended {
				left = nil
			}
			if v, diff := w.finds(admin.VerifyInput{}, left...); diff != "" {
				t.Errorf("after a repair (-want +got):\n%s\n%+v", diff, v.Findings)
			}
		})
	}
}

// What stays registered when an owner has taken all of its products out of the mesh both
// sides find, and say the same of.
func TestBothSidesFindLocationsThatNobodyUses(t *testing.T) {
	t.Parallel()
	w := newVerified(t)
	_, err := w.producer.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: "sales", EndSubscriptions: true})
	w.must(err)
	want := "too much, location, " + lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.DataAccessRole(meshtest.ProducerAccount))
	theirs, diff := w.finds(admin.VerifyInput{}, want)
	if diff != "" {
		t.Fatalf("the administrator found (-want +got):\n%s", diff)
	}
	ours, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
	w.must(err)
	said := func(v *chain.Verification) (all []string) {
		for _, f := range v.Findings {
			all = append(all, fmt.Sprint(f.Kind, f.Link, f.Principal, f.Repairs, f.ByHand))
		}
		return all
	}
	if diff := cmp.Diff(said(theirs), said(ours)); diff != "" {
		t.Errorf("the administrator and the producer differ (-admin +producer):\n%s", diff)
	}
	lake, done := w.lake()
	for _, f := range theirs.Findings {
		arn, ok := strings.CutPrefix(f.ByHand, "aws lakeformation deregister-resource --resource-arn ")
		if _, err := lake.DeregisterResource(t.Context(), &lakeformation.DeregisterResourceInput{ResourceArn: &arn}); !ok || err != nil {
			t.Errorf("%q: %v", f.ByHand, err)
		}
	}
	done()
	if v, diff := w.finds(admin.VerifyInput{}); diff != "" {
		t.Errorf("afterwards the administrator found %+v", v.Findings)
	}
	if v, err := w.producer.Verify(t.Context(), producer.VerifyInput{}); err != nil || !v.Holds() {
		t.Errorf("afterwards the producer found %+v, %v", v, err)
	}
}

func TestTheAdministratorsVerificationIsNarrowed(t *testing.T) {
	t.Parallel()
	w := newVerified(t)
	w.grant(stranger, verifiedTable("customers"), lftypes.PermissionSelect)
	for name, test := range map[string]struct {
		in   admin.VerifyInput
		want int
	}{
		"the product":      {admin.VerifyInput{Database: strings.ToUpper(verifiedDatabase)}, 1},
		"another product":  {admin.VerifyInput{Database: "another"}, 0},
		"the account":      {admin.VerifyInput{Consumer: stranger}, 1},
		"another account":  {admin.VerifyInput{Consumer: meshtest.ConsumerAccount}, 0},
		"the subscription": {admin.VerifyInput{SubscriptionID: w.subscription}, 0},
	} {
		v, err := w.admin.Verify(t.Context(), test.in)
		if err != nil || len(v.Findings) != test.want {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if v, err := w.admin.Verify(t.Context(), admin.VerifyInput{SubscriptionID: w.subscription}); err != nil || v.Tables != 1 || v.Subscriptions != 1 || v.Grants != 2 {
		t.Errorf("of one subscription it counts %+v, %v", v, err)
	}
	if _, err := w.admin.Verify(t.Context(), admin.VerifyInput{Consumer: "121212121212"}); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("of an account that is no consumer: %v", err)
	}
	elsewhere, err := admin.New(t.Context(), w.Options(meshtest.ProducerAccount))
	w.must(err)
	if _, err := elsewhere.Verify(t.Context(), admin.VerifyInput{}); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("in another account: %v", err)
	}
	w.settings(func(s *lftypes.DataLakeSettings) { s.DataLakeAdmins = nil })
	if _, err := w.admin.Verify(t.Context(), admin.VerifyInput{}); !errors.Is(err, lakemesh.ErrAccessDenied) {
		t.Errorf("where the manager is no administrator: %v", err)
	}
}
