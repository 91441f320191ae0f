package tracker

import (
	"slices"
	"testing"

	"github.com/lakemesh/lakemesh"
)

// Who an import was for stays so after an update that changes nothing for them.
func TestWhomAccessIsHandedOnTo(t *testing.T) {
	t.Parallel()
	reads, writes := lakemesh.NewPermissions(lakemesh.Select), lakemesh.NewPermissions(lakemesh.Select, lakemesh.Insert)
	event := func(a lakemesh.Action, p, grantable lakemesh.Permissions) lakemesh.Event {
		return lakemesh.Event{Action: a, Permissions: p, Grantable: grantable, To: lakemesh.Active}
	}
	imports := func(who string) lakemesh.Event {
		return lakemesh.Event{Action: lakemesh.ActionImport, Reason: handedOnTo + who, To: lakemesh.Active}
	}
	approved := event(lakemesh.ActionApprove, reads, reads)
	for name, test := range map[string]struct {
		history []lakemesh.Event
		want    []string
	}{
		"one after the other":            {[]lakemesh.Event{approved, imports("a"), imports("b")}, []string{"a", "b"}},
		"an end is moved in between":     {[]lakemesh.Event{approved, imports("a"), event(lakemesh.ActionUpdate, reads, reads), imports("b")}, []string{"a", "b"}},
		"more is given in between":       {[]lakemesh.Event{approved, imports("a"), event(lakemesh.ActionUpdate, writes, writes), imports("b")}, []string{"b"}},
		"less may be handed on":          {[]lakemesh.Event{approved, imports("a"), event(lakemesh.ActionUpdate, reads, nil), imports("b")}, []string{"b"}},
		"changed, and not imported yet":  {[]lakemesh.Event{approved, imports("a"), event(lakemesh.ActionUpdate, writes, writes)}, []string{"a"}},
		"changed and back, in two steps": {[]lakemesh.Event{approved, imports("a"), event(lakemesh.ActionUpdate, writes, writes), event(lakemesh.ActionUpdate, reads, reads), imports("b")}, []string{"b"}},
	} {
		if got, _ := HandedOn(test.history); !slices.Equal(got, test.want) {
			t.Errorf("%s: to %v, want %v", name, got, test.want)
		}
	}
}
