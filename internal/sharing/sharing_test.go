package sharing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	sender   = "555555555555"
	stranger = "333333333333"
	receiver = "999999999999"
)

// pair is a mesh in which one account can share its catalog with another.
type pair struct {
	*localmesh.Mesh
	t *testing.T
}

func newPair(t *testing.T, opts ...localmesh.Option) pair {
	t.Helper()
	return pair{localmesh.Run(t, opts...), t}
}

func (p pair) client(account string) *ram.Client {
	return ram.NewFromConfig(p.Config("arn:aws:iam::" + account + ":role/Admin"))
}

func (p pair) receiver() sharing.Receiver {
	return sharing.Receiver{Client: p.client(receiver), Account: receiver, Patience: 300 * time.Millisecond}
}

func (p pair) owner() sharing.Owner {
	return sharing.Owner{Client: p.client(sender), Account: sender, Patience: 300 * time.Millisecond}
}

// share makes a share of an account's database with the receiver.
func (p pair) share(account, name string) string {
	p.t.Helper()
	catalog := glue.NewFromConfig(p.Config("arn:aws:iam::" + account + ":role/Admin"))
	if _, err := catalog.CreateDatabase(p.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(name)}}); err != nil {
		p.t.Fatal(err)
	}
	out, err := p.client(account).CreateResourceShare(p.t.Context(), &ram.CreateResourceShareInput{Name: aws.String("LakeFormation-" + name),
		Principals: []string{receiver}, ResourceArns: []string{lakemesh.DatabaseARN(localmesh.DefaultRegion, account, name)}})
	if err != nil {
		p.t.Fatal(err)
	}
	return aws.ToString(out.ResourceShare.ResourceShareArn)
}

func TestAcceptAllAcceptsOnlyTheSendersNamedShares(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	wanted, other, foreign := p.share(sender, "wanted"), p.share(sender, "other"), p.share(stranger, "foreign")
	r := p.receiver()
	if err := r.AcceptAll(t.Context(), sender, []string{wanted}, nil); err != nil {
		t.Fatal(err)
	}
	accepted, err := r.Accepted(t.Context(), []string{wanted, other, foreign})
	if err != nil || !slices.Equal(accepted, []string{wanted}) {
		t.Errorf("accepted %q, %v", accepted, err)
	}
	// A stranger's share is not accepted even if it is named.
	if accepted, err := r.AcceptPending(t.Context(), sender, []string{foreign}); err != nil || len(accepted) > 0 {
		t.Fatal(err)
	}
	if accepted, err = r.Accepted(t.Context(), []string{foreign}); err != nil || len(accepted) != 0 {
		t.Errorf("accepted %q, %v", accepted, err)
	}
	p.ResetCounts()
	if err := r.AcceptAll(t.Context(), sender, []string{wanted}, nil); err != nil {
		t.Fatal(err)
	}
	if n := p.Calls(); n != 1 {
		t.Errorf("%d calls for a share that is in effect: %v", n, p.Counts())
	}
}

func TestAcceptAllReadsAllPages(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	var shares []string
	for i := range 7 {
		shares = append(shares, p.share(sender, "db"+string(rune('a'+i))))
	}
	if err := p.receiver().AcceptAll(t.Context(), sender, shares, nil); err != nil {
		t.Fatal(err)
	}
	accepted, err := p.receiver().Accepted(t.Context(), shares)
	if err != nil || len(accepted) != len(shares) {
		t.Errorf("accepted %d of %d, %v", len(accepted), len(shares), err)
	}
}

func TestAcceptingTwiceIsFine(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	share := p.share(sender, "db")
	r := p.receiver()
	invitations, err := r.Invitations(t.Context(), sender, []string{share})
	if err != nil || len(invitations) != 1 || !invitations[0].Pending() {
		t.Fatalf("invitations %+v, %v", invitations, err)
	}
	for range 2 {
		if err := r.Accept(t.Context(), invitations[0]); err != nil {
			t.Error(err)
		}
	}
}

func TestRejectedAndExpiredInvitationsSayHowToBeginAnew(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newPair(t, localmesh.WithClock(func() time.Time { return now }))
	rejected, expired := p.share(sender, "rejected"), p.share(sender, "expired")
	r := p.receiver()
	invitations, err := r.Invitations(t.Context(), sender, []string{rejected})
	if err != nil || len(invitations) != 1 {
		t.Fatalf("invitations %+v, %v", invitations, err)
	}
	if _, err := r.Client.RejectResourceShareInvitation(t.Context(), &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: aws.String(invitations[0].ARN)}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(13 * time.Hour)
	for _, share := range []string{rejected, expired} {
		err := p.receiver().AcceptAll(t.Context(), sender, []string{share}, nil)
		if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "associate it again") {
			t.Errorf("%v", err)
		}
	}
}

func TestAShareThatNeverArrivesEndsTheWait(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	missing := "arn:aws:ram:us-east-1:555555555555:resource-share/00000000-0000-0000-0000-000000000000"
	p.share(sender, "db")
	err := p.receiver().AcceptAll(t.Context(), sender, []string{missing}, nil)
	if timeout, ok := errors.AsType[*poll.TimeoutError](err); !ok || !strings.Contains(timeout.Error(), missing) {
		t.Errorf("%v", err)
	}
}

// On a mesh that is late the invitation appears after a while, and so does what is
// shared; who waits is waited for, and who never gets there is told what to do.
func TestSharesThatAreLate(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, localmesh.WithEventualConsistency(5), localmesh.WithSeed(seed+1))
			share := p.share(sender, "db")
			object := lakemesh.DatabaseARN(localmesh.DefaultRegion, sender, "db")
			owner := sharing.Owner{Client: p.client(sender), Account: sender}
			if err := owner.Check(t.Context(), receiver, []string{share}, object); err != nil {
				t.Error(err)
			}
			if blocked, err := owner.Blocked(t.Context(), []string{share}, []string{object}); err != nil || len(blocked) != 0 {
				t.Errorf("blocked %v, %v", blocked, err)
			}
			r := sharing.Receiver{Client: p.client(receiver), Account: receiver}
			if err := r.AcceptAll(t.Context(), sender, []string{share}, nil); err != nil {
				t.Error(err)
			}
			if accepted, err := r.Accepted(t.Context(), []string{share}); err != nil || !slices.Equal(accepted, []string{share}) {
				t.Errorf("accepted %q, %v", accepted, err)
			}
			p.SetEventualConsistency(1 << 30)
			never := p.share(sender, "never")
			object = lakemesh.DatabaseARN(localmesh.DefaultRegion, sender, "never")
			for what, err := range map[string]error{
				"the owner":    owner.Check(t.Context(), receiver, []string{never}, object),
				"the receiver": r.AcceptAll(t.Context(), sender, []string{never}, nil),
			} {
				if timeout, ok := errors.AsType[*poll.TimeoutError](err); !ok || !strings.Contains(err.Error(), "run the same command again") {
					t.Errorf("%s: %v, %v", what, err, timeout)
				}
			}
		})
	}
}

func TestCheckOfTheOwner(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	share := p.share(sender, "db")
	if err := p.owner().Check(t.Context(), receiver, []string{share, share}); err != nil {
		t.Errorf("an open invitation: %v", err)
	}
	if err := p.receiver().AcceptAll(t.Context(), sender, []string{share}, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.owner().Check(t.Context(), receiver, []string{share}); err != nil {
		t.Errorf("an accepted one: %v", err)
	}
	if err := p.owner().Check(t.Context(), "888888888888", []string{share}); err == nil {
		t.Error("an account that has no part in the share passes")
	}
	if err := p.owner().Check(t.Context(), receiver, nil); err != nil {
		t.Errorf("no shares: %v", err)
	}
}
