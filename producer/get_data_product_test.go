package producer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

func TestGetDataProduct(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	p := m.open()
	for expression, want := range map[string]string{
		"":        "airports routes weather",
		"Weather": "weather",
		".*s":     "airports routes",
	} {
		found, err := p.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: published, TableNameRegex: expression})
		if err != nil {
			t.Errorf("%q: %v", expression, err)
		}
		var names []string
		for _, f := range found {
			names = append(names, f.TableName)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q finds %q, want %q", expression, got, want)
		}
	}
	found, err := p.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: strings.ToUpper(published), TableNameRegex: "routes"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"Database":"aviation-111111111111","DatabaseName":"aviation-111111111111","TableName":"routes","Location":"s3://flights/routes/"}]`
	if string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	m.noWrites("looking up")
}

func TestGetDataProductReadsAllPages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 100, 101} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			m := newPublishing(t)
			m.Bucket(publisherID, "lake")
			m.Database(publisherID, "db")
			for i := range n {
				m.Table(publisherID, "db", meshtest.CSV(fmt.Sprintf("t%03d", i), fmt.Sprintf("s3://lake/db/t%03d", i)))
			}
			m.publish(producer.CreateDataProductsInput{SourceDatabaseName: "db"})
			p := m.open()
			found, err := p.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: "db-" + publisherID})
			if err != nil || len(found) != n {
				t.Errorf("found %d tables, want %d: %v", len(found), n, err)
			}
			if got, want := m.Count("glue:GetTables"), (n+99)/100; got != want {
				t.Errorf("%d pages, want %d", got, want)
			}
		})
	}
}

func TestGetDataProductRefusals(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.AddProducer(meshtest.OtherProducer)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	p := m.open()
	for name, test := range map[string]struct {
		in   producer.GetDataProductInput
		kind error
	}{
		"no database":      {producer.GetDataProductInput{}, lakemesh.ErrInvalidInput},
		"unknown database": {producer.GetDataProductInput{DatabaseName: "nowhere"}, lakemesh.ErrNotFound},
		"unknown table":    {producer.GetDataProductInput{DatabaseName: published, TableNameRegex: "trains"}, lakemesh.ErrNotFound},
		"no match":         {producer.GetDataProductInput{DatabaseName: published, TableNameRegex: "rout"}, lakemesh.ErrNotFound},
		"bad expression":   {producer.GetDataProductInput{DatabaseName: published, TableNameRegex: "["}, lakemesh.ErrInvalidInput},
	} {
		if _, err := p.GetDataProduct(t.Context(), test.in); !errors.Is(err, test.kind) {
			t.Errorf("%s: %v; want %v", name, err, test.kind)
		}
	}
	other, err := producer.New(t.Context(), m.Options(meshtest.OtherProducer))
	if err != nil {
		t.Fatal(err)
	}
	found, err := other.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: published})
	if len(found) > 0 {
		t.Errorf("another producer sees %v, %v", found, err)
	}
}
