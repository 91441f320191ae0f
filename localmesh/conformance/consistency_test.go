package conformance_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// looks is how often a change is overlooked at most where a test lets it be.
const looks = 3

// becomes looks until something is so, which it is after looks times at most.
func (e *estate) becomes(what string, so func() bool) {
	e.t.Helper()
	for n := 0; !so(); n++ {
		if n == looks {
			e.t.Fatalf("%s is not so after %d looks", what, n)
		}
	}
}

func (e *estate) assume(by, role string) error {
	return errOf(e.sts(by).AssumeRole(e.t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("test")}))
}

// trustOf is the trust policy of a role as IAM shows it.
func (e *estate) trustOf(arn string) string {
	e.t.Helper()
	out, err := e.iam(adminIn(arn)).GetRole(e.t.Context(), &iam.GetRoleInput{RoleName: nameIn(arn)})
	e.must(err)
	document, err := url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
	e.must(err)
	return document
}

func (e *estate) trust(role, document string) error {
	return errOf(e.iam(adminIn(role)).UpdateAssumeRolePolicy(e.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: nameIn(role), PolicyDocument: &document}))
}

func TestConsistencyOfIAM(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "7.1.1", "what changes in IAM is known after a while", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		e.must(e.trust(lakeRole, trustedBy("AWS", landlord)))
		e.eventually("AccessDenied", "sts:AssumeRole", func() error { return e.assume(ann, lakeRole) })
	})

	holds(t, "7.1.2", "that IAM shows a role does not say that others know it", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		c := e.iam(landlordAdmin)
		e.must(errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("New"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
		e.must(iam.NewRoleExistsWaiter(c).Wait(t.Context(), &iam.GetRoleInput{RoleName: aws.String("New")}, time.Minute))
		arn := "arn:aws:iam::" + landlord + ":role/New"
		e.eventually("InvalidInputException", "Invalid principal", func() error { return e.grant(landlordAdmin, arn, theTable("house", "kitchen"), "SELECT") })
		e.eventually("AccessDenied", "sts:AssumeRole", func() error { return e.assume(ann, arn) })
	})

	holds(t, "7.1.3", "another account's role takes both sides, one's own account's the trust alone", func(t *testing.T) {
		e := base.fork(t)
		poor := e.person("Poor", allowing("s3:*", "*"))
		target := "arn:aws:iam::" + tenant + ":role/Target"
		e.role(target, trustedBy("AWS", poor), allowing("s3:*", "*"))
		e.refused(e.assume(poor, target), "AccessDenied")
		e.must(errOf(e.iam(landlordAdmin).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: nameIn(poor), PolicyName: aws.String("own"), PolicyDocument: aws.String(allowing("sts:AssumeRole", target))})))
		e.must(e.assume(poor, target))
		e.refused(e.assume(ann, target), "AccessDenied") // It may, and is not trusted.
		// In one's own account.
		other := e.person("Other", allowing("s3:*", "*"))
		e.refused(e.assume(other, bob), "AccessDenied")
		e.must(e.trust(bob, trustedBy("AWS", other)))
		e.must(e.assume(other, bob))
		e.must(e.trust(bob, trustedBy("AWS", landlord)))
		e.refused(e.assume(other, bob), "AccessDenied")
	})

	holds(t, "7.1.4", "a trust policy names principals by their ids", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		e.must(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("Una")})))
		user := "arn:aws:iam::" + landlord + ":user/Una"
		for principal, id := range map[string]string{tom: "AROA", user: "AIDA"} {
			remake := func() {
				if principal == user {
					e.must(errOf(c.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("Una")})))
					e.must(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("Una")})))
					e.must(errOf(c.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("Una"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowing("*", "*"))})))
					return
				}
				e.must(errOf(e.iam(tenantAdmin).DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: nameIn(tom), PolicyName: aws.String("own")})))
				e.must(errOf(e.iam(tenantAdmin).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: nameIn(tom)})))
				e.role(tom, trustedBy("AWS", tenant), allowing("*", "*"))
			}
			e.must(e.trust(bob, trustedBy("AWS", principal)))
			if !strings.Contains(e.trustOf(bob), `"`+principal+`"`) {
				t.Errorf("the trust is %s", e.trustOf(bob))
			}
			remake()
			orphaned := e.trustOf(bob)
			if strings.Contains(orphaned, principal) || !strings.Contains(orphaned, `"`+id) {
				t.Errorf("the trust is %s, and %s was deleted", orphaned, principal)
			}
			// The new one has the name of the old one, and nothing else of it.
			e.refused(e.assume(principal, bob), "AccessDenied")
			e.refused(e.trust(bob, orphaned), "MalformedPolicyDocument", "Invalid principal in policy")
			e.must(e.trust(bob, trustedBy("AWS", principal)))
			e.must(e.assume(principal, bob))
		}
	})

	holds(t, "7.1.5", "a list of one comes back as that one", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.trust(bob, strings.Replace(trustedBy("AWS", tom), `"`+tom+`"`, `["`+tom+`"]`, 1)))
		if got := e.trustOf(bob); !strings.Contains(got, `{"AWS":"`+tom+`"}`) {
			t.Errorf("the trust is %s", got)
		}
		e.must(e.trust(bob, strings.Replace(trustedBy("AWS", tom), `"`+tom+`"`, `["`+tom+`","`+ann+`"]`, 1)))
		if got := e.trustOf(bob); !strings.Contains(got, "[") || !strings.Contains(got, ann) {
			t.Errorf("the trust is %s", got)
		}
	})
}

func TestConsistencyOfPolicies(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	poor := base.person("Poor", allowing("sts:*", "*"))
	put := func(e *estate, policy string) {
		e.t.Helper()
		e.must(errOf(e.iam(landlordAdmin).PutRolePolicy(e.t.Context(), &iam.PutRolePolicyInput{RoleName: nameIn(poor), PolicyName: aws.String("own"), PolicyDocument: &policy})))
	}

	holds(t, "7.1.6", "a policy counts after a while, for each service by itself", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		put(e, allowing("*", "*"))
		e.eventually("AccessDeniedException", "no identity-based policy allows", func() error {
			return errOf(e.glue(poor).GetDatabases(t.Context(), &glue.GetDatabasesInput{}))
		})
		e.eventually("AccessDeniedException", "no identity-based policy allows", func() error {
			return errOf(e.dynamodb(poor).ListTables(t.Context(), &dynamodb.ListTablesInput{}))
		})
	})

	holds(t, "7.1.6", "and so does its end", func(t *testing.T) {
		e := base.fork(t)
		put(e, allowing("*", "*"))
		e.SetEventualConsistency(looks)
		put(e, allowing("sts:*", "*"))
		databases := func() error { return errOf(e.glue(poor).GetDatabases(t.Context(), &glue.GetDatabasesInput{})) }
		e.must(databases())
		e.becomes("the end of the right", func() bool { return databases() != nil })
		e.refused(databases(), "AccessDeniedException")
	})

	holds(t, "7.1.6", "a managed policy that is attached is a policy, too", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		e.must(errOf(e.iam(landlordAdmin).AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: nameIn(poor), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})))
		e.eventually("AccessDeniedException", "no identity-based policy allows", func() error {
			return errOf(e.glue(poor).GetDatabases(t.Context(), &glue.GetDatabasesInput{}))
		})
	})
}

func TestConsistencyOfSharing(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "7.2.1", "an invitation, and what follows from accepting it, take a while", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		e.must(e.grant(landlordAdmin, tenant, theTable("house", "kitchen"), "SELECT | SELECT"))
		rows, err := e.lake(landlordAdmin).ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{Resource: theTable("house", "kitchen")})
		e.must(err)
		share := ""
		for _, row := range rows.PrincipalResourcePermissions {
			if row.AdditionalDetails != nil && len(row.AdditionalDetails.ResourceShare) > 0 {
				share = row.AdditionalDetails.ResourceShare[0]
			}
		}
		if share == "" {
			t.Fatal("no row names the share")
		}
		var invitation *ramtypes.ResourceShareInvitation
		e.becomes("the invitation", func() bool {
			out, err := e.ram(tenantAdmin).GetResourceShareInvitations(t.Context(), &ram.GetResourceShareInvitationsInput{ResourceShareArns: []string{share}})
			e.must(err)
			if len(out.ResourceShareInvitations) == 0 {
				return false
			}
			invitation = &out.ResourceShareInvitations[0]
			return true
		})
		e.equal(invitation.Status, ramtypes.ResourceShareInvitationStatusPending)
		e.must(errOf(e.ram(tenantAdmin).AcceptResourceShareInvitation(t.Context(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: invitation.ResourceShareInvitationArn})))
		status := func() ramtypes.ResourceShareAssociationStatus {
			out, err := e.ram(landlordAdmin).GetResourceShareAssociations(t.Context(), &ram.GetResourceShareAssociationsInput{
				AssociationType: ramtypes.ResourceShareAssociationTypePrincipal, ResourceShareArns: []string{share}})
			e.must(err)
			return out.ResourceShareAssociations[0].Status
		}
		e.equal(status(), ramtypes.ResourceShareAssociationStatusAssociating)
		e.becomes("the association", func() bool { return status() == ramtypes.ResourceShareAssociationStatusAssociated })
		e.becomes("the table", func() bool { return errOf(e.get(tenantAdmin, landlord, "house", "kitchen")) == nil })
	})

	holds(t, "7.2.2", "a shared table is found by its name before it is listed", func(t *testing.T) {
		e := base.fork(t)
		e.share(theDatabase("house"), "DESCRIBE")
		// The share of tables is there, and accepted, already.
		e.share(theTable("house", "garden"), "DESCRIBE")
		e.SetEventualConsistency(looks)
		e.must(e.grant(landlordAdmin, tenant, theTable("house", "kitchen"), "SELECT"))
		e.becomes("the table", func() bool { return errOf(e.get(tenantAdmin, landlord, "house", "kitchen")) == nil })
		listed := func() bool {
			return slices.Contains(e.tables(tenantAdmin, &glue.GetTablesInput{CatalogId: aws.String(landlord), DatabaseName: aws.String("house")}), "kitchen")
		}
		e.equal(listed(), false)
		e.becomes("the list", listed)
		// Its owner is never late.
		e.same(e.tables(landlordAdmin, &glue.GetTablesInput{DatabaseName: aws.String("house")}), []string{"garden", "kitchen"})
	})

	holds(t, "7.3.1", "settings are replaced as a whole, without a condition", func(t *testing.T) {
		e := base.fork(t)
		c := e.lake(landlordAdmin)
		e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) {
			s.Parameters["CROSS_ACCOUNT_VERSION"] = "4"
			s.TrustedResourceOwners, s.AllowExternalDataFiltering = []string{tenant}, aws.Bool(true)
			s.CreateTableDefaultPermissions = []lftypes.PrincipalPermissions{{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}, Permissions: []lftypes.Permission{lftypes.PermissionAll}}}
		})
		e.must(errOf(c.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{DataLakeAdmins: principals(ann)}})))
		s := e.settingsOf(landlordAdmin)
		if len(s.DataLakeAdmins) != 1 || *s.DataLakeAdmins[0].DataLakePrincipalIdentifier != ann || s.Parameters["CROSS_ACCOUNT_VERSION"] != "1" || len(s.TrustedResourceOwners) > 0 ||
			aws.ToBool(s.AllowExternalDataFiltering) || len(s.CreateTableDefaultPermissions) > 0 {
			t.Errorf("what was left out is %+v", s)
		}
	})

	holds(t, "7.3.1", "those of an account that nobody configured leave new objects to IAM", func(t *testing.T) {
		e := base.fork(t)
		s := e.settingsOf("arn:aws:iam::787878787878:role/Admin")
		for _, defaults := range [][]lftypes.PrincipalPermissions{s.CreateDatabaseDefaultPermissions, s.CreateTableDefaultPermissions} {
			if len(defaults) != 1 || *defaults[0].Principal.DataLakePrincipalIdentifier != "IAM_ALLOWED_PRINCIPALS" {
				t.Errorf("the defaults are %+v", defaults)
			}
		}
	})

	holds(t, "7.4.1", "the catalog's policy is compared and swapped", func(t *testing.T) {
		e := base.fork(t)
		c := e.glue(landlordAdmin)
		put := func(database string, exists gluetypes.ExistCondition, hash *string) error {
			return errOf(c.PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyExistsCondition: exists, PolicyHashCondition: hash, EnableHybrid: gluetypes.EnableHybridValuesTrue,
				PolicyInJson: aws.String(policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + tenant + `"},"Action":"glue:GetDatabase","Resource":"arn:aws:glue:us-east-1:` + landlord + `:database/` + database + `"}`))}))
		}
		read := func() *string {
			t.Helper()
			out, err := c.GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
			e.must(err)
			return out.PolicyHash
		}
		// A hash of nothing.
		e.refused(put("a", gluetypes.ExistConditionMustExist, aws.String("hash")), "ConditionCheckFailureException")
		e.refused(put("a", "", aws.String("hash")), "ConditionCheckFailureException")
		e.must(put("a", gluetypes.ExistConditionNotExist, nil))
		first := read()
		e.must(put("b", gluetypes.ExistConditionMustExist, first))
		e.refused(put("c", gluetypes.ExistConditionMustExist, first), "ConditionCheckFailureException")
		if *read() == *first {
			t.Error("another policy has the same hash")
		}
		// Of several writers one wins.
		hash := read()
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() { results[i] = put(fmt.Sprint("w", i), gluetypes.ExistConditionMustExist, hash) })
		}
		wait.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else {
				e.refused(err, "ConditionCheckFailureException")
			}
		}
		e.equal(won, 1)
	})
}

func TestConsistencyOfStorage(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	base.records()

	readers := func(principals ...string) string {
		return policyOf(`{"Effect":"Allow","Principal":{"AWS":["` + strings.Join(principals, `","`) + `"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::land/*"}`)
	}
	put := func(e *estate, policy string) error {
		return errOf(e.s3(landlordAdmin).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("land"), Policy: &policy}))
	}
	get := func(e *estate) string {
		e.t.Helper()
		out, err := e.s3(landlordAdmin).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("land")})
		e.must(err)
		return *out.Policy
	}

	holds(t, "7.5.1", "of a bucket's policy the last writer wins", func(t *testing.T) {
		e := base.fork(t)
		e.must(put(e, readers(tom)))
		e.must(put(e, readers(passerbyAdmin)))
		if got := get(e); strings.Contains(got, tom) || !strings.Contains(got, passerbyAdmin) {
			t.Errorf("the policy is %s", got)
		}
		e.refused(put(e, readers("arn:aws:iam::"+tenant+":role/None")), "MalformedPolicy", "Invalid principal in policy")
	})

	holds(t, "7.5.1", "and it is known after a while", func(t *testing.T) {
		e := base.fork(t)
		e.put(landlordAdmin, "land", "shed/rows")
		e.must(put(e, readers(passerbyAdmin)))
		e.SetEventualConsistency(looks)
		e.must(put(e, readers(tom)))
		e.eventually("AccessDenied", "", func() error { return e.read(e.s3(tom), "land", "shed/rows") })
		e.becomes("what the owner reads", func() bool { return strings.Contains(get(e), tom) })
	})

	holds(t, "7.6.1", "a condition and its write are one", func(t *testing.T) {
		e := base.fork(t)
		c := e.dynamodb(landlordAdmin)
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() {
				_, results[i] = c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("1", "state", fmt.Sprint(i)), ConditionExpression: aws.String("attribute_not_exists(id)")})
			})
		}
		wait.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else {
				e.refused(err, "ConditionalCheckFailedException")
			}
		}
		e.equal(won, 1)
		// Over several items, a transaction.
		transact := func(ids ...string) error {
			var writes []dynamotypes.TransactWriteItem
			for _, id := range ids {
				writes = append(writes, dynamotypes.TransactWriteItem{Put: &dynamotypes.Put{TableName: aws.String("records"), Item: record(id), ConditionExpression: aws.String("attribute_not_exists(id)")}})
			}
			return errOf(c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: writes}))
		}
		e.refused(transact("2", "1"), "TransactionCanceledException")
		e.must(transact("2", "3"))
	})

	holds(t, "7.6.1", "an index is behind its table", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		c := e.dynamodb(landlordAdmin)
		e.must(errOf(c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("1", "state", "open")})))
		found := func() int32 {
			out, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("records"), IndexName: aws.String("state"), KeyConditionExpression: aws.String("#s = :s"),
				ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":s": &dynamotypes.AttributeValueMemberS{Value: "open"}}})
			e.must(err)
			return out.Count
		}
		e.equal(found(), int32(0))
		out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("records"), Key: record("1"), ConsistentRead: aws.Bool(true)})
		e.must(err)
		e.equal(len(out.Item), 2)
		e.becomes("the index", func() bool { return found() == 1 })
	})
}
