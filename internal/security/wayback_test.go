package security_test

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/producer"
)

// wayBack ends everything: what was migrated comes back, products leave, and accounts, and
// the mesh itself.
func (l *life) wayBack() []step {
	unpublish := func(in producer.UnpublishInput) step {
		return step{"unpublish " + in.SourceDatabaseName, func() error {
			in.EndSubscriptions = true
			out, err := l.producer.UnpublishDataProducts(l.ctx, in)
			l.told(out, err)
			// A database of links with a name of its own is left to the account's administrator.
			left := 0
			if in.ExposeDataMeshDBName == "places" {
				left = 1
			}
			// That metadata was private is forgotten with its database, and said.
			if in.SourceDatabaseName == source && in.ExposeDataMeshDBName == "" {
				left = 1
			}
			if err == nil && len(out.Warnings) != left {
				err = fmt.Errorf("warnings: %q", out.Warnings)
			}
			return err
		}}
	}
	retire := func(account string, kind admin.AccountType) step {
		return step{"retire account " + account, func() error {
			in := admin.RetireInput{Type: kind, Mesh: l.opened(meshAccount), Account: l.opened(account)}
			planned(l, admin.PlanRetireAccount, in)
			out, err := admin.RetireAccount(l.ctx, in)
			l.told(out, err)
			return err
		}}
	}
	return []step{
		{"restore", func() error {
			in := producer.RestoreInput{SourceDatabaseName: migrated}
			planned(l, l.producer.PlanRestoreTables, in)
			out, err := l.producer.RestoreTables(l.ctx, in)
			l.told(out, err)
			if err != nil {
				return err
			}
			// The analyst reads it again without the mesh.
			found, err := l.Glue(producerAccount).GetTable(l.ctx, &glue.GetTableInput{DatabaseName: aws.String(migrated), Name: aws.String("planes")})
			if err == nil && found.Table.TargetTable != nil {
				err = fmt.Errorf("it is a link: %w", errUnexpected)
			}
			return err
		}},
		unpublish(producer.UnpublishInput{SourceDatabaseName: migrated, ExposeDataMeshDBName: migrated}),
		unpublish(producer.UnpublishInput{SourceDatabaseName: source}),
		unpublish(producer.UnpublishInput{SourceDatabaseName: source, ExposeDataMeshDBName: "places"}),
		{"nothing of the products is left", func() error {
			_, err := l.Glue(producerAccount).GetCrawler(l.ctx, &glue.GetCrawlerInput{Name: aws.String("lakemesh-" + product)})
			if err == nil {
				return fmt.Errorf("the crawler is still there: %w", errUnexpected)
			}
			return nil
		}},
		retire(producerAccount, admin.Producer), retire(consumerAccount, admin.Consumer),
		{"destroy the mesh", func() error {
			m, err := l.admin(meshAccount)
			if err != nil {
				return err
			}
			planned(l, m.PlanDestroyMesh, admin.DestroyMeshInput{})
			if _, err := m.DestroyMesh(l.ctx, admin.DestroyMeshInput{Confirm: producerAccount}); !errors.Is(err, lakemesh.ErrInvalidInput) {
				return fmt.Errorf("without a confirmation: %w", errors.Join(errUnexpected, err))
			}
			out, err := m.DestroyMesh(l.ctx, admin.DestroyMeshInput{Confirm: meshAccount})
			l.told(out, err)
			if err != nil {
				return err
			}
			again, err := m.PlanDestroyMesh(l.ctx, admin.DestroyMeshInput{})
			if err == nil && !again.Empty() {
				err = fmt.Errorf("left to do:\n%s", again)
			}
			return err
		}},
	}
}
