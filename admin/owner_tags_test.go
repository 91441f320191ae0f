package admin_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

// keysOf are the keys that belong to a producer.
func keysOf(account string) []string {
	return []string{"domain-" + account, "dataproduct-" + account}
}

func onKey(key string) *types.Resource {
	return &types.Resource{LFTag: &types.LFTagKeyResource{TagKey: aws.String(key), TagValues: []string{"*"}}}
}

func lakeOf(t *testing.T, mesh *localmesh.Mesh, account string) *lakeformation.Client {
	t.Helper()
	return lakeformation.NewFromConfig(as(t, mesh, account, lakemesh.RoleARN(account, "DataMeshProducer"),
		lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(account))))
}

func managerOf(t *testing.T, mesh *localmesh.Mesh) *permissions.Lake {
	t.Helper()
	return &permissions.Lake{Client: lakeformation.NewFromConfig(as(t, mesh, meshAccount, lakemesh.RoleARN(meshAccount, "DataMeshManager"))), Account: meshAccount}
}

// holdersOf are those who may change or assign a key, by what they may.
func holdersOf(t *testing.T, mesh *localmesh.Mesh, key string) map[string]string {
	t.Helper()
	tag := permissions.Tag(meshAccount, key)
	found, err := managerOf(t, mesh).Observe(t.Context(), tag)
	must(t, err)
	holders := map[string]string{}
	for _, e := range found.On(tag) {
		holders[e.Principal] = e.Permissions.String()
		if len(e.Grantable) > 0 {
			holders[e.Principal] += "; grants " + e.Grantable.String()
		}
	}
	return holders
}

func TestNobodyTakesTheKeysOfAnotherProducer(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	meshtest.Before(mesh, func() { bootstrap(t, mesh, otherAccount, admin.Producer) })
	const later = "444444444444"
	other := lakeOf(t, mesh, otherAccount)
	role := lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(otherAccount))
	intruder := &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(role)}
	cfg := as(t, mesh, otherAccount, lakemesh.RoleARN(otherAccount, "DataMeshProducer"), role)
	_, err := glue.NewFromConfig(cfg).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("intruders")}})
	must(t, err)
	for _, key := range slices.Concat(keysOf(producerAccount), keysOf(later)) {
		_, err := other.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String(key), TagValues: []string{"planted"}})
		if err == nil {
			t.Errorf("another producer makes %s", key)
		}
	}
	for _, key := range keysOf(producerAccount) {
		_, err = other.UpdateLFTag(t.Context(), &lakeformation.UpdateLFTagInput{TagKey: aws.String(key), TagValuesToAdd: []string{"planted"}})
		wantDenied(t, "another producer adds a value to "+key, err)
		_, err = other.DeleteLFTag(t.Context(), &lakeformation.DeleteLFTagInput{TagKey: aws.String(key)})
		wantDenied(t, "another producer drops "+key, err)
		out, err := other.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{
			Resource: &types.Resource{Database: &types.DatabaseResource{Name: aws.String("intruders")}},
			LFTags:   []types.LFTagPair{{TagKey: aws.String(key), TagValues: []string{"none"}}}})
		if err == nil && len(out.Failures) == 0 {
			t.Errorf("another producer assigns %s", key)
		}
		for _, p := range []types.Permission{types.PermissionAlter, types.PermissionAssociate, types.PermissionDescribe, types.PermissionDrop} {
			_, err := other.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: intruder, Resource: onKey(key), Permissions: []types.Permission{p}})
			wantDenied(t, fmt.Sprintf("another producer grants %s on %s", p, key), err)
		}
	}
	// An account that is enabled later finds them free.
	bootstrap(t, mesh, later, admin.Producer)
	for _, key := range keysOf(later) {
		if got := holdersOf(t, mesh, key)[role]; got != "" {
			t.Errorf("another producer holds %s on %s", got, key)
		}
	}
	_, err = a.Status(t.Context())
	must(t, err)
}

func TestAProducerUsesItsOwnKeys(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	lake := lakeOf(t, mesh, producerAccount)
	role := lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))
	for _, key := range keysOf(producerAccount) {
		if got := holdersOf(t, mesh, key)[role]; got != "ALTER, ASSOCIATE, DESCRIBE, GRANT_WITH_LF_TAG_EXPRESSION; grants DESCRIBE" {
			t.Errorf("it holds %q on %s", got, key)
		}
		_, err := lake.UpdateLFTag(t.Context(), &lakeformation.UpdateLFTagInput{TagKey: aws.String(key), TagValuesToAdd: []string{"aviation"}})
		wantOK(t, "add a value to "+key, err)
		_, err = lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Resource: onKey(key), Permissions: []types.Permission{types.PermissionDescribe},
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))}})
		wantOK(t, "show "+key, err)
		_, err = lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Resource: onKey(key), Permissions: []types.Permission{types.PermissionAssociate},
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))}})
		wantDenied(t, "let somebody else assign "+key, err)
		_, err = lake.DeleteLFTag(t.Context(), &lakeformation.DeleteLFTagInput{TagKey: aws.String(key)})
		wantDenied(t, "drop "+key, err)
	}
}

// grantAs is one grant, or its end, by the manager.
func grantAs(t *testing.T, mesh *localmesh.Mesh, revoke bool, e permissions.Entry) {
	t.Helper()
	todo, batches := &plan.Plan{Operation: "test"}, managerOf(t, mesh).Batches()
	if revoke {
		batches.Revoke(todo, e)
	} else {
		batches.Grant(todo, e)
	}
	_, err := todo.Apply(t.Context(), plan.Settings{})
	must(t, err)
}

// A mesh that an older version set up: producers may make keys, one has made another's,
// and the other's own is not there.
func TestUpgradingGivesProducersTheirKeys(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	meshtest.Before(mesh, func() { bootstrap(t, mesh, otherAccount, admin.Producer) })
	owner, other := lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(otherAccount))
	all := lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Drop, permissions.Associate, permissions.GrantWithTag, lakemesh.Describe)
	keys := keysOf(producerAccount)
	lake, settings := lakeformation.NewFromConfig(configOf(mesh, meshAccount)), settingsOf(t, mesh, meshAccount)
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(administrator(meshAccount))})
	_, err := lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings})
	must(t, err)
	_, err = lake.DeleteLFTag(t.Context(), &lakeformation.DeleteLFTagInput{TagKey: &keys[1]})
	must(t, err)
	for _, role := range []string{owner, other} {
		grantAs(t, mesh, false, permissions.Entry{Principal: role, Resource: permissions.Catalog(meshAccount), Permissions: lakemesh.NewPermissions(permissions.CreateTag)})
	}
	grantAs(t, mesh, false, permissions.Entry{Principal: other, Resource: permissions.Tag(meshAccount, keys[0]), Permissions: all, Grantable: all})
	grantAs(t, mesh, false, permissions.Entry{Principal: consumerAccount, Resource: permissions.Tag(meshAccount, keys[0]), Permissions: lakemesh.NewPermissions(lakemesh.Describe, permissions.Associate)})
	grantAs(t, mesh, true, permissions.Entry{Principal: owner, Resource: permissions.Tag(meshAccount, keys[0]), Permissions: lakemesh.NewPermissions(lakemesh.Alter)})

	p, err := a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if p.Count(plan.CreateTag) != 1 || p.Count(plan.Revoke) != 5 || p.Count(plan.Grant) != 3 || len(p.Steps) != 9 {
		t.Errorf("plan:\n%s", p)
	}
	for _, says := range []string{"create LF-tag " + keys[1], "CREATE_LF_TAG", other} {
		if !strings.Contains(p.String(), says) {
			t.Errorf("the plan does not speak of %s:\n%s", says, p)
		}
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	if p, err = a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); err != nil || !p.Empty() {
		t.Errorf("left to do:\n%s%v", p, err)
	}
	for _, key := range keys {
		holders := holdersOf(t, mesh, key)
		if holders[owner] != "ALTER, ASSOCIATE, DESCRIBE, GRANT_WITH_LF_TAG_EXPRESSION; grants DESCRIBE" {
			t.Errorf("the owner holds %q on %s", holders[owner], key)
		}
		if got := holders[other]; got != "" && got != "DESCRIBE; grants DESCRIBE" {
			t.Errorf("the other holds %q on %s", got, key)
		}
	}
	// Who only sees the key goes on seeing it.
	if got := holdersOf(t, mesh, keys[0])[consumerAccount]; got != "DESCRIBE" {
		t.Errorf("the consumer holds %q", got)
	}
	_, err = lakeOf(t, mesh, otherAccount).CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String("mine"), TagValues: []string{"x"}})
	wantDenied(t, "make a key after the upgrade", err)
}

func TestTheProducerWhoseKeysDoNotFitIsToldWhichQuota(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	must(t, mesh.SetQuota(meshAccount, "LF-Tags", 5))
	own := adminOf(t, mesh, otherAccount)
	_, err := own.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	must(t, err)
	enable := func() error {
		_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: otherAccount})
		return err
	}
	if err := enable(); !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), "raise the quota") {
		t.Errorf("%v", err)
	}
	must(t, mesh.SetQuota(meshAccount, "LF-Tags", 6))
	wantOK(t, "with room for them", enable())
}
