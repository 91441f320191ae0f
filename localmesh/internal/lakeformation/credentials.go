package lakeformation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/using-cred-vending.html

// trustedCallerTag is the session tag with which a query engine shows that it
// filters columns and rows itself.
const trustedCallerTag = "LakeFormationAuthorizedCaller"

// order is what is asked for: access to the data of a table.
type order struct {
	arn       *string
	perms     []types.Permission
	supported []types.PermissionType
	seconds   *int32
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetTemporaryGlueTableCredentials.html
func getTemporaryGlueTableCredentials(c *engine.Call, in *lakeformation.GetTemporaryGlueTableCredentialsInput) (*lakeformation.GetTemporaryGlueTableCredentialsOutput, error) {
	if err := c.Allow("lakeformation:GetTemporaryGlueTableCredentials"); err != nil {
		return nil, err
	}
	o := order{arn: in.TableArn, perms: in.Permissions, supported: in.SupportedPermissionTypes, seconds: in.DurationSeconds}
	t, perms, err := access(c, o)
	if err != nil {
		return nil, err
	}
	path, ok := s3path(t.Location())
	if !ok {
		return nil, invalid("The table %s has no location in Amazon S3.", t.Name)
	}
	if in.S3Path != nil {
		wanted, ok := s3path(*in.S3Path)
		if !ok || !under(wanted, path) {
			return nil, invalid("The path %s is not in the location of the table.", *in.S3Path)
		}
		path = wanted
	}
	s, err := vend(c, t.Account, path, perms, o.seconds)
	if err != nil {
		return nil, err
	}
	return &lakeformation.GetTemporaryGlueTableCredentialsOutput{
		AccessKeyId: aws.String(s.AccessKeyID), SecretAccessKey: aws.String(s.Secret), SessionToken: aws.String(s.Token),
		Expiration: aws.Time(s.Expires), VendedS3Path: []string{"s3://" + path},
	}, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetTemporaryGluePartitionCredentials.html
func getTemporaryGluePartitionCredentials(c *engine.Call, in *lakeformation.GetTemporaryGluePartitionCredentialsInput) (*lakeformation.GetTemporaryGluePartitionCredentialsOutput, error) {
	if err := c.Allow("lakeformation:GetTemporaryGluePartitionCredentials"); err != nil {
		return nil, err
	}
	o := order{arn: in.TableArn, perms: in.Permissions, supported: in.SupportedPermissionTypes, seconds: in.DurationSeconds}
	t, perms, err := access(c, o)
	if err != nil {
		return nil, err
	}
	if in.Partition == nil || len(in.Partition.Values) != len(t.PartitionKeys) || len(t.PartitionKeys) == 0 {
		return nil, invalid("The number of partition values does not match the number of partition keys.")
	}
	_, storage, found, err := state.GetPartition(c.Tx, t, in.Partition.Values)
	if err != nil {
		return nil, err
	}
	if !found || storage == nil {
		return nil, notFound("Partition not found: %v", in.Partition.Values)
	}
	// Access by Lake Formation ends at the table's location, so a partition that
	// lies elsewhere cannot be read through it.
	table, _ := s3path(t.Location())
	path, ok := s3path(storage.Location)
	if !ok || !under(path, table) {
		return nil, c.Denied("The location of the partition is not in the location of the table.")
	}
	s, err := vend(c, t.Account, path, perms, o.seconds)
	if err != nil {
		return nil, err
	}
	return &lakeformation.GetTemporaryGluePartitionCredentialsOutput{
		AccessKeyId: aws.String(s.AccessKeyID), SecretAccessKey: aws.String(s.Secret), SessionToken: aws.String(s.Token), Expiration: aws.Time(s.Expires),
	}, nil
}

// access finds the table of an order and refuses unless the caller may have its
// data: IAM's lakeformation:GetDataAccess, Lake Formation's permissions, and the
// owner's consent to engines from outside.
func access(c *engine.Call, o order) (state.Table, []string, error) {
	if err := c.Allow("lakeformation:GetDataAccess"); err != nil {
		return state.Table{}, nil, err
	}
	r, err := tableOfARN(c, aws.ToString(o.arn))
	if err != nil {
		return state.Table{}, nil, err
	}
	perms, err := names(o.perms)
	if err != nil {
		return state.Table{}, nil, err
	}
	if len(perms) == 0 {
		perms = []string{selecting}
	}
	if bad := without(perms, tablePermissions); len(bad) > 0 {
		return state.Table{}, nil, invalid("Invalid permissions for a table: %v", bad)
	}
	if len(within(perms, []string{super, selecting, insert, deleting})) == 0 {
		return state.Table{}, nil, c.Denied("Insufficient Lake Formation permission(s): Required Select on " + r.Table)
	}
	supported := make([]string, len(o.supported))
	for i, s := range o.supported {
		supported[i] = string(s)
	}
	if err := checkSupported(supported); err != nil {
		return state.Table{}, nil, err
	}
	h, err := callerHolds(c, r)
	if err != nil {
		return state.Table{}, nil, err
	}
	t, found, err := state.GetTable(c.Tx, r.Account, r.Region, r.Database, r.Table)
	if err != nil {
		return t, nil, err
	}
	if missing := without(perms, h.perms); len(missing) > 0 {
		return t, nil, c.Denied("Insufficient Lake Formation permission(s): Required " + spoken(missing[0]) + " on " + r.Table)
	}
	if !found {
		return t, nil, notFound("Table not found: %s", r.Table)
	}
	if t.IsLink() {
		return t, nil, invalid("%s is a resource link. Name the table that it points at.", t.Name)
	}
	if t.Storage != nil && t.Storage.Schema != nil {
		// https://docs.aws.amazon.com/lake-formation/latest/dg/limitations.html
		return t, nil, invalid("The schema of %s is in a schema registry, which Lake Formation does not support.", t.Name)
	}
	reads := everything
	if len(within(perms, []string{super, selecting})) > 0 {
		reads = h.reads
	}
	return t, perms, enforceable(c, t, reads, supported)
}

// tableOfARN reads arn:aws:glue:<region>:<account>:table/<database>/<table>.
func tableOfARN(c *engine.Call, arn string) (state.Resource, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "glue" || !isAccount(parts[4]) {
		return state.Resource{}, invalid("Invalid table ARN: %s", arn)
	}
	names := strings.Split(parts[5], "/")
	if len(names) != 3 || names[0] != "table" || names[1] == "" || names[2] == "" {
		return state.Resource{}, invalid("Invalid table ARN: %s", arn)
	}
	if parts[3] != c.Region {
		return state.Resource{}, invalid("The table %s is not in this Region.", arn)
	}
	return state.Resource{Account: parts[4], Region: parts[3], Database: state.Fold(names[1]), Table: state.Fold(names[2])}, nil
}

// vend makes a session of the role that serves the path, cut down to what was
// asked for below the path.
func vend(c *engine.Call, owner, path string, perms []string, seconds *int32) (state.Session, error) {
	life := int32(3600)
	if seconds != nil {
		life = *seconds
	}
	if life < 900 || life > 21_600 {
		return state.Session{}, invalid("DurationSeconds must be between 900 and 21600.")
	}
	l, found, err := registration(c, owner, path)
	if err != nil {
		return state.Session{}, err
	}
	if !found {
		return state.Session{}, invalid("The location s3://%s is not registered with Lake Formation.", path)
	}
	account, _, name, _ := state.SplitPrincipalARN(l.Role)
	role, found, err := state.ReadRole(c.Tx, account, name)
	if err != nil {
		return state.Session{}, err
	}
	if found {
		if found, err = trusts(c, role, "lakeformation", l.Account); err != nil {
			return state.Session{}, err
		}
	}
	if !found {
		return state.Session{}, c.Denied("Lake Formation is not authorized to assume the role " + l.Role)
	}
	policy, err := scope(c.Region, path, perms)
	if err != nil {
		return state.Session{}, err
	}
	s := state.Session{
		AccessKeyID: c.Mesh.ID("ASIA", 16), Secret: c.Mesh.Secret(40), Token: c.Mesh.Secret(120), Account: account, Role: role.Name, RoleID: role.ID,
		Name: c.Mesh.ID("AWSLF-00-AT-"+c.Account()+"-", 10), Issued: c.Now, Expires: c.Now.Add(time.Duration(life) * time.Second),
		Policies: []string{policy}, Issuer: "lakeformation.amazonaws.com",
	}
	return s, state.PutSession(c.Tx, s)
}

// scope is the session policy that ends access at a path.
func scope(region, path string, perms []string) (string, error) {
	// A path may have characters that a policy would take for wildcards.
	path = strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}").Replace(path)
	bucket, prefix, _ := strings.Cut(path, "/")
	type statement struct {
		Effect    string
		Action    []string
		Resource  string
		Condition map[string]map[string][]string `json:",omitempty"`
	}
	objects := []string{"s3:GetObject"}
	writes := slices.Contains(perms, super)
	if writes || slices.Contains(perms, insert) {
		objects = append(objects, "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
	}
	if writes || slices.Contains(perms, deleting) {
		objects = append(objects, "s3:DeleteObject")
	}
	list := statement{Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: "arn:aws:s3:::" + bucket}
	if prefix != "" {
		list.Condition = map[string]map[string][]string{"StringLike": {"s3:prefix": {prefix, prefix + "/", prefix + "/*"}}}
	}
	keys := []string{"kms:Decrypt"}
	if slices.Contains(objects, "s3:PutObject") {
		keys = append(keys, "kms:GenerateDataKey")
	}
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []statement{
		{Effect: "Allow", Action: objects, Resource: "arn:aws:s3:::" + path + "/*"}, list,
		// Which keys is for the role's own policy and the keys' to say.
		{Effect: "Allow", Action: keys, Resource: "*", Condition: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {lakemesh.S3Service(region)}}}},
		{Effect: "Allow", Action: []string{"s3:GetBucketLocation"}, Resource: "arn:aws:s3:::" + bucket},
	}})
	if err != nil {
		return "", fmt.Errorf("session policy for s3://%s: %w", path, err)
	}
	return string(policy), nil
}

// Vend makes a session with which a query engine of AWS itself reads a path in a registered
// location of a table's owner for the caller, which SELECTs something of the table. What else
// the Data Catalog lets it see, such as by the owner's resource policy, opens no data. What of
// the table is shown the engine has looked up. The session ends at the path.
func Vend(c *engine.Call, t state.Table, location string) (state.Session, error) {
	if err := c.Allow("lakeformation:GetDataAccess"); err != nil {
		return state.Session{}, err
	}
	path, ok := s3path(location)
	if !ok {
		return state.Session{}, invalid("The table %s has no location in Amazon S3.", t.Name)
	}
	h, err := callerHolds(c, t.Resource())
	if err != nil {
		return state.Session{}, err
	}
	if len(without([]string{selecting}, h.perms)) > 0 {
		return state.Session{}, c.Denied("Insufficient Lake Formation permission(s): Required " + spoken(selecting) + " on " + t.Name)
	}
	return vend(c, t.Account, path, []string{selecting}, nil)
}
