package config

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// Secrets are the parts of a configuration's source that must not be quoted.
type Secrets struct {
	// Ranges hold secret values as they are written.
	Ranges []hcl.Range
	// Names are the references whose values are secret, such as local.password.
	Names map[string]bool
}

// Kinds finds the description of a kind. An empty apiVersion asks for the
// preferred version.
type Kinds interface {
	Lookup(kind, apiVersion string) (*kinds.Kind, error)
}

// Secrets finds the secrets that are written into the files: values of fields that the kind
// declares as secret, of sensitive variables and outputs, credentials for the cluster, arguments of
// sensitive(), and the locals and variables that these refer to. It evaluates nothing, since most
// diagnostics that quote the source are reported before evaluation. What is misspelled counts as what
// it was probably meant to be, and where that is unclear, or a file has a syntax error, it prefers to
// find too much.
func (c *Config) Secrets(known Kinds) Secrets {
	f := &secretFinder{kinds: known, seen: map[hcl.Range]bool{}, values: map[string][]hcl.Expression{}, referenced: map[string]bool{}}
	f.found.Names, f.inputs = map[string]bool{}, c.publicInputs()
	blocks := map[string][]block{}
	for name, file := range c.Files {
		blocks[name] = blocksOf(file)
		for _, b := range blocks[name] {
			f.declarations(b)
		}
	}
	var broken []string
	for name, file := range c.Files {
		if _, diags := source.Parse(file.Bytes, name); diags.HasErrors() {
			broken = append(broken, name)
			continue
		}
		for _, b := range blocks[name] {
			f.block(b)
		}
		f.calls(name, file)
	}
	for _, name := range broken {
		f.references(name, c.Files[name].Bytes)
	}
	for _, name := range broken {
		f.lines(name, c.Files[name].Bytes)
	}
	return f.found
}

type secretFinder struct {
	kinds Kinds
	found Secrets
	seen  map[hcl.Range]bool // expressions that were looked at
	// values are what is written for each local value and variable, by reference: local.password.
	values     map[string][]hcl.Expression
	referenced map[string]bool // the local values and variables whose values are secret
	// inputs are those of each module that are no secrets.
	inputs map[string][]string
	// forEach is that of the resource being looked at.
	forEach hcl.Expression
}

// declarations remembers what the references to the names that a block declares stand for.
func (f *secretFinder) declarations(b block) {
	switch {
	case b.typ == "locals":
		for name, expr := range b.attrs {
			f.values["local."+name] = append(f.values["local."+name], expr)
		}
	case b.typ == "variable" && len(b.labels) == 1:
		for name, expr := range b.attrs {
			if !slices.Contains(publicArguments, name) { // the default, however it is spelled
				f.values["var."+b.labels[0]] = append(f.values["var."+b.labels[0]], expr)
			}
		}
	}
}

// publicArguments are the arguments of variables and outputs that hold no value.
var publicArguments = []string{"type", "description", "nullable", "sensitive", "depends_on", "error_message"}

// block looks at a block of a file's top level.
func (f *secretFinder) block(b block) {
	switch b.typ {
	case "locals", "import", "moved", "removed":
	case "kplan":
		f.settings(b.content)
	case "module":
		f.call(b)
	case "provider", "terraform":
		f.allBut(b.content, slices.Concat(publicSettings, publicCall))
	case "variable", "output":
		if b.isSensitive() {
			f.allBut(b.content, publicArguments)
		}
	default:
		if b.isSensitive() {
			f.allBut(b.content, publicArguments)
		}
		f.forEach = b.attrs["for_each"]
		f.fields(b.content, f.shapeOf(b))
		f.forEach = nil
	}
}

// publicCall are the arguments of a module block that are no variables of the module.
var publicCall = []string{"version", "for_each", "count", "depends_on", "providers", "required_version"}

// call looks at a module block. A source is secret where it has a password in it, which it should not.
func (f *secretFinder) call(b block) {
	public := slices.Concat(publicCall, f.inputs[strings.Join(b.labels, ".")])
	if expr := b.attrs["source"]; expr != nil && isPublicSource(expr) {
		public = append(public, "source")
	}
	f.allBut(b.content, public)
}

func isPublicSource(expr hcl.Expression) bool {
	value, isWritten := source.Written(expr)
	if !isWritten || value.IsNull() || value.Type() != cty.String {
		return false
	}
	text := value.AsString()
	return !hasUser.MatchString(text) || isUserOfSSH.MatchString(text)
}

var (
	hasUser     = regexp.MustCompile(`^[^/]*(//)?[^/]*@`)
	isUserOfSSH = regexp.MustCompile(`^(git::)?(ssh://)?[\w.-]+@[^@]*$`)
)

// isSensitive reports whether a block has an argument sensitive, or a misspelled one, that is not false.
func (b block) isSensitive() bool {
	for name, expr := range b.attrs {
		if isNear(name, "sensitive") {
			value, ok := source.Written(expr)
			return !ok || !value.RawEquals(cty.False)
		}
	}
	return false
}

// publicSettings are the arguments in the blocks of a kplan block that hold no credentials, also as a kubeconfig or
// Terraform spells them.
var publicSettings = []string{"config_path", "context", "host", "username", "insecure", "tls_server_name", "impersonate_user",
	"impersonate_groups", "request_timeout", "api_version", "apiVersion", "command", "path", "name", "namespace",
	"bucket", "key", "region", "profile", "schema_name", "use_path_style", "recipients", "cluster_ca_certificate", "client_certificate",
	"retry_max", "retry_wait_min", "retry_wait_max", "lock_method", "unlock_method", "update_method", "skip_cert_verification"}

// publicInputs are the inputs of each module that is called whose variables are not sensitive.
func (c *Config) publicInputs() map[string][]string {
	all := map[string][]string{}
	for _, call := range c.Calls {
		if call.Definition == nil {
			continue
		}
		for _, v := range call.Definition.Variables {
			if !v.Sensitive {
				all[call.Name] = append(all[call.Name], v.Name)
			}
		}
	}
	return all
}

// secretSettings are the arguments beside those, for what is misspelled.
var secretSettings = []string{"token", "password", "client_key", "access_key", "secret_key", "conn_str", "passphrases", "identities",
	"args", "env", "address", "lock_address", "unlock_address", "proxy_url", "endpoint", "exec", "data"}

// credentialed is a text with a private key, with a password before the host of an address, or with a token behind it.
var credentialed = regexp.MustCompile(`PRIVATE KEY|AGE-SECRET|://[^/\s"@]*:[^/\s"@]*@|` +
	`[?&][\w-]*(?i:token|sig|secret|password|passwd|key)[\w-]*=`)

// isPublic reports whether an argument holds nothing that is secret.
func (f *secretFinder) isPublic(name string, expr hcl.Expression, public []string) bool {
	meant := cmp.Or(words.Nearest(name, slices.Concat(public, secretSettings)), name)
	return slices.Contains(public, meant) && !credentialed.MatchString(literalText(expr))
}

// literalText is what is written in quotes, with something in the place of each reference.
func literalText(expr hcl.Expression) string {
	if value, ok := source.Written(expr); ok && value.IsKnown() && !value.IsNull() && value.Type() == cty.String {
		return value.AsString()
	}
	var text strings.Builder
	if template, ok := source.Bare(expr).(*hclsyntax.TemplateExpr); ok {
		for _, part := range template.Parts {
			if value, ok := source.Written(part); ok && value.Type() == cty.String && !value.IsNull() {
				text.WriteString(value.AsString())
			} else {
				text.WriteString("…")
			}
		}
	}
	return text.String()
}

// settings looks at the blocks of a kplan block.
func (f *secretFinder) settings(c content) {
	for name, expr := range c.attrs {
		if name != "required_version" {
			for _, inner := range objectsIn(expr, 0) { // JSON
				f.allBut(inner.content, publicSettings)
			}
		}
	}
	for _, inner := range c.blocks {
		f.allBut(contentOf(inner.Body), publicSettings)
	}
}

// allBut takes everything in a block for a secret, except the values of some arguments.
func (f *secretFinder) allBut(c content, public []string) {
	for name, expr := range c.attrs {
		if f.isPublic(name, expr, public) {
			continue
		}
		objects := objectsIn(expr, 0)
		if name != "validation" && name != "precondition" || len(objects) == 0 {
			f.secret(expr)
		}
		for _, inner := range objects { // blocks in JSON
			f.allBut(inner.content, public)
		}
	}
	for _, inner := range c.blocks {
		f.allBut(contentOf(inner.Body), public)
	}
}

// fields looks at the values in a block whose fields have a shape.
func (f *secretFinder) fields(c content, s shape) {
	for name, expr := range c.attrs {
		if !s.root || !source.IsMetaArgument(name) {
			f.within(expr, s.below(name))
		} else if s.suspect && (name == "lifecycle" || name == "wait") {
			for _, inner := range objectsIn(expr, 0) {
				f.allBut(inner.content, metaArguments)
			}
		}
	}
	for _, inner := range c.blocks {
		name, body := inner.Type, inner.Body
		if s.root && source.IsMetaArgument(name) {
			if s.suspect { // a brace in the wrong place puts fields there
				f.allBut(contentOf(body), metaArguments)
			}
			continue
		}
		if source.IsDynamic(inner) {
			name, body = inner.Labels[0], repeatedBy(body)
		}
		under := s.below(name)
		if under.isSecret() {
			f.allBut(contentOf(inner.Body), nil)
		} else {
			f.fields(contentOf(body), under.element())
		}
	}
}

// metaArguments are the arguments of the blocks lifecycle and wait, and of those in them.
var metaArguments = []string{"prevent_destroy", "ignore_changes", "force_conflicts", "exclusive", "replace_on",
	"enabled", "destroy", "timeout", "rollout", "type", "status", "path", "value", "regex"}

func repeatedBy(dynamic *hclsyntax.Body) *hclsyntax.Body {
	for _, inner := range dynamic.Blocks {
		if inner.Type == "content" {
			return inner.Body
		}
	}
	return dynamic
}

// within looks for secret fields in the value of a field.
func (f *secretFinder) within(expr hcl.Expression, s shape) {
	if s.isSecret() {
		f.secret(expr)
		return
	}
	if s.field == nil {
		return
	}
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		for _, pair := range pairs {
			if name, ok := keyOf(pair); ok {
				f.within(pair.Value, s.below(name))
			} else if s.suspect {
				f.secret(pair.Value)
			}
		}
	} else if elements, diags := hcl.ExprList(expr); !diags.HasErrors() {
		for _, element := range elements {
			f.within(element, s.element())
		}
	} else if s.root && s.suspect { // a manifest that is computed
		f.secret(expr)
	}
}

func keyOf(pair hcl.KeyValuePair) (string, bool) {
	key, ok := source.Written(pair.Key)
	if !ok || !key.IsKnown() || key.IsNull() || key.Type() != cty.String {
		return "", false
	}
	return key.AsString(), true
}

// secret records all that is written in an expression, and follows its references.
func (f *secretFinder) secret(expr hcl.Expression) {
	if expr == nil || f.seen[expr.Range()] {
		return
	}
	f.seen[expr.Range()] = true
	if node, native := expr.(hclsyntax.Node); native {
		f.literals(node)
	} else {
		f.leaves(expr)
	}
	for _, reference := range expr.Variables() {
		f.follow(reference)
	}
}

// literals records the strings and numbers of an expression, but not the keys of its objects nor
// the names of the files that it reads.
func (f *secretFinder) literals(node hclsyntax.Node) {
	var spared []hcl.Range
	source.VisitAll(node, func(n hclsyntax.Node) {
		switch n := n.(type) {
		case *hclsyntax.ObjectConsKeyExpr:
			spared = append(spared, n.Range())
		case *hclsyntax.FunctionCallExpr:
			if strings.Contains(n.Name, "file") && len(n.Args) > 0 {
				spared = append(spared, n.Args[0].Range())
			}
		}
	})
	source.VisitAll(node, func(n hclsyntax.Node) {
		literal, ok := n.(*hclsyntax.LiteralValueExpr)
		if ok && holdsText(literal.Val) && !slices.ContainsFunc(spared, func(r hcl.Range) bool { return r.Overlaps(literal.SrcRange) }) {
			f.found.Ranges = append(f.found.Ranges, literal.SrcRange)
		}
	})
}

func holdsText(value cty.Value) bool {
	return value.Type() == cty.String || value.Type() == cty.Number
}

// leaves records the values of an expression in JSON.
func (f *secretFinder) leaves(expr hcl.Expression) {
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		for _, pair := range pairs {
			f.leaves(pair.Value)
		}
	} else if elements, diags := hcl.ExprList(expr); !diags.HasErrors() {
		for _, element := range elements {
			f.leaves(element)
		}
	} else {
		f.found.Ranges = append(f.found.Ranges, expr.Range())
	}
}

// follow looks at the declaration that a secret value comes from.
func (f *secretFinder) follow(reference hcl.Traversal) {
	if len(reference) == 1 { // a value whose quotes were forgotten
		f.found.Ranges = append(f.found.Ranges, reference.SourceRange())
		return
	}
	if reference.RootName() == "each" {
		f.secret(f.forEach)
		return
	}
	for _, root := range []string{"local", "var"} {
		if name, ok := source.RootAttr(reference, root); ok {
			f.referenced[root+"."+name] = true
			if path, err := source.TraversalPath(reference); err == nil {
				f.found.Names[path.String()] = true
			}
			for _, expr := range f.values[root+"."+name] {
				f.part(expr, reference, 2)
			}
		}
	}
}

// part records the part of an expression that a reference picks from the step on.
func (f *secretFinder) part(expr hcl.Expression, reference hcl.Traversal, step int) {
	for ; expr != nil && step < len(reference); step++ {
		pairs, diags := hcl.ExprMap(expr)
		want, ok := source.StepName(reference[step])
		if diags.HasErrors() || !ok {
			break
		}
		at := slices.IndexFunc(pairs, func(pair hcl.KeyValuePair) bool { name, ok := keyOf(pair); return ok && name == want })
		if at < 0 {
			break
		}
		expr = pairs[at].Value
	}
	f.secret(expr)
}

// calls looks for secrets outside of any field: arguments of sensitive().
func (f *secretFinder) calls(name string, file *hcl.File) {
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		for _, at := range sensitiveInJSON.FindAllIndex(file.Bytes, -1) {
			f.addRange(name, file.Bytes, at[0], at[1])
		}
		return
	}
	source.VisitAll(body, func(n hclsyntax.Node) {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "sensitive" {
			for _, arg := range call.Args {
				f.secret(arg)
			}
		}
	})
}

var sensitiveInJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*sensitive\((?:[^"\\]|\\.)*"`)

// addRange records a range of bytes of a file.
func (f *secretFinder) addRange(name string, src []byte, from, to int) {
	pos := func(at int) hcl.Pos {
		return hcl.Pos{Line: 1 + bytes.Count(src[:at], []byte("\n")), Column: at - bytes.LastIndexByte(src[:at], '\n'), Byte: at}
	}
	f.found.Ranges = append(f.found.Ranges, hcl.Range{Filename: name, Start: pos(from), End: pos(to)})
}
