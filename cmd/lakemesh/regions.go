package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

// knownRegions are the regions of AWS's partitions in which lakemesh works, as
// botocore's partitions.json of November 2026 has them. New ones come, so that a name which
// is not among them is only warned of.
func knownRegions() []string {
	return []string{
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
		"ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
		"eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "me-west-1", "mx-central-1", "sa-east-1", "sa-west-1",
		"us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
	}
}

// unknownRegion warns of a region that is none of those known; empty if it is, or if none is
// named.
func unknownRegion(region string) string {
	if region == "" || slices.Contains(knownRegions(), region) {
		return ""
	}
	text := fmt.Sprintf("region %s is none that was known when this version was made", region)
	if near := near(region, knownRegions()); len(near) > 0 {
		text += "; is " + near[0] + " meant?"
	}
	return text
}

// near are the words that a word could be a misspelling of.
func near(word string, words []string) []string {
	// The parser finds names like another among commands.
	of := &cobra.Command{Use: "words", SuggestionsMinimumDistance: 2}
	for _, w := range words {
		of.AddCommand(&cobra.Command{Use: w, Run: func(*cobra.Command, []string) {}})
	}
	return of.SuggestionsFor(word)
}
