package lakeformation_test

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// A page of 100 tables, each of which asks Lake Formation about the caller.
func BenchmarkVisibleTables(b *testing.B) {
	w := newWorld(b)
	someone := w.person(owner, "Someone")
	for i := range 200 {
		w.table("t" + strconv.Itoa(i))
		w.must(w.grant(adminOf(owner), someone, table("t"+strconv.Itoa(i)), "SELECT"))
	}
	for name, principal := range map[string]string{"granted": someone, "administrator": adminOf(owner), "nobody": w.person(owner, "Nobody")} {
		c := w.glue(principal)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("sales"), MaxResults: aws.Int32(100)})
				if name != "nobody" {
					w.must(err)
				}
			}
		})
	}
}

// A batch of 20 grants to another account, over and over.
func BenchmarkBatchGrantAbroad(b *testing.B) {
	w := newWorld(b)
	c := w.lake(adminOf(owner))
	for i := range 100 {
		w.table("t" + strconv.Itoa(i))
	}
	n := 0
	for b.Loop() {
		var entries []types.BatchPermissionsRequestEntry
		for i := range 20 {
			entries = append(entries, types.BatchPermissionsRequestEntry{
				Id: aws.String(strconv.Itoa(i)), Principal: &principals(recipient)[0],
				Resource: table("t" + strconv.Itoa((n+i)%100)), Permissions: perms{types.PermissionSelect}, PermissionsWithGrantOption: perms{types.PermissionSelect},
			})
		}
		n += 20
		out, err := c.BatchGrantPermissions(w.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: entries})
		w.must(err)
		if len(out.Failures) > 0 {
			b.Fatal(pretty(out.Failures))
		}
	}
}
