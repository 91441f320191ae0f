package adversary_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// What the victim, [meshtest.ProducerAccount], offers, and the accounts of those who
// have nothing to do with the attack.
const (
	rowSource    = "sales"
	rowProduct   = rowSource + "-" + meshtest.ProducerAccount
	rowBucket    = "sales-data"
	rowOrders    = "orders"
	rowOrdersEU  = "orders_eu"
	rowCustomers = "customers"

	victimAccount  = meshtest.ProducerAccount
	rivalAccount   = meshtest.OtherProducer
	hostileAccount = meshtest.ConsumerAccount
	honestAccount  = meshtest.OtherConsumer
	lakeAccount    = meshtest.MeshAccount
)

// beginning is a mesh at a moment from which several tests go on, each with a clone.
type beginning struct {
	mesh *localmesh.Mesh
	ids  map[string]string
}

// scene is a mesh with a victim and a rival, which are producers, and with a hostile
// and an honest consumer.
type scene struct {
	*meshtest.Mesh
	t *testing.T
	// ids are the subscriptions by a name, such as "hostile active".
	ids map[string]string
	// between, if set, is done before every call of the personas.
	between *between
	// replaced are the items that somebody has tried to replace.
	replaced map[string]bool

	victim, rival   *producer.Producer
	hostile, honest *consumer.Consumer
}

// between does something before each call to the mesh that a persona makes.
type between struct {
	next aws.HTTPClient
	mu   sync.Mutex
	do   func()
}

// Do implements aws.HTTPClient.
func (b *between) Do(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	if b.do != nil {
		b.do()
	}
	b.mu.Unlock()
	return b.next.Do(r)
}

// newScene sets the accounts up; both producers publish, the victim first if nothing
// else is said.
func newScene(t *testing.T, order ...string) *scene {
	t.Helper()
	s := &scene{Mesh: meshtest.Accounts(t), t: t, ids: map[string]string{}, replaced: map[string]bool{}}
	s.AddProducer(rivalAccount)
	s.AddConsumer(honestAccount)
	for account, bucket := range map[string]string{victimAccount: rowBucket, rivalAccount: "rival-data"} {
		s.Bucket(account, bucket)
		s.Database(account, rowSource)
		for _, table := range []string{rowCustomers, rowOrders, rowOrdersEU} {
			s.Table(account, rowSource, meshtest.CSV(table, "s3://"+bucket+"/"+table+"/"))
			s.Put(account, bucket, table+"/rows.csv", rowsOf(table))
		}
	}
	s.open()
	if len(order) == 0 {
		order = []string{victimAccount, rivalAccount}
	}
	for _, account := range order {
		s.must(s.publish(map[string]*producer.Producer{victimAccount: s.victim, rivalAccount: s.rival}[account], ""))
	}
	return s
}

func rowsOf(table string) string { return "id,value\n1," + table + "\n" }

// open opens the personas.
func (s *scene) open() {
	s.t.Helper()
	var err error
	s.victim, err = producer.New(s.ctx(), s.options(victimAccount))
	s.must(err)
	s.rival, err = producer.New(s.ctx(), s.options(rivalAccount))
	s.must(err)
	s.hostile, err = consumer.New(s.ctx(), s.options(hostileAccount))
	s.must(err)
	s.honest, err = consumer.New(s.ctx(), s.options(honestAccount))
	s.must(err)
}

func (s *scene) options(account string) lakemesh.Options {
	o := s.Options(account)
	if s.between != nil {
		cfg := o.Config.Copy()
		s.between.next = cfg.HTTPClient
		cfg.HTTPClient = s.between
		o.Config = &cfg
	}
	return o
}

// keep makes a beginning of the scene.
func (s *scene) keep() *beginning { return &beginning{mesh: s.Mesh.Mesh.Mesh, ids: s.ids} }

// play begins a scene with it.
func (g *beginning) play(t *testing.T) *scene {
	t.Helper()
	mesh, err := g.mesh.Clone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mesh.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &scene{Mesh: meshtest.On(t, mesh), t: t, ids: maps.Clone(g.ids), between: &between{}, replaced: map[string]bool{}}
	s.open()
	return s
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) check(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
}

// ctx outlives the test's own, for what is tidied up.
func (s *scene) ctx() context.Context { return context.WithoutCancel(s.t.Context()) }

func (s *scene) publish(p *producer.Producer, regex string) error {
	_, err := p.CreateDataProducts(s.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: rowSource, TableNameRegex: regex,
		Domain: "trade", DataProductName: "sales"})
	return err
}

// ask requests permissions on tables of the victim's product; no table is all.
func (s *scene) ask(c *consumer.Consumer, tables []string, wanted ...string) string {
	s.t.Helper()
	out, err := c.RequestAccessToProduct(s.ctx(), consumer.RequestInput{OwnerAccountID: victimAccount, DatabaseName: rowProduct,
		Tables: tables, RequestPermissions: wanted})
	s.must(err)
	return out.SubscriptionID
}

func (s *scene) approve(id string) error {
	return s.victim.ApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: id})
}

func (s *scene) end(id string) error {
	return s.victim.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: id, Reason: "it is over"})
}

func (s *scene) update(id string, to ...string) error {
	return s.victim.UpdateSubscriptionPermissions(s.ctx(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: to})
}

func (s *scene) finalize(c *consumer.Consumer, id string) error {
	_, err := c.FinalizeSubscription(s.ctx(), consumer.FinalizeInput{SubscriptionID: id})
	return err
}

// active asks, approves and imports.
func (s *scene) active(c *consumer.Consumer, tables ...string) string {
	s.t.Helper()
	id := s.ask(c, tables, "SELECT", "DESCRIBE")
	s.must(s.approve(id))
	s.must(s.finalize(c, id))
	return id
}

// lived is a scene in which every kind of subscription stands on the victim's
// product: of the hostile consumer an active one, one that is asked for and one whose
// approval was left half done; of the honest one an active one, two that are asked
// for, and one that it has left.
func lived(t *testing.T) *beginning {
	t.Helper()
	s := newScene(t)
	s.ids["hostile active"] = s.active(s.hostile, rowOrders)
	s.ids["hostile pending"] = s.ask(s.hostile, []string{rowCustomers}, "DESCRIBE")
	s.ids["hostile half"] = s.ask(s.hostile, []string{rowOrdersEU}, "SELECT")
	s.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Code: "AccessDenied", Status: 403})
	if err := s.approve(s.ids["hostile half"]); !errors.Is(err, lakemesh.ErrPartial) {
		t.Fatalf("the approval was to be left half done: %v", err)
	}
	s.ids["honest active"] = s.active(s.honest, rowOrders)
	s.ids["honest pending"] = s.ask(s.honest, []string{rowCustomers}, "SELECT")
	s.ids["honest mistake"] = s.ask(s.honest, []string{rowCustomers}, "ALL")
	s.ids["honest leaving"] = s.active(s.honest, rowOrdersEU)
	s.must(s.honest.DeleteSubscription(s.ctx(), consumer.LeaveInput{SubscriptionID: s.ids["honest leaving"]}))
	return s.keep()
}

// ofHostile are the ids of the hostile consumer's subscriptions.
func (s *scene) ofHostile() []string {
	return []string{s.ids["hostile active"], s.ids["hostile pending"], s.ids["hostile half"]}
}

// as is a configuration of a role.
func (s *scene) as(account, role string) aws.Config {
	return s.Config(lakemesh.RoleARN(account, role))
}

func (s *scene) hostileInMesh() aws.Config {
	return s.as(lakeAccount, lakemesh.MeshConsumerRole(hostileAccount))
}

func (s *scene) rivalInMesh() aws.Config {
	return s.as(lakeAccount, lakemesh.MeshProducerRole(rivalAccount))
}

func (s *scene) manager() aws.Config { return s.as(lakeAccount, lakemesh.ManagerRole) }

// grants are what an account holds in the mesh on the victim's product: "database",
// "*" for all tables, or a table's name, to permissions.
func (s *scene) grants(account string) map[string]string {
	s.t.Helper()
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(s.manager()), Account: lakeAccount}
	got := map[string]string{}
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		all, err := lake.ObserveKind(s.ctx(), kind)
		s.must(err)
		for _, e := range all.Entries() {
			if e.Principal != account || e.Resource.Database != rowProduct {
				continue
			}
			name := e.Resource.Table
			switch e.Resource.Kind {
			case permissions.KindDatabase:
				name = "database"
			case permissions.KindAllTables:
				name = "*"
			}
			got[name] = e.Permissions.String()
		}
	}
	return got
}

// holds checks all that an account holds: pairs of a table and permissions; the
// database's DESCRIBE goes with them.
func (s *scene) holds(when, account string, tables map[string]string) {
	s.t.Helper()
	want := maps.Clone(tables)
	if len(want) > 0 {
		want["database"] = "DESCRIBE"
	} else {
		want = map[string]string{}
	}
	if diff := cmp.Diff(want, s.grants(account)); diff != "" {
		s.t.Errorf("%s: account %s holds (-want +got):\n%s", when, account, diff)
	}
}

// read reads a table's rows as a consumer's role, by credentials that Lake Formation
// vends.
func (s *scene) read(account, table string) (string, error) {
	out, err := lakeformation.NewFromConfig(s.as(account, lakemesh.ConsumerRole)).GetTemporaryGlueTableCredentials(s.ctx(),
		&lakeformation.GetTemporaryGlueTableCredentialsInput{
			TableArn:    aws.String(lakemesh.TableARN("us-east-1", lakeAccount, rowProduct, table)),
			Permissions: []lftypes.Permission{lftypes.PermissionSelect}, SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return "", err
	}
	vended := credentials.NewStaticCredentialsProvider(aws.ToString(out.AccessKeyId), aws.ToString(out.SecretAccessKey), aws.ToString(out.SessionToken))
	object, err := identity.S3(s.ConfigWith(vended)).GetObject(s.ctx(), &s3.GetObjectInput{Bucket: aws.String(rowBucket), Key: aws.String(table + "/rows.csv")})
	if err != nil {
		return "", err
	}
	rows, err := io.ReadAll(object.Body)
	return string(rows), errors.Join(err, object.Body.Close())
}

func (s *scene) reads(when, account string, tables ...string) {
	s.t.Helper()
	for _, table := range tables {
		if rows, err := s.read(account, table); err != nil || rows != rowsOf(table) {
			s.t.Errorf("%s: account %s reads %s: %q, %v; want its rows", when, account, table, rows, err)
		}
	}
}

func (s *scene) refused(when, account string, tables ...string) {
	s.t.Helper()
	for _, table := range tables {
		if rows, err := s.read(account, table); !awserr.Denied(err) {
			s.t.Errorf("%s: account %s reads %s: %q, %v; want AWS to deny it", when, account, table, rows, err)
		}
	}
}

// An attribute's value, by its kind.

type attributes = map[string]dynamotypes.AttributeValue

func aText(v string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: v} }

func aList(all ...string) dynamotypes.AttributeValue {
	l := &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{}}
	for _, v := range all {
		l.Value = append(l.Value, aText(v))
	}
	return l
}

func aSet(all ...string) dynamotypes.AttributeValue {
	return &dynamotypes.AttributeValueMemberSS{Value: all}
}

func aNumber(v string) dynamotypes.AttributeValue {
	return &dynamotypes.AttributeValueMemberN{Value: v}
}

// otherKinds are values of kinds that no attribute of a record has.
func otherKinds() map[string]dynamotypes.AttributeValue {
	return map[string]dynamotypes.AttributeValue{
		"a number": aNumber("1"), "a string": aText("orders"), "null": &dynamotypes.AttributeValueMemberNULL{Value: true},
		"true": &dynamotypes.AttributeValueMemberBOOL{Value: true}, "a map": &dynamotypes.AttributeValueMemberM{Value: attributes{"x": aText("y")}},
		"bytes": &dynamotypes.AttributeValueMemberB{Value: []byte("x")}, "numbers": &dynamotypes.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"a list of numbers": &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{aNumber("1")}},
		"a list of lists":   &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{aList("orders")}},
		"an empty list":     aList(),
	}
}

// rowKey is the key of an item of a table.
func rowKey(table, key string) attributes {
	if table == lakemesh.SubscriptionsTable {
		return attributes{"SubscriptionId": aText(key)}
	}
	return attributes{"Key": aText(key)}
}

// write sets attributes of an item, and makes it if need be; a nil value removes one.
func (s *scene) write(cfg aws.Config, table, key string, values attributes) error {
	in := &dynamodb.UpdateItemInput{TableName: aws.String(table), Key: rowKey(table, key), ExpressionAttributeNames: map[string]string{}}
	var sets, removes []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		in.ExpressionAttributeNames["#"+name] = name
		if values[name] == nil {
			removes = append(removes, "#"+name)
			continue
		}
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = attributes{}
		}
		in.ExpressionAttributeValues[":"+name] = values[name]
		sets = append(sets, "#"+name+" = :"+name)
	}
	var clauses []string
	if len(sets) > 0 {
		clauses = append(clauses, "SET "+strings.Join(sets, ", "))
	}
	if len(removes) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(removes, ", "))
	}
	in.UpdateExpression = aws.String(strings.Join(clauses, " "))
	_, err := dynamodb.NewFromConfig(cfg).UpdateItem(s.ctx(), in)
	return err
}

// try writes an item: by replacing it, the first time, and by updating it. What AWS
// denies is denied, and what it does not is done; anything else is a mistake of the
// test.
func (s *scene) try(cfg aws.Config, table, key string, values attributes) {
	s.t.Helper()
	errs := []error{s.write(cfg, table, key, values)}
	if !s.replaced[table+" "+key] {
		s.replaced[table+" "+key] = true
		whole := maps.Clone(values)
		maps.DeleteFunc(whole, func(_ string, v dynamotypes.AttributeValue) bool { return v == nil })
		maps.Copy(whole, rowKey(table, key))
		_, err := dynamodb.NewFromConfig(cfg).PutItem(s.ctx(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: whole})
		errs = append(errs, err)
	}
	for _, err := range errs {
		if err != nil && !awserr.Denied(err) && !strings.Contains(err.Error(), "has exceeded the maximum allowed size") {
			s.t.Errorf("%s of %s: %v", key, table, err)
		}
	}
}
