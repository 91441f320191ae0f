package localmesh_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestFirstPrincipalOfAnAccountIsItsAdministrator(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	ctx := context.Background()
	out, err := sts.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:role/path/Admin")).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(out.Arn), "arn:aws:sts::111111111111:assumed-role/Admin/local"; got != want {
		t.Errorf("caller is %s, want %s", got, want)
	}
	_, err = sts.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:role/Other")).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if !errors.Is(err, localmesh.ErrNoSuchPrincipal) {
		t.Errorf("a second principal that was never made: got %v, want ErrNoSuchPrincipal", err)
	}
}

func TestPlannedFaultsStrikeTheCallTheyAreMeantFor(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	client := sts.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:root"))
	ctx := context.Background()
	planned := mesh.Fail(localmesh.Fault{Service: "sts", Operation: "GetCallerIdentity", Nth: 2, Code: "Refused", Status: 403})
	for i, want := range []string{"", "Refused", ""} {
		_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		var api smithy.APIError
		switch {
		case want == "" && err != nil:
			t.Errorf("call %d failed: %v", i+1, err)
		case want != "" && (!errors.As(err, &api) || api.ErrorCode() != want):
			t.Errorf("call %d: got %v, want %s", i+1, err, want)
		}
	}
	if planned.Hits() != 1 {
		t.Errorf("the fault struck %d times, want once", planned.Hits())
	}
}

func TestLostAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	client := sts.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:root"))
	mesh.Fail(localmesh.Fault{Service: "sts", Moment: localmesh.After})
	if _, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	if n := mesh.Calls(); n != 2 {
		t.Errorf("%d calls, want the lost one and its repetition", n)
	}
}
