package security_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// until makes a subscription to a table that ends after some time.
func (l *life) until(name, table string, lasts time.Duration) step {
	return step{"grant " + table + " until a time, as " + name, func() error {
		out, err := l.consumer.RequestAccessToProduct(l.ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
			Tables: []string{table}, RequestPermissions: []string{"SELECT"}, Until: time.Now().Add(lasts)})
		l.told(out, err)
		if err != nil {
			return err
		}
		l.ids[name] = out.SubscriptionID
		return l.producer.ApproveAccessRequest(l.ctx, producer.ApproveInput{RequestID: out.SubscriptionID})
	}}
}

// comes lets time pass and has done what is due. letters is how much could not be ended since.
func (l *life) comes(d time.Duration, letters int) step {
	return step{"an end comes", func() error {
		<-time.After(d)
		if err := l.RunDue(l.ctx); err != nil {
			return err
		}
		lost, err := l.DeadLetters("")
		if err != nil {
			return err
		}
		kept, err := l.DeadLetters(lakemesh.EndingQueueARN(region, meshAccount, producerAccount))
		if err == nil && (len(lost) > 0 || len(kept) != letters) {
			err = fmt.Errorf("%w: given up were %v and %v", errUnexpected, kept, lost)
		}
		return err
	}}
}

// expired has the owner record what is over.
func (l *life) expired(names ...string) step {
	return step{"record what is over", func() error {
		out, err := l.producer.ExpireSubscriptions(l.ctx)
		if err == nil && len(out.Subscriptions) != len(names) {
			err = fmt.Errorf("%w: ended %v", errUnexpected, out.Subscriptions)
		}
		return err
	}}
}

// ends are subscriptions that end by themselves.
func (l *life) ends() []step {
	revoked := func() step {
		return step{"somebody revokes by hand", func() error {
			lake := lakeformation.NewFromConfig(l.Config(meshtest.Administrator(meshAccount)))
			settings, err := lake.GetDataLakeSettings(l.ctx, &lakeformation.GetDataLakeSettingsInput{})
			if err != nil {
				return err
			}
			before := *settings.DataLakeSettings
			more := before
			more.DataLakeAdmins = append([]lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(meshAccount))}}, before.DataLakeAdmins...)
			_, set := lake.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &more})
			_, revoked := lake.RevokePermissions(l.ctx, &lakeformation.RevokePermissionsInput{Permissions: []lftypes.Permission{"SELECT"}, PermissionsWithGrantOption: []lftypes.Permission{"SELECT"},
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
				Resource:  &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String("weather")}}})
			_, back := lake.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &before})
			return errors.Join(set, revoked, back)
		}}
	}
	return []step{
		l.until("early", "weather", time.Hour),
		{"end it early", func() error {
			return l.producer.DeleteSubscription(l.ctx, producer.DeleteInput{SubscriptionID: l.ids["early"]})
		}},
		l.until("timed", "weather", time.Hour),
		{"move the end", func() error {
			until := time.Now().Add(2 * time.Hour)
			return l.producer.UpdateSubscriptionPermissions(l.ctx, producer.UpdateInput{SubscriptionID: l.ids["timed"], GrantPermissions: []string{"SELECT"}, Until: &until})
		}},
		l.comes(2*time.Hour+2*time.Minute, 0),
		l.expired("timed"),
		l.until("failing", "weather", time.Hour), l.until("last", "routes", 6*time.Hour),
		revoked(),
		l.comes(time.Hour+2*time.Minute, 1),
		{"see what failed, and mend it", func() error {
			v, err := l.producer.Verify(l.ctx, producer.VerifyInput{})
			if err != nil {
				return err
			}
			told := false
			for _, f := range v.Findings {
				told = told || f.Link == chain.Schedule && strings.Contains(f.What, "could not be ended")
			}
			if !told {
				return fmt.Errorf("%w: found %+v", errUnexpected, v.Findings)
			}
			_, err = l.producer.Repair(l.ctx, v)
			left, failed := l.DeadLetters(lakemesh.EndingQueueARN(region, meshAccount, producerAccount))
			if len(left) > 0 {
				failed = fmt.Errorf("%w: left are %v", errUnexpected, left)
			}
			return errors.Join(err, failed)
		}},
		{"somebody removes the schedules", func() error {
			client := scheduler.NewFromConfig(l.Config(meshtest.Administrator(meshAccount)))
			for name := range l.Schedules() {
				if _, err := client.DeleteSchedule(l.ctx, &scheduler.DeleteScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: &name}); err != nil {
					return err
				}
			}
			return nil
		}},
		l.comes(6*time.Hour, 0),
		{"the administrator ends what is over", func() error {
			m, err := l.admin(meshAccount)
			if err != nil {
				return err
			}
			out, err := m.ExpireSubscriptions(l.ctx)
			if err == nil && (len(out.Revoked) != 2 || len(out.Unrecorded) != 1) {
				err = fmt.Errorf("%w: %+v", errUnexpected, out)
			}
			return err
		}},
		l.expired("last"),
	}
}
