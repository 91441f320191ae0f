package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/producer"
)

// operation is an operation of the library and the command that does it.
type operation struct {
	name string
	// method keeps name true: it is the method that the name is of.
	method any
	// command is what a person types; argument is the parameter that stands behind it
	// without a flag.
	command, argument string
	// needs are the parameters without which the command is wrong usage. What is not known
	// of them stands for itself: --database-name DATABASE_NAME.
	needs []string
}

// operations are those that errors name as what to do.
func operations() []operation {
	return []operation{
		{"admin.InitializeMeshAccount", (*admin.Admin).InitializeMeshAccount, "mesh init", "", nil},
		{"admin.UpgradeMesh", (*admin.Admin).UpgradeMesh, "mesh upgrade", "", nil},
		{"admin.OptIn", (*admin.Admin).OptIn, "mesh opt-in", "", nil},
		{"admin.AccessList", (*admin.Admin).AccessList, "access list --as admin", "", nil},
		{"admin.AdoptRecords", (*admin.Admin).AdoptRecords, "adopt records", "", nil},
		{"admin.EnableAccountAsProducer", (*admin.Admin).EnableAccountAsProducer, "account enable --account-type producer", "AccountID", nil},
		{"admin.EnableAccountAsConsumer", (*admin.Admin).EnableAccountAsConsumer, "account enable --account-type consumer", "AccountID", nil},
		{"admin.InitializeProducerAccount", (*admin.Admin).InitializeProducerAccount, "account init --account-type producer", "", nil},
		{"admin.InitializeConsumerAccount", (*admin.Admin).InitializeConsumerAccount, "account init --account-type consumer", "", nil},
		{"admin.Explain", (*admin.Admin).Explain, "explain --as admin", "", []string{"Database", "Table", "Principal"}},
		{"admin.DisableAccount", (*admin.Admin).DisableAccount, "account disable", "AccountID", []string{"AccountID", "AccountType"}},
		{"consumer.RequestExtension", (*consumer.Consumer).RequestExtension, "request extend", "SubscriptionID", []string{"SubscriptionID", "For"}},
		{"consumer.ListProducts", (*consumer.Consumer).ListProducts, "product list", "", nil},
		{"consumer.Explain", (*consumer.Consumer).Explain, "explain --as consumer", "", []string{"Database", "Table", "Principal"}},
		{"consumer.FinalizeSubscription", (*consumer.Consumer).FinalizeSubscription, "subscription import", "SubscriptionID", []string{"SubscriptionID"}},
		{"consumer.ListProductAccess", (*consumer.Consumer).ListProductAccess, "subscription list --as consumer", "", nil},
		{"consumer.RequestAccessToProduct", (*consumer.Consumer).RequestAccessToProduct, "request create", "", []string{"OwnerAccountID", "DatabaseName", "RequestPermissions"}},
		{"consumer.CancelAccessRequest", (*consumer.Consumer).CancelAccessRequest, "request cancel", "SubscriptionID", []string{"SubscriptionID"}},
		{"consumer.RemoveDeadLinks", (*consumer.Consumer).RemoveDeadLinks, "subscription tidy", "", nil},
		{"consumer.DeleteSubscription", (*consumer.Consumer).DeleteSubscription, "subscription delete --as consumer", "SubscriptionID", []string{"SubscriptionID"}},
		{"producer.CreateDataProducts", (*producer.Producer).CreateDataProducts, "product create", "", []string{"SourceDatabaseName"}},
		{"producer.SyncProducts", (*producer.Producer).SyncProducts, "product sync", "", nil},
		{"producer.GetDataProduct", (*producer.Producer).GetDataProduct, "product get", "", []string{"DatabaseName"}},
		{"producer.ListPendingAccessRequests", (*producer.Producer).ListPendingAccessRequests, "request list", "", nil},
		{"producer.ListSubscriptions", (*producer.Producer).ListSubscriptions, "subscription list", "", nil},
		{"producer.Explain", (*producer.Producer).Explain, "explain --as producer", "", []string{"Database", "Table", "Principal"}},
		{"producer.ApproveAccessRequest", (*producer.Producer).ApproveAccessRequest, "request approve", "RequestID", []string{"RequestID"}},
		{"producer.DenyAccessRequest", (*producer.Producer).DenyAccessRequest, "request deny", "RequestID", []string{"RequestID"}},
		{"producer.AbortDecision", (*producer.Producer).AbortDecision, "subscription abort", "SubscriptionID", []string{"SubscriptionID"}},
		{"producer.SettleDepartures", (*producer.Producer).SettleDepartures, "subscription settle", "", nil},
		{"producer.UpdateSubscriptionPermissions", (*producer.Producer).UpdateSubscriptionPermissions, "subscription update", "SubscriptionID", []string{"SubscriptionID", "GrantPermissions"}},
		{"producer.Repair", (*producer.Producer).Repair, "verify --repair", "", nil},
		{"producer.DeleteSubscription", (*producer.Producer).DeleteSubscription, "subscription delete", "SubscriptionID", []string{"SubscriptionID"}},
		{"producer.ExpireSubscriptions", (*producer.Producer).ExpireSubscriptions, "expire", "", nil},
		{"producer.UnpublishDataProducts", (*producer.Producer).UnpublishDataProducts, "product unpublish", "", []string{"SourceDatabaseName"}},
		{"producer.RestoreTables", (*producer.Producer).RestoreTables, "product restore", "", []string{"SourceDatabaseName"}},
		{"producer.MigrateTablesToMesh", (*producer.Producer).MigrateTablesToMesh, "product migrate", "", []string{"SourceDatabaseName"}},
	}
}

// command is a call of the library as a person types it here.
func command(c lakemesh.Call) string {
	for _, o := range operations() {
		if o.name != c.Operation {
			continue
		}
		words := []string{"lakemesh", o.command}
		var flags []string
		lacking := slices.Clone(o.needs)
		for _, a := range c.Arguments {
			lacking = slices.DeleteFunc(lacking, func(name string) bool { return flagOf(o.name, name) == flagOf(o.name, a.Name) })
			switch {
			case a.Name == o.argument:
				words = append(words, quoted(a.Value))
			case slices.Contains(switches(), a.Name) && a.Value == "true":
				flags = append(flags, "--"+flagOf(o.name, a.Name))
			default:
				flags = append(flags, "--"+flagOf(o.name, a.Name), quoted(a.Value))
			}
		}
		for _, name := range lacking {
			if name == "DatabaseName" && slices.ContainsFunc(c.Arguments, func(a lakemesh.Argument) bool { return a.Name == "Domain" || a.Name == "DataProduct" }) {
				// They are named in its place.
				continue
			}
			word := strings.ToUpper(strings.ReplaceAll(flagOf(o.name, name), "-", "_"))
			if name == "For" {
				// Any word would do for a name, and none for a time.
				word = "90d"
			}
			if name == o.argument {
				words = append(words, word)
			} else {
				flags = append(flags, "--"+flagOf(o.name, name), word)
			}
		}
		return strings.Join(append(words, flags...), " ")
	}
	return c.String()
}

// switches are the parameters whose flags have no value.
func switches() []string {
	return []string{"EndSubscriptions", "KeepRecords", "LoseGrants", "Overwrite"}
}

// callPattern finds calls as the library writes them in a text: in the messages of errors
// inside of others, in warnings and in problems.
var callPattern = regexp.MustCompile(`\b(?:admin|producer|consumer)\.[A-Z]\w+\((?:\w+: "(?:[^"\\]|\\.)*"(?:, )?)*\)`)

// commands makes the library's calls in a text commands.
func commands(text string) string {
	return callPattern.ReplaceAllStringFunc(text, func(found string) string {
		name, rest, _ := strings.Cut(found, "(")
		c := lakemesh.Do(name)
		for rest != ")" {
			parameter, after, _ := strings.Cut(rest, ": ")
			value, err := strconv.QuotedPrefix(after)
			if err != nil {
				return found
			}
			rest = strings.TrimPrefix(after[len(value):], ", ")
			if value, err = strconv.Unquote(value); err != nil {
				return found
			}
			c.Arguments = append(c.Arguments, lakemesh.Argument{Name: parameter, Value: value})
		}
		return command(c)
	})
}

// flagOf is the flag of an operation's parameter.
func flagOf(operation, parameter string) string {
	if strings.HasSuffix(operation, ".Explain") && parameter == "Database" {
		// As people call it who ask.
		return "product"
	}
	return flagName(parameter)
}

// flagName is the flag of a parameter: DatabaseName is --database-name.
func flagName(parameter string) string {
	if parameter == "Type" {
		// An account's; other types have no flag.
		parameter = "AccountType"
	}
	var b strings.Builder
	letters := []rune(parameter)
	for i, r := range letters {
		begins := unicode.IsUpper(r) && i > 0 && (unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if begins {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// quoted is a value as a shell takes it for one word.
func quoted(value string) string {
	value = printable.Line(value)
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.,:/@%+=", r)
	}
	if value != "" && strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0 {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// lasting are the flags that say where a person works: whoever typed one needs it in the
// next command, too. A profile is not among them: the next command may be somebody else's.
func lasting() []string {
	return []string{"local", "context", "mesh-account", "region", "credentials-file"}
}

// typed are the lasting flags as they were typed, but some.
func typed(f *pflag.FlagSet, but ...string) string {
	var b strings.Builder
	for _, name := range lasting() {
		flag := f.Lookup(name)
		switch {
		case flag == nil || !flag.Changed || slices.Contains(but, name):
		case flag.Value.Type() == "bool":
			if flag.Value.String() == "true" {
				b.WriteString(" --" + name)
			}
		default:
			b.WriteString(" --" + name + " " + quoted(flag.Value.String()))
		}
	}
	return b.String()
}
