package dynamodb_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// liveUntil sets the time to live of a table to an attribute, or off.
func liveUntil(t testing.TB, c *awsdynamodb.Client, attribute string, enabled bool) {
	t.Helper()
	if _, err := c.UpdateTimeToLive(t.Context(), &awsdynamodb.UpdateTimeToLiveInput{TableName: aws.String("things"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &enabled}}); err != nil {
		t.Fatal(err)
	}
}

// thingsLeft are the ids of all items, by a scan and by a scan of an index.
func thingsLeft(t testing.TB, c *awsdynamodb.Client) (table, index []string) {
	t.Helper()
	for from, into := range map[string]*[]string{"": &table, "keysOnly": &index} {
		in := &awsdynamodb.ScanInput{TableName: aws.String("things")}
		if from != "" {
			in.IndexName = &from
		}
		out, err := c.Scan(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		*into = texts(out.Items, "id")
		slices.Sort(*into)
	}
	return table, index
}

// TestItemsLiveUntilTheirTime turns the clock, and has the items removed whose time was
// two days ago.
func TestItemsLiveUntilTheirTime(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	arn := streamedTable(t, c, types.StreamViewTypeNewAndOldImages)
	now := m.now.Unix()
	put := func(id string, until types.AttributeValue) {
		t.Helper()
		it := item{"id": s(id), "kind": s("k")}
		if until != nil {
			it["until"] = until
		}
		putThing(t, c, it)
	}
	put("before", n(now+60)) // There before the setting.
	liveUntil(t, c, "until", true)
	put("soon", n(now+60))
	put("later", n(now+3600))
	put("past", n(now-60))
	put("forgotten", n(now-6*366*24*3600))
	put("none", nil)
	put("text", s("1"))
	put("fraction", n("1714979289.5"))
	put("huge", n("9e100"))
	put("negative", n(-1))
	put("moved", n(now+60))
	put("moved", n(now+24*3600))
	put("freed", n(now+60))
	put("deleted", n(now+60))
	if _, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("freed")}, UpdateExpression: aws.String("REMOVE #u"),
		ExpressionAttributeNames: map[string]string{"#u": "until"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("deleted")}}); err != nil {
		t.Fatal(err)
	}
	stay := []string{"forgotten", "fraction", "freed", "huge", "negative", "none", "text"}
	start := m.now
	reader := m.streams(t, account, "reader", allowAll)
	for _, step := range []struct {
		after time.Duration
		left  []string
	}{
		{2 * time.Minute, []string{"before", "later", "moved", "past", "soon"}}, // Their time is over, and they are still there.
		{48*time.Hour - 61*time.Second, []string{"before", "later", "moved", "past", "soon"}},
		{48*time.Hour - 60*time.Second, []string{"before", "later", "moved", "soon"}},
		{48*time.Hour + 60*time.Second, []string{"later", "moved"}},
		{49 * time.Hour, []string{"moved"}},
		{72 * time.Hour, nil},
		{20 * 366 * 24 * time.Hour, nil},
	} {
		m.now = start.Add(step.after)
		want := append(slices.Clone(stay), step.left...)
		slices.Sort(want)
		table, index := thingsLeft(t, c)
		if diff := cmp.Diff(want, table); diff != "" {
			t.Errorf("after %s (-want +got)\n%s", step.after, diff)
		}
		if diff := cmp.Diff(want, index); diff != "" {
			t.Errorf("after %s in the index (-want +got)\n%s", step.after, diff)
		}
		if step.after == 49*time.Hour {
			var removed []string
			for _, r := range recordsOf(t, reader, arn) {
				if r.EventName != "REMOVE" {
					continue
				}
				if r.UserIdentity == nil || aws.ToString(r.UserIdentity.PrincipalId) != "dynamodb.amazonaws.com" || aws.ToString(r.UserIdentity.Type) != "Service" || r.Dynamodb.OldImage == nil {
					t.Errorf("record %+v", r)
				}
				removed = append(removed, r.Dynamodb.Keys["id"].(*streamtypes.AttributeValueMemberS).Value)
			}
			slices.Sort(removed)
			if diff := cmp.Diff([]string{"before", "later", "past", "soon"}, removed); diff != "" {
				t.Errorf("the stream tells (-want +got)\n%s", diff)
			}
		}
	}
}

// TestTimeToLiveIsOfItsTable has items left alone when the setting or the table is
// another one by then, also when the mesh is opened again in between.
func TestTimeToLiveIsOfItsTable(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	opened, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m := unclosed(opened)
	start := m.now
	c := m.admin(t)
	keyed(t, c)
	liveUntil(t, c, "until", true)
	until := n(start.Unix())
	putThing(t, c, item{"id": s("1"), "until": until})
	liveUntil(t, c, "until", false)
	m.now = start.Add(100 * time.Hour)
	if getThing(t, c, "1") == nil {
		t.Error("an item is removed that has no time to live any more")
	}
	liveUntil(t, c, "other", true)
	if getThing(t, c, "1") == nil {
		t.Error("an item is removed whose time is in another attribute")
	}
	liveUntil(t, c, "other", false)
	liveUntil(t, c, "until", true)
	if getThing(t, c, "1") != nil {
		t.Error("an item that was there before the setting is left")
	}
	putThing(t, c, item{"id": s("2"), "until": n(m.now.Unix())})
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if opened, err = store.Open(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	reopened := unclosed(opened)
	reopened.now = m.now.Add(72 * time.Hour)
	if c = reopened.admin(t); getThing(t, c, "2") != nil {
		t.Error("an item is left whose time ended while the mesh was closed")
	}
	putThing(t, c, item{"id": s("3"), "until": n(reopened.now.Unix())})
	if _, err := c.DeleteTable(t.Context(), &awsdynamodb.DeleteTableInput{TableName: aws.String("things")}); err != nil {
		t.Fatal(err)
	}
	keyed(t, c)
	putThing(t, c, item{"id": s("3"), "until": n(reopened.now.Unix())})
	reopened.now = reopened.now.Add(72 * time.Hour)
	if getThing(t, c, "3") == nil {
		t.Error("an item is removed that is of a later table of the name")
	}
}

// TestManyItemsExpireAtOnce removes more of them than one transaction does.
func TestManyItemsExpireAtOnce(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	keyed(t, c)
	liveUntil(t, c, "until", true)
	for i := range 250 {
		putThing(t, c, item{"id": s(time.Duration(i).String()), "until": n(m.now.Unix() + int64(i%7))})
	}
	m.now = m.now.Add(49 * time.Hour)
	if table, _ := thingsLeft(t, c); len(table) != 0 {
		t.Errorf("%d items are left", len(table))
	}
}
