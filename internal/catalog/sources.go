package catalog

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// recordFrom begins the parameters of a database of the mesh that name the databases which
// its tables were published from. What stands at a table can be written by whoever was
// granted ALTER on it; nobody but the owner may write the database.
const recordFrom = recordPrefix + "from."

// SourceParameters are the parameters of a database of the mesh: those that it has, those
// that its source has besides, and that tables are published from the source.
func SourceParameters(has, source map[string]string, name string) map[string]string {
	all := map[string]string{}
	for key, value := range source {
		if !strings.HasPrefix(key, recordPrefix) {
			all[key] = value
		}
	}
	for key, value := range has {
		all[key] = value
	}
	all[recordFrom+strings.ToLower(name)] = "published"
	return all
}

// Sources are the databases that tables of a database of the mesh were published from;
// none where that does not stand there.
func Sources(d *types.Database) []string {
	var sources []string
	for key := range d.Parameters {
		if source, ok := strings.CutPrefix(key, recordFrom); ok {
			sources = append(sources, source)
		}
	}
	slices.Sort(sources)
	return sources
}
