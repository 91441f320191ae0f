package dynamodb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// BenchmarkIndexQuery reads the 1,000 entries of one owner in a table of 100,000.
func BenchmarkIndexQuery(b *testing.B) {
	c := newMesh(b).admin(b)
	keyed(b, c)
	for i := range 4_000 {
		var requests []types.WriteRequest
		for j := range 25 {
			k := i*25 + j
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{
				"id": s(fmt.Sprint("subscription-", k)), "owner": s(fmt.Sprint("owner-", k%100)), "at": n(k), "kind": s("Pending"),
				"table": s("the name of a table"), "notes": &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
			}}})
		}
		if _, err := c.BatchWriteItem(context.Background(), &awsdynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{"things": requests}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		got := query(b, c, &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("byOwner"),
			KeyConditionExpression: aws.String("#o = :o"), ExpressionAttributeNames: map[string]string{"#o": "owner"},
			ExpressionAttributeValues: item{":o": s("owner-7")}})
		if len(got) != 1_000 {
			b.Fatalf("%d items", len(got))
		}
	}
}

func BenchmarkGetItem(b *testing.B) {
	c := newMesh(b).admin(b)
	keyed(b, c)
	putThing(b, c, item{"id": s("1"), "owner": s("me"), "at": n(1)})
	for b.Loop() {
		getThing(b, c, "1")
	}
}

func BenchmarkPutItem(b *testing.B) {
	c := newMesh(b).admin(b)
	keyed(b, c)
	i := 0
	for b.Loop() {
		i++
		putThing(b, c, item{"id": s(fmt.Sprint(i)), "owner": s("me"), "at": n(i), "kind": s("k")})
	}
}
