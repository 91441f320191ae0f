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
	"github.com/lakemesh/lakemesh/internal/engine"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/producer"
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

// makeAnalyst makes a role of the consumer's account, which reads as a query engine does.
func (s *story) makeAnalyst(ctx context.Context) (outcome, error) {
	admins, err := configOf(s.mesh, lakemesh.ConsumerAdminIdentity)
	if err != nil {
		return outcome{}, err
	}
	client := iam.NewFromConfig(admins)
	_, err = client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(analystRole), AssumeRolePolicyDocument: aws.String(engine.TrustPolicy(s.mesh.Accounts().Consumer))})
	if err != nil && !awserr.Is(err, "EntityAlreadyExists", "EntityAlreadyExistsException") {
		return outcome{}, err
	}
	if _, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(analystRole), PolicyName: aws.String("query"), PolicyDocument: aws.String(engine.Policy)}); err != nil {
		return outcome{}, err
	}
	mesh, err := configOf(s.mesh, lakemesh.MeshIdentity)
	if err != nil {
		return outcome{}, err
	}
	if err := engine.Trust(ctx, mesh, s.mesh.Accounts().Consumer); err != nil {
		return outcome{}, err
	}
	s.analyst = "arn:aws:iam::" + s.mesh.Accounts().Consumer + ":role/" + analystRole
	s.analystReads = engine.As(admins, s.analyst)
	return outcome{result: s.analyst}, nil
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

// readPart reads what the role is shown.
func (s *story) readPart(ctx context.Context) (outcome, error) {
	columns, rows, err := engine.Query(ctx, s.analystReads, s.mesh.Accounts().Consumer, s.database, narrowTable)
	if err != nil {
		return outcome{}, err
	}
	for _, hidden := range hiddenColumns() {
		if slices.Contains(columns, hidden) {
			return outcome{}, fmt.Errorf("the column %s is shown, and was left out", hidden)
		}
	}
	for _, row := range rows {
		if !strings.Contains(row, "state=TX") {
			return outcome{}, fmt.Errorf("the row %q is shown, and is none of those", row)
		}
	}
	if len(rows) == 0 {
		return outcome{}, errors.New("no row is shown")
	}
	return outcome{result: fmt.Sprintf("%s of %s, with the columns %s", count(len(rows), "row"), narrowTable, strings.Join(columns, ", "))}, nil
}

// refusedPart reads once more after the end.
func (s *story) refusedPart(ctx context.Context) (outcome, error) {
	_, rows, err := engine.Query(ctx, s.analystReads, s.mesh.Accounts().Consumer, s.database, narrowTable)
	if err == nil {
		return outcome{}, fmt.Errorf("the role is still shown %d rows of %s", len(rows), narrowTable)
	}
	words, denied := refused(err)
	if !denied {
		return outcome{}, fmt.Errorf("reading %s was refused for another reason than it should be: %w", narrowTable, err)
	}
	return outcome{refused: true, result: words}, nil
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
