package acceptance_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// register registers a location with the data access role of a producer.
func (i intruder) register(location, account string) error {
	_, err := i.lake.RegisterResource(i.ctx(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + location),
		RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(account))), WithPrivilegedAccess: true})
	return err
}

func TestAProducerWhoRegistersAnothersDataReadsNoneOfIt(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]struct{ registered, table, key string }{
		"the bucket above":      {bucket, location(orders), "orders/rows.csv"},
		"the prefix itself":     {bucket + "/orders", location(orders), "orders/rows.csv"},
		"a partition inside it": {bucket + "/orders/part=02024", location(orders) + "part=02024/", "orders/part=02024/rows.csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, _ := bustling(t)
			meshtest.Without(t, w.Mesh.Mesh, "who registers a location may make no table there", func(r localmesh.Readings) bool { return r.PrivilegedAccessGrantsNothing })
			thief := w.intruder(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
			if thief.register(where.registered, producerAccount) == nil {
				t.Error("it registered a location with the owner's role")
			}
			registered := thief.register(where.registered, otherProducer)
			if registered == nil && where.registered == bucket+"/orders" {
				// The owner sees it; the administrator alone can undo it.
				w.leaves(producerAccount, "missing, location, "+location(orders)+", "+lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(otherProducer)))
			}
			made := thief.createTable(meshAccount, otherProduct, "stolen", where.table)
			if registered != nil {
				w.denied("a table on the owner's location", made)
				return
			}
			w.must(made)
			// In a database of the thief's it counts as its product, and is granted as publishing does.
			all := []lftypes.Permission{lftypes.PermissionAlter, lftypes.PermissionDelete, lftypes.PermissionDescribe, lftypes.PermissionInsert, lftypes.PermissionSelect}
			_, err := thief.lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Resource: tableResource(meshAccount, otherProduct, "stolen"),
				Principal:   &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(otherProducer)},
				Permissions: all, PermissionsWithGrantOption: all})
			w.must(err)
			w.must(thief.grant(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole), tableResource(meshAccount, otherProduct, "stolen"), "DESCRIBE"))
			// Whoever is an administrator at home can give its roles any right there.
			w.must(w.intruder(w.Config(meshtest.Administrator(otherProducer))).widen(lakemesh.ProducerRole))
			home := lakemesh.RoleARN(otherProducer, lakemesh.ProducerRole)
			at := w.intruder(w.Config(home))
			w.must(meshtest.Try(w.Mesh.Mesh, func() error { return at.grant(home, tableResource(meshAccount, otherProduct, "stolen"), "SELECT") }))
			out, err := at.lake.GetTemporaryGlueTableCredentials(t.Context(), &lakeformation.GetTemporaryGlueTableCredentialsInput{
				TableArn: aws.String(lakemesh.TableARN(region, meshAccount, otherProduct, "stolen")), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
				SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
			w.must(err)
			rows, err := w.fetch(w.withKeys(out.AccessKeyId, out.SecretAccessKey, out.SessionToken), where.key)
			if rows != "" {
				t.Errorf("it read %q", rows)
			}
			w.denied("reading with what was vended", err)
		})
	}
}

func TestALocationThatAnotherProducerRegisteredIsNotOpened(t *testing.T) {
	t.Parallel()
	w, _, _ := bustling(t)
	meshtest.Without(t, w.Mesh.Mesh, "the producer registered each folder before", func(r localmesh.Readings) bool { return r.UnreachableLocationsRefused })
	thief := w.intruder(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
	w.must(thief.register(bucket+"/orders_eu", otherProducer))
	id := w.request([]string{ordersEU}, "SELECT")
	before := w.grants(consumerAccount)
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), lakemesh.DataAccessRole(otherProducer)) {
		t.Errorf("approving it: %v, want an error that names the other producer's role", err)
	}
	w.holds(consumerAccount, before)
	w.opens(orders, customers)
	_, err = lakeformation.NewFromConfig(w.Config(meshtest.Administrator(meshAccount))).DeregisterResource(t.Context(), &lakeformation.DeregisterResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::" + bucket + "/orders_eu")})
	w.must(err)
	w.approve(id)
	w.opens(orders, ordersEU, customers)
	// What is registered after it was opened is closed nevertheless.
	w.must(thief.register(bucket+"/orders_eu", otherProducer))
	w.end(id)
	w.opens(orders, customers)
	if w.Readings().PrivilegedAccessGrantsNothing {
		// Nobody has enabled that producer again since.
		w.leavesAdministrator("missing, setup, location arn:aws:s3:::" + bucket + "/orders_eu, ")
	}
	w.leaves(otherProducer, "too much, location, s3://"+bucket+"/orders_eu, "+lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(otherProducer)))
}
