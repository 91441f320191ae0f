package admin_test

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

const farRegion = "eu-central-1"

// administratorsIn are the data lake administrators of an account in a region.
func administratorsIn(t *testing.T, mesh *localmesh.Mesh, account, region string) []string {
	t.Helper()
	cfg := mesh.Config(meshtest.Administrator(account))
	cfg.Region = region
	out, err := lakeformation.NewFromConfig(cfg).GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, a := range out.DataLakeSettings.DataLakeAdmins {
		all = append(all, aws.ToString(a.DataLakePrincipalIdentifier))
	}
	return all
}

func consumerAdmin(t *testing.T, m *meshtest.Mesh) *admin.Admin {
	t.Helper()
	a, err := admin.New(t.Context(), m.Options(meshtest.ConsumerAccount))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The regions in which a consumer links are chosen, kept by whoever initializes the account
// without them, and undone with the account.
func TestLinkRegionsAreChosenAndUndone(t *testing.T) {
	t.Parallel()
	m := meshtest.Accounts(t)
	const account = meshtest.ConsumerAccount
	self := lakemesh.RoleARN(account, lakemesh.ConsumerRole)
	a := consumerAdmin(t, m)
	if got := administratorsIn(t, m.Mesh.Mesh, account, farRegion); len(got) > 0 {
		t.Fatalf("before, administrators are %q", got)
	}
	for _, regions := range [][]string{{farRegion}, nil, {farRegion, lakemesh.DefaultRegion}} {
		if _, err := a.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{LinkRegions: regions}); err != nil {
			t.Fatal(err)
		}
		p, err := a.PlanInitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
		if err != nil || !p.Empty() {
			t.Errorf("after %q there is left to do: %v, %v", regions, p, err)
		}
		if got := administratorsIn(t, m.Mesh.Mesh, account, farRegion); !slices.Equal(got, []string{self}) {
			t.Errorf("after %q, administrators are %q", regions, got)
		}
		status, err := a.Status(t.Context())
		if err != nil || len(status.Problems) > 0 || !slices.Equal(status.Consumer.LinkRegions, []string{farRegion}) {
			t.Errorf("after %q, the status is %+v, %v", regions, status, err)
		}
	}
	if _, err := admin.RetireAccount(t.Context(), admin.RetireInput{Type: admin.Consumer, Mesh: m.Options(meshtest.MeshAccount), Account: m.Options(account)}); err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{farRegion, lakemesh.DefaultRegion} {
		if got := administratorsIn(t, m.Mesh.Mesh, account, region); len(got) > 0 {
			t.Errorf("in the end, administrators in region %s are %q", region, got)
		}
	}
}

// inRegion answers calls to a region, which their signatures name, in the stead of AWS.
type inRegion struct {
	name string
	next aws.HTTPClient
	do   func(*http.Request) (*http.Response, error)
}

func (c inRegion) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), "/"+c.name+"/") {
		return c.do(r)
	}
	return c.next.Do(r)
}

func TestALinkRegionThatCannotBeIsRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	m := meshtest.Accounts(t)
	options := m.Options(meshtest.ConsumerAccount)
	cfg := options.Config.Copy()
	options.Config = &cfg
	for name, test := range map[string]struct {
		region, says string
		do           func(*http.Request) (*http.Response, error)
	}{
		"no name":           {region: "Frankfurt", says: "is not a region"},
		"another partition": {region: "us-gov-west-1", says: "is of partition aws-us-gov"},
		"there is none": {region: "eu-central-9", says: "no such region", do: func(r *http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}
		}},
	} {
		cfg.HTTPClient = inRegion{test.region, options.Config.HTTPClient, test.do}
		if test.do == nil {
			cfg.HTTPClient = m.Config(meshtest.Administrator(meshtest.ConsumerAccount)).HTTPClient
		}
		a, err := admin.New(t.Context(), lakemesh.Options{MeshAccountID: meshtest.MeshAccount, Config: &cfg, RoleWait: options.RoleWait})
		if err != nil {
			t.Fatal(err)
		}
		m.ResetCounts()
		_, err = a.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{LinkRegions: []string{test.region}})
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
		if w := m.Writes(); len(w) > 0 {
			t.Errorf("%s: it made writing calls %q", name, w)
		}
	}
}
