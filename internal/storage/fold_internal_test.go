package storage

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawNeeds are trees of folders with names as they are written: empty ones among them.
func drawNeeds(t *rapid.T) []needs {
	segment := rapid.SampledFrom([]string{"a", "b", "", "ab", "*"})
	prefix := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(append(rapid.SliceOfN(segment, 0, 4).Draw(t, "segments"), ""), "/")
	})
	all := make([]needs, rapid.IntRange(1, 2).Draw(t, "roles"))
	for i := range all {
		prefixes := rapid.SliceOfNDistinct(prefix, 1, 12, rapid.ID[string]).Draw(t, "prefixes")
		slices.Sort(prefixes)
		all[i] = needs{role: string(rune('A' + i)), prefixes: prefixes, within: rapid.SliceOfN(prefix, 0, 2).Draw(t, "within"), others: rapid.SliceOfN(prefix, 0, 2).Draw(t, "others")}
	}
	return all
}

func TestFolding(t *testing.T) {
	t.Parallel()
	cost := func(prefix string) int { return 2*len(prefix) + 10 }
	sum := func(sets [][]string) int {
		n := 0
		for _, set := range sets {
			for _, prefix := range set {
				n += cost(prefix)
			}
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		all := drawNeeds(t)
		var asked [][]string
		for _, n := range all {
			asked = append(asked, n.prefixes)
		}
		budget := rapid.IntRange(0, sum(asked)+5).Draw(t, "budget")
		chosen, folds, ok := fold(all, budget, cost)
		if !ok {
			// Not even the fewest fit.
			least := 0
			for i, n := range all {
				for _, g := range groupsOf(i, topmost(n.prefixes), n) {
					least += cost(g.prefix)
				}
			}
			if least <= budget {
				t.Fatalf("%v does not fit into %d, and %d would do", all, budget, least)
			}
			return
		}
		if sum(chosen) > budget {
			t.Fatalf("%q costs %d, more than %d", chosen, sum(chosen), budget)
		}
		if fits := sum(asked) <= budget; fits && (len(folds) > 0 || !slices.EqualFunc(chosen, asked, slices.Equal[[]string])) {
			t.Fatalf("it fits and became %q", chosen)
		}
		for i, n := range all {
			mine := slices.DeleteFunc(slices.Clone(folds), func(f Fold) bool { return f.Role != n.role })
			for _, prefix := range n.prefixes {
				if !slices.ContainsFunc(chosen[i], func(c string) bool { return strings.HasPrefix(prefix, c) }) {
					t.Fatalf("%q is not covered by %q", prefix, chosen[i])
				}
			}
			for _, c := range chosen[i] {
				folded := slices.ContainsFunc(mine, func(f Fold) bool { return f.Prefix == c })
				if folded == slices.Contains(n.prefixes, c) || folded && c != "" && !strings.HasSuffix(c, "/") {
					t.Fatalf("%q of %q is neither asked for nor a folder of several", c, chosen[i])
				}
			}
			for _, f := range mine {
				g := n.group(i, slices.DeleteFunc(topmost(n.prefixes), func(p string) bool { return !strings.HasPrefix(p, f.Prefix) }))
				if g.prefix != f.Prefix || len(g.needs) != f.For || f.For < 2 {
					t.Fatalf("%+v is not the deepest for %d of %q", f, f.For, n.prefixes)
				}
				more := sum(chosen) - cost(f.Prefix)
				for _, b := range g.below(n) {
					more += cost(b.prefix)
				}
				if more <= budget {
					t.Fatalf("%+v could be unfolded: %d of %d", f, more, budget)
				}
				if len(n.within) > 0 && !slices.ContainsFunc(n.within, func(w string) bool { return strings.HasPrefix(f.Prefix, w) }) {
					t.Fatalf("%+v is in none of the locations %q", f, n.within)
				}
			}
		}
		// What was asked for and the result together give the result again, and the order
		// of what is asked for does not matter.
		again := slices.Clone(all)
		for i := range again {
			again[i].prefixes = append(slices.Clone(chosen[i]), again[i].prefixes...)
			slices.Reverse(again[i].prefixes)
		}
		if len(folds) > 0 {
			if same, _, ok := fold(again, budget, cost); !ok || !slices.EqualFunc(same, chosen, slices.Equal[[]string]) {
				t.Fatalf("%q and then %q", chosen, same)
			}
		}
	})
}

func TestFoldingTakesTheDeepestFoldersAndSparesThoseOfOthers(t *testing.T) {
	t.Parallel()
	cost := func(string) int { return 1 }
	for name, c := range map[string]struct {
		needs  needs
		budget int
		want   []string
	}{
		"it fits":               {needs{prefixes: []string{"x/", "x/y/"}}, 2, []string{"x/", "x/y/"}},
		"what is covered first": {needs{prefixes: []string{"x/", "x/y/", "z/"}}, 2, []string{"x/", "z/"}},
		"the larger folder":     {needs{prefixes: []string{"a/1/", "a/2/", "b/1/", "b/2/", "b/3/"}}, 3, []string{"a/1/", "a/2/", "b/"}},
		"the deepest":           {needs{prefixes: []string{"a/b/c/1/", "a/b/c/2/", "a/z/"}}, 2, []string{"a/b/c/", "a/z/"}},
		"empty names":           {needs{prefixes: []string{"a//1/", "a//2/", "a/b/"}}, 2, []string{"a//", "a/b/"}},
		"another's tree spared": {needs{prefixes: []string{"a/1/", "a/2/", "b/1/", "b/2/"}, others: []string{"a/hr/"}}, 3, []string{"a/1/", "a/2/", "b/"}},
		"within the location":   {needs{prefixes: []string{"a/1/", "a/2/", "b/"}, within: []string{"a/"}}, 2, []string{"a/", "b/"}},
		"the bucket at last":    {needs{prefixes: []string{"a/", "b/"}}, 1, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, ok := fold([]needs{c.needs}, c.budget, cost)
			if !ok || !slices.Equal(got[0], c.want) {
				t.Errorf("%q, %v, want %q", got, ok, c.want)
			}
		})
	}
	if _, _, ok := fold([]needs{{prefixes: []string{"a/", "b/"}, within: []string{"a/"}}}, 1, cost); ok {
		t.Error("two locations fit into one")
	}
}
