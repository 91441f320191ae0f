package proof

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// workGroup makes a work group of the owner, whose clients say where results go.
func (t *Try) workGroup() string {
	name := t.next("group")
	t.need(t.journal.make(Thing{Kind: kindWorkGroup, In: Mesh, Name: name}))
	in := &athena.CreateWorkGroupInput{Name: &name, Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(false)}}
	t.need(only(athenaOf(t.owner().config).CreateWorkGroup(t.ctx, in)))
	return name
}

// started starts a query in the owner's account and waits until it ended: with an ownError if it failed.
func (t *Try) started(who aws.Config, group, sql string, change ...func(*athena.StartQueryExecutionInput)) (string, error) {
	in := &athena.StartQueryExecutionInput{QueryString: &sql, WorkGroup: &group, QueryExecutionContext: &athenatypes.QueryExecutionContext{Database: aws.String(t.database())},
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://" + t.results(t.owner()) + "/")}}
	for _, c := range change {
		c(in)
	}
	out, err := athenaOf(who).StartQueryExecution(t.ctx, in)
	if err != nil {
		return "", err
	}
	id, failed := aws.ToString(out.QueryExecutionId), error(nil)
	_, err = t.until(t.patience, func() error {
		q, err := athenaOf(who).GetQueryExecution(t.ctx, &athena.GetQueryExecutionInput{QueryExecutionId: &id})
		if err != nil {
			return err
		}
		switch status := q.QueryExecution.Status; status.State {
		case athenatypes.QueryExecutionStateSucceeded:
			return nil
		case athenatypes.QueryExecutionStateFailed, athenatypes.QueryExecutionStateCancelled:
			failed = ownError{aws.ToString(status.StateChangeReason)}
			return nil
		}
		return errors.New("the query is under way")
	})
	return id, errors.Join(err, failed)
}

// rowsOf are the rows of a query, cells with commas, rows with spaces between them.
func (t *Try) rowsOf(who aws.Config, group, sql string, change ...func(*athena.StartQueryExecutionInput)) func() (string, error) {
	return func() (string, error) {
		id, err := t.started(who, group, sql, change...)
		if err != nil {
			return "", err
		}
		out, err := athenaOf(who).GetQueryResults(t.ctx, &athena.GetQueryResultsInput{QueryExecutionId: &id})
		if err != nil {
			return "", err
		}
		var rows []string
		for i, r := range out.ResultSet.Rows {
			if i == 0 {
				continue
			}
			var cells []string
			for _, d := range r.Data {
				if d.VarCharValue == nil {
					cells = append(cells, "NULL")
					continue
				}
				cells = append(cells, *d.VarCharValue)
			}
			rows = append(rows, strings.Join(cells, ","))
		}
		return strings.Join(rows, " "), nil
	}
}

// fails finds that a query fails with words in its reason.
func (t *Try) fails(question string, who aws.Config, group, sql, words string) {
	t.equal(question, func() (string, error) {
		rows, err := t.rowsOf(who, group, sql)()
		if err != nil && strings.Contains(err.Error(), words) {
			return words, nil
		}
		return rows, err
	}, words)
}

const insufficient = "Insufficient Lake Formation permission(s)"

func athenaChecks() []Check {
	everything := "SELECT * FROM goods ORDER BY item"
	return []Check{
		{Name: "work groups of Athena", Rules: []string{"16.1", "16.2", "16.11", "16.12"}, Run: func(t *Try) {
			group := t.workGroup()
			one, _ := t.someone(t.owner(), policyOf(statement("athena:*", partition+"athena:"+t.owner().Region+":"+t.owner().ID+":workgroup/"+group), statement("s3:* glue:* lakeformation:*", "*")))
			t.done("a query is started in a work group that IAM allows", func() error { return only(t.started(one, group, "SELECT 1")) })
			other := t.workGroup()
			t.refused("a query is started in another work group", func() error { return only(t.started(one, other, "SELECT 1")) }, deniedCode, "athena:StartQueryExecution")
			t.about("16.2")
			t.refused("neither the client nor the work group says where results go", func() error {
				return only(t.started(t.owner().config, group, "SELECT 1", func(in *athena.StartQueryExecutionInput) { in.ResultConfiguration = nil }))
			}, "InvalidRequestException", "No output location provided")
			t.about("16.12")
			token := func(in *athena.StartQueryExecutionInput) {
				in.ClientRequestToken = aws.String("lakemesh-acceptance-" + strings.Repeat(t.run, 2))
			}
			first, err := t.started(t.owner().config, group, "SELECT 1", token)
			t.need(err)
			t.equal("the same client token is the same query", func() (string, error) { return t.started(t.owner().config, group, "SELECT 1", token) }, first)
			t.refused("with another text it is refused", func() error { return only(t.started(t.owner().config, group, "SELECT 2", token)) }, "InvalidRequestException")
			t.about("16.11")
			t.refused("a limit of bytes is below 10,000,000", func() error {
				return only(athenaOf(t.owner().config).UpdateWorkGroup(t.ctx, &athena.UpdateWorkGroupInput{WorkGroup: &group, ConfigurationUpdates: &athenatypes.WorkGroupConfigurationUpdates{BytesScannedCutoffPerQuery: aws.Int64(1)}}))
			}, "InvalidRequestException")
			t.need(only(athenaOf(t.owner().config).UpdateWorkGroup(t.ctx, &athena.UpdateWorkGroupInput{WorkGroup: &other, State: athenatypes.WorkGroupStateDisabled})))
			t.refused("a work group that is disabled starts a query", func() error { return only(t.started(t.owner().config, other, "SELECT 1")) }, "InvalidRequestException", "disabled")
		}},
		{Name: "what Athena shows", Rules: []string{"16.4", "16.5", "16.9", "16.6", "16.3", "16.13", "16.10"}, Doubt: "Athena keeps columns, rows and cells from who was not granted them; where one filter shows a cell and another the row, the cell is NULL.", Run: func(t *Try) {
			group, ann, arn := t.workGroup(), t.people["ann"], t.arns["ann"]
			t.fails("whoever was granted nothing reads nothing", ann, group, everything, insufficient)
			t.given(arn, t.onColumns("goods", "item"), "SELECT")
			t.equal("a star stands for the columns that are granted", t.rowsOf(ann, group, everything), "cup,1 tea,1")
			t.fails("a column that is not granted is not found", ann, group, "SELECT item FROM goods WHERE cost = '7'", "COLUMN_NOT_FOUND")
			t.need(t.revoke(t.admin(), arn, t.onColumns("goods", "item"), "SELECT"))
			t.fails("what is revoked is not read any more", ann, group, everything, insufficient)
			t.about("16.5")
			t.filter("goods", "us", "item cost", "country = 'US'")
			t.filter("goods", "names", "item", "")
			t.given(arn, t.onFilter("goods", "us"), "SELECT")
			t.equal("rows that a filter leaves out are not there", t.rowsOf(ann, group, everything), "tea,7,1")
			t.given(arn, t.onFilter("goods", "names"), "SELECT")
			t.equal("a cell is shown where one of the filters shows it, and is NULL otherwise", t.rowsOf(ann, group, everything), "cup,NULL,1 tea,7,1")
			t.about("16.13")
			bob := t.people["bob"]
			t.given(t.arns["bob"], t.onTable("goods"), "SELECT")
			var id string
			t.soon("a query", func() (err error) { id, err = t.started(bob, group, "SELECT item FROM goods"); return err })
			t.about("16.9")
			t.equal("a partition that the catalog does not know is not read", t.rowsOf(bob, group, "SELECT count(*) FROM goods"), "2")
			t.undo(func() error {
				return only(glueOf(t.admin()).DeletePartition(t.ctx, &glue.DeletePartitionInput{DatabaseName: aws.String(t.database()), TableName: aws.String("goods"), PartitionValues: []string{"2"}}))
			})
			t.need(already(only(glueOf(t.admin()).CreatePartition(t.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String(t.database()), TableName: aws.String("goods"), PartitionInput: t.day("2")}))))
			t.equal("and is once it does", t.rowsOf(bob, group, "SELECT count(*) FROM goods"), "3")
			t.about("16.13")
			t.need(t.revoke(t.admin(), t.arns["bob"], t.onTable("goods"), "SELECT"))
			t.fails("access ends", bob, group, "SELECT item FROM goods", insufficient)
			t.done("and results that were written stay", func() error {
				return only(athenaOf(bob).GetQueryResults(t.ctx, &athena.GetQueryResultsInput{QueryExecutionId: &id}))
			})
			t.about("16.6")
			weak, weakARN := t.someone(t.owner(), allowing("athena:* glue:Get* s3:PutObject s3:GetObject s3:GetBucketLocation s3:ListBucket s3:AbortMultipartUpload s3:ListMultipartUploadParts", "*"))
			t.given(weakARN, t.onColumns("goods", "item"), "SELECT")
			t.fails("a reader needs lakeformation:GetDataAccess", weak, group, everything, "lakeformation:GetDataAccess")
			t.about("16.3")
			poor, _ := t.someone(t.owner(), allowing("athena:* glue:* lakeformation:* s3:GetBucketLocation", "*"))
			t.fails("results are written with the caller's own permissions", poor, group, "SELECT 1", "Access denied when writing output")
			t.about("16.10")
			via, viaARN := t.someone(t.owner(), policyOf(statement("athena:* s3:* lakeformation:GetDataAccess", "*"),
				`{"Effect":"Allow","Action":"glue:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}`))
			t.given(viaARN, t.onColumns("goods", "item"), "SELECT")
			t.equal("IAM is shown that Athena calls", func() (string, error) {
				rows, err := t.rowsOf(via, group, "SELECT count(item) FROM goods")()
				if err == nil && rows != "" {
					return "rows", nil
				}
				return rows, err
			}, "rows")
			t.refused("and that somebody calls without it", t.sees(via, "goods"), deniedCode, "glue:GetTable")
		}},
		{Name: "partitions elsewhere", Rules: []string{"3.12", "16.7"}, Doubt: "A partition outside of its table's location is not read with Lake Formation's credentials: publishing says so.", Run: func(t *Try) {
			group := t.workGroup()
			// It may read nothing by IAM, so that what it reads is Lake Formation's doing.
			reader, arn := t.someone(t.owner(), policyOf(statement("athena:* glue:Get* lakeformation:GetDataAccess s3:GetBucketLocation", "*"),
				statement("s3:*", partition+"s3:::"+t.results(t.owner())+" "+partition+"s3:::"+t.results(t.owner())+"/*")))
			t.given(arn, t.onTable("goods"), "SELECT")
			t.equal("a partition in the table's location is read", t.rowsOf(reader, group, "SELECT count(*) FROM goods"), "2")
			t.need(t.put(t.ctx, "elsewhere/day=9/a.csv", "far,US,1\n"))
			moved := t.day("9")
			moved.StorageDescriptor = descriptor(t.path("elsewhere/day=9"), "item", "country", "cost")
			t.undo(func() error {
				return only(glueOf(t.admin()).DeletePartition(t.ctx, &glue.DeletePartitionInput{DatabaseName: aws.String(t.database()), TableName: aws.String("goods"), PartitionValues: []string{"9"}}))
			})
			t.need(already(only(glueOf(t.admin()).CreatePartition(t.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String(t.database()), TableName: aws.String("goods"), PartitionInput: moved}))))
			t.equal("a partition outside of it is not", func() (string, error) {
				rows, err := t.rowsOf(reader, group, "SELECT count(*) FROM goods WHERE day = '9'")()
				if isOwn(err) || awserr.Denied(err) {
					return "not read", nil
				}
				return rows, err
			}, "not read")
			t.about("16.7")
			free := t.free()
			t.need(t.put(t.ctx, "free/a.csv", "x,y\n"))
			t.given(arn, &types.Resource{Table: tableOn(t.owner().ID, free, "free")}, "SELECT")
			t.need(already(only(glueOf(t.admin()).CreatePartition(t.ctx, &glue.CreatePartitionInput{DatabaseName: &free, TableName: aws.String("free"), PartitionInput: &gluetypes.PartitionInput{Values: []string{"1"}, StorageDescriptor: descriptor(t.path("free"), "id", "what")}}))))
			t.equal("where a location is not registered the caller's own permissions of S3 count", func() (string, error) {
				rows, err := t.rowsOf(reader, group, `SELECT * FROM "`+free+`"."free"`)()
				if isOwn(err) && strings.Contains(strings.ToLower(err.Error()), "access denied") {
					return "access denied", nil
				}
				return rows, err
			}, "access denied")
		}},
	}
}
