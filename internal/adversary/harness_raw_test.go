package adversary_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// errOfCall is the error of a call whose output does not matter.
func errOfCall(_ any, err error) error { return err }

var errInPart = errors.New("refused in part")

// rawCalls are the calls of Lake Formation, RAM, Glue, S3, STS and IAM that a party
// tries with a role, on what there is.
func (s *stage) rawCalls(a party, role string) ([]attempt, error) {
	var list []attempt
	add := func(name string, do func(context.Context, aws.Config) error) {
		list = append(list, attempt{role: role, name: "raw " + name, do: do})
	}
	for _, owner := range []string{theOwner, otherOwner} {
		s.onGrants(owner, add)
		s.onCatalog(owner, add)
		s.onBucket(owner, add)
	}
	s.onTags(add)
	s.onSettings(a, add)
	s.onIAM(a, role, add)
	return list, s.onShares(a, add)
}

type adder = func(name string, do func(context.Context, aws.Config) error)

// onGrants grants and revokes on an owner's product.
func (s *stage) onGrants(owner string, add adder) {
	product, mesh := productOf(owner), aws.String(inMesh)
	resources := map[string]*lftypes.Resource{
		"the database":      {Database: &lftypes.DatabaseResource{CatalogId: mesh, Name: aws.String(product)}},
		"all tables":        {Table: &lftypes.TableResource{CatalogId: mesh, DatabaseName: aws.String(product), TableWildcard: &lftypes.TableWildcard{}}},
		"the mesh":          {Catalog: &lftypes.CatalogResource{}},
		"the location":      {DataLocation: &lftypes.DataLocationResource{CatalogId: mesh, ResourceArn: aws.String("arn:aws:s3:::" + bucketOf(owner))}},
		"tables of the tag": {LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: mesh, ResourceType: lftypes.ResourceTypeTable, Expression: []lftypes.LFTag{{TagKey: aws.String("domain"), TagValues: []string{theDomain}}}}},
	}
	for _, table := range s.model.tables[product] {
		resources["table "+table] = &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: mesh, DatabaseName: aws.String(product), Name: aws.String(table)}}
		resources["columns of "+table] = &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{CatalogId: mesh, DatabaseName: aws.String(product), Name: aws.String(table), ColumnNames: []string{"id"}}}
	}
	principals := []string{theConsumer, otherConsumer, lakemesh.RoleARN(inMesh, lakemesh.MeshProducerRole(theOwner)), lakemesh.RoleARN(inMesh, lakemesh.MeshProducerRole(otherOwner)),
		lakemesh.RoleARN(inMesh, lakemesh.MeshConsumerRole(theConsumer)), lakemesh.RoleARN(inMesh, lakemesh.ReadOnlyRole), "IAM_ALLOWED_PRINCIPALS",
		lakemesh.RoleARN(theConsumer, lakemesh.ConsumerRole), meshtest.Administrator(theConsumer)}
	for what, resource := range resources {
		// What there is not for an object is refused whoever asks.
		wanted := []lftypes.Permission{lftypes.PermissionAll, lftypes.PermissionDescribe, lftypes.PermissionSelect}
		switch {
		case what == "the location":
			wanted = []lftypes.Permission{lftypes.PermissionDataLocationAccess}
		case what == "the mesh":
			wanted = []lftypes.Permission{lftypes.PermissionCreateDatabase}
		case what == "the database":
			wanted = []lftypes.Permission{lftypes.PermissionAll, lftypes.PermissionDescribe, lftypes.PermissionCreateTable}
		case resource.TableWithColumns != nil:
			wanted = []lftypes.Permission{lftypes.PermissionSelect}
		}
		for _, principal := range principals {
			who := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}
			for _, permission := range wanted {
				name := fmt.Sprintf("%s on %s of %s, of %s", permission, what, product, principal)
				for _, option := range [][]lftypes.Permission{nil, {permission}} {
					add(fmt.Sprintf("grant %s %v", name, option), func(ctx context.Context, cfg aws.Config) error {
						return errOfCall(lakeformation.NewFromConfig(cfg).GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{CatalogId: mesh, Principal: who, Resource: resource,
							Permissions: []lftypes.Permission{permission}, PermissionsWithGrantOption: option}))
					})
					add(fmt.Sprintf("revoke %s %v", name, option), func(ctx context.Context, cfg aws.Config) error {
						return errOfCall(lakeformation.NewFromConfig(cfg).RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{CatalogId: mesh, Principal: who, Resource: resource,
							Permissions: []lftypes.Permission{permission}, PermissionsWithGrantOption: option}))
					})
				}
				entry := []lftypes.BatchPermissionsRequestEntry{{Id: aws.String("1"), Principal: who, Resource: resource, Permissions: []lftypes.Permission{permission}}}
				add("grant in a batch "+name, func(ctx context.Context, cfg aws.Config) error {
					out, err := lakeformation.NewFromConfig(cfg).BatchGrantPermissions(ctx, &lakeformation.BatchGrantPermissionsInput{CatalogId: mesh, Entries: entry})
					if err == nil && len(out.Failures) > 0 {
						err = errInPart
					}
					return err
				})
				add("revoke in a batch "+name, func(ctx context.Context, cfg aws.Config) error {
					out, err := lakeformation.NewFromConfig(cfg).BatchRevokePermissions(ctx, &lakeformation.BatchRevokePermissionsInput{CatalogId: mesh, Entries: entry})
					if err == nil && len(out.Failures) > 0 {
						err = errInPart
					}
					return err
				})
			}
		}
	}
}

// onCatalog changes an owner's product in the mesh's catalog, and what it has at home.
func (s *stage) onCatalog(owner string, add adder) {
	product := productOf(owner)
	source := strings.TrimSuffix(product, "-"+owner)
	for _, in := range []struct{ catalog, database string }{{inMesh, product}, {owner, source}, {inMesh, "squatted-" + owner}} {
		catalog, database := aws.String(in.catalog), aws.String(in.database)
		name := in.catalog + "/" + in.database
		call := func(what string, do func(context.Context, *glue.Client) error) {
			add(what+" "+name, func(ctx context.Context, cfg aws.Config) error { return do(ctx, glue.NewFromConfig(cfg)) })
		}
		call("create database", func(ctx context.Context, c *glue.Client) error {
			return errOfCall(c.CreateDatabase(ctx, &glue.CreateDatabaseInput{CatalogId: catalog, DatabaseInput: &gluetypes.DatabaseInput{Name: database}}))
		})
		call("update database", func(ctx context.Context, c *glue.Client) error {
			return errOfCall(c.UpdateDatabase(ctx, &glue.UpdateDatabaseInput{CatalogId: catalog, Name: database, DatabaseInput: &gluetypes.DatabaseInput{Name: database, Description: aws.String("x")}}))
		})
		call("delete database", func(ctx context.Context, c *glue.Client) error {
			return errOfCall(c.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{CatalogId: catalog, Name: database}))
		})
		for _, table := range append([]string{laterTable, latestTable, "mine"}, s.model.tables[product]...) {
			input := meshtest.CSV(table, "s3://"+rivalBucket+"/elsewhere/")
			call("create table "+table+" in", func(ctx context.Context, c *glue.Client) error {
				return errOfCall(c.CreateTable(ctx, &glue.CreateTableInput{CatalogId: catalog, DatabaseName: database, TableInput: input}))
			})
			call("update table "+table+" in", func(ctx context.Context, c *glue.Client) error {
				return errOfCall(c.UpdateTable(ctx, &glue.UpdateTableInput{CatalogId: catalog, DatabaseName: database, TableInput: input}))
			})
			call("delete table "+table+" in", func(ctx context.Context, c *glue.Client) error {
				return errOfCall(c.DeleteTable(ctx, &glue.DeleteTableInput{CatalogId: catalog, DatabaseName: database, Name: aws.String(table)}))
			})
			call("delete tables "+table+" in", func(ctx context.Context, c *glue.Client) error {
				out, err := c.BatchDeleteTable(ctx, &glue.BatchDeleteTableInput{CatalogId: catalog, DatabaseName: database, TablesToDelete: []string{table}})
				if err == nil && len(out.Errors) > 0 {
					err = errInPart
				}
				return err
			})
			call("create partitions of "+table+" in", func(ctx context.Context, c *glue.Client) error {
				out, err := c.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{CatalogId: catalog, DatabaseName: database, TableName: aws.String(table),
					PartitionInputList: []gluetypes.PartitionInput{{Values: []string{"x"}, StorageDescriptor: input.StorageDescriptor}}})
				if err == nil && len(out.Errors) > 0 {
					err = errInPart
				}
				return err
			})
		}
	}
	const region = localmesh.DefaultRegion
	for _, account := range []string{inMesh, owner} {
		policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"glue:*","Resource":["arn:aws:glue:%s:%s:catalog"]}]}`, theConsumer, region, account)
		add("put the catalog's policy of "+account, func(ctx context.Context, cfg aws.Config) error {
			return errOfCall(glue.NewFromConfig(cfg).PutResourcePolicy(ctx, &glue.PutResourcePolicyInput{PolicyInJson: aws.String(policy), EnableHybrid: gluetypes.EnableHybridValuesTrue,
				ResourceArn: aws.String(lakemesh.CatalogARN(region, account))}))
		})
	}
	add("delete the catalog's policy", func(ctx context.Context, cfg aws.Config) error {
		return errOfCall(glue.NewFromConfig(cfg).DeleteResourcePolicy(ctx, &glue.DeleteResourcePolicyInput{}))
	})
}

// onBucket changes an owner's bucket and the locations in it.
func (s *stage) onBucket(owner string, add adder) {
	bucket := bucketOf(owner)
	client := identity.S3
	open := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::%s/*"]}]}`, bucket)
	add("put the policy of "+bucket, func(ctx context.Context, cfg aws.Config) error {
		return errOfCall(client(cfg).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: aws.String(open)}))
	})
	add("delete the policy of "+bucket, func(ctx context.Context, cfg aws.Config) error {
		return errOfCall(client(cfg).DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(bucket)}))
	})
	for _, key := range []string{"orders/rows.csv", tableOfTheRival + "/rows.csv"} {
		add("put object "+key+" of "+bucket, func(ctx context.Context, cfg aws.Config) error {
			return errOfCall(client(cfg).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader([]byte("x"))}))
		})
		add("delete object "+key+" of "+bucket, func(ctx context.Context, cfg aws.Config) error {
			return errOfCall(client(cfg).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}))
		})
	}
	add("delete bucket "+bucket, func(ctx context.Context, cfg aws.Config) error {
		return errOfCall(client(cfg).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(bucket)}))
	})
	for _, at := range []string{"", "/orders/", "/orders", "/" + latestTable, "/" + latestTable + "/", "/" + tableOfTheRival, "/orders/deeper"} {
		arn := aws.String("arn:aws:s3:::" + bucket + at)
		for _, of := range []string{theOwner, otherOwner} {
			with := aws.String(lakemesh.RoleARN(inMesh, lakemesh.DataAccessRole(of)))
			name := fmt.Sprintf("location %s with the role of %s", *arn, of)
			add("register "+name, func(ctx context.Context, cfg aws.Config) error {
				return errOfCall(lakeformation.NewFromConfig(cfg).RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: arn, RoleArn: with}))
			})
			add("register with privileges "+name, func(ctx context.Context, cfg aws.Config) error {
				return errOfCall(lakeformation.NewFromConfig(cfg).RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: arn, RoleArn: with, WithPrivilegedAccess: true}))
			})
			add("update "+name, func(ctx context.Context, cfg aws.Config) error {
				return errOfCall(lakeformation.NewFromConfig(cfg).UpdateResource(ctx, &lakeformation.UpdateResourceInput{ResourceArn: arn, RoleArn: with}))
			})
		}
		add("deregister location "+*arn, func(ctx context.Context, cfg aws.Config) error {
			return errOfCall(lakeformation.NewFromConfig(cfg).DeregisterResource(ctx, &lakeformation.DeregisterResourceInput{ResourceArn: arn}))
		})
	}
}

// onTags makes, changes and assigns LF-tags.
func (s *stage) onTags(add adder) {
	for _, key := range []string{"domain", "dataproduct", "domain-" + theOwner, "dataproduct-" + theOwner, "domain-" + otherOwner, "mine"} {
		call := func(what string, do func(context.Context, *lakeformation.Client) error) {
			add(what+" "+key, func(ctx context.Context, cfg aws.Config) error { return do(ctx, lakeformation.NewFromConfig(cfg)) })
		}
		call("create tag", func(ctx context.Context, c *lakeformation.Client) error {
			return errOfCall(c.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{CatalogId: aws.String(inMesh), TagKey: aws.String(key), TagValues: []string{"x"}}))
		})
		call("delete tag", func(ctx context.Context, c *lakeformation.Client) error {
			return errOfCall(c.DeleteLFTag(ctx, &lakeformation.DeleteLFTagInput{CatalogId: aws.String(inMesh), TagKey: aws.String(key)}))
		})
		call("add a value to tag", func(ctx context.Context, c *lakeformation.Client) error {
			return errOfCall(c.UpdateLFTag(ctx, &lakeformation.UpdateLFTagInput{CatalogId: aws.String(inMesh), TagKey: aws.String(key), TagValuesToAdd: []string{"y"}}))
		})
		// A value that a resource has is taken by nobody.
		call("change a value of tag", func(ctx context.Context, c *lakeformation.Client) error {
			if _, err := c.UpdateLFTag(ctx, &lakeformation.UpdateLFTagInput{CatalogId: aws.String(inMesh), TagKey: aws.String(key), TagValuesToAdd: []string{"z"}}); err != nil {
				return err
			}
			return errOfCall(c.UpdateLFTag(ctx, &lakeformation.UpdateLFTagInput{CatalogId: aws.String(inMesh), TagKey: aws.String(key), TagValuesToDelete: []string{"z"}}))
		})
		for _, owner := range []string{theOwner, otherOwner} {
			product := productOf(owner)
			for _, table := range s.model.tables[product] {
				on := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(inMesh), DatabaseName: aws.String(product), Name: aws.String(table)}}
				pair := []lftypes.LFTagPair{{CatalogId: aws.String(inMesh), TagKey: aws.String(key), TagValues: []string{theDomain}}}
				call("assign to "+product+"."+table+" tag", func(ctx context.Context, c *lakeformation.Client) error {
					out, err := c.AddLFTagsToResource(ctx, &lakeformation.AddLFTagsToResourceInput{CatalogId: aws.String(inMesh), Resource: on, LFTags: pair})
					if err == nil && len(out.Failures) > 0 {
						err = errInPart
					}
					return err
				})
				call("take from "+product+"."+table+" tag", func(ctx context.Context, c *lakeformation.Client) error {
					out, err := c.RemoveLFTagsFromResource(ctx, &lakeformation.RemoveLFTagsFromResourceInput{CatalogId: aws.String(inMesh), Resource: on, LFTags: pair})
					if err == nil && len(out.Failures) > 0 {
						err = errInPart
					}
					return err
				})
			}
		}
	}
}

// onSettings changes who administers the mesh's data lake, and makes filters.
func (s *stage) onSettings(a party, add adder) {
	add("put the settings", func(ctx context.Context, cfg aws.Config) error {
		var admins []lftypes.DataLakePrincipal
		// Roles of the account alone can be its administrators.
		for _, role := range a.roles()[:1] {
			admins = append(admins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(role)})
		}
		return errOfCall(lakeformation.NewFromConfig(cfg).PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{CatalogId: aws.String(inMesh), DataLakeSettings: &lftypes.DataLakeSettings{DataLakeAdmins: admins}}))
	})
	for _, owner := range []string{theOwner, otherOwner} {
		for _, table := range s.model.tables[productOf(owner)] {
			add("make a filter of "+productOf(owner)+"."+table, func(ctx context.Context, cfg aws.Config) error {
				return errOfCall(lakeformation.NewFromConfig(cfg).CreateDataCellsFilter(ctx, &lakeformation.CreateDataCellsFilterInput{TableData: &lftypes.DataCellsFilter{TableCatalogId: aws.String(inMesh),
					DatabaseName: aws.String(productOf(owner)), TableName: aws.String(table), Name: aws.String("f"), ColumnNames: []string{"id"}, RowFilter: &lftypes.RowFilter{FilterExpression: aws.String("TRUE")}}}))
			})
		}
	}
}

// onShares changes shares and answers invitations.
func (s *stage) onShares(a party, add adder) error {
	out, err := ram.NewFromConfig(s.Config(meshtest.Administrator(inMesh))).GetResourceShares(s.ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
	if err != nil {
		return err
	}
	call := func(name string, do func(context.Context, *ram.Client) error) {
		add(name, func(ctx context.Context, cfg aws.Config) error { return do(ctx, ram.NewFromConfig(cfg)) })
	}
	for _, share := range out.ResourceShares {
		arn, name := share.ResourceShareArn, aws.ToString(share.Name)
		call("delete share "+name, func(ctx context.Context, c *ram.Client) error {
			return errOfCall(c.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: arn}))
		})
		call("update share "+name, func(ctx context.Context, c *ram.Client) error {
			return errOfCall(c.UpdateResourceShare(ctx, &ram.UpdateResourceShareInput{ResourceShareArn: arn, Name: aws.String("LakeFormation-mine")}))
		})
		for _, account := range []string{theConsumer, otherConsumer} {
			call("associate "+account+" with share "+name, func(ctx context.Context, c *ram.Client) error {
				return errOfCall(c.AssociateResourceShare(ctx, &ram.AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{account}}))
			})
			call("disassociate "+account+" from share "+name, func(ctx context.Context, c *ram.Client) error {
				return errOfCall(c.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: arn, Principals: []string{account}}))
			})
		}
		for _, owner := range []string{theOwner, otherOwner} {
			for _, table := range s.model.tables[productOf(owner)] {
				resource := []string{lakemesh.TableARN(localmesh.DefaultRegion, inMesh, productOf(owner), table)}
				call("associate "+resource[0]+" with share "+name, func(ctx context.Context, c *ram.Client) error {
					return errOfCall(c.AssociateResourceShare(ctx, &ram.AssociateResourceShareInput{ResourceShareArn: arn, ResourceArns: resource}))
				})
				call("disassociate "+resource[0]+" from share "+name, func(ctx context.Context, c *ram.Client) error {
					return errOfCall(c.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: resource}))
				})
			}
		}
		call("change the permission of share "+name, func(ctx context.Context, c *ram.Client) error {
			return errOfCall(c.AssociateResourceSharePermission(ctx, &ram.AssociateResourceSharePermissionInput{ResourceShareArn: arn, Replace: aws.Bool(true),
				PermissionArn: aws.String("arn:aws:ram::aws:permission/AWSRAMLFEnabledGlueDatabaseReadWrite")}))
		})
	}
	call("make a share", func(ctx context.Context, c *ram.Client) error {
		return errOfCall(c.CreateResourceShare(ctx, &ram.CreateResourceShareInput{Name: aws.String("LakeFormation-mine"), AllowExternalPrincipals: aws.Bool(true), Principals: []string{a.account},
			ResourceArns: []string{lakemesh.TableARN(localmesh.DefaultRegion, inMesh, theProduct, "orders"), lakemesh.DatabaseARN(localmesh.DefaultRegion, inMesh, theProduct), lakemesh.CatalogARN(localmesh.DefaultRegion, inMesh)}}))
	})
	for _, account := range []string{theConsumer, otherConsumer, theOwner, otherOwner} {
		got, err := ram.NewFromConfig(s.Config(meshtest.Administrator(account))).GetResourceShareInvitations(s.ctx, &ram.GetResourceShareInvitationsInput{})
		if err != nil {
			return err
		}
		for _, invitation := range got.ResourceShareInvitations {
			arn, from := invitation.ResourceShareInvitationArn, aws.ToString(invitation.SenderAccountId)
			call("accept the invitation of "+account+" from "+from, func(ctx context.Context, c *ram.Client) error {
				return errOfCall(c.AcceptResourceShareInvitation(ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: arn}))
			})
			call("reject the invitation of "+account+" from "+from, func(ctx context.Context, c *ram.Client) error {
				return errOfCall(c.RejectResourceShareInvitation(ctx, &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: arn}))
			})
		}
	}
	return nil
}

// onIAM goes to other roles, and changes roles.
func (s *stage) onIAM(a party, role string, add adder) {
	for _, to := range rolesOfTheMesh() {
		add("assume "+to, func(ctx context.Context, cfg aws.Config) error {
			err := errOfCall(sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(to), RoleSessionName: aws.String("someone")}))
			if err == nil && !mayAssume(a, role, to) {
				return &forbiddenCall{"S4: it opened " + to}
			}
			return errors.Join(err, errHarmless)
		})
		name := to[strings.LastIndex(to, "/")+1:]
		add("rewrite the policy of "+to, func(ctx context.Context, cfg aws.Config) error {
			return errOfCall(iam.NewFromConfig(cfg).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("x"),
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}))
		})
		add("rewrite the trust of "+to, func(ctx context.Context, cfg aws.Config) error {
			return errOfCall(iam.NewFromConfig(cfg).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(name),
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + a.account + `"},"Action":"sts:AssumeRole"}]}`)}))
		})
	}
}

// errHarmless says that a call changed nothing.
var errHarmless = errors.New("it changes nothing")

// forbiddenCall is a call that should not have been let through, whatever becomes of it.
type forbiddenCall struct{ what string }

func (f *forbiddenCall) Error() string { return f.what }

// rolesOfTheMesh are all roles that admin made.
func rolesOfTheMesh() []string {
	all := []string{lakemesh.RoleARN(inMesh, lakemesh.ManagerRole), lakemesh.RoleARN(inMesh, lakemesh.ReadOnlyRole), meshtest.Administrator(inMesh)}
	for _, account := range []string{theOwner, otherOwner} {
		all = append(all, lakemesh.RoleARN(inMesh, lakemesh.MeshProducerRole(account)), lakemesh.RoleARN(inMesh, lakemesh.DataAccessRole(account)),
			lakemesh.RoleARN(account, lakemesh.ProducerRole), meshtest.Administrator(account))
	}
	for _, account := range []string{theConsumer, otherConsumer} {
		all = append(all, lakemesh.RoleARN(inMesh, lakemesh.MeshConsumerRole(account)), lakemesh.RoleARN(account, lakemesh.ConsumerRole), meshtest.Administrator(account))
	}
	return all
}

// mayAssume reports whether a role of a party may open another one: the one of its
// account opens the one in the mesh, and that one the read-only role.
func mayAssume(a party, role, to string) bool {
	roles := a.roles()
	return role == roles[1] && to == roles[0] || role == roles[0] && to == lakemesh.RoleARN(inMesh, lakemesh.ReadOnlyRole)
}
