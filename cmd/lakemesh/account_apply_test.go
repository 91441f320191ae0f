package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/localmesh"
)

// opened makes an account with a role that administers it, as an organization does for
// accounts that it makes, and which the mesh account may open: opened account role.
func opened(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: opened account role")
	}
	mesh, err := localmesh.Open(ts.Getenv("LAKEMESH_HOME"))
	ts.Check(err)
	defer func() { ts.Check(mesh.Close()) }()
	client := iam.NewFromConfig(mesh.Config("arn:aws:iam::" + args[0] + ":user/First"))
	_, err = client.CreateRole(context.Background(), &iam.CreateRoleInput{RoleName: &args[1], AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + home.MeshAccount + `:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`)})
	ts.Check(err)
	_, err = client.AttachRolePolicy(context.Background(), &iam.AttachRolePolicyInput{RoleName: &args[1], PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	ts.Check(err)
}
