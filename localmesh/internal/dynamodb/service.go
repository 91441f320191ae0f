// Package dynamodb is the local mesh's Amazon DynamoDB.
package dynamodb

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "dynamodb", Title: "Amazon DynamoDB", Protocol: wire.AWSJSON10}
}
