package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/plan"
)

// observeCrawler finds the crawler that lakemesh made for the links. A producer's role that
// an older version made has the right to look only if there was a crawler's role.
func (u *unpublication) observeCrawler(ctx context.Context) error {
	found, ok, err := u.own.catalog.Crawler(ctx, crawlerName(u.local))
	if awserr.Denied(err) {
		u.log.InfoContext(ctx, "whether there is a crawler was not looked at", "crawler", crawlerName(u.local), "reason", awserr.Message(err))
		return nil
	}
	if err != nil || !ok || !found.Ours || found.Database != u.local {
		return err
	}
	u.crawls = found
	return nil
}

// planUncrawling takes what leaves from the crawler, and removes one that has nothing else.
// It returns nil if there is nothing to do.
func (u *unpublication) planUncrawling(p *plan.Plan) *plan.Step {
	if u.crawls == nil {
		return nil
	}
	left := *u.crawls
	left.Tables = slices.DeleteFunc(slices.Clone(left.Tables), func(name string) bool {
		// A table that was migrated and restored is crawled under its own name.
		return slices.Contains(u.links, name) || u.local == u.source && u.leaving[strings.ToLower(name)] != nil
	})
	step := plan.Step{Kind: plan.DeleteCrawler, Account: u.account, Resource: "crawler " + left.Name}
	switch {
	case len(left.Tables) == len(u.crawls.Tables):
		return nil
	case len(left.Tables) == 0:
		step.Summary = "remove crawler " + left.Name
		step.Run = func(ctx context.Context) error {
			return u.uncrawled(&left, u.own.catalog.DeleteCrawler(ctx, left.Name))
		}
	default:
		step.Kind = plan.CreateCrawler
		step.Summary = fmt.Sprintf("change crawler %s: %d tables are left to it", left.Name, len(left.Tables))
		step.Run = func(ctx context.Context) error { return u.uncrawled(&left, u.own.catalog.UpdateCrawler(ctx, &left)) }
	}
	return p.Add(step)
}

// uncrawled says what became of a crawler that could not be changed. It keeps no table in
// the mesh: it fails when it runs.
func (u *unpublication) uncrawled(c *catalog.Crawler, err error) error {
	switch {
	case awserr.Is(err, "CrawlerRunningException"):
		u.refuse("crawler "+c.Name, fmt.Sprintf("crawler %s is running, and was left: remove it yourself when it has ended", c.Name))
		return nil
	case awserr.Denied(err):
		u.refuse("crawler "+c.Name, fmt.Sprintf("crawler %s was left, remove it yourself; role %s may not (%s): its account's administrator brings it up to date by %s", c.Name, u.ownRole(), awserr.Message(err),
			lakemesh.Do("admin.InitializeProducerAccount")))
		return nil
	}
	return err
}
