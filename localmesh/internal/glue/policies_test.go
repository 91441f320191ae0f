package glue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

const catalogARN = "arn:aws:glue:us-east-1:" + owner + ":"

func statement(effect, principal, action string, resources ...string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"%s","Principal":%s,"Action":"%s","Resource":["%s"]}]}`,
		effect, principal, action, strings.Join(resources, `","`))
}

func TestAResourcePolicyComesBackInGluesSpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	policy := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["glue:ShareResource"],
		"Principal": {"Service": ["ram.amazonaws.com"]}, "Resource": ["` + catalogARN + `catalog"]}}`
	out, err := c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy})
	w.must(err)
	got, err := c.GetResourcePolicy(w.ctx, &glue.GetResourcePolicyInput{})
	w.must(err)
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},` +
		`"Action":"glue:ShareResource","Resource":"` + catalogARN + `catalog"}]}`
	if *got.PolicyInJson != want {
		t.Errorf("got %s\nwant %s", *got.PolicyInJson, want)
	}
	again, err := c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &want, PolicyHashCondition: got.PolicyHash})
	w.must(err)
	if *again.PolicyHash != *out.PolicyHash {
		t.Error("two spellings of one policy have two hashes")
	}
}

func TestResourcePolicyIsACompareAndSwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	get := func() (*glue.GetResourcePolicyOutput, error) {
		return c.GetResourcePolicy(w.ctx, &glue.GetResourcePolicyInput{})
	}
	put := func(policy string, exist types.ExistCondition, hash *string) (*glue.PutResourcePolicyOutput, error) {
		return c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy, PolicyExistsCondition: exist, PolicyHashCondition: hash})
	}
	first := statement("Allow", `{"AWS":"`+guest+`"}`, "glue:GetTable", catalogARN+"catalog", catalogARN+"table/*/*")
	second := statement("Allow", `{"AWS":"`+guest+`"}`, "glue:GetTables", catalogARN+"catalog", catalogARN+"table/*/*")

	_, err := get()
	w.refused(err, "EntityNotFoundException")
	_, err = c.DeleteResourcePolicy(w.ctx, &glue.DeleteResourcePolicyInput{})
	w.refused(err, "EntityNotFoundException")
	_, err = put(first, types.ExistConditionMustExist, nil)
	w.refused(err, "ConditionCheckFailureException")
	_, err = put(first, "", aws.String("hash"))
	w.refused(err, "ConditionCheckFailureException")
	out, err := put(first, types.ExistConditionNotExist, nil)
	w.must(err)
	_, err = put(second, types.ExistConditionNotExist, nil)
	w.refused(err, "ConditionCheckFailureException")

	got, err := get()
	w.must(err)
	if *got.PolicyInJson != first || *got.PolicyHash != *out.PolicyHash || got.CreateTime == nil || got.UpdateTime == nil {
		t.Errorf("got %+v", got)
	}
	next, err := put(second, types.ExistConditionMustExist, out.PolicyHash)
	w.must(err)
	if *next.PolicyHash == *out.PolicyHash {
		t.Error("another policy has the same hash")
	}
	_, err = put(first, types.ExistConditionMustExist, out.PolicyHash)
	w.refused(err, "ConditionCheckFailureException")
	_, err = c.DeleteResourcePolicy(w.ctx, &glue.DeleteResourcePolicyInput{PolicyHashCondition: out.PolicyHash})
	w.refused(err, "ConditionCheckFailureException")

	all, err := c.GetResourcePolicies(w.ctx, &glue.GetResourcePoliciesInput{})
	w.must(err)
	if len(all.GetResourcePoliciesResponseList) != 1 || *all.GetResourcePoliciesResponseList[0].PolicyInJson != second {
		t.Errorf("got %+v", all)
	}
	_, err = c.DeleteResourcePolicy(w.ctx, &glue.DeleteResourcePolicyInput{PolicyHashCondition: next.PolicyHash})
	w.must(err)
	_, err = get()
	w.refused(err, "EntityNotFoundException")
}

func TestResourcePolicyRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	account := `{"AWS":"` + guest + `"}`
	good := statement("Allow", account, "glue:GetTable", catalogARN+"catalog")
	for what, test := range map[string]struct{ policy, code string }{
		"empty":                     {"", "ValidationException"},
		"no JSON":                   {"policy", "InvalidInputException"},
		"no statement":              {`{"Version":"2012-10-17","Statement":[]}`, "InvalidInputException"},
		"no principal":              {strings.Replace(good, `"Principal":`+account+`,`, "", 1), "InvalidInputException"},
		"wildcard principal":        {statement("Allow", `"*"`, "glue:GetTable", catalogARN+"catalog"), "InvalidInputException"},
		"wildcard AWS principal":    {statement("Allow", `{"AWS":["*"]}`, "glue:GetTable", catalogARN+"catalog"), "InvalidInputException"},
		"a role that is not there":  {statement("Allow", `{"AWS":"arn:aws:iam::`+guest+`:role/None"}`, "glue:GetTable", catalogARN+"catalog"), "InvalidInputException"},
		"a path that is not right":  {statement("Allow", `{"AWS":"arn:aws:iam::`+owner+`:role/path/Admin"}`, "glue:GetTable", catalogARN+"catalog"), "InvalidInputException"},
		"another service":           {statement("Allow", account, "s3:GetObject", catalogARN+"catalog"), "InvalidInputException"},
		"another account's catalog": {statement("Allow", account, "glue:GetTable", "arn:aws:glue:us-east-1:"+guest+":catalog"), "InvalidInputException"},
		"another region":            {statement("Allow", account, "glue:GetTable", "arn:aws:glue:eu-west-1:"+owner+":catalog"), "InvalidInputException"},
		"every resource":            {statement("Allow", account, "glue:GetTable", "*"), "InvalidInputException"},
		"too long":                  {strings.Replace(good, "glue:GetTable", "glue:GetTable"+strings.Repeat("e", 10240), 1), "ResourceNumberLimitExceededException"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &test.policy})
			(&world{TB: t}).refused(err, test.code)
		})
	}
	_, err := c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &good, ResourceArn: aws.String(catalogARN + "database/db")})
	w.refused(err, "InvalidInputException")
	longest := good[:len(good)-1] + strings.Repeat(" ", 10240-len(good)) + "}"
	for _, policy := range []string{
		good, longest,
		statement("Allow", `{"AWS":["arn:aws:iam::`+guest+`:root","`+adminARN(owner)+`"],"Service":"ram.amazonaws.com"}`, "glue:ShareResource", catalogARN+"table/*/*"),
	} {
		_, err := c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy})
		w.must(err)
	}
}

// The owner's resource policy and the guest's own policies must both allow.
func TestResourcePolicyOpensACatalogToAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	host, visitor := w.admin(owner), w.admin(guest)
	w.database(host, "db")
	w.table(host, "db", tableInput("t", col("day", "string")))
	w.must(addPartitions(w, host, "db", "t", "a"))
	w.closed(host, "shut")
	w.table(host, "shut", tableInput("t"))
	get := func(c *glue.Client, db string) error {
		_, err := c.GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: &db, Name: aws.String("t")})
		return err
	}
	put := func(policy string) {
		t.Helper()
		_, err := host.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy})
		w.must(err)
	}
	w.refused(get(visitor, "db"), "AccessDeniedException")
	w.refused(get(visitor, "no"), "AccessDeniedException")
	_, err := visitor.GetDatabases(w.ctx, &glue.GetDatabasesInput{CatalogId: aws.String(owner)})
	w.refused(err, "AccessDeniedException")
	_, err = visitor.GetTables(w.ctx, &glue.GetTablesInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db")})
	w.refused(err, "AccessDeniedException")

	put(statement("Allow", `{"AWS":"`+guest+`"}`, "glue:Get*", catalogARN+"catalog", catalogARN+"database/*", catalogARN+"table/*/*"))
	w.must(get(visitor, "db"))
	parts, err := visitor.GetPartitions(w.ctx, &glue.GetPartitionsInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), TableName: aws.String("t")})
	w.must(err)
	if len(parts.Partitions) != 1 {
		t.Errorf("%d partitions", len(parts.Partitions))
	}
	_, err = visitor.DeleteTable(w.ctx, &glue.DeleteTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), Name: aws.String("t")})
	w.refused(err, "AccessDeniedException")
	// Lake Formation keeps what it was not left to IAM.
	w.refused(get(visitor, "shut"), "AccessDeniedException")
	// The guest's own policies count too.
	w.refused(get(w.as(w.user(guest, "Poor", []string{"s3:*"}, []string{"*"})), "db"), "AccessDeniedException")
	// A link of the guest's shows the table.
	w.database(visitor, "mine")
	w.tableLink(visitor, "mine", "link", to(owner, "db", "t"))
	if w.getTable(visitor, "mine", "link").StorageDescriptor == nil {
		t.Error("the link does not show the table")
	}

	put(statement("Allow", `{"AWS":"`+adminARN(guest)+`"}`, "glue:GetTable", catalogARN+"catalog", catalogARN+"database/other", catalogARN+"table/*/*"))
	w.refused(get(visitor, "db"), "AccessDeniedException")
	if w.getTable(visitor, "mine", "link").StorageDescriptor != nil {
		t.Error("the link still shows the table")
	}
}

func TestResourcePolicyDeniesItsOwnAccountToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	policy := statement("Deny", `{"AWS":"`+adminARN(owner)+`"}`, "glue:DeleteDatabase", catalogARN+"database/db")
	_, err := c.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy})
	w.must(err)
	_, err = c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("db")})
	w.refused(err, "AccessDeniedException")
}
