package dynamodb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const malformed = "Statement wasn't well formed, can't be processed: "

func execute(t testing.TB, c *awsdynamodb.Client, statement string, parameters ...types.AttributeValue) (*awsdynamodb.ExecuteStatementOutput, error) {
	t.Helper()
	return c.ExecuteStatement(t.Context(), &awsdynamodb.ExecuteStatementInput{Statement: &statement, Parameters: parameters})
}

// rows carries out a statement that succeeds.
func rows(t testing.TB, c *awsdynamodb.Client, statement string, parameters ...types.AttributeValue) []item {
	t.Helper()
	out, err := execute(t, c, statement, parameters...)
	if err != nil {
		t.Errorf("%s: %v", statement, err)
		return nil
	}
	return out.Items
}

func TestStatementsSelectByConditions(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, ofEveryType())
	for where, found := range map[string]bool{
		`n = 5`: true, `n = 5.0`: true, `n = 5e0`: true, `n = '5'`: false, `5 = n`: true, `n <> 6`: true, `n != 6`: true, `none <> 1`: true, `n < 6`: true, `n <= 4`: false,
		`n > -5`: true, `n > .5`: true, `n >= +5`: true, `s = 'hello'`: true, `s = 'it''s'`: false, `"s" = 'hello'`: true, `"a.b" = 'dotted'`: true, `status = 'reserved'`: true,
		`yes = true`: true, `yes = FALSE`: false, `"null" = null`: true, `l = [1, 'x']`: true, `l = ['x', 1]`: false, `ss = <<'b', 'a'>>`: true, `ns = <<1, 2>>`: true,
		`m = {'a': {'b': [1, 2, {'c': 'deep'}]}}`: true, `m.a.b[2].c = 'deep'`: true, `m['a'].b[0] = 1`: true, `m.a.b[9] = 1`: false,
		`n BETWEEN 5 AND 6`: true, `n BETWEEN 6 AND 7`: false, `n IN [1, 5]`: true, `n IN (1, 5)`: true, `n NOT IN [1, 5]`: false, `n IN [1, '5']`: false,
		`begins_with(s, 'he')`: true, `begins_with("s", 'el')`: false, `CONTAINS(ss, 'a')`: true, `contains(s, 'ell')`: true, `contains(l, 1)`: true, `NOT contains(ss, 'z')`: true,
		`size(s) = 5`: true, `size(l) < 2`: false, `attribute_type(ss, 'SS')`: true, `attribute_type(ss, 'S')`: false, `attribute_exists(m.a)`: true, `attribute_exists(m.b)`: false,
		`attribute_not_exists(none)`: true, `attribute_exists(ss) = true`: true, `attribute_exists(none) = false`: true,
		`none IS MISSING`: true, `n IS MISSING`: false, `n IS NOT MISSING`: true, `"null" IS NULL`: true, `n IS NULL`: false, `n IS NOT NULL`: true, `yes IS BOOL`: true, `s IS STRING`: true, `s IS NUMBER`: false,
		`n = 5 AND s = 'hello'`: true, `n = 5 AND s = 'x'`: false, `n = 6 OR s = 'hello'`: true, `NOT n = 6`: true, `NOT (n = 5 OR n = 6)`: false, `(n = 6 OR n = 5) AND (s = 'hello')`: true,
		`n = 6 AND n = 7 OR n = 5`: true, `n = s`: false, `n < 'x'`: false, `b = none`: false,
	} {
		for what, statement := range map[string]string{
			"all":   `SELECT * FROM things WHERE ` + where,
			"keyed": `select * from "things" where id = '1' and (` + where + `) -- of one partition`,
		} {
			if got := rows(t, c, statement); (len(got) == 1) != found {
				t.Errorf("%s: %s finds %d", what, where, len(got))
			}
		}
	}
}

// A SELECT finds what a scan finds with the same condition, whatever the condition is.
func TestStatementsFindWhatScansFind(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeN)
	for i := range 12 {
		it := item{"stream": s([]string{"a", "b", "c"}[i%3]), "seq": n(i)}
		if i%2 == 0 {
			it["v"] = n(i % 5)
		}
		if i%4 < 2 {
			it["title"] = s(fmt.Sprint("t", i%3))
		}
		putEvent(t, c, it)
	}
	literal := map[string]types.AttributeValue{"'a'": s("a"), "'b'": s("b"), "1": n(1), "3": n(3), "'t1'": s("t1")}
	texts := []string{"'a'", "'b'", "1", "3", "'t1'"}
	rapid.Check(t, func(rt *rapid.T) {
		values := item{}
		var condition func(depth int) (statement, expression string)
		condition = func(depth int) (string, string) {
			if depth > 0 && rapid.Bool().Draw(rt, "joined") {
				ls, le := condition(depth - 1)
				rs, re := condition(depth - 1)
				operator := rapid.SampledFrom([]string{" AND ", " OR "}).Draw(rt, "operator")
				return "(" + ls + operator + rs + ")", "(" + le + operator + re + ")"
			}
			not := rapid.SampledFrom([]string{"", "NOT "}).Draw(rt, "not")
			name := rapid.SampledFrom([]string{"stream", "seq", "v", "title"}).Draw(rt, "name")
			value := func() (string, string) {
				text := rapid.SampledFrom(texts).Draw(rt, "value")
				placeholder := fmt.Sprint(":v", slices.Index(texts, text))
				values[placeholder] = literal[text]
				return text, placeholder
			}
			text, placeholder := value()
			switch rapid.IntRange(0, 3).Draw(rt, "form") {
			case 0:
				other, otherPlaceholder := value()
				return not + name + " IN [" + text + ", " + other + "]", not + "#" + name + " IN (" + placeholder + ", " + otherPlaceholder + ")"
			case 1:
				return not + name + " IS MISSING", not + "attribute_not_exists(#" + name + ")"
			}
			operator := rapid.SampledFrom([]string{"=", "<>", "<", ">=", "="}).Draw(rt, "comparison")
			return not + name + " " + operator + " " + text, not + "#" + name + " " + operator + " " + placeholder
		}
		statement, expression := condition(3)
		used := item{}
		for placeholder, v := range values {
			if strings.Contains(expression, placeholder) {
				used[placeholder] = v
			}
		}
		names := map[string]string{}
		for _, name := range []string{"stream", "seq", "v", "title"} {
			if strings.Contains(expression, "#"+name) {
				names["#"+name] = name
			}
		}
		in := &awsdynamodb.ScanInput{TableName: aws.String("events"), FilterExpression: &expression, ExpressionAttributeNames: names}
		if len(used) > 0 {
			in.ExpressionAttributeValues = used
		}
		want, err := c.Scan(rt.Context(), in)
		if err != nil {
			if !strings.Contains(err.Error(), "redundant parentheses") {
				rt.Fatalf("%s: %v", expression, err)
			}
			rt.Skip(err) // Only expressions refuse redundant brackets: there is nothing to compare.
		}
		got, err := c.ExecuteStatement(rt.Context(), &awsdynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "events" WHERE ` + statement)})
		if err != nil {
			if strings.Contains(err.Error(), "does not match schema type") {
				rt.Skip(err) // A partition or a range of keys of another type is refused.
			}
			rt.Fatalf("%s: %v", statement, err)
		}
		if diff := cmp.Diff(bySeq(want.Items), bySeq(got.Items), same); diff != "" {
			rt.Errorf("%s (-scan +statement)\n%s", statement, diff)
		}
	})
}

func bySeq(items []item) map[string]item {
	all := map[string]item{}
	for _, it := range items {
		all[fmt.Sprint(it["seq"].(*types.AttributeValueMemberN).Value)] = it
	}
	return all
}

func TestStatementsSelectColumnsInOrder(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeN)
	for _, stream := range []string{"a", "b"} {
		for i := range 3 {
			putEvent(t, c, item{"stream": s(stream), "seq": n(i), "title": s(fmt.Sprint("t", 9-i)), "m": record(item{"x": list(n(i), n(i+10))})})
		}
	}
	seqs := func(items []item) (text string) {
		for _, it := range items {
			stream, _ := it["stream"].(*types.AttributeValueMemberS)
			text += stream.Value + it["seq"].(*types.AttributeValueMemberN).Value + " "
		}
		return strings.TrimSpace(text)
	}
	for statement, want := range map[string]string{
		`SELECT stream, seq FROM events WHERE stream = 'a'`:                                                                     "a0 a1 a2",
		`SELECT stream, seq FROM events WHERE stream = 'a' ORDER BY seq DESC`:                                                   "a2 a1 a0",
		`SELECT stream, seq FROM events WHERE stream = 'a' AND seq > 0 ORDER BY seq ASC`:                                        "a1 a2",
		`SELECT stream, seq FROM events WHERE stream IN ['b', 'a'] ORDER BY stream`:                                             "a0 a1 a2 b0 b1 b2",
		`SELECT stream, seq FROM events WHERE stream IN ['a', 'b'] AND seq < 2 ORDER BY stream DESC, seq`:                       "b0 b1 a0 a1",
		`SELECT stream, seq FROM events WHERE stream = 'a' AND seq = 1 OR stream = 'b' AND seq BETWEEN 1 AND 2 ORDER BY stream`: "a1 b1 b2",
		`SELECT stream, seq FROM events.byTitle WHERE stream = 'a'`:                                                             "a2 a1 a0",
		`SELECT stream, seq FROM "events"."byTitle" WHERE stream = 'a' AND begins_with(title, 't8')`:                            "a1",
		`SELECT stream, seq FROM "events"."byTitle" WHERE stream = 'a' AND title >= 't8' ORDER BY title DESC`:                   "a0 a1",
	} {
		if got := seqs(rows(t, c, statement)); got != want {
			t.Errorf("%s gives %s, want %s", statement, got, want)
		}
	}
	for statement, want := range map[string][]item{
		`SELECT m.x FROM events WHERE stream = 'a' AND seq = 1`:                        {{"x": list(n(1), n(11))}},
		`SELECT seq, m.x[1], none FROM events WHERE stream = 'a' AND seq = 1`:          {{"seq": n(1), "x[1]": n(11)}},
		`SELECT none FROM events WHERE stream = 'a' AND seq = 1`:                       {{}},
		`SELECT * FROM events.byTitle WHERE stream = 'a' AND title = 't8'`:             {{"stream": s("a"), "seq": n(1), "title": s("t8")}},
		`SELECT m.x[0], title FROM events.byTitle WHERE stream = 'a' AND title = 't8'`: {{"x[0]": n(1), "title": s("t8")}},
		`SELECT * FROM events.byTitle WHERE m IS NOT MISSING`:                          nil,
	} {
		if diff := cmp.Diff(want, rows(t, c, statement), same, emptyIsNil); diff != "" {
			t.Errorf("%s (-want +got)\n%s", statement, diff)
		}
	}
}

var emptyIsNil = cmp.Transformer("none", func(in []item) []item {
	if len(in) == 0 {
		return nil
	}
	return in
})

func TestStatementsSelectInPages(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeN)
	want := map[string]item{}
	for i := range 20 {
		it := item{"stream": s([]string{"a", "b", "c"}[i%3]), "seq": n(i), "title": s(fmt.Sprint(i % 4))}
		putEvent(t, c, it)
		want[fmt.Sprint(i)] = it
	}
	for _, statement := range []string{
		`SELECT * FROM events`, `SELECT * FROM events WHERE stream IN ['c', 'a', 'b']`, `SELECT * FROM events WHERE stream IN ['c', 'a', 'b'] ORDER BY seq DESC`,
		`SELECT * FROM events.byTitle`, `SELECT * FROM events WHERE stream = 'a' OR stream = 'b' OR stream = 'c'`, `SELECT * FROM events WHERE seq >= 0`,
	} {
		for _, limit := range []int32{1, 3, 7, 20} {
			var all []item
			in := &awsdynamodb.ExecuteStatementInput{Statement: &statement, Limit: &limit}
			for pages := 0; pages < 25; pages++ {
				out, err := c.ExecuteStatement(t.Context(), in)
				if err != nil {
					t.Fatal(statement, err)
				}
				if len(out.Items) > int(limit) {
					t.Errorf("%s: a page of %d has %d", statement, limit, len(out.Items))
				}
				all = append(all, out.Items...)
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			if diff := cmp.Diff(want, bySeq(all), same); diff != "" || len(all) != len(want) {
				t.Errorf("%s by %d: %d rows (-want +got)\n%s", statement, limit, len(all), diff)
			}
		}
	}
	first, err := c.ExecuteStatement(t.Context(), &awsdynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM events WHERE stream = 'a'`), Limit: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ExecuteStatement(t.Context(), &awsdynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM events WHERE stream = 'b'`), NextToken: first.NextToken})
	refused(t, err, validation, "NextToken does not match request")
	_, err = c.ExecuteStatement(t.Context(), &awsdynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM events`), NextToken: aws.String("nonsense")})
	refused(t, err, validation, "Invalid NextToken")
}

func TestStatementsWrite(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		statement  string
		parameters []types.AttributeValue
		changed    item // with nil for what is gone
		gone       bool
	}{
		"SET":                         {`UPDATE things SET n = 6, "new" = 'x' WHERE id = '1'`, nil, item{"n": n(6), "new": s("x")}, false},
		"several SETs":                {`UPDATE things SET n = 6 SET s = ? REMOVE yes WHERE id = ?`, []types.AttributeValue{s("y"), s("1")}, item{"n": n(6), "s": s("y"), "yes": nil}, false},
		"begins with FROM":            {`FROM things WHERE id = '1' AND n = 5 SET n = 6 REMOVE s`, nil, item{"n": n(6), "s": nil}, false},
		"sums":                        {`UPDATE things SET n = n + 1 - 3, o = n WHERE id = '1'`, nil, item{"n": n(3), "o": n(5)}, false},
		"within":                      {`UPDATE things SET m.a.b[0] = <<'a'>>, m.z = {'k': [null, true]} REMOVE l[0] WHERE id = '1'`, nil, item{"m": record(item{"a": record(item{"b": list(words("a"), n(2), record(item{"c": s("deep")}))}), "z": record(item{"k": list(&types.AttributeValueMemberNULL{Value: true}, boolean(true))})}), "l": list(s("x"))}, false},
		"list_append":                 {`UPDATE things SET l = list_append(l, [2]) WHERE id = '1'`, nil, item{"l": list(n(1), s("x"), n(2))}, false},
		"if_not_exists":               {`UPDATE things SET n = if_not_exists(n, 0), o = if_not_exists(o, 0) + 1 WHERE id = '1'`, nil, item{"o": n(1)}, false},
		"set_add":                     {`UPDATE things SET ss = set_add(ss, <<'c', 'a'>>) SET ns = SET_ADD(ns, ?) SET fresh = set_add(fresh, <<'f'>>) WHERE id = '1'`, []types.AttributeValue{numbers("9")}, item{"ss": words("a", "b", "c"), "ns": numbers("1", "2", "9"), "fresh": words("f")}, false},
		"set_delete":                  {`UPDATE things SET ss = set_delete(ss, <<'a', 'z'>>) SET ns = set_delete(ns, <<1, 2>>) SET none = set_delete(none, <<1>>) WHERE id = '1'`, nil, item{"ss": words("b"), "ns": nil}, false},
		"UPDATE with a condition":     {`UPDATE things SET n = 6 WHERE n = 5 AND id = '1' AND attribute_exists(m.a)`, nil, item{"n": n(6)}, false},
		"DELETE":                      {`DELETE FROM "things" WHERE id = '1'`, nil, nil, true},
		"DELETE with a condition":     {`DELETE FROM things WHERE id = '1' AND (n = 5 OR n = 6)`, nil, nil, true},
		"DELETE of what is not there": {`DELETE FROM things WHERE id = '2'`, nil, nil, false},
		"DELETE of what is not there, with a condition": {`DELETE FROM things WHERE id = '2' AND n = 5`, nil, nil, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := newMesh(t).admin(t)
			keyed(t, c)
			putThing(t, c, ofEveryType())
			out, err := execute(t, c, test.statement, test.parameters...)
			if err != nil {
				t.Fatal(err)
			}
			if out.Items == nil || len(out.Items) > 0 {
				t.Errorf("the answer has the items %v, want an empty list", out.Items)
			}
			want := ofEveryType()
			for name, v := range test.changed {
				if v == nil {
					delete(want, name)
				} else {
					want[name] = v
				}
			}
			if test.gone {
				want = nil
			}
			if diff := cmp.Diff(want, getThing(t, c, "1"), same); diff != "" {
				t.Errorf("left (-want +got)\n%s", diff)
			}
		})
	}
}

func TestStatementsInsert(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	if got := rows(t, c, `INSERT INTO "things" VALUE {'id': '1', 'n': -1.5e2, "q": ?, 'm': {'l': [1, <<1, 2>>, {}]}, 'z': null, 't': true}`, bytesOf(1)); len(got) != 0 {
		t.Errorf("it returns %v", got)
	}
	want := item{"id": s("1"), "n": n(-150), "q": bytesOf(1), "m": record(item{"l": list(n(1), numbers("1", "2"), record(item{}))}), "z": &types.AttributeValueMemberNULL{Value: true}, "t": boolean(true)}
	if diff := cmp.Diff(want, getThing(t, c, "1"), same); diff != "" {
		t.Errorf("left (-want +got)\n%s", diff)
	}
	_, err := execute(t, c, `INSERT INTO things VALUE {'id': '1', 'other': 1}`)
	refused(t, err, "DuplicateItemException", "Duplicate primary key exists in table")
	if diff := cmp.Diff(want, getThing(t, c, "1"), same); diff != "" {
		t.Errorf("a refused INSERT left (-want +got)\n%s", diff)
	}
}

func TestStatementsReturn(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string][]item{
		`UPDATE things SET v = 2 SET w = 1 WHERE id = '1' RETURNING ALL OLD *`:      {{"id": s("1"), "v": n(1)}},
		`UPDATE things SET v = 2 SET w = 1 WHERE id = '1' RETURNING ALL NEW *`:      {{"id": s("1"), "v": n(2), "w": n(1)}},
		`UPDATE things SET v = 2 SET w = 1 WHERE id = '1' RETURNING MODIFIED OLD *`: {{"v": n(1)}},
		`UPDATE things SET v = 2 SET w = 1 WHERE id = '1' RETURNING MODIFIED NEW *`: {{"v": n(2), "w": n(1)}},
		`UPDATE things REMOVE v WHERE id = '1' RETURNING MODIFIED NEW *`:            nil,
		`FROM things WHERE id = '1' SET v = 3 returning all new *`:                  {{"id": s("1"), "v": n(3)}},
		`DELETE FROM things WHERE id = '1' RETURNING ALL OLD *`:                     {{"id": s("1"), "v": n(1)}},
		`DELETE FROM things WHERE id = '2' RETURNING ALL OLD *`:                     nil,
	} {
		c := newMesh(t).admin(t)
		keyed(t, c)
		putThing(t, c, item{"id": s("1"), "v": n(1)})
		if diff := cmp.Diff(want, rows(t, c, statement), same, emptyIsNil); diff != "" {
			t.Errorf("%s (-want +got)\n%s", statement, diff)
		}
	}
}

func TestStatementsThatFailTheirCondition(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, ofEveryType())
	for _, statement := range []string{
		`UPDATE things SET n = 6 WHERE id = '1' AND n = 6`, `UPDATE things SET n = 6 WHERE id = '2'`, `UPDATE things SET n = 6 WHERE id = '2' AND attribute_not_exists(id)`,
		`DELETE FROM things WHERE id = '1' AND none IS NOT MISSING`, `UPDATE things SET n = 6 WHERE id = '1' AND id = '2'`,
		`UPDATE things SET ss = set_add(ss, <<'x'>>) WHERE id = '2'`,
	} {
		_, err := execute(t, c, statement)
		refused(t, err, conditionFailed, "The conditional request failed")
	}
	if got := getThing(t, c, "2"); got != nil {
		t.Errorf("made %v", got)
	}
	if diff := cmp.Diff(ofEveryType(), getThing(t, c, "1"), same); diff != "" {
		t.Errorf("left (-want +got)\n%s", diff)
	}
}

func TestStatementsAreRefused(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	sorted(t, c, types.ScalarAttributeTypeN)
	putThing(t, c, ofEveryType())
	const bad, left = "One or more parameter values were invalid: ", malformed + "Unexpected token after expression"
	for statement, want := range map[string]string{
		`SELECTT * FROM things`:                                            malformed + "Expected data manipulation",
		`SELECT * FROM things WHERE id = '1' foo`:                          left,
		`SELECT * FROM things WHERE id = 1 e5`:                             left,
		`SELECT * FROM things WHERE id = '1')`:                             left,
		`SELECT * FROM things ORDER BY id WHERE id = '1'`:                  left,
		`INSERT INTO things VALUE {'id': '9'} foo`:                         left,
		`INSERT INTO things t VALUE {'id': '9'}`:                           left,
		`UPDATE things SET n = 9 WHERE id = '1' foo`:                       left,
		`DELETE FROM things WHERE id = '1' ORDER BY id`:                    left,
		`SELECT * FROM things WHERE id = '1`:                               malformed,
		`SELECT * FROM "things`:                                            malformed,
		`SELECT * FROM things WHERE n = 1 # note`:                          malformed,
		`SELECT * FROM things WHERE n = 1 /* note`:                         malformed,
		`SELECT * FROM things WHERE n = 1e2147483648`:                      malformed,
		`SELECT * FROM things WHERE n = 1.5e-2147483647`:                   malformed,
		`SELECT * FROM things WHERE m.inner = 1`:                           malformed + "Invalid path dot component",
		`SELECT * FROM things t WHERE id = '1'`:                            "Aliasing is not supported",
		`SELECT * FROM things AS t`:                                        "Aliasing is not supported",
		`UPDATE things t SET n = 3 WHERE id = '1'`:                         "Aliasing is not supported",
		`DELETE FROM things t WHERE id = '1'`:                              "Aliasing is not supported",
		`SELECT * FROM ""`:                                                 "Path component cannot be an empty string",
		`SELECT * FROM things.""`:                                          "Path component cannot be an empty string",
		`SELECT * FROM a.b.c`:                                              "A path may contain at most 2 components in the FROM clause",
		`INSERT INTO things.byOwner VALUE {'id': '9'}`:                     "FROM clause may only contain a single table name",
		`UPDATE things.byOwner SET n = 1 WHERE id = '1'`:                   "This operation is not supported on an index",
		`DELETE FROM things.byOwner WHERE id = '1'`:                        "This operation is not supported on an index",
		`SELECT * FROM things.none`:                                        "The table does not have the specified index",
		`SELECT * FROM things.things WHERE id = '1'`:                       "The table does not have the specified index",
		`SELECT n, s FROM things.keysOnly WHERE kind = 'x'`:                bad + "Global secondary index keysOnly does not project [n, s]",
		`SELECT id FROM things.keysOnly WHERE kind = 'x' AND n = 1`:        bad + "Secondary index keysOnly does not project one or more filter attributes: [n]",
		`SELECT id FROM things.keysOnly WHERE kind IN ['x'] AND n = 1`:     bad + "Secondary index keysOnly does not project one or more filter attributes: [n]",
		`SELECT * FROM events.byTitle WHERE stream = 'x' AND v IS MISSING`: bad + "Secondary index byTitle does not project one or more filter attributes: [v]",
		`SELECT * FROM things WHERE id = 1`:                                bad + "Condition parameter type does not match schema type",
		`SELECT * FROM things ORDER BY id`:                                 "Must have WHERE clause in the statement when using ORDER BY clause.",
		`SELECT * FROM things WHERE n = 1 ORDER BY id`:                     "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
		`SELECT * FROM things WHERE id = '1' ORDER BY n`:                   "Variable reference n in ORDER BY clause must be part of the primary key",
		`SELECT * FROM things WHERE n = 1e126`:                             "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
		`INSERT INTO things VALUE {'id': '9', 'm': {'a': {'x': 1e-131}}}`:  "Number underflow. Attempting to store a number with magnitude smaller than supported range under root.a.x",
		`INSERT INTO things VALUE {'id': '9', 'l': [1, {'y': 1e126}]}`:     "Number overflow. Attempting to store a number with magnitude larger than supported range under root[1].y",
		`SELECT * FROM things WHERE n < true`:                              "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
		`SELECT * FROM nosuch WHERE n < true`:                              "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
		`SELECT * FROM things WHERE attribute_exists('n')`:                 "Operator or function requires a document path; operator or function: attribute_exists",
		`SELECT * FROM things WHERE attribute_exists()`:                    "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 0",
		`SELECT size(n) FROM things`:                                       "Unexpected path component at 1:8:4",
		`SELECT * FROM things WHERE EXISTS(n)`:                             "Unrecognized function: exists at 1:28:6",
		"SELECT * FROM things\n WHERE lower(n) = 1":                        "Unrecognized function: lower at 2:8:5",
		`INSERT INTO things VALUE {'id': '9', 's': set_add(<<1>>, <<2>>)}`: "Unsupported data type: set_add under key root at 1:43:7",
		`UPDATE things SET t = set_add(ss, <<'x'>>) WHERE id = '1'`:        "The first argument to SET_ADD must equal the assignment value at 1:23:7",
		`UPDATE things SET ss = set_delete(ss, 'x') WHERE id = '1'`:        "The second argument to SET_DELETE must be a value with type SET at 1:35:2",
		`UPDATE things SET ss = set_add(ss) WHERE id = '1'`:                "SET_ADD must have exactly two arguments at 1:24:7",
		`UPDATE things SET ss = set_add(ss, <<1>>) WHERE id = '1'`:         "An operand in the update expression has an incorrect data type",
		`UPDATE things SET ss = set_add(ss, <<>>) WHERE id = '1'`:          "Empty bags are not supported",
		`UPDATE things SET ss = <<'x', 'x'>> WHERE id = '1'`:               bad + "Input collection [x, x] contains duplicates.",
		`UPDATE things SET n = 1`:                                          "Where clause does not contain a mandatory equality on all key attributes",
		`UPDATE things SET n = 1 WHERE id > '1'`:                           "Where clause does not contain a mandatory equality on all key attributes",
		`DELETE FROM things WHERE id = '1' OR id = '2'`:                    "Where clause does not contain a mandatory equality on all key attributes",
		`DELETE FROM events WHERE stream = 'a'`:                            "Where clause does not contain a mandatory equality on all key attributes",
		`UPDATE things SET id = '2' WHERE id = '1'`:                        bad + "Cannot update attribute id. This attribute is part of the key",
		`UPDATE things SET n = 1 SET n = 2 WHERE id = '1'`:                 "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [n], path two: [n]",
		`DELETE FROM things WHERE id = '1' RETURNING MODIFIED OLD *`:       "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
		`DELETE FROM things WHERE id = '1' RETURNING ALL NEW *`:            "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
		`INSERT INTO things VALUE {'n': 1}`:                                bad + "Missing the key id in the item",
		`INSERT INTO things VALUE {'id': 1}`:                               bad + "Type mismatch for key id expected: S actual: N",
		`SELECT COUNT(*) FROM things`:                                      "Unexpected path component at 1:8:5",
		`SELECT SUM(n) FROM things`:                                        "Unexpected path component at 1:8:3",
		`SELECT id, n + 1 FROM things`:                                     "Unexpected path component at 1:14:1",
		`SELECT (n || s) FROM things`:                                      "Unexpected path component at 1:11:2",
		`SELECT -n FROM things`:                                            "Unexpected path component at 1:8:1",
		`SELECT 'it''s' FROM things`:                                       "Unexpected path component at 1:8:7",
		`SELECT ? FROM things`:                                             "Unexpected path component at 1:8:1",
		`SELECT NULL FROM things`:                                          "Unexpected path component at 1:8:4",
		`SELECT CASE WHEN n = 1 THEN 1 ELSE 2 END FROM things`:             "Unexpected path component at 1:8:4",
		`SELECT DISTINCT id FROM things`:                                   "Unsupported token in expression: DISTINCT",
		`SELECT VALUE id FROM things`:                                      "Select projection doesn't support value or pivot keywords",
		`SELECT * FROM (SELECT * FROM things)`:                             "Unexpected from source",
		`SELECT * FROM things, events`:                                     "Only select from a single table or index is supported.",
		`SELECT * FROM things JOIN events ON n = v`:                        "Only select from a single table or index is supported.",
		`SELECT * FROM things WHERE id = '1' LIMIT 10`:                     "Unsupported clause: LIMIT at 1:43:2",
		`SELECT * FROM things WHERE id = '1' ORDER BY id LIMIT 10`:         "Unsupported clause: LIMIT at 1:55:2",
		`SELECT * FROM things GROUP BY n HAVING n > 1`:                     "Unsupported clause: GROUP BY",
		`SELECT * FROM things HAVING n > 1`:                                "Unsupported clause: HAVING at 1:31:1",
		`SELECT * FROM things WHERE n + 1 = 2`:                             "Unsupported operator in Condition Expression. Operator: +",
		`SELECT * FROM things WHERE (n % 2) = 1`:                           "Unsupported operator in Condition Expression. Operator: %",
		`SELECT * FROM things WHERE s = 'a' || 'b'`:                        "Unsupported operator in Condition Expression. Operator: ||",
		`SELECT * FROM things WHERE n = -n`:                                "Unsupported operator in Condition Expression. Operator: -",
		`SELECT * FROM things WHERE s NOT LIKE 'a%'`:                       "Unsupported operator in Condition Expression. Operator: like",
		`SELECT * FROM things WHERE COUNT(*) = 1`:                          "Unsupported token in expression: count at 1:28:5",
		`SELECT * FROM things WHERE id = (SELECT id FROM things)`:          "Unsupported token in expression: SELECT at 1:34:6",
		`SELECT * FROM things WHERE id IN (SELECT id FROM things)`:         "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member",
		`DELETE FROM things WHERE id = '1' / 2`:                            "Unsupported operator in Condition Expression. Operator: /",
		`UPDATE things SET n = n * 2 WHERE id = '1'`:                       "Unsupported operator in Update Expression. Operator: *",
		`UPDATE things SET n = -n WHERE id = '1'`:                          "Incorrect number of operands for operator or function; operator or function: -, number of operands: 1",
		`UPDATE things SET n = COUNT(*) WHERE id = '1'`:                    "Unsupported token in expression: count at 1:23:5",
		`UPDATE things SET n = size(s) WHERE id = '1'`:                     "The function is not allowed in an update expression; function: size",
		`UPDATE things SET m = {'x': {'y': 1 + 1}} WHERE id = '1'`:         "Unsupported data type: NAry under key root.x.y at 1:37:1",
		`INSERT INTO things VALUE {'id': '9', 'n': 1 + 1}`:                 "Unsupported data type: + under key root at 1:45:1",
		`INSERT INTO things VALUE {'id': '9', 'l': [1, 2 * 3]}`:            "Unsupported data type: NAry under key root.1 at 1:49:1",
		`INSERT INTO things VALUE {'id': '9', 'n': other}`:                 "Unsupported data type: other under key root at 1:43:5",
		`INSERT INTO things VALUE {'id': '9', 'n': -other}`:                "Unsupported data type: - under key root at 1:43:1",
		`INSERT INTO things VALUE 1`:                                       "Unsupported format in item expression. Please use struct format {...} to express item values for insert statement. at 1:26:1",
		`INSERT INTO things <<{'id': '9'}>>`:                               "Unsupported operation: InsertOp",
		`CREATE TABLE things`:                                              "Unsupported operation: CreateTable",
		`DROP INDEX byOwner ON things`:                                     "Unsupported operation: DropIndex",
		`SELECT * FROM things WHERE id = ?`:                                "Number of parameters in request and statement don't match.",
	} {
		_, err := execute(t, c, statement)
		refused(t, err, validation, want)
	}
	_, err := execute(t, c, `SELECT * FROM things`, s("1"))
	refused(t, err, validation, "Number of parameters in request and statement don't match.")
	_, err = execute(t, c, `SELECT * FROM things WHERE n = ?`, n("x"))
	refused(t, err, validation, "The parameter cannot be converted to a numeric value: x")
	_, err = execute(t, c, `SELECT * FROM nosuch WHERE id = '1'`)
	refused(t, err, notFound, "Requested resource not found")
	_, err = execute(t, c, `DELETE FROM nosuch WHERE id = '1'`)
	refused(t, err, notFound, "Requested resource not found")
	_, err = c.ExecuteStatement(t.Context(), &awsdynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM things.byOwner WHERE "owner" = 'x'`), ConsistentRead: aws.Bool(true)})
	refused(t, err, validation, "Strongly consistent read is not supported on Global Secondary Indexes")
	if diff := cmp.Diff(ofEveryType(), getThing(t, c, "1"), same); diff != "" {
		t.Errorf("refused statements left (-want +got)\n%s", diff)
	}
	if got := getThing(t, c, "9"); got != nil {
		t.Errorf("a refused INSERT left %v", got)
	}
}

func TestStatementsInBatches(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, item{"id": s("1"), "v": n(1)})
	putThing(t, c, item{"id": s("2"), "v": n(2)})
	batch := func(statements ...string) ([]types.BatchStatementResponse, error) {
		in := &awsdynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{}}
		for _, text := range statements {
			in.Statements = append(in.Statements, types.BatchStatementRequest{Statement: &text})
		}
		out, err := c.BatchExecuteStatement(t.Context(), in)
		if err != nil {
			return nil, err
		}
		return out.Responses, nil
	}
	const single = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
	got, err := batch(`SELECT v FROM things WHERE id = '1'`, `SELECT * FROM things WHERE id = '3'`, `SELECT * FROM nosuch WHERE id = '1'`, `SELECT * FROM things WHERE v = 1`,
		`SELECT * FROM things.byOwner WHERE id = '1'`, `SELECT * FROM things WHERE id = '2' AND v = 2`, `SLECT`, `SELECT * FROM things WHERE id = '2'`)
	if err != nil {
		t.Fatal(err)
	}
	show := func(responses []types.BatchStatementResponse) (shown []string) {
		for _, r := range responses {
			text := aws.ToString(r.TableName)
			if r.Item != nil {
				text += fmt.Sprint(" item of ", len(r.Item))
			}
			if r.Error != nil {
				text += " " + string(r.Error.Code) + ": " + aws.ToString(r.Error.Message)
			}
			shown = append(shown, strings.TrimSpace(text))
		}
		return shown
	}
	if diff := cmp.Diff([]string{"things item of 1", "things", "ResourceNotFound: Requested resource not found", "ValidationError: " + single, "ValidationError: " + single,
		"ValidationError: " + single, "ValidationError: " + malformed + "Expected data manipulation", "things item of 2"}, show(got)); diff != "" {
		t.Errorf("reads (-want +got)\n%s", diff)
	}
	for _, writes := range []struct {
		statements, want []string
	}{
		{[]string{`INSERT INTO things VALUE {'id': '3'}`, `INSERT INTO things VALUE {'id': '1'}`, `UPDATE things SET v = 5 WHERE id = '2' AND v = 9`, `DELETE FROM things WHERE v = 1`},
			[]string{"things", "things DuplicateItem: Duplicate primary key exists in table", "things ConditionalCheckFailed: The conditional request failed",
				"ValidationError: Where clause does not contain a mandatory equality on all key attributes"}},
		{[]string{`UPDATE things SET v = 5 WHERE id = '2' RETURNING ALL NEW *`, `DELETE FROM things WHERE id = '1' RETURNING ALL OLD *`}, []string{"things item of 2", "things item of 2"}},
	} {
		got, err = batch(writes.statements...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(writes.want, show(got)); diff != "" {
			t.Errorf("writes (-want +got)\n%s", diff)
		}
	}
	if getThing(t, c, "1") != nil || getThing(t, c, "3") == nil || cmp.Diff(item{"id": s("2"), "v": n(5)}, getThing(t, c, "2"), same) != "" {
		t.Error("the writes are not there")
	}
	// What a failed condition is to return is taken, and comes to nothing.
	shown, err := c.BatchExecuteStatement(t.Context(), &awsdynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: aws.String(`DELETE FROM things WHERE id = '2' AND v = 9`), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"things ConditionalCheckFailed: The conditional request failed"}, show(shown.Responses)); diff != "" {
		t.Errorf("failed condition (-want +got)\n%s", diff)
	}
	for fault, one := range map[string]types.BatchStatementRequest{
		"One or more parameter values were invalid: An string set  may not be empty": {Parameters: []types.AttributeValue{words()}},
		"1 validation error detected: Value 'SOME' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [ALL_OLD, NONE]": {ReturnValuesOnConditionCheckFailure: "SOME"},
	} {
		one.Statement = aws.String(`DELETE FROM things WHERE id = '2' AND ss = ?`)
		good := types.BatchStatementRequest{Statement: aws.String(`DELETE FROM things WHERE id = '2'`)}
		_, err = c.BatchExecuteStatement(t.Context(), &awsdynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{good, one}})
		refused(t, err, validation, fault)
	}
	for _, same := range [][]string{
		{`SELECT * FROM things WHERE id = '1'`, `SELECT v FROM things WHERE id = '1'`},
		{`INSERT INTO things VALUE {'id': '9'}`, `SLECT`, `DELETE FROM things WHERE id = '9'`},
	} {
		_, err = batch(same...)
		refused(t, err, validation, "Provided list of item keys contains duplicates")
	}
	_, err = batch(`SELECT * FROM things WHERE id = '1'`, `DELETE FROM things WHERE id = '2'`)
	refused(t, err, validation, "")
	_, err = batch()
	refused(t, err, validation, "")
	_, err = batch(slices.Repeat([]string{`SELECT * FROM things WHERE id = '1'`}, 26)...)
	refused(t, err, validation, "")
}

func TestStatementsInTransactions(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, item{"id": s("1"), "v": n(1)})
	transact := func(token string, statements ...string) (*awsdynamodb.ExecuteTransactionOutput, error) {
		in := &awsdynamodb.ExecuteTransactionInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
		if token != "" {
			in.ClientRequestToken = &token
		}
		for _, text := range statements {
			in.TransactStatements = append(in.TransactStatements, types.ParameterizedStatement{Statement: &text})
		}
		return c.ExecuteTransaction(t.Context(), in)
	}
	const cancelled = "Transaction cancelled, please refer cancellation reasons for specific reasons "
	_, err := transact("", `INSERT INTO things VALUE {'id': '2'}`, `INSERT INTO things VALUE {'id': '1'}`)
	refused(t, err, "TransactionCanceledException", cancelled+"[None, DuplicateItem]")
	_, err = transact("", `INSERT INTO things VALUE {'id': '2'}`, `EXISTS(SELECT * FROM things WHERE id = '1' AND v = 2)`)
	refused(t, err, "TransactionCanceledException", cancelled+"[None, ConditionalCheckFailed]")
	if got := getThing(t, c, "2"); got != nil {
		t.Errorf("a cancelled transaction left %v", got)
	}
	// An item that is not there meets no condition.
	_, err = transact("", `EXISTS(SELECT * FROM things WHERE id = '3' AND v IS MISSING)`)
	refused(t, err, "TransactionCanceledException", cancelled+"[ConditionalCheckFailed]")
	putThing(t, c, item{"id": s("4")})
	for range 2 {
		out, err := transact("once", `INSERT INTO things VALUE {'id': '2'}`, `UPDATE things SET v = v + 1 WHERE id = '1'`, `EXISTS(SELECT * FROM things WHERE id = '4' AND v IS MISSING)`)
		if err != nil {
			t.Fatal(err)
		}
		if out.Responses == nil || len(out.Responses) > 0 || len(out.ConsumedCapacity) != 1 {
			t.Errorf("answered %+v", out)
		}
	}
	_, err = transact("once", `UPDATE things SET v = v + 1 WHERE id = '1'`)
	refused(t, err, "IdempotentParameterMismatchException", "")
	read, err := transact("", `SELECT v FROM things WHERE id = '1'`, `SELECT * FROM things WHERE id = '3'`)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Responses) != 2 || cmp.Diff(item{"v": n(2)}, read.Responses[0].Item, same) != "" || read.Responses[1].Item != nil {
		t.Errorf("read %v", read.Responses)
	}
	for statement, want := range map[string]string{
		`SELECT * FROM things WHERE id = '1' AND v = 1`:              "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction must specify the primary key in the where clause.",
		`SELECT * FROM things.byOwner WHERE id = '1'`:                "Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions.",
		`UPDATE things SET v = 1 WHERE id = '1' RETURNING ALL NEW *`: "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction.",
		`EXISTS(SELECT * FROM things WHERE id = '1')`:                "Validation failed in TransactStatements[0]: EXISTS() must contain a single item read with additional condition",
		`DELETE FROM things WHERE v = 1`:                             "Validation failed in TransactStatements[0]: Where clause does not contain a mandatory equality on all key attributes",
	} {
		_, err := transact("", statement)
		refused(t, err, validation, want)
	}
	_, err = transact("", `SELECT * FROM things WHERE id = '1'`, `DELETE FROM things WHERE id = '2'`)
	refused(t, err, validation, "")
	_, err = transact("", `DELETE FROM things WHERE id = '2'`, `UPDATE things SET v = 1 WHERE id = '2'`)
	refused(t, err, validation, "Transaction request cannot include multiple operations on one item")
	_, err = transact("", `SELECT * FROM things WHERE id = '1'`, `SELECT v FROM things WHERE id = '1'`)
	refused(t, err, validation, "Transaction request cannot include multiple operations on one item")
}

// IAM is asked about statements by their own actions, with DynamoDB's condition keys.
func TestStatementsAskIAM(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	admin := m.admin(t)
	keyed(t, admin)
	const table = "arn:aws:dynamodb:eu-west-1:111111111111:table/things"
	statement := func(action, resource, condition string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q,"Condition":%s}]}`, action, resource, condition)
	}
	const (
		none    = `{}`
		mine    = `{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["me"]},"Null":{"dynamodb:LeadingKeys":"false"}}`
		columns = `{"ForAllValues:StringEquals":{"dynamodb:Attributes":["id","v"]},"Null":{"dynamodb:Attributes":"false"},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES","dynamodb:ReturnValues":["NONE","UPDATED_NEW"]}}`
		noScan  = `{"Bool":{"dynamodb:FullTableScan":"false"}}`
		inTx    = `{"StringEquals":{"dynamodb:EnclosingOperation":"ExecuteTransaction"}}`
	)
	for i, test := range []struct {
		policy, statement string
		allowed           bool
	}{
		{statement("dynamodb:PartiQLSelect", table, none), `SELECT * FROM things`, true},
		{statement("dynamodb:PartiQLSelect", table, none), `DELETE FROM things WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQLSelect", table, none), `SELECT * FROM things.byOwner`, false},
		{statement("dynamodb:PartiQLSelect", table+"/index/byOwner", none), `SELECT * FROM things.byOwner`, true},
		{statement("dynamodb:Query", "*", none), `SELECT * FROM things WHERE id = 'me'`, false},
		{statement("dynamodb:GetItem", "*", none), `SELECT * FROM things WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQLInsert", table, none), `INSERT INTO things VALUE {'id': 'me'}`, true},
		{statement("dynamodb:PutItem", table, none), `INSERT INTO things VALUE {'id': 'me'}`, false},
		{statement("dynamodb:PartiQLUpdate", table, none), `UPDATE things SET v = 1 WHERE id = 'me'`, true},
		{statement("dynamodb:UpdateItem", table, none), `UPDATE things SET v = 1 WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQLDelete", table, none), `DELETE FROM things WHERE id = 'me'`, true},
		{statement("dynamodb:DeleteItem", table, none), `DELETE FROM things WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE id = 'me'`, true},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE id = 'you'`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE id IN ['me', 'you']`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE id = 'me' OR id = 'you'`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE id = 'me' OR v = 1`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE NOT id = 'me'`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things WHERE id = 'me' AND (v = 1 OR id = 'you')`, true},
		{statement("dynamodb:PartiQL*", "*", mine), `SELECT * FROM things`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `INSERT INTO things VALUE {'id': 'me'}`, true},
		{statement("dynamodb:PartiQL*", "*", mine), `INSERT INTO things VALUE {'id': 'you'}`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `UPDATE things SET v = 1 WHERE id = 'you'`, false},
		{statement("dynamodb:PartiQL*", "*", mine), `DELETE FROM things WHERE id = 'you'`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `SELECT v FROM things WHERE id = 'me'`, true},
		{statement("dynamodb:PartiQL*", "*", columns), `SELECT w FROM things WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `SELECT v FROM things WHERE id = 'me' AND w = 1`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `SELECT v FROM things WHERE id = 'me' AND attribute_exists(w) = true`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `SELECT v FROM things WHERE size(w.x) > 1`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `SELECT * FROM things WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `INSERT INTO things VALUE {'id': 'me', 'v': 1}`, true},
		{statement("dynamodb:PartiQL*", "*", columns), `INSERT INTO things VALUE {'id': 'me', 'w': 1}`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `UPDATE things SET v = 1 WHERE id = 'me' RETURNING MODIFIED NEW *`, true},
		{statement("dynamodb:PartiQL*", "*", columns), `UPDATE things SET v = 1 WHERE id = 'me' RETURNING ALL NEW *`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `UPDATE things SET v = w WHERE id = 'me'`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `UPDATE things SET v = 1 WHERE id = 'me' AND w = 1`, false},
		{statement("dynamodb:PartiQL*", "*", columns), `DELETE FROM things WHERE id = 'me' RETURNING ALL OLD *`, false},
		{statement("dynamodb:PartiQLSelect", "*", noScan), `SELECT * FROM things WHERE id = 'me'`, true},
		{statement("dynamodb:PartiQLSelect", "*", noScan), `SELECT * FROM things WHERE id IN ['me', 'you']`, true},
		{statement("dynamodb:PartiQLSelect", "*", noScan), `SELECT * FROM things WHERE id > 'a'`, false},
		{statement("dynamodb:PartiQLSelect", "*", noScan), `SELECT * FROM things WHERE id = 'me' OR v = 1`, false},
		{statement("dynamodb:PartiQLSelect", "*", noScan), `SELECT * FROM things`, false},
		{statement("dynamodb:PartiQL*", "*", inTx), `DELETE FROM things WHERE id = 'me'`, false},
	} {
		c := m.client(t, account, fmt.Sprint("user", i), test.policy)
		putThing(t, admin, item{"id": s("me"), "v": n(1), "w": n(1)})
		if strings.HasPrefix(test.statement, "INSERT") {
			rows(t, admin, `DELETE FROM things WHERE id = 'me'`)
		}
		_, err := execute(t, c, test.statement)
		if test.allowed && err != nil {
			t.Errorf("%s under %s: %v", test.statement, test.policy, err)
		}
		if !test.allowed {
			refused(t, err, denied, "")
			if t.Failed() {
				t.Fatalf("%s under %s", test.statement, test.policy)
			}
		}
	}
	// In batches and transactions each statement is asked about by itself.
	putThing(t, admin, item{"id": s("me"), "v": n(1)})
	c := m.client(t, account, "mine", statement("dynamodb:PartiQL*", "*", mine))
	out, err := c.BatchExecuteStatement(t.Context(), &awsdynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: aws.String(`SELECT * FROM things WHERE id = 'me'`)}, {Statement: aws.String(`SELECT * FROM things WHERE id = 'you'`)}}})
	if err != nil || out.Responses[0].Item == nil || out.Responses[1].Error == nil || out.Responses[1].Error.Code != types.BatchStatementErrorCodeEnumAccessDenied {
		t.Errorf("the batch: %+v %v", out, err)
	}
	_, err = c.ExecuteTransaction(t.Context(), &awsdynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
		{Statement: aws.String(`UPDATE things SET v = 2 WHERE id = 'me'`)}, {Statement: aws.String(`EXISTS(SELECT * FROM things WHERE id = 'you' AND v IS MISSING)`)}}})
	refused(t, err, denied, "")
	if diff := cmp.Diff(item{"id": s("me"), "v": n(1)}, getThing(t, admin, "me"), same); diff != "" {
		t.Errorf("a refused transaction left (-want +got)\n%s", diff)
	}
	c = m.client(t, account, "enclosed", statement("dynamodb:PartiQL*", "*", inTx))
	if _, err := c.ExecuteTransaction(t.Context(), &awsdynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{{Statement: aws.String(`SELECT * FROM things WHERE id = 'me'`)}}}); err != nil {
		t.Error(err)
	}
}
