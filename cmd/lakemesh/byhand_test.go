package main

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/localmesh"
)

// byHand grants in the local mesh as its administrator does in the console: byhand principal
// database table SELECT,DESCRIBE. The table "." is the database itself; with ! nothing may
// be handed on, else all of it may.
func byHand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: byhand principal database table permission,...")
	}
	mesh, err := localmesh.Open(ts.Getenv("LAKEMESH_HOME"))
	ts.Check(err)
	defer func() { ts.Check(mesh.Close()) }()
	on := &types.Resource{Table: &types.TableResource{DatabaseName: &args[1], Name: &args[2]}}
	if args[2] == "." {
		on = &types.Resource{Database: &types.DatabaseResource{Name: &args[1]}}
	}
	var all, grantable []types.Permission
	for _, p := range strings.Split(args[3], ",") {
		all = append(all, types.Permission(p))
	}
	if !neg {
		grantable = all
	}
	client := lakeformation.NewFromConfig(mesh.Config("arn:aws:iam::" + home.MeshAccount + ":user/MeshAdministrator"))
	_, err = client.GrantPermissions(context.Background(), &lakeformation.GrantPermissionsInput{Resource: on, Permissions: all, PermissionsWithGrantOption: grantable,
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &args[0]}})
	ts.Check(err)
}
