package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const account = "111111111111"

// mesh is a mesh with this service alone, and a clock that tests turn.
type mesh struct {
	*engine.Mesh
	now time.Time
}

func newMesh(t testing.TB) *mesh {
	t.Helper()
	return meshOn(t, store.Memory())
}

func meshOn(t testing.TB, s store.Store) *mesh {
	t.Helper()
	m := unclosed(s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func unclosed(s store.Store) *mesh {
	m := &mesh{Mesh: engine.New(s, 7, dynamodb.Service(), dynamodb.Streams()), now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
	m.Clock = func() time.Time { return m.now }
	return m
}

// client is a client of a user of the account that has the policy.
func (m *mesh) client(t testing.TB, account, user, policy string) *awsdynamodb.Client {
	t.Helper()
	id := "AKIA" + account + user
	err := m.Store.Update(func(tx store.Tx) error {
		if err := state.Accounts.Put(tx, state.Account{ID: account}, account); err != nil {
			return err
		}
		u := state.User{Account: account, Name: user, Path: "/", ID: "AIDA" + user}
		u.Inline = map[string]string{"policy": policy}
		if err := state.Users.Put(tx, u, account, user); err != nil {
			return err
		}
		return state.AccessKeys.Put(tx, state.AccessKey{ID: id, Secret: "secret", Account: account, User: user, Active: true}, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return awsdynamodb.NewFromConfig(aws.Config{
		Region: "eu-west-1", HTTPClient: m.Mesh, BaseEndpoint: aws.String("http://127.0.0.1:4577"),
		Credentials: credentials.NewStaticCredentialsProvider(id, "secret", ""), RetryMaxAttempts: 1,
	})
}

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func (m *mesh) admin(t testing.TB) *awsdynamodb.Client {
	t.Helper()
	return m.client(t, account, "admin", allowAll)
}

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }
func n(number any) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(number)}
}

type item = map[string]types.AttributeValue

// keyed makes the table "things" (partition key id) with the index "byOwner"
// (owner, at) that projects all, and "keysOnly" (kind) that projects keys.
func keyed(t testing.TB, c *awsdynamodb.Client) {
	t.Helper()
	_, err := c.CreateTable(context.Background(), thingsTable("things"))
	if err != nil {
		t.Fatal(err)
	}
}

func thingsTable(name string) *awsdynamodb.CreateTableInput {
	return &awsdynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("owner"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("at"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("kind"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("byOwner"), KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("owner"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("at"), KeyType: types.KeyTypeRange},
			}, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
			{IndexName: aws.String("keysOnly"), KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("kind"), KeyType: types.KeyTypeHash},
			}, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
		},
	}
}

// sorted makes the table "events" (partition key stream, sort key seq of the
// type) with the local index "byName".
func sorted(t testing.TB, c *awsdynamodb.Client, sortType types.ScalarAttributeType) {
	t.Helper()
	_, err := c.CreateTable(context.Background(), &awsdynamodb.CreateTableInput{
		TableName: aws.String("events"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("stream"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("seq"), AttributeType: sortType},
			{AttributeName: aws.String("title"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("stream"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("seq"), KeyType: types.KeyTypeRange},
		},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String("byTitle"), KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("stream"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("title"), KeyType: types.KeyTypeRange},
			}, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func putThing(t testing.TB, c *awsdynamodb.Client, it item) {
	t.Helper()
	if _, err := c.PutItem(context.Background(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: it}); err != nil {
		t.Fatal(err)
	}
}

func putEvent(t testing.TB, c *awsdynamodb.Client, it item) {
	t.Helper()
	if _, err := c.PutItem(context.Background(), &awsdynamodb.PutItemInput{TableName: aws.String("events"), Item: it}); err != nil {
		t.Fatal(err)
	}
}

func getThing(t testing.TB, c *awsdynamodb.Client, id string) item {
	t.Helper()
	out, err := c.GetItem(context.Background(), &awsdynamodb.GetItemInput{
		TableName: aws.String("things"), Key: item{"id": s(id)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// refused checks that the call was refused with the code and the message.
func refused(t testing.TB, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("got %s: %s\nwant %s: %s", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
}
