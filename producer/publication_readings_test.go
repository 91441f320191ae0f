package producer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// What AWS's documentation leaves open is to be right in every reading of it. These
// tests take those that the local mesh does not take.

// answering opens the publisher with the answers of AWS changed.
func (m publishing) answering(change func(operation string, in, out any)) *producer.Producer {
	m.t.Helper()
	return m.open(func(o *lakemesh.Options) {
		cfg := meshtest.Answering(*o.Config, change)
		o.Config = &cfg
	})
}

func warned(warnings []string, text string) int {
	n := 0
	for _, w := range warnings {
		if strings.Contains(w, text) {
			n++
		}
	}
	return n
}

func TestALocationWithoutDataLocationAccessNamesTheGrant(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*localmesh.Fault{
		"as the local mesh says it": nil,
		"in other words": {Service: "glue", Operation: "CreateTable", Code: "AccessDeniedException", Status: 400,
			Message: "Insufficient Lake Formation permission(s): Required Data Location Access on the path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			if m.Readings().UnreachableLocationsRefused {
				t.Skip("there each folder is registered, and whoever registers it may use it")
			}
			in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes"}
			m.publish(in)
			// As if AWS gave it to administrators alone.
			role := lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID))
			location := permissions.Entry{Principal: role, Resource: permissions.Location(theMesh, "arn:aws:s3:::"+meshtest.SampleBucket), Permissions: lakemesh.NewPermissions(permissions.DataLocationAccess)}
			b, todo := m.manager().Batches(), &plan.Plan{Operation: "test"}
			b.Revoke(todo, location)
			if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
				t.Fatal(err)
			}
			in.TableNameRegex = "airports"
			p := m.open()
			if fault != nil {
				m.Fail(*fault)
			}
			_, err := p.CreateDataProducts(t.Context(), in)
			if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "lacks DATA_LOCATION_ACCESS") || strings.Contains(err.Error(), "somebody else") ||
				!strings.Contains(err.Error(), `--principal DataLakePrincipalIdentifier=`+role) || !strings.Contains(err.Error(), `"ResourceArn":"arn:aws:s3:::flights"`) {
				t.Errorf("%v", err)
			}
			if !strings.Contains(err.Error(), `admin.EnableAccountAsProducer(AccountID: "`+publisherID+`")`) {
				t.Errorf("%v", err)
			}
			if err := m.Enable(t.Context(), publisherID); err != nil {
				t.Fatal(err)
			}
			m.publish(in)
		})
	}
}

func TestALocationThatIsRegisteredOnlyWhenItCanBeReadIsOpenedBefore(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	p := m.open()
	meshtest.Without(t, m.Mesh.Mesh, "the bucket is registered in the end", func(r localmesh.Readings) bool { return r.UnreachableLocationsRefused })
	m.Fail(localmesh.Fault{Service: "lakeformation", Operation: "RegisterResource", Times: 2, Code: "InvalidInputException", Status: 400,
		Message: "The role " + lakemesh.RoleARN(theMesh, lakemesh.DataAccessRole(publisherID)) + " does not have access to the S3 path s3://flights"})
	if _, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}); err != nil {
		t.Fatal(err)
	}
	m.stands()
	locations, err := m.manager().Locations(t.Context())
	if err != nil || len(locations) != 1 || locations[0].Role != lakemesh.RoleARN(theMesh, lakemesh.DataAccessRole(publisherID)) {
		t.Errorf("registered %+v, %v", locations, err)
	}
	// Nothing is left open to be read.
	out, err := meshtest.Known(m.Mesh.Mesh, func() (string, error) {
		out, err := m.S3(publisherID).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(meshtest.SampleBucket)})
		if awserr.Is(err, "NoSuchBucketPolicy") {
			return "", nil
		}
		return aws.ToString(out.Policy), err
	})
	if err != nil || strings.Contains(out, "flights/") || m.Count("s3:PutBucketPolicy") == 0 {
		t.Errorf("%s, %v, %d", out, err, m.Count("s3:PutBucketPolicy"))
	}
}

// A role that may read some folders of a bucket may not be let register the bucket.
func TestFoldersAreRegisteredWhereTheBucketIsNot(t *testing.T) {
	t.Parallel()
	m := newPublishing(t, localmesh.WithReadings(localmesh.Readings{UnreachableLocationsRefused: true, LocationsVerifiedOnce: true}))
	m.Sample()
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	m.stands()
	locations, err := m.manager().Locations(t.Context())
	if err != nil || len(locations) != 3 {
		t.Errorf("registered %+v, %v", locations, err)
	}
	m.publish(in)
	m.noWrites("the second time")
}

func TestALocationThatLakeFormationCannotVerifyIsSaid(t *testing.T) {
	t.Parallel()
	for status, want := range map[lftypes.VerificationStatus]int{
		"": 0, lftypes.VerificationStatusVerified: 0, lftypes.VerificationStatusNotVerified: 1, lftypes.VerificationStatusVerificationFailed: 1,
	} {
		m := sampled(t)
		meshtest.Without(t, m.Mesh.Mesh, "there is a warning a folder", func(r localmesh.Readings) bool { return r.UnreachableLocationsRefused })
		in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
		p := m.answering(func(_ string, _, out any) {
			if out, ok := out.(*lakeformation.ListResourcesOutput); ok {
				for i := range out.ResourceInfoList {
					// Somebody else registered it.
					out.ResourceInfoList[i].VerificationStatus, out.ResourceInfoList[i].RoleArn = status, aws.String("arn:aws:iam::"+theMesh+":role/Lake")
				}
			}
		})
		for range 2 {
			out, err := p.CreateDataProducts(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got := warned(out.Warnings, "has not verified"); m.Count("lakeformation:RegisterResource") == 0 && got != want {
				t.Errorf("%q: warnings %q", status, out.Warnings)
			}
			m.ResetCounts()
		}
	}
}

func TestGrantsThatAreShownOnlyToWhoAsksForThemAreNotMadeAgain(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	role := lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID))
	p := m.answering(func(_ string, in, out any) {
		if out, ok := out.(*lakeformation.ListPermissionsOutput); ok && in.(*lakeformation.ListPermissionsInput).Principal == nil {
			out.PrincipalResourcePermissions = slices.DeleteFunc(out.PrincipalResourcePermissions, func(r lftypes.PrincipalResourcePermissions) bool {
				return aws.ToString(r.Principal.DataLakePrincipalIdentifier) == lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole) && role != ""
			})
		}
	})
	if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	m.noWrites("with rows of others left out")
}

func TestWhatIAMOpensInTheMeshIsSaid(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	m.publish(in)
	m.grant(m.manager(), permissions.Entry{Principal: permissions.AllowedByIAM, Resource: permissions.Table(theMesh, published, "routes"), Permissions: lakemesh.NewPermissions(lakemesh.All)})
	out := m.publish(in)
	if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "table "+published+".routes is open to everybody") {
		t.Errorf("warnings %q", out.Warnings)
	}
	m.noWrites("without consent")
}

func TestACrawlersRoleAndItsLastRunAreLookedAt(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole}
	p := m.open()
	roles := iam.NewFromConfig(m.Config(meshtest.Administrator(publisherID)))
	put := func(role, policy, effect, actions string) {
		t.Helper()
		meshtest.Before(m.Mesh.Mesh, func() {
			_, err := roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(policy),
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":[` + actions + `],"Resource":"*"}]}`)})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	put("Crawler", meshtest.CrawlersPolicy, "Allow", `"s3:*","glue:*"`)
	put(lakemesh.ProducerRole, "test", "Deny", `"iam:SimulatePrincipalPolicy"`)
	todo, err := p.PlanCreateDataProducts(t.Context(), in)
	if err != nil || len(todo.Warnings) > 0 {
		t.Errorf("where the producer may not look: %q, %v", todo.Warnings, err)
	}
	put(lakemesh.ProducerRole, "test", "Allow", `"iam:SimulatePrincipalPolicy"`)
	if todo, err = p.PlanCreateDataProducts(t.Context(), in); err != nil || warned(todo.Warnings, "do not allow lakeformation:GetDataAccess:") != 1 {
		t.Errorf("a role that lacks a right: %q, %v", todo.Warnings, err)
	}
	put("Crawler", meshtest.CrawlersPolicy, "Allow", `"s3:*","glue:*","lakeformation:GetDataAccess"`)
	if todo, err = p.PlanCreateDataProducts(t.Context(), in); err != nil || len(todo.Warnings) > 0 {
		t.Errorf("a role that lacks nothing: %q, %v", todo.Warnings, err)
	}
	m.publish(in)
	p = m.answering(func(_ string, _, out any) {
		if out, ok := out.(*glue.GetCrawlerOutput); ok {
			out.Crawler.LastCrawl = &gluetypes.LastCrawlInfo{Status: gluetypes.LastCrawlStatusFailed, ErrorMessage: aws.String("Access Denied (Service: S3)")}
		}
	})
	out, err := p.CreateDataProducts(t.Context(), in)
	if err != nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "failed when it last ran") || !strings.Contains(out.Warnings[0], "Access Denied (Service: S3)") {
		t.Errorf("a crawler that failed: %+v, %v", out, err)
	}
}

func TestACrawlerThatIsRunningKeepsNothingFromBeingPublished(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := m.tag()
	in.TableNameRegex, in.SyncMeshCrawlerRoleARN = "routes", meshtest.CrawlerRole
	m.publish(in)
	if _, err := m.Glue(publisherID).StartCrawler(t.Context(), &glue.StartCrawlerInput{Name: aws.String("lakemesh-" + published)}); err != nil {
		t.Fatal(err)
	}
	in.TableNameRegex = "airports"
	out := m.publish(in)
	if warned(out.Warnings, "is running") != 1 || m.tagsOf("airports")[ownDomain] != "transport" {
		t.Errorf("warnings %q, tags %v", out.Warnings, m.tagsOf("airports"))
	}
}

func TestPartitionsOutsideOfTheLocationAreSaid(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.Bucket(publisherID, "elsewhere")
	m.Partitions(publisherID, meshtest.SampleDatabase, "weather", "s3://elsewhere/weather", 3, 2)
	// A name that begins alike is another folder.
	m.Partitions(publisherID, meshtest.SampleDatabase, "weather", "s3://flights/weather-old", 5, 1)
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "weather"}
	for _, when := range []string{"the first time", "again"} {
		out := m.publish(in)
		if len(out.Warnings) != 1 || !strings.HasPrefix(out.Warnings[0], "3 partitions of aviation.weather lie outside of its location s3://flights/weather/, such as s3://elsewhere/weather/part=00003 (00003)") {
			t.Errorf("%s: %q", when, out.Warnings)
		}
	}
}

func TestPublishedTablesArriveWhateverIsSaidOfTheirShares(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(out any){
		"Lake Formation names no share": func(out any) {
			if out, ok := out.(*lakeformation.ListPermissionsOutput); ok {
				for i := range out.PrincipalResourcePermissions {
					out.PrincipalResourcePermissions[i].AdditionalDetails = nil
				}
			}
		},
		"RAM lists no share that was accepted": func(out any) {
			if out, ok := out.(*ram.GetResourceSharesOutput); ok {
				out.ResourceShares = nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			p := m.answering(func(_ string, _, out any) { change(out) })
			in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
			if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			m.stands()
			todo, err := p.PlanCreateDataProducts(t.Context(), in)
			if err != nil || !todo.Empty() {
				t.Errorf("there is more to do, %v:\n%s", err, todo)
			}
		})
	}
}
