package storage

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh"
)

// MaxPolicy is how large a bucket policy may be, in bytes
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html).
const MaxPolicy = 20 * 1024

// Part is what is to become of one role's access to a bucket.
type Part struct {
	// Role is the role whose access changes.
	Role string
	// Open and Close are prefixes, as in [Place]. What is in both is opened.
	Open, Close []string
	// Within are the prefixes of the locations that are registered with the role, and
	// Others of those that are registered with another: they bound what is opened in
	// place of several prefixes, if the policy has no room for all of them.
	Within, Others []string
}

// Prefixes are the prefixes of the bucket that the policy opens to the role, by
// our statements, in order.
func Prefixes(policy, bucket, role string) ([]string, error) {
	d, err := parse(policy)
	if err != nil {
		return nil, err
	}
	prefixes, _ := d.opened(bucket, objectsSid, role)
	return prefixes, nil
}

// opened are the prefixes in our statements of a name for the role, in order, and where
// the statements are.
func (d *document) opened(bucket, base, role string) (prefixes []string, at []int) {
	for i, raw := range d.statements {
		if o, ok := readOwn(raw, bucket, d.variables()); ok && o.base == base && o.role == role {
			prefixes, at = append(prefixes, o.prefixes...), append(at, i)
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes), at
}

// roles are the roles that our statements open something to, in order.
func (d *document) roles(bucket string) []string {
	var roles []string
	for _, raw := range d.statements {
		if o, ok := readOwn(raw, bucket, d.variables()); ok {
			roles = append(roles, o.role)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// Merge opens prefixes of a bucket to the role and closes others, in the bucket's
// policy; it returns the policy as it was if nothing changes, and an empty one if
// no statement is left. A prefix that is both opened and closed is opened.
// Statements of others stay as they were written.
func Merge(policy, bucket, role string, open, closed []string) (string, error) {
	m, err := merge(policy, bucket, []Part{{Role: role, Open: open, Close: closed}})
	return m.text, err
}

// merged is a policy with what was asked for.
type merged struct {
	text string
	// parts are the roles whose access changes, with what is opened and closed indeed.
	parts []Part
	// folds are folders that are open in place of several below them.
	folds []Fold
}

// merge does what [Merge] does for several roles. If what has to be open does not fit,
// folders are opened in place of several below them. A policy that is too large all the
// same is returned as it would be.
func merge(policy, bucket string, parts []Part) (merged, error) {
	d, err := parse(policy)
	if err != nil {
		return merged{}, err
	}
	if err := d.prepareVersion(bucket, parts); err != nil {
		return merged{}, err
	}
	all := make([]needs, len(parts))
	want := make([][]string, len(parts))
	for i, p := range parts {
		if len(p.Open) > 0 && !roleARN.MatchString(p.Role) {
			return merged{}, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "bucket " + bucket,
				Message: "it cannot be opened to " + p.Role + ", which is not the ARN of a role",
				Hint:    "see which role the location is registered with in Lake Formation"}
		}
		had, _ := d.opened(bucket, objectsSid, p.Role)
		want[i] = slices.DeleteFunc(had, func(prefix string) bool { return slices.Contains(p.Close, prefix) })
		want[i] = append(want[i], p.Open...)
		slices.Sort(want[i])
		want[i] = slices.Compact(want[i])
		all[i] = needs{role: p.Role, prefixes: want[i], within: p.Within, others: p.Others}
	}
	m, err := d.with(policy, bucket, parts, want)
	if err != nil || m.text == policy || len(m.text) <= MaxPolicy {
		return m, err
	}
	// What is not ours has its room first.
	chosen, folds, ok := fold(all, MaxPolicy-len(m.text)+costs(parts[0].Role, bucket, want), func(prefix string) int { return costs(parts[0].Role, bucket, [][]string{{prefix}}) })
	if !ok {
		return m, nil
	}
	m, err = d.with(policy, bucket, parts, chosen)
	m.folds = folds
	return m, err
}

// costs are the bytes that prefixes take in our two statements, with a comma each.
func costs(role, bucket string, sets [][]string) int {
	n := 0
	for _, prefixes := range sets {
		for _, prefix := range prefixes {
			for _, text := range []string{objectARN(role, escape(bucket), escape(prefix)+"*"), escape(prefix) + "*"} {
				raw, err := encode(text)
				if err == nil {
					n += len(raw) + len(",")
				}
			}
		}
	}
	return n
}

// with is the policy, in which exactly the prefixes wanted are opened to the parts' roles.
func (d *document) with(policy, bucket string, parts []Part, want [][]string) (merged, error) {
	next := &document{elements: d.elements, statements: slices.Clone(d.statements)}
	var m merged
	for i, p := range parts {
		changed, changes, err := next.change(bucket, p.Role, want[i])
		if err != nil {
			return merged{}, err
		}
		if changes {
			m.parts = append(m.parts, changed)
		}
	}
	if len(m.parts) == 0 {
		return merged{text: policy}, nil
	}
	var err error
	m.text, err = next.text()
	return m, err
}

// roleARN is the ARN of one role. A principal is not a pattern, but "*" is everybody
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+$`)

// prepareVersion gives the policy the version in which what is going to be opened can
// be written as it is. It keeps the version it has if that is possible, because
// another version changes what variables in statements of others mean.
func (d *document) prepareVersion(bucket string, parts []Part) error {
	if d.variables() {
		d.setVersion()
		return nil
	}
	special := escape(bucket) != bucket
	for _, p := range parts {
		special = special || slices.ContainsFunc(p.Open, func(prefix string) bool { return escape(prefix) != prefix })
	}
	if !special {
		return nil
	}
	if i := slices.IndexFunc(d.statements, mentionsVariable); i >= 0 {
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "policy of bucket " + bucket,
			Message: `a folder with "*", "?" or "$" in its name can be opened in a policy of version ` + withVariables + " only, and this one has an older version and a statement (" +
				named(d.statements[i]) + `) with "${" in it, which would mean something else then`,
			Hint: "give the policy the version " + withVariables + ` and write "${$}{" in place of "${", or move the table to a folder without such characters`}
	}
	d.setVersion()
	return nil
}

// change opens exactly these prefixes to a role, and returns what had to be opened and
// closed for that; changes is false if nothing had to be done. What may be read says what
// may be listed.
func (d *document) change(bucket, role string, want []string) (p Part, changes bool, _ error) {
	had, objects := d.opened(bucket, objectsSid, role)
	listed, lists := d.opened(bucket, prefixesSid, role)
	statements := min(len(want), 1)
	if slices.Equal(had, want) && slices.Equal(listed, want) && len(objects) == statements && len(lists) == statements {
		return Part{}, false, nil
	}
	if err := d.set(bucket, objectsSid, role, want, objectsStatement); err != nil {
		return Part{}, false, err
	}
	if err := d.set(bucket, prefixesSid, role, want, prefixesStatement); err != nil {
		return Part{}, false, err
	}
	p.Role = role
	for _, prefix := range want {
		if !contains(had, prefix) || !contains(listed, prefix) {
			p.Open = append(p.Open, prefix)
		}
	}
	for _, prefix := range slices.Concat(had, listed) {
		if !contains(want, prefix) && !slices.Contains(p.Close, prefix) {
			p.Close = append(p.Close, prefix)
		}
	}
	if len(p.Open)+len(p.Close) == 0 {
		// Two statements become one.
		p.Open = want
	}
	return p, true, nil
}

// contains reports whether a prefix is among prefixes that are in order.
func contains(sorted []string, prefix string) bool {
	_, ok := slices.BinarySearch(sorted, prefix)
	return ok
}

// set puts our statement of a name in its place, or removes it if nothing is open.
func (d *document) set(bucket, base, role string, prefixes []string, write func(bucket, role string, prefixes []string) *statement) error {
	_, at := d.opened(bucket, base, role)
	keep := 0
	if len(prefixes) > 0 {
		s := write(bucket, role, prefixes)
		if len(at) > 0 {
			s.Sid = sidOf(d.statements[at[0]])
		} else {
			s.Sid = d.freeSid(base, role)
		}
		raw, err := encode(s)
		if err != nil {
			return err
		}
		if len(at) == 0 {
			d.statements = append(d.statements, raw)
			return nil
		}
		d.statements[at[0]] = raw
		keep = 1
	}
	// One is enough.
	for i := len(at) - 1; i >= keep; i-- {
		d.statements = slices.Delete(d.statements, at[i], at[i]+1)
	}
	return nil
}

// named names a statement for a reader, without characters that act on a terminal.
func named(raw json.RawMessage) string {
	printable := func(text string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return utf8.RuneError
		}, text)
	}
	if sid := sidOf(raw); sid != "" {
		return printable(sid)
	}
	const much = 80
	text := []rune(printable(strings.Join(strings.Fields(string(raw)), " ")))
	if len(text) > much {
		return "the one without a name that begins with " + string(text[:much])
	}
	return "the one without a name, " + string(text)
}
