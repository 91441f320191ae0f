package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// The library speaks in the names of its operations and parameters, this program in those of
// its commands and flags. What the library says is told in the words of this program.

// commandNames are the commands of operations, by the names that plans and errors have.
func commandNames() map[string]string {
	names := map[string]string{
		"AdoptGrants": "adopt grants", "BootstrapAccount": "account enable", "ClearAccount": "account clear", "RetireAccount": "account disable",
		"ApplyAccounts": "account apply", "Repair": "verify", "DestroyMesh": "mesh destroy", "GetTableInfo": "product get", "GetSubscription": "subscription get", "OptIn": "mesh opt-in",
	}
	for _, o := range operations() {
		_, name, _ := strings.Cut(o.name, ".")
		if name == "Explain" || name == "Repair" {
			continue
		}
		command, _, _ := strings.Cut(o.command, " --")
		names[name] = command
	}
	return names
}

// parameterFlags are the flags of parameters whose names are no words of English.
func parameterFlags() map[string]string {
	flags := map[string]string{"KMSKeys": "kms-key", "KeyPolicies": "key-policy", "MeshAccountID": "mesh-account", "LogLevel": "log-level"}
	for _, name := range []string{
		"AccountID", "DatabaseName", "DecisionNotes", "EndSchedules", "ExceptColumns", "ExposeDataMeshDBName", "ExposeTableReferencesWithSuffix", "GrantPermissions",
		"GrantablePermissions", "LinkDatabaseName", "LinkRegion", "LinkRegions", "OwnerAccountID", "PermissionsBoundary", "RequestPermissions",
		"AllowFullTableExternalDataAccess", "CrawlerRoleARN", "DataProduct", "DataProductName", "EndSubscriptions", "LoseGrants", "SharingCalls", "SourceDatabaseName", "SyncMeshCatalogSchedule", "SyncMeshCrawlerRoleARN", "TableName", "TableNameRegex", "CreatePublicMetadata",
	} {
		flags[name] = flagName(name)
	}
	return flags
}

// wordParameters are parameters whose names are words, too. They are told as flags where they
// are what an error is about.
func wordParameters() []string {
	return []string{"Account", "At", "Buckets", "Columns", "Concurrency", "Consumer", "Database", "Domain", "For", "Hybrid", "Notes", "Principal", "Principals", "Reason", "Region",
		"Rows", "Table", "Tables", "Tags", "Type", "Until"}
}

// ownWords tells a text of the library in the words of this program.
func ownWords(text string) string {
	text = saidTwice.ReplaceAllString(text, "$2")
	text = replaceWords(text, commandNames(), "")
	return replaceWords(text, parameterFlags(), "--")
}

// saidTwice is a parameter that is followed by its flag.
var saidTwice = regexp.MustCompile(`\b([A-Z]\w+) \((--[a-z-]+)\)`)

// word is a word that may be a name, with what stands before it.
var word = regexp.MustCompile(`(^|[^\w:./*-])([A-Z][A-Za-z]+)\b`)

// replaceWords replaces words where they stand by themselves: not in a call, an ARN, an
// action of IAM or a longer name.
func replaceWords(text string, by map[string]string, prefix string) string {
	return word.ReplaceAllStringFunc(text, func(found string) string {
		m := word.FindStringSubmatch(found)
		if to, ok := by[m[2]]; ok {
			return m[1] + prefix + to
		}
		return found
	})
}

// aboutFlag tells an error about a parameter by the flag that the person has typed.
func (a *app) aboutFlag(err *lakemesh.Error, message string) string {
	if err == nil || a.command == nil || !slices.Contains(wordParameters(), err.Resource) || !strings.HasPrefix(message, err.Resource+": ") {
		return message
	}
	for _, flag := range []string{flagName(err.Resource), "for-" + flagName(err.Resource), "account-" + flagName(err.Resource), flagName(err.Resource) + "-name"} {
		if a.command.Flags().Lookup(flag) != nil {
			return "--" + flag + strings.TrimPrefix(message, err.Resource)
		}
	}
	return message
}
