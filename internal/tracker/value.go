package tracker

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// item is an item of DynamoDB.
type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func truth(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func set(values []string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: values}
}

func list(values []string) types.AttributeValue {
	l := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(values))}
	for i, v := range values {
		l.Value[i] = str(v)
	}
	return l
}

// text reads a string attribute; anything else is empty.
func text(i item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// digits is a number in a request. The original library reads whole records, and
// knows no numbers in them.
func digits(n int) types.AttributeValue { return str(strconv.Itoa(n)) }

// count reads a number that counts; anything else is 0.
func count(i item, name string) int {
	var text string
	switch v := i[name].(type) {
	case *types.AttributeValueMemberN:
		text = v.Value
	case *types.AttributeValueMemberS:
		text = v.Value
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return 0
}

// isTrue reports whether an attribute is true.
func isTrue(i item, name string) bool {
	v, ok := i[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

// texts reads a list of strings, a set of them, a single one, or a list that is
// packed: the original library wrote the first three over time. ok tells that it
// was one of these, whole: a list with a number in it is not a shorter list.
func texts(i item, name string) (values []string, ok bool) {
	switch v := i[name].(type) {
	case nil:
		return nil, true
	case *types.AttributeValueMemberS:
		return []string{v.Value}, true
	case *types.AttributeValueMemberSS:
		return slices.Clone(v.Value), true
	case *types.AttributeValueMemberL:
		all := make([]string, 0, len(v.Value))
		for _, e := range v.Value {
			s, ok := e.(*types.AttributeValueMemberS)
			if !ok {
				return nil, false
			}
			all = append(all, s.Value)
		}
		return all, true
	case *types.AttributeValueMemberB:
		all, err := unpack(v.Value)
		return all, err == nil && len(all) > 0
	}
	return nil, false
}

// known are the texts of an attribute; what cannot be read is empty.
func known(i item, name string) []string {
	values, ok := texts(i, name)
	if !ok {
		return nil
	}
	return values
}

// moment reads a time in the form of records; a malformed one is zero.
func moment(s string) time.Time {
	for _, layout := range []string{lakemesh.TimeFormat, time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// stampFormat is a time to the microsecond, of fixed width.
const stampFormat = "2006-01-02T15:04:05.000000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampFormat) }

// permissions makes a set of names of permissions. Names that lakemesh does not know
// are kept: an old record may carry them.
func permissions(names []string) lakemesh.Permissions {
	var all []lakemesh.Permission
	for _, n := range names {
		if n = strings.ToUpper(strings.TrimSpace(n)); n != "" {
			all = append(all, lakemesh.Permission(n))
		}
	}
	return lakemesh.NewPermissions(all...)
}

func shares(i item) map[string]lakemesh.RAMShare {
	m, ok := i[attrShares].(*types.AttributeValueMemberM)
	if !ok || len(m.Value) == 0 {
		return nil
	}
	all := make(map[string]lakemesh.RAMShare, len(m.Value))
	for object, v := range m.Value {
		if share, ok := v.(*types.AttributeValueMemberM); ok {
			all[object] = lakemesh.RAMShare{Type: text(share.Value, "type"), ARN: text(share.Value, "arn")}
		}
	}
	return all
}

func encodeShares(all map[string]lakemesh.RAMShare) types.AttributeValue {
	m := &types.AttributeValueMemberM{Value: make(map[string]types.AttributeValue, len(all))}
	for object, s := range all {
		m.Value[object] = &types.AttributeValueMemberM{Value: item{"type": str(s.Type), "arn": str(s.ARN)}}
	}
	return m
}

func compact(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// sameNames reports whether two lists hold the same names, in any order.
func sameNames(a, b []string) bool { return slices.Equal(compact(a), compact(b)) }
