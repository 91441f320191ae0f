package producer

import (
	"fmt"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// unwritable says which places cannot be written although INSERT or DELETE are granted on
// their tables, or nothing. Lake Formation writes with the role that a location is
// registered with, and the producer's data access role is made to read only; what another
// role may do is not known here.
func (p *Producer) unwritable(permitted lakemesh.Permissions, tables map[catalog.TableName]meshTable, locations []permissions.RegisteredLocation) string {
	writing := permitted.Intersect(lakemesh.NewPermissions(lakemesh.Insert, lakemesh.Delete))
	if permitted.Has(lakemesh.All) {
		writing = lakemesh.NewPermissions(lakemesh.All)
	}
	if len(writing) == 0 {
		return ""
	}
	var places []storage.Place
	for _, name := range inOrder(tables) {
		t := tables[name]
		for _, place := range t.known.Places {
			if l, ok := permissions.Nearest(locations, place.ARN(p.partition)); ok && l.Role == p.dataAccessRole() {
				places = append(places, place.Place)
			}
		}
	}
	if len(places) == 0 {
		return ""
	}
	named := make([]string, min(len(places), mostNamed))
	for i := range named {
		named[i] = places[i].String()
	}
	what := strings.Join(named, ", ")
	if more := len(places) - len(named); more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s does not let anybody write: %s, which Lake Formation uses at %s, reads and cannot write, so each write is refused. Grant SELECT, or let the mesh's administrator register the location with a role that may write there",
		writing, p.dataAccessRole(), what)
}
