package consumer

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// otherPlace is what is found of links in another region than the mesh's.
type otherPlace struct {
	linkPlace
	// links are the databases of the mesh that links lead to, by the links' names.
	links map[string]string
	// held is what is granted on them.
	held *permissions.Grants
	// unread tells that it could not be looked at.
	unread bool
}

// readOtherRegions reads the links of the regions that subscriptions name, whatever has
// become of them. One that cannot be read says nothing about the others.
func (s *inspected) readOtherRegions(ctx context.Context) error {
	var all []*lakemesh.Subscription
	for _, r := range s.records {
		all = append(all, &r.Subscription)
	}
	for _, region := range s.otherRegions(all...) {
		p := &otherPlace{linkPlace: s.linksIn(region), held: permissions.NewGrants()}
		var err error
		if p.links, err = p.linked(ctx, s.Consumer); err != nil {
			if ctx.Err() != nil {
				return err
			}
			p.unread = true
			s.unsure("the links in region %s: they cannot be looked at: %v", region, err)
		}
		s.elsewhere = append(s.elsewhere, p)
	}
	return nil
}

// readOtherGrants reads what is granted on the links of other regions.
func (s *inspected) readOtherGrants(ctx context.Context) error {
	for _, p := range s.elsewhere {
		var on []permissions.Resource
		for link, target := range p.links {
			if s.seen[target].tables != nil {
				on = append(on, permissions.Database(s.account, link))
			}
		}
		held, err := p.lake.Observe(ctx, on...)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			p.unread = true
			s.unsure("the links in region %s: what is granted on them cannot be looked at: %v", p.region, err)
			continue
		}
		p.held = held
	}
	return nil
}

// compareOtherLinks compares the links of a subscription in other regions with what is
// there, and who may see them.
func (s *inspected) compareOtherLinks(r *tracker.Record, on func(link chain.Link, resource, principal, what string) Finding) {
	name := strings.ToLower(r.Database)
	wanted := s.otherRegions(&r.Subscription)
	for _, p := range s.elsewhere {
		if !slices.Contains(wanted, p.region) || p.unread {
			continue
		}
		var links []permissions.Resource
		for _, link := range slices.Sorted(maps.Keys(p.links)) {
			if p.links[link] == name {
				links = append(links, permissions.Database(s.account, link))
			}
		}
		where := p.linkPlace.elsewhere(s.Consumer)
		if len(links) == 0 {
			s.found(on(chain.ResourceLink, "database "+name+where, "", "no resource link leads to it from there"))
			continue
		}
		importing := &finalizing{consumer: s.Consumer, record: r, principals: s.handed[r.ID].principals}
		for _, principal := range importing.recipients() {
			s.wanted++
			if !slices.ContainsFunc(links, func(link permissions.Resource) bool {
				held := p.held.Of(principal, link).Permissions
				return held.Has(lakemesh.Describe) || held.Has(lakemesh.All)
			}) {
				s.found(on(chain.HandedOn, "link "+links[0].String()+where, principal, "lacks "+string(lakemesh.Describe)))
			}
		}
	}
}
