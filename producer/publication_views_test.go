package producer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Engines write views in many ways.
func TestAViewIsRecognizedHoweverItWasWritten(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	views := map[string]*types.TableInput{
		"virtual":      {TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("select 1")},
		"without_type": {ViewOriginalText: aws.String("/* Presto View: e30= */"), ViewExpandedText: aws.String("/* Presto View */")},
		"lower_case":   {TableType: aws.String("virtual_view")},
		"marked":       {TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{"presto_view": "true"}},
		"materialized": {TableType: aws.String("MATERIALIZED_VIEW"), ViewOriginalText: aws.String("/* Presto Materialized View: e30= */"),
			StorageDescriptor: meshtest.CSV("materialized", "s3://flights/materialized").StorageDescriptor},
		"materialized_by_text": {ViewOriginalText: aws.String(" /* Presto Materialized View: e30= */")},
	}
	for name, in := range views {
		in.Name = aws.String(name)
		m.Table(publisherID, meshtest.SampleDatabase, in)
	}
	out := m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	if len(out.Tables) != 3 {
		t.Errorf("published %+v", out.Tables)
	}
	for name := range views {
		if !strings.Contains(strings.Join(out.Warnings, "\n"), "skipped aviation."+name+": it is a view") {
			t.Errorf("%s is not said to be a view: %q", name, out.Warnings)
		}
		_, err := m.open().CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: name})
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "is a view") {
			t.Errorf("%s was published by its name: %v", name, err)
		}
	}
}
