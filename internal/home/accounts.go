package home

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

const administratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

// person is an IAM user of the local mesh, with a place in the credentials file.
type person struct {
	identity lakemesh.Identity
	account  string
	user     string
	// role is what the user may assume, and the only thing it may do; empty for an
	// administrator of the account and of its data lake.
	role string
}

// people are the users of the local mesh.
func people() []person {
	return []person{
		{lakemesh.MeshIdentity, MeshAccount, "MeshAdministrator", ""},
		{lakemesh.ProducerAdminIdentity, ProducerAccount, "ProducerAdministrator", ""},
		{lakemesh.ConsumerAdminIdentity, ConsumerAccount, "ConsumerAdministrator", ""},
		{lakemesh.ProducerIdentity, ProducerAccount, "Producer", lakemesh.ProducerRole},
		{lakemesh.ConsumerIdentity, ConsumerAccount, "Consumer", lakemesh.ConsumerRole},
	}
}

// setUpAccounts makes the three accounts and their people where they are missing,
// through the mesh's own services, and returns everybody's keys.
func setUpAccounts(ctx context.Context, mesh *localmesh.Mesh) (*lakemesh.CredentialsFile, error) {
	file := &lakemesh.CredentialsFile{Region: localmesh.DefaultRegion, Credentials: map[lakemesh.Identity]lakemesh.Credentials{}}
	for _, p := range people() {
		if err := setUp(ctx, mesh, p); err != nil {
			return nil, fmt.Errorf("set up user %s of account %s: %w", p.user, p.account, err)
		}
		// The mesh hands out the user's access key, and makes one if there is none.
		keys, err := mesh.Config(userARN(p)).Credentials.Retrieve(ctx)
		if err != nil {
			return nil, fmt.Errorf("get the access key of user %s of account %s: %w", p.user, p.account, err)
		}
		file.Credentials[p.identity] = lakemesh.Credentials{AccountID: p.account, AccessKeyID: keys.AccessKeyID,
			SecretAccessKey: lakemesh.Secret(keys.SecretAccessKey)}
	}
	return file, nil
}

func userARN(p person) string { return "arn:aws:iam::" + p.account + ":user/" + p.user }

func setUp(ctx context.Context, mesh *localmesh.Mesh, p person) error {
	root := mesh.Config("arn:aws:iam::" + p.account + ":root")
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
				lakemesh.RoleARN(p.account, p.role)))})
		return err
	}
	if _, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &p.user, PolicyArn: aws.String(administratorAccess)}); err != nil {
		return err
	}
	return makeDataLakeAdministrator(ctx, lakeformation.NewFromConfig(root), userARN(p))
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
