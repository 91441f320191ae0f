package localmesh_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

	"github.com/lakemesh/lakemesh/internal/iampolicy/scenario"
)

// build makes the world of the scenario through the SDK's clients.
func (w *scene) build() {
	w.t.Helper()
	w.openAccounts()
	w.buildPolicies()
	w.buildPrincipals()
	w.buildBuckets()
	w.buildTables()
	w.buildCatalogs()
}

// openAccounts makes an administrator in every account that the world has something in.
func (w *scene) openAccounts() {
	s := w.s.With
	accounts := map[string]bool{}
	for _, arns := range [][]string{
		keys(s.Managed), keys(s.Groups), keys(s.Users), keys(s.Roles), keys(s.Tables), w.s.Ask.On, {w.s.As.Principal},
	} {
		for _, arn := range arns {
			accounts[scenario.Account(arn)] = true
		}
	}
	for _, b := range s.Buckets {
		accounts[b.Account] = true
	}
	for name := range s.Databases {
		account, _, _ := strings.Cut(name, "/")
		accounts[account] = true
	}
	for account, l := range s.LakeFormation {
		accounts[account] = true
		for _, g := range l.Grants {
			if len(g.To) == 12 {
				accounts[g.To] = true
			}
		}
	}
	for account := range accounts {
		if account != "" && account != "aws" {
			w.must(sts.NewFromConfig(w.Config(administrator(account))).GetCallerIdentity(w.t.Context(), nil))
		}
	}
}

// keys are the keys of a map in order, so that worlds are made the same way every time.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *scene) iam(arn string) *iam.Client {
	return iam.NewFromConfig(w.Config(administrator(scenario.Account(arn))))
}

func (w *scene) pathOf(arn string) *string {
	path, err := scenario.Path(arn)
	w.must(nil, err)
	return &path
}

func name(arn string) *string { return aws.String(scenario.Name(arn)) }

func iamTags(tags map[string]string) []iamtypes.Tag {
	var all []iamtypes.Tag
	for _, k := range keys(tags) {
		all = append(all, iamtypes.Tag{Key: &k, Value: aws.String(tags[k])})
	}
	return all
}

func (w *scene) buildPolicies() {
	for _, arn := range keys(w.s.With.Managed) {
		if scenario.Account(arn) == "aws" {
			continue // AWS's own are there.
		}
		w.must(w.iam(arn).CreatePolicy(w.t.Context(), &iam.CreatePolicyInput{
			PolicyName: name(arn), Path: w.pathOf(arn), PolicyDocument: &w.s.With.Managed[arn].JSON,
		}))
	}
}

func boundary(p scenario.Permissions) *string {
	if p.Boundary == "" {
		return nil
	}
	return &p.Boundary
}

func (w *scene) buildPrincipals() {
	ctx, s := w.t.Context(), w.s.With
	for _, arn := range keys(s.Groups) {
		c, g := w.iam(arn), s.Groups[arn]
		w.must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: name(arn), Path: w.pathOf(arn)}))
		for _, n := range keys(g.Inline) {
			w.must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: name(arn), PolicyName: &n, PolicyDocument: &g.Inline[n].JSON}))
		}
		for _, p := range g.Attached {
			w.must(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: name(arn), PolicyArn: &p}))
		}
	}
	for _, arn := range keys(s.Users) {
		c, u := w.iam(arn), s.Users[arn]
		w.must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: name(arn), Path: w.pathOf(arn), PermissionsBoundary: boundary(u.Permissions), Tags: iamTags(u.Tags)}))
		for _, n := range keys(u.Inline) {
			w.must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name(arn), PolicyName: &n, PolicyDocument: &u.Inline[n].JSON}))
		}
		for _, p := range u.Attached {
			w.must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name(arn), PolicyArn: &p}))
		}
		for _, g := range u.Groups {
			w.must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: name(arn), GroupName: &g}))
		}
	}
	for _, arn := range keys(s.Roles) {
		c, r := w.iam(arn), s.Roles[arn]
		w.must(c.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: name(arn), Path: w.pathOf(arn), PermissionsBoundary: boundary(r.Permissions), Tags: iamTags(r.Tags),
			AssumeRolePolicyDocument: &scenario.DefaultTrust(scenario.Account(arn)).JSON,
		}))
		for _, n := range keys(r.Inline) {
			w.must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name(arn), PolicyName: &n, PolicyDocument: &r.Inline[n].JSON}))
		}
		for _, p := range r.Attached {
			w.must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name(arn), PolicyArn: &p}))
		}
	}
	// Trust policies name principals that must exist.
	for _, arn := range keys(s.Roles) {
		if trust := s.Roles[arn].Trust; trust != nil {
			w.must(w.iam(arn).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name(arn), PolicyDocument: &trust.JSON}))
		}
	}
}

func (w *scene) buildBuckets() {
	ctx := w.t.Context()
	for _, n := range keys(w.s.With.Buckets) {
		b := w.s.With.Buckets[n]
		c := s3.NewFromConfig(w.Config(administrator(b.Account)))
		w.must(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &n}))
		for _, key := range b.Objects {
			w.must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: &n, Key: &key, Body: strings.NewReader("x")}))
		}
		if b.Public {
			w.must(c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &n}))
		}
		if b.Policy != nil {
			w.must(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &n, Policy: &b.Policy.JSON}))
		}
	}
}

func (w *scene) buildTables() {
	for _, arn := range keys(w.s.With.Tables) {
		t := w.s.With.Tables[arn]
		var tags []dynamodbtypes.Tag
		for _, k := range keys(t.Tags) {
			tags = append(tags, dynamodbtypes.Tag{Key: &k, Value: aws.String(t.Tags[k])})
		}
		w.must(dynamodb.NewFromConfig(w.Config(administrator(scenario.Account(arn)))).CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
			TableName: name(arn), BillingMode: dynamodbtypes.BillingModePayPerRequest, Tags: tags,
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: &t.Key, AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: &t.Key, KeyType: dynamodbtypes.KeyTypeHash}},
		}))
	}
}

func dataLakePrincipals(arns []string) []lftypes.DataLakePrincipal {
	var all []lftypes.DataLakePrincipal
	for _, arn := range arns {
		all = append(all, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &arn})
	}
	return all
}

func (w *scene) buildCatalogs() {
	ctx, s := w.t.Context(), w.s.With
	for _, account := range keys(s.LakeFormation) {
		admins := append([]string{administrator(account)}, s.LakeFormation[account].Admins...)
		w.must(lakeformation.NewFromConfig(w.Config(administrator(account))).PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{
			DataLakeSettings: &lftypes.DataLakeSettings{
				DataLakeAdmins: dataLakePrincipals(admins), Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": "4"},
				CreateDatabaseDefaultPermissions: []lftypes.PrincipalPermissions{}, CreateTableDefaultPermissions: []lftypes.PrincipalPermissions{},
			},
		}))
	}
	for _, n := range keys(s.Databases) {
		account, database, _ := strings.Cut(n, "/")
		c := glue.NewFromConfig(w.Config(administrator(account)))
		w.must(c.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &database}}))
		for _, table := range s.Databases[n].Tables {
			w.must(c.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: &gluetypes.TableInput{Name: &table}}))
		}
	}
	for _, account := range keys(s.Catalogs) {
		w.must(glue.NewFromConfig(w.Config(administrator(account))).PutResourcePolicy(ctx, &glue.PutResourcePolicyInput{
			PolicyInJson: &s.Catalogs[account].JSON, EnableHybrid: gluetypes.EnableHybridValuesTrue,
		}))
	}
	for _, account := range keys(s.LakeFormation) {
		c := lakeformation.NewFromConfig(w.Config(administrator(account)))
		for _, g := range s.LakeFormation[account].Grants {
			in := &lakeformation.GrantPermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &g.To}, Resource: w.lakeResource(g.On),
			}
			for _, p := range g.Permissions {
				in.Permissions = append(in.Permissions, lftypes.Permission(p))
			}
			w.must(c.GrantPermissions(ctx, in))
			if len(g.To) == 12 {
				w.acceptInvitations(g.To)
			}
		}
	}
}

// lakeResource reads "catalog", "database NAME" or "table DATABASE/NAME".
func (w *scene) lakeResource(text string) *lftypes.Resource {
	kind, rest, _ := strings.Cut(text, " ")
	database, table, _ := strings.Cut(rest, "/")
	switch kind {
	case "catalog":
		return &lftypes.Resource{Catalog: &lftypes.CatalogResource{}}
	case "database":
		return &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: &database}}
	case "table":
		return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &database, Name: &table}}
	}
	w.t.Fatalf("%q is no resource of Lake Formation", text)
	return nil
}

func (w *scene) acceptInvitations(account string) {
	c := ram.NewFromConfig(w.Config(administrator(account)))
	out, err := c.GetResourceShareInvitations(w.t.Context(), &ram.GetResourceShareInvitationsInput{})
	w.must(nil, err)
	for _, i := range out.ResourceShareInvitations {
		if i.Status == ramtypes.ResourceShareInvitationStatusPending {
			w.must(c.AcceptResourceShareInvitation(w.t.Context(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn}))
		}
	}
}
