package tracker

import (
	"context"
	"slices"

	"github.com/lakemesh/lakemesh"
)

// mostLinkRegions bounds what is believed of the regions that a consumer wrote down: AWS
// has fewer.
const mostLinkRegions = 64

// readLinkRegions are the regions that a consumer wrote down, in order. What is no name of
// a region is left out.
func readLinkRegions(i item) []string {
	regions := slices.DeleteFunc(slices.Clone(known(i, attrLinkRegions)), func(r string) bool { return lakemesh.CheckRegion("LinkRegion", r) != nil })
	slices.Sort(regions)
	regions = slices.Compact(regions)
	return slices.Clip(regions[:min(len(regions), mostLinkRegions)])
}

// LinksIn writes down, on the consumer's side, that links of a subscription may be in
// regions. It is done before a link is made, so that none is there that nobody looks for.
// Regions are added and never taken out: where there was a link, one may be.
func (t *Tracker) LinksIn(ctx context.Context, r *Record, home, region string) error {
	regions := []string{region}
	if len(r.LinkRegions) == 0 && r.joined && region != home {
		// Imported before regions were chosen: the link is in the mesh's.
		regions = append(regions, home)
	}
	u := inSubscriptions(r.ID)
	if r.Unasked && !r.request {
		r.sign(u)
	} else {
		u.IfThere(attrOwner)
	}
	// A list and no set: the original library reads whole records, and knows no sets.
	u.Append(attrLinkRegions, regions...)
	if err := t.transact(ctx, u); err != nil {
		return t.explain(string(lakemesh.ActionImport), r.ID, err)
	}
	r.LinkRegions = append(slices.Clone(r.LinkRegions), regions...)
	slices.Sort(r.LinkRegions)
	r.LinkRegions = slices.Compact(r.LinkRegions)
	return nil
}
