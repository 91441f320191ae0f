package proof

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

func tableOn(account, database, name string) *types.TableResource {
	return &types.TableResource{CatalogId: &account, DatabaseName: &database, Name: &name}
}

// registering registers a path of the owner's bucket with a role, as somebody.
func (t *Try) registering(by aws.Config, below, role string, change ...func(*lakeformation.RegisterResourceInput)) func() error {
	arn := t.s3ARN(below)
	return func() error {
		if err := t.journal.make(Thing{Kind: kindLocation, In: Mesh, Name: arn}); err != nil {
			return err
		}
		in := &lakeformation.RegisterResourceInput{ResourceArn: &arn, RoleArn: &role}
		for _, c := range change {
			c(in)
		}
		return only(lake(by).RegisterResource(t.ctx, in))
	}
}

// locationRole makes a role to register locations with.
func (t *Try) locationRole(trust, policy string) string {
	arn, err := t.makeRole(t.ctx, t.owner(), t.next("loc"), trust, policy)
	t.need(err)
	return arn
}

func locationChecks() []Check {
	return []Check{
		{Name: "registering locations", Rules: []string{"3.1", "6.2.16", "3.2", "3.10", "3.13"}, Run: func(t *Try) {
			t.refused("a location is registered with neither a role nor the service-linked one", func() error {
				return only(lake(t.admin()).RegisterResource(t.ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String(t.s3ARN("x"))}))
			}, "InvalidInputException")
			t.about("6.2.16")
			t.refused("a registered location is registered", t.registering(t.admin(), "sales", t.lakeRole()), "AlreadyExistsException")
			t.about("3.2")
			t.done("a path below a registered one is registered", func() error { return already(t.registering(t.admin(), "sales/deep", t.lakeRole())()) })
			t.refused("a path that is only below a registered one is described", func() error {
				return only(lake(t.admin()).DescribeResource(t.ctx, &lakeformation.DescribeResourceInput{ResourceArn: aws.String(t.s3ARN("sales/other"))}))
			}, "EntityNotFoundException")
			t.about("3.10")
			t.refused("a location that is not registered is granted", func() error { return t.grant(t.admin(), t.arns["ann"], t.onLocation("never"), "DATA_LOCATION_ACCESS") },
				"AccessDeniedException", "Resource does not exist or requester is not authorized")
			t.about("3.13")
			t.refused("a location is no ARN of S3", func() error {
				return only(lake(t.admin()).RegisterResource(t.ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String(t.catalogARN(t.owner(), "catalog")), RoleArn: aws.String(t.lakeRole())}))
			}, "InvalidInputException")
		}},
		{Name: "making tables at locations", Rules: []string{"3.7", "3.8"}, Run: func(t *Try) {
			db, ann := t.scratch(), t.people["ann"]
			t.given(t.arns["ann"], t.onDatabase(db), "CREATE_TABLE")
			create := func(name, below string) func() error {
				return func() error {
					return only(glueOf(ann).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt(name, t.path(below), "id")}))
				}
			}
			t.done("a table outside of registered locations is made with CREATE_TABLE alone", create("free", "free/ann"))
			t.about("3.8")
			t.refused("a table at a registered location is made without DATA_LOCATION_ACCESS", create("held", "sales/ann"), "AccessDeniedException", "Insufficient Lake Formation permission(s)")
			t.about("3.7")
			t.given(t.arns["ann"], t.onLocation("sales"), "DATA_LOCATION_ACCESS")
			t.done("with DATA_LOCATION_ACCESS above it the table is made", create("held", "sales/ann"))
		}},
		{Name: "the role of a location", Rules: []string{"3.5", "8.7"}, Doubt: "The role of a location need trust Lake Formation alone, and be passed to it alone: every publication registers a location so.", Run: func(t *Try) {
			distrusting := t.locationRole(trustOfServices("glue"), allowing("s3:*", "*"))
			t.refused("a role that does not trust Lake Formation is registered", t.registering(t.admin(), "roles/a", distrusting), "InvalidInputException")
			t.about("8.7")
			alone := t.locationRole(trustOfServices("lakeformation"), allowing("s3:*", "*"))
			registrar, _ := t.someone(t.owner(), policyOf(statement("lakeformation:*", "*"),
				`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lakeformation.amazonaws.com"}}}`))
			t.done("a role that trusts Lake Formation alone is registered by who may pass it to Lake Formation alone", func() error { return already(t.registering(registrar, "roles/b", alone)()) })
			t.reads("location-roles-trust-glue")
		}},
		{Name: "for whom Lake Formation assumes a role", Rules: []string{"8.8"}, Run: func(t *Try) {
			condition := func(account string) string {
				return `{"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnLike":{"aws:SourceArn":"` + partition + `lakeformation:*:` + account + `:*"}}`
			}
			service := `{"Service":"lakeformation.amazonaws.com"}`
			t.done("the role asks for the account of the location", func() error {
				return already(t.registering(t.admin(), "source/a", t.locationRole(trusting(service, condition(t.owner().ID)), allowing("s3:*", "*")))())
			})
			foreign := t.locationRole(trusting(service, condition(t.third().ID)), allowing("s3:*", "*"))
			t.refused("the role asks for another account", t.registering(t.admin(), "source/b", foreign), "InvalidInputException")
		}},
		{Name: "locations that cannot be read yet", Rules: []string{"8.10", "8.9"}, Doubt: "A location can be registered before the bucket's owner lets its role in: a producer registers first and opens then.", Run: func(t *Try) {
			blind := t.locationRole(trustOfServices("lakeformation", "glue"), allowing("s3:GetObject", partition+"s3:::"+t.bucket()+"/elsewhere/*"))
			if !t.done("a location that its role cannot read is registered", func() error { return already(t.registering(t.admin(), "blind", blind)()) }) {
				t.reads("unreachable-locations-refused")
				return
			}
			t.about("8.9")
			status := func() (string, error) {
				out, err := lake(t.admin()).DescribeResource(t.ctx, &lakeformation.DescribeResourceInput{ResourceArn: aws.String(t.s3ARN("blind"))})
				if err != nil {
					return "", err
				}
				return string(out.ResourceInfo.VerificationStatus), nil
			}
			t.equal("its verification has failed", status, "VERIFICATION_FAILED")
			name := blind[len(t.owner().role("")):]
			t.need(only(iamOf(t.owner().config).PutRolePolicy(t.ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("more"), PolicyDocument: aws.String(allowing("s3:*", "*"))})))
			t.either("it is verified once its role may read it", "VERIFIED", "locations-verified-once", status)
		}},
		{Name: "privileged access", Rules: []string{"8.11"}, Doubt: "Whoever registers a location with privileged access may make tables there: a producer's role publishes so, and is no administrator.", Run: func(t *Try) {
			db := t.scratch()
			role := t.locationRole(trustOfServices("lakeformation", "glue"), allowing("s3:*", "*"))
			registrar, arn := t.someone(t.owner(), allowing("lakeformation:* iam:PassRole glue:*", "*"))
			t.soon("registering with privileged access", func() error {
				return already(t.registering(registrar, "privileged", role, func(in *lakeformation.RegisterResourceInput) { in.WithPrivilegedAccess = true })())
			})
			t.given(arn, t.onDatabase(db), "CREATE_TABLE")
			t.done("it makes a table there", func() error {
				return only(glueOf(registrar).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("own", t.path("privileged/own"), "id")}))
			})
			t.reads("privileged-access-grants-nothing")
		}},
	}
}
