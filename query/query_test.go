package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/query"
)

const admin = "arn:aws:iam::111111111111:role/Admin"

func open(t *testing.T) (*query.Client, aws.Config) {
	t.Helper()
	cfg := localmesh.Run(t).Config(admin)
	_, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("results")})
	if err != nil {
		t.Fatal(err)
	}
	q, err := query.New(t.Context(), lakemesh.Options{MeshAccountID: "555555555555", Config: &cfg}, "")
	if err != nil {
		t.Fatal(err)
	}
	return q, cfg
}

func TestRun(t *testing.T) {
	t.Parallel()
	q, _ := open(t)
	out, err := q.Run(t.Context(), query.Input{SQL: "SELECT n, if(n > 2, 'x') AS s FROM UNNEST(ARRAY[1, 2, 3, 4]) AS t(n) ORDER BY n", OutputLocation: "s3://results/", Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Rows) != 3 || !out.Truncated || *out.Rows[2][0] != "3" || *out.Rows[2][1] != "x" || out.Rows[0][1] != nil || out.Columns[0] != (query.Column{Name: "n", Type: "integer"}) {
		t.Errorf("%+v", out)
	}
	if all, err := q.Run(t.Context(), query.Input{SQL: "SELECT * FROM (VALUES 1, 2, 3) AS t(n)", OutputLocation: "s3://results/", Limit: -1}); err != nil || len(all.Rows) != 3 || all.Truncated {
		t.Errorf("all rows: %+v, %v", all, err)
	}
	if with, err := q.Run(t.Context(), query.Input{SQL: "SELECT ? || 'b'", Parameters: []string{"'a'"}, OutputLocation: "s3://results/"}); err != nil || *with.Rows[0][0] != "ab" {
		t.Errorf("with a parameter: %+v, %v", with, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	q, cfg := open(t)
	for _, c := range []struct {
		in   query.Input
		kind error
		want string
	}{
		{query.Input{SQL: " "}, lakemesh.ErrInvalidInput, "there is no query"},
		{query.Input{SQL: "SELECT 1"}, lakemesh.ErrInvalidInput, "no location for results"},
		{query.Input{SQL: "SELECT 1", WorkGroup: "nowhere", OutputLocation: "s3://results/"}, lakemesh.ErrNotFound, "work group nowhere"},
		{query.Input{SQL: "SELECT 1 FROM a.b", OutputLocation: "s3://results/"}, lakemesh.ErrNotFound, "SCHEMA_NOT_FOUND"},
		{query.Input{SQL: "SELECT 1 FROM b", OutputLocation: "s3://results/"}, lakemesh.ErrInvalidInput, "MISSING_SCHEMA_NAME"},
		{query.Input{SQL: "SELECT 1 +", OutputLocation: "s3://results/"}, lakemesh.ErrInvalidInput, "SYNTAX_ERROR"},
		{query.Input{SQL: "DELETE FROM a", OutputLocation: "s3://results/"}, lakemesh.ErrInvalidInput, "not in the local mesh"},
	} {
		if _, err := q.Run(t.Context(), c.in); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.in, err)
		}
	}
	client := athena.NewFromConfig(cfg)
	if _, err := client.UpdateWorkGroup(t.Context(), &athena.UpdateWorkGroupInput{WorkGroup: aws.String("primary"), State: athenatypes.WorkGroupStateDisabled}); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Run(t.Context(), query.Input{SQL: "SELECT 1", OutputLocation: "s3://results/"}); err == nil || !strings.Contains(err.Error(), "it is disabled") {
		t.Errorf("a work group that is disabled: %v", err)
	}
	if _, err := query.New(t.Context(), lakemesh.Options{MeshAccountID: "555555555555", Config: &cfg, RoleWait: -1}, "arn:aws:iam::111111111111:role/Nobody"); !errors.Is(err, lakemesh.ErrAccessDenied) ||
		!strings.Contains(err.Error(), "an administrator of account 111111111111 makes it") || strings.Contains(err.Error(), "mesh account") {
		t.Errorf("a role that is not there: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	q, cfg := open(t)
	client := glue.NewFromConfig(cfg)
	if _, err := client.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("shop")}}); err != nil {
		t.Fatal(err)
	}
	_, err := client.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("shop"), TableInput: &gluetypes.TableInput{Name: aws.String("goods"), Parameters: map[string]string{"sizeKey": "12"},
		PartitionKeys:     []gluetypes.Column{{Name: aws.String("day"), Type: aws.String("string")}},
		StorageDescriptor: &gluetypes.StorageDescriptor{Columns: []gluetypes.Column{{Name: aws.String(`odd"name`), Type: aws.String("int")}}}}})
	if err != nil {
		t.Fatal(err)
	}
	table, err := q.Describe(t.Context(), "shop", "goods")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := table.Select(5), `SELECT "odd""name", "day" FROM "shop"."goods" LIMIT 5`; got != want || table.Size != 12 {
		t.Errorf("got %s of %d bytes, want %s", got, table.Size, want)
	}
	if _, err := q.Describe(t.Context(), "shop", "nothing"); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("a table that is not there: %v", err)
	}
}

// Whoever gives up waiting has the query stopped.
func TestGivingUpStopsTheQuery(t *testing.T) {
	t.Parallel()
	q, cfg := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	numbers := "(VALUES " + strings.Repeat("1,", 200) + "1)"
	go func() {
		defer cancel()
		client := athena.NewFromConfig(cfg)
		for {
			list, err := client.ListQueryExecutions(t.Context(), &athena.ListQueryExecutionsInput{})
			if err != nil || len(list.QueryExecutionIds) > 0 {
				return
			}
		}
	}()
	_, err := q.Run(ctx, query.Input{SQL: "SELECT count(*) FROM " + numbers + " a(n), " + numbers + " b(n), " + numbers + " c(n), " + numbers + " d(n) WHERE a.n + b.n + c.n + d.n < 0", OutputLocation: "s3://results/"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
