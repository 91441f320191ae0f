package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The region of the links.
const farRegion = "eu-central-1"

// opens lets the consumer's account link in regions.
func (w *world) opens(regions ...string) {
	w.t.Helper()
	a, err := admin.New(w.t.Context(), w.mesh.Options(consumerAccount))
	w.must(err)
	meshtest.Before(w.mesh.Mesh, func() {
		_, err := a.InitializeConsumerAccount(w.t.Context(), admin.InitializeConsumerInput{LinkRegions: regions})
		w.must(err)
	})
	w.consumer = w.open(consumerAccount)
}

// from is a principal's configuration in a region.
func (w *world) from(region, principal string) aws.Config {
	cfg := w.mesh.Config(principal)
	cfg.Region = region
	return cfg
}

// linksOf are the account's links to the product in a region, as its role sees them.
func (w *world) linksOf(region string) []string {
	w.t.Helper()
	out, err := glue.NewFromConfig(w.from(region, self())).GetDatabases(w.t.Context(), &glue.GetDatabasesInput{})
	w.must(err)
	names := []string{}
	for _, d := range out.DatabaseList {
		if d.TargetDatabase != nil {
			names = append(names, aws.ToString(d.Name))
		}
	}
	return names
}

func (w *world) haveLinks(region string, want ...string) {
	w.t.Helper()
	var got []string
	if !meshtest.Soon(w.mesh.Mesh, func() bool { got = w.linksOf(region); return slices.Equal(got, want) }) {
		w.t.Errorf("links in region %s: %q, want %q", region, got, want)
	}
}

// readFrom reads rows as an engine does that runs in a region: it finds the table through
// the region's link, is told where it is, and reads it there.
func (w *world) readFrom(region, principal, link, table string) (string, error) {
	ctx := context.WithoutCancel(w.t.Context())
	found, err := glue.NewFromConfig(w.from(region, principal)).GetTable(ctx, &glue.GetTableInput{DatabaseName: &link, Name: &table})
	if err != nil {
		return "", err
	}
	db, err := glue.NewFromConfig(w.from(region, principal)).GetDatabase(ctx, &glue.GetDatabaseInput{Name: &link})
	if err != nil {
		return "", err
	}
	target := db.Database.TargetDatabase
	if target == nil || aws.ToString(target.Region) == "" {
		return "", errors.New("the link does not say in which region its target is")
	}
	at, arn := aws.ToString(target.Region), lakemesh.TableARN(aws.ToString(target.Region), aws.ToString(target.CatalogId), aws.ToString(target.DatabaseName), table)
	in := &lakeformation.GetTemporaryGlueTableCredentialsInput{TableArn: &arn, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}}
	if _, err := lakeformation.NewFromConfig(w.from(region, principal)).GetTemporaryGlueTableCredentials(ctx, in); err == nil {
		return "", errors.New("credentials were given out in another region than the catalog's")
	}
	out, err := lakeformation.NewFromConfig(w.from(at, principal)).GetTemporaryGlueTableCredentials(ctx, in)
	if err != nil {
		return "", err
	}
	vended := credentials.NewStaticCredentialsProvider(aws.ToString(out.AccessKeyId), aws.ToString(out.SecretAccessKey), aws.ToString(out.SessionToken))
	prefix := strings.TrimPrefix(aws.ToString(found.Table.StorageDescriptor.Location), "s3://"+bucket+"/")
	object, err := s3.NewFromConfig(w.mesh.ConfigWith(vended)).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(prefix + "rows.csv")})
	if err != nil {
		return "", err
	}
	defer object.Body.Close()
	rows, err := io.ReadAll(object.Body)
	return string(rows), err
}

func (w *world) readsFrom(region, principal, link, table string) {
	w.t.Helper()
	var rows string
	var err error
	if !meshtest.Soon(w.mesh.Mesh, func() bool {
		rows, err = w.readFrom(region, principal, link, table)
		return err == nil && rows == ordersRow
	}) {
		w.t.Errorf("%s reads %s from region %s: %q, %v", principal, table, region, rows, err)
	}
}

func (w *world) imports(in consumer.FinalizeInput) *consumer.FinalizeOutput {
	w.t.Helper()
	out, err := w.consumer.FinalizeSubscription(w.t.Context(), in)
	w.must(err)
	return out
}

func TestALinkInAnotherRegion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens(farRegion)
	analyst, id := w.analyst(), w.request("orders")
	w.approve(id)
	out := w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion, Principals: []string{analyst}})
	if !slices.Equal(out.LinkRegions, []string{farRegion}) || !strings.Contains(strings.Join(out.Warnings, "\n"), "Redshift Spectrum") {
		t.Errorf("it says %+v", out)
	}
	w.haveLinks(farRegion, database)
	w.haveLinks(region)
	w.readsFrom(farRegion, analyst, database, "orders")
	if _, err := w.readFrom(farRegion, analyst, database, "customers"); err == nil {
		t.Error("what was not granted is read through the link")
	}
	s, err := w.consumer.GetSubscription(t.Context(), id)
	if err != nil || !slices.Equal(s.LinkRegions, []string{farRegion}) || !s.Imported {
		t.Errorf("it is recorded as %+v, %v", s, err)
	}
	// An import without a region is one where it was linked before.
	w.silent("importing again", func() {
		w.imports(consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst}})
	})
	w.haveLinks(region)
	// The mesh's own region is one of several.
	w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: region, Principals: []string{analyst}})
	w.haveLinks(region, database)
	w.haveLinks(farRegion, database)
	w.reads(analyst, "orders")
	w.chainHolds()

	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
	w.haveLinks(farRegion)
	w.haveLinks(region)
	w.refused(analyst, "orders")
}

func TestWhatTheOwnerExtendsIsReadThroughTheLinksThatThereAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens(farRegion)
	analyst, id := w.analyst(), w.request()
	w.approve(id)
	w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion, LinkDatabaseName: "far_sales", Principals: []string{analyst}})
	w.mesh.Table(producerAccount, "sales", meshtest.CSV("returns", "s3://"+bucket+"/returns/"))
	w.mesh.Put(producerAccount, bucket, "returns/rows.csv", ordersRow)
	w.publish(producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
	meshtest.Soon(w.mesh.Mesh, func() bool {
		w.imports(consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst}})
		_, err := w.readFrom(farRegion, analyst, "far_sales", "returns")
		return err == nil
	})
	w.readsFrom(farRegion, analyst, "far_sales", "returns")
	w.haveLinks(farRegion, "far_sales")
	w.haveLinks(region)
	w.chainHolds()
}

func TestLinksOfOtherRegionsThatLeadNowhereAreRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens(farRegion, "ap-southeast-2")
	id := w.request("orders")
	w.approve(id)
	w.finalize(id, w.analyst())
	for _, r := range []string{farRegion, "ap-southeast-2"} {
		w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: r, Principals: []string{analystARN}})
		w.readsFrom(r, analystARN, database, "orders")
	}
	w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}))
	meshtest.Soon(w.mesh.Mesh, func() bool {
		w.must(w.consumer.RemoveDeadLinks(t.Context(), consumer.RemoveDeadLinksInput{}))
		return len(w.linksOf(region))+len(w.linksOf(farRegion))+len(w.linksOf("ap-southeast-2")) == 0
	})
	w.haveLinks(region)
	w.haveLinks(farRegion)
	w.haveLinks("ap-southeast-2")
}

// A link in a region stays while another subscription says that it is needed there.
func TestALinkIsNeededByRegion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens(farRegion)
	near, far := w.request("orders"), w.request("customers")
	for _, id := range []string{near, far} {
		w.approve(id)
	}
	w.finalize(near, w.analyst())
	w.imports(consumer.FinalizeInput{SubscriptionID: far, LinkRegion: farRegion, Principals: []string{analystARN}})
	w.haveLinks(region, database)
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: near}))
	w.haveLinks(region)
	w.haveLinks(farRegion, database)
	w.readsFrom(farRegion, analystARN, database, "customers")
	w.chainHolds()
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: far}))
	w.haveLinks(farRegion)
}

func TestALinkRegionIsCheckedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request("orders")
	w.approve(id)
	for name, test := range map[string]struct {
		region string
		kind   error
		says   string
	}{
		"no region at all":  {"Frankfurt", lakemesh.ErrInvalidInput, "not a region"},
		"another partition": {"cn-north-1", lakemesh.ErrInvalidInput, "is of partition aws-cn"},
		"not chosen":        {farRegion, lakemesh.ErrAccessDenied, "account init"},
	} {
		w.silent(name, func() {
			for _, do := range []func() error{
				func() error {
					_, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, LinkRegion: test.region})
					return err
				},
				func() error {
					_, err := w.consumer.PlanFinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, LinkRegion: test.region})
					return err
				},
			} {
				if err := do(); !errors.Is(err, test.kind) {
					t.Errorf("%s: %v", name, err)
				} else if name != "not chosen" && !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: it says %v", name, err)
				}
			}
		})
	}
	w.opens(farRegion)
	other := &gluetypes.DatabaseIdentifier{CatalogId: aws.String("333333333333"), DatabaseName: aws.String("elsewhere")}
	_, err := glue.NewFromConfig(w.from(farRegion, meshtest.Administrator(consumerAccount))).CreateDatabase(t.Context(),
		&glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(database), TargetDatabase: other}})
	w.must(err)
	w.silent("a name that is taken", func() {
		_, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion})
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "in region "+farRegion) {
			t.Errorf("a name that is taken: %v", err)
		}
	})
	w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion, LinkDatabaseName: "far"})
	w.haveLinks(farRegion, "far", database)
}

// Whatever call fails, what was made is found again: the record says first where links may be.
func TestALinkInAnotherRegionThatWasMadeInPart(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"glue:CreateDatabase", "lakeformation:BatchGrantPermissions", "dynamodb:TransactWriteItems"} {
		for _, nth := range []int{1, 2} {
			t.Run(fmt.Sprint(operation, nth), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.opens(farRegion)
				id := w.request("orders")
				w.approve(id)
				service, name, _ := strings.Cut(operation, ":")
				w.mesh.Fail(localmesh.Fault{Service: service, Operation: name, Nth: nth, Times: 1000, Code: "AccessDeniedException", Message: "by the test", Status: 400})
				_, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion, Principals: []string{w.analyst()}})
				w.mesh.ClearFaults()
				if err == nil && nth == 1 {
					t.Error("nothing failed")
				}
				w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
				w.haveLinks(farRegion)
				w.haveLinks(region)
			})
		}
	}
}

// What verify finds of links in other regions, and repairs.
func TestLinksInOtherRegionsAreVerified(t *testing.T) {
	t.Parallel()
	far := func(w *world) *lakeformation.Client {
		return lakeformation.NewFromConfig(w.from(farRegion, self()))
	}
	on := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(database)}}
	for name, test := range map[string]struct {
		breaks func(w *world, id string) error
		want   string
		// gone tells that the repair leaves no link.
		gone bool
	}{
		"the link was removed": {func(w *world, _ string) error {
			_, err := far(w).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionDrop},
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(self())}})
			w.must(err)
			_, err = glue.NewFromConfig(w.from(farRegion, self())).DeleteDatabase(t.Context(), &glue.DeleteDatabaseInput{Name: aws.String(database)})
			return err
		}, "missing, resource link, database " + database + " in region " + farRegion + ", ", false},
		"a principal sees it no more": {func(w *world, _ string) error {
			_, err := far(w).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionDescribe},
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(analystARN)}})
			return err
		}, "missing, handed on, link database " + database + " in region " + farRegion + ", " + analystARN, false},
		"the owner ended it": {func(w *world, id string) error {
			return w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
		}, "too much, resource link, link database " + database + " in region " + farRegion + ", ", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.t = t
			w.opens(farRegion)
			id := w.request("orders")
			w.approve(id)
			w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion, Principals: []string{w.analyst()}})
			w.chainHolds()
			w.must(test.breaks(w, id))
			v, diff := w.verify(consumer.VerifyInput{}, []string{test.want})
			if diff != "" {
				t.Fatalf("found (-want +got):\n%s", diff)
			}
			_, err := w.consumer.Repair(t.Context(), v)
			w.must(err)
			if test.gone {
				w.haveLinks(farRegion)
			} else {
				w.haveLinks(farRegion, database)
				w.readsFrom(farRegion, analystARN, database, "orders")
			}
			w.haveLinks(region)
			w.chainHolds()
		})
	}
}

func TestALinkInAnotherRegionIsExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens(farRegion)
	// In a region that nobody set up, new databases are open to whom IAM lets through.
	lake := lakeformation.NewFromConfig(w.from(farRegion, meshtest.Administrator(consumerAccount)))
	settings, err := lake.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	settings.DataLakeSettings.CreateDatabaseDefaultPermissions = []lftypes.PrincipalPermissions{}
	_, err = lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings.DataLakeSettings})
	w.must(err)
	analyst, id := w.analyst(), w.request("orders")
	w.approve(id)
	w.imports(consumer.FinalizeInput{SubscriptionID: id, LinkRegion: farRegion, Principals: []string{analyst}})
	link := func() (found chain.Step) {
		e, err := w.consumer.Explain(t.Context(), consumer.ExplainInput{Principal: analyst, Database: database, Table: "orders"})
		w.must(err)
		for _, s := range e.Ways[0].Steps {
			if s.Link == chain.ResourceLink {
				found = s
			}
		}
		return found
	}
	if s := link(); s.State != chain.Holds || !strings.Contains(s.What, "in region "+farRegion) {
		t.Errorf("it says %+v", s)
	}
	_, err = lakeformation.NewFromConfig(w.from(farRegion, self())).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{
		Resource:    &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(database)}},
		Permissions: []lftypes.Permission{lftypes.PermissionDescribe}, Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &analyst}})
	w.must(err)
	if s := link(); s.State != chain.Broken || s.Do == nil || !strings.Contains(s.Do.String(), farRegion) {
		t.Errorf("without DESCRIBE on the link it says %+v", s)
	}
	// A region that does not answer is told of, and hides nothing else.
	w.mesh.Fail(localmesh.Fault{Service: "glue", Operation: "GetDatabases", Nth: 2, Times: 1000, Code: "AccessDeniedException", Message: "by the test", Status: 400})
	e, err := w.consumer.Explain(t.Context(), consumer.ExplainInput{Principal: analyst, Database: database, Table: "orders"})
	w.mesh.ClearFaults()
	if err != nil || !slices.ContainsFunc(e.Notes, func(n string) bool { return strings.Contains(n, farRegion) }) {
		t.Errorf("%+v, %v", e, err)
	}
}
