package producer_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// mend makes an update to what the subscription says already.
func (w *world) mend(t *testing.T, id string) {
	t.Helper()
	err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: w.get(t, id).Permitted.Strings()})
	if err != nil {
		t.Fatal(err)
	}
}

// whole checks that an update finds nothing more to do.
func (w *world) whole(t *testing.T, id string) {
	t.Helper()
	todo, err := w.producer.PlanUpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: w.get(t, id).Permitted.Strings()})
	if err != nil || !todo.Empty() {
		t.Errorf("something is left to do: %s, %v", todo, err)
	}
}

// opens checks which prefixes of the bucket are open to a role.
func (w *world) opens(t *testing.T, role string, want ...string) {
	t.Helper()
	got, err := storage.Prefixes(w.bucketPolicy(t), bucket, role)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("open to %s are %q, want %q, %v", role, got, want, err)
	}
}

// lakeAdministrator is a data lake administrator of the mesh account who may do
// everything, also what lakemesh never does.
func (w *world) lakeAdministrator(t *testing.T) *lakeformation.Client {
	t.Helper()
	client := lakeformation.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount)))
	out, err := client.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	out.DataLakeSettings.DataLakeAdmins = append(out.DataLakeSettings.DataLakeAdmins,
		lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))})
	if _, err := client.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings}); err != nil {
		t.Fatal(err)
	}
	return client
}

var ours = lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))

// move gives a table of the source another place, and publishes it again.
func (w *world) move(t *testing.T, table, to string) {
	t.Helper()
	in := meshtest.CSV(table, "s3://"+bucket+"/"+to)
	if _, err := w.accounts.Glue(producerAccount).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(sourceDatabase), TableInput: in}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
}

// leaves opens a prefix to the producer's data access role, as something that was not
// finished left it.
func (w *world) leaves(t *testing.T, prefix string) {
	t.Helper()
	policy, err := storage.Merge(w.bucketPolicy(t), bucket, ours, []string{prefix}, nil)
	if err != nil {
		t.Fatal(err)
	}
	meshtest.Before(w.mesh, func() {
		if _, err := w.accounts.S3(producerAccount).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: &policy}); err != nil {
			t.Fatal(err)
		}
	})
}

// A copy that somebody dropped leaves its prefix behind: its place is not known any more.
func TestTheEndOfASubscriptionToADroppedTableClosesItsPrefix(t *testing.T) {
	t.Parallel()
	for name, tables := range map[string][]string{"named": {"orders"}, "beside another": {"orders", "customers"}, "the whole database": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			other := w.request(t, otherConsumer, []string{"orders_eu"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: other})
			id := w.request(t, consumerAccount, tables, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.dropMeshTable(t, "orders")
			w.end(t, id)
			w.opens(t, ours, "orders_eu/")
			w.holds(t, consumerAccount, nil)
		})
	}
}

// A copy that was dropped and published again has lost its grants.
func TestAnUpdateGrantsAgainWhatADroppedTableLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.dropMeshTable(t, "orders")
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	w.mend(t, id)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	w.whole(t, id)
}

func TestAnUpdateFollowsATableThatMoved(t *testing.T) {
	t.Parallel()
	for name, tables := range map[string][]string{"named": {"orders"}, "the whole database": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rest := []string{}
			if tables == nil {
				rest = []string{"customers/", "orders_eu/"}
			}
			id := w.request(t, consumerAccount, tables, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.move(t, "orders", "run-2/")
			w.leaves(t, "orders/")
			w.mend(t, id)
			w.opens(t, ours, slices.Sorted(slices.Values(append(slices.Clone(rest), "run-2/")))...)
			w.whole(t, id)
			w.end(t, id)
			w.opens(t, ours)
		})
	}
}

// A table that moves while another consumer reads it: whoever is decided on follows.
func TestWhatOthersReadStaysOpenWhenATableMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, other := w.request(t, consumerAccount, []string{"orders"}, "SELECT"), w.request(t, otherConsumer, []string{"orders", "customers"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: one})
	w.approve(t, producer.ApproveInput{RequestID: other})
	w.move(t, "orders", "run-2/")
	w.leaves(t, "orders/")
	w.mend(t, one)
	w.opens(t, ours, "customers/", "run-2/")
	w.end(t, one)
	w.opens(t, ours, "customers/", "run-2/")
	w.end(t, other)
	w.opens(t, ours)
}

func TestAnUpdateFollowsTheRoleOfALocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const another = "arn:aws:iam::" + meshAccount + ":role/Readers"
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	administrator := w.mesh.Config(meshtest.Administrator(meshAccount))
	meshtest.Before(w.mesh, func() {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lakeformation.amazonaws.com","glue.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
		if _, err := iam.NewFromConfig(administrator).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Readers"), AssumeRolePolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
	})
	register := func(role string) {
		t.Helper()
		if _, err := lakeformation.NewFromConfig(administrator).UpdateResource(t.Context(), &lakeformation.UpdateResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::" + bucket), RoleArn: &role}); err != nil {
			t.Fatal(err)
		}
	}
	register(another)
	w.mend(t, id)
	w.opens(t, another, "orders/")
	w.opens(t, ours)
	w.whole(t, id)
	register(ours)
	w.mend(t, id)
	w.opens(t, another)
	w.opens(t, ours, "orders/")
	w.end(t, id)
	w.opens(t, ours)
}

// Somebody else may read by columns, filters or tags.
func TestAPrefixStaysOpenForReadersOfAnyKind(t *testing.T) {
	t.Parallel()
	database, table := aws.String(meshDatabase), aws.String("orders")
	for name, on := range map[string]*lftypes.Resource{
		"columns":  {TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: database, Name: table, ColumnNames: []string{"id"}}},
		"a filter": {DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(meshAccount), DatabaseName: database, TableName: table, Name: aws.String("some")}},
		"tags": {LFTagPolicy: &lftypes.LFTagPolicyResource{ResourceType: lftypes.ResourceTypeTable,
			Expression: []lftypes.LFTag{{TagKey: aws.String("kind"), TagValues: []string{"open"}}}}},
		"all tables": {Table: &lftypes.TableResource{DatabaseName: database, TableWildcard: &lftypes.TableWildcard{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			meshtest.Without(t, w.mesh, "what a stranger holds cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
			id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			manager := w.lakeAdministrator(t)
			switch {
			case on.DataCellsFilter != nil:
				if _, err := manager.CreateDataCellsFilter(t.Context(), &lakeformation.CreateDataCellsFilterInput{TableData: &lftypes.DataCellsFilter{
					TableCatalogId: aws.String(meshAccount), DatabaseName: database, TableName: table, Name: aws.String("some"),
					RowFilter: &lftypes.RowFilter{AllRowsWildcard: &lftypes.AllRowsWildcard{}}, ColumnNames: []string{"id"}}}); err != nil {
					t.Fatal(err)
				}
			case on.LFTagPolicy != nil:
				if _, err := manager.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String("kind"), TagValues: []string{"open"}}); err != nil {
					t.Fatal(err)
				}
				if _, err := manager.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{
					Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: database, Name: table}},
					LFTags:   []lftypes.LFTagPair{{TagKey: aws.String("kind"), TagValues: []string{"open"}}}}); err != nil {
					t.Fatal(err)
				}
			}
			to := []string{otherConsumer}
			if on.LFTagPolicy != nil || on.Table != nil {
				// Of tags and of all tables a producer sees no more than what it holds itself.
				to = append(to, lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
			}
			var option []lftypes.Permission
			if on.DataCellsFilter != nil {
				// Filters reach accounts with the grant option alone.
				option = []lftypes.Permission{lftypes.PermissionSelect}
			}
			for _, principal := range to {
				if _, err := manager.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
					Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}, Resource: on,
					Permissions: []lftypes.Permission{lftypes.PermissionSelect}, PermissionsWithGrantOption: option}); err != nil {
					t.Fatal(err)
				}
			}
			w.end(t, id)
			w.opens(t, ours, "orders/")
		})
	}
}

func TestAnUpdateSharesAgainWhatSomebodyUnshared(t *testing.T) {
	t.Parallel()
	for name, unshare := range map[string]func(context.Context, *ram.Client, string) error{
		"the share": func(ctx context.Context, c *ram.Client, arn string) error {
			_, err := c.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &arn})
			return err
		},
		"the account": func(ctx context.Context, c *ram.Client, arn string) error {
			_, err := c.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &arn, Principals: []string{consumerAccount}})
			return err
		},
		"what it carries": func(ctx context.Context, c *ram.Client, arn string) error {
			out, err := c.GetResourceShareAssociations(ctx, &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypeResource, ResourceShareArns: []string{arn}})
			if err != nil {
				return err
			}
			for _, a := range out.ResourceShareAssociations {
				if _, err := c.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &arn, ResourceArns: []string{aws.ToString(a.AssociatedEntity)}}); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			client := ram.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount)))
			shares := w.get(t, id).RAMShares
			if len(shares) == 0 {
				t.Fatal("nothing is shared")
			}
			for _, s := range shares {
				if err := unshare(t.Context(), client, s.ARN); err != nil {
					t.Fatal(err)
				}
			}
			todo, err := w.producer.PlanUpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}})
			if err != nil || todo.Empty() {
				t.Fatalf("nothing is to be done: %v", err)
			}
			w.mend(t, id)
			w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
			w.whole(t, id)
			for _, share := range w.get(t, id).RAMShares {
				out, err := client.GetResourceShareAssociations(t.Context(), &ram.GetResourceShareAssociationsInput{
					AssociationType: ramtypes.ResourceShareAssociationTypePrincipal, ResourceShareArns: []string{share.ARN}})
				if err != nil || len(out.ResourceShareAssociations) != 1 || out.ResourceShareAssociations[0].Status == ramtypes.ResourceShareAssociationStatusDisassociated {
					t.Errorf("the record names share %s, which has %+v, %v", share.ARN, out, err)
				}
			}
		})
	}
}

// What somebody revoked by hand is granted again, and what was granted by hand stays.
func TestAnUpdateGrantsAgainWhatWasRevokedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders", "customers"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: id})
	for _, on := range []*lftypes.Resource{
		{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("orders")}},
		{Database: &lftypes.DatabaseResource{Name: aws.String(meshDatabase)}},
	} {
		if _, err := w.lakeAdministrator(t).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}, Resource: on,
			Permissions: []lftypes.Permission{lftypes.PermissionDescribe}}); err != nil {
			t.Fatal(err)
		}
	}
	w.mend(t, id)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "DESCRIBE, SELECT / DESCRIBE, SELECT", "customers": "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	w.whole(t, id)
}
