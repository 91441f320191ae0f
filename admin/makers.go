package admin

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// makers are who made each database and table of the mesh: whose role holds everything
// there, and may hand it on. Lake Formation gives that to whoever makes one, and nobody
// takes it from an owner but the owner.
type makers struct {
	mesh string
	of   map[access.Object]map[string]bool
}

// makersOf tells them by all that is granted.
func makersOf(p lakemesh.Partition, mesh string, there access.Grants) makers {
	m := makers{mesh, map[access.Object]map[string]bool{}}
	for k, h := range there {
		account, ok := strings.CutPrefix(string(k.Grantee), p.RoleARN(mesh, lakemesh.MeshProducerRole("")))
		if !ok || k.Object.Account != mesh || k.Object.Database == "" || !h.Grantable.Has(lakemesh.All) {
			continue
		}
		if m.of[k.Object] == nil {
			m.of[k.Object] = map[string]bool{}
		}
		m.of[k.Object][account] = true
	}
	return m
}

// on are the accounts that made an object, or the database that it is in.
func (m makers) on(o access.Object) map[string]bool {
	all := maps.Clone(m.of[access.OnDatabase(m.mesh, o.Database)])
	if all == nil {
		all = map[string]bool{}
	}
	if o.Table != "" {
		maps.Copy(all, m.of[access.OnTable(m.mesh, o.Database, o.Table)])
	}
	return all
}

// byOthers reports whether somebody else than an account made an object.
func (m makers) byOthers(o access.Object, account string) bool {
	for maker := range m.of[o] {
		if maker != account {
			return true
		}
	}
	return false
}

// foreign reports whether a record is on what others made, and its owner did not. Every
// owner writes what it likes into its own records. A group is by its owner's own LF-tags: see
// [makers.own].
func (m makers) foreign(r *tracker.Record) bool {
	if !r.Group.IsZero() {
		return false
	}
	made := m.on(access.OnDatabase(m.mesh, r.Database))
	if len(made) == 0 || made[r.Owner] {
		return false
	}
	for _, table := range r.Tables {
		if !m.on(access.OnTable(m.mesh, r.Database, table))[r.Owner] {
			return true
		}
	}
	return len(r.Tables) == 0
}

// own takes out of the record of a group the databases that others made and its owner did not,
// and returns their names.
func (m makers) own(r *tracker.Record) (others []string) {
	if r.Group.IsZero() {
		return nil
	}
	foreign := func(name string) bool {
		made := m.on(access.OnDatabase(m.mesh, name))
		return len(made) > 0 && !made[r.Owner]
	}
	others = slices.DeleteFunc(chain.DatabasesOf(r, nil), func(name string) bool { return !foreign(name) })
	r.TableARNs = slices.DeleteFunc(r.TableARNs, func(arn string) bool {
		name, ok := lakemesh.DatabaseOfARN(arn)
		return ok && foreign(name)
	})
	if r.Claim != nil {
		r.Claim.Databases = slices.DeleteFunc(r.Claim.Databases, foreign)
	}
	return others
}
