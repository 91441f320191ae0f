package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// producerPolicy is what DataMeshProducer may do in its own account: read what it
// offers, link to what it published, open its buckets to the mesh's role. It is a
// data lake administrator of its own account only.
func producerPolicy(p lakemesh.Partition, mesh, producer, crawlerRole string, buckets, keys []string) iampolicy.Document {
	statements := []iampolicy.Statement{
		assume("ActInTheMesh", p.RoleARN(mesh, lakemesh.MeshProducerRole(producer))),
		// The command line lists databases to complete their names.
		allow("ReadCatalogs", []string{"glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:GetPartitions",
			"glue:BatchGetPartition"},
			append(catalogARNs(p, producer), catalogARNs(p, mesh)...), nil),
		allow("LinkAndMigrate", []string{"glue:CreateDatabase", "glue:CreateTable", "glue:DeleteTable", "glue:BatchDeleteTable", "glue:TagResource",
			// Tables that were migrated are made again with their partitions.
			"glue:BatchCreatePartition"},
			catalogARNs(p, producer), nil),
		// Of databases those of links alone, as they are named unless somebody says otherwise.
		allow("Unlink", []string{"glue:DeleteDatabase"}, []string{p.CatalogARN("*", producer), p.ARN("glue", "*", producer, "*/*-"+producer+"*")}, nil),
		allow("LakeFormation", append(grantActions(), "lakeformation:ListLFTags", "lakeformation:GetResourceLFTags"), anything, nil),
		bucketStatement(p, producer, buckets),
		// Whoever unpublishes looks whether there is a crawler; only with a crawler's role there is.
		allow("LookAtCrawlers", []string{"glue:GetCrawler"}, []string{crawlerARNs(p, producer)}, nil),
		// To say whether the key that a bucket encrypts with lets the mesh's role decrypt: which
		// key is behind an alias, whether it can be used, and what its policy says.
		allow("LookAtKeyPolicies", []string{"kms:DescribeKey", "kms:GetKeyPolicy"}, []string{p.ARN("kms", "*", producer, "key/*")}, nil),
	}
	if len(keys) > 0 {
		statements = append(statements,
			// Whether the condition's key is there in a request that waives nothing is not documented.
			allow("KeepKeyPolicies", []string{"kms:PutKeyPolicy"}, keys, iampolicy.Conditions{"BoolIfExists": {"kms:BypassPolicyLockoutSafetyCheck": {"false"}}}),
			// To say before a decision whether it can write them.
			allow("LookAtItself", []string{"iam:SimulatePrincipalPolicy"}, []string{p.RoleARN(producer, lakemesh.ProducerRole)}, nil),
		)
	}
	statements = append(statements, acceptShares(mesh, "ram:GetResourceShares")...)
	if crawlerRole != "" {
		statements = append(statements,
			// Those alone that are named as the mesh names them.
			allow("Crawl", []string{"glue:CreateCrawler", "glue:UpdateCrawler", "glue:DeleteCrawler"}, []string{crawlerARNs(p, producer)}, nil),
			allow("CrawlWithRole", []string{"iam:PassRole"}, []string{crawlerRole},
				iampolicy.Conditions{"StringEquals": {"iam:PassedToService": {"glue.amazonaws.com"}}}),
			// To say at publication what the crawler will not be allowed.
			allow("LookAtCrawlersRole", []string{"iam:SimulatePrincipalPolicy"}, []string{crawlerRole}, nil),
		)
	}
	return iampolicy.New(statements...)
}

// crawlerARNs are the crawlers of an account that lakemesh makes.
func crawlerARNs(p lakemesh.Partition, account string) string {
	return p.ARN("glue", "*", account, "crawler/lakemesh-*")
}

// bucketStatement lets a role keep the policies of the buckets that were named,
// else of all buckets of its account.
func bucketStatement(p lakemesh.Partition, account string, buckets []string) iampolicy.Statement {
	// How a bucket encrypts is looked at: data under a key that the mesh's role may not use
	// cannot be read.
	actions := []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetEncryptionConfiguration"}
	resources := []string{p.BucketARN("*")}
	if len(buckets) > 0 {
		resources = make([]string, len(buckets))
		for i, b := range buckets {
			resources[i] = p.BucketARN(b)
		}
	}
	return allow("KeepBucketPolicies", actions, resources, iampolicy.Conditions{"StringEquals": {"aws:ResourceAccount": {account}}})
}
