package adversary_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// What a producer makes can say that it is another one's: its database that it has tables of
// the victim's, and the victim is granted all on it. The victim's own operations, some of
// which a schedule runs, do nothing there.
const (
	bait        = "bait"
	rowPrivate  = "hr"
	rowSalaries = "salaries"
)

// baited is a scene in which the rival has a database that says that its tables are the
// victim's: one that the victim has published, and one that it never published.
func baited(t *testing.T) *beginning {
	t.Helper()
	s := newScene(t)
	s.ids["honest active"] = s.active(s.honest, rowOrders)
	s.Database(victimAccount, rowPrivate)
	s.Table(victimAccount, rowPrivate, meshtest.CSV(rowSalaries, "s3://"+rowBucket+"/"+rowSalaries+"/"))
	s.Put(victimAccount, rowBucket, rowSalaries+"/rows.csv", rowsOf(rowSalaries))
	g := glue.NewFromConfig(s.rivalInMesh())
	toVictim := lakemesh.RoleARN(lakeAccount, lakemesh.MeshProducerRole(victimAccount))
	for _, source := range []string{rowSource, rowPrivate} {
		name := bait + "_" + source
		_, err := g.CreateDatabase(s.ctx(), &glue.CreateDatabaseInput{CatalogId: aws.String(lakeAccount), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(name), Parameters: map[string]string{"lakemesh.from." + source: victimAccount}}})
		s.must(err)
		s.must(s.grantDatabase(s.rivalInMesh(), name, toVictim, lftypes.PermissionAll))
		table := map[string]string{rowSource: rowOrders, rowPrivate: rowSalaries}[source]
		input := meshtest.CSV(table, "s3://rival-data/"+bait+"/")
		input.Owner = aws.String(victimAccount)
		_, err = g.CreateTable(s.ctx(), &glue.CreateTableInput{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name), TableInput: input})
		s.must(err)
		_, err = lakeformation.NewFromConfig(s.rivalInMesh()).GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{CatalogId: aws.String(lakeAccount), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(toVictim)},
			Resource:    &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name), Name: aws.String(table)}},
			Permissions: []lftypes.Permission{lftypes.PermissionAll}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionAll}})
		s.must(err)
		s.grantOn(s.rivalInMesh(), name, hostileAccount, table)
	}
	shared := ram.NewFromConfig(s.as(hostileAccount, lakemesh.ConsumerRole))
	invited, err := shared.GetResourceShareInvitations(s.ctx(), &ram.GetResourceShareInvitationsInput{})
	s.must(err)
	for _, i := range invited.ResourceShareInvitations {
		_, err := shared.AcceptResourceShareInvitation(s.ctx(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})
		s.must(err)
	}
	return s.keep()
}

// uncaught checks that the rival's tables are as the rival made them.
func (s *scene) uncaught(when string) {
	s.t.Helper()
	for source, table := range map[string]string{rowSource: rowOrders, rowPrivate: rowSalaries} {
		name := bait + "_" + source
		out, err := glue.NewFromConfig(s.rivalInMesh()).GetTable(s.ctx(), &glue.GetTableInput{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name), Name: aws.String(table)})
		s.must(err)
		if at := aws.ToString(out.Table.StorageDescriptor.Location); at != "s3://rival-data/"+bait+"/" {
			s.t.Errorf("%s: the rival's table %s.%s is at %s now", when, name, table, at)
		}
		s.grantTo(s.as(hostileAccount, lakemesh.ConsumerRole), name, lakemesh.RoleARN(hostileAccount, lakemesh.ConsumerRole), table, false)
		if rows, err := s.readAs(hostileAccount, name, table, table+"/rows.csv"); err == nil {
			s.t.Errorf("%s: whom the rival lets reads %q of the victim", when, rows)
		}
		if databases := s.links(victimAccount); databases[name] != "" {
			s.t.Errorf("%s: the victim has a link to %s", when, name)
		}
	}
}

// readAs reads an object of the victim's bucket by a table.
func (s *scene) readAs(account, database, table, key string) (string, error) {
	out, err := lakeformation.NewFromConfig(s.as(account, lakemesh.ConsumerRole)).GetTemporaryGlueTableCredentials(s.ctx(), &lakeformation.GetTemporaryGlueTableCredentialsInput{TableArn: aws.String(lakemesh.TableARN("us-east-1", lakeAccount, database, table)),
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}, SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return "", err
	}
	vended := credentials.NewStaticCredentialsProvider(aws.ToString(out.AccessKeyId), aws.ToString(out.SecretAccessKey), aws.ToString(out.SessionToken))
	object, err := identity.S3(s.ConfigWith(vended)).GetObject(s.ctx(), &s3.GetObjectInput{Bucket: aws.String(rowBucket), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer object.Body.Close()
	rows, err := io.ReadAll(object.Body)
	return string(rows), err
}

func TestNobodyBringsAProducerToWriteItsOwnIntoTablesOfOthers(t *testing.T) {
	t.Parallel()
	g := baited(t)
	for name, do := range map[string]func(s *scene) error{
		"sync": func(s *scene) error { _, err := s.victim.SyncProducts(s.ctx(), producer.SyncInput{}); return err },
		"sync, overwrite": func(s *scene) error {
			_, err := s.victim.SyncProducts(s.ctx(), producer.SyncInput{Overwrite: true, Deep: true})
			return err
		},
		"verify and repair": func(s *scene) error {
			v, err := s.victim.Verify(s.ctx(), producer.VerifyInput{})
			s.must(err)
			for _, f := range v.Findings {
				if strings.HasPrefix(f.Database, bait) {
					s.t.Errorf("it is told of the rival's: %+v", f)
				}
			}
			_, err = s.victim.Repair(s.ctx(), v)
			return err
		},
		"adopt grants": func(s *scene) error {
			out, err := s.victim.AdoptGrants(s.ctx(), producer.AdoptGrantsInput{})
			if err == nil && len(out.Adopted) > 0 {
				s.t.Errorf("adopted are %+v", out.Adopted)
			}
			return err
		},
		"publish": func(s *scene) error { return s.publish(s.victim, "") },
		"publish there": func(s *scene) error {
			for _, source := range []string{rowSource, rowPrivate} {
				if _, err := s.victim.CreateDataProducts(s.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: source, ExposeDataMeshDBName: bait + "_" + source}); err == nil {
					s.t.Errorf("%s was published into the rival's database", source)
				} else {
					s.t.Logf("%v", err)
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			s.check(name, do(s))
			s.uncaught(name)
			s.reads(name, honestAccount, rowOrders)
		})
	}
}

// A victim that may hand on what a rival has made does not: its approval of a request for it
// is refused, and what it once gave can be taken away.
func TestAnApprovalGivesNothingThatAnotherMade(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	toVictim := lakemesh.RoleARN(lakeAccount, lakemesh.MeshProducerRole(victimAccount))
	name := bait + "-" + victimAccount
	g := glue.NewFromConfig(s.rivalInMesh())
	_, err := g.CreateDatabase(s.ctx(), &glue.CreateDatabaseInput{CatalogId: aws.String(lakeAccount), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(name), Parameters: map[string]string{"lakemesh.from." + rowSource: victimAccount}}})
	s.must(err)
	s.must(s.grantDatabase(s.rivalInMesh(), name, toVictim, lftypes.PermissionAll))
	_, err = g.CreateTable(s.ctx(), &glue.CreateTableInput{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name), TableInput: meshtest.CSV(rowOrders, "s3://rival-data/"+bait+"/")})
	s.must(err)
	for _, resource := range []*lftypes.Resource{
		{Database: &lftypes.DatabaseResource{CatalogId: aws.String(lakeAccount), Name: aws.String(name)}},
		{Table: &lftypes.TableResource{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name), Name: aws.String(rowOrders)}},
	} {
		_, err = lakeformation.NewFromConfig(s.rivalInMesh()).GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{CatalogId: aws.String(lakeAccount), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(toVictim)},
			Resource: resource, Permissions: []lftypes.Permission{lftypes.PermissionAll}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionAll}})
		s.must(err)
		// Whoever looks for products finds it.
		_, err = lakeformation.NewFromConfig(s.rivalInMesh()).GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{CatalogId: aws.String(lakeAccount), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(lakeAccount, lakemesh.ReadOnlyRole))},
			Resource: resource, Permissions: []lftypes.Permission{lftypes.PermissionDescribe}})
		s.must(err)
	}
	for _, tables := range [][]string{{rowOrders}, nil} {
		out, err := s.honest.RequestAccessToProduct(s.ctx(), consumer.RequestInput{OwnerAccountID: victimAccount, DatabaseName: name, Tables: tables, RequestPermissions: []string{"SELECT"}})
		if err != nil {
			t.Fatalf("%v cannot be asked for: %v", tables, err)
		}
		if err := s.approve(out.SubscriptionID); !errors.Is(err, lakemesh.ErrWrongAccount) {
			t.Errorf("%v of the rival's is given: %v", tables, err)
		}
		s.check("deny", s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: out.SubscriptionID}))
	}
	if _, err := s.victim.Explain(s.ctx(), producer.ExplainInput{Principal: honestAccount, Database: name, Table: rowOrders}); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("it is explained as the victim's: %v", err)
	}
}

// A database that a rival names after a consumer, or says to be its, hides nothing from the
// consumer's verification.
func TestWhatARivalNamesAfterAConsumerIsFound(t *testing.T) {
	t.Parallel()
	for name, parameters := range map[string]map[string]string{"named": nil, "said": {"lakemesh.from." + rowSource: honestAccount}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			name := bait + "-" + honestAccount
			g := glue.NewFromConfig(s.rivalInMesh())
			_, err := g.CreateDatabase(s.ctx(), &glue.CreateDatabaseInput{CatalogId: aws.String(lakeAccount), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(name), Parameters: parameters}})
			s.must(err)
			_, err = g.CreateTable(s.ctx(), &glue.CreateTableInput{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name), TableInput: meshtest.CSV(rowOrders, "s3://rival-data/"+bait+"/")})
			s.must(err)
			s.must(s.grantDatabase(s.rivalInMesh(), name, honestAccount, lftypes.PermissionDescribe))
			s.grantOn(s.rivalInMesh(), name, honestAccount, rowOrders)
			shared := ram.NewFromConfig(s.as(honestAccount, lakemesh.ConsumerRole))
			invited, err := shared.GetResourceShareInvitations(s.ctx(), &ram.GetResourceShareInvitationsInput{})
			s.must(err)
			for _, i := range invited.ResourceShareInvitations {
				_, err := shared.AcceptResourceShareInvitation(s.ctx(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})
				s.must(err)
			}
			_, err = glue.NewFromConfig(s.as(honestAccount, lakemesh.ConsumerRole)).CreateDatabase(s.ctx(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(name),
				TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(name)}}})
			s.must(err)
			v, err := s.honest.Verify(s.ctx(), consumer.VerifyInput{})
			s.must(err)
			for _, link := range []chain.Link{chain.Grant, chain.ResourceLink} {
				if !slices.ContainsFunc(v.Findings, func(f chain.Finding) bool { return f.Link == link && f.Database == name }) {
					t.Errorf("nothing of %s is found: %+v", link, v.Findings)
				}
			}
		})
	}
}
