package localmesh_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	lateHome  = "111111111111"
	lateOther = "222222222222"
	// looks is how often a change is missed at most in these tests.
	looks = 4
)

// lateWorld is a mesh on which changes are known late, with two accounts.
type lateWorld struct {
	*localmesh.Mesh
	t *testing.T
}

func newLateWorld(t *testing.T, opts ...localmesh.Option) *lateWorld {
	t.Helper()
	w := &lateWorld{localmesh.Run(t, append([]localmesh.Option{localmesh.WithEventualConsistency(looks)}, opts...)...), t}
	for _, account := range []string{lateHome, lateOther} {
		w.must(second(sts.NewFromConfig(w.as(account)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})))
	}
	return w
}

func second[T any](_ T, err error) error { return err }

func (w *lateWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// as is the account's administrator.
func (w *lateWorld) as(account string) aws.Config {
	return w.Config("arn:aws:iam::" + account + ":role/Admin")
}

// misses makes a call until it succeeds, and returns how often it was too early:
// between one and looks times, each of them with the code and the text.
func (w *lateWorld) misses(what, code, text string, call func() error) int {
	w.t.Helper()
	for n := range looks + 1 {
		err := call()
		if err == nil {
			if n == 0 {
				w.t.Errorf("%s: known at once", what)
			}
			return n
		}
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
			w.t.Fatalf("%s, look %d: %v; want %s, %q", what, n, err, code, text)
		}
	}
	w.t.Fatalf("%s: still unknown after %d looks", what, looks+1)
	return 0
}

// stale looks until what is seen is as wanted, and returns how often it was not.
func (w *lateWorld) stale(what string, seen func() bool) int {
	w.t.Helper()
	for n := range looks + 1 {
		if seen() {
			if n == 0 {
				w.t.Errorf("%s: known at once", what)
			}
			return n
		}
	}
	w.t.Fatalf("%s: still unknown after %d looks", what, looks+1)
	return 0
}

func trusting(principal string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`)
}

// role makes a role that trusts its account.
func (w *lateWorld) role(account, name string) string {
	w.t.Helper()
	out, err := iam.NewFromConfig(w.as(account)).CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trusting(account)})
	w.must(err)
	return aws.ToString(out.Role.Arn)
}

func (w *lateWorld) grant(cfg aws.Config, principal string) error {
	_, err := lakeformation.NewFromConfig(cfg).GrantPermissions(w.t.Context(), &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal},
		Resource:  &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("sales")}}, Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
	return err
}

// administrators makes data lake administrators of the account of these.
func (w *lateWorld) administrators(account string, arns ...string) error {
	s := &lftypes.DataLakeSettings{Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": "4"}}
	for _, arn := range arns {
		s.DataLakeAdmins = append(s.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(arn)})
	}
	_, err := lakeformation.NewFromConfig(w.as(account)).PutDataLakeSettings(w.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s})
	return err
}

// database makes the database sales of the first account, whose administrator is
// a data lake administrator.
func (w *lateWorld) database() {
	w.t.Helper()
	w.must(w.administrators(lateHome, "arn:aws:iam::"+lateHome+":role/Admin"))
	w.must(second(glue.NewFromConfig(w.as(lateHome)).CreateDatabase(w.t.Context(), &glue.CreateDatabaseInput{
		DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("sales"), CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}})))
}

func TestANewPrincipalIsUnknownToLakeFormation(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	w.database()
	cfg := w.as(lateHome)
	role := w.role(lateHome, "A")
	w.misses("GrantPermissions", "InvalidInputException", "Invalid principal", func() error { return w.grant(cfg, role) })

	// An entry of a batch fails by itself.
	role = w.role(lateHome, "B")
	w.misses("BatchGrantPermissions", "InvalidInputException", "Invalid principal", func() error {
		out, err := lakeformation.NewFromConfig(cfg).BatchGrantPermissions(t.Context(), &lakeformation.BatchGrantPermissionsInput{Entries: []lftypes.BatchPermissionsRequestEntry{{
			Id: aws.String("1"), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &role},
			Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("sales")}}, Permissions: []lftypes.Permission{lftypes.PermissionDescribe}}}})
		if err == nil && len(out.Failures) > 0 {
			e := out.Failures[0].Error
			err = &smithy.GenericAPIError{Code: aws.ToString(e.ErrorCode), Message: aws.ToString(e.ErrorMessage)}
		}
		return err
	})
	role = w.role(lateHome, "C")
	w.misses("PutDataLakeSettings", "InvalidInputException", "Invalid principal", func() error { return w.administrators(lateHome, role) })

	// A user is as late as a role.
	w.must(second(iam.NewFromConfig(cfg).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")})))
	w.must(w.administrators(lateHome, "arn:aws:iam::"+lateHome+":role/Admin"))
	w.misses("a user", "InvalidInputException", "Invalid principal", func() error { return w.grant(cfg, "arn:aws:iam::"+lateHome+":user/ann") })
}

func TestANewPrincipalCannotBeNamedInPolicies(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	role := w.role(lateHome, "A")
	other := iam.NewFromConfig(w.as(lateOther))
	w.misses("CreateRole", "MalformedPolicyDocument", "Invalid principal in policy", func() error {
		return second(other.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("B"), AssumeRolePolicyDocument: trusting(role)}))
	})
	third := w.role(lateHome, "C")
	w.changed(lateOther, "D", lateOther)
	w.misses("UpdateAssumeRolePolicy", "MalformedPolicyDocument", "Invalid principal in policy", func() error {
		return second(other.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("D"), PolicyDocument: trusting(third)}))
	})
	bucket := s3.NewFromConfig(w.as(lateOther))
	w.must(second(bucket.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})))
	fourth := w.role(lateHome, "E")
	w.misses("PutBucketPolicy", "MalformedPolicy", "Invalid principal in policy", func() error {
		return second(bucket.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("data"), Policy: aws.String(letRead("data", fourth))}))
	})
}

// changed makes a role, and changes whom it trusts as soon as that is possible.
func (w *lateWorld) changed(account, name, principal string) {
	w.t.Helper()
	w.role(account, name)
	w.misses("a change of a new role", "NoSuchEntity", "cannot be found", func() error {
		return second(iam.NewFromConfig(w.as(account)).UpdateAssumeRolePolicy(w.t.Context(),
			&iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: trusting(principal)}))
	})
}

func letRead(bucket, principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/*"}]}`
}

func TestANewRoleCanBeReadButNotChanged(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	client := iam.NewFromConfig(w.as(lateHome))
	w.role(lateHome, "A")
	w.must(second(client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("A")})))
	const everything = "arn:aws:iam::aws:policy/AdministratorAccess"
	w.misses("AttachRolePolicy", "NoSuchEntity", "role with name A", func() error {
		return second(client.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("A"), PolicyArn: aws.String(everything)}))
	})
	// By now the role is known to this caller for whatever it does.
	w.must(second(client.TagRole(t.Context(), &iam.TagRoleInput{RoleName: aws.String("A"), Tags: []iamtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})))

	policy, err := client.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("P"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)})
	w.must(err)
	w.misses("AttachRolePolicy of a new policy", "NoSuchEntity", "Policy "+aws.ToString(policy.Policy.Arn), func() error {
		return second(client.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("A"), PolicyArn: policy.Policy.Arn}))
	})
}

func TestATrustPolicyTakesAWhile(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	client := iam.NewFromConfig(w.as(lateHome))
	assume := func(account, role string) error {
		return second(sts.NewFromConfig(w.as(account)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("late")}))
	}
	role := w.role(lateHome, "A")
	w.misses("a new role", "AccessDenied", "sts:AssumeRole", func() error { return assume(lateHome, role) })
	// Another observer has to look by itself.
	w.changed(lateHome, "B", lateOther)
	b := "arn:aws:iam::" + lateHome + ":role/B"
	w.misses("another account", "AccessDenied", "sts:AssumeRole", func() error { return assume(lateOther, b) })

	// The old trust lasts for a while.
	w.must(second(client.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("B"), PolicyDocument: trusting(lateHome)})))
	w.stale("the end of a trust", func() bool { return assume(lateOther, b) != nil })
	w.must(second(client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("B")})))
	w.role(lateHome, "B")
	if err := assume(lateHome, b); err == nil {
		t.Error("a role that was made again is trusted as the one before")
	}
}

// shared grants on the database to the other account, and returns the share.
func (w *lateWorld) shared() string {
	w.t.Helper()
	w.must(w.grant(w.as(lateHome), lateOther))
	out, err := ram.NewFromConfig(w.as(lateHome)).GetResourceShares(w.t.Context(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	w.must(err)
	if len(out.ResourceShares) != 1 {
		w.t.Fatalf("%d shares", len(out.ResourceShares))
	}
	return aws.ToString(out.ResourceShares[0].ResourceShareArn)
}

func TestAnInvitationAppearsLate(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	w.database()
	share := w.shared()
	client := ram.NewFromConfig(w.as(lateOther))
	var invitation string
	pending := func(client *ram.Client) func() bool {
		return func() bool {
			out, err := client.GetResourceShareInvitations(t.Context(), &ram.GetResourceShareInvitationsInput{ResourceShareArns: []string{share}})
			w.must(err)
			if len(out.ResourceShareInvitations) > 0 {
				invitation = aws.ToString(out.ResourceShareInvitations[0].ResourceShareInvitationArn)
			}
			return len(out.ResourceShareInvitations) > 0
		}
	}
	w.stale("the invitation", pending(client))

	// Who has not seen it cannot accept it, even by its name.
	w.administers(lateOther, "Second")
	late := ram.NewFromConfig(w.Config("arn:aws:iam::" + lateOther + ":role/Second"))
	w.misses("accepting", "ResourceShareInvitationArnNotFoundException", "could not be found", func() error {
		return second(late.AcceptResourceShareInvitation(t.Context(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &invitation}))
	})
}

// administers makes another administrator of an account.
func (w *lateWorld) administers(account, name string) {
	w.t.Helper()
	client := iam.NewFromConfig(w.as(account))
	w.role(account, name)
	w.misses("the role "+name, "NoSuchEntity", "cannot be found", func() error {
		return second(client.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	})
	cfg := w.Config("arn:aws:iam::" + account + ":role/" + name)
	w.misses("its policies, for Lake Formation", "AccessDeniedException", "no identity-based policy allows", func() error {
		return second(lakeformation.NewFromConfig(cfg).GetDataLakeSettings(w.t.Context(), &lakeformation.GetDataLakeSettingsInput{}))
	})
	w.misses("its policies, for RAM", "AccessDeniedException", "no identity-based policy allows", func() error {
		return second(ram.NewFromConfig(cfg).ListPermissions(w.t.Context(), &ram.ListPermissionsInput{}))
	})
}

func TestAnAssociationTakesAWhileAfterAcceptance(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	w.database()
	w.must(w.administrators(lateOther, "arn:aws:iam::"+lateOther+":role/Admin"))
	share := w.shared()
	owner, receiver := ram.NewFromConfig(w.as(lateHome)), ram.NewFromConfig(w.as(lateOther))
	status := func(kind ramtypes.ResourceShareAssociationType) ramtypes.ResourceShareAssociationStatus {
		out, err := owner.GetResourceShareAssociations(t.Context(), &ram.GetResourceShareAssociationsInput{AssociationType: kind, ResourceShareArns: []string{share}})
		w.must(err)
		return out.ResourceShareAssociations[0].Status
	}
	w.stale("the resource", func() bool {
		got := status(ramtypes.ResourceShareAssociationTypeResource)
		if got != ramtypes.ResourceShareAssociationStatusAssociating && got != ramtypes.ResourceShareAssociationStatusAssociated {
			t.Errorf("the resource is %s", got)
		}
		return got == ramtypes.ResourceShareAssociationStatusAssociated
	})
	w.stale("the invitation", func() bool {
		out, err := receiver.GetResourceShareInvitations(t.Context(), &ram.GetResourceShareInvitationsInput{})
		w.must(err)
		for _, i := range out.ResourceShareInvitations {
			w.must(second(receiver.AcceptResourceShareInvitation(t.Context(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})))
		}
		return len(out.ResourceShareInvitations) > 0
	})
	if got := status(ramtypes.ResourceShareAssociationTypePrincipal); got != ramtypes.ResourceShareAssociationStatusAssociating {
		t.Errorf("the principal is %s right after it accepted", got)
	}
	visible := func() bool {
		_, err := glue.NewFromConfig(w.as(lateOther)).GetDatabase(t.Context(), &glue.GetDatabaseInput{CatalogId: aws.String(lateHome), Name: aws.String("sales")})
		return err == nil
	}
	for n := 0; !visible(); n++ {
		if n > looks {
			t.Fatal("the database does not become visible")
		}
	}
	// There is one state: who sees the database, sees the share, and so does the owner.
	out, err := receiver.GetResourceShares(t.Context(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerOtherAccounts})
	w.must(err)
	if got := status(ramtypes.ResourceShareAssociationTypePrincipal); len(out.ResourceShares) != 1 || got != ramtypes.ResourceShareAssociationStatusAssociated {
		t.Errorf("the receiver sees %d shares, the owner that the principal is %s", len(out.ResourceShares), got)
	}
}

func TestABucketPolicyTakesAWhile(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	mine, theirs := s3.NewFromConfig(w.as(lateHome)), s3.NewFromConfig(w.as(lateOther))
	bucket, key := aws.String("data"), aws.String("k")
	w.must(second(mine.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})))
	w.must(second(mine.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x")})))
	read := func() error {
		out, err := theirs.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
		if err == nil {
			_, err = io.Copy(io.Discard, out.Body)
		}
		return err
	}
	policy := func() string {
		out, err := mine.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: bucket})
		if err != nil {
			return ""
		}
		return aws.ToString(out.Policy)
	}
	w.must(second(mine.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(letRead("data", lateOther))})))
	w.stale("the policy that is shown", func() bool { return policy() != "" })
	w.misses("the policy that decides", "AccessDenied", "s3:GetObject", read)

	w.must(second(mine.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: bucket})))
	w.stale("that there is no policy any more", func() bool { return policy() == "" })
	w.stale("that nobody may read any more", func() bool { return read() != nil })

	// Another bucket of the name has nothing to do with it.
	w.must(second(mine.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(letRead("data", lateOther))})))
	w.must(second(mine.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key})))
	w.must(second(mine.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: bucket})))
	w.must(second(mine.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})))
	w.must(second(mine.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})))
	if got := policy(); got != "" {
		t.Errorf("a new bucket has the policy %s", got)
	}
}

// records is a table with an index, and clients of it.
type records struct {
	*lateWorld
	client *dynamodb.Client
}

func (w *lateWorld) records() *records {
	w.t.Helper()
	r := &records{w, dynamodb.NewFromConfig(w.as(lateHome))}
	attribute := func(name string) dynamotypes.AttributeDefinition {
		return dynamotypes.AttributeDefinition{AttributeName: aws.String(name), AttributeType: dynamotypes.ScalarAttributeTypeS}
	}
	hash := func(name string) []dynamotypes.KeySchemaElement {
		return []dynamotypes.KeySchemaElement{{AttributeName: aws.String(name), KeyType: dynamotypes.KeyTypeHash}}
	}
	w.must(second(r.client.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("records"), BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{attribute("id"), attribute("state")}, KeySchema: hash("id"),
		GlobalSecondaryIndexes: []dynamotypes.GlobalSecondaryIndex{{IndexName: aws.String("by-state"), KeySchema: hash("state"),
			Projection: &dynamotypes.Projection{ProjectionType: dynamotypes.ProjectionTypeAll}}}})))
	w.must(dynamodb.NewTableExistsWaiter(r.client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, time.Millisecond
	}).Wait(w.t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")}, time.Minute))
	return r
}

func text(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }

func (r *records) put(id, state string) {
	r.t.Helper()
	r.must(second(r.client.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"),
		Item: map[string]dynamotypes.AttributeValue{"id": text(id), "state": text(state)}})))
}

// get is the state of an item, or empty.
func (r *records) get(id string, consistent bool) string {
	r.t.Helper()
	out, err := r.client.GetItem(r.t.Context(), &dynamodb.GetItemInput{TableName: aws.String("records"),
		Key: map[string]dynamotypes.AttributeValue{"id": text(id)}, ConsistentRead: aws.Bool(consistent)})
	r.must(err)
	if s, ok := out.Item["state"].(*dynamotypes.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// in are the items that the index has in a state, as "id=state".
func (r *records) in(state string) []string {
	r.t.Helper()
	out, err := r.client.Query(r.t.Context(), &dynamodb.QueryInput{TableName: aws.String("records"), IndexName: aws.String("by-state"),
		KeyConditionExpression: aws.String("#s = :s"), ExpressionAttributeNames: map[string]string{"#s": "state"},
		ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":s": text(state)}})
	r.must(err)
	return itemsOf(out.Items)
}

func itemsOf(list []map[string]dynamotypes.AttributeValue) []string {
	var all []string
	for _, item := range list {
		id, _ := item["id"].(*dynamotypes.AttributeValueMemberS)
		state, _ := item["state"].(*dynamotypes.AttributeValueMemberS)
		all = append(all, id.Value+"="+state.Value)
	}
	slices.Sort(all)
	return all
}

func TestReadsOfDynamoDBAreStale(t *testing.T) {
	t.Parallel()
	r := newLateWorld(t).records()
	r.put("a", "new")
	if got := r.get("a", true); got != "new" {
		t.Errorf("a consistent read sees %q", got)
	}
	r.stale("GetItem", func() bool { return r.get("a", false) == "new" })
	r.stale("the index", func() bool { return slices.Equal(r.in("new"), []string{"a=new"}) })

	// An item is in the index once, where it was or where it is.
	r.put("a", "old")
	r.put("a", "gone")
	r.stale("both changes", func() bool {
		states := slices.Concat(r.in("new"), r.in("old"), r.in("gone"))
		if len(states) > 3 {
			t.Errorf("the index has %v", states)
		}
		return slices.Equal(r.in("gone"), []string{"a=gone"})
	})
	if got := slices.Concat(r.in("new"), r.in("old"), r.in("gone")); !slices.Equal(got, []string{"a=gone"}) {
		t.Errorf("at last the index has %v", got)
	}

	scan := func(consistent bool) []string {
		out, err := r.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("records"), ConsistentRead: aws.Bool(consistent)})
		r.must(err)
		return itemsOf(out.Items)
	}
	r.must(second(r.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("records"), Key: map[string]dynamotypes.AttributeValue{"id": text("a")}})))
	r.put("b", "new")
	if got := scan(true); !slices.Equal(got, []string{"b=new"}) {
		t.Errorf("a consistent scan sees %v", got)
	}
	r.stale("Scan", func() bool { return slices.Equal(scan(false), []string{"b=new"}) })

	// Conditions and transactions go by what is.
	_, err := r.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), ConditionExpression: aws.String("attribute_not_exists(id)"),
		Item: map[string]dynamotypes.AttributeValue{"id": text("b"), "state": text("x")}})
	if failed := new(dynamotypes.ConditionalCheckFailedException); !errors.As(err, &failed) {
		t.Errorf("a condition sees %v", err)
	}
	// A table that is made again does not show what the one before held.
	r.put("c", "new")
	r.must(second(r.client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("records")})))
	r.must(dynamodb.NewTableNotExistsWaiter(r.client, func(o *dynamodb.TableNotExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, time.Millisecond
	}).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")}, time.Minute))
	r.records()
	if got := scan(false); len(got) != 0 {
		t.Errorf("a new table holds %v", got)
	}
}

func TestTwoObserversLearnAtDifferentMoments(t *testing.T) {
	t.Parallel()
	course := func() string {
		w := newLateWorld(t, localmesh.WithSeed(7))
		w.administers(lateHome, "Second")
		w.database()
		w.must(w.administrators(lateHome, "arn:aws:iam::"+lateHome+":role/Admin"))
		w.misses("the second administrator", "InvalidInputException", "Invalid principal", func() error {
			return w.administrators(lateHome, "arn:aws:iam::"+lateHome+":role/Admin", "arn:aws:iam::"+lateHome+":role/Second")
		})
		var b strings.Builder
		different := false
		for i := range 6 {
			role := w.role(lateHome, fmt.Sprintf("R%d", i))
			first := w.misses("first", "InvalidInputException", "Invalid principal", func() error { return w.grant(w.as(lateHome), role) })
			other := w.misses("second", "InvalidInputException", "Invalid principal", func() error {
				return w.grant(w.Config("arn:aws:iam::"+lateHome+":role/Second"), role)
			})
			different = different || first != other
			fmt.Fprintf(&b, "%d %d, ", first, other)
		}
		if !different {
			t.Errorf("both always learn at the same moment: %s", b.String())
		}
		return b.String()
	}
	if one, two := course(), course(); one != two {
		t.Errorf("with one seed it went %s and %s", one, two)
	}
}

func TestEventualConsistencyIsASwitch(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	w.database()
	// What is on its way arrives.
	a := w.role(lateHome, "A")
	w.SetEventualConsistency(0)
	w.must(w.grant(w.as(lateHome), a))
	w.must(w.grant(w.as(lateHome), w.role(lateHome, "B")))
	w.SetEventualConsistency(1)
	c := w.role(lateHome, "C")
	if n := w.misses("one look", "InvalidInputException", "Invalid principal", func() error { return w.grant(w.as(lateHome), c) }); n != 1 {
		t.Errorf("missed %d times, at most once was asked for", n)
	}
	// A clone knows what is, and is late itself.
	w.SetEventualConsistency(looks)
	d := w.role(lateHome, "D")
	clone, err := w.Clone()
	w.must(err)
	t.Cleanup(func() {
		if err := clone.Close(); err != nil {
			t.Error(err)
		}
	})
	v := &lateWorld{clone, t}
	v.must(v.grant(v.as(lateHome), d))
	e := v.role(lateHome, "E")
	v.misses("in the clone", "InvalidInputException", "Invalid principal", func() error { return v.grant(v.as(lateHome), e) })
}

// A refused call changes nothing, so nobody has anything to learn of it.
func TestNothingIsLearnedOfARefusedCall(t *testing.T) {
	t.Parallel()
	w := newLateWorld(t)
	w.database()
	role := w.role(lateHome, "A")
	w.misses("the role", "InvalidInputException", "Invalid principal", func() error { return w.grant(w.as(lateHome), role) })
	_, err := iam.NewFromConfig(w.as(lateHome)).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("A"), AssumeRolePolicyDocument: trusting(lateHome)})
	if exists := new(iamtypes.EntityAlreadyExistsException); !errors.As(err, &exists) {
		t.Fatalf("making it again: %v", err)
	}
	w.must(w.grant(w.as(lateHome), role))
}
