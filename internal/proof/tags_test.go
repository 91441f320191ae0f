package proof

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// Where the profile is no data lake administrator it is not shown the LF-tags that there are.
// The life, at whose end everything with one of lakemesh's names goes, is not begun then.
func TestTagsOfOthersStay(t *testing.T) {
	t.Parallel()
	mesh := sandbox(t)
	users := iam.NewFromConfig(mesh.Config(caller(meshID)))
	if _, err := users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("Boss")}); err != nil {
		t.Fatal(err)
	}
	if _, err := users.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("Boss"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}); err != nil {
		t.Fatal(err)
	}
	const boss = "arn:aws:iam::" + meshID + ":user/Boss"
	if _, err := lakeformation.NewFromConfig(mesh.Config(caller(meshID))).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{
		DataLakeSettings: &lftypes.DataLakeSettings{DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(boss)}}}}); err != nil {
		t.Fatal(err)
	}
	tags := lakeformation.NewFromConfig(mesh.Config(boss))
	if _, err := tags.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String("domain-team"), TagValues: []string{"sales"}}); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Only = []string{"life"}
	report := ran(t, mesh, o)
	if len(report.Life) != 1 || report.Life[0].Verdict != NotTried {
		t.Errorf("the life was begun: %+v", report.Life)
	}
	if _, err := tags.GetLFTag(t.Context(), &lakeformation.GetLFTagInput{TagKey: aws.String("domain-team")}); err != nil {
		t.Errorf("the tag is gone: %v", err)
	}
}
