package acceptance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// intruder makes raw calls as one principal.
type intruder struct {
	*world
	cfg  aws.Config
	lake *lakeformation.Client
	glue *glue.Client
	dyn  *dynamodb.Client
	iam  *iam.Client
	s3   *s3.Client
}

func (w *world) intruder(cfg aws.Config) intruder {
	return intruder{w, cfg, lakeformation.NewFromConfig(cfg), glue.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg), iam.NewFromConfig(cfg), identity.S3(cfg)}
}

func tableResource(catalog, database, table string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(catalog), DatabaseName: aws.String(database), Name: aws.String(table)}}
}

func (i intruder) grant(to string, on *lftypes.Resource, permissions ...lftypes.Permission) error {
	_, err := i.lake.GrantPermissions(i.ctx(), &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(to)}, Resource: on, Permissions: permissions})
	return err
}

func (i intruder) becomeAdministrator() error {
	_, err := i.lake.PutDataLakeSettings(i.ctx(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(self())}}}})
	return err
}

func (i intruder) assume(role string) error {
	_, err := sts.NewFromConfig(i.cfg).AssumeRole(i.ctx(), &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("me")})
	return err
}

func (i intruder) widen(role string) error {
	_, err := i.iam.PutRolePolicy(i.ctx(), &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String("more"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
	return err
}

func (i intruder) trustEverybody(role string) error {
	_, err := i.iam.UpdateAssumeRolePolicy(i.ctx(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(role),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`)})
	return err
}

func (i intruder) createTable(catalog, database, name, at string) error {
	_, err := i.glue.CreateTable(i.ctx(), &glue.CreateTableInput{CatalogId: aws.String(catalog), DatabaseName: aws.String(database), TableInput: meshtest.CSV(name, at)})
	return err
}

func (i intruder) moveTable(database, name, to string) error {
	_, err := i.glue.UpdateTable(i.ctx(), &glue.UpdateTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), TableInput: meshtest.CSV(name, to)})
	return err
}

func (i intruder) dropTable(database, name string) error {
	_, err := i.glue.DeleteTable(i.ctx(), &glue.DeleteTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), Name: aws.String(name)})
	return err
}

func (i intruder) see(database, name string) error {
	_, err := i.glue.GetTable(i.ctx(), &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), Name: aws.String(name)})
	return err
}

func (i intruder) object(key string) error {
	_, err := i.fetch(i.s3, key)
	return err
}

func (i intruder) vendFor(table string) error {
	_, err := i.lake.GetTemporaryGlueTableCredentials(i.ctx(), &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String(lakemesh.TableARN(region, meshAccount, product, table)), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	return err
}

func (i intruder) record(id string) error {
	_, err := i.dyn.GetItem(i.ctx(), &dynamodb.GetItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), Key: keyOf(id)})
	return err
}

func (i intruder) scan() error {
	_, err := i.dyn.Scan(i.ctx(), &dynamodb.ScanInput{TableName: aws.String(lakemesh.SubscriptionsTable)})
	return err
}

func (i intruder) putRecord(id string, attributes item) error {
	whole := keyOf(id)
	for name, v := range attributes {
		whole[name] = v
	}
	_, err := i.dyn.PutItem(i.ctx(), &dynamodb.PutItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), Item: whole})
	return err
}

func (i intruder) leaveShares() error {
	out, err := ram.NewFromConfig(i.Config(meshtest.Administrator(meshAccount))).GetResourceShares(i.ctx(), &ram.GetResourceSharesInput{ResourceOwner: "SELF"})
	i.must(err)
	for _, share := range out.ResourceShares {
		_, err := ram.NewFromConfig(i.cfg).DisassociateResourceShare(i.ctx(), &ram.DisassociateResourceShareInput{ResourceShareArn: share.ResourceShareArn, Principals: []string{otherConsumer}})
		if err != nil {
			return err
		}
	}
	return nil
}

// attempts makes each attempt, all of which AWS has to refuse, and checks that
// nothing is granted or open that was not before.
func (w *world) attempts(attempts map[string]func() error) {
	w.t.Helper()
	before, settings, prefixes := w.everything(), w.settings(), w.open()
	for what, attempt := range attempts {
		w.denied(what, attempt())
	}
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		w.t.Errorf("grants changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(settings, w.settings()); diff != "" {
		w.t.Errorf("settings changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(prefixes, w.open()); diff != "" {
		w.t.Errorf("open prefixes changed (-before +after):\n%s", diff)
	}
}

// everything is who holds what on databases and tables of the mesh.
func (w *world) everything() []string {
	w.t.Helper()
	var all []string
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable, lftypes.DataLakeResourceTypeDataLocation} {
		held, err := w.lake().ObserveKind(w.ctx(), kind)
		w.must(err)
		for _, e := range held.Entries() {
			all = append(all, e.Principal+" "+e.Resource.String()+" "+e.Permissions.String()+" / "+e.Grantable.String())
		}
	}
	return all
}

func (w *world) settings() []string {
	w.t.Helper()
	out, err := lakeformation.NewFromConfig(w.Config(meshtest.Administrator(meshAccount))).GetDataLakeSettings(w.ctx(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	var all []string
	for _, a := range out.DataLakeSettings.DataLakeAdmins {
		all = append(all, aws.ToString(a.DataLakePrincipalIdentifier))
	}
	for name, value := range out.DataLakeSettings.Parameters {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

// bustling is a world with another producer and another consumer, who has a
// subscription of its own.
func bustling(t *testing.T) (w *world, own, others string) {
	t.Helper()
	w = newWorld(t)
	w.AddConsumer(otherConsumer)
	w.AddProducer(otherProducer)
	w.Bucket(otherProducer, "other-data")
	w.Database(otherProducer, "plans")
	w.Table(otherProducer, "plans", meshtest.CSV("budget", "s3://other-data/budget/"))
	w.publish(w.openProducer(otherProducer), "plans")
	others = w.requestAs(w.openConsumer(otherConsumer), []string{customers}, "SELECT")
	w.approve(others)
	return w, w.active(orders), others
}

const otherProduct = "plans-" + otherProducer

func TestAConsumersRoleInTheMeshMayRecordRequestsAndNothingElse(t *testing.T) {
	t.Parallel()
	w, own, others := bustling(t)
	i := w.intruder(w.meshConsumer())
	attempts := map[string]func() error{
		"grant its account another table": func() error {
			return i.grant(consumerAccount, tableResource(meshAccount, product, customers), "SELECT")
		},
		"grant itself another table": func() error { return i.grant(self(), tableResource(meshAccount, product, customers), "SELECT") },
		"become an administrator":    i.becomeAdministrator,
		"become the manager":         func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)) },
		"become another consumer":    func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(otherConsumer))) },
		"become the producer": func() error {
			return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
		},
		"become Lake Formation's reader": func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))) },
		"become the producer at home":    func() error { return i.assume(lakemesh.RoleARN(producerAccount, lakemesh.ProducerRole)) },
		"widen its own role":             func() error { return i.widen(lakemesh.MeshConsumerRole(consumerAccount)) },
		"open the manager":               func() error { return i.trustEverybody(lakemesh.ManagerRole) },
		"make a table":                   func() error { return i.createTable(meshAccount, product, "mine", location("mine")) },
		"move a table":                   func() error { return i.moveTable(product, orders, location(customers)) },
		"drop a table":                   func() error { return i.dropTable(product, orders) },
		"have credentials vended":        func() error { return i.vendFor(orders) },
		"read the bucket":                func() error { return i.object("orders/rows.csv") },
		"end others' shares":             i.leaveShares,
		"read another's record":          func() error { return i.record(others) },
		"write another's record":         func() error { return w.set(i.cfg, others, item{"Notes": str("x")}) },
		"replace its record":             func() error { return i.putRecord(own, item{"Status": str("Active"), "DecidedStatus": str("Active")}) },
		"write the owner's history":      func() error { return i.putRecord(own+"#P#2026-01-01T00:00:00.000000Z-abcd", item{"By": str("me")}) },
		"write another's history":        func() error { return i.putRecord(others+"#C#2026-01-01T00:00:00.000000Z-abcd", item{"By": str("me")}) },
		"drop the owner's decision":      func() error { return w.set(i.cfg, own, item{"DecidedStatus": nil}) },
		"drop the list of decisions":     func() error { return w.set(i.cfg, own, item{"Decisions": nil}) },
		"decide":                         func() error { return w.set(i.cfg, own, item{"Status": str("Active"), "DecidedStatus": str("Active")}) },
		"claim the decision": func() error {
			return w.set(i.cfg, own, item{"Claim": &dynamotypes.AttributeValueMemberM{Value: item{"Holder": str("me")}}})
		},
		"scan the records": i.scan,
		"delete its record": func() error {
			_, err := i.dyn.DeleteItem(w.ctx(), &dynamodb.DeleteItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), Key: keyOf(own)})
			return err
		},
		"delete the table of the records": func() error {
			_, err := i.dyn.DeleteTable(w.ctx(), &dynamodb.DeleteTableInput{TableName: aws.String(lakemesh.SubscriptionsTable)})
			return err
		},
		"read the records by another door": func() error {
			_, err := i.dyn.BatchGetItem(w.ctx(), &dynamodb.BatchGetItemInput{RequestItems: map[string]dynamotypes.KeysAndAttributes{lakemesh.SubscriptionsTable: {Keys: []item{keyOf(others)}}}})
			return err
		},
	}
	w.attempts(attempts)
	// What its owner mirrors into its request it may change, so that it can make room there:
	// the original library reads it, and nothing is decided by it.
	w.must(w.set(i.cfg, own, item{"PermittedGrants": list("ALL"), "GrantedTableARNs": list(lakemesh.TableARN(region, meshAccount, product, "*")),
		"RamShares": &dynamotypes.AttributeValueMemberM{Value: item{}}}))
	if s := w.get(own); s.Status != lakemesh.Active || s.Tampered != "" || s.Permitted.String() != "DESCRIBE, SELECT" {
		t.Errorf("its record is %+v", s)
	}
	w.reads(self(), orders)
	w.refused(self(), customers)
}

func TestAConsumersOwnRoleHandsOnWhatItWasGrantedAndNothingElse(t *testing.T) {
	t.Parallel()
	w, _, _ := bustling(t)
	i := w.intruder(w.Config(self()))
	w.attempts(map[string]func() error{
		"hand on a table that it was not granted": func() error { return i.grant(self(), tableResource(meshAccount, product, customers), "SELECT") },
		"hand on more than it was granted":        func() error { return i.grant(self(), tableResource(meshAccount, product, orders), "INSERT") },
		"hand on to another account":              func() error { return i.grant(otherConsumer, tableResource(meshAccount, product, orders), "SELECT") },
		"change the settings of its account":      i.becomeAdministrator,
		"read what it was not granted":            func() error { return i.vendFor(ordersEU) },
		"read the bucket":                         func() error { return i.object("orders/rows.csv") },
		"become another consumer in the mesh":     func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(otherConsumer))) },
		"become the producer in the mesh": func() error {
			return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
		},
		"skip a hop to the read-only role": func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole)) },
		"widen its own role":               func() error { return i.widen(lakemesh.ConsumerRole) },
		"make a table in the mesh":         func() error { return i.createTable(meshAccount, product, "mine", location("mine")) },
		"drop a table of the mesh":         func() error { return i.dropTable(product, orders) },
		"read the records":                 i.scan,
	})
}

func TestAProducersRoleInTheMeshOwnsItsProductsAndNothingElse(t *testing.T) {
	t.Parallel()
	w, own, _ := bustling(t)
	foreign := lakemesh.NewSubscriptionID(otherProducer, consumerAccount)
	w.put(item{"SubscriptionId": str(foreign), "OwnerPrincipal": str(otherProducer), "SubscriberPrincipal": str(consumerAccount), "Status": str("Pending")})
	i := w.intruder(w.meshProducer())
	w.attempts(map[string]func() error{
		"grant itself another's table": func() error {
			return i.grant(producerAccount, tableResource(meshAccount, otherProduct, "budget"), "SELECT")
		},
		"grant a consumer another's table": func() error {
			return i.grant(consumerAccount, tableResource(meshAccount, otherProduct, "budget"), "SELECT")
		},
		"see another's table":                func() error { return i.see(otherProduct, "budget") },
		"make a table in another's database": func() error { return i.createTable(meshAccount, otherProduct, "mine", location("mine")) },
		"move another's table":               func() error { return i.moveTable(otherProduct, "budget", location("mine")) },
		"drop another's table":               func() error { return i.dropTable(otherProduct, "budget") },
		"point a table at another's data":    func() error { return i.createTable(meshAccount, product, "mine", "s3://other-data/budget/") },
		"move a table to another's data":     func() error { return i.moveTable(product, orders, "s3://other-data/budget/") },
		"become an administrator":            i.becomeAdministrator,
		"become the manager":                 func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)) },
		"become another producer":            func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(otherProducer))) },
		"become its consumer": func() error {
			return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount)))
		},
		"become Lake Formation's reader": func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))) },
		"widen the read-only role":       func() error { return i.widen(lakemesh.ReadOnlyRole) },
		"widen its own role":             func() error { return i.widen(lakemesh.MeshProducerRole(producerAccount)) },
		"open the read-only role":        func() error { return i.trustEverybody(lakemesh.ReadOnlyRole) },
		"register with the manager's role": func() error {
			_, err := i.lake.RegisterResource(w.ctx(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::sales-data/mine"), RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole))})
			return err
		},
		"deregister another's location": func() error {
			_, err := i.lake.DeregisterResource(w.ctx(), &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::other-data/budget")})
			return err
		},
		"change another's location": func() error {
			_, err := i.lake.UpdateResource(w.ctx(), &lakeformation.UpdateResourceInput{ResourceArn: aws.String("arn:aws:s3:::other-data/budget"), RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))})
			return err
		},
		"read another's record":   func() error { return i.record(foreign) },
		"decide on another's":     func() error { return w.set(i.cfg, foreign, item{"DecidedStatus": str("Active")}) },
		"hold another's lease":    func() error { return w.set(i.cfg, otherProducer+"-lease", item{"Holder": str("me")}) },
		"write another's ledger":  func() error { return w.set(i.cfg, otherProducer+"-"+consumerAccount, item{"Active": str("x")}) },
		"write a consumer's past": func() error { return i.putRecord(own+"#C#2026-01-01T00:00:00.000000Z-abcd", item{"By": str("me")}) },
		"scan the records":        i.scan,
		"delete a record": func() error {
			_, err := i.dyn.DeleteItem(w.ctx(), &dynamodb.DeleteItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), Key: keyOf(own)})
			return err
		},
	})
}

func TestTheReadOnlyRoleSeesPublicMetadataAndNothingElse(t *testing.T) {
	t.Parallel()
	w, own, _ := bustling(t)
	i := w.intruder(w.as(meshAccount, lakemesh.ReadOnlyRole))
	w.must(i.see(product, orders))
	w.must(i.see(otherProduct, "budget"))
	w.attempts(map[string]func() error{
		"have credentials vended": func() error { return i.vendFor(orders) },
		"read the bucket":         func() error { return i.object("orders/rows.csv") },
		"make a table":            func() error { return i.createTable(meshAccount, product, "mine", location("mine")) },
		"move a table":            func() error { return i.moveTable(product, orders, location(customers)) },
		"drop a table":            func() error { return i.dropTable(product, orders) },
		"make a database": func() error {
			_, err := i.glue.CreateDatabase(w.ctx(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("mine")}})
			return err
		},
		"grant": func() error {
			return i.grant(consumerAccount, tableResource(meshAccount, product, customers), "SELECT")
		},
		"become an administrator": i.becomeAdministrator,
		"read a record":           func() error { return i.record(own) },
		"scan the records":        i.scan,
		"go on to the manager":    func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)) },
	})
}

func TestTheReaderOfTheDataIsLakeFormationAlone(t *testing.T) {
	t.Parallel()
	w, _, _ := bustling(t)
	for _, who := range []string{meshtest.Administrator(meshAccount), lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole), meshtest.Administrator(producerAccount)} {
		w.denied(who+" becomes the role that reads", w.intruder(w.Config(who)).assume(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))))
	}
	// The manager administers, and does not read.
	i := w.intruder(w.manager())
	w.denied("the manager reads the bucket", i.object("orders/rows.csv"))
	w.denied("the manager has credentials vended", i.vendFor(orders))
}

// user makes an IAM user who may assume one role, and nothing else.
func (w *world) user(account, name, role string) (keys lakemesh.Credentials) {
	w.t.Helper()
	meshtest.Before(w.Mesh.Mesh, func() {
		client := iam.NewFromConfig(w.Config(meshtest.Administrator(account)))
		_, err := client.CreateUser(w.ctx(), &iam.CreateUserInput{UserName: aws.String(name)})
		w.must(err)
		_, err = client.PutUserPolicy(w.ctx(), &iam.PutUserPolicyInput{UserName: aws.String(name), PolicyName: aws.String("assume"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + lakemesh.RoleARN(account, role) + `"}]}`)})
		w.must(err)
		out, err := client.CreateAccessKey(w.ctx(), &iam.CreateAccessKeyInput{UserName: aws.String(name)})
		w.must(err)
		keys = lakemesh.Credentials{AccountID: account, AccessKeyID: aws.ToString(out.AccessKey.AccessKeyId), SecretAccessKey: lakemesh.Secret(aws.ToString(out.AccessKey.SecretAccessKey))}
	})
	return keys
}

func TestUsersWhoMayAssumeOneRoleLiveTheWholeLifeWithItAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	options := func(keys lakemesh.Credentials) lakemesh.Options {
		cfg := w.ConfigWith(keys)
		return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, Credentials: keys, RoleWait: -1}
	}
	producers, consumers := w.user(producerAccount, "Producer", lakemesh.ProducerRole), w.user(consumerAccount, "Consumer", lakemesh.ConsumerRole)
	var err error
	w.producer, err = producer.New(t.Context(), options(producers))
	w.must(err)
	w.consumer, err = consumer.New(t.Context(), options(consumers))
	w.must(err)
	id := w.active(orders)
	w.reads(self(), orders)
	if s := w.get(id); !strings.HasSuffix(s.CreatedBy, ":user/Consumer") || !strings.HasSuffix(s.History[1].By, ":user/Producer") {
		t.Errorf("the record says that %s asked and %s decided", s.CreatedBy, s.History[1].By)
	}
	if _, err := consumer.New(t.Context(), options(producers)); err == nil {
		t.Error("the producer's user opened a consumer")
	}
	for name, keys := range map[string]lakemesh.Credentials{"Producer": producers, "Consumer": consumers} {
		i := w.intruder(w.ConfigWith(keys))
		w.attempts(map[string]func() error{
			name + " reads the bucket":         func() error { return i.object("orders/rows.csv") },
			name + " has credentials vended":   func() error { return i.vendFor(orders) },
			name + " sees a table of the mesh": func() error { return i.see(product, orders) },
			name + " scans the records":        i.scan,
			name + " becomes an administrator": i.becomeAdministrator,
			name + " becomes its role of the mesh": func() error {
				return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
			},
			name + " becomes the consumer's": func() error {
				return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount)))
			},
			name + " becomes the manager":            func() error { return i.assume(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)) },
			name + " becomes its account's admin":    func() error { return i.assume(meshtest.Administrator(keys.AccountID)) },
			name + " widens its own role":            func() error { return i.widen(lakemesh.ProducerRole) },
			name + " makes itself another key":       func() error { _, err := i.iam.CreateAccessKey(w.ctx(), &iam.CreateAccessKeyInput{}); return err },
			name + " becomes another account's user": func() error { return i.assume(lakemesh.RoleARN(otherConsumer, lakemesh.ConsumerRole)) },
		})
	}
}
