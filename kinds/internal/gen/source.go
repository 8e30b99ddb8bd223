package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The modules that hold API types, and the directory in each below which a
// package of types is named by group and version.
var apiModules = []struct{ module, below string }{
	{"k8s.io/api", ""},
	{"k8s.io/apimachinery", "pkg/apis"},
	{"k8s.io/apiextensions-apiserver", "pkg/apis"},
	{"k8s.io/kube-aggregator", "pkg/apis"},
}

// source is the parsed packages of the API modules, read as they are needed.
type source struct {
	versions []string          // module@version, in the order of apiModules
	minor    int               // of the Kubernetes release: 37 for k8s.io/api v0.37.2
	dirs     map[string]string // directory of each module
	packages map[string]*pkg   // by import path
}

// pkg is one parsed package.
type pkg struct {
	path    string
	group   string // the constant GroupName
	types   map[string]*typeDecl
	consts  map[string]string   // string constants by name
	members map[string][]string // values of the constants of a type, in order
	removed map[string]int      // minor release that no longer serves a type, by name
}

// typeDecl is one type with the comments that belong to it.
type typeDecl struct {
	pkg      *pkg
	name     string
	expr     ast.Expr
	imports  map[string]string // name in the file -> import path
	doc      string            // the comment, markers included
	detached string            // the comment before that, set off by an empty line
}

func openSource() (*source, error) {
	s := &source{dirs: map[string]string{}, packages: map[string]*pkg{}}
	for _, m := range apiModules {
		out, err := exec.Command("go", "list", "-m", "-json", m.module).Output()
		if err != nil {
			return nil, fmt.Errorf("go list %s: %w", m.module, err)
		}
		var mod struct{ Dir, Version string }
		if err := json.Unmarshal(out, &mod); err != nil {
			return nil, err
		}
		s.dirs[m.module] = mod.Dir
		s.versions = append(s.versions, m.module+"@"+mod.Version)
		if m.module == "k8s.io/api" {
			if _, err := fmt.Sscanf(mod.Version, "v0.%d.", &s.minor); err != nil {
				return nil, fmt.Errorf("version %s of k8s.io/api: %w", mod.Version, err)
			}
		}
	}
	return s, nil
}

// apiPackages are the import paths of all packages that may hold kinds.
func (s *source) apiPackages() ([]string, error) {
	var paths []string
	for _, m := range apiModules {
		files, err := filepath.Glob(filepath.Join(s.dirs[m.module], m.below, "*", "v*", "register.go"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			rel, err := filepath.Rel(s.dirs[m.module], filepath.Dir(f))
			if err != nil {
				return nil, err
			}
			paths = append(paths, path.Join(m.module, filepath.ToSlash(rel)))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// load parses the package of that import path.
func (s *source) load(importPath string) (*pkg, error) {
	if p := s.packages[importPath]; p != nil {
		return p, nil
	}
	dir := ""
	for module, d := range s.dirs {
		if rest, ok := strings.CutPrefix(importPath, module+"/"); ok {
			dir = filepath.Join(d, filepath.FromSlash(rest))
		}
	}
	if dir == "" {
		return nil, fmt.Errorf("package %s is in none of the API modules", importPath)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	p := &pkg{path: importPath, types: map[string]*typeDecl{}, consts: map[string]string{}, members: map[string][]string{},
		removed: map[string]int{}}
	s.packages[importPath] = p
	fset := token.NewFileSet()
	for _, name := range files {
		base := filepath.Base(name)
		lifecycle := base == "zz_generated.prerelease-lifecycle.go"
		if strings.HasSuffix(base, "_test.go") || strings.HasPrefix(base, "zz_") && !lifecycle || base == "generated.pb.go" {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.add(f)
	}
	return p, nil
}

func (p *pkg) add(f *ast.File) {
	imports := map[string]string{}
	for _, imp := range f.Imports {
		importPath, _ := strconv.Unquote(imp.Path.Value)
		name := path.Base(importPath)
		if imp.Name != nil {
			name = imp.Name.Name
		}
		imports[name] = importPath
	}
	end := f.Name.End()
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			p.addRemoved(decl)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					p.addType(spec, cmp.Or(spec.Doc, decl.Doc), imports, f, end)
				case *ast.ValueSpec:
					if decl.Tok == token.CONST {
						p.addConst(spec)
					}
				}
			}
		}
		end = decl.End()
	}
}

func (p *pkg) addType(spec *ast.TypeSpec, doc *ast.CommentGroup, imports map[string]string, f *ast.File, after token.Pos) {
	p.types[spec.Name.Name] = &typeDecl{pkg: p, name: spec.Name.Name, expr: spec.Type, imports: imports,
		doc: doc.Text(), detached: commentsBetween(f, after, doc)}
}

// addRemoved reads a method such as
//
//	func (in *StorageClass) APILifecycleRemoved() (major, minor int) { return 1, 22 }
func (p *pkg) addRemoved(decl *ast.FuncDecl) {
	if decl.Name.Name != "APILifecycleRemoved" || len(decl.Body.List) != 1 {
		return
	}
	result := decl.Body.List[0].(*ast.ReturnStmt).Results[1].(*ast.BasicLit).Value
	receiver := decl.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name
	p.removed[receiver], _ = strconv.Atoi(result)
}

func (p *pkg) addConst(spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		if i >= len(spec.Values) {
			continue
		}
		lit, ok := spec.Values[i].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		value, _ := strconv.Unquote(lit.Value)
		p.consts[name.Name] = value
		if name.Name == "GroupName" {
			p.group = value
		}
		if typ, ok := spec.Type.(*ast.Ident); ok {
			p.members[typ.Name] = append(p.members[typ.Name], value)
		}
	}
}

// commentsBetween is the text of the comments after a declaration's end and
// before the next one's doc comment.
func commentsBetween(f *ast.File, end token.Pos, doc *ast.CommentGroup) string {
	if doc == nil {
		return ""
	}
	var text strings.Builder
	for _, c := range f.Comments {
		if c.Pos() > end && c.End() < doc.Pos() {
			text.WriteString(c.Text())
		}
	}
	return text.String()
}

// markerSet is the +name=value lines of a comment.
type markerSet map[string][]string

func markers(comment string) markerSet {
	set := markerSet{}
	for line := range strings.Lines(comment) {
		if line, ok := strings.CutPrefix(strings.TrimSpace(line), "+"); ok {
			name, value, _ := strings.Cut(line, "=")
			set[name] = append(set[name], strings.TrimSpace(value))
		}
	}
	return set
}

func (m markerSet) has(name string) bool { return m[name] != nil }

func (m markerSet) last(name string) (string, bool) {
	values := m[name]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}
