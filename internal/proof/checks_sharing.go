package proof

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// pending are the open invitations of the recipient from the owner.
func (t *Try) pending() ([]ramtypes.ResourceShareInvitation, error) {
	var open []ramtypes.ResourceShareInvitation
	pages := ram.NewGetResourceShareInvitationsPaginator(ramOf(t.recipient().config), &ram.GetResourceShareInvitationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.ctx)
		if err != nil {
			return nil, err
		}
		for _, i := range page.ResourceShareInvitations {
			if i.Status == ramtypes.ResourceShareInvitationStatusPending && aws.ToString(i.SenderAccountId) == t.owner().ID {
				open = append(open, i)
			}
		}
	}
	return open, nil
}

// accept accepts invitations, n of them at least, and waits for them for as long as that may take;
// it tells how many there were. Inside of an organization that has sharing enabled there are none.
func (t *Try) accept(n int) int {
	accepted := 0
	_, _ = t.until(t.patience/2, func() error { // That there are fewer is an answer.
		open, err := t.pending()
		if err != nil {
			return err
		}
		for _, i := range open {
			_, err := ramOf(t.recipient().config).AcceptResourceShareInvitation(t.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})
			if err != nil && !awserr.Is(err, "ResourceShareInvitationAlreadyAcceptedException") {
				return err
			}
			accepted++
		}
		if accepted < n {
			return errors.New("an invitation is missing")
		}
		return nil
	})
	return accepted
}

// shares are the owner's active shares with the recipient.
func (t *Try) shares() ([]ramtypes.ResourceShare, error) {
	var all []ramtypes.ResourceShare
	associations := map[string]bool{}
	principals := ram.NewListPrincipalsPaginator(ramOf(t.owner().config), &ram.ListPrincipalsInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	for principals.HasMorePages() {
		page, err := principals.NextPage(t.ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Principals {
			if strings.Contains(aws.ToString(p.Id), t.recipient().ID) {
				associations[aws.ToString(p.ResourceShareArn)] = true
			}
		}
	}
	pages := ram.NewGetResourceSharesPaginator(ramOf(t.owner().config), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareStatus: ramtypes.ResourceShareStatusActive})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.ResourceShares {
			if associations[aws.ToString(s.ResourceShareArn)] {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

func (t *Try) countShares() (string, error) {
	shares, err := t.shares()
	return fmt.Sprint(len(shares)), err
}

// foreign are the databases of other accounts that somebody of the recipient's account is shown.
func (t *Try) foreign(who aws.Config, kind gluetypes.ResourceShareType) func() (string, error) {
	return func() (string, error) {
		var names []string
		pages := glue.NewGetDatabasesPaginator(glueOf(who), &glue.GetDatabasesInput{ResourceShareType: kind})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.ctx)
			if err != nil {
				return "", err
			}
			for _, d := range page.DatabaseList {
				if aws.ToString(d.CatalogId) == t.owner().ID {
					names = append(names, aws.ToString(d.Name))
				}
			}
		}
		return strings.Join(names, " "), nil
	}
}

func (t *Try) sharedTables(who aws.Config) func() (string, error) {
	return func() (string, error) {
		out, err := glueOf(who).GetTables(t.ctx, &glue.GetTablesInput{CatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database())})
		if err != nil {
			return "", err
		}
		var names []string
		for _, found := range out.TableList {
			names = append(names, aws.ToString(found.Name))
		}
		slices.Sort(names)
		return strings.Join(names, " "), nil
	}
}

func sharingChecks() []Check {
	return []Check{{
		Name:  "sharing with another account",
		Rules: []string{"1.5.1", "1.3.1", "1.3.2", "1.2.1", "1.2.2", "1.2.4", "1.2.5", "1.3.3", "1.3.5", "7.2.1", "7.2.2", "1.5.2", "1.5.3", "1.5.4", "1.5.5", "1.5.8", "1.9.6", "6.2.19", "6.2.21", "1.10.1", "1.10.2", "1.6.8"},
		Doubt: "Accounts that are in no organization are invited; the database's share and the tables' come with one invitation each, and later products with none. Names of shares begin with LakeFormation.",
		Run: func(t *Try) {
			t.version("2")
			tom, admin := t.people["tom"], t.recipientAdmin()
			to := t.recipient().ID
			t.given(to, t.onDatabase(t.database()), "DESCRIBE | DESCRIBE")
			t.given(to, t.onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.about("1.3.1")
			t.equal("grants make shares", func() (string, error) {
				shares, err := t.shares()
				return fmt.Sprint(len(shares) > 0), err
			}, "true")
			t.about("1.2.1")
			t.equal("one for databases and one for tables", t.countShares, "2")
			t.about("1.2.4")
			t.equal("their names begin with LakeFormation-", func() (string, error) {
				shares, err := t.shares()
				for _, s := range shares {
					if !strings.HasPrefix(aws.ToString(s.Name), "LakeFormation-") {
						return aws.ToString(s.Name), err
					}
				}
				return "LakeFormation-", err
			}, "LakeFormation-")
			t.about("1.2.5")
			t.equal("they have Lake Formation's managed permissions", t.sharePermissions, "AWSRAMLFEnabledGlueDatabaseReadWrite AWSRAMLFEnabledGlueTableReadWrite")
			t.about("1.5.1")
			t.refused("a table is seen before the invitation is accepted", t.sees(admin, "orders"), deniedCode)
			t.about("1.3.5")
			t.equal("the principal is ASSOCIATING until then", t.principalStatus, "ASSOCIATING")
			t.about("1.3.2")
			invited := t.accept(2)
			t.equal("the recipient is invited", func() (string, error) { return fmt.Sprint(invited > 0), nil }, "true")
			t.reads("sharing-needs-no-invitation")
			t.about("1.2.2")
			t.equal("with two invitations for the first product", func() (string, error) { return fmt.Sprint(invited), nil }, "2")
			t.reads("sharing-needs-no-invitation")
			t.about("7.2.1")
			t.equal("the principal is ASSOCIATED afterwards", t.principalStatus, "ASSOCIATED")
			t.about("1.5.2")
			t.done("its data lake administrator sees the table", t.sees(admin, "orders"))
			t.refused("nobody else of the account sees it", t.sees(tom, "orders"), deniedCode)
			t.about("7.2.2")
			t.equal("GetTables lists what is shared", t.sharedTables(admin), "orders")
			t.about("1.3.3")
			t.refused("what was accepted is seen by others than its administrators", t.sees(tom, "orders"), deniedCode)
			t.about("1.5.8")
			t.equal("GetDatabases shows it on request", t.foreign(admin, gluetypes.ResourceShareTypeForeign), t.database())
			t.equal("and not without", t.foreign(admin, ""), "")
			t.about("1.2.2")
			t.given(to, t.onTable("items"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.done("a second product is seen without an invitation", t.sees(admin, "items"))
			t.about("1.2.1")
			t.equal("it extends the share that there is", t.countShares, "2")
			t.about("1.9.6")
			t.equal("rows of what is shared name the share", t.detail, "true")
			t.about("1.5.5")
			t.need(t.revoke(t.admin(), to, t.onDatabase(t.database()), "DESCRIBE"))
			t.refused("a grant on tables lets another account describe the database", t.seesDatabase(admin, t.database()), deniedCode)
			t.about("1.5.3")
			third := t.third().ID
			t.refused("the recipient shares with another account", func() error { return t.grant(admin, third, t.onTable("orders"), "SELECT") }, deniedCode)
			t.about("1.5.4")
			t.refused("it hands on what it was not granted", func() error { return t.grant(admin, t.arns["tom"], t.onTable("orders"), "ALTER") }, deniedCode)
			t.done("it hands on what it was granted with the option", func() error { return t.grant(admin, t.arns["tom"], t.onTable("orders"), "SELECT") })
			t.about("1.5.2")
			t.done("whom it was handed on to sees the table", t.sees(tom, "orders"))
			t.about("1.10.1")
			t.need(t.revoke(t.admin(), to, t.onTable("orders"), "SELECT DESCRIBE"))
			t.refused("revoking from the account ends what was handed on", t.sees(tom, "orders"), deniedCode)
			t.given(to, t.onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.done("the account has it again after a new grant", t.sees(admin, "orders"))
			t.refused("and what was handed on does not come back", t.sees(tom, "orders"), deniedCode)
			t.about("1.10.2")
			t.need(t.revoke(t.admin(), to, t.onTable("orders"), "SELECT DESCRIBE"))
			t.need(t.revoke(t.admin(), to, t.onTable("items"), "SELECT DESCRIBE"))
			t.equal("the share goes with the last grant of its kind", t.countShares, "0")
			t.about("6.2.21")
			t.refused("an invitation that is not there is accepted", func() error {
				return only(ramOf(t.recipient().config).AcceptResourceShareInvitation(t.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: aws.String(
					partition + "ram:" + t.owner().Region + ":" + t.owner().ID + ":resource-share-invitation/00000000-0000-0000-0000-000000000000")}))
			}, "ResourceShareInvitationArnNotFoundException")
			t.about("1.6.8")
			t.given(to, t.onDatabase(t.database()), "CREATE_TABLE DESCRIBE | CREATE_TABLE DESCRIBE")
			t.accept(1)
			t.soon("handing CREATE_TABLE on", func() error { return t.grant(admin, t.arns["tom"], t.onDatabase(t.database()), "CREATE_TABLE") })
			t.soon("a table of the recipient's", func() error {
				return already(only(glueOf(tom).CreateTable(t.ctx, &glue.CreateTableInput{CatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()),
					TableInput: t.tableAt("theirs", t.path("free/theirs"), "id")})))
			})
			t.undo(func() error {
				if err := t.grant(t.admin(), t.adminARN(Mesh), t.onTable("theirs"), "DROP"); err != nil {
					return err
				}
				return only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: aws.String(t.database()), Name: aws.String("theirs")}))
			})
			t.refused("whoever makes a table in a shared database shares it with a third account", func() error { return t.grant(tom, third, t.onTable("theirs"), "SELECT") }, deniedCode)
			t.done("the owner's administrator grants on it inside its account", func() error { return t.grant(t.admin(), t.arns["bob"], t.onTable("theirs"), "SELECT") })
			t.about("6.2.19")
			t.refused("an invitation is accepted twice", t.acceptedAgain, "ResourceShareInvitationAlreadyAcceptedException")
		},
	}}
}

// acceptedAgain accepts an invitation of the owner that was accepted already.
func (t *Try) acceptedAgain() error {
	pages := ram.NewGetResourceShareInvitationsPaginator(ramOf(t.recipient().config), &ram.GetResourceShareInvitationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.ctx)
		if err != nil {
			return err
		}
		for _, i := range page.ResourceShareInvitations {
			if i.Status == ramtypes.ResourceShareInvitationStatusAccepted && aws.ToString(i.SenderAccountId) == t.owner().ID {
				return only(ramOf(t.recipient().config).AcceptResourceShareInvitation(t.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn}))
			}
		}
	}
	return ownError{"no invitation was accepted"}
}

// sharePermissions are the managed permissions of the owner's shares with the recipient.
func (t *Try) sharePermissions() (string, error) {
	shares, err := t.shares()
	if err != nil {
		return "", err
	}
	var names []string
	for _, s := range shares {
		out, err := ramOf(t.owner().config).ListResourceSharePermissions(t.ctx, &ram.ListResourceSharePermissionsInput{ResourceShareArn: s.ResourceShareArn})
		if err != nil {
			return "", err
		}
		for _, p := range out.Permissions {
			names = append(names, aws.ToString(p.Name))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " "), nil
}

// principalStatus is the state of the recipient's associations, one word if all have it.
func (t *Try) principalStatus() (string, error) {
	shares, err := t.shares()
	if err != nil {
		return "", err
	}
	var arns []string
	for _, s := range shares {
		arns = append(arns, aws.ToString(s.ResourceShareArn))
	}
	if len(arns) == 0 {
		return "no share", nil
	}
	out, err := ramOf(t.owner().config).GetResourceShareAssociations(t.ctx, &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypePrincipal, ResourceShareArns: arns})
	if err != nil {
		return "", err
	}
	var states []string
	for _, a := range out.ResourceShareAssociations {
		if state := string(a.Status); !slices.Contains(states, state) {
			states = append(states, state)
		}
	}
	slices.Sort(states)
	return strings.Join(states, " "), nil
}

// detail tells whether the row of the grant on "orders" to the recipient names a share.
func (t *Try) detail() (string, error) {
	out, err := lake(t.admin()).ListPermissions(t.ctx, &lakeformation.ListPermissionsInput{Resource: t.onTable("orders")})
	if err != nil {
		return "", err
	}
	for _, r := range out.PrincipalResourcePermissions {
		if aws.ToString(r.Principal.DataLakePrincipalIdentifier) == t.recipient().ID && r.AdditionalDetails != nil && len(r.AdditionalDetails.ResourceShare) > 0 {
			return "true", nil
		}
	}
	return "false", nil
}

// version ends the check where the owner's account has a lower version of cross-account sharing: it
// is not raised, since AWS tells no way down.
func (t *Try) version(least string) {
	if has := t.before[Mesh].Parameters[sharingVersion]; has < least {
		t.cannot("the mesh account has version %q of cross-account sharing; it takes %s, and a version is not lowered again", has, least)
	}
}

const sharingVersion = "CROSS_ACCOUNT_VERSION"

func settingsChecks() []Check {
	return []Check{
		{Name: "settings that are written back", Rules: []string{"8.15"}, Doubt: "Data lake settings can be written back with the SET_CONTEXT that they were read with.", Run: func(t *Try) {
			if t.setContext == "" {
				t.cannot("the settings of no account have SET_CONTEXT")
			}
			t.either("settings with SET_CONTEXT are written back", "accepted", "set-context-refused", func() (string, error) { return t.setContext, nil })
		}},
		{Name: "settings that nobody wrote", Rules: []string{"8.14", "1.1.9", "1.7.1"}, Doubt: "An account that nobody configured has version 4 of cross-account sharing, and leaves new databases and tables to IAM: set-up says so, and raises the version where it is lower.", Run: func(t *Try) {
			for _, part := range Parts() {
				settings := t.before[part]
				if len(settings.DataLakeAdmins) > 0 || len(settings.CreateTableDefaultPermissions) == 0 {
					continue
				}
				t.either("an account without data lake administrators has version 4", "4", "first-version-of-sharing or fifth-version-of-sharing", func() (string, error) {
					return settings.Parameters[sharingVersion], nil
				})
				t.about("1.1.9")
				t.equal("it tells its version", func() (string, error) { return fmt.Sprint(settings.Parameters[sharingVersion] != ""), nil }, "true")
				t.about("1.7.1")
				t.equal("its new tables are left to IAM", func() (string, error) {
					return aws.ToString(settings.CreateTableDefaultPermissions[0].Principal.DataLakePrincipalIdentifier), nil
				}, allowedPrincipals)
				return
			}
			t.cannot("each of the accounts has data lake administrators: somebody has configured it")
		}},
	}
}

func directChecks() []Check {
	return []Check{
		{Name: "roles of other accounts", Rules: []string{"12.1", "8.25", "12.2", "12.3", "12.4", "1.4.4", "8.26", "12.7"}, Doubt: "A role of another account is granted to directly, without a grant option; its share is with the role, and it is there before it is granted to.", Run: func(t *Try) {
			tom, arn := t.people["tom"], t.arns["tom"]
			t.version("3")
			t.refused("a role of another account gets the grant option", t.granting(arn, t.onTable("orders"), "SELECT | SELECT"), invalidInput)
			t.findingsAbout("12.4")
			t.about("12.1")
			t.given(arn, t.onTable("orders"), "SELECT")
			t.accept(1)
			t.done("the role sees what it was granted", t.sees(tom, "orders"))
			t.given(arn, t.onTable("items"), "SELECT")
			t.done("what it is granted later comes without an invitation", t.sees(tom, "items"))
			t.about("8.25")
			t.either("the share is with the role", arn, "direct-grants-share-the-account", func() (string, error) {
				var ids []string
				out, err := ramOf(t.owner().config).ListPrincipals(t.ctx, &ram.ListPrincipalsInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
				if err != nil {
					return "", err
				}
				for _, p := range out.Principals {
					if id := aws.ToString(p.Id); strings.Contains(id, t.recipient().ID) && !slices.Contains(ids, id) {
						ids = append(ids, id)
					}
				}
				return strings.Join(ids, " "), nil
			})
			t.about("12.3")
			in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(t.owner().ID), Resource: t.onTable("orders")}
			t.equal("the owner's administrator is listed it", t.rows(in, arn), "columns:SELECT")
			t.equal("the administrator of the role's account is not", t.rowsSeen(t.recipientAdmin(), in, arn), "")
			t.about("1.4.4")
			t.refused("the administrator of the role's account sees the table", t.sees(t.recipientAdmin(), "orders"), deniedCode)
			t.refused("the role hands it on", func() error { return t.grant(tom, t.recipient().role(t.name("admin")), t.onTable("orders"), "SELECT") }, deniedCode)
			t.about("12.2")
			t.need(t.revoke(t.admin(), arn, t.onTable("orders"), "SELECT"))
			t.refused("what is revoked from it is gone", t.sees(tom, "orders"), deniedCode)
			t.about("8.26")
			t.refused("a role of another account that is not there is granted to", t.granting(t.recipient().role(t.name("none")), t.onTable("orders"), "SELECT"), invalidInput)
			t.reads("absent-principals-accepted")
			t.about("12.7")
			t.given(t.recipient().ID+":IAMPrincipals", t.onTable("orders"), "SELECT")
			t.accept(1)
			t.done("all IAM principals of another account are granted to", t.sees(tom, "orders"))
		}},
		{Name: "a role that is made again", Rules: []string{"12.5", "1.9.8"}, Run: func(t *Try) {
			name := t.next("again")
			cfg, err := t.role(t.ctx, t.owner(), name, trustOf(t.owner().ID), allowing("*", "*"))
			t.need(err)
			arn := t.owner().role(name)
			t.given(arn, t.onTable("orders"), "SELECT")
			t.soon("seeing the table", t.sees(cfg, "orders"))
			r := &remover{account: t.owner(), administrator: t.admin(), run: t.run}
			t.soon("the role's end", func() error {
				if err := r.removeRole(t.ctx, name); err != nil && !gone(err) {
					return err
				}
				return nil
			})
			t.about("1.9.8")
			t.equal("its grant stays when it is deleted", t.rows(&lakeformation.ListPermissionsInput{Resource: t.onTable("orders")}, arn), "columns:SELECT")
			t.about("12.5")
			cfg, err = t.role(t.ctx, t.owner(), name, trustOf(t.owner().ID), allowing("*", "*"))
			t.need(err)
			t.done("made again it has what the old one was granted", t.sees(cfg, "orders"))
		}},
	}
}

// findingsAbout moves the last finding to another rule.
func (t *Try) findingsAbout(rule string) { t.findings[len(t.findings)-1].Rule = rule }

func acrossChecks() []Check {
	return []Check{{
		Name: "LF-tags of other accounts", Rules: []string{"13.1", "1.5.7", "8.27", "13.3", "13.4", "4.6", "8.28"},
		Doubt: "A policy of LF-tags that is handed on is worth no more than what the account was granted, so that products that grow cannot be widened by their consumers. Policies that are granted may name a saved expression.",
		Run: func(t *Try) {
			t.version("3")
			key := t.tag("public", "secret")
			t.need(t.tagged(t.admin(), t.onTable("orders"), key, "public"))
			t.need(t.tagged(t.admin(), t.onTable("items"), key, "secret"))
			admin, tom, to := t.recipientAdmin(), t.people["tom"], t.recipient().ID
			public := t.onPolicy(lfTag(key, "public"))
			t.given(to, public, "SELECT | SELECT")
			t.about("1.5.7")
			t.refused("what is shared by LF-tags is seen before it is accepted", t.sees(admin, "orders"), deniedCode)
			t.accept(1)
			t.done("and after that it is", t.sees(admin, "orders"))
			t.about("13.3")
			t.refused("a policy on tables shows the database to another account", t.seesDatabase(admin, t.database()), deniedCode)
			t.about("13.1")
			wider := t.onPolicy(lfTag(key, "public", "secret"))
			t.refused("a recipient hands on another policy than its own", func() error { return t.grant(admin, t.arns["tom"], wider, "SELECT") }, deniedCode)
			t.done("it hands on the very same policy", func() error { return t.grant(admin, t.arns["tom"], public, "SELECT") })
			t.about("13.4")
			t.done("whom it was handed on to sees what the policy matches", t.sees(tom, "orders"))
			t.need(t.tagged(t.admin(), t.onTable("orders"), key, "secret"))
			t.refused("what loses the tag is closed", t.sees(tom, "orders"), deniedCode)
			t.about("8.27")
			t.given(to, t.onTag(key, "public", "secret"), "DESCRIBE")
			t.accept(1)
			t.soon("handing on a wider policy with DESCRIBE on its tags", func() error { return t.grant(admin, t.arns["tom"], wider, "SELECT") })
			t.refused("a wider policy that is handed on is worth all that it matches", t.sees(tom, "items"), deniedCode)
			t.reads("tag-grants-handed-on-in-full")
			t.about("4.6")
			db := t.next("db")
			t.need(t.makeDatabase(t.ctx, t.recipient(), db))
			t.refused("a tag is put on what another account owns", func() error {
				out, err := lake(admin).AddLFTagsToResource(t.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: &types.Resource{Database: &types.DatabaseResource{CatalogId: &to, Name: &db}},
					LFTags: []types.LFTagPair{{CatalogId: aws.String(t.owner().ID), TagKey: &key, TagValues: []string{"public"}}}})
				if err == nil && len(out.Failures) > 0 {
					return awserr.New(aws.ToString(out.Failures[0].Error.ErrorCode), aws.ToString(out.Failures[0].Error.ErrorMessage))
				}
				return err
			}, notFoundCode)
			t.about("8.28")
			name := t.next("expression")
			t.need(t.journal.make(Thing{Kind: kindExpression, In: Mesh, Name: name}))
			t.need(only(lake(t.admin()).CreateLFTagExpression(t.ctx, &lakeformation.CreateLFTagExpressionInput{Name: &name, Expression: []types.LFTag{lfTag(key, "public")}})))
			t.undo(func() error {
				return only(lake(t.admin()).DeleteLFTagExpression(t.ctx, &lakeformation.DeleteLFTagExpressionInput{Name: &name}))
			})
			saved := &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{CatalogId: aws.String(t.owner().ID), ResourceType: types.ResourceTypeTable, ExpressionName: &name}}
			t.done("a policy that names a saved expression is granted to another account", t.granting(to, saved, "SELECT | SELECT"))
			t.reads("saved-expressions-stay-inside")
		},
	}}
}

func hybridChecks() []Check {
	return []Check{{
		Name: "hybrid access", Rules: []string{"11.1", "11.5", "11.6", "11.9", "11.10", "8.24", "11.7"},
		Doubt: "In hybrid access mode a grant to another account counts only for principals that are opted in.",
		Run: func(t *Try) {
			t.version("4")
			t.soon("a hybrid location", func() error {
				return already(t.registering(t.admin(), "hybrid", t.lakeRole(), func(in *lakeformation.RegisterResourceInput) { in.HybridAccessEnabled = aws.Bool(true) })())
			})
			db := t.scratch()
			t.need(t.makeTable(t.ctx, db, t.tableAt("shed", t.path("hybrid/shed"), "id", "what")))
			on := &types.Resource{Table: tableOn(t.owner().ID, db, "shed")}
			t.given(allowedPrincipals, on, "ALL")
			sees := func(who aws.Config) func() error {
				return func() error {
					return only(glueOf(who).GetTable(t.ctx, &glue.GetTableInput{CatalogId: aws.String(t.owner().ID), DatabaseName: &db, Name: aws.String("shed")}))
				}
			}
			opting := func(who string, on *types.Resource) func() error {
				return func() error {
					err := only(lake(t.admin()).CreateLakeFormationOptIn(t.ctx, &lakeformation.CreateLakeFormationOptInInput{Principal: principal(who), Resource: on}))
					if err == nil {
						t.undo(func() error {
							return only(lake(t.admin()).DeleteLakeFormationOptIn(t.ctx, &lakeformation.DeleteLakeFormationOptInInput{Principal: principal(who), Resource: on}))
						})
					}
					return err
				}
			}
			ann := t.people["ann"]
			t.done("IAM decides for whom was not opted in", sees(ann))
			t.about("11.5")
			t.done("a table is opted in", opting(t.arns["ann"], on))
			t.refused("a policy of LF-tags is opted in", opting(t.arns["ann"], t.onPolicy(lfTag(t.tag("x"), "x"))), invalidInput)
			t.about("11.1")
			t.refused("Lake Formation decides for whom was", sees(ann), deniedCode)
			t.given(t.arns["ann"], on, "SELECT")
			t.done("who then needs a grant", sees(ann))
			t.about("11.6")
			t.refused("whoever is no administrator opts in", func() error {
				return only(lake(t.people["bob"]).CreateLakeFormationOptIn(t.ctx, &lakeformation.CreateLakeFormationOptInInput{Principal: principal(t.arns["bob"]), Resource: on}))
			}, deniedCode)
			t.about("8.24")
			t.given(t.recipient().ID, on, "SELECT DESCRIBE | SELECT DESCRIBE")
			t.accept(1)
			t.refused("another account uses its grant without an opt-in", sees(t.recipientAdmin()), deniedCode)
			t.reads("hybrid-grants-need-no-opt-in")
			t.about("11.9")
			free := t.free()
			t.done("a table at a location that is not registered is opted in", opting(t.arns["bob"], &types.Resource{Table: tableOn(t.owner().ID, free, "free")}))
			t.about("11.7")
			optIns := func() (string, error) {
				out, err := lake(t.admin()).ListLakeFormationOptIns(t.ctx, &lakeformation.ListLakeFormationOptInsInput{Resource: on})
				if err != nil {
					return "", err
				}
				return fmt.Sprint(len(out.LakeFormationOptInsInfoList)), nil
			}
			t.equal("an opt-in is listed", optIns, "1")
			// A share stays where a table goes before its grants.
			t.need(t.revoke(t.admin(), t.recipient().ID, on, "SELECT DESCRIBE"))
			t.need(only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: &db, Name: aws.String("shed")})))
			t.need(t.makeTable(t.ctx, db, t.tableAt("shed", t.path("hybrid/shed"), "id", "what")))
			t.equal("it ends with the table, also where that is made again", optIns, "0")
			t.about("11.10")
			t.done("hybrid access mode is turned off", func() error {
				return only(lake(t.admin()).UpdateResource(t.ctx, &lakeformation.UpdateResourceInput{ResourceArn: aws.String(t.s3ARN("hybrid")), RoleArn: aws.String(t.lakeRole()), HybridAccessEnabled: aws.Bool(false)}))
			})
		},
	}}
}

func shareChecks() []Check {
	return []Check{{Name: "limits and refusals of RAM", Rules: []string{"5.4.1", "6.2.22"}, Run: func(t *Try) {
		c := ramOf(t.recipient().config)
		invitations := func(size int32) func() error {
			return func() error {
				return only(c.GetResourceShareInvitations(t.ctx, &ram.GetResourceShareInvitationsInput{MaxResults: &size}))
			}
		}
		t.done("a page has 500 invitations", invitations(500))
		t.refused("a page has 501 invitations", invitations(501), "InvalidMaxResultsException")
		t.about("6.2.22")
		t.refused("a share that is not there is deleted", func() error {
			return only(c.DeleteResourceShare(t.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: aws.String(
				partition + "ram:" + t.recipient().Region + ":" + t.recipient().ID + ":resource-share/00000000-0000-0000-0000-000000000000")}))
		}, "UnknownResourceException")
		t.refused("what is no ARN is deleted", func() error {
			return only(c.DeleteResourceShare(t.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: aws.String("share")}))
		}, "MalformedArnException")
	}}}
}
