package proof

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// scheduleGroupChecks ask about groups of schedules, and what IAM is asked about them.
func scheduleGroupChecks() []Check {
	return []Check{
		{Name: "groups of schedules that go, and their tags", Rules: []string{"10.1.12", "10.1.14", "10.1.15", "10.3.1"}, Run: func(t *Try) {
			group, _, plan := t.scheduling()
			c, tomorrow := schedulerOf(t.owner().config), time.Now().Add(24*time.Hour)
			t.about("10.3.1")
			t.soon("a first schedule", plan("first", tomorrow))
			t.refused("a universal target names a Region and an account", plan("placed", tomorrow, func(in *scheduler.CreateScheduleInput) {
				in.Target.Arn = aws.String(partition + "scheduler:" + t.owner().Region + ":" + t.owner().ID + ":aws-sdk:lakeformation:batchRevokePermissions")
			}), "ValidationException")
			t.about("10.1.15")
			groupARN := partition + "scheduler:" + t.owner().Region + ":" + t.owner().ID + ":schedule-group/" + group
			tags := []schedulertypes.Tag{{Key: aws.String("run"), Value: aws.String(t.run)}}
			t.done("a group gets a tag", func() error {
				return only(c.TagResource(t.ctx, &scheduler.TagResourceInput{ResourceArn: &groupARN, Tags: tags}))
			})
			t.equal("and shows it", func() (string, error) {
				out, err := c.ListTagsForResource(t.ctx, &scheduler.ListTagsForResourceInput{ResourceArn: &groupARN})
				if err != nil || len(out.Tags) != 1 {
					return "", err
				}
				return aws.ToString(out.Tags[0].Key) + "=" + aws.ToString(out.Tags[0].Value), nil
			}, "run="+t.run)
			t.refused("a schedule gets one", func() error {
				return only(c.TagResource(t.ctx, &scheduler.TagResourceInput{ResourceArn: aws.String(strings.Replace(groupARN, ":schedule-group/", ":schedule/", 1) + "/first"), Tags: tags}))
			}, "ValidationException")
			t.about("10.1.14")
			elsewhere := t.owner().config.Copy()
			elsewhere.Region = "us-west-2"
			if t.owner().Region == elsewhere.Region {
				elsewhere.Region = "us-east-2"
			}
			t.refused("a schedule is read in another Region", func() error {
				return only(schedulerOf(elsewhere).GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("first"), GroupName: &group}))
			}, "ResourceNotFoundException")
			t.about("10.1.12")
			t.need(only(c.DeleteScheduleGroup(t.ctx, &scheduler.DeleteScheduleGroupInput{Name: &group})))
			t.refused("the schedules of a group that was deleted are gone", func() error {
				return only(c.GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("first"), GroupName: &group}))
			}, "ResourceNotFoundException")
		}},
		{Name: "what IAM is asked about schedules", Rules: []string{"10.2.1", "10.2.2", "10.2.5"}, Doubt: "A role may be let to the schedules of its own group alone, and Scheduler shows the group, and never the schedule, to the role that it assumes.", Run: func(t *Try) {
			group, _, plan := t.scheduling()
			other := t.next("ends")
			t.need(t.journal.make(Thing{Kind: kindSchedules, In: Mesh, Name: other}))
			c, tomorrow := schedulerOf(t.owner().config), time.Now().Add(24*time.Hour)
			t.need(only(c.CreateScheduleGroup(t.ctx, &scheduler.CreateScheduleGroupInput{Name: &other})))
			t.soon("a first schedule", plan("first", tomorrow))
			t.soon("one of the other group", plan("first", tomorrow, func(in *scheduler.CreateScheduleInput) { in.GroupName = &other }))
			arn := func(kind, name string) string {
				return partition + "scheduler:" + t.owner().Region + ":" + t.owner().ID + ":" + kind + "/" + name
			}
			one, _ := t.someone(t.owner(), policyOf(statement("scheduler:GetSchedule", arn("schedule", group+"/*")), statement("scheduler:DeleteScheduleGroup", arn("schedule-group", group)),
				statement("scheduler:CreateScheduleGroup", arn("schedule-group", "*"))))
			reads := func(group string) func() error {
				return func() error {
					return only(schedulerOf(one).GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("first"), GroupName: &group}))
				}
			}
			t.done("a schedule of a group that IAM allows is read", reads(group))
			t.refused("one of another group is read", reads(other), deniedCode, "scheduler:GetSchedule")
			t.about("10.2.2")
			t.refused("a group is deleted without the right to delete its schedules", func() error {
				return only(schedulerOf(one).DeleteScheduleGroup(t.ctx, &scheduler.DeleteScheduleGroupInput{Name: &group}))
			}, deniedCode, "scheduler:DeleteSchedule")
			tagged := t.next("ends")
			t.need(t.journal.make(Thing{Kind: kindSchedules, In: Mesh, Name: tagged}))
			t.refused("a group is made with tags without the right to tag it", func() error {
				return only(schedulerOf(one).CreateScheduleGroup(t.ctx, &scheduler.CreateScheduleGroupInput{Name: &tagged, Tags: []schedulertypes.Tag{{Key: aws.String("run"), Value: aws.String(t.run)}}}))
			}, deniedCode, "scheduler:TagResource")
			t.about("10.2.5")
			trustingFor := func(source string) string {
				return trusting(`{"Service":"scheduler.amazonaws.com"}`, `{"StringEquals":{"aws:SourceAccount":"`+t.owner().ID+`"},"ArnEquals":{"aws:SourceArn":"`+source+`"}}`)
			}
			byGroup := t.locationRole(trustingFor(arn("schedule-group", group)), allowing("lakeformation:*", "*"))
			t.done("the role of a target asks for the group", plan("bygroup", tomorrow, func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = &byGroup }))
			bySchedule := t.locationRole(trustingFor(arn("schedule", group+"/byschedule")), allowing("lakeformation:*", "*"))
			t.refused("it asks for the schedule", plan("byschedule", tomorrow, func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = &bySchedule }), "ValidationException")
		}},
	}
}

// moreSharingChecks ask what a recipient does with locations and LF-tags that were shared with it.
func moreSharingChecks() []Check {
	return []Check{
		{Name: "locations of other accounts", Rules: []string{"3.9"}, Run: func(t *Try) {
			admin, to := t.recipientAdmin(), t.recipient().ID
			t.refused("a recipient hands on a location that it was not given", func() error { return t.grant(admin, t.arns["tom"], t.onLocation("sales"), "DATA_LOCATION_ACCESS") }, deniedCode)
			t.given(to, t.onLocation("sales"), "DATA_LOCATION_ACCESS | DATA_LOCATION_ACCESS")
			t.done("it hands on one that it was, naming the owner's catalog", func() error { return t.grant(admin, t.arns["tom"], t.onLocation("sales"), "DATA_LOCATION_ACCESS") })
		}},
		{Name: "who hands policies of LF-tags on", Rules: []string{"13.2", "13.6"}, Doubt: "A role that is no administrator grants policies of its own LF-tags with GRANT_WITH_LF_TAG_EXPRESSION: an owner's role gives groups so.", Run: func(t *Try) {
			t.version("3")
			key := t.tag("public", "secret")
			t.need(t.tagged(t.admin(), t.onTable("orders"), key, "public"))
			bob, arn := t.people["bob"], t.arns["bob"]
			public := t.onPolicy(lfTag(key, "public"))
			t.given(arn, public, "SELECT")
			t.refused("a policy is handed on without the grant option", func() error { return t.grant(bob, t.arns["ann"], public, "SELECT") }, deniedCode)
			t.given(arn, public, "SELECT | SELECT")
			t.done("the very same policy is handed on with it", func() error { return t.grant(bob, t.arns["ann"], public, "SELECT") })
			both := t.onPolicy(lfTag(key, "public", "secret"))
			t.refused("another policy is", func() error { return t.grant(bob, t.arns["ann"], both, "SELECT") }, deniedCode)
			t.given(arn, t.onTag(key, "public", "secret"), "GRANT_WITH_LF_TAG_EXPRESSION")
			t.done("another policy is granted with GRANT_WITH_LF_TAG_EXPRESSION on each of its pairs", func() error { return t.grant(bob, t.arns["ann"], both, "SELECT") })
			t.about("13.6")
			all := &types.Resource{LFTag: &types.LFTagKeyResource{CatalogId: aws.String(t.owner().ID), TagKey: &key, TagValues: []string{"*"}}}
			t.done("all values of a key are granted to another account", t.granting(t.recipient().ID, all, "DESCRIBE | DESCRIBE"))
			t.accept(1)
			t.done("which hands them on", func() error { return t.grant(t.recipientAdmin(), t.arns["tom"], all, "DESCRIBE") })
			t.equal("and whom they were handed on to reads them", t.valuesOf(t.people["tom"], key), "public secret")
		}},
		{Name: "LF-tags on what is shared", Rules: []string{"13.5"}, Doubt: "A recipient with ASSOCIATE on an owner's LF-tag changes what the owner's groups contain: lakemesh grants it to nobody.", Run: func(t *Try) {
			t.version("3")
			key, admin, to := t.tag("public", "secret"), t.recipientAdmin(), t.recipient().ID
			t.given(to, t.onTable("items"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.given(to, t.onTag(key, "public", "secret"), "DESCRIBE")
			t.accept(2)
			t.soon("seeing the table", t.sees(admin, "items"))
			puts := func(value string) func() error {
				return func() error {
					out, err := lake(admin).AddLFTagsToResource(t.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: t.onTable("items"),
						LFTags: []types.LFTagPair{{CatalogId: aws.String(t.owner().ID), TagKey: &key, TagValues: []string{value}}}})
					if err == nil && len(out.Failures) > 0 {
						return awserr.New(aws.ToString(out.Failures[0].Error.ErrorCode), aws.ToString(out.Failures[0].Error.ErrorMessage))
					}
					return err
				}
			}
			t.refused("a recipient with DESCRIBE on a tag puts it on what was shared with it", puts("public"), deniedCode)
			t.given(to, t.onTag(key, "public"), "ASSOCIATE")
			t.done("with ASSOCIATE it does", puts("public"))
			t.undo(func() error {
				return only(lake(t.admin()).RemoveLFTagsFromResource(t.ctx, &lakeformation.RemoveLFTagsFromResourceInput{Resource: t.onTable("items"), LFTags: []types.LFTagPair{{TagKey: &key, TagValues: []string{"public"}}}}))
			})
			t.refused("with a value on which it has none it does not", puts("secret"), deniedCode)
		}},
	}
}

// writingChecks ask what Athena writes, and with whose rights.
func writingChecks() []Check {
	return []Check{
		{Name: "what Athena writes", Rules: []string{"16.16", "16.17", "16.18"}, Doubt: "A view shows nobody what its tables do not.", Run: func(t *Try) {
			group, db := t.workGroup(), t.scratch()
			ann, arn := t.people["ann"], t.arns["ann"]
			in := func(q *athena.StartQueryExecutionInput) { q.QueryExecutionContext.Database = &db }
			goods := `"` + t.database() + `"."goods"`
			t.given(arn, t.onDatabase(t.database()), "DESCRIBE")
			t.given(arn, t.onColumns("goods", "item"), "SELECT")
			copied := func(name, below string) string {
				return `CREATE TABLE ` + name + ` WITH (format='PARQUET', external_location='` + t.path(below) + `/') AS SELECT item FROM ` + goods
			}
			t.fails("a table is made without CREATE_TABLE", ann, group, strings.Replace(copied("copy", "copies/a"), "CREATE TABLE copy", `CREATE TABLE "`+db+`"."copy"`, 1), insufficient)
			t.given(arn, t.onDatabase(db), "CREATE_TABLE DESCRIBE")
			t.done("with CREATE_TABLE it is, of what its maker reads", func() error { return only(t.started(ann, group, copied("copied", "copies/b"), in)) })
			t.equal("and has that", t.rowsOf(ann, group, "SELECT item FROM copied ORDER BY item", in), "cup tea")
			t.fails("it is made where something lies", ann, group, strings.Replace(copied("again", "copies/b"), "CREATE TABLE again", `CREATE TABLE "`+db+`"."again"`, 1), "HIVE_PATH_ALREADY_EXISTS")
			t.about("16.17")
			enforced := t.next("group")
			t.need(t.journal.make(Thing{Kind: kindWorkGroup, In: Mesh, Name: enforced}))
			t.need(only(athenaOf(t.owner().config).CreateWorkGroup(t.ctx, &athena.CreateWorkGroupInput{Name: &enforced, Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(true),
				ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://" + t.results(t.owner()) + "/")}}})))
			t.refused("in a work group that enforces its settings a table names its location", func() error {
				_, err := t.started(ann, enforced, copied("named", "copies/c"), in)
				if isOwn(err) {
					return awserr.New("InvalidRequestException", err.Error())
				}
				return err
			}, "InvalidRequestException")
			t.about("16.18")
			t.done("a view is made of what its maker reads", func() error {
				return only(t.started(ann, group, "CREATE VIEW seen AS SELECT item FROM "+goods, in))
			})
			t.given(t.arns["bob"], &types.Resource{Table: tableOn(t.owner().ID, db, "seen")}, "SELECT")
			t.given(t.arns["bob"], t.onDatabase(db), "DESCRIBE")
			t.equal("who may read the view alone reads nothing", func() (string, error) {
				rows, err := t.rowsOf(t.people["bob"], group, "SELECT * FROM seen", in)()
				if isOwn(err) {
					return "refused", nil
				}
				return rows, err
			}, "refused")
			t.given(t.arns["bob"], t.onDatabase(t.database()), "DESCRIBE")
			t.given(t.arns["bob"], t.onColumns("goods", "item"), "SELECT")
			t.equal("with the table behind it as well it is read", t.rowsOf(t.people["bob"], group, "SELECT * FROM seen ORDER BY item", in), "cup tea")
		}},
		{Name: "projected partitions", Rules: []string{"16.15"}, Run: func(t *Try) {
			group := t.workGroup()
			projected := t.tableAt("projected", t.path("sales/goods"), "item", "country", "cost")
			projected.Parameters = map[string]string{"classification": "csv", "projection.enabled": "true", "projection.day.type": "integer", "projection.day.range": "1,2", "storage.location.template": t.path("sales/goods/day=${day}")}
			injected := t.tableAt("injected", t.path("sales/goods"), "item", "country", "cost")
			injected.Parameters = map[string]string{"classification": "csv", "projection.enabled": "true", "projection.day.type": "injected", "storage.location.template": t.path("sales/goods/day=${day}")}
			for _, table := range []*gluetypes.TableInput{projected, injected} {
				t.undo(func() error {
					return only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: aws.String(t.database()), Name: table.Name}))
				})
				t.need(t.makeTable(t.ctx, t.database(), table))
				t.given(t.arns["bob"], t.onTable(aws.ToString(table.Name)), "SELECT")
			}
			bob := t.people["bob"]
			t.equal("partitions that the catalog does not know are read", t.rowsOf(bob, group, "SELECT count(*) FROM projected"), "3")
			t.equal("one that WHERE names", t.rowsOf(bob, group, "SELECT item FROM projected WHERE day = '2'"), "jar")
			t.equal("a key that is injected is named", t.rowsOf(bob, group, "SELECT item FROM injected WHERE day = '2'"), "jar")
			t.equal("or nothing is read", func() (string, error) {
				rows, err := t.rowsOf(bob, group, "SELECT item FROM injected")()
				if isOwn(err) {
					return "refused", nil
				}
				return rows, err
			}, "refused")
		}},
	}
}

// optInChecks ask what is opted in with what.
func optInChecks() []Check {
	return []Check{{Name: "what an opt-in is on", Rules: []string{"11.4", "3.11", "11.3"}, Doubt: "A table is opted in by itself, by all tables of its database, and not by its database; an account that is opted in, for its administrators alone.", Run: func(t *Try) {
		t.version("4")
		t.soon("a hybrid location", func() error {
			return already(t.registering(t.admin(), "barns", t.lakeRole(), func(in *lakeformation.RegisterResourceInput) { in.HybridAccessEnabled = aws.Bool(true) })())
		})
		db := t.scratch()
		t.need(t.makeTable(t.ctx, db, t.tableAt("barn", t.path("barns/barn"), "id", "what")))
		on := &types.Resource{Table: tableOn(t.owner().ID, db, "barn")}
		t.given(allowedPrincipals, on, "ALL")
		ann, arn := t.people["ann"], t.arns["ann"]
		sees := func() error {
			return only(glueOf(ann).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("barn")}))
		}
		opts := func(on *types.Resource) {
			t.soon("an opt-in", func() error {
				return only(lake(t.admin()).CreateLakeFormationOptIn(t.ctx, &lakeformation.CreateLakeFormationOptInInput{Principal: principal(arn), Resource: on}))
			})
			t.undo(func() error {
				return only(lake(t.admin()).DeleteLakeFormationOptIn(t.ctx, &lakeformation.DeleteLakeFormationOptInInput{Principal: principal(arn), Resource: on}))
			})
		}
		opts(t.onDatabase(db))
		t.about("11.4")
		t.done("an opt-in of a database says nothing of its tables", sees)
		opts(&types.Resource{Table: &types.TableResource{CatalogId: aws.String(t.owner().ID), DatabaseName: &db, TableWildcard: &types.TableWildcard{}}})
		t.refused("one of all its tables does", sees, deniedCode)
		t.about("3.11")
		making := func() error {
			return only(glueOf(t.people["bob"]).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("hay", t.path("barns/hay"), "id")}))
		}
		t.given(t.arns["bob"], t.onDatabase(db), "CREATE_TABLE")
		t.refused("a table at a hybrid location is made without DATA_LOCATION_ACCESS", making, deniedCode)
		t.given(t.arns["bob"], t.onLocation("barns"), "DATA_LOCATION_ACCESS")
		t.done("and with it", making)
		t.about("11.3")
		admin, to := t.recipientAdmin(), t.recipient().ID
		theirs := func(who aws.Config) func() error {
			return func() error {
				return only(glueOf(who).GetTable(t.ctx, &glue.GetTableInput{CatalogId: aws.String(t.owner().ID), DatabaseName: &db, Name: aws.String("barn")}))
			}
		}
		opted := func(by aws.Config, who string) func() error {
			return func() error {
				err := only(lake(by).CreateLakeFormationOptIn(t.ctx, &lakeformation.CreateLakeFormationOptInInput{Principal: principal(who), Resource: on}))
				if err == nil {
					t.undo(func() error {
						return only(lake(by).DeleteLakeFormationOptIn(t.ctx, &lakeformation.DeleteLakeFormationOptInInput{Principal: principal(who), Resource: on}))
					})
				}
				return err
			}
		}
		t.given(to, on, "SELECT DESCRIBE | SELECT DESCRIBE")
		t.accept(1)
		t.done("an account is opted in by the owner", opted(t.admin(), to))
		t.done("its administrators see the table then", theirs(admin))
		t.soon("handing on", func() error { return t.grant(admin, t.arns["tom"], on, "SELECT") })
		t.refused("whom they hand it on to sees it without an opt-in", theirs(t.people["tom"]), deniedCode)
		t.done("they opt in principals of their account", opted(admin, t.arns["tom"]))
		t.done("who see it then", theirs(t.people["tom"]))
		// A share stays where a table goes before its grants.
		t.need(t.revoke(t.admin(), to, on, "SELECT DESCRIBE"))
	}}}
}

// listingEndChecks ask what listings have, and where their pages end.
func listingEndChecks() []Check {
	return []Check{{Name: "administrators in listings", Rules: []string{"1.9.5"}, Run: func(t *Try) {
		db := t.scratch()
		t.equal("an administrator's implicit permissions on a database look like explicit ones", func() (string, error) {
			out, err := lake(t.admin()).ListPermissions(t.ctx, &lakeformation.ListPermissionsInput{Resource: t.onDatabase(db)})
			if err != nil {
				return "", err
			}
			var all []string
			for _, p := range out.PrincipalResourcePermissions {
				if aws.ToString(p.Principal.DataLakePrincipalIdentifier) == t.adminARN(Mesh) {
					for _, one := range p.Permissions {
						all = append(all, string(one))
					}
				}
			}
			if len(all) == 0 {
				return "", errors.New("nothing of it is listed")
			}
			slices.Sort(all)
			return fmt.Sprint(slices.Contains(all, "DESCRIBE") || slices.Contains(all, "ALL")), nil
		}, "true")
	}}, {Name: "pages of a table of records", Rules: []string{"5.5.5"}, Run: func(t *Try) {
		name, _ := t.records()
		c := dynamoOf(t.owner().config)
		long := strings.Repeat("x", 350<<10)
		for i := range 4 {
			t.soon("an item", func() error {
				return only(c.PutItem(t.ctx, &dynamodb.PutItemInput{TableName: &name, Item: map[string]dynamotypes.AttributeValue{
					"id": &dynamotypes.AttributeValueMemberS{Value: fmt.Sprint("long-", i)}, "text": &dynamotypes.AttributeValueMemberS{Value: long}}}))
			})
		}
		t.equal("a page ends at 1 MB, before what is filtered out", func() (string, error) {
			out, err := c.Scan(t.ctx, &dynamodb.ScanInput{TableName: &name, FilterExpression: aws.String("id = :none"), ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":none": &dynamotypes.AttributeValueMemberS{Value: "none"}}})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(out.Items), " found of ", out.ScannedCount, ", more: ", len(out.LastEvaluatedKey) > 0), nil
		}, "0 found of 3, more: true")
	}}}
}
