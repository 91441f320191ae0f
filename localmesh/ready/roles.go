package ready

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh"
)

// CrawlerRole is the ARN of the role that crawlers of a producer may use, in a mesh of the
// partition aws.
func CrawlerRole(producer string) string {
	return lakemesh.PartitionAWS.ARN("iam", "", producer, "role/Crawler")
}

// CrawlersPolicy is the name of the policy that lets the role of crawlers do its work.
const CrawlersPolicy = "crawl"

// makeCrawlerRole makes a role that Glue may assume, and that may do what crawlers do.
func makeCrawlerRole(ctx context.Context, m *localmesh.Mesh, account string) error {
	client := iam.NewFromConfig(m.Config(m.RoleARN(account, "Admin")))
	_, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("Crawler"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err == nil {
		_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Crawler"), PolicyName: aws.String(CrawlersPolicy), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:*","s3:GetObject","s3:ListBucket","lakeformation:GetDataAccess"],"Resource":"*"}]}`)})
	}
	if err != nil {
		return fmt.Errorf("make the role of the crawlers of account %s: %w", account, err)
	}
	return nil
}

// Role makes a role that its account may open, with the policy documents, and returns its ARN.
func (m *Mesh) Role(account, name string, policies ...string) string {
	m.t.Helper()
	named := map[string]string{}
	for i, policy := range policies {
		named["policy-"+strconv.Itoa(i+1)] = policy
	}
	return m.role(account, name, named)
}

// Reader makes a role that a query engine reads as: it may call what reads, and Lake Formation
// decides on what. It returns the role's ARN.
func (m *Mesh) Reader(account, name string) string {
	m.t.Helper()
	return m.role(account, name, map[string]string{"query": readerPolicy(m.Partition())})
}

func (m *Mesh) role(account, name string, policies map[string]string) string {
	m.t.Helper()
	client := iam.NewFromConfig(m.Config(m.RoleARN(account, "Admin")))
	out, err := client.CreateRole(m.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(engine.TrustPolicy(m.Partition(), account))})
	m.must(err)
	for policy, document := range policies {
		m.try(func() error {
			_, err := client.PutRolePolicy(m.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: &policy, PolicyDocument: &document})
			return err
		})
	}
	return aws.ToString(out.Role.Arn)
}

// Grant grants permissions as the administrator of the account whose resource it is. A resource
// without a CatalogId is the account's own.
func (m *Mesh) Grant(account, principal string, on *types.Resource, permissions ...types.Permission) {
	m.t.Helper()
	m.try(func() error {
		_, err := lakeformation.NewFromConfig(m.Config(m.RoleARN(account, "Admin"))).GrantPermissions(m.t.Context(), &lakeformation.GrantPermissionsInput{
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Resource: on, Permissions: permissions})
		return err
	})
}

// TrustEngines lets query engines of accounts filter an account's tables
// (https://docs.aws.amazon.com/lake-formation/latest/dg/app-integration-how-to-setup.html).
// [Mesh.CanRead] needs that for the account that has the tables.
func (m *Mesh) TrustEngines(of string, accounts ...string) {
	m.t.Helper()
	m.must(engine.Trust(m.t.Context(), m.Config(m.RoleARN(of, "Admin")), accounts...))
}

// try makes a call until it succeeds, as often as a change can be missed.
func (m *Mesh) try(call func() error) {
	m.t.Helper()
	var err error
	m.Soon(func() bool { err = call(); return err == nil })
	m.must(err)
}
