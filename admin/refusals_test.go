package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

func TestBadInputAndWrongAccountsAreRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	p := adminOf(t, mesh, producerAccount)
	foreign := "arn:aws:iam::222222222222:role/Crawler"
	for name, test := range map[string]struct {
		do   func() error
		want error
	}{
		"initialize the mesh elsewhere": {func() error {
			_, err := p.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
			return err
		}, lakemesh.ErrWrongAccount},
		"initialize a producer in the mesh": {func() error {
			_, err := a.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
			return err
		}, lakemesh.ErrWrongAccount},
		"initialize a consumer in the mesh": {func() error {
			_, err := a.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
			return err
		}, lakemesh.ErrWrongAccount},
		"enable elsewhere": {func() error {
			_, err := p.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
			return err
		}, lakemesh.ErrWrongAccount},
		"enable what is no account": {func() error {
			_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: "12345"})
			return err
		}, lakemesh.ErrInvalidInput},
		"enable the mesh account": {func() error {
			_, err := a.EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: meshAccount})
			return err
		}, lakemesh.ErrInvalidInput},
		"crawler role of another account": {func() error {
			_, err := p.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: foreign})
			return err
		}, lakemesh.ErrInvalidInput},
		"enable with a crawler role of another account": {func() error {
			_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount, CrawlerRoleARN: foreign})
			return err
		}, lakemesh.ErrInvalidInput},
		"crawler role that is no ARN": {func() error {
			_, err := p.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: "Crawler"})
			return err
		}, lakemesh.ErrInvalidInput},
		"crawler role that does not exist": {func() error {
			_, err := p.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: "arn:aws:iam::111111111111:role/Crawler"})
			return err
		}, lakemesh.ErrNotFound},
		"bad bucket": {func() error {
			_, err := p.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{Buckets: []string{"flights", "*"}})
			return err
		}, lakemesh.ErrInvalidInput},
		"bootstrap into nothing": {func() error {
			_, err := admin.BootstrapAccount(t.Context(), admin.BootstrapInput{Type: "neither", Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, producerAccount)})
			return err
		}, lakemesh.ErrInvalidInput},
		"bootstrap with the accounts swapped": {func() error {
			_, err := admin.BootstrapAccount(t.Context(), admin.BootstrapInput{Type: admin.Both, Mesh: optionsOf(mesh, producerAccount), Account: optionsOf(mesh, meshAccount)})
			return err
		}, lakemesh.ErrWrongAccount},
		"a mesh account that is none": {func() error {
			o := optionsOf(mesh, meshAccount)
			o.MeshAccountID = "mesh"
			_, err := admin.New(t.Context(), o)
			return err
		}, lakemesh.ErrInvalidInput},
	} {
		mesh.ResetCounts()
		if err := test.do(); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if w := writes(mesh); len(w) > 0 {
			t.Errorf("%s: wrote %v", name, w)
		}
	}
}

func TestQuotasAreCheckedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, mesh *localmesh.Mesh, quota string, err error) {
		t.Helper()
		if !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), quota) {
			t.Errorf("got %v, want the quota of %s", err, quota)
		}
		if w := writes(mesh); len(w) > 0 {
			t.Errorf("wrote %v", w)
		}
	}
	t.Run("roles", func(t *testing.T) {
		t.Parallel()
		mesh := localmesh.Run(t)
		a := adminOf(t, mesh, meshAccount)
		must(t, mesh.SetQuota(meshAccount, "RolesQuota", 2))
		mesh.ResetCounts()
		_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
		check(t, mesh, "roles in an account", err)
	})
	t.Run("administrators", func(t *testing.T) {
		t.Parallel()
		mesh := localmesh.Run(t, plainly())
		meshtest.Before(mesh, func() {
			client := iam.NewFromConfig(configOf(mesh, producerAccount))
			settings := settingsOf(t, mesh, producerAccount)
			for i := range 30 {
				role, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(fmt.Sprintf("Lake-%d", i)),
					AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`)})
				must(t, err)
				settings.DataLakeAdmins = append(settings.DataLakeAdmins, types.DataLakePrincipal{DataLakePrincipalIdentifier: role.Role.Arn})
			}
			_, err := lakeformation.NewFromConfig(configOf(mesh, producerAccount)).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings})
			must(t, err)
		})
		a := adminOf(t, mesh, producerAccount)
		mesh.ResetCounts()
		_, err := a.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
		check(t, mesh, "data lake administrators", err)
	})
	t.Run("inline policies", func(t *testing.T) {
		t.Parallel()
		mesh := localmesh.Run(t)
		a := adminOf(t, mesh, producerAccount)
		var buckets []string
		for i := range 200 {
			buckets = append(buckets, fmt.Sprintf("a-bucket-with-a-rather-long-name-of-fifty-characters-%d", i))
		}
		mesh.ResetCounts()
		_, err := a.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{Buckets: buckets})
		check(t, mesh, "inline policies", err)
	})
}

func TestARoleOfTheSameNameAtAnotherPathIsRefused(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	a := adminOf(t, mesh, consumerAccount)
	_, err := iam.NewFromConfig(configOf(mesh, consumerAccount)).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("DataMeshConsumer"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
	if _, err := a.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("got %v", err)
	}
}

// An account id with a typing error names no account: IAM refuses to trust its role, and
// nothing of it is left.
func TestEnablingAnAccountThatIsNotThereLeavesNothing(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	for _, enable := range []func() error{
		func() error {
			_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: "123456789012"})
			return err
		},
		func() error {
			_, err := a.EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: "123456789012"})
			return err
		},
	} {
		mesh.ResetCounts()
		if err := enable(); !errors.Is(err, lakemesh.ErrNotFound) && !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("got %v", err)
		}
		for _, w := range writes(mesh) {
			if !strings.Contains(w, "CreateRole") {
				t.Errorf("it went on to %s", w)
			}
		}
	}
	status, err := a.Status(t.Context())
	must(t, err)
	if len(status.Problems) > 0 {
		t.Errorf("problems are left: %v", status.Problems)
	}
}
