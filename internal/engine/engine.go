// Package engine reads tables as a query engine does: it asks for the metadata and for what
// may be shown, has credentials vended, reads the files, and leaves out what may not be shown.
// It reads CSV in the table's own location, and is no engine for anything else: tests and the
// demo show by it what somebody sees.
package engine

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// Tag is what the engine shows of itself.
const Tag = "engine"

// Trust lets query engines of accounts filter a catalog's tables, as its administrator. Athena
// needs no such thing
// (https://docs.aws.amazon.com/lake-formation/latest/dg/app-integration-how-to-setup.html).
func Trust(ctx context.Context, administrator aws.Config, accounts ...string) error {
	client := lakeformation.NewFromConfig(administrator)
	out, err := client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return fmt.Errorf("read the data lake's settings: %w", err)
	}
	s := out.DataLakeSettings
	s.AllowExternalDataFiltering, s.AuthorizedSessionTagValueList = aws.Bool(true), []string{Tag}
	for _, a := range accounts {
		if slices.ContainsFunc(s.ExternalDataFilteringAllowList, func(p lftypes.DataLakePrincipal) bool { return aws.ToString(p.DataLakePrincipalIdentifier) == a }) {
			continue
		}
		s.ExternalDataFilteringAllowList = append(s.ExternalDataFilteringAllowList, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(a)})
	}
	if _, err := client.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s}); err != nil {
		return fmt.Errorf("change the data lake's settings: %w", err)
	}
	return nil
}

// TrustPolicy is that of a role that the engine reads as.
func TrustPolicy(p lakemesh.Partition, account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + p.Root(account) + `"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
}

// Policy lets a role call what reads; Lake Formation decides on what.
const Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:Get*","lakeformation:Get*"],"Resource":"*"}]}`

// As are the calls of a role that the engine reads as, for somebody who may assume it.
func As(caller aws.Config, role string) aws.Config {
	cfg := caller.Copy()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(caller), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "query"
		o.Tags = []ststypes.Tag{{Key: aws.String("LakeFormationAuthorizedCaller"), Value: aws.String(Tag)}}
	}))
	return cfg
}

// Query reads a table of an account's catalog, or what a link there leads to. It returns the
// columns that may be shown, and the rows, each as "column=value" in order; a cell that may
// not be shown is "NULL".
func Query(ctx context.Context, cfg aws.Config, account, database, table string) (columns, rows []string, err error) {
	meta, err := glue.NewFromConfig(cfg).GetUnfilteredTableMetadata(ctx, &glue.GetUnfilteredTableMetadataInput{CatalogId: aws.String(account), DatabaseName: aws.String(database), Name: aws.String(table),
		SupportedPermissionTypes: gluetypes.PermissionType("").Values()})
	if err != nil {
		return nil, nil, fmt.Errorf("read the metadata: %w", err)
	}
	if len(meta.AuthorizedColumns) == 0 {
		return nil, nil, errors.New("no column may be shown")
	}
	keys, err := lakeformation.NewFromConfig(cfg).GetTemporaryGlueTableCredentials(ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{TableArn: meta.ResourceArn,
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}, SupportedPermissionTypes: lftypes.PermissionType("").Values()})
	if err != nil {
		return nil, nil, fmt.Errorf("have credentials vended: %w", err)
	}
	reading := cfg.Copy()
	reading.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(keys.AccessKeyId), aws.ToString(keys.SecretAccessKey), aws.ToString(keys.SessionToken))
	content, err := files(ctx, identity.S3(reading), aws.ToString(meta.Table.StorageDescriptor.Location))
	if err != nil {
		return nil, nil, err
	}
	rows, err = visible(meta, content)
	return meta.AuthorizedColumns, rows, err
}

// files are the contents of a table's files.
func files(ctx context.Context, client *s3.Client, location string) ([]string, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", location, err)
	}
	var all []string
	for _, o := range list.Contents {
		out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: o.Key})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", aws.ToString(o.Key), err)
		}
		text, err := io.ReadAll(out.Body)
		if err = errors.Join(err, out.Body.Close()); err != nil {
			return nil, err
		}
		all = append(all, string(text))
	}
	return all, nil
}

// visible is what of the rows of CSV files may be shown: the rows that meet the condition of
// the table, and of them the cells whose own condition is met, too.
func visible(meta *glue.GetUnfilteredTableMetadataOutput, files []string) ([]string, error) {
	var schema rowfilter.Table
	for _, c := range meta.Table.StorageDescriptor.Columns {
		schema.Columns = append(schema.Columns, rowfilter.Column{Name: aws.ToString(c.Name), Type: aws.ToString(c.Type)})
	}
	meets := func(condition string, row rowfilter.Row) (bool, error) {
		if condition == "" {
			return true, nil
		}
		read, err := rowfilter.Read(condition, schema)
		if err != nil {
			return false, fmt.Errorf("the condition %s: %w", condition, err)
		}
		truth, err := read.Eval(row)
		return truth == rowfilter.True, err
	}
	cells := map[string]string{}
	for _, c := range meta.CellFilters {
		cells[aws.ToString(c.ColumnName)] = aws.ToString(c.RowFilterExpression)
	}
	var all []string
	for _, file := range files {
		lines, err := csv.NewReader(strings.NewReader(file)).ReadAll()
		if err != nil {
			return nil, fmt.Errorf("read CSV: %w", err)
		}
		header, _ := strconv.Atoi(meta.Table.Parameters["skip.header.line.count"])
		for _, line := range lines[min(header, len(lines)):] {
			row := rowfilter.Row{}
			for i, c := range schema.Columns {
				typ := rowfilter.ParseType(c.Type)
				if typ.Kind == rowfilter.Other || typ.Kind == rowfilter.Struct {
					// No condition can be on it.
					continue
				}
				if row[rowfilter.Written(c.Name)], err = rowfilter.ParseValue(typ, line[i]); err != nil {
					return nil, err
				}
			}
			shown, err := meets(aws.ToString(meta.RowFilter), row)
			if err != nil {
				return nil, err
			}
			if !shown {
				continue
			}
			var words []string
			for i, c := range schema.Columns {
				if !slices.Contains(meta.AuthorizedColumns, c.Name) {
					continue
				}
				value := line[i]
				if condition, own := cells[c.Name]; own {
					if shown, err = meets(condition, row); err != nil {
						return nil, err
					} else if !shown {
						value = "NULL"
					}
				}
				words = append(words, c.Name+"="+value)
			}
			all = append(all, strings.Join(words, " "))
		}
	}
	return all, nil
}
