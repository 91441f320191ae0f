package adversary_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// grantOn grants SELECT and DESCRIBE, with the grant option.
func (s *scene) grantOn(cfg aws.Config, database, to, table string, more ...lftypes.Permission) {
	s.t.Helper()
	s.grantTo(cfg, database, to, table, true, more...)
}

// grantTo grants with or without the grant option.
func (s *scene) grantTo(cfg aws.Config, database, to, table string, handOn bool, more ...lftypes.Permission) {
	s.t.Helper()
	wanted := append([]lftypes.Permission{lftypes.PermissionSelect, lftypes.PermissionDescribe}, more...)
	var option []lftypes.Permission
	if handOn {
		option = wanted
	}
	_, err := lakeformation.NewFromConfig(cfg).GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{CatalogId: aws.String(lakeAccount), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(to)},
		Resource:    &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(database), Name: aws.String(table)}},
		Permissions: wanted, PermissionsWithGrantOption: option})
	s.must(err)
}

// links are the databases of an account, by what they lead to.
func (s *scene) links(account string) map[string]string {
	s.t.Helper()
	out, err := s.Glue(account).GetDatabases(s.ctx(), &glue.GetDatabasesInput{})
	s.must(err)
	all := map[string]string{}
	for _, d := range out.DatabaseList {
		if d.TargetDatabase != nil {
			all[aws.ToString(d.TargetDatabase.DatabaseName)] = aws.ToString(d.Name)
		}
	}
	return all
}

// tellsInHistory adds an entry to one side's history of a subscription, chained as the side
// chains its own.
func (s *scene) tellsInHistory(cfg aws.Config, table, id string, says attributes) {
	s.t.Helper()
	side := ""
	if table == lakemesh.SubscriptionsTable {
		side = "#C"
	}
	all := s.item(table, id)
	n := 0
	for _, name := range []string{"Entries"} {
		switch v := all[name].(type) {
		case *dynamotypes.AttributeValueMemberS:
			n, _ = strconv.Atoi(v.Value)
		case *dynamotypes.AttributeValueMemberN:
			n, _ = strconv.Atoi(v.Value)
		}
	}
	e := attributes{"Subscription": aText(id), "At": aText(time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")), "By": aText("me")}
	head, _ := all["Head"].(*dynamotypes.AttributeValueMemberS)
	maps.Copy(e, says)
	if head != nil {
		e["Prev"] = head
	}
	key := fmt.Sprintf("%s%s#%06d", id, side, n+1)
	plain := map[string]any{}
	for name, v := range e {
		switch v := v.(type) {
		case *dynamotypes.AttributeValueMemberS:
			plain[name] = v.Value
		case *dynamotypes.AttributeValueMemberL:
			var texts []string
			for _, t := range v.Value {
				texts = append(texts, t.(*dynamotypes.AttributeValueMemberS).Value)
			}
			plain[name] = texts
		}
	}
	text, err := json.Marshal(map[string]any{"key": key, "entry": plain})
	s.must(err)
	sum := sha256.Sum256(text)
	s.must(s.write(cfg, table, key, e))
	s.must(s.write(cfg, table, id, attributes{"Entries": aText(strconv.Itoa(n + 1)), "Head": aText(hex.EncodeToString(sum[:]))}))
}

// item is an item, as the mesh's administrator reads it.
func (s *scene) item(table, key string) attributes {
	s.t.Helper()
	out, err := dynamodb.NewFromConfig(s.Config(meshtest.Administrator(lakeAccount))).GetItem(s.ctx(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: rowKey(table, key), ConsistentRead: aws.Bool(true)})
	s.must(err)
	return out.Item
}

// grantDatabase grants permissions on a database, with the grant option.
func (s *scene) grantDatabase(cfg aws.Config, database, to string, wanted ...lftypes.Permission) error {
	_, err := lakeformation.NewFromConfig(cfg).GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{CatalogId: aws.String(lakeAccount), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(to)},
		Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(lakeAccount), Name: aws.String(database)}}, Permissions: wanted, PermissionsWithGrantOption: wanted})
	return err
}
