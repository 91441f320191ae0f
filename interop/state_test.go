package interop

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

func (m *mesh) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *mesh) must2(_ any, err error) {
	m.Helper()
	m.must(err)
}

// weather makes the producer's database "weather" with tables of one partition.
func (m *mesh) weather(tables ...string) {
	m.Helper()
	cfg := m.config(lakemesh.ProducerAdminIdentity)
	catalog := glue.NewFromConfig(cfg)
	storage := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	m.must2(storage.CreateBucket(m.Context(), &s3.CreateBucketInput{Bucket: aws.String("weather-lake")}))
	m.must2(catalog.CreateDatabase(m.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("weather")}}))
	for _, table := range tables {
		columns := []gluetypes.Column{{Name: aws.String("at"), Type: aws.String("timestamp")}, {Name: aws.String("value"), Type: aws.String("double")}}
		m.must2(storage.PutObject(m.Context(), &s3.PutObjectInput{Bucket: aws.String("weather-lake"), Key: aws.String(table + "/day=1/a.csv"), Body: strings.NewReader("1,2\n")}))
		m.must2(catalog.CreateTable(m.Context(), &glue.CreateTableInput{DatabaseName: aws.String("weather"), TableInput: &gluetypes.TableInput{
			Name: &table, TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: []gluetypes.Column{{Name: aws.String("day"), Type: aws.String("string")}},
			StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://weather-lake/" + table), Columns: columns},
		}}))
		m.must2(catalog.CreatePartition(m.Context(), &glue.CreatePartitionInput{DatabaseName: aws.String("weather"), TableName: &table, PartitionInput: &gluetypes.PartitionInput{
			Values: []string{"1"}, StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://weather-lake/" + table + "/day=1"), Columns: columns},
		}}))
	}
}

func (m *mesh) lake() *lakeformation.Client {
	return lakeformation.NewFromConfig(m.config(lakemesh.MeshIdentity))
}

func (m *mesh) settings() *lftypes.DataLakeSettings {
	m.Helper()
	out, err := m.lake().GetDataLakeSettings(m.Context(), &lakeformation.GetDataLakeSettingsInput{})
	m.must(err)
	return out.DataLakeSettings
}

// granted checks what a principal is granted on a table of the product: the
// permissions, and after "|" those that it may grant on.
func (m *mesh) granted(principal, table, want string) {
	m.Helper()
	var plain, grantable []string
	pages := lakeformation.NewListPermissionsPaginator(m.lake(), &lakeformation.ListPermissionsInput{
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: &table}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(m.Context())
		m.must(err)
		for _, row := range page.PrincipalResourcePermissions {
			if aws.ToString(row.Principal.DataLakePrincipalIdentifier) != principal {
				continue
			}
			for _, p := range row.Permissions {
				plain = append(plain, string(p))
			}
			for _, p := range row.PermissionsWithGrantOption {
				grantable = append(grantable, string(p))
			}
		}
	}
	got := ""
	if len(plain) > 0 {
		got = strings.TrimSpace(strings.Join(set(plain), " ") + " | " + strings.Join(set(grantable), " "))
	}
	if got != want {
		m.Errorf("%s is granted %q on %s, want %q", principal, got, table, want)
	}
}

func set(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// openCatalog gives the mesh account's catalog a policy with a statement for the
// consumer, and with the one that RAM needs.
func (m *mesh) openCatalog() {
	m.Helper()
	arn := "arn:aws:glue:" + region + ":" + meshAccount + ":"
	m.must2(glue.NewFromConfig(m.config(lakemesh.MeshIdentity)).PutResourcePolicy(m.Context(), &glue.PutResourcePolicyInput{
		EnableHybrid: gluetypes.EnableHybridValuesTrue, PolicyInJson: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"glue:ShareResource",
				"Resource":["` + arn + `catalog","` + arn + `database/*","` + arn + `table/*/*"]},
			{"Effect":"Allow","Principal":{"AWS":"` + consumerAccount + `"},"Action":"glue:GetDatabase",
				"Resource":["` + arn + `catalog","` + arn + `database/` + product + `"],"Condition":{"Bool":{"glue:EvaluatedByLakeFormationTags":"true"}}}]}`),
	}))
}

// consumerSees tells whether the role DataMeshConsumer sees a table of the product.
func (m *mesh) consumerSees(table string) error {
	cfg := m.config(lakemesh.ConsumerIdentity)
	session, err := sts.NewFromConfig(cfg).AssumeRole(m.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole)), RoleSessionName: aws.String("interop")})
	if err != nil {
		return err
	}
	cfg.Credentials = lakemesh.Credentials{AccountID: consumerAccount, AccessKeyID: *session.Credentials.AccessKeyId,
		SecretAccessKey: lakemesh.Secret(*session.Credentials.SecretAccessKey), SessionToken: lakemesh.Secret(*session.Credentials.SessionToken)}
	_, err = glue.NewFromConfig(cfg).GetTable(m.Context(), &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: &table})
	return err
}

func (m *mesh) bucketPolicy() string {
	m.Helper()
	storage := s3.NewFromConfig(m.config(lakemesh.ProducerAdminIdentity), func(o *s3.Options) { o.UsePathStyle = true })
	out, err := storage.GetBucketPolicy(m.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("weather-lake")})
	m.must(err)
	document, err := iampolicy.Parse([]byte(*out.Policy))
	m.must(err)
	return document.String()
}

func (m *mesh) hasRole(identity lakemesh.Identity, name string) bool {
	m.Helper()
	_, err := iam.NewFromConfig(m.config(identity)).GetRole(m.Context(), &iam.GetRoleInput{RoleName: &name})
	if missing := (*iamtypes.NoSuchEntityException)(nil); errors.As(err, &missing) {
		return false
	}
	m.must(err)
	return true
}

// statusOf is what a record of the table that the original library shares says of itself.
func (m *mesh) statusOf(id string) string {
	m.Helper()
	out, err := dynamodb.NewFromConfig(m.config(lakemesh.MeshIdentity)).GetItem(m.Context(), &dynamodb.GetItemInput{TableName: aws.String(lakemesh.SubscriptionsTable),
		Key: map[string]dynamotypes.AttributeValue{"SubscriptionId": &dynamotypes.AttributeValueMemberS{Value: id}}})
	m.must(err)
	status, ok := out.Item["Status"].(*dynamotypes.AttributeValueMemberS)
	if !ok {
		m.Fatalf("record %s has no status: %v", id, out.Item)
	}
	return status.Value
}
