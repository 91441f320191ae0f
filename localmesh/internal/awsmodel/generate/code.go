package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	module   = "github.com/lakemesh/lakemesh/"
	services = module + "localmesh/internal/"
	sdk      = "github.com/aws/aws-sdk-go-v2/service/"
)

// code is what the services' code says: which members of the SDK's structs it reads,
// and which operations there are.
type code struct {
	// read are the fields that are selected other than to be set.
	read map[*types.Var]bool
	// whole are the struct types that are kept or handed on as they are.
	whole map[*types.TypeName]bool
	// inputs are the input types of the operations by service and name.
	inputs map[string]map[string]*types.Named
	// others are the struct types that the code has of its own for those of the SDK.
	others map[string]map[string]bool
	// models are the struct types of the SDK by service and name; nil if there is none.
	models func(service, name string) *types.Named
}

type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// readCode type-checks the packages of the local mesh, without their tests.
func readCode() (*code, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", services+"...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports := map[string]string{}
	var own []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, services) && !strings.HasPrefix(p.ImportPath, services+"awsmodel") {
			own = append(own, p)
		}
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	c := &code{read: map[*types.Var]bool{}, whole: map[*types.TypeName]bool{}, inputs: map[string]map[string]*types.Named{}, others: map[string]map[string]bool{}}
	c.models = func(service, name string) *types.Named {
		for _, path := range []string{sdk + service, sdk + service + "/types"} {
			p, err := imports.Import(path)
			if err != nil {
				continue
			}
			if t, ok := p.Scope().Lookup(name).(*types.TypeName); ok {
				return t.Type().(*types.Named)
			}
		}
		return nil
	}
	for _, p := range own {
		if err := c.add(p, fset, imports); err != nil {
			return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
		}
	}
	return c, nil
}

func (c *code) add(p listed, fset *token.FileSet, imports types.Importer) error {
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: imports}).Check(p.ImportPath, fset, files, info); err != nil {
		return err
	}
	service := strings.TrimPrefix(p.ImportPath, services)
	for _, f := range files {
		c.selections(f, info)
		c.operations(f, info, service)
	}
	// What is in a table of the store is kept as it is.
	for id, instance := range info.Instances {
		if o := info.Uses[id]; o != nil && o.Name() == "Table" && o.Pkg() != nil && o.Pkg().Path() == services+"store" {
			c.keep(instance.TypeArgs.At(0), map[*types.TypeName]bool{})
		}
	}
	return nil
}

// selections notes the fields that are read.
func (c *code) selections(f *ast.File, info *types.Info) {
	set := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN {
				for _, e := range n.Lhs {
					set[e] = true
				}
			}
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s != nil && s.Kind() == types.FieldVal && !set[n] {
				c.read[s.Obj().(*types.Var)] = true
			}
		}
		return true
	})
}

// operations finds the operations that a package declares, with their input types.
func (c *code) operations(f *ast.File, info *types.Info, service string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		name, input := nameOf(call.Args[0], info), inputOf(call.Fun, info)
		if name == "" || input == nil {
			return true
		}
		of := service
		if second := second()[service]; second != "" && c.models(of, name+"Input") == nil {
			of = second
		}
		if c.inputs[of] == nil {
			c.inputs[of] = map[string]*types.Named{}
		}
		c.inputs[of][name] = input
		return true
	})
}

// nameOf is the name that an operation is declared with: a text, or the first argument
// of the call that makes it up.
func nameOf(e ast.Expr, info *types.Info) string {
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) > 0 {
		e = call.Args[0]
	}
	if v := info.Types[e].Value; v != nil {
		if text, err := strconv.Unquote(v.ExactString()); err == nil {
			return text
		}
	}
	return ""
}

// inputOf is the input type of the function that declares an operation: it is generic in
// the input and the output.
func inputOf(fun ast.Expr, info *types.Info) *types.Named {
	if call, ok := fun.(*ast.CallExpr); ok {
		fun = call.Fun
	}
	id, ok := fun.(*ast.Ident)
	if s, selector := fun.(*ast.SelectorExpr); selector {
		id, ok = s.Sel, true
	}
	if !ok {
		return nil
	}
	instance, ok := info.Instances[id]
	if !ok || instance.TypeArgs.Len() != 2 {
		return nil
	}
	in, ok := instance.TypeArgs.At(0).(*types.Named)
	if !ok || !strings.HasSuffix(in.Obj().Name(), "nput") {
		return nil
	}
	return in
}

// keep notes that values of a type are kept with all that is in them.
func (c *code) keep(t types.Type, seen map[*types.TypeName]bool) {
	n := structOf(t)
	if n == nil || n.Obj().Pkg() == nil || seen[n.Obj()] {
		return
	}
	seen[n.Obj()] = true
	c.whole[n.Obj()] = true
	for f := range n.Underlying().(*types.Struct).Fields() {
		c.keep(f.Type(), seen)
	}
}

// structOf is the struct type in a type: behind pointers, in lists and maps.
func structOf(t types.Type) *types.Named {
	for {
		switch u := t.(type) {
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Map:
			t = u.Elem()
		case *types.Alias:
			t = types.Unalias(u)
		case *types.Named:
			switch under := u.Underlying().(type) {
			case *types.Struct:
				return u
			case *types.Slice, *types.Map, *types.Pointer:
				t = under
			default:
				return nil
			}
		default:
			return nil
		}
	}
}

// refusals are the members that are not honoured, by service: "CreateTableInput.Name".
func (c *code) refusals() (map[string][]string, error) {
	all := map[string][]string{}
	for service, operations := range c.inputs {
		for name := range kept()[service] {
			t := c.models(service, name)
			if t == nil {
				return nil, fmt.Errorf("%s has no %s", service, name)
			}
			c.keep(t, map[*types.TypeName]bool{})
		}
		refused := map[string]bool{}
		seen := map[[2]string]bool{}
		for _, name := range slices.Sorted(maps.Keys(operations)) {
			model := c.models(service, name+"Input")
			if model == nil {
				return nil, fmt.Errorf("the model of %s has no %s", service, name)
			}
			c.compare(operations[name], model, refused, seen)
		}
		for member := range withoutEffect()[service] {
			if !refused[member] {
				return nil, fmt.Errorf("%s of %s is said to have no effect, and is not there or is read", member, service)
			}
			delete(refused, member)
		}
		for _, member := range slices.Sorted(maps.Keys(refused)) {
			if v, ok := defaults()[service][member]; ok {
				member += "=" + v
			}
			all[service] = append(all[service], member)
		}
	}
	return all, nil
}

// memberTable writes the members that are refused.
func memberTable() ([]byte, error) {
	c, err := readCode()
	if err != nil {
		return nil, err
	}
	all, err := c.refusals()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(header + "var refused = map[string][]string{\n")
	for _, service := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%q: {\n", service)
		for _, member := range all[service] {
			fmt.Fprintf(&b, "%q,\n", member)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n\nvar own = map[string][]string{\n")
	for _, name := range slices.Sorted(maps.Keys(c.others)) {
		fmt.Fprintf(&b, "%q: {", name)
		for i, model := range slices.Sorted(maps.Keys(c.others[name])) {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%q", model)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// compare notes the members of a struct of the model that the code's struct, which may
// be the same, has no place for or never reads.
func (c *code) compare(own, model *types.Named, refused map[string]bool, seen map[[2]string]bool) {
	pair := [2]string{own.String(), model.String()}
	if seen[pair] || c.whole[model.Obj()] {
		return
	}
	seen[pair] = true
	if own.Obj() != model.Obj() {
		if c.others[own.Obj().Name()] == nil {
			c.others[own.Obj().Name()] = map[string]bool{}
		}
		c.others[own.Obj().Name()][model.Obj().Name()] = true
	}
	fields := map[string]*types.Var{}
	if s, ok := own.Underlying().(*types.Struct); ok && !hasMethod(own, "UnmarshalJSON") {
		collect(s, fields)
	} else {
		return // It reads its own form.
	}
	for f := range model.Underlying().(*types.Struct).Fields() {
		if !f.Exported() || f.Name() == "ResultMetadata" {
			continue
		}
		mine, ok := fields[f.Name()]
		// What can be one of several types does not come through the codec.
		if !ok || !c.read[mine] && !c.whole[own.Obj()] || own.Obj() == model.Obj() && types.IsInterface(f.Type()) {
			refused[own.Obj().Name()+"."+f.Name()] = true
			continue
		}
		if a, b := structOf(mine.Type()), structOf(f.Type()); a != nil && b != nil && b.Obj().Pkg() != nil && strings.HasPrefix(b.Obj().Pkg().Path(), sdk) {
			c.compare(a, b, refused, seen)
		}
	}
}

// collect are the fields of a struct and of what is embedded in it.
func collect(s *types.Struct, fields map[string]*types.Var) {
	for f := range s.Fields() {
		if f.Embedded() {
			if e, ok := f.Type().Underlying().(*types.Struct); ok {
				collect(e, fields)
				continue
			}
		}
		fields[f.Name()] = f
	}
}

func hasMethod(t *types.Named, name string) bool {
	o, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, t.Obj().Pkg(), name)
	_, ok := o.(*types.Func)
	return ok
}
