package sharing_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/localmesh"
)

// answering is RAM as an account sees it, with its answers changed.
func (p pair) answering(account string, change func(out any)) *ram.Client {
	return ram.NewFromConfig(meshtest.Answering(p.Config("arn:aws:iam::"+account+":role/Admin"), func(_ string, _, out any) { change(out) }))
}

func TestAShareThatIsNotListedHasArrivedWhenWhatItCarriesCanBeSeen(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	share := p.share(sender, "db")
	if err := p.receiver().AcceptAll(t.Context(), sender, []string{share}, nil); err != nil {
		t.Fatal(err)
	}
	r := sharing.Receiver{Account: receiver, Patience: 200 * time.Millisecond, Client: p.answering(receiver, func(out any) {
		switch out := out.(type) {
		case *ram.GetResourceSharesOutput:
			out.ResourceShares = nil
		case *ram.GetResourceShareInvitationsOutput:
			out.ResourceShareInvitations = nil
		}
	})}
	looks := 0
	if err := r.AcceptAll(t.Context(), sender, []string{share}, func(context.Context) (bool, error) { looks++; return looks == 2, nil }); err != nil || looks != 2 {
		t.Errorf("%d looks, %v", looks, err)
	}
	err := r.AcceptAll(t.Context(), sender, []string{share}, func(context.Context) (bool, error) { return false, nil })
	if _, ok := errors.AsType[*poll.TimeoutError](err); !ok {
		t.Errorf("what cannot be seen either: %v", err)
	}
	broken := errors.New("broken")
	if err := r.AcceptAll(t.Context(), sender, []string{share}, func(context.Context) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestWithoutNamedSharesThoseOfLakeFormationAreAccepted(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	wanted := p.share(sender, "db")
	p.share("222222222222", "other")
	out, err := p.client(sender).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String("subnets"), Principals: []string{receiver},
		ResourceArns: []string{lakemesh.DatabaseARN(localmesh.DefaultRegion, sender, "db")}})
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := p.receiver().AcceptOf(t.Context(), sender)
	if err != nil || !slices.Equal(accepted, []string{wanted}) {
		t.Errorf("accepted %q and not %q, %v", accepted, aws.ToString(out.ResourceShare.ResourceShareArn), err)
	}
	if accepted, err := p.receiver().AcceptOf(t.Context(), sender); err != nil || len(accepted) > 0 {
		t.Errorf("the second time: %q, %v", accepted, err)
	}
}

// From version 5 on shares carry patterns.
func TestPatternsStandForWhatTheyMatch(t *testing.T) {
	t.Parallel()
	const catalog = "arn:aws:glue:us-east-1:555555555555:"
	all := []string{catalog + "database/db", catalog + "table/db/a", catalog + "table/db/b", catalog + "table/dbx/a", catalog + "table/other/a"}
	for pattern, want := range map[string][]string{
		catalog + "table/db/*":                          {catalog + "table/db/a", catalog + "table/db/b"},
		catalog + "table/*/a":                           {catalog + "table/db/a", catalog + "table/dbx/a", catalog + "table/other/a"},
		"arn:aws:glue:*:555555555555:table/db*/a":       {catalog + "table/db/a", catalog + "table/dbx/a"},
		"arn:aws:glue:us-east-1:*:database/*":           {catalog + "database/db"},
		"arn:aws:glue:us-east-1:666666666666:*":         nil,
		catalog + "table/db/a":                          {catalog + "table/db/a"},
		"*":                                             all,
		"arn:aws:glue:us-east-1:555555555555:table/*a*": {catalog + "table/db/a", catalog + "table/dbx/a", catalog + "table/other/a"},
	} {
		p := newPair(t)
		share := p.share(sender, "db")
		o := sharing.Owner{Account: sender, Client: p.answering(sender, func(out any) {
			if out, ok := out.(*ram.GetResourceShareAssociationsOutput); ok {
				out.ResourceShareAssociations = []types.ResourceShareAssociation{{AssociatedEntity: aws.String(pattern), ResourceShareArn: aws.String(share), StatusMessage: aws.String("why")}}
			}
		})}
		blocked, err := o.Blocked(t.Context(), []string{share}, all)
		if got := slices.Sorted(maps.Keys(blocked)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s stands for %q, %v; want %q", pattern, got, err, want)
		}
	}
}

func TestAShareThatIsGoneHidesNoOther(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	share := p.share(sender, "db")
	gone := "arn:aws:ram:us-east-1:555555555555:resource-share/00000000-0000-0000-0000-000000000000"
	if associations, err := p.owner().Associations(t.Context(), receiver, []string{gone, share}); err != nil || len(associations) != 1 || associations[0].Share != share {
		t.Errorf("%+v, %v", associations, err)
	}
	if blocked, err := p.owner().Blocked(t.Context(), []string{gone, share}, []string{lakemesh.DatabaseARN(localmesh.DefaultRegion, sender, "db")}); err != nil || len(blocked) > 0 {
		t.Errorf("%v, %v", blocked, err)
	}
}
