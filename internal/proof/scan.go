package proof

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// present are the things of an account whose names begin with [Prefix], or that have a name of
// lakemesh's mesh, in the order of their removal. What the caller is not shown is not among them:
// locations and databases are seen by data lake administrators.
func (r *remover) present(ctx context.Context, ours func(name string) bool) ([]Thing, error) {
	var things []Thing
	add := func(kind Kind, name string) {
		if ours(name) {
			things = append(things, Thing{Kind: kind, In: r.account.Part, Name: name})
		}
	}
	for _, look := range []func(context.Context, func(Kind, string)) error{r.lookGlue, r.lookLocations, r.lookTags, r.lookAthena, r.lookScheduler, r.lookQueues, r.lookDynamoDB, r.lookS3, r.lookIAM} {
		if err := look(ctx, add); err != nil {
			return nil, err
		}
	}
	return things, nil
}

func (r *remover) lookGlue(ctx context.Context, add func(Kind, string)) error {
	pages := glue.NewGetDatabasesPaginator(glueOf(r.administrator), &glue.GetDatabasesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, d := range page.DatabaseList {
			add(kindDatabase, aws.ToString(d.Name))
		}
	}
	return nil
}

func (r *remover) lookLocations(ctx context.Context, add func(Kind, string)) error {
	pages := lakeformation.NewListResourcesPaginator(lake(r.administrator), &lakeformation.ListResourcesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, l := range page.ResourceInfoList {
			add(kindLocation, aws.ToString(l.ResourceArn))
		}
	}
	return nil
}

func (r *remover) lookTags(ctx context.Context, add func(Kind, string)) error {
	client := lake(r.administrator)
	expressions := lakeformation.NewListLFTagExpressionsPaginator(client, &lakeformation.ListLFTagExpressionsInput{})
	for expressions.HasMorePages() {
		page, err := expressions.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, e := range page.LFTagExpressions {
			add(kindExpression, aws.ToString(e.Name))
		}
	}
	tags := lakeformation.NewListLFTagsPaginator(client, &lakeformation.ListLFTagsInput{})
	for tags.HasMorePages() {
		page, err := tags.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, t := range page.LFTags {
			add(kindTag, aws.ToString(t.TagKey))
		}
	}
	return nil
}

func (r *remover) lookAthena(ctx context.Context, add func(Kind, string)) error {
	pages := athena.NewListWorkGroupsPaginator(athenaOf(r.account.config), &athena.ListWorkGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.WorkGroups {
			add(kindWorkGroup, aws.ToString(g.Name))
		}
	}
	return nil
}

func (r *remover) lookScheduler(ctx context.Context, add func(Kind, string)) error {
	pages := scheduler.NewListScheduleGroupsPaginator(schedulerOf(r.account.config), &scheduler.ListScheduleGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.ScheduleGroups {
			add(kindSchedules, aws.ToString(g.Name))
		}
	}
	return nil
}

func (r *remover) lookQueues(ctx context.Context, add func(Kind, string)) error {
	for _, begin := range []string{Prefix, lakemesh.EndingGroup} {
		pages := sqs.NewListQueuesPaginator(sqsOf(r.account.config), &sqs.ListQueuesInput{QueueNamePrefix: &begin})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, url := range page.QueueUrls {
				add(kindQueue, url[strings.LastIndexByte(url, '/')+1:])
			}
		}
	}
	return nil
}

func (r *remover) lookDynamoDB(ctx context.Context, add func(Kind, string)) error {
	pages := dynamodb.NewListTablesPaginator(dynamoOf(r.account.config), &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, name := range page.TableNames {
			add(kindRecords, name)
		}
	}
	return nil
}

func (r *remover) lookS3(ctx context.Context, add func(Kind, string)) error {
	pages := s3.NewListBucketsPaginator(s3Of(r.account.config), &s3.ListBucketsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, b := range page.Buckets {
			add(kindBucket, aws.ToString(b.Name))
		}
	}
	return nil
}

func (r *remover) lookIAM(ctx context.Context, add func(Kind, string)) error {
	client := iamOf(r.account.config)
	roles := iam.NewListRolesPaginator(client, &iam.ListRolesInput{})
	for roles.HasMorePages() {
		page, err := roles.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, role := range page.Roles {
			add(kindRole, aws.ToString(role.RoleName))
		}
	}
	policies := iam.NewListPoliciesPaginator(client, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal})
	for policies.HasMorePages() {
		page, err := policies.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.Policies {
			add(kindPolicy, aws.ToString(p.PolicyName))
		}
	}
	return nil
}

// isRuns reports whether a name, or the ARN of a location, is one of a run.
func isRuns(name string) bool { return isOurs(strings.TrimPrefix(name, partition+"s3:::")) }

// isMeshs reports whether a name is one that lakemesh gives to what it makes in the accounts of a
// mesh.
func isMeshs(name string) bool {
	if strings.HasPrefix(name, "DataMeshAdmin") || strings.HasPrefix(name, "DataMeshDataAccess-") || strings.HasPrefix(name, "DataMeshEnding-") || strings.HasPrefix(name, lakemesh.EndingGroup) {
		return true
	}
	switch name {
	case lakemesh.ManagerRole, lakemesh.ReadOnlyRole, lakemesh.ProducerRole, lakemesh.ConsumerRole, lakemesh.SubscriptionsTable, lakemesh.DecisionsTable, lakemesh.DomainTag, lakemesh.ProductTag:
		return true
	}
	return strings.HasPrefix(name, lakemesh.DomainTag+"-") || strings.HasPrefix(name, lakemesh.ProductTag+"-")
}

// denied makes what the caller may not look at nothing that is in the way.
func denied(err error) error {
	if awserr.Denied(err) {
		return nil
	}
	return err
}
