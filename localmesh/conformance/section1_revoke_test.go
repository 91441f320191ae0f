package conformance_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh/localmesh"
)

// What revoking does, in the account of the recipient and in RAM.
func TestRevocation(t *testing.T) {
	t.Parallel()

	holds(t, "1.10.1", "revoking from an account ends what was handed on inside of it", func(t *testing.T) {
		for name, tt := range map[string]struct {
			on    *types.Resource
			list  string
			after *types.Resource
		}{
			"a table":    {onTable("orders"), "SELECT", onTable("orders")},
			"all tables": {onAllTables(), "SELECT", onTable("orders")},
			"by LF-tag":  {onPolicy(types.ResourceTypeTable, "domain", "sales"), "SELECT", onTable("orders")},
			"insertion":  {onTable("orders"), "INSERT", onTable("orders")},
		} {
			w := newWorld(t)
			w.tag("domain", "sales")
			w.attach(onTable("orders"), "domain", "sales")
			first, second := w.person(recipient, "First"), w.person(recipient, "Second")
			w.must(w.grant(adminOf(owner), recipient, tt.on, tt.list+" | "+tt.list))
			w.accept(recipient)
			w.must(w.grant(adminOf(recipient), first, tt.after, tt.list+" | "+tt.list))
			w.must(w.grant(first, second, tt.after, tt.list))
			w.must(w.sees(second, "orders"))
			w.must(w.revoke(adminOf(owner), recipient, tt.on, tt.list))
			for _, who := range []string{adminOf(recipient), first, second} {
				w.refused(w.sees(who, "orders"), denied)
				if rows := w.rows(who, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}); len(rows) > 0 {
					t.Errorf("%s: left are %v", name, rows)
				}
			}
			// A new grant does not revive what was handed on.
			w.must(w.grant(adminOf(owner), recipient, tt.on, tt.list+" | "+tt.list))
			w.accept(recipient)
			w.must(w.sees(adminOf(recipient), "orders"))
			w.refused(w.sees(first, "orders"), denied)
		}
	})

	holds(t, "1.10.1", "revoking some permissions ends what was handed on of these", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT INSERT | SELECT INSERT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT | SELECT"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT INSERT"))
		w.must(w.grant(adminOf(recipient), analyst, onTable("items"), "SELECT"))
		w.must(w.revoke(adminOf(owner), recipient, onTable("orders"), "INSERT"))
		if rows := w.rowsOf(analyst); !slices.Equal(rows, []string{"Analyst:columns/items/*-:SELECT", "Analyst:columns/orders/*-:SELECT"}) {
			t.Errorf("left are %v", rows)
		}
	})

	holds(t, "1.10.2", "version 1 deletes a grant's share when it is revoked", func(t *testing.T) {
		w := newWorld(t)
		w.version(owner, "1")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		w.accept(recipient)
		w.must(w.revoke(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		if n := len(w.shares()); n != 1 {
			t.Errorf("%d shares", n)
		}
		w.must(w.sees(adminOf(recipient), "items"))
	})

	holds(t, "1.10.2", "from version 2 on a share goes with the last grant of its kind, and a new grant makes another and invites", func(t *testing.T) {
		for _, version := range []string{"2", "3", "4", "5"} {
			w := newWorld(t)
			w.version(owner, version)
			w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
			w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT DESCRIBE"))
			w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
			w.accept(recipient)
			before := w.shareARNs()
			w.must(w.revoke(adminOf(owner), recipient, onTable("orders"), "SELECT DESCRIBE"))
			w.refused(w.sees(adminOf(recipient), "orders"), denied)
			w.must(w.sees(adminOf(recipient), "items"))
			if n := len(w.shares()); n != 2 {
				t.Errorf("version %s: %d shares while a table is granted", version, n)
			}
			w.must(w.revoke(adminOf(owner), recipient, onTable("items"), "SELECT"))
			if n := len(w.shares()); n != 1 {
				t.Errorf("version %s: %d shares without a table", version, n)
			}
			w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
			w.refused(w.sees(adminOf(recipient), "items"), denied)
			again := slices.DeleteFunc(w.shareARNs(), func(arn string) bool { return slices.Contains(before, arn) })
			if len(again) != 1 {
				t.Errorf("version %s: new shares %v", version, again)
			}
			if n := w.accept(recipient); n != 1 {
				t.Errorf("version %s: %d new invitations", version, n)
			}
			w.must(w.sees(adminOf(recipient), "items"))
		}
	})

	holds(t, "1.10.3", "deleting before revoking leaves the share behind, to be deleted by hand", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must2(w.glue(adminOf(owner)).DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("sales")}))
		left := w.shareARNs()
		if len(left) != 2 {
			t.Fatalf("shares %v", left)
		}
		w.refused(w.revoke(adminOf(owner), recipient, onTable("orders"), "SELECT"), invalidInput, "No permissions revoked")
		// What is made anew under the same name is not shared.
		w.database(owner, "sales")
		w.table(owner, "sales", "orders")
		w.refused(w.sees(adminOf(recipient), "orders"), denied)
		for _, arn := range left {
			w.must2(w.ram(adminOf(owner)).DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &arn}))
		}
		if n := len(w.shares()); n != 0 {
			t.Errorf("%d shares", n)
		}
	})

	holds(t, "1.10.4", "revoking what is not granted is refused, and takes nothing", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.refused(w.revoke(adminOf(owner), someone, onTable("orders"), "SELECT"), invalidInput, "No permissions revoked. Grantee has no permissions")
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT INSERT | INSERT"))
		for _, list := range []string{"ALTER", "SELECT ALTER", "| SELECT", "ALL", "DESCRIBE"} {
			w.refused(w.revoke(adminOf(owner), someone, onTable("orders"), list), invalidInput, "No permissions revoked. Grantee")
		}
		w.refused(w.revoke(adminOf(owner), someone, onAllTables(), "SELECT"), invalidInput, "No permissions revoked")
		w.refused(w.revoke(adminOf(owner), someone, onColumns("orders", "id"), "SELECT"), invalidInput, "No permissions revoked")
		if rows := w.rowsOf(someone); !slices.Equal(rows, []string{"Someone:columns/orders/*-:SELECT", "Someone:table/orders:INSERT|INSERT"}) {
			t.Errorf("rows %v", rows)
		}
		out, err := w.lake(adminOf(owner)).BatchRevokePermissions(w.ctx, &lakeformation.BatchRevokePermissionsInput{Entries: []types.BatchPermissionsRequestEntry{
			{Id: aws.String("a"), Principal: &principals(someone)[0], Resource: onTable("items"), Permissions: []types.Permission{"SELECT"}},
			{Id: aws.String("b"), Principal: &principals(someone)[0], Resource: onTable("orders"), Permissions: []types.Permission{"SELECT"}},
		}})
		w.must(err)
		if len(out.Failures) != 1 || *out.Failures[0].RequestEntry.Id != "a" || *out.Failures[0].Error.ErrorCode != invalidInput {
			t.Errorf("failures %s", pretty(out.Failures))
		}
	})

	holds(t, "1.10.5", "an invitation that was missed comes again when the share is deleted and granted anew", func(t *testing.T) {
		w, later := agingWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		later(30 * 24 * time.Hour)
		w.missed(t)
		// The grant is there, and so is the share: granting once more changes nothing.
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		if n := w.accept(recipient); n != 0 {
			t.Errorf("%d new invitations by a repeated grant", n)
		}
		w.must2(w.ram(adminOf(owner)).DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: aws.String(w.shareARNs()[0])}))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		if n := w.accept(recipient); n != 1 {
			t.Errorf("%d new invitations", n)
		}
		w.must(w.sees(adminOf(recipient), "orders"))
	})

	holds(t, "1.10.5", "it comes again when the owner disassociates the account and associates it", func(t *testing.T) {
		for name, miss := range map[string]func(w *world, later func(time.Duration)){
			"expired": func(_ *world, later func(time.Duration)) { later(30 * 24 * time.Hour) },
			"rejected": func(w *world, _ func(time.Duration)) {
				w.must2(w.ram(adminOf(recipient)).RejectResourceShareInvitation(w.ctx, &ram.RejectResourceShareInvitationInput{
					ResourceShareInvitationArn: w.invitations(recipient)[0].ResourceShareInvitationArn,
				}))
			},
		} {
			w, later := agingWorld(t)
			w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
			miss(w, later)
			share := w.shareARNs()[0]
			w.must2(w.ram(adminOf(owner)).AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: &share, Principals: []string{recipient}}))
			again := w.accept(recipient)
			if name == "expired" {
				if again != 1 {
					t.Errorf("%d new invitations after one that lapsed", again)
				}
				continue
			}
			if again != 0 {
				t.Errorf("%s: %d new invitations without disassociating", name, again)
			}
			w.must2(w.ram(adminOf(owner)).DisassociateResourceShare(w.ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, Principals: []string{recipient}}))
			w.must2(w.ram(adminOf(owner)).AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: &share, Principals: []string{recipient}}))
			if n := w.accept(recipient); n != 1 {
				t.Errorf("%s: %d new invitations", name, n)
			}
			w.must(w.sees(adminOf(recipient), "orders"))
		}
	})
}

// agingWorld is a world, and a function that lets time pass in it.
func agingWorld(t testing.TB) (*world, func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	start := time.Now()
	w := newWorld(t, localmesh.WithClock(func() time.Time { return start.Add(time.Duration(passed.Load())) }))
	return w, func(d time.Duration) { passed.Add(int64(d)) }
}

// missed checks that the recipient's only invitation cannot be accepted any more.
func (w *world) missed(t testing.TB) {
	t.Helper()
	_, err := w.ram(adminOf(recipient)).AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{
		ResourceShareInvitationArn: w.invitations(recipient)[0].ResourceShareInvitationArn,
	})
	w.refused(err, "ResourceShareInvitationExpiredException")
}
