package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/google/go-cmp/cmp"
)

// The versions of cross-account sharing
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
func TestVersionsOfCrossAccountSharing(t *testing.T) {
	t.Parallel()

	holds(t, "1.1.1", "the settings take the versions 1 to 5", func(t *testing.T) {
		w := newWorld(t)
		for _, v := range []string{"1", "2", "3", "4", "5"} {
			w.version(owner, v)
			if got := w.lakeSettings(owner).Parameters["CROSS_ACCOUNT_VERSION"]; got != v {
				t.Errorf("version %q, want %s", got, v)
			}
		}
		for _, v := range []string{"0", "6", "", "v4", " 4", "04"} {
			w.refused(w.putVersion(recipient, v), invalidInput, "CROSS_ACCOUNT_VERSION")
		}
	})

	holds(t, "1.1.1", "settings are replaced as a whole, the version with them", func(t *testing.T) {
		w := newWorld(t)
		w.must2(w.lake(adminOf(owner)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{
			DataLakeSettings: &types.DataLakeSettings{DataLakeAdmins: principals(adminOf(owner))},
		}))
		if v := w.lakeSettings(owner).Parameters["CROSS_ACCOUNT_VERSION"]; v != "1" {
			t.Errorf("the version after settings without one is %q, want the first", v)
		}
	})

	holds(t, "1.1.2", "version 1 makes one share for each grant on a named resource", func(t *testing.T) {
		w := newWorld(t)
		w.version(owner, "1")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		if n := len(w.shares()); n != 3 {
			t.Errorf("%d shares for three grants", n)
		}
		if n := w.accept(recipient); n != 3 {
			t.Errorf("%d invitations for three shares", n)
		}
		w.must(w.sees(adminOf(recipient), "orders"))
	})

	holds(t, "1.1.2", "below version 3 LF-tags are shared by the catalog's resource policy and not by RAM", func(t *testing.T) {
		for _, version := range []string{"1", "2"} {
			w := newWorld(t)
			w.version(owner, version)
			w.version(recipient, version)
			w.tag("domain", "sales")
			w.attach(onTable("orders"), "domain", "sales")
			w.must(w.grant(adminOf(owner), recipient, onPolicy(types.ResourceTypeTable, "domain", "sales"), "SELECT DESCRIBE | SELECT DESCRIBE"))
			if n := len(w.shares()); n != 0 {
				t.Errorf("version %s made %d shares", version, n)
			}
			w.refused(w.sees(adminOf(recipient), "orders"), denied)
			w.catalogPolicy(byTagsStatement(recipient))
			w.must(w.sees(adminOf(recipient), "orders"))
			w.refused(w.sees(adminOf(recipient), "items"), denied)
		}
	})

	holds(t, "1.1.3", "version 2 folds grants into one share, for which the grantor has to associate and disassociate", func(t *testing.T) {
		w := newWorld(t)
		w.version(owner, "2")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		if n := len(w.shares()); n != 1 {
			t.Errorf("%d shares for two tables", n)
		}
		few := w.limited(owner, "Few", policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`,
			`{"Effect":"Deny","Action":["ram:AssociateResourceShare","ram:DisassociateResourceShare"],"Resource":"*"}`))
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), few) })
		w.table(owner, "sales", "more")
		w.refused(w.grant(few, recipient, onTable("more"), "SELECT"), denied, "ram:AssociateResourceShare")
		w.refused(w.revoke(few, recipient, onTable("items"), "SELECT"), denied, "ram:DisassociateResourceShare")
	})

	holds(t, "1.1.3", "below version 3 grants go to accounts alone", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		for _, version := range []string{"1", "2"} {
			w.version(owner, version)
			w.refused(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"), invalidInput, "Invalid principal")
			w.refused(w.grant(adminOf(owner), recipient+":IAMPrincipals", onTable("orders"), "SELECT"), invalidInput, "Invalid principal")
		}
	})

	holds(t, "1.1.4", "from version 3 on LF-tags go through RAM", func(t *testing.T) {
		w := newWorld(t)
		w.version(owner, "3")
		w.tag("domain", "sales")
		w.attach(onTable("orders"), "domain", "sales")
		w.must(w.grant(adminOf(owner), recipient, onPolicy(types.ResourceTypeTable, "domain", "sales"), "SELECT"))
		if n := len(w.shares()); n != 1 {
			t.Errorf("%d shares", n)
		}
		w.refused(w.sees(adminOf(recipient), "orders"), denied)
		w.accept(recipient)
		w.must(w.sees(adminOf(recipient), "orders"))
	})

	holds(t, "1.1.4", "from version 3 of the grantor on grants go to a role of another account, whatever that account's version", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.version(owner, "3")
		w.version(recipient, "1")
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must(w.sees(analyst, "orders"))
	})

	holds(t, "1.1.5", "from version 4 on what is in hybrid access mode can be shared", func(t *testing.T) {
		w := newWorld(t)
		w.hybrid("lake/sales")
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.version(owner, "3")
		w.refused(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"), denied, "Illegal combination")
		w.version(owner, "4")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
	})

	holds(t, "1.1.6", "version 5 puts a pattern into a new share and into one that there is", func(t *testing.T) {
		const everyTable = "arn:aws:glue:us-east-1:" + owner + ":table/*/*"
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.version(owner, "5")
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		w.must(w.grant(adminOf(owner), stranger, onTable("items"), "SELECT"))
		if n := len(w.shares()); n != 2 {
			t.Fatalf("%d shares with two accounts", n)
		}
		if diff := cmp.Diff([]string{everyTable, "arn:aws:glue:us-east-1:" + owner + ":table/sales/orders"}, w.carried(recipient)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{everyTable}, w.carried(stranger)); diff != "" {
			t.Error(diff)
		}
		w.accept(recipient)
		w.accept(stranger)
		w.must(w.sees(adminOf(recipient), "orders"))
		w.must(w.sees(adminOf(recipient), "items"))
		w.must(w.sees(adminOf(stranger), "items"))
		// The pattern carries more than was granted, and lets nobody see it.
		w.refused(w.sees(adminOf(stranger), "orders"), denied)
	})

	holds(t, "1.1.6", "version 5 is not left", func(t *testing.T) {
		w := newWorld(t)
		w.version(owner, "5")
		for _, v := range []string{"1", "2", "3", "4"} {
			w.refused(w.putVersion(owner, v), invalidInput)
		}
		w.must(w.putVersion(owner, "5"))
	})

	holds(t, "1.1.7", "another version leaves access and shares as they are until they are revoked and granted again", func(t *testing.T) {
		w := newWorld(t)
		w.version(owner, "1")
		for _, table := range []string{"orders", "items"} {
			w.must(w.grant(adminOf(owner), recipient, onTable(table), "SELECT"))
		}
		w.accept(recipient)
		before := w.shareARNs()
		for _, v := range []string{"2", "3", "4", "5"} {
			w.version(owner, v)
			w.must(w.sees(adminOf(recipient), "orders"))
			w.must(w.sees(adminOf(recipient), "items"))
			if diff := cmp.Diff(before, w.shareARNs()); diff != "" {
				t.Errorf("version %s: %s", v, diff)
			}
		}
		for _, table := range []string{"orders", "items"} {
			w.must(w.revoke(adminOf(owner), recipient, onTable(table), "SELECT"))
			w.must(w.grant(adminOf(owner), recipient, onTable(table), "SELECT"))
		}
		after := w.shareARNs()
		if len(after) != 1 || slices.Contains(before, after[0]) {
			t.Errorf("shares %v after granting again, before %v", after, before)
		}
	})

	holds(t, "1.1.8", "grants on named resources work between all versions", func(t *testing.T) {
		for _, from := range []string{"1", "2", "3", "4", "5"} {
			for _, to := range []string{"1", "2", "3", "4", "5"} {
				w := newWorld(t)
				w.version(owner, from)
				w.version(recipient, to)
				w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
				w.accept(recipient)
				if err := w.sees(adminOf(recipient), "orders"); err != nil {
					t.Errorf("version %s to version %s: %v", from, to, err)
				}
			}
		}
	})

	holds(t, "1.1.8", "grants on LF-tags from below version 3 to version 3 or above are refused", func(t *testing.T) {
		w := newWorld(t)
		w.tag("domain", "sales")
		for _, from := range []string{"1", "2", "3", "4"} {
			for _, to := range []string{"1", "2", "3", "4"} {
				w.version(owner, from)
				w.version(recipient, to)
				for _, kind := range []types.ResourceType{types.ResourceTypeDatabase, types.ResourceTypeTable} {
					err := w.grant(adminOf(owner), recipient, onPolicy(kind, "domain", "sales"), "DESCRIBE")
					if from >= "3" || to < "3" {
						if err != nil {
							t.Errorf("version %s to version %s: %v", from, to, err)
						}
						continue
					}
					w.refused(err, invalidInput, "Invalid cross account grant request. Consumer account has opt-in to cross account version: v3")
				}
			}
		}
	})

	holds(t, "1.1.9", "a new account has version 4", func(t *testing.T) {
		w := emptyWorld(t)
		want := map[string]string{"CROSS_ACCOUNT_VERSION": "4", "SET_CONTEXT": "TRUE"}
		if diff := cmp.Diff(want, w.lakeSettings(owner).Parameters); diff != "" {
			t.Error(diff)
		}
	})
}

// putVersion writes settings with a version.
func (w *world) putVersion(account, version string) error {
	_, err := w.lake(adminOf(account)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{
		DataLakeAdmins: principals(adminOf(account)), Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": version},
	}})
	return err
}

// hybrid puts a registered location of the owner into hybrid access mode.
func (w *world) hybrid(path string) {
	w.Helper()
	w.must2(w.lake(adminOf(owner)).UpdateResource(w.ctx, &lakeformation.UpdateResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"), HybridAccessEnabled: aws.Bool(true),
	}))
}

// wholeCatalog are the resources that a policy of the owner's catalog names, in JSON.
const wholeCatalog = `["arn:aws:glue:us-east-1:` + owner + `:catalog","arn:aws:glue:us-east-1:` + owner + `:database/*","arn:aws:glue:us-east-1:` + owner + `:table/*/*"]`

// byTagsStatement lets an account use what is shared with it by LF-tags, as
// versions 1 and 2 need it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
func byTagsStatement(account string) string {
	return `{"Effect":"Allow","Action":"glue:*","Principal":{"AWS":"` + account + `"},"Resource":` + wholeCatalog +
		`,"Condition":{"Bool":{"glue:EvaluatedByLakeFormationTags":true}}}`
}

// catalogPolicy writes the resource policy of the owner's catalog.
func (w *world) catalogPolicy(statements ...string) {
	w.Helper()
	w.must2(w.glue(adminOf(owner)).PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{
		PolicyInJson: aws.String(policyOf(statements...)), EnableHybrid: gluetypes.EnableHybridValuesTrue,
	}))
}

// shareARNs are the ARNs of the owner's active shares.
func (w *world) shareARNs() []string {
	w.Helper()
	var arns []string
	for _, s := range w.shares() {
		arns = append(arns, *s.ResourceShareArn)
	}
	slices.Sort(arns)
	return arns
}

// carried are the ARNs that the owner's shares with a principal carry.
func (w *world) carried(principal string) []string {
	w.Helper()
	out, err := w.ram(adminOf(owner)).ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, Principal: &principal})
	w.must(err)
	var arns []string
	for _, r := range out.Resources {
		arns = append(arns, strings.TrimSpace(*r.Arn))
	}
	slices.Sort(arns)
	return arns
}
