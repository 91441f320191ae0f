package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/producer"
	"github.com/lakemesh/lakemesh/query"
)

// The ends of the second subscription: the one that is asked for, and the one that is
// given, which comes while somebody watches.
const (
	askedFor = 90 * 24 * time.Hour
	givenFor = 3 * time.Second
)

// What the second subscription is narrowed to: airports of one state, without the columns
// that tell where exactly they are.
const (
	analystRole = "Analyst"
	narrowTable = tableNotFor
	narrowRows  = "state = 'TX'"
)

func hiddenColumns() []string { return []string{"latitude", "longitude"} }

// analystPolicy is what who asks Athena needs besides what Lake Formation grants: to call what
// reads, and to keep results in buckets.
const analystPolicy = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["athena:*","glue:Get*","lakeformation:GetDataAccess"],"Resource":"*"},
	{"Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetObject","s3:PutObject"],"Resource":[%q]}]}`

// makeAnalyst makes a role of the consumer's account, which asks Athena.
func (s *story) makeAnalyst(ctx context.Context) (outcome, error) {
	admins, err := configOf(s.mesh, lakemesh.ConsumerAdminIdentity)
	if err != nil {
		return outcome{}, err
	}
	client := iam.NewFromConfig(admins)
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, s.partition().Root(s.mesh.Accounts().Consumer))
	_, err = client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(analystRole), AssumeRolePolicyDocument: &trust})
	if err != nil && !awserr.Is(err, "EntityAlreadyExists", "EntityAlreadyExistsException") {
		return outcome{}, err
	}
	if _, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(analystRole), PolicyName: aws.String("query"), PolicyDocument: aws.String(fmt.Sprintf(analystPolicy, s.partition().BucketARN("lakemesh-query-results-*")))}); err != nil {
		return outcome{}, err
	}
	if s.results, err = home.QueryResults(ctx, admins, s.mesh.Accounts().Consumer); err != nil {
		return outcome{}, err
	}
	s.analyst = s.partition().ARN("iam", "", s.mesh.Accounts().Consumer, "role/"+analystRole)
	s.analystAsks, err = query.New(ctx, lakemesh.Options{MeshAccountID: s.mesh.Accounts().Mesh, Config: &admins, Region: admins.Region}, s.analyst)
	return outcome{result: s.analyst}, err
}

// ask runs the analyst's query on the narrowed table.
func (s *story) ask(ctx context.Context, sql string) (*query.Result, error) {
	return s.analystAsks.Run(ctx, query.Input{SQL: sql, Database: s.database, OutputLocation: s.results, Limit: -1})
}

// requestForAWhile asks for columns and rows, for that role alone, with an end.
func (s *story) requestForAWhile(ctx context.Context) (outcome, error) {
	until := time.Now().Add(askedFor)
	out, err := s.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: s.producer.Account(), DatabaseName: s.database, Tables: []string{narrowTable},
		RequestPermissions: []string{"SELECT"}, Until: until, Notes: "to check one figure",
		Scope: lakemesh.Scope{ExceptColumns: hiddenColumns(), Rows: narrowRows, Principals: []string{s.analyst}}})
	if err != nil {
		return outcome{}, err
	}
	s.ending = out.SubscriptionID
	return outcome{result: fmt.Sprintf("%s where %s, without %s, until %s", narrowTable, narrowRows, strings.Join(hiddenColumns(), " and "), lakemesh.FormatTime(until))}, nil
}

// approveForLess approves it with an end that is near.
func (s *story) approveForLess(ctx context.Context) (outcome, error) {
	until := time.Now().Add(givenFor)
	if err := s.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: s.ending, Until: &until}); err != nil {
		return outcome{}, err
	}
	sub, err := s.producer.GetSubscription(ctx, s.ending)
	if err != nil {
		return outcome{}, err
	}
	if sub.Until.IsZero() || sub.Until.After(until) {
		return outcome{}, fmt.Errorf("it ends at %s, and was to end at %s", sub.Until, until)
	}
	if _, err := s.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: s.ending}); err != nil {
		return outcome{}, err
	}
	return outcome{result: "until " + lakemesh.FormatTime(sub.Until) + " only"}, nil
}

// readPart reads what the role is shown, with SQL.
func (s *story) readPart(ctx context.Context) (outcome, error) {
	all, err := s.ask(ctx, "SELECT * FROM "+narrowTable)
	if err != nil {
		return outcome{}, err
	}
	var columns []string
	for _, c := range all.Columns {
		columns = append(columns, c.Name)
	}
	for _, hidden := range hiddenColumns() {
		if slices.Contains(columns, hidden) {
			return outcome{}, fmt.Errorf("the column %s is shown, and was left out", hidden)
		}
	}
	if len(all.Rows) == 0 {
		return outcome{}, errors.New("no row is shown")
	}
	states, err := s.ask(ctx, "SELECT DISTINCT state FROM "+narrowTable)
	if err != nil {
		return outcome{}, err
	}
	if len(states.Rows) != 1 || aws.ToString(states.Rows[0][0]) != "TX" {
		return outcome{}, fmt.Errorf("rows of %d states are shown, and should be of one", len(states.Rows))
	}
	_, err = s.ask(ctx, "SELECT "+hiddenColumns()[0]+" FROM "+narrowTable)
	if !errors.Is(err, lakemesh.ErrNotFound) {
		return outcome{}, fmt.Errorf("the column %s was asked for by name: %w", hiddenColumns()[0], err)
	}
	return outcome{result: fmt.Sprintf("%s of %s, with the columns %s", count(len(all.Rows), "row"), narrowTable, strings.Join(columns, ", ")),
		detail: []string{"SELECT " + hiddenColumns()[0] + " FROM " + narrowTable + ": no such column"}}, nil
}

// refusedPart asks once more after the end.
func (s *story) refusedPart(ctx context.Context) (outcome, error) {
	out, err := s.ask(ctx, "SELECT * FROM "+narrowTable)
	if err == nil {
		return outcome{}, fmt.Errorf("the role is still shown %d rows of %s", len(out.Rows), narrowTable)
	}
	var failed *lakemesh.Error
	if !errors.As(err, &failed) || !errors.Is(err, lakemesh.ErrAccessDenied) {
		return outcome{}, fmt.Errorf("reading %s was refused for another reason than it should be: %w", narrowTable, err)
	}
	return outcome{refused: true, result: failed.Message}, nil
}

// end waits for the end, and carries it out.
func (s *story) end(ctx context.Context) (outcome, error) {
	err := poll.Until(ctx, time.Minute, "the end of subscription "+s.ending, func(ctx context.Context) (bool, error) {
		sub, err := s.producer.GetSubscription(ctx, s.ending)
		return err == nil && sub.Over, err
	})
	if err != nil {
		return outcome{}, err
	}
	out, err := s.producer.ExpireSubscriptions(ctx)
	if err != nil {
		return outcome{}, err
	}
	if !slices.Contains(out.Subscriptions, s.ending) {
		return outcome{}, fmt.Errorf("ended were %v, and not %s", out.Subscriptions, s.ending)
	}
	return outcome{result: fmt.Sprintf("its end has come: %s, as a schedule would do it", count(len(out.Subscriptions), "subscription ended", "subscriptions ended"))}, nil
}
