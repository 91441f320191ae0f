package picture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// What a mesh may have to be drawn whole, if nobody says where to start.
const (
	wholeAccounts = 12
	wholeAccesses = 40
)

// DefaultLimit is how many products and how many accesses a picture shows, if it is not
// said.
const DefaultLimit = 30

// Start says where a picture starts, and how much it shows.
type Start struct {
	// Account is an account, with what it has published and what it holds. Product is one
	// product, with all who hold something of it. With neither it is the whole mesh, or if
	// that is large the account on whose products most is held.
	Account, Product string
	// Limit is how many products and how many accesses are shown; 0 is [DefaultLimit].
	Limit int
}

// View is a part of a mesh that fits on a page.
type View struct {
	// Title is what is shown, Notes what of it was left out and why.
	Title string
	Notes []string
	// Owners are on the left, each with its products; Holders on the right, each with its
	// accesses.
	Owners  []Owner
	Holders []Holder
	// Findings are about what is shown, or about the mesh itself.
	Findings []Finding
	// Unasked says that requests which wait are not drawn.
	Unasked bool
}

// legend are the kinds of arrows that there are, each as an example with what it says.
func (v *View) legend() []legendLine {
	has := func(is func(Access) bool) bool {
		return slices.ContainsFunc(v.Holders, func(h Holder) bool { return slices.ContainsFunc(h.Accesses, is) })
	}
	lines := []legendLine{{Access{}, "decided, and there"}}
	if has(func(a Access) bool { return a.Pending }) {
		lines = append(lines, legendLine{Access{Pending: true}, "asked for, not decided yet"})
	}
	if has(func(a Access) bool { return a.ByHand }) {
		lines = append(lines, legendLine{Access{ByHand: true}, "by hand: nobody decided it"})
	}
	if has(func(a Access) bool { return !a.ByHand && (a.Drift || a.Missing) }) {
		lines = append(lines, legendLine{Access{Drift: true}, "not as it was decided"})
	}
	return lines
}

// unasked is what a legend says where requests are not drawn.
const unasked = "Requests that wait are not drawn: their owners see them (--as producer)."

// legendLine is a kind of arrow, and what it says.
type legendLine struct {
	as   Access
	text string
}

// Owner is an account with its products.
type Owner struct {
	Account  Account
	Products []Product
}

// Holder is an account with what it holds.
type Holder struct {
	Account  Account
	Accesses []Access
}

// From is the part of the mesh that a start shows.
func (m *Mesh) From(s Start) (*View, error) {
	if s.Limit <= 0 {
		s.Limit = DefaultLimit
	}
	v := &View{Title: "mesh " + m.Account + ", " + m.Region, Unasked: m.Unasked}
	if s.Account == "" && s.Product == "" && (len(m.Accounts) > wholeAccounts || len(m.Accesses) > wholeAccesses) {
		if s.Account = m.busiest(); s.Account != "" {
			v.Notes = append(v.Notes, fmt.Sprintf("%s and %s: this is what is around %s; start elsewhere with --account or --product",
				counted(len(m.Accounts), "account"), counted(len(m.Accesses), "arrow"), s.Account))
		}
	}
	if err := m.knows(s); err != nil {
		return nil, err
	}
	owner := map[string]string{}
	for _, p := range m.Products {
		owner[p.Name] = p.Owner
	}
	if s.Account != "" {
		v.Title += ", account " + s.Account
	}
	if s.Product != "" {
		v.Title += ", product " + label(s.Product)
	}
	accesses := slices.DeleteFunc(slices.Clone(m.Accesses), func(a Access) bool {
		return s.Product != "" && a.Product != s.Product || s.Account != "" && a.Account != s.Account && owner[a.Product] != s.Account
	})
	// What is not as it was decided is not cut before what is.
	slices.SortStableFunc(accesses, func(a, b Access) int { return cmp.Compare(urgency(b), urgency(a)) })
	shown := accesses[:min(len(accesses), s.Limit)]
	if cut := accesses[len(shown):]; len(cut) > 0 {
		of := map[string]bool{}
		for _, a := range cut {
			of[a.Account] = true
		}
		v.Notes = append(v.Notes, fmt.Sprintf("and %s to %s (--limit)", counted(len(cut), "more arrow"), counted(len(of), "account")))
	}
	v.products(m, s, shown)
	v.holders(m, s, shown)
	v.findings(m, s)
	return v, nil
}

func urgency(a Access) int {
	switch {
	case a.Drift || a.Missing:
		return 2
	case a.ByHand:
		return 1
	}
	return 0
}

// busiest is the account on whose products most is held, or else any that has published.
func (m *Mesh) busiest() string {
	owner, count := map[string]string{}, map[string]int{}
	for _, p := range m.Products {
		owner[p.Name] = p.Owner
		count[p.Owner] += 0
	}
	for _, a := range m.Accesses {
		count[owner[a.Product]]++
	}
	delete(count, "")
	best := ""
	for _, id := range slices.Sorted(maps.Keys(count)) {
		if best == "" || count[id] > count[best] {
			best = id
		}
	}
	return best
}

// knows refuses a start that the mesh has not.
func (m *Mesh) knows(s Start) error {
	if s.Account != "" && !slices.ContainsFunc(m.Accounts, func(a Account) bool { return a.ID == s.Account }) {
		return &lakemesh.Error{Account: m.Account, Resource: "account " + s.Account, Kind: lakemesh.ErrNotFound,
			Message: "it is not enabled, and owns and holds nothing that can be seen", Hint: "check the number, or leave it out"}
	}
	if s.Product != "" && !slices.ContainsFunc(m.Products, func(p Product) bool { return p.Name == s.Product }) {
		return &lakemesh.Error{Account: m.Account, Resource: "product " + s.Product, Kind: lakemesh.ErrNotFound,
			Message: "there is no database of this name in the mesh that can be seen", Hint: "the picture of its owner (--account) shows which there are"}
	}
	return nil
}

// products puts owners and products on the left: those that something shown is held of, and
// as many others as there is room for.
func (v *View) products(m *Mesh, s Start, shown []Access) {
	held := map[string]bool{}
	for _, a := range shown {
		held[a.Product] = true
	}
	room, cut := s.Limit-len(held), 0
	boxes := map[string]*Owner{}
	box := func(id string) *Owner {
		if boxes[id] == nil {
			boxes[id] = &Owner{Account: m.account(id)}
		}
		return boxes[id]
	}
	for _, p := range m.Products {
		mine := s.Product == p.Name || s.Product == "" && (s.Account == "" || s.Account == p.Owner)
		switch {
		case held[p.Name]:
		case !mine:
			continue
		case room <= 0:
			cut++
			continue
		default:
			room--
		}
		b := box(p.Owner)
		b.Products = append(b.Products, p)
	}
	if s.Product == "" {
		for _, a := range m.Accounts {
			if a.Producer && (s.Account == "" && len(boxes) < s.Limit || s.Account == a.ID) {
				box(a.ID)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(boxes)) {
		v.Owners = append(v.Owners, *boxes[id])
	}
	if cut > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("and %s without an arrow here (--limit)", counted(cut, "more product")))
	}
}

// holders puts those on the right who hold something, near to what they hold.
func (v *View) holders(m *Mesh, s Start, shown []Access) {
	place := map[string]int{}
	for _, o := range v.Owners {
		for _, p := range o.Products {
			place[p.Name] = len(place)
		}
	}
	boxes := map[string]*Holder{}
	for _, a := range shown {
		if boxes[a.Account] == nil {
			boxes[a.Account] = &Holder{Account: m.account(a.Account)}
		}
		boxes[a.Account].Accesses = append(boxes[a.Account].Accesses, a)
	}
	idle := 0
	if s.Product == "" {
		for _, a := range m.Accounts {
			switch {
			case !a.Consumer || boxes[a.ID] != nil || s.Account != "" && s.Account != a.ID:
			case slices.ContainsFunc(m.Accesses, func(x Access) bool { return x.Account == a.ID }):
				// It holds something that is cut, which is counted as such.
			case len(boxes) < s.Limit:
				boxes[a.ID] = &Holder{Account: a}
			default:
				idle++
			}
		}
	}
	if idle > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("and %s without an arrow (--limit)", counted(idle, "more account")))
	}
	middle := map[string]float64{}
	for id, b := range boxes {
		slices.SortFunc(b.Accesses, func(x, y Access) int {
			return cmp.Or(cmp.Compare(place[x.Product], place[y.Product]), cmp.Compare(x.kind(), y.kind()))
		})
		middle[id] = float64(len(place))
		if len(b.Accesses) > 0 {
			middle[id] = 0
			for _, a := range b.Accesses {
				middle[id] += float64(place[a.Product]) / float64(len(b.Accesses))
			}
		}
	}
	ids := slices.Sorted(maps.Keys(boxes))
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(middle[a], middle[b]) })
	for _, id := range ids {
		v.Holders = append(v.Holders, *boxes[id])
	}
}

// shownFindings is how many findings a picture spells out.
const shownFindings = 8

// findings keeps those that are about what is shown, and those about the mesh itself.
func (v *View) findings(m *Mesh, s Start) {
	products := map[string]bool{}
	for _, o := range v.Owners {
		for _, p := range o.Products {
			products[p.Name] = true
		}
	}
	elsewhere := 0
	for _, f := range m.Findings {
		switch {
		case f.Product != "" && !products[f.Product], s.Account != "" && f.Product == "" && len(f.Accounts) > 0 && !slices.Contains(f.Accounts, s.Account):
			elsewhere++
		default:
			v.Findings = append(v.Findings, f)
		}
	}
	if cut := len(v.Findings) - shownFindings; cut > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("and %s: lakemesh verify tells them", counted(cut, "more finding")))
		v.Findings = v.Findings[:shownFindings]
	}
	if elsewhere > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("and %s about what is not shown", counted(elsewhere, "finding")))
	}
}

func (m *Mesh) account(id string) Account {
	if i := slices.IndexFunc(m.Accounts, func(a Account) bool { return a.ID == id }); i >= 0 {
		return m.Accounts[i]
	}
	return Account{ID: id}
}

// finds counts the findings about a product.
func (v *View) finds(product string) int {
	n := 0
	for _, f := range v.Findings {
		if f.Product == product {
			n++
		}
	}
	return n
}

// name is what an account is called; of an organization or a unit the last part.
func (a Account) name() string {
	if a.ID == "" {
		return "owner not seen"
	}
	if i := strings.LastIndexByte(a.ID, '/'); i >= 0 {
		return a.ID[i+1:]
	}
	return a.ID
}

// label is a product's name; LF-tags are read as what they stand for.
func label(product string) string {
	for _, kind := range []struct{ tag, word string }{{lakemesh.ProductTag, "data product"}, {lakemesh.DomainTag, "domain"}} {
		for {
			before, after, found := strings.Cut(product, kind.tag+"-")
			if !found || len(after) < 13 || !isAccount.MatchString(after[:12]) || after[12] != '=' {
				break
			}
			product = before + kind.word + " " + after[13:]
		}
	}
	return product
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
