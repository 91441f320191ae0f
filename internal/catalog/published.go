package catalog

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// The parameters of a copy that say what was published there last. They are no part of a
// definition: neither copied nor compared.
const (
	recordPrefix     = "lakemesh."
	recordDefinition = recordPrefix + "definition"
	recordPointer    = recordPrefix + "metadata_location"
	recordPartitions = recordPrefix + "partitions"
	recordSource     = recordPrefix + "source"
	recordRestoring  = recordPrefix + "restoring"
)

// metadataPointer is the parameter of an Iceberg table that names its current metadata
// file: to commit is to change it
// (https://iceberg.apache.org/docs/latest/aws/#glue-catalog). previousPointer is what it
// was before.
const (
	metadataPointer = "metadata_location"
	previousPointer = "previous_metadata_location"
)

// Published is what stands at a copy of what was published there last. Whoever has ALTER
// on the copy can write it, as it can write the copy itself.
type Published struct {
	// Definition is the [Digest] of the definition, as text; Pointer is the metadata file
	// of an Iceberg table.
	Definition, Pointer string
	// Partitions is the [Set] of the partitions, as text; empty if it is not known.
	Partitions string
	// Source is the database of the producer that the table comes from.
	Source string
	// Restoring is, while the table is made again in the producer's catalog, the [Digest] of
	// the definition with which it is made there: until that has ended the copy is the only
	// one that is whole.
	Restoring string
}

// PublishedAt is what stands at a copy; the zero value where nothing does.
func PublishedAt(t *types.Table) Published {
	return Published{Definition: t.Parameters[recordDefinition], Pointer: t.Parameters[recordPointer], Partitions: t.Parameters[recordPartitions], Source: t.Parameters[recordSource],
		Restoring: t.Parameters[recordRestoring]}
}

// PublishedAs is what publishing a definition is to leave at the copy.
func PublishedAs(in *types.TableInput, partitions, source string) Published {
	return Published{Definition: DigestOf(in).String(), Pointer: in.Parameters[metadataPointer], Partitions: partitions, Source: source}
}

// At is a definition with what was published. The definition itself is not changed.
func (p Published) At(in *types.TableInput) *types.TableInput {
	noted := *in
	noted.Parameters = maps.Clone(in.Parameters)
	if noted.Parameters == nil {
		noted.Parameters = map[string]string{}
	}
	for name, v := range map[string]string{recordDefinition: p.Definition, recordPointer: p.Pointer, recordPartitions: p.Partitions, recordSource: p.Source, recordRestoring: p.Restoring} {
		if v == "" {
			delete(noted.Parameters, name)
		} else {
			noted.Parameters[name] = v
		}
	}
	return &noted
}

// unrecorded are parameters without what lakemesh says of a copy.
func unrecorded(parameters map[string]string) map[string]string {
	for name := range parameters {
		if strings.HasPrefix(name, recordPrefix) {
			own := maps.Clone(parameters)
			maps.DeleteFunc(own, func(name, _ string) bool { return strings.HasPrefix(name, recordPrefix) })
			return own
		}
	}
	return parameters
}

// Pointer is the metadata file of an Iceberg table, and the one before it; both are empty
// for other tables. Their copies do not change with the files: an Iceberg copy shows its
// readers the snapshot that its pointer names.
func Pointer(t *types.Table) (current, previous string) {
	return t.Parameters[metadataPointer], t.Parameters[previousPointer]
}

// IsIceberg reports whether a table is an Iceberg table
// (https://iceberg.apache.org/docs/latest/aws/#glue-catalog).
func IsIceberg(t *types.Table) bool {
	return strings.EqualFold(t.Parameters["table_type"], "ICEBERG") || t.Parameters[metadataPointer] != ""
}

// SameKeys reports whether two tables have the same partition keys: their partitions are
// of one generation.
func SameKeys(a, b []types.Column) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameName(aws.ToString(a[i].Name), aws.ToString(b[i].Name)) || !strings.EqualFold(aws.ToString(a[i].Type), aws.ToString(b[i].Type)) {
			return false
		}
	}
	return true
}

// String is the digest in hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Set stands for a set of partitions, in whatever order they are listed. It is made of a
// sum: nobody gains anything by making two sets look alike whoever could not write the
// partitions themselves.
type Set struct {
	count     int
	high, low uint64
}

// Listing is a table's partitions as they were listed: the set, and what it is made of,
// unless that is too much to be kept.
type Listing struct {
	Set   Set
	whole bool
	list  []listed
}

// Whole reports whether the listing is kept, so that it need not be read again.
func (l *Listing) Whole() bool { return l.whole }

// listed is a partition of a listing.
type listed struct {
	values []string
	form   form
}

// String is how many there are, and the sum.
func (s Set) String() string { return fmt.Sprintf("%d:%016x%016x", s.count, s.high, s.low) }
