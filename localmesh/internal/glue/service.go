// Package glue is the local mesh's AWS Glue.
package glue

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "glue", Title: "AWS Glue", Protocol: wire.AWSJSON11, Naming: wire.Glue}
}
