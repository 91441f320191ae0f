package athena_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	account = "111111111111"
	admin   = "arn:aws:iam::" + account + ":role/Admin"
	csv     = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
	text    = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
	lines   = "org.openx.data.jsonserde.JsonSerDe"
	parq    = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
)

// world is a mesh with a database and a bucket for results.
type world struct {
	t    testing.TB
	mesh *localmesh.Mesh
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t, localmesh.Run(t)}
	for _, b := range []string{"data", "results"} {
		w.must(identity.S3(w.cfg(admin)).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(b)}))
	}
	w.must(w.glue(admin).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("shop")}}))
	return w
}

func (w *world) must(_ any, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) cfg(principal string) aws.Config    { return w.mesh.Config(principal) }
func (w *world) glue(principal string) *glue.Client { return glue.NewFromConfig(w.cfg(principal)) }
func (w *world) athena(principal string) *athena.Client {
	return athena.NewFromConfig(w.cfg(principal))
}
func (w *world) lf(principal string) *lakeformation.Client {
	return lakeformation.NewFromConfig(w.cfg(principal))
}

func (w *world) put(key, content string) {
	w.t.Helper()
	w.must(identity.S3(w.cfg(admin)).PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String(key), Body: strings.NewReader(content)}))
}

// columns reads "name type, name type".
func columns(text string) []gluetypes.Column {
	var all []gluetypes.Column
	depth, start := 0, 0
	for i, r := range text + "," {
		switch {
		case r == '<' || r == '(':
			depth++
		case r == '>' || r == ')':
			depth--
		case r == ',' && depth == 0:
			name, typ, _ := strings.Cut(strings.TrimSpace(text[start:i]), " ")
			all = append(all, gluetypes.Column{Name: aws.String(name), Type: aws.String(typ)})
			start = i + 1
		}
	}
	return all
}

// table makes a table whose files lie below its name in the bucket "data".
func (w *world) table(name, cols, library string, change ...func(*gluetypes.TableInput)) {
	w.t.Helper()
	in := &gluetypes.TableInput{Name: aws.String(name), TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{}, StorageDescriptor: &gluetypes.StorageDescriptor{
		Columns: columns(cols), Location: aws.String("s3://data/" + name), SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String(library), Parameters: map[string]string{}}}}
	for _, f := range change {
		f(in)
	}
	w.must(w.glue(admin).CreateTable(w.t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("shop"), TableInput: in}))
}

// role makes a role with a policy of actions on everything.
func (w *world) role(name string, actions ...string) string {
	w.t.Helper()
	client := iam.NewFromConfig(w.cfg(admin))
	w.must(client.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`)}))
	w.policy(name, map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"})
	return "arn:aws:iam::" + account + ":role/" + name
}

func (w *world) policy(role string, statements ...map[string]any) {
	w.t.Helper()
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	w.must(nil, err)
	w.must(iam.NewFromConfig(w.cfg(admin)).PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String("p"), PolicyDocument: aws.String(string(document))}))
}

// analyst are the actions of somebody who queries what Lake Formation gives.
var analyst = []string{"athena:*", "glue:Get*", "lakeformation:GetDataAccess", "s3:GetBucketLocation", "s3:PutObject"}

// governed registers the bucket "data", and takes the default grants away.
func (w *world) governed() {
	w.t.Helper()
	ctx := w.t.Context()
	w.role("Reads", "s3:*")
	w.must(iam.NewFromConfig(w.cfg(admin)).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Reads"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	w.must(w.lf(admin).PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(admin)}}}}))
	w.must(w.lf(admin).RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::data"), RoleArn: aws.String("arn:aws:iam::" + account + ":role/Reads")}))
	w.must(w.lf(admin).RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")},
		Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("shop")}}, Permissions: []lftypes.Permission{lftypes.PermissionAll}}))
	w.must(w.glue(admin).UpdateDatabase(ctx, &glue.UpdateDatabaseInput{Name: aws.String("shop"), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("shop"), CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}}))
}

// start starts a query in the database "shop" and returns its id.
func (w *world) start(principal, sql string, change ...func(*athena.StartQueryExecutionInput)) (string, error) {
	in := &athena.StartQueryExecutionInput{QueryString: aws.String(sql), QueryExecutionContext: &types.QueryExecutionContext{Database: aws.String("shop")},
		ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://results/" + principal[strings.LastIndex(principal, "/")+1:] + "/")}}
	for _, f := range change {
		f(in)
	}
	out, err := w.athena(principal).StartQueryExecution(w.t.Context(), in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.QueryExecutionId), nil
}

// ended waits for a query's end.
func (w *world) ended(principal, id string) *types.QueryExecution {
	w.t.Helper()
	for {
		out, err := w.athena(principal).GetQueryExecution(w.t.Context(), &athena.GetQueryExecutionInput{QueryExecutionId: aws.String(id)})
		w.must(nil, err)
		if s := out.QueryExecution.Status.State; s != types.QueryExecutionStateQueued && s != types.QueryExecutionStateRunning {
			return out.QueryExecution
		}
	}
}

// ask runs a query as the administrator, or as somebody; it returns the rows without the header,
// with | between values and ∅ for NULL, or the reason of the failure.
func (w *world) ask(sql string) string { w.t.Helper(); return w.askAs(admin, sql) }

func (w *world) askAs(principal, sql string, change ...func(*athena.StartQueryExecutionInput)) string {
	w.t.Helper()
	id, err := w.start(principal, sql, change...)
	w.must(nil, err)
	if q := w.ended(principal, id); q.Status.State != types.QueryExecutionStateSucceeded {
		return aws.ToString(q.Status.StateChangeReason)
	}
	// The results are read by who may read all of S3: what is tested here is the query.
	out, err := w.results(admin, id)
	w.must(nil, err)
	return out
}

func (w *world) results(principal, id string) (string, error) {
	var rows []string
	pages := athena.NewGetQueryResultsPaginator(w.athena(principal), &athena.GetQueryResultsInput{QueryExecutionId: aws.String(id)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return "", err
		}
		for _, r := range page.ResultSet.Rows {
			var cells []string
			for _, d := range r.Data {
				if d.VarCharValue == nil {
					cells = append(cells, "∅")
				} else {
					cells = append(cells, *d.VarCharValue)
				}
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
	}
	if len(rows) > 0 {
		rows = rows[1:]
	}
	return strings.Join(rows, "\n"), nil
}
