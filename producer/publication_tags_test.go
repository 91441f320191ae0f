package producer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// The keys of the publisher.
const (
	ownDomain  = "domain-" + publisherID
	ownProduct = "dataproduct-" + publisherID
)

// otherRole is Lake Formation of the mesh as another producer's role there uses it.
func (m publishing) otherRole() *permissions.Lake {
	m.t.Helper()
	meshtest.Before(m.Mesh.Mesh, func() { m.AddProducer(meshtest.OtherProducer) })
	cfg := m.Config(lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(meshtest.OtherProducer)))
	return &permissions.Lake{Client: lakeformation.NewFromConfig(cfg), Account: theMesh}
}

// stands fails the test if the sample is not published and linked.
func (m publishing) stands() {
	m.t.Helper()
	if got := m.tableNames(m.meshGlue(), theMesh, published); !slices.Equal(got, []string{"airports", "routes", "weather"}) {
		m.t.Errorf("published %q", got)
	}
	if link := m.table(m.ownGlue(), publisherID, published, "routes_link"); link.StorageDescriptor == nil {
		m.t.Error("what the mesh shares has not arrived")
	}
}

func (m publishing) tag() producer.CreateDataProductsInput {
	return producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "Transport", DataProductName: "Flights"}
}

func TestOnlyTheOwnerMayChangeItsLFTags(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	other := m.otherRole()
	m.publish(m.tag())
	for _, key := range []string{ownDomain, ownProduct} {
		if err := other.AddTagValues(t.Context(), key, "planted"); err == nil {
			t.Errorf("another producer added a value to %s", key)
		}
	}
	// It is a producer that may add values to the shared ones.
	if err := other.AddTagValues(t.Context(), "domain", "planted"); err != nil {
		t.Error(err)
	}
	readOnly := &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole))), Account: theMesh}
	got, err := readOnly.TableTags(t.Context(), published, "routes")
	if err != nil || got[ownDomain] != "transport" || got[ownProduct] != "flights" {
		t.Errorf("the read-only role sees %v, %v", got, err)
	}
}

// upgrade brings the mesh up to date as its administrator does.
func (m publishing) upgrade() {
	m.t.Helper()
	a, err := admin.New(m.t.Context(), m.Options(theMesh))
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := a.UpgradeMesh(m.t.Context(), admin.UpgradeMeshInput{}); err != nil {
		m.t.Fatal(err)
	}
}

func TestAKeyThatIsNotItsOwnersAloneIsNotUsed(t *testing.T) {
	t.Parallel()
	other, own := lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(meshtest.OtherProducer)), lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID))
	tag := permissions.Tag(theMesh, ownDomain)
	for name, test := range map[string]struct {
		grant, revoke permissions.Entry
		kind          error
	}{
		"another may add values": {grant: permissions.Entry{Principal: other, Permissions: lakemesh.NewPermissions(lakemesh.Alter)}, kind: lakemesh.ErrAccessDenied},
		"another may assign it":  {grant: permissions.Entry{Principal: other, Permissions: lakemesh.NewPermissions(permissions.Associate)}, kind: lakemesh.ErrAccessDenied},
		"a consumer may assign it": {grant: permissions.Entry{Principal: lakemesh.RoleARN(theMesh, lakemesh.MeshConsumerRole(meshtest.ConsumerAccount)),
			Permissions: lakemesh.NewPermissions(permissions.Associate)}, kind: lakemesh.ErrAccessDenied},
		"another account may assign it": {grant: permissions.Entry{Principal: meshtest.OtherProducer, Permissions: lakemesh.NewPermissions(permissions.Associate)}, kind: lakemesh.ErrAccessDenied},
		"its owner may not see it": {revoke: permissions.Entry{Principal: own, Permissions: lakemesh.NewPermissions(lakemesh.Describe, permissions.Associate, lakemesh.Alter)},
			kind: lakemesh.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			if m.Readings().ListingsShowOwnRows && test.grant.Principal != "" {
				t.Skip("an owner that is not shown what others hold cannot tell; the administrator's upgrade can (docs/decisions/0013)")
			}
			m.AddProducer(meshtest.OtherProducer)
			lake, todo := m.manager(), &plan.Plan{Operation: "test"}
			test.grant.Resource, test.revoke.Resource = tag, tag
			lake.Batches().Grant(todo, test.grant)
			lake.Batches().Revoke(todo, test.revoke)
			if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
				t.Fatal(err)
			}
			out, err := m.open().CreateDataProducts(t.Context(), m.tag())
			if !errors.Is(err, lakemesh.ErrPartial) || !errors.Is(err, test.kind) || !strings.Contains(err.Error(), ownDomain) || !strings.Contains(err.Error(), "admin.UpgradeMesh()") {
				t.Errorf("%v", err)
			}
			if out == nil || len(out.Tables) != 3 {
				t.Errorf("it says that it published %+v", out)
			}
			m.stands()
			if got := m.tagsOf("routes"); got[ownDomain] != "" || got[ownProduct] != "flights" || got["domain"] != "transport" {
				t.Errorf("routes has %v", got)
			}
			m.upgrade()
			m.publish(m.tag())
			if got := m.tagsOf("routes"); got[ownDomain] != "transport" {
				t.Errorf("after the upgrade routes has %v", got)
			}
			m.publish(m.tag())
			m.noWrites("after that")
		})
	}
}

func TestASharedLFTagThatCannotBeSetIsAWarning(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	// The shared keys have a value more than the owner's, and room for no other.
	other := m.otherRole()
	for _, key := range []string{"domain", "dataproduct"} {
		if err := other.AddTagValues(t.Context(), key, "planted"); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.SetQuota(theMesh, "LF-Tag values", 2); err != nil {
		t.Fatal(err)
	}
	out := m.publish(m.tag())
	m.stands()
	want := map[string]string{ownDomain: "transport", ownProduct: "flights"}
	if diff := cmp.Diff(want, m.tagsOf("weather")); diff != "" {
		t.Errorf("weather (-want +got):\n%s", diff)
	}
	if len(out.Warnings) != 2 || !strings.Contains(out.Warnings[0]+out.Warnings[1], "at most 2 values") || !strings.Contains(out.Warnings[0]+out.Warnings[1], ownDomain+" is what counts") {
		t.Errorf("warnings %q", out.Warnings)
	}
}

func TestWithoutRoomForItsLFTagsAPublicationStandsAndSaysSo(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	if err := m.SetQuota(theMesh, "LF-Tag values", 1); err != nil {
		t.Fatal(err)
	}
	_, err := m.open().CreateDataProducts(t.Context(), m.tag())
	if !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), "raise the quota") {
		t.Errorf("%v", err)
	}
	m.stands()
	if got := m.tagsOf("routes"); len(got) > 0 {
		t.Errorf("routes has %v", got)
	}
	if err := m.SetQuota(theMesh, "LF-Tag values", 2); err != nil {
		t.Fatal(err)
	}
	m.publish(m.tag())
	if got := m.tagsOf("routes"); got[ownDomain] != "transport" || got[ownProduct] != "flights" {
		t.Errorf("with room for them routes has %v", got)
	}
	m.publish(m.tag())
	m.noWrites("the third time")
}

func TestLFTagsThatAreRefusedTogetherAreAssignedApart(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	in := m.tag()
	in.TableNameRegex = "routes"
	p := m.open()
	// Lake Formation refuses all of a call for one tag, and then the shared ones.
	for _, nth := range []int{1, 3, 4} {
		m.Fail(localmesh.Fault{Service: "lakeformation", Operation: "AddLFTagsToResource", Nth: nth, Code: "AccessDeniedException", Message: "Insufficient Lake Formation permission(s)", Status: 400})
	}
	out, err := p.CreateDataProducts(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{ownDomain: "transport", ownProduct: "flights"}, m.tagsOf("routes")); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	if len(out.Warnings) != 2 {
		t.Errorf("warnings %q", out.Warnings)
	}
}

func TestTheSourcesDomainBecomesTheOwnersToo(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	own := m.lakeAdministrator()
	for key, value := range map[string]string{"domain": "maps", "domain-" + meshtest.OtherProducer: "planted"} {
		if err := own.CreateTag(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
		if _, err := own.Client.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{
			Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshtest.SampleDatabase), Name: aws.String("routes")}},
			LFTags:   []lftypes.LFTagPair{{TagKey: aws.String(key), TagValues: []string{value}}}}); err != nil {
			t.Fatal(err)
		}
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	if diff := cmp.Diff(map[string]string{"domain": "maps", ownDomain: "maps"}, m.tagsOf("routes")); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	m.noWrites("the second time")
}
