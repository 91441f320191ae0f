package ready

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/query"
)

// readerPolicy lets a role call what reads, and keep results of queries; Lake Formation decides
// what it is shown.
func readerPolicy(p lakemesh.Partition) string {
	return `{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":["athena:*","glue:Get*","lakeformation:Get*"],"Resource":"*"},
  {"Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetObject","s3:PutObject"],"Resource":"` + p.BucketARN(resultsBucket+"*") + `"}]}`
}

const resultsBucket = "ready-query-results-"

// Query asks Athena as a role, which the account's administrator must be able to assume and which
// may call Athena, as those of [Mesh.Reader] may. The database is that of tables without one; it
// may be empty. Results are kept in a bucket of the role's account.
func (m *Mesh) Query(role, database, sql string) (*query.Result, error) {
	m.t.Helper()
	account := accountOf(role)
	bucket := resultsBucket + account
	_, err := m.S3(account).CreateBucket(m.ctx(), &s3.CreateBucketInput{Bucket: &bucket, CreateBucketConfiguration: identity.BucketIn(m.Region())})
	if owned := (*s3types.BucketAlreadyOwnedByYou)(nil); err != nil && !errors.As(err, &owned) {
		return nil, fmt.Errorf("make a bucket for results: %w", err)
	}
	client, err := query.New(m.ctx(), m.Options(account), role)
	if err != nil {
		return nil, err
	}
	return client.Run(m.ctx(), query.Input{SQL: sql, Database: database, OutputLocation: "s3://" + bucket + "/", Limit: -1})
}

func accountOf(principal string) string {
	parts := strings.Split(principal, ":")
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// CanRead asserts what a role is shown of a table of its account's catalog, or of what a link
// there leads to: all rows that it is to see, no more and no less, in any order, each as
// "id=1 name=NULL" with the columns that it is to see. Without rows it asserts that the role may
// read, and that nothing is there.
func (m *Mesh) CanRead(role, database, table string, rows ...string) {
	m.t.Helper()
	want := slices.Sorted(slices.Values(rows))
	var got []string
	var err error
	if m.Soon(func() bool {
		got, err = m.rows(role, database, table)
		return err == nil && slices.Equal(got, want)
	}) {
		return
	}
	if err != nil {
		m.t.Errorf("%s reads nothing of %s.%s: %v; want:\n%s", role, database, table, err, lines(want))
		return
	}
	m.t.Errorf("%s reads of %s.%s:\n%s\nwant:\n%s", role, database, table, lines(got), lines(want))
}

// CannotRead asserts that a role is refused a table: that somebody said so. A table that is not
// there, or a role that may not call Athena, is an error, because it says nothing of the table.
func (m *Mesh) CannotRead(role, database, table string) {
	m.t.Helper()
	if err := m.exists(accountOf(role), database, table); err != nil {
		m.t.Errorf("whether %s reads %s.%s cannot be told: %v", role, database, table, err)
		return
	}
	var got []string
	var err error
	refused := func() bool {
		return errors.Is(err, lakemesh.ErrAccessDenied) && !strings.Contains(err.Error(), "athena:")
	}
	if m.Soon(func() bool { got, err = m.rows(role, database, table); return refused() }) {
		return
	}
	if err != nil {
		m.t.Errorf("whether %s reads %s.%s cannot be told: %v", role, database, table, err)
		return
	}
	m.t.Errorf("%s reads of %s.%s, and must not:\n%s", role, database, table, lines(got))
}

// exists looks whether there is a table, as those who are shown it: AWS tells nobody else whether
// something is not there or only not theirs.
func (m *Mesh) exists(account, database, table string) error {
	client := glue.NewFromConfig(m.Config(m.RoleARN(account, "Admin")))
	if who, err := m.lakeAdministrator(account); err == nil {
		client = glue.NewFromConfig(m.Config(who))
	}
	found, err := client.GetDatabase(m.ctx(), &glue.GetDatabaseInput{Name: &database})
	if err != nil {
		return err
	}
	if link := found.Database.TargetDatabase; link != nil && aws.ToString(link.CatalogId) != account {
		return m.exists(aws.ToString(link.CatalogId), aws.ToString(link.DatabaseName), table)
	}
	_, err = client.GetTable(m.ctx(), &glue.GetTableInput{DatabaseName: &database, Name: &table})
	return err
}

func (m *Mesh) rows(role, database, table string) ([]string, error) {
	quoted := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	out, err := m.Query(role, database, "SELECT * FROM "+quoted(table))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, row := range out.Rows {
		var words []string
		for i, value := range row {
			text := "NULL"
			if value != nil {
				text = aws.ToString(value)
			}
			words = append(words, out.Columns[i].Name+"="+text)
		}
		all = append(all, strings.Join(words, " "))
	}
	slices.Sort(all)
	return all, nil
}
