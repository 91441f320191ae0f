package tracker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// attributeOf makes an attribute of a value of JSON.
func attributeOf(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case float64:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []any:
		l := &types.AttributeValueMemberL{}
		for _, e := range v {
			l.Value = append(l.Value, attributeOf(e))
		}
		return l
	case map[string]any:
		if set, ok := v["SS"].([]any); ok {
			ss := &types.AttributeValueMemberSS{}
			for _, e := range set {
				ss.Value = append(ss.Value, fmt.Sprint(e))
			}
			return ss
		}
		m := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
		for k, e := range v {
			m.Value[k] = attributeOf(e)
		}
		return m
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

// FuzzDecode reads records whatever is in them. What a consumer may write never
// makes a subscription of a request, nor changes what was decided and granted.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"SubscriptionId":"111111111111-999999999999-ABCDEFGHJKLMNPQRSTUVWX","OwnerPrincipal":"111111111111","SubscriberPrincipal":"999999999999","Status":"Active","DatabaseName":"d","TableName":["t"],"RequestedGrants":["SELECT"]}`,
		`{"SubscriptionId":"ABCDEFGHJKLMNPQRSTUVWX","OwnerPrincipal":"1","SubscriberPrincipal":"2","Status":"Deleted","PermittedGrants":{"SS":["ALL"]},"GrantedTableARNs":["arn:aws:glue:r:a:table/d/t"],"RamShares":{"t":{"type":"Table","arn":"x"}}}`,
		`{"SubscriptionId":"x","Claim":{"Action":"approve","Holder":"h","Until":"2026-01-01T00:00:00Z","Database":"other","Tables":["t"],"Permissions":["ALL"]},"Leaving":true,"Notes":{"SS":["a","a"]},"CreationDate":"never","History":["a"]}`,
		`{"Status":"Active","DecidedStatus":"Active","TableName":null}`, `[]`, `null`, `{"":{}}`,
	} {
		f.Add([]byte(seed))
	}
	const owner, subscriber = "111111111111", "999999999999"
	id := owner + "-" + subscriber + "-ABCDEFGHJKLMNPQRSTUVWX"
	f.Fuzz(func(t *testing.T, data []byte) {
		var values map[string]any
		if json.Unmarshal(data, &values) != nil {
			t.Skip("not the JSON that the test makes items of")
		}
		item := map[string]types.AttributeValue{}
		for k, v := range values {
			item[k] = attributeOf(v)
		}
		if r, err := decode(item); err == nil && (r.ID == "" || r.Owner == "" || r.Subscriber == "") {
			t.Errorf("a record of nobody: %+v", r)
		}
		// As a consumer writes it. The key is what it is, and the indexes find it by
		// owner and subscriber only if they are texts.
		forged := map[string]types.AttributeValue{}
		for k, v := range item {
			if slices.Contains(ConsumerAttributes(), k) {
				forged[k] = v
			}
		}
		forged[attrID], forged[attrOwner], forged[attrSubscriber] = str(id), str(owner), str(subscriber)
		if r, err := decode(forged); err != nil || r.Status == lakemesh.Active || r.Status == lakemesh.Denied && r.stored != lakemesh.Denied {
			t.Errorf("without a decision it is %+v, %v", r, err)
		}
		for _, decided := range []lakemesh.Status{lakemesh.Active, lakemesh.Denied, lakemesh.Deleted} {
			record := maps.Clone(forged)
			record[attrDecided] = str(string(decided))
			if decided == lakemesh.Active {
				record[attrPermitted], record[attrTableARNs] = list([]string{"SELECT"}), list([]string{"arn:aws:glue:us-east-1:555555555555:table/sales/orders"})
			}
			r, err := decode(record)
			if err != nil || r.Status != decided || r.Owner != owner || r.Subscriber != subscriber {
				t.Fatalf("decided %s, it is %+v, %v", decided, r, err)
			}
			if decided == lakemesh.Active && (r.Database != "sales" && !equalFold(r.Database, "sales") || len(r.Tables) != 1 || !equalFold(r.Tables[0], "orders") || r.Permitted.String() != "SELECT") {
				t.Errorf("granted was orders, and it is %s.%v with %s", r.Database, r.Tables, r.Permitted)
			}
		}
	})
}

func equalFold(a, b string) bool { return sameNames(folded([]string{a}), []string{b}) }
