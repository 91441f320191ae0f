package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// marked are the tables that stand at the product's database as hybrid.
func (w *world) marked() []string {
	w.t.Helper()
	out, err := glue.NewFromConfig(w.meshProducer()).GetDatabase(w.ctx(), &glue.GetDatabaseInput{Name: aws.String(product)})
	w.must(err)
	var names []string
	for key := range out.Database.Parameters {
		if name, ok := strings.CutPrefix(key, "lakemesh.hybrid."); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestHybridAccessIsRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	yes := true
	in := producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: orders, Hybrid: &yes}
	for name, tt := range map[string]struct {
		// before is what is there, says what the error says.
		before func(w *world, in *producer.CreateDataProductsInput)
		says   string
	}{
		"the mesh's cross-account version is too low": {func(w *world, _ *producer.CreateDataProductsInput) { w.crossAccountVersion("3") }, "cross-account version is 3"},
		"the location is not in hybrid access mode": {func(w *world, _ *producer.CreateDataProductsInput) {
			_, err := w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: customers})
			w.must(err)
		}, "not in hybrid access mode"},
		"it has a crawler": {func(_ *world, in *producer.CreateDataProductsInput) { in.SyncMeshCrawlerRoleARN = meshtest.CrawlerRole }, "opted in"},
		"it has no location": {func(w *world, in *producer.CreateDataProductsInput) {
			w.Table(producerAccount, source, &gluetypes.TableInput{Name: aws.String("nowhere"), StorageDescriptor: &gluetypes.StorageDescriptor{Columns: []gluetypes.Column{{Name: aws.String("id"), Type: aws.String("string")}}}})
			in.TableNameRegex = "nowhere"
		}, "has no location"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{Mesh: meshtest.Accounts(t), t: t, producers: map[string]*producer.Producer{}, consumers: map[string]*consumer.Consumer{}, left: map[string][]string{}}
			offer(w.Mesh)
			if !strings.Contains(name, "too low") {
				w.crossAccountVersion("4")
			}
			w.producer = w.openProducer(producerAccount)
			in := in
			tt.before(w, &in)
			w.silent("publishing what is refused", func() {
				_, err := w.producer.CreateDataProducts(w.ctx(), in)
				if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("publishing: %v, want it refused with %q", err, tt.says)
				}
			})
		})
	}
}

func TestHybridAccessIsKeptAndEndsWithTheTable(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	w.optIn()
	is := func(when string, want ...string) {
		t.Helper()
		if got := w.marked(); !slices.Equal(got, want) {
			t.Errorf("%s these are hybrid: %q, want %q", when, got, want)
		}
	}
	is("at first", orders)
	// Again, without a word: it stays, and nothing is to be done.
	todo, err := w.producer.PlanCreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: orders})
	w.must(err)
	if !todo.Empty() || len(todo.Warnings) > 0 {
		t.Errorf("publishing again would %s", todo)
	}
	in := meshtest.CSV(orders, location(orders), "year")
	in.Description = aws.String("changed")
	_, err = w.Glue(producerAccount).UpdateTable(w.ctx(), &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: in})
	w.must(err)
	_, err = w.producer.SyncProducts(w.ctx(), producer.SyncInput{})
	w.must(err)
	is("after a sync", orders)
	w.publish(w.producer, source)
	is("after publishing all of it", orders)
	_, err = w.producer.UnpublishDataProducts(w.ctx(), producer.UnpublishInput{SourceDatabaseName: source, TableNameRegex: orders})
	w.must(err)
	is("after it left")
	w.publish(w.producer, source)
	is("after it was published again")
}

// A whole database is granted table by table where a table of it is open to IAM.
func TestAWholeDatabaseWithAHybridTable(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	analyst := w.reader(consumerAccount, "Analyst")
	w.optIn()
	id := w.request(nil, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, orders, customers)
	w.must(w.publishHybrid(ordersEU))
	w.must(w.openToIAM(ordersEU))
	w.finalize(id, analyst)
	w.reads(analyst, orders, customers, ordersEU)
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id, Reason: "enough"}))
	w.refused(analyst, orders, customers, ordersEU)
	mine, err := (&permissions.Lake{Client: lakeformation.NewFromConfig(w.as(consumerAccount, lakemesh.ConsumerRole)), Account: consumerAccount}).OptIns(w.ctx())
	w.must(err)
	if len(mine) > 0 {
		t.Errorf("after it has left the consumer's opt-ins are %v", mine)
	}
	_, err = w.producer.SettleDepartures(w.ctx())
	w.must(err)
}

// A database that another program made in the mesh account is open to IAM, with defaults for new
// tables. Hybrid access keeps both, if the database has a location in it.
func TestADatabaseThatIsOpenToIAM(t *testing.T) {
	t.Parallel()
	for _, located := range []bool{false, true} {
		w := newHybridWorld(t)
		w.breaks = true
		database := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}
		group := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(permissions.AllowedByIAM)}
		_, err := w.managerLake().GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Resource: database, Principal: group, Permissions: []lftypes.Permission{lftypes.PermissionAll}})
		w.must(err)
		defaults := []gluetypes.PrincipalPermissions{{Principal: &gluetypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(permissions.AllowedByIAM)}, Permissions: []gluetypes.Permission{gluetypes.PermissionAll}}}
		catalog := glue.NewFromConfig(w.meshProducer())
		out, err := catalog.GetDatabase(w.ctx(), &glue.GetDatabaseInput{Name: aws.String(product)})
		w.must(err)
		in := &gluetypes.DatabaseInput{Name: out.Database.Name, Description: out.Database.Description, Parameters: out.Database.Parameters, CreateTableDefaultPermissions: defaults}
		if located {
			in.LocationUri = aws.String("s3://" + bucket + "/")
		}
		_, err = catalog.UpdateDatabase(w.ctx(), &glue.UpdateDatabaseInput{Name: aws.String(product), DatabaseInput: in})
		w.must(err)
		w.optIn()
		names := []string{orders, ordersEU}
		if err := w.publishHybrid(ordersEU); located {
			w.must(err)
		} else if names = names[:1]; !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "location") {
			t.Errorf("publishing into it without a location: %v, want it refused, and how to mend it", err)
		}
		out, err = catalog.GetDatabase(w.ctx(), &glue.GetDatabaseInput{Name: aws.String(product)})
		w.must(err)
		if len(out.Database.CreateTableDefaultPermissions) == 0 {
			t.Error("publishing has taken the default permissions away")
		}
		id := w.request(names, "SELECT", "DESCRIBE")
		err = w.producer.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id})
		if !located {
			if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "IAMAllowedPrincipals") {
				t.Errorf("without a location: %v, want it refused", err)
			}
			v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
			w.must(err)
			if !slices.Contains(linksFound(v), "undecided, grant, database "+product+", "+permissions.AllowedByIAM) {
				t.Errorf("without a location the owner finds %q", linksFound(v))
			}
			continue
		}
		w.must(err)
		analyst := w.reader(consumerAccount, "Analyst")
		w.finalize(id, analyst)
		w.reads(analyst, orders, ordersEU)
	}
}

// explains is what an explanation says of the opt-in.
func optedInOf(e *chain.Explanation, path chain.Path) (said []string) {
	for _, way := range e.Ways {
		for _, s := range way.Steps {
			if way.Path == path && s.Link == chain.OptedIn {
				do := ""
				if s.Do != nil {
					do = ", " + s.Do.Operation
				}
				said = append(said, string(s.State)+do)
			}
		}
	}
	return said
}

func TestExplainKnowsTheOptIn(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "a grant counts without an opt-in", func(r localmesh.Readings) bool { return r.HybridGrantsNeedNoOptIn })
	w.breaks = true
	analyst := w.reader(consumerAccount, "Analyst")
	ask := chain.Question{Database: product, Table: orders, Principal: analyst}
	is := func(when string, owner, administrator, own []string) {
		t.Helper()
		e, err := w.producer.Explain(w.ctx(), ask)
		w.must(err)
		if got := optedInOf(e, chain.ThroughAccount); !slices.Equal(got, owner) {
			t.Errorf("%s the owner is told %q, want %q", when, got, owner)
		}
		if e, err = w.openAdmin().Explain(w.ctx(), ask); err != nil {
			t.Fatal(err)
		}
		if got := optedInOf(e, chain.ThroughAccount); !slices.Equal(got, administrator) {
			t.Errorf("%s the administrator is told %q, want %q", when, got, administrator)
		}
		if e, err = w.consumer.Explain(w.ctx(), ask); err != nil {
			t.Fatal(err)
		}
		if got := optedInOf(e, chain.ThroughAccount); !slices.Equal(got, own) {
			t.Errorf("%s the consumer is told %q, want %q", when, got, own)
		}
	}
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	is("before anybody is opted in", []string{"not seen"}, []string{"broken, admin.OptIn"}, []string{"not seen", "not seen"})
	w.optIn()
	w.finalize(id, analyst)
	is("when all are opted in", []string{"not seen"}, []string{"holds"}, []string{"holds", "holds"})
	w.optOut(lakeformation.NewFromConfig(w.as(consumerAccount, lakemesh.ConsumerRole)), analyst, &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(orders)}})
	is("when the analyst is opted out", []string{"not seen"}, []string{"holds"}, []string{"holds", "broken, consumer.FinalizeSubscription"})
}

// What the mesh's manager opts out is what it opted in, and never what keeps a role of the mesh
// account from what IAM would let it do.
func TestOptingOutOpensNothing(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	w.breaks = true
	w.AddProducer(otherProducer)
	w.optIn()
	no := false
	_, err := w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: orders, Hybrid: &no})
	w.must(err)
	todo, err := w.openAdmin().PlanOptIn(w.ctx())
	w.must(err)
	for _, s := range todo.Steps {
		if s.Kind != plan.OptOut || strings.Contains(s.Summary, ":role/") {
			t.Errorf("while IAM would let roles through, the plan is to %s", s.Summary)
		}
	}
	v, err := w.known(func() (*chain.Verification, error) { return w.openAdmin().Verify(w.ctx(), admin.VerifyInput{}) })
	w.must(err)
	if !slices.Contains(linksFound(v), "undecided, grant, table "+product+"."+orders+", "+permissions.AllowedByIAM) {
		t.Errorf("the administrator finds %q", linksFound(v))
	}
}
