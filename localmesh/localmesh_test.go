package localmesh_test

import (
	"context"
	"errors"
	"strings"
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

// What IAM would not name is no principal, and is not taken for another one.
func TestPrincipalsThatIAMDoesNotName(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	for _, arn := range []string{
		"", "arn:aws:iam::111111111111:role/", "arn:aws:iam::111111111111:group/Readers", "arn:aws:sts::111111111111:assumed-role/Admin/local", "arn:aws:iam::11111111111:role/Admin",
		"arn:aws-cn:iam::111111111111:role/Admin", "arn:aws-us-gov:iam::111111111111:root", "arn:aws:iam:us-east-1:111111111111:role/Admin",
		"arn:aws:iam::111111111111:role/a b", "arn:aws:iam::111111111111:user/$(id)", "arn:aws:iam::111111111111:user/ü", "arn:aws:iam::111111111111:role/" + strings.Repeat("x", 65),
		"arn:aws:iam::111111111111:role/p ath/Admin",
	} {
		_, err := mesh.Config(arn).Credentials.Retrieve(t.Context())
		want := "is not the ARN of a user, a role or a root"
		if strings.HasPrefix(arn, "arn:aws-") {
			want = ", and this mesh is in aws"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", arn, err)
		}
	}
	// None of them made the account.
	if _, err := mesh.Config("arn:aws:iam::111111111111:role/First").Credentials.Retrieve(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := mesh.Config("arn:aws:iam::111111111111:role/Second").Credentials.Retrieve(t.Context())
	if want := "make further principals through IAM, as arn:aws:iam::111111111111:root"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
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
