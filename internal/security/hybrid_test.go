package security_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// hybrid is the life of a product in hybrid access mode: IAM opens it to others in the mesh
// account, who depend on that.
func (l *life) hybrid() []step {
	const (
		opened = "harbour"
		place  = "harbour-data"
	)
	database := lakemesh.MeshDatabaseName(opened, producerAccount)
	table := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(database), Name: aws.String("ships")}}
	group := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(permissions.AllowedByIAM)}
	reader := "arn:aws:iam::" + consumerAccount + ":role/" + analyst
	see := func() error {
		_, err := glue.NewFromConfig(l.Config(reader)).GetTable(l.ctx, &glue.GetTableInput{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(database), Name: aws.String("ships")})
		return err
	}
	optIn := func(changes int) error {
		m, err := l.admin(meshAccount)
		if err != nil {
			return err
		}
		out, err := m.OptIn(l.ctx)
		l.told(out, err)
		if err == nil && len(out.OptedIn)+len(out.OptedOut) != changes {
			err = fmt.Errorf("%w: %+v", errUnexpected, out)
		}
		return err
	}
	return []step{
		{"publish in hybrid access mode", func() error {
			lake := lakeformation.NewFromConfig(l.Config(meshtest.Administrator(meshAccount)))
			out, err := lake.GetDataLakeSettings(l.ctx, &lakeformation.GetDataLakeSettingsInput{})
			if err != nil {
				return err
			}
			out.DataLakeSettings.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": "4"}
			if _, err := lake.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings}); err != nil {
				return err
			}
			l.Bucket(producerAccount, place)
			l.Database(producerAccount, opened)
			l.Table(producerAccount, opened, meshtest.CSV("ships", "s3://"+place+"/ships/"))
			published, err := l.producer.CreateDataProducts(l.ctx, producer.CreateDataProductsInput{SourceDatabaseName: opened, Hybrid: aws.Bool(true)})
			l.told(published, err)
			if err == nil && strings.Contains(strings.Join(published.Warnings, ""), "is not known") {
				err = fmt.Errorf("%w: warned of %q", errUnexpected, published.Warnings)
			}
			return err
		}},
		{"leave it to IAM in the mesh account", func() error {
			return errOf(lakeformation.NewFromConfig(l.as(meshAccount, lakemesh.ManagerRole)).GrantPermissions(l.ctx, &lakeformation.GrantPermissionsInput{Principal: group, Resource: table,
				Permissions: []lftypes.Permission{lftypes.PermissionAll}}))
		}},
		{"opt the members in", func() error { return optIn(6) }},
		{"subscribe to it", func() error {
			out, err := l.consumer.RequestAccessToProduct(l.ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: []string{"ships"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
			if err != nil {
				return err
			}
			l.ids["hybrid"] = out.SubscriptionID
			if err := l.producer.ApproveAccessRequest(l.ctx, producer.ApproveInput{RequestID: out.SubscriptionID}); err != nil {
				return err
			}
			_, err = l.consumer.FinalizeSubscription(l.ctx, consumer.FinalizeInput{SubscriptionID: out.SubscriptionID, Principals: []string{reader}})
			return errors.Join(err, see())
		}},
		{"leave it", func() error {
			if err := l.consumer.DeleteSubscription(l.ctx, consumer.LeaveInput{SubscriptionID: l.ids["hybrid"], Reason: "enough"}); err != nil {
				return err
			}
			if err := see(); !identity.IsAccessDenied(err) {
				return fmt.Errorf("the table can still be seen: %w", errors.Join(errUnexpected, err))
			}
			return errOf(l.producer.SettleDepartures(l.ctx))
		}},
		{"leave nothing to IAM any more", func() error {
			err := errOf(lakeformation.NewFromConfig(l.as(meshAccount, lakemesh.ManagerRole)).RevokePermissions(l.ctx, &lakeformation.RevokePermissionsInput{Principal: group, Resource: table,
				Permissions: []lftypes.Permission{lftypes.PermissionAll}}))
			return errors.Join(err, optIn(6))
		}},
		{"unpublish it", func() error {
			return errOf(l.producer.UnpublishDataProducts(l.ctx, producer.UnpublishInput{SourceDatabaseName: opened}))
		}},
	}
}
