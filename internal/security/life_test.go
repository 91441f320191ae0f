package security_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts.
const (
	meshAccount     = meshtest.MeshAccount
	producerAccount = meshtest.ProducerAccount
	consumerAccount = meshtest.ConsumerAccount
	region          = "us-east-1"
)

// What is published, and what is migrated.
const (
	source   = meshtest.SampleDatabase
	product  = source + "-" + producerAccount
	bucket   = meshtest.SampleBucket
	migrated = "hangar"
	analyst  = "Analyst"
)

// life is the whole life of a data product, from the first set-up to the last
// subscription's end, as the roles that admin makes.
type life struct {
	*meshtest.Mesh
	ctx context.Context
	// rewrite changes the policy that a role is given; nil leaves all as they are.
	rewrite func(role, policy string) string
	// options changes how the personas are opened; nil leaves them as they are.
	options func(*lakemesh.Options)
	// tell is told everything that the personas hand out; nil tells nobody.
	tell func(...any)

	mu sync.Mutex
	// policies are what admin wanted each role to be given.
	policies map[string]string
	// missed are the warnings of personas that did without a right.
	missed []string

	producer *producer.Producer
	consumer *consumer.Consumer
	ids      map[string]string
}

func newLife(t testing.TB, opts ...localmesh.Option) *life {
	t.Helper()
	return &life{Mesh: meshtest.On(t, localmesh.Run(t, opts...)), ctx: t.Context(), policies: map[string]string{}, ids: map[string]string{}}
}

// step is one step of a life.
type step struct {
	name string
	do   func() error
}

// live takes the steps until one fails, and returns its name with the error.
func (l *life) live(steps []step) error {
	for _, s := range steps {
		if err := s.do(); err != nil {
			l.told(err)
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.missed) > 0 {
		return fmt.Errorf("%w: %q", errUnexpected, l.missed)
	}
	return nil
}

// doingWithout is a logger that notes where a persona does without a right that its
// role has not: it says so, and goes on.
type doingWithout struct{ *life }

// Enabled implements slog.Handler.
func (d doingWithout) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// Handle implements slog.Handler.
func (d doingWithout) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "enable the account again") {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.missed = append(d.missed, r.Message)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (d doingWithout) WithAttrs([]slog.Attr) slog.Handler { return d }

// WithGroup implements slog.Handler.
func (d doingWithout) WithGroup(string) slog.Handler { return d }

func (l *life) told(things ...any) {
	if l.tell != nil {
		l.tell(things...)
	}
}

// planned tells what an operation would do, if anybody is told.
func planned[In any](l *life, plan func(context.Context, In) (*plan.Plan, error), in In) {
	if l.tell != nil {
		p, err := plan(l.ctx, in)
		l.tell(p, err)
	}
}

// steps are the whole life.
func (l *life) steps() []step {
	return slices.Concat(l.middle(), l.endings(), l.scopes(), l.ends(), l.leaving(), l.hybrid(), l.wayBack())
}

// atOnce are the steps that need no time to pass: outside of a bubble hours are hours.
func (l *life) atOnce() []step {
	return slices.Concat(l.middle(), l.endings(), l.scopes(), l.leaving(), l.hybrid(), l.wayBack())
}

// middle is the life up to its end's beginning: there is something of everything.
func (l *life) middle() []step {
	return slices.Concat(
		[]step{{"what there was before the mesh", l.begin}},
		l.setUp(), l.publication(), l.requests(), l.decisions(), l.use(), l.growth(), l.upkeep(), l.migration(),
	)
}

// opened are the options of a persona, opened by the account's administrator.
func (l *life) opened(account string) lakemesh.Options {
	o := l.Options(account)
	cfg := o.Config.Copy()
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("RewritePolicies", l.rewritePolicies), middleware.Before)
	})
	o.Config, o.LogLevel, o.Logger = &cfg, "WARN", slog.New(doingWithout{l})
	if l.options != nil {
		l.options(&o)
	}
	return o
}

// rewritePolicies gives a role another policy than the caller wanted, and lets the
// caller believe that it is the one.
func (l *life) rewritePolicies(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error) {
	if put, ok := in.Parameters.(*iam.PutRolePolicyInput); ok {
		name, wanted := aws.ToString(put.RoleName), aws.ToString(put.PolicyDocument)
		l.mu.Lock()
		l.policies[name] = wanted
		l.mu.Unlock()
		if l.rewrite != nil {
			changed := *put
			changed.PolicyDocument = aws.String(l.rewrite(name, wanted))
			in.Parameters = &changed
		}
	}
	out, md, err := next.HandleInitialize(ctx, in)
	if got, ok := out.Result.(*iam.GetRolePolicyOutput); ok && err == nil && got != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if wanted, ok := l.policies[aws.ToString(got.RoleName)]; ok {
			got.PolicyDocument = aws.String(url.PathEscape(wanted))
		}
	}
	return out, md, err
}

func (l *life) admin(account string) (*admin.Admin, error) {
	return admin.New(l.ctx, l.opened(account))
}

// as is the configuration of a role of the mesh.
func (l *life) as(account, role string) aws.Config { return l.Config(lakemesh.RoleARN(account, role)) }

// role makes a role of an account with a policy of its own, as an administrator.
func (l *life) role(account, name, trust, policy string) error {
	client := iam.NewFromConfig(l.Config(meshtest.Administrator(account)))
	_, err := client.CreateRole(l.ctx, &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + trust + `,"Action":"sts:AssumeRole"}]}`)})
	if err != nil || policy == "" {
		return err
	}
	_, err = client.PutRolePolicy(l.ctx, &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("own"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[` + policy + `]}`)})
	return err
}

// begin makes what the producer has before there is a mesh: tables of which some
// are guarded by Lake Formation and carry LF-tags.
func (l *life) begin() error {
	if err := errors.Join(
		l.role(producerAccount, "Crawler", `{"Service":"glue.amazonaws.com"}`,
			`{"Effect":"Allow","Action":["glue:*","lakeformation:GetDataAccess","s3:GetObject","s3:ListBucket"],"Resource":"*"}`),
		l.role(producerAccount, analyst, `{"AWS":"`+producerAccount+`"}`, `{"Effect":"Allow","Action":["glue:Get*","lakeformation:Get*"],"Resource":"*"}`),
		l.role(consumerAccount, analyst, `{"AWS":"`+consumerAccount+`"}`, `{"Effect":"Allow","Action":["glue:Get*","lakeformation:Get*"],"Resource":"*"}`),
	); err != nil {
		return err
	}
	l.Sample()
	l.Database(producerAccount, migrated)
	l.Table(producerAccount, migrated, meshtest.CSV("planes", "s3://"+bucket+"/planes", "part"))
	l.Partitions(producerAccount, migrated, "planes", "s3://"+bucket+"/planes", 0, 2)
	l.Database(producerAccount, product)

	// The administrator is one of the data lake as well, and guards what it has.
	administrator := meshtest.Administrator(producerAccount)
	lake := lakeformation.NewFromConfig(l.Config(administrator))
	out, err := lake.GetDataLakeSettings(l.ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	out.DataLakeSettings.DataLakeAdmins = []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(administrator)}}
	if _, err := lake.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings}); err != nil {
		return err
	}
	if _, err := lake.CreateLFTag(l.ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("confidentiality"), TagValues: []string{"public", "secret"}}); err != nil {
		return err
	}
	tagged, err := lake.AddLFTagsToResource(l.ctx, &lakeformation.AddLFTagsToResourceInput{
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(source), Name: aws.String("routes")}},
		LFTags:   []lftypes.LFTagPair{{TagKey: aws.String("confidentiality"), TagValues: []string{"public"}}}})
	if err != nil || len(tagged.Failures) > 0 {
		return fmt.Errorf("tag the source: %w %v", err, tagged)
	}
	return l.guard(administrator)
}

// guard takes the tables from those whom IAM lets through, but for the account's
// administrator and the analyst.
func (l *life) guard(administrator string) error {
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(l.Config(administrator)), Account: producerAccount}
	b, todo := lake.Batches(), &plan.Plan{Operation: "guard"}
	all := lakemesh.NewPermissions(lakemesh.All)
	for _, r := range []permissions.Resource{
		permissions.Table(producerAccount, source, "weather"), permissions.Table(producerAccount, migrated, "planes"),
		permissions.Database(producerAccount, source), permissions.Database(producerAccount, migrated), permissions.Database(producerAccount, product),
	} {
		b.Grant(todo, permissions.Entry{Principal: administrator, Resource: r, Permissions: all})
		b.Revoke(todo, permissions.Entry{Principal: permissions.AllowedByIAM, Resource: r, Permissions: all})
	}
	b.Grant(todo, permissions.Entry{Principal: "arn:aws:iam::" + producerAccount + ":role/" + analyst,
		Resource: permissions.Table(producerAccount, migrated, "planes"), Permissions: lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)})
	_, err := todo.Apply(l.ctx, plan.Settings{})
	return err
}

func (l *life) setUp() []step {
	initialize := func() error {
		m, err := l.admin(meshAccount)
		if err != nil {
			return err
		}
		_, err = m.InitializeMeshAccount(l.ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true), EndSchedules: admin.EndsScheduled})
		return err
	}
	return []step{
		{"initialize the mesh", initialize},
		{"initialize the mesh again", func() error {
			m, err := l.admin(meshAccount)
			if err != nil {
				return err
			}
			return nothingToDo(m.PlanInitializeMeshAccount(l.ctx, admin.InitializeMeshInput{}))
		}},
		{"bootstrap the producer", func() error { return l.bootstrap(producerAccount, admin.Producer) }},
		{"let the producer use a key of the mesh", l.shareKey},
		{"bootstrap the consumer", func() error { return l.bootstrap(consumerAccount, admin.Consumer) }},
		{"look at the accounts", l.status},
		{"open the personas", func() (err error) {
			if l.producer, err = producer.New(l.ctx, l.opened(producerAccount)); err != nil {
				return err
			}
			l.consumer, err = consumer.New(l.ctx, l.opened(consumerAccount))
			l.told(l.producer, l.consumer)
			return err
		}},
	}
}

// shareKey makes an LF-tag that the source has, and lets the producer assign it: no
// producer makes keys in the mesh.
func (l *life) shareKey() error {
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(l.Config(meshtest.Administrator(meshAccount))), Account: meshAccount}
	out, err := lake.Client.GetDataLakeSettings(l.ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	own, settings := out.DataLakeSettings.DataLakeAdmins, *out.DataLakeSettings
	settings.DataLakeAdmins = append(slices.Clone(own), lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))})
	if _, err := lake.Client.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings}); err != nil {
		return err
	}
	if err := lake.CreateTag(l.ctx, "confidentiality", "public", "secret"); err != nil {
		return err
	}
	todo := &plan.Plan{Operation: "share a key"}
	lake.Batches().Grant(todo, permissions.Entry{Principal: lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)),
		Resource: permissions.Tag(meshAccount, "confidentiality"), Permissions: lakemesh.NewPermissions(permissions.Associate, lakemesh.Describe)})
	if _, err := todo.Apply(l.ctx, plan.Settings{}); err != nil {
		return err
	}
	settings.DataLakeAdmins = own
	_, err = lake.Client.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings})
	return err
}

func (l *life) bootstrap(account string, kind admin.AccountType) error {
	in := admin.BootstrapInput{Type: kind, Mesh: l.opened(meshAccount), Account: l.opened(account)}
	if kind == admin.Producer {
		in.CrawlerRoleARN = meshtest.CrawlerRole
	} else {
		in.LinkRegions = []string{farRegion}
	}
	planned(l, admin.PlanBootstrapAccount, in)
	out, err := admin.BootstrapAccount(l.ctx, in)
	l.told(in, out, err)
	return err
}

func (l *life) status() error {
	for _, account := range []string{meshAccount, producerAccount, consumerAccount} {
		a, err := l.admin(account)
		if err != nil {
			return err
		}
		s, err := a.Status(l.ctx)
		l.told(s, err)
		if err != nil {
			return err
		}
		if len(s.Problems) > 0 {
			return fmt.Errorf("problems of account %s: %q", account, s.Problems)
		}
	}
	return nil
}

// nothingToDo fails if a plan has steps or warnings.
func nothingToDo(p *plan.Plan, err error) error {
	if err == nil && (!p.Empty() || len(p.Warnings) > 0) {
		err = fmt.Errorf("left to do:\n%s", p)
	}
	return err
}

// publish publishes, without a warning, and then has nothing left to do.
func (l *life) publish(in producer.CreateDataProductsInput) error {
	planned(l, l.producer.PlanCreateDataProducts, in)
	out, err := l.producer.CreateDataProducts(l.ctx, in)
	l.told(out, err)
	if err == nil && len(out.Warnings) > 0 {
		err = fmt.Errorf("warnings: %q", out.Warnings)
	}
	if err != nil {
		return err
	}
	return nothingToDo(l.producer.PlanCreateDataProducts(l.ctx, in))
}

func (l *life) publication() []step {
	in := producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: "routes|weather", Domain: "transport",
		DataProductName: "aviation", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole}
	return []step{
		{"publish", func() error { return l.publish(in) }},
		{"publish what changed", func() error {
			changed := meshtest.CSV("weather", "s3://"+bucket+"/weather", "part")
			changed.Description = aws.String("as it is measured")
			if _, err := l.Glue(producerAccount).UpdateTable(l.ctx, &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: changed}); err != nil {
				return err
			}
			l.Partitions(producerAccount, source, "weather", "s3://"+bucket+"/weather", 3, 2)
			read, err := l.Glue(producerAccount).GetPartition(l.ctx, &glue.GetPartitionInput{DatabaseName: aws.String(source), TableName: aws.String("weather"), PartitionValues: []string{"00002"}})
			if err != nil {
				return err
			}
			moved := meshtest.Moved(read.Partition, "s3://"+bucket+"/weather/corrected/")
			if _, err := l.Glue(producerAccount).UpdatePartition(l.ctx, &glue.UpdatePartitionInput{DatabaseName: aws.String(source), TableName: aws.String("weather"),
				PartitionValueList: moved.Values, PartitionInput: moved}); err != nil {
				return err
			}
			in.TableNameRegex, in.SyncMeshCatalogSchedule, in.Domain = "", "cron(0 12 * * ? *)", "travel"
			return l.publish(in)
		}},
		{"publish into a database of another program", func() error {
			mesh := glue.NewFromConfig(l.as(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
			_, err := mesh.UpdateDatabase(l.ctx, &glue.UpdateDatabaseInput{Name: aws.String(product), DatabaseInput: &gluetypes.DatabaseInput{
				Name: aws.String(product), CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{{Permissions: []gluetypes.Permission{gluetypes.PermissionAll},
					Principal: &gluetypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(permissions.AllowedByIAM)}}}}})
			if err != nil {
				return err
			}
			return l.publish(in)
		}},
		{"publish under another name", func() error {
			return l.publish(producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: "airports", ExposeDataMeshDBName: "places"})
		}},
		{"see as the producer what is public", func() error {
			ids, err := identity.OpenProducer(l.ctx, l.opened(producerAccount))
			if err != nil {
				return err
			}
			_, err = glue.NewFromConfig(ids.ReadOnly.Config).GetTable(l.ctx, &glue.GetTableInput{DatabaseName: aws.String("places"), Name: aws.String("airports")})
			return err
		}},
		{"look after the mesh as its manager", l.manage},
		{"read what was published", func() error {
			found, err := l.producer.GetDataProduct(l.ctx, producer.GetDataProductInput{DatabaseName: product, TableNameRegex: "r.*|w.*"})
			if err == nil && len(found) != 2 {
				err = fmt.Errorf("found %+v", found)
			}
			return err
		}},
	}
}

// manage does what people of the mesh account do as DataMeshManager: look at
// everything, settle by hand what lakemesh asks its administrator for, and put
// labels right.
func (l *life) manage() error {
	a, err := l.admin(meshAccount)
	if err != nil {
		return err
	}
	cfg := l.as(a.Account(), lakemesh.ManagerRole)
	catalog, lake, records := glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	name, other := aws.String(product), aws.String("routes")
	table := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: name, Name: other}}
	registered, err := lake.ListResources(l.ctx, &lakeformation.ListResourcesInput{})
	if err != nil || len(registered.ResourceInfoList) == 0 {
		return fmt.Errorf("locations: %w", errors.Join(errUnexpected, err))
	}
	location := registered.ResourceInfoList[0].ResourceArn
	place := &lftypes.Resource{DataLocation: &lftypes.DataLocationResource{ResourceArn: location}}
	role := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)))}
	readers := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))}
	label := []lftypes.LFTagPair{{TagKey: aws.String("domain"), TagValues: []string{"travel"}}}
	wrong := []lftypes.LFTagPair{{TagKey: aws.String("dataproduct"), TagValues: []string{"aviation"}}}
	describe, locate := []lftypes.Permission{lftypes.PermissionDescribe}, []lftypes.Permission{lftypes.PermissionDataLocationAccess}
	key := map[string]dynamotypes.AttributeValue{"SubscriptionId": &dynamotypes.AttributeValueMemberS{Value: "none"}}
	subscriptions := aws.String(lakemesh.SubscriptionsTable)
	var readOnly aws.Config
	for _, s := range []step{
		{"databases", func() error { return errOf(catalog.GetDatabases(l.ctx, &glue.GetDatabasesInput{})) }},
		{"a database", func() error { return errOf(catalog.GetDatabase(l.ctx, &glue.GetDatabaseInput{Name: name})) }},
		{"tables", func() error { return errOf(catalog.GetTables(l.ctx, &glue.GetTablesInput{DatabaseName: name})) }},
		{"a table", func() error {
			return errOf(catalog.GetTable(l.ctx, &glue.GetTableInput{DatabaseName: name, Name: other}))
		}},
		{"settings", func() error { return errOf(lake.GetDataLakeSettings(l.ctx, &lakeformation.GetDataLakeSettingsInput{})) }},
		{"a location", func() error {
			return errOf(lake.DescribeResource(l.ctx, &lakeformation.DescribeResourceInput{ResourceArn: location}))
		}},
		{"let use a location", func() error {
			return errOf(lake.GrantPermissions(l.ctx, &lakeformation.GrantPermissionsInput{Principal: role, Resource: place, Permissions: locate}))
		}},
		{"hide a table", func() error {
			return errOf(lake.RevokePermissions(l.ctx, &lakeformation.RevokePermissionsInput{Principal: readers, Resource: table, Permissions: describe}))
		}},
		{"show it again", func() error {
			out, err := lake.BatchGrantPermissions(l.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: []lftypes.BatchPermissionsRequestEntry{
				{Id: aws.String("1"), Principal: readers, Resource: table, Permissions: describe},
				{Id: aws.String("2"), Principal: readers, Resource: &lftypes.Resource{Catalog: &lftypes.CatalogResource{}}, Permissions: []lftypes.Permission{lftypes.PermissionCreateDatabase}}}})
			if err == nil && len(out.Failures) > 0 {
				err = fmt.Errorf("%w: %s", errUnexpected, aws.ToString(out.Failures[0].Error.ErrorMessage))
			}
			return err
		}},
		{"take back too much", func() error {
			out, err := lake.BatchRevokePermissions(l.ctx, &lakeformation.BatchRevokePermissionsInput{Entries: []lftypes.BatchPermissionsRequestEntry{
				{Id: aws.String("1"), Principal: readers, Resource: &lftypes.Resource{Catalog: &lftypes.CatalogResource{}}, Permissions: []lftypes.Permission{lftypes.PermissionCreateDatabase}}}})
			if err == nil && len(out.Failures) > 0 {
				err = fmt.Errorf("%w: %s", errUnexpected, aws.ToString(out.Failures[0].Error.ErrorMessage))
			}
			return err
		}},
		{"LF-tags", func() error { return errOf(lake.ListLFTags(l.ctx, &lakeformation.ListLFTagsInput{})) }},
		{"LF-tags of a table", func() error {
			return errOf(lake.GetResourceLFTags(l.ctx, &lakeformation.GetResourceLFTagsInput{Resource: table}))
		}},
		{"a further domain", func() error {
			return errOf(lake.UpdateLFTag(l.ctx, &lakeformation.UpdateLFTagInput{TagKey: aws.String("domain"), TagValuesToAdd: []string{"weather"}}))
		}},
		{"take a label off", func() error {
			return errOf(lake.RemoveLFTagsFromResource(l.ctx, &lakeformation.RemoveLFTagsFromResourceInput{Resource: table, LFTags: wrong}))
		}},
		{"put labels on", func() error {
			return errOf(lake.AddLFTagsToResource(l.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: table, LFTags: append(wrong, label...)}))
		}},
		{"the table of records", func() error {
			return errOf(records.DescribeTable(l.ctx, &dynamodb.DescribeTableInput{TableName: subscriptions}))
		}},
		{"a record", func() error {
			return errOf(records.GetItem(l.ctx, &dynamodb.GetItemInput{TableName: subscriptions, Key: key}))
		}},
		{"some records", func() error {
			return errOf(records.BatchGetItem(l.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]dynamotypes.KeysAndAttributes{
				lakemesh.SubscriptionsTable: {Keys: []map[string]dynamotypes.AttributeValue{key}}}}))
		}},
		{"an owner's records", func() error {
			return errOf(records.Query(l.ctx, &dynamodb.QueryInput{TableName: subscriptions, IndexName: aws.String(lakemesh.OwnerIndex),
				KeyConditionExpression:    aws.String("OwnerPrincipal = :o"),
				ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":o": &dynamotypes.AttributeValueMemberS{Value: producerAccount}}}))
		}},
		{"all records", func() error {
			return errOf(records.Scan(l.ctx, &dynamodb.ScanInput{TableName: subscriptions}))
		}},
		{"what consumers see", func() error {
			out, err := sts.NewFromConfig(cfg).AssumeRole(l.ctx, &sts.AssumeRoleInput{RoleSessionName: aws.String("look"),
				RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ReadOnlyRole))})
			if err == nil {
				readOnly = l.ConfigWith(credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
			}
			return err
		}},
		{"see it", func() error {
			return errOf(glue.NewFromConfig(readOnly).GetTable(l.ctx, &glue.GetTableInput{DatabaseName: name, Name: other}))
		}},
	} {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// errOf is the error of a call whose answer does not matter.
func errOf[T any](_ T, err error) error { return err }

func (l *life) requests() []step {
	find := func(in consumer.ListProductsInput, n int) func() error {
		return func() error {
			out, err := l.consumer.ListProducts(l.ctx, in)
			l.told(out, err)
			if err != nil {
				return err
			}
			if len(out.Products) != n {
				return fmt.Errorf("found %+v", out.Products)
			}
			for _, p := range out.Products {
				if p.Domain != "travel" {
					return fmt.Errorf("it is of no domain: %+v", p)
				}
			}
			return nil
		}
	}
	steps := []step{
		{"find products", find(consumer.ListProductsInput{DataProductName: "aviation"}, 3)},
		{"find products of a domain", find(consumer.ListProductsInput{Domain: "travel", DatabaseName: product}, 3)},
		{"look at a table", l.see("routes", consumer.SeenAsPublic)},
		{"find a data product to ask for", func() error {
			_, err := l.consumer.PlanRequestAccessToProduct(l.ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DataProduct: "aviation", RequestPermissions: []string{"SELECT"}})
			return err
		}},
	}
	wanted := map[string][]string{"routes": {"routes"}, "weather": {"weather", "airp.*"}, "all": nil, "refused": {"airports"}, "cancelled": {"weather"},
		"aborted": {"routes", "weather"}}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		tables := wanted[name]
		steps = append(steps, step{"request " + name, func() error {
			in := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
				Tables: tables, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Notes: "please"}
			planned(l, l.consumer.PlanRequestAccessToProduct, in)
			out, err := l.consumer.RequestAccessToProduct(l.ctx, in)
			l.told(out, err)
			if err == nil {
				l.ids[name] = out.SubscriptionID
			}
			return err
		}})
	}
	return append(steps,
		step{"a request of the original library", l.originalRequest},
		step{"cancel a request", func() error {
			return l.consumer.CancelAccessRequest(l.ctx, consumer.CancelInput{SubscriptionID: l.ids["cancelled"], Reason: "a mistake"})
		}},
		step{"list the requests", func() error {
			mine, err := l.consumer.ListProductAccess(l.ctx, consumer.ListInput{Statuses: consumer.AllStatuses()})
			if err != nil {
				return err
			}
			theirs, err := l.producer.ListPendingAccessRequests(l.ctx)
			if err == nil && (len(mine.Subscriptions) != 7 || len(theirs.Subscriptions) != 6) {
				err = fmt.Errorf("%d and %d", len(mine.Subscriptions), len(theirs.Subscriptions))
			}
			return err
		}},
	)
}

// see looks at a table as the consumer.
func (l *life) see(table, how string) func() error {
	return func() error {
		info, err := l.consumer.GetTableInfo(l.ctx, consumer.TableInfoInput{DatabaseName: product, TableName: table})
		if err == nil && info.Visibility != how {
			err = fmt.Errorf("it is seen as %s", info.Visibility)
		}
		return err
	}
}

// originalRequest records a request as the original library does, whose ids name
// no accounts.
func (l *life) originalRequest() error {
	str := func(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }
	list := func(s string) dynamotypes.AttributeValue {
		return &dynamotypes.AttributeValueMemberL{Value: []dynamotypes.AttributeValue{str(s)}}
	}
	// It looks at the table whenever it begins, on both sides.
	for _, role := range []string{lakemesh.MeshProducerRole(producerAccount), lakemesh.MeshConsumerRole(consumerAccount)} {
		err := errOf(dynamodb.NewFromConfig(l.as(meshAccount, role)).DescribeTable(l.ctx, &dynamodb.DescribeTableInput{TableName: aws.String(lakemesh.SubscriptionsTable)}))
		if err != nil {
			return err
		}
	}
	old := lakemesh.NewShortID()
	_, err := dynamodb.NewFromConfig(l.Config(meshtest.Administrator(meshAccount))).PutItem(l.ctx, &dynamodb.PutItemInput{
		TableName: aws.String(lakemesh.SubscriptionsTable), Item: map[string]dynamotypes.AttributeValue{
			"SubscriptionId": str(old), "OwnerPrincipal": str(producerAccount), "SubscriberPrincipal": str(consumerAccount),
			"Status": str("Pending"), "DatabaseName": str(product), "TableName": list("airports"), "RequestedGrants": list("SELECT"),
			"CreationDate": str("2022-03-04 05:06:07"), "CreatedBy": str("somebody"),
		}})
	if err != nil {
		return err
	}
	// It finds its records by the indexes.
	for role, index := range map[string]string{lakemesh.MeshProducerRole(producerAccount): lakemesh.OwnerIndex, lakemesh.MeshConsumerRole(consumerAccount): lakemesh.SubscriberIndex} {
		key, account := "OwnerPrincipal", producerAccount
		if index == lakemesh.SubscriberIndex {
			key, account = "SubscriberPrincipal", consumerAccount
		}
		err := errOf(dynamodb.NewFromConfig(l.as(meshAccount, role)).Query(l.ctx, &dynamodb.QueryInput{TableName: aws.String(lakemesh.SubscriptionsTable), IndexName: aws.String(index),
			KeyConditionExpression: aws.String(key + " = :a"), ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":a": str(account)}}))
		if err != nil {
			return err
		}
	}
	mesh, err := l.admin(meshAccount)
	if err != nil {
		return err
	}
	out, err := mesh.AdoptRecords(l.ctx)
	if err != nil {
		return err
	}
	l.ids["original"] = out.Adopted[old]
	return nil
}

func (l *life) decisions() []step {
	approve := func(name string) step {
		return step{"approve " + name, func() error {
			in := producer.ApproveInput{RequestID: l.ids[name], DecisionNotes: "welcome"}
			planned(l, l.producer.PlanApproveAccessRequest, in)
			return l.producer.ApproveAccessRequest(l.ctx, in)
		}}
	}
	return []step{
		{"refuse a request", func() error {
			return l.producer.DenyAccessRequest(l.ctx, producer.DenyInput{RequestID: l.ids["refused"], DecisionNotes: "no"})
		}},
		{"abort an approval", l.abort},
		approve("routes"), approve("original"), approve("weather"),
		{"list the active subscriptions", func() error {
			out, err := l.producer.ListSubscriptions(l.ctx, producer.ListSubscriptionsInput{Status: lakemesh.Active})
			if err == nil && len(out.Subscriptions) != 3 {
				err = fmt.Errorf("%d subscriptions", len(out.Subscriptions))
			}
			return err
		}},
	}
}

// abort takes back an approval that AWS stopped half way.
func (l *life) abort() error {
	fault := l.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Code: "AccessDenied", Status: 403})
	err := l.producer.ApproveAccessRequest(l.ctx, producer.ApproveInput{RequestID: l.ids["aborted"]})
	l.ClearFaults()
	l.told(err)
	if fault.Hits() != 1 || !errors.Is(err, lakemesh.ErrPartial) {
		return fmt.Errorf("it was to be stopped half way: %w", errors.Join(errUnexpected, err))
	}
	if err := l.producer.AbortDecision(l.ctx, producer.AbortInput{SubscriptionID: l.ids["aborted"], Reason: "wait"}); err != nil {
		return err
	}
	return l.producer.DenyAccessRequest(l.ctx, producer.DenyInput{RequestID: l.ids["aborted"]})
}

// farRegion is a region besides the mesh's in which the consumer links.
const farRegion = "eu-central-1"

var errUnexpected = errors.New("not as expected")

func (l *life) use() []step {
	finalize := func(name string, principals ...string) step {
		return step{"import " + name, func() error {
			in := consumer.FinalizeInput{SubscriptionID: l.ids[name], Principals: principals}
			planned(l, l.consumer.PlanFinalizeSubscription, in)
			out, err := l.consumer.FinalizeSubscription(l.ctx, in)
			l.told(out, err)
			if err != nil {
				return err
			}
			for _, w := range out.Warnings {
				// Whom it was imported for before keeps it.
				if !strings.HasPrefix(w, "besides them, these still hold access from before: ") {
					return fmt.Errorf("%w: warned of %s", errUnexpected, w)
				}
			}
			p, err := l.consumer.PlanFinalizeSubscription(l.ctx, in)
			if err == nil {
				p.Warnings = nil
			}
			return nothingToDo(p, err)
		}}
	}
	return []step{
		finalize("routes"), finalize("original"), finalize("weather"),
		finalize("weather", "arn:aws:iam::"+consumerAccount+":role/"+analyst),
		{"link in another region", func() error {
			in := consumer.FinalizeInput{SubscriptionID: l.ids["weather"], LinkRegion: farRegion, Principals: []string{"arn:aws:iam::" + consumerAccount + ":role/" + analyst}}
			planned(l, l.consumer.PlanFinalizeSubscription, in)
			out, err := l.consumer.FinalizeSubscription(l.ctx, in)
			l.told(out, err)
			return err
		}},
		{"import for whom there is not", func() error {
			for _, nobody := range []string{"role/Nobody", "user/nobody"} {
				_, err := l.consumer.PlanFinalizeSubscription(l.ctx, consumer.FinalizeInput{SubscriptionID: l.ids["weather"], Principals: []string{"arn:aws:iam::" + consumerAccount + ":" + nobody}})
				if !errors.Is(err, lakemesh.ErrNotFound) {
					return fmt.Errorf("%s is given access: %w", nobody, errors.Join(errUnexpected, err))
				}
			}
			return nil
		}},
		{"look at what was imported", l.see("weather", consumer.SeenAsShared)},
		{"read the subscription's history", func() error {
			for _, get := range []func(context.Context, string) (*lakemesh.Subscription, error){l.consumer.GetSubscription, l.producer.GetSubscription} {
				for _, name := range []string{"weather", "original"} {
					s, err := get(l.ctx, l.ids[name])
					l.told(s, err)
					if err != nil {
						return err
					}
					if s.Status != lakemesh.Active || len(s.History) == 0 || s.Tampered != "" {
						return fmt.Errorf("%s is %+v", name, s)
					}
				}
			}
			return nil
		}},
		{"what the original library reads of it", l.mirrored},
		{"query as the consumer", l.query},
		{"look at the links as the producer", l.links},
		{"narrow a subscription, and explain it", l.narrow},
		{"change a subscription", func() error {
			in := producer.UpdateInput{SubscriptionID: l.ids["weather"], GrantPermissions: []string{"DESCRIBE"}, Notes: "less"}
			planned(l, l.producer.PlanUpdateSubscriptionPermissions, in)
			if err := l.producer.UpdateSubscriptionPermissions(l.ctx, in); err != nil {
				return err
			}
			in.GrantPermissions = []string{"SELECT", "DESCRIBE", "INSERT"}
			return l.producer.UpdateSubscriptionPermissions(l.ctx, in)
		}},
	}
}

// narrow gives one column, which consumer and administrator see by the filter that carries it,
// and all of them again.
func (l *life) narrow() error {
	to := func(columns ...string) error {
		if err := l.producer.UpdateSubscriptionPermissions(l.ctx, producer.UpdateInput{SubscriptionID: l.ids["routes"], Scope: producer.ScopeInput{Columns: columns}}); err != nil {
			return err
		}
		return errOf(l.consumer.FinalizeSubscription(l.ctx, consumer.FinalizeInput{SubscriptionID: l.ids["routes"]}))
	}
	if err := to("id"); err != nil {
		return err
	}
	mesh, err := l.admin(meshAccount)
	if err != nil {
		return err
	}
	for who, explain := range map[string]func(context.Context, producer.ExplainInput) (*producer.Explanation, error){"consumer": l.consumer.Explain, "administrator": mesh.Explain, "owner": l.producer.Explain} {
		e, err := explain(l.ctx, producer.ExplainInput{Database: product, Table: "routes", Column: "id", Principal: consumerAccount})
		if err != nil {
			return err
		}
		for _, s := range e.Ways[0].Steps {
			if s.Link == "grant" && s.State != "holds" {
				return fmt.Errorf("%w: to the %s it is %s: %s", errUnexpected, who, s.State, s.What)
			}
		}
	}
	return to([]string{}...)
}

// query works as a query engine does for DataMeshConsumer: by the link to the
// mesh's database, partition by partition, with vended credentials
// (https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html).
func (l *life) query() error {
	cfg := l.as(consumerAccount, lakemesh.ConsumerRole)
	catalog, lake := glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg)
	var errs []error
	call := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	_, err := catalog.GetDatabases(l.ctx, &glue.GetDatabasesInput{})
	call("databases", err)
	_, err = catalog.GetDatabase(l.ctx, &glue.GetDatabaseInput{Name: aws.String(product)})
	call("link", err)
	_, err = catalog.GetTables(l.ctx, &glue.GetTablesInput{DatabaseName: aws.String(product)})
	call("tables by the link", err)
	table := func() (*string, *string, *string) {
		return aws.String(meshAccount), aws.String(product), aws.String("weather")
	}
	c, d, n := table()
	_, err = catalog.GetTable(l.ctx, &glue.GetTableInput{CatalogId: c, DatabaseName: d, Name: n})
	call("table", err)
	parts, err := catalog.GetPartitions(l.ctx, &glue.GetPartitionsInput{CatalogId: c, DatabaseName: d, TableName: n})
	call("partitions", err)
	if err == nil && len(parts.Partitions) != 5 {
		call("partitions", fmt.Errorf("%d of them", len(parts.Partitions)))
	}
	_, err = catalog.GetPartition(l.ctx, &glue.GetPartitionInput{CatalogId: c, DatabaseName: d, TableName: n, PartitionValues: []string{"00001"}})
	call("partition", err)
	_, err = catalog.BatchGetPartition(l.ctx, &glue.BatchGetPartitionInput{CatalogId: c, DatabaseName: d, TableName: n, PartitionsToGet: []gluetypes.PartitionValueList{{Values: []string{"00001"}}}})
	call("some partitions", err)
	if err := errors.Join(errs...); err != nil {
		return err
	}

	arn := aws.String(lakemesh.TableARN(region, meshAccount, product, "weather"))
	whole, err := lake.GetTemporaryGlueTableCredentials(l.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{TableArn: arn,
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}, SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return fmt.Errorf("credentials for the table: %w", err)
	}
	if err := l.rows(whole.AccessKeyId, whole.SecretAccessKey, whole.SessionToken); err != nil {
		return err
	}
	one, err := lake.GetTemporaryGluePartitionCredentials(l.ctx, &lakeformation.GetTemporaryGluePartitionCredentialsInput{TableArn: arn,
		Partition: &lftypes.PartitionValueList{Values: []string{"00001"}}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return fmt.Errorf("credentials for a partition: %w", err)
	}
	return l.rows(one.AccessKeyId, one.SecretAccessKey, one.SessionToken)
}

// rows lists and reads a partition with vended credentials.
func (l *life) rows(id, secret, token *string) error {
	client := identity.S3(l.ConfigWith(credentials.NewStaticCredentialsProvider(aws.ToString(id), aws.ToString(secret), aws.ToString(token))))
	const prefix = "weather/part=00001/"
	listed, err := client.ListObjectsV2(l.ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
	if err != nil || len(listed.Contents) != 1 {
		return fmt.Errorf("list the rows: %w %v", errors.Join(errUnexpected, err), listed)
	}
	out, err := client.GetObject(l.ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: listed.Contents[0].Key})
	if err != nil {
		return fmt.Errorf("read the rows: %w", err)
	}
	rows, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil || string(rows) != "id,value\n1,sunny\n" {
		return fmt.Errorf("the rows are %q: %w", rows, errors.Join(errUnexpected, err))
	}
	return nil
}

// links reads the product as DataMeshProducer does in its own account.
func (l *life) links() error {
	catalog := glue.NewFromConfig(l.as(producerAccount, lakemesh.ProducerRole))
	// The command line completes the names of databases.
	if err := errOf(catalog.GetDatabases(l.ctx, &glue.GetDatabasesInput{})); err != nil {
		return err
	}
	out, err := catalog.GetTables(l.ctx, &glue.GetTablesInput{DatabaseName: aws.String(product)})
	if err == nil && len(out.TableList) != 3 {
		err = fmt.Errorf("%d links", len(out.TableList))
	}
	if err != nil {
		return err
	}
	_, err = catalog.GetTable(l.ctx, &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String("weather")})
	return err
}

func (l *life) growth() []step {
	return []step{
		{"approve all", func() error {
			return l.producer.ApproveAccessRequest(l.ctx, producer.ApproveInput{RequestID: l.ids["all"]})
		}},
		{"publish one table more", func() error {
			l.Table(producerAccount, source, meshtest.CSV("delays", "s3://"+bucket+"/delays/"))
			return l.publish(producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: "delays"})
		}},
		{"import all", func() error {
			_, err := l.consumer.FinalizeSubscription(l.ctx, consumer.FinalizeInput{SubscriptionID: l.ids["all"]})
			return err
		}},
		{"look at the table that was added", l.see("delays", consumer.SeenAsShared)},
		{"take back the metadata", func() error {
			return l.publish(producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: "delays", CreatePublicMetadata: aws.Bool(false)})
		}},
	}
}

func (l *life) migration() []step {
	in := producer.MigrateInput{SourceDatabaseName: migrated, Domain: "travel"}
	return []step{{"migrate", func() error {
		planned(l, l.producer.PlanMigrateTablesToMesh, in)
		out, err := l.producer.MigrateTablesToMesh(l.ctx, in)
		l.told(out, err)
		if err == nil && len(out.Warnings) > 0 {
			err = fmt.Errorf("warnings: %q", out.Warnings)
		}
		if err != nil {
			return err
		}
		if err := nothingToDo(l.producer.PlanMigrateTablesToMesh(l.ctx, in)); err != nil {
			return err
		}
		_, err = glue.NewFromConfig(l.Config("arn:aws:iam::"+producerAccount+":role/"+analyst)).GetPartitions(l.ctx, &glue.GetPartitionsInput{
			CatalogId: aws.String(meshAccount), DatabaseName: aws.String(migrated), TableName: aws.String("planes")})
		return err
	}}}
}

// mirrored looks at what a decision wrote for the original library.
func (l *life) mirrored() error {
	out, err := dynamodb.NewFromConfig(l.Config(meshtest.Administrator(meshAccount))).GetItem(l.ctx, &dynamodb.GetItemInput{TableName: aws.String(lakemesh.SubscriptionsTable),
		Key: map[string]dynamotypes.AttributeValue{"SubscriptionId": &dynamotypes.AttributeValueMemberS{Value: l.ids["weather"]}}})
	if err != nil {
		return err
	}
	if s, ok := out.Item["Status"].(*dynamotypes.AttributeValueMemberS); !ok || s.Value != string(lakemesh.Active) {
		return fmt.Errorf("the request says %v: %w", out.Item["Status"], errUnexpected)
	}
	return nil
}

// upkeep brings what is published up to date with its source.
func (l *life) upkeep() []step {
	return []step{{"follow the source", func() error {
		if _, err := l.Glue(producerAccount).DeletePartition(l.ctx, &glue.DeletePartitionInput{DatabaseName: aws.String(source), TableName: aws.String("weather"),
			PartitionValues: []string{"00004"}}); err != nil {
			return err
		}
		out, err := l.producer.SyncProducts(l.ctx, producer.SyncInput{})
		l.told(out, err)
		if err != nil {
			return err
		}
		if len(out.Products) != 2 || out.Products[0].Steps != 2 {
			return fmt.Errorf("brought up to date: %+v", out.Products)
		}
		return nothingToDo(l.producer.PlanSyncProducts(l.ctx, producer.SyncInput{}))
	}}}
}

// leaving takes a product out of the mesh again.
func (l *life) leaving() []step {
	const extras = "extras"
	return []step{
		{"publish for a while", func() error {
			l.Database(producerAccount, extras)
			l.Table(producerAccount, extras, meshtest.CSV("ships", "s3://"+bucket+"/ships/"))
			return l.publish(producer.CreateDataProductsInput{SourceDatabaseName: extras})
		}},
		{"unpublish", func() error {
			in := producer.UnpublishInput{SourceDatabaseName: extras}
			planned(l, l.producer.PlanUnpublishDataProducts, in)
			out, err := l.producer.UnpublishDataProducts(l.ctx, in)
			l.told(out, err)
			if err != nil {
				return err
			}
			for account, role := range map[string]string{meshAccount: lakemesh.ManagerRole, producerAccount: lakemesh.ProducerRole} {
				_, err := glue.NewFromConfig(l.as(account, role)).GetDatabase(l.ctx, &glue.GetDatabaseInput{Name: aws.String(lakemesh.MeshDatabaseName(extras, producerAccount))})
				if !identity.IsNotFound(err) {
					return fmt.Errorf("account %s still has the database: %w", account, errors.Join(errUnexpected, err))
				}
			}
			return nil
		}},
	}
}

func (l *life) endings() []step {
	end := func(name string) step {
		return step{"end " + name, func() error {
			in := producer.DeleteInput{SubscriptionID: l.ids[name], Reason: "it is over"}
			planned(l, l.producer.PlanDeleteSubscription, in)
			return l.producer.DeleteSubscription(l.ctx, in)
		}}
	}
	return []step{
		end("all"), end("weather"),
		{"leave", func() error {
			for _, name := range []string{"original", "routes"} {
				in := consumer.LeaveInput{SubscriptionID: l.ids[name], Reason: "enough"}
				planned(l, l.consumer.PlanDeleteSubscription, in)
				if err := l.consumer.DeleteSubscription(l.ctx, in); err != nil {
					return err
				}
			}
			_, err := l.Glue(consumerAccount).GetDatabase(l.ctx, &glue.GetDatabaseInput{Name: aws.String(product)})
			if !identity.IsNotFound(err) {
				return fmt.Errorf("the link is still there: %w", errors.Join(errUnexpected, err))
			}
			return nil
		}},
		{"settle", func() error {
			out, err := l.producer.SettleDepartures(l.ctx)
			if err == nil && len(out.Subscriptions) != 2 {
				err = fmt.Errorf("settled %v", out.Subscriptions)
			}
			return err
		}},
		{"nothing is left", func() error {
			_, err := l.S3(producerAccount).GetBucketPolicy(l.ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)})
			if err == nil {
				return fmt.Errorf("the bucket is still open: %w", errUnexpected)
			}
			return nil
		}},
	}
}

// assumes opens a role.
func (l *life) assumes(cfg aws.Config, role string) error {
	return errOf(sts.NewFromConfig(cfg).AssumeRole(l.ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("me")}))
}
