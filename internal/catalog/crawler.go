package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// Crawler is a crawler that keeps tables of one database up to date.
type Crawler struct {
	// Name and Role are the crawler's name and the ARN of its role.
	Name, Role string
	// Database and Tables are what it crawls.
	Database string
	Tables   []string
	// Schedule is when, as a cron expression of AWS.
	Schedule string
	// Ours tells of a crawler as it was read that lakemesh made it: it says so, and crawls
	// tables of one database of the catalog and nothing else.
	Ours bool
	// Failed says why its last run failed; empty if it did not, or did not run yet.
	Failed string
}

// Crawler reads a crawler.
func (c *Catalog) Crawler(ctx context.Context, name string) (_ *Crawler, ok bool, _ error) {
	out, err := c.Client.GetCrawler(ctx, &glue.GetCrawlerInput{Name: aws.String(name)})
	if awserr.NotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read crawler %s: %w", name, err)
	}
	found := &Crawler{Name: name, Role: aws.ToString(out.Crawler.Role)}
	if out.Crawler.Schedule != nil {
		found.Schedule = aws.ToString(out.Crawler.Schedule.ScheduleExpression)
	}
	if out.Crawler.Targets != nil {
		for _, t := range out.Crawler.Targets.CatalogTargets {
			found.Database = aws.ToString(t.DatabaseName)
			found.Tables = append(found.Tables, t.Tables...)
		}
	}
	if t := out.Crawler.Targets; t != nil && aws.ToString(out.Crawler.Description) == crawlerDescription {
		found.Ours = len(t.CatalogTargets) == 1 && len(t.S3Targets)+len(t.JdbcTargets)+len(t.DynamoDBTargets)+len(t.MongoDBTargets)+len(t.DeltaTargets)+len(t.IcebergTargets)+len(t.HudiTargets) == 0
	}
	if last := out.Crawler.LastCrawl; last != nil && last.Status == types.LastCrawlStatusFailed {
		found.Failed = fmt.Sprintf("%s: %s", aws.ToTime(last.StartTime).UTC().Format(time.DateTime), cmp.Or(aws.ToString(last.ErrorMessage), "Glue gave no reason"))
	}
	slices.Sort(found.Tables)
	return found, true, nil
}

// HasRole reports whether the crawler, as it was read, has a role. Glue may hand the
// role out by its name where it was given by its ARN.
func (c *Crawler) HasRole(arn string) bool {
	return c.Role == arn || strings.HasSuffix(arn, "/"+c.Role)
}

// Same reports whether the crawler, as it was read, does the same as o.
func (c *Crawler) Same(o *Crawler) bool {
	return c.HasRole(o.Role) && c.Name == o.Name && c.Database == o.Database && c.Schedule == o.Schedule && slices.Equal(c.Tables, o.Tables)
}

// Cover adds what o crawls, if that is in the same database. It brings the tables
// into order.
func (c *Crawler) Cover(o *Crawler) {
	if o != nil && o.Database == c.Database {
		c.Tables = append(c.Tables, o.Tables...)
	}
	slices.Sort(c.Tables)
	c.Tables = slices.Compact(c.Tables)
}

// targets are what the crawler crawls, in the form of the API.
func (c *Crawler) targets() *types.CrawlerTargets {
	return &types.CrawlerTargets{CatalogTargets: []types.CatalogTarget{{DatabaseName: aws.String(c.Database), Tables: c.Tables}}}
}

// changes say what a crawler may do to the tables. A crawler of catalog tables
// must not delete them
// (https://docs.aws.amazon.com/glue/latest/dg/crawler-data-stores.html).
func changes() *types.SchemaChangePolicy {
	return &types.SchemaChangePolicy{UpdateBehavior: types.UpdateBehaviorUpdateInDatabase, DeleteBehavior: types.DeleteBehaviorLog}
}

// crawlerDescription is the description of the crawlers that lakemesh makes.
const crawlerDescription = "Keeps the mesh's copy of the tables up to date with their data"

// DeleteCrawler deletes a crawler. One that does not exist is fine.
func (c *Catalog) DeleteCrawler(ctx context.Context, name string) error {
	_, err := c.Client.DeleteCrawler(ctx, &glue.DeleteCrawlerInput{Name: aws.String(name)})
	if err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("delete crawler %s: %w", name, err)
	}
	return nil
}

// CreateCrawler makes a crawler. One that exists already is an [ErrExists].
func (c *Catalog) CreateCrawler(ctx context.Context, w *Crawler) error {
	_, err := c.Client.CreateCrawler(ctx, &glue.CreateCrawlerInput{Name: aws.String(w.Name), Role: aws.String(w.Role),
		Targets: w.targets(), Schedule: aws.String(w.Schedule), SchemaChangePolicy: changes(),
		Description: aws.String(crawlerDescription)})
	if awserr.Is(err, "AlreadyExistsException") {
		return fmt.Errorf("crawler %s: %w: %w", w.Name, ErrExists, err)
	}
	if err != nil {
		return fmt.Errorf("create crawler %s: %w", w.Name, err)
	}
	return nil
}

// UpdateCrawler changes a crawler.
func (c *Catalog) UpdateCrawler(ctx context.Context, w *Crawler) error {
	_, err := c.Client.UpdateCrawler(ctx, &glue.UpdateCrawlerInput{Name: aws.String(w.Name), Role: aws.String(w.Role),
		Targets: w.targets(), Schedule: aws.String(w.Schedule), SchemaChangePolicy: changes()})
	if err != nil {
		return fmt.Errorf("update crawler %s: %w", w.Name, err)
	}
	return nil
}
