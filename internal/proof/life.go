package proof

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/producer"
	"github.com/lakemesh/lakemesh/query"
)

// Step is a step of the life of a data product.
type Step struct {
	Title   string  `json:"Title"`
	Verdict Verdict `json:"Verdict"`
	// Result is what happened: what AWS said, where it is not as expected.
	Result string `json:"Result"`
	Took   string `json:"Took,omitempty"`
}

// life is the life of a product under way.
type life struct {
	*Stage
	producer     *producer.Producer
	consumer     *consumer.Consumer
	admin        *admin.Admin
	subscription string
	source       string
	reader       string
	readerConfig aws.Config
}

// The product of the life: a table that a consumer may read, and one that it may not.
const (
	lifeTable = "weather"
	lifeOther = "salaries"
	lifeRows  = "Seattle,2012-01-01,rain\nSeattle,2012-01-02,sun\n"
)

func (l *life) published() string { return lakemesh.MeshDatabaseName(l.source, l.third().ID) }

// live lives the whole life of a data product, with lakemesh's own operations. A step that fails
// ends it, but for the way back, which is tried in any case.
func (s *Stage) live(ctx context.Context, report *Report) error {
	l := &life{Stage: s, source: s.name("source")}
	// A profile that is no data lake administrator was not shown the LF-tags that there are, and
	// what has one of lakemesh's names is removed at the end: now an administrator looks.
	for _, part := range Parts() {
		r := &remover{account: s.accounts[part], administrator: s.admins[part], run: s.run}
		there, err := r.present(ctx, isMeshs)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			report.Life = append(report.Life, Step{Title: "the life of a product", Verdict: NotTried,
				Result: fmt.Sprintf("%s is there, which has a name that lakemesh gives: use accounts without it", there[0])})
			s.tell("life: not tried: %s is there", there[0])
			return nil
		}
	}
	// From here on lakemesh's own names are the run's: before, there were none.
	if err := s.journal.make(Thing{Kind: kindMesh, In: Mesh, Name: l.source}); err != nil {
		return err
	}
	take := func(title string, do func(context.Context) (string, error)) bool {
		if ctx.Err() != nil {
			return false
		}
		s.tell("life: %s", title)
		begun := time.Now()
		result, err := do(ctx)
		step := Step{Title: title, Verdict: Same, Result: result, Took: time.Since(begun).Round(100 * time.Millisecond).String()}
		if err != nil {
			step.Verdict, step.Result = Different, err.Error()
			if ctx.Err() != nil {
				step.Verdict = NotTried
			}
			s.tell("  different: %s", step.Result)
		}
		report.Life = append(report.Life, step)
		return err == nil
	}
	steps := []struct {
		title string
		do    func(context.Context) (string, error)
	}{
		{"the mesh account is set up", l.setUp},
		{"setting it up once more changes nothing", l.setUpAgain},
		{"the producer is enabled", l.enableProducer},
		{"the consumer is enabled", l.enableConsumer},
		{"the producer has data", l.load},
		{"the producer publishes", l.publish},
		{"publishing once more changes nothing", l.publishAgain},
		{"the consumer finds the product", l.find},
		{"nobody of the consumer's account reads", l.refusedBefore},
		{"the consumer requests access", l.request},
		{"the producer approves", l.approve},
		{"the consumer imports for a role", l.importIt},
		{"that role reads through Athena", l.readByAthena},
		{"that role reads with credentials that Lake Formation vends", l.readByCredentials},
		{"it reads no other table, and nothing straight from S3", l.refusedOther},
		{"nothing drifts: verify finds nothing", l.verify},
		{"the producer narrows to the metadata", l.narrow},
		{"the role sees the metadata, and reads no data", l.refusedNarrowed},
		{"the producer ends the subscription", l.end},
		{"the role sees and reads nothing", l.refusedAfter},
	}
	for i, step := range steps {
		if take(step.title, step.do) {
			continue
		}
		for _, rest := range steps[i+1:] {
			report.Life = append(report.Life, Step{Title: rest.title, Verdict: NotTried, Result: "an earlier step failed"})
		}
		break
	}
	take("the way back: unpublish, disable, clear, destroy", l.wayBack)
	return ctx.Err()
}

func (l *life) options(a *Account) lakemesh.Options {
	cfg := a.config.Copy()
	return lakemesh.Options{MeshAccountID: l.owner().ID, Region: a.Region, Config: &cfg, RoleWait: l.patience}
}

func (l *life) setUp(ctx context.Context) (string, error) {
	var err error
	if l.admin, err = admin.New(ctx, l.options(l.owner())); err != nil {
		return "", err
	}
	if _, err := l.admin.InitializeMeshAccount(ctx, l.initialization()); err != nil {
		return "", err
	}
	status, err := l.admin.Status(ctx)
	if err != nil {
		return "", err
	}
	if len(status.Problems) > 0 {
		return "", errors.New(strings.Join(status.Problems, "; "))
	}
	return "no problems found", nil
}

// runTag is the tag by which the roles of a run's mesh are told from those of any other.
const runTag = "lakemesh-acceptance"

func (l *life) roles() admin.RoleOptions {
	return admin.RoleOptions{Tags: map[string]string{runTag: l.run}}
}

func (l *life) initialization() admin.InitializeMeshInput {
	return admin.InitializeMeshInput{AllowFullTableExternalDataAccess: aws.Bool(true), Roles: l.roles()}
}

func (l *life) setUpAgain(ctx context.Context) (string, error) {
	p, err := l.admin.PlanInitializeMeshAccount(ctx, l.initialization())
	if err != nil {
		return "", err
	}
	if !p.Empty() {
		return "", fmt.Errorf("what was set up is not found as it was made:\n%s", p)
	}
	return "an empty plan", nil
}

func (l *life) enable(ctx context.Context, a *Account, kind admin.AccountType) error {
	_, err := admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: kind, Mesh: l.options(l.owner()), Account: l.options(a), AccountRoles: l.roles(), MeshRoles: l.roles()})
	return err
}

func (l *life) enableProducer(ctx context.Context) (string, error) {
	if err := l.enable(ctx, l.third(), admin.Producer); err != nil {
		return "", err
	}
	var err error
	l.producer, err = producer.New(ctx, l.options(l.third()))
	return "it opens " + lakemesh.ProducerRole + " and " + lakemesh.MeshProducerRole(l.third().ID), err
}

func (l *life) enableConsumer(ctx context.Context) (string, error) {
	if err := l.enable(ctx, l.recipient(), admin.Consumer); err != nil {
		return "", err
	}
	var err error
	if l.consumer, err = consumer.New(ctx, l.options(l.recipient())); err != nil {
		return "", err
	}
	name := l.name("reader")
	cfg, err := l.role(ctx, l.recipient(), name, trustOf(l.recipient().ID), policyOf(
		statement("athena:* glue:Get* lakeformation:GetDataAccess lakeformation:GetTemporaryGlueTableCredentials", "*"),
		statement("s3:GetBucketLocation s3:GetObject s3:PutObject s3:ListBucket s3:AbortMultipartUpload", partition+"s3:::"+l.results(l.recipient())+" "+partition+"s3:::"+l.results(l.recipient())+"/*")))
	l.reader, l.readerConfig = l.recipient().role(name), cfg
	return "it opens " + lakemesh.ConsumerRole + " and " + lakemesh.MeshConsumerRole(l.recipient().ID), err
}

// data is the bucket of the producer's data.
func (l *life) data() string { return l.name("data-" + l.third().ID) }

func (l *life) load(ctx context.Context) (string, error) {
	if err := l.makeBucket(ctx, l.third(), l.data()); err != nil {
		return "", err
	}
	if err := l.makeDatabase(ctx, l.third(), l.source); err != nil {
		return "", err
	}
	for _, name := range []string{lifeTable, lifeOther} {
		key := name + "/rows.csv"
		if _, err := s3Of(l.third().config).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(l.data()), Key: &key, Body: strings.NewReader(lifeRows)}); err != nil {
			return "", err
		}
		in := &gluetypes.TableInput{Name: &name, TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{"classification": "csv"},
			StorageDescriptor: descriptor("s3://"+l.data()+"/"+name+"/", "location", "day", "weather")}
		if _, err := glueOf(l.admins[Producer]).CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &l.source, TableInput: in}); err != nil {
			return "", err
		}
		// A table that a role publishes has to be seen by it.
		role := lakemesh.RoleARN(l.third().ID, lakemesh.ProducerRole)
		on := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &l.source, Name: &name}}
		err := l.wait(ctx, "a grant to "+lakemesh.ProducerRole, func() error {
			return only(lake(l.admins[Producer]).GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{Principal: principal(role), Resource: on,
				Permissions: []lftypes.Permission{lftypes.PermissionDescribe, lftypes.PermissionSelect}}))
		})
		if err != nil {
			return "", err
		}
	}
	return "two tables of a row for each of two days", nil
}

func (l *life) product() producer.CreateDataProductsInput {
	return producer.CreateDataProductsInput{SourceDatabaseName: l.source, Domain: "acceptance", DataProductName: "weather"}
}

func (l *life) publish(ctx context.Context) (string, error) {
	out, err := l.producer.CreateDataProducts(ctx, l.product())
	if err != nil {
		return "", err
	}
	if len(out.Tables) != 2 || len(out.Warnings) > 0 {
		return "", fmt.Errorf("%d tables were published, with warnings %q", len(out.Tables), out.Warnings)
	}
	return "in " + out.DatabaseName, nil
}

func (l *life) publishAgain(ctx context.Context) (string, error) {
	p, err := l.producer.PlanCreateDataProducts(ctx, l.product())
	if err != nil {
		return "", err
	}
	if !p.Empty() {
		return "", fmt.Errorf("what was published is not found as it was made:\n%s", p)
	}
	return "an empty plan", nil
}

func (l *life) find(ctx context.Context) (string, error) {
	err := l.wait(ctx, "the product to be found", func() error {
		out, err := l.consumer.ListProducts(ctx, consumer.ListProductsInput{Domain: "acceptance", DataProductName: "weather"})
		if err == nil && len(out.Products) != 2 {
			err = fmt.Errorf("%d tables are listed, 2 are published", len(out.Products))
		}
		return err
	})
	return "by its domain and name", err
}

func (l *life) request(ctx context.Context) (string, error) {
	out, err := l.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: l.third().ID, DatabaseName: l.published(), Tables: []string{lifeTable},
		RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	if err != nil {
		return "", err
	}
	l.subscription = out.SubscriptionID
	return l.subscription, nil
}

func (l *life) approve(ctx context.Context) (string, error) {
	if err := l.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: l.subscription}); err != nil {
		return "", err
	}
	sub, err := l.producer.GetSubscription(ctx, l.subscription)
	if err != nil {
		return "", err
	}
	if sub.Status != lakemesh.Active {
		return "", fmt.Errorf("the subscription is %s", sub.Status)
	}
	return "it is Active", nil
}

func (l *life) importIt(ctx context.Context) (string, error) {
	var shares int
	err := l.wait(ctx, "the import", func() error {
		out, err := l.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: l.subscription, Principals: []string{l.reader}})
		if err == nil {
			shares += len(out.AcceptedShares)
		}
		return err
	})
	return fmt.Sprintf("shares accepted: %d", shares), err
}

// ask asks Athena for a table, as the reader.
func (l *life) ask(ctx context.Context, table string) (*query.Result, error) {
	cfg := l.readerConfig.Copy()
	client, err := query.New(ctx, lakemesh.Options{MeshAccountID: l.owner().ID, Region: cfg.Region, Config: &cfg}, "")
	if err != nil {
		return nil, err
	}
	return client.Run(ctx, query.Input{SQL: `SELECT * FROM "` + l.published() + `"."` + table + `"`, OutputLocation: "s3://" + l.results(l.recipient()) + "/", Limit: -1})
}

func (l *life) readByAthena(ctx context.Context) (string, error) {
	err := l.wait(ctx, "the rows", func() error {
		rows, err := l.ask(ctx, lifeTable)
		if err == nil && len(rows.Rows) != 2 {
			err = fmt.Errorf("%d rows were read, there are 2", len(rows.Rows))
		}
		return err
	})
	return "the producer's rows", err
}

func (l *life) vended(ctx context.Context, table string) (aws.Config, error) {
	arn := lakemesh.TableARN(l.owner().Region, l.owner().ID, l.published(), table)
	out, err := lake(l.readerConfig).GetTemporaryGlueTableCredentials(ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{TableArn: &arn,
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}, SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return aws.Config{}, err
	}
	cfg := l.readerConfig.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(out.AccessKeyId), aws.ToString(out.SecretAccessKey), aws.ToString(out.SessionToken))
	return cfg, nil
}

func (l *life) object(ctx context.Context, cfg aws.Config, table string) ([][]string, error) {
	out, err := s3Of(cfg).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(l.data()), Key: aws.String(table + "/rows.csv")})
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(out.Body).ReadAll()
	return rows, errors.Join(err, out.Body.Close())
}

func (l *life) readByCredentials(ctx context.Context) (string, error) {
	err := l.wait(ctx, "the object", func() error {
		cfg, err := l.vended(ctx, lifeTable)
		if err != nil {
			return err
		}
		rows, err := l.object(ctx, cfg, lifeTable)
		if err == nil && len(rows) != 2 {
			err = fmt.Errorf("%d rows were read, there are 2", len(rows))
		}
		return err
	})
	return "the producer's rows", err
}

// reads tells whether the reader reads a table, in any way.
func (l *life) reads(ctx context.Context, table string) error {
	if rows, err := l.ask(ctx, table); err == nil {
		return fmt.Errorf("%d rows of %s were shown by Athena", len(rows.Rows), table)
	} else if err := onlyRefused(err); err != nil {
		return err
	}
	if _, err := l.vended(ctx, table); err == nil {
		return fmt.Errorf("credentials for %s were vended by Lake Formation", table)
	} else if err := onlyRefused(err); err != nil {
		return err
	}
	if _, err := l.object(ctx, l.readerConfig, table); err == nil {
		return fmt.Errorf("an object of %s was read straight from S3", table)
	} else if err := onlyRefused(err); err != nil {
		return err
	}
	return nil
}

// onlyRefused drops refusals: what is refused for another reason than that it may not be read says
// nothing about rights.
func onlyRefused(err error) error {
	if awserr.Denied(err) || awserr.NotFound(err) || errors.Is(err, lakemesh.ErrAccessDenied) || errors.Is(err, lakemesh.ErrNotFound) {
		return nil
	}
	return err
}

// refusedSoon waits until a table is not read in any way.
func (l *life) refusedSoon(ctx context.Context, table string) (string, error) {
	return "refused by Athena, Lake Formation and S3", l.wait(ctx, "reading to be refused", func() error { return l.reads(ctx, table) })
}

func (l *life) refusedBefore(ctx context.Context) (string, error) {
	return l.refusedSoon(ctx, lifeTable)
}

func (l *life) refusedOther(ctx context.Context) (string, error) {
	if _, err := l.object(ctx, l.readerConfig, lifeTable); err == nil {
		return "", errors.New("the object was read straight from S3")
	}
	return l.refusedSoon(ctx, lifeOther)
}

func (l *life) verify(ctx context.Context) (string, error) {
	v, err := l.producer.Verify(ctx, producer.VerifyInput{})
	if err != nil {
		return "", err
	}
	if len(v.Findings) > 0 {
		return "", fmt.Errorf("it finds %d: %v", len(v.Findings), v.Findings)
	}
	return "it finds nothing", nil
}

func (l *life) narrow(ctx context.Context) (string, error) {
	return "SELECT is taken away", l.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: l.subscription, GrantPermissions: []string{"DESCRIBE"}})
}

func (l *life) describe(ctx context.Context) error {
	return only(glueOf(l.readerConfig).GetTable(ctx, &glue.GetTableInput{CatalogId: aws.String(l.owner().ID), DatabaseName: aws.String(l.published()), Name: aws.String(lifeTable)}))
}

func (l *life) refusedNarrowed(ctx context.Context) (string, error) {
	// A change on the producer's side ends what was handed on: the consumer imports again.
	if _, err := l.importIt(ctx); err != nil {
		return "", err
	}
	if err := l.wait(ctx, "the metadata", func() error { return l.describe(ctx) }); err != nil {
		return "", err
	}
	return l.refusedSoon(ctx, lifeTable)
}

func (l *life) end(ctx context.Context) (string, error) {
	if err := l.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: l.subscription, Reason: "the acceptance run ends it"}); err != nil {
		return "", err
	}
	return "it is Deleted", nil
}

func (l *life) refusedAfter(ctx context.Context) (string, error) {
	text, err := l.refusedSoon(ctx, lifeTable)
	if err != nil {
		return "", err
	}
	return text, l.wait(ctx, "the table to be out of sight", func() error {
		err := l.describe(ctx)
		if err == nil {
			return errors.New("the role still sees the table")
		}
		return onlyRefused(err)
	})
}

// wayBack goes lakemesh's own way back, and looks that nothing of the mesh is left.
func (l *life) wayBack(ctx context.Context) (string, error) {
	if l.admin == nil {
		return "", errors.New("the mesh was not set up")
	}
	if l.producer != nil {
		if _, err := l.producer.UnpublishDataProducts(ctx, producer.UnpublishInput{SourceDatabaseName: l.source, EndSubscriptions: true, Reason: "the acceptance run ends"}); err != nil && !errors.Is(err, lakemesh.ErrNotFound) {
			return "", err
		}
	}
	if l.consumer != nil {
		if err := l.consumer.RemoveDeadLinks(ctx, consumer.RemoveDeadLinksInput{}); err != nil {
			return "", err
		}
	}
	var warnings []string
	for _, leaving := range []struct {
		a    *Account
		kind admin.AccountType
	}{{l.third(), admin.Producer}, {l.recipient(), admin.Consumer}} {
		out, err := admin.RetireAccount(ctx, admin.RetireInput{Type: leaving.kind, Mesh: l.options(l.owner()), Account: l.options(leaving.a)})
		if err != nil {
			return "", err
		}
		warnings = append(warnings, out.Warnings...)
	}
	out, err := l.admin.DestroyMesh(ctx, admin.DestroyMeshInput{Confirm: l.owner().ID})
	if err != nil {
		return "", err
	}
	warnings = append(warnings, out.Warnings...)
	return "nothing of the mesh is left", l.wait(ctx, "nothing of the mesh to be left", func() error {
		for _, part := range Parts() {
			r := &remover{account: l.accounts[part], administrator: l.admins[part], run: l.run}
			left, err := r.present(ctx, isMeshs)
			if err != nil {
				return err
			}
			if len(left) > 0 {
				return fmt.Errorf("left is %v; it was said: %s", left, strings.Join(warnings, "; "))
			}
		}
		return nil
	})
}

// sweep removes what is left of the mesh of a life by lakemesh's names, which nothing had before
// the run: what a run leaves that was killed cannot go the way back in any case.
//
// A mesh that somebody else has made since is not touched: its roles have not the run's tag.
func sweep(ctx context.Context, j *Journal, removers map[Part]*remover) error {
	ofRun, ofOthers, err := meshRoles(ctx, j, removers)
	if err != nil {
		return err
	}
	if ofOthers != "" && ofRun != "" {
		return &lakemesh.Error{Resource: ofOthers, Kind: lakemesh.ErrConflict, Message: "a mesh that run " + j.Header.Run + " did not make uses roles beside its own " + ofRun,
			Hint: "remove that mesh first (lakemesh mesh destroy), or the roles of the run by hand"}
	}
	source := prefix(j.Header.Run) + "-source"
	published := source
	for _, a := range j.Header.Accounts {
		if a.Part == Producer {
			published = lakemesh.MeshDatabaseName(source, a.ID)
		}
	}
	ours := func(name string) bool {
		return isMeshs(name) && ofOthers == "" || strings.HasPrefix(name, source) || strings.HasPrefix(name, partition+"s3:::"+prefix(j.Header.Run)+"-data-")
	}
	for _, part := range Parts() {
		r := removers[part]
		if ofOthers == "" {
			// What lakemesh's roles hold on the catalog itself.
			if err := r.revokeBut(ctx, &lakeformation.ListPermissionsInput{}, func(who string) bool { return !strings.Contains(who, ":role"+lakemesh.IAMPath) }); denied(err) != nil {
				return err
			}
		}
		things, err := r.present(ctx, ours)
		if err != nil {
			return err
		}
		if part == Mesh {
			things = append([]Thing{{Kind: kindDatabase, In: Mesh, Name: published}}, things...)
		}
		for _, t := range things {
			if t.Kind == kindRecords {
				if err := r.ofRun(ctx, t.Name, j.Header.Begun); err != nil {
					return err
				}
			}
			if t.Kind == kindRole {
				// A role that administers the data lake is taken out before it goes.
				if err := r.dismiss(ctx); err != nil {
					return err
				}
			}
			if err := r.remove(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// longestRun is how long after its beginning a run makes something.
const longestRun = 24 * time.Hour

// ofRun refuses a table of records that a run which began then cannot have made.
func (r *remover) ofRun(ctx context.Context, table string, begun time.Time) error {
	out, err := dynamoOf(r.account.config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if made := aws.ToTime(out.Table.CreationDateTime); made.Before(begun.Add(-time.Hour)) || made.After(begun.Add(longestRun)) {
		return &lakemesh.Error{Account: r.account.ID, Resource: "table " + table, Kind: lakemesh.ErrConflict, Message: "it was made at another time than the run: it stays",
			Hint: "remove it by hand if nobody needs it, then run this again"}
	}
	return nil
}

// meshRoles finds roles with lakemesh's path in the accounts: one with the run's tag, and one without.
func meshRoles(ctx context.Context, j *Journal, removers map[Part]*remover) (ofRun, ofOthers string, err error) {
	for _, part := range Parts() {
		client := iamOf(removers[part].account.config)
		pages := iam.NewListRolesPaginator(client, &iam.ListRolesInput{PathPrefix: aws.String(lakemesh.IAMPath)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", "", err
			}
			for _, role := range page.Roles {
				// A listing has no tags.
				out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: role.RoleName})
				if gone(err) {
					continue
				}
				if err != nil {
					return "", "", err
				}
				ours := slices.ContainsFunc(out.Role.Tags, func(t iamtypes.Tag) bool {
					return aws.ToString(t.Key) == runTag && aws.ToString(t.Value) == j.Header.Run
				})
				if ours {
					ofRun = aws.ToString(role.Arn)
				} else {
					ofOthers = aws.ToString(role.Arn)
				}
			}
		}
	}
	return ofRun, ofOthers, nil
}

// dismiss takes lakemesh's roles out of the data lake administrators.
func (r *remover) dismiss(ctx context.Context) error {
	client := lake(r.account.config)
	out, err := client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	s := out.DataLakeSettings
	var stay []lftypes.DataLakePrincipal
	for _, p := range s.DataLakeAdmins {
		if !strings.Contains(aws.ToString(p.DataLakePrincipalIdentifier), ":role"+lakemesh.IAMPath) {
			stay = append(stay, p)
		}
	}
	if len(stay) == len(s.DataLakeAdmins) {
		return nil
	}
	s.DataLakeAdmins = stay
	_, err = putSettings(ctx, client, s)
	return err
}
