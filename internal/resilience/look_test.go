package resilience_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/localmesh"
)

// sight is everything that there is in a mesh, in lines that do not depend on when
// and in which order it came about.
type sight struct {
	// access says who may do what: one line a right.
	access []string
	// records are the subscriptions, with their history, ledgers and leases.
	records []string
	// rest is everything else: catalogs, tags, shares, settings.
	rest []string
}

// lines are all of them.
func (s *sight) lines() []string {
	all := slices.Concat(s.access, s.records, s.rest)
	slices.Sort(all)
	return all
}

// withoutLeases leaves out who holds the right to decide, which says nothing about
// subscriptions.
func (s *sight) withoutLeases() *sight {
	records := slices.DeleteFunc(slices.Clone(s.records), func(line string) bool { return strings.Contains(line, "-lease") })
	return &sight{access: s.access, records: records, rest: s.rest}
}

// difference are the lines that only one of the two has, as "-" and "+".
func difference(want, got []string) string {
	var b strings.Builder
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case j == len(got) || i < len(want) && want[i] < got[j]:
			b.WriteString("- " + want[i] + "\n")
			i++
		case i == len(want) || got[j] < want[i]:
			b.WriteString("+ " + got[j] + "\n")
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return b.String()
}

// look reads the state of a mesh through its services, as administrators of its
// accounts. It works on a clone, because the administrators make themselves data
// lake administrators first: nobody else sees everything.
func look(ctx context.Context, mesh *localmesh.Mesh, accounts ...string) (*sight, error) {
	clone, err := mesh.Clone()
	if err != nil {
		return nil, err
	}
	defer func() { _ = clone.Close() }()
	o := &observer{ctx: ctx, mesh: clone, sight: &sight{}, configs: map[string]aws.Config{}, shares: map[string]string{}}
	// The shares first: records name them by identifiers that differ from run to run.
	for _, read := range []func(account string) error{o.settings, o.ram, o.lake, o.filters, o.catalog, o.iam, o.buckets, o.schedules, o.table} {
		for _, a := range accounts {
			if err := read(a); err != nil {
				return nil, fmt.Errorf("look at account %s: %w", a, err)
			}
		}
	}
	for _, lines := range [][]string{o.sight.access, o.sight.records, o.sight.rest} {
		for i := range lines {
			lines[i] = o.anonymous(lines[i])
		}
		slices.Sort(lines)
	}
	return o.sight, nil
}

type observer struct {
	ctx   context.Context // An observer lives as long as one look.
	mesh  *localmesh.Mesh
	sight *sight
	// configs are the administrators' configurations.
	configs map[string]aws.Config
	// shares are what the RAM shares carry, by their ARNs.
	shares map[string]string
}

func (o *observer) config(account string) aws.Config {
	cfg, ok := o.configs[account]
	if !ok {
		cfg = o.mesh.Config(meshtest.Administrator(account))
		o.configs[account] = cfg
	}
	return cfg
}

func (o *observer) access(format string, args ...any) {
	o.sight.access = append(o.sight.access, fmt.Sprintf(format, args...))
}

func (o *observer) note(format string, args ...any) {
	o.sight.rest = append(o.sight.rest, fmt.Sprintf(format, args...))
}

// What differs from run to run: identifiers and times.
var (
	subscriptionID = regexp.MustCompile(`([0-9]{12}-[0-9]{12})-[0-9A-Za-z]{22}\b`)
	timestamps     = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z?(-[0-9A-Za-z]{4}\b)?`)
	hashes         = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	counters       = regexp.MustCompile(`\b(Version|Revision|ImportedRevision|Ended)=[0-9]+`)
	uniqueIDs      = regexp.MustCompile(`\bAROA[A-Z0-9]{16,17}\b`)
	shareARNs      = regexp.MustCompile(`arn:aws:ram:[a-z0-9-]+:[0-9]{12}:resource-share/[0-9a-f-]{36}`)
)

func (o *observer) anonymous(line string) string {
	// Most lines hold nothing of it, and expressions take their time.
	if strings.Contains(line, ":resource-share/") {
		line = shareARNs.ReplaceAllStringFunc(line, func(arn string) string {
			if carried, ok := o.shares[arn]; ok {
				return carried
			}
			return "a share that is gone"
		})
	}
	if strings.Contains(line, "SubscriptionId=") || strings.Contains(line, "Key=") {
		line = subscriptionID.ReplaceAllString(line, "$1-ID")
		line = timestamps.ReplaceAllString(line, "TIME")
		// Histories are chained by hashes, which hold times, and count tries.
		line = hashes.ReplaceAllString(line, "HASH")
		line = counters.ReplaceAllString(line, "$1=N")
	}
	if strings.Contains(line, "AROA") {
		line = uniqueIDs.ReplaceAllString(line, "AROA")
	}
	return line
}

// settings reads the data lake settings, and then makes the observer an
// administrator.
func (o *observer) settings(account string) error {
	client := lakeformation.NewFromConfig(o.config(account))
	out, err := client.GetDataLakeSettings(o.ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	s := *out.DataLakeSettings
	for _, a := range s.DataLakeAdmins {
		o.access("%s lake: %s is a data lake administrator", account, aws.ToString(a.DataLakePrincipalIdentifier))
	}
	others := s
	others.DataLakeAdmins = nil
	o.note("%s lake settings: %s", account, text(others))
	s.DataLakeAdmins = append(slices.Clone(s.DataLakeAdmins), lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))})
	_, err = client.PutDataLakeSettings(o.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &s})
	return err
}

// ram reads the resource shares that an account owns.
func (o *observer) ram(account string) error {
	client := ram.NewFromConfig(o.config(account))
	carried := map[string][]string{}
	for _, kind := range []ramtypes.ResourceShareAssociationType{ramtypes.ResourceShareAssociationTypePrincipal, ramtypes.ResourceShareAssociationTypeResource} {
		pages := ram.NewGetResourceShareAssociationsPaginator(client, &ram.GetResourceShareAssociationsInput{AssociationType: kind})
		for pages.HasMorePages() {
			page, err := pages.NextPage(o.ctx)
			if err != nil {
				return err
			}
			for _, a := range page.ResourceShareAssociations {
				if a.Status == ramtypes.ResourceShareAssociationStatusAssociating {
					// Nothing waits for what carries filters, and it comes about by itself.
					a.Status = ramtypes.ResourceShareAssociationStatusAssociated
				}
				if a.Status != ramtypes.ResourceShareAssociationStatusDisassociated {
					arn := aws.ToString(a.ResourceShareArn)
					carried[arn] = append(carried[arn], aws.ToString(a.AssociatedEntity)+"="+string(a.Status))
				}
			}
		}
	}
	pages := ram.NewGetResourceSharesPaginator(client, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	for pages.HasMorePages() {
		page, err := pages.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, s := range page.ResourceShares {
			if s.Status == ramtypes.ResourceShareStatusDeleted {
				continue
			}
			arn := aws.ToString(s.ResourceShareArn)
			slices.Sort(carried[arn])
			o.shares[arn] = "share[" + strings.Join(carried[arn], " ") + "]"
			o.note("%s ram: %s %s", account, s.Status, o.shares[arn])
		}
	}
	return nil
}

// lake reads grants, registered locations and LF-tags.
func (o *observer) lake(account string) error {
	client := lakeformation.NewFromConfig(o.config(account))
	grants := lakeformation.NewListPermissionsPaginator(client, &lakeformation.ListPermissionsInput{})
	for grants.HasMorePages() {
		page, err := grants.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, p := range page.PrincipalResourcePermissions {
			who := aws.ToString(p.Principal.DataLakePrincipalIdentifier)
			if who == meshtest.Administrator(account) {
				continue
			}
			for _, permission := range p.Permissions {
				o.access("%s lake: %s may %s on %s", account, who, permission, text(p.Resource))
			}
			for _, permission := range p.PermissionsWithGrantOption {
				o.access("%s lake: %s may grant %s on %s", account, who, permission, text(p.Resource))
			}
		}
	}
	locations := lakeformation.NewListResourcesPaginator(client, &lakeformation.ListResourcesInput{})
	for locations.HasMorePages() {
		page, err := locations.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, r := range page.ResourceInfoList {
			r.LastModified = nil
			o.note("%s location: %s", account, text(r))
		}
	}
	tags := lakeformation.NewListLFTagsPaginator(client, &lakeformation.ListLFTagsInput{})
	for tags.HasMorePages() {
		page, err := tags.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, t := range page.LFTags {
			slices.Sort(t.TagValues)
			o.note("%s tag: %s", account, text(t))
		}
	}
	return nil
}

// catalog reads databases, tables and partitions, crawlers and the catalog's policy.
func (o *observer) catalog(account string) error {
	client := glue.NewFromConfig(o.config(account))
	lake := lakeformation.NewFromConfig(o.config(account))
	policy, err := client.GetResourcePolicy(o.ctx, &glue.GetResourcePolicyInput{})
	if err != nil && !awserr.NotFound(err) {
		return err
	}
	if err == nil {
		o.access("%s catalog policy: %s", account, document(aws.ToString(policy.PolicyInJson)))
	}
	databases := glue.NewGetDatabasesPaginator(client, &glue.GetDatabasesInput{})
	for databases.HasMorePages() {
		page, err := databases.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, d := range page.DatabaseList {
			d.CreateTime = nil
			o.note("%s database: %s", account, text(d))
			if d.TargetDatabase != nil {
				continue
			}
			if err := o.tables(account, client, lake, aws.ToString(d.Name)); err != nil {
				return err
			}
		}
	}
	crawlers := glue.NewGetCrawlersPaginator(client, &glue.GetCrawlersInput{})
	for crawlers.HasMorePages() {
		page, err := crawlers.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, c := range page.Crawlers {
			c.CreationTime, c.LastUpdated, c.CrawlElapsedTime, c.LastCrawl, c.Version = nil, nil, 0, nil, 0
			o.note("%s crawler: %s", account, text(c))
		}
	}
	return nil
}

func (o *observer) tables(account string, client *glue.Client, lake *lakeformation.Client, database string) error {
	tables := glue.NewGetTablesPaginator(client, &glue.GetTablesInput{DatabaseName: aws.String(database)})
	for tables.HasMorePages() {
		page, err := tables.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, t := range page.TableList {
			t.CreateTime, t.UpdateTime, t.VersionId = nil, nil, nil
			o.note("%s table: %s", account, text(t))
			if t.TargetTable != nil {
				continue
			}
			name := aws.ToString(t.Name)
			tagged, err := lake.GetResourceLFTags(o.ctx, &lakeformation.GetResourceLFTagsInput{
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(database), Name: aws.String(name)}}})
			if err != nil {
				return err
			}
			for _, tag := range tagged.LFTagsOnTable {
				o.note("%s table %s.%s has the tag %s=%v", account, database, name, aws.ToString(tag.TagKey), tag.TagValues)
			}
			if len(t.PartitionKeys) > 0 {
				if err := o.partitions(account, client, database, name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (o *observer) partitions(account string, client *glue.Client, database, table string) error {
	// Even an administrator sees partitions only if it may read the table.
	_, err := lakeformation.NewFromConfig(o.config(account)).GrantPermissions(o.ctx, &lakeformation.GrantPermissionsInput{
		Principal:   &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))},
		Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		Resource:    &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(database), Name: aws.String(table)}}})
	if err != nil {
		return err
	}
	pages := glue.NewGetPartitionsPaginator(client, &glue.GetPartitionsInput{DatabaseName: aws.String(database), TableName: aws.String(table)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, p := range page.Partitions {
			location := ""
			if p.StorageDescriptor != nil {
				location = aws.ToString(p.StorageDescriptor.Location)
			}
			o.note("%s partition: %s.%s %v at %s, %v", account, database, table, p.Values, location, p.Parameters)
		}
	}
	return nil
}

// iam reads roles, whom they trust, and their policies.
func (o *observer) iam(account string) error {
	client := iam.NewFromConfig(o.config(account))
	pages := iam.NewListRolesPaginator(client, &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Roles {
			arn := aws.ToString(r.Arn)
			o.access("%s trusts %s", arn, document(aws.ToString(r.AssumeRolePolicyDocument)))
			inline, err := client.ListRolePolicies(o.ctx, &iam.ListRolePoliciesInput{RoleName: r.RoleName})
			if err != nil {
				return err
			}
			for _, name := range inline.PolicyNames {
				policy, err := client.GetRolePolicy(o.ctx, &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: aws.String(name)})
				if err != nil {
					return err
				}
				o.access("%s has %s: %s", arn, name, document(aws.ToString(policy.PolicyDocument)))
			}
			attached, err := client.ListAttachedRolePolicies(o.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
			if err != nil {
				return err
			}
			for _, p := range attached.AttachedPolicies {
				o.access("%s has %s", arn, aws.ToString(p.PolicyArn))
			}
			o.note("role %s: %d seconds, %s", arn, aws.ToInt32(r.MaxSessionDuration), aws.ToString(r.Description))
		}
	}
	return nil
}

// buckets reads the policies of buckets: what they open to the mesh's role, and
// the whole of them.
func (o *observer) buckets(account string) error {
	client := identity.S3(o.config(account))
	out, err := client.ListBuckets(o.ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	for _, b := range out.Buckets {
		policy, err := client.GetBucketPolicy(o.ctx, &s3.GetBucketPolicyInput{Bucket: b.Name})
		if awserr.Is(err, "NoSuchBucketPolicy") {
			continue
		}
		if err != nil {
			return err
		}
		if err := o.opened(account, aws.ToString(b.Name), aws.ToString(policy.Policy)); err != nil {
			return err
		}
		o.note("%s bucket %s: %s", account, aws.ToString(b.Name), document(aws.ToString(policy.Policy)))
	}
	return nil
}

// opened are the rights that a bucket's policy gives, one by one.
func (o *observer) opened(account, bucket, policy string) error {
	var d struct {
		Statement []struct {
			Effect    string
			Principal struct{ AWS listed }
			Action    listed
			Resource  listed
			Condition map[string]map[string]listed
		}
	}
	if err := json.Unmarshal([]byte(policy), &d); err != nil {
		return err
	}
	for _, s := range d.Statement {
		prefixes := s.Condition["StringLike"]["s3:prefix"]
		if len(prefixes) == 0 {
			prefixes = listed{"*"}
		}
		for _, who := range s.Principal.AWS {
			for _, action := range s.Action {
				for _, resource := range s.Resource {
					for _, prefix := range prefixes {
						o.access("%s bucket %s: %s %s %s on %s with prefix %s", account, bucket, s.Effect, who, action, resource, prefix)
					}
				}
			}
		}
	}
	return nil
}

// listed is a list in which one element may stand for itself.
type listed []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *listed) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = listed{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// table reads the subscriptions and how their table is set up.
func (o *observer) table(account string) error {
	if account != meshAccount {
		return nil
	}
	for _, name := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
		if err := o.tableOf(dynamodb.NewFromConfig(o.config(account)), aws.String(name)); err != nil {
			return err
		}
	}
	return nil
}

func (o *observer) tableOf(client *dynamodb.Client, name *string) error {
	out, err := client.DescribeTable(o.ctx, &dynamodb.DescribeTableInput{TableName: name})
	if awserr.Is(err, "ResourceNotFoundException") {
		return nil
	}
	if err != nil {
		return err
	}
	d := out.Table
	d.CreationDateTime, d.TableId, d.LatestStreamArn, d.LatestStreamLabel = nil, nil, nil, nil
	d.ItemCount, d.TableSizeBytes, d.ProvisionedThroughput, d.BillingModeSummary = nil, nil, nil, nil
	slices.SortFunc(d.GlobalSecondaryIndexes, func(a, b ddbtypes.GlobalSecondaryIndexDescription) int {
		return strings.Compare(aws.ToString(a.IndexName), aws.ToString(b.IndexName))
	})
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].ItemCount, d.GlobalSecondaryIndexes[i].IndexSizeBytes = nil, nil
	}
	o.note("table: %s", text(d))
	backups, err := client.DescribeContinuousBackups(o.ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: name})
	if err != nil {
		return err
	}
	if p := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription; p != nil {
		o.note("table: point-in-time recovery %s", p.PointInTimeRecoveryStatus)
	}
	items := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: name, ConsistentRead: aws.Bool(true)})
	for items.HasMorePages() {
		page, err := items.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if aws.ToString(name) == lakemesh.SubscriptionsTable {
				// What an owner mirrors into a request decides nothing, and may be missing.
				for _, mirrored := range tracker.MirrorAttributes() {
					if mirrored != "SubscriptionId" {
						delete(item, mirrored)
					}
				}
			}
			o.sight.records = append(o.sight.records, attribute(&ddbtypes.AttributeValueMemberM{Value: item}))
		}
	}
	return nil
}

// attribute writes a value of DynamoDB, sets and maps in order.
func attribute(v ddbtypes.AttributeValue) string {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		return v.Value
	case *ddbtypes.AttributeValueMemberN:
		return v.Value
	case *ddbtypes.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *ddbtypes.AttributeValueMemberSS:
		return fmt.Sprintf("{%s}", strings.Join(slices.Sorted(slices.Values(v.Value)), " "))
	case *ddbtypes.AttributeValueMemberL:
		parts := make([]string, len(v.Value))
		for i, e := range v.Value {
			parts[i] = attribute(e)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *ddbtypes.AttributeValueMemberM:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v.Value)) {
			parts = append(parts, k+"="+attribute(v.Value[k]))
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%T", v)
}

// text writes a value of the SDK as JSON, without what is empty.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return document(string(data))
}

// document writes JSON with its members in order, without what is empty. The
// order of a policy's lists means nothing.
func document(data string) string {
	var v any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		return data
	}
	out, err := json.Marshal(tidy(v))
	if err != nil {
		return data
	}
	return string(out)
}

func tidy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e = tidy(e); e == nil {
				delete(v, k)
			} else {
				v[k] = e
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		words := !slices.ContainsFunc(v, func(e any) bool { _, ok := e.(string); return !ok })
		if words {
			slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		for i, e := range v {
			v[i] = tidy(e)
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}
