package main

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/plan"
)

// Plans, histories and access lists keep to the width of a terminal, as far as no word is
// longer, and lose nothing by it.
func TestWhatIsShownFitsTheTerminal(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::999999999999:role/team/Analyst"
	p := &plan.Plan{Operation: "FinalizeSubscription", Warnings: []string{"besides them, these still hold access from before: " + role + ", " + role}}
	p.Add(plan.Step{Account: "999999999999", Summary: "grant DESCRIBE, SELECT on table sales-111111111111.orders_of_the_year_before_last to " + role})
	s := &lakemesh.Subscription{ID: "111111111111-999999999999-Uno4DvzuwNPfAUfXvJLeJu", Notes: []string{strings.Repeat("a long note ", 12)}, History: []lakemesh.Event{
		{At: time.Now(), By: role, Action: lakemesh.ActionRequest, To: lakemesh.Pending, Reason: strings.Repeat("a long reason ", 12)}}}
	all := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe, lakemesh.Insert, lakemesh.Delete, lakemesh.Alter, lakemesh.Drop)
	entries := []access.Entry{{Principal: role, Permissions: all, Grantable: all, Through: []string{s.ID}}}
	for name, show := range map[string]func(width int) string{
		"plan":        func(width int) string { return (&app{width: width}).renderPlan(p) },
		"history":     func(width int) string { return renderSubscription(s, width) },
		"access list": func(width int) string { return renderAccess(entries, "table", width) },
	} {
		words := func(text string) string { return strings.Join(strings.Fields(ansi.Strip(text)), " ") }
		for _, width := range []int{66, 80, 400} {
			text := show(width)
			for l := range strings.Lines(text) {
				if n := ansi.StringWidth(strings.TrimRight(l, "\n")); n > width && len(strings.Fields(ansi.Strip(l))) > 1 {
					t.Errorf("%s at %d: a line of %d: %s", name, width, n, l)
				}
			}
			if name != "history" && words(text) != words(show(0)) {
				t.Errorf("%s at %d says\n%s", name, width, text)
			}
		}
	}
}
