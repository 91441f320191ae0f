package adversary_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// figures are what a run of the harness did.
type figures struct {
	mu                                                 sync.Mutex
	called, probed, denied, written, refused, followed int
}

func (f *figures) add(counter *int, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*counter += n
}

func (f *figures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%d writes probed and %d raw calls made, %d of them denied by IAM; %d writes and calls tried on a mesh of their own, %d refused; %d continuations checked", f.probed, f.called, f.denied, f.written, f.refused, f.followed)
}

// through are the raw calls that are let through, one of a class. The refused ones are
// made on one mesh after the other: they change nothing, which is checked.
func (s *stage) through(tries []attempt, done map[string]bool, f *figures) (let []attempt, err error) {
	before, err := s.held()
	if err != nil {
		return nil, err
	}
	var scratch *stage
	var wrong []error
	// end checks a mesh on which all was refused, and leaves it.
	end := func(clean bool) error {
		if scratch == nil {
			return nil
		}
		c := scratch
		scratch = nil
		var failed error
		if clean {
			failed = c.isAs(s, before)
		}
		return errors.Join(failed, c.Close())
	}
	lake := s.digest(before)
	for _, try := range tries {
		denied, refused := "denied "+try.role+try.name, "refused "+try.role+try.name+lake
		if done[denied] || done[refused] {
			continue
		}
		if scratch == nil {
			if scratch, err = s.clone(); err != nil {
				return nil, err
			}
		}
		f.add(&f.called, 1)
		err := try.do(s.ctx, scratch.Config(try.role))
		if _, ok := errors.AsType[*forbiddenCall](err); !ok && err != nil {
			f.add(&f.refused, 1)
			done[refused] = true
			if byIdentity(err) {
				f.add(&f.denied, 1)
				done[denied] = true
			}
			if errors.Is(err, errInPart) {
				// Of a batch, another entry may have been let through.
				wrong = append(wrong, end(false))
			}
			continue
		} else if ok {
			let = append(let, try)
			wrong = append(wrong, end(false))
			continue
		}
		after, err := scratch.held()
		if err = errors.Join(err, end(false)); err != nil {
			return nil, err
		}
		class := s.effect(try, before, after)
		if class != "" && done[class] {
			continue
		}
		if class != "" {
			done[class] = true
			let = append(let, try)
		}
	}
	wrong = append(wrong, end(true))
	return let, errors.Join(wrong...)
}

// digest stands for what is published, and for what is held on it.
func (s *stage) digest(held map[string]string) string {
	// Maps are printed in the order of their keys.
	return fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(held, s.model.tables))))
}

// isAs checks that what refused calls could have changed is as in the stage of which
// this one is a clone.
func (s *stage) isAs(original *stage, held map[string]string) error {
	now, err := s.held()
	if err != nil {
		return err
	}
	if diff := cmp.Diff(held, now); diff != "" {
		return fmt.Errorf("%w: %s", errChanged, diff)
	}
	for _, owner := range []string{theOwner, otherOwner} {
		was, err := original.bucketPolicy(owner)
		if err != nil {
			return err
		}
		is, err := s.bucketPolicy(owner)
		if err != nil {
			return err
		}
		if was != is {
			return fmt.Errorf("%w: the policy of the bucket of %s is %s, and was %s", errChanged, owner, is, was)
		}
	}
	return nil
}

// policiesOf are the inline policies of a role.
func (s *stage) policiesOf(role string) ([]iampolicy.Document, error) {
	parts := strings.Split(role, ":")
	name := role[strings.LastIndex(role, "/")+1:]
	client := iam.NewFromConfig(s.Config(meshtest.Administrator(parts[4])))
	listed, err := client.ListRolePolicies(s.ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(name)})
	if err != nil {
		return nil, err
	}
	var all []iampolicy.Document
	for _, policy := range listed.PolicyNames {
		got, err := client.GetRolePolicy(s.ctx, &iam.GetRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(policy)})
		if err != nil {
			return nil, err
		}
		document, err := url.PathUnescape(aws.ToString(got.PolicyDocument))
		if err != nil {
			return nil, err
		}
		d, err := iampolicy.Parse([]byte(document))
		if err != nil {
			return nil, err
		}
		all = append(all, *d)
	}
	return all, nil
}

// places are the items that are tried: those that there are, those of the patterns of
// the party's policies, and invented ones.
func (s *stage) places(a party, all records) ([]place, error) {
	tried := inventedPlaces()
	for p := range all {
		tried = append(tried, p)
	}
	for _, role := range a.roles() {
		policies, err := s.policiesOf(role)
		if err != nil {
			return nil, err
		}
		for _, d := range policies {
			for _, st := range d.Statements {
				for _, keys := range st.Conditions {
					for _, pattern := range keys["dynamodb:LeadingKeys"] {
						for _, table := range bothTables() {
							tried = append(tried, fromPattern(table, pattern)...)
						}
					}
				}
			}
		}
	}
	slices.SortFunc(tried, func(a, b place) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(tried), nil
}

// probe finds out which attributes of which items a role may write, on a mesh that is
// thrown away, and checks that they are the party's own, and that nothing else is to
// be read. some, if it is not nil, chooses what is tried.
//
// What IAM says of a call depends on the role, the key and the attributes: known has
// what was found at another moment, since nobody changes roles in between.
func (s *stage) probe(a party, role string, all records, some *rand.Rand, known map[string]bool, f *figures) (map[place][]string, error) {
	tried, err := s.places(a, all)
	if err != nil {
		return nil, err
	}
	scratch, err := s.clone()
	if err != nil {
		return nil, err
	}
	defer func() { _ = scratch.Close() }()
	client := dynamodb.NewFromConfig(scratch.Config(role), func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
	acts := role == a.roles()[0]
	may := map[place][]string{}
	var wrong []error
	probed := func(what string, p place, call func() error) bool {
		what = role + what + p.String()
		if allowed, ok := known[what]; ok {
			return allowed
		}
		f.add(&f.probed, 1)
		known[what] = reached(call())
		if !known[what] {
			f.add(&f.denied, 1)
		}
		return known[what]
	}
	for at, p := range tried {
		own := []string(nil)
		if acts {
			own = mayWrite(a, p)
		}
		is := func(attribute string) bool {
			return slices.Contains(own, everyAttribute) || slices.Contains(own, attribute)
		}
		attributes := attributesAt(all[p], p)
		if some != nil {
			some.Shuffle(len(attributes), func(i, j int) { attributes[i], attributes[j] = attributes[j], attributes[i] })
			attributes = attributes[:2]
		}
		for n, attribute := range attributes {
			way := updates()[(n+at)%len(updates())]
			if !probed("writes "+attribute, p, func() error { return way.do(s.ctx, client, written(p, map[string]value{attribute: text("x")})) }) {
				continue
			}
			if !is(attribute) {
				wrong = append(wrong, fmt.Errorf("S4, S5: %s may write %s of %s by %s", role, attribute, p, way.name))
				continue
			}
			may[p] = append(may[p], attribute)
		}
		ways := forbidden()
		if some != nil {
			ways = ways[:0:0]
			ways = append(ways, forbidden()[some.IntN(len(forbidden()))])
		}
		for _, way := range ways {
			if probed(way.name, p, func() error { return way.do(s.ctx, client, written(p, map[string]value{attributes[0]: text("x")})) }) {
				wrong = append(wrong, fmt.Errorf("S4, S5: %s may write %s by %s", role, p, way.name))
			}
		}
		reads := probed("reads", p, func() error {
			return errOfCall(client.GetItem(s.ctx, &dynamodb.GetItemInput{TableName: aws.String(p.table), Key: map[string]value{keyName(p.table): text(p.key)}}))
		})
		if reads && (!acts || !mayRead(a, p)) {
			wrong = append(wrong, fmt.Errorf("%s may read %s", role, p))
		}
	}
	return may, errors.Join(wrong...)
}

// continued makes an attempt on a clone, and lets the others go on. what is what that
// did wrong, if the attempt was let through.
func (s *stage) continued(t testing.TB, a party, try attempt, undisturbed *stage, f *figures) (allowed bool, wrong error) {
	c, err := s.clone()
	if err != nil {
		return false, err
	}
	defer func() { wrong = errors.Join(wrong, c.Close()) }()
	f.add(&f.written, 1)
	if err := try.do(s.ctx, c.Config(try.role)); err != nil {
		f.add(&f.refused, 1)
		if forbidden, ok := errors.AsType[*forbiddenCall](err); ok {
			return true, forbidden
		}
		return false, nil
	}
	f.add(&f.followed, 1)
	failed := c.finale(a, try.changed, publishingLast(t))
	return true, errors.Join(failed, c.differs(undisturbed))
}

func publishingLast(t testing.TB) func(*stage) error {
	return func(c *stage) error { return c.publish(t, theOwner, latestTable) }
}

// moments lives the life, and calls each with the stage after every moment.
func moments(t *testing.T, each func(n int, m moment, s *stage)) {
	t.Helper()
	s := newStage(t)
	for n, m := range life() {
		if err := m.do(t, s); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		now, err := s.clone()
		if err != nil {
			t.Fatal(err)
		}
		each(n, m, now)
		if err := now.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// reference is the life's end without an adversary, as it is checked against a party.
func (s *stage) reference(t testing.TB, a party) (*stage, error) {
	c, err := s.clone()
	if err != nil {
		return nil, err
	}
	return c, c.finale(a, "", publishingLast(t))
}

// attempts are all writes of records that a party may make at a moment, and raw calls.
func (s *stage) attempts(a party, some *rand.Rand, known map[string]bool, f *figures) ([]attempt, error) {
	all, err := s.scan()
	if err != nil {
		return nil, err
	}
	var list []attempt
	var wrong []error
	for _, role := range a.roles() {
		if strings.HasPrefix(os.Getenv("LAKEMESH_ONLY"), "raw ") {
			break
		}
		may, err := s.probe(a, role, all, some, known, f)
		wrong = append(wrong, err)
		for p, attributes := range may {
			list = append(list, s.writesOf(role, all, p, attributes)...)
		}
	}
	for _, role := range a.roles() {
		raw, err := s.rawCalls(a, role)
		if err != nil {
			return nil, err
		}
		list = append(list, raw...)
	}
	slices.SortFunc(list, func(a, b attempt) int { return strings.Compare(a.name, b.name) })
	return list, errors.Join(wrong...)
}
