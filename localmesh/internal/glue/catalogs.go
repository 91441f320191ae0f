package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-catalogs.html

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func catalogOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("GetCatalog", engine.Read, api+"GetCatalog.html",
			"IAM on the catalog; another account's needs its resource policy or a share; there is one catalog an account, of the account's number.", getCatalog),
		engine.Op("GetCatalogs", engine.Read, api+"GetCatalogs.html",
			"IAM on the catalog; the account's catalog with IncludeRoot, and else none; pages of 1 to 1000.", getCatalogs),
		engine.Op("GetCatalogImportStatus", engine.Read, api+"GetCatalogImportStatus.html",
			"IAM on the catalog; there is nothing of Athena's own catalog to import.", getCatalogImportStatus),
		engine.Op("GetDataCatalogEncryptionSettings", engine.Read, api+"GetDataCatalogEncryptionSettings.html",
			"IAM on the catalog; another account's needs its resource policy; nothing is encrypted.", getEncryption),
		engine.Op("PutDataCatalogEncryptionSettings", engine.Write, api+"PutDataCatalogEncryptionSettings.html",
			"As GetDataCatalogEncryptionSettings; encryption that is turned on is refused.", putEncryption),
	}
}

// openCatalog authorizes an operation on the catalog itself. That of another account
// has to be open to the caller: by its resource policy, or where something of it is
// shared, if that is enough.
func openCatalog(c *engine.Call, action string, catalogID *string, shared bool) (state.Resource, error) {
	r := state.Resource{Region: c.Region}
	var err error
	if r.Account, err = catalog(c, catalogID); err != nil {
		return r, err
	}
	a, err := authorize(c, action, r)
	if err != nil || r.Account == c.Account() || a.byPolicy {
		return r, err
	}
	if shared {
		databases, err := lakeformation.SharedDatabases(c)
		if err != nil {
			return r, err
		}
		if slices.ContainsFunc(databases, func(s state.Resource) bool { return s.Account == r.Account && s.Region == r.Region }) {
			return r, nil
		}
	}
	return r, c.Denied("Insufficient Lake Formation permission(s) on the catalog of " + r.Account)
}

// catalogOut is the catalog of an account. Its name is not documented.
func catalogOut(c *engine.Call, r state.Resource) (types.Catalog, error) {
	settings, ok, err := state.LakeSettings.Get(c.Tx, r.Account, r.Region)
	databases, tables := settings.DatabaseDefaults, settings.TableDefaults
	if !ok {
		open := []state.DefaultPermission{{Principal: state.IAMAllowedPrincipals, Permissions: []string{"ALL"}}}
		databases, tables = open, open
	}
	return types.Catalog{
		CatalogId: aws.String(r.Account), Name: aws.String(r.Account), ResourceArn: aws.String(base(r) + "catalog"),
		CreateDatabaseDefaultPermissions: defaultsOut(databases), CreateTableDefaultPermissions: defaultsOut(tables),
	}, err
}

func getCatalog(c *engine.Call, in *glue.GetCatalogInput) (*glue.GetCatalogOutput, error) {
	if in.CatalogId == nil {
		return nil, constraint("catalogId", "null", "not be null")
	}
	r, err := openCatalog(c, "glue:GetCatalog", in.CatalogId, true)
	if err != nil {
		return nil, err
	}
	out, err := catalogOut(c, r)
	return &glue.GetCatalogOutput{Catalog: &out}, err
}

func getCatalogs(c *engine.Call, in *glue.GetCatalogsInput) (*glue.GetCatalogsOutput, error) {
	if in.MaxResults != nil {
		if err := between("maxResults", int(*in.MaxResults), 1, 1000); err != nil {
			return nil, err
		}
	}
	r, err := openCatalog(c, "glue:GetCatalogs", in.ParentCatalogId, true)
	if err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, invalid("Invalid next token")
	}
	out := &glue.GetCatalogsOutput{CatalogList: []types.Catalog{}}
	if !aws.ToBool(in.IncludeRoot) {
		return out, nil
	}
	root, err := catalogOut(c, r)
	out.CatalogList = append(out.CatalogList, root)
	return out, err
}

func getCatalogImportStatus(c *engine.Call, in *glue.GetCatalogImportStatusInput) (*glue.GetCatalogImportStatusOutput, error) {
	_, err := openCatalog(c, "glue:GetCatalogImportStatus", in.CatalogId, true)
	return &glue.GetCatalogImportStatusOutput{ImportStatus: &types.CatalogImportStatus{ImportCompleted: true}}, err
}

func getEncryption(c *engine.Call, in *glue.GetDataCatalogEncryptionSettingsInput) (*glue.GetDataCatalogEncryptionSettingsOutput, error) {
	_, err := openCatalog(c, "glue:GetDataCatalogEncryptionSettings", in.CatalogId, false)
	return &glue.GetDataCatalogEncryptionSettingsOutput{DataCatalogEncryptionSettings: &types.DataCatalogEncryptionSettings{
		EncryptionAtRest:             &types.EncryptionAtRest{CatalogEncryptionMode: types.CatalogEncryptionModeDisabled},
		ConnectionPasswordEncryption: &types.ConnectionPasswordEncryption{},
	}}, err
}

func putEncryption(c *engine.Call, in *glue.PutDataCatalogEncryptionSettingsInput) (*glue.PutDataCatalogEncryptionSettingsOutput, error) {
	s := in.DataCatalogEncryptionSettings
	if s == nil {
		return nil, constraint("dataCatalogEncryptionSettings", "null", "not be null")
	}
	rest, password := s.EncryptionAtRest, s.ConnectionPasswordEncryption
	if rest != nil {
		if rest.CatalogEncryptionMode == "" {
			return nil, constraint("dataCatalogEncryptionSettings.encryptionAtRest.catalogEncryptionMode", "null", "not be null")
		}
		if err := oneOf("dataCatalogEncryptionSettings.encryptionAtRest.catalogEncryptionMode", rest.CatalogEncryptionMode); err != nil {
			return nil, err
		}
	}
	if _, err := openCatalog(c, "glue:PutDataCatalogEncryptionSettings", in.CatalogId, false); err != nil {
		return nil, err
	}
	if rest != nil && rest.CatalogEncryptionMode != types.CatalogEncryptionModeDisabled || password != nil && password.ReturnConnectionPasswordEncrypted {
		return nil, engine.Errorf("InvalidInputException", "the local mesh has no encryption of the catalog and of connections' passwords")
	}
	return &glue.PutDataCatalogEncryptionSettingsOutput{}, nil
}
