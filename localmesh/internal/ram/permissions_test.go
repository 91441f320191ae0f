package ram_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
)

func permission(name string) *string { return aws.String("arn:aws:ram::aws:permission/" + name) }

// permissions are the names of a share's managed permissions.
func (w *world) permissions(share string) []string {
	w.Helper()
	out, err := w.as(admin(owner)).ListResourceSharePermissions(w.ctx, &ram.ListResourceSharePermissionsInput{ResourceShareArn: &share})
	w.must(err)
	var names []string
	for _, p := range out.Permissions {
		names = append(names, *p.Name)
	}
	slices.Sort(names)
	return names
}

func (w *world) put(by, share, name string, replace bool) error {
	_, err := w.as(by).AssociateResourceSharePermission(w.ctx, &ram.AssociateResourceSharePermissionInput{ResourceShareArn: &share, PermissionArn: permission(name), Replace: &replace})
	return err
}

func (w *world) take(by, share, name string) error {
	_, err := w.as(by).DisassociateResourceSharePermission(w.ctx, &ram.DisassociateResourceSharePermissionInput{ResourceShareArn: &share, PermissionArn: permission(name)})
	return err
}

func TestAShareHasOnePermissionAResourceType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share("s")
	same := func(want ...string) {
		t.Helper()
		if got := w.permissions(share); !slices.Equal(got, want) {
			t.Errorf("the permissions are %v, want %v", got, want)
		}
	}
	same("AWSRAMDefaultPermissionGlueDatabase")
	w.refused(w.put(admin(owner), share, "AWSRAMLFEnabledGlueDatabaseReadWrite", false), "InvalidParameterException")
	w.must(w.put(admin(owner), share, "AWSRAMLFEnabledGlueDatabaseReadWrite", true))
	same("AWSRAMLFEnabledGlueDatabaseReadWrite")
	// Another type's comes beside it.
	w.must(w.put(admin(owner), share, "AWSRAMLFEnabledGlueTableReadWrite", false))
	same("AWSRAMLFEnabledGlueDatabaseReadWrite", "AWSRAMLFEnabledGlueTableReadWrite")
	// What serves a resource stays.
	w.refused(w.take(admin(owner), share, "AWSRAMLFEnabledGlueDatabaseReadWrite"), "InvalidStateTransitionException")
	w.must(w.take(admin(owner), share, "AWSRAMLFEnabledGlueTableReadWrite"))
	w.refused(w.take(admin(owner), share, "AWSRAMLFEnabledGlueTableReadWrite"), "UnknownResourceException")
	same("AWSRAMLFEnabledGlueDatabaseReadWrite")
	_, err := w.as(admin(owner)).DisassociateResourceShare(w.ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, ResourceArns: []string{databaseARN("a")}})
	w.must(err)
	w.must(w.take(admin(owner), share, "AWSRAMLFEnabledGlueDatabaseReadWrite"))
	same()
}

func TestPermissionsOfSharesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share("s")
	c := w.as(admin(owner))
	w.refused(w.put(admin(owner), share, "None", true), "UnknownResourceException")
	w.refused(w.put(admin(receiver), share, "AWSRAMLFEnabledGlueDatabaseReadWrite", true), "UnknownResourceException")
	w.refused(w.take(admin(receiver), share, "AWSRAMDefaultPermissionGlueDatabase"), "UnknownResourceException")
	w.refused(w.put(admin(owner), "arn:aws:ram:us-east-1:"+owner+":resource-share/none", "AWSRAMLFEnabledGlueDatabaseReadWrite", true), "UnknownResourceException")
	w.refused(w.put(admin(owner), "none", "AWSRAMLFEnabledGlueDatabaseReadWrite", true), "MalformedArnException")
	_, err := c.AssociateResourceSharePermission(w.ctx, &ram.AssociateResourceSharePermissionInput{ResourceShareArn: &share, PermissionArn: aws.String("none")})
	w.refused(err, "MalformedArnException")
	_, err = c.AssociateResourceSharePermission(w.ctx, &ram.AssociateResourceSharePermissionInput{
		ResourceShareArn: &share, PermissionArn: permission("AWSRAMLFEnabledGlueDatabaseReadWrite"), PermissionVersion: aws.Int32(2), Replace: aws.Bool(true),
	})
	w.refused(err, "UnknownResourceException")
	// A client token is for one request.
	token := func(name string) error {
		_, err := c.AssociateResourceSharePermission(w.ctx, &ram.AssociateResourceSharePermissionInput{
			ResourceShareArn: &share, PermissionArn: permission(name), Replace: aws.Bool(true), ClientToken: aws.String("token"),
		})
		return err
	}
	w.must(token("AWSRAMLFEnabledGlueDatabaseReadWrite"))
	w.must(token("AWSRAMLFEnabledGlueDatabaseReadWrite"))
	w.refused(token("AWSRAMDefaultPermissionGlueDatabase"), "IdempotentParameterMismatchException")
}

// As in AWS's policy AWSLakeFormationCrossAccountManager.
func TestConditionsOnPermissionsOfSharesHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ours, other := w.share("LakeFormation-1"), w.share("other")
	c := iam.NewFromConfig(w.mesh.Config(admin(owner)))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"sts:AssumeRole"}]}`
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ram:AssociateResourceSharePermission","ram:DisassociateResourceSharePermission"],"Resource":"*",
		"Condition":{"ArnLike":{"ram:PermissionArn":"arn:aws:ram::aws:permission/AWSRAMLFEnabled*"},"StringLike":{"ram:ResourceShareName":"LakeFormation*"}}}]}`
	_, err := c.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: aws.String("Manager"), AssumeRolePolicyDocument: &trust})
	w.must(err)
	_, err = c.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Manager"), PolicyName: aws.String("p"), PolicyDocument: &policy})
	w.must(err)
	manager := "arn:aws:iam::" + owner + ":role/Manager"
	w.refused(w.put(manager, other, "AWSRAMLFEnabledGlueDatabaseReadWrite", true), "AccessDeniedException")
	w.refused(w.put(manager, ours, "AWSRAMDefaultPermissionGlueTable", true), "AccessDeniedException")
	w.refused(w.take(manager, ours, "AWSRAMDefaultPermissionGlueDatabase"), "AccessDeniedException")
	w.must(w.put(manager, ours, "AWSRAMLFEnabledGlueTableReadWrite", false))
	w.must(w.take(manager, ours, "AWSRAMLFEnabledGlueTableReadWrite"))
}
