package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// crawlTime is how long a run takes by the mesh's clock. The mesh keeps crawlers
// but does not crawl, so every run that is not stopped fails and says so.
const (
	crawlTime    = time.Minute
	crawlMessage = "The local mesh keeps crawlers but does not crawl."
)

// serviceName is whom a crawler's role must trust.
const serviceName = "glue.amazonaws.com"

func crawlerOperations() []engine.Operation {
	const on = "IAM on the crawler"
	return []engine.Operation{
		engine.Op("CreateCrawler", engine.Write, api+"CreateCrawler.html",
			on+"; the role is of the caller's account, may be passed (iam:PassRole) and trusts Glue; one kind of target at least; a schedule of six fields.", createCrawler),
		engine.Op("GetCrawler", engine.Read, api+"GetCrawler.html", on+".", getCrawler),
		engine.Op("GetCrawlers", engine.Read, api+"GetCrawlers.html", "IAM; pages.", getCrawlers),
		engine.Op("BatchGetCrawlers", engine.Read, api+"BatchGetCrawlers.html", on+"; up to 100 names.", batchGetCrawlers),
		engine.Op("ListCrawlers", engine.Read, api+"ListCrawlers.html", "IAM; tags; pages.", listCrawlers),
		engine.Op("UpdateCrawler", engine.Write, api+"UpdateCrawler.html", on+"; as CreateCrawler; not while it runs.", updateCrawler),
		engine.Op("DeleteCrawler", engine.Write, api+"DeleteCrawler.html", on+"; not while it runs.", deleteCrawler),
		engine.Op("StartCrawler", engine.Write, api+"StartCrawler.html", on+"; not while it runs. Nothing is crawled: the run fails after a minute.", startCrawler),
		engine.Op("StopCrawler", engine.Write, api+"StopCrawler.html", on+"; only while it runs.", stopCrawler),
		engine.Op("UpdateCrawlerSchedule", engine.Write, api+"UpdateCrawlerSchedule.html", on+"; a schedule of six fields.", updateCrawlerSchedule),
		engine.Op("StartCrawlerSchedule", engine.Write, api+"StartCrawlerSchedule.html", on+".", startCrawlerSchedule),
		engine.Op("StopCrawlerSchedule", engine.Write, api+"StopCrawlerSchedule.html", on+".", stopCrawlerSchedule),
	}
}

func crawlerARN(c *engine.Call, name string) string {
	return base(state.Resource{Account: c.Account(), Region: c.Region}) + "crawler/" + name
}

// crawlerName checks a crawler's name. It is not folded.
func crawlerName(given *string) (string, error) {
	if given == nil {
		return "", constraint("name", "null", "not be null")
	}
	return *given, length("name", *given, 1, maxName)
}

// openCrawler authorizes an operation on a crawler and reads it.
func openCrawler(c *engine.Call, action string, given *string) (state.Crawler, types.Crawler, error) {
	var definition types.Crawler
	name, err := crawlerName(given)
	if err != nil {
		return state.Crawler{}, definition, err
	}
	if err := c.Allow(action, crawlerARN(c, name)); err != nil {
		return state.Crawler{}, definition, err
	}
	crawler, ok, err := state.GetCrawler(c.Tx, c.Account(), c.Region, name)
	if err != nil {
		return crawler, definition, err
	}
	if !ok {
		return crawler, definition, notFound("Crawler with name %s does not exist", name)
	}
	return crawler, definition, definitionOf(crawler, &definition)
}

func definitionOf(crawler state.Crawler, into *types.Crawler) error {
	if err := json.Unmarshal(crawler.Definition, into); err != nil {
		return fmt.Errorf("crawler %s: %w", crawler.Name, err)
	}
	return nil
}

// putCrawler stores a crawler with its definition.
func putCrawler(c *engine.Call, crawler state.Crawler, definition types.Crawler) error {
	data, err := json.Marshal(definition)
	if err != nil {
		return fmt.Errorf("crawler %s: %w", crawler.Name, err)
	}
	crawler.Definition = data
	return state.Crawlers.Put(c.Tx, crawler, crawler.Account, crawler.Region, crawler.Name)
}

// running tells whether a run is under way at the moment of the call.
func running(c *engine.Call, crawler state.Crawler) bool {
	return crawler.State == string(types.CrawlerStateRunning) && c.Now.Before(crawler.Started.Add(crawlTime))
}

// crawlerOut is a crawler as it is handed out.
func crawlerOut(c *engine.Call, crawler state.Crawler) (types.Crawler, error) {
	var out types.Crawler
	if err := definitionOf(crawler, &out); err != nil {
		return out, err
	}
	out.Name, out.Role = aws.String(crawler.Name), aws.String(strings.TrimPrefix(crawler.Role[strings.Index(crawler.Role, ":role/")+1:], "role/"))
	out.DatabaseName = optional(crawler.Database)
	out.CreationTime, out.LastUpdated, out.Version = aws.Time(crawler.Created), aws.Time(crawler.Updated), crawler.Version
	out.State = types.CrawlerStateReady
	switch {
	case running(c, crawler):
		out.State = types.CrawlerStateRunning
		out.CrawlElapsedTime = c.Now.Sub(crawler.Started).Milliseconds()
	case crawler.State == string(types.CrawlerStateRunning):
		out.LastCrawl = &types.LastCrawlInfo{Status: types.LastCrawlStatusFailed, ErrorMessage: aws.String(crawlMessage), StartTime: aws.Time(crawler.Started)}
	case crawler.Runs > 0:
		out.LastCrawl = &types.LastCrawlInfo{Status: types.LastCrawlStatusCancelled, StartTime: aws.Time(crawler.Started)}
	}
	if crawler.Schedule != "" {
		out.Schedule = &types.Schedule{ScheduleExpression: aws.String(crawler.Schedule), State: types.ScheduleStateNotScheduled}
		if crawler.Scheduled {
			out.Schedule.State = types.ScheduleStateScheduled
		}
	}
	return out, nil
}

// passRole finds the role of a crawler, by ARN or by name with path, and checks
// that it may be handed to Glue.
// https://docs.aws.amazon.com/glue/latest/dg/create-an-iam-role.html
func passRole(c *engine.Call, given *string) (string, error) {
	if aws.ToString(given) == "" {
		return "", constraint("role", "null", "not be null")
	}
	name := *given
	arn := *given
	if strings.HasPrefix(arn, "arn:") {
		account, kind, n, ok := state.SplitPrincipalARN(arn)
		if !ok || kind != "role" {
			return "", invalid("Role %s is not valid", short(arn))
		}
		if account != c.Account() {
			return "", c.Denied("Cross-account pass role is not allowed.")
		}
		name = n
	} else if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	role, ok, err := state.GetRole(c.Tx, c.Account(), name)
	if err != nil {
		return "", err
	}
	pass := arn
	if ok && !strings.HasPrefix(arn, "arn:") {
		pass = role.ARN()
	} else if !strings.HasPrefix(arn, "arn:") {
		pass = "arn:aws:iam::" + c.Account() + ":role/" + strings.TrimPrefix(arn, "/")
	}
	if err := c.Authorize(authz.Question{Action: "iam:PassRole", Resources: []string{pass},
		Keys: map[string][]string{"iam:passedtoservice": {serviceName}}}); err != nil {
		return "", err
	}
	if !ok || strings.HasPrefix(arn, "arn:") && role.ARN() != arn {
		return "", invalid("Role %s does not exist", short(arn))
	}
	d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{Service: serviceName}, authz.Question{
		Action: "sts:AssumeRole", Resources: []string{role.ARN()}, ResourceAccount: c.Account(),
		ResourcePolicy: role.Trust, ResourcePolicyName: "the trust policy", ResourceRequired: true,
		// https://docs.aws.amazon.com/glue/latest/dg/cross-service-confused-deputy-prevention.html
		Keys: map[string][]string{"aws:SourceAccount": {c.Account()}, "aws:SourceArn": {c.ARN("glue", c.Account(), "crawler/*")}},
	}, c.Now, c.Region)
	if err != nil {
		return "", err
	}
	if !d.Allowed {
		return "", invalid("Service is unable to assume provided role. Please verify role's TrustPolicy")
	}
	return role.ARN(), nil
}

// cron is a schedule: minutes, hours, day of month, month, day of week, year.
// https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html
var cron = regexp.MustCompile(`^cron\(([0-9A-Za-z,\-*/?LW#]+ ){5}[0-9A-Za-z,\-*/?LW#]+\)$`)

func checkSchedule(schedule string) error {
	if schedule == "" || cron.MatchString(schedule) {
		return nil
	}
	return invalid("Invalid schedule expression: %s", short(schedule))
}

func checkTargets(t *types.CrawlerTargets) error {
	if t == nil || len(t.S3Targets)+len(t.CatalogTargets)+len(t.JdbcTargets)+len(t.DynamoDBTargets)+
		len(t.MongoDBTargets)+len(t.DeltaTargets)+len(t.HudiTargets)+len(t.IcebergTargets) == 0 {
		return invalid("Crawler cannot be created or updated with no targets")
	}
	for i, target := range t.CatalogTargets {
		at := fmt.Sprintf("targets.catalogTargets.%d.member", i+1)
		if _, err := name(at+".databaseName", target.DatabaseName); err != nil {
			return err
		}
		if len(target.Tables) == 0 {
			return count(at+".tables", 0, 1, 1000)
		}
	}
	return nil
}

func createCrawler(c *engine.Call, in *glue.CreateCrawlerInput) (*glue.CreateCrawlerOutput, error) {
	name, err := crawlerName(in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := c.Allow("glue:CreateCrawler", crawlerARN(c, name)); err != nil {
		return nil, err
	}
	if err := allowTags(c, crawlerARN(c, name), in.Tags); err != nil {
		return nil, err
	}
	if err := checkTargets(in.Targets); err != nil {
		return nil, err
	}
	schedule := aws.ToString(in.Schedule)
	if err := checkSchedule(schedule); err != nil {
		return nil, err
	}
	role, err := passRole(c, in.Role)
	if err != nil {
		return nil, err
	}
	if state.Crawlers.Has(c.Tx, c.Account(), c.Region, name) {
		return nil, alreadyExists("Crawler with name %s already exists", name)
	}
	crawler := state.Crawler{Account: c.Account(), Region: c.Region, Name: name, Role: role, Database: state.Fold(aws.ToString(in.DatabaseName)),
		State: string(types.CrawlerStateReady), Created: c.Now, Updated: c.Now, Schedule: schedule, Scheduled: schedule != "", Version: 1}
	err = putCrawler(c, crawler, types.Crawler{
		Targets: in.Targets, Classifiers: in.Classifiers, Configuration: in.Configuration, CrawlerSecurityConfiguration: in.CrawlerSecurityConfiguration,
		Description: in.Description, LakeFormationConfiguration: in.LakeFormationConfiguration, LineageConfiguration: in.LineageConfiguration,
		RecrawlPolicy: in.RecrawlPolicy, SchemaChangePolicy: in.SchemaChangePolicy, TablePrefix: in.TablePrefix,
	})
	if err != nil {
		return nil, err
	}
	return &glue.CreateCrawlerOutput{}, setTags(c, c.Account(), crawlerARN(c, name), in.Tags)
}

func getCrawler(c *engine.Call, in *glue.GetCrawlerInput) (*glue.GetCrawlerOutput, error) {
	crawler, _, err := openCrawler(c, "glue:GetCrawler", in.Name)
	if err != nil {
		return nil, err
	}
	out, err := crawlerOut(c, crawler)
	return &glue.GetCrawlerOutput{Crawler: &out}, err
}

// eachCrawler calls fn for the crawlers of a page.
func eachCrawler(c *engine.Call, token *string, given *int32, fn func(state.Crawler) (bool, error)) (*string, error) {
	size, err := pageSize(given, 1000)
	if err != nil {
		return nil, err
	}
	from, err := after(token, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	page := newPager(size)
	var failed error
	err = state.Crawlers.Scan(c.Tx, []string{c.Account(), c.Region}, from, func(key string, crawler state.Crawler) bool {
		if page.kept == size {
			page.more = true
			return false
		}
		var keep bool
		if keep, failed = fn(crawler); failed != nil {
			return false
		}
		if keep {
			page.take(key)
		}
		return page.pass(key)
	})
	if err == nil {
		err = failed
	}
	return page.token(), err
}

func getCrawlers(c *engine.Call, in *glue.GetCrawlersInput) (*glue.GetCrawlersOutput, error) {
	if err := c.Allow("glue:GetCrawlers"); err != nil {
		return nil, err
	}
	out := &glue.GetCrawlersOutput{Crawlers: []types.Crawler{}}
	var err error
	out.NextToken, err = eachCrawler(c, in.NextToken, in.MaxResults, func(crawler state.Crawler) (bool, error) {
		one, err := crawlerOut(c, crawler)
		out.Crawlers = append(out.Crawlers, one)
		return true, err
	})
	return out, err
}

func listCrawlers(c *engine.Call, in *glue.ListCrawlersInput) (*glue.ListCrawlersOutput, error) {
	if err := c.Allow("glue:ListCrawlers"); err != nil {
		return nil, err
	}
	out := &glue.ListCrawlersOutput{CrawlerNames: []string{}}
	var err error
	out.NextToken, err = eachCrawler(c, in.NextToken, in.MaxResults, func(crawler state.Crawler) (bool, error) {
		tags, _, err := state.CatalogTags.Get(c.Tx, c.Account(), c.Region, crawlerARN(c, crawler.Name))
		if err != nil {
			return false, err
		}
		for k, v := range in.Tags {
			if has, ok := tags[k]; !ok || has != v {
				return false, nil
			}
		}
		out.CrawlerNames = append(out.CrawlerNames, crawler.Name)
		return true, nil
	})
	return out, err
}

func batchGetCrawlers(c *engine.Call, in *glue.BatchGetCrawlersInput) (*glue.BatchGetCrawlersOutput, error) {
	if err := count("crawlerNames", len(in.CrawlerNames), 0, 100); err != nil {
		return nil, err
	}
	var all []string
	for _, n := range in.CrawlerNames {
		all = append(all, crawlerARN(c, n))
	}
	if err := c.Allow("glue:BatchGetCrawlers", all...); err != nil {
		return nil, err
	}
	out := &glue.BatchGetCrawlersOutput{Crawlers: []types.Crawler{}, CrawlersNotFound: []string{}}
	for _, n := range in.CrawlerNames {
		crawler, ok, err := state.GetCrawler(c.Tx, c.Account(), c.Region, n)
		if err != nil {
			return nil, err
		}
		if !ok {
			out.CrawlersNotFound = append(out.CrawlersNotFound, n)
			continue
		}
		one, err := crawlerOut(c, crawler)
		if err != nil {
			return nil, err
		}
		out.Crawlers = append(out.Crawlers, one)
	}
	return out, nil
}

func crawlerRuns(name string) error {
	return engine.Errorf("CrawlerRunningException", "Crawler with name %s has already started", name)
}

func updateCrawler(c *engine.Call, in *glue.UpdateCrawlerInput) (*glue.UpdateCrawlerOutput, error) {
	crawler, definition, err := openCrawler(c, "glue:UpdateCrawler", in.Name)
	if err != nil {
		return nil, err
	}
	if running(c, crawler) {
		return nil, crawlerRuns(crawler.Name)
	}
	if in.Role != nil {
		if crawler.Role, err = passRole(c, in.Role); err != nil {
			return nil, err
		}
	}
	if in.Schedule != nil {
		if err := checkSchedule(*in.Schedule); err != nil {
			return nil, err
		}
		crawler.Schedule, crawler.Scheduled = *in.Schedule, *in.Schedule != ""
	}
	if in.Targets != nil {
		if err := checkTargets(in.Targets); err != nil {
			return nil, err
		}
		definition.Targets = in.Targets
	}
	if in.DatabaseName != nil {
		crawler.Database = state.Fold(*in.DatabaseName)
	}
	if in.Classifiers != nil {
		definition.Classifiers = in.Classifiers
	}
	set(&definition.Configuration, in.Configuration)
	set(&definition.CrawlerSecurityConfiguration, in.CrawlerSecurityConfiguration)
	set(&definition.Description, in.Description)
	set(&definition.TablePrefix, in.TablePrefix)
	set(&definition.LakeFormationConfiguration, in.LakeFormationConfiguration)
	set(&definition.LineageConfiguration, in.LineageConfiguration)
	set(&definition.RecrawlPolicy, in.RecrawlPolicy)
	set(&definition.SchemaChangePolicy, in.SchemaChangePolicy)
	crawler.Updated, crawler.Version = c.Now, crawler.Version+1
	return &glue.UpdateCrawlerOutput{}, putCrawler(c, crawler, definition)
}

// set puts a member in place if it was given.
func set[T any](member **T, given *T) {
	if given != nil {
		*member = given
	}
}

func deleteCrawler(c *engine.Call, in *glue.DeleteCrawlerInput) (*glue.DeleteCrawlerOutput, error) {
	crawler, _, err := openCrawler(c, "glue:DeleteCrawler", in.Name)
	if err != nil {
		return nil, err
	}
	if running(c, crawler) {
		return nil, crawlerRuns(crawler.Name)
	}
	if err := state.CatalogTags.Delete(c.Tx, c.Account(), c.Region, crawlerARN(c, crawler.Name)); err != nil {
		return nil, err
	}
	return &glue.DeleteCrawlerOutput{}, state.Crawlers.Delete(c.Tx, crawler.Account, crawler.Region, crawler.Name)
}

func startCrawler(c *engine.Call, in *glue.StartCrawlerInput) (*glue.StartCrawlerOutput, error) {
	crawler, definition, err := openCrawler(c, "glue:StartCrawler", in.Name)
	if err != nil {
		return nil, err
	}
	if running(c, crawler) {
		return nil, crawlerRuns(crawler.Name)
	}
	crawler.State, crawler.Started, crawler.Runs = string(types.CrawlerStateRunning), c.Now, crawler.Runs+1
	return &glue.StartCrawlerOutput{}, putCrawler(c, crawler, definition)
}

func stopCrawler(c *engine.Call, in *glue.StopCrawlerInput) (*glue.StopCrawlerOutput, error) {
	crawler, definition, err := openCrawler(c, "glue:StopCrawler", in.Name)
	if err != nil {
		return nil, err
	}
	if !running(c, crawler) {
		return nil, engine.Errorf("CrawlerNotRunningException", "Crawler with name %s isn't running", crawler.Name)
	}
	crawler.State = string(types.CrawlerStateReady)
	return &glue.StopCrawlerOutput{}, putCrawler(c, crawler, definition)
}

func updateCrawlerSchedule(c *engine.Call, in *glue.UpdateCrawlerScheduleInput) (*glue.UpdateCrawlerScheduleOutput, error) {
	crawler, definition, err := openCrawler(c, "glue:UpdateCrawlerSchedule", in.CrawlerName)
	if err != nil {
		return nil, err
	}
	if err := checkSchedule(aws.ToString(in.Schedule)); err != nil {
		return nil, err
	}
	crawler.Schedule, crawler.Scheduled = aws.ToString(in.Schedule), aws.ToString(in.Schedule) != ""
	crawler.Updated, crawler.Version = c.Now, crawler.Version+1
	return &glue.UpdateCrawlerScheduleOutput{}, putCrawler(c, crawler, definition)
}

func startCrawlerSchedule(c *engine.Call, in *glue.StartCrawlerScheduleInput) (*glue.StartCrawlerScheduleOutput, error) {
	crawler, definition, err := openCrawler(c, "glue:StartCrawlerSchedule", in.CrawlerName)
	if err != nil {
		return nil, err
	}
	switch {
	case crawler.Schedule == "":
		return nil, engine.Errorf("NoScheduleException", "Crawler with name %s has no schedule", crawler.Name)
	case crawler.Scheduled:
		return nil, engine.Errorf("SchedulerRunningException", "The schedule of crawler %s is on already", crawler.Name)
	}
	crawler.Scheduled = true
	return &glue.StartCrawlerScheduleOutput{}, putCrawler(c, crawler, definition)
}

func stopCrawlerSchedule(c *engine.Call, in *glue.StopCrawlerScheduleInput) (*glue.StopCrawlerScheduleOutput, error) {
	crawler, definition, err := openCrawler(c, "glue:StopCrawlerSchedule", in.CrawlerName)
	if err != nil {
		return nil, err
	}
	if !crawler.Scheduled {
		return nil, engine.Errorf("SchedulerNotRunningException", "The schedule of crawler %s is off already", crawler.Name)
	}
	crawler.Scheduled = false
	return &glue.StopCrawlerScheduleOutput{}, putCrawler(c, crawler, definition)
}
