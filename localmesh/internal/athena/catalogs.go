package athena

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// theCatalog is the name of the account's Glue Data Catalog.
const theCatalog = "AwsDataCatalog"

// allowCatalog asks IAM for an action on a data catalog.
func allowCatalog(c *engine.Call, action string, name *string) error {
	n := aws.ToString(name)
	if n == "" {
		c.Authorized()
		return invalid("A data catalog must be named")
	}
	if strings.EqualFold(n, theCatalog) {
		n = theCatalog
	}
	if err := c.Allow("athena:"+action, c.ARN("athena", c.Account(), "datacatalog/"+n)); err != nil {
		return err
	}
	if n != theCatalog {
		return invalid("Data catalog %s was not found", n)
	}
	return nil
}

func getDataCatalog(c *engine.Call, in *athena.GetDataCatalogInput) (*athena.GetDataCatalogOutput, error) {
	if err := allowCatalog(c, "GetDataCatalog", in.Name); err != nil {
		return nil, err
	}
	return &athena.GetDataCatalogOutput{DataCatalog: &types.DataCatalog{Name: aws.String(theCatalog), Type: types.DataCatalogTypeGlue,
		Parameters: map[string]string{"catalog-id": c.Account()}}}, nil
}

func listDataCatalogs(c *engine.Call, _ *athena.ListDataCatalogsInput) (*athena.ListDataCatalogsOutput, error) {
	if err := c.Allow("athena:ListDataCatalogs"); err != nil {
		return nil, err
	}
	return &athena.ListDataCatalogsOutput{DataCatalogsSummary: []types.DataCatalogSummary{{CatalogName: aws.String(theCatalog), Type: types.DataCatalogTypeGlue}}}, nil
}

// catalogOf is the Glue Data Catalog as the caller sees it.
func catalogOf(c *engine.Call) *glue.Client { return glue.NewFromConfig(c.Keys()) }

// metadata is the error of a call to the Data Catalog, as Athena passes it on.
func metadata(err error) error {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return err
	}
	code := "MetadataException"
	if strings.HasPrefix(e.ErrorCode(), "AccessDenied") {
		return engine.Errorf("AccessDeniedException", "%s", e.ErrorMessage())
	}
	return engine.Errorf(code, "%s", e.ErrorMessage())
}

// opened asks for permission on a catalog, for an operation that begins its transactions itself.
func opened(c *engine.Call, action string, name *string) error {
	return c.View(func(c *engine.Call) error { return allowCatalog(c, action, name) })
}

func databaseAnswer(d gluetypes.Database) types.Database {
	return types.Database{Name: d.Name, Description: d.Description, Parameters: d.Parameters}
}

func listDatabases(c *engine.Call, in *athena.ListDatabasesInput) (*athena.ListDatabasesOutput, error) {
	if err := opened(c, "ListDatabases", in.CatalogName); err != nil {
		return nil, err
	}
	size, err := page(in.MaxResults, 1, 50)
	if err != nil {
		return nil, err
	}
	got, err := catalogOf(c).GetDatabases(engine.OnBehalf(c, principal), &glue.GetDatabasesInput{MaxResults: aws.Int32(int32(size)), NextToken: in.NextToken})
	if err != nil {
		return nil, metadata(err)
	}
	out := &athena.ListDatabasesOutput{DatabaseList: []types.Database{}, NextToken: got.NextToken}
	for _, d := range got.DatabaseList {
		out.DatabaseList = append(out.DatabaseList, databaseAnswer(d))
	}
	return out, nil
}

func getDatabase(c *engine.Call, in *athena.GetDatabaseInput) (*athena.GetDatabaseOutput, error) {
	if err := opened(c, "GetDatabase", in.CatalogName); err != nil {
		return nil, err
	}
	got, err := catalogOf(c).GetDatabase(engine.OnBehalf(c, principal), &glue.GetDatabaseInput{Name: in.DatabaseName})
	if err != nil {
		return nil, metadata(err)
	}
	d := databaseAnswer(*got.Database)
	return &athena.GetDatabaseOutput{Database: &d}, nil
}

func tableAnswer(t gluetypes.Table) types.TableMetadata {
	out := types.TableMetadata{Name: t.Name, CreateTime: t.CreateTime, LastAccessTime: t.LastAccessTime, TableType: t.TableType, Parameters: map[string]string{}}
	for k, v := range t.Parameters {
		out.Parameters[k] = v
	}
	if out.CreateTime == nil {
		out.CreateTime = aws.Time(time.Unix(0, 0))
	}
	if sd := t.StorageDescriptor; sd != nil {
		for _, c := range sd.Columns {
			out.Columns = append(out.Columns, types.Column{Name: c.Name, Type: c.Type, Comment: c.Comment})
		}
		out.Parameters["location"] = aws.ToString(sd.Location)
		out.Parameters["inputformat"], out.Parameters["outputformat"] = aws.ToString(sd.InputFormat), aws.ToString(sd.OutputFormat)
		if s := sd.SerdeInfo; s != nil {
			out.Parameters["serde.serialization.lib"] = aws.ToString(s.SerializationLibrary)
			for k, v := range s.Parameters {
				out.Parameters["serde.param."+k] = v
			}
		}
	}
	for _, k := range t.PartitionKeys {
		out.PartitionKeys = append(out.PartitionKeys, types.Column{Name: k.Name, Type: k.Type, Comment: k.Comment})
	}
	return out
}

func getTableMetadata(c *engine.Call, in *athena.GetTableMetadataInput) (*athena.GetTableMetadataOutput, error) {
	if err := opened(c, "GetTableMetadata", in.CatalogName); err != nil {
		return nil, err
	}
	got, err := catalogOf(c).GetTable(engine.OnBehalf(c, principal), &glue.GetTableInput{DatabaseName: in.DatabaseName, Name: in.TableName})
	if err != nil {
		return nil, metadata(err)
	}
	t := tableAnswer(*got.Table)
	return &athena.GetTableMetadataOutput{TableMetadata: &t}, nil
}

func listTableMetadata(c *engine.Call, in *athena.ListTableMetadataInput) (*athena.ListTableMetadataOutput, error) {
	if err := opened(c, "ListTableMetadata", in.CatalogName); err != nil {
		return nil, err
	}
	size, err := page(in.MaxResults, 1, 50)
	if err != nil {
		return nil, err
	}
	if in.Expression != nil {
		if _, err := regexp.Compile(*in.Expression); err != nil {
			return nil, invalid("Invalid expression: %s", *in.Expression)
		}
	}
	got, err := catalogOf(c).GetTables(engine.OnBehalf(c, principal), &glue.GetTablesInput{DatabaseName: in.DatabaseName, MaxResults: aws.Int32(int32(size)), NextToken: in.NextToken, Expression: in.Expression})
	if err != nil {
		return nil, metadata(err)
	}
	out := &athena.ListTableMetadataOutput{TableMetadataList: []types.TableMetadata{}, NextToken: got.NextToken}
	for _, t := range got.TableList {
		out.TableMetadataList = append(out.TableMetadataList, tableAnswer(t))
	}
	return out, nil
}
