// Package ram is the local mesh's AWS RAM.
package ram

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "ram", Title: "AWS RAM", Protocol: wire.RestJSON, Naming: wire.LowerFirst, DeniedStatus: 403, ThrottleStatus: 429}
}
