package adversary_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// Whoever may alter a table may write where its data is. What its owner decides afterwards
// opens nothing of it to anybody.
func TestWhoMayAlterATableOpensNoOtherPlaces(t *testing.T) {
	t.Parallel()
	begin := newScene(t)
	id := begin.ask(begin.hostile, []string{rowOrders}, "SELECT", "DESCRIBE", "ALTER", "INSERT")
	begin.must(begin.approve(id))
	begin.must(begin.finalize(begin.hostile, id))
	begin.ids["hostile"] = id
	begin.grantTo(begin.as(hostileAccount, lakemesh.ConsumerRole), rowProduct, meshtest.Administrator(hostileAccount), rowOrders, false, lftypes.PermissionAlter, lftypes.PermissionInsert)
	begin.ids["pending"] = begin.ask(begin.honest, []string{rowOrders}, "SELECT")
	g := begin.keep()
	elsewhere := "s3://" + rowBucket + "/" + rowCustomers + "/"
	for name, change := range map[string]func(in *gluetypes.TableInput){
		"location":             func(in *gluetypes.TableInput) { in.StorageDescriptor.Location = aws.String(elsewhere) },
		"parent":               func(in *gluetypes.TableInput) { in.StorageDescriptor.Location = aws.String("s3://" + rowBucket + "/") },
		"additional locations": func(in *gluetypes.TableInput) { in.StorageDescriptor.AdditionalLocations = []string{elsewhere} },
		"serde": func(in *gluetypes.TableInput) {
			in.StorageDescriptor.SerdeInfo = &gluetypes.SerDeInfo{Parameters: map[string]string{"path": elsewhere}}
		},
		"template": func(in *gluetypes.TableInput) { in.Parameters["storage.location.template"] = elsewhere + "${id}" },
		"iceberg pointer": func(in *gluetypes.TableInput) {
			in.Parameters["table_type"], in.Parameters["metadata_location"] = "ICEBERG", elsewhere+"metadata/1.json"
		},
		"iceberg paths": func(in *gluetypes.TableInput) {
			in.Parameters["table_type"], in.Parameters["write.data.path"] = "ICEBERG", elsewhere
		},
	} {
		for _, last := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", name, last), func(t *testing.T) {
				t.Parallel()
				s := g.play(t)
				c := glue.NewFromConfig(s.Config(meshtest.Administrator(hostileAccount)))
				out, err := glue.NewFromConfig(s.manager()).GetTable(s.ctx(), &glue.GetTableInput{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(rowProduct), Name: aws.String(rowOrders)})
				s.must(err)
				tb := out.Table
				in := &gluetypes.TableInput{Name: tb.Name, Owner: tb.Owner, Parameters: map[string]string{}, StorageDescriptor: tb.StorageDescriptor, TableType: tb.TableType, PartitionKeys: tb.PartitionKeys}
				maps.Copy(in.Parameters, tb.Parameters)
				change(in)
				if _, err := c.UpdateTable(context.WithoutCancel(t.Context()), &glue.UpdateTableInput{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(rowProduct), TableInput: in}); err != nil {
					if !awserr.Denied(err) {
						t.Error(err)
					}
					return
				}
				decisions := []func(){
					func() { s.check("approve another's request", s.approve(s.ids["pending"])) },
					func() { s.check("take ALTER away", s.update(s.ids["hostile"], "SELECT", "DESCRIBE")) },
				}
				if last {
					// What was written stays when ALTER is taken away.
					slices.Reverse(decisions)
				}
				for _, decide := range decisions {
					decide()
				}
				s.check("make what is there good", s.update(s.ids["pending"], "SELECT"))
				if policy := s.policy(); strings.Contains(policy, rowCustomers) {
					t.Errorf("the decisions opened %s", policy)
				}
				if rows, err := s.readAs(hostileAccount, rowProduct, rowOrders, rowCustomers+"/rows.csv"); !awserr.Denied(err) {
					t.Errorf("it reads %q, %v", rows, err)
				}
				s.check("import", s.finalize(s.honest, s.ids["pending"]))
				s.reads("afterwards", honestAccount, rowOrders)
			})
		}
	}
}

// policy is the policy of the victim's bucket.
func (s *scene) policy() string {
	s.t.Helper()
	out, err := s.S3(victimAccount).GetBucketPolicy(s.ctx(), &s3.GetBucketPolicyInput{Bucket: aws.String(rowBucket)})
	s.must(err)
	return aws.ToString(out.Policy)
}
