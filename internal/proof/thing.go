package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// Kind is a kind of thing.
type Kind string

// The kinds of things that a run makes.
const (
	kindRole       Kind = "role"
	kindPolicy     Kind = "policy"
	kindSettings   Kind = "data lake settings"
	kindBucket     Kind = "bucket"
	kindDatabase   Kind = "database"
	kindLocation   Kind = "registered location"
	kindTag        Kind = "LF-tag"
	kindExpression Kind = "LF-tag expression"
	kindRecords    Kind = "DynamoDB table"
	kindSchedules  Kind = "schedule group"
	kindQueue      Kind = "queue"
	kindWorkGroup  Kind = "work group"
	kindGrant      Kind = "grant on the catalog"
	kindShare      Kind = "resource share"
	kindMesh       Kind = "mesh"
)

// remover removes things of one account. Its administrator is a data lake administrator while the
// run's role is there, and else whoever the profile is.
type remover struct {
	account       *Account
	administrator aws.Config
	run           string
	// lived tells that the run began a life, whose mesh has settings of its own.
	lived bool
}

// remove removes a thing. What is not there is as wanted.
func (r *remover) remove(ctx context.Context, t Thing) error {
	var err error
	switch t.Kind {
	case kindRole:
		err = r.removeRole(ctx, t.Name)
	case kindPolicy:
		err = r.removePolicy(ctx, t.Name)
	case kindSettings:
		err = r.restoreSettings(ctx, t.More)
	case kindBucket:
		err = r.removeBucket(ctx, t.Name)
	case kindDatabase:
		err = r.removeDatabase(ctx, t.Name)
	case kindLocation:
		err = r.removeLocation(ctx, t.Name)
	case kindTag:
		err = r.removeTag(ctx, t.Name)
	case kindExpression:
		_, err = lake(r.administrator).DeleteLFTagExpression(ctx, &lakeformation.DeleteLFTagExpressionInput{Name: &t.Name})
	case kindRecords:
		err = r.removeRecords(ctx, t.Name)
	case kindSchedules:
		_, err = schedulerOf(r.account.config).DeleteScheduleGroup(ctx, &scheduler.DeleteScheduleGroupInput{Name: &t.Name})
	case kindQueue:
		err = r.removeQueue(ctx, t.Name)
	case kindShare:
		err = r.removeShare(ctx, t.Name)
	case kindWorkGroup:
		_, err = athenaOf(r.account.config).DeleteWorkGroup(ctx, &athena.DeleteWorkGroupInput{WorkGroup: &t.Name, RecursiveDeleteOption: aws.Bool(true)})
		if awserr.Is(err, "InvalidRequestException") && awserr.Says(err, "is not found") {
			err = nil
		}
	case kindGrant:
		err = r.revokeAll(ctx, &lakeformation.ListPermissionsInput{ResourceType: lftypes.DataLakeResourceTypeCatalog})
	default:
		err = fmt.Errorf("nobody knows how to remove it")
	}
	if err != nil && !gone(err) {
		return fmt.Errorf("remove %s: %w", t, err)
	}
	return nil
}

// gone tells that a thing is not there.
func gone(err error) bool {
	return awserr.Is(err, "NoSuchEntity", "EntityNotFoundException", "NoSuchBucket", "ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
}

func (r *remover) removeRole(ctx context.Context, name string) error {
	client := iamOf(r.account.config)
	inline := iam.NewListRolePoliciesPaginator(client, &iam.ListRolePoliciesInput{RoleName: &name})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, policy := range page.PolicyNames {
			if _, err := client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &policy}); err != nil && !gone(err) {
				return err
			}
		}
	}
	attached := iam.NewListAttachedRolePoliciesPaginator(client, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	for attached.HasMorePages() {
		page, err := attached.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, policy := range page.AttachedPolicies {
			if _, err := client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: policy.PolicyArn}); err != nil && !gone(err) {
				return err
			}
		}
	}
	_, err := client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	if gone(err) {
		// A role that was made a moment ago is read before it can be changed.
		if _, there := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}); there == nil {
			return errors.Join(errBusy, err)
		}
	}
	return err
}

func (r *remover) removePolicy(ctx context.Context, name string) error {
	client, arn := iamOf(r.account.config), partition+"iam::"+r.account.ID+":policy/"+name
	versions, err := client.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	if err != nil {
		return err
	}
	for _, v := range versions.Versions {
		if v.IsDefaultVersion {
			continue
		}
		if _, err := client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: v.VersionId}); err != nil && !gone(err) {
			return err
		}
	}
	_, err = client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn})
	return err
}

// restoreSettings puts the data lake settings back: the run's administrators go, and what the mesh
// of a life sets is what it was before, where it is still as the mesh set it. What others changed
// meanwhile stays.
func (r *remover) restoreSettings(ctx context.Context, before json.RawMessage) error {
	var old lftypes.DataLakeSettings
	if err := json.Unmarshal(before, &old); err != nil {
		return err
	}
	client := lake(r.account.config)
	out, err := client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	now := out.DataLakeSettings
	wanted := *now
	wanted.DataLakeAdmins = r.others(old.DataLakeAdmins, now.DataLakeAdmins)
	if r.lived && len(now.CreateDatabaseDefaultPermissions) == 0 {
		wanted.CreateDatabaseDefaultPermissions = old.CreateDatabaseDefaultPermissions
	}
	if r.lived && len(now.CreateTableDefaultPermissions) == 0 {
		wanted.CreateTableDefaultPermissions = old.CreateTableDefaultPermissions
	}
	if r.lived && aws.ToBool(now.AllowFullTableExternalDataAccess) {
		wanted.AllowFullTableExternalDataAccess = old.AllowFullTableExternalDataAccess
	}
	lowered := old.Parameters[sharingVersion]
	if r.lived && lowered != "" && lowered < now.Parameters[sharingVersion] {
		wanted.Parameters = maps.Clone(now.Parameters)
		wanted.Parameters[sharingVersion] = lowered
	}
	if sameSettings(&wanted, now) {
		return nil
	}
	_, err = putSettings(ctx, client, &wanted)
	if awserr.Is(err, "InvalidInputException") && wanted.Parameters[sharingVersion] != now.Parameters[sharingVersion] {
		// AWS tells the way up alone.
		wanted.Parameters = now.Parameters
		_, err = putSettings(ctx, client, &wanted)
	}
	return err
}

// others are administrators without those of the run: the ones from before, then those that somebody added since.
func (r *remover) others(before, now []lftypes.DataLakePrincipal) []lftypes.DataLakePrincipal {
	list := slices.Clone(before)
	for _, p := range now {
		arn := aws.ToString(p.DataLakePrincipalIdentifier)
		ours := strings.Contains(arn, ":role/"+prefix(r.run)) || strings.Contains(arn, ":role"+lakemesh.IAMPath)
		known := slices.ContainsFunc(before, func(b lftypes.DataLakePrincipal) bool { return aws.ToString(b.DataLakePrincipalIdentifier) == arn })
		if !ours && !known {
			list = append(list, p)
		}
	}
	return list
}

func sameSettings(a, b *lftypes.DataLakeSettings) bool {
	// As JSON: an empty list and none are the same.
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && reflect.DeepEqual(emptied(x), emptied(y))
}

func emptied(data []byte) map[string]any {
	var m map[string]any
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	for k, v := range m {
		if list, ok := v.([]any); v == nil || ok && len(list) == 0 && !strings.HasSuffix(k, "DefaultPermissions") {
			delete(m, k)
		}
	}
	return m
}

// putSettings writes settings as they were read. Whether AWS takes SET_CONTEXT back, with which it
// is read, is not sure: where it does not, it is left out. taken tells which, and is empty where the
// settings have none.
func putSettings(ctx context.Context, client *lakeformation.Client, s *lftypes.DataLakeSettings) (taken string, err error) {
	_, err = client.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s})
	_, has := s.Parameters[setContext]
	switch {
	case !has:
		return "", err
	case err == nil:
		return "accepted", nil
	case !awserr.Is(err, "InvalidInputException") || !awserr.Says(err, setContext):
		return "", err
	}
	without := *s
	without.Parameters = map[string]string{}
	for k, v := range s.Parameters {
		if k != setContext {
			without.Parameters[k] = v
		}
	}
	_, err = client.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &without})
	return "refused", err
}

const setContext = "SET_CONTEXT"

func (r *remover) removeBucket(ctx context.Context, name string) error {
	client := s3Of(r.account.config)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var keys []s3types.ObjectIdentifier
		for _, o := range page.Contents {
			keys = append(keys, s3types.ObjectIdentifier{Key: o.Key})
		}
		if len(keys) == 0 {
			continue
		}
		out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &s3types.Delete{Objects: keys, Quiet: aws.Bool(true)}})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			return awserr.New(aws.ToString(out.Errors[0].Code), aws.ToString(out.Errors[0].Message))
		}
	}
	_, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return err
}

// removeDatabase revokes everything on a database and what is in it, as shares stay where a
// database goes before its grants, and deletes it.
func (r *remover) removeDatabase(ctx context.Context, name string) error {
	client := glueOf(r.administrator)
	found, err := client.GetDatabase(ctx, &glue.GetDatabaseInput{Name: &name})
	if err != nil {
		return err
	}
	if found.Database.TargetDatabase == nil {
		if err := r.emptyDatabase(ctx, name); err != nil {
			return err
		}
	} else if err := r.mayDrop(ctx, &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: &name}}); err != nil {
		return err
	}
	_, err = client.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: &name})
	return err
}

func (r *remover) emptyDatabase(ctx context.Context, name string) error {
	pages := glue.NewGetTablesPaginator(glueOf(r.administrator), &glue.GetTablesInput{DatabaseName: &name})
	var tables []gluetypes.Table
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		tables = append(tables, page.TableList...)
	}
	for _, t := range tables {
		on := &lftypes.TableResource{DatabaseName: &name, Name: t.Name}
		if t.TargetTable == nil {
			if err := r.removeFilters(ctx, on); err != nil {
				return err
			}
		}
		if err := r.revokeAll(ctx, &lakeformation.ListPermissionsInput{Resource: &lftypes.Resource{Table: on}}); err != nil {
			return err
		}
		if err := r.optOutAll(ctx, &lftypes.Resource{Table: on}); err != nil {
			return err
		}
	}
	all := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &name, TableWildcard: &lftypes.TableWildcard{}}}
	database := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: &name}}
	for _, on := range []*lftypes.Resource{all, database} {
		if err := r.revokeAll(ctx, &lakeformation.ListPermissionsInput{Resource: on}); err != nil {
			return err
		}
		if err := r.optOutAll(ctx, on); err != nil {
			return err
		}
	}
	for _, t := range tables {
		on := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &name, Name: t.Name}}
		if err := r.mayDrop(ctx, on); err != nil {
			return err
		}
		if _, err := glueOf(r.administrator).DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: &name, Name: t.Name}); err != nil && !gone(err) {
			return err
		}
	}
	return r.mayDrop(ctx, database)
}

// mayDrop lets the run's administrator drop what somebody else may have made: a data lake
// administrator grants itself that. Where no administrator of the run is there, IAM may do.
func (r *remover) mayDrop(ctx context.Context, on *lftypes.Resource) error {
	me := r.account.role(prefix(r.run) + "-admin")
	_, err := lake(r.administrator).GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &me}, Resource: on, Permissions: []lftypes.Permission{lftypes.PermissionDrop}})
	if awserr.Is(err, "AccessDeniedException", "InvalidInputException") {
		// Dropping it tells whether that is in the way.
		return nil
	}
	return err
}

func (r *remover) removeFilters(ctx context.Context, on *lftypes.TableResource) error {
	client := lake(r.administrator)
	on = &lftypes.TableResource{CatalogId: &r.account.ID, DatabaseName: on.DatabaseName, Name: on.Name}
	pages := lakeformation.NewListDataCellsFilterPaginator(client, &lakeformation.ListDataCellsFilterInput{Table: on})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, f := range page.DataCellsFilters {
			if err := r.revokeAll(ctx, &lakeformation.ListPermissionsInput{Resource: &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{
				TableCatalogId: f.TableCatalogId, DatabaseName: f.DatabaseName, TableName: f.TableName, Name: f.Name}}}); err != nil {
				return err
			}
			if _, err := client.DeleteDataCellsFilter(ctx, &lakeformation.DeleteDataCellsFilterInput{TableCatalogId: f.TableCatalogId, DatabaseName: f.DatabaseName,
				TableName: f.TableName, Name: f.Name}); err != nil && !gone(err) && !awserr.Denied(err) {
				return err
			}
		}
	}
	return nil
}

// revokeAll revokes what a listing has, but for what the run's own administrator made and holds,
// which goes with it. What is implied and not granted cannot be revoked, and is passed over.
func (r *remover) revokeAll(ctx context.Context, in *lakeformation.ListPermissionsInput) error {
	return r.revokeBut(ctx, in, nil)
}

// revokeBut is revokeAll without what some principals hold.
func (r *remover) revokeBut(ctx context.Context, in *lakeformation.ListPermissionsInput, but func(who string) bool) error {
	client := lake(r.administrator)
	var rows []lftypes.PrincipalResourcePermissions
	pages := lakeformation.NewListPermissionsPaginator(client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if gone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		rows = append(rows, page.PrincipalResourcePermissions...)
	}
	for _, row := range rows {
		who := aws.ToString(row.Principal.DataLakePrincipalIdentifier)
		if row.Resource.Catalog != nil && !isOursIn(who) {
			// On the catalog others have grants, too.
			continue
		}
		if but != nil && but(who) {
			continue
		}
		_, err := client.RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{Principal: row.Principal, Resource: row.Resource,
			Permissions: row.Permissions, PermissionsWithGrantOption: row.PermissionsWithGrantOption})
		if err != nil && !gone(err) && !awserr.Is(err, "InvalidInputException", "AccessDeniedException") {
			return err
		}
	}
	return nil
}

// isOursIn reports whether a principal is a role of a run, or of the mesh of its life.
func isOursIn(arn string) bool {
	return isOurs(arn[strings.LastIndexByte(arn, '/')+1:]) || strings.Contains(arn, ":role"+lakemesh.IAMPath)
}

func (r *remover) optOutAll(ctx context.Context, on *lftypes.Resource) error {
	client := lake(r.administrator)
	pages := lakeformation.NewListLakeFormationOptInsPaginator(client, &lakeformation.ListLakeFormationOptInsInput{Resource: on})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if gone(err) || awserr.Is(err, "InvalidInputException") {
				return nil
			}
			return err
		}
		for _, o := range page.LakeFormationOptInsInfoList {
			if _, err := client.DeleteLakeFormationOptIn(ctx, &lakeformation.DeleteLakeFormationOptInInput{Principal: o.Principal, Resource: o.Resource}); err != nil && !gone(err) {
				return err
			}
		}
	}
	return nil
}

func (r *remover) removeLocation(ctx context.Context, arn string) error {
	if err := r.revokeAll(ctx, &lakeformation.ListPermissionsInput{Resource: &lftypes.Resource{DataLocation: &lftypes.DataLocationResource{ResourceArn: &arn}}}); err != nil && !awserr.Denied(err) {
		return err
	}
	_, err := lake(r.administrator).DeregisterResource(ctx, &lakeformation.DeregisterResourceInput{ResourceArn: &arn})
	return err
}

// removeTag revokes what was granted on an LF-tag and by it, and deletes it.
func (r *remover) removeTag(ctx context.Context, key string) error {
	client := lake(r.administrator)
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeLfTag, lftypes.DataLakeResourceTypeLfTagPolicy,
		lftypes.DataLakeResourceTypeLfTagPolicyDatabase, lftypes.DataLakeResourceTypeLfTagPolicyTable} {
		pages := lakeformation.NewListPermissionsPaginator(client, &lakeformation.ListPermissionsInput{ResourceType: kind})
		var rows []lftypes.PrincipalResourcePermissions
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			rows = append(rows, page.PrincipalResourcePermissions...)
		}
		for _, row := range rows {
			if !names(row.Resource, key) {
				continue
			}
			_, err := client.RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{Principal: row.Principal, Resource: row.Resource,
				Permissions: row.Permissions, PermissionsWithGrantOption: row.PermissionsWithGrantOption})
			if err != nil && !gone(err) && !awserr.Is(err, "InvalidInputException", "AccessDeniedException") {
				return err
			}
		}
	}
	_, err := client.DeleteLFTag(ctx, &lakeformation.DeleteLFTagInput{TagKey: &key})
	return err
}

// names reports whether a resource names an LF-tag.
func names(on *lftypes.Resource, key string) bool {
	if on.LFTag != nil {
		return aws.ToString(on.LFTag.TagKey) == key
	}
	return on.LFTagPolicy != nil && slices.ContainsFunc(on.LFTagPolicy.Expression, func(t lftypes.LFTag) bool { return aws.ToString(t.TagKey) == key })
}

func (r *remover) removeRecords(ctx context.Context, name string) error {
	client := dynamoOf(r.account.config)
	_, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)})
	if err != nil && !awserr.Is(err, "ValidationException", "ResourceInUseException") {
		return err
	}
	_, err = client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	if awserr.Is(err, "ResourceInUseException") {
		// It is being deleted, or not yet made: whoever waits looks again.
		return errors.Join(errBusy, err)
	}
	return err
}

// errBusy tells that a thing is on its way: it is removed by who looks again.
var errBusy = errors.New("it is still being made or removed")

func (r *remover) removeQueue(ctx context.Context, name string) error {
	client := sqsOf(r.account.config)
	out, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return err
	}
	_, err = client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
	return err
}

// sharedARNs are the resources of the shares of an account, by share.
func (r *remover) sharedARNs(ctx context.Context) (map[string][]string, error) {
	found := map[string][]string{}
	pages := ram.NewGetResourceShareAssociationsPaginator(ramOf(r.account.config), &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypeResource})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.ResourceShareAssociations {
			if a.Status != ramtypes.ResourceShareAssociationStatusDisassociated && a.Status != ramtypes.ResourceShareAssociationStatusDisassociating {
				share := aws.ToString(a.ResourceShareArn)
				found[share] = append(found[share], aws.ToString(a.AssociatedEntity))
			}
		}
	}
	return found, nil
}

// removeShare takes a run's databases and tables out of a share, which goes with them where it
// carries nothing else: a share stays where a table went before its grants.
func (r *remover) removeShare(ctx context.Context, share string) error {
	all, err := r.sharedARNs(ctx)
	if err != nil {
		return err
	}
	var ours []string
	for _, arn := range all[share] {
		if isShared(arn, prefix(r.run)) {
			ours = append(ours, arn)
		}
	}
	client := ramOf(r.account.config)
	if len(ours) < len(all[share]) {
		_, err = client.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &share, ResourceArns: ours})
		return err
	}
	_, err = client.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
	return err
}

// isShared reports whether the ARN of a database or a table names one whose name begins so.
func isShared(arn, begin string) bool { return strings.Contains(arn, "/"+begin) }
