package picture

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
)

// Mesh is what can be drawn.
type Mesh struct {
	// Account is the mesh account, Region its region.
	Account string `json:"Account"`
	Region  string `json:"Region"`
	// Accounts are those that are enabled, or that own or hold something.
	Accounts []Account `json:"Accounts"`
	Products []Product `json:"Products"`
	Accesses []Access  `json:"Accesses"`
	Findings []Finding `json:"Findings"`
	// Unasked says that requests which wait cannot be seen, so that none is among the accesses.
	Unasked bool `json:"Unasked,omitempty"`
}

// Account is a box of the picture.
type Account struct {
	// ID is the account's, or the ARN of an organization or a unit that was granted something.
	ID       string `json:"ID"`
	Producer bool   `json:"Producer"`
	Consumer bool   `json:"Consumer"`
}

// Product is a database of the mesh, or what LF-tags name: a domain or a data product.
type Product struct {
	Name string `json:"Name"`
	// Owner is the account that published it, empty if nobody who was asked knows.
	Owner string `json:"Owner,omitempty"`
	// Tables is how many there are, as far as they are seen.
	Tables int `json:"Tables"`
}

// Access is an arrow of the picture: all that one account holds of one product by decisions; or
// all that it holds by hand; or all that it asks for.
type Access struct {
	Product string `json:"Product"`
	Account string `json:"Account"`
	// Tables are those that it is about; All says that it is all of them. Parts says that of
	// some only columns or rows are held.
	Tables []string `json:"Tables,omitempty"`
	All    bool     `json:"All,omitempty"`
	Parts  bool     `json:"Parts,omitempty"`
	// Principals are the roles and users that hold it themselves; none means the account.
	Principals    []string             `json:"Principals,omitempty"`
	Permissions   lakemesh.Permissions `json:"Permissions"`
	Subscriptions []string             `json:"Subscriptions,omitempty"`
	// ByHand says that nobody decided it, Pending that it is asked for and not decided yet,
	// Missing that it was decided and is not there, Drift that a finding is about it.
	ByHand  bool `json:"ByHand,omitempty"`
	Pending bool `json:"Pending,omitempty"`
	Missing bool `json:"Missing,omitempty"`
	Drift   bool `json:"Drift,omitempty"`
}

// Finding is what is not as it was decided.
type Finding struct {
	// Title is what is wrong with what, What says it in words.
	Title string `json:"Title"`
	What  string `json:"What"`
	// Product and Accounts are what of the picture it is about, as far as that is known.
	Product  string   `json:"Product,omitempty"`
	Accounts []string `json:"Accounts,omitempty"`
	// Repairs is who can repair it.
	Repairs string `json:"Repairs"`
}

// Seen is what the one who asks for the picture can see.
type Seen struct {
	Account, Region      string
	Producers, Consumers []string
	List                 *access.List
	// Pending are the requests that wait for a decision, if Asked says that they can be seen.
	Pending      []lakemesh.Subscription
	Asked        bool
	Verification *chain.Verification
}

// pair is an account and what it holds something of.
type pair struct{ product, account string }

// arrow is what one line of a picture stands for: what was decided, and what nobody decided,
// are never one line.
type arrow struct {
	pair
	kind kind
}

// kind is by what somebody holds something.
type kind int

const (
	decided kind = iota
	byHand
	pending
)

// drawing is a mesh that is being made.
type drawing struct {
	mesh     *Mesh
	accounts map[string]*Account
	products map[string]*Product
	tables   map[pair]bool
	accesses map[arrow]*Access
	// onDatabase are pairs of which the database itself is held: it comes with every table,
	// and is told only where nothing else is.
	onDatabase map[arrow]*Access
}

// Of makes the model of what is seen.
func Of(s Seen) *Mesh {
	d := &drawing{mesh: &Mesh{Account: s.Account, Region: s.Region, Accounts: []Account{}, Products: []Product{}, Accesses: []Access{}, Findings: []Finding{}, Unasked: !s.Asked}, accounts: map[string]*Account{}, products: map[string]*Product{},
		tables: map[pair]bool{}, accesses: map[arrow]*Access{}, onDatabase: map[arrow]*Access{}}
	for _, id := range s.Producers {
		d.account(id).Producer = true
	}
	for _, id := range s.Consumers {
		d.account(id).Consumer = true
	}
	for _, e := range s.List.Entries {
		d.owned(e)
	}
	for _, e := range s.List.Entries {
		d.held(e)
	}
	for _, r := range s.Pending {
		d.asked(r)
	}
	if s.Verification != nil {
		for _, f := range s.Verification.Findings {
			d.found(f)
		}
	}
	return d.finish()
}

func (d *drawing) account(id string) *Account {
	if d.accounts[id] == nil {
		d.accounts[id] = &Account{ID: id}
	}
	return d.accounts[id]
}

func (d *drawing) product(name string) *Product {
	if d.products[name] == nil {
		d.products[name] = &Product{Name: name}
	}
	return d.products[name]
}

var isAccount = regexp.MustCompile(`^[0-9]{12}$`)

// productOf names what an entry is on.
func productOf(e access.Entry) string {
	if e.Database == "" {
		return e.Tags.String()
	}
	return e.Database
}

// owned notes what the mesh itself needs: who owns what, and which tables there are.
func (d *drawing) owned(e access.Entry) {
	name := productOf(e)
	if e.Origin != access.ByMesh || e.Database == "" {
		return
	}
	p := d.product(name)
	if isAccount.MatchString(e.Principal) && e.Principal != d.mesh.Account {
		p.Owner = e.Principal
		d.account(e.Principal).Producer = true
	}
	if e.Table != "" && !d.tables[pair{name, e.Table}] {
		d.tables[pair{name, e.Table}] = true
		p.Tables++
	}
}

// held notes what somebody holds of a product.
func (d *drawing) held(e access.Entry) {
	name, who := productOf(e), cmp.Or(e.Account, e.Principal)
	if e.Origin == access.ByMesh || name == "" {
		return
	}
	p := d.product(name)
	if p.Owner == "" {
		p.Owner = chain.OwnerOfTags(e.Tags)
	}
	for _, id := range e.Through {
		if owner, _, _, err := lakemesh.ParseSubscriptionID(id); err == nil && p.Owner == "" {
			p.Owner = owner
		}
	}
	if who == p.Owner {
		return
	}
	in := d.accesses
	if e.Kind == access.KindDatabase || e.Kind == access.KindTaggedDatabases {
		in = d.onDatabase
	}
	at := arrow{pair{name, who}, decided}
	if e.Origin == access.ByHand {
		at.kind = byHand
	}
	a := in[at]
	if a == nil {
		a = &Access{Product: name, Account: who, ByHand: at.kind == byHand}
		in[at] = a
	}
	switch e.Kind {
	case access.KindAllTables, access.KindTaggedTables:
		a.All = true
	case access.KindColumns, access.KindFilter:
		a.Parts = true
	}
	if e.Table != "" {
		a.Tables = append(a.Tables, e.Table)
	}
	if e.Principal != who {
		a.Principals = append(a.Principals, e.Principal)
	}
	a.Permissions = a.Permissions.Union(e.Permissions)
	a.Subscriptions = append(a.Subscriptions, e.Through...)
}

// asked notes a request that waits.
func (d *drawing) asked(r lakemesh.Subscription) {
	name := r.Database
	if name == "" {
		tags := access.Tags{}
		for key, value := range r.Group.Tags(r.Owner) {
			tags[key] = []string{value}
		}
		name = tags.String()
	}
	if p := d.product(name); p.Owner == "" {
		p.Owner = r.Owner
	}
	at := arrow{pair{name, r.Subscriber}, pending}
	a := d.accesses[at]
	if a == nil {
		a = &Access{Product: name, Account: r.Subscriber, Pending: true}
		d.accesses[at] = a
	}
	a.All = a.All || len(r.Tables) == 0
	a.Parts = a.Parts || r.RequestedScope.Partly()
	a.Tables = append(a.Tables, r.Tables...)
	a.Permissions = a.Permissions.Union(r.Requested)
	a.Subscriptions = append(a.Subscriptions, r.ID)
}

var twelveDigits = regexp.MustCompile(`[0-9]{12}`)

// found notes what is not as it was decided. What is missing becomes an arrow of its own
// where there is none.
func (d *drawing) found(f chain.Finding) {
	of := Finding{Title: string(f.Kind) + " " + string(f.Link) + ": " + f.Resource, What: f.What, Product: f.Database, Repairs: string(f.Repairs)}
	about := map[string]bool{}
	if id := twelveDigits.FindString(f.Principal); id != "" {
		about[id] = true
	} else if f.Principal != "" {
		about[f.Principal] = true
	}
	for _, id := range f.Subscriptions {
		if owner, subscriber, old, err := lakemesh.ParseSubscriptionID(id); err == nil && !old {
			about[subscriber] = true
			if of.Product != "" && d.product(of.Product).Owner == "" {
				d.product(of.Product).Owner = owner
			}
		}
	}
	if of.Product != "" {
		delete(about, d.product(of.Product).Owner)
	}
	delete(about, d.mesh.Account)
	of.Accounts = slices.Sorted(maps.Keys(about))
	d.mesh.Findings = append(d.mesh.Findings, of)
	if of.Product == "" {
		return
	}
	for _, id := range of.Accounts {
		at := arrow{pair{of.Product, id}, decided}
		if hand := (arrow{at.pair, byHand}); f.Kind == chain.Undecided && d.accesses[hand] != nil {
			// What was decided beside it is as it was decided.
			at = hand
		}
		a := d.accesses[at]
		if a == nil {
			a = &Access{Product: of.Product, Account: id, Tables: slices.Clone(f.Tables), Subscriptions: slices.Clone(f.Subscriptions),
				Missing: f.Kind == chain.Missing && (f.Link == chain.Grant || f.Link == chain.Filter)}
			d.accesses[at] = a
		}
		a.Drift = true
	}
}

// finish brings everything into order.
func (d *drawing) finish() *Mesh {
	m := d.mesh
	for at, a := range d.onDatabase {
		if d.accesses[at] == nil {
			d.accesses[at] = a
		}
	}
	for _, p := range d.products {
		m.Products = append(m.Products, *p)
		if p.Owner != "" {
			d.account(p.Owner).Producer = true
		}
	}
	for _, a := range d.accesses {
		a.Tables = unique(a.Tables)
		a.Principals = unique(a.Principals)
		a.Subscriptions = unique(a.Subscriptions)
		m.Accesses = append(m.Accesses, *a)
		d.account(a.Account).Consumer = true
	}
	for _, a := range d.accounts {
		m.Accounts = append(m.Accounts, *a)
	}
	slices.SortFunc(m.Accounts, func(a, b Account) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(m.Products, func(a, b Product) int {
		return cmp.Or(strings.Compare(a.Owner, b.Owner), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(m.Accesses, func(a, b Access) int {
		return cmp.Or(strings.Compare(a.Product, b.Product), strings.Compare(a.Account, b.Account), cmp.Compare(a.kind(), b.kind()))
	})
	return m
}

func unique(texts []string) []string { return slices.Compact(slices.Sorted(slices.Values(texts))) }

// kind is by what it is held.
func (a Access) kind() kind {
	switch {
	case a.ByHand:
		return byHand
	case a.Pending:
		return pending
	}
	return decided
}

// what is what an access is to, in a few words.
func (a Access) what() string {
	var text string
	switch {
	case a.All:
		text = "all tables"
	case len(a.Tables) == 0:
		text = "the database"
	case len(a.Tables) == 1:
		text = a.Tables[0]
	default:
		text = fmt.Sprintf("%s +%d", a.Tables[0], len(a.Tables)-1)
	}
	if a.Parts {
		text += " in part"
	}
	return text
}

// how is what may be done, and what is to be known of it.
func (a Access) how() string {
	switch {
	case a.Missing:
		return "missing"
	case a.Pending:
		return "asks for " + strings.Join(a.Permissions.Strings(), ",")
	}
	text := strings.Join(a.Permissions.Strings(), ",")
	if a.Drift && text == "" {
		text = "not as decided"
	}
	if a.ByHand {
		text += ", by hand"
	}
	return text
}
