package picture

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
)

var update = flag.Bool("update", false, "write the pictures into the goldens")

const mesh = "555555555555"

func id(owner, subscriber string) string {
	return owner + "-" + subscriber + "-AAAAAAAAAAAAAAAAAAAAAA"
}

// published are the entries of a product as the mesh itself needs them.
func published(owner, database string, tables ...string) []access.Entry {
	list := []access.Entry{{Principal: owner, Account: owner, Kind: access.KindDatabase, Database: database, Permissions: lakemesh.Permissions{lakemesh.Describe}, Origin: access.ByMesh}}
	for _, t := range tables {
		list = append(list, access.Entry{Principal: owner, Account: owner, Kind: access.KindTable, Database: database, Table: t,
			Permissions: lakemesh.Permissions{lakemesh.Select}, Origin: access.ByMesh})
	}
	return list
}

func granted(owner, account, database, table string) access.Entry {
	return access.Entry{Principal: account, Account: account, Kind: access.KindTable, Database: database, Table: table,
		Permissions: lakemesh.Permissions{lakemesh.Describe, lakemesh.Select}, Origin: access.BySubscription, Through: []string{id(owner, account)}}
}

// three is a mesh of three accounts.
func three() *Mesh {
	const producer, consumer = "111111111111", "999999999999"
	database := "aviation-" + producer
	list := published(producer, database, "airports", "routes", "weather")
	list = append(list,
		access.Entry{Principal: consumer, Account: consumer, Kind: access.KindDatabase, Database: database, Permissions: lakemesh.Permissions{lakemesh.Describe},
			Origin: access.BySubscription, Through: []string{id(producer, consumer)}},
		granted(producer, consumer, database, "routes"), granted(producer, consumer, database, "weather"))
	return Of(Seen{Account: mesh, Region: "us-east-1", Producers: []string{producer}, Consumers: []string{consumer}, List: &access.List{Entries: list}})
}

// drifted is a mesh in which not everything is as it was decided.
func drifted() *Mesh {
	const producer, consumer, other = "111111111111", "999999999999", "888888888888"
	database := "aviation-" + producer
	list := published(producer, database, "airports", "routes", "weather")
	byHand := granted(producer, other, database, "airports")
	byHand.Origin, byHand.Through = access.ByHand, nil
	list = append(list, byHand,
		access.Entry{Principal: other, Account: other, Kind: access.KindTaggedTables, Tags: access.Tags{"dataproduct-" + producer: {"us-aviation"}},
			Permissions: lakemesh.Permissions{lakemesh.Select}, Origin: access.BySubscription, Through: []string{id(producer, other)}},
		access.Entry{Principal: "arn:aws:organizations::444444444444:ou/o-abcdefghij/ou-abcd-12345678", Kind: access.KindFilter, Database: database, Table: "routes", Rows: "id = 1",
			Permissions: lakemesh.Permissions{lakemesh.Select}, Origin: access.BySubscription, Through: []string{id(producer, consumer)}})
	return Of(Seen{Account: mesh, Region: "us-east-1", Producers: []string{producer}, Consumers: []string{consumer, other}, List: &access.List{Entries: list},
		Verification: &chain.Verification{Findings: []chain.Finding{
			{Kind: chain.Missing, Link: chain.Grant, Account: mesh, Resource: database + ".weather", Principal: consumer, What: "SELECT was decided, and is not granted",
				Database: database, Tables: []string{"weather"}, Subscriptions: []string{id(producer, consumer)}, Repairs: chain.Owner},
			{Kind: chain.Undecided, Link: chain.Setup, Account: mesh, Resource: "the mesh account", What: "somebody has changed the settings", Repairs: chain.Administrator},
		}}})
}

// mixed is a mesh in which an account holds something by a decision, more of the same by hand,
// and asks for the rest.
func mixed() *Mesh {
	const producer, consumer = "111111111111", "999999999999"
	database := "aviation-" + producer
	list := published(producer, database, "airports", "routes", "weather")
	byHand := granted(producer, consumer, database, "airports")
	byHand.Origin, byHand.Through, byHand.Permissions = access.ByHand, nil, lakemesh.Permissions{lakemesh.Insert}
	list = append(list, granted(producer, consumer, database, "weather"), byHand)
	return Of(Seen{Account: mesh, Region: "us-east-1", Producers: []string{producer}, Consumers: []string{consumer}, List: &access.List{Entries: list}, Asked: true,
		Pending: []lakemesh.Subscription{
			{ID: id(producer, consumer), Owner: producer, Subscriber: consumer, Database: database, Tables: []string{"routes"}, Requested: lakemesh.Permissions{lakemesh.Select}},
			{ID: id(producer, consumer), Owner: producer, Subscriber: consumer, Group: lakemesh.Group{DataProduct: "us-aviation"}, Requested: lakemesh.Permissions{lakemesh.Select}},
		},
		Verification: &chain.Verification{Findings: []chain.Finding{{Kind: chain.Undecided, Link: chain.Grant, Account: mesh, Resource: database + ".airports", Principal: consumer,
			What: "INSERT is granted, and nobody decided it", Database: database, Repairs: chain.Owner}}}})
}

// What nobody decided, and what is only asked for, are arrows of their own, and do not make
// another one of what was decided.
func TestWhatWasDecidedIsNoArrowWithAnythingElse(t *testing.T) {
	t.Parallel()
	var got []string
	for _, a := range mixed().Accesses {
		got = append(got, fmt.Sprintf("%s: %s, %s, drift %t", label(a.Product), a.what(), a.how(), !a.ByHand && a.Drift))
	}
	want := []string{
		"aviation-111111111111: weather, DESCRIBE,SELECT, drift false",
		"aviation-111111111111: airports, INSERT, by hand, drift false",
		"aviation-111111111111: routes, asks for SELECT, drift false",
		"data product us-aviation: all tables, asks for SELECT, drift false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	looks := map[string]bool{}
	for _, a := range []Access{{}, {ByHand: true, Drift: true}, {Drift: true}, {Pending: true}} {
		looks[stroke(a)] = true
	}
	if len(looks) != 4 {
		t.Errorf("kinds of arrows look alike: %v", looks)
	}
	view, err := mixed().From(Start{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{view.SVG(), view.Mermaid()} {
		for _, says := range []string{"by hand: nobody decided it", "asked for, not decided yet"} {
			if !strings.Contains(strings.ReplaceAll(text, "#58;", ":"), says) {
				t.Errorf("no legend says %q", says)
			}
		}
		if strings.Contains(text, "are not drawn") {
			t.Error("requests are drawn, and the legend says that they are not")
		}
	}
}

// large is a mesh of 300 accounts: 60 publish, and the first of them for everybody.
func large() *Mesh {
	account := func(n int) string { return fmt.Sprintf("%012d", 100000000000+n) }
	s := Seen{Account: mesh, Region: "eu-central-1", List: &access.List{}}
	for p := range 60 {
		s.Producers = append(s.Producers, account(p))
		for d := range 2 {
			s.List.Entries = append(s.List.Entries, published(account(p), fmt.Sprintf("a_database_with_a_long_name_%d-%s", d, account(p)), "orders", "customers")...)
		}
	}
	for c := range 240 {
		s.Consumers = append(s.Consumers, account(60+c))
		for n, p := range []int{0, c % 60, (c * 7) % 60} {
			s.List.Entries = append(s.List.Entries, granted(account(p), account(60+c), fmt.Sprintf("a_database_with_a_long_name_%d-%s", n%2, account(p)), "orders"))
		}
	}
	return Of(s)
}

// hostile is a mesh whose names would be more than names.
func hostile() *Mesh {
	const producer, consumer = "111111111111", "999999999999"
	database := `"]; click x "javascript:alert(1)" <script>alert(1)</script> & ` + "\u202e\x1b[31m"
	return Of(Seen{Account: mesh, Region: "us-east-1", Producers: []string{producer}, Consumers: []string{consumer},
		List: &access.List{Entries: append(published(producer, database, "t"), granted(producer, consumer, database, `</text><image href="x"/> %%{init}`))}})
}

func pictures(t *testing.T) map[string]*View {
	t.Helper()
	views := map[string]*View{}
	for name, of := range map[string]struct {
		mesh  *Mesh
		start Start
	}{
		"empty":         {Of(Seen{Account: mesh, Region: "us-east-1", List: &access.List{}}), Start{}},
		"three":         {three(), Start{}},
		"drifted":       {drifted(), Start{}},
		"mixed":         {mixed(), Start{}},
		"hostile":       {hostile(), Start{}},
		"large":         {large(), Start{}},
		"large-account": {large(), Start{Account: "100000000070"}},
		"large-product": {large(), Start{Product: "a_database_with_a_long_name_0-100000000000", Limit: 4}},
	} {
		v, err := of.mesh.From(of.start)
		if err != nil {
			t.Fatal(err)
		}
		views[name] = v
	}
	return views
}

func TestPicturesAreAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, v := range pictures(t) {
		for ext, got := range map[string]string{"svg": v.SVG(), "mmd": v.Mermaid()} {
			file := filepath.Join("testdata", name+"."+ext)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is another one by now (look at it, then -update):\n%s", file, got)
			}
		}
	}
}

// Every text of an SVG stays in the place that it has for itself.
func TestNoTextLiesOnAnother(t *testing.T) {
	t.Parallel()
	texts := regexp.MustCompile(`<text x="([0-9.]+)" y="([0-9.]+)"([^>]*)>([^<]*)`)
	for name, v := range pictures(t) {
		type span struct {
			y, from, to float64
			text        string
		}
		var all []span
		for _, m := range texts.FindAllStringSubmatch(v.SVG(), -1) {
			x, _ := strconv.ParseFloat(m[1], 64)
			y, _ := strconv.ParseFloat(m[2], 64)
			var plain string
			if err := xml.Unmarshal([]byte("<a>"+m[4]+"</a>"), &plain); err != nil {
				t.Fatal(err)
			}
			size := float64(len([]rune(plain))) * letter
			if strings.Contains(m[3], `"end"`) {
				x -= size
			}
			all = append(all, span{y, x, x + size, plain})
		}
		for i, a := range all {
			if a.from < 0 || a.to > width {
				t.Errorf("%s: %q is out of the picture", name, a.text)
			}
			for _, b := range all[:i] {
				if a.y-b.y < fontSize && b.y-a.y < fontSize && a.from < b.to && b.from < a.to {
					t.Errorf("%s: %q lies on %q", name, a.text, b.text)
				}
			}
		}
	}
}

func TestNamesStayNames(t *testing.T) {
	t.Parallel()
	v, err := hostile().From(Start{})
	if err != nil {
		t.Fatal(err)
	}
	legal := map[string]bool{"svg": true, "title": true, "defs": true, "marker": true, "path": true, "rect": true, "text": true}
	decoder := xml.NewDecoder(strings.NewReader(v.SVG()))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && !legal[e.Name.Local] {
			t.Errorf("a name became the element %s", e.Name.Local)
		}
	}
	if strings.Contains(v.Mermaid(), "%%{") {
		t.Error("a name became a directive of Mermaid")
	}
	for _, bad := range []string{"\u202e", "\x1b", "<script", "click x \""} {
		if strings.Contains(v.SVG()+v.Mermaid(), bad) {
			t.Errorf("%q is in the picture as it is", bad)
		}
	}
}

func TestWhatIsCutIsCounted(t *testing.T) {
	t.Parallel()
	m := large()
	v, err := m.From(Start{Product: "a_database_with_a_long_name_0-100000000000", Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	all, shown := 0, 0
	for _, a := range m.Accesses {
		if a.Product == "a_database_with_a_long_name_0-100000000000" {
			all++
		}
	}
	for _, h := range v.Holders {
		shown += len(h.Accesses)
	}
	if shown != 4 || !strings.HasPrefix(strings.Join(v.Notes, "\n"), fmt.Sprintf("and %d more arrows to ", all-4)) {
		t.Errorf("%d of %d are shown, and said is %q", shown, all, v.Notes)
	}
}

func TestALargeMeshStartsAtTheBusiestAccount(t *testing.T) {
	t.Parallel()
	v, err := large().From(Start{})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Owners) != 1 || v.Owners[0].Account.ID != "100000000000" {
		t.Errorf("it starts at %v", v.Owners)
	}
	if !strings.HasPrefix(v.Notes[0], "300 accounts and ") {
		t.Errorf("nobody is told: %q", v.Notes)
	}
}

func TestDriftIsDrawnBeforeAnythingIsCut(t *testing.T) {
	t.Parallel()
	v, err := drifted().From(Start{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := v.Holders[0].Accesses; len(a) != 1 || !a[0].Missing {
		t.Errorf("shown is %+v", a)
	}
}

func TestAStartThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []Start{{Account: "123412341234"}, {Product: "nothing"}} {
		if _, err := three().From(s); !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
