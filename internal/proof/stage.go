package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Patience is how long something may take to become known.
type Patience = time.Duration

// DefaultPatience is long for what AWS says: roles, their policies and grants are known within
// seconds, seldom within a minute.
const DefaultPatience = 2 * time.Minute

// Stage is what the checks play on: in each account a data lake administrator of the run's, in the
// mesh account a bucket, a registered location and a database with tables, and some people.
type Stage struct {
	run      string
	journal  *Journal
	accounts map[Part]*Account
	patience time.Duration
	tell     func(format string, args ...any)

	// admins are the data lake administrators of the run.
	admins map[Part]aws.Config
	// people are roles that may do everything by IAM, so that what is refused to them Lake Formation
	// refuses: ann and bob of the mesh account, tom of the consumer's.
	people map[string]aws.Config
	arns   map[string]string
	// before are the data lake settings as they were, and setContext whether AWS took SET_CONTEXT
	// back: "accepted", "refused", or empty where it was not read.
	before     map[Part]lftypes.DataLakeSettings
	setContext string
	// serial counts what is named by a number.
	serial int
}

// name is a name of the run's.
func (s *Stage) name(what string) string { return prefix(s.run) + "-" + what }

// next is a name that nothing else in the run has.
func (s *Stage) next(what string) string {
	s.serial++
	return fmt.Sprintf("%s-%s%d", prefix(s.run), what, s.serial)
}

// The accounts as the checks see them: an owner that shares, one that is shared with, and a third.
func (s *Stage) owner() *Account     { return s.accounts[Mesh] }
func (s *Stage) recipient() *Account { return s.accounts[Consumer] }
func (s *Stage) third() *Account     { return s.accounts[Producer] }

// The data lake administrators of the run.
func (s *Stage) admin() aws.Config          { return s.admins[Mesh] }
func (s *Stage) recipientAdmin() aws.Config { return s.admins[Consumer] }

func (s *Stage) adminARN(p Part) string { return s.accounts[p].role(s.name("admin")) }

// bucket is the bucket of the owner's data, and the beginning of an account's bucket of results.
func (s *Stage) bucket() string            { return s.name("lake-" + s.owner().ID) }
func (s *Stage) results(a *Account) string { return s.name("results-" + a.ID) }
func (s *Stage) database() string          { return s.name("sales") }
func (s *Stage) path(below string) string  { return "s3://" + s.bucket() + "/" + below }
func (s *Stage) s3ARN(below string) string { return partition + "s3:::" + s.bucket() + "/" + below }
func (s *Stage) lakeRole() string          { return s.owner().role(s.name("lake")) }
func (s *Stage) catalogARN(a *Account, resource string) string {
	return partition + "glue:" + a.Region + ":" + a.ID + ":" + resource
}

// build makes what all checks need. What it has made is in the journal also if it fails.
func (s *Stage) build(ctx context.Context) error {
	s.admins, s.people, s.arns = map[Part]aws.Config{}, map[string]aws.Config{}, map[string]string{}
	s.before = map[Part]lftypes.DataLakeSettings{}
	for _, part := range Parts() {
		if err := s.administer(ctx, s.accounts[part]); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		name string
		in   *Account
	}{{"ann", s.owner()}, {"bob", s.owner()}, {"tom", s.recipient()}} {
		cfg, err := s.role(ctx, p.in, s.name(p.name), trustOf(p.in.ID), allowing("*", "*"))
		if err != nil {
			return err
		}
		s.people[p.name], s.arns[p.name] = cfg, p.in.role(s.name(p.name))
	}
	if _, err := s.makeRole(ctx, s.owner(), s.name("lake"), trustOfServices("lakeformation", "glue"), allowing("s3:*", "*")); err != nil {
		return err
	}
	for _, a := range []*Account{s.owner(), s.recipient()} {
		if err := s.makeBucket(ctx, a, s.results(a)); err != nil {
			return err
		}
	}
	if err := s.makeBucket(ctx, s.owner(), s.bucket()); err != nil {
		return err
	}
	for day, rows := range map[string]string{"1": "tea,US,7\ncup,DE,8\n", "2": "jar,US,9\n"} {
		if err := s.put(ctx, "sales/goods/day="+day+"/a.csv", rows); err != nil {
			return err
		}
	}
	if err := s.register(ctx, "sales", s.lakeRole()); err != nil {
		return err
	}
	if err := s.makeDatabase(ctx, s.owner(), s.database()); err != nil {
		return err
	}
	for _, table := range []*gluetypes.TableInput{s.table("orders"), s.table("items"), s.goods()} {
		if err := s.makeTable(ctx, s.database(), table); err != nil {
			return err
		}
	}
	_, err := glueOf(s.admin()).CreatePartition(ctx, &glue.CreatePartitionInput{DatabaseName: aws.String(s.database()), TableName: aws.String("goods"), PartitionInput: s.day("1")})
	return err
}

// administer makes the run's data lake administrator of an account.
func (s *Stage) administer(ctx context.Context, a *Account) error {
	cfg, err := s.role(ctx, a, s.name("admin"), trustOf(a.ID), allowing("*", "*"))
	if err != nil {
		return err
	}
	client := lake(a.config)
	out, err := client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return fmt.Errorf("read the data lake settings of %s: %w", a.ID, err)
	}
	before, err := json.Marshal(out.DataLakeSettings)
	if err != nil {
		return err
	}
	if err := s.journal.make(Thing{Kind: kindSettings, In: a.Part, Name: "of " + a.ID, More: before}); err != nil {
		return err
	}
	s.before[a.Part] = *out.DataLakeSettings
	settings := *out.DataLakeSettings
	settings.DataLakeAdmins = append(settings.DataLakeAdmins[:len(settings.DataLakeAdmins):len(settings.DataLakeAdmins)], *principal(s.adminARN(a.Part)))
	if err := s.wait(ctx, "its role to be known to Lake Formation", func() error {
		taken, err := putSettings(ctx, client, &settings)
		if err == nil && taken != "" {
			s.setContext = taken
		}
		return err
	}); err != nil {
		return fmt.Errorf("add a data lake administrator to account %s: %w", a.ID, err)
	}
	s.admins[a.Part] = cfg
	// Being one takes a while.
	return s.wait(ctx, "its role to administer the data lake", func() error {
		return only(lake(cfg).ListPermissions(ctx, &lakeformation.ListPermissionsInput{}))
	})
}

// wait waits for what may be known late.
func (s *Stage) wait(ctx context.Context, what string, call func() error) error {
	// A name that is taken stays taken.
	return poll.Until(ctx, s.patience, what, func(context.Context) (bool, error) {
		err := call()
		if awserr.Is(err, "EntityAlreadyExists") {
			return false, err
		}
		return err == nil, poll.NotYet(err)
	})
}

// makeRole makes a role, which may not be known everywhere yet.
func (s *Stage) makeRole(ctx context.Context, a *Account, name, trust, policy string) (string, error) {
	if err := s.journal.make(Thing{Kind: kindRole, In: a.Part, Name: name}); err != nil {
		return "", err
	}
	client := iamOf(a.config)
	err := s.wait(ctx, "role "+name+" to be made", func() error {
		_, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust, Description: aws.String("lakemesh acceptance, run " + s.run + ": goes away with it")})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make role %s: %w", name, err)
	}
	if policy != "" {
		if err := s.wait(ctx, "role "+name, func() error {
			return only(client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(ownPolicy), PolicyDocument: &policy}))
		}); err != nil {
			return "", err
		}
	}
	return a.role(name), nil
}

// ownPolicy is the name of the inline policy of the run's roles.
const ownPolicy = "own"

// role makes a role and waits until it can be assumed.
func (s *Stage) role(ctx context.Context, a *Account, name, trust, policy string) (aws.Config, error) {
	arn, err := s.makeRole(ctx, a, name, trust, policy)
	if err != nil {
		return aws.Config{}, err
	}
	cfg := a.as(arn)
	if policy == allowing("*", "*") {
		cfg.Retryer = newcomersRetryer
	}
	return cfg, s.wait(ctx, "role "+name+" to be assumed", func() error {
		return only(stsOf(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	})
}

func (s *Stage) makeBucket(ctx context.Context, a *Account, name string) error {
	if err := s.journal.make(Thing{Kind: kindBucket, In: a.Part, Name: name}); err != nil {
		return err
	}
	in := &s3.CreateBucketInput{Bucket: &name}
	if a.Region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(a.Region)}
	}
	if _, err := s3Of(a.config).CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("make bucket %s: %w", name, err)
	}
	return nil
}

func (s *Stage) put(ctx context.Context, key, text string) error {
	_, err := s3Of(s.owner().config).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(s.bucket()), Key: &key, Body: strings.NewReader(text)})
	return err
}

// register registers a path of the owner's bucket.
func (s *Stage) register(ctx context.Context, below, role string) error {
	arn := s.s3ARN(below)
	if err := s.journal.make(Thing{Kind: kindLocation, In: Mesh, Name: arn}); err != nil {
		return err
	}
	// A role that was made a moment ago is not known to be trusted.
	return s.wait(ctx, "location "+arn+" to be registered", func() error {
		err := only(lake(s.admin()).RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: &arn, RoleArn: &role}))
		if awserr.Is(err, "AlreadyExistsException") {
			return nil
		}
		return err
	})
}

// makeDatabase makes a database whose tables are not left to IAM, and takes it away from IAM.
func (s *Stage) makeDatabase(ctx context.Context, a *Account, name string) error {
	if err := s.journal.make(Thing{Kind: kindDatabase, In: a.Part, Name: name}); err != nil {
		return err
	}
	cfg := s.admins[a.Part]
	if _, err := glueOf(cfg).CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name, CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}}); err != nil {
		return fmt.Errorf("make database %s: %w", name, err)
	}
	_, err := lake(cfg).RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{Principal: principal(allowedPrincipals),
		Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: &name}}, Permissions: []lftypes.Permission{lftypes.PermissionAll}})
	if err != nil && !awserr.Says(err, "No permissions revoked") {
		return fmt.Errorf("take database %s from IAM: %w", name, err)
	}
	return nil
}

const allowedPrincipals = "IAM_ALLOWED_PRINCIPALS"

func (s *Stage) makeTable(ctx context.Context, database string, in *gluetypes.TableInput) error {
	if _, err := glueOf(s.admin()).CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: in}); err != nil {
		return fmt.Errorf("make table %s: %w", aws.ToString(in.Name), err)
	}
	return nil
}

// table is a table with the columns id, customer and price, and the partition key day, at the
// registered location.
func (s *Stage) table(name string) *gluetypes.TableInput {
	return s.tableAt(name, s.path("sales/"+name), "id", "customer", "price")
}

// goods is the table that has data.
func (s *Stage) goods() *gluetypes.TableInput {
	return s.tableAt("goods", s.path("sales/goods"), "item", "country", "cost")
}

func (s *Stage) tableAt(name, location string, columns ...string) *gluetypes.TableInput {
	return &gluetypes.TableInput{Name: &name, TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: []gluetypes.Column{{Name: aws.String("day"), Type: aws.String("string")}},
		Parameters: map[string]string{"classification": "csv"}, StorageDescriptor: descriptor(location, columns...)}
}

func descriptor(location string, columns ...string) *gluetypes.StorageDescriptor {
	d := &gluetypes.StorageDescriptor{Location: &location, InputFormat: aws.String("org.apache.hadoop.mapred.TextInputFormat"),
		OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
		SerdeInfo:    &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.OpenCSVSerde")}}
	for _, c := range columns {
		d.Columns = append(d.Columns, gluetypes.Column{Name: &c, Type: aws.String("string")})
	}
	return d
}

// day is a partition of goods.
func (s *Stage) day(day string) *gluetypes.PartitionInput {
	return &gluetypes.PartitionInput{Values: []string{day}, StorageDescriptor: descriptor(s.path("sales/goods/day="+day), "item", "country", "cost")}
}

// Policies, and what grants are on.

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func statement(actions, resource string) string {
	return `{"Effect":"Allow","Action":` + listed(actions) + `,"Resource":` + listed(resource) + `}`
}

// listed writes words as JSON: one as it is, several as a list.
func listed(words string) string {
	all := strings.Fields(words)
	if len(all) == 1 {
		return `"` + all[0] + `"`
	}
	return `["` + strings.Join(all, `","`) + `"]`
}

func allowing(actions, resource string) string { return policyOf(statement(actions, resource)) }

// trustOf trusts the account itself: whoever in it may assume roles.
func trustOf(account string) string {
	return trusting(`{"AWS":"`+partition+"iam::"+account+`:root"}`, "")
}

func trustOfServices(services ...string) string {
	for i, service := range services {
		services[i] = service + ".amazonaws.com"
	}
	return trusting(`{"Service":`+listed(strings.Join(services, " "))+`}`, "")
}

func trusting(who, condition string) string {
	text := `{"Effect":"Allow","Principal":` + who + `,"Action":"sts:AssumeRole"`
	if condition != "" {
		text += `,"Condition":` + condition
	}
	return policyOf(text + "}")
}

func principal(arn string) *lftypes.DataLakePrincipal {
	return &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &arn}
}

func (s *Stage) onDatabase(name string) *lftypes.Resource {
	return &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(s.owner().ID), Name: &name}}
}

func (s *Stage) onTable(name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(s.owner().ID), DatabaseName: aws.String(s.database()), Name: &name}}
}

func (s *Stage) onColumns(table string, columns ...string) *lftypes.Resource {
	return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{CatalogId: aws.String(s.owner().ID), DatabaseName: aws.String(s.database()), Name: &table, ColumnNames: columns}}
}

func (s *Stage) onColumnsBut(table string, columns ...string) *lftypes.Resource {
	return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{CatalogId: aws.String(s.owner().ID), DatabaseName: aws.String(s.database()), Name: &table,
		ColumnWildcard: &lftypes.ColumnWildcard{ExcludedColumnNames: columns}}}
}

func (s *Stage) onLocation(below string) *lftypes.Resource {
	return &lftypes.Resource{DataLocation: &lftypes.DataLocationResource{CatalogId: aws.String(s.owner().ID), ResourceArn: aws.String(s.s3ARN(below))}}
}

func (s *Stage) onTag(key string, values ...string) *lftypes.Resource {
	return &lftypes.Resource{LFTag: &lftypes.LFTagKeyResource{CatalogId: aws.String(s.owner().ID), TagKey: &key, TagValues: values}}
}

// onPolicy is an LF-tag policy on tables.
func (s *Stage) onPolicy(tags ...lftypes.LFTag) *lftypes.Resource {
	return &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: aws.String(s.owner().ID), ResourceType: lftypes.ResourceTypeTable, Expression: tags}}
}

func (s *Stage) onFilter(table, name string) *lftypes.Resource {
	return &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(s.owner().ID), DatabaseName: aws.String(s.database()), TableName: &table, Name: &name}}
}

// permissionList reads "SELECT ALTER | SELECT": behind the bar are those with the grant option.
func permissionList(list string) (plain, grantable []lftypes.Permission) {
	before, after, _ := strings.Cut(list, "|")
	read := func(text string) []lftypes.Permission {
		var all []lftypes.Permission
		for _, p := range strings.Fields(text) {
			all = append(all, lftypes.Permission(p))
		}
		return all
	}
	return read(before), read(after)
}

// grant grants, and takes it back at the end of the check.
func (t *Try) grant(by aws.Config, to string, on *lftypes.Resource, list string) error {
	plain, grantable := permissionList(list)
	_, err := lake(by).GrantPermissions(t.ctx, &lakeformation.GrantPermissionsInput{Principal: principal(to), Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable})
	if err == nil {
		t.undo(func() error { return t.revoke(by, to, on, list) })
	}
	return err
}

func (t *Try) revoke(by aws.Config, from string, on *lftypes.Resource, list string) error {
	plain, grantable := permissionList(list)
	_, err := lake(by).RevokePermissions(t.ctx, &lakeformation.RevokePermissionsInput{Principal: principal(from), Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable})
	return err
}

// given grants as the owner's administrator, as a preparation.
func (t *Try) given(to string, on *lftypes.Resource, list string) {
	t.soon("grant "+list+" to "+to, func() error { return t.grant(t.admin(), to, on, list) })
}

// sees gets a table of the owner's database.
func (t *Try) sees(who aws.Config, table string) func() error {
	return func() error {
		return only(glueOf(who).GetTable(t.ctx, &glue.GetTableInput{CatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()), Name: &table}))
	}
}

func (t *Try) seesDatabase(who aws.Config, name string) func() error {
	return func() error {
		return only(glueOf(who).GetDatabase(t.ctx, &glue.GetDatabaseInput{CatalogId: aws.String(t.owner().ID), Name: &name}))
	}
}

// columns are those that somebody is shown of a table of the owner's database.
func (t *Try) columns(who aws.Config, table string) func() (string, error) {
	return func() (string, error) {
		out, err := glueOf(who).GetTable(t.ctx, &glue.GetTableInput{CatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()), Name: &table})
		if err != nil {
			return "", err
		}
		var names []string
		if out.Table.StorageDescriptor != nil {
			for _, c := range out.Table.StorageDescriptor.Columns {
				names = append(names, aws.ToString(c.Name))
			}
		}
		return strings.Join(names, " "), nil
	}
}

// someone makes a role with a policy for the check alone.
func (t *Try) someone(in *Account, policy string) (aws.Config, string) {
	name := t.next("p")
	cfg, err := t.role(t.ctx, in, name, trustOf(in.ID), policy)
	t.need(err)
	return cfg, in.role(name)
}

// scratch makes a database for the check alone.
func (t *Try) scratch() string {
	name := t.next("db")
	t.need(t.makeDatabase(t.ctx, t.owner(), name))
	return name
}

// tag makes an LF-tag of the owner.
func (t *Try) tag(values ...string) string {
	key := t.next("tag")
	t.need(t.journal.make(Thing{Kind: kindTag, In: Mesh, Name: key}))
	t.need(only(lake(t.admin()).CreateLFTag(t.ctx, &lakeformation.CreateLFTagInput{TagKey: &key, TagValues: values})))
	return key
}

// tagged puts a tag on a resource and reports the failures of the answer as an error.
func (t *Try) tagged(by aws.Config, on *lftypes.Resource, key, value string) error {
	out, err := lake(by).AddLFTagsToResource(t.ctx, &lakeformation.AddLFTagsToResourceInput{CatalogId: aws.String(t.owner().ID), Resource: on,
		LFTags: []lftypes.LFTagPair{{CatalogId: aws.String(t.owner().ID), TagKey: &key, TagValues: []string{value}}}})
	if err == nil && len(out.Failures) > 0 {
		return awserr.New(aws.ToString(out.Failures[0].Error.ErrorCode), aws.ToString(out.Failures[0].Error.ErrorMessage))
	}
	return err
}

func lfTag(key string, values ...string) lftypes.LFTag {
	return lftypes.LFTag{TagKey: &key, TagValues: values}
}
