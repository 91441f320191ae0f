package main

import (
	"regexp"
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
}

// operations are those that errors name as what to do.
func operations() []operation {
	return []operation{
		{"admin.InitializeMeshAccount", (*admin.Admin).InitializeMeshAccount, "mesh init", ""},
		{"admin.UpgradeMesh", (*admin.Admin).UpgradeMesh, "mesh upgrade", ""},
		{"admin.AccessList", (*admin.Admin).AccessList, "access list --as admin", ""},
		{"admin.AdoptRecords", (*admin.Admin).AdoptRecords, "adopt records", ""},
		{"admin.EnableAccountAsProducer", (*admin.Admin).EnableAccountAsProducer, "account enable --account-type producer", "AccountID"},
		{"admin.EnableAccountAsConsumer", (*admin.Admin).EnableAccountAsConsumer, "account enable --account-type consumer", "AccountID"},
		{"admin.InitializeProducerAccount", (*admin.Admin).InitializeProducerAccount, "account init --account-type producer", ""},
		{"admin.InitializeConsumerAccount", (*admin.Admin).InitializeConsumerAccount, "account init --account-type consumer", ""},
		{"admin.Explain", (*admin.Admin).Explain, "explain --as admin", ""},
		{"producer.CreateDataProducts", (*producer.Producer).CreateDataProducts, "product create", ""},
		{"producer.SyncProducts", (*producer.Producer).SyncProducts, "product sync", ""},
		{"producer.GetDataProduct", (*producer.Producer).GetDataProduct, "product get", ""},
		{"producer.ListPendingAccessRequests", (*producer.Producer).ListPendingAccessRequests, "request list", ""},
		{"producer.ListSubscriptions", (*producer.Producer).ListSubscriptions, "subscription list", ""},
		{"producer.Explain", (*producer.Producer).Explain, "explain --as producer", ""},
		{"producer.ApproveAccessRequest", (*producer.Producer).ApproveAccessRequest, "request approve", "RequestID"},
		{"producer.AbortDecision", (*producer.Producer).AbortDecision, "subscription abort", "SubscriptionID"},
		{"producer.SettleDepartures", (*producer.Producer).SettleDepartures, "subscription settle", ""},
		{"producer.UpdateSubscriptionPermissions", (*producer.Producer).UpdateSubscriptionPermissions, "subscription update", "SubscriptionID"},
		{"producer.Repair", (*producer.Producer).Repair, "verify --repair", ""},
		{"producer.DeleteSubscription", (*producer.Producer).DeleteSubscription, "subscription delete", "SubscriptionID"},
		{"producer.ExpireSubscriptions", (*producer.Producer).ExpireSubscriptions, "expire", ""},
		{"consumer.RequestExtension", (*consumer.Consumer).RequestExtension, "request extend", "SubscriptionID"},
		{"consumer.ListProducts", (*consumer.Consumer).ListProducts, "product list", ""},
		{"consumer.Explain", (*consumer.Consumer).Explain, "explain --as consumer", ""},
		{"consumer.FinalizeSubscription", (*consumer.Consumer).FinalizeSubscription, "subscription import", "SubscriptionID"},
		{"consumer.ListProductAccess", (*consumer.Consumer).ListProductAccess, "subscription list --as consumer", ""},
		{"consumer.RequestAccessToProduct", (*consumer.Consumer).RequestAccessToProduct, "request create", ""},
		{"consumer.FinalizeSubscription", (*consumer.Consumer).FinalizeSubscription, "subscription import", "SubscriptionID"},
		{"consumer.CancelAccessRequest", (*consumer.Consumer).CancelAccessRequest, "request cancel", "SubscriptionID"},
		{"consumer.RemoveDeadLinks", (*consumer.Consumer).RemoveDeadLinks, "subscription tidy", ""},
		{"consumer.DeleteSubscription", (*consumer.Consumer).DeleteSubscription, "subscription delete --as consumer", "SubscriptionID"},
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
		for _, a := range c.Arguments {
			if a.Name == o.argument {
				words = append(words, quoted(a.Value))
			} else {
				flags = append(flags, "--"+flagOf(o.name, a.Name), quoted(a.Value))
			}
		}
		return strings.Join(append(words, flags...), " ")
	}
	return c.String()
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
	return []string{"local", "mesh-account", "region", "credentials-file"}
}

// typed are the lasting flags as they were typed.
func typed(f *pflag.FlagSet) string {
	var b strings.Builder
	for _, name := range lasting() {
		flag := f.Lookup(name)
		switch {
		case flag == nil || !flag.Changed:
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
