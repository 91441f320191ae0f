package glue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	owner = "111111111111"
	guest = "222222222222"
)

// world is a mesh for a test.
type world struct {
	testing.TB
	*localmesh.Mesh
	ctx context.Context
}

func newWorld(t testing.TB, opts ...localmesh.Option) *world {
	t.Helper()
	return &world{TB: t, Mesh: localmesh.Run(t, opts...), ctx: context.Background()}
}

func adminARN(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

func (w *world) as(principal string) *glue.Client {
	return glue.NewFromConfig(w.Config(principal), func(o *glue.Options) { o.RetryMaxAttempts = 1 })
}

func (w *world) admin(account string) *glue.Client { return w.as(adminARN(account)) }

// role makes a role with one inline policy, trusting whom trust names.
func (w *world) role(account, name, policy, trust string) string {
	w.Helper()
	client := iam.NewFromConfig(w.Config(adminARN(account)))
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"}]}`, trust)
	out, err := client.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document})
	w.must(err)
	if policy != "" {
		_, err = client.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline"), PolicyDocument: &policy})
		w.must(err)
	}
	return *out.Role.Arn
}

// user is a role with an inline policy of one allowing statement.
func (w *world) user(account, name string, actions, resources []string) string {
	w.Helper()
	return w.role(account, name, allow(actions, resources), fmt.Sprintf(`{"AWS":"arn:aws:iam::%s:root"}`, account))
}

func allow(actions, resources []string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],"Resource":["%s"]}]}`,
		strings.Join(actions, `","`), strings.Join(resources, `","`))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused checks that a call failed with AWS's code.
func (w *world) refused(err error, code string) {
	w.Helper()
	var e smithy.APIError
	switch {
	case err == nil:
		w.Errorf("the call succeeded, want %s", code)
	case !errors.As(err, &e):
		w.Errorf("got %v, want %s", err, code)
	case e.ErrorCode() != code:
		w.Errorf("got %s: %s, want %s", e.ErrorCode(), e.ErrorMessage(), code)
	}
}

// database makes a database; a closed one has no default grants on its tables.
func (w *world) database(c *glue.Client, name string) {
	w.Helper()
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name}})
	w.must(err)
}

// closed makes a database whose tables are Lake Formation's alone.
func (w *world) closed(c *glue.Client, name string) {
	w.Helper()
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{
		Name: &name, CreateTableDefaultPermissions: []types.PrincipalPermissions{},
	}})
	w.must(err)
}

func col(name, typ string) types.Column { return types.Column{Name: &name, Type: &typ} }

func tableInput(name string, keys ...types.Column) *types.TableInput {
	return &types.TableInput{
		Name: &name, TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{"classification": "parquet"}, PartitionKeys: keys,
		StorageDescriptor: &types.StorageDescriptor{
			Location: aws.String("s3://bucket/" + name), Columns: []types.Column{col("id", "bigint"), col("secret", "string")},
			InputFormat: aws.String("in"), OutputFormat: aws.String("out"), SerdeInfo: &types.SerDeInfo{SerializationLibrary: aws.String("serde")},
		},
	}
}

func (w *world) table(c *glue.Client, database string, in *types.TableInput) {
	w.Helper()
	_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: in})
	w.must(err)
}

func (w *world) tableNames(c *glue.Client, in *glue.GetTablesInput) []string {
	w.Helper()
	var names []string
	pages := glue.NewGetTablesPaginator(c, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, t := range page.TableList {
			names = append(names, *t.Name)
		}
	}
	return names
}
