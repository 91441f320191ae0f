package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
// https://docs.aws.amazon.com/lake-formation/latest/dg/service-linked-roles.html

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// serviceRolePath is where service-linked roles are.
const serviceRolePath = "/aws-service-role/"

// The service-linked role that Lake Formation reads registered locations with.
const (
	LakeFormationService = "lakeformation.amazonaws.com"
	LakeFormationRole    = "AWSServiceRoleForLakeFormationDataAccess"
)

func serviceLinkedOperations() []engine.Operation {
	return []engine.Operation{
		write("CreateServiceLinkedRole", "permission on the role's ARN with iam:AWSServiceName; one role a service", createServiceLinkedRole),
		write("DeleteServiceLinkedRole", "permission on the role's ARN; refused while the role has policies of registered locations", deleteServiceLinkedRole),
		read("GetServiceLinkedRoleDeletionStatus", "permission on the role's ARN", getServiceLinkedRoleDeletionStatus),
	}
}

// linkedRole is the name of the role of a service that has one here.
func linkedRole(service string) (name string, ok bool) {
	switch service {
	case LakeFormationService:
		return LakeFormationRole, true
	case "ram.amazonaws.com":
		return "AWSServiceRoleForResourceAccessManager", true
	}
	return "", false
}

// NewServiceLinkedRole makes the service-linked role of a service in the caller's
// account, if it does not exist; created tells whether it was made now. It asks
// for no permission: the service that needs the role does.
func NewServiceLinkedRole(c *engine.Call, service string) (r state.Role, created bool, err error) {
	name, ok := linkedRole(service)
	if !ok {
		return r, false, invalidInput("Invalid service name. Service name %s is not valid.", service)
	}
	r, found, err := state.GetRole(c.Tx, c.Account(), name)
	if err != nil || found {
		return r, false, err
	}
	trust := iampolicy.New(iampolicy.Statement{
		Effect: iampolicy.Allow, Principal: iampolicy.ServicePrincipal(service), Actions: []string{"sts:AssumeRole"},
	})
	r = state.Role{
		Account: c.Account(), Name: name, Path: serviceRolePath + service + "/", ID: c.Mesh.ID("AROA", 17), Created: c.Now,
		Trust: trust.String(), MaxSession: defaultSession, ServiceLinked: service,
	}
	newRole(c, r)
	return r, true, putRole(c, r)
}

func createServiceLinkedRole(c *engine.Call, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	service := aws.ToString(in.AWSServiceName)
	if service == "" || len(service) > 128 {
		return nil, breaks("aWSServiceName", service, "have length between 1 and 128")
	}
	name, ok := linkedRole(service)
	if !ok {
		name = "AWSServiceRoleFor" + service
	}
	if err := c.Authorize(authz.Question{
		Action: "iam:CreateServiceLinkedRole", Resources: []string{roleARN(c.Account(), serviceRolePath+service+"/", name)},
		Keys: map[string][]string{"iam:AWSServiceName": {service}},
	}); err != nil {
		return nil, err
	}
	if in.CustomSuffix != nil {
		return nil, invalidInput("Custom suffix is not allowed for %s", service)
	}
	r, created, err := NewServiceLinkedRole(c, service)
	if err != nil {
		return nil, err
	}
	if !created {
		return nil, invalidInput("Service role name %s has been taken in this account, please try a different suffix.", r.Name)
	}
	if in.Description != nil {
		r.Description = *in.Description
		if err := putRole(c, r); err != nil {
			return nil, err
		}
	}
	shown, err := describeRole(c, r, false)
	return &iam.CreateServiceLinkedRoleOutput{Role: shown}, err
}

// deletionTask names a deletion, which here is over when it is answered.
func deletionTask(r state.Role) string { return "task" + r.Path + r.Name + "/" + r.ID }

func deleteServiceLinkedRole(c *engine.Call, in *iam.DeleteServiceLinkedRoleInput) (*iam.DeleteServiceLinkedRoleOutput, error) {
	r, err := role(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	if r.ServiceLinked == "" {
		return nil, invalidInput("Role %s is not a service-linked role.", r.Name)
	}
	// The policy that Lake Formation keeps on its role names the locations that are
	// registered with it.
	if len(r.Inline) > 0 {
		return nil, deleteConflict(fmt.Sprintf("The role %s is in use by %s.", r.Name, r.ServiceLinked))
	}
	if err := state.Roles.Delete(c.Tx, r.Account, fold(r.Name)); err != nil {
		return nil, err
	}
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: aws.String(deletionTask(r))}, nil
}

func getServiceLinkedRoleDeletionStatus(c *engine.Call, in *iam.GetServiceLinkedRoleDeletionStatusInput) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	task := aws.ToString(in.DeletionTaskId)
	rest, ok := strings.CutPrefix(task, "task"+serviceRolePath)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return nil, invalidInput("The deletion task id %s is not valid.", task)
	}
	if err := c.Allow("iam:GetServiceLinkedRoleDeletionStatus", roleARN(c.Account(), serviceRolePath+parts[0]+"/", parts[1])); err != nil {
		return nil, err
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, nil
}
