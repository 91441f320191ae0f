package home

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// person is an IAM user of the local mesh, with a place in the credentials file.
type person struct {
	identity lakemesh.Identity
	account  string
	user     string
	// role is what the user may assume, and the only thing it may do; empty for an
	// administrator of the account and of its data lake.
	role string
}

// Accounts are the accounts of a local mesh that are set up.
type Accounts struct {
	Mesh, Producer, Consumer string
}

// DefaultAccounts are those of a local mesh for which no others were chosen.
func DefaultAccounts() Accounts { return Accounts{MeshAccount, ProducerAccount, ConsumerAccount} }

// String writes them as [ParseAccounts] reads them.
func (a Accounts) String() string {
	return "mesh=" + a.Mesh + ",producer=" + a.Producer + ",consumer=" + a.Consumer
}

// ParseAccounts reads accounts, such as mesh=555555555555,producer=111111111111. What is not
// named is as in [DefaultAccounts]. Anything else is a [lakemesh.ErrInvalidInput].
func ParseAccounts(what, text string) (Accounts, error) {
	a := DefaultAccounts()
	places := map[string]*string{"mesh": &a.Mesh, "producer": &a.Producer, "consumer": &a.Consumer}
	named := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, id, _ := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		place, known := places[name]
		if !known {
			return a, lakemesh.Invalid(what, "%q is not mesh, producer or consumer, followed by = and an account id", part)
		}
		if named[name] {
			return a, lakemesh.Invalid(what, "%s stands there twice", name)
		}
		named[name] = true
		if *place = strings.TrimSpace(id); lakemesh.CheckAccountID(what, *place) != nil {
			return a, lakemesh.Invalid(what, "%q is not the id of an account: 12 digits", *place)
		}
	}
	if a.Mesh == a.Producer || a.Mesh == a.Consumer || a.Producer == a.Consumer {
		return a, lakemesh.Invalid(what, "mesh, producer and consumer are different accounts, and %s is not", a)
	}
	return a, nil
}

// accountsOf are the accounts of a credentials file.
func accountsOf(file *lakemesh.CredentialsFile) Accounts {
	return Accounts{file.Credentials[lakemesh.MeshIdentity].AccountID, file.Credentials[lakemesh.ProducerAdminIdentity].AccountID,
		file.Credentials[lakemesh.ConsumerAdminIdentity].AccountID}
}

// people are the users of a local mesh with the accounts.
func people(a Accounts) []person {
	return []person{
		{lakemesh.MeshIdentity, a.Mesh, "MeshAdministrator", ""},
		{lakemesh.ProducerAdminIdentity, a.Producer, "ProducerAdministrator", ""},
		{lakemesh.ConsumerAdminIdentity, a.Consumer, "ConsumerAdministrator", ""},
		{lakemesh.ProducerIdentity, a.Producer, "Producer", lakemesh.ProducerRole},
		{lakemesh.ConsumerIdentity, a.Consumer, "Consumer", lakemesh.ConsumerRole},
	}
}

// setUpAccounts makes the three accounts and their people where they are missing,
// through the mesh's own services, and returns everybody's keys.
func setUpAccounts(ctx context.Context, mesh *localmesh.Mesh, accounts Accounts) (*lakemesh.CredentialsFile, error) {
	file := &lakemesh.CredentialsFile{Region: mesh.Region(), Credentials: map[lakemesh.Identity]lakemesh.Credentials{}}
	for _, p := range people(accounts) {
		if err := setUp(ctx, mesh, p); err != nil {
			return nil, fmt.Errorf("set up user %s of account %s: %w", p.user, p.account, err)
		}
		// The mesh hands out the user's access key, and makes one if there is none.
		keys, err := mesh.Config(userARN(mesh, p)).Credentials.Retrieve(ctx)
		if err != nil {
			return nil, fmt.Errorf("get the access key of user %s of account %s: %w", p.user, p.account, err)
		}
		file.Credentials[p.identity] = lakemesh.Credentials{AccountID: p.account, AccessKeyID: keys.AccessKeyID,
			SecretAccessKey: lakemesh.Secret(keys.SecretAccessKey)}
	}
	return file, nil
}

func userARN(mesh *localmesh.Mesh, p person) string { return mesh.UserARN(p.account, p.user) }

func setUp(ctx context.Context, mesh *localmesh.Mesh, p person) error {
	root := mesh.Config(mesh.RootARN(p.account))
	client := iam.NewFromConfig(root)
	_, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &p.user})
	if missing := (*iamtypes.NoSuchEntityException)(nil); errors.As(err, &missing) {
		_, err = client.CreateUser(ctx, &iam.CreateUserInput{UserName: &p.user})
	}
	if err != nil {
		return err
	}
	if p.role != "" {
		_, err := client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &p.user, PolicyName: aws.String("AssumeRole"),
			PolicyDocument: aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":%q}]}`,
				mesh.Partition().RoleARN(p.account, p.role)))})
		return err
	}
	if _, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &p.user, PolicyArn: aws.String(mesh.Partition().ARN("iam", "", "aws", "policy/AdministratorAccess"))}); err != nil {
		return err
	}
	return makeDataLakeAdministrator(ctx, lakeformation.NewFromConfig(root), userARN(mesh, p))
}

func makeDataLakeAdministrator(ctx context.Context, client *lakeformation.Client, principal string) error {
	out, err := client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	settings := out.DataLakeSettings
	if slices.ContainsFunc(settings.DataLakeAdmins, func(a lftypes.DataLakePrincipal) bool {
		return aws.ToString(a.DataLakePrincipalIdentifier) == principal
	}) {
		return nil
	}
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal})
	_, err = client.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings})
	return err
}
