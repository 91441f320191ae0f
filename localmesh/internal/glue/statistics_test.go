package glue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var analyzed = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func longStatistics(column string, low, high int64) types.ColumnStatistics {
	return types.ColumnStatistics{ColumnName: &column, ColumnType: aws.String("bigint"), AnalyzedTime: &analyzed, StatisticsData: &types.ColumnStatisticsData{
		Type: types.ColumnStatisticsTypeLong, LongColumnStatisticsData: &types.LongColumnStatisticsData{MinimumValue: low, MaximumValue: high, NumberOfDistinctValues: 3},
	}}
}

// gauge is the statistics of a table or a partition.
type gauge struct {
	*world
	c         *glue.Client
	partition []string
}

func (g gauge) get(columns ...string) ([]types.ColumnStatistics, []types.ColumnError, error) {
	db, t := aws.String("db"), aws.String("t")
	if g.partition == nil {
		out, err := g.c.GetColumnStatisticsForTable(g.ctx, &glue.GetColumnStatisticsForTableInput{DatabaseName: db, TableName: t, ColumnNames: columns})
		if err != nil {
			return nil, nil, err
		}
		return out.ColumnStatisticsList, out.Errors, nil
	}
	out, err := g.c.GetColumnStatisticsForPartition(g.ctx, &glue.GetColumnStatisticsForPartitionInput{DatabaseName: db, TableName: t, PartitionValues: g.partition, ColumnNames: columns})
	if err != nil {
		return nil, nil, err
	}
	return out.ColumnStatisticsList, out.Errors, nil
}

func (g gauge) put(list ...types.ColumnStatistics) ([]types.ColumnStatisticsError, error) {
	db, t := aws.String("db"), aws.String("t")
	if g.partition == nil {
		out, err := g.c.UpdateColumnStatisticsForTable(g.ctx, &glue.UpdateColumnStatisticsForTableInput{DatabaseName: db, TableName: t, ColumnStatisticsList: list})
		if err != nil {
			return nil, err
		}
		return out.Errors, nil
	}
	out, err := g.c.UpdateColumnStatisticsForPartition(g.ctx, &glue.UpdateColumnStatisticsForPartitionInput{DatabaseName: db, TableName: t, PartitionValues: g.partition, ColumnStatisticsList: list})
	if err != nil {
		return nil, err
	}
	return out.Errors, nil
}

func (g gauge) remove(column string) error {
	db, t := aws.String("db"), aws.String("t")
	if g.partition == nil {
		return errOnly(g.c.DeleteColumnStatisticsForTable(g.ctx, &glue.DeleteColumnStatisticsForTableInput{DatabaseName: db, TableName: t, ColumnName: &column}))
	}
	return errOnly(g.c.DeleteColumnStatisticsForPartition(g.ctx, &glue.DeleteColumnStatisticsForPartitionInput{DatabaseName: db, TableName: t, PartitionValues: g.partition, ColumnName: &column}))
}

func TestColumnStatistics(t *testing.T) {
	t.Parallel()
	for name, partition := range map[string][]string{"table": nil, "partition": {"1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.admin(owner)
			w.partitioned(c)
			w.must(addPartitions(w, c, "db", "t", "1", "2"))
			g := gauge{w, c, partition}

			got, failures, err := g.get("id", "no")
			w.must(err)
			if len(got) != 0 || len(failures) != 2 || *failures[0].Error.ErrorCode != "EntityNotFoundException" {
				t.Errorf("without statistics: %v, %+v", got, failures)
			}
			text := types.ColumnStatistics{ColumnName: aws.String("secret"), ColumnType: aws.String("string"), AnalyzedTime: &analyzed, StatisticsData: &types.ColumnStatisticsData{
				Type: types.ColumnStatisticsTypeString, StringColumnStatisticsData: &types.StringColumnStatisticsData{AverageLength: 1.5, MaximumLength: 3},
			}}
			refused, err := g.put(longStatistics("ID", 0, 9), longStatistics("no", 1, 2), text)
			w.must(err)
			if len(refused) != 1 || *refused[0].ColumnStatistics.ColumnName != "no" || *refused[0].Error.ErrorCode != "EntityNotFoundException" {
				t.Errorf("refused %+v", refused)
			}
			got, failures, err = g.get("secret", "Id", "no")
			w.must(err)
			unexported := cmpopts.IgnoreUnexported(types.ColumnStatistics{}, types.ColumnStatisticsData{}, types.LongColumnStatisticsData{}, types.StringColumnStatisticsData{})
			if diff := cmp.Diff([]types.ColumnStatistics{text, longStatistics("ID", 0, 9)}, got, unexported); diff != "" {
				t.Error(diff)
			}
			if len(failures) != 1 || *failures[0].ColumnName != "no" {
				t.Errorf("failures %+v", failures)
			}
			// Later statistics replace, and those of others are others.
			refused, err = g.put(longStatistics("id", -5, 5))
			w.must(err)
			if refused == nil || len(refused) != 0 {
				t.Errorf("refused %+v", refused)
			}
			got, _, err = g.get("id")
			w.must(err)
			if len(got) != 1 || got[0].StatisticsData.LongColumnStatisticsData.MinimumValue != -5 {
				t.Errorf("got %+v", got)
			}
			for _, other := range []gauge{{w, c, []string{"2"}}, {w, c, map[bool][]string{true: {"1"}, false: nil}[partition == nil]}} {
				if list, _, err := other.get("id"); err != nil || len(list) != 0 {
					t.Errorf("%v has %+v, %v", other.partition, list, err)
				}
			}
			w.must(g.remove("ID"))
			w.refused(g.remove("id"), "EntityNotFoundException")
			w.refused(g.remove("no"), "EntityNotFoundException")
			if got, _, err = g.get("id", "secret"); err != nil || len(got) != 1 {
				t.Errorf("got %+v, %v", got, err)
			}
			// They go with what they are about.
			if partition != nil {
				w.must(errOnly(c.DeletePartition(w.ctx, &glue.DeletePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionValues: partition})))
				_, _, err := g.get("secret")
				w.refused(err, "EntityNotFoundException")
				w.must(addPartitions(w, c, "db", "t", "1"))
			} else {
				w.must(errOnly(c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})))
				_, _, err := g.get("secret")
				w.refused(err, "EntityNotFoundException")
				w.table(c, "db", tableInput("t", col("day", "string")))
			}
			if got, _, err := g.get("secret"); err != nil || len(got) != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestColumnStatisticsOfEveryType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	g := gauge{w, c, nil}
	all := map[types.ColumnStatisticsType]types.ColumnStatisticsData{
		types.ColumnStatisticsTypeBoolean: {BooleanColumnStatisticsData: &types.BooleanColumnStatisticsData{NumberOfTrues: 1}},
		types.ColumnStatisticsTypeDate:    {DateColumnStatisticsData: &types.DateColumnStatisticsData{MinimumValue: &analyzed, MaximumValue: &analyzed}},
		types.ColumnStatisticsTypeDecimal: {DecimalColumnStatisticsData: &types.DecimalColumnStatisticsData{MaximumValue: &types.DecimalNumber{Scale: 2, UnscaledValue: []byte{0, 255}}}},
		types.ColumnStatisticsTypeDouble:  {DoubleColumnStatisticsData: &types.DoubleColumnStatisticsData{MinimumValue: -0.5, MaximumValue: 1e100}},
		types.ColumnStatisticsTypeLong:    {LongColumnStatisticsData: &types.LongColumnStatisticsData{}},
		types.ColumnStatisticsTypeString:  {StringColumnStatisticsData: &types.StringColumnStatisticsData{MaximumLength: 7}},
		types.ColumnStatisticsTypeBinary:  {BinaryColumnStatisticsData: &types.BinaryColumnStatisticsData{AverageLength: 2.5}},
	}
	for typ, data := range all {
		data.Type = typ
		s := types.ColumnStatistics{ColumnName: aws.String("id"), ColumnType: aws.String("x"), AnalyzedTime: &analyzed, StatisticsData: &data}
		_, err := g.put(s)
		w.must(err)
		got, _, err := g.get("id")
		w.must(err)
		if diff := cmp.Diff([]types.ColumnStatistics{s}, got, cmpopts.IgnoreUnexported(types.ColumnStatistics{}, types.ColumnStatisticsData{}, types.BooleanColumnStatisticsData{},
			types.DateColumnStatisticsData{}, types.DecimalColumnStatisticsData{}, types.DecimalNumber{}, types.DoubleColumnStatisticsData{},
			types.LongColumnStatisticsData{}, types.StringColumnStatisticsData{}, types.BinaryColumnStatisticsData{})); diff != "" {
			t.Errorf("%s: %s", typ, diff)
		}
		for other := range all {
			if other != typ {
				wrong := data
				wrong.Type = other
				s.StatisticsData = &wrong
				_, err := g.put(s)
				w.refused(err, "InvalidInputException")
				break
			}
		}
	}
}

func TestColumnStatisticsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	g := gauge{w, c, nil}
	for name, change := range map[string]func(*types.ColumnStatistics){
		"name":     func(s *types.ColumnStatistics) { s.ColumnName = aws.String("") },
		"type":     func(s *types.ColumnStatistics) { s.ColumnType = aws.String(strings.Repeat("t", 20001)) },
		"kind":     func(s *types.ColumnStatistics) { s.StatisticsData.Type = "CAT" },
		"negative": func(s *types.ColumnStatistics) { s.StatisticsData.LongColumnStatisticsData.NumberOfNulls = -1 },
	} {
		s := longStatistics("id", 0, 1)
		change(&s)
		_, err := g.put(s)
		if err == nil {
			t.Errorf("%s was taken", name)
		}
		w.refused(err, "ValidationException")
	}
	var err error
	list := []types.ColumnStatistics{}
	for i := range 26 {
		list = append(list, longStatistics(fmt.Sprint("c", i), 0, 1))
	}
	_, err = g.put(list...)
	w.refused(err, "ValidationException")
	_, _, err = g.get(make([]string, 101)...)
	w.refused(err, "ValidationException")
	_, _, err = gauge{w, c, []string{"1", "2"}}.get("id")
	w.refused(err, "InvalidInputException")
	_, _, err = gauge{w, c, []string{"1"}}.get("id")
	w.refused(err, "EntityNotFoundException")
}

// Statistics of columns that a caller may not read are not there for it.
func TestColumnStatisticsAskLakeFormation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	lf := lakeformation.NewFromConfig(w.Config(adminARN(owner)))
	w.must(errOnly(lf.PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(adminARN(owner))}},
	}})))
	w.closed(c, "db")
	w.table(c, "db", tableInput("t", col("day", "string")))
	_, err := gauge{w, c, nil}.put(longStatistics("id", 0, 1), longStatistics("secret", 0, 1), longStatistics("day", 0, 1))
	w.must(err)
	granted := func(name string, resource *lftypes.Resource, permission lftypes.Permission) gauge {
		t.Helper()
		user := w.user(owner, name, []string{"glue:GetTable", "glue:UpdateTable", "glue:DeleteTable"}, []string{"*"})
		w.must(errOnly(lf.GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &user}, Permissions: []lftypes.Permission{permission}, Resource: resource,
		})))
		return gauge{w, w.as(user), nil}
	}
	table := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("db"), Name: aws.String("t")}}
	_, _, err = granted("describes", table, lftypes.PermissionDescribe).get("id")
	w.refused(err, "AccessDeniedException")
	g := granted("reads", &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String("db"), Name: aws.String("t"), ColumnNames: []string{"id"}}}, lftypes.PermissionSelect)
	got, failures, err := g.get("id", "secret", "day")
	w.must(err)
	if len(got) != 2 || *got[0].ColumnName != "id" || *got[1].ColumnName != "day" || len(failures) != 1 || *failures[0].ColumnName != "secret" {
		t.Errorf("got %+v, %+v", got, failures)
	}
	_, err = g.put(longStatistics("id", 0, 2))
	w.refused(err, "AccessDeniedException")
	w.refused(g.remove("id"), "AccessDeniedException")
	g = granted("alters", table, lftypes.PermissionAlter)
	_, _, err = g.get("id")
	w.refused(err, "AccessDeniedException")
	_, err = g.put(longStatistics("id", 0, 2))
	w.must(err)
	w.must(g.remove("id"))
}

// IAM knows these operations by the names of others.
func TestColumnStatisticsAskIAM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	w.must(addPartitions(w, c, "db", "t", "1"))
	actions := []string{"GetTable", "UpdateTable", "DeleteTable", "GetPartition", "UpdatePartition", "DeletePartition"}
	for _, allowed := range actions {
		u := w.as(w.user(owner, allowed, []string{"glue:" + allowed}, []string{"*"}))
		for _, action := range actions {
			g := gauge{w, u, nil}
			if strings.HasSuffix(action, "Partition") {
				g.partition = []string{"1"}
			}
			var err error
			switch action[:3] {
			case "Get":
				_, _, err = g.get("id")
			case "Upd":
				_, err = g.put(longStatistics("id", 0, 1))
			default:
				if err = g.remove("secret"); action == allowed {
					w.refused(err, "EntityNotFoundException")
					continue
				}
			}
			if action == allowed {
				w.must(err)
			} else {
				w.refused(err, "AccessDeniedException")
			}
		}
	}
}
