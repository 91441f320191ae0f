package meshtest

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/internal/engine"
)

// TrustEngines lets query engines of accounts filter the mesh's tables.
func (m *Mesh) TrustEngines(accounts ...string) {
	m.t.Helper()
	if err := engine.Trust(m.t.Context(), m.Config(Administrator(MeshAccount)), accounts...); err != nil {
		m.t.Fatal(err)
	}
}

// Reader makes a role that a query engine reads as.
func (m *Mesh) Reader(account, name string) string {
	m.t.Helper()
	client := iam.NewFromConfig(m.Config(Administrator(account)))
	out, err := client.CreateRole(m.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(engine.TrustPolicy(account))})
	if err != nil {
		m.t.Fatal(err)
	}
	if err := Try(m.Mesh, func() error {
		_, err := client.PutRolePolicy(m.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("query"), PolicyDocument: aws.String(engine.Policy)})
		return err
	}); err != nil {
		m.t.Fatal(err)
	}
	return aws.ToString(out.Role.Arn)
}

// Query reads a table as a query engine does, as a role: see [engine.Query].
func (m *Mesh) Query(ctx context.Context, role, database, table string) (columns, rows []string, err error) {
	account := strings.Split(role, ":")[4]
	return engine.Query(ctx, engine.As(m.Config(Administrator(account)), role), account, database, table)
}
