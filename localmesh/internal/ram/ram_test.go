package ram_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	owner    = "111111111111"
	receiver = "222222222222"
	stranger = "333333333333"
)

func admin(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

func databaseARN(name string) string { return "arn:aws:glue:us-east-1:" + owner + ":database/" + name }

// world is a mesh whose owner has the databases "a" and "b".
type world struct {
	testing.TB
	mesh *localmesh.Mesh
	ctx  context.Context
}

func newWorld(t testing.TB, opts ...localmesh.Option) *world {
	w := &world{TB: t, mesh: localmesh.Run(t, opts...), ctx: context.Background()}
	c := glue.NewFromConfig(w.mesh.Config(admin(owner)))
	for _, name := range []string{"a", "b"} {
		_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}})
		w.must(err)
	}
	return w
}

func (w *world) as(principal string) *ram.Client { return ram.NewFromConfig(w.mesh.Config(principal)) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) refused(err error, code string) {
	w.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		w.Errorf("got %v, want %s", err, code)
	}
}

// share makes a share of the database "a" with the receiver, and returns its ARN.
func (w *world) share(name string) string {
	w.Helper()
	out, err := w.as(admin(owner)).CreateResourceShare(w.ctx, &ram.CreateResourceShareInput{
		Name: &name, ResourceArns: []string{databaseARN("a")}, Principals: []string{receiver},
	})
	w.must(err)
	return *out.ResourceShare.ResourceShareArn
}

// invitation is the invitation to a share.
func (w *world) invitation(account, share string) *types.ResourceShareInvitation {
	w.Helper()
	out, err := w.as(admin(account)).GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{ResourceShareArns: []string{share}})
	w.must(err)
	if len(out.ResourceShareInvitations) == 0 {
		return nil
	}
	return &out.ResourceShareInvitations[len(out.ResourceShareInvitations)-1]
}

func (w *world) accept(account string, arn *string) error {
	_, err := w.as(admin(account)).AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: arn})
	return err
}

func (w *world) reject(account string, arn *string) error {
	_, err := w.as(admin(account)).RejectResourceShareInvitation(w.ctx, &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: arn})
	return err
}

// principalStatus is the status of the receiver in a share, as its owner sees it.
func (w *world) principalStatus(share string) types.ResourceShareAssociationStatus {
	w.Helper()
	out, err := w.as(admin(owner)).GetResourceShareAssociations(w.ctx, &ram.GetResourceShareAssociationsInput{
		AssociationType: types.ResourceShareAssociationTypePrincipal, ResourceShareArns: []string{share}, Principal: aws.String(receiver),
	})
	w.must(err)
	if len(out.ResourceShareAssociations) != 1 {
		return ""
	}
	return out.ResourceShareAssociations[0].Status
}

func (w *world) reached(account string) int {
	w.Helper()
	out, err := w.as(admin(account)).GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerOtherAccounts})
	w.must(err)
	return len(out.ResourceShares)
}

func TestAShareReachesWhoAcceptsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share("one")
	i := w.invitation(receiver, share)
	if i.Status != types.ResourceShareInvitationStatusPending || *i.SenderAccountId != owner || *i.ReceiverAccountId != receiver {
		t.Errorf("invitation: %+v", i)
	}
	if n := w.reached(receiver); n != 0 {
		t.Errorf("%d shares before acceptance", n)
	}
	if s := w.principalStatus(share); s != types.ResourceShareAssociationStatusAssociating {
		t.Errorf("the receiver is %s, want ASSOCIATING", s)
	}
	pending, err := w.as(admin(receiver)).ListPendingInvitationResources(w.ctx, &ram.ListPendingInvitationResourcesInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})
	w.must(err)
	if len(pending.Resources) != 1 || *pending.Resources[0].Arn != databaseARN("a") {
		t.Errorf("pending resources: %+v", pending.Resources)
	}
	w.must(w.accept(receiver, i.ResourceShareInvitationArn))
	if n := w.reached(receiver); n != 1 {
		t.Errorf("%d shares after acceptance", n)
	}
	if s := w.principalStatus(share); s != types.ResourceShareAssociationStatusAssociated {
		t.Errorf("the receiver is %s, want ASSOCIATED", s)
	}
	if n := w.reached(stranger); n != 0 {
		t.Errorf("a stranger has %d shares", n)
	}
}

func TestOnlyTheReceiverAnswersAndOnlyOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.invitation(receiver, w.share("one")).ResourceShareInvitationArn
	for _, account := range []string{owner, stranger} {
		w.refused(w.accept(account, one), "ResourceShareInvitationArnNotFoundException")
		w.refused(w.reject(account, one), "ResourceShareInvitationArnNotFoundException")
	}
	w.must(w.accept(receiver, one))
	w.refused(w.accept(receiver, one), "ResourceShareInvitationAlreadyAcceptedException")
	w.refused(w.reject(receiver, one), "ResourceShareInvitationAlreadyAcceptedException")
	share := w.share("two")
	two := w.invitation(receiver, share).ResourceShareInvitationArn
	w.must(w.reject(receiver, two))
	w.refused(w.accept(receiver, two), "ResourceShareInvitationAlreadyRejectedException")
	if s := w.principalStatus(share); s != types.ResourceShareAssociationStatusFailed {
		t.Errorf("the receiver is %s, want FAILED", s)
	}
	w.refused(w.accept(receiver, aws.String("arn:aws:ram:us-east-1:"+owner+":resource-share/x")), "MalformedArnException")
	w.refused(w.accept(receiver, aws.String("arn:aws:ram:us-east-1:"+owner+":resource-share-invitation/none")), "ResourceShareInvitationArnNotFoundException")
}

func TestInvitationsExpire(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	start := time.Now()
	w := newWorld(t, localmesh.WithClock(func() time.Time { return start.Add(time.Duration(passed.Load())) }))
	share := w.share("one")
	i := w.invitation(receiver, share)
	passed.Store(int64(12 * time.Hour))
	if s := w.invitation(receiver, share).Status; s != types.ResourceShareInvitationStatusExpired {
		t.Errorf("the invitation is %s, want EXPIRED", s)
	}
	w.refused(w.accept(receiver, i.ResourceShareInvitationArn), "ResourceShareInvitationExpiredException")
	if s := w.principalStatus(share); s != types.ResourceShareAssociationStatusDisassociated {
		t.Errorf("the receiver is %s, want DISASSOCIATED", s)
	}
}

func TestOnlyTheOwnerChangesAShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share("one")
	w.must(w.accept(receiver, w.invitation(receiver, share).ResourceShareInvitationArn))
	for _, account := range []string{receiver, stranger} {
		c := w.as(admin(account))
		_, err := c.AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: &share, Principals: []string{stranger}})
		w.refused(err, "UnknownResourceException")
		_, err = c.DisassociateResourceShare(w.ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, Principals: []string{receiver}})
		w.refused(err, "UnknownResourceException")
		_, err = c.UpdateResourceShare(w.ctx, &ram.UpdateResourceShareInput{ResourceShareArn: &share, Name: aws.String("mine")})
		w.refused(err, "UnknownResourceException")
		_, err = c.DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
		w.refused(err, "UnknownResourceException")
		_, err = c.GetResourceShareAssociations(w.ctx, &ram.GetResourceShareAssociationsInput{AssociationType: types.ResourceShareAssociationTypePrincipal, ResourceShareArns: []string{share}})
		w.refused(err, "UnknownResourceException")
	}
	c := w.as(admin(owner))
	_, err := c.DisassociateResourceShare(w.ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, Principals: []string{stranger}})
	w.refused(err, "UnknownResourceException")
	_, err = c.DisassociateResourceShare(w.ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, Principals: []string{receiver}})
	w.must(err)
	if n := w.reached(receiver); n != 0 {
		t.Errorf("%d shares after the receiver was taken out", n)
	}
	_, err = c.DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
	w.must(err)
	_, err = c.DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
	w.refused(err, "UnknownResourceException")
	own, err := c.GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf})
	w.must(err)
	if len(own.ResourceShares) != 1 || own.ResourceShares[0].Status != types.ResourceShareStatusDeleted {
		t.Errorf("shares after the deletion: %+v", own.ResourceShares)
	}
}

func TestTakingAPrincipalOutTakesItsInvitationBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share("one")
	i := w.invitation(receiver, share)
	c := w.as(admin(owner))
	_, err := c.DisassociateResourceShare(w.ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, Principals: []string{receiver}})
	w.must(err)
	w.refused(w.accept(receiver, i.ResourceShareInvitationArn), "ResourceShareInvitationArnNotFoundException")
	_, err = c.AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: &share, Principals: []string{receiver}})
	w.must(err)
	w.must(w.accept(receiver, w.invitation(receiver, share).ResourceShareInvitationArn))
}

func TestSharesThatRAMRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(func() error {
		_, err := w.as(admin(receiver)).GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{})
		return err
	}())
	many := make([]string, 101)
	for i := range many {
		many[i] = databaseARN(fmt.Sprint("d", i))
	}
	tests := map[string]struct {
		change func(*ram.CreateResourceShareInput)
		code   string
	}{
		"no name":                      {func(in *ram.CreateResourceShareInput) { in.Name = aws.String("") }, "InvalidParameterException"},
		"a resource that is not there": {func(in *ram.CreateResourceShareInput) { in.ResourceArns = []string{databaseARN("none")} }, "UnknownResourceException"},
		"a resource of another account": {func(in *ram.CreateResourceShareInput) {
			in.ResourceArns = []string{strings.ReplaceAll(databaseARN("a"), owner, receiver)}
		}, "OperationNotPermittedException"},
		"no ARN":        {func(in *ram.CreateResourceShareInput) { in.ResourceArns = []string{"a"} }, "MalformedArnException"},
		"101 resources": {func(in *ram.CreateResourceShareInput) { in.ResourceArns = many }, "InvalidParameterException"},
		"an unknown permission": {func(in *ram.CreateResourceShareInput) {
			in.PermissionArns = []string{"arn:aws:ram::aws:permission/None"}
		}, "UnknownResourceException"},
		"one's own account": {func(in *ram.CreateResourceShareInput) { in.Principals = []string{owner} }, "InvalidParameterException"},
		"a role that is not there": {func(in *ram.CreateResourceShareInput) {
			in.Principals = []string{"arn:aws:iam::" + receiver + ":role/None"}
		}, "MalformedArnException"},
		"an organization": {func(in *ram.CreateResourceShareInput) {
			in.Principals = []string{"arn:aws:organizations::" + owner + ":organization/o-x"}
		}, "OperationNotPermittedException"},
		"an external account that is not allowed": {func(in *ram.CreateResourceShareInput) {
			in.AllowExternalPrincipals, in.Principals = aws.Bool(false), []string{receiver}
		}, "OperationNotPermittedException"},
	}
	for name, tt := range tests {
		in := &ram.CreateResourceShareInput{Name: aws.String("x")}
		tt.change(in)
		_, err := w.as(admin(owner)).CreateResourceShare(w.ctx, in)
		if err == nil {
			t.Errorf("%s: shared", name)
			continue
		}
		w.refused(err, tt.code)
	}
	own, err := w.as(admin(owner)).GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf})
	w.must(err)
	if len(own.ResourceShares) != 0 {
		t.Errorf("refused requests made %d shares", len(own.ResourceShares))
	}
}

func TestAClientTokenMakesARequestRepeatable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as(admin(owner))
	create := func(name string) (string, error) {
		out, err := c.CreateResourceShare(w.ctx, &ram.CreateResourceShareInput{Name: &name, ClientToken: aws.String("token"), Principals: []string{receiver}})
		if err != nil {
			return "", err
		}
		return *out.ResourceShare.ResourceShareArn, nil
	}
	first, err := create("one")
	w.must(err)
	again, err := create("one")
	w.must(err)
	if first != again {
		t.Error("the repeated request made another share")
	}
	_, err = create("two")
	w.refused(err, "IdempotentParameterMismatchException")
	i := w.invitation(receiver, first).ResourceShareInvitationArn
	for range 2 {
		_, err := w.as(admin(receiver)).AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i, ClientToken: aws.String("t")})
		w.must(err)
	}
}

func TestPagesOfInvitationsMayBeEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wanted string
	for i := range 5 {
		wanted = w.share(fmt.Sprint("s", i))
	}
	in := &ram.GetResourceShareInvitationsInput{ResourceShareArns: []string{wanted}, MaxResults: aws.Int32(1)}
	pages := ram.NewGetResourceShareInvitationsPaginator(w.as(admin(receiver)), in)
	n, found := 0, 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		n++
		found += len(page.ResourceShareInvitations)
	}
	if n != 5 || found != 1 {
		t.Errorf("%d pages with %d invitations, want 5 with 1", n, found)
	}
	for _, size := range []int32{0, 501} {
		_, err := w.as(admin(receiver)).GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{MaxResults: aws.Int32(size)})
		w.refused(err, "InvalidMaxResultsException")
		_, err = w.as(admin(receiver)).GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf, MaxResults: aws.Int32(size)})
		w.refused(err, "InvalidParameterException")
	}
	_, err := w.as(admin(receiver)).GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{NextToken: aws.String("!")})
	w.refused(err, "InvalidNextTokenException")
}

func TestConditionsOnSharesHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := iam.NewFromConfig(w.mesh.Config(admin(owner)))
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []map[string]any{
		{"Effect": "Allow", "Action": "ram:CreateResourceShare", "Resource": "*", "Condition": map[string]any{"StringEquals": map[string]any{"ram:RequestedResourceType": "glue:Database"}}},
		{"Effect": "Allow", "Action": []string{"ram:DeleteResourceShare", "ram:AssociateResourceShare"}, "Resource": "*", "Condition": map[string]any{"StringLike": map[string]any{"ram:ResourceShareName": "LakeFormation*"}}},
	}})
	w.must(err)
	_, err = c.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: aws.String("Sharer"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"sts:AssumeRole"}]}`)})
	w.must(err)
	_, err = c.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Sharer"), PolicyName: aws.String("p"), PolicyDocument: aws.String(string(policy))})
	w.must(err)
	sharer := w.as("arn:aws:iam::" + owner + ":role/Sharer")
	create := func(name string, resources ...string) (*string, error) {
		out, err := sharer.CreateResourceShare(w.ctx, &ram.CreateResourceShareInput{Name: &name, ResourceArns: resources})
		if err != nil {
			return nil, err
		}
		return out.ResourceShare.ResourceShareArn, nil
	}
	_, err = create("x", "arn:aws:glue:us-east-1:"+owner+":catalog")
	w.refused(err, "AccessDeniedException")
	other, err := create("other", databaseARN("a"))
	w.must(err)
	ours, err := create("LakeFormation-1", databaseARN("a"))
	w.must(err)
	_, err = sharer.DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: other})
	w.refused(err, "AccessDeniedException")
	_, err = sharer.AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: other, ResourceArns: []string{databaseARN("b")}})
	w.refused(err, "AccessDeniedException")
	_, err = sharer.DeleteResourceShare(w.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: ours})
	w.must(err)
	_, err = sharer.GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf})
	w.refused(err, "AccessDeniedException")
}

func TestListsShowBothSides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share("one")
	resources := func(account string, side types.ResourceOwner) int {
		out, err := w.as(admin(account)).ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: side})
		w.must(err)
		return len(out.Resources)
	}
	if n := resources(owner, types.ResourceOwnerSelf); n != 1 {
		t.Errorf("the owner shares %d resources", n)
	}
	if n := resources(receiver, types.ResourceOwnerOtherAccounts); n != 0 {
		t.Errorf("the receiver has %d resources before acceptance", n)
	}
	w.must(w.accept(receiver, w.invitation(receiver, share).ResourceShareInvitationArn))
	if n := resources(receiver, types.ResourceOwnerOtherAccounts); n != 1 {
		t.Errorf("the receiver has %d resources", n)
	}
	out, err := w.as(admin(receiver)).ListPrincipals(w.ctx, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerOtherAccounts})
	w.must(err)
	if len(out.Principals) != 1 || *out.Principals[0].Id != owner {
		t.Errorf("who shares with the receiver: %+v", out.Principals)
	}
	permissions, err := w.as(admin(receiver)).ListResourceSharePermissions(w.ctx, &ram.ListResourceSharePermissionsInput{ResourceShareArn: &share})
	w.must(err)
	if len(permissions.Permissions) != 1 || *permissions.Permissions[0].ResourceType != "glue:Database" {
		t.Errorf("permissions: %+v", permissions.Permissions)
	}
	_, err = w.as(admin(stranger)).ListResourceSharePermissions(w.ctx, &ram.ListResourceSharePermissionsInput{ResourceShareArn: &share})
	w.refused(err, "UnknownResourceException")
}
