package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The flags that narrow a subscription.
const (
	columnsFlag = "columns"
	exceptFlag  = "except-columns"
	rowsFlag    = "rows"
	forFlagName = "principals"
)

// narrowedText says shortly that a subscription, or what it asks for, is narrowed, or is for
// organizations and units; empty if it is neither.
func narrowedText(s *lakemesh.Subscription) string {
	scope := s.Scope
	if s.Status == lakemesh.Pending {
		scope = s.RequestedScope
	}
	var words []string
	if scope.Partly() {
		words = append(words, "a part")
	}
	if scope.Direct() {
		words = append(words, "some identities")
	}
	for _, unit := range scope.Organizations() {
		words = append(words, "every account of "+unit[strings.LastIndexByte(unit, '/')+1:])
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// addScope adds the flags that say what a request is narrowed to.
func addScope(cmd *cobra.Command, s *lakemesh.Scope) {
	f := cmd.Flags()
	f.Var(list{values: &s.Columns}, columnsFlag, "the only columns of each table (default: all)")
	f.Var(list{values: &s.ExceptColumns}, exceptFlag, "columns of each table that are left out")
	f.Var(condition{&s.Rows, "leave the flag out to ask for all rows"}, rowsFlag, "the condition on rows, such as \"country = 'DE' AND amount < 100\" (default: all)")
	f.Var(list{values: &s.Principals}, forFlagName, "users and roles of the account that are granted access themselves, or organizations and units of which every account is, by ARN (default: the account, which hands it on)")
	cmd.MarkFlagsMutuallyExclusive(columnsFlag, exceptFlag)
}

// narrowing is what a decision narrows a subscription to, by its flags.
type narrowing struct {
	cmd *cobra.Command
	in  producer.ScopeInput
	row string
}

// addNarrowing adds the flags by which a decision narrows, each of which says otherwise if it
// is left out.
func addNarrowing(cmd *cobra.Command, n *narrowing, otherwise string) {
	n.cmd = cmd
	f := cmd.Flags()
	f.Var(list{values: &n.in.Columns, none: true, said: true}, columnsFlag, "the only columns of each table; none for all of them ("+otherwise+")")
	f.Var(list{values: &n.in.ExceptColumns}, exceptFlag, "columns of each table that are left out ("+otherwise+")")
	f.Var(condition{&n.row, "none is all rows"}, rowsFlag, "the condition on rows; none for all of them ("+otherwise+")")
	f.Var(list{values: &n.in.Principals, none: true, said: true}, forFlagName, "users and roles that are granted access themselves, or organizations and units of which every account is, by ARN; none for the account that asked ("+otherwise+")")
	cmd.MarkFlagsMutuallyExclusive(columnsFlag, exceptFlag)
}

// condition is the flag of a condition on rows. An empty one would let all rows through, and is
// what a variable has that was never set.
type condition struct {
	value *string
	// all says how all rows are meant.
	all string
}

func (c condition) String() string { return *c.value }
func (c condition) Type() string   { return "string" }

func (c condition) Set(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("a condition is expected; " + c.all)
	}
	*c.value = s
	return nil
}

// named is what the flags say.
func (n *narrowing) named() producer.ScopeInput {
	if !n.cmd.Flags().Changed(rowsFlag) {
		n.in.Rows = nil
		return n.in
	}
	rows := n.row
	if strings.EqualFold(rows, "none") {
		rows = ""
	}
	n.in.Rows = &rows
	return n.in
}
