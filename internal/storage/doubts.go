package storage

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// doubts names the statements that may make what is opened to a role ineffective, or
// what is closed to it stay open, each in a sentence. They stay as they are; whoever
// wrote them has to know. It goes by what can be read off them and not by what they
// decide: conditions are not evaluated.
func doubts(policy, bucket string, parts []Part) ([]string, error) {
	d, err := parse(policy)
	if err != nil {
		return nil, err
	}
	var said []string
	for _, raw := range d.statements {
		if _, ok := readOwn(raw, bucket, d.variables()); ok {
			continue
		}
		var s foreign
		if json.Unmarshal(raw, &s.members) != nil {
			continue
		}
		for _, p := range parts {
			if !s.names(p.Role) {
				continue
			}
			if effect, _ := oneText(s.members["Effect"]); effect == "Deny" {
				if len(p.Open) > 0 && s.reads() && s.touches(bucket, p.Open) && !s.insecureOnly() {
					said = append(said, fmt.Sprintf("the policy of bucket %s has a statement that denies reading (%s): %s may not be able to read what is opened to it", bucket, named(raw), p.Role))
				}
			} else if ourSid.MatchString(sidOf(raw)) {
				said = append(said, fmt.Sprintf("the policy of bucket %s has a statement with a name of ours that is not as lakemesh writes it (%s): it stays as it is, and what it allows to %s is not closed", bucket, named(raw), p.Role))
			}
		}
	}
	return said, nil
}

// foreign is a statement of somebody else.
type foreign struct{ members map[string]json.RawMessage }

// names reports whether the statement may be about the role.
func (s foreign) names(role string) bool {
	raw, ok := s.members["Principal"]
	if !ok {
		return s.members["NotPrincipal"] != nil
	}
	if everybody, ok := oneText(raw); ok {
		return everybody == "*"
	}
	var principal map[string]json.RawMessage
	if json.Unmarshal(raw, &principal) != nil {
		return false
	}
	account := accountOf(role)
	session := "assumed-role/" + role[strings.LastIndexByte(role, '/')+1:] + "/"
	return slices.ContainsFunc(texts(principal["AWS"]), func(id string) bool {
		return id == "*" || id == role || id == account || strings.HasSuffix(id, ":iam::"+account+":root") ||
			strings.Contains(id, ":sts::"+account+":"+session)
	})
}

// reads reports whether the statement may be about reading objects or listing.
func (s foreign) reads() bool {
	actions := texts(s.members["Action"])
	return actions == nil || slices.ContainsFunc(actions, func(pattern string) bool {
		return slices.ContainsFunc([]string{"s3:getobject", "s3:listbucket"}, func(action string) bool {
			matched, err := path.Match(strings.ToLower(pattern), action)
			return matched || err != nil
		})
	})
}

// touches reports whether the statement may be about the bucket or one of its
// prefixes: where two patterns begin differently, they have nothing in common.
func (s foreign) touches(bucket string, prefixes []string) bool {
	resources := texts(s.members["Resource"])
	return resources == nil || slices.ContainsFunc(resources, func(pattern string) bool {
		if i := strings.IndexAny(pattern, "*?$"); i >= 0 {
			pattern = pattern[:i]
		} else if pattern == bucketARN(bucket) {
			return true
		} else if !strings.HasPrefix(pattern, objectARN(bucket, "")) {
			return false
		}
		return slices.ContainsFunc(prefixes, func(prefix string) bool {
			place := objectARN(bucket, prefix)
			return strings.HasPrefix(place, pattern) || strings.HasPrefix(pattern, place)
		})
	})
}

// insecureOnly reports whether the statement denies calls without TLS only, as very
// many buckets do. Lake Formation calls with it.
func (s foreign) insecureOnly() bool {
	var condition map[string]map[string]json.RawMessage
	if json.Unmarshal(s.members["Condition"], &condition) != nil || len(condition) != 1 || len(condition["Bool"]) != 1 {
		return false
	}
	for key, raw := range condition["Bool"] {
		if value := strings.Trim(string(raw), `[]" `); !strings.EqualFold(key, "aws:SecureTransport") || value != "false" {
			return false
		}
	}
	return true
}
