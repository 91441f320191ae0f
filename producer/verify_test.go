package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// verify is what is found, each as "kind, link, resource, principal".
func (w *world) verify(t *testing.T, in producer.VerifyInput) (*producer.Verification, []string) {
	t.Helper()
	v, err := w.producer.Verify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	said := []string{}
	for _, f := range v.Findings {
		if f.Link == chain.Record && f.Principal == otherConsumer {
			// The id of a second subscription is not known before.
			f.Resource = "subscription"
		}
		said = append(said, fmt.Sprintf("%s, %s, %s, %s", f.Kind, f.Link, f.Resource, f.Principal))
	}
	return v, said
}

// chainHolds checks that a verification finds nothing.
func (w *world) chainHolds(t *testing.T) {
	t.Helper()
	v, said := w.verify(t, producer.VerifyInput{})
	if !v.Holds() || len(v.Unverified) > 0 {
		t.Errorf("verify finds %q, unverified %q", said, v.Unverified)
	}
}

// partitioned publishes a table with partitions beside the others.
func (w *world) partitioned(t *testing.T) {
	t.Helper()
	w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("days", "s3://"+bucket+"/days/", "day"))
	for _, day := range []string{"1", "2", "3"} {
		w.accounts.PartitionAt(producerAccount, sourceDatabase, "days", "s3://"+bucket+"/days/day="+day+"/", day)
	}
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyFindsNothingInEveryLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.chainHolds(t)
	w.partitioned(t)
	w.chainHolds(t)
	first := w.request(t, consumerAccount, []string{"orders", "days"}, "SELECT", "INSERT")
	w.chainHolds(t)
	w.approve(t, producer.ApproveInput{RequestID: first})
	w.chainHolds(t)
	whole := w.request(t, otherConsumer, nil, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: whole, GrantablePermissions: []string{}})
	w.chainHolds(t)
	second := w.request(t, consumerAccount, []string{"orders", "customers"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: second})
	w.chainHolds(t)
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: first, GrantPermissions: []string{"SELECT"}, GrantablePermissions: []string{}}); err != nil {
		t.Fatal(err)
	}
	w.chainHolds(t)
	w.move(t, "orders", "run-2/")
	w.chainHolds(t)
	for _, id := range []string{first, whole, second} {
		w.end(t, id)
		w.chainHolds(t)
	}
}

// planted is a fault that was made by hand, and what is to be found of it.
type planted struct {
	plant func(t *testing.T, w *world, id string)
	want  []string
	// owner tells that a repair by the owner mends it.
	owner bool
	// stays tells that a repair by the owner mends nothing of it.
	stays bool
}

func manager(t *testing.T, w *world) *lakeformation.Client { return w.lakeAdministrator(t) }

func tableOf(name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String(name)}}
}

func allTables() *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), TableWildcard: &lftypes.TableWildcard{}}}
}

func (w *world) grantByHand(t *testing.T, principal string, on *lftypes.Resource, permissions ...lftypes.Permission) {
	t.Helper()
	// New roles may be known late.
	if err := meshtest.Try(w.mesh, func() error {
		_, err := manager(t, w).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Resource: on, Permissions: permissions})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) revokeByHand(t *testing.T, on *lftypes.Resource, permissions, grantable []lftypes.Permission) {
	t.Helper()
	if _, err := manager(t, w).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}, Resource: on, Permissions: permissions, PermissionsWithGrantOption: grantable}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) putPolicy(t *testing.T, policy string) {
	t.Helper()
	client := identity.S3(w.mesh.Config(meshtest.Administrator(producerAccount)))
	meshtest.Before(w.mesh, func() {
		var err error
		if policy == "" {
			_, err = client.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(bucket)})
		} else {
			_, err = client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: &policy})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// copyOf changes a copy in the mesh by hand.
func (w *world) changeCopy(t *testing.T, name string, change func(*gluetypes.TableInput)) {
	t.Helper()
	w.grantByHand(t, lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole), tableOf(name), lftypes.PermissionAlter, lftypes.PermissionDescribe)
	client := glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
	out, err := client.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String(meshDatabase), Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	in := &gluetypes.TableInput{Name: out.Table.Name, Owner: out.Table.Owner, Description: out.Table.Description, Parameters: out.Table.Parameters, PartitionKeys: out.Table.PartitionKeys,
		StorageDescriptor: out.Table.StorageDescriptor, TableType: out.Table.TableType, Retention: out.Table.Retention}
	change(in)
	if _, err := client.UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(meshDatabase), TableInput: in}); err != nil {
		t.Fatal(err)
	}
}

// theSubscription stands for the subscription in what is to be found.
const theSubscription = "the subscription"

const analystARN = "arn:aws:iam::" + consumerAccount + ":role/Analyst"

// analyst makes a role of the consumer's.
func (w *world) analyst(t *testing.T) string {
	t.Helper()
	meshtest.Before(w.mesh, func() {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + consumerAccount + `:root"},"Action":"sts:AssumeRole"}]}`
		if _, err := iam.NewFromConfig(w.mesh.Config(meshtest.Administrator(consumerAccount))).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Analyst"), AssumeRolePolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
	})
	return analystARN
}

func columnsOf(name string, columns ...string) *lftypes.Resource {
	return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(meshDatabase), Name: &name, ColumnNames: columns}}
}

// setItem changes an attribute of a record, past the mesh.
func (w *world) setItem(t *testing.T, table, id, attribute, value string) {
	t.Helper()
	key := map[string]string{lakemesh.SubscriptionsTable: "SubscriptionId", lakemesh.DecisionsTable: "Key"}[table]
	if _, err := dynamodb.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount))).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table,
		Key:              map[string]dynamotypes.AttributeValue{key: &dynamotypes.AttributeValueMemberS{Value: id}},
		UpdateExpression: aws.String("SET #a = :v"), ExpressionAttributeNames: map[string]string{"#a": attribute},
		ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":v": &dynamotypes.AttributeValueMemberS{Value: value}}}); err != nil {
		t.Fatal(err)
	}
}

// encryptBucket lets the bucket encrypt with a key; empty for the one that AWS manages.
func (w *world) encryptBucket(t *testing.T, key string) {
	t.Helper()
	by := &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms}
	if key != "" {
		by.KMSMasterKeyID = &key
	}
	if _, err := identity.S3(w.mesh.Config(meshtest.Administrator(producerAccount))).PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: aws.String(bucket),
		ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by}}}}); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyFindsEveryFaultAndNothingElse(t *testing.T) {
	t.Parallel()
	const grant, share, location, policy, metadata, partitions = "grant", "share", "location", "bucket policy", "metadata", "partitions"
	on := func(kind chain.Kind, link, resource, principal string) string {
		return fmt.Sprintf("%s, %s, %s, %s", kind, link, resource, principal)
	}
	table := func(name string) string { return "table " + meshDatabase + "." + name }
	const database, place = "database " + meshDatabase, "s3://" + bucket + "/"
	const stranger = "888888888888"
	ramOf := func(w *world) *ram.Client {
		return ram.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount)))
	}
	mesh := func(w *world) *glue.Client {
		return glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
	}
	for name, test := range map[string]planted{
		"a grant is revoked": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			w.revokeByHand(t, tableOf("orders"), []lftypes.Permission{lftypes.PermissionSelect}, []lftypes.Permission{lftypes.PermissionSelect})
		}, want: []string{on(chain.Missing, grant, table("orders"), consumerAccount)}},
		"the grant option is revoked": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			w.revokeByHand(t, tableOf("orders"), []lftypes.Permission{lftypes.PermissionSelect}, []lftypes.Permission{lftypes.PermissionSelect})
			w.grantByHand(t, consumerAccount, tableOf("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Missing, grant, table("orders"), consumerAccount)}},
		"the grant on the database is revoked": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			w.revokeByHand(t, &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(meshDatabase)}}, []lftypes.Permission{lftypes.PermissionDescribe}, []lftypes.Permission{lftypes.PermissionDescribe})
		}, want: []string{on(chain.Missing, grant, database, consumerAccount)}},
		"the share is deleted": {owner: true, plant: func(t *testing.T, w *world, id string) {
			for _, s := range w.get(t, id).RAMShares {
				if _, err := ramOf(w).DeleteResourceShare(t.Context(), &ram.DeleteResourceShareInput{ResourceShareArn: aws.String(s.ARN)}); err != nil {
					t.Fatal(err)
				}
			}
		}, want: []string{on(chain.Missing, share, database, consumerAccount), on(chain.Missing, share, table("days"), consumerAccount), on(chain.Missing, share, table("orders"), consumerAccount)}},
		"the account is taken out of the share": {owner: true, plant: func(t *testing.T, w *world, id string) {
			for _, s := range w.get(t, id).RAMShares {
				if _, err := ramOf(w).DisassociateResourceShare(t.Context(), &ram.DisassociateResourceShareInput{ResourceShareArn: aws.String(s.ARN), Principals: []string{consumerAccount}}); err != nil {
					t.Fatal(err)
				}
			}
		}, want: []string{on(chain.Missing, share, database, consumerAccount), on(chain.Missing, share, table("days"), consumerAccount), on(chain.Missing, share, table("orders"), consumerAccount)}},
		"a table is taken out of the share": {owner: true, plant: func(t *testing.T, w *world, id string) {
			meshtest.Without(t, w.mesh, "a share carries patterns", func(r localmesh.Readings) bool { return r.FifthVersionOfSharing })
			arn := lakemesh.TableARN(w.producer.Region(), meshAccount, meshDatabase, "orders")
			for _, s := range w.get(t, id).RAMShares {
				if _, err := ramOf(w).DisassociateResourceShare(t.Context(), &ram.DisassociateResourceShareInput{ResourceShareArn: aws.String(s.ARN), ResourceArns: []string{arn}}); err != nil && !awserr.Is(err, "UnknownResourceException") {
					t.Fatal(err)
				}
			}
		}, want: []string{on(chain.Missing, share, table("orders"), consumerAccount)}},
		"the copy is dropped": {owner: true, plant: func(t *testing.T, w *world, _ string) { w.dropMeshTable(t, "orders") },
			want: []string{on(chain.TooMuch, policy, place+"orders/", ours), on(chain.Missing, metadata, table("orders"), "")}},
		"a copy that nobody reads is dropped": {owner: true, plant: func(t *testing.T, w *world, _ string) { w.dropMeshTable(t, "customers") },
			want: []string{on(chain.Missing, metadata, table("customers"), "")}},
		"the copy's location changes": {plant: func(t *testing.T, w *world, _ string) {
			w.changeCopy(t, "orders", func(in *gluetypes.TableInput) { in.StorageDescriptor.Location = aws.String(place + "elsewhere/") })
		}, want: []string{on(chain.Missing, policy, place+"elsewhere/", ours), on(chain.TooMuch, policy, place+"orders/", ours), on(chain.Undecided, metadata, table("orders"), "")}},
		"a column of the copy changes": {plant: func(t *testing.T, w *world, _ string) {
			w.changeCopy(t, "orders", func(in *gluetypes.TableInput) { in.StorageDescriptor.Columns[0].Type = aws.String("double") })
		}, want: []string{on(chain.Undecided, metadata, table("orders"), "")}},
		"the source moves on": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			in := meshtest.CSV("orders", place+"orders/")
			in.Description = aws.String("orders of this year")
			if _, err := w.accounts.Glue(producerAccount).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(sourceDatabase), TableInput: in}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Missing, metadata, table("orders"), "")}},
		"the location is deregistered": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			if _, err := lakeformation.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount))).DeregisterResource(t.Context(), &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket)}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Missing, location, place+"days/", ""), on(chain.Missing, location, place+"orders/", "")}},
		"the location has another role": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			const another = "arn:aws:iam::" + meshAccount + ":role/Readers"
			cfg := w.mesh.Config(meshtest.Administrator(meshAccount))
			meshtest.Before(w.mesh, func() {
				trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lakeformation.amazonaws.com","glue.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
				if _, err := iam.NewFromConfig(cfg).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Readers"), AssumeRolePolicyDocument: &trust}); err != nil {
					t.Fatal(err)
				}
			})
			if _, err := lakeformation.NewFromConfig(cfg).UpdateResource(t.Context(), &lakeformation.UpdateResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket), RoleArn: aws.String(another)}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Missing, location, place+"days/", "arn:aws:iam::"+meshAccount+":role/Readers"), on(chain.Missing, location, place+"orders/", "arn:aws:iam::"+meshAccount+":role/Readers")}},
		"the bucket's policy is removed": {owner: true, plant: func(t *testing.T, w *world, _ string) { w.putPolicy(t, "") },
			want: []string{on(chain.Missing, policy, place+"days/", ours), on(chain.Missing, policy, place+"orders/", ours)}},
		"one prefix is removed": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			text, err := storage.Merge(w.bucketPolicy(t), bucket, ours, nil, []string{"orders/"})
			if err != nil {
				t.Fatal(err)
			}
			w.putPolicy(t, text)
		}, want: []string{on(chain.Missing, policy, place+"orders/", ours)}},
		"a statement denies": {stays: true, plant: func(t *testing.T, w *world, _ string) {
			text := strings.Replace(w.bucketPolicy(t), `"Statement":[`, `"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/orders/*"},`, 1)
			w.putPolicy(t, text)
		}, want: []string{on(chain.Missing, policy, place+"orders/", ours)}},
		"a partition of the copy is dropped": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			if _, err := mesh(w).BatchDeletePartition(t.Context(), &glue.BatchDeletePartitionInput{DatabaseName: aws.String(meshDatabase), TableName: aws.String("days"),
				PartitionsToDelete: []gluetypes.PartitionValueList{{Values: []string{"2"}}}}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Missing, partitions, table("days"), "")}},
		"a partition is made in the copy": {plant: func(t *testing.T, w *world, _ string) {
			if _, err := mesh(w).BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: aws.String(meshDatabase), TableName: aws.String("days"),
				PartitionInputList: []gluetypes.PartitionInput{{Values: []string{"9"}, StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String(place + "days/day=9/")}}}}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Undecided, partitions, table("days"), "")}},
		"the consumer is granted another table": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, consumerAccount, tableOf("customers"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, table("customers"), consumerAccount)}},
		"the consumer is granted more": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, consumerAccount, tableOf("orders"), lftypes.PermissionInsert)
		}, want: []string{on(chain.Undecided, grant, table("orders"), consumerAccount)}},
		"a stranger is granted a table": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, stranger, tableOf("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, table("orders"), stranger)}},
		"a stranger is granted all tables": {plant: func(t *testing.T, w *world, _ string) {
			// Of all tables a producer sees no more than what it holds itself.
			w.grantByHand(t, lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), allTables(), lftypes.PermissionSelect)
			w.grantByHand(t, stranger, allTables(), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, "all tables of "+database, stranger)}},
		"columns are granted": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, stranger, &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("orders"), ColumnNames: []string{"id"}}}, lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, "columns id of "+table("orders"), stranger)}},
		"a table is open to everybody": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, "IAM_ALLOWED_PRINCIPALS", tableOf("customers"), lftypes.PermissionAll)
		}, want: []string{on(chain.Undecided, grant, table("customers"), "IAM_ALLOWED_PRINCIPALS")}},
		"a role of the consumer is granted another table": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, w.analyst(t), tableOf("customers"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, table("customers"), analystARN)}},
		"a role of the consumer is granted what its account has": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, w.analyst(t), tableOf("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, table("orders"), analystARN)}},
		"a role of the consumer is granted more than its account": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, w.analyst(t), tableOf("orders"), lftypes.PermissionInsert)
		}, want: []string{on(chain.Undecided, grant, table("orders"), analystARN)}},
		"a role of the consumer is granted columns": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, w.analyst(t), columnsOf("customers", "id"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, "columns id of "+table("customers"), analystARN)}},
		"a role of the consumer is granted all tables": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), allTables(), lftypes.PermissionSelect)
			w.grantByHand(t, w.analyst(t), allTables(), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, "all tables of "+database, analystARN)}},
		"the consumer is granted all tables": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), allTables(), lftypes.PermissionSelect)
			w.grantByHand(t, consumerAccount, allTables(), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, "all tables of "+database, consumerAccount)}},
		"a filter is granted": {plant: func(t *testing.T, w *world, _ string) {
			filter := &lftypes.DataCellsFilter{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(meshDatabase), TableName: aws.String("orders"), Name: aws.String("some"),
				ColumnNames: []string{"id"}, RowFilter: &lftypes.RowFilter{FilterExpression: aws.String("id = 1")}}
			if _, err := manager(t, w).CreateDataCellsFilter(t.Context(), &lakeformation.CreateDataCellsFilterInput{TableData: filter}); err != nil {
				t.Fatal(err)
			}
			// Filters reach accounts with the grant option alone.
			some := &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(meshDatabase),
				TableName: aws.String("orders"), Name: aws.String("some")}}
			if _, err := manager(t, w).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(stranger)},
				Resource: some, Permissions: []lftypes.Permission{lftypes.PermissionSelect}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect}}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{
			on(chain.Undecided, grant, "filter some of "+table("orders"), stranger),
			// Whoever made the filter holds it.
			on(chain.Undecided, grant, "filter some of "+table("orders"), meshtest.Administrator(meshAccount)),
		}},
		"a database is granted": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, stranger, &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(meshDatabase)}}, lftypes.PermissionDescribe, lftypes.PermissionAlter)
		}, want: []string{on(chain.Undecided, grant, database, stranger)}},
		"the role that everybody can open may read": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), tableOf("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, table("orders"), lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))}},
		"an administrator of the mesh's account may read": {plant: func(t *testing.T, w *world, _ string) {
			w.grantByHand(t, meshtest.Administrator(meshAccount), tableOf("orders"), lftypes.PermissionAll)
		}, want: []string{on(chain.Undecided, grant, table("orders"), meshtest.Administrator(meshAccount))}},
		"another producer's role may read": {plant: func(t *testing.T, w *world, _ string) {
			w.accounts.AddProducer(meshtest.OtherProducer)
			w.grantByHand(t, lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(meshtest.OtherProducer)), tableOf("orders"), lftypes.PermissionSelect)
		}, want: []string{on(chain.Undecided, grant, table("orders"), lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(meshtest.OtherProducer)))}},
		"a decision is left unfinished": {plant: func(t *testing.T, w *world, id string) {
			w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
			if w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}}) == nil {
				t.Error("the update did not fail")
			}
		}, stays: true, want: []string{on(chain.Missing, "record", theSubscription, consumerAccount),
			on(chain.TooMuch, grant, table("days"), consumerAccount), on(chain.TooMuch, grant, table("orders"), consumerAccount)}},
		"a first approval is left unfinished": {plant: func(t *testing.T, w *world, _ string) {
			other := w.request(t, otherConsumer, []string{"customers"}, "SELECT")
			w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
			if w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: other}) == nil {
				t.Error("the approval did not fail")
			}
		}, stays: true, want: []string{on(chain.Missing, "record", "subscription", otherConsumer), on(chain.TooMuch, grant, database, otherConsumer),
			on(chain.TooMuch, grant, table("customers"), otherConsumer)}},
		"what was decided cannot be read": {stays: true, plant: func(t *testing.T, w *world, id string) {
			w.setItem(t, lakemesh.DecisionsTable, id, "DatabaseName", "")
		}, want: []string{on(chain.Undecided, "record", theSubscription, consumerAccount), on(chain.Undecided, grant, database, consumerAccount),
			on(chain.Undecided, grant, table("days"), consumerAccount), on(chain.Undecided, grant, table("orders"), consumerAccount)}},
		"the consumer has left": {plant: func(t *testing.T, w *world, id string) {
			if err := w.asking[consumerAccount].DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}); err != nil {
				t.Fatal(err)
			}
		}, stays: true, want: []string{on(chain.TooMuch, "record", theSubscription, consumerAccount)}},
		"the request is changed by hand": {plant: func(t *testing.T, w *world, id string) {
			w.setItem(t, lakemesh.SubscriptionsTable, id, "DatabaseName", "elsewhere")
		}, want: []string{on(chain.Undecided, "record", theSubscription, consumerAccount)}},
		"a location is registered that nobody uses": {stays: true, plant: func(t *testing.T, w *world, _ string) {
			w.accounts.Bucket(producerAccount, "another-bucket")
			if _, err := manager(t, w).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::another-bucket/data"), RoleArn: aws.String(ours)}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.TooMuch, location, "s3://another-bucket/data", ours)}},
		"a location inside is registered for another producer": {stays: true, plant: func(t *testing.T, w *world, _ string) {
			w.accounts.AddProducer(meshtest.OtherProducer)
			if _, err := manager(t, w).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket + "/orders"),
				RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(meshtest.OtherProducer)))}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Missing, location, place+"orders/", lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(meshtest.OtherProducer)))}},
		"the bucket encrypts with a key that its readers may not use": {stays: true, plant: func(t *testing.T, w *world, _ string) {
			w.encryptBucket(t, "")
		}, want: []string{on(chain.Missing, "key policy", "bucket "+bucket, ours)}},
		"the source's partition moves": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			client := w.accounts.Glue(producerAccount)
			out, err := client.GetPartition(t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String(sourceDatabase), TableName: aws.String("days"), PartitionValues: []string{"1"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.UpdatePartition(t.Context(), &glue.UpdatePartitionInput{DatabaseName: aws.String(sourceDatabase), TableName: aws.String("days"), PartitionValueList: []string{"1"},
				PartitionInput: meshtest.Moved(out.Partition, place+"days/again/")}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.Missing, partitions, table("days"), "")}},
		"the source's partition is dropped": {owner: true, plant: func(t *testing.T, w *world, _ string) {
			if _, err := w.accounts.Glue(producerAccount).DeletePartition(t.Context(), &glue.DeletePartitionInput{DatabaseName: aws.String(sourceDatabase), TableName: aws.String("days"), PartitionValues: []string{"1"}}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{on(chain.TooMuch, partitions, table("days"), "")}},
		"a prefix is opened": {plant: func(t *testing.T, w *world, _ string) {
			text, err := storage.Merge(w.bucketPolicy(t), bucket, ours, []string{"private/"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			w.putPolicy(t, text)
		}, want: []string{on(chain.TooMuch, policy, place+"private/", ours)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
			w.partitioned(t)
			id := w.request(t, consumerAccount, []string{"orders", "days"}, "SELECT", "DESCRIBE")
			w.approve(t, producer.ApproveInput{RequestID: id})
			w.chainHolds(t)
			test.plant(t, w, id)
			before := len(writes(w.mesh))
			_, got := w.verify(t, producer.VerifyInput{})
			for i := range test.want {
				test.want[i] = strings.Replace(test.want[i], theSubscription, "subscription "+id, 1)
			}
			if len(writes(w.mesh)) != before {
				t.Error("verify has written")
			}
			want := append([]string{}, test.want...)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			v, _ := w.verify(t, producer.VerifyInput{})
			for _, f := range v.Findings {
				if f.Repairs == "" || f.Command == "" && f.ByHand == "" || f.Repairs == chain.Administrator && f.ByHand == "" {
					t.Errorf("a finding that does not say what to do: %+v", f)
				}
			}
			if _, err := w.producer.Repair(t.Context(), v); err != nil {
				t.Errorf("repair: %v", err)
			}
			want = []string{}
			if !test.owner {
				// What nobody decided is only shown.
				for _, said := range test.want {
					if strings.HasPrefix(said, "undecided") || test.stays {
						want = append(want, said)
					}
				}
			}
			_, got = w.verify(t, producer.VerifyInput{})
			if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
				t.Errorf("found after a repair (-want +got):\n%s", diff)
			}
		})
		t.Run(name+", by the commands", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
			w.partitioned(t)
			id := w.request(t, consumerAccount, []string{"orders", "days"}, "SELECT", "DESCRIBE")
			w.approve(t, producer.ApproveInput{RequestID: id})
			test.plant(t, w, id)
			w.remedied(t)
		})
	}
}

func TestVerifyLeavesWhatWasFoundWithARecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grantByHand(t, consumerAccount, tableOf("orders"), lftypes.PermissionSelect)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.chainHolds(t)
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}}); err != nil {
		t.Fatal(err)
	}
	w.chainHolds(t)
}

func TestVerifyIsNarrowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	one, other := w.request(t, consumerAccount, []string{"orders"}, "SELECT"), w.request(t, otherConsumer, []string{"customers"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: one})
	w.approve(t, producer.ApproveInput{RequestID: other})
	w.revokeByHand(t, tableOf("orders"), []lftypes.Permission{lftypes.PermissionSelect}, []lftypes.Permission{lftypes.PermissionSelect})
	w.grantByHand(t, otherConsumer, tableOf("orders_eu"), lftypes.PermissionSelect)
	const missing, undecided = "missing, grant, table " + meshDatabase + ".orders, " + consumerAccount, "undecided, grant, table " + meshDatabase + ".orders_eu, " + otherConsumer
	for name, test := range map[string]struct {
		in   producer.VerifyInput
		want []string
	}{
		"everything":       {producer.VerifyInput{}, []string{missing, undecided}},
		"the product":      {producer.VerifyInput{Database: strings.ToUpper(meshDatabase)}, []string{missing, undecided}},
		"a consumer":       {producer.VerifyInput{Consumer: consumerAccount}, []string{missing}},
		"another consumer": {producer.VerifyInput{Consumer: otherConsumer}, []string{undecided}},
		"a subscription":   {producer.VerifyInput{SubscriptionID: one}, []string{missing}},
		"another one":      {producer.VerifyInput{SubscriptionID: other}, []string{}},
	} {
		v, got := w.verify(t, test.in)
		if test.in.SubscriptionID != "" && v.Tables != 1 || test.in == (producer.VerifyInput{}) && v.Tables < 2 {
			t.Errorf("%s: it counts %d tables", name, v.Tables)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := w.producer.Verify(t.Context(), producer.VerifyInput{Database: "wrong"}); !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "-"+producerAccount) {
		t.Errorf("a database that there is not: %v; want the names that there are", err)
	}
	if _, err := w.producer.Verify(t.Context(), producer.VerifyInput{Consumer: "121212121212"}); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("of an account that is no consumer: %v", err)
	}
}

// What cannot be told of one role says nothing of another one.
func TestAKeyIsLookedAtForEachRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.partitioned(t)
	w.approve(t, producer.ApproveInput{RequestID: w.request(t, consumerAccount, []string{"orders", "days"}, "SELECT")})
	key, err := kms.NewFromConfig(w.mesh.Config(meshtest.Administrator(producerAccount))).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	w.encryptBucket(t, aws.ToString(key.KeyMetadata.Arn))
	w.accounts.AddProducer(meshtest.OtherProducer)
	if _, err := manager(t, w).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket + "/orders"),
		RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(meshtest.OtherProducer)))}); err != nil {
		t.Fatal(err)
	}
	w.mesh.Fail(localmesh.Fault{Service: "iam", Operation: "SimulatePrincipalPolicy", Nth: 1, Code: "InvalidInput", Message: "a planned fault", Status: 400})
	v, _ := w.verify(t, producer.VerifyInput{})
	failed := slices.DeleteFunc(slices.Clone(v.Unverified), func(text string) bool { return !strings.Contains(text, "a planned fault") })
	if len(failed) != 1 {
		t.Errorf("one look failed, and not verified is %q", v.Unverified)
	}
}

// Where a table cannot be published again, because nothing says which of several sources it
// is from, the rest is mended all the same.
func TestARepairGoesOnPastATableOfUnknownSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const shared = "shared-" + producerAccount
	w.accounts.Database(producerAccount, "more")
	w.accounts.Table(producerAccount, "more", meshtest.CSV("extra", "s3://"+bucket+"/extra/"))
	for _, source := range []string{"more", sourceDatabase} {
		if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, ExposeDataMeshDBName: shared}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := consumer.New(t.Context(), w.accounts.Options(consumerAccount))
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: shared, Tables: []string{"extra"}, RequestPermissions: []string{"SELECT"}})
	if err != nil {
		t.Fatal(err)
	}
	w.approve(t, producer.ApproveInput{RequestID: out.SubscriptionID})
	w.approve(t, producer.ApproveInput{RequestID: w.request(t, consumerAccount, []string{"orders"}, "SELECT")})
	lost := "missing, grant, table " + meshDatabase + ".orders, " + consumerAccount
	w.revokeByHand(t, tableOf("orders"), []lftypes.Permission{lftypes.PermissionSelect}, []lftypes.Permission{lftypes.PermissionSelect})
	administrator := meshtest.Administrator(meshAccount)
	w.grantByHand(t, administrator, &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(shared), Name: aws.String("extra")}}, lftypes.PermissionDrop)
	mesh := glue.NewFromConfig(w.mesh.Config(administrator))
	if _, err := mesh.DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(shared), Name: aws.String("extra")}); err != nil {
		t.Fatal(err)
	}
	v, got := w.verify(t, producer.VerifyInput{})
	if !slices.Contains(got, lost) {
		t.Fatalf("found %q", got)
	}
	if _, err := w.producer.PlanRepair(t.Context(), v); err != nil {
		t.Errorf("the plan: %v", err)
	}
	if _, err := w.producer.Repair(t.Context(), v); err == nil || !strings.Contains(err.Error(), "which of several databases") {
		t.Errorf("the repair: %v; want that the source is not known", err)
	}
	if _, got := w.verify(t, producer.VerifyInput{}); slices.Contains(got, lost) {
		t.Errorf("still found: %q", got)
	}
}

// A deletion closes the bucket before it is recorded. Whoever takes it back has to open it
// again.
func TestAbortingADeletionOpensWhatItClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: id})
	// The first transaction claims, the second one records.
	w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err == nil {
		t.Fatal("the deletion did not fail")
	}
	if got := w.openPrefixes(t); len(got) != 0 {
		t.Fatalf("half deleted, %q is open", got)
	}
	if err := w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	if got := w.openPrefixes(t); !slices.Equal(got, []string{"orders/"}) {
		t.Errorf("%q is open", got)
	}
	w.chainHolds(t)
}

// Of a database of many portions all are compared, not the first alone.
func TestVerifyComparesEveryPortion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.partitioned(t)
	w.accounts.PartitionAt(producerAccount, sourceDatabase, "days", "s3://"+bucket+"/days/day=4/", "4")
	producer.InPortionsOf(w.producer, 1)
	want := []string{"missing, partitions, table " + meshDatabase + ".days, "}
	if _, got := w.verify(t, producer.VerifyInput{}); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
