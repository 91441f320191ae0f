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
	m.AddProducer(meshtest.OtherProducer)
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
		if err := other.AddTagValues(t.Context(), key, true, "planted"); err == nil {
			t.Errorf("another producer added a value to %s", key)
		}
	}
	// It is a producer that may make keys, and values of the shared ones.
	if err := other.AddTagValues(t.Context(), "domain", true, "planted"); err != nil {
		t.Error(err)
	}
	readOnly := &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole))), Account: theMesh}
	got, err := readOnly.TableTags(t.Context(), published, "routes")
	if err != nil || got[ownDomain] != "transport" || got[ownProduct] != "flights" {
		t.Errorf("the read-only role sees %v, %v", got, err)
	}
}

func TestAKeyThatAnotherProducerMadeIsNotUsed(t *testing.T) {
	t.Parallel()
	role := lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID))
	all := lakemesh.NewPermissions(lakemesh.Alter, permissions.Associate, lakemesh.Describe, lakemesh.Drop)
	for name, given := range map[string]permissions.Entry{
		"nothing is given":           {},
		"what it takes is given":     {Permissions: lakemesh.NewPermissions(lakemesh.Alter, permissions.Associate, lakemesh.Describe)},
		"all of it is given":         {Permissions: all},
		"all, with the grant option": {Permissions: all, Grantable: all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			if m.Readings().ListingsShowOwnRows && len(given.Grantable) > 0 {
				t.Skip("who may do all that its maker may, and is not shown what others hold, cannot tell (docs/decisions/0013)")
			}
			other := m.otherRole()
			if err := other.AddTagValues(t.Context(), ownDomain, false, "transport"); err != nil {
				t.Fatal(err)
			}
			if given.Principal, given.Resource = role, permissions.Tag(theMesh, ownDomain); len(given.Permissions) > 0 {
				m.grant(other, given)
			}
			out, err := m.open().CreateDataProducts(t.Context(), m.tag())
			if !errors.Is(err, lakemesh.ErrPartial) || !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), ownDomain) || !strings.Contains(err.Error(), "mesh's administrator") {
				t.Errorf("%v", err)
			}
			if out == nil || len(out.Tables) != 3 {
				t.Errorf("it says that it published %+v", out)
			}
			m.stands()
			if got := m.tagsOf("routes"); got[ownDomain] != "" || got[ownProduct] != "flights" || got["domain"] != "transport" {
				t.Errorf("routes has %v", got)
			}
			// The administrator does what the error says.
			lake, todo := m.manager(), &plan.Plan{Operation: "test"}
			grant, revoke := lake.Batches(), permissions.Entry{Principal: lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(meshtest.OtherProducer)),
				Resource: permissions.Tag(theMesh, ownDomain), Permissions: all}
			grant.Change(todo, []permissions.Entry{{Principal: role, Resource: revoke.Resource, Permissions: all, Grantable: all}}, []permissions.Entry{revoke})
			if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
				t.Fatal(err)
			}
			m.publish(m.tag())
			if got := m.tagsOf("routes"); got[ownDomain] != "transport" {
				t.Errorf("after that routes has %v", got)
			}
		})
	}
}

func TestASharedLFTagThatCannotBeSetIsAWarning(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	// The shared key has a value already, and room for no other.
	if err := m.SetQuota(theMesh, "LF-Tag values", 1); err != nil {
		t.Fatal(err)
	}
	out := m.publish(m.tag())
	m.stands()
	want := map[string]string{ownDomain: "transport", ownProduct: "flights"}
	if diff := cmp.Diff(want, m.tagsOf("weather")); diff != "" {
		t.Errorf("weather (-want +got):\n%s", diff)
	}
	if len(out.Warnings) != 2 || !strings.Contains(out.Warnings[0]+out.Warnings[1], "at most 1 values") || !strings.Contains(out.Warnings[0]+out.Warnings[1], ownDomain+" is what counts") {
		t.Errorf("warnings %q", out.Warnings)
	}
}

func TestWithoutRoomForItsLFTagsAPublicationStandsAndSaysSo(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	if err := m.SetQuota(theMesh, "LF-Tags", 2); err != nil {
		t.Fatal(err)
	}
	_, err := m.open().CreateDataProducts(t.Context(), m.tag())
	if !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), "raise the quota") {
		t.Errorf("%v", err)
	}
	m.stands()
	if got := m.tagsOf("routes"); got["domain"] != "transport" || got[ownDomain] != "" {
		t.Errorf("routes has %v", got)
	}
	if err := m.SetQuota(theMesh, "LF-Tags", 4); err != nil {
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
		if err := own.AddTagValues(t.Context(), key, false, value); err != nil {
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
