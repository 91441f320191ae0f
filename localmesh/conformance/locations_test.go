package conformance_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const serviceLinked = "AWSServiceRoleForLakeFormationDataAccess"

// databaseAt makes a database with a location.
func (e *estate) databaseAt(by, name, location string) error {
	return errOf(e.glue(by).CreateDatabase(e.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name, LocationUri: &location}}))
}

func (e *estate) deregister(by, path string) error {
	return errOf(e.lake(by).DeregisterResource(e.t.Context(), &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + path)}))
}

// servedBy is the service-linked role's policy.
func (e *estate) servedBy() string {
	e.t.Helper()
	c := e.iam(landlordAdmin)
	list, err := c.ListRolePolicies(e.t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(serviceLinked)})
	e.must(err)
	if len(list.PolicyNames) != 1 {
		e.t.Fatalf("the service-linked role has the policies %v", list.PolicyNames)
	}
	out, err := c.GetRolePolicy(e.t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(serviceLinked), PolicyName: &list.PolicyNames[0]})
	e.must(err)
	// IAM hands documents out percent-encoded.
	document, err := url.QueryUnescape(*out.PolicyDocument)
	e.must(err)
	return document
}

// registerHybrid registers a path in hybrid access mode.
func (e *estate) registerHybrid(path string) {
	e.t.Helper()
	e.must(errOf(e.lake(landlordAdmin).RegisterResource(e.t.Context(), &lakeformation.RegisterResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: aws.String(lakeRole), HybridAccessEnabled: aws.Bool(true),
	})))
}

func (e *estate) optIn(principal string, on *lftypes.Resource) {
	e.t.Helper()
	e.must(errOf(e.lake(landlordAdmin).CreateLakeFormationOptIn(e.t.Context(), &lakeformation.CreateLakeFormationOptInInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Resource: on,
	})))
}

func TestRegisteredLocations(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "3.1", "a location is registered once, with one role", func(t *testing.T) {
		e := base.fork(t)
		c := e.lake(landlordAdmin)
		e.must(errOf(c.RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::other/path"), RoleArn: aws.String(lakeRole), HybridAccessEnabled: aws.Bool(true), WithFederation: aws.Bool(false),
			ExpectedResourceOwnerAccount: aws.String(landlord),
		})))
		out, err := c.DescribeResource(t.Context(), &lakeformation.DescribeResourceInput{ResourceArn: aws.String("arn:aws:s3:::other/path")})
		e.must(err)
		e.equal(*out.ResourceInfo.RoleArn+" "+*out.ResourceInfo.ExpectedResourceOwnerAccount+" "+fmt.Sprint(*out.ResourceInfo.HybridAccessEnabled), lakeRole+" "+landlord+" true")
		e.refused(e.register(landlordAdmin, "other/path", lakeRole), "AlreadyExistsException")
		e.refused(e.register(landlordAdmin, "other/path", ""), "AlreadyExistsException")
		e.refused(errOf(c.RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::x")})), "InvalidInputException")
		e.refused(errOf(c.RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::x"), RoleArn: aws.String(lakeRole), UseServiceLinkedRole: aws.Bool(true),
		})), "InvalidInputException")
	})

	holds(t, "3.2", "what lies below is registered, too", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, ann, theDatabase("house"), "CREATE_TABLE"))
		e.refused(e.table(ann, "house", tableAt("deep", "s3://land/house/a/b/c")), "AccessDeniedException")
		e.must(e.table(ann, "house", tableAt("beside", "s3://land/houses")))
		// A path below a registered one can be registered.
		e.must(e.register(landlordAdmin, "land/house/kitchen", lakeRole))
		table, err := e.get(landlordAdmin, "", "house", "garden")
		e.must(err)
		e.equal(table.IsRegisteredWithLakeFormation, true)
		// Registered is not the same as described: only exact paths are listed.
		e.refused(errOf(e.lake(landlordAdmin).DescribeResource(t.Context(), &lakeformation.DescribeResourceInput{ResourceArn: aws.String("arn:aws:s3:::land/house/garden")})), "EntityNotFoundException")
	})

	holds(t, "3.3", "the service-linked role is made with the first path, and its one policy grows", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.register(landlordAdmin, "first", ""))
		role, err := e.iam(landlordAdmin).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(serviceLinked)})
		e.must(err)
		e.equal(*role.Role.Path, "/aws-service-role/lakeformation.amazonaws.com/")
		e.must(e.register(landlordAdmin, "second/path", ""))
		for _, path := range []string{"first", "second/path"} {
			if !strings.Contains(e.servedBy(), path) {
				t.Errorf("the policy lacks %s", path)
			}
		}
		e.must(e.deregister(landlordAdmin, "second/path"))
		if strings.Contains(e.servedBy(), "second/path") {
			t.Error("the policy has a path that was taken out")
		}
		// Such a registration is not changed, others are.
		update := func(path string) error {
			return errOf(e.lake(landlordAdmin).UpdateResource(t.Context(), &lakeformation.UpdateResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: aws.String(lakeRole), HybridAccessEnabled: aws.Bool(true)}))
		}
		e.refused(update("first"), "InvalidInputException")
		e.must(update("land/house"))
		// Nobody else edits the policy.
		e.refused(errOf(e.iam(landlordAdmin).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: aws.String(serviceLinked), PolicyName: aws.String("more"), PolicyDocument: aws.String(allowing("s3:*", "*")),
		})), "UnmodifiableEntity")
		// It has an end.
		for i := 0; err == nil && i < 1000; i++ {
			err = e.register(landlordAdmin, fmt.Sprintf("bucket/%s/%d", strings.Repeat("x", 200), i), "")
		}
		e.refused(err, "ResourceNumberLimitExceededException")
	})

	holds(t, "3.4", "a role reads another account's bucket where the bucket's policy lets it", func(t *testing.T) {
		e := base.fork(t)
		e.vends()
		e.bucket(tenantAdmin, "theirs")
		e.put(tenantAdmin, "theirs", "data/rows")
		e.must(e.register(landlordAdmin, "theirs/data", lakeRole))
		e.must(e.table(landlordAdmin, "house", tableAt("theirs", "s3://theirs/data")))
		c, err := e.vended(landlordAdmin, "house", "theirs")
		e.must(err)
		e.refused(e.read(c, "theirs", "data/rows"), "AccessDenied")
		e.must(errOf(e.s3(tenantAdmin).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("theirs"), Policy: aws.String(policyOf(
			`{"Effect":"Allow","Principal":{"AWS":"` + lakeRole + `"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::theirs/data/*"}`))})))
		e.must(e.read(c, "theirs", "data/rows"))
	})

	holds(t, "3.5", "a role must trust Lake Formation, and needs rights on the data", func(t *testing.T) {
		e := base.fork(t)
		e.vends()
		e.put(landlordAdmin, "land", "poor/rows")
		distrusting, poor := "arn:aws:iam::"+landlord+":role/Distrusting", "arn:aws:iam::"+landlord+":role/Poor"
		e.role(distrusting, trustedBy("Service", "glue.amazonaws.com"), allowing("s3:*", "*"))
		e.role(poor, trustedBy("Service", "lakeformation.amazonaws.com"), allowing("s3:ListBucket", "*"))
		e.refused(e.register(landlordAdmin, "land/x", distrusting), "InvalidInputException", "does not trust")
		e.must(e.register(landlordAdmin, "land/poor", poor))
		e.must(e.table(landlordAdmin, "house", tableAt("poor", "s3://land/poor")))
		c, err := e.vended(landlordAdmin, "house", "poor")
		e.must(err)
		e.refused(e.read(c, "land", "poor/rows"), "AccessDenied")
		e.must(errOf(e.iam(landlordAdmin).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Poor"), PolicyName: aws.String("more"), PolicyDocument: aws.String(allowing("s3:GetObject", "*"))})))
		e.must(e.read(c, "land", "poor/rows"))
		// Trust that was withdrawn ends it.
		e.must(errOf(e.iam(landlordAdmin).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Poor"), PolicyDocument: aws.String(trustedBy("Service", "glue.amazonaws.com"))})))
		e.refused(errOf(e.vended(landlordAdmin, "house", "poor")), "AccessDeniedException")
	})

	holds(t, "3.6", "the last location of the service-linked role stays, and the role is made once", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.register(landlordAdmin, "first", ""))
		e.must(e.register(landlordAdmin, "second", ""))
		e.must(e.deregister(landlordAdmin, "first"))
		e.refused(e.deregister(landlordAdmin, "second"), "InvalidInputException", "Must manually delete service-linked role to deregister last S3 location")
		e.refused(errOf(e.iam(landlordAdmin).CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("lakeformation.amazonaws.com")})),
			"InvalidInput", "has been taken in this account, please try a different suffix")
	})

	holds(t, "3.7", "making and moving what points at a registered location takes DATA_LOCATION_ACCESS", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, ann, onCatalog(), "CREATE_DATABASE"))
		e.must(e.database(ann, "mine"))
		e.must(e.databaseAt(ann, "free", "s3://free/mine"))
		e.must(e.table(ann, "mine", tableAt("free", "s3://free/table")))
		refused := func(location bool) {
			t.Helper()
			check := e.must
			if !location {
				check = func(err error) {
					t.Helper()
					e.refused(err, "AccessDeniedException", "Insufficient Lake Formation permission(s) on s3://land/house")
				}
			}
			suffix := fmt.Sprint(location)
			check(e.databaseAt(ann, "at"+suffix, "s3://land/house/"+suffix))
			check(e.updateDatabase(ann, "mine", &gluetypes.DatabaseInput{Name: aws.String("mine"), LocationUri: aws.String("s3://land/house/mine")}))
			check(e.table(ann, "free", tableAt("t"+suffix, "s3://land/house/mine/"+suffix)))
			check(e.updateTable(ann, "mine", tableAt("free", "s3://land/house/free")))
			check(e.partition(ann, "mine", "free", suffix, "s3://land/house/elsewhere"))
		}
		refused(false)
		e.must(e.grant(landlordAdmin, ann, theLocation("land/house"), "DATA_LOCATION_ACCESS"))
		refused(true)
	})

	holds(t, "3.7", "it covers what lies below, and nothing beside", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, ann, theDatabase("house"), "CREATE_TABLE"))
		e.must(e.grant(landlordAdmin, ann, theLocation("land/house/ann"), "DATA_LOCATION_ACCESS"))
		e.must(e.table(ann, "house", tableAt("one", "s3://land/house/ann")))
		e.must(e.table(ann, "house", tableAt("two", "s3://land/house/ann/deep/er")))
		e.refused(e.table(ann, "house", tableAt("three", "s3://land/house/anna")), "AccessDeniedException")
		e.refused(e.table(ann, "house", tableAt("four", "s3://land/house")), "AccessDeniedException")
	})

	holds(t, "3.7", "below the registered location of a database a table needs no permission", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.databaseAt(landlordAdmin, "wing", "s3://land/house/wing"))
		e.must(e.grant(landlordAdmin, ann, theDatabase("wing"), "CREATE_TABLE"))
		e.must(e.table(ann, "wing", tableAt("in", "s3://land/house/wing/in")))
		e.refused(e.table(ann, "wing", tableAt("out", "s3://land/house/out")), "AccessDeniedException")
	})

	holds(t, "3.7", "reading needs none", func(t *testing.T) {
		e := base.fork(t)
		e.vends()
		e.put(landlordAdmin, "land", "house/kitchen/rows")
		e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"))
		c, err := e.vended(ann, "house", "kitchen")
		e.must(err)
		e.must(e.read(c, "land", "house/kitchen/rows"))
	})

	holds(t, "3.8", "the refusal names the path", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, ann, theDatabase("house"), "CREATE_TABLE"))
		e.refused(e.table(ann, "house", tableAt("t", "s3://land/house/t")), "AccessDeniedException", "Insufficient Lake Formation permission(s) on s3://land/house/t")
	})

	holds(t, "3.9", "a location is shared with the grant option and handed on with the owner's catalog id", func(t *testing.T) {
		e := base.fork(t)
		e.share(theDatabase("house"), "CREATE_TABLE DESCRIBE")
		e.must(e.grant(tenantAdmin, tom, theDatabase("house"), "CREATE_TABLE DESCRIBE"))
		create := func(name string) error {
			return errOf(e.glue(tom).CreateTable(t.Context(), &glue.CreateTableInput{CatalogId: aws.String(landlord), DatabaseName: aws.String("house"), TableInput: room(name)}))
		}
		e.refused(create("tent"), "AccessDeniedException", "s3://land/house/tent")
		e.must(e.grant(landlordAdmin, tenant, theLocation("land/house"), "DATA_LOCATION_ACCESS"))
		e.refused(e.grant(tenantAdmin, tom, theLocation("land/house"), "DATA_LOCATION_ACCESS"), "AccessDeniedException")
		e.must(e.grant(landlordAdmin, tenant, theLocation("land/house"), "DATA_LOCATION_ACCESS | DATA_LOCATION_ACCESS"))
		e.refused(e.grant(tenantAdmin, tom, here(tenant, theLocation("land/house")), "DATA_LOCATION_ACCESS"), "AccessDeniedException")
		e.must(e.grant(tenantAdmin, tom, theLocation("land/house"), "DATA_LOCATION_ACCESS"))
		e.must(create("tent"))
	})

	holds(t, "3.10", "what is not registered cannot be granted", func(t *testing.T) {
		e := base.fork(t)
		err := e.grant(landlordAdmin, ann, theLocation("never/registered"), "DATA_LOCATION_ACCESS")
		e.refused(err, "AccessDeniedException", "Resource does not exist or requester is not authorized to access requested permissions")
		e.status(err, 400)
		e.must(e.register(landlordAdmin, "never/registered", lakeRole))
		e.must(e.grant(landlordAdmin, ann, theLocation("never/registered"), "DATA_LOCATION_ACCESS"))
	})

	holds(t, "3.10", "nor, for a while, what was just registered", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		e.must(e.register(landlordAdmin, "land/new", lakeRole))
		e.eventually("InvalidInputException", "register the S3 path", func() error {
			return e.grant(landlordAdmin, ann, theLocation("land/new/below"), "DATA_LOCATION_ACCESS")
		})
	})

	holds(t, "3.11", "in hybrid access mode Lake Formation decides for those who were opted in", func(t *testing.T) {
		e := base.fork(t)
		e.registerHybrid("land/shed")
		e.must(e.table(landlordAdmin, "house", tableAt("tools", "s3://land/shed/tools")))
		e.must(e.grant(landlordAdmin, "IAM_ALLOWED_PRINCIPALS", theTable("house", "tools"), "ALL"))
		e.must(errOf(e.get(ann, "", "house", "tools")))
		e.must(errOf(e.get(bob, "", "house", "tools")))
		e.optIn(ann, theTable("house", "tools"))
		e.refused(errOf(e.get(ann, "", "house", "tools")), "AccessDeniedException")
		e.must(errOf(e.get(bob, "", "house", "tools")))
		e.must(e.grant(landlordAdmin, ann, theTable("house", "tools"), "SELECT"))
		e.must(errOf(e.get(ann, "", "house", "tools")))
	})

	holds(t, "3.11", "making and moving tables and partitions is held by Lake Formation for everybody", func(t *testing.T) {
		e := base.fork(t)
		e.registerHybrid("land/shed")
		e.must(e.table(landlordAdmin, "house", tableAt("tools", "s3://land/shed/tools")))
		e.must(e.table(landlordAdmin, "house", tableAt("free", "s3://free/free")))
		for _, on := range []*lftypes.Resource{theTable("house", "tools"), theTable("house", "free"), theDatabase("house")} {
			e.must(e.grant(landlordAdmin, "IAM_ALLOWED_PRINCIPALS", on, "ALL"))
		}
		e.refused(e.table(ann, "house", tableAt("t", "s3://land/shed/t")), "AccessDeniedException", "s3://land/shed/t")
		e.refused(e.updateTable(ann, "house", tableAt("free", "s3://land/shed/t")), "AccessDeniedException", "s3://land/shed/t")
		e.refused(e.partition(ann, "house", "free", "a", "s3://land/shed/a"), "AccessDeniedException", "s3://land/shed/a")
		e.refused(e.updateDatabase(ann, "house", &gluetypes.DatabaseInput{Name: aws.String("house"), LocationUri: aws.String("s3://land/shed/d")}), "AccessDeniedException")
		e.must(e.grant(landlordAdmin, ann, theLocation("land/shed"), "DATA_LOCATION_ACCESS"))
		e.must(e.table(ann, "house", tableAt("t", "s3://land/shed/t")))
	})

	holds(t, "3.11", "sharing from a hybrid location while IAM decides there takes version 4", func(t *testing.T) {
		e := base.fork(t)
		e.registerHybrid("land/shed")
		for name, at := range map[string]string{"tools": "s3://land/shed/tools", "open": "s3://land/house/open"} {
			e.must(e.table(landlordAdmin, "house", tableAt(name, at)))
			e.must(e.grant(landlordAdmin, "IAM_ALLOWED_PRINCIPALS", theTable("house", name), "ALL"))
		}
		e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) { s.Parameters["CROSS_ACCOUNT_VERSION"] = "3" })
		e.refused(e.grant(landlordAdmin, tenant, theTable("house", "tools"), "SELECT"), "AccessDeniedException", "Illegal combination")
		e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) { s.Parameters["CROSS_ACCOUNT_VERSION"] = "4" })
		e.must(e.grant(landlordAdmin, tenant, theTable("house", "tools"), "SELECT"))
		e.refused(e.grant(landlordAdmin, tenant, theTable("house", "open"), "SELECT"), "AccessDeniedException", "Illegal combination")
	})

	holds(t, "3.12", "a partition outside of its table's location cannot be read", func(t *testing.T) {
		e := base.fork(t)
		e.vends()
		e.must(e.partition(landlordAdmin, "house", "kitchen", "in", "s3://land/house/kitchen/in"))
		e.must(e.partition(landlordAdmin, "house", "kitchen", "out", "s3://land/house/garden/out"))
		e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"))
		ask := func(value string) error {
			return errOf(e.lake(ann).GetTemporaryGluePartitionCredentials(t.Context(), &lakeformation.GetTemporaryGluePartitionCredentialsInput{
				TableArn:  aws.String("arn:aws:glue:us-east-1:" + landlord + ":table/house/kitchen"),
				Partition: &lftypes.PartitionValueList{Values: []string{value}}, SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission},
			}))
		}
		e.must(ask("in"))
		e.refused(ask("out"), "AccessDeniedException")
	})

	holds(t, "3.12", "a table whose schema is in a registry is not served", func(t *testing.T) {
		e := base.fork(t)
		e.vends()
		in := room("registry")
		in.StorageDescriptor.SchemaReference = &gluetypes.SchemaReference{SchemaVersionNumber: aws.Int64(1), SchemaId: &gluetypes.SchemaId{RegistryName: aws.String("r"), SchemaName: aws.String("s")}}
		e.must(e.table(landlordAdmin, "house", in))
		e.refused(errOf(e.vended(landlordAdmin, "house", "registry")), "InvalidInputException", "schema")
	})

	holds(t, "3.12", "only GetTable tells whether a table's location is registered", func(t *testing.T) {
		e := base.fork(t)
		table, err := e.get(landlordAdmin, "", "house", "kitchen")
		e.must(err)
		e.equal(table.IsRegisteredWithLakeFormation, true)
		list, err := e.glue(landlordAdmin).GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: aws.String("house")})
		e.must(err)
		found, err := e.glue(landlordAdmin).SearchTables(t.Context(), &glue.SearchTablesInput{})
		e.must(err)
		for _, table := range append(list.TableList, found.TableList...) {
			e.equal(table.IsRegisteredWithLakeFormation, false)
		}
	})

	holds(t, "3.13", "locations are ARNs of S3", func(t *testing.T) {
		e := base.fork(t)
		for _, bad := range []string{"s3://land/x", "land/x", "arn:aws:s3:::", "arn:aws:dynamodb:us-east-1:" + landlord + ":table/x"} {
			e.refused(errOf(e.lake(landlordAdmin).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: &bad, RoleArn: aws.String(lakeRole)})),
				"InvalidInputException", "Unsupported resource ARN Format")
		}
		out, err := e.lake(landlordAdmin).DescribeResource(t.Context(), &lakeformation.DescribeResourceInput{ResourceArn: aws.String("arn:aws:s3:::land/house")})
		e.must(err)
		e.equal(out.ResourceInfo.VerificationStatus, lftypes.VerificationStatusVerified)
	})
}
