package kms_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	owner = "111111111111"
	other = "999999999999"
)

// fails checks that a call was refused with a code.
func fails(t *testing.T, what string, err error, code string) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func admin(m *localmesh.Mesh, account string) *kms.Client {
	return kms.NewFromConfig(m.Config("arn:aws:iam::" + account + ":role/Admin"))
}

func makeKey(t *testing.T, client *kms.Client, tags ...types.Tag) string {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.KeyMetadata.KeyId)
}

func TestNamesOfKeysAreMovedAndTakenAway(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	client, ctx := admin(m, owner), t.Context()
	one, two := makeKey(t, client), makeKey(t, client)
	name := aws.String("alias/lake")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	means := func(want string) {
		t.Helper()
		out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: name})
		if err != nil || aws.ToString(out.KeyMetadata.KeyId) != want {
			t.Errorf("the name means %v, %v; want %s", out, err, want)
		}
	}
	_, err := client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: &two})
	fails(t, "moving a name that there is not", err, "NotFoundException")
	must(client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: &one}))
	means(one)
	must(client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: &two}))
	means(two)
	of := func(key string) int {
		t.Helper()
		out, err := client.ListAliases(ctx, &kms.ListAliasesInput{KeyId: &key})
		must(out, err)
		return len(out.Aliases)
	}
	if of(one) != 0 || of(two) != 1 {
		t.Errorf("the keys have %d and %d names, want 0 and 1", of(one), of(two))
	}
	foreign := makeKey(t, admin(m, other))
	_, err = client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: aws.String("arn:aws:kms:us-east-1:" + other + ":key/" + foreign)})
	fails(t, "giving the name to another account's key", err, "AccessDeniedException")
	means(two)
	must(client.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: name}))
	_, err = client.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: name})
	fails(t, "taking it away again", err, "NotFoundException")
}

func TestKeysAreListedInPages(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	client, ctx := admin(m, owner), t.Context()
	want := map[string]bool{}
	for range 7 {
		want[makeKey(t, client)] = true
	}
	makeKey(t, admin(m, other))
	pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{Limit: aws.Int32(3)})
	sizes := ""
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes += fmt.Sprint(len(page.Keys))
		for _, k := range page.Keys {
			if !want[aws.ToString(k.KeyId)] {
				t.Errorf("listed twice, or another account's: %s", aws.ToString(k.KeyArn))
			}
			delete(want, aws.ToString(k.KeyId))
		}
	}
	if sizes != "331" || len(want) > 0 {
		t.Errorf("pages of %s keys; not listed are %v", sizes, want)
	}
	_, err := client.ListKeys(ctx, &kms.ListKeysInput{Marker: aws.String("x")})
	fails(t, "a marker that was not given", err, "InvalidMarkerException")
	_, err = client.ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(1001)})
	fails(t, "too large pages", err, "ValidationException")
}

func TestRotationIsKept(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	client, ctx := admin(m, owner), t.Context()
	key := makeKey(t, client)
	for _, days := range []int32{89, 2561} {
		_, err := client.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: &key, RotationPeriodInDays: &days})
		fails(t, fmt.Sprint(days), err, "ValidationException")
	}
	if _, err := client.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: &key, RotationPeriodInDays: aws.Int32(90)}); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: &key})
	if err != nil || !out.KeyRotationEnabled || aws.ToInt32(out.RotationPeriodInDays) != 90 {
		t.Errorf("it is %+v, %v", out, err)
	}
	if _, err := client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &key}); err != nil {
		t.Fatal(err)
	}
	_, err = client.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: &key})
	fails(t, "of a disabled key", err, "DisabledException")
	_, err = admin(m, other).EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: aws.String("arn:aws:kms:us-east-1:" + owner + ":key/" + key)})
	fails(t, "by another account", err, "AccessDeniedException")
}

func TestTagsOfKeysAreConditions(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	ctx := t.Context()
	client := admin(m, owner)
	tag := func(value string) types.Tag {
		return types.Tag{TagKey: aws.String("team"), TagValue: aws.String(value)}
	}
	mine, theirs := makeKey(t, client, tag("lake")), makeKey(t, client, tag("sea"))
	role := iam.NewFromConfig(m.Config("arn:aws:iam::" + owner + ":role/Admin"))
	if _, err := role.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("Lake"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"sts:AssumeRole"}]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := role.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Lake"), PolicyName: aws.String("own"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[
		  {"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"lake"}}},
		  {"Effect":"Allow","Action":["kms:CreateKey","kms:TagResource"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"lake"}}}]}`)}); err != nil {
		t.Fatal(err)
	}
	lake := kms.NewFromConfig(m.Config("arn:aws:iam::" + owner + ":role/Lake"))
	if _, err := lake.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: &mine}); err != nil {
		t.Error(err)
	}
	_, err := lake.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: &theirs})
	fails(t, "another team's key", err, "AccessDeniedException")
	_, err = lake.TagResource(ctx, &kms.TagResourceInput{KeyId: &theirs, Tags: []types.Tag{tag("sea")}})
	fails(t, "another team's tag", err, "AccessDeniedException")
	makeKey(t, lake, tag("lake"))
	_, err = lake.CreateKey(ctx, &kms.CreateKeyInput{Tags: []types.Tag{tag("sea")}})
	fails(t, "a key of another team", err, "AccessDeniedException")
	_, err = client.TagResource(ctx, &kms.TagResourceInput{KeyId: &mine, Tags: []types.Tag{{TagKey: aws.String("aws:x"), TagValue: aws.String("y")}}})
	fails(t, "a tag of AWS's", err, "TagException")
	if _, err := client.UntagResource(ctx, &kms.UntagResourceInput{KeyId: &mine, TagKeys: []string{"team"}}); err != nil {
		t.Fatal(err)
	}
	_, err = lake.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: &mine})
	fails(t, "a key that is nobody's", err, "AccessDeniedException")
}
