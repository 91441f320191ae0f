package adversary_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// A stranger is an account that is no part of the mesh and has opened to the mesh all
// that it has; a bystander is a role of the mesh's account that is none of the mesh's.
// Where the other side keeps nobody out, the conditions of the mesh's roles do.
const (
	stranger       = "333333333333"
	strangersData  = "strangers-data"
	strangersTable = "planted"
	bystander      = "arn:aws:iam::" + inMesh + ":role/Bystander"
)

// withAStranger adds a stranger and a bystander.
func (s *stage) withAStranger(t testing.TB) error {
	m, theirs := meshtest.On(t, s.Mesh), s.Config(meshtest.Administrator(stranger))
	m.Bucket(stranger, strangersData)
	m.Put(stranger, strangersData, strangersTable+"/rows.csv", rowsOfTable(strangersTable))
	if _, err := identity.S3(theirs).PutBucketPolicy(s.ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(strangersData), Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + inMesh + `"},"Action":"s3:*","Resource":["arn:aws:s3:::` + strangersData + `","arn:aws:s3:::` + strangersData + `/*"]}]}`)}); err != nil {
		return err
	}
	m.Database(stranger, "bait")
	if _, err := ram.NewFromConfig(theirs).CreateResourceShare(s.ctx, &ram.CreateResourceShareInput{Name: aws.String("bait"), AllowExternalPrincipals: aws.Bool(true),
		ResourceArns: []string{lakemesh.DatabaseARN(localmesh.DefaultRegion, stranger, "bait")}, Principals: []string{theOwner, otherOwner, theConsumer, otherConsumer}}); err != nil {
		return err
	}
	client := iam.NewFromConfig(s.Config(meshtest.Administrator(inMesh)))
	if _, err := client.CreateRole(s.ctx, &iam.CreateRoleInput{RoleName: aws.String("Bystander"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + inMesh + `"},"Action":"sts:AssumeRole"}]}`)}); err != nil {
		return err
	}
	return errOfCall(client.PutRolePolicy(s.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Bystander"), PolicyName: aws.String("open"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","lakeformation:Get*","glue:Get*"],"Resource":"*"}]}`)}))
}

// outside is what is open to those outside of the mesh, and to a role outside of it.
func (s *stage) outside() error {
	var wrong []error
	for _, role := range rolesOfTheMesh() {
		// Whom the mesh's account lets is its administrator.
		if role == meshtest.Administrator(inMesh) || role == lakemesh.RoleARN(inMesh, lakemesh.ManagerRole) {
			continue
		}
		if _, err := sts.NewFromConfig(s.Config(bystander)).AssumeRole(s.ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("someone")}); err == nil {
			wrong = append(wrong, fmt.Errorf("%s opened %s", bystander, role))
		}
	}
	if rows, err := s.readAsLakeFormation(theOwner); err == nil {
		wrong = append(wrong, fmt.Errorf("the role that reads for %s reads %q of a stranger", theOwner, rows))
	}
	return errors.Join(wrong...)
}

// readAsLakeFormation registers the stranger's bucket with the role that reads for an
// owner, and reads it by a table.
func (s *stage) readAsLakeFormation(owner string) (string, error) {
	cfg := s.Config(lakemesh.RoleARN(inMesh, lakemesh.MeshProducerRole(owner)))
	lake := lakeformation.NewFromConfig(cfg)
	if _, err := lake.RegisterResource(s.ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + strangersData),
		RoleArn: aws.String(lakemesh.RoleARN(inMesh, lakemesh.DataAccessRole(owner))), WithPrivilegedAccess: true}); err != nil {
		return "", err
	}
	if _, err := glue.NewFromConfig(cfg).CreateTable(s.ctx, &glue.CreateTableInput{CatalogId: aws.String(inMesh), DatabaseName: aws.String(productOf(owner)),
		TableInput: meshtest.CSV(strangersTable, "s3://"+strangersData+"/"+strangersTable+"/")}); err != nil {
		return "", err
	}
	if _, err := lake.GrantPermissions(s.ctx, &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(bystander)},
		Resource:    &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(inMesh), DatabaseName: aws.String(productOf(owner)), Name: aws.String(strangersTable)}},
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}}); err != nil {
		return "", err
	}
	return s.readingIn(bystander, owner, strangersTable, strangersData)
}
