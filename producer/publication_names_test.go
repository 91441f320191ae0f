package producer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// created are the tables that a plan makes.
func created(todo *plan.Plan) []string {
	var names []string
	for _, s := range todo.Steps {
		if s.Kind == plan.CreateTable {
			names = append(names, s.Resource[strings.LastIndex(s.Resource, "111111111111.")+len("111111111111."):])
		}
	}
	return names
}

func TestATableThatExistsIsMeantByItsName(t *testing.T) {
	t.Parallel()
	m := newPublishing(t)
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "shop")
	for i, name := range []string{"orders_v1", "orders.v1", "ordersxv1", "aab", "a+b", "c++", "x", ".*"} {
		m.Table(publisherID, "shop", meshtest.CSV(name, "s3://lake/"+string(rune('a'+i))))
	}
	p := m.open()
	for text, want := range map[string][]string{
		"orders.v1": {"orders.v1"}, "ORDERS.V1": {"orders.v1"}, "orders_v1": {"orders_v1"}, "orders[._]v1": {"orders.v1", "orders_v1"},
		"a+b": {"a+b"}, "a+b|x": {"aab", "x"}, "c++": {"c++"}, ".*": {".*"}, `orders\.v1`: {"orders.v1"},
	} {
		todo, err := p.PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "shop", TableNameRegex: text})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := created(todo); !slices.Equal(got, want) {
			t.Errorf("%q publishes %q, want %q", text, got, want)
		}
		said := slices.ContainsFunc(todo.Warnings, func(w string) bool { return strings.Contains(w, "that table alone") })
		_, err = p.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: "shop-" + publisherID, TableNameRegex: text})
		if !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("%q: %v", text, err)
		}
		if isName := len(want) == 1 && strings.EqualFold(text, want[0]) && strings.ContainsAny(text, ".+*"); said != isName {
			t.Errorf("%q: the plan says that it is a name: %v; warnings %q", text, said, todo.Warnings)
		}
	}
	for _, text := range []string{"d++", "*"} {
		_, err := p.PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "shop", TableNameRegex: text})
		if !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q: %v, want an invalid input", text, err)
		}
	}
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "shop", TableNameRegex: "orders.*"})
	for text, want := range map[string][]string{"orders.v1": {"orders.v1"}, "orders?.v1": {"orders.v1", "orders_v1", "ordersxv1"}} {
		found, err := p.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: "shop-" + publisherID, TableNameRegex: text})
		var got []string
		for _, f := range found {
			got = append(got, f.TableName)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q shows %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestMigratingATableByItsNameLeavesThoseItMatches(t *testing.T) {
	t.Parallel()
	m := newPublishing(t)
	m.Bucket(publisherID, "lake")
	m.Database(publisherID, "shop")
	for i, name := range []string{"staff.v1", "staff_v1", "staffxv1"} {
		m.Table(publisherID, "shop", meshtest.CSV(name, "s3://lake/"+string(rune('a'+i))))
	}
	p := m.open()
	in := producer.MigrateInput{SourceDatabaseName: "shop", TableNameRegex: "staff.v1"}
	if _, err := p.MigrateTablesToMesh(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	// The name is in the mesh now, and its link is lost: the same command mends that.
	if _, err := m.ownGlue().DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String("shop"), Name: aws.String("staff.v1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.MigrateTablesToMesh(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := m.tableNames(m.meshGlue(), theMesh, "shop"); !slices.Equal(got, []string{"staff.v1"}) {
		t.Errorf("the mesh has %q", got)
	}
	if m.table(m.ownGlue(), publisherID, "shop", "staff.v1").TargetTable == nil || m.table(m.ownGlue(), publisherID, "shop", "staff_v1").TargetTable != nil {
		t.Error("staff.v1 is to be a link, and staff_v1 a table")
	}
}

// Glue takes these names, and elsewhere they stand for all tables.
func TestATableThatIsNamedLikeAllTablesIsNotPublished(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"*", "ALL_TABLES"} {
		m := newPublishing(t)
		m.Bucket(publisherID, "lake")
		m.Database(publisherID, "shop")
		for _, table := range []string{name, "secret"} {
			m.Table(publisherID, "shop", meshtest.CSV(table, "s3://lake/x"))
		}
		p := m.open()
		_, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "shop", TableNameRegex: name})
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "all tables") {
			t.Errorf("%q was published by its name: %v", name, err)
		}
		m.noWrites("refusing " + name)
		out, err := p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "shop"})
		if err != nil || len(out.Tables) != 1 || out.Tables[0].SourceTable != "secret" || !slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "all tables") }) {
			t.Errorf("beside %q: published %+v, %v", name, out, err)
		}
	}
}
