package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// sharedByHand is a table that people shared in the console: granted, the invitations
// accepted, linked under a name of their own, handed on to an analyst, and readable.
func (w *world) sharedByHand(analyst, link string) {
	w.t.Helper()
	meshtest.Before(w.Mesh.Mesh, func() {
		lake := lakeformation.NewFromConfig(w.Config(meshtest.Administrator(meshAccount)))
		settings, err := lake.GetDataLakeSettings(w.ctx(), &lakeformation.GetDataLakeSettingsInput{})
		w.must(err)
		settings.DataLakeSettings.DataLakeAdmins = append(settings.DataLakeSettings.DataLakeAdmins,
			lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))})
		_, err = lake.PutDataLakeSettings(w.ctx(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings.DataLakeSettings})
		w.must(err)
		grant := func(on *lftypes.Resource, all ...lftypes.Permission) {
			_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Resource: on, Permissions: all, PermissionsWithGrantOption: all,
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}})
			w.must(err)
		}
		grant(&lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}, lftypes.PermissionDescribe)
		grant(&lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(customers)}}, lftypes.PermissionSelect, lftypes.PermissionDescribe)
	})
	administrator := w.Config(meshtest.Administrator(consumerAccount))
	w.must(meshtest.Try(w.Mesh.Mesh, func() error {
		shares := ram.NewFromConfig(administrator)
		out, err := shares.GetResourceShareInvitations(w.ctx(), &ram.GetResourceShareInvitationsInput{})
		if err != nil {
			return err
		}
		for _, i := range out.ResourceShareInvitations {
			if i.Status == ramtypes.ResourceShareInvitationStatusPending {
				if _, err := shares.AcceptResourceShareInvitation(w.ctx(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn}); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	// An administrator of the data lake hands on, as the role of the mesh is one.
	own := w.as(consumerAccount, lakemesh.ConsumerRole)
	w.must(meshtest.Try(w.Mesh.Mesh, func() error {
		_, err := lakeformation.NewFromConfig(own).GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Permissions: []lftypes.Permission{lftypes.PermissionSelect, lftypes.PermissionDescribe},
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &analyst},
			Resource:  &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String(customers)}}})
		return err
	}))
	_, err := glue.NewFromConfig(own).CreateDatabase(w.ctx(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &link,
		TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product)}}})
	w.must(err)
}

// People shared a table by hand, and go on reading while it becomes a subscription and
// their account imports it: the link that they have stays the only one.
func TestWhatWasSharedByHandIsReadBeforeWhileAndAfterItIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	// Somebody else has a subscription to the table, so its prefix is open.
	w.AddConsumer(otherConsumer)
	w.approve(w.requestAs(w.openConsumer(otherConsumer), []string{customers}, "SELECT"))
	analyst := w.reader(consumerAccount, "Analyst")
	const link = "shop_floor"
	w.sharedByHand(analyst, link)
	w.reads(analyst, customers)
	grants := w.grants(consumerAccount)

	w.ResetCounts()
	out, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
	w.must(err)
	for _, call := range w.Writes() {
		if !strings.HasPrefix(call, "dynamodb:") {
			t.Errorf("taking grants over calls %s", call)
		}
	}
	if len(out.Adopted) != 1 || len(out.Adopted[0].Missing) > 0 {
		t.Fatalf("taken over is %+v", out)
	}
	id := out.Adopted[0].SubscriptionID
	w.holds(consumerAccount, grants)
	w.reads(analyst, customers)

	// The consumer sees it, and that nothing is wrong with it.
	mine := w.used(w.consumer, consumer.ListInput{})
	if len(mine) != 1 || mine[0].ID != id || mine[0].Status != lakemesh.Active || mine[0].Tampered != "" || mine[0].Imported {
		t.Errorf("the consumer sees %+v", mine)
	}
	imported := w.finalize(id)
	if imported.LinkDatabase != link || len(imported.AcceptedShares) > 0 {
		t.Errorf("imported is %+v", imported)
	}
	w.silent("importing once more", func() { w.finalize(id) })
	links, err := glue.NewFromConfig(w.as(consumerAccount, lakemesh.ConsumerRole)).GetDatabases(t.Context(), &glue.GetDatabasesInput{})
	w.must(err)
	if len(links.DatabaseList) != 1 || aws.ToString(links.DatabaseList[0].Name) != link {
		t.Errorf("the consumer's databases are %+v", links.DatabaseList)
	}
	w.reads(analyst, customers)
	w.reads(self(), customers)
	w.silent("taking over once more", func() {
		_, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
		w.must(err)
	})
	if s := w.get(id); !s.Imported || s.Tampered != "" || s.HistoryFault != nil || !slices.Equal(actionsOf(s), []lakemesh.Action{lakemesh.ActionAdopt, lakemesh.ActionImport}) {
		t.Errorf("after the import the record is %+v", s)
	}

	w.end(id)
	w.holds(consumerAccount, nil)
	w.refused(analyst, customers)
	w.refused(self(), customers)
	if s := w.get(id); s.Status != lakemesh.Deleted || s.Tampered != "" || s.HistoryFault != nil {
		t.Errorf("in the end the record is %+v", s)
	}
}

// A consumer leaves what was taken over without having imported it, and its owner settles
// that.
func TestWhatWasTakenOverCanBeLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	analyst := w.reader(consumerAccount, "Analyst")
	w.sharedByHand(analyst, "shop_floor")
	out, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
	w.must(err)
	id := out.Adopted[0].SubscriptionID
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id, Reason: "moving"}))
	if s := w.get(id); !s.Leaving || s.Tampered != "" || s.HistoryFault != nil {
		t.Errorf("after leaving the record is %+v", s)
	}
	w.end(id)
	w.holds(consumerAccount, nil)
	w.refused(analyst, customers)
}

// A consumer can write its own request in the place of what was taken over, before and
// after: its owner goes on seeing it, and ends it.
func TestAConsumerCannotKeepWhatWasTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	w.sharedByHand(w.reader(consumerAccount, "Analyst"), "shop_floor")
	out, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
	w.must(err)
	id := out.Adopted[0].SubscriptionID
	w.must(w.set(w.meshConsumer(), id, item{"OwnerPrincipal": str(producerAccount), "SubscriberPrincipal": str(consumerAccount), "Status": str("Deleted"), "DatabaseName": str("elsewhere"),
		"RequestedGrants": list("ALL"), "TakenBack": &dynamotypes.AttributeValueMemberBOOL{Value: true}}))
	s := w.get(id)
	if s.Status != lakemesh.Active || s.Database != product || !slices.Equal(s.Tables, []string{customers}) || s.Tampered == "" {
		t.Errorf("the record is %+v", s)
	}
	w.end(id)
	w.holds(consumerAccount, nil)

	// Nobody but the owner writes that something was taken over.
	forged := lakemesh.DerivedSubscriptionID(producerAccount, consumerAccount, "forged")
	w.denied("a consumer's own decision", w.decideRaw(w.meshConsumer(), forged))
	other := w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer))
	w.AddProducer(otherProducer)
	w.denied("another owner's decision", w.decideRaw(other, forged))
}

// An owner says that it took over what is another owner's. Its consumer cannot import
// that, and leaving it takes nothing away of what the consumer has of the other.
func TestAnOwnerCannotTakeOverWhatIsAnothers(t *testing.T) {
	t.Parallel()
	for says, unasked := range map[string]bool{"that it took it over": true, "that it was asked for": false} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.takesOverAnothers(unasked)
		})
	}
}

func (w *world) takesOverAnothers(unasked bool) {
	t := w.t
	w.secondProducer()
	w.finalize(w.active(orders))
	words := tracker.Words{Database: product, Tables: []string{orders}, Requested: lakemesh.NewPermissions("SELECT"), By: "arn:aws:iam::" + otherProducer + ":role/Somebody"}
	id := words.ID(otherProducer, consumerAccount)
	forger := dynamodb.NewFromConfig(w.as(meshAccount, lakemesh.MeshProducerRole(otherProducer)))
	write := func(key, expression string, values item) {
		names := map[string]string{"#s": "Status"}
		if !strings.Contains(expression, "#s") {
			names = nil
		}
		_, err := forger.UpdateItem(w.ctx(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: item{"Key": str(key)},
			UpdateExpression: aws.String(expression), ExpressionAttributeNames: names, ExpressionAttributeValues: values})
		w.must(err)
	}
	write(id, "SET #s = :s, DatabaseName = :d, TableName = :t, RequestedGrants = :p, PermittedGrants = :p, GrantableGrants = :p, CreatedBy = :b, Digest = :h, Unasked = :u, Revision = :n, Version = :n",
		item{":s": str("Active"), ":d": str(product), ":t": list(orders), ":p": list("SELECT"), ":b": str(words.By), ":h": str(words.Digest()),
			":u": &dynamotypes.AttributeValueMemberBOOL{Value: unasked}, ":n": &dynamotypes.AttributeValueMemberN{Value: "1"}})
	write(otherProducer+"-"+consumerAccount, "ADD Active :i", item{":i": &dynamotypes.AttributeValueMemberSS{Value: []string{id}}})

	if mine := w.used(w.consumer, consumer.ListInput{}); !slices.ContainsFunc(mine, func(s lakemesh.Subscription) bool { return s.ID == id }) {
		t.Fatalf("the consumer sees %+v, want the forged one, too", mine)
	}
	if _, err := w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id}); !errors.Is(err, lakemesh.ErrTampered) || unasked != strings.Contains(err.Error(), "of account "+producerAccount) {
		t.Errorf("importing it: %v, want that it is another's", err)
	}
	for range 2 {
		w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
		w.reads(self(), orders)
	}
	if !unasked {
		// What it did not ask for stays as its owner wrote it.
		w.leavesConsumer(consumerAccount, "undecided, record, subscription "+id+", "+consumerAccount)
	}
}

// decideRaw writes a decision as if its owner had taken something over.
func (w *world) decideRaw(cfg aws.Config, id string) error {
	_, err := dynamodb.NewFromConfig(cfg).UpdateItem(w.ctx(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: item{"Key": str(id)},
		UpdateExpression: aws.String("SET #s = :s, Unasked = :u"), ExpressionAttributeNames: map[string]string{"#s": "Status"},
		ExpressionAttributeValues: item{":s": str("Active"), ":u": &dynamotypes.AttributeValueMemberBOOL{Value: true}}})
	return err
}

func actionsOf(s *lakemesh.Subscription) []lakemesh.Action {
	var all []lakemesh.Action
	for _, e := range s.History {
		all = append(all, e.Action)
	}
	return all
}
