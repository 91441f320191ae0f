package athena_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// parameters reads "name=value; name=value".
func parameters(text string) func(*gluetypes.TableInput) {
	return func(t *gluetypes.TableInput) {
		for p := range strings.SplitSeq(text, "; ") {
			k, v, _ := strings.Cut(p, "=")
			t.Parameters[k] = v
		}
	}
}

func keyed(text string) func(*gluetypes.TableInput) {
	return func(t *gluetypes.TableInput) { t.PartitionKeys = columns(text) }
}

func TestPartitionProjection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	projected := func(name, keys, params string) {
		w.table(name, "id bigint", text, comma, keyed(keys), parameters("projection.enabled=true; "+params))
	}
	projected("e", "kind string", "projection.kind.type=enum; projection.kind.values=tea,cup")
	projected("i", "n int", "projection.n.type=INTEGER ; projection.n.range=1,9; projection.n.interval=2; projection.n.digits=2")
	projected("d", "day string", "projection.day.type=date; projection.day.range=2024/02/27,2024/03/02; projection.day.format=yyyy/MM/dd; storage.location.template=s3://data/d/${day}/")
	projected("m", "month string, kind string", "projection.month.type=date; projection.month.range=2023-11,2024-02; projection.month.format=yyyy-MM; projection.kind.type=injected")
	projected("h", "hour string", "projection.hour.type=date; projection.hour.range=NOW-3HOURS,NOW; projection.hour.format=yyyyMMddHH; projection.hour.interval=1; projection.hour.interval.unit=HOURS")
	hour := time.Now().UTC().Add(-time.Hour).Format("2006010215")
	for i, key := range []string{"e/kind=tea/a", "e/kind=cup/a", "e/kind=pot/a", "i/n=01/a", "i/n=2/a", "i/n=02/a", "i/n=05/a", "i/n=5/a", "d/2024/02/26/a", "d/2024/02/29/a", "d/2024/03/02/a", "m/month=2023-12/kind=tea/a",
		"m/month=2023-12/kind=cup/a", "m/month=2024-03/kind=tea/a", "m/month=2024-01/kind=tea/a", "h/hour=" + hour + "/a", "h/hour=2020010100/a"} {
		w.put(key, fmt.Sprintf("%d\n", i))
	}
	w.script(admin,
		[2]string{"SELECT id, kind FROM e ORDER BY id", "0|tea\n1|cup"},
		[2]string{"SELECT count(*) FROM e WHERE kind = 'pot'", "0"},
		[2]string{"SELECT id FROM e WHERE kind IN ('cup', 'pot')", "1"},
		[2]string{"SELECT id, n FROM i ORDER BY id", "3|1\n6|5"},
		[2]string{"SELECT id FROM i WHERE n >= 2 AND n < 9", "6"},
		[2]string{"SELECT count(*) FROM i WHERE n = 2", "0"},
		[2]string{"SELECT id, day FROM d ORDER BY id", "9|2024/02/29\n10|2024/03/02"},
		[2]string{"SELECT max(id) FROM d WHERE day < '2024/03/01'", "9"},
		[2]string{"SELECT id FROM m WHERE kind = 'tea' ORDER BY id", "11\n14"},
		[2]string{"SELECT count(*) FROM m WHERE kind = 'tea' AND month = '2023-12'", "1"},
		[2]string{"SELECT month, count(*) FROM m WHERE kind IN ('tea', 'cup') GROUP BY month ORDER BY 1", "2023-12|2\n2024-01|1"},
		[2]string{"SELECT m.id, e.id FROM m JOIN e ON m.kind = e.kind WHERE m.kind = 'tea' ORDER BY 1", "11|0\n14|0"},
		[2]string{"SELECT count(*) FROM m", "CONSTRAINT_VIOLATION: For the injected projected partition column kind"},
		[2]string{"SELECT count(*) FROM m WHERE kind LIKE 't%'", "CONSTRAINT_VIOLATION"},
		[2]string{"SELECT count(*) FROM m WHERE kind = '../../e/kind=tea'", "0"},
		[2]string{"SELECT id FROM h", "15"},
	)
	for n, params := range []string{"projection.kind.type=enum", "projection.other.type=enum; projection.other.values=a", "projection.kind.type=integer; projection.kind.range=9,1", "projection.kind.type=date; projection.kind.range=2024-01-01,NOW", "projection.kind.type=list",
		"projection.kind.type=enum; projection.kind.values=a; storage.location.template=s3://data/x/", "projection.kind.type=enum; projection.kind.values=a; projection.kind.interval=0", "projection.kind.type=date; projection.kind.format=yyyy-MM-dd; projection.kind.range=2024-01-01"} {
		name := fmt.Sprintf("bad%d", n)
		projected(name, "kind string", params)
		if got := w.ask("SELECT count(*) FROM " + name); !strings.HasPrefix(got, "INVALID_TABLE_PROPERTY: Table "+name+" is configured for partition projection, but ") {
			t.Errorf("%s: %s", params, got)
		}
	}
	projected("long", "n bigint", "projection.n.type=integer; projection.n.range=0,9223372036854775807")
	w.put("long/n=9223372036854775807/a", "7\n")
	w.script(admin, [2]string{"SELECT id FROM long WHERE n = 9223372036854775807", "7"}, [2]string{"SELECT id FROM long", "is not in the local mesh"})
}
