// Package sts is the local mesh's AWS STS.
package sts

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns the service.
func Service() engine.Service {
	return engine.Service{Name: "sts", Title: "AWS STS", Protocol: wire.Query, Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", DeniedCode: "AccessDenied", DeniedStatus: 403, Naming: wire.STS}
}
