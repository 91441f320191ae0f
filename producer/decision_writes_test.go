package producer_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// The data access role of a producer may read and nothing else: whoever is granted
// INSERT or DELETE is refused each write.
func TestAPlanSaysThatWhatIsGrantedCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	administrator := w.mesh.Config(meshtest.Administrator(meshAccount))
	meshtest.Before(w.mesh, func() {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
		if _, err := iam.NewFromConfig(administrator).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Writer"), AssumeRolePolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
		if _, err := lakeformation.NewFromConfig(administrator).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::" + bucket + "/customers"), RoleArn: aws.String("arn:aws:iam::" + meshAccount + ":role/Writer")}); err != nil {
			t.Fatal(err)
		}
	})
	role := lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))
	says := func(todo *plan.Plan, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, warning := range todo.Warnings {
			if strings.Contains(warning, "cannot write") {
				return warning
			}
		}
		return ""
	}
	id := w.request(t, consumerAccount, []string{"customers", "orders"}, "SELECT")
	approve := func(permissions ...string) string {
		return says(w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, GrantPermissions: permissions}))
	}
	for _, permissions := range [][]string{{"INSERT"}, {"SELECT", "DELETE"}, {"SELECT", "INSERT", "DELETE"}, {"ALL"}} {
		said := approve(permissions...)
		for _, part := range []string{role, "s3://" + bucket + "/orders/"} {
			if !strings.Contains(said, part) {
				t.Errorf("%v: it says %q, without %q", permissions, said, part)
			}
		}
		// What the role of somebody else's making may do is not known.
		if strings.Contains(said, "customers") {
			t.Errorf("%v: it says %q of a role that nothing is known of", permissions, said)
		}
	}
	if said := approve("SELECT", "DESCRIBE", "ALTER"); said != "" {
		t.Errorf("who reads is told %q", said)
	}
	w.approve(t, producer.ApproveInput{RequestID: id})
	if said := says(w.producer.PlanUpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "INSERT"}})); !strings.Contains(said, "INSERT") {
		t.Errorf("the update says %q", said)
	}
	if said := says(w.producer.PlanDeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})); said != "" {
		t.Errorf("the end says %q", said)
	}
}
