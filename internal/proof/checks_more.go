package proof

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// latenessChecks find how long changes take to be known: whatever that is, the rules allow it, and
// the report tells it.
func latenessChecks() []Check {
	return []Check{{Name: "how late changes are known", Rules: []string{"7.1.2", "7.1.1", "7.1.6", "6.2.13", "6.2.27"},
		Doubt: "A role that was made a moment ago is assumed, named and allowed within two minutes: set-up waits so long and no longer.", Run: func(t *Try) {
			arn, err := t.makeRole(t.ctx, t.owner(), t.next("late"), trustOfServices("glue"), "")
			t.need(err)
			cfg := t.owner().as(arn)
			t.done("a role that was just made is a principal of a grant", t.granting(arn, t.onTable("orders"), "ALTER"))
			t.about("7.1.1")
			t.done("its trust is written", t.trust(arn, trustOf(t.owner().ID)))
			t.done("a trust policy that was just written counts", func() error { return only(stsOf(cfg).GetCallerIdentity(t.ctx, &sts.GetCallerIdentityInput{})) })
			t.about("6.2.27")
			t.done("a policy is put on it", func() error {
				return only(iamOf(t.owner().config).PutRolePolicy(t.ctx, &iam.PutRolePolicyInput{RoleName: aws.String(nameOf(arn)), PolicyName: aws.String(ownPolicy), PolicyDocument: aws.String(allowing("glue:*", "*"))}))
			})
			t.about("7.1.6")
			t.done("a policy that was just written allows", t.sees(cfg, "orders"))
			t.about("6.2.13")
			t.soon("a location", func() error { return already(t.registering(t.admin(), "fresh", t.lakeRole())()) })
			t.done("a location that was just registered is granted", t.granting(t.arns["ann"], t.onLocation("fresh"), "DATA_LOCATION_ACCESS"))
		}}}
}

func forwardedChecks() []Check {
	return []Check{{Name: "what Lake Formation calls with its caller's rights", Rules: []string{"8.12", "8.13"},
		Doubt: "The calls by which Lake Formation shares are marked as a service's, and show IAM the share's name: the roles of producers may make them so and no others.", Run: func(t *Try) {
			t.version("2")
			marked := `"Condition":{"Bool":{"aws:ViaAWSService":"true"}}`
			via, viaARN := t.someone(t.owner(), policyOf(statement("lakeformation:* glue:Get*", "*"),
				`{"Effect":"Allow","Action":["ram:*","glue:PutResourcePolicy","glue:DeleteResourcePolicy"],"Resource":"*",`+marked+`}`))
			t.given(viaARN, t.onTable("items"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.done("a role that may call RAM through services alone shares", func() error {
				return t.grant(via, t.third().ID, t.onTable("items"), "SELECT DESCRIBE | SELECT DESCRIBE")
			})
			t.reads("forwarded-calls-unmarked")
			t.about("8.13")
			named := `"Condition":{"StringLike":{"ram:ResourceShareName":"LakeFormation*"}}`
			byName, byNameARN := t.someone(t.owner(), policyOf(statement("lakeformation:* glue:* ram:Get* ram:List* ram:CreateResourceShare ram:AssociateResourceSharePermission", "*"),
				`{"Effect":"Allow","Action":["ram:UpdateResourceShare","ram:DeleteResourceShare","ram:AssociateResourceShare","ram:DisassociateResourceShare"],"Resource":"*",`+named+`}`))
			t.given(byNameARN, t.onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.done("a role that may change shares of Lake Formation's names alone shares", func() error {
				return t.grant(byName, t.third().ID, t.onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE")
			})
			t.done("and revokes", func() error { return t.revoke(byName, t.third().ID, t.onTable("orders"), "SELECT DESCRIBE") })
		}}}
}

func moreFilterChecks() []Check {
	return []Check{
		{Name: "filters that are shared", Rules: []string{"9.2.3", "9.1.6", "9.1.7", "9.2.7"}, Doubt: "A recipient hands on what it was given of a table, and cannot widen it.", Run: func(t *Try) {
			t.version("3")
			admin, tom, to := t.recipientAdmin(), t.people["tom"], t.recipient().ID
			t.filter("orders", "theirs", "id", "")
			t.filter("orders", "others", "price", "")
			t.given(to, t.onFilter("orders", "theirs"), "SELECT | SELECT")
			t.accept(1)
			t.done("a recipient hands the filter on", func() error { return t.grant(admin, t.arns["tom"], t.onFilter("orders", "theirs"), "SELECT") })
			t.equal("it shows what the filter does", t.columns(tom, "orders"), "id")
			t.refused("a recipient hands on another filter", func() error { return t.grant(admin, t.arns["tom"], t.onFilter("orders", "others"), "SELECT") }, deniedCode)
			t.refused("it hands on DESCRIBE on the filter", func() error { return t.grant(admin, t.arns["tom"], t.onFilter("orders", "theirs"), "DESCRIBE") }, deniedCode)
			t.about("9.2.7")
			t.need(only(lake(t.admin()).UpdateDataCellsFilter(t.ctx, &lakeformation.UpdateDataCellsFilterInput{TableData: t.filterInput("orders", "theirs", "customer", "")})))
			t.equal("a change of the filter is one of what was handed on", t.columns(tom, "orders"), "customer")
			t.about("9.1.6")
			t.refused("a recipient widens the filter", func() error {
				return only(lake(admin).UpdateDataCellsFilter(t.ctx, &lakeformation.UpdateDataCellsFilterInput{TableData: t.filterInput("orders", "theirs", "-", "")}))
			}, deniedCode)
			own := t.next("f")
			t.undo(func() error {
				return only(lake(admin).DeleteDataCellsFilter(t.ctx, &lakeformation.DeleteDataCellsFilterInput{TableCatalogId: aws.String(t.owner().ID), DatabaseName: aws.String(t.database()), TableName: aws.String("orders"), Name: &own}))
			})
			t.done("a recipient makes a filter of its own", t.filtering(admin, "orders", own, "customer", ""))
			t.refused("the owner deletes it", t.deletingFilter("orders", own), deniedCode)
			t.about("9.1.7")
			t.equal("an owner sees no filter that a recipient made", func() (string, error) {
				out, err := lake(t.admin()).ListDataCellsFilter(t.ctx, &lakeformation.ListDataCellsFilterInput{Table: t.onTable("orders").Table})
				if err != nil {
					return "", err
				}
				for _, f := range out.DataCellsFilters {
					if aws.ToString(f.Name) == own {
						return "seen", nil
					}
				}
				return "not seen", nil
			}, "not seen")
		}},
		{Name: "nested columns, and columns that are an engine's own", Rules: []string{"9.1.10", "9.3.5", "9.3.8"}, Run: func(t *Try) {
			nested := t.tableAt("nested", t.path("sales/nested"), "id", "price")
			nested.StorageDescriptor.Columns[1].Type = aws.String("struct<net:double,tax:struct<rate:int>>")
			engines := t.tableAt("engines", t.path("sales/engines"), "id", "xmin")
			for _, in := range []*gluetypes.TableInput{nested, engines} {
				t.undo(func() error {
					return only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: aws.String(t.database()), Name: in.Name}))
				})
				t.need(t.makeTable(t.ctx, t.database(), in))
			}
			made := func(question, table, columns, rows string) {
				name := t.next("f")
				t.undo(t.deletingFilter(table, name))
				t.done(question, t.filtering(t.admin(), table, name, columns, rows))
			}
			made("a nested column is named by its parts", "nested", `"price"."net"`, "")
			t.refused("a nested column that is not there", t.filtering(t.admin(), "nested", t.next("f"), `"price"."none"`, ""), invalidInput)
			t.about("9.3.5")
			made("a field of a struct is compared", "nested", "-", "price.tax.rate = 7")
			t.refused("a struct is compared", t.filtering(t.admin(), "nested", t.next("f"), "-", "price = 7"), invalidInput)
			t.about("9.3.8")
			t.refused("a table with a column xmin has a row filter", t.filtering(t.admin(), "engines", t.next("f"), "-", "id = 'a'"), invalidInput)
		}},
	}
}

func readingChecks() []Check {
	return []Check{
		{Name: "reading what another account shares", Rules: []string{"16.8", "1.5.6"}, Doubt: "A consumer's role reads through a link with what was handed on to it and IAM's permissions on the owner's catalog, and with none of S3 on the data.", Run: func(t *Try) {
			t.version("2")
			admin, to := t.recipientAdmin(), t.recipient().ID
			t.given(to, t.onTable("goods"), "SELECT DESCRIBE | SELECT DESCRIBE")
			t.accept(1)
			db := t.next("db")
			t.need(t.makeDatabase(t.ctx, t.recipient(), db))
			t.need(t.tableLink(admin, db, "wares", "goods"))
			group := t.next("group")
			t.need(t.journal.make(Thing{Kind: kindWorkGroup, In: Consumer, Name: group}))
			t.need(only(athenaOf(t.recipient().config).CreateWorkGroup(t.ctx, &athena.CreateWorkGroupInput{Name: &group,
				Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(false)}})))
			results := func(in *athena.StartQueryExecutionInput) {
				in.QueryExecutionContext.Database = &db
				in.ResultConfiguration.OutputLocation = aws.String("s3://" + t.results(t.recipient()) + "/")
			}
			bucket := partition + "s3:::" + t.results(t.recipient())
			reader, arn := t.someone(t.recipient(), policyOf(statement("athena:* glue:Get* lakeformation:GetDataAccess", "*"), statement("s3:*", bucket+" "+bucket+"/*")))
			read := func(who aws.Config) func() (string, error) {
				return func() (string, error) {
					rows, err := t.rowsOf(who, group, "SELECT item FROM wares ORDER BY item", results)()
					if err != nil && strings.Contains(err.Error(), insufficient) {
						return insufficient, nil
					}
					return rows, err
				}
			}
			link := &types.Resource{Table: tableOn(to, db, "wares")}
			t.soon("DESCRIBE on the link", func() error { return t.grant(admin, arn, link, "DESCRIBE") })
			t.equal("with DESCRIBE on the link alone nothing is read", read(reader), insufficient)
			t.soon("handing on", func() error { return t.grant(admin, arn, t.onTable("goods"), "SELECT") })
			t.equal("with SELECT on the target it is", read(reader), "cup tea")
			t.about("1.5.6")
			local := partition + "glue:" + t.recipient().Region + ":" + to + ":*"
			narrow, narrowARN := t.someone(t.recipient(), policyOf(statement("athena:* lakeformation:GetDataAccess", "*"), statement("glue:Get*", local), statement("s3:*", bucket+" "+bucket+"/*")))
			t.soon("the same grants", func() error {
				return errors.Join(t.grant(admin, narrowARN, link, "DESCRIBE"), t.grant(admin, narrowARN, t.onTable("goods"), "SELECT"))
			})
			t.refused("without IAM's permission on the owner's catalog the table is not seen", t.sees(narrow, "goods"), deniedCode, "glue:GetTable")
			t.about("16.8")
			t.need(t.revoke(t.admin(), to, t.onTable("goods"), "SELECT DESCRIBE"))
			t.equal("what the account loses is not read any more", read(reader), insufficient)
		}},
		{Name: "deleting before revoking", Rules: []string{"1.10.3"}, Run: func(t *Try) {
			t.version("2")
			db := t.free()
			on := &types.Resource{Table: tableOn(t.owner().ID, db, "free")}
			t.given(t.third().ID, on, "SELECT | SELECT")
			r := &remover{account: t.owner(), administrator: t.admin(), run: t.run}
			carried := func() (string, error) {
				all, err := r.sharedARNs(t.ctx)
				for _, arns := range all {
					for _, arn := range arns {
						if strings.Contains(arn, "/"+db) {
							return "a share", err
						}
					}
				}
				return "no share", err
			}
			t.soon("a share", func() error {
				if found, err := carried(); err != nil || found != "a share" {
					return errors.Join(errors.New("there is none"), err)
				}
				return nil
			})
			t.need(only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: &db, Name: aws.String("free")})))
			t.equal("a table that goes before its grants leaves its share", carried, "a share")
			t.refused("what was granted on it is revoked", t.revoking(t.third().ID, on, "SELECT"), invalidInput)
		}},
	}
}

func moreScheduleChecks() []Check {
	return []Check{{Name: "groups, tokens and roles of schedules", Rules: []string{"10.1.2", "10.1.7", "10.1.9", "10.1.10", "10.1.11", "10.2.3"}, Run: func(t *Try) {
		group, _, plan := t.scheduling()
		c, tomorrow := schedulerOf(t.owner().config), time.Now().Add(24*time.Hour)
		t.soon("a first schedule", plan("first", tomorrow))
		t.refused("the group default is deleted", func() error {
			return only(c.DeleteScheduleGroup(t.ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("default")}))
		}, "ValidationException")
		t.refused("a schedule is made in a group that is not there", plan("lost", tomorrow, func(in *scheduler.CreateScheduleInput) { in.GroupName = aws.String(t.name("none")) }), "ResourceNotFoundException")
		t.about("10.1.7")
		t.refused("a dead-letter queue is a FIFO queue", plan("fifo", tomorrow, func(in *scheduler.CreateScheduleInput) {
			in.Target.DeadLetterConfig = &schedulertypes.DeadLetterConfig{Arn: aws.String(*in.Target.DeadLetterConfig.Arn + ".fifo")}
		}), "ValidationException")
		t.about("10.1.9")
		token := func(in *scheduler.CreateScheduleInput) { in.ClientToken = aws.String(t.run + "-once") }
		t.done("a schedule is made with a client token", plan("once", tomorrow, token))
		t.done("the same request with the token is answered as before", plan("once", tomorrow, token))
		t.refused("another request with the token", plan("once", tomorrow.Add(time.Hour), token), "ConflictException")
		t.about("10.1.10")
		first, err := c.GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("first"), GroupName: &group})
		t.need(err)
		t.need(only(c.UpdateSchedule(t.ctx, &scheduler.UpdateScheduleInput{Name: aws.String("first"), GroupName: &group, ScheduleExpression: first.ScheduleExpression, FlexibleTimeWindow: first.FlexibleTimeWindow, Target: first.Target})))
		t.equal("an update replaces everything: what is not given is as by default", func() (string, error) {
			out, err := c.GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("first"), GroupName: &group})
			if err != nil {
				return "", err
			}
			return string(out.ActionAfterCompletion), nil
		}, "NONE")
		t.about("10.1.11")
		t.equal("a listing goes by group and the beginning of names", func() (string, error) {
			out, err := c.ListSchedules(t.ctx, &scheduler.ListSchedulesInput{GroupName: &group, NamePrefix: aws.String("fir")})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(out.Schedules)), nil
		}, "1")
		t.refused("a page has 101 schedules", func() error {
			return only(c.ListSchedules(t.ctx, &scheduler.ListSchedulesInput{MaxResults: aws.Int32(101)}))
		}, "ValidationException")
		t.about("10.2.3")
		weak, _ := t.someone(t.owner(), allowing("scheduler:*", "*"))
		t.refused("a schedule is made without iam:PassRole on its role", func() error {
			return only(schedulerOf(weak).CreateSchedule(t.ctx, &scheduler.CreateScheduleInput{Name: aws.String("weak"), GroupName: &group, ScheduleExpression: first.ScheduleExpression,
				FlexibleTimeWindow: first.FlexibleTimeWindow, Target: first.Target}))
		}, deniedCode, "iam:PassRole")
	}}}
}

func expressionChecks() []Check {
	return []Check{{Name: "expressions of DynamoDB", Rules: []string{"5.5.6", "6.1.2"}, Run: func(t *Try) {
		name, _ := t.records()
		update := func(expression string) func() error {
			return func() error {
				return only(dynamoOf(t.owner().config).UpdateItem(t.ctx, &dynamodb.UpdateItemInput{TableName: &name, Key: item("1"), UpdateExpression: &expression}))
			}
		}
		t.done("an expression has 4 KB", update("REMOVE "+strings.Repeat("x", 4096-len("REMOVE "))))
		t.refused("an expression has more than 4 KB", update("REMOVE "+strings.Repeat("x", 4097-len("REMOVE "))), "ValidationException", "Expression size has exceeded the maximum allowed size")
		t.about("6.1.2")
		t.equal("an error of DynamoDB has its type", func() (string, error) {
			err := only(dynamoOf(t.owner().config).DescribeTable(t.ctx, &dynamodb.DescribeTableInput{TableName: aws.String(t.name("none"))}))
			missing, ok := errors.AsType[*dynamotypes.ResourceNotFoundException](err)
			return fmt.Sprint(ok && missing != nil), nil
		}, "true")
	}}}
}
