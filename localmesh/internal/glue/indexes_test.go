package glue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
)

func (w *world) index(c *glue.Client, table, name string, keys ...string) error {
	return errOnly(c.CreatePartitionIndex(w.ctx, &glue.CreatePartitionIndexInput{DatabaseName: aws.String("db"), TableName: &table,
		PartitionIndex: &types.PartitionIndex{IndexName: &name, Keys: keys}}))
}

func (w *world) indexes(c *glue.Client, table string) ([]string, error) {
	out, err := c.GetPartitionIndexes(w.ctx, &glue.GetPartitionIndexesInput{DatabaseName: aws.String("db"), TableName: &table})
	if err != nil {
		return nil, err
	}
	all := []string{}
	for _, d := range out.PartitionIndexDescriptorList {
		text := *d.IndexName + " " + string(d.IndexStatus)
		for _, k := range d.Keys {
			text += " " + *k.Name + ":" + *k.Type
		}
		all = append(all, text)
	}
	return all, nil
}

func (w *world) dropIndex(c *glue.Client, table, name string) error {
	return errOnly(c.DeletePartitionIndex(w.ctx, &glue.DeletePartitionIndexInput{DatabaseName: aws.String("db"), TableName: &table, IndexName: &name}))
}

func TestPartitionIndexes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t", col("year", "int"), col("month", "int"), col("day", "string")))
	expect := func(table string, want ...string) {
		t.Helper()
		got, err := w.indexes(c, table)
		w.must(err)
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Error(diff)
		}
	}
	expect("t")
	w.must(w.index(c, "T", "b", "Day", "YEAR"))
	w.must(w.index(c, "t", "a", "year"))
	expect("t", "a ACTIVE year:int", "b ACTIVE day:string year:int")
	w.refused(w.index(c, "t", "a", "month"), "AlreadyExistsException")
	w.refused(w.index(c, "t", "c", "year"), "AlreadyExistsException")
	w.refused(w.index(c, "t", "c", "id"), "InvalidInputException")
	w.refused(w.index(c, "t", "c", "month", "month"), "InvalidInputException")
	w.refused(w.index(c, "t", "c", []string{}...), "ValidationException")
	w.refused(w.index(c, "t", "", "month"), "ValidationException")
	w.refused(w.index(c, "t", strings.Repeat("i", 256), "month"), "ValidationException")
	w.refused(w.index(c, "no", "c", "month"), "EntityNotFoundException")
	w.must(w.index(c, "t", "c", "month"))
	w.refused(w.index(c, "t", "d", "month", "year"), "ResourceNumberLimitExceededException")
	w.must(w.dropIndex(c, "t", "b"))
	w.refused(w.dropIndex(c, "t", "b"), "EntityNotFoundException")
	expect("t", "a ACTIVE year:int", "c ACTIVE month:int")

	// Indexes go with their table and can come with it.
	create := func(indexes ...types.PartitionIndex) error {
		return errOnly(c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), PartitionIndexes: indexes,
			TableInput: tableInput("t", col("year", "int"), col("month", "int"))}))
	}
	w.must(errOnly(c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})))
	index := func(name string, keys ...string) types.PartitionIndex {
		return types.PartitionIndex{IndexName: &name, Keys: keys}
	}
	w.refused(create(index("a", "id")), "InvalidInputException")
	w.refused(create(index("a", "year"), index("a", "month")), "AlreadyExistsException")
	w.refused(create(index("a", "year"), index("b", "month"), index("c", "month", "year"), index("d", "year", "month")), "ValidationException")
	w.must(create())
	expect("t")
	w.must(errOnly(c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})))
	w.must(create(index("a", "year"), index("b", "month")))
	expect("t", "a ACTIVE year:int", "b ACTIVE month:int")

	// Behind a link there are the target's.
	w.must(errOnly(c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: &types.TableInput{Name: aws.String("link"),
		TargetTable: &types.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), Name: aws.String("t")}}})))
	w.must(w.dropIndex(c, "link", "a"))
	expect("link", "b ACTIVE month:int")
}

func TestPartitionIndexesAskForPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	lf := lakeformation.NewFromConfig(w.Config(adminARN(owner)))
	w.must(errOnly(lf.PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(adminARN(owner))}},
	}})))
	w.closed(c, "db")
	w.table(c, "db", tableInput("t", col("day", "string")))
	calls := map[string]func(*glue.Client) error{
		"CreatePartitionIndex": func(c *glue.Client) error { return w.index(c, "t", "i", "day") },
		"GetPartitionIndexes":  func(c *glue.Client) error { return errOnly(w.indexes(c, "t")) },
		"DeletePartitionIndex": func(c *glue.Client) error { return w.dropIndex(c, "t", "i") },
	}
	names := []string{"CreatePartitionIndex", "GetPartitionIndexes", "DeletePartitionIndex"}
	for _, allowed := range append([]string{"*"}, names...) {
		for _, permission := range []lftypes.Permission{"", lftypes.PermissionDescribe, lftypes.PermissionAlter} {
			user := w.user(owner, strings.TrimPrefix(allowed, "*")+fmt.Sprint("u", permission), []string{"glue:" + allowed}, []string{"*"})
			if permission != "" {
				w.must(errOnly(lf.GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
					Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &user}, Permissions: []lftypes.Permission{permission},
					Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("db"), Name: aws.String("t")}},
				})))
			}
			for _, name := range names {
				if name == "DeletePartitionIndex" {
					_ = w.index(c, "t", "i", "day")
				} else {
					_ = w.dropIndex(c, "t", "i")
				}
				err := calls[name](w.as(user))
				if (allowed == "*" || allowed == name) && (permission == lftypes.PermissionAlter || permission != "" && name == "GetPartitionIndexes") {
					w.must(err)
				} else {
					w.refused(err, "AccessDeniedException")
				}
			}
		}
	}
}
