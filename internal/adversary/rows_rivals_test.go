package adversary_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

// Row 6.
func TestAProducerCannotDisturbSubscriptionsOfOthersByItemsUnderItsOwnKeys(t *testing.T) {
	t.Parallel()
	words := tracker.Words{Database: rowProduct, Tables: []string{rowCustomers}, Requested: lakemesh.NewPermissions(lakemesh.Select), By: "me"}
	// decision is as an owner's own is, on the victim's product.
	decision := func(more attributes) attributes {
		all := attributes{"OwnerPrincipal": aText(victimAccount), "SubscriberPrincipal": aText(honestAccount), "Status": aText("Active"), "DatabaseName": aText(rowProduct),
			"TableName": aList(rowCustomers, rowOrders), "RequestedGrants": aList("SELECT"), "PermittedGrants": aList("SELECT", "DESCRIBE"), "GrantableGrants": aList("SELECT", "DESCRIBE"),
			"GrantedTableARNs": aList(lakemesh.TableARN("us-east-1", lakeAccount, rowProduct, rowCustomers)), "Digest": aText(words.Digest()), "Version": aNumber("1"), "Revision": aNumber("1"),
			"CreatedBy": aText("me"), "CreationDate": aText("2022-03-04 05:06:07")}
		maps.Copy(all, more)
		maps.DeleteFunc(all, func(_ string, v dynamotypes.AttributeValue) bool { return v == nil })
		return all
	}
	// of writes an item to both tables, and lists its id where the rival's ids are listed.
	of := func(subscriber string, more attributes) func(s *scene) func() {
		id := words.ID(rivalAccount, subscriber)
		return func(s *scene) func() {
			return func() {
				for _, table := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
					s.try(s.rivalInMesh(), table, id, decision(more))
				}
				s.try(s.rivalInMesh(), lakemesh.SubscriptionsTable, id, attributes{"Status": aText("Active"), "PermittedGrants": aList("ALL")})
				ids := []string{id, s.ids["honest active"], s.ids["honest pending"], s.ids["hostile active"]}
				s.try(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-"+subscriber, attributes{"Active": aSet(ids...), "Ended": aNumber("3")})
				s.try(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-"+subscriber+"#0001", attributes{"IDs": aSet(ids...)})
				s.try(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-directory", attributes{"Subscribers": aSet(subscriber, "333333333333", "x")})
			}
		}
	}
	attacks := map[string]attack{
		"of the honest consumer":          {prepare: of(honestAccount, nil)},
		"of the other consumer":           {prepare: of(hostileAccount, nil)},
		"of the victim as a consumer":     {prepare: of(victimAccount, nil)},
		"of all tables":                   {prepare: of(honestAccount, attributes{"Whole": aText("true"), "TableName": nil})},
		"adopted from the original":       {prepare: of(honestAccount, attributes{"AdoptedFrom": aText(lakemesh.NewShortID())})},
		"that cannot be read":             {prepare: of(honestAccount, attributes{"TableName": aNumber("1"), "PermittedGrants": aText("x"), "Version": aText("x"), "Claim": aText("x")})},
		"that is pending":                 {prepare: of(honestAccount, attributes{"Status": aText("Pending")})},
		"that is full":                    {prepare: of(honestAccount, attributes{"RequestNote": aText(strings.Repeat("x", 390<<10))})},
		"under keys of the victim's kind": {prepare: func(s *scene) func() { return func() { s.ownersKeys(s.rivalInMesh()) } }},
		"by a consumer, under those keys": {prepare: func(s *scene) func() { return func() { s.ownersKeys(s.hostileInMesh()) } }},
	}
	lived(t).run(t, attacks, "of the honest consumer", "adopted from the original")
}

// ownersKeys tries to write what the victim alone writes.
func (s *scene) ownersKeys(cfg aws.Config) {
	for _, key := range []string{s.ids["hostile active"], s.ids["honest active"], s.ids["hostile active"] + "#000001", victimAccount + "-lease", victimAccount + "-directory",
		victimAccount + "-" + hostileAccount, victimAccount + "-" + hostileAccount + "#0001", "members"} {
		for _, table := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
			s.try(cfg, table, key, attributes{"Status": aText("Deleted"), "Active": aSet("x"), "Holder": aText("me"), "Beat": aNumber("1"), "Claim": aText("x"), "Consumers": aSet("x")})
		}
	}
}

func TestAConsumerLeavesWhateverAProducerWroteUnderItsOwnKeys(t *testing.T) {
	t.Parallel()
	begin := newScene(t)
	begin.ids["active"] = begin.active(begin.honest, rowOrders)
	g := begin.keep()
	for name, more := range map[string]attributes{"shaped as its own": nil, "adopted": {"AdoptedFrom": aText(lakemesh.NewShortID())}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			words := tracker.Words{Database: rowProduct, Tables: []string{rowOrders}, Requested: lakemesh.NewPermissions(lakemesh.Select), By: "me"}
			id := words.ID(rivalAccount, honestAccount)
			forged := attributes{"OwnerPrincipal": aText(victimAccount), "SubscriberPrincipal": aText(honestAccount), "Status": aText("Active"), "DatabaseName": aText(rowProduct), "TableName": aList(rowOrders), "RequestedGrants": aList("SELECT"),
				"PermittedGrants": aList("SELECT", "DESCRIBE"), "GrantableGrants": aList("SELECT", "DESCRIBE"), "Digest": aText(words.Digest()), "Revision": aNumber("1"), "Version": aNumber("1")}
			maps.Copy(forged, more)
			s.try(s.rivalInMesh(), lakemesh.DecisionsTable, id, forged)
			s.try(s.rivalInMesh(), lakemesh.DecisionsTable, rivalAccount+"-"+honestAccount, attributes{"Active": aSet(id)})
			s.try(s.rivalInMesh(), lakemesh.SubscriptionsTable, id, forged)
			if err := s.finalize(s.honest, id); err == nil {
				t.Error("what nobody asked for was imported")
			}
			s.reads("before", honestAccount, rowOrders)
			s.must(s.honest.DeleteSubscription(s.ctx(), consumer.LeaveInput{SubscriptionID: s.ids["active"]}))
			s.refused("after it has left", honestAccount, rowOrders)
			if out, err := s.victim.SettleDepartures(s.ctx()); err != nil || !slices.Equal(out.Subscriptions, []string{s.ids["active"]}) {
				t.Errorf("settle: %+v, %v", out, err)
			}
			s.holds("settled", honestAccount, nil)
			// Another producer publishes, with subscriptions of its own to its whole database.
			s.Table(rivalAccount, rowSource, meshtest.CSV("returns", "s3://rival-data/returns/"))
			s.must(s.publish(s.rival, ""))
			s.Table(victimAccount, rowSource, meshtest.CSV("returns", "s3://"+rowBucket+"/returns/"))
			s.must(s.publish(s.victim, ""))
			s.holds("published", honestAccount, nil)
		})
	}
}

// Row 10.
func TestAProducerCannotChangeWhatAnotherShares(t *testing.T) {
	t.Parallel()
	s := lived(t).play(t)
	shares, err := ram.NewFromConfig(s.Config(meshtest.Administrator(lakeAccount))).GetResourceShares(s.ctx(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	s.must(err)
	if len(shares.ResourceShares) == 0 {
		t.Fatal("nothing is shared")
	}
	product := lakemesh.TableARN("us-east-1", lakeAccount, rowProduct, rowOrders)
	for role, cfg := range map[string]aws.Config{"the rival": s.rivalInMesh(), "the rival at home": s.as(rivalAccount, lakemesh.ProducerRole), "a consumer": s.hostileInMesh()} {
		shared, catalog := ram.NewFromConfig(cfg), glue.NewFromConfig(cfg)
		attempts := map[string]error{
			"glue:PutResourcePolicy": func() error {
				_, err := catalog.PutResourcePolicy(s.ctx(), &glue.PutResourcePolicyInput{PolicyInJson: aws.String(
					`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"glue:*","Resource":"arn:aws:glue:us-east-1:` + lakeAccount + `:*"}]}`)})
				return err
			}(),
			"glue:DeleteResourcePolicy": func() error {
				_, err := catalog.DeleteResourcePolicy(s.ctx(), &glue.DeleteResourcePolicyInput{})
				return err
			}(),
			"ram:CreateResourceShare": func() error {
				_, err := shared.CreateResourceShare(s.ctx(), &ram.CreateResourceShareInput{Name: aws.String("LakeFormation-V4-mine"), Principals: []string{rivalAccount}, ResourceArns: []string{product}})
				return err
			}(),
		}
		for _, share := range shares.ResourceShares {
			on := aws.ToString(share.Name)
			arn := share.ResourceShareArn
			_, err := shared.DisassociateResourceShare(s.ctx(), &ram.DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{product}})
			attempts["ram:DisassociateResourceShare of a table from "+on] = err
			_, err = shared.DisassociateResourceShare(s.ctx(), &ram.DisassociateResourceShareInput{ResourceShareArn: arn, Principals: []string{honestAccount}})
			attempts["ram:DisassociateResourceShare of a consumer from "+on] = err
			_, err = shared.AssociateResourceShare(s.ctx(), &ram.AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{rivalAccount}})
			attempts["ram:AssociateResourceShare with the rival of "+on] = err
			_, err = shared.UpdateResourceShare(s.ctx(), &ram.UpdateResourceShareInput{ResourceShareArn: arn, Name: aws.String("mine")})
			attempts["ram:UpdateResourceShare of "+on] = err
			_, err = shared.DeleteResourceShare(s.ctx(), &ram.DeleteResourceShareInput{ResourceShareArn: arn})
			attempts["ram:DeleteResourceShare of "+on] = err
		}
		for what, err := range attempts {
			// At home there is nothing of the mesh: what succeeds there is the rival's own.
			if !awserr.Denied(err) {
				t.Errorf("%s: %s: %v, want AWS to deny it", role, what, err)
			}
		}
	}
	s.reads("after all of it", honestAccount, rowOrders)
	s.reads("after all of it", hostileAccount, rowOrders)
	s.unharmed(func() {}, false)
}

// Row 10: the LF-tags by which products are found. What the shared keys say can be
// changed by every producer; what its owner's own keys say cannot.
func TestAProductKeepsItsOwnTags(t *testing.T) {
	t.Parallel()
	// Whoever is first makes the shared keys, and may change them from then on.
	made := map[string]*beginning{"the victim's": newScene(t).keep(), "the rival's": newScene(t, rivalAccount, victimAccount).keep()}
	keys := []string{"domain", "dataproduct"}
	ofVictim := []string{"domain-" + victimAccount, "dataproduct-" + victimAccount}
	onVictims := []*lftypes.Resource{
		{Table: &lftypes.TableResource{CatalogId: aws.String(lakeAccount), DatabaseName: aws.String(rowProduct), Name: aws.String(rowOrders)}},
		{Database: &lftypes.DatabaseResource{CatalogId: aws.String(lakeAccount), Name: aws.String(rowProduct)}},
	}
	attempts := map[string]func(s *scene, lake *lakeformation.Client) []error{
		"other values on the victim's tables": func(s *scene, lake *lakeformation.Client) (errs []error) {
			for _, key := range append(slices.Clone(keys), ofVictim...) {
				for _, value := range []string{"trade", "sales"} {
					for _, on := range onVictims {
						_, err := lake.AddLFTagsToResource(s.ctx(), &lakeformation.AddLFTagsToResourceInput{Resource: on, LFTags: []lftypes.LFTagPair{{TagKey: aws.String(key), TagValues: []string{value}}}})
						errs = append(errs, err)
					}
				}
			}
			return errs
		},
		"removed from the victim's tables": func(s *scene, lake *lakeformation.Client) (errs []error) {
			for _, key := range append(slices.Clone(keys), ofVictim...) {
				for _, on := range onVictims {
					_, err := lake.RemoveLFTagsFromResource(s.ctx(), &lakeformation.RemoveLFTagsFromResourceInput{Resource: on, LFTags: []lftypes.LFTagPair{{TagKey: aws.String(key), TagValues: []string{"trade"}}}})
					errs = append(errs, err)
				}
			}
			return errs
		},
		"values deleted": func(s *scene, lake *lakeformation.Client) (errs []error) {
			for _, key := range append(slices.Clone(keys), ofVictim...) {
				_, err := lake.UpdateLFTag(s.ctx(), &lakeformation.UpdateLFTagInput{TagKey: aws.String(key), TagValuesToDelete: []string{map[bool]string{true: "trade", false: "sales"}[strings.HasPrefix(key, "domain")]}})
				errs = append(errs, err)
			}
			return errs
		},
		"values added until none fits": func(s *scene, lake *lakeformation.Client) (errs []error) {
			for _, key := range append(slices.Clone(keys), ofVictim...) {
				// A key has 1000 values at most, and a call takes 50.
				for n, size := 0, 50; n < 200 && size > 0; n++ {
					var values []string
					for v := range size {
						values = append(values, fmt.Sprintf("v%d-%d", n, v))
					}
					_, err := lake.UpdateLFTag(s.ctx(), &lakeformation.UpdateLFTagInput{TagKey: aws.String(key), TagValuesToAdd: values})
					errs = append(errs, err)
					if err != nil {
						size /= 2
					}
				}
			}
			return errs
		},
		"keys deleted": func(s *scene, lake *lakeformation.Client) (errs []error) {
			for _, key := range append(slices.Clone(keys), ofVictim...) {
				_, err := lake.DeleteLFTag(s.ctx(), &lakeformation.DeleteLFTagInput{TagKey: aws.String(key)})
				errs = append(errs, err)
			}
			return errs
		},
		"granted away": func(s *scene, lake *lakeformation.Client) (errs []error) {
			for _, key := range append(slices.Clone(keys), ofVictim...) {
				_, err := lake.GrantPermissions(s.ctx(), &lakeformation.GrantPermissionsInput{
					Principal:   &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(lakeAccount, lakemesh.MeshProducerRole(rivalAccount)))},
					Permissions: []lftypes.Permission{lftypes.PermissionAssociate}, Resource: &lftypes.Resource{LFTag: &lftypes.LFTagKeyResource{TagKey: aws.String(key), TagValues: []string{"*"}}}})
				errs = append(errs, err)
			}
			return errs
		},
	}
	for name, attempt := range attempts {
		for whose, begin := range made {
			t.Run(name+", where the shared keys are "+whose, func(t *testing.T) {
				t.Parallel()
				s := begin.play(t)
				for _, cfg := range []aws.Config{s.rivalInMesh(), s.hostileInMesh(), s.as(rivalAccount, lakemesh.ProducerRole)} {
					done := 0
					errs := attempt(s, lakeformation.NewFromConfig(cfg))
					for _, err := range errs {
						if err == nil {
							done++
						}
					}
					t.Logf("%d of %d calls did something", done, len(errs))
				}
				s.found("after the attack", "trade")
				s.check("publish again", s.publish(s.victim, ""))
				s.Table(victimAccount, rowSource, meshtest.CSV("returns", "s3://"+rowBucket+"/returns/"))
				s.check("publish one more", s.publish(s.victim, ""))
				s.found("after another publication", "trade")
				// And a name that it has not had yet.
				_, err := s.victim.CreateDataProducts(s.ctx(), producer.CreateDataProductsInput{SourceDatabaseName: rowSource, Domain: "logistics", DataProductName: "sales"})
				s.check("publish under another domain", err)
				s.found("after it was renamed", "logistics")
				s.check("the rival publishes", s.publish(s.rival, ""))
			})
		}
	}
}

// found checks that the victim's product is found by its own tags.
func (s *scene) found(when, domain string) {
	s.t.Helper()
	out, err := s.honest.ListProducts(s.ctx(), consumer.ListProductsInput{Domain: domain, DataProductName: "sales", DatabaseName: rowProduct})
	if err != nil {
		s.t.Errorf("%s: %v", when, err)
		return
	}
	var got []string
	for _, p := range out.Products {
		if p.Owner == victimAccount && p.Domain == domain && p.DataProductName == "sales" {
			got = append(got, p.TableName)
		}
	}
	for _, table := range []string{rowCustomers, rowOrders, rowOrdersEU} {
		if !slices.Contains(got, table) {
			s.t.Errorf("%s: found are %v, without %s", when, got, table)
		}
	}
}

// Somebody would be faster than the victim, and take the names of its keys: before the
// victim is a producer, and afterwards.
func TestNobodyTakesTheNamesOfAProducersTags(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const later = "333333333333"
	take := func() {
		t.Helper()
		for _, cfg := range []aws.Config{s.rivalInMesh(), s.hostileInMesh(), s.as(rivalAccount, lakemesh.ProducerRole)} {
			for _, key := range []string{"domain-" + later, "dataproduct-" + later, "any"} {
				_, err := lakeformation.NewFromConfig(cfg).CreateLFTag(s.ctx(), &lakeformation.CreateLFTagInput{CatalogId: aws.String(lakeAccount), TagKey: aws.String(key), TagValues: []string{"mine"}})
				if !awserr.Denied(err) {
					t.Errorf("make %s: %v, want AWS to deny it", key, err)
				}
			}
		}
	}
	take()
	s.AddProducer(later)
	take()
	s.Bucket(later, "late-data")
	s.Database(later, rowSource)
	s.Table(later, rowSource, meshtest.CSV(rowOrders, "s3://late-data/orders/"))
	p, err := producer.New(s.ctx(), s.Options(later))
	s.must(err)
	s.check("publish", s.publish(p, ""))
	out, err := s.honest.ListProducts(s.ctx(), consumer.ListProductsInput{DatabaseName: lakemesh.MeshDatabaseName(rowSource, later)})
	if err != nil || len(out.Products) != 1 || out.Products[0].TableName != rowOrders || out.Products[0].Owner != later || out.Products[0].Domain != "trade" || out.Products[0].DataProductName != "sales" {
		t.Errorf("its product is %+v, %v", out, err)
	}
}
