package acceptance_test

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

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// optOut takes an opt-in away by hand, as whoever administers an account's data lake.
func (w *world) optOut(client *lakeformation.Client, principal string, on *lftypes.Resource) {
	w.t.Helper()
	_, err := client.DeleteLakeFormationOptIn(w.ctx(), &lakeformation.DeleteLakeFormationOptInInput{Resource: on,
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}})
	w.must(err)
}

func (w *world) managerLake() *lakeformation.Client { return lakeformation.NewFromConfig(w.manager()) }

// linksFound are what a verification found, by link.
func linksFound(v *chain.Verification) []string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, string(f.Kind)+", "+string(f.Link)+", "+f.Resource+", "+f.Principal[strings.LastIndexByte(f.Principal, '/')+1:])
	}
	return out
}

// What is read through the product, by what is there: the same rows as the truth table of
// Lake Formation.
func TestWhatIsReadInHybridAccess(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		open bool
		// opted: the mesh's administrator opted the members in; imported: the consumer handed on
		// and opted in; outAgain: the analyst's opt-in, or the account's, was taken away by hand.
		opted, imported bool
		analystOut      bool
		accountOut      bool
		reads           bool
	}{
		"nobody but Lake Formation decides, and nobody is opted in": {imported: true, reads: true},
		"all of it is there":                       {open: true, opted: true, imported: true, reads: true},
		"the consumer has not imported":            {open: true, opted: true},
		"the analyst is opted out":                 {open: true, opted: true, imported: true, analystOut: true},
		"the account is opted out":                 {open: true, opted: true, imported: true, accountOut: true, reads: true},
		"nobody was opted in, and it was imported": {open: true, imported: true, reads: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHybridWorldOf(t, tt.open)
			meshtest.Without(t, w.Mesh.Mesh, "a grant counts without an opt-in", func(r localmesh.Readings) bool { return r.HybridGrantsNeedNoOptIn })
			w.breaks = true
			analyst := w.reader(consumerAccount, "Analyst")
			if tt.opted {
				w.optIn()
			}
			id := w.request([]string{orders}, "SELECT", "DESCRIBE")
			w.approve(id)
			switch {
			case !tt.imported:
			case !tt.open || tt.opted:
				w.finalize(id, analyst)
			default:
				w.refused(analyst, orders)
				w.optIn()
				w.finalize(id, analyst)
			}
			if tt.analystOut {
				w.optOut(lakeformation.NewFromConfig(w.as(consumerAccount, lakemesh.ConsumerRole)), analyst, &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(orders)}})
			}
			if tt.accountOut {
				w.optOut(w.managerLake(), consumerAccount, &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), TableWildcard: &lftypes.TableWildcard{}}})
				v, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
				w.must(err)
				if got := linksFound(v); !slices.Contains(got, "missing, opted in, table "+product+"."+orders+", "+consumerAccount) {
					t.Errorf("the consumer finds %q, want that the account is not opted in", got)
				}
			}
			if tt.reads {
				w.reads(analyst, orders)
			} else {
				w.refused(analyst, orders)
			}
		})
	}
}

func TestOptInsAreVerifiedAndRepairedOnBothSides(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "a grant counts without an opt-in", func(r localmesh.Readings) bool { return r.HybridGrantsNeedNoOptIn })
	w.AddProducer(otherProducer)
	analyst := w.reader(consumerAccount, "Analyst")
	a := w.openAdmin()
	mine := func() []string {
		v, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
		w.must(err)
		return linksFound(v)
	}
	theirs := func() []string {
		v, err := w.known(func() (*chain.Verification, error) { return a.Verify(w.ctx(), admin.VerifyInput{}) })
		w.must(err)
		return linksFound(v)
	}
	var want []string
	for _, on := range []string{"all tables of database " + product, "database " + product} {
		for _, who := range []string{producerAccount, consumerAccount, "DataMeshAdminProducer-" + otherProducer, lakemesh.ReadOnlyRole} {
			want = append(want, "missing, opted in, "+on+", "+who[strings.LastIndexByte(who, '/')+1:])
		}
	}
	got := theirs()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("before anybody is opted in the administrator finds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	v, err := w.known(func() (*chain.Verification, error) { return a.Verify(w.ctx(), admin.VerifyInput{}) })
	w.must(err)
	_, err = a.Repair(w.ctx(), v)
	w.must(err)
	if got := theirs(); len(got) > 0 {
		t.Errorf("after the repair the administrator finds %q", got)
	}
	if out := w.optIn(); len(out.OptedIn)+len(out.OptedOut) > 0 {
		t.Errorf("opting in once more did %v", out)
	}
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	shared := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(orders)}}
	w.optOut(lakeformation.NewFromConfig(w.as(consumerAccount, lakemesh.ConsumerRole)), analyst, shared)
	w.refused(analyst, orders)
	if got := mine(); !slices.Equal(got, []string{"missing, opted in, table " + product + "." + orders + ", Analyst"}) {
		t.Errorf("the consumer finds %q", got)
	}
	cv, err := w.known(func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) })
	w.must(err)
	_, err = w.consumer.Repair(w.ctx(), cv)
	w.must(err)
	w.reads(analyst, orders)

	// An opt-in that another program made is none of lakemesh's business; one that lakemesh
	// made for a role whose access has ended is taken back.
	_, err = w.managerLake().CreateLakeFormationOptIn(w.ctx(), &lakeformation.CreateLakeFormationOptInInput{Resource: copyOf(customers),
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}})
	w.must(err)
	out := w.optIn()
	if want := []string{"opt " + consumerAccount + " out of table " + product + "." + customers}; !slices.Equal(out.OptedOut, want) {
		t.Errorf("opted out %q, want %q", out.OptedOut, want)
	}
	w.end(id)
	w.refused(analyst, orders)
}

func TestRolesAreOptedInWhenTheyWereDecidedOn(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "a grant counts without an opt-in", func(r localmesh.Readings) bool { return r.HybridGrantsNeedNoOptIn })
	analyst := w.reader(consumerAccount, "Analyst")
	w.optIn()
	out, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: []string{orders},
		RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: lakemesh.Scope{Principals: []string{analyst}}})
	w.must(err)
	id := out.SubscriptionID
	todo, err := w.producer.PlanApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id})
	w.must(err)
	if said := strings.Join(todo.Warnings, "\n"); !strings.Contains(said, analyst+" is opted in") || !strings.Contains(said, "admin.OptIn") {
		t.Errorf("the plan warns %q, want that the role has to be opted in", said)
	}
	w.approve(id)
	_, err = w.consumer.FinalizeSubscription(w.ctx(), consumer.FinalizeInput{SubscriptionID: id})
	w.must(err)
	w.refused(analyst, orders)
	var done []string
	if !w.inTheEnd(func() bool { done = append(done, w.optIn().OptedIn...); return len(done) >= 2 }) || len(done) != 2 {
		t.Errorf("opted in %q, want the role to the database and its tables", done)
	}
	w.reads(analyst, orders)
	w.end(id)
	w.refused(analyst, orders)
	if done := w.optIn().OptedOut; len(done) != 2 {
		t.Errorf("opted out %q, want the role again", done)
	}
	w.refused(analyst, orders)
}

func TestARoleThatIsGoneKeepsNobodyFromBeingOptedIn(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "Lake Formation knows every role", func(r localmesh.Readings) bool { return r.AbsentPrincipalsAccepted })
	w.breaks = true
	analyst := w.reader(consumerAccount, "Analyst")
	out, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: []string{orders},
		RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: lakemesh.Scope{Principals: []string{analyst}}})
	w.must(err)
	w.approve(out.SubscriptionID)
	roles := iam.NewFromConfig(w.Config(meshtest.Administrator(consumerAccount)))
	name := "Analyst"
	_, err = roles.DeleteRolePolicy(w.ctx(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("query")})
	w.must(err)
	_, err = roles.DeleteRole(w.ctx(), &iam.DeleteRoleInput{RoleName: &name})
	w.must(err)
	done, err := w.openAdmin().OptIn(w.ctx())
	if err != nil || !slices.Equal(done.Unknown, []string{analyst}) || len(done.OptedIn) != 6 {
		t.Errorf("opting in: %+v, %v; want all others, and the role told of", done, err)
	}
}

func TestApprovingAPartSaysThatIAMOpensTheWhole(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	w.optIn()
	out, err := w.consumer.RequestAccessToProduct(w.ctx(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: []string{orders},
		RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Columns: []string{"id"}}})
	w.must(err)
	id := out.SubscriptionID
	todo, err := w.producer.PlanApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id})
	w.must(err)
	if said := strings.Join(todo.Warnings, "\n"); !strings.Contains(said, "everybody whom IAM lets through") || !strings.Contains(said, "all columns and rows of it") {
		t.Errorf("the plan warns %q, want that the narrowing holds for this account alone", said)
	}
	w.approve(id)
	w.finalize(id, analyst)
	w.TrustEngines(consumerAccount)
	var columns []string
	err = meshtest.Try(w.Mesh.Mesh, func() (err error) {
		columns, _, err = w.Query(w.ctx(), analyst, product, orders)
		return err
	})
	if err != nil || !slices.Equal(columns, []string{"id", "year"}) {
		t.Errorf("the analyst reads columns %q, %v; want id, and the partition key", columns, err)
	}
	w.end(id)
}

func TestWithoutTheOwnersChoiceIAMAllowedPrincipalsIsAFault(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	w.breaks = true
	w.must(w.openToIAM(customers))
	id := w.request([]string{customers}, "SELECT", "DESCRIBE")
	err := w.producer.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "IAMAllowedPrincipals") {
		t.Errorf("approving: %v, want it refused", err)
	}
	w.optIn()
	for party, verify := range map[string]func() (*chain.Verification, error){
		"the owner":         func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) },
		"the administrator": func() (*chain.Verification, error) { return w.openAdmin().Verify(w.ctx(), admin.VerifyInput{}) },
	} {
		v, err := verify()
		w.must(err)
		if got := linksFound(v); !slices.Equal(got, []string{"undecided, grant, table " + product + "." + customers + ", " + permissions.AllowedByIAM}) {
			t.Errorf("%s finds %q", party, got)
		}
	}
	// Whoever may write the copy does not make it hybrid: that stands at the database.
	copies := glue.NewFromConfig(w.Config(meshtest.Administrator(meshAccount)))
	in, err := copies.GetTable(w.ctx(), &glue.GetTableInput{DatabaseName: aws.String(product), Name: aws.String(customers)})
	w.must(err)
	params := in.Table.Parameters
	params["lakemesh.hybrid."+customers] = producerAccount
	_, err = copies.UpdateTable(w.ctx(), &glue.UpdateTableInput{DatabaseName: aws.String(product), TableInput: &gluetypes.TableInput{Name: in.Table.Name, StorageDescriptor: in.Table.StorageDescriptor, Parameters: params,
		TableType: in.Table.TableType, Owner: in.Table.Owner, PartitionKeys: in.Table.PartitionKeys}})
	w.must(err)
	if err := w.producer.ApproveAccessRequest(w.ctx(), producer.ApproveInput{RequestID: id}); !errors.Is(err, lakemesh.ErrAccessDenied) {
		t.Errorf("approving what the copy says: %v, want it refused", err)
	}
	yes := true
	_, err = w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: customers, Hybrid: &yes, Overwrite: true})
	w.must(err)
	w.approve(id)
	no := false
	_, err = w.producer.CreateDataProducts(w.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: customers, Hybrid: &no})
	w.must(err)
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) })
	w.must(err)
	if !slices.Contains(linksFound(v), "undecided, grant, table "+product+"."+customers+", "+permissions.AllowedByIAM) {
		t.Errorf("out of hybrid access the owner finds %q", linksFound(v))
	}
}

// Another producer's role in the mesh account may make every call of Glue that publishing
// takes, and IAMAllowedPrincipals lets it through everywhere until it is opted in.
func TestOptingInKeepsOtherProducersOut(t *testing.T) {
	t.Parallel()
	w := newHybridWorld(t)
	w.breaks = true
	meshtest.Before(w.Mesh.Mesh, func() { w.AddProducer(otherProducer) })
	glued := glue.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
	alter := func() error {
		in, err := glued.GetTable(w.ctx(), &glue.GetTableInput{DatabaseName: aws.String(product), Name: aws.String(orders)})
		if err != nil {
			return err
		}
		_, err = glued.UpdateTable(w.ctx(), &glue.UpdateTableInput{DatabaseName: aws.String(product), TableInput: &gluetypes.TableInput{Name: in.Table.Name, StorageDescriptor: in.Table.StorageDescriptor, Parameters: in.Table.Parameters,
			TableType: in.Table.TableType, Owner: in.Table.Owner, PartitionKeys: in.Table.PartitionKeys}})
		return err
	}
	if err := alter(); err != nil {
		t.Fatalf("before it is opted in the other producer changes the copy: %v; the test is about nothing", err)
	}
	w.optIn()
	w.denied("changing another's copy", alter())
	lake := lakeformation.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
	me := lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(otherProducer))
	for what, call := range map[string]func() error{
		"opting itself out": func() error {
			_, err := lake.DeleteLakeFormationOptIn(w.ctx(), &lakeformation.DeleteLakeFormationOptInInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &me},
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), TableWildcard: &lftypes.TableWildcard{}}}})
			return err
		},
		"opting the consumer out": func() error {
			who := consumerAccount
			_, err := lake.DeleteLakeFormationOptIn(w.ctx(), &lakeformation.DeleteLakeFormationOptInInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &who},
				Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}})
			return err
		},
		"marking a table of another's as hybrid": func() error {
			_, err := glued.UpdateDatabase(w.ctx(), &glue.UpdateDatabaseInput{Name: aws.String(product), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(product), Parameters: map[string]string{"lakemesh.hybrid." + customers: producerAccount}}})
			return err
		},
		"letting IAM decide": func() error {
			group := permissions.AllowedByIAM
			_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Resource: copyOf(customers), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &group}})
			return err
		},
		"taking the location out of hybrid access": func() error {
			_, err := lake.UpdateResource(w.ctx(), &lakeformation.UpdateResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket), RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(otherProducer)))})
			return err
		},
	} {
		w.denied(what, call())
	}
}
