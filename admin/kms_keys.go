package admin

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// readUnderKeys is the name of the statement by which a data access role may decrypt.
const readUnderKeys = "ReadUnderKeys"

// keyARN is the ARN of one key. IAM's policies go by keys: an alias in a policy names
// nothing
// (https://docs.aws.amazon.com/kms/latest/developerguide/cmks-in-iam-policies.html).
var keyARN = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+$`)

func checkKeys(p lakemesh.Partition, keys []string) error {
	for _, key := range keys {
		if err := p.Check("KMSKeys", key); err != nil {
			return err
		}
		if !keyARN.MatchString(key) {
			return lakemesh.Invalid("KMSKeys", "%q is not the ARN of a key: %s. An alias is not enough: the key's ARN is what aws kms describe-key shows", key, p.ARN("kms", "<region>", "<account>", "key/<id>"))
		}
	}
	return nil
}

// checkOwnKeys checks keys whose policies an account's producer keeps.
func checkOwnKeys(p lakemesh.Partition, keys []string, account string) error {
	for _, key := range keys {
		if err := p.Check("KeyPolicies", key); err != nil {
			return err
		}
		if parts := strings.Split(key, ":"); !keyARN.MatchString(key) || parts[4] != account {
			return lakemesh.Invalid("KeyPolicies", "%q is not the ARN of a key of account %s: %s", key, account, p.ARN("kms", "<region>", account, "key/<id>"))
		}
	}
	return nil
}

// decryptStatement lets a role decrypt with these keys what it reads from S3, in the
// keys' regions, and with no other key and for no other service.
func decryptStatement(keys []string) iampolicy.Statement {
	services := map[string]bool{}
	for _, key := range keys {
		services[lakemesh.S3Service(keyARN.FindStringSubmatch(key)[1])] = true
	}
	return allow(readUnderKeys, []string{"kms:Decrypt"}, keys, iampolicy.Conditions{"StringEquals": {"kms:ViaService": slices.Sorted(maps.Keys(services))}})
}

// keysOf are the keys with which a data access role may decrypt, as its policy stands.
func keysOf(policy string) []string {
	d, err := iampolicy.Parse([]byte(policy))
	if err != nil {
		return nil
	}
	var keys []string
	for _, s := range d.Statements {
		if s.SID == readUnderKeys {
			keys = append(keys, slices.DeleteFunc(slices.Clone(s.Resources), func(key string) bool { return !keyARN.MatchString(key) })...)
		}
	}
	return union(keys)
}

// keyed is a data access role with the keys that its policy has now: who brings a role up
// to date without naming keys leaves them as they are.
func (a *Admin) keyed(want role, policy string) role {
	if account, ok := strings.CutPrefix(want.name, lakemesh.DataAccessRole("")); ok {
		want.policy = dataAccessPolicy(account, keysOf(policy))
	}
	return want
}

// sayKeyPolicies gives the statements that the policies of new keys need: a key lets
// nobody use it whom its own policy does not.
func sayKeyPolicies(p *plan.Plan, roleARN string, before, keys []string) {
	for _, key := range without(keys, before) {
		p.Warn("the policy of key %s has to let the role decrypt as well. Approving adds a statement where the producer keeps the key's policy (docs/kms.md); else the key's administrator adds the statement %s", key, storage.KeyStatement(roleARN, key))
	}
	for _, key := range without(before, keys) {
		p.Warn("data under key %s cannot be read any more by those whom it is shared with", key)
	}
}
