package acceptance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// invitations are the sender and the state of each invitation to an account.
func (w *world) invitations(account string) map[string]string {
	w.t.Helper()
	client := ram.NewFromConfig(w.Config(meshtest.Administrator(account)))
	all, err := meshtest.Known(w.Mesh.Mesh, func() (map[string]string, error) {
		all := map[string]string{}
		pages := ram.NewGetResourceShareInvitationsPaginator(client, &ram.GetResourceShareInvitationsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(w.ctx())
			if err != nil {
				return nil, err
			}
			for _, i := range page.ResourceShareInvitations {
				all[aws.ToString(i.SenderAccountId)] += string(i.Status) + " "
			}
		}
		return all, nil
	})
	w.must(err)
	return all
}

func TestOnlyTheSharesOfTheMeshAreAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "nobody is invited", func(r localmesh.Readings) bool { return r.SharingNeedsNoInvitation })
	// Many others offer something, too. What they share is none of the mesh's concern.
	const strangers = 12
	for n := range strangers {
		stranger := fmt.Sprintf("77777777%04d", n)
		w.Database(stranger, "bait")
		client := lakeformation.NewFromConfig(w.Config(meshtest.Administrator(stranger)))
		database := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("bait")}}
		_, err := client.RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Resource: database, Permissions: []lftypes.Permission{lftypes.PermissionAll},
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}})
		w.must(err)
		for _, account := range []string{consumerAccount, producerAccount} {
			_, err = client.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Resource: database, Permissions: []lftypes.Permission{lftypes.PermissionDescribe},
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(account)}})
			w.must(err)
		}
	}
	w.active(orders)
	w.publish(w.producer, source)
	w.reads(self(), orders)
	for _, account := range []string{consumerAccount, producerAccount} {
		got := w.invitations(account)
		if len(got) != strangers+1 || strings.Contains(got[meshAccount], "PENDING") || !strings.Contains(got[meshAccount], "ACCEPTED") {
			t.Errorf("account %s has the mesh's invitations %q, and those of %d senders in all", account, got[meshAccount], len(got))
		}
		delete(got, meshAccount)
		for sender, state := range got {
			if strings.TrimSpace(state) != "PENDING" {
				t.Errorf("the invitation of account %s to account %s is %s, want it left alone", sender, account, state)
			}
		}
	}
}

func TestAGrantThatIsBlockedByTheCatalogsPolicyIsAnErrorUntilThePolicyIsCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddConsumer(otherConsumer)
	asking := w.openConsumer(otherConsumer)
	reader := `{"Version":"2012-10-17","Statement":[{"Sid":"Others","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + producerAccount + `:root"},` +
		`"Action":"glue:GetTable","Resource":["` + lakemesh.CatalogARN(region, meshAccount) + `","` + lakemesh.DatabaseARN(region, meshAccount, "*") + `","` + lakemesh.TableARN(region, meshAccount, "*", "*") + `"]}]}`
	policies := glue.NewFromConfig(w.Config(meshtest.Administrator(meshAccount)))
	_, err := policies.PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: aws.String(reader), EnableHybrid: gluetypes.EnableHybridValuesTrue})
	w.must(err)

	id := w.requestAs(asking, []string{orders}, "SELECT", "DESCRIBE")
	err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "FAILED") || !strings.Contains(err.Error(), "initialize the mesh account again") {
		t.Fatalf("got %v, want an error that the share failed, and what to do", err)
	}
	if s := w.get(id); s.Status != lakemesh.Pending || s.Claim == nil {
		t.Errorf("the request is %s with claim %v, want it pending and claimed", s.Status, s.Claim)
	}

	m, err := admin.New(t.Context(), w.Options(meshAccount))
	w.must(err)
	_, err = m.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	w.must(err)
	out, err := policies.GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
	w.must(err)
	completed := aws.ToString(out.PolicyInJson)
	if strings.Count(completed, "glue:ShareResource") != 1 || !strings.Contains(completed, `"Others"`) {
		t.Errorf("the catalog's policy is %s", completed)
	}
	w.approve(id)
	_, err = asking.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
	w.must(err)
	w.reads(lakemesh.RoleARN(otherConsumer, lakemesh.ConsumerRole), orders)
	w.end(id)
	// Subscriptions leave no trace in the catalog's policy.
	out, err = policies.GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
	w.must(err)
	if aws.ToString(out.PolicyInJson) != completed {
		t.Errorf("the catalog's policy became %s", aws.ToString(out.PolicyInJson))
	}
}

func TestWhatIAMAllowsToEverybodyIsFoundBeforeTheGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request([]string{orders, customers}, "SELECT")
	everybody := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}
	on := tableResource(meshAccount, product, customers)
	lake := lakeformation.NewFromConfig(w.manager())
	_, err := lake.GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: everybody, Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionAll}})
	w.must(err)
	err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if err == nil || !strings.Contains(err.Error(), customers) || !strings.Contains(err.Error(), "IAM") {
		t.Errorf("got %v, want an error that names the table and what blocks it", err)
	}
	w.holds(consumerAccount, nil)
	if s := w.get(id); s.Status != lakemesh.Pending || s.Claim != nil {
		t.Errorf("the request is %s with claim %v", s.Status, s.Claim)
	}
	_, err = lake.RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Principal: everybody, Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionAll}})
	w.must(err)
	w.approve(id)
	w.finalize(id)
	w.reads(self(), orders, customers)
}

func TestOneRefusedEntryOfManyIsAPartialFailureThatTheSameCommandCompletes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "some columns stand beside changing the whole table, so nothing is refused", func(r localmesh.Readings) bool { return r.ColumnsBesideWiderGrants })
	const many = 24
	var names []string
	for n := range many {
		name := fmt.Sprintf("part_%02d", n)
		names = append(names, name)
		w.Table(producerAccount, source, meshtest.CSV(name, location(name)))
	}
	w.publish(w.producer, source)
	// Some columns and changing the whole table exclude each other in one principal.
	grant := &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
		Resource:    &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(product), Name: aws.String("part_20"), ColumnNames: []string{"id"}}},
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}}
	lake := lakeformation.NewFromConfig(w.meshProducer())
	_, err := lake.GrantPermissions(t.Context(), grant)
	w.must(err)

	id := w.request(names, "INSERT")
	err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	partial, ok := errors.AsType[*lakemesh.PartialError](err)
	if !ok || !errors.Is(err, lakemesh.ErrPartial) {
		t.Fatalf("got %v, want a partial failure", err)
	}
	if len(partial.Failed) != 1 || !strings.Contains(partial.Failed[0].Step, "part_20") || partial.Failed[0].Err == nil || partial.Done == 0 {
		t.Errorf("done %d, not begun %d, failed %v; want the one table to have failed, with a reason", partial.Done, partial.NotBegun, partial.Failed)
	}
	// The same command completes it once the hand-made grant is gone, and not before.
	if !strings.Contains(err.Error(), "this has to be mended first") {
		t.Errorf("%v does not tell what to do", err)
	}
	if s := w.get(id); s.Status != lakemesh.Pending || s.Claim == nil || s.Claim.Action != lakemesh.ActionApprove {
		t.Errorf("the request is %s with claim %v", s.Status, s.Claim)
	}

	_, err = lake.RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Principal: grant.Principal, Resource: grant.Resource, Permissions: grant.Permissions})
	w.must(err)
	w.approve(id)
	want := map[string]string{"database": "DESCRIBE / DESCRIBE"}
	for _, name := range names {
		want[name] = "INSERT / INSERT"
	}
	w.holds(consumerAccount, want)
	w.ResetCounts()
	w.end(id)
	if got, least := w.Count("lakeformation:BatchRevokePermissions"), (many+1+19)/20; got != least {
		t.Errorf("%d entries were revoked in %d calls, want %d", many+1, got, least)
	}
	w.holds(consumerAccount, nil)
}

func TestLongListsAreReadToTheirEndOnBothSides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	// A call reads a hundred records.
	for n := 1; n <= 105; n++ {
		var set []string
		for bit, permission := range lakemesh.TablePermissions() {
			if n&(1<<bit) != 0 {
				set = append(set, string(permission))
			}
		}
		out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
			Tables: []string{orders}, RequestPermissions: set, Notes: strings.Repeat("n", 8_000)})
		w.must(err)
		ids = append(ids, out.SubscriptionID)
	}
	slices.Sort(ids)
	used := w.used(w.consumer, consumer.ListInput{Statuses: consumer.AllStatuses()})
	owned := w.owned(w.producer, producer.ListSubscriptionsInput{})
	for who, all := range map[string][]lakemesh.Subscription{"subscriber": used, "owner": owned} {
		var got []string
		for _, s := range all {
			got = append(got, s.ID)
			if s.Owner != producerAccount || s.Status != lakemesh.Pending || s.Subscriber != consumerAccount {
				t.Errorf("the %s lists %+v", who, s)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, ids) {
			t.Errorf("the %s lists %v, want %v", who, got, ids)
		}
	}
	// Asking again finds the request on whichever page it is.
	if again := w.request([]string{orders}, "DROP"); !slices.Contains(ids, again) {
		t.Errorf("asking again made another request: %s", again)
	}
}
