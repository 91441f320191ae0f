// Package s3 is the local mesh's Amazon S3.
package s3

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "s3", Title: "Amazon S3", Protocol: wire.RestXML, DeniedCode: "AccessDenied", DeniedStatus: 403, ThrottleCode: "SlowDown", ThrottleStatus: 503}
}
