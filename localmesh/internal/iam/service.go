// Package iam is AWS Identity and Access Management of the local mesh: roles,
// users, groups, their policies, and what others need of them.
//
// What is enforced: every operation asks the caller's policies, with the ARN of
// what it is about and IAM's own condition keys; names, paths and documents are
// checked; names are unique without regard to case; quotas hold; principals that
// a trust policy names exist, and are remembered by their unique ids.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
package iam

import (
	"net/http"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns IAM.
func Service() engine.Service {
	return engine.Service{
		Name:           "iam",
		Title:          "AWS Identity and Access Management",
		Protocol:       wire.Query,
		Namespace:      "https://iam.amazonaws.com/doc/2010-05-08/",
		DeniedCode:     "AccessDenied",
		DeniedStatus:   http.StatusForbidden,
		InvalidCode:    "InvalidInput",
		ThrottleCode:   "Throttling",
		ThrottleStatus: http.StatusBadRequest,
		Operations: slices.Concat(
			roleOperations(), rolePolicyOperations(), serviceLinkedOperations(),
			userOperations(), userPolicyOperations(), accessKeyOperations(),
			groupOperations(), groupPolicyOperations(),
			policyOperations(), policyVersionOperations(),
			accountOperations(), simulateOperations(),
		),
	}
}

// doc is the URL of an operation's page.
func doc(operation string) string {
	return "https://docs.aws.amazon.com/IAM/latest/APIReference/API_" + operation + ".html"
}

// read declares an operation that changes nothing.
func read[In, Out any](name, enforced string, handle func(*engine.Call, *In) (*Out, error)) engine.Operation {
	return engine.Op(name, engine.Read, doc(name), enforced, notWithSessionToken(handle))
}

// write declares an operation that changes something.
func write[In, Out any](name, enforced string, handle func(*engine.Call, *In) (*Out, error)) engine.Operation {
	return engine.Op(name, engine.Write, doc(name), enforced, notWithSessionToken(handle))
}

// notWithSessionToken refuses the credentials of sts:GetSessionToken, which open
// IAM only to those who came with a second factor
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html).
func notWithSessionToken[In, Out any](handle func(*engine.Call, *In) (*Out, error)) func(*engine.Call, *In) (*Out, error) {
	return func(c *engine.Call, in *In) (*Out, error) {
		if s := c.Caller.Session; s != nil && s.Role == "" {
			c.Authorized()
			return nil, engine.Errorf("InvalidClientTokenId", "The security token included in the request is invalid").WithStatus(http.StatusForbidden)
		}
		return handle(c, in)
	}
}
