package localmesh

import (
	"errors"
	"fmt"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// ErrOtherPartition is returned by [Open] and [Mesh.Clone] when the region that is asked for
// is of another partition of AWS than the mesh.
var ErrOtherPartition = errors.New("the mesh is in another partition of AWS")

// Partition is the partition of AWS that the mesh is in, as a whole: that of the region of
// [WithRegion]. All ARNs are of it, and who signs for a region of another one is unknown
// here.
func (m *Mesh) Partition() lakemesh.Partition { return m.engine.Names.Partition() }

// RootARN is the ARN of the root of an account, as [Mesh.Config] takes it.
func (m *Mesh) RootARN(account string) string { return m.Partition().Root(account) }

// RoleARN is the ARN of the role of a path and name in an account, as [Mesh.Config] takes it.
func (m *Mesh) RoleARN(account, name string) string {
	return m.Partition().ARN("iam", "", account, "role/"+name)
}

// UserARN is the ARN of the user of a path and name in an account, as [Mesh.Config] takes it.
func (m *Mesh) UserARN(account, name string) string {
	return m.Partition().ARN("iam", "", account, "user/"+name)
}

// homeRegion is the region of a mesh that is kept in a folder: the one that is asked for, else
// the one that it began with. One of another partition than it began in is refused: the names
// that are kept are those of one.
func homeRegion(s store.Store, asked string) (string, error) {
	region := asked
	err := s.Update(func(tx store.Tx) error {
		noted, ok, err := state.Home.Get(tx, "region")
		if err != nil {
			return err
		}
		if ok {
			if region = asked; asked == "" {
				region = noted
			}
			return samePartition(noted, region)
		}
		// Before this was noted there was one partition.
		begun := false
		if err := state.Accounts.Scan(tx, nil, "", func(string, state.Account) bool { begun = true; return false }); err != nil {
			return err
		}
		if region == "" {
			region = DefaultRegion
		}
		if begun {
			if err := samePartition(DefaultRegion, region); err != nil {
				return err
			}
		}
		return state.Home.Put(tx, region, "region")
	})
	return region, err
}

func samePartition(has, asked string) error {
	if is, wanted := lakemesh.PartitionOf(has), lakemesh.PartitionOf(asked); is != wanted {
		return fmt.Errorf("%w: it is in %s (%s), and region %s is in %s", ErrOtherPartition, has, is, asked, wanted)
	}
	return nil
}
