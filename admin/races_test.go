package admin_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/localmesh"
)

// interloper lets somebody else write before or after the first call of an
// operation.
type interloper struct {
	next          aws.HTTPClient
	operation     string
	before, after func()
	once          sync.Once
}

// Do implements aws.HTTPClient.
func (i *interloper) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/"+i.operation) && !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+i.operation) {
		return i.next.Do(r)
	}
	var resp *http.Response
	var err error
	called := false
	i.once.Do(func() {
		if i.before != nil {
			i.before()
		}
		resp, err = i.next.Do(r)
		called = true
		if i.after != nil {
			i.after()
		}
	})
	if !called {
		return i.next.Do(r)
	}
	return resp, err
}

func adminWith(t *testing.T, mesh *localmesh.Mesh, account string, i *interloper) *admin.Admin {
	t.Helper()
	o := optionsOf(mesh, account)
	i.next = o.Config.HTTPClient
	o.Config.HTTPClient = i
	a, err := admin.New(t.Context(), o)
	must(t, err)
	return a
}

func TestSettingsThatAnotherWriterUndidAreWrittenAgain(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t, plainly())
	before := settingsOf(t, mesh, producerAccount)
	a := adminWith(t, mesh, producerAccount, &interloper{operation: "PutDataLakeSettings", after: func() {
		_, err := lakeformation.NewFromConfig(configOf(mesh, producerAccount)).PutDataLakeSettings(t.Context(),
			&lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &before})
		wantOK(t, "write the settings as they were", err)
	}})
	_, err := a.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
	must(t, err)
	if got := administratorsOf(t, mesh, producerAccount); !slices.Equal(got, []string{lakemesh.RoleARN(producerAccount, "DataMeshProducer")}) {
		t.Errorf("administrators: %v", got)
	}
}

func TestACatalogPolicyThatAnotherWriterChangedMeanwhileIsReadAgain(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	client := glue.NewFromConfig(configOf(mesh, meshAccount))
	write := func(action string) {
		_, err := client.PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"` + action + `","Resource":"arn:aws:glue:us-east-1:555555555555:catalog"}]}`)})
		wantOK(t, "write a catalog policy", err)
	}
	write("glue:GetTables")
	a := adminWith(t, mesh, meshAccount, &interloper{operation: "PutResourcePolicy", before: func() { write("glue:GetDatabases") }})
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	out, err := client.GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
	must(t, err)
	if !strings.Contains(*out.PolicyInJson, "glue:GetDatabases") || !strings.Contains(*out.PolicyInJson, "glue:ShareResource") {
		t.Errorf("policy: %s", *out.PolicyInJson)
	}
}

func TestWhatIsNotVisibleYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, fault := range []localmesh.Fault{
		{Service: "iam", Operation: "PutRolePolicy", Code: "NoSuchEntity", Status: 404},
		{Service: "iam", Operation: "CreateRole", Code: "MalformedPolicyDocument", Message: "Invalid principal in policy", Status: 400},
		{Service: "lakeformation", Operation: "PutDataLakeSettings", Code: "InvalidInputException", Message: "Invalid principal", Status: 400},
		{Service: "lakeformation", Operation: "CreateLFTag", Code: "AccessDeniedException", Message: "Required create tag on catalog", Status: 400},
		{Service: "sts", Operation: "AssumeRole", Code: "AccessDenied", Message: "not authorized", Status: 403},
	} {
		t.Run(fault.Service+" "+fault.Operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mesh := localmesh.Run(t)
				o := optionsOf(mesh, meshAccount)
				o.RoleWait = time.Minute
				a, err := admin.New(t.Context(), o)
				must(t, err)
				fault.Times = 5
				mesh.Fail(fault)
				_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
				must(t, err)
			})
		})
	}
}

func TestWaitingInVainSaysForWhat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := localmesh.Run(t)
		a := adminOf(t, mesh, meshAccount)
		mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "PutDataLakeSettings", Times: 1000, Code: "InvalidInputException", Message: "Invalid principal", Status: 400})
		_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
		mesh.ClearFaults()
		var timeout *poll.TimeoutError
		if !errors.As(err, &timeout) || !strings.Contains(timeout.What, "data lake settings") || !errors.Is(err, lakemesh.ErrPartial) {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(err.Error(), "was deleted from IAM") {
			t.Errorf("no remedy in %v", err)
		}
	})
}

func TestBootstrapIsCompletedAfterAFailureAtAnyCall(t *testing.T) {
	t.Parallel()
	for _, moment := range []localmesh.Moment{localmesh.Before, localmesh.After} {
		struck := true
		for n := 1; struck; n++ {
			synctest.Test(t, func(t *testing.T) {
				mesh, _ := initialized(t)
				in := admin.BootstrapInput{Type: admin.Both, Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, otherAccount)}
				fault := mesh.Fail(localmesh.Fault{Nth: n, Moment: moment, Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
				_, err := admin.BootstrapAccount(t.Context(), in)
				struck = fault.Hits() > 0
				mesh.ClearFaults()
				if err != nil {
					if _, err := admin.BootstrapAccount(t.Context(), in); err != nil {
						t.Errorf("moment %d, call %d: not completed: %v", moment, n, err)
					}
				}
				p, err := admin.PlanBootstrapAccount(t.Context(), in)
				if err != nil || !p.Empty() {
					t.Errorf("moment %d, call %d: %v, left to do:\n%s", moment, n, err, p)
				}
			})
		}
	}
}
