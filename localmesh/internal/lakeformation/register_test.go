package lakeformation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

func (w *world) register(principal, path string, change func(*lakeformation.RegisterResourceInput)) error {
	in := &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess")}
	if change != nil {
		change(in)
	}
	_, err := w.lake(principal).RegisterResource(w.ctx, in)
	return err
}

func TestRegistrationsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	untrusting := w.role(owner, "Untrusting", `{"Service":"ec2.amazonaws.com"}`, allow("s3:*", "*"))
	w.refused(w.register(admin, "lake/sales", nil), "AlreadyExistsException")
	w.refused(w.register(admin, "lake/sales/", nil), "AlreadyExistsException")
	role := func(arn string) func(*lakeformation.RegisterResourceInput) {
		return func(in *lakeformation.RegisterResourceInput) { in.RoleArn = &arn }
	}
	w.refused(w.register(admin, "other", role(untrusting)), "InvalidInputException", "does not trust")
	w.refused(w.register(admin, "other", role("arn:aws:iam::"+owner+":role/None")), "InvalidInputException", "not found")
	w.refused(w.register(admin, "other", role(adminOf(recipient))), "InvalidInputException", "Invalid role")
	w.refused(w.register(admin, "other", func(in *lakeformation.RegisterResourceInput) { in.UseServiceLinkedRole = aws.Bool(true) }), "InvalidInputException")
	w.refused(w.register(admin, "other", func(in *lakeformation.RegisterResourceInput) { in.RoleArn = nil }), "InvalidInputException")
	w.refused(w.register(admin, "other", func(in *lakeformation.RegisterResourceInput) { in.ResourceArn = aws.String("s3://other") }), "InvalidInputException", "Unsupported resource ARN Format")
}

func TestRegisteringARoleNeedsToPassIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	passOther := `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"glue.amazonaws.com"}}}`
	pass := `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::` + owner + `:role/LakeAccess","Condition":{"StringEquals":{"iam:PassedToService":"lakeformation.amazonaws.com"}}}`
	without := w.role(owner, "Without", `{"AWS":"`+owner+`"}`, allow("lakeformation:RegisterResource", "*", passOther))
	with := w.role(owner, "With", `{"AWS":"`+owner+`"}`, allow("lakeformation:RegisterResource", "*", pass))
	w.refused(w.register(without, "other", nil), "AccessDeniedException", "iam:PassRole")
	privileged := func(in *lakeformation.RegisterResourceInput) { in.WithPrivilegedAccess = true }
	w.refused(w.register(with, "other", privileged), "AccessDeniedException", "RegisterResourceWithPrivilegedAccess")
	w.must(w.register(with, "other", nil))
}

func TestPrivilegedRegistrationGivesTheLocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	maker := w.person(owner, "Maker")
	w.must(w.register(maker, "open", func(in *lakeformation.RegisterResourceInput) { in.WithPrivilegedAccess = true }))
	w.must(w.register(maker, "closed", nil))
	w.must(w.grant(maker, w.person(owner, "Other"), location("open"), "DATA_LOCATION_ACCESS | DATA_LOCATION_ACCESS"))
	w.refused(w.grant(maker, maker, location("closed"), "DATA_LOCATION_ACCESS"), "AccessDeniedException")
	create := func(name, path string) error {
		_, err := w.glue(maker).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name, LocationUri: aws.String("s3://" + path)}})
		return err
	}
	w.must(create("a", "open/a"))
	w.refused(create("b", "closed/b"), "AccessDeniedException", "Insufficient Lake Formation permission(s) on s3://closed/b")
	w.must(create("c", "never/registered"))
	w.must(w.grant(adminOf(owner), maker, location("closed"), "DATA_LOCATION_ACCESS"))
	w.must(create("b", "closed/b"))
}

func TestALocationIsSharedWithAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, location("lake/sales"), "DATA_LOCATION_ACCESS | DATA_LOCATION_ACCESS"))
	w.must(w.grant(adminOf(recipient), analyst, location("lake/sales/orders"), "DATA_LOCATION_ACCESS"))
	w.refused(w.grant(adminOf(stranger), adminOf(stranger), location("lake/sales"), "DATA_LOCATION_ACCESS"), "AccessDeniedException")
	w.must(w.revoke(adminOf(owner), recipient, location("lake/sales"), "DATA_LOCATION_ACCESS"))
	if rows := w.rows(analyst, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}); len(rows) > 0 {
		t.Errorf("left after the revocation: %v", rows)
	}
}

func TestTheServiceLinkedRoleGrowsToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	linked := func(in *lakeformation.RegisterResourceInput) {
		in.RoleArn, in.UseServiceLinkedRole = nil, aws.Bool(true)
	}
	w.must(w.register(admin, "first", linked))
	c := iam.NewFromConfig(w.mesh.Config(admin))
	role, err := c.GetRole(w.ctx, &iam.GetRoleInput{RoleName: aws.String("AWSServiceRoleForLakeFormationDataAccess")})
	w.must(err)
	if *role.Role.Path != "/aws-service-role/lakeformation.amazonaws.com/" {
		t.Errorf("path is %s", *role.Role.Path)
	}
	_, err = w.lake(admin).DeregisterResource(w.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::first")})
	w.refused(err, "InvalidInputException", "Must manually delete service-linked role to deregister last S3 location")
	for i := range 400 {
		if err = w.register(admin, fmt.Sprintf("bucket/%s/%d", strings.Repeat("x", 40), i), linked); err != nil {
			break
		}
	}
	w.refused(err, "ResourceNumberLimitExceededException", "policy size")
}

func TestRegisteredLocationsAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.lake(adminOf(owner))
	w.must(w.register(adminOf(owner), "other/path", nil))
	out, err := c.ListResources(w.ctx, &lakeformation.ListResourcesInput{FilterConditionList: []types.FilterCondition{{
		Field: types.FieldNameStringResourceArn, ComparisonOperator: types.ComparisonOperatorBeginsWith, StringValueList: []string{"arn:aws:s3:::other"},
	}}})
	w.must(err)
	if len(out.ResourceInfoList) != 1 || *out.ResourceInfoList[0].ResourceArn != "arn:aws:s3:::other/path" {
		t.Errorf("resources: %s", pretty(out.ResourceInfoList))
	}
	_, err = c.DescribeResource(w.ctx, &lakeformation.DescribeResourceInput{ResourceArn: aws.String("arn:aws:s3:::other/path/below")})
	w.refused(err, "EntityNotFoundException")
	w.must2(c.DeregisterResource(w.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::other/path")}))
	_, err = c.DeregisterResource(w.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::other/path")})
	w.refused(err, "EntityNotFoundException")
}

// A filter that cannot be is refused, whether there is a location or not; times are read
// for each location anew.
func TestFiltersOfLocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.lake(adminOf(owner))
	list := func(f types.FilterCondition) (int, error) {
		out, err := c.ListResources(w.ctx, &lakeformation.ListResourcesInput{FilterConditionList: []types.FilterCondition{f}})
		if err != nil {
			return 0, err
		}
		return len(out.ResourceInfoList), nil
	}
	before, err := list(types.FilterCondition{Field: types.FieldNameStringResourceArn, ComparisonOperator: types.ComparisonOperatorBeginsWith, StringValueList: []string{"arn:"}})
	w.must(err)
	for _, f := range []types.FilterCondition{
		{Field: types.FieldNameStringResourceArn, ComparisonOperator: "SOUNDS_LIKE", StringValueList: []string{"x"}},
		{Field: types.FieldNameStringResourceArn, ComparisonOperator: "", StringValueList: []string{"x"}},
		{Field: "COLOUR", ComparisonOperator: types.ComparisonOperatorEq, StringValueList: []string{"x"}},
		{Field: types.FieldNameStringLastModified, ComparisonOperator: types.ComparisonOperatorGt, StringValueList: []string{"yesterday"}},
		{Field: types.FieldNameStringRoleArn, ComparisonOperator: types.ComparisonOperatorEq},
	} {
		_, err := list(f)
		w.refused(err, "InvalidInputException")
	}
	for _, path := range []string{"arn:aws:s3:::first-lake", "arn:aws:s3:::second-lake"} {
		w.must2(c.RegisterResource(w.ctx, &lakeformation.RegisterResourceInput{ResourceArn: &path, UseServiceLinkedRole: aws.Bool(true)}))
	}
	after, err := list(types.FilterCondition{Field: types.FieldNameStringLastModified, ComparisonOperator: types.ComparisonOperatorGt, StringValueList: []string{"2000-01-01T00:00:00Z"}})
	w.must(err)
	if after != before+2 {
		t.Errorf("%d locations, want %d", after, before+2)
	}
}
