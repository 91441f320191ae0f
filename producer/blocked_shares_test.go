package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// A catalog that has a resource policy must let RAM share its tables; without that
// the grants succeed and the shares fail in silence.
func TestPublishingTellsOfTablesThatCannotBeShared(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	policies := m.Glue(meshtest.MeshAccount)
	let := func(resources ...string) {
		t.Helper()
		_, err := policies.PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{EnableHybrid: gluetypes.EnableHybridValuesTrue, PolicyInJson: aws.String(fmt.Sprintf(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"glue:ShareResource","Resource":["%s"]}]}`,
			strings.Join(resources, `","`)))})
		if err != nil {
			t.Fatal(err)
		}
	}
	const catalog = "arn:aws:glue:us-east-1:" + meshtest.MeshAccount
	let(catalog+":catalog", catalog+":database/*")
	in := producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase}
	_, err := m.open().CreateDataProducts(t.Context(), in)
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), ":table/aviation-"+publisherID+"/") ||
		!strings.Contains(err.Error(), "could not be shared") || !strings.Contains(err.Error(), "initialize the mesh account again") {
		t.Fatalf("got %v", err)
	}
	// Once it may be shared, the same command shares it.
	let(catalog+":catalog", catalog+":database/*", catalog+":table/*/*")
	if _, err := m.open().CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"airports", "routes", "weather"} {
		if m.table(m.ownGlue(), meshtest.MeshAccount, "aviation-"+publisherID, name).StorageDescriptor == nil {
			t.Errorf("the producer does not see %s", name)
		}
	}
	p := m.open()
	if _, err := p.CreateDataProducts(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	m.noWrites("once more")
}
