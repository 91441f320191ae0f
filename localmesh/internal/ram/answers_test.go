package ram_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
)

// Listings have their member also where they are empty.
func TestEmptyListings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as(admin(stranger))
	shares, err := c.GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf})
	w.must(err)
	associations, err := c.GetResourceShareAssociations(w.ctx, &ram.GetResourceShareAssociationsInput{AssociationType: types.ResourceShareAssociationTypePrincipal})
	w.must(err)
	invitations, err := c.GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{})
	w.must(err)
	resources, err := c.ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerSelf})
	w.must(err)
	principals, err := c.ListPrincipals(w.ctx, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerOtherAccounts})
	w.must(err)
	permissions, err := c.ListPermissions(w.ctx, &ram.ListPermissionsInput{ResourceType: aws.String("ec2:Subnet")})
	w.must(err)
	if shares.ResourceShares == nil || associations.ResourceShareAssociations == nil || invitations.ResourceShareInvitations == nil ||
		resources.Resources == nil || principals.Principals == nil || permissions.Permissions == nil || len(permissions.Permissions) != 0 {
		t.Errorf("%v %v %v %v %v %v", shares.ResourceShares, associations.ResourceShareAssociations, invitations.ResourceShareInvitations,
			resources.Resources, principals.Principals, permissions.Permissions)
	}
}

func TestWhatRAMDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as(admin(owner))
	w.share("s")
	unknown := []string{"arn:aws:ram:us-east-1:" + owner + ":resource-share/00000000-0000-4000-8000-000000000000"}
	for _, side := range []types.ResourceOwner{types.ResourceOwnerSelf, types.ResourceOwnerOtherAccounts} {
		_, err := c.GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: side, ResourceShareArns: unknown})
		w.refused(err, "UnknownResourceException")
		_, err = c.ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: side, ResourceShareArns: unknown})
		w.refused(err, "UnknownResourceException")
		_, err = c.ListPrincipals(w.ctx, &ram.ListPrincipalsInput{ResourceOwner: side, ResourceShareArns: unknown})
		w.refused(err, "UnknownResourceException")
	}
	for _, kind := range []string{"glue:Tables", "bogus", "", "s3:Bucket"} {
		_, err := c.ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerSelf, ResourceType: &kind})
		w.refused(err, "InvalidParameterException")
		_, err = c.ListPrincipals(w.ctx, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerSelf, ResourceType: &kind})
		w.refused(err, "InvalidParameterException")
		_, err = c.ListPermissions(w.ctx, &ram.ListPermissionsInput{ResourceType: &kind})
		w.refused(err, "InvalidParameterException")
	}
	_, err := c.ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerSelf, ResourceRegionScope: "NOWHERE"})
	w.refused(err, "InvalidParameterException")
	global, err := c.ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerSelf, ResourceRegionScope: types.ResourceRegionScopeFilterGlobal})
	w.must(err)
	regional, err := c.ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerSelf, ResourceRegionScope: types.ResourceRegionScopeFilterRegional, ResourceType: aws.String("glue:database")})
	w.must(err)
	if len(global.Resources) != 0 || len(regional.Resources) != 1 {
		t.Errorf("global %v, regional %v", global.Resources, regional.Resources)
	}
	tables, err := c.ListPrincipals(w.ctx, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerSelf, ResourceType: aws.String("glue:Table")})
	w.must(err)
	databases, err := c.ListPrincipals(w.ctx, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerSelf, ResourceType: aws.String("glue:Database")})
	w.must(err)
	if len(tables.Principals) != 0 || len(databases.Principals) != 1 {
		t.Errorf("of tables %v, of databases %v", tables.Principals, databases.Principals)
	}
	_, err = c.GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf, PermissionVersion: aws.Int32(1)})
	w.refused(err, "InvalidParameterException")
	_, err = c.GetPermission(w.ctx, &ram.GetPermissionInput{PermissionArn: aws.String("arn:aws:ram::aws:permission/None")})
	w.refused(err, "UnknownResourceException")
	_, err = c.GetPermission(w.ctx, &ram.GetPermissionInput{PermissionArn: aws.String("None")})
	w.refused(err, "MalformedArnException")
	got, err := c.GetPermission(w.ctx, &ram.GetPermissionInput{PermissionArn: aws.String("arn:aws:ram::aws:permission/AWSRAMDefaultPermissionGlueTable")})
	w.must(err)
	if *got.Permission.ResourceType != "glue:Table" || !*got.Permission.IsResourceTypeDefault {
		t.Errorf("permission is %+v", got.Permission)
	}
}

func TestTagsOfShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, share := w.as(admin(owner)), w.share("s")
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}, {Key: aws.String("stage"), Value: aws.String("b")}}
	_, err := c.TagResource(w.ctx, &ram.TagResourceInput{ResourceShareArn: &share, Tags: tags})
	w.must(err)
	_, err = c.UntagResource(w.ctx, &ram.UntagResourceInput{ResourceArn: &share, TagKeys: []string{"stage", "none"}})
	w.must(err)
	filter := func(value string) int {
		out, err := c.GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf, TagFilters: []types.TagFilter{{TagKey: aws.String("team"), TagValues: []string{value}}}})
		w.must(err)
		return len(out.ResourceShares)
	}
	if filter("a") != 1 || filter("b") != 0 {
		t.Error("the tags are not those that were put")
	}
	_, err = w.as(admin(stranger)).TagResource(w.ctx, &ram.TagResourceInput{ResourceShareArn: &share, Tags: tags})
	w.refused(err, "UnknownResourceException")
	_, err = c.TagResource(w.ctx, &ram.TagResourceInput{Tags: tags})
	w.refused(err, "InvalidParameterException")
	_, err = c.TagResource(w.ctx, &ram.TagResourceInput{ResourceShareArn: &share, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}}})
	w.refused(err, "InvalidParameterException")
	many := make([]types.Tag, 0, 60)
	for i := range 60 {
		many = append(many, types.Tag{Key: aws.String(string(rune('A'+i%26)) + string(rune('a'+i/26))), Value: aws.String("v")})
	}
	_, err = c.TagResource(w.ctx, &ram.TagResourceInput{ResourceShareArn: &share, Tags: many})
	w.refused(err, "TagLimitExceededException")
}
