package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// downloads is how many objects are read at once.
const downloads = 8

// rows reads a whole table the way a query engine does: Lake Formation checks the
// grant and vends credentials for the table's data, Glue tells where the data is, and
// S3 hands it out to these credentials.
// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetTemporaryGlueTableCredentials.html
func (s *story) rows(ctx context.Context, table string) ([][]string, error) {
	vended, err := lakeformation.NewFromConfig(s.reader).GetTemporaryGlueTableCredentials(ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String(s.partition().TableARN(s.reader.Region, s.mesh.Accounts().Mesh, s.database, table)), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission},
	})
	if err != nil {
		return nil, err
	}
	cfg := s.reader.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(vended.AccessKeyId), aws.ToString(vended.SecretAccessKey), aws.ToString(vended.SessionToken))
	places, err := s.places(ctx, table)
	if err != nil {
		return nil, err
	}
	return readPlaces(ctx, s3.NewFromConfig(cfg), places)
}

// place is a prefix with data, and the partition's values that belong to its rows.
type place struct {
	bucket, prefix string
	values         []string
}

// places are where a table's data is: its partitions, or its own location.
func (s *story) places(ctx context.Context, table string) ([]place, error) {
	client := glue.NewFromConfig(s.reader)
	out, err := client.GetTable(ctx, &glue.GetTableInput{CatalogId: aws.String(s.mesh.Accounts().Mesh), DatabaseName: &s.database, Name: &table})
	if err != nil {
		return nil, err
	}
	if len(out.Table.PartitionKeys) == 0 {
		return []place{newPlace(aws.ToString(out.Table.StorageDescriptor.Location), nil)}, nil
	}
	var list []place
	pages := glue.NewGetPartitionsPaginator(client, &glue.GetPartitionsInput{CatalogId: aws.String(s.mesh.Accounts().Mesh), DatabaseName: &s.database, TableName: &table,
		ExcludeColumnSchema: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Partitions {
			list = append(list, newPlace(aws.ToString(p.StorageDescriptor.Location), p.Values))
		}
	}
	return list, nil
}

func newPlace(location string, values []string) place {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	return place{bucket, prefix, values}
}

func readPlaces(ctx context.Context, client *s3.Client, places []place) ([][]string, error) {
	var mu sync.Mutex
	var rows [][]string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(downloads)
	for _, p := range places {
		group.Go(func() error {
			pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &p.bucket, Prefix: &p.prefix})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return err
				}
				for _, object := range page.Contents {
					records, err := readObject(ctx, client, p.bucket, aws.ToString(object.Key))
					if err != nil {
						return err
					}
					mu.Lock()
					for _, r := range records {
						rows = append(rows, append(append([]string(nil), p.values...), r...))
					}
					mu.Unlock()
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return rows, err
}

func readObject(ctx context.Context, client *s3.Client, bucket, key string) ([][]string, error) {
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return nil, fmt.Errorf("read object %s: %w", key, err)
	}
	return parse(string(text))
}

// refusal tries to read a table in both ways: through Lake Formation, and past it,
// straight from S3. It returns AWS's own words; being let through is the error.
func (s *story) refusal(ctx context.Context, table, object string) (outcome, error) {
	rows, err := s.rows(ctx, table)
	if err == nil {
		return outcome{}, fmt.Errorf("the consumer read %d rows of %s; it must not", len(rows), table)
	}
	words, denied := refused(err)
	if !denied {
		return outcome{}, fmt.Errorf("reading %s was refused for another reason than it should be: %w", table, err)
	}
	bucket := bucketOf(s.mesh.Accounts().Producer)
	_, err = s3.NewFromConfig(s.reader).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(table + "/" + object)})
	if err == nil {
		return outcome{}, fmt.Errorf("the consumer read s3://%s/%s/%s past Lake Formation; it must not", bucket, table, object)
	}
	if _, denied := refused(err); !denied {
		return outcome{}, fmt.Errorf("reading s3://%s/%s/%s was refused for another reason than it should be: %w", bucket, table, object, err)
	}
	return outcome{refused: true, result: words, detail: []string{"and past Lake Formation, straight from S3: refused too"}}, nil
}

// refused tells AWS's own words, and whether they mean that access was denied.
func refused(err error) (words string, denied bool) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error(), false
	}
	switch api.ErrorCode() {
	case "AccessDeniedException", "AccessDenied":
		denied = true
	}
	return api.ErrorCode() + ": " + api.ErrorMessage(), denied
}
