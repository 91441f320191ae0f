// Package iam is the local mesh's AWS IAM.
package iam

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "iam", Title: "AWS IAM", Protocol: wire.Query, Namespace: "https://iam.amazonaws.com/doc/2010-05-08/", DeniedCode: "AccessDenied", DeniedStatus: 403, ThrottleCode: "Throttling"}
}
