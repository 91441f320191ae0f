package localmesh

import (
	"cmp"

	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// ServiceForTest is what the tests from outside look at of a service.
type ServiceForTest struct {
	Name, Signing, InvalidCode string
	Protocol                   wire.Protocol
	Naming                     wire.Naming
	Operations                 []string
}

// ServicesForTest are the services of a mesh.
func ServicesForTest() []ServiceForTest {
	m := New()
	var all []ServiceForTest
	for _, s := range m.engine.Services() {
		t := ServiceForTest{Name: s.Name, Signing: cmp.Or(s.Signing, s.Name), InvalidCode: s.InvalidCode, Protocol: s.Protocol, Naming: s.Naming}
		for _, o := range s.Operations {
			t.Operations = append(t.Operations, o.Name)
		}
		all = append(all, t)
	}
	return all
}
