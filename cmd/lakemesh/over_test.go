package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/localmesh"
)

// now keeps what time it is in a variable: now NAME.
func now(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: now NAME")
	}
	ts.Setenv(args[0], time.Now().UTC().Format(time.RFC3339Nano))
}

// over moves the end of a subscription into the past, so that no script has to wait for it:
// over id.
func over(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: over id")
	}
	mesh, err := localmesh.Open(ts.Getenv("LAKEMESH_HOME"))
	ts.Check(err)
	defer func() { ts.Check(mesh.Close()) }()
	client := dynamodb.NewFromConfig(mesh.Config("arn:aws:iam::" + home.MeshAccount + ":user/MeshAdministrator"))
	_, err = client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable),
		Key:              map[string]types.AttributeValue{"Key": &types.AttributeValueMemberS{Value: args[0]}},
		UpdateExpression: aws.String("SET #u = :u"), ConditionExpression: aws.String("attribute_exists(#u)"),
		ExpressionAttributeNames: map[string]string{"#u": "Until"}, ExpressionAttributeValues: map[string]types.AttributeValue{":u": &types.AttributeValueMemberS{Value: "2020-01-01 00:00:00"}}})
	ts.Check(err)
}
