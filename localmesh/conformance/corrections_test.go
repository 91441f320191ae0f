package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// associate associates a principal with the owner's only share.
func (w *world) associate(principal string) error {
	_, err := w.ram(adminOf(owner)).AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: aws.String(w.shareARNs()[0]), Principals: []string{principal}})
	return err
}

// https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html
func TestLapsedInvitations(t *testing.T) {
	t.Parallel()

	holds(t, "5.4.3", "whose invitation lapsed is disassociated, and is invited again when it is associated", func(t *testing.T) {
		w, later := agingWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		later(12 * time.Hour)
		w.missed(t)
		if a := w.associations(ramtypes.ResourceShareAssociationTypePrincipal); len(a) != 1 || a[0].Status != ramtypes.ResourceShareAssociationStatusDisassociated {
			t.Errorf("associations %s", pretty(a))
		}
		w.must(w.associate(recipient))
		if n := w.accept(recipient); n != 1 {
			t.Errorf("%d new invitations", n)
		}
		w.must(w.sees(adminOf(recipient), "orders"))
	})

	holds(t, "8.29", "or stays in the share as FAILED, and is invited again only after it was disassociated", func(t *testing.T) {
		now := time.Now()
		w := newWorld(t, localmesh.WithReadings(localmesh.Readings{LapsedInvitationsFail: true}), localmesh.WithClock(func() time.Time { return now }))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		now = now.Add(12 * time.Hour)
		if a := w.associations(ramtypes.ResourceShareAssociationTypePrincipal); len(a) != 1 || a[0].Status != ramtypes.ResourceShareAssociationStatusFailed {
			t.Errorf("associations %s", pretty(a))
		}
		w.must(w.associate(recipient))
		if n := w.accept(recipient); n != 0 {
			t.Errorf("%d new invitations", n)
		}
	})
}

// https://docs.aws.amazon.com/general/latest/gr/ram.html
func TestQuotasOfRAM(t *testing.T) {
	t.Parallel()
	const exceeded = "ResourceShareLimitExceededException"

	holds(t, "5.4.4", "shares, associations and open invitations are counted", func(t *testing.T) {
		w := newWorld(t)
		create := func(principals ...string) error {
			_, err := w.ram(adminOf(owner)).CreateResourceShare(w.ctx, &ram.CreateResourceShareInput{Name: aws.String("s"), Principals: principals,
				ResourceArns: []string{"arn:aws:glue:us-east-1:" + owner + ":database/sales"}})
			return err
		}
		for quota, refused := range map[string]func() error{
			"resource shares":        func() error { return create() },
			"resource associations":  func() error { return create() },
			"resources of a share":   func() error { return create() },
			"principal associations": func() error { return create(recipient) },
			"principals of a share":  func() error { return create(recipient) },
			"pending invitations":    func() error { return create(recipient) },
		} {
			w.must(w.mesh.SetQuota(owner, quota, 0))
			w.refused(refused(), exceeded)
			w.must(w.mesh.SetQuota(owner, quota, 1))
		}
		w.must(create(recipient))
		w.refused(create(), exceeded)
		w.must2(w.ram(adminOf(owner)).DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: aws.String(w.shareARNs()[0])}))
		w.must(create(recipient))
		w.must(w.mesh.SetQuota(owner, "resource shares", 2))
		w.must(w.mesh.SetQuota(owner, "resource associations", 2))
		w.must(w.mesh.SetQuota(owner, "principal associations", 2))
		w.refused(create(stranger), exceeded)
		w.accept(recipient)
		w.must(create(stranger))
	})

	holds(t, "5.2.5", "a share that is full is followed by another one", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.mesh.SetQuota(owner, "resources of a share", 1))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		if n := w.accept(recipient); n != 2 {
			t.Errorf("%d invitations", n)
		}
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "INSERT"))
		w.must(w.sees(adminOf(recipient), "orders"))
		w.must(w.sees(adminOf(recipient), "items"))
		if n := len(w.shareARNs()); n != 2 {
			t.Errorf("%d shares", n)
		}
		w.must(w.mesh.SetQuota(owner, "resource shares", 2))
		w.refused(w.grant(adminOf(owner), stranger, onTable("orders"), "SELECT"), exceeded)
	})
}

// https://docs.aws.amazon.com/general/latest/gr/lake-formation.html
func TestQuotasOfLocations(t *testing.T) {
	t.Parallel()

	holds(t, "5.2.6", "paths are counted, and are neither too long nor too deep", func(t *testing.T) {
		w := newWorld(t)
		register := func(path string) error {
			_, err := w.lake(adminOf(owner)).RegisterResource(w.ctx, &lakeformation.RegisterResourceInput{
				ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"),
			})
			return err
		}
		w.refused(register("lake/"+strings.Repeat("x", 696)), invalidInput, "700")
		w.must(register("lake/" + strings.Repeat("x", 695)))
		w.refused(register("lake"+strings.Repeat("/x", 21)), invalidInput, "20")
		w.must(register("lake" + strings.Repeat("/x", 20)))
		w.must(w.mesh.SetQuota(owner, "registered paths", 4))
		w.must(register("lake/fourth"))
		w.refused(register("lake/fifth"), "ResourceNumberLimitExceededException")
	})
}

func TestColumnsBesideWiderGrants(t *testing.T) {
	t.Parallel()
	for _, accepted := range []bool{false, true} {
		holds(t, "8.30", fmt.Sprintf("columns for whom holds more are refused, or worth nothing: %t", accepted), func(t *testing.T) {
			w := newWorld(t, localmesh.WithReadings(localmesh.Readings{ColumnsBesideWiderGrants: accepted}))
			someone := w.person(owner, "Someone")
			w.must(w.grant(adminOf(owner), someone, onTable("orders"), "ALL"))
			err := w.grant(adminOf(owner), someone, onColumns("orders", "id"), "SELECT")
			if !accepted {
				w.refused(err, invalidInput)
				return
			}
			w.must(err)
			w.sameList(w.columns(someone, "orders"), []string{"id", "customer", "price"})
		})
	}
}

// https://docs.aws.amazon.com/lake-formation/latest/dg/identity-center-lf-notes.html
func TestIdentityCenterPrincipals(t *testing.T) {
	t.Parallel()

	holds(t, "1.4.5", "users and groups are granted to on what the account owns, not on what is shared with it", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.accept(recipient)
		for _, who := range []string{"arn:aws:identitystore:::user/1", "arn:aws:identitystore:::group/1"} {
			w.must(w.grant(adminOf(owner), who, onTable("orders"), "SELECT"))
			w.refused(w.grant(adminOf(recipient), who, onTable("orders"), "SELECT"), invalidInput, "Cross-account grants are not supported for the principal.")
		}
		w.refused(w.grant(adminOf(owner), "arn:aws:identitystore:::user/", onTable("orders"), "SELECT"), invalidInput)
		if n := len(w.shareARNs()); n != 1 {
			t.Errorf("%d shares", n)
		}
	})

	holds(t, "1.4.5", "they are listed without a principal only", func(t *testing.T) {
		w := newWorld(t)
		user, group := "arn:aws:identitystore:::user/1", "arn:aws:identitystore:::group/1"
		for _, who := range []string{user, group} {
			w.must(w.grant(adminOf(owner), who, onTable("orders"), "SELECT"))
		}
		w.sameList(w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders"), Principal: &principals(group)[0]}), []string{})
		_, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{Resource: onTable("orders"), Principal: &principals(user)[0]})
		w.refused(err, invalidInput, "AccountId cannot be null or empty")
		rows := strings.Join(w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders")}), " ")
		for _, want := range []string{"user/1:", "group/1:"} {
			if name := want[strings.IndexByte(want, '/')+1:]; strings.Count(rows, name) != 2 {
				t.Errorf("rows %s lack %s", rows, want)
			}
		}
		w.must(w.revoke(adminOf(owner), group, onTable("orders"), "SELECT"))
	})
}

func TestTagsOfOthersAreListedOnPagesOfTheirOwn(t *testing.T) {
	t.Parallel()

	holds(t, "1.9.10", "the first page may be empty", func(t *testing.T) {
		w := newWorld(t)
		w.tag("k", "all")
		w.must(w.grant(adminOf(owner), recipient, onTag("k", "all"), "DESCRIBE"))
		in := &lakeformation.ListPermissionsInput{ResourceType: types.DataLakeResourceTypeLfTag}
		first, err := w.lake(adminOf(recipient)).ListPermissions(w.ctx, in)
		w.must(err)
		if len(first.PrincipalResourcePermissions) != 0 || first.NextToken == nil {
			t.Errorf("first page %s", pretty(first))
		}
		w.sameList(w.rows(adminOf(recipient), in), []string{recipient + ":tag/k=all:DESCRIBE"})
		own, err := w.lake(adminOf(stranger)).ListPermissions(w.ctx, in)
		w.must(err)
		if len(own.PrincipalResourcePermissions) != 0 || own.NextToken != nil {
			t.Errorf("where nobody shares: %s", pretty(own))
		}
	})
}
