package proof

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh"
)

// Outlook is what is known of the accounts before anything is made in them.
type Outlook struct {
	Accounts []*Account `json:"Accounts"`
	// Busy says by account id what an account is used for besides: it is no sandbox that is empty.
	Busy map[string][]string `json:"Busy,omitempty"`
}

// Options say how a run is made.
type Options struct {
	// Profiles opens the accounts.
	Profiles map[Part]string
	// Region is where everything is made; empty means the profiles'.
	Region string
	// NotIn are accounts in which nothing is ever made.
	NotIn []string
	// AlsoIn are accounts in which it is done although they are used for other things.
	AlsoIn []string
	// Only are numbers of rules, or beginnings of them such as "9.", and "life": what else there is
	// is not tried. Empty means everything.
	Only []string
	// SkipLife leaves the life of a product out, and with it lakemesh's own names.
	SkipLife bool
	// Folder is where journals are kept.
	Folder string
	// Patience is how long something may take to become known, in seconds; 0 means
	// [DefaultPatience].
	Patience Patience
	// Tell is told what happens, in one line each; nil means nobody is.
	Tell func(format string, args ...any)
}

// soundsInUse reports whether an alias has a word that stands for an account that is in use.
func soundsInUse(alias string) bool {
	for _, word := range strings.FieldsFunc(strings.ToLower(alias), func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch word {
		case "prod", "prd", "production", "live", "main", "master":
			return true
		}
	}
	return false
}

// Look opens the accounts and looks what is in them. It changes nothing. Accounts that may not be
// used are refused.
func Look(ctx context.Context, o Options) (*Outlook, error) {
	if err := o.checkOnly(); err != nil {
		return nil, err
	}
	accounts := make([]*Account, 0, len(Parts()))
	for _, part := range Parts() {
		a, err := Open(ctx, part, o.Profiles[part], o.Region)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return look(ctx, accounts, o)
}

// checkOnly refuses numbers of which there is no rule: nothing would be tried, and nothing said.
func (o Options) checkOnly() error {
	for _, begin := range o.Only {
		one := Options{Only: []string{begin}}
		if begin != theLife && !slices.ContainsFunc(Rules(), func(r Rule) bool { return one.wantsRule(r.Number) }) {
			return lakemesh.Invalid("only", "%q is no rule of docs/aws-rules.md, such as 1.5 or 8.20, and not %q", begin, theLife)
		}
	}
	return nil
}

func look(ctx context.Context, accounts []*Account, o Options) (*Outlook, error) {
	out := &Outlook{Accounts: accounts, Busy: map[string][]string{}}
	for i, a := range accounts {
		for _, other := range accounts[:i] {
			if other.ID == a.ID {
				return nil, lakemesh.Invalid("profiles", "%s and %s are the same account %s: three are needed", other.Part, a.Part, a.ID)
			}
			if other.Region != a.Region {
				return nil, lakemesh.Invalid("--region", "the profiles have %s and %s: name one region", other.Region, a.Region)
			}
			if other.Endpoint != a.Endpoint {
				return nil, lakemesh.Invalid("profiles", "%s goes to %q and %s to %q: all to AWS, or all to one endpoint", other.Part, other.Endpoint, a.Part, a.Endpoint)
			}
		}
		if slices.Contains(o.NotIn, a.ID) {
			return nil, &lakemesh.Error{Account: a.ID, Resource: "profile " + a.Profile, Kind: lakemesh.ErrInvalidInput, Message: "it is one of --not-in; nothing was made"}
		}
		aliases, err := iamOf(a.config).ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})
		if denied(err) != nil {
			return nil, fmt.Errorf("look at account %s: %w", a.ID, err)
		}
		if err == nil {
			a.Aliases = aliases.AccountAliases
		}
		if err := out.lookInto(ctx, a); err != nil {
			return nil, fmt.Errorf("look at account %s: %w", a.ID, err)
		}
	}
	return out, nil
}

// lookInto finds what an account is used for.
func (o *Outlook) lookInto(ctx context.Context, a *Account) error {
	busy := func(format string, args ...any) { o.Busy[a.ID] = append(o.Busy[a.ID], fmt.Sprintf(format, args...)) }
	for _, alias := range a.Aliases {
		if soundsInUse(alias) {
			busy("it is called %s", alias)
		}
	}
	databases, err := glueOf(a.config).GetDatabases(ctx, &glue.GetDatabasesInput{})
	if denied(err) != nil {
		return err
	}
	if err == nil {
		var names []string
		for _, d := range databases.DatabaseList {
			// Athena's console and EMR make one of this name in each account.
			if name := aws.ToString(d.Name); name != "default" && !isOurs(name) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			busy("its catalog has databases: %s", some(names))
		}
	}
	locations, err := lake(a.config).ListResources(ctx, &lakeformation.ListResourcesInput{})
	if denied(err) != nil {
		return err
	}
	if err == nil {
		var arns []string
		for _, l := range locations.ResourceInfoList {
			if arn := aws.ToString(l.ResourceArn); !isRuns(arn) {
				arns = append(arns, arn)
			}
		}
		if len(arns) > 0 {
			busy("Lake Formation has registered locations: %s", some(arns))
		}
	}
	shares, err := ramOf(a.config).GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareStatus: ramtypes.ResourceShareStatusActive})
	if denied(err) != nil {
		return err
	}
	if err == nil {
		var names []string
		for _, s := range shares.ResourceShares {
			names = append(names, aws.ToString(s.Name))
		}
		if len(names) > 0 {
			busy("it shares with other accounts: %s", some(names))
		}
	}
	return nil
}

// Refuse says why nothing may be made in the accounts; nil if it may.
func (o *Outlook) Refuse(ctx context.Context, options Options) error {
	for _, a := range o.Accounts {
		r := &remover{account: a, administrator: a.config}
		left, err := r.present(ctx, isRuns)
		if err != nil {
			return fmt.Errorf("look at account %s: %w", a.ID, err)
		}
		if len(left) > 0 {
			return &lakemesh.Error{Account: a.ID, Resource: left[0].Name, Kind: lakemesh.ErrConflict, Message: fmt.Sprintf("%d things of another run are there; nothing was made", len(left)),
				Hint: "remove them: lakemesh acceptance clean"}
		}
		if reasons := o.Busy[a.ID]; len(reasons) > 0 && !slices.Contains(options.AlsoIn, a.ID) {
			return &lakemesh.Error{Account: a.ID, Resource: "account", Kind: lakemesh.ErrConflict, Message: strings.Join(reasons, "; ") + "; nothing was made",
				Hint: "use an account that has nothing else in it, or say that it may be this one: --also-in " + a.ID}
		}
		if !options.wantsLife() {
			continue
		}
		there, err := r.present(ctx, isMeshs)
		if err != nil {
			return fmt.Errorf("look at account %s: %w", a.ID, err)
		}
		if len(there) > 0 {
			return &lakemesh.Error{Account: a.ID, Resource: there[0].Name, Kind: lakemesh.ErrConflict, Message: "a mesh, or something with a name of one, is there; nothing was made",
				Hint: "use other accounts, or leave the life of a product out: --skip-life"}
		}
	}
	return nil
}

// some are the first of many names.
func some(names []string) string {
	const shown = 5
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}
