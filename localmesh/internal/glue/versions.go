package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func versionOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("GetTableVersion", engine.Read, api+"GetTableVersion.html",
			"IAM on catalog, database, table and version; DESCRIBE; follows a link.", getTableVersion),
		engine.Op("GetTableVersions", engine.Read, api+"GetTableVersions.html",
			"IAM on catalog, database and table; DESCRIBE; follows a link; the newest first; pages of 1 to 100.", getTableVersions),
		engine.Op("DeleteTableVersion", engine.Write, api+"DeleteTableVersion.html",
			"IAM on catalog, database, table and version; ALTER; the current version stays.", deleteTableVersion),
		engine.Op("BatchDeleteTableVersion", engine.Write, api+"BatchDeleteTableVersion.html",
			"As DeleteTableVersion for up to 100 versions; refusals stand in Errors.", batchDeleteTableVersion),
	}
}

// openVersions finds the table whose versions an operation is about, behind a
// link if there is one. Versions is what stands for the version in the ARN.
func openVersions(c *engine.Call, action string, catalogID, database, table *string, permission string, versions ...string) (access, state.Table, error) {
	p, t, err := openTable(c, action, catalogID, database, table, func(r state.Resource) []string {
		var all []string
		for _, v := range versions {
			all = append(all, base(r)+"tableVersion/"+r.Database+"/"+r.Table+"/"+v)
		}
		return all
	})
	if err != nil {
		return access{}, t, err
	}
	a, t, err := p.follow(action, t)
	if err != nil {
		return a, t, err
	}
	return a, t, a.require(t.Resource(), permission)
}

// versionID reads a version's number.
func versionID(given *string) (int64, error) {
	n, err := strconv.ParseInt(aws.ToString(given), 10, 64)
	if err != nil || n < 0 {
		return 0, invalid("Invalid version id: %s", short(aws.ToString(given)))
	}
	return n, nil
}

func (a access) version(t state.Table) (types.TableVersion, error) {
	out := tableOut(t)
	return types.TableVersion{Table: out, VersionId: out.VersionId}, a.hideColumns(t, out)
}

func getTableVersion(c *engine.Call, in *glue.GetTableVersionInput) (*glue.GetTableVersionOutput, error) {
	asked := aws.ToString(in.VersionId)
	if asked != "" {
		if _, err := versionID(in.VersionId); err != nil {
			return nil, err
		}
	}
	var versions []string
	if asked != "" {
		versions = []string{asked}
	}
	a, t, err := openVersions(c, "glue:GetTableVersion", in.CatalogId, in.DatabaseName, in.TableName, lfDescribe, versions...)
	if err != nil {
		return nil, err
	}
	if asked != "" && asked != strconv.FormatInt(t.Version, 10) {
		n, err := versionID(in.VersionId)
		if err != nil {
			return nil, err
		}
		old, ok, err := state.TableVersions.Get(c.Tx, t.ID, state.VersionKey(n))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, notFound("Version not found.")
		}
		t = old
	}
	v, err := a.version(t)
	return &glue.GetTableVersionOutput{TableVersion: &v}, err
}

func getTableVersions(c *engine.Call, in *glue.GetTableVersionsInput) (*glue.GetTableVersionsOutput, error) {
	size, err := pageSize(in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	a, t, err := openVersions(c, "glue:GetTableVersions", in.CatalogId, in.DatabaseName, in.TableName, lfDescribe)
	if err != nil {
		return nil, err
	}
	token, err := engine.FromToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &glue.GetTableVersionsOutput{TableVersions: []types.TableVersion{}}
	below := t.Version
	if token == "" {
		v, err := a.version(t)
		if err != nil {
			return nil, err
		}
		out.TableVersions = append(out.TableVersions, v)
	} else if below, err = versionID(&token); err != nil {
		return nil, err
	}
	last, more := below, false
	var failed error
	err = state.ScanVersions(c.Tx, t, below, func(old state.Table) bool {
		if len(out.TableVersions) == size {
			more = true
			return false
		}
		var v types.TableVersion
		v, failed = a.version(old)
		out.TableVersions = append(out.TableVersions, v)
		last = old.Version
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if more {
		out.NextToken = engine.NextToken(strconv.FormatInt(last, 10))
	}
	return out, err
}

// dropVersion removes one kept version.
func (a access) dropVersion(t state.Table, given *string) error {
	n, err := versionID(given)
	if err != nil {
		return err
	}
	if n == t.Version {
		return invalid("The current version of a table cannot be deleted")
	}
	if !state.TableVersions.Has(a.c.Tx, t.ID, state.VersionKey(n)) {
		return notFound("Version not found.")
	}
	return state.TableVersions.Delete(a.c.Tx, t.ID, state.VersionKey(n))
}

func deleteTableVersion(c *engine.Call, in *glue.DeleteTableVersionInput) (*glue.DeleteTableVersionOutput, error) {
	if in.VersionId == nil {
		return nil, constraint("versionId", "null", "not be null")
	}
	a, t, err := openVersions(c, "glue:DeleteTableVersion", in.CatalogId, in.DatabaseName, in.TableName, lfAlter, *in.VersionId)
	if err != nil {
		return nil, err
	}
	return &glue.DeleteTableVersionOutput{}, a.dropVersion(t, in.VersionId)
}

func batchDeleteTableVersion(c *engine.Call, in *glue.BatchDeleteTableVersionInput) (*glue.BatchDeleteTableVersionOutput, error) {
	if in.VersionIds == nil {
		return nil, constraint("versionIds", "null", "not be null")
	}
	if err := count("versionIds", len(in.VersionIds), 0, 100); err != nil {
		return nil, err
	}
	a, t, err := openVersions(c, "glue:BatchDeleteTableVersion", in.CatalogId, in.DatabaseName, in.TableName, lfAlter, in.VersionIds...)
	if err != nil {
		return nil, err
	}
	out := &glue.BatchDeleteTableVersionOutput{Errors: []types.TableVersionError{}}
	for _, v := range in.VersionIds {
		err := a.dropVersion(t, &v)
		if err == nil {
			continue
		}
		d, err := detail(err)
		if err != nil {
			return nil, err
		}
		out.Errors = append(out.Errors, types.TableVersionError{TableName: aws.String(t.Name), VersionId: aws.String(v), ErrorDetail: d})
	}
	return out, nil
}
