package adversary_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// condition is one condition of a statement of a role's policy, or of its trust policy.
type condition struct {
	role, document, sid string
	statement           int
	operator, key       string
}

// name is the condition without accounts.
func (c condition) name() string {
	role := c.role[strings.LastIndex(c.role, "/")+1:]
	for _, account := range []string{theOwner, theConsumer} {
		role = strings.TrimSuffix(role, "-"+account)
	}
	return strings.Join([]string{role, c.document, c.sid, c.operator, c.key}, " ")
}

// documentOf is the policy of a role, or its trust policy.
func (s *stage) documentOf(role, document string) (name string, d *iampolicy.Document, err error) {
	client := iam.NewFromConfig(s.Config(meshtest.Administrator(strings.Split(role, ":")[4])))
	short := aws.String(role[strings.LastIndex(role, "/")+1:])
	text := ""
	if document == "trust" {
		out, err := client.GetRole(s.ctx, &iam.GetRoleInput{RoleName: short})
		if err != nil {
			return "", nil, err
		}
		text = aws.ToString(out.Role.AssumeRolePolicyDocument)
	} else {
		listed, err := client.ListRolePolicies(s.ctx, &iam.ListRolePoliciesInput{RoleName: short})
		if err != nil {
			return "", nil, err
		}
		if len(listed.PolicyNames) != 1 {
			return "", nil, fmt.Errorf("%w: %s has policies %q", errStage, role, listed.PolicyNames)
		}
		name = listed.PolicyNames[0]
		out, err := client.GetRolePolicy(s.ctx, &iam.GetRolePolicyInput{RoleName: short, PolicyName: aws.String(name)})
		if err != nil {
			return "", nil, err
		}
		text = aws.ToString(out.PolicyDocument)
	}
	if text, err = url.PathUnescape(text); err != nil {
		return "", nil, err
	}
	d, err = iampolicy.Parse([]byte(text))
	return name, d, err
}

// conditions are all conditions of the roles of one producer, one consumer and the mesh.
func (s *stage) conditions() ([]condition, error) {
	var all []condition
	for _, role := range rolesOfTheMesh() {
		if strings.HasSuffix(role, otherOwner) || strings.HasSuffix(role, otherConsumer) || strings.HasSuffix(role, "/Admin") ||
			strings.Contains(role, ":"+otherOwner+":") || strings.Contains(role, ":"+otherConsumer+":") {
			continue
		}
		for _, document := range []string{"policy", "trust"} {
			_, d, err := s.documentOf(role, document)
			if err != nil {
				return nil, err
			}
			for n, st := range d.Statements {
				sid := st.SID
				if sid == "" {
					sid = fmt.Sprintf("statement %d", n)
				}
				for operator, keys := range st.Conditions {
					for key := range keys {
						all = append(all, condition{role, document, sid, n, operator, key})
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b condition) int { return strings.Compare(a.name(), b.name()) })
	return all, nil
}

// without takes a condition from its role, as an administrator of the account.
func (s *stage) without(c condition) error {
	name, d, err := s.documentOf(c.role, c.document)
	if err != nil {
		return err
	}
	st := &d.Statements[c.statement]
	st.Conditions = maps.Clone(st.Conditions)
	st.Conditions[c.operator] = maps.Clone(st.Conditions[c.operator])
	if delete(st.Conditions[c.operator], c.key); len(st.Conditions[c.operator]) == 0 {
		delete(st.Conditions, c.operator)
	}
	client := iam.NewFromConfig(s.Config(meshtest.Administrator(strings.Split(c.role, ":")[4])))
	role := aws.String(c.role[strings.LastIndex(c.role, "/")+1:])
	if c.document == "trust" {
		return errOfCall(client.UpdateAssumeRolePolicy(s.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: role, PolicyDocument: aws.String(d.String())}))
	}
	return errOfCall(client.PutRolePolicy(s.ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String(name), PolicyDocument: aws.String(d.String())}))
}

// looks are what a role sees of the records by an index that is not its own.
func (s *stage) looks(a party, role string) error {
	var wrong []error
	client := dynamodb.NewFromConfig(s.Config(role))
	for index, attribute := range map[string]string{lakemesh.OwnerIndex: "OwnerPrincipal", lakemesh.SubscriberIndex: "SubscriberPrincipal"} {
		for _, account := range []string{theOwner, theConsumer, otherOwner, otherConsumer} {
			_, err := client.Query(s.ctx, &dynamodb.QueryInput{TableName: aws.String(lakemesh.SubscriptionsTable), IndexName: aws.String(index),
				KeyConditionExpression: aws.String("#k = :v"), ExpressionAttributeNames: map[string]string{"#k": attribute},
				ExpressionAttributeValues: map[string]value{":v": text(account)}})
			if reached(err) && (account != a.account || (index == lakemesh.OwnerIndex) != a.produces) {
				wrong = append(wrong, fmt.Errorf("%s finds the records of %s by %s", role, account, index))
			}
		}
	}
	return errors.Join(wrong...)
}

// lets are the raw calls that a role's party gets through. What is refused changes
// nothing, so that a mesh serves until something is let through.
func (s *stage) lets(a party, role string) (map[string]bool, error) {
	tries, err := s.rawCalls(a, role)
	if err != nil {
		return nil, err
	}
	through := map[string]bool{}
	c, err := s.clone()
	if err != nil {
		return nil, err
	}
	for _, try := range tries {
		err := try.do(s.ctx, c.Config(role))
		_, forbidden := errors.AsType[*forbiddenCall](err)
		if forbidden || err == nil {
			through[try.name] = true
		}
		if forbidden || err == nil || errors.Is(err, errInPart) {
			if err := c.Close(); err != nil {
				return nil, err
			}
			if c, err = s.clone(); err != nil {
				return nil, err
			}
		}
	}
	return through, c.Close()
}

// notices is what the harness notices of a mesh in which a condition of a role is
// missing; nil is nothing.
func (s *stage) notices(a party, role string, before func() (map[string]bool, error), all records) (noticed, err error) {
	noticed = s.looks(a, role)
	// Two attributes an item are enough to see what a condition on attributes keeps.
	_, wrong := s.probe(a, role, all, rand.New(rand.NewPCG(1, 1)), map[string]bool{}, &figures{})
	noticed = errors.Join(noticed, wrong)
	if noticed != nil {
		return noticed, nil
	}
	was, err := before()
	if err != nil {
		return nil, err
	}
	now, err := s.lets(a, role)
	if err != nil {
		return nil, err
	}
	for name := range now {
		if !was[name] {
			noticed = errors.Join(noticed, fmt.Errorf("%s is let through", name))
		}
	}
	return noticed, nil
}

// elsewhere are the conditions that this harness cannot notice, with the test that
// does, or the reason why nothing on the local mesh can. admin's
// TestTheDocumentsOfAllRoles notices each of them by its text.
func elsewhere() map[string]string {
	const (
		keys    = "admin: TestEachConditionOnTheTablesIsNeeded; every call that the roles may make has a key and attributes here, so that only a call in which AWS shows none would pass"
		tags    = "admin: TestSessionTagsAndSourceIdentitiesGoAlongTheHops"
		fas     = "with aws:ViaAWSService nobody calls RAM but Lake Formation, which names shares and types itself: it counts where the mesh was initialized with direct calls of RAM"
		manager = "no party here acts as the mesh's administrator, who could do all of that in any case"
	)
	return map[string]string{
		" Null dynamodb:": keys,
		"trust statement 1 ForAllValues:StringEquals ":           tags,
		"ChangeSharesOfLakeFormation StringLike":                 fas,
		"CreateShares StringLikeIfExists":                        fas,
		"SetPermissionsOfShares ArnLike":                         fas,
		"EndSharesOfLakeFormation":                               manager,
		"DataMeshManager policy LetGlueShare":                    manager,
		"LetServicesLookAtShares Bool":                           "it reads alone: RAM shows the shares of the mesh account to its producers, as LookAtShares does",
		"iam:PassedToService":                                    "the roles that are passed trust Lake Formation and Glue, or Glue alone, and the roles may call no other service that takes one",
		"DataMeshAdminReadOnly trust statement 1 ArnLike":        "it lets sessions have tags, once the other statement lets them be",
		"DataMeshDataAccess trust":                               "admin: members_test.go, which looks for aws:SourceAccount, and the conformance tests of the local mesh's readings",
		"KeepBucketPolicies StringEquals":                        "the policy of a bucket of another account would have to name the role as well",
		"DataMeshAdminProducer trust":                            tags,
		"DataMeshAdminConsumer trust":                            tags,
		"DataMeshAdminConsumer policy FindOwnSubscriptions Null": keys,
	}
}

// conditionsInShort is how many conditions are removed in the short form.
const conditionsInShort = 2

// Removing any one condition of any role is noticed by the harness, or by what is named.
func TestEveryConditionOfEveryRoleIsNeeded(t *testing.T) {
	t.Parallel()
	seed := seedOfRun(t)
	t.Logf("LAKEMESH_SEED=%d", seed)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		// Both parties have something then.
		for _, m := range life()[:20] {
			if err := m.do(t, s); err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
		}
		if err := s.withAStranger(t); err != nil {
			t.Fatal(err)
		}
		all, err := s.scan()
		if err != nil {
			t.Fatal(err)
		}
		conditions, err := s.conditions()
		if err != nil {
			t.Fatal(err)
		}
		excused := elsewhere()
		for part := range excused {
			if !slices.ContainsFunc(conditions, func(c condition) bool { return strings.Contains(c.name(), part) }) {
				t.Errorf("no condition is like %q, which is excused", part)
			}
		}
		excuse := func(c condition) string {
			for part, reason := range excused {
				if strings.Contains(c.name(), part) {
					return reason
				}
			}
			return ""
		}
		some := rand.New(rand.NewPCG(seed, 7))
		some.Shuffle(len(conditions), func(i, j int) { conditions[i], conditions[j] = conditions[j], conditions[i] })
		before := map[string]map[string]bool{}
		full, err := s.clone()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(full.outside(), full.Close()); err != nil {
			t.Errorf("with all conditions: %v", err)
		}
		tried, byHarness := 0, 0
		for _, c := range conditions {
			if only := os.Getenv("LAKEMESH_ONLY"); only != "" && !strings.Contains(c.name(), only) {
				continue
			}
			var a party
			for _, p := range []party{{theOwner, true}, {theConsumer, false}} {
				if slices.Contains(p.roles(), c.role) {
					a = p
				}
			}
			reason := excuse(c)
			if reason != "" && !inLongForm() {
				continue
			}
			if tried++; !inLongForm() && tried > conditionsInShort {
				break
			}
			weaker, err := s.clone()
			if err != nil {
				t.Fatal(err)
			}
			if err := weaker.without(c); err != nil {
				t.Fatalf("%s: %v", c.name(), err)
			}
			noticed, err := weaker.outside(), error(nil)
			if noticed == nil && a != (party{}) && c.document != "trust" {
				noticed, err = weaker.notices(a, c.role, func() (map[string]bool, error) {
					if before[c.role] == nil {
						through, err := s.lets(a, c.role)
						if err != nil {
							return nil, err
						}
						before[c.role] = through
					}
					return before[c.role], nil
				}, all)
			}
			if err = errors.Join(err, weaker.Close()); err != nil {
				t.Fatalf("%s: %v", c.name(), err)
			}
			switch {
			case noticed == nil && reason == "":
				t.Errorf("nothing notices that %s is missing", c.name())
			case noticed != nil && reason != "":
				t.Errorf("%s is excused (%s), and it is noticed: %.300s", c.name(), reason, noticed)
			case noticed != nil:
				byHarness++
				t.Logf("%s: %.160s", c.name(), noticed)
			}
		}
		t.Logf("%d conditions, %d tried, %d noticed by the harness", len(conditions), tried, byHarness)
	})
}
