package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// AWS's rules are the same in each of its partitions, and the names differ. So the services
// know the names of the partition aws alone, and a mesh in another partition exchanges the
// two at its edge, in what comes in and in what goes out: arn:aws-cn: for arn:aws:, and the
// other way round. What a caller of a mesh in China calls arn:aws: is of another partition
// then, as arn:aws-cn: is in a mesh in aws, and the services treat it as such.
//
// Data is not touched: objects, the rows of Athena's answers, and what is compared with data.

// Names are the names of the partition that a mesh is in. The zero value is aws.
type Names struct {
	partition lakemesh.Partition
	exchange  *strings.Replacer
	messages  *strings.Replacer
	// escaped are the names where characters of them are written as JSON's escapes.
	escaped *regexp.Regexp
}

// NamesOf are the names of a partition.
func NamesOf(p lakemesh.Partition) Names {
	n := Names{partition: p}
	if n.Partition() == lakemesh.PartitionAWS {
		return n
	}
	inside, outside := string(lakemesh.PartitionAWS), string(p)
	var pairs, words []string
	swap := func(all *[]string, before, after string) {
		*all = append(*all, before+inside+after, before+outside+after, before+outside+after, before+inside+after)
	}
	swap(&pairs, "arn:", ":")
	// IAM shows documents percent-encoded.
	swap(&pairs, "arn%3A", "%3A")
	swap(&pairs, "arn%3a", "%3a")
	swap(&words, `Partition "`, `"`)
	n.exchange = strings.NewReplacer(pairs...)
	n.messages = strings.NewReplacer(append(words, pairs...)...)
	n.escaped = regexp.MustCompile("(" + inEscapes("arn:") + ")(?:(" + inEscapes(inside) + ")|" + inEscapes(outside) + ")(" + inEscapes(":") + ")")
	return n
}

// escapeMark is in every escape of JSON for a character of a name: arn\u003aaws\u003a is
// arn:aws: in a policy. A document in a document has the backslash twice, and IAM shows it
// percent-encoded.
const escapeMark = "u00"

// inEscapes is an expression for a text of which each character may be escaped.
func inEscapes(text string) string {
	var all strings.Builder
	for _, c := range text {
		hex := fmt.Sprintf("(?i:%02x)", c)
		all.WriteString(`(?:` + regexp.QuoteMeta(string(c)) + `|(?:\\+|(?i:%5c)+)` + escapeMark + hex + `|%` + hex + `)`)
	}
	return all.String()
}

// Partition is the partition itself.
func (n Names) Partition() lakemesh.Partition {
	if n.partition == "" {
		return lakemesh.PartitionAWS
	}
	return n.partition
}

// Exchange turns a text with the names of outside into one with those of inside, and back.
func (n Names) Exchange(text string) string {
	switch {
	case n.exchange == nil:
		return text
	case !strings.Contains(text, escapeMark):
		return n.exchange.Replace(text)
	}
	var all strings.Builder
	from := 0
	for _, at := range n.escaped.FindAllStringSubmatchIndex(text, -1) {
		all.WriteString(text[from:at[3]])
		if at[4] < 0 {
			all.WriteString(string(lakemesh.PartitionAWS))
		} else {
			all.WriteString(string(n.partition))
		}
		from = at[6]
	}
	all.WriteString(text[from:])
	return all.String()
}

// exchanged turns the names in a body, and leaves the values of members of JSON that are data.
func (n Names) exchanged(body []byte, data []string) []byte {
	if n.exchange == nil || !bytes.Contains(body, []byte("arn")) && !bytes.Contains(body, []byte(escapeMark)) {
		return body
	}
	if len(data) == 0 {
		return []byte(n.Exchange(string(body)))
	}
	var out bytes.Buffer
	from := 0
	for _, kept := range valuesOf(body, data) {
		out.WriteString(n.Exchange(string(body[from:kept[0]])))
		out.Write(body[kept[0]:kept[1]])
		from = kept[1]
	}
	out.WriteString(n.Exchange(string(body[from:])))
	return out.Bytes()
}

// dataMembers are the members of a service's calls and answers that are data, or are
// compared with data.
func dataMembers(service string) []string {
	switch service {
	case "athena":
		return []string{"QueryString", "Query", "ExecutionParameters", "ResultSet"}
	case "glue":
		// The values of partitions, and what is asked of them; the text of a view.
		return []string{"Values", "PartitionValues", "Expression", "ViewOriginalText", "ViewExpandedText"}
	case "lakeformation":
		return []string{"FilterExpression", "RowFilter"}
	}
	return nil
}

// valuesOf are where the values of members stand in a text in JSON. Of a text that is none
// the service says so itself.
func valuesOf(body []byte, members []string) [][2]int {
	var found [][2]int
	d := json.NewDecoder(bytes.NewReader(body))
	// key tells, for each object or list around, whether a name comes next.
	type level struct{ object, key bool }
	var levels []level
	for {
		t, err := d.Token()
		if err != nil {
			return found
		}
		last := len(levels) - 1
		switch t {
		case json.Delim('{'), json.Delim('['):
			if last >= 0 {
				levels[last].key = levels[last].object
			}
			levels = append(levels, level{object: t == json.Delim('{'), key: t == json.Delim('{')})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:last]
			continue
		}
		if last < 0 || !levels[last].object {
			continue
		}
		name, isName := t.(string)
		if !levels[last].key || !isName || !slices.Contains(members, name) {
			levels[last].key = !levels[last].key
			continue
		}
		from := int(d.InputOffset())
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return found
		}
		found = append(found, [2]int{from, int(d.InputOffset())})
	}
}

// fault is an error as it is seen outside.
func (n Names) fault(f wire.Fault) wire.Fault {
	if n.messages == nil {
		return f
	}
	f.Message = n.messages.Replace(f.Message)
	fields := make(map[string]any, len(f.Fields))
	for name, v := range f.Fields {
		fields[name] = v
		switch v := v.(type) {
		case string:
			fields[name] = n.messages.Replace(v)
		default:
			// What cannot be written the answer's own encoder refuses.
			if raw, err := json.Marshal(v); err == nil {
				if outside := n.exchanged(raw, nil); !bytes.Equal(outside, raw) {
					fields[name] = json.RawMessage(outside)
				}
			}
		}
	}
	f.Fields = fields
	return f
}

// inside marks the context of calls that the services of a mesh make themselves, in the
// names of inside.
type inside struct{}

func isInside(ctx context.Context) bool {
	marked, _ := ctx.Value(inside{}).(bool)
	return marked
}

// names are those of who makes a call.
func (x *exchange) names() Names {
	if isInside(x.r.Context()) {
		return Names{}
	}
	return x.mesh.Names
}
