package security_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// scopes are subscriptions to parts of a table, and for a role alone.
func (l *life) scopes() []step {
	part := func(name string, s lakemesh.Scope) step {
		return step{"grant a part, as " + name, func() error {
			out, err := l.consumer.RequestAccessToProduct(l.ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
				Tables: []string{"airports"}, RequestPermissions: []string{"SELECT"}, Scope: s})
			l.told(out, err)
			if err != nil {
				return err
			}
			l.ids[name] = out.SubscriptionID
			if err := l.producer.ApproveAccessRequest(l.ctx, producer.ApproveInput{RequestID: out.SubscriptionID}); err != nil {
				return err
			}
			_, err = l.consumer.FinalizeSubscription(l.ctx, consumer.FinalizeInput{SubscriptionID: out.SubscriptionID})
			return err
		}}
	}
	again := func(name string) error {
		return l.producer.UpdateSubscriptionPermissions(l.ctx, producer.UpdateInput{SubscriptionID: l.ids[name]})
	}
	// A column comes and goes, which changes what an exclusion shows.
	column := func(change func([]types.Column) []types.Column) error {
		client := glue.NewFromConfig(l.as(meshAccount, lakemesh.MeshProducerRole(producerAccount)))
		out, err := client.GetTable(l.ctx, &glue.GetTableInput{DatabaseName: aws.String(product), Name: aws.String("airports")})
		if err != nil {
			return err
		}
		d := *out.Table.StorageDescriptor
		d.Columns = change(d.Columns)
		_, err = client.UpdateTable(l.ctx, &glue.UpdateTableInput{DatabaseName: aws.String(product), TableInput: &types.TableInput{Name: out.Table.Name, StorageDescriptor: &d,
			TableType: out.Table.TableType, Parameters: out.Table.Parameters, PartitionKeys: out.Table.PartitionKeys, Owner: out.Table.Owner, Description: out.Table.Description}})
		return err
	}
	end := func(name string) step {
		return step{"end " + name, func() error {
			return l.producer.DeleteSubscription(l.ctx, producer.DeleteInput{SubscriptionID: l.ids[name]})
		}}
	}
	return []step{
		part("part", lakemesh.Scope{ExceptColumns: []string{"value"}}),
		{"change what the filter shows", func() error {
			err := column(func(c []types.Column) []types.Column {
				return append(c, types.Column{Name: aws.String("more"), Type: aws.String("string")})
			})
			if err == nil {
				err = again("part")
			}
			if err == nil {
				err = column(func(c []types.Column) []types.Column { return c[:len(c)-1] })
			}
			if err == nil {
				err = again("part")
			}
			return err
		}},
		{"verify the part", func() error {
			v, err := l.producer.Verify(l.ctx, producer.VerifyInput{SubscriptionID: l.ids["part"]})
			if err == nil && len(v.Findings)+len(v.Unverified) > 0 {
				err = fmt.Errorf("%w: %+v, %v", errUnexpected, v.Findings, v.Unverified)
			}
			return err
		}},
		{"the administrator verifies the part", func() error {
			m, err := l.admin(meshAccount)
			if err != nil {
				return err
			}
			v, err := m.Verify(l.ctx, admin.VerifyInput{})
			if err == nil && slices.ContainsFunc(v.Unverified, func(text string) bool { return strings.Contains(text, "data cells filters") }) {
				err = fmt.Errorf("%w: %v", errUnexpected, v.Unverified)
			}
			return err
		}},
		end("part"),
		part("role", lakemesh.Scope{Principals: []string{lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole)}}),
		end("role"),
		{"grant to an organization", func() error {
			// The consumer stays out of it, so that it is still invited to all else.
			org := l.Organization()
			out, err := l.consumer.RequestAccessToProduct(l.ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
				Tables: []string{"airports"}, RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Principals: []string{org.ARN}}})
			l.told(out, err)
			if err != nil {
				return err
			}
			l.ids["organization"] = out.SubscriptionID
			return l.producer.ApproveAccessRequest(l.ctx, producer.ApproveInput{RequestID: out.SubscriptionID})
		}},
		end("organization"),
	}
}
