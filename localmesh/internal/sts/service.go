// Package sts is AWS Security Token Service of the local mesh.
//
// What is enforced: AssumeRole asks both sides, the caller's policies and the
// role's trust policy with its conditions; session lengths, chaining, names and
// the size of session policies are limited as in AWS.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
package sts

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns STS.
func Service() engine.Service {
	return engine.Service{
		Name:           "sts",
		Title:          "AWS Security Token Service",
		Protocol:       wire.Query,
		Namespace:      "https://sts.amazonaws.com/doc/2011-06-15/",
		Naming:         wire.STS,
		DeniedCode:     "AccessDenied",
		DeniedStatus:   http.StatusForbidden,
		InvalidCode:    "ValidationError",
		ThrottleCode:   "Throttling",
		ThrottleStatus: http.StatusBadRequest,
		Unsigned:       []string{"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"},
		Operations: []engine.Operation{
			engine.Op("GetCallerIdentity", engine.Read, doc("GetCallerIdentity"),
				"nothing: everybody with valid credentials may ask", getCallerIdentity).WithoutPermission(),
			engine.Op("AssumeRole", engine.Write, doc("AssumeRole"),
				"the caller's policies and the role's trust policy with its conditions; session length, an hour for chained sessions; names; session policies and tags", assumeRole),
			engine.Op("GetSessionToken", engine.Write, doc("GetSessionToken"),
				"only long-term credentials may ask; length of the session", getSessionToken).WithoutPermission(),
			engine.Op("GetFederationToken", engine.Write, doc("GetFederationToken"),
				"permission on the federated user's ARN, and to tag it; only long-term credentials may ask; names; length of the session; policies narrow what the user may, without them nothing is left but what policies of resources allow", getFederationToken),
			engine.Op("GetAccessKeyInfo", engine.Read, doc("GetAccessKeyInfo"),
				"permission on *", getAccessKeyInfo),
		},
	}
}

func doc(operation string) string {
	return "https://docs.aws.amazon.com/STS/latest/APIReference/API_" + operation + ".html"
}

func getCallerIdentity(c *engine.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: aws.String(c.Caller.Account), Arn: aws.String(c.Caller.ARN), UserId: aws.String(c.Caller.UserID),
	}, nil
}
