package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) explainCommand() *cobra.Command {
	var q producer.ExplainInput
	var as, permission string
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Tell why somebody can, or cannot, read a table",
		Long: `Walks link by link from what was decided to what can be read: for an account, or for a
role or a user of one. It tells what was found of each link, which is the first that is
broken, through which subscription or hand-made grant something is held, and the command
that mends it. It changes nothing.

Owner, consumer and the mesh's administrator see different links. What the one who asks
cannot see is marked, and never guessed. With "--as both" and the keys of both, all links
are seen.`,
		Example: `  lakemesh explain --product sales-111111111111 --table orders --principal 222222222222
  lakemesh explain --product sales-111111111111 --table orders --column price \
    --principal arn:aws:iam::222222222222:role/Analyst --as consumer`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		q.Permission = lakemesh.Permission(permission)
		e, err := a.explain(ctx, as, q)
		if err != nil {
			return err
		}
		for _, way := range e.Ways {
			for i := range way.Steps {
				way.Steps[i].Command = mends(way.Steps[i])
			}
		}
		return a.show(e, func() { fmt.Fprint(a.out, a.renderExplanation(e)) })
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&q.Database, "product", "", "the product's database in the mesh")
	f.StringVar(&q.Table, "table", "", "the table")
	f.StringVar(&q.Column, "column", "", "one column of it (default: all of the table)")
	f.StringVar(&q.Principal, "principal", "", "an account, the ARN of a role or a user, or <account>:IAMPrincipals")
	f.StringVar(&permission, "permission", string(lakemesh.Select), "the permission")
	f.Var(newChoice(&as, "", "producer", "consumer", "both", "admin"), "as", "who asks: producer, consumer, both or admin (default: producer, or the one that the credentials file holds)")
	required(cmd, "product", "table", "principal")
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"producer", "consumer", "both", "admin"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// explain asks who is to be asked.
func (a *app) explain(ctx context.Context, as string, q producer.ExplainInput) (*producer.Explanation, error) {
	as, err := a.looks(as)
	if err != nil {
		return nil, err
	}
	if as == "admin" {
		m, err := a.admin(ctx, lakemesh.MeshIdentity)
		if err != nil {
			return nil, err
		}
		return m.Explain(ctx, q)
	}
	side := lakemesh.ProducerIdentity
	if as != "both" {
		if side, err = a.side(ctx, as, lakemesh.ProducerIdentity); err != nil {
			return nil, err
		}
	}
	var owner, receiver *producer.Explanation
	if as == "both" || side == lakemesh.ProducerIdentity {
		var p *producer.Producer
		if p, err = a.producer(ctx); err != nil {
			return nil, err
		}
		if owner, err = p.Explain(ctx, q); err != nil || as != "both" {
			return owner, err
		}
	}
	var c *consumer.Consumer
	if c, err = a.consumer(ctx); err != nil {
		return nil, err
	}
	if receiver, err = c.Explain(ctx, q); err != nil || owner == nil {
		return receiver, err
	}
	return chain.Together(owner, receiver), nil
}

// explained is how wide an explanation is where there is no terminal.
const explained = 80

var (
	roles  = regexp.MustCompile(`(^|[^"\w])arn:aws[a-z-]*:iam::([0-9]{12}):(role|user)/(?:[^\s,;:)]*/)?([^\s/,;:)]+)`)
	shares = regexp.MustCompile(`(?:resource share )?arn:aws[a-z-]*:ram:[^\s,;)]*:resource-share/([0-9a-f-]+)`)
)

// briefly writes ARNs in a sentence as people call what they name.
func briefly(text string) string {
	return shares.ReplaceAllString(roles.ReplaceAllString(text, "$1$3 $4 of $2"), "resource-share/$1")
}

// renderExplanation is an explanation for people: the links, an answer, and what to do.
func (a *app) renderExplanation(e *producer.Explanation) string {
	width := explained
	if a.width > 0 {
		width = min(width, a.width)
	}
	var b strings.Builder
	on := e.Database + "." + e.Table
	if e.Column != "" {
		on += ", column " + e.Column
	}
	fmt.Fprintf(&b, "%s\n%s on %s\n", bold.Render(e.Principal), bold.Render(string(e.Permission)), bold.Render(on))
	if len(e.Ways) == 0 {
		return b.String()
	}
	way := e.Ways[0]
	fmt.Fprintf(&b, "\n")
	for i := 0; i < len(way.Steps); i++ {
		s := way.Steps[i]
		names := []string{string(s.Link)}
		for i+1 < len(way.Steps) && s.State == chain.NotSeen && way.Steps[i+1].State == s.State && way.Steps[i+1].What == s.What {
			i++
			names = append(names, string(way.Steps[i].Link))
		}
		const column = 14
		name, indent := fmt.Sprintf("%-*s", column-1, strings.Join(names, ", ")), strings.Repeat(" ", column+4)
		text := wrapped(briefly(s.What), width-len(indent), indent)
		if len(name) >= column {
			name = strings.Join(names, ", ") + "\n" + indent[1:]
		}
		fmt.Fprintf(&b, "  %s %s %s\n", mark(s.State), name, text)
	}
	fmt.Fprintf(&b, "\n%s\n", wrapped(answer(e), width, ""))
	if who, do := todo(e); do != "" {
		fmt.Fprintf(&b, "%s\n", accent.Render(who+":"))
		// Whole, so that it can be copied.
		fmt.Fprintf(&b, "  %s\n", printable.Line(a.here(do)))
	}
	for _, note := range e.Notes {
		fmt.Fprintf(&b, "%s\n", wrapped("note: "+briefly(note), width, "  "))
	}
	return b.String()
}

// mark is a sign for a state.
func mark(s chain.State) styled {
	switch s {
	case chain.Holds:
		return good.Render("✓")
	case chain.Broken:
		return bad.Render("✗")
	case chain.Partly, chain.Differs:
		return notice.Render("~")
	case chain.NotNeeded:
		return faint.Render("-")
	}
	return notice.Render("?")
}

// called is a link as a sentence calls it.
func called(l chain.Link) string {
	if l == chain.HandedOn {
		return "handing on"
	}
	return string(l)
}

// answer is the verdict in a sentence.
func answer(e *producer.Explanation) string {
	way := e.Ways[0]
	through := ""
	if grant, ok := way.Step(chain.Grant); ok {
		var by []string
		for _, r := range grant.Reasons {
			if r.Origin == chain.BySubscription {
				by = append(by, "subscription "+r.Subscription)
			} else {
				by = append(by, fmt.Sprintf("%s (%s)", strings.TrimPrefix(string(r.Origin), "by "), briefly(r.What)))
			}
		}
		slices.Sort(by)
		if by = slices.Compact(by); len(by) > 0 {
			through = ", by " + strings.Join(by, " and ")
		}
	}
	switch broken, is := e.FirstBroken(); {
	case e.Verdict == chain.Cannot:
		return fmt.Sprintf("It cannot: the first broken link is the %s.", called(broken.Link))
	case e.Verdict == chain.Untold && is:
		return fmt.Sprintf("It cannot %s: the first broken link is the %s. Whether it can in another way, cannot be told from here.", way.Path, called(broken.Link))
	case e.Verdict == chain.Untold:
		return "It cannot be told from here: what is seen holds" + through + "."
	case e.Verdict == chain.InPart:
		what := ""
		if len(e.Parts) > 0 {
			what = ": " + chain.Said(e.Parts)
		}
		return "It can in part" + through + what + "."
	}
	return "It can" + through + "."
}

// todo is what to do, and who: what mends the first link that is broken, or else who sees
// more.
func todo(e *producer.Explanation) (who, do string) {
	if broken, ok := e.FirstBroken(); ok && broken.Mends == "" && broken.Look != nil {
		return "to see more, as the " + string(broken.Sees), command(*broken.Look)
	} else if ok && broken.Do != nil && broken.Do.Operation == "producer.SettleDepartures" {
		// It gives nothing back: what is left can be asked for anew after it has ended.
		return "to end what was left, before it can be asked for anew, as the " + string(broken.Mends), mends(broken)
	} else if ok {
		return "to mend it, as the " + string(broken.Mends), mends(broken)
	}
	for _, s := range e.Ways[0].Steps {
		if s.State == chain.NotSeen && s.Look != nil {
			return "to see more, as the " + string(s.Sees), command(*s.Look)
		}
	}
	for _, state := range []chain.State{chain.Partly, chain.Differs} {
		for _, s := range e.Ways[0].Steps {
			if s.State == state && mends(s) != "" {
				return "to put it in order, as the " + string(s.Mends), mends(s)
			}
		}
	}
	return "", ""
}

// mends is the command that mends a link; empty if none does.
func mends(s chain.Step) string {
	if s.Do != nil {
		return command(*s.Do)
	}
	return s.Command
}

// wrapped breaks a text into lines between words. What is longer than a line stays whole.
func wrapped(text string, width int, indent string) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(printable.Line(text)) {
		switch {
		case n > 0 && n+1+ansi.StringWidth(word) > width:
			b.WriteString("\n" + indent)
			n = 0
		case n > 0:
			b.WriteString(" ")
			n++
		}
		b.WriteString(word)
		n += ansi.StringWidth(word)
	}
	return b.String()
}
