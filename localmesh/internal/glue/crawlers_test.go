package glue_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/localmesh"
)

const trustGlue = `{"Service":"glue.amazonaws.com"}`

func crawlerInput(name, role string) *glue.CreateCrawlerInput {
	return &glue.CreateCrawlerInput{Name: &name, Role: &role, DatabaseName: aws.String("db"),
		Targets: &types.CrawlerTargets{CatalogTargets: []types.CatalogTarget{{DatabaseName: aws.String("db"), Tables: []string{"t"}}}}}
}

func TestCrawlerLivesAndDies(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	w := newWorld(t, localmesh.WithClock(func() time.Time { return time.Unix(now.Load(), 0).UTC() }))
	c := w.admin(owner)
	role := w.role(owner, "Crawl", "", trustGlue)
	in := crawlerInput("Mine", role)
	in.Schedule, in.Tags = aws.String("cron(0 */4 * * ? *)"), map[string]string{"a": "b"}
	_, err := c.CreateCrawler(w.ctx, in)
	w.must(err)
	_, err = c.CreateCrawler(w.ctx, in)
	w.refused(err, "AlreadyExistsException")
	_, err = c.CreateCrawler(w.ctx, crawlerInput("other", "Crawl")) // by name
	w.must(err)
	get := func() *types.Crawler {
		t.Helper()
		out, err := c.GetCrawler(w.ctx, &glue.GetCrawlerInput{Name: aws.String("Mine")})
		w.must(err)
		return out.Crawler
	}
	got := get()
	if *got.Role != "Crawl" || got.State != types.CrawlerStateReady || *got.Schedule.ScheduleExpression != "cron(0 */4 * * ? *)" ||
		got.Schedule.State != types.ScheduleStateScheduled || *got.DatabaseName != "db" || got.Targets.CatalogTargets[0].Tables[0] != "t" || got.Version != 1 || got.LastCrawl != nil {
		t.Errorf("got %+v", got)
	}
	list, err := c.ListCrawlers(w.ctx, &glue.ListCrawlersInput{Tags: map[string]string{"a": "b"}})
	w.must(err)
	if diff := cmp.Diff([]string{"Mine"}, list.CrawlerNames); diff != "" {
		t.Error(diff)
	}
	page, err := c.GetCrawlers(w.ctx, &glue.GetCrawlersInput{MaxResults: aws.Int32(1)})
	w.must(err)
	if len(page.Crawlers) != 1 || page.NextToken == nil {
		t.Errorf("got %+v", page)
	}
	page, err = c.GetCrawlers(w.ctx, &glue.GetCrawlersInput{MaxResults: aws.Int32(1), NextToken: page.NextToken})
	w.must(err)
	if len(page.Crawlers) != 1 || *page.Crawlers[0].Name != "other" || page.NextToken != nil {
		t.Errorf("got %+v", page)
	}

	_, err = c.StopCrawler(w.ctx, &glue.StopCrawlerInput{Name: aws.String("Mine")})
	w.refused(err, "CrawlerNotRunningException")
	_, err = c.StartCrawler(w.ctx, &glue.StartCrawlerInput{Name: aws.String("Mine")})
	w.must(err)
	if got := get(); got.State != types.CrawlerStateRunning {
		t.Errorf("state is %s", got.State)
	}
	_, err = c.StartCrawler(w.ctx, &glue.StartCrawlerInput{Name: aws.String("Mine")})
	w.refused(err, "CrawlerRunningException")
	_, err = c.DeleteCrawler(w.ctx, &glue.DeleteCrawlerInput{Name: aws.String("Mine")})
	w.refused(err, "CrawlerRunningException")
	_, err = c.UpdateCrawler(w.ctx, &glue.UpdateCrawlerInput{Name: aws.String("Mine"), Description: aws.String("d")})
	w.refused(err, "CrawlerRunningException")
	now.Add(60)
	if got := get(); got.State != types.CrawlerStateReady || got.LastCrawl.Status != types.LastCrawlStatusFailed || !strings.Contains(*got.LastCrawl.ErrorMessage, "does not crawl") {
		t.Errorf("got %+v", got)
	}

	_, err = c.UpdateCrawler(w.ctx, &glue.UpdateCrawlerInput{Name: aws.String("Mine"), Description: aws.String("d"), Schedule: aws.String("")})
	w.must(err)
	if got := get(); *got.Description != "d" || got.Schedule != nil || got.Version != 2 || len(got.Targets.CatalogTargets) != 1 {
		t.Errorf("got %+v", got)
	}
	_, err = c.StartCrawlerSchedule(w.ctx, &glue.StartCrawlerScheduleInput{CrawlerName: aws.String("Mine")})
	w.refused(err, "NoScheduleException")
	_, err = c.UpdateCrawlerSchedule(w.ctx, &glue.UpdateCrawlerScheduleInput{CrawlerName: aws.String("Mine"), Schedule: aws.String("cron(0 1 * * ? *)")})
	w.must(err)
	_, err = c.StopCrawlerSchedule(w.ctx, &glue.StopCrawlerScheduleInput{CrawlerName: aws.String("Mine")})
	w.must(err)
	_, err = c.StopCrawlerSchedule(w.ctx, &glue.StopCrawlerScheduleInput{CrawlerName: aws.String("Mine")})
	w.refused(err, "SchedulerNotRunningException")
	_, err = c.StartCrawlerSchedule(w.ctx, &glue.StartCrawlerScheduleInput{CrawlerName: aws.String("Mine")})
	w.must(err)
	_, err = c.StartCrawlerSchedule(w.ctx, &glue.StartCrawlerScheduleInput{CrawlerName: aws.String("Mine")})
	w.refused(err, "SchedulerRunningException")
	_, err = c.StartCrawler(w.ctx, &glue.StartCrawlerInput{Name: aws.String("Mine")})
	w.must(err)
	_, err = c.StopCrawler(w.ctx, &glue.StopCrawlerInput{Name: aws.String("Mine")})
	w.must(err)
	if got := get(); got.State != types.CrawlerStateReady || got.LastCrawl.Status != types.LastCrawlStatusCancelled {
		t.Errorf("got %+v", got)
	}
	_, err = c.DeleteCrawler(w.ctx, &glue.DeleteCrawlerInput{Name: aws.String("Mine")})
	w.must(err)
	_, err = c.GetCrawler(w.ctx, &glue.GetCrawlerInput{Name: aws.String("Mine")})
	w.refused(err, "EntityNotFoundException")
}

func TestCrawlerRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	good := w.role(owner, "Crawl", "", trustGlue)
	w.role(owner, "Distrusting", "", `{"Service":"ec2.amazonaws.com"}`)
	w.admin(guest)
	_, err := w.admin(guest).GetDatabases(w.ctx, &glue.GetDatabasesInput{}) // opens the account
	w.must(err)
	foreign := w.role(guest, "Crawl", "", trustGlue)
	poor := w.as(w.user(owner, "Poor", []string{"glue:*"}, []string{"*"}))
	passer := w.as(w.user(owner, "Passer", []string{"glue:*", "iam:PassRole"}, []string{good, catalogARN + "crawler/x"}))

	change := func(f func(*glue.CreateCrawlerInput)) *glue.CreateCrawlerInput {
		in := crawlerInput("x", good)
		f(in)
		return in
	}
	for what, test := range map[string]struct {
		client *glue.Client
		in     *glue.CreateCrawlerInput
		code   string
	}{
		"role of another account": {c, crawlerInput("x", foreign), "AccessDeniedException"},
		"role that is not there":  {c, crawlerInput("x", "None"), "InvalidInputException"},
		"role with another path":  {c, crawlerInput("x", "arn:aws:iam::"+owner+":role/path/Crawl"), "InvalidInputException"},
		"role that distrusts":     {c, crawlerInput("x", "Distrusting"), "InvalidInputException"},
		"a user":                  {c, crawlerInput("x", "arn:aws:iam::"+owner+":user/Crawl"), "InvalidInputException"},
		"without PassRole":        {poor, crawlerInput("x", good), "AccessDeniedException"},
		"another crawler":         {passer, crawlerInput("y", good), "AccessDeniedException"},
		"no targets":              {c, change(func(in *glue.CreateCrawlerInput) { in.Targets = &types.CrawlerTargets{} }), "InvalidInputException"},
		"bad schedule":            {c, change(func(in *glue.CreateCrawlerInput) { in.Schedule = aws.String("cron(0 0 * * *)") }), "InvalidInputException"},
		"rate schedule":           {c, change(func(in *glue.CreateCrawlerInput) { in.Schedule = aws.String("rate(1 hour)") }), "InvalidInputException"},
		"empty name":              {c, crawlerInput("", good), "ValidationException"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := test.client.CreateCrawler(w.ctx, test.in)
			(&world{TB: t}).refused(err, test.code)
		})
	}
	_, err = passer.CreateCrawler(w.ctx, crawlerInput("x", good))
	w.must(err)
	batch, err := c.BatchGetCrawlers(w.ctx, &glue.BatchGetCrawlersInput{CrawlerNames: []string{"x", "no"}})
	w.must(err)
	if len(batch.Crawlers) != 1 || len(batch.CrawlersNotFound) != 1 {
		t.Errorf("got %+v", batch)
	}
}
