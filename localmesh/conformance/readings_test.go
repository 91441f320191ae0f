package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// under makes the two worlds of a reading: the default, and the other.
func (e *estate) under(t *testing.T, r localmesh.Readings) (usual, other *estate) {
	t.Helper()
	return e.fork(t, localmesh.WithReadings(localmesh.Readings{})), e.fork(t, localmesh.WithReadings(r))
}

// statement allows an action of DynamoDB on the table under a condition.
func statement(actions, condition string) string {
	return `{"Effect":"Allow","Action":` + actions + `,"Resource":"` + recordsARN + `","Condition":{` + condition + `}}`
}

func TestReadingsOfDynamoDB(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	base.records()
	const (
		left  = `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"left-*"}`
		right = `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"right-*"}`
		both  = `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["left-*","right-*"]}`
	)
	const writing, reading = `["dynamodb:PutItem","dynamodb:UpdateItem"]`, `["dynamodb:GetItem","dynamodb:BatchGetItem"]`
	apart := base.person("Apart", policyOf(statement(writing, left), statement(writing, right), statement(reading, left), statement(reading, right)))
	joined := base.person("Joined", policyOf(statement(writing, both), statement(reading, both)))

	holds(t, "8.1", "the items of a transaction are asked about one by one, or as a set", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{TransactionKeysAsSet: true})
		put := func(e *estate, as string) error {
			item := func(id string) dynamotypes.TransactWriteItem {
				return dynamotypes.TransactWriteItem{Put: &dynamotypes.Put{TableName: aws.String("records"), Item: record(id)}}
			}
			return errOf(e.dynamodb(as).TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []dynamotypes.TransactWriteItem{item("left-1"), item("right-1")}}))
		}
		get := func(e *estate, as string) error {
			item := func(id string) dynamotypes.TransactGetItem {
				return dynamotypes.TransactGetItem{Get: &dynamotypes.Get{TableName: aws.String("records"), Key: record(id)}}
			}
			return errOf(e.dynamodb(as).TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []dynamotypes.TransactGetItem{item("left-1"), item("right-1")}}))
		}
		for _, call := range []func(*estate, string) error{put, get} {
			usual.must(call(usual, apart))
			usual.must(call(usual, joined))
			other.refused(call(other, apart), "AccessDeniedException")
			other.must(call(other, joined))
		}
	})

	holds(t, "8.1", "two actions are two sets", func(t *testing.T) {
		_, other := base.under(t, localmesh.Readings{TransactionKeysAsSet: true})
		as := other.person("Actions", policyOf(statement(`"dynamodb:PutItem"`, left), statement(`"dynamodb:UpdateItem"`, right)))
		other.must(errOf(other.dynamodb(as).TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []dynamotypes.TransactWriteItem{
			{Put: &dynamotypes.Put{TableName: aws.String("records"), Item: record("left-1")}},
			{Update: &dynamotypes.Update{TableName: aws.String("records"), Key: record("right-1"), UpdateExpression: aws.String("SET a = :a"),
				ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":a": &dynamotypes.AttributeValueMemberS{Value: "x"}}}},
		}})))
	})

	holds(t, "8.2", "the keys of a batch are one set, or single", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{BatchKeysSingly: true})
		get := func(e *estate, as, foreign string) error {
			return errOf(e.dynamodb(as).BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]dynamotypes.KeysAndAttributes{
				"records": {Keys: []map[string]dynamotypes.AttributeValue{record("left-1"), record(foreign)}}}}))
		}
		usual.refused(get(usual, apart, "right-1"), "AccessDeniedException")
		other.must(get(other, apart, "right-1"))
		for _, e := range []*estate{usual, other} {
			e.must(get(e, joined, "right-1"))
			e.refused(get(e, joined, "foreign"), "AccessDeniedException")
		}
	})

	holds(t, "8.3", "the attributes of a write are those that it names, or the keys of the indexes as well", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{WritesNameIndexKeys: true})
		write := func(e *estate, listed string) {
			as := e.person("Writer", policyOf(statement(writing, `"ForAllValues:StringEquals":{"dynamodb:Attributes":[`+listed+`]}`)))
			put := errOf(e.dynamodb(as).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("left-1", "note", "x")}))
			update := errOf(e.dynamodb(as).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("records"), Key: record("left-2"), UpdateExpression: aws.String("SET note = :n"),
				ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":n": &dynamotypes.AttributeValueMemberS{Value: "x"}}}))
			if e == other && listed == `"id","note"` {
				e.refused(put, "AccessDeniedException")
				e.refused(update, "AccessDeniedException")
				return
			}
			e.must(put)
			e.must(update)
		}
		write(usual, `"id","note"`)
		write(other, `"id","note"`)
		_, other = base.under(t, localmesh.Readings{WritesNameIndexKeys: true})
		write(other, `"id","note","state"`)
	})
}

func TestReadingsOfSessions(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	// first may be assumed with a tag and a source identity, second without only.
	const first, second = "arn:aws:iam::" + landlord + ":role/First", "arn:aws:iam::" + landlord + ":role/Second"
	all := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + landlord + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	base.role(first, all, allowing("sts:*", "*"))
	base.role(second, trustedBy("AWS", landlord), allowing("s3:*", "*"))

	hop := func(e *estate, in sts.AssumeRoleInput) error {
		e.t.Helper()
		in.RoleArn, in.RoleSessionName = aws.String(first), aws.String("one")
		out, err := e.sts(landlordAdmin).AssumeRole(e.t.Context(), &in)
		e.must(err)
		cfg := e.ConfigWith(credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
		return errOf(sts.NewFromConfig(cfg).AssumeRole(e.t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(second), RoleSessionName: aws.String("two")}))
	}
	tagged := func(transitive bool) sts.AssumeRoleInput {
		in := sts.AssumeRoleInput{Tags: []ststypes.Tag{{Key: aws.String("cluster"), Value: aws.String("blue")}}}
		if transitive {
			in.TransitiveTagKeys = []string{"cluster"}
		}
		return in
	}

	holds(t, "8.4", "a transitive tag asks for sts:TagSession at each hop", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{InheritedTagsUnasked: true})
		usual.must(hop(usual, tagged(false)))
		usual.refused(hop(usual, tagged(true)), "AccessDenied", "sts:TagSession")
		other.must(hop(other, tagged(true)))
		usual.must(usual.trust(second, all))
		usual.must(hop(usual, tagged(true)))
	})

	holds(t, "8.5", "and a source identity for sts:SetSourceIdentity", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{InheritedIdentityUnasked: true})
		named := sts.AssumeRoleInput{SourceIdentity: aws.String("ann")}
		usual.refused(hop(usual, named), "AccessDenied", "sts:SetSourceIdentity")
		other.must(hop(other, named))
		usual.must(usual.trust(second, all))
		usual.must(hop(usual, named))
	})

	holds(t, "8.6", "root assumes no role", func(t *testing.T) {
		e := base.fork(t)
		e.refused(e.assume("arn:aws:iam::"+landlord+":root", first), "AccessDenied", "root")
	})
}

// located registers a path with a role of the landlord that the trust and the policy
// make, as a principal.
func (e *estate) located(by, path, role, trust, policy string, change func(*lakeformation.RegisterResourceInput)) error {
	e.t.Helper()
	arn := "arn:aws:iam::" + landlord + ":role/" + role
	e.role(arn, trust, policy)
	in := &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: &arn}
	if change != nil {
		change(in)
	}
	return errOf(e.lake(by).RegisterResource(e.t.Context(), in))
}

// trusting is a trust policy of services, with a condition.
func trusting(condition string, services ...string) string {
	text := `{"Version":"2012-10-17","Statement":[`
	for i, service := range services {
		if i > 0 {
			text += ","
		}
		text += `{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"`
		if condition != "" {
			text += `,"Condition":{` + condition + `}`
		}
		text += `}`
	}
	return text + `]}`
}

func (e *estate) verification(path string) lftypes.VerificationStatus {
	e.t.Helper()
	out, err := e.lake(landlordAdmin).DescribeResource(e.t.Context(), &lakeformation.DescribeResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + path)})
	e.must(err)
	return out.ResourceInfo.VerificationStatus
}

func TestReadingsOfLocations(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	reads := allowing("s3:*", "*")
	pass := func(service string) string {
		return `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"` + service + `.amazonaws.com"}}}`
	}
	registrar := base.person("Registrar", policyOf(allowed("lakeformation:*", "*"), pass("lakeformation")))

	holds(t, "8.7", "a location's role is trusted by and passed to Lake Formation, or Glue as well", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{LocationRolesTrustGlue: true})
		usual.must(usual.located(registrar, "land/a", "A", trusting("", "lakeformation"), reads, nil))
		other.refused(other.located(landlordAdmin, "land/a", "A", trusting("", "lakeformation"), reads, nil), "InvalidInputException", "does not trust glue")
		other.refused(other.located(registrar, "land/b", "B", trusting("", "lakeformation", "glue"), reads, nil), "AccessDeniedException", "iam:PassRole")
		other.must(other.located(landlordAdmin, "land/c", "C", trusting("", "lakeformation", "glue"), reads, nil))
		usual.must(usual.located(registrar, "land/c", "C", trusting("", "lakeformation", "glue"), reads, nil))
	})

	holds(t, "8.8", "a service says for which account and catalog it assumes a role", func(t *testing.T) {
		condition := func(account, service string) string {
			return `"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnLike":{"aws:SourceArn":"arn:aws:` + service + `:*:` + account + `:*"}`
		}
		e := base.fork(t)
		e.must(e.located(landlordAdmin, "land/a", "A", trusting(condition(landlord, "lakeformation"), "lakeformation"), reads, nil))
		e.refused(e.located(landlordAdmin, "land/b", "B", trusting(condition(tenant, "lakeformation"), "lakeformation"), reads, nil), "InvalidInputException", "does not trust")
		e.refused(e.located(landlordAdmin, "land/c", "C", trusting(condition(landlord, "glue"), "lakeformation"), reads, nil), "InvalidInputException", "does not trust")
	})

	holds(t, "8.8", "which is that of the location, not of who reads", func(t *testing.T) {
		e := base.fork(t)
		e.vends()
		e.share(theTable("house", "kitchen"), "SELECT")
		e.must(e.grant(tenantAdmin, tom, theTable("house", "kitchen"), "SELECT"))
		for account, want := range map[string]string{landlord: "", tenant: "AccessDeniedException"} {
			e.must(e.trust(lakeRole, trusting(`"StringEquals":{"aws:SourceAccount":"`+account+`"},"ArnLike":{"aws:SourceArn":"arn:aws:lakeformation:us-east-1:`+account+`:*"}`, "lakeformation")))
			_, err := e.vended(tom, "house", "kitchen")
			if want == "" {
				e.must(err)
				continue
			}
			e.refused(err, want, "not authorized to assume")
		}
	})

	holds(t, "8.9", "a location is verified by whether its role can read it now, or could when it was registered", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{LocationsVerifiedOnce: true})
		for _, e := range []*estate{usual, other} {
			e.must(e.located(landlordAdmin, "land/a", "A", trusting("", "lakeformation"), allowing("s3:GetObject", "arn:aws:s3:::land/b/*"), nil))
			e.equal(e.verification("land/a"), lftypes.VerificationStatusVerificationFailed)
			e.must(errOf(e.iam(landlordAdmin).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("A"), PolicyName: aws.String("own"), PolicyDocument: aws.String(reads)})))
		}
		usual.equal(usual.verification("land/a"), lftypes.VerificationStatusVerified)
		other.equal(other.verification("land/a"), lftypes.VerificationStatusVerificationFailed)
		other.must(errOf(other.lake(landlordAdmin).UpdateResource(t.Context(), &lakeformation.UpdateResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::land/a"), RoleArn: aws.String("arn:aws:iam::" + landlord + ":role/A")})))
		other.equal(other.verification("land/a"), lftypes.VerificationStatusVerified)
	})

	holds(t, "8.10", "one that cannot be read is registered, or refused", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{UnreachableLocationsRefused: true})
		closed := func(e *estate) error {
			return e.located(landlordAdmin, "land/a", "A", trusting("", "lakeformation"), allowing("s3:ListBucket", "*"), nil)
		}
		usual.must(closed(usual))
		other.refused(closed(other), "InvalidInputException", "sufficient access")
		other.must(other.located(landlordAdmin, "land/b", "B", trusting("", "lakeformation"), reads, nil))
	})

	holds(t, "8.10", "whether the role's own policies or the owner of the bucket keep it out", func(t *testing.T) {
		_, other := base.under(t, localmesh.Readings{UnreachableLocationsRefused: true})
		other.bucket(tenantAdmin, "farm")
		other.refused(other.located(landlordAdmin, "farm/a", "A", trusting("", "lakeformation"), reads, nil), "InvalidInputException", "sufficient access")
		policy := policyOf(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + landlord + `:role/A"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::farm","arn:aws:s3:::farm/a/*"]}`)
		other.must(errOf(other.s3(tenantAdmin).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("farm"), Policy: &policy})))
		other.must(other.register(landlordAdmin, "farm/a", "arn:aws:iam::"+landlord+":role/A"))
	})

	holds(t, "8.11", "privileged access gives its registrar the location, or nothing", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{PrivilegedAccessGrantsNothing: true})
		make := func(e *estate) error {
			e.must(e.located(registrar, "land/a", "A", trusting("", "lakeformation"), reads, func(in *lakeformation.RegisterResourceInput) { in.WithPrivilegedAccess = true }))
			e.must(e.trust(registrar, trustedBy("AWS", landlord)))
			e.must(errOf(e.iam(landlordAdmin).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: nameIn(registrar), PolicyName: aws.String("glue"), PolicyDocument: aws.String(allowing("glue:*", "*"))})))
			e.must(e.grant(landlordAdmin, registrar, theDatabase("house"), "CREATE_TABLE"))
			return e.table(registrar, "house", tableAt("cellar", "s3://land/a/cellar"))
		}
		usual.must(make(usual))
		other.refused(make(other), "AccessDeniedException", "s3://land/a/cellar")
		other.must(other.grant(landlordAdmin, registrar, theLocation("land/a"), "DATA_LOCATION_ACCESS"))
		other.must(other.table(registrar, "house", tableAt("cellar", "s3://land/a/cellar")))
	})
}

func TestReadingsOfSharing(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	kitchen := theTable("house", "kitchen")
	forwarding := func(value string) string {
		condition := `"Condition":{"Bool":{"aws:ViaAWSService":"` + value + `"}}`
		return policyOf(allowed("lakeformation:*", "*"), allowed("glue:Get*", "*"), `{"Effect":"Allow","Action":["ram:*","glue:PutResourcePolicy"],"Resource":"*",`+condition+`}`)
	}

	holds(t, "8.12", "what Lake Formation does in RAM and Glue for its caller is marked as that, or not", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{ForwardedCallsUnmarked: true})
		for _, e := range []*estate{usual, other} {
			marked, plain := e.person("Marked", forwarding("true")), e.person("Plain", forwarding("false"))
			e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) { s.DataLakeAdmins = principals(landlordAdmin, marked, plain) })
			may, mayNot := marked, plain
			if e == other {
				may, mayNot = plain, marked
			}
			e.refused(e.grant(mayNot, tenant, kitchen, "SELECT"), "AccessDeniedException", "ram:CreateResourceShare")
			e.must(e.grant(may, tenant, kitchen, "SELECT"))
			e.refused(e.revoke(mayNot, tenant, kitchen, "SELECT"), "AccessDeniedException", "ram:DeleteResourceShare")
			// On acceptance Glue writes the catalog's policy with the grantor's rights.
			e.accept(tenantAdmin)
			e.must(errOf(e.get(tenantAdmin, landlord, "house", "kitchen")))
			// What the grantor does itself is not marked in either world.
			e.refused(e.deleteShares(marked), "AccessDeniedException", "ram:DeleteResourceShare")
			e.must(e.revoke(may, tenant, kitchen, "SELECT"))
		}
	})

	holds(t, "8.12", "aws:CalledVia is not there, and the address is not the caller's", func(t *testing.T) {
		e := base.fork(t)
		for condition, want := range map[string]string{
			`"Null":{"aws:CalledVia":"true"}`:                             "",
			`"ForAnyValue:StringLike":{"aws:CalledVia":"lakeformation*"}`: "AccessDeniedException",
			`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`:                  "AccessDeniedException",
			`"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}`:           "",
		} {
			e := e.fork(t)
			as := e.person("Sharer", policyOf(allowed("lakeformation:*", "*"), allowed("glue:Get*", "*"), `{"Effect":"Allow","Action":["ram:*","glue:PutResourcePolicy"],"Resource":"*","Condition":{`+condition+`}}`))
			e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) { s.DataLakeAdmins = principals(landlordAdmin, as) })
			err := e.grant(as, tenant, kitchen, "SELECT")
			if want == "" {
				e.must(err)
			} else {
				e.refused(err, want, "ram:CreateResourceShare")
			}
		}
	})

	holds(t, "8.13", "deleting a share and taking from it are limited by its name and by what it carries", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, tenant, kitchen, "SELECT"))
		e.must(e.grant(landlordAdmin, tenant, theTable("house", "garden"), "SELECT"))
		limited := func(name, condition string) string {
			as := e.person(name, policyOf(allowed("lakeformation:*", "*"), allowed("glue:Get*", "*"), `{"Effect":"Allow","Action":["ram:DeleteResourceShare","ram:DisassociateResourceShare"],"Resource":"*","Condition":{`+condition+`}}`))
			e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) {
				s.DataLakeAdmins = append(s.DataLakeAdmins, principals(as)...)
			})
			return as
		}
		elsewhere := limited("Elsewhere", `"StringLike":{"ram:ResourceShareName":"Mine*"}`)
		e.refused(e.revoke(elsewhere, tenant, kitchen, "SELECT"), "AccessDeniedException", "ram:DisassociateResourceShare")
		e.refused(e.deleteShares(elsewhere), "AccessDeniedException", "ram:DeleteResourceShare")
		databases := limited("Databases", `"StringEquals":{"ram:RequestedResourceType":"glue:Database"}`)
		e.refused(e.revoke(databases, tenant, kitchen, "SELECT"), "AccessDeniedException", "ram:DisassociateResourceShare")
		tables := limited("Tables", `"StringLike":{"ram:ResourceShareName":"LakeFormation*"},"StringEqualsIfExists":{"ram:RequestedResourceType":"glue:Table"}`)
		e.must(e.revoke(tables, tenant, kitchen, "SELECT"))
		e.must(e.deleteShares(tables))
	})

	holds(t, "8.14", "an account that nobody configured has version 4, 1 or 5", func(t *testing.T) {
		for version, r := range map[string]localmesh.Readings{"4": {}, "1": {FirstVersionOfSharing: true}, "5": {FifthVersionOfSharing: true}} {
			e := base.fork(t, localmesh.WithReadings(r))
			e.equal(e.settingsOf("arn:aws:iam::787878787878:role/Admin").Parameters["CROSS_ACCOUNT_VERSION"], version)
		}
	})

	holds(t, "8.15", "settings are written back as they were read, or without SET_CONTEXT", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{SetContextRefused: true})
		write := func(e *estate, leaveOut bool) error {
			by := "arn:aws:iam::787878787878:role/Admin"
			s := e.settingsOf(by)
			if leaveOut {
				delete(s.Parameters, "SET_CONTEXT")
			}
			return errOf(e.lake(by).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s}))
		}
		usual.must(write(usual, false))
		other.refused(write(other, false), "InvalidInputException", "SET_CONTEXT")
		other.must(write(other, true))
	})

	holds(t, "8.16", "who is no administrator sees what it holds itself of others' rows, or its own rows only", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{ListingsShowOwnRows: true})
		for _, e := range []*estate{usual, other} {
			e.must(e.grant(landlordAdmin, ann, kitchen, "ALTER DESCRIBE | ALTER DESCRIBE"))
			e.must(e.grant(ann, bob, kitchen, "ALTER"))
			list := func(by string, principal *lftypes.DataLakePrincipal) int {
				out, err := e.lake(by).ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{Resource: kitchen, Principal: principal})
				e.must(err)
				n := 0
				for _, row := range out.PrincipalResourcePermissions {
					if *row.Principal.DataLakePrincipalIdentifier == bob {
						n++
					}
				}
				return n
			}
			want := 1
			if e == other {
				want = 0
			}
			e.equal(list(ann, nil), want)
			e.equal(list(bob, nil), 1)
			e.equal(list(landlordAdmin, nil), 1)
			// Asking for one principal is answered in both worlds.
			e.equal(list(ann, &principals(bob)[0]), 1)
		}
	})

	holds(t, "8.17", "accounts are invited, or those of one organization are not", func(t *testing.T) {
		usual, other := base.under(t, localmesh.Readings{SharingNeedsNoInvitation: true})
		for _, e := range []*estate{usual, other} {
			e.must(e.grant(landlordAdmin, tenant, kitchen, "SELECT"))
		}
		usual.equal(len(usual.invitations(tenantAdmin)), 1)
		usual.refused(errOf(usual.get(tenantAdmin, landlord, "house", "kitchen")), "AccessDeniedException")
		other.equal(len(other.invitations(tenantAdmin)), 0)
		other.must(errOf(other.get(tenantAdmin, landlord, "house", "kitchen")))
	})

	holds(t, "8.18", "SELECT is a row of its own, every permission is, or none", func(t *testing.T) {
		for _, tt := range []struct {
			r    localmesh.Readings
			want []string
		}{
			{localmesh.Readings{}, []string{"SELECT|SELECT", "ALTER DESCRIBE|ALTER"}},
			{localmesh.Readings{ListedRowsSplit: true}, []string{"SELECT|SELECT", "ALTER|ALTER", "DESCRIBE|"}},
			{localmesh.Readings{ListedRowsMerged: true}, []string{"ALTER DESCRIBE SELECT|ALTER SELECT"}},
		} {
			e := base.fork(t, localmesh.WithReadings(tt.r))
			e.must(e.grant(landlordAdmin, ann, kitchen, "SELECT ALTER DESCRIBE | SELECT ALTER"))
			out, err := e.lake(ann).ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{Resource: kitchen})
			e.must(err)
			var got []string
			for _, row := range out.PrincipalResourcePermissions {
				if *row.Principal.DataLakePrincipalIdentifier == ann {
					got = append(got, words(row.Permissions)+"|"+words(row.PermissionsWithGrantOption))
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			e.same(got, tt.want)
		}
	})
}

func words(permissions []lftypes.Permission) string {
	texts := make([]string, len(permissions))
	for i, p := range permissions {
		texts[i] = string(p)
	}
	return strings.Join(texts, " ")
}

// deleteShares deletes the landlord's shares as a principal, by RAM itself.
func (e *estate) deleteShares(by string) error {
	e.t.Helper()
	out, err := e.ram(landlordAdmin).GetResourceShares(e.t.Context(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareStatus: ramtypes.ResourceShareStatusActive})
	e.must(err)
	for _, s := range out.ResourceShares {
		if err := errOf(e.ram(by).DeleteResourceShare(e.t.Context(), &ram.DeleteResourceShareInput{ResourceShareArn: s.ResourceShareArn})); err != nil {
			return err
		}
	}
	return nil
}
