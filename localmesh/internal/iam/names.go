package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// The longest names.
const (
	maxRoleName   = 64
	maxUserName   = 64
	maxGroupName  = 128
	maxPolicyName = 128
	maxPath       = 512
)

// checkName checks a required name of at most limit characters.
func checkName(parameter string, name *string, limit int) error {
	if name == nil {
		return mustNotBeNull(parameter)
	}
	switch n := *name; {
	case n == "":
		return breaks(parameter, n, "have length greater than or equal to 1")
	case len(n) > limit:
		return breaks(parameter, n, fmt.Sprintf("have length less than or equal to %d", limit))
	case !IsName(n):
		return breaks(parameter, n, `satisfy regular expression pattern: [\w+=,.@-]+`)
	}
	return nil
}

// IsName tells whether name holds only what the names of IAM and STS may hold.
func IsName(name string) bool {
	for i := range len(name) {
		if !isNameCharacter(name[i]) {
			return false
		}
	}
	return true
}

func isNameCharacter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("_+=,.@-", c) >= 0
}

// checkPath returns the path, "/" if there is none.
func checkPath(path *string) (string, error) {
	if path == nil {
		return "/", nil
	}
	p := *path
	bad := p == "" || p[0] != '/' || p[len(p)-1] != '/'
	for i := range len(p) {
		bad = bad || p[i] < 0x21 || p[i] > 0x7e
	}
	if bad {
		return "", engine.Errorf("ValidationError",
			"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	if len(p) > maxPath {
		return "", breaks("path", p, fmt.Sprintf("have length less than or equal to %d", maxPath))
	}
	return p, nil
}

// checkPathPrefix returns the prefix of a listing, "/" if there is none.
func checkPathPrefix(prefix *string) (string, error) {
	if prefix == nil {
		return "/", nil
	}
	if p := *prefix; p == "" || p[0] != '/' || len(p) > maxPath {
		return "", breaks("pathPrefix", p, `satisfy regular expression pattern: \u002F[\u0021-\u007F]*`)
	}
	return *prefix, nil
}

// maxTags is how many tags a resource has at most.
const maxTags = 50

// checkTags turns tags into a map.
func checkTags(tags []types.Tag) (map[string]string, error) {
	if len(tags) > maxTags {
		return nil, breaks("tags", fmt.Sprintf("%d tags", len(tags)), "have length less than or equal to 50")
	}
	m := make(map[string]string, len(tags))
	folded := map[string]bool{}
	for i, t := range tags {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 {
			return nil, breaks(fmt.Sprintf("tags.%d.member.key", i+1), key, "have length between 1 and 128")
		}
		if t.Value == nil {
			return nil, mustNotBeNull(fmt.Sprintf("tags.%d.member.value", i+1))
		}
		if len(*t.Value) > 256 {
			return nil, breaks(fmt.Sprintf("tags.%d.member.value", i+1), *t.Value, "have length less than or equal to 256")
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, invalidInput("Tag keys beginning with aws: are reserved.")
		}
		if folded[strings.ToLower(key)] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		folded[strings.ToLower(key)] = true
		m[key] = *t.Value
	}
	return m, nil
}

// addTags adds tags to those of a resource. Keys are unique without regard to
// case; the new spelling wins.
func addTags(have map[string]string, added map[string]string) (map[string]string, error) {
	all := map[string]string{}
	maps.Copy(all, have)
	for k, v := range added {
		for old := range all {
			if strings.EqualFold(old, k) {
				delete(all, old)
			}
		}
		all[k] = v
	}
	if len(all) > maxTags {
		return nil, exceeded("TagsPerResource", maxTags)
	}
	return all, nil
}

func removeTags(have map[string]string, keys []string) map[string]string {
	left := maps.Clone(have)
	for _, k := range keys {
		for old := range left {
			if strings.EqualFold(old, k) {
				delete(left, old)
			}
		}
	}
	return left
}

// tagList returns tags in the order of their keys; nil if there are none, as answers
// with a role, a user or a policy have no such member then.
func tagList(tags map[string]string) []types.Tag {
	if len(tags) == 0 {
		return nil
	}
	list := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

// requestTags are the condition keys of the tags in a request.
func requestTags(keys map[string][]string, tags map[string]string) {
	for k, v := range tags {
		keys["aws:RequestTag/"+k] = []string{v}
	}
	if len(tags) > 0 {
		keys["aws:TagKeys"] = slices.Sorted(maps.Keys(tags))
	}
}

// resourceTags are the condition keys of the tags of a resource.
func resourceTags(keys map[string][]string, tags map[string]string) {
	for k, v := range tags {
		keys["aws:ResourceTag/"+k] = []string{v}
		keys["iam:ResourceTag/"+k] = []string{v}
	}
}
