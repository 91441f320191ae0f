package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// planCrawler makes the crawler that keeps the mesh's metadata up to date.
func (pl *planner) planCrawler() {
	if pl.crawler == nil {
		return
	}
	wanted := *pl.crawler
	for _, t := range pl.tables {
		wanted.Tables = append(wanted.Tables, t.link)
	}
	// Another publishing into the same database may have added its tables.
	wanted.Cover(pl.crawlerFound)
	pl.handToCrawler(wanted.Role)
	step := plan.Step{Kind: plan.CreateCrawler, Account: pl.account, Resource: "crawler " + wanted.Name}
	switch {
	case pl.crawlerFound == nil:
		step.Summary = fmt.Sprintf("create crawler %s with role %s, %s", wanted.Name, wanted.Role, wanted.Schedule)
		step.Run = func(ctx context.Context) error { return pl.createCrawler(ctx, &wanted) }
	case !pl.crawlerFound.Same(&wanted):
		step.Summary = fmt.Sprintf("change crawler %s: role %s, %s, %d tables", wanted.Name, wanted.Role, wanted.Schedule, len(wanted.Tables))
		step.Run = func(ctx context.Context) error { return pl.updateCrawler(ctx, &wanted) }
	default:
		return
	}
	pl.todo.Add(step, append(pl.links, pl.share)...)
}

// createCrawler makes the crawler. If somebody was faster it is made to cover the
// tables of both.
func (pl *planner) createCrawler(ctx context.Context, wanted *catalog.Crawler) error {
	err := pl.own.catalog.CreateCrawler(ctx, wanted)
	if !errors.Is(err, catalog.ErrExists) {
		return err
	}
	found, ok, err := pl.own.catalog.Crawler(ctx, wanted.Name)
	if err != nil {
		return err
	}
	if !ok {
		return pl.own.catalog.CreateCrawler(ctx, wanted)
	}
	wanted.Cover(found)
	if found.Same(wanted) {
		return nil
	}
	return pl.updateCrawler(ctx, wanted)
}

// updateCrawler changes the crawler. One that is running cannot be changed, and keeps
// nothing else from being done.
func (s *surveyed) updateCrawler(ctx context.Context, wanted *catalog.Crawler) error {
	err := s.own.catalog.UpdateCrawler(ctx, wanted)
	if awserr.Is(err, "CrawlerRunningException") {
		s.refuse("crawler "+wanted.Name, fmt.Sprintf("crawler %s is running, and was not changed: run the same command again when it has ended", wanted.Name))
		return nil
	}
	return err
}

// handToCrawler hands on to the crawler's role what it needs to keep the tables
// in the mesh up to date through their links.
func (pl *planner) handToCrawler(role string) {
	var want []permissions.Entry
	for _, t := range pl.tables {
		want = append(want,
			permissions.Entry{Principal: role, Resource: pl.meshTable(t.name),
				Permissions: lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Describe, lakemesh.Insert, lakemesh.Select)},
			permissions.Entry{Principal: role, Resource: permissions.Table(pl.account, pl.local, t.link), Permissions: lakemesh.NewPermissions(lakemesh.Describe)})
	}
	for _, e := range permissions.Missing(pl.held, want) {
		pl.handed.Grant(pl.todo, e, append(pl.links, pl.share)...)
	}
}

// sayCrawler warns of a crawler that failed when it last ran: it runs in the
// producer's account, where nobody looks.
func (s *surveyed) sayCrawler() {
	if c := s.crawlerFound; c != nil && c.Failed != "" {
		s.warn(fmt.Sprintf("crawler %s failed when it last ran, %s. Its role %s has to be able to read the tables' data and to change their metadata", c.Name, c.Failed, c.Role))
	}
}

// observeCrawlerRole looks what the role of a crawler that is to be made may do, as far
// as IAM's policies of the role say. That the producer may not look is no error.
func (s *surveyed) observeCrawlerRole(ctx context.Context) error {
	if s.crawler == nil || s.crawlerFound != nil && s.crawlerFound.HasRole(s.crawler.Role) {
		return nil
	}
	client := iam.NewFromConfig(s.ids.Own.Config)
	var lacks []string
	for _, q := range s.crawlerNeeds() {
		pages := iam.NewSimulatePrincipalPolicyPaginator(client, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(s.crawler.Role), ActionNames: q.actions, ResourceArns: q.resources})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if awserr.Denied(err) || awserr.Is(err, "NoSuchEntity") {
				s.log.InfoContext(ctx, "the rights of the crawler's role were not looked at", "role", s.crawler.Role, "reason", awserr.Message(err))
				return nil
			}
			if err != nil {
				return fmt.Errorf("look at the rights of %s: %w", s.crawler.Role, err)
			}
			for _, r := range page.EvaluationResults {
				if what := aws.ToString(r.EvalActionName); r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed && !slices.Contains(lacks, what) {
					lacks = append(lacks, what)
				}
			}
		}
	}
	if len(lacks) > 0 {
		slices.Sort(lacks)
		s.warn(fmt.Sprintf("the policies of the crawler's role %s do not allow %s: it will run and fail", s.crawler.Role, strings.Join(lacks, ", ")))
	}
	return nil
}

// question is what a role is to be able to do with resources.
type question struct{ actions, resources []string }

// crawlerNeeds are what a crawler of the tables does
// (https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html).
func (s *surveyed) crawlerNeeds() []question {
	catalog, database := s.partition.CatalogARN(s.region, s.meshAccount), s.partition.DatabaseARN(s.region, s.meshAccount, s.target)
	needs := []question{
		{[]string{"lakeformation:GetDataAccess"}, []string{"*"}},
		{[]string{"glue:GetDatabase", "glue:GetTable", "glue:UpdateTable", "glue:GetPartitions", "glue:BatchCreatePartition", "glue:BatchUpdatePartition"}, []string{catalog, database}},
	}
	buckets := map[string]bool{}
	for _, t := range s.tables {
		for _, p := range t.known.Places {
			if buckets[p.Bucket] {
				continue
			}
			buckets[p.Bucket] = true
			// A place of each bucket stands for the others.
			needs = append(needs, question{[]string{"s3:GetObject"}, []string{p.ARN(s.partition) + "/*"}},
				question{[]string{"s3:ListBucket"}, []string{storage.Place{Bucket: p.Bucket}.ARN(s.partition)}})
		}
	}
	return needs
}
