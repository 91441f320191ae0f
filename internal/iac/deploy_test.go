package iac_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lakeformationtypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// deploy makes the resources of a stack as CloudFormation does, with the rights of cfg: in
// order, and no further than the first that is refused.
func (s *stack) deploy(cfg aws.Config) error {
	s.t.Helper()
	failed := s.refused
	s.resources(func(r resource) {
		if failed != nil {
			return
		}
		made, err := s.create(cfg, r)
		if err != nil {
			failed = fmt.Errorf("%s: %w", r.id, err)
			return
		}
		for name := range r.properties {
			s.t.Errorf("%s: nobody makes %s of a %s", r.id, name, r.kind)
		}
		s.made[r.id] = made
	})
	return failed
}

// physical is what a resource is called: by Ref, and by its attribute Arn.
type physical = struct{ ref, arn string }

func (s *stack) create(cfg aws.Config, r resource) (physical, error) {
	ctx := s.t.Context()
	switch r.kind {
	case "AWS::IAM::Role":
		return s.createRole(cfg, r)
	case "AWS::DynamoDB::Table":
		return s.createTable(cfg, r)
	case "AWS::Scheduler::ScheduleGroup":
		name := r.text("Name")
		_, err := scheduler.NewFromConfig(cfg).CreateScheduleGroup(ctx, &scheduler.CreateScheduleGroupInput{Name: &name})
		return physical{ref: name}, err
	case "AWS::SQS::Queue":
		name, attributes := r.text("QueueName"), map[string]string{}
		for _, a := range []string{"MessageRetentionPeriod", "VisibilityTimeout"} {
			attributes[a] = fmt.Sprint(r.take(a))
		}
		out, err := sqs.NewFromConfig(cfg).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			return physical{}, err
		}
		return physical{ref: *out.QueueUrl}, nil
	case "AWS::SQS::QueuePolicy":
		policy := asJSON(s.t, r.take("PolicyDocument"))
		for _, queue := range r.take("Queues").([]any) {
			if _, err := sqs.NewFromConfig(cfg).SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(queue.(string)), Attributes: map[string]string{"Policy": policy}}); err != nil {
				return physical{}, err
			}
		}
		return physical{}, nil
	case "AWS::LakeFormation::DataLakeSettings":
		return physical{}, s.appendSettings(cfg, r)
	case "AWS::CloudFormation::WaitConditionHandle":
		// It is nothing but a URL.
		return physical{}, nil
	}
	return physical{}, errors.New("nobody makes a " + r.kind)
}

func (s *stack) createRole(cfg aws.Config, r resource) (physical, error) {
	ctx, client := s.t.Context(), iam.NewFromConfig(cfg)
	in := &iam.CreateRoleInput{RoleName: aws.String(r.text("RoleName")), Path: aws.String(r.text("Path")), Description: aws.String(r.text("Description")),
		AssumeRolePolicyDocument: aws.String(asJSON(s.t, r.take("AssumeRolePolicyDocument")))}
	if boundary := r.text("PermissionsBoundary"); boundary != "" {
		in.PermissionsBoundary = &boundary
	}
	for _, tag := range pairs(r.take("Tags")) {
		in.Tags = append(in.Tags, iamtypes.Tag{Key: aws.String(tag[0]), Value: aws.String(tag[1])})
	}
	policies := r.take("Policies").([]any)
	out, err := client.CreateRole(ctx, in)
	if err != nil {
		return physical{}, err
	}
	for _, p := range policies {
		p := p.(map[string]any)
		if _, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: in.RoleName, PolicyName: aws.String(p["PolicyName"].(string)),
			PolicyDocument: aws.String(asJSON(s.t, p["PolicyDocument"]))}); err != nil {
			return physical{}, err
		}
	}
	return physical{ref: *in.RoleName, arn: *out.Role.Arn}, nil
}

// pairs are tags.
func pairs(tags any) [][2]string {
	var all [][2]string
	for _, tag := range tags.([]any) {
		tag := tag.(map[string]any)
		all = append(all, [2]string{tag["Key"].(string), tag["Value"].(string)})
	}
	return all
}

func keySchema(v any) []dynamotypes.KeySchemaElement {
	var all []dynamotypes.KeySchemaElement
	for _, k := range v.([]any) {
		k := k.(map[string]any)
		all = append(all, dynamotypes.KeySchemaElement{AttributeName: aws.String(k["AttributeName"].(string)), KeyType: dynamotypes.KeyType(k["KeyType"].(string))})
	}
	return all
}

func (s *stack) createTable(cfg aws.Config, r resource) (physical, error) {
	ctx, client := s.t.Context(), dynamodb.NewFromConfig(cfg)
	protected := r.take("DeletionProtectionEnabled").(bool)
	in := &dynamodb.CreateTableInput{TableName: aws.String(r.text("TableName")), BillingMode: dynamotypes.BillingMode(r.text("BillingMode")), DeletionProtectionEnabled: &protected,
		KeySchema: keySchema(r.take("KeySchema"))}
	for _, a := range r.take("AttributeDefinitions").([]any) {
		a := a.(map[string]any)
		in.AttributeDefinitions = append(in.AttributeDefinitions, dynamotypes.AttributeDefinition{AttributeName: aws.String(a["AttributeName"].(string)), AttributeType: dynamotypes.ScalarAttributeType(a["AttributeType"].(string))})
	}
	if indexes, ok := r.take("GlobalSecondaryIndexes").([]any); ok {
		for _, i := range indexes {
			i := i.(map[string]any)
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, dynamotypes.GlobalSecondaryIndex{IndexName: aws.String(i["IndexName"].(string)), KeySchema: keySchema(i["KeySchema"]),
				Projection: &dynamotypes.Projection{ProjectionType: dynamotypes.ProjectionType(i["Projection"].(map[string]any)["ProjectionType"].(string))}})
		}
	}
	if stream, ok := r.take("StreamSpecification").(map[string]any); ok {
		in.StreamSpecification = &dynamotypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dynamotypes.StreamViewType(stream["StreamViewType"].(string))}
	}
	for _, tag := range pairs(r.take("Tags")) {
		in.Tags = append(in.Tags, dynamotypes.Tag{Key: aws.String(tag[0]), Value: aws.String(tag[1])})
	}
	recovery := r.take("PointInTimeRecoverySpecification").(map[string]any)["PointInTimeRecoveryEnabled"].(bool)
	if _, err := client.CreateTable(ctx, in); err != nil {
		return physical{}, err
	}
	_, err := client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: in.TableName,
		PointInTimeRecoverySpecification: &dynamotypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &recovery}})
	return physical{ref: *in.TableName}, err
}

// appendSettings adds administrators to those that there are.
func (s *stack) appendSettings(cfg aws.Config, r resource) error {
	ctx, client := s.t.Context(), lakeformation.NewFromConfig(cfg)
	if kind := r.text("MutationType"); kind != "APPEND" {
		return errors.New("settings are replaced: " + strconv.Quote(kind))
	}
	out, err := client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	for _, a := range r.take("Admins").([]any) {
		arn := a.(map[string]any)["DataLakePrincipalIdentifier"].(string)
		if !strings.HasPrefix(arn, "arn:aws:iam::"+s.account+":role/") {
			return errors.New("administrator " + arn)
		}
		out.DataLakeSettings.DataLakeAdmins = append(out.DataLakeSettings.DataLakeAdmins, lakeformationtypes.DataLakePrincipal{DataLakePrincipalIdentifier: &arn})
	}
	_, err = client.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	return err
}
