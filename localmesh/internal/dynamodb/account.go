// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html

package dynamodb

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func accountOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("DescribeLimits", engine.Read, docs+"DescribeLimits.html", "IAM; AWS's default quotas, which nothing here counts against.", describeLimits),
		engine.Op("DescribeEndpoints", engine.Read, docs+"DescribeEndpoints.html",
			"IAM; AWS's own endpoint of the region, which a client that is given an endpoint does not ask for.", describeEndpoints),
	}
}

// The default quotas of provisioned capacity.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#default-limits-throughput
const (
	accountUnits = 80_000
	tableUnits   = 40_000
	// endpointMinutes is how long a client may keep an endpoint.
	endpointMinutes = 1440
)

type describeLimitsOutput struct {
	AccountMaxReadCapacityUnits, AccountMaxWriteCapacityUnits int64
	TableMaxReadCapacityUnits, TableMaxWriteCapacityUnits     int64
}

func describeLimits(c *engine.Call, _ *struct{}) (*describeLimitsOutput, error) {
	if err := c.Allow("dynamodb:DescribeLimits"); err != nil {
		return nil, err
	}
	return &describeLimitsOutput{accountUnits, accountUnits, tableUnits, tableUnits}, nil
}

type endpoint struct {
	Address              string
	CachePeriodInMinutes int64
}

type describeEndpointsOutput struct {
	Endpoints []endpoint
}

func describeEndpoints(c *engine.Call, _ *struct{}) (*describeEndpointsOutput, error) {
	if err := c.Allow("dynamodb:DescribeEndpoints"); err != nil {
		return nil, err
	}
	return &describeEndpointsOutput{[]endpoint{{"dynamodb." + c.Region + "." + lakemesh.PartitionOf(c.Region).DNSSuffix(), endpointMinutes}}}, nil
}
