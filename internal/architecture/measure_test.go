package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
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
	"strings"
	"sync"
)

const (
	root   = "../.."
	module = "kplan.dev/kplan/"
)

// A pkg is a package of the module as go list describes it, and what measure
// adds to that.
type pkg struct {
	Dir, ImportPath, Export string
	GoFiles, Imports        []string
	Module                  *struct{ Main bool }

	lines   int
	refers  map[string]map[string][]string // file → file → the names it uses of it
	cycle   []string                       // the largest set of files that reach each other
	largest string                         // the type with the most methods
	methods int
}

// name is the import path below the module's.
func (p *pkg) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// packages lists and measures every package of the module, once per run.
var packages = sync.OnceValues(func() ([]*pkg, error) {
	own, exports, err := list()
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, p := range own {
		if err := p.measure(fset, imports); err != nil {
			return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
		}
	}
	return own, nil
})

// list returns the packages of the module that have files apart from tests, and
// where the compiler's export data of each of their dependencies is.
func list() (own []*pkg, exports map[string]string, err error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,ImportPath,Export,GoFiles,Imports,Module", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, err
	}
	exports = map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return own, exports, nil
		} else if err != nil {
			return nil, nil, err
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main && len(p.GoFiles) > 0 {
			own = append(own, p)
		}
	}
}

func (p *pkg) measure(fset *token.FileSet, imports types.Importer) error {
	var files []*ast.File
	for _, name := range p.GoFiles {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return err
		}
		p.lines += bytes.Count(text, []byte("\n"))
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), text, 0)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	checked, err := (&types.Config{Importer: imports}).Check(p.ImportPath, fset, files, info)
	if err != nil {
		return err
	}
	p.findReferences(fset, checked, info.Uses)
	for _, set := range cycles(p.GoFiles, p.refers) {
		if len(set) > len(p.cycle) {
			p.cycle = set
		}
	}
	p.findLargestType(checked)
	return nil
}

// findReferences records which file uses functions, methods, types and package
// variables that another file declares. Constants and fields don't count: they
// come with a type.
func (p *pkg) findReferences(fset *token.FileSet, checked *types.Package, uses map[*ast.Ident]types.Object) {
	p.refers = map[string]map[string][]string{}
	for ident, object := range uses {
		if object.Pkg() != checked {
			continue
		}
		switch object.(type) {
		case *types.Func, *types.TypeName:
		case *types.Var:
			if object.Parent() != checked.Scope() {
				continue
			}
		default:
			continue
		}
		from, to := filepath.Base(fset.Position(ident.Pos()).Filename), filepath.Base(fset.Position(object.Pos()).Filename)
		if from == to || slices.Contains(p.refers[from][to], object.Name()) {
			continue
		}
		if p.refers[from] == nil {
			p.refers[from] = map[string][]string{}
		}
		p.refers[from][to] = append(p.refers[from][to], object.Name())
	}
}

func (p *pkg) findLargestType(checked *types.Package) {
	for _, name := range checked.Scope().Names() {
		object, isType := checked.Scope().Lookup(name).(*types.TypeName)
		if !isType || object.IsAlias() {
			continue
		}
		if named, ok := object.Type().(*types.Named); ok && named.NumMethods() > p.methods {
			p.largest, p.methods = name, named.NumMethods()
		}
	}
}

// cycles returns the strongly connected components of a graph, by Tarjan's
// algorithm.
func cycles(nodes []string, edges map[string]map[string][]string) [][]string {
	var found [][]string
	var stack []string
	index, low := map[string]int{}, map[string]int{}
	var visit func(string)
	visit = func(node string) {
		index[node] = len(index) + 1
		low[node] = index[node]
		stack = append(stack, node)
		for _, next := range slices.Sorted(maps.Keys(edges[node])) {
			if index[next] == 0 {
				visit(next)
				low[node] = min(low[node], low[next])
			} else if slices.Contains(stack, next) {
				low[node] = min(low[node], index[next])
			}
		}
		if low[node] == index[node] {
			start := slices.Index(stack, node)
			found = append(found, slices.Sorted(slices.Values(stack[start:])))
			stack = stack[:start]
		}
	}
	for _, node := range nodes {
		if index[node] == 0 {
			visit(node)
		}
	}
	return found
}
