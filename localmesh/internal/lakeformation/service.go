// Package lakeformation is the local mesh's AWS Lake Formation.
package lakeformation

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "lakeformation", Title: "AWS Lake Formation", Protocol: wire.RestJSON, DeniedStatus: 403, ThrottleCode: "ThrottledException", ThrottleStatus: 429}
}
