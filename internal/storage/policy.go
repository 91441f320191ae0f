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

// Merge opens prefixes of a bucket to the role and closes others, in the bucket's
// policy; it returns the policy as it was if nothing changes, and an empty one if
// no statement is left. A prefix that is both opened and closed is opened.
// Statements of others stay as they were written.
func Merge(policy, bucket, role string, open, closed []string) (string, error) {
	merged, _, err := merge(policy, bucket, []Part{{Role: role, Open: open, Close: closed}})
	return merged, err
}

// merge does what [Merge] does for several roles, and returns the parts that change
// something.
func merge(policy, bucket string, parts []Part) (string, []Part, error) {
	d, err := parse(policy)
	if err != nil {
		return "", nil, err
	}
	if err := d.prepareVersion(bucket, parts); err != nil {
		return "", nil, err
	}
	var changed []Part
	for _, p := range parts {
		if len(p.Open) > 0 && !roleARN.MatchString(p.Role) {
			return "", nil, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "bucket " + bucket,
				Message: "it cannot be opened to " + p.Role + ", which is not the ARN of a role",
				Hint:    "see which role the location is registered with in Lake Formation"}
		}
		changes, err := d.change(bucket, p)
		if err != nil {
			return "", nil, err
		}
		if changes {
			changed = append(changed, p)
		}
	}
	if len(changed) == 0 {
		return policy, nil, nil
	}
	text, err := d.text()
	return text, changed, err
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

// change does what a part asks for, and reports whether anything had to be done. What
// may be read says what may be listed.
func (d *document) change(bucket string, p Part) (bool, error) {
	had, objects := d.opened(bucket, objectsSid, p.Role)
	listed, lists := d.opened(bucket, prefixesSid, p.Role)
	want := slices.DeleteFunc(slices.Clone(had), func(prefix string) bool { return slices.Contains(p.Close, prefix) })
	want = append(want, p.Open...)
	slices.Sort(want)
	want = slices.Compact(want)
	statements := min(len(want), 1)
	if slices.Equal(had, want) && slices.Equal(listed, want) && len(objects) == statements && len(lists) == statements {
		return false, nil
	}
	if err := d.set(bucket, objectsSid, p.Role, want, objectsStatement); err != nil {
		return false, err
	}
	return true, d.set(bucket, prefixesSid, p.Role, want, prefixesStatement)
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
