package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples are those of commands that are typed in one or two ways. Commands with more to
// choose have their examples beside their flags.
func examples() map[string]string {
	return map[string]string{
		"account clear":       "lakemesh account clear --account-type producer --dry-run",
		"account enable":      "lakemesh account enable --account-type producer\nlakemesh account enable --account-type producer --account-id 111111111111",
		"account init":        "lakemesh account init --account-type producer --buckets sales-lake",
		"adopt records":       "lakemesh adopt records --dry-run\nlakemesh adopt records",
		"demo":                "lakemesh demo",
		"local load":          "lakemesh local load",
		"local reset":         "lakemesh local reset --yes",
		"local status":        "lakemesh local status --wait 30s",
		"local stop":          "lakemesh local stop",
		"mesh init":           "lakemesh mesh init --dry-run\nlakemesh mesh init --allow-full-table-external-data-access",
		"mesh upgrade":        "lakemesh mesh upgrade --dry-run\nlakemesh mesh upgrade",
		"product get":         "lakemesh product get --database-name aviation-111111111111 --table-name weather",
		"product list":        "lakemesh product list\nlakemesh product list --domain transport --wide",
		"product migrate":     "lakemesh product migrate --source-database-name aviation --dry-run",
		"request cancel":      "lakemesh request cancel 7KqPzR2m --reason \"not needed any more\"",
		"request deny":        "lakemesh request deny 7KqPzR2m --decision-notes \"ask for fewer columns\"",
		"request list":        "lakemesh request list\nlakemesh request list --wide",
		"subscription abort":  "lakemesh subscription abort 7KqPzR2m",
		"subscription delete": "lakemesh subscription delete 7KqPzR2m --reason \"the study is over\"",
		"subscription get":    "lakemesh subscription get 7KqPzR2m",
		"subscription import": "lakemesh subscription import 7KqPzR2m --principals arn:aws:iam::222222222222:role/Analyst",
		"subscription list":   "lakemesh subscription list --status Active\nlakemesh subscription list --ending-within 30d",
		"subscription settle": "lakemesh subscription settle",
		"subscription tidy":   "lakemesh subscription tidy --dry-run",
		"subscription update": "lakemesh subscription update 7KqPzR2m --grant-permissions DESCRIBE\nlakemesh subscription update 7KqPzR2m --until 2027-03-31",
		"version":             "lakemesh version --output json",
	}
}

// addExamples gives the commands their examples.
func addExamples(root *cobra.Command) {
	for path, text := range examples() {
		c, _, err := root.Find(strings.Fields(path))
		must(err)
		if c.Example == "" {
			c.Example = "  " + strings.ReplaceAll(text, "\n", "\n  ")
		}
	}
}
