package acceptance_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// newHybridWorld is a world in which orders is published in hybrid access mode and everybody
// whom IAM lets through in the mesh account holds ALL on its copy; customers is published
// without.
func newHybridWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	return newHybridWorldOf(t, true, opts...)
}

// newHybridWorldOf is the same, or without anything that IAMAllowedPrincipals holds.
func newHybridWorldOf(t *testing.T, open bool, opts ...localmesh.Option) *world {
	t.Helper()
	w := &world{Mesh: meshtest.Accounts(t, opts...), t: t, producers: map[string]*producer.Producer{}, consumers: map[string]*consumer.Consumer{}, left: map[string][]string{}}
	t.Cleanup(w.chainHolds)
	offer(w.Mesh)
	w.crossAccountVersion("4")
	w.producer, w.consumer = w.openProducer(producerAccount), w.openConsumer(consumerAccount)
	w.must(w.publishHybrid(orders))
	_, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: customers})
	w.must(err)
	if open {
		w.must(w.openToIAM(orders))
	}
	return w
}

func (w *world) publishHybrid(table string) error {
	yes := true
	_, err := w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: table, Hybrid: &yes})
	return err
}

// lakeOf is Lake Formation as an administrator of the mesh account.
func (w *world) meshLake() *lakeformation.Client {
	return lakeformation.NewFromConfig(w.Config(meshtest.Administrator(meshAccount)))
}

// crossAccountVersion sets that of the mesh account.
func (w *world) crossAccountVersion(version string) {
	w.t.Helper()
	out, err := w.meshLake().GetDataLakeSettings(w.ctx(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	if has := out.DataLakeSettings.Parameters["CROSS_ACCOUNT_VERSION"]; has > version && version < "4" {
		w.t.Skipf("the cross-account version of this mesh is %s from the beginning", has)
	} else if has >= version {
		return
	}
	out.DataLakeSettings.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": version}
	_, err = w.meshLake().PutDataLakeSettings(w.ctx(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	w.must(err)
}

func copyOf(table string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(table)}}
}

// openToIAM gives everybody whom IAM lets through ALL on a copy, as programs do on whose
// users it depends.
func (w *world) openToIAM(table string) error {
	_, err := lakeformation.NewFromConfig(w.manager()).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Resource: copyOf(table), Permissions: []lftypes.Permission{lftypes.PermissionAll},
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(permissions.AllowedByIAM)}})
	return err
}

func (w *world) openAdmin() *admin.Admin {
	w.t.Helper()
	a, err := admin.New(w.ctx(), w.Options(meshAccount))
	w.must(err)
	return a
}

// optIn brings the mesh's opt-ins up to date.
func (w *world) optIn() *admin.OptInOutput {
	w.t.Helper()
	out, err := w.openAdmin().OptIn(w.ctx())
	w.must(err)
	return out
}

func TestALifeInHybridAccess(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	analyst := w.reader(consumerAccount, "Analyst")
	w.optIn()
	id := w.request([]string{orders, customers}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	w.reads(analyst, customers, orders)
	w.end(id)
	w.refused(analyst, orders, customers)
}

// TestAHybridTableIsInAGroup has what is granted by LF-tags count on a table that IAM decides
// about for others.
func TestAHybridTableIsInAGroup(t *testing.T) {
	t.Parallel()
	w := &groups{newHybridWorld(t)}
	w.Database(producerAccount, other)
	for _, table := range []string{orders, customers} {
		w.offers(source, table, "Transport", "Flights")
	}
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	w.optIn()
	id := w.asks("", "flights")
	w.approve(id)
	w.finalize(id, analyst)
	w.world.reads(analyst, customers, orders)
	w.refused(colleague, customers, orders)
	w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
	w.refused(analyst, customers, orders)
	w.end(id)
	w.refused(analyst, orders, customers)
}

// TestLeavingAGroupInHybridAccessOptsOut has nobody opted in for what nobody holds any more,
// and nobody opted out of what another subscription still gives.
func TestLeavingAGroupInHybridAccessOptsOut(t *testing.T) {
	t.Parallel()
	opted := func(w *groups) (on []string) {
		pages := lakeformation.NewListLakeFormationOptInsPaginator(w.lakeAdministrator(consumerAccount), &lakeformation.ListLakeFormationOptInsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(w.ctx())
			w.must(err)
			for _, o := range page.LakeFormationOptInsInfoList {
				if o.Resource.Table != nil {
					on = append(on, aws.ToString(o.Resource.Table.Name))
				} else {
					on = append(on, "the database")
				}
			}
		}
		slices.Sort(on)
		return on
	}
	for name, groupFirst := range map[string]bool{"the group is left first": true, "the table is left first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &groups{newHybridWorld(t)}
			w.offers(source, orders, "Transport", "Flights")
			analyst := w.Reader(consumerAccount, "Analyst")
			w.optIn()
			first, then := w.asks("", "flights"), w.request([]string{orders}, "SELECT", "DESCRIBE")
			if !groupFirst {
				first, then = then, first
			}
			for _, id := range []string{first, then} {
				w.approve(id)
				w.finalize(id, analyst)
			}
			w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: first}))
			w.world.reads(analyst, orders)
			if got := opted(w); !slices.Equal(got, []string{orders, "the database"}) {
				t.Errorf("beside another subscription %q are opted in to", got)
			}
			w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: then}))
			w.refused(analyst, orders)
			if got := opted(w); len(got) > 0 {
				t.Errorf("after everything was left %q are opted in to", got)
			}
			w.end(first)
			w.end(then)
		})
	}
}
