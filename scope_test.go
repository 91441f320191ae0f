package lakemesh_test

import (
	"errors"
	"testing"

	"github.com/lakemesh/lakemesh"
)

// Whom a scope is for is of one kind, and well-formed: a record that says otherwise cannot be read.
func TestWhomAScopeIsFor(t *testing.T) {
	t.Parallel()
	role, unit, organization := "arn:aws:iam::999999999999:role/path/Analyst", "arn:aws:organizations::444444444444:ou/o-abcdefghij/ou-abcd-12345678", "arn:aws:organizations::444444444444:organization/o-abcdefghij"
	for _, test := range []struct {
		principals    []string
		direct, units bool
	}{{nil, false, false}, {[]string{role}, true, false}, {[]string{unit}, false, true}, {[]string{organization, unit}, false, true}} {
		s, err := lakemesh.NewScope(lakemesh.Scope{Principals: test.principals})
		if err != nil || s.Direct() != test.direct || (len(s.Organizations()) > 0) != test.units {
			t.Errorf("%v: direct %t, organizations %v, %v", test.principals, s.Direct(), s.Organizations(), err)
		}
	}
	for _, principals := range [][]string{{role, unit}, {""}, {"x"}, {"999999999999"}, {unit + "*"}, {organization + "/ou-abcd-12345678"}, {"arn:aws:organizations::444444444444:root/o-abcdefghij/r-abcd"},
		{"arn:aws:organizations::4444:ou/o-abcdefghij/ou-abcd-12345678"}, {"arn:aws:iam::999999999999:root"}} {
		if _, err := lakemesh.NewScope(lakemesh.Scope{Principals: principals}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q is a scope: %v", principals, err)
		}
	}
}
