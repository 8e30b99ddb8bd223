package convert

import (
	"cmp"
	"fmt"
	"strings"

	"kplan.dev/kplan/addrs"
)

// nameBlocks gives each object an address that is unique: of a Deployment acme/web-app it is Deployment.web_app, of
// two in different namespaces Deployment.acme_web_app. Those that are distinguished neither by
// namespace nor by API group are numbered.
func nameBlocks(objects []*Object) map[*Object]addrs.Resource {
	names := make(map[*Object]addrs.Resource, len(objects))
	for _, o := range objects {
		if o.Name != "" {
			names[o] = addrs.Resource{Type: o.id.Kind, Name: o.Name}
		}
	}
	for _, spell := range []func(*Object) string{
		func(o *Object) string { return identifier(o.name()) },
		func(o *Object) string { return identifier(o.root.field("metadata").string("namespace"), o.name()) },
		func(o *Object) string { return identifier(o.id.Group, o.id.Namespace, o.name()) },
	} {
		holders := map[addrs.Resource]int{}
		for _, o := range objects {
			if names[o] == (addrs.Resource{}) {
				holders[addrs.Resource{Type: o.id.Kind, Name: spell(o)}]++
			}
		}
		taken := inUse(names)
		for _, o := range objects {
			if candidate := (addrs.Resource{Type: o.id.Kind, Name: spell(o)}); names[o] == (addrs.Resource{}) && holders[candidate] == 1 &&
				!taken[candidate] {
				names[o] = candidate
			}
		}
	}
	numberRest(objects, names)
	return names
}

func inUse(names map[*Object]addrs.Resource) map[addrs.Resource]bool {
	taken := make(map[addrs.Resource]bool, len(names))
	for _, name := range names {
		taken[name] = true
	}
	return taken
}

// numberRest names the objects that are left.
func numberRest(objects []*Object, names map[*Object]addrs.Resource) {
	taken := inUse(names)
	for _, o := range objects {
		for n := 1; names[o] == (addrs.Resource{}); n++ {
			candidate := addrs.Resource{Type: o.id.Kind, Name: identifier(o.name())}
			if n > 1 {
				candidate.Name += fmt.Sprintf("_%d", n)
			}
			if !taken[candidate] {
				names[o], taken[candidate] = candidate, true
			}
		}
	}
}

// name is the object's name, or the beginning of the one that the server generates.
func (o *Object) name() string {
	metadata := o.root.field("metadata")
	return cmp.Or(metadata.string("name"), strings.TrimRight(metadata.string("generateName"), "-."))
}

// identifier joins names to one of the language: letters, digits and underscores.
func identifier(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		for _, word := range strings.FieldsFunc(part, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
		}) {
			if b.Len() > 0 {
				b.WriteByte('_')
			}
			b.WriteString(word)
		}
	}
	name := b.String()
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}
